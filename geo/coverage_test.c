// The ownership rule in tables, what a coverage must be, and the nearest border.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "geo/geodesic.h"
#include "geo/grid_index.h"
#include "geo/testing_coverage.h"
#include <geodesic.h>
#include <math.h>
#include <string.h>

#define NONE GW_GRID_NONE
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void add(struct test_coverage *coverage, enum gw_ring_kind kind,
                const struct gw_point points[], size_t count) {
    if (kind == GW_RING_SHELL) {
        test_coverage_grid(coverage);
    }
    assert_true(test_coverage_ring(coverage, kind, points, count));
}

// Both the reference and an index of the coverage must give the answer.
static void expect(const struct test_coverage *coverage, int32_t lon, int32_t lat, uint32_t owner) {
    struct gw_point p = gw_point_normal((struct gw_point){lon, lat});
    unsigned char *bytes = NULL;
    uint64_t size = 0;
    struct gw_grid_index index;
    assert_int_equal(gw_coverage_check(&coverage->view), GW_OK);
    assert_int_equal(gw_grid_index_build(&coverage->view, NULL, &bytes, &size), GW_OK);
    assert_int_equal(gw_grid_index_open(bytes, size, &index), GW_OK);
    uint32_t batched = 4711;
    gw_grid_index_locate_batch(&index, &(struct gw_point){lon, lat}, 1, &batched);
    uint32_t found[4] = {gw_coverage_owner(&coverage->view, p),
                         gw_coverage_owner_within(&coverage->view, coverage->boxes, p),
                         gw_grid_index_locate(&index, (struct gw_point){lon, lat}), batched};
    for (int i = 0; i < 4; i++) {
        if (found[i] != owner) {
            fail_msg("point %d %d: expected %u, %s says %u", lon, lat, owner,
                     i < 2 ? "the ray casting" : "the index", found[i]);
        }
    }
    free(bytes);
}

static const struct gw_point west_square[] = {{0, 0}, {10, 0}, {10, 10}, {0, 10}};
static const struct gw_point east_square[] = {{10, 0}, {20, 0}, {20, 10}, {10, 10}};

static void test_two_squares(void **state) {
    (void)state;
    struct test_coverage coverage;
    test_coverage_init(&coverage);
    add(&coverage, GW_RING_SHELL, west_square, 4);
    add(&coverage, GW_RING_SHELL, east_square, 4);
    test_coverage_finish(&coverage, NULL);
    static const struct {
        int32_t lon, lat;
        uint32_t owner;
    } rows[] = {
        {5, 5, 0},
        {15, 5, 1},
        {0, 0, 0},
        {10, 0, 1},
        {10, 5, 1},
        {9, 5, 0},
        {10, 10, 0}, // outside for the shifted point: the lowest code of those that touch
        {20, 5, 1},
        {20, 10, 1},
        {20, 0, 1},
        {5, 10, 0},
        {15, 10, 1},
        {0, 10, 0},
        {-1, 5, NONE},
        {21, 5, NONE},
        {5, -1, NONE},
        {5, 11, NONE},
        {GW_LON_MAX, 5, NONE},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        expect(&coverage, rows[i].lon, rows[i].lat, rows[i].owner);
    }
    // With the codes the other way round the outer corner changes hands, the shared edge does not.
    coverage.code_ranks[0] = 1;
    coverage.code_ranks[1] = 0;
    expect(&coverage, 10, 10, 1);
    expect(&coverage, 10, 5, 1);
    expect(&coverage, 5, 10, 0);
    test_coverage_deinit(&coverage);
}

// A neighbour has a vertex on the edge (T-junction), another one unit off it either way.
static void test_junctions(void **state) {
    (void)state;
    static const struct gw_point big[] = {{0, 0}, {100, 0}, {100, 100}, {0, 100}};
    static const struct gw_point south[] = {{100, 0}, {200, 0}, {200, 50}, {100, 50}};
    static const struct gw_point north[] = {{100, 50}, {200, 50}, {200, 100}, {100, 100}};
    static const struct gw_point gap[] = {{0, -100}, {100, -100}, {100, 0}, {50, -1}, {0, 0}};
    static const struct gw_point overlap[] = {{0, 100}, {50, 99}, {100, 100}, {100, 200}, {0, 200}};
    struct test_coverage coverage;
    test_coverage_init(&coverage);
    add(&coverage, GW_RING_SHELL, big, 4);
    add(&coverage, GW_RING_SHELL, south, 4);
    add(&coverage, GW_RING_SHELL, north, 4);
    add(&coverage, GW_RING_SHELL, gap, 5);
    add(&coverage, GW_RING_SHELL, overlap, 5);
    test_coverage_finish(&coverage, NULL);
    expect(&coverage, 100, 50, 2);
    expect(&coverage, 100, 49, 1);
    expect(&coverage, 99, 50, 0);
    expect(&coverage, 50, -1, 3); // a vertex of the gap: only grid 3 touches it
    expect(&coverage, 25, -1, 3); // below the sloping edge from (0, 0) to (50, -1)
    expect(&coverage, 50, 0, 0);
    expect(&coverage, 50, 99, 0);  // the tip of grid 4: shifted, the point lies below it
    expect(&coverage, 50, 100, 4); // on the edge of grid 0, within grid 4
    expect(&coverage, 0, 100, 4);
    expect(&coverage, 100, 100, 0); // north of grid 2, east of grid 4: three touch it
    test_coverage_deinit(&coverage);
}

static void test_holes_and_parts(void **state) {
    (void)state;
    static const struct gw_point shell[] = {{0, 0}, {100, 0}, {100, 100}, {0, 100}};
    static const struct gw_point hole[] = {{20, 20}, {80, 20}, {80, 80}, {20, 80}};
    static const struct gw_point island[] = {{40, 40}, {60, 40}, {60, 60}, {40, 60}};
    static const struct gw_point lake[] = {{200, 0}, {300, 0}, {300, 100}, {200, 100}};
    struct test_coverage coverage;
    test_coverage_init(&coverage);
    add(&coverage, GW_RING_SHELL, shell, 4);
    add(&coverage, GW_RING_HOLE, hole, 4);
    assert_true(test_coverage_ring(&coverage, GW_RING_SHELL, lake, 4)); // a second part of grid 0
    add(&coverage, GW_RING_SHELL, island, 4);
    test_coverage_finish(&coverage, NULL);
    expect(&coverage, 10, 50, 0);
    expect(&coverage, 30, 50, NONE);
    expect(&coverage, 20, 50, 0); // on the hole's west edge: the shifted point is in the hole
    expect(&coverage, 80, 50, 0);
    expect(&coverage, 20, 20, 0);
    expect(&coverage, 50, 50, 1);
    expect(&coverage, 60, 60, 1);
    expect(&coverage, 250, 50, 0);
    expect(&coverage, 150, 50, NONE);
    expect(&coverage, 200, 0, 0);
    test_coverage_deinit(&coverage);
}

static void test_poles_and_the_date_line(void **state) {
    (void)state;
    static const struct gw_point west[] = {
        {-GW_LON_MAX, -GW_LAT_MAX}, {0, -GW_LAT_MAX}, {0, GW_LAT_MAX}, {-GW_LON_MAX, GW_LAT_MAX}};
    static const struct gw_point east[] = {
        {0, -GW_LAT_MAX}, {GW_LON_MAX, -GW_LAT_MAX}, {GW_LON_MAX, GW_LAT_MAX}, {0, GW_LAT_MAX}};
    struct test_coverage coverage;
    test_coverage_init(&coverage);
    add(&coverage, GW_RING_SHELL, east, 4);
    add(&coverage, GW_RING_SHELL, west, 4);
    test_coverage_finish(&coverage, NULL);
    expect(&coverage, -1, 0, 1);
    expect(&coverage, 0, 0, 0);
    expect(&coverage, GW_LON_MAX - 1, 0, 0);
    expect(&coverage, GW_LON_MAX, 0, 1); // is read as -180
    expect(&coverage, -GW_LON_MAX, 0, 1);
    expect(&coverage, 0, GW_LAT_MAX, 0); // nothing lies north of it: the lowest code that touches
    expect(&coverage, -1, GW_LAT_MAX, 1);
    expect(&coverage, GW_LON_MAX, GW_LAT_MAX, 1);
    expect(&coverage, 0, -GW_LAT_MAX, 0);
    test_coverage_deinit(&coverage);
}

// Products of the largest differences there are: 3.6e9 x 1.8e9.
static void test_longest_edges(void **state) {
    (void)state;
    static const struct gw_point low[] = {
        {-GW_LON_MAX, -GW_LAT_MAX}, {GW_LON_MAX, -GW_LAT_MAX}, {GW_LON_MAX, GW_LAT_MAX}};
    static const struct gw_point high[] = {
        {-GW_LON_MAX, -GW_LAT_MAX}, {GW_LON_MAX, GW_LAT_MAX}, {-GW_LON_MAX, GW_LAT_MAX}};
    struct test_coverage coverage;
    test_coverage_init(&coverage);
    add(&coverage, GW_RING_SHELL, low, 3);
    add(&coverage, GW_RING_SHELL, high, 3);
    test_coverage_finish(&coverage, NULL);
    expect(&coverage, 0, 0, 0); // the diagonal: shifted east more than north
    expect(&coverage, 0, 1, 1);
    expect(&coverage, 1, 1, 1);
    expect(&coverage, 2, 1, 0);
    expect(&coverage, 3, 1, 0);
    expect(&coverage, 3, 2, 1);
    expect(&coverage, 1, 2, 1);
    expect(&coverage, -GW_LON_MAX, GW_LAT_MAX, 1);
    expect(&coverage, GW_LON_MAX - 1, GW_LAT_MAX, 1);
    expect(&coverage, GW_LON_MAX - 1, GW_LAT_MAX - 1, 0);
    expect(&coverage, GW_LON_MAX - 3, GW_LAT_MAX - 1, 1);
    test_coverage_deinit(&coverage);
}

static void test_same_polygon_twice(void **state) {
    (void)state;
    struct test_coverage coverage;
    test_coverage_init(&coverage);
    add(&coverage, GW_RING_SHELL, west_square, 4);
    add(&coverage, GW_RING_SHELL, west_square, 4);
    add(&coverage, GW_RING_SHELL, west_square, 4);
    test_coverage_finish(&coverage, NULL);
    coverage.code_ranks[0] = 2;
    coverage.code_ranks[1] = 0;
    coverage.code_ranks[2] = 1;
    expect(&coverage, 5, 5, 0); // the rank decides
    expect(&coverage, 0, 5, 0);
    expect(&coverage, 10, 5, 1); // on the outer border the code does
    expect(&coverage, 10, 10, 1);
    expect(&coverage, 11, 5, NONE);
    test_coverage_deinit(&coverage);
}

static void test_empty_coverage(void **state) {
    (void)state;
    static const uint32_t zero[1] = {0};
    struct test_coverage coverage = {.view = {.grid_rings = zero, .ring_vertices = zero}};
    expect(&coverage, 0, 0, NONE);
    expect(&coverage, GW_LON_MAX, GW_LAT_MAX, NONE);
    uint32_t grid = 7;
    double metres = 7.0;
    assert_int_equal(
        gw_coverage_nearest(&coverage.view, NULL, (struct gw_point){0, 0}, &grid, &metres),
        GW_ENOTFOUND);
    assert_int_equal(grid, 7);
}

static void test_check_refuses(void **state) {
    (void)state;
    struct test_coverage good;
    test_coverage_init(&good);
    add(&good, GW_RING_SHELL, west_square, 4);
    add(&good, GW_RING_SHELL, east_square, 4);
    test_coverage_finish(&good, NULL);
    assert_int_equal(gw_coverage_check(&good.view), GW_OK);
    for (int fault = 0; fault < 12; fault++) {
        uint32_t grid_rings[3] = {0, 1, 2}, ring_vertices[3] = {0, 4, 8}, ranks[2] = {0, 1};
        uint8_t kinds[2] = {0, 0};
        struct gw_point vertices[8];
        memcpy(vertices, good.vertices, sizeof(vertices));
        struct gw_coverage bad = good.view;
        bad.grid_rings = grid_rings;
        bad.ring_vertices = ring_vertices;
        bad.code_ranks = ranks;
        bad.ring_kinds = kinds;
        bad.vertices = vertices;
        switch (fault) {
        case 0:
            grid_rings[0] = 1;
            break;
        case 1:
            grid_rings[1] = 2;
            break;
        case 2:
            grid_rings[1] = 3;
            break;
        case 3:
            ring_vertices[1] = 2;
            break;
        case 4:
            ring_vertices[1] = 9;
            break;
        case 5:
            ring_vertices[2] = 7;
            break;
        case 6:
            kinds[1] = GW_RING_HOLE;
            break;
        case 7:
            kinds[0] = 2;
            break;
        case 8:
            vertices[1] = vertices[0];
            break;
        case 9:
            vertices[5].lon = GW_LON_MAX + 1;
            break;
        case 10:
            ranks[1] = 0;
            break;
        case 11:
            vertices[1] = good.vertices[3];
            vertices[3] = good.vertices[1];
            break;
        }
        if (gw_coverage_check(&bad) != GW_EINVAL) {
            fail_msg("fault %d was accepted", fault);
        }
    }
    test_coverage_deinit(&good);
}

// The least distance to a dense walk along every edge: at most the true one plus the step.
static double walk_borders(const struct gw_coverage *coverage, struct gw_point from, int steps) {
    struct geod_geodesic earth;
    geod_init(&earth, 6378137.0, 1.0 / 298.257223563);
    double best = 1e9;
    for (uint32_t r = 0; r < coverage->ring_count; r++) {
        uint32_t begin = coverage->ring_vertices[r], end = coverage->ring_vertices[r + 1];
        for (uint32_t i = begin; i < end; i++) {
            struct gw_point a = coverage->vertices[i];
            struct gw_point b = coverage->vertices[i + 1 < end ? i + 1 : begin];
            for (int j = 0; j < steps; j++) {
                double t = (double)j / steps, metres = 0.0;
                double lon = gw_degrees(a.lon) + t * (gw_degrees(b.lon) - gw_degrees(a.lon));
                double lat = gw_degrees(a.lat) + t * (gw_degrees(b.lat) - gw_degrees(a.lat));
                geod_inverse(&earth, gw_degrees(from.lat), gw_degrees(from.lon), lat, lon, &metres,
                             NULL, NULL);
                best = metres < best ? metres : best;
            }
        }
    }
    return best;
}

// Never farther than any place of a dense walk, never nearer by more than the walk may miss.
static void check_nearest(const struct test_coverage *coverage, struct gw_point p, int steps) {
    uint32_t grid = NONE;
    double metres = -1.0;
    assert_int_equal(gw_coverage_nearest(&coverage->view, coverage->boxes, p, &grid, &metres),
                     GW_OK);
    uint32_t owner = gw_coverage_owner(&coverage->view, p);
    assert_true(grid < coverage->view.grid_count);
    if (owner != NONE) {
        assert_int_equal(grid, owner);
        assert_true(metres == 0.0);
        return;
    }
    double walked = walk_borders(&coverage->view, p, steps);
    double longest = 0.0;
    for (uint32_t r = 0; r < coverage->view.ring_count; r++) {
        uint32_t begin = coverage->ring_vertices[r], end = coverage->ring_vertices[r + 1];
        for (uint32_t i = begin; i < end; i++) {
            double length = gw_geodesic_distance(coverage->vertices[i],
                                                 coverage->vertices[i + 1 < end ? i + 1 : begin]);
            longest = length > longest ? length : longest;
        }
    }
    if (metres > walked + 1e-3 || metres < walked - 1.5 * longest / steps) {
        fail_msg("point %d %d: nearest %.6f m, walked %.6f m", p.lon, p.lat, metres, walked);
    }
}

static void test_nearest_by_hand(void **state) {
    (void)state;
    // Two squares of 0.01 degree at 42 N, 0.02 degree apart.
    static const struct gw_point west[] = {{1235000000, 420000000},
                                           {1235100000, 420000000},
                                           {1235100000, 420100000},
                                           {1235000000, 420100000}};
    static const struct gw_point east[] = {{1235300000, 420000000},
                                           {1235400000, 420000000},
                                           {1235400000, 420100000},
                                           {1235300000, 420100000}};
    struct test_coverage coverage;
    test_coverage_init(&coverage);
    add(&coverage, GW_RING_SHELL, west, 4);
    add(&coverage, GW_RING_SHELL, east, 4);
    test_coverage_finish(&coverage, NULL);
    uint32_t grid = NONE;
    double metres = 0.0;
    struct gw_point p = {1235150000, 420050000};
    assert_int_equal(gw_coverage_nearest(&coverage.view, coverage.boxes, p, &grid, &metres), GW_OK);
    assert_int_equal(grid, 0);
    // Along the parallel it is not the shortest way, but at this distance by nanometres only.
    double straight = gw_geodesic_distance(p, (struct gw_point){1235100000, 420050000});
    assert_true(fabs(metres - straight) < 1e-3);
    p.lon = 1235250000;
    assert_int_equal(gw_coverage_nearest(&coverage.view, coverage.boxes, p, &grid, &metres), GW_OK);
    assert_int_equal(grid, 1);
    // South of a corner: the vertex itself.
    p = (struct gw_point){1234900000, 419900000};
    assert_int_equal(gw_coverage_nearest(&coverage.view, coverage.boxes, p, &grid, &metres), GW_OK);
    assert_true(fabs(metres - gw_geodesic_distance(p, west[0])) < 1e-6);
    // In the middle: equally far, so the code decides.
    p = (struct gw_point){1235200000, 420050000};
    assert_int_equal(gw_coverage_nearest(&coverage.view, coverage.boxes, p, &grid, &metres), GW_OK);
    assert_int_equal(grid, 0);
    coverage.code_ranks[0] = 1;
    coverage.code_ranks[1] = 0;
    assert_int_equal(gw_coverage_nearest(&coverage.view, coverage.boxes, p, &grid, &metres), GW_OK);
    assert_int_equal(grid, 1);
    test_coverage_deinit(&coverage);
}

static void test_nearest_at_random(void **state) {
    (void)state;
    struct test_random random = test_random_seeded("nearest", 5);
    for (int i = 0; i < 60; i++) {
        struct test_coverage coverage;
        test_coverage_draw(&coverage, i % 3 == 0 ? TEST_WORLD : (enum test_kind)(i % TEST_KINDS),
                           &random);
        struct gw_box box = coverage.boxes[0];
        for (int j = 0; j < 4; j++) {
            int64_t reach = 1 + (int64_t)box.max.lon - box.min.lon;
            int64_t lon = box.min.lon + test_random_range(&random, -reach, 2 * reach);
            int64_t lat = box.min.lat + test_random_range(&random, -reach, 2 * reach);
            lon = lon > GW_LON_MAX ? GW_LON_MAX : lon < -GW_LON_MAX ? -GW_LON_MAX : lon;
            lat = lat > GW_LAT_MAX ? GW_LAT_MAX : lat < -GW_LAT_MAX ? -GW_LAT_MAX : lat;
            struct gw_point p = gw_point_normal((struct gw_point){(int32_t)lon, (int32_t)lat});
            check_nearest(&coverage, p, coverage.view.vertex_count > 200 ? 20 : 500);
        }
        test_coverage_deinit(&coverage);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_squares),     cmocka_unit_test(test_junctions),
        cmocka_unit_test(test_holes_and_parts), cmocka_unit_test(test_poles_and_the_date_line),
        cmocka_unit_test(test_longest_edges),   cmocka_unit_test(test_same_polygon_twice),
        cmocka_unit_test(test_empty_coverage),  cmocka_unit_test(test_check_refuses),
        cmocka_unit_test(test_nearest_by_hand), cmocka_unit_test(test_nearest_at_random),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
