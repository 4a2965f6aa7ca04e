#include "tools/glyphs/outline.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FLATNESS 0.01   // pixels that a piece may be off its curve
#define CURVE_STEPS 64u // pieces of one curve at most
#define SHORT 0.25      // length of pieces that are told inside from outside where strokes cross
#define ASIDE 1e-4      // how far beside a piece its two sides are looked at

static void add(struct gw_outline *outline, struct gw_outline_point from,
                struct gw_outline_point to) {
    if (outline->failed || (from.x == to.x && from.y == to.y)) {
        return;
    }
    if (outline->count == outline->capacity) {
        uint32_t capacity = outline->capacity < 256 ? 256 : outline->capacity * 2;
        struct gw_outline_piece *pieces =
            capacity > GW_OUTLINE_PIECES_MAX
                ? NULL
                : realloc(outline->pieces, capacity * sizeof(*outline->pieces));
        if (pieces == NULL) {
            outline->failed = true;
            return;
        }
        outline->pieces = pieces;
        outline->capacity = capacity;
    }
    outline->pieces[outline->count++] = (struct gw_outline_piece){from, to};
}

static void close_contour(struct gw_outline *outline) {
    if (outline->open) {
        add(outline, outline->pen, outline->start);
    }
    outline->open = false;
}

void gw_outline_move(struct gw_outline *outline, struct gw_outline_point to) {
    close_contour(outline);
    outline->start = to;
    outline->pen = to;
    outline->open = true;
}

void gw_outline_line(struct gw_outline *outline, struct gw_outline_point to) {
    add(outline, outline->pen, to);
    outline->pen = to;
}

// `bend`: how far the curve is off its chord, at most.
static uint32_t curve_steps(double bend) {
    double steps = ceil(sqrt(bend / FLATNESS));
    return steps < 1.0 ? 1u : steps > CURVE_STEPS ? CURVE_STEPS : (uint32_t)steps;
}

static double bend(struct gw_outline_point a, struct gw_outline_point b,
                   struct gw_outline_point c) {
    return hypot(a.x - 2.0 * b.x + c.x, a.y - 2.0 * b.y + c.y);
}

void gw_outline_quadratic(struct gw_outline *outline, struct gw_outline_point control,
                          struct gw_outline_point to) {
    struct gw_outline_point from = outline->pen;
    uint32_t steps = curve_steps(bend(from, control, to) / 4.0);
    for (uint32_t i = 1; i < steps; i++) {
        double t = (double)i / steps, s = 1.0 - t;
        double a = s * s, b = 2.0 * s * t, c = t * t;
        gw_outline_line(outline, (struct gw_outline_point){a * from.x + b * control.x + c * to.x,
                                                           a * from.y + b * control.y + c * to.y});
    }
    gw_outline_line(outline, to);
}

void gw_outline_cubic(struct gw_outline *outline, struct gw_outline_point first,
                      struct gw_outline_point second, struct gw_outline_point to) {
    struct gw_outline_point from = outline->pen;
    double most = fmax(bend(from, first, second), bend(first, second, to));
    uint32_t steps = curve_steps(most * 0.75);
    for (uint32_t i = 1; i < steps; i++) {
        double t = (double)i / steps, s = 1.0 - t;
        double a = s * s * s, b = 3.0 * s * s * t, c = 3.0 * s * t * t, d = t * t * t;
        gw_outline_line(outline, (struct gw_outline_point){
                                     a * from.x + b * first.x + c * second.x + d * to.x,
                                     a * from.y + b * first.y + c * second.y + d * to.y,
                                 });
    }
    gw_outline_line(outline, to);
}

static double side(const struct gw_outline_piece *piece, struct gw_outline_point point) {
    return (piece->to.x - piece->from.x) * (point.y - piece->from.y) -
           (piece->to.y - piece->from.y) * (point.x - piece->from.x);
}

// Whether the pieces cross, and not merely touch at their ends.
static bool cross(const struct gw_outline_piece *a, const struct gw_outline_piece *b) {
    if (fmax(a->from.x, a->to.x) < fmin(b->from.x, b->to.x) ||
        fmax(b->from.x, b->to.x) < fmin(a->from.x, a->to.x) ||
        fmax(a->from.y, a->to.y) < fmin(b->from.y, b->to.y) ||
        fmax(b->from.y, b->to.y) < fmin(a->from.y, a->to.y)) {
        return false;
    }
    return side(a, b->from) * side(a, b->to) < 0.0 && side(b, a->from) * side(b, a->to) < 0.0;
}

// Marks the pieces that cross another.
static void mark_crossing(const struct gw_outline *outline, bool crossing[]) {
    for (uint32_t i = 0; i < outline->count; i++) {
        for (uint32_t j = i + 1; j < outline->count; j++) {
            if (cross(&outline->pieces[i], &outline->pieces[j])) {
                crossing[i] = true;
                crossing[j] = true;
            }
        }
    }
}

static bool inside(const struct gw_outline *outline, struct gw_outline_point point) {
    int turns = 0;
    for (uint32_t i = 0; i < outline->count; i++) {
        const struct gw_outline_piece *piece = &outline->pieces[i];
        bool rises = piece->from.y <= point.y && piece->to.y > point.y;
        bool falls = piece->to.y <= point.y && piece->from.y > point.y;
        if (rises && side(piece, point) > 0.0) {
            turns++;
        } else if (falls && side(piece, point) < 0.0) {
            turns--;
        }
    }
    return outline->odd_is_inside ? (turns & 1) != 0 : turns != 0;
}

// Whether one side of the piece is inside and the other is not.
static bool is_edge(const struct gw_outline *outline, const struct gw_outline_piece *piece) {
    double dx = piece->to.x - piece->from.x, dy = piece->to.y - piece->from.y;
    double scale = ASIDE / hypot(dx, dy);
    double x = (piece->from.x + piece->to.x) / 2.0, y = (piece->from.y + piece->to.y) / 2.0;
    struct gw_outline_point left = {x - dy * scale, y + dx * scale};
    struct gw_outline_point right = {x + dy * scale, y - dx * scale};
    return inside(outline, left) != inside(outline, right);
}

// Adds a piece to `out`, cut into short ones.
static void add_short(struct gw_outline *out, struct gw_outline_piece piece) {
    double dx = piece.to.x - piece.from.x, dy = piece.to.y - piece.from.y;
    uint32_t steps = (uint32_t)fmin(fmax(ceil(hypot(dx, dy) / SHORT), 1.0), GW_OUTLINE_PIECES_MAX);
    struct gw_outline_point from = piece.from;
    for (uint32_t step = 1; step < steps; step++) {
        double part = (double)step / steps;
        struct gw_outline_point to = {piece.from.x + dx * part, piece.from.y + dy * part};
        add(out, from, to);
        from = to;
    }
    add(out, from, piece.to);
}

// Puts the edges among `pieces` first. The whole of `outline` says what is inside.
static gw_err sort_edges(const struct gw_outline *outline, struct gw_outline *pieces) {
    struct gw_outline_piece *sorted = malloc((pieces->count + 1u) * sizeof(*sorted));
    if (sorted == NULL) {
        return GW_ENOMEM;
    }
    uint32_t edges = 0, hidden = pieces->count;
    for (uint32_t i = 0; i < pieces->count; i++) {
        bool edge = is_edge(outline, &pieces->pieces[i]);
        sorted[edge ? edges++ : --hidden] = pieces->pieces[i];
    }
    free(pieces->pieces);
    pieces->pieces = sorted;
    pieces->capacity = pieces->count + 1u;
    pieces->edges = edges;
    return GW_OK;
}

static gw_err why_failed(const struct gw_outline *outline) {
    return outline->capacity * 2 > GW_OUTLINE_PIECES_MAX ? GW_ENOSPC : GW_ENOMEM;
}

gw_err gw_outline_finish(struct gw_outline *outline) {
    close_contour(outline);
    if (outline->failed) {
        return why_failed(outline);
    }
    bool *crossing = calloc(outline->count + 1u, sizeof(*crossing));
    if (crossing == NULL) {
        return GW_ENOMEM;
    }
    mark_crossing(outline, crossing);
    // A piece that crosses another is an edge in part: short ones are decided by their middles.
    struct gw_outline pieces = {.odd_is_inside = outline->odd_is_inside};
    for (uint32_t i = 0; i < outline->count; i++) {
        struct gw_outline_piece piece = outline->pieces[i];
        if (crossing[i]) {
            add_short(&pieces, piece);
        } else {
            add(&pieces, piece.from, piece.to);
        }
    }
    free(crossing);
    gw_err err = pieces.failed ? why_failed(&pieces) : sort_edges(outline, &pieces);
    if (err != GW_OK) {
        gw_outline_free(&pieces);
        return err;
    }
    gw_outline_free(outline);
    *outline = pieces;
    return GW_OK;
}

struct gw_outline_box gw_outline_box(const struct gw_outline *outline) {
    struct gw_outline_box box = {0.0, 0.0, 0.0, 0.0};
    for (uint32_t i = 0; i < outline->count; i++) {
        struct gw_outline_point point = outline->pieces[i].from, next = outline->pieces[i].to;
        if (i == 0) {
            box = (struct gw_outline_box){point.x, point.y, point.x, point.y};
        }
        box.left = fmin(box.left, fmin(point.x, next.x));
        box.right = fmax(box.right, fmax(point.x, next.x));
        box.bottom = fmin(box.bottom, fmin(point.y, next.y));
        box.top = fmax(box.top, fmax(point.y, next.y));
    }
    return box;
}

void gw_outline_clear(struct gw_outline *outline) {
    outline->count = 0;
    outline->edges = 0;
    outline->open = false;
    outline->failed = false;
    outline->odd_is_inside = false;
}

void gw_outline_free(struct gw_outline *outline) {
    free(outline->pieces);
    *outline = (struct gw_outline){0};
}
