// The demo city through the grid index, point by point against an oracle that shares nothing with
// it: random points inside, every vertex, and the lattice points around every edge's midpoint, also
// on the outer border. All of them in an optimised build, a
// share of them elsewhere.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "geo/grid_index.h"
#include "services/demo/city.h"
#include "tests/e2e/demo_oracle.h"
#include "tests/support/random.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SHARE = 40, STEP = 4 };
#elif defined(__OPTIMIZE__)
enum { SHARE = 1, STEP = 1 };
#else
enum { SHARE = 10, STEP = 1 };
#endif
enum { RANDOM_POINTS = 1000000 / SHARE, BATCH = 4096 };

static struct gw_city *city;
static struct gw_grid_index grid_index;
static unsigned char *index_bytes;
static struct demo_oracle oracle;

// Points wait until a batch is full.
struct queue {
    struct gw_point points[BATCH];
    uint32_t owners[BATCH], count;
    uint64_t checked, at_outer_border, outside;
};
static struct queue queue;

static int make_index(void **state) {
    (void)state;
    struct gw_error error = {0};
    uint64_t size = 0;
    if (gw_city_create(1, &city, &error) != GW_OK) {
        print_error("%s\n", error.text);
        return -1;
    }
    if (gw_grid_index_build(&city->coverage, NULL, &index_bytes, &size) != GW_OK ||
        gw_grid_index_open(index_bytes, size, &grid_index) != GW_OK ||
        !demo_oracle_make(&oracle, &city->coverage)) {
        return -1;
    }
    print_message("# %u grids, %u vertices, index of %llu bytes\n", city->grid_count,
                  city->coverage.vertex_count, (unsigned long long)size);
    return 0;
}

static int drop_index(void **state) {
    (void)state;
    demo_oracle_free(&oracle);
    free(index_bytes);
    gw_city_destroy(city);
    return 0;
}

static void fail_at(struct gw_point point, uint32_t got, uint32_t expected) {
    print_error("at %d %d: the index says %s, the oracle %s\n", point.lon, point.lat,
                got == GW_GRID_NONE ? "nobody" : city->grids[got].code,
                expected == GW_GRID_NONE ? "nobody" : city->grids[expected].code);
    fail();
}

// Asks for all that wait, in a batch and one by one.
static void flush(void) {
    gw_grid_index_locate_batch(&grid_index, queue.points, queue.count, queue.owners);
    for (uint32_t i = 0; i < queue.count; i++) {
        uint32_t holders = 0;
        bool closed = false;
        uint32_t expected = demo_oracle_owner(&oracle, queue.points[i], &holders, &closed);
        uint32_t one = gw_grid_index_locate(&grid_index, queue.points[i]);
        if (one != expected || queue.owners[i] != expected) {
            fail_at(queue.points[i], one != expected ? one : queue.owners[i], expected);
        }
        // Never two, and nobody only where the outline of the whole city has nobody either.
        if (holders > 1 ||
            (holders == 0 && demo_oracle_holds(&city->outline, 0, queue.points[i]))) {
            fail_at(queue.points[i], one, expected);
        }
        queue.at_outer_border += closed;
        queue.outside += expected == GW_GRID_NONE;
    }
    queue.checked += queue.count;
    queue.count = 0;
}

static void ask(struct gw_point point) {
    queue.points[queue.count++] = point;
    if (queue.count == BATCH) {
        flush();
    }
}

static void start(void) {
    queue.count = 0;
    queue.checked = queue.at_outer_border = queue.outside = 0;
}

static void test_random_points_inside(void **state) {
    (void)state;
    struct test_random random = test_random_seeded("random points", 2026);
    start();
    for (uint32_t found = 0; found < RANDOM_POINTS;) {
        struct gw_point point = {
            (int32_t)test_random_range(&random, oracle.all.min.lon, oracle.all.max.lon),
            (int32_t)test_random_range(&random, oracle.all.min.lat, oracle.all.max.lat)};
        uint32_t holders = 0;
        bool closed = false;
        (void)demo_oracle_owner(&oracle, point, &holders, &closed);
        if (holders > 0) {
            ask(point);
            found++;
        }
    }
    flush();
    assert_int_equal(queue.checked, RANDOM_POINTS);
    assert_int_equal(queue.outside, 0);
}

static void test_every_vertex(void **state) {
    (void)state;
    start();
    for (uint32_t i = 0; i < city->coverage.vertex_count; i += STEP) {
        ask(city->coverage.vertices[i]);
    }
    flush();
    assert_true(queue.checked >= city->coverage.vertex_count / STEP);
    assert_int_equal(queue.outside, 0); // the closed border answers where the shifted point is out
    assert_true(queue.at_outer_border > 100);
}

// The middle of an edge lies on the lattice or between two or four points of it: the nine around
// the rounded middle are on the edge, or to either side of it by a unit or two.
static void ask_around_middle(struct gw_point a, struct gw_point b) {
    int32_t lon = (int32_t)(((int64_t)a.lon + b.lon) / 2);
    int32_t lat = (int32_t)(((int64_t)a.lat + b.lat) / 2);
    for (int32_t east = -1; east <= 1; east++) {
        for (int32_t north = -1; north <= 1; north++) {
            ask((struct gw_point){lon + east, lat + north});
        }
    }
}

static void ask_edges(const struct gw_coverage *coverage, uint32_t step) {
    for (uint32_t r = 0; r < coverage->ring_count; r++) {
        uint32_t first = coverage->ring_vertices[r], end = coverage->ring_vertices[r + 1];
        for (uint32_t i = first; i < end; i++) {
            if (i % step == 0) {
                ask_around_middle(coverage->vertices[i],
                                  coverage->vertices[i + 1 < end ? i + 1 : first]);
            }
        }
    }
}

static void test_every_edge(void **state) {
    (void)state;
    start();
    ask_edges(&city->coverage, SHARE);
    flush();
    assert_true(queue.checked * SHARE >= (uint64_t)9 * city->coverage.vertex_count - 9 * SHARE);
}

static void test_outer_border(void **state) {
    (void)state;
    start();
    ask_edges(&city->outline, STEP);
    flush();
    assert_true(queue.checked >= 9 * city->outline.vertex_count / STEP);
    assert_in_range(queue.outside, queue.checked / 9, queue.checked / 9 * 8);
}

static void test_far_away_nobody_answers(void **state) {
    (void)state;
    const struct gw_point points[] = {{0, 0},
                                      {oracle.all.min.lon - 1, oracle.all.min.lat - 1},
                                      {oracle.all.max.lon + 1, oracle.all.max.lat + 1},
                                      {-GW_LON_MAX, -GW_LAT_MAX},
                                      {GW_LON_MAX - 1, GW_LAT_MAX}};
    for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++) {
        assert_int_equal(gw_grid_index_locate(&grid_index, points[i]), GW_GRID_NONE);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_points_inside),
        cmocka_unit_test(test_every_vertex),
        cmocka_unit_test(test_every_edge),
        cmocka_unit_test(test_outer_border),
        cmocka_unit_test(test_far_away_nobody_answers),
    };
    return cmocka_run_group_tests(tests, make_index, drop_index);
}
