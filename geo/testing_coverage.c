#include "geo/testing_coverage.h"

#include <assert.h>
#include <string.h>

static void *grown(void *items, size_t *capacity, size_t need, size_t size) {
    if (need > *capacity) {
        *capacity = 2 * need + 16;
        items = realloc(items, *capacity * size);
        assert(items != NULL);
    }
    return items;
}

void test_coverage_init(struct test_coverage *coverage) {
    memset(coverage, 0, sizeof(*coverage));
}

void test_coverage_deinit(struct test_coverage *coverage) {
    free(coverage->grid_rings);
    free(coverage->ring_vertices);
    free(coverage->code_ranks);
    free(coverage->ring_kinds);
    free(coverage->vertices);
    free(coverage->boxes);
    test_coverage_init(coverage);
}

void test_coverage_grid(struct test_coverage *coverage) {
    size_t capacity = coverage->grid_capacity, same = capacity;
    coverage->grid_rings = grown(coverage->grid_rings, &coverage->grid_capacity,
                                 coverage->grids + 2, sizeof(*coverage->grid_rings));
    coverage->code_ranks =
        grown(coverage->code_ranks, &capacity, coverage->grids + 2, sizeof(*coverage->code_ranks));
    coverage->boxes = grown(coverage->boxes, &same, coverage->grids + 2, sizeof(*coverage->boxes));
    coverage->grid_rings[coverage->grids++] = (uint32_t)coverage->rings;
}

// Which side of a -> b; by 128 bits, unlike the code under test.
__extension__ typedef __int128 wide;
static int side(struct gw_point a, struct gw_point b, struct gw_point p) {
    wide cross = ((wide)b.lon - a.lon) * ((wide)p.lat - a.lat) -
                 ((wide)b.lat - a.lat) * ((wide)p.lon - a.lon);
    return (cross > 0) - (cross < 0);
}

static bool on_segment(struct gw_point a, struct gw_point b, struct gw_point p) {
    return side(a, b, p) == 0 && p.lon >= (a.lon < b.lon ? a.lon : b.lon) &&
           p.lon <= (a.lon < b.lon ? b.lon : a.lon) && p.lat >= (a.lat < b.lat ? a.lat : b.lat) &&
           p.lat <= (a.lat < b.lat ? b.lat : a.lat);
}

static bool touch(struct gw_point a, struct gw_point b, struct gw_point c, struct gw_point d) {
    return on_segment(a, b, c) || on_segment(a, b, d) || on_segment(c, d, a) ||
           on_segment(c, d, b) ||
           (side(a, b, c) != side(a, b, d) && side(c, d, a) != side(c, d, b));
}

bool test_ring_simple(const struct gw_point points[], size_t count) {
    for (size_t i = 0; i < count; i++) {
        struct gw_point a = points[i], b = points[(i + 1) % count], c = points[(i + 2) % count];
        if ((a.lon == b.lon && a.lat == b.lat) || on_segment(a, b, c) || on_segment(b, c, a)) {
            return false;
        }
        for (size_t j = i + 2; j < count; j++) {
            bool neighbours = i == 0 && j == count - 1;
            if (!neighbours && touch(a, b, points[j], points[(j + 1) % count])) {
                return false;
            }
        }
    }
    return count >= 3;
}

static bool turns_left(const struct gw_point points[], size_t count) {
    wide doubled = 0;
    for (size_t i = 0; i < count; i++) {
        struct gw_point a = points[i], b = points[(i + 1) % count];
        doubled += (wide)a.lon * b.lat - (wide)b.lon * a.lat;
    }
    return doubled > 0;
}

bool test_coverage_ring(struct test_coverage *coverage, enum gw_ring_kind kind,
                        const struct gw_point points[], size_t count) {
    if (!test_ring_simple(points, count)) {
        return false;
    }
    size_t capacity = coverage->ring_capacity;
    coverage->ring_vertices = grown(coverage->ring_vertices, &coverage->ring_capacity,
                                    coverage->rings + 2, sizeof(*coverage->ring_vertices));
    coverage->ring_kinds =
        grown(coverage->ring_kinds, &capacity, coverage->rings + 2, sizeof(*coverage->ring_kinds));
    coverage->vertices = grown(coverage->vertices, &coverage->point_capacity,
                               coverage->points + count, sizeof(*coverage->vertices));
    coverage->ring_vertices[coverage->rings] = (uint32_t)coverage->points;
    coverage->ring_kinds[coverage->rings++] = (uint8_t)kind;
    bool turn = turns_left(points, count) != (kind == GW_RING_SHELL);
    for (size_t i = 0; i < count; i++) {
        coverage->vertices[coverage->points++] = points[turn ? count - 1 - i : i];
    }
    return true;
}

void test_coverage_finish(struct test_coverage *coverage, struct test_random *random) {
    for (size_t i = 0; i < coverage->grids; i++) {
        size_t j = random != NULL ? (size_t)test_random_range(random, 0, (int64_t)i) : i;
        coverage->code_ranks[i] = coverage->code_ranks[j];
        coverage->code_ranks[j] = (uint32_t)i;
    }
    coverage->grid_rings[coverage->grids] = (uint32_t)coverage->rings;
    coverage->ring_vertices[coverage->rings] = (uint32_t)coverage->points;
    coverage->view = (struct gw_coverage){.grid_count = (uint32_t)coverage->grids,
                                          .ring_count = (uint32_t)coverage->rings,
                                          .vertex_count = (uint32_t)coverage->points,
                                          .grid_rings = coverage->grid_rings,
                                          .ring_vertices = coverage->ring_vertices,
                                          .ring_kinds = coverage->ring_kinds,
                                          .vertices = coverage->vertices,
                                          .code_ranks = coverage->code_ranks};
    gw_coverage_boxes(&coverage->view, coverage->boxes);
}
