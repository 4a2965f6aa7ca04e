#include "tests/e2e/demo_oracle.h"

#include <stdlib.h>
#include <string.h>

enum { BUCKET = 100000 }; // about 1 km

// The point is shifted by (e, e^2): an edge spans its latitude when one end is above `point` and
// the other is not, and it lies to the east when it crosses that latitude strictly east of `point`.
static bool crosses_east(struct gw_point a, struct gw_point b, struct gw_point point) {
    if ((a.lat > point.lat) == (b.lat > point.lat)) {
        return false;
    }
    struct gw_point low = a.lat < b.lat ? a : b, high = a.lat < b.lat ? b : a;
    int64_t rise = (int64_t)high.lat - low.lat, run = (int64_t)high.lon - low.lon;
    int64_t height = (int64_t)point.lat - low.lat, east = (int64_t)point.lon - low.lon;
    return run * height > east * rise; // a city is small: the products stay far below 2^63
}

static bool on_edge(struct gw_point a, struct gw_point b, struct gw_point point) {
    int64_t abx = (int64_t)b.lon - a.lon, aby = (int64_t)b.lat - a.lat;
    int64_t apx = (int64_t)point.lon - a.lon, apy = (int64_t)point.lat - a.lat;
    if (abx * apy != aby * apx) {
        return false;
    }
    int64_t along = abx * apx + aby * apy;
    return along >= 0 && along <= abx * abx + aby * aby;
}

static struct gw_point corner(const struct gw_coverage *coverage, uint32_t ring, uint32_t i) {
    uint32_t first = coverage->ring_vertices[ring], end = coverage->ring_vertices[ring + 1];
    return coverage->vertices[first + i < end ? first + i : first];
}

static uint32_t corners(const struct gw_coverage *coverage, uint32_t ring) {
    return coverage->ring_vertices[ring + 1] - coverage->ring_vertices[ring];
}

bool demo_oracle_holds(const struct gw_coverage *coverage, uint32_t grid, struct gw_point point) {
    bool odd = false;
    for (uint32_t r = coverage->grid_rings[grid]; r < coverage->grid_rings[grid + 1]; r++) {
        uint32_t count = corners(coverage, r);
        for (uint32_t i = 0; i < count; i++) {
            odd ^= crosses_east(corner(coverage, r, i), corner(coverage, r, i + 1), point);
        }
    }
    return odd;
}

static bool touches(const struct gw_coverage *coverage, uint32_t grid, struct gw_point point) {
    for (uint32_t r = coverage->grid_rings[grid]; r < coverage->grid_rings[grid + 1]; r++) {
        uint32_t count = corners(coverage, r);
        for (uint32_t i = 0; i < count; i++) {
            if (on_edge(corner(coverage, r, i), corner(coverage, r, i + 1), point)) {
                return true;
            }
        }
    }
    return false;
}

static void widen(struct gw_box *box, struct gw_point point) {
    box->min.lon = point.lon < box->min.lon ? point.lon : box->min.lon;
    box->min.lat = point.lat < box->min.lat ? point.lat : box->min.lat;
    box->max.lon = point.lon > box->max.lon ? point.lon : box->max.lon;
    box->max.lat = point.lat > box->max.lat ? point.lat : box->max.lat;
}

static bool in_box(const struct gw_box *box, struct gw_point point) {
    return point.lon >= box->min.lon && point.lon <= box->max.lon && point.lat >= box->min.lat &&
           point.lat <= box->max.lat;
}

static void make_boxes(struct demo_oracle *oracle) {
    const struct gw_box empty = {{INT32_MAX, INT32_MAX}, {INT32_MIN, INT32_MIN}};
    const struct gw_coverage *coverage = oracle->coverage;
    oracle->all = empty;
    for (uint32_t g = 0; g < coverage->grid_count; g++) {
        oracle->boxes[g] = empty;
        for (uint32_t r = coverage->grid_rings[g]; r < coverage->grid_rings[g + 1]; r++) {
            for (uint32_t i = 0; i < corners(coverage, r); i++) {
                widen(&oracle->boxes[g], corner(coverage, r, i));
            }
        }
        widen(&oracle->all, oracle->boxes[g].min);
        widen(&oracle->all, oracle->boxes[g].max);
    }
}

// Visits the buckets of every box, counting in the first pass and filling in the second.
static void fill_buckets(struct demo_oracle *oracle, bool count) {
    for (uint32_t g = 0; g < oracle->coverage->grid_count; g++) {
        const struct gw_box *box = &oracle->boxes[g];
        uint32_t west = (uint32_t)(box->min.lon - oracle->all.min.lon) / BUCKET;
        uint32_t east = (uint32_t)(box->max.lon - oracle->all.min.lon) / BUCKET;
        uint32_t south = (uint32_t)(box->min.lat - oracle->all.min.lat) / BUCKET;
        uint32_t north = (uint32_t)(box->max.lat - oracle->all.min.lat) / BUCKET;
        for (uint32_t row = south; row <= north; row++) {
            for (uint32_t col = west; col <= east; col++) {
                uint32_t bucket = row * oracle->cols + col;
                if (count) {
                    oracle->bucket_first[bucket + 2]++;
                } else {
                    oracle->bucket_grids[oracle->bucket_first[bucket + 1]++] = g;
                }
            }
        }
    }
}

bool demo_oracle_make(struct demo_oracle *oracle, const struct gw_coverage *coverage) {
    memset(oracle, 0, sizeof(*oracle));
    oracle->coverage = coverage;
    oracle->boxes = calloc(coverage->grid_count, sizeof(*oracle->boxes));
    if (oracle->boxes == NULL) {
        return false;
    }
    make_boxes(oracle);
    oracle->cols = (uint32_t)(oracle->all.max.lon - oracle->all.min.lon) / BUCKET + 1;
    oracle->rows = (uint32_t)(oracle->all.max.lat - oracle->all.min.lat) / BUCKET + 1;
    uint32_t buckets = oracle->cols * oracle->rows;
    oracle->bucket_first = calloc((size_t)buckets + 2, sizeof(*oracle->bucket_first));
    if (oracle->bucket_first == NULL) {
        return false;
    }
    fill_buckets(oracle, true);
    for (uint32_t i = 0; i < buckets; i++) {
        oracle->bucket_first[i + 2] += oracle->bucket_first[i + 1];
    }
    uint32_t total = oracle->bucket_first[buckets + 1];
    oracle->bucket_grids = calloc((size_t)total + 1, sizeof(*oracle->bucket_grids));
    if (oracle->bucket_grids == NULL) {
        return false;
    }
    fill_buckets(oracle, false);
    return true;
}

void demo_oracle_free(struct demo_oracle *oracle) {
    free(oracle->boxes);
    free(oracle->bucket_first);
    free(oracle->bucket_grids);
    memset(oracle, 0, sizeof(*oracle));
}

uint32_t demo_oracle_owner(const struct demo_oracle *oracle, struct gw_point point,
                           uint32_t *holders, bool *closed) {
    uint32_t owner = GW_GRID_NONE;
    *holders = 0;
    *closed = false;
    if (!in_box(&oracle->all, point)) {
        return owner;
    }
    uint32_t col = (uint32_t)(point.lon - oracle->all.min.lon) / BUCKET;
    uint32_t row = (uint32_t)(point.lat - oracle->all.min.lat) / BUCKET;
    uint32_t bucket = row * oracle->cols + col;
    uint32_t first = oracle->bucket_first[bucket], end = oracle->bucket_first[bucket + 1];
    for (uint32_t i = first; i < end; i++) {
        uint32_t grid = oracle->bucket_grids[i]; // ascending within a bucket
        if (in_box(&oracle->boxes[grid], point) &&
            demo_oracle_holds(oracle->coverage, grid, point)) {
            owner = *holders == 0 ? grid : owner;
            (*holders)++;
        }
    }
    for (uint32_t i = first; i < end && owner == GW_GRID_NONE; i++) {
        uint32_t grid = oracle->bucket_grids[i]; // also the order of the codes
        if (in_box(&oracle->boxes[grid], point) && touches(oracle->coverage, grid, point)) {
            *closed = true;
            owner = grid;
        }
    }
    return owner;
}
