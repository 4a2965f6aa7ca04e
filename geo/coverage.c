#include "geo/coverage.h"

#include <stdlib.h>

__extension__ typedef __int128 wide;

static gw_err check_counts(const struct gw_coverage *coverage) {
    if (coverage->grid_count > GW_GRIDS_MAX || coverage->vertex_count > GW_VERTICES_MAX ||
        coverage->grid_rings == NULL || coverage->ring_vertices == NULL ||
        (coverage->grid_count > 0 && (coverage->ring_kinds == NULL || coverage->vertices == NULL ||
                                      coverage->code_ranks == NULL))) {
        return GW_EINVAL;
    }
    bool spans = coverage->grid_rings[0] == 0 &&
                 coverage->grid_rings[coverage->grid_count] == coverage->ring_count &&
                 coverage->ring_vertices[0] == 0 &&
                 coverage->ring_vertices[coverage->ring_count] == coverage->vertex_count;
    return spans ? GW_OK : GW_EINVAL;
}

// Vertices on the lattice, neighbours different, and the interior on the left.
static gw_err check_ring(const struct gw_point vertices[], uint32_t count, uint8_t kind) {
    if (count < 3 || kind > GW_RING_HOLE) {
        return GW_EINVAL;
    }
    wide doubled_area = 0;
    struct gw_point a = vertices[count - 1];
    for (uint32_t i = 0; i < count; i++) {
        struct gw_point b = vertices[i];
        if (!gw_point_valid(b) || (a.lon == b.lon && a.lat == b.lat)) {
            return GW_EINVAL;
        }
        doubled_area += (wide)a.lon * b.lat - (wide)b.lon * a.lat;
        a = b;
    }
    bool left = kind == GW_RING_SHELL ? doubled_area > 0 : doubled_area < 0;
    return left ? GW_OK : GW_EINVAL;
}

static gw_err check_grid(const struct gw_coverage *coverage, uint32_t grid) {
    uint32_t first = coverage->grid_rings[grid], end = coverage->grid_rings[grid + 1];
    if (first >= end || end > coverage->ring_count ||
        coverage->ring_kinds[first] != GW_RING_SHELL) {
        return GW_EINVAL;
    }
    for (uint32_t ring = first; ring < end; ring++) {
        uint32_t begin = coverage->ring_vertices[ring], stop = coverage->ring_vertices[ring + 1];
        if (begin >= stop || stop > coverage->vertex_count) {
            return GW_EINVAL;
        }
        gw_err err =
            check_ring(&coverage->vertices[begin], stop - begin, coverage->ring_kinds[ring]);
        if (err != GW_OK) {
            return err;
        }
    }
    return GW_OK;
}

static gw_err check_ranks(const uint32_t ranks[], uint32_t count) {
    unsigned char *seen = calloc((size_t)count + 1u, 1);
    if (seen == NULL) {
        return GW_ENOMEM;
    }
    gw_err err = GW_OK;
    for (uint32_t i = 0; i < count && err == GW_OK; i++) {
        if (ranks[i] >= count || seen[ranks[i]]) {
            err = GW_EINVAL;
        } else {
            seen[ranks[i]] = 1;
        }
    }
    free(seen);
    return err;
}

gw_err gw_coverage_check(const struct gw_coverage *coverage) {
    gw_err err = check_counts(coverage);
    for (uint32_t grid = 0; grid < coverage->grid_count && err == GW_OK; grid++) {
        err = check_grid(coverage, grid);
    }
    return err == GW_OK ? check_ranks(coverage->code_ranks, coverage->grid_count) : err;
}

struct gw_box gw_coverage_rings_box(const struct gw_coverage *coverage, uint32_t ring_begin,
                                    uint32_t ring_end) {
    uint32_t begin = coverage->ring_vertices[ring_begin], end = coverage->ring_vertices[ring_end];
    struct gw_box box = {coverage->vertices[begin], coverage->vertices[begin]};
    for (uint32_t i = begin + 1; i < end; i++) {
        struct gw_point p = coverage->vertices[i];
        box.min.lon = p.lon < box.min.lon ? p.lon : box.min.lon;
        box.min.lat = p.lat < box.min.lat ? p.lat : box.min.lat;
        box.max.lon = p.lon > box.max.lon ? p.lon : box.max.lon;
        box.max.lat = p.lat > box.max.lat ? p.lat : box.max.lat;
    }
    return box;
}

void gw_coverage_boxes(const struct gw_coverage *coverage, struct gw_box boxes[]) {
    for (uint32_t grid = 0; grid < coverage->grid_count; grid++) {
        boxes[grid] = gw_coverage_rings_box(coverage, coverage->grid_rings[grid],
                                            coverage->grid_rings[grid + 1]);
    }
}

// What one ring is to a point.
struct ring_answer {
    bool odd;     // an eastward ray from the shifted point crosses it an odd number of times
    bool touched; // the point itself lies on it
};

static struct ring_answer ask_ring(const struct gw_point vertices[], uint32_t count,
                                   struct gw_point p) {
    struct ring_answer answer = {false, false};
    struct gw_point from = vertices[count - 1];
    for (uint32_t i = 0; i < count; i++) {
        struct gw_point to = vertices[i];
        struct gw_point a = from.lat <= to.lat ? from : to; // the lower end
        struct gw_point b = from.lat <= to.lat ? to : from;
        from = to;
        if (p.lat < a.lat || p.lat > b.lat) {
            continue;
        }
        // Which side of a -> b: each product fits 64 bits, their difference does not.
        int64_t rise = ((int64_t)b.lat - a.lat) * ((int64_t)p.lon - a.lon);
        int64_t run = ((int64_t)b.lon - a.lon) * ((int64_t)p.lat - a.lat);
        if (p.lat < b.lat && rise < run) {
            answer.odd = !answer.odd; // the crossing lies strictly east
        }
        bool between =
            a.lon < b.lon ? a.lon <= p.lon && p.lon <= b.lon : b.lon <= p.lon && p.lon <= a.lon;
        answer.touched = answer.touched || (rise == run && between);
    }
    return answer;
}

enum standing { OUTSIDE, TOUCHED, INSIDE };

// INSIDE: the shifted point lies in one of the grid's polygons. TOUCHED: it does not, but the point
// itself lies on a ring.
static enum standing ask_grid(const struct gw_coverage *coverage, uint32_t grid,
                              struct gw_point point) {
    bool inside = false, touched = false, shell = false, hole = false;
    for (uint32_t ring = coverage->grid_rings[grid]; ring < coverage->grid_rings[grid + 1];
         ring++) {
        uint32_t begin = coverage->ring_vertices[ring];
        struct ring_answer answer =
            ask_ring(&coverage->vertices[begin], coverage->ring_vertices[ring + 1] - begin, point);
        touched = touched || answer.touched;
        if (coverage->ring_kinds[ring] == GW_RING_SHELL) {
            inside = inside || (shell && !hole);
            shell = answer.odd;
            hole = false;
        } else {
            hole = hole || answer.odd;
        }
    }
    inside = inside || (shell && !hole);
    return inside ? INSIDE : touched ? TOUCHED : OUTSIDE;
}

static bool box_holds(const struct gw_box *box, struct gw_point p) {
    return p.lon >= box->min.lon && p.lon <= box->max.lon && p.lat >= box->min.lat &&
           p.lat <= box->max.lat;
}

uint32_t gw_coverage_owner_within(const struct gw_coverage *coverage, const struct gw_box boxes[],
                                  struct gw_point point) {
    uint32_t touched = GW_GRID_NONE;
    for (uint32_t grid = 0; grid < coverage->grid_count; grid++) {
        if (boxes != NULL && !box_holds(&boxes[grid], point)) {
            continue;
        }
        enum standing standing = ask_grid(coverage, grid, point);
        if (standing == INSIDE) {
            return grid;
        }
        if (standing == TOUCHED && (touched == GW_GRID_NONE ||
                                    coverage->code_ranks[grid] < coverage->code_ranks[touched])) {
            touched = grid;
        }
    }
    return touched;
}

uint32_t gw_coverage_owner(const struct gw_coverage *coverage, struct gw_point point) {
    return gw_coverage_owner_within(coverage, NULL, point);
}
