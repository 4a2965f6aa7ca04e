// Label points lie inside, on no border, well away from it where there is room; by a test that
// shares no code with the search.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "geo/label_point.h"
#include "geo/testing_coverage.h"
#include <math.h>

enum { ROUNDS = 40, SAMPLES = 300, EXHAUSTIVE = 60 };

__extension__ typedef __int128 wide;

static struct test_coverage coverage;
static struct gw_point points[200000];

static void set_points(void) {
    test_coverage_finish(&coverage, NULL);
    assert_int_equal(gw_coverage_check(&coverage.view), GW_OK);
    assert_true(coverage.view.grid_count <= sizeof(points) / sizeof(points[0]));
    assert_int_equal(gw_label_points(&coverage.view, points), GW_OK);
}

// ---- the reference: one ring, 128 bits ----

enum standing { OUT, BORDER, IN };

static enum standing stands(uint32_t ring, struct gw_point p) {
    const struct gw_point *v = &coverage.vertices[coverage.ring_vertices[ring]];
    uint32_t count = coverage.ring_vertices[ring + 1] - coverage.ring_vertices[ring];
    bool inside = false;
    for (uint32_t i = 0; i < count; i++) {
        struct gw_point a = v[i], b = v[(i + 1) % count];
        wide cross = ((wide)b.lon - a.lon) * ((wide)p.lat - a.lat) -
                     ((wide)b.lat - a.lat) * ((wide)p.lon - a.lon);
        wide between = ((wide)a.lon - p.lon) * ((wide)b.lon - p.lon) +
                       ((wide)a.lat - p.lat) * ((wide)b.lat - p.lat);
        if (cross == 0 && between <= 0) {
            return BORDER;
        }
        if ((a.lat > p.lat) != (b.lat > p.lat) && (cross > 0) == (b.lat > a.lat)) {
            inside = !inside;
        }
    }
    return inside ? IN : OUT;
}

// Whether a point is inside a polygon of the grid, and on no border of that polygon.
static bool inside_grid(uint32_t grid, struct gw_point p) {
    bool inside = false;
    for (uint32_t ring = coverage.grid_rings[grid]; ring < coverage.grid_rings[grid + 1]; ring++) {
        bool shell = coverage.ring_kinds[ring] == GW_RING_SHELL;
        if (shell && inside) {
            return true;
        }
        enum standing standing = stands(ring, p);
        inside = shell ? standing == IN : inside && standing == OUT;
    }
    return inside;
}

// ---- shapes by hand ----

#define RING(kind, ...)                                                                            \
    do {                                                                                           \
        static const struct gw_point ring[] = {__VA_ARGS__};                                       \
        assert_true(test_coverage_ring(&coverage, kind, ring, sizeof(ring) / sizeof(ring[0])));    \
    } while (0)

static void begin(void) {
    test_coverage_init(&coverage);
    test_coverage_grid(&coverage);
}

static int end(void **state) {
    (void)state;
    test_coverage_deinit(&coverage);
    return 0;
}

static void expect_near(int32_t lon, int32_t lat, int32_t by) {
    set_points();
    assert_true(inside_grid(0, points[0]));
    if (abs(points[0].lon - lon) > by || abs(points[0].lat - lat) > by) {
        fail_msg("%d %d instead of about %d %d", points[0].lon, points[0].lat, lon, lat);
    }
}

static void test_middle_of_a_square(void **state) {
    (void)state;
    begin();
    RING(GW_RING_SHELL, {0, 0}, {10000, 0}, {10000, 10000}, {0, 10000});
    expect_near(5000, 5000, 500);
}

static void test_leg_of_a_u(void **state) {
    (void)state;
    begin(); // a thick left leg, a thin right one
    RING(GW_RING_SHELL, {0, 0}, {9000, 0}, {9000, 9000}, {8500, 9000}, {8500, 500}, {4000, 500},
         {4000, 9000}, {0, 9000});
    set_points();
    assert_true(inside_grid(0, points[0]));
    assert_in_range(points[0].lon, 1500, 2500);
}

static void test_beside_a_hole(void **state) {
    (void)state;
    begin();
    RING(GW_RING_SHELL, {0, 0}, {10000, 0}, {10000, 10000}, {0, 10000});
    RING(GW_RING_HOLE, {1000, 1000}, {7000, 1000}, {7000, 9000}, {1000, 9000});
    set_points();
    assert_true(inside_grid(0, points[0]));
    assert_in_range(points[0].lon, 8000, 9000);
}

static void test_largest_of_several(void **state) {
    (void)state;
    begin(); // the second shell is larger, but for its hole
    RING(GW_RING_SHELL, {0, 0}, {1000, 0}, {1000, 1000}, {0, 1000});
    RING(GW_RING_SHELL, {20000, 0}, {29000, 0}, {29000, 9000}, {20000, 9000});
    RING(GW_RING_HOLE, {20100, 100}, {28900, 100}, {28900, 8900}, {20100, 8900});
    RING(GW_RING_SHELL, {40000, 0}, {44000, 0}, {44000, 4000}, {40000, 4000});
    expect_near(42000, 2000, 300);
}

static void test_a_body_with_a_needle(void **state) {
    (void)state;
    begin(); // nearly all of the height is one unit wide: no lattice point inside
    RING(GW_RING_SHELL, {0, 0}, {3000, 0}, {3000, 3000}, {1501, 3000}, {1501, 800000000},
         {1500, 800000000}, {1500, 3000}, {0, 3000});
    expect_near(1500, 1500, 700);
}

static void test_no_lattice_point_inside(void **state) {
    (void)state;
    begin();
    RING(GW_RING_SHELL, {-5, -5}, {-4, -5}, {-4, 1000}, {-5, 1000});
    set_points();
    assert_int_equal(stands(0, points[0]), BORDER);
    test_coverage_deinit(&coverage);
    begin(); // a triangle with one lattice point inside
    RING(GW_RING_SHELL, {0, 0}, {2, 1}, {1, 2});
    expect_near(1, 1, 0);
}

static void test_notches_and_flats_on_a_line(void **state) {
    (void)state;
    begin(); // 2 high: the only row inside has a notch's tip, a hole's corner and a flat on it
    RING(GW_RING_SHELL, {0, 0}, {9, 0}, {10, 1}, {11, 0}, {20, 0}, {20, 1}, {30, 1}, {30, 2},
         {0, 2});
    set_points();
    assert_true(inside_grid(0, points[0]));
    assert_int_equal(points[0].lat, 1);
    assert_true(points[0].lon < 20 && points[0].lon != 10);
}

static void test_the_whole_world(void **state) {
    (void)state;
    begin();
    RING(GW_RING_SHELL, {-GW_LON_MAX, -GW_LAT_MAX}, {GW_LON_MAX, -GW_LAT_MAX},
         {GW_LON_MAX, GW_LAT_MAX}, {-GW_LON_MAX, GW_LAT_MAX});
    expect_near(0, 0, 200000000);
}

// ---- at random ----

static double clearance(uint32_t grid, struct gw_point p) {
    double nearest = 1e300;
    for (uint32_t ring = coverage.grid_rings[grid]; ring < coverage.grid_rings[grid + 1]; ring++) {
        const struct gw_point *v = &coverage.vertices[coverage.ring_vertices[ring]];
        uint32_t count = coverage.ring_vertices[ring + 1] - coverage.ring_vertices[ring];
        for (uint32_t i = 0; i < count; i++) {
            struct gw_point a = v[i], b = v[(i + 1) % count];
            double w = cos(gw_degrees(coverage.boxes[grid].min.lat) * 0.017453292519943295);
            double ex = ((double)b.lon - a.lon) * w, ey = (double)b.lat - a.lat;
            double px = ((double)p.lon - a.lon) * w, py = (double)p.lat - a.lat;
            double t = (px * ex + py * ey) / (ex * ex + ey * ey);
            t = t < 0 ? 0 : t > 1 ? 1 : t;
            double away = (px - t * ex) * (px - t * ex) + (py - t * ey) * (py - t * ey);
            nearest = away < nearest ? away : nearest;
        }
    }
    return nearest;
}

static struct gw_point draw_in(struct gw_box box, struct test_random *random) {
    return (struct gw_point){(int32_t)test_random_range(random, box.min.lon, box.max.lon),
                             (int32_t)test_random_range(random, box.min.lat, box.max.lat)};
}

static bool is_vertex(uint32_t grid, struct gw_point p) {
    uint32_t begin = coverage.ring_vertices[coverage.grid_rings[grid]];
    uint32_t stop = coverage.ring_vertices[coverage.grid_rings[grid + 1]];
    for (uint32_t i = begin; i < stop; i++) {
        if (coverage.vertices[i].lon == p.lon && coverage.vertices[i].lat == p.lat) {
            return true;
        }
    }
    return false;
}

static bool small(struct gw_box box) {
    return (int64_t)box.max.lon - box.min.lon <= EXHAUSTIVE &&
           (int64_t)box.max.lat - box.min.lat <= EXHAUSTIVE;
}

static uint32_t shells(uint32_t grid) {
    uint32_t count = 0;
    for (uint32_t ring = coverage.grid_rings[grid]; ring < coverage.grid_rings[grid + 1]; ring++) {
        count += coverage.ring_kinds[ring] == GW_RING_SHELL;
    }
    return count;
}

// A grid whose point is on its border: no lattice point is inside, as far as can be seen.
static void check_thin(uint32_t grid, struct test_random *random) {
    struct gw_box box = coverage.boxes[grid];
    assert_true(is_vertex(grid, points[grid]));
    for (int i = 0; i < SAMPLES; i++) {
        assert_false(inside_grid(grid, draw_in(box, random)));
    }
    for (int64_t lat = box.min.lat; small(box) && shells(grid) == 1 && lat <= box.max.lat; lat++) {
        for (int64_t lon = box.min.lon; lon <= box.max.lon; lon++) {
            assert_false(inside_grid(grid, (struct gw_point){(int32_t)lon, (int32_t)lat}));
        }
    }
}

// How many of the sampled points are more than twice as far from the border.
static uint32_t far_better(uint32_t grid, struct test_random *random) {
    double own = clearance(grid, points[grid]);
    uint32_t better = 0;
    for (int i = 0; i < SAMPLES; i++) {
        struct gw_point p = draw_in(coverage.boxes[grid], random);
        better += inside_grid(grid, p) && clearance(grid, p) > 4 * own;
    }
    return better;
}

static void test_random_coverages(void **state) {
    (void)state;
    struct test_random random = test_random_seeded("label points", 11);
    uint32_t grids = 0, inside = 0, poor = 0, measured = 0;
    for (int round = 0; round < ROUNDS * TEST_KINDS; round++) {
        enum test_kind kind = (enum test_kind)(round % TEST_KINDS);
        test_coverage_init(&coverage);
        test_coverage_draw(&coverage, kind, &random);
        set_points();
        for (uint32_t i = 0; i < coverage.view.grid_count; i++) {
            bool in = inside_grid(i, points[i]);
            grids++;
            inside += in;
            if (!in) {
                check_thin(i, &random);
            }
            if (in && !small(coverage.boxes[i]) && kind == TEST_PARTITION && shells(i) == 1 &&
                measured < 3000) {
                measured++;
                poor += far_better(i, &random) > 0;
            }
        }
        test_coverage_deinit(&coverage);
    }
    print_message("%u of %u inside, %u of %u poor\n", inside, grids, poor, measured);
    assert_true(inside > grids / 2);
    assert_true(measured > 100 && poor * 20 < measured);
}

// Of the grid's own rings: where others are, and where it stands among them, changes nothing.
static void test_depends_on_its_own_rings(void **state) {
    (void)state;
    struct test_random random = test_random_seeded("own rings", 4);
    static struct gw_point alone[1];
    test_coverage_init(&coverage);
    test_coverage_draw(&coverage, TEST_PARTITION, &random);
    set_points();
    for (uint32_t i = 0; i < coverage.view.grid_count; i++) {
        struct gw_coverage one = coverage.view;
        uint32_t first = coverage.grid_rings[i], ring_count = coverage.grid_rings[i + 1] - first;
        uint32_t grid_rings[2] = {0, ring_count}, rings[64] = {0}, rank = 0;
        assert_true(ring_count < 64);
        for (uint32_t r = 0; r <= ring_count; r++) {
            rings[r] = coverage.ring_vertices[first + r] - coverage.ring_vertices[first];
        }
        one.grid_count = 1;
        one.ring_count = ring_count;
        one.vertex_count = rings[ring_count];
        one.grid_rings = grid_rings;
        one.ring_vertices = rings;
        one.ring_kinds = &coverage.ring_kinds[first];
        one.vertices = &coverage.vertices[coverage.ring_vertices[first]];
        one.code_ranks = &rank;
        assert_int_equal(gw_label_points(&one, alone), GW_OK);
        assert_memory_equal(alone, &points[i], sizeof(alone[0]));
    }
}

static void test_no_grids(void **state) {
    (void)state;
    static const uint32_t zero[1] = {0};
    struct gw_coverage none = {.grid_rings = zero, .ring_vertices = zero};
    assert_int_equal(gw_label_points(&none, NULL), GW_OK);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_middle_of_a_square, end),
        cmocka_unit_test_teardown(test_leg_of_a_u, end),
        cmocka_unit_test_teardown(test_beside_a_hole, end),
        cmocka_unit_test_teardown(test_largest_of_several, end),
        cmocka_unit_test_teardown(test_a_body_with_a_needle, end),
        cmocka_unit_test_teardown(test_no_lattice_point_inside, end),
        cmocka_unit_test_teardown(test_notches_and_flats_on_a_line, end),
        cmocka_unit_test_teardown(test_the_whole_world, end),
        cmocka_unit_test(test_random_coverages),
        cmocka_unit_test_teardown(test_depends_on_its_own_rings, end),
        cmocka_unit_test(test_no_grids),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
