#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "services/demo/mesh.h"
#include "services/demo/noise.h"
#include "services/demo/split.h"
#include "services/demo/trace.h"
#include "tests/support/random.h"
#include <stdlib.h>

__extension__ typedef __int128 wide;

enum { POINTS = 400 };

static int64_t turn(struct gw_point a, struct gw_point b, struct gw_point c) {
    return ((int64_t)b.lon - a.lon) * ((int64_t)c.lat - a.lat) -
           ((int64_t)b.lat - a.lat) * ((int64_t)c.lon - a.lon);
}

// In the mesh's own scale, where longitudes count three quarters.
static bool in_circle(struct gw_point a, struct gw_point b, struct gw_point c, struct gw_point d) {
    const struct gw_point corners[3] = {a, b, c};
    wide x[3], y[3], square[3];
    for (int i = 0; i < 3; i++) {
        x[i] = 3 * ((int64_t)corners[i].lon - d.lon);
        y[i] = 4 * ((int64_t)corners[i].lat - d.lat);
        square[i] = x[i] * x[i] + y[i] * y[i];
    }
    return square[0] * (x[1] * y[2] - x[2] * y[1]) + square[1] * (x[2] * y[0] - x[0] * y[2]) +
               square[2] * (x[0] * y[1] - x[1] * y[0]) >
           0;
}

// Distinct points: on a coarse lattice, so that many lie on one line or one circle, or anywhere.
static void scatter(struct test_random *random, bool coarse, struct gw_point points[POINTS]) {
    for (uint32_t i = 0; i < POINTS; i++) {
        bool fresh = false;
        while (!fresh) {
            int64_t step = coarse ? 20000 : 1, range = coarse ? 15 : 6000000;
            points[i] = (struct gw_point){
                (int32_t)(1240000000 + step * test_random_range(random, -range, range)),
                (int32_t)(425000000 + step * test_random_range(random, -range, range))};
            fresh = true;
            for (uint32_t j = 0; j < i; j++) {
                // A nudged point must not land on another one either.
                fresh &= points[j].lon != points[i].lon || points[j].lat / 64 != points[i].lat / 64;
            }
        }
    }
}

static void check_triangulation(const struct gw_demo_mesh *mesh) {
    // Euler: a triangulation of n points within the three far corners has 2 n + 1 triangles.
    assert_int_equal(mesh->triangle_count, 2 * POINTS + 1);
    for (uint32_t t = 0; t < mesh->triangle_count; t++) {
        const struct gw_demo_triangle *triangle = &mesh->triangles[t];
        const uint32_t *c = triangle->corners;
        for (uint32_t i = 0; i < 3; i++) {
            uint32_t over = triangle->across[i], back = 0;
            if (over == UINT32_MAX) {
                assert_true(c[(i + 1) % 3] >= POINTS && c[(i + 2) % 3] >= POINTS);
                continue;
            }
            const struct gw_demo_triangle *near = &mesh->triangles[over];
            while (back < 3 && near->across[back] != t) {
                back++;
            }
            assert_true(back < 3);
            assert_int_equal(near->corners[(back + 1) % 3], c[(i + 2) % 3]);
            assert_int_equal(near->corners[(back + 2) % 3], c[(i + 1) % 3]);
        }
        if (c[0] >= POINTS || c[1] >= POINTS || c[2] >= POINTS) {
            continue;
        }
        const struct gw_point *p = mesh->points;
        assert_true(turn(p[c[0]], p[c[1]], p[c[2]]) > 0);
        for (uint32_t i = 0; i < POINTS; i++) {
            assert_false(in_circle(p[c[0]], p[c[1]], p[c[2]], p[i]));
        }
    }
}

static void test_triangulation_is_delaunay(void **state) {
    (void)state;
    struct test_random random = test_random_seeded("triangulation", 1);
    static struct gw_point points[POINTS];
    for (int round = 0; round < 8; round++) {
        struct gw_demo_arena arena = {0};
        struct gw_demo_mesh mesh;
        scatter(&random, round % 2 == 1, points);
        assert_int_equal(gw_demo_mesh_make(points, POINTS, &arena, &mesh), GW_OK);
        check_triangulation(&mesh);
        gw_demo_arena_free(&arena);
    }
}

static void test_equal_points_are_refused(void **state) {
    (void)state;
    // Nudged apart at most seven times: a pile of equal points cannot be placed.
    struct gw_point points[40];
    struct gw_demo_arena arena = {0};
    struct gw_demo_mesh mesh;
    for (int i = 0; i < 40; i++) {
        points[i] = (struct gw_point){1240000000, 425000000};
    }
    assert_int_equal(gw_demo_mesh_make(points, 40, &arena, &mesh), GW_EINTERNAL);
    gw_demo_arena_free(&arena);
}

// The cells within the box that holds the middle half of the points, as one region.
static uint32_t middle_region(const struct gw_demo_mesh *mesh, uint32_t labels[],
                              uint32_t cells[]) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < POINTS; i++) {
        bool inside = abs(mesh->points[i].lon - 1240000000) < 3500000 &&
                      abs(mesh->points[i].lat - 425000000) < 3500000;
        labels[i] = inside ? 0 : UINT32_MAX;
        if (inside) {
            cells[count++] = i;
        }
    }
    return count;
}

static void test_cut_makes_two_connected_parts(void **state) {
    (void)state;
    struct test_random random = test_random_seeded("cut", 2);
    static struct gw_point points[POINTS];
    static uint32_t labels[POINTS], cells[POINTS], parts[POINTS], sizes[POINTS], queue[POINTS];
    for (int round = 0; round < 20; round++) {
        struct gw_demo_arena arena = {0};
        struct gw_demo_mesh mesh;
        struct gw_demo_cutter cutter;
        scatter(&random, false, points);
        assert_int_equal(gw_demo_mesh_make(points, POINTS, &arena, &mesh), GW_OK);
        uint32_t count = middle_region(&mesh, labels, cells);
        assert_true(gw_demo_cutter_make(&cutter, &mesh.graph, points, &arena));
        // The region itself may come in parts: what is cut is the largest.
        (void)gw_demo_parts(&mesh.graph, labels, parts, sizes, queue);
        uint32_t best = parts[cells[0]];
        for (uint32_t i = 0; i < count; i++) {
            best = sizes[parts[cells[i]]] > sizes[best] ? parts[cells[i]] : best;
        }
        count = 0;
        for (uint32_t i = 0; i < POINTS; i++) {
            labels[i] = parts[i] == best ? 0 : UINT32_MAX;
            if (parts[i] == best) {
                cells[count++] = i;
            }
        }
        uint32_t target = 1 + (uint32_t)test_random_range(&random, 0, (int64_t)count / 2);
        uint32_t size = gw_demo_cut(&cutter, cells, count, target, 1, 1);
        assert_true(size >= 1 && size < count);
        for (uint32_t i = 0; i < count; i++) {
            assert_int_equal(labels[cells[i]], 0); // no cell lost, none twice
            labels[cells[i]] = i < size ? 1 : 2;
        }
        uint32_t found = gw_demo_parts(&mesh.graph, labels, parts, sizes, queue), of_region = 0;
        for (uint32_t part = 0; part < found; part++) {
            for (uint32_t i = 0; i < POINTS; i++) {
                if (parts[i] == part) {
                    of_region += labels[i] != UINT32_MAX;
                    break;
                }
            }
        }
        assert_int_equal(of_region, 2);
        assert_int_equal(gw_demo_cut(&cutter, cells, size, 1, size, 1), 0); // impossible
        assert_int_equal(gw_demo_cut(&cutter, cells, 0, 0, 0, 0), 0);
        gw_demo_arena_free(&arena);
    }
}

static void test_connect_leaves_one_part_a_region(void **state) {
    (void)state;
    struct test_random random = test_random_seeded("connect", 3);
    static struct gw_point points[POINTS];
    static uint32_t labels[POINTS], groups[POINTS], parts[POINTS], sizes[POINTS], queue[POINTS];
    for (int round = 0; round < 10; round++) {
        struct gw_demo_arena arena = {0};
        struct gw_demo_mesh mesh;
        scatter(&random, false, points);
        assert_int_equal(gw_demo_mesh_make(points, POINTS, &arena, &mesh), GW_OK);
        for (uint32_t i = 0; i < POINTS; i++) {
            groups[i] = points[i].lon > 1240000000; // two halves: connected
            labels[i] = 3 * groups[i] + (uint32_t)test_random_range(&random, 0, 2);
        }
        assert_true(gw_demo_connect(&mesh.graph, groups, labels, 6, &arena));
        bool seen[6] = {false};
        uint32_t used = 0;
        for (uint32_t i = 0; i < POINTS; i++) {
            assert_int_equal(labels[i] / 3, groups[i]);
            used += !seen[labels[i]];
            seen[labels[i]] = true;
        }
        assert_int_equal(gw_demo_parts(&mesh.graph, labels, parts, sizes, queue), used);
        gw_demo_arena_free(&arena);
    }
}

static void test_trace_turns_rings_the_right_way(void **state) {
    (void)state;
    struct test_random random = test_random_seeded("trace", 4);
    static struct gw_point points[POINTS];
    static uint32_t labels[POINTS], cells[POINTS];
    for (int round = 0; round < 10; round++) {
        struct gw_demo_arena arena = {0}, out = {0};
        struct gw_demo_mesh mesh;
        struct gw_coverage coverage;
        scatter(&random, false, points);
        assert_int_equal(gw_demo_mesh_make(points, POINTS, &arena, &mesh), GW_OK);
        uint32_t count = middle_region(&mesh, labels, cells);
        for (uint32_t i = 0; i < count; i++) { // any patchwork: parts, holes, islands in holes
            labels[cells[i]] = i < 3 ? i : (uint32_t)test_random_range(&random, 0, 2);
        }
        assert_int_equal(gw_demo_trace(&mesh, 7, labels, 3, &arena, &out, &coverage), GW_OK);
        assert_int_equal(gw_coverage_check(&coverage), GW_OK);
        for (uint32_t i = 0; i < count; i++) {
            assert_int_equal(gw_coverage_owner(&coverage, points[cells[i]]), labels[cells[i]]);
        }
        gw_demo_arena_free(&arena);
        gw_demo_arena_free(&out);
    }
}

static void test_noise_is_bounded_and_smooth(void **state) {
    (void)state;
    int64_t before = 0;
    for (int64_t x = 0; x < 20000; x += 10) {
        int64_t value = gw_demo_noise(5, x, 777, 1000, 500);
        assert_in_range(value + 500, 0, 1000);
        assert_true(x == 0 || llabs(value - before) <= 25); // at most 1.5 x 2 amplitudes a square
        before = value;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_triangulation_is_delaunay),
        cmocka_unit_test(test_equal_points_are_refused),
        cmocka_unit_test(test_cut_makes_two_connected_parts),
        cmocka_unit_test(test_connect_leaves_one_part_a_region),
        cmocka_unit_test(test_trace_turns_rings_the_right_way),
        cmocka_unit_test(test_noise_is_bounded_and_smooth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
