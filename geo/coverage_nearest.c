#include "geo/coverage.h"
#include "geo/geodesic.h"

#include <geodesic.h>
#include <math.h>
#include <stdlib.h>

// Distances this close are the same: the place of a minimum is only known to rounding errors.
#define SAME_M 1e-4
// A piece of an edge at most this long has one nearest place, or its nearest place is an end.
#define PIECE_DEGREES 1.0
// Golden section: each step leaves 0.618 of the piece; 48 leave 1e-5 m of 111 km.
#define STEPS 48
#define GOLDEN 0.61803398874989484820

// No straight line on the map is longer than this times its length in degrees: the ellipsoid's
// largest radius of curvature is a^2 / b.
#define METRES_PER_DEGREE 111695.0

struct candidate {
    double bound_m; // below the distance; once asked, the distance itself
    uint32_t grid;
    bool tight; // the bound is the better of the two
};

struct seeker {
    struct geod_geodesic ellipsoid;
    struct gw_point point;
    double lon, lat;
};

static double distance_to(const struct seeker *seeker, double lon, double lat) {
    double metres = 0.0;
    geod_inverse(&seeker->ellipsoid, seeker->lat, seeker->lon, lat, lon, &metres, NULL, NULL);
    return metres;
}

// A straight edge in degrees.
struct line {
    double lon, lat, dlon, dlat;
};

static double distance_at(const struct seeker *seeker, const struct line *line, double t) {
    return distance_to(seeker, line->lon + t * line->dlon, line->lat + t * line->dlat);
}

// The least distance to the places t in [from, to] of a line, a piece of it.
static double nearest_in_piece(const struct seeker *seeker, const struct line *line, double from,
                               double to) {
    double low = from + (to - from) * (1.0 - GOLDEN), high = from + (to - from) * GOLDEN;
    double at_low = distance_at(seeker, line, low), at_high = distance_at(seeker, line, high);
    for (int i = 0; i < STEPS; i++) {
        if (at_low <= at_high) {
            to = high;
            high = low;
            at_high = at_low;
            low = from + (to - from) * (1.0 - GOLDEN);
            at_low = distance_at(seeker, line, low);
        } else {
            from = low;
            low = high;
            at_low = at_high;
            high = from + (to - from) * GOLDEN;
            at_high = distance_at(seeker, line, high);
        }
    }
    return at_low < at_high ? at_low : at_high;
}

// The least distance to an edge. Both ends are measured as they are stored, so that edges that
// share their nearest vertex give the same bits.
static double nearest_on_edge(const struct seeker *seeker, struct gw_point a, struct gw_point b) {
    bool forth = a.lat < b.lat || (a.lat == b.lat && a.lon < b.lon);
    struct gw_point from = forth ? a : b, to = forth ? b : a;
    struct line line = {gw_degrees(from.lon), gw_degrees(from.lat), 0.0, 0.0};
    line.dlon = gw_degrees(to.lon) - line.lon;
    line.dlat = gw_degrees(to.lat) - line.lat;
    double best = distance_to(seeker, gw_degrees(from.lon), gw_degrees(from.lat));
    double end = distance_to(seeker, gw_degrees(to.lon), gw_degrees(to.lat));
    best = end < best ? end : best;
    double wide = line.dlon < 0.0 ? -line.dlon : line.dlon;
    double longest = wide > line.dlat ? wide : line.dlat;
    int pieces = (int)(longest / PIECE_DEGREES) + 1;
    for (int i = 0; i < pieces; i++) {
        double begin = (double)i / pieces, stop = (double)(i + 1) / pieces;
        double found = nearest_in_piece(seeker, &line, begin, stop);
        best = found < best ? found : best;
    }
    return best;
}

// At most the distance to any place within half the diagonal of the middle of the box. From far
// away this is much nearer to the truth than the bound without a geodesic, and far dearer.
static double middle_bound(const struct seeker *seeker, const struct gw_box *box) {
    double west = gw_degrees(box->min.lon), south = gw_degrees(box->min.lat);
    double wide = gw_degrees(box->max.lon) - west, high = gw_degrees(box->max.lat) - south;
    double reach = 0.5 * METRES_PER_DEGREE * sqrt(wide * wide + high * high);
    return distance_to(seeker, west + 0.5 * wide, south + 0.5 * high) - reach - SAME_M;
}

static struct gw_box edge_box(struct gw_point a, struct gw_point b) {
    return (struct gw_box){{a.lon < b.lon ? a.lon : b.lon, a.lat < b.lat ? a.lat : b.lat},
                           {a.lon < b.lon ? b.lon : a.lon, a.lat < b.lat ? b.lat : a.lat}};
}

static double edge_bound(struct gw_point point, struct gw_point a, struct gw_point b) {
    struct gw_box box = edge_box(a, b);
    return gw_geodesic_box_lower_bound(point, &box);
}

// Whether an edge may be nearer than `limit`.
static bool edge_may_win(const struct seeker *seeker, struct gw_point a, struct gw_point b,
                         double limit) {
    struct gw_box box = edge_box(a, b);
    return gw_geodesic_box_lower_bound(seeker->point, &box) <= limit &&
           middle_bound(seeker, &box) <= limit;
}

// The least distance to a ring, or some number at least `best` if it is no nearer than that. The
// edge with the least bound goes first: a ring that comes nearer edge by edge is not measured at
// each of them.
static double nearest_on_ring(const struct seeker *seeker, const struct gw_point vertices[],
                              uint32_t count, double best) {
    uint32_t first = 0;
    double least = edge_bound(seeker->point, vertices[count - 1], vertices[0]);
    for (uint32_t i = 1; i < count; i++) {
        double bound = edge_bound(seeker->point, vertices[i - 1], vertices[i]);
        first = bound < least ? i : first;
        least = bound < least ? bound : least;
    }
    for (uint32_t i = 0; i < count && least <= best + SAME_M; i++) {
        uint32_t at = (uint32_t)(((uint64_t)first + i) % count);
        struct gw_point from = vertices[at > 0 ? at - 1 : count - 1], to = vertices[at];
        if (edge_may_win(seeker, from, to, best + SAME_M)) {
            double found = nearest_on_edge(seeker, from, to);
            best = found < best ? found : best;
        }
    }
    return best;
}

// The least distance to a grid's border; at least `start` stands for "no nearer than that".
static double nearest_on_grid(const struct seeker *seeker, const struct gw_coverage *coverage,
                              uint32_t grid, double start) {
    double best = start;
    for (uint32_t r = coverage->grid_rings[grid]; r < coverage->grid_rings[grid + 1]; r++) {
        uint32_t begin = coverage->ring_vertices[r], end = coverage->ring_vertices[r + 1];
        best = nearest_on_ring(seeker, &coverage->vertices[begin], end - begin, best);
    }
    return best;
}

static void sift(struct candidate heap[], uint32_t at, uint32_t count) {
    struct candidate item = heap[at];
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= count) {
            break;
        }
        if (child + 1 < count && heap[child + 1].bound_m < heap[child].bound_m) {
            child++;
        }
        if (heap[child].bound_m >= item.bound_m) {
            break;
        }
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = item;
}

// Asks the grids in the order of their bounds until no other can be as near. Those asked end up at
// the heap's end, nearest bound last.
static double seek(const struct seeker *seeker, const struct gw_coverage *coverage,
                   const struct gw_box boxes[], struct candidate heap[], uint32_t *left) {
    double best = 1e9; // beyond any two points of the Earth
    while (*left > 0 && heap[0].bound_m <= best + SAME_M) {
        struct candidate item = heap[0];
        if (!item.tight) {
            double bound = middle_bound(seeker, &boxes[item.grid]);
            heap[0].bound_m = bound > item.bound_m ? bound : item.bound_m;
            heap[0].tight = true;
            sift(heap, 0, *left);
            continue;
        }
        heap[0] = heap[--*left];
        if (*left > 0) {
            sift(heap, 0, *left);
        }
        item.bound_m = nearest_on_grid(seeker, coverage, item.grid, best + 2.0 * SAME_M);
        best = item.bound_m < best ? item.bound_m : best;
        heap[*left] = item;
    }
    return best;
}

gw_err gw_coverage_nearest(const struct gw_coverage *coverage, const struct gw_box boxes[],
                           struct gw_point point, uint32_t *grid, double *distance_m) {
    uint32_t count = coverage->grid_count;
    if (count == 0) {
        return GW_ENOTFOUND;
    }
    uint32_t owner = gw_coverage_owner_within(coverage, boxes, point);
    if (owner != GW_GRID_NONE) {
        *grid = owner;
        *distance_m = 0.0;
        return GW_OK;
    }
    struct candidate *heap = malloc(count * sizeof(*heap));
    if (heap == NULL) {
        return GW_ENOMEM;
    }
    struct seeker seeker = {.point = point};
    seeker.lon = gw_degrees(point.lon);
    seeker.lat = gw_degrees(point.lat);
    geod_init(&seeker.ellipsoid, 6378137.0, 1.0 / 298.257223563); // WGS84
    for (uint32_t i = 0; i < count; i++) {
        heap[i] = (struct candidate){gw_geodesic_box_lower_bound(point, &boxes[i]), i, false};
    }
    for (uint32_t i = count / 2; i-- > 0;) {
        sift(heap, i, count);
    }
    uint32_t left = count;
    double best = seek(&seeker, coverage, boxes, heap, &left);
    uint32_t nearest = GW_GRID_NONE;
    for (uint32_t i = left; i < count; i++) {
        if (heap[i].bound_m <= best + SAME_M &&
            (nearest == GW_GRID_NONE ||
             coverage->code_ranks[heap[i].grid] < coverage->code_ranks[nearest])) {
            nearest = heap[i].grid;
        }
    }
    free(heap);
    *grid = nearest;
    *distance_m = best;
    return GW_OK;
}
