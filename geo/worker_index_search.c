// k nearest: branch and bound down the tree, the nearest slot of a node first.
//
// Slots and workers are sorted out by a lower bound that costs a few multiplications: the chord on
// the sphere of geodesic.h, with sines and cosines replaced by polynomials below them. What passes
// is measured by gw_geodesic_quick; Karney decides where that cannot, so the order is his.
#include "geo/geodesic.h"
#include "geo/worker_index_tree.h"
#include <math.h>
#include <string.h>

#define RADIANS_PER_UNIT (3.14159265358979323846 / 180.0 / GW_UNITS_PER_DEGREE)
// Above this size of a slot the polynomials say little, and trigonometry is worth its price.
#define FINE_CELL_BITS_MAX 24u
// Nodes on a path leave at most 15 slots each behind, the last one 16.
#define STACK_MAX (GW_TREE_FANOUT * (GW_TREE_LEVEL_MAX + 1u))
// More than the errors of gw_geodesic_quick, of Karney's algorithm and of rounding the bounds.
#define PRUNE_SLACK_M 1e-7

static const int64_t turn = INT64_C(2) * GW_LON_MAX;

struct branch {
    double bound2; // square of a lower bound of the distance, m2
    uint32_t child;
    uint32_t west, south;
    uint32_t level; // of the node that the branch is a slot of
};

struct search {
    const struct gw_worker_index *index;
    const struct gw_worker_filter *filter;
    struct gw_geodesic_origin from;
    double cos_lat, sin_lat_abs;
    bool (*before)(uint32_t, uint32_t, const void *);
    const void *context;
    struct gw_near_worker *heap; // the furthest of those found is heap[0]
    uint32_t count, k;
    double limit2; // what is certainly further than this (squared) is not wanted
};

// ---- bounds ----

// A lower bound, squared, of the distance to a place `x` and `y` units away (the short way around,
// both >= 0), where x may be more and the latitude is at most `far` units from the point's.
//   4 sin^2(t/2) >= t^2 (1 - t^2/12),   cos(lat + t) >= cos(lat) (1 - t^2/2) - |sin(lat)| |t|
static double chord_bound2(const struct search *s, double x, double y, double far) {
    const double unit2 = RADIANS_PER_UNIT * RADIANS_PER_UNIT;
    double t = far * RADIANS_PER_UNIT;
    double cosine = s->cos_lat * (1.0 - 0.5 * t * t) - s->sin_lat_abs * t;
    cosine = cosine > 0.0 ? cosine : 0.0;
    double x2 = x * x * unit2, y2 = y * y * unit2;
    double angle2 = y2 * (1.0 - y2 / 12.0) + s->cos_lat * cosine * x2 * (1.0 - x2 / 12.0);
    return GW_GEODESIC_SPHERE_M * GW_GEODESIC_SPHERE_M * angle2;
}

static int64_t longitude_gap(int64_t a, int64_t b) {
    int64_t gap = a > b ? a - b : b - a;
    return gap > turn / 2 ? turn - gap : gap;
}

static int32_t clamped(int64_t value, int32_t limit) {
    return (int32_t)(value < -limit ? -limit : value > limit ? limit : value);
}

// Of a cell with this south-west corner (shifted to unsigned) and these sizes.
static double cell_bound2(const struct search *s, uint32_t west_shifted, uint32_t south_shifted,
                          unsigned lon_bits, unsigned lat_bits) {
    struct gw_point point = s->from.point;
    int64_t west = (int64_t)west_shifted - INT64_C(0x80000000);
    int64_t south = (int64_t)south_shifted - INT64_C(0x80000000);
    // Cells may reach past 180 degrees and past the poles; workers don't.
    struct gw_box box = {{clamped(west, GW_LON_MAX), clamped(south, GW_LAT_MAX)},
                         {clamped(west + (INT64_C(1) << lon_bits) - 1, GW_LON_MAX),
                          clamped(south + (INT64_C(1) << lat_bits) - 1, GW_LAT_MAX)}};
    bool inside_lon = box.min.lon <= point.lon && point.lon <= box.max.lon;
    int64_t above = (int64_t)box.min.lat - point.lat, below = (int64_t)point.lat - box.max.lat;
    if (inside_lon && above <= 0 && below <= 0) {
        return 0.0;
    }
    if (lon_bits > FINE_CELL_BITS_MAX) {
        double bound = gw_geodesic_box_lower_bound(point, &box);
        return bound * bound;
    }
    int64_t x = 0;
    if (!inside_lon) {
        int64_t to_west = longitude_gap(box.min.lon, point.lon);
        int64_t to_east = longitude_gap(box.max.lon, point.lon);
        x = to_west < to_east ? to_west : to_east;
    }
    int64_t y = above > below ? above : below;
    int64_t to_south = above > 0 ? above : -above, to_north = below > 0 ? below : -below;
    int64_t far = to_south > to_north ? to_south : to_north;
    return chord_bound2(s, (double)x, (double)(y > 0 ? y : 0), (double)far);
}

// ---- the order of workers ----

static bool same_place(struct gw_point a, struct gw_point b) {
    return a.lon == b.lon && a.lat == b.lat;
}

static struct gw_point position_of(const struct gw_worker_index *index, uint32_t worker) {
    uint32_t where = index->where[worker];
    const struct gw_tree_leaf *leaf = &index->leaves[where / GW_TREE_LEAF_MAX];
    return (struct gw_point){leaf->lon[where % GW_TREE_LEAF_MAX],
                             leaf->lat[where % GW_TREE_LEAF_MAX]};
}

static bool too_close_to_call(double a, double b) {
    return fabs(a - b) <= 2.0 * GW_GEODESIC_QUICK_ERROR_M;
}

// Whether a comes before b: by Karney's distance, then by the caller's order.
static bool comes_before(const struct search *s, const struct gw_near_worker *a,
                         const struct gw_near_worker *b) {
    if (!too_close_to_call(a->distance_m, b->distance_m)) {
        return a->distance_m < b->distance_m;
    }
    struct gw_point at = position_of(s->index, a->worker), bt = position_of(s->index, b->worker);
    if (!same_place(at, bt)) {
        double to_a = gw_geodesic_distance(s->from.point, at);
        double to_b = gw_geodesic_distance(s->from.point, bt);
        if (to_a < to_b || to_a > to_b) {
            return to_a < to_b;
        }
    }
    return s->before == NULL ? a->worker < b->worker : s->before(a->worker, b->worker, s->context);
}

// Sinks heap[at] within heap[0 .. count).
static void sift_down(const struct search *s, uint32_t at, uint32_t count) {
    struct gw_near_worker *heap = s->heap, moved = heap[at];
    for (uint32_t child = 2 * at + 1; child < count; child = 2 * at + 1) {
        if (child + 1 < count && comes_before(s, &heap[child], &heap[child + 1])) {
            child++;
        }
        if (!comes_before(s, &moved, &heap[child])) {
            break;
        }
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = moved;
}

static void sift_up(const struct search *s, uint32_t at) {
    struct gw_near_worker *heap = s->heap, moved = heap[at];
    while (at > 0 && comes_before(s, &heap[(at - 1) / 2], &moved)) {
        heap[at] = heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    heap[at] = moved;
}

static void offer(struct search *s, struct gw_near_worker found) {
    if (s->count < s->k) {
        s->heap[s->count++] = found;
        sift_up(s, s->count - 1);
    } else if (comes_before(s, &found, &s->heap[0])) {
        s->heap[0] = found;
        sift_down(s, 0, s->count);
    }
    if (s->count == s->k) {
        double limit = s->heap[0].distance_m + PRUNE_SLACK_M;
        s->limit2 = limit * limit;
    }
}

// ---- leaves and nodes ----

static void leaf_bounds2(const struct search *s, const struct gw_tree_leaf *leaf, double bounds[]) {
    struct gw_point point = s->from.point;
    for (unsigned i = 0; i < leaf->count; i++) {
        double x = fabs((double)leaf->lon[i] - (double)point.lon);
        double y = fabs((double)leaf->lat[i] - (double)point.lat);
        double around = (double)turn - x;
        bounds[i] = chord_bound2(s, x < around ? x : around, y, y);
    }
}

static bool passes(const struct search *s, const struct gw_tree_leaf *leaf, unsigned i) {
    const struct gw_worker_filter *filter = s->filter;
    return (leaf->skills[i] & filter->skills) == filter->skills &&
           (leaf->flags[i] & filter->flags) == filter->flags &&
           leaf->time_ms[i] >= filter->time_ms_min &&
           (filter->accept == NULL || filter->accept(leaf->worker[i], filter->context));
}

static void search_leaf(struct search *s, uint32_t leaf_number) {
    double bounds[GW_TREE_LEAF_MAX], last_distance = 0.0;
    struct gw_point last = s->from.point; // workers on one spot are measured once
    while (leaf_number != GW_TREE_NONE) {
        const struct gw_tree_leaf *leaf = &s->index->leaves[leaf_number];
        leaf_bounds2(s, leaf, bounds);
        for (unsigned i = 0; i < leaf->count; i++) {
            if (bounds[i] > s->limit2 || (s->filter != NULL && !passes(s, leaf, i))) {
                continue;
            }
            struct gw_point at = {leaf->lon[i], leaf->lat[i]};
            if (!same_place(at, last)) {
                last = at;
                last_distance = gw_geodesic_quick(&s->from, at);
            }
            offer(s, (struct gw_near_worker){leaf->worker[i], last_distance});
        }
        leaf_number = leaf->next;
    }
}

// Pushes the branches of a node that may hold wanted workers, the nearest on top. Returns the new
// height of the stack.
static unsigned push_branches(const struct search *s, const struct branch *at,
                              struct branch stack[], unsigned height) {
    const uint32_t *child = s->index->nodes[at->child].child;
    unsigned bits = gw_tree_cell_bits(at->level), base = height, run = 0;
    for (unsigned slot = 0; slot < GW_TREE_FANOUT; slot += run) {
        unsigned span = 0; // a leaf shows in each slot of its run
        if (gw_tree_is_leaf(child[slot])) {
            while (span < GW_TREE_SPAN_ALL && (slot & ((2u << span) - 1u)) == 0 &&
                   child[slot + (1u << span)] == child[slot]) {
                span++;
            }
        }
        run = 1u << span;
        if (child[slot] == 0) {
            continue;
        }
        struct branch branch = {0.0, child[slot], at->west + (gw_tree_slot_x(slot) << bits),
                                at->south + (gw_tree_slot_y(slot) << bits), at->level + 1u};
        branch.bound2 =
            cell_bound2(s, branch.west, branch.south, bits + span / 2u, bits + (span + 1u) / 2u);
        if (branch.bound2 > s->limit2) {
            continue;
        }
        unsigned place = height++;
        while (place > base && stack[place - 1].bound2 < branch.bound2) {
            stack[place] = stack[place - 1];
            place--;
        }
        stack[place] = branch;
    }
    return height;
}

static void search_tree(struct search *s) {
    struct branch stack[STACK_MAX];
    unsigned height = 1;
    stack[0] = (struct branch){0.0, GW_TREE_ROOT, 0, 0, 0};
    while (height > 0) {
        struct branch at = stack[--height];
        if (at.bound2 > s->limit2) {
            continue;
        }
        if (gw_tree_is_leaf(at.child)) {
            search_leaf(s, at.child & ~GW_TREE_LEAF_TAG);
        } else {
            height = push_branches(s, &at, stack, height);
        }
    }
}

// ---- the answer ----

static bool exact_needed(const struct gw_near_worker out[], uint32_t i, uint32_t count) {
    double tenths_mm = out[i].distance_m * 1e4;
    return (i > 0 && too_close_to_call(out[i - 1].distance_m, out[i].distance_m)) ||
           (i + 1 < count && too_close_to_call(out[i].distance_m, out[i + 1].distance_m)) ||
           fabs(tenths_mm - floor(tenths_mm) - 0.5) <= 1e4 * GW_GEODESIC_QUICK_ERROR_M;
}

// Sorts the heap nearest first. Where the quick distance's error could show (two workers all but
// equally far, or a tenth of a millimetre rounded the other way), Karney's takes its place.
static void finish(struct search *s) {
    for (uint32_t left = s->count; left > 1; left--) {
        struct gw_near_worker furthest = s->heap[0];
        s->heap[0] = s->heap[left - 1];
        s->heap[left - 1] = furthest;
        sift_down(s, 0, left - 1);
    }
    bool exact = s->count > 0 && exact_needed(s->heap, 0, s->count);
    for (uint32_t i = 0; i < s->count; i++) {
        bool next_exact = i + 1 < s->count && exact_needed(s->heap, i + 1, s->count);
        if (exact) {
            struct gw_point at = position_of(s->index, s->heap[i].worker);
            s->heap[i].distance_m = gw_geodesic_distance(s->from.point, at);
        }
        exact = next_exact;
    }
}

gw_err gw_worker_index_nearest(const struct gw_worker_index *index, struct gw_point point,
                               uint32_t k, const struct gw_worker_filter *filter,
                               bool (*before)(uint32_t, uint32_t, const void *),
                               const void *context, struct gw_near_worker out[], uint32_t *count) {
    if (k == 0 || k > GW_NEAREST_K_MAX || !gw_point_valid(point)) {
        return GW_EINVAL;
    }
    struct search s = {
        .index = index,
        .filter = filter,
        .from = gw_geodesic_from(point),
        .before = before,
        .context = context,
        .heap = out,
        .k = k,
        .limit2 = INFINITY,
    };
    s.cos_lat = s.from.cos_lat;
    s.sin_lat_abs = fabs(s.from.sin_lat);
    search_tree(&s);
    finish(&s);
    *count = s.count;
    return GW_OK;
}
