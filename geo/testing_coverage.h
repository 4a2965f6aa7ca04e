// Coverages for tests: written by hand or drawn at random, valid in every grid.
#ifndef GW_GEO_TESTING_COVERAGE_H
#define GW_GEO_TESTING_COVERAGE_H

#include "geo/coverage.h"
#include "tests/support/random.h"

#include <stddef.h>

// Arrays that grow; `view` is good after test_coverage_finish until the next change.
struct test_coverage {
    struct gw_coverage view;
    uint32_t *grid_rings, *ring_vertices, *code_ranks;
    uint8_t *ring_kinds;
    struct gw_point *vertices;
    struct gw_box *boxes; // of each grid
    size_t grids, rings, points;
    size_t grid_capacity, ring_capacity, point_capacity;
};

void test_coverage_init(struct test_coverage *coverage);
void test_coverage_deinit(struct test_coverage *coverage);

// The rings that follow belong to a new grid.
void test_coverage_grid(struct test_coverage *coverage);

// Adds a ring, turned the way its kind wants. False, and nothing added: it is not simple.
bool test_coverage_ring(struct test_coverage *coverage, enum gw_ring_kind kind,
                        const struct gw_point points[], size_t count);

// Points the view at the arrays; codes are in the order of the grids, or shuffled by `random`.
void test_coverage_finish(struct test_coverage *coverage, struct test_random *random);

// No vertex twice, no edge touches another but its neighbours at their common vertex. O(count^2).
bool test_ring_simple(const struct gw_point points[], size_t count);

// The kinds of random coverages.
enum test_kind {
    TEST_PARTITION, // jittered cells with shared borders, some left out, some merged
    TEST_LOOSE,     // the same where one side drops vertices: slivers, one-unit gaps and overlaps
    TEST_RANDOM,    // overlapping random polygons on few lattice points
    TEST_NESTED,    // holes, filled and empty, several deep
    TEST_FAN,       // many grids that meet in one vertex
    TEST_REPEATED,  // some grids several times
    TEST_WORLD,     // edges across the whole lattice, on the poles and at +-180
    TEST_KINDS
};
const char *test_kind_name(enum test_kind kind);

// Draws one; `scale` units between the places of the small lattice it is drawn on.
void test_coverage_draw(struct test_coverage *coverage, enum test_kind kind,
                        struct test_random *random);

#endif
