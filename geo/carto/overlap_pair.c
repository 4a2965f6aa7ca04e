#include "geo/carto/overlap_pair.h"
#include <stdlib.h>

static bool same(struct gw_point a, struct gw_point b) {
    return a.lon == b.lon && a.lat == b.lat;
}

// A direction, between two points of the lattice: 33 bits and 32 bits and a sign.
struct direction {
    int64_t lon, lat;
};

static struct direction towards(struct gw_point from, struct gw_point to) {
    return (struct direction){(int64_t)to.lon - from.lon, (int64_t)to.lat - from.lat};
}

// The sign of the cross product: 1 when b lies to the left of a. The products fit 64 bits, their
// difference would not.
static int side(struct direction a, struct direction b) {
    int64_t left = a.lon * b.lat;
    int64_t right = a.lat * b.lon;
    return (left > right) - (left < right);
}

static int turn(struct gw_point a, struct gw_point b, struct gw_point c) {
    return side(towards(a, b), towards(a, c));
}

// The open range of directions that one meets turning left from `from` to `to`.
struct sector {
    struct direction from, to;
};

static bool same_direction(struct direction a, struct direction b) {
    // On one line; then the signs of the parts decide.
    return side(a, b) == 0 && (a.lon > 0) == (b.lon > 0) && (a.lon < 0) == (b.lon < 0) &&
           (a.lat > 0) == (b.lat > 0) && (a.lat < 0) == (b.lat < 0);
}

static bool sector_holds(const struct sector *sector, struct direction d) {
    int opening = side(sector->from, sector->to);
    if (opening > 0) { // less than half a turn
        return side(sector->from, d) > 0 && side(d, sector->to) > 0;
    }
    if (opening == 0) { // half a turn: a polygon has no angle of 0
        return side(sector->from, d) > 0;
    }
    return !(side(sector->to, d) >= 0 && side(d, sector->from) >= 0);
}

static bool sectors_overlap(const struct sector *a, const struct sector *b) {
    return same_direction(a->from, b->from) || sector_holds(a, b->from) || sector_holds(b, a->from);
}

// The interior lies to the left of every edge, so at a vertex between the edge that leaves it and,
// turning left, the edge that came.
static struct sector angle_at(const struct gw_border_edge *edge) {
    return (struct sector){towards(edge->a, edge->b), towards(edge->a, edge->before)};
}

static struct sector left_of(const struct gw_border_edge *edge) {
    return (struct sector){towards(edge->a, edge->b), towards(edge->b, edge->a)};
}

static bool within(int32_t value, int32_t a, int32_t b) {
    return a < b ? a <= value && value <= b : b <= value && value <= a;
}

// Whether `point`, known to lie on the edge's line, lies on the edge between its ends.
static bool between_ends(struct gw_point point, const struct gw_border_edge *edge) {
    return within(point.lon, edge->a.lon, edge->b.lon) &&
           within(point.lat, edge->a.lat, edge->b.lat) && !same(point, edge->a) &&
           !same(point, edge->b);
}

static void set_place(struct gw_overlap *overlap, struct gw_point place) {
    overlap->lon = gw_degrees(place.lon);
    overlap->lat = gw_degrees(place.lat);
}

// Where two edges that cross do so, near enough for people.
static void set_crossing(struct gw_overlap *overlap, const struct gw_border_edge *e,
                         const struct gw_border_edge *f) {
    double along_lon = (double)e->b.lon - e->a.lon;
    double along_lat = (double)e->b.lat - e->a.lat;
    double cross_lon = (double)f->b.lon - f->a.lon;
    double cross_lat = (double)f->b.lat - f->a.lat;
    double area = along_lon * cross_lat - along_lat * cross_lon;
    double at =
        (((double)f->a.lon - e->a.lon) * cross_lat - ((double)f->a.lat - e->a.lat) * cross_lon) /
        area;
    overlap->lon = gw_degrees(e->a.lon) + at * along_lon / GW_UNITS_PER_DEGREE;
    overlap->lat = gw_degrees(e->a.lat) + at * along_lat / GW_UNITS_PER_DEGREE;
}

// Whether the two edges show that their polygons overlap.
static bool edges_overlap(const struct gw_border_edge *e, const struct gw_border_edge *f,
                          struct gw_overlap *overlap) {
    int f_from = turn(e->a, e->b, f->a);
    int f_to = turn(e->a, e->b, f->b);
    int e_from = turn(f->a, f->b, e->a);
    int e_to = turn(f->a, f->b, e->b);
    if (f_from * f_to < 0 && e_from * e_to < 0) {
        set_crossing(overlap, e, f);
        return true;
    }
    struct sector of_e;
    struct sector of_f;
    if (same(e->a, f->a)) {
        of_e = angle_at(e);
        of_f = angle_at(f);
    } else if (e_from == 0 && between_ends(e->a, f)) {
        of_e = angle_at(e);
        of_f = left_of(f);
    } else if (f_from == 0 && between_ends(f->a, e)) {
        of_e = left_of(e);
        of_f = angle_at(f);
        set_place(overlap, f->a);
        return sectors_overlap(&of_e, &of_f);
    } else {
        return false;
    }
    set_place(overlap, e->a);
    return sectors_overlap(&of_e, &of_f);
}

static int32_t low(int32_t a, int32_t b) {
    return a < b ? a : b;
}

static int32_t high(int32_t a, int32_t b) {
    return a > b ? a : b;
}

static bool edge_meets(struct gw_point a, struct gw_point b, const struct gw_box *box) {
    return high(a.lon, b.lon) >= box->min.lon && low(a.lon, b.lon) <= box->max.lon &&
           high(a.lat, b.lat) >= box->min.lat && low(a.lat, b.lat) <= box->max.lat;
}

static bool add_edge(struct gw_overlap_search *search, int which, struct gw_border_edge edge) {
    if (search->counts[which] == search->capacities[which]) {
        size_t capacity = search->capacities[which] == 0 ? 256 : search->capacities[which] * 2;
        struct gw_border_edge *grown =
            realloc(search->edges[which], capacity * sizeof(struct gw_border_edge));
        if (grown == NULL) {
            return false;
        }
        search->edges[which] = grown;
        search->capacities[which] = capacity;
    }
    search->edges[which][search->counts[which]++] = edge;
    return true;
}

static int compare_by_low(const void *a, const void *b) {
    const struct gw_border_edge *left = a;
    const struct gw_border_edge *right = b;
    int32_t left_low = low(left->a.lat, left->b.lat);
    int32_t right_low = low(right->a.lat, right->b.lat);
    return (left_low > right_low) - (left_low < right_low);
}

// The grid's edges that meet the box, by their lower latitude.
static bool collect(struct gw_overlap_search *search, int which, uint32_t grid,
                    const struct gw_box *box) {
    const struct gw_coverage *coverage = search->coverage;
    search->counts[which] = 0;
    for (uint32_t ring = coverage->grid_rings[grid]; ring < coverage->grid_rings[grid + 1];
         ring++) {
        uint32_t from = coverage->ring_vertices[ring];
        uint32_t to = coverage->ring_vertices[ring + 1];
        for (uint32_t i = from; i < to; i++) {
            struct gw_point a = coverage->vertices[i];
            struct gw_point b = coverage->vertices[i + 1 < to ? i + 1 : from];
            struct gw_point before = coverage->vertices[i > from ? i - 1 : to - 1];
            if (edge_meets(a, b, box) &&
                !add_edge(search, which, (struct gw_border_edge){before, a, b})) {
                return false;
            }
        }
    }
    if (search->counts[which] > 1) {
        qsort(search->edges[which], search->counts[which], sizeof(struct gw_border_edge),
              compare_by_low);
    }
    return true;
}

// Compares one edge with those of the other grid that start no higher than it ends, from `first`
// on.
static bool sweep_edge(struct gw_overlap_search *search, int which, size_t index, size_t first,
                       struct gw_overlap *overlap) {
    const struct gw_border_edge *edge = &search->edges[which][index];
    const struct gw_border_edge *others = search->edges[1 - which];
    struct gw_box box = {{low(edge->a.lon, edge->b.lon), low(edge->a.lat, edge->b.lat)},
                         {high(edge->a.lon, edge->b.lon), high(edge->a.lat, edge->b.lat)}};
    for (size_t i = first; i < search->counts[1 - which] && search->steps_left > 0; i++) {
        if (low(others[i].a.lat, others[i].b.lat) > box.max.lat) {
            break;
        }
        search->steps_left--;
        if (edge_meets(others[i].a, others[i].b, &box) &&
            edges_overlap(edge, &others[i], overlap)) {
            return true;
        }
    }
    return false;
}

// Goes up through both lists at once: each pair of edges whose latitudes meet is compared once,
// from the one that starts lower (of equals, the first grid's).
static bool sweep(struct gw_overlap_search *search, struct gw_overlap *overlap) {
    size_t at[2] = {0, 0};
    while (at[0] < search->counts[0] && at[1] < search->counts[1] && search->steps_left > 0) {
        const struct gw_border_edge *first = &search->edges[0][at[0]];
        const struct gw_border_edge *second = &search->edges[1][at[1]];
        int which = low(first->a.lat, first->b.lat) <= low(second->a.lat, second->b.lat) ? 0 : 1;
        if (sweep_edge(search, which, at[which], at[1 - which], overlap)) {
            return true;
        }
        at[which]++;
    }
    return false;
}

// Whether the point lies inside the grid and not on its border, by the edges that a ray to the east
// crosses.
static bool strictly_inside(const struct gw_coverage *coverage, uint32_t grid,
                            struct gw_point point) {
    bool inside = false;
    for (uint32_t ring = coverage->grid_rings[grid]; ring < coverage->grid_rings[grid + 1];
         ring++) {
        uint32_t from = coverage->ring_vertices[ring];
        uint32_t to = coverage->ring_vertices[ring + 1];
        for (uint32_t i = from; i < to; i++) {
            struct gw_point a = coverage->vertices[i];
            struct gw_point b = coverage->vertices[i + 1 < to ? i + 1 : from];
            if (!within(point.lat, a.lat, b.lat)) {
                continue;
            }
            int where = turn(a, b, point);
            if (where == 0 && within(point.lon, a.lon, b.lon)) {
                return false;
            }
            if ((a.lat <= point.lat) != (b.lat <= point.lat)) {
                inside ^= (b.lat > a.lat) == (where > 0);
            }
        }
    }
    return inside;
}

// Whether the first vertex of some ring of `grid` lies inside `other`.
static bool a_ring_is_inside(struct gw_overlap_search *search, uint32_t grid, uint32_t other,
                             struct gw_overlap *overlap) {
    const struct gw_coverage *coverage = search->coverage;
    const struct gw_box *box = &search->boxes[other];
    uint64_t cost = coverage->ring_vertices[coverage->grid_rings[other + 1]] -
                    coverage->ring_vertices[coverage->grid_rings[other]];
    for (uint32_t ring = coverage->grid_rings[grid];
         ring < coverage->grid_rings[grid + 1] && search->steps_left > 0; ring++) {
        struct gw_point point = coverage->vertices[coverage->ring_vertices[ring]];
        if (!edge_meets(point, point, box)) {
            continue;
        }
        search->steps_left -= cost < search->steps_left ? cost : search->steps_left;
        if (strictly_inside(coverage, other, point)) {
            set_place(overlap, point);
            return true;
        }
    }
    return false;
}

gw_err gw_overlap_pair(struct gw_overlap_search *search, struct gw_overlap *overlap,
                       bool *overlaps) {
    const struct gw_box *a = &search->boxes[overlap->grid];
    const struct gw_box *b = &search->boxes[overlap->other];
    struct gw_box common = {{high(a->min.lon, b->min.lon), high(a->min.lat, b->min.lat)},
                            {low(a->max.lon, b->max.lon), low(a->max.lat, b->max.lat)}};
    *overlaps = false;
    if (common.min.lon >= common.max.lon || common.min.lat >= common.max.lat) {
        return GW_OK; // boxes that only touch hold no common area
    }
    if (!collect(search, 0, overlap->grid, &common) ||
        !collect(search, 1, overlap->other, &common)) {
        return GW_ENOMEM;
    }
    *overlaps = sweep(search, overlap) ||
                a_ring_is_inside(search, overlap->grid, overlap->other, overlap) ||
                a_ring_is_inside(search, overlap->other, overlap->grid, overlap);
    return *overlaps || search->steps_left > 0 ? GW_OK : GW_ENOSPC;
}
