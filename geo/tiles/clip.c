#include "geo/tiles/clip.h"

#include <assert.h>
#include <stdlib.h>

enum { WEST = 1, EAST = 2, NORTH = 4, SOUTH = 8 };

void clip_begin(struct clip *clip, int32_t low, int32_t high) {
    clip->low = low;
    clip->high = high;
    clip->base = 0;
    clip->failed = false;
    clip->point_count = clip->chain_count = clip->event_count = clip->node_count = 0;
}

void clip_deinit(struct clip *clip) {
    free(clip->points);
    free(clip->chains);
    free(clip->events);
    free(clip->nodes);
}

static unsigned code_of(const struct clip *clip, struct gw_mvt_point point) {
    return (point.x < clip->low ? WEST : 0u) | (point.x > clip->high ? EAST : 0u) |
           (point.y < clip->low ? NORTH : 0u) | (point.y > clip->high ? SOUTH : 0u);
}

static int32_t between(int32_t value, int32_t low, int32_t high) {
    return value < low ? low : value > high ? high : value;
}

static struct gw_mvt_point nearest(const struct clip *clip, struct gw_mvt_point point) {
    return (struct gw_mvt_point){between(point.x, clip->low, clip->high),
                                 between(point.y, clip->low, clip->high)};
}

static bool on_border(const struct clip *clip, struct gw_mvt_point point) {
    return point.x == clip->low || point.x == clip->high || point.y == clip->low ||
           point.y == clip->high;
}

int32_t clip_border(const struct clip *clip) {
    return 4 * (clip->high - clip->low);
}

int32_t clip_place(const struct clip *clip, struct gw_mvt_point point) {
    int32_t side = clip->high - clip->low;
    if (point.y == clip->low && point.x < clip->high) {
        return point.x - clip->low;
    }
    if (point.x == clip->high && point.y < clip->high) {
        return side + point.y - clip->low;
    }
    return point.y == clip->high && point.x > clip->low ? 2 * side + clip->high - point.x
                                                        : 3 * side + clip->high - point.y;
}

struct gw_mvt_point clip_point_at(const struct clip *clip, int32_t place) {
    int32_t side = clip->high - clip->low, along = place % side;
    switch (place / side) {
    case 0:
        return (struct gw_mvt_point){clip->low + along, clip->low};
    case 1:
        return (struct gw_mvt_point){clip->high, clip->low + along};
    case 2:
        return (struct gw_mvt_point){clip->high - along, clip->high};
    default:
        return (struct gw_mvt_point){clip->low, clip->high - along};
    }
}

static void add_event(struct clip *clip, int32_t place, int32_t change) {
    void *events = clip->events;
    if (!loops_reserve(&events, &clip->event_capacity, clip->event_count + 1,
                       sizeof *clip->events)) {
        clip->failed = true;
        return;
    }
    clip->events = events;
    clip->events[clip->event_count++] = (struct clip_event){place, change};
}

// Covers the border clockwise from one place to another `change` times.
static void cover(struct clip *clip, int32_t from, int32_t to, int32_t change) {
    if (from != to) {
        add_event(clip, from, change);
        add_event(clip, to, -change);
        clip->base += to < from ? change : 0; // passes place 0, or ends there
    }
}

// A walk along the border to a point on the same side of the square.
static void walk_side(struct clip *clip, struct gw_mvt_point from, struct gw_mvt_point to) {
    int32_t border = clip_border(clip), a = clip_place(clip, from), b = clip_place(clip, to);
    int32_t clockwise = (b - a + border) % border;
    if (clockwise <= border / 4) {
        cover(clip, a, b, 1);
    } else {
        cover(clip, b, a, -1);
    }
}

static void add_chain_point(struct clip *clip, struct gw_mvt_point point) {
    void *points = clip->points;
    if (!loops_reserve(&points, &clip->point_capacity, clip->point_count + 1,
                       sizeof *clip->points)) {
        clip->failed = true;
        return;
    }
    clip->points = points;
    clip->points[clip->point_count++] = point;
    clip->chains[clip->chain_count - 1].count++;
}

static void open_chain(struct clip *clip, struct gw_mvt_point at) {
    void *chains = clip->chains;
    if (!loops_reserve(&chains, &clip->chain_capacity, clip->chain_count + 1,
                       sizeof *clip->chains)) {
        clip->failed = true;
        return;
    }
    clip->chains = chains;
    int32_t from = on_border(clip, at) ? clip_place(clip, at) : CLIP_NO_PLACE;
    clip->chains[clip->chain_count++] =
        (struct clip_chain){.start = clip->point_count, .from = from, .to = CLIP_NO_PLACE};
    clip->open = true;
    add_chain_point(clip, at);
}

// An edge within the square.
static void go_inside(struct clip *clip, struct gw_mvt_point from, struct gw_mvt_point to) {
    if (from.x == to.x && from.y == to.y) {
        return;
    }
    bool along = (from.x == to.x && (from.x == clip->low || from.x == clip->high)) ||
                 (from.y == to.y && (from.y == clip->low || from.y == clip->high));
    if (along) {
        walk_side(clip, from, to);
        return;
    }
    if (!clip->open) {
        open_chain(clip, from);
    }
    if (clip->failed) {
        return;
    }
    add_chain_point(clip, to);
    if (on_border(clip, to)) {
        clip->chains[clip->chain_count - 1].to = clip_place(clip, to);
        clip->open = false;
    }
}

// a + (b - a) * part / whole, to the nearest integer; whole > 0, 0 <= part <= whole.
static int32_t divide(int32_t a, int32_t b, int64_t part, int64_t whole) {
    int64_t product = ((int64_t)b - a) * part * 2 + whole;
    int64_t quotient = product / (2 * whole);
    return (int32_t)(a + quotient - (product % (2 * whole) < 0 ? 1 : 0));
}

// Where the segment meets the line x = at, or y = at when `across`. False: outside the square.
static bool meet(const struct clip *clip, struct gw_mvt_point a, struct gw_mvt_point b, bool across,
                 int32_t at, struct gw_mvt_point *met) {
    // Always from the same end, so that the neighbour finds the same point.
    if (b.x < a.x || (b.x == a.x && b.y < a.y)) {
        struct gw_mvt_point swapped = a;
        a = b;
        b = swapped;
    }
    int64_t whole = across ? (int64_t)b.y - a.y : (int64_t)b.x - a.x;
    int64_t part = across ? (int64_t)at - a.y : (int64_t)at - a.x;
    if (whole < 0) {
        whole = -whole;
        part = -part;
    }
    int32_t from = across ? a.x : a.y, to = across ? b.x : b.y;
    int64_t exact = ((int64_t)to - from) * part; // over whole, from `from`
    if (exact < ((int64_t)clip->low - from) * whole ||
        exact > ((int64_t)clip->high - from) * whole) {
        return false;
    }
    int32_t other = divide(from, to, part, whole);
    *met = across ? (struct gw_mvt_point){other, at} : (struct gw_mvt_point){at, other};
    return true;
}

// Where an edge enters the square, whose end with this code lies outside.
static bool enter(const struct clip *clip, struct gw_mvt_point a, struct gw_mvt_point b,
                  unsigned code, struct gw_mvt_point *met) {
    bool by_x = (code & (WEST | EAST)) != 0 &&
                meet(clip, a, b, false, (code & WEST) != 0 ? clip->low : clip->high, met);
    return by_x || ((code & (NORTH | SOUTH)) != 0 &&
                    meet(clip, a, b, true, (code & NORTH) != 0 ? clip->low : clip->high, met));
}

static void go(struct clip *clip, struct gw_mvt_point a, unsigned a_code, struct gw_mvt_point b,
               unsigned b_code) {
    if ((a_code | b_code) == 0) {
        go_inside(clip, a, b);
        return;
    }
    struct gw_mvt_point from = nearest(clip, a), to = nearest(clip, b);
    if ((a_code & b_code) != 0) {
        walk_side(clip, from, to);
        return;
    }
    struct gw_mvt_point in = a, out = b;
    bool meets = (a_code == 0 || enter(clip, a, b, a_code, &in)) &&
                 (b_code == 0 || enter(clip, a, b, b_code, &out));
    if (!meets) {
        // Past a corner or two: clockwise with the square to the right.
        int64_t side = ((int64_t)b.x - a.x) * ((int64_t)clip->low - a.y) -
                       ((int64_t)b.y - a.y) * ((int64_t)clip->low - a.x);
        int32_t place = clip_place(clip, from), end = clip_place(clip, to);
        cover(clip, side > 0 ? place : end, side > 0 ? end : place, side > 0 ? 1 : -1);
        return;
    }
    if (a_code != 0) {
        walk_side(clip, from, in);
    }
    go_inside(clip, in, out);
    if (b_code != 0) {
        walk_side(clip, out, to);
    }
}

void clip_ring_begin(struct clip *clip) {
    clip->read = 0;
    clip->open = false;
    clip->first_chain = clip->chain_count;
}

// The edge to the last point waits until it is known that the ring does not go on outside of the
// same side: then only where it ends there matters.
void clip_point(struct clip *clip, struct gw_mvt_point point) {
    unsigned code = code_of(clip, point);
    if (clip->read == 2 && (clip->before_code & clip->last_code & code) == 0) {
        go(clip, clip->before, clip->before_code, clip->last, clip->last_code);
        clip->before = clip->last;
        clip->before_code = clip->last_code;
    } else if (clip->read == 0) {
        clip->first = clip->before = point;
        clip->before_code = code;
        clip->read = 1;
        return;
    }
    clip->last = point;
    clip->last_code = code;
    clip->read = 2;
}

void clip_ring_end(struct clip *clip) {
    if (clip->read < 2) {
        return;
    }
    clip_point(clip, clip->first);
    go(clip, clip->before, clip->before_code, clip->last, clip->last_code);
    if (clip->failed || !clip->open) {
        return;
    }
    // The ring began inside: its last chain goes on with its first.
    struct clip_chain *head = &clip->chains[clip->first_chain];
    struct clip_chain *tail = &clip->chains[clip->chain_count - 1];
    clip->open = false;
    if (head == tail) {
        return;
    }
    uint32_t start = head->start, count = head->count;
    tail->to = head->to;
    head->done = true;
    for (uint32_t i = 1; i < count && !clip->failed; i++) {
        struct gw_mvt_point point = clip->points[start + i];
        add_chain_point(clip, point);
    }
}
