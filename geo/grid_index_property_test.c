// The grid index against the full ray casting, on random coverages of every kind, at the places
// where geometry goes wrong: every vertex and its neighbours, the lattice points round the middle
// of every edge, the corners of the index's cells, all points of small coverages, random points.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "geo/grid_index.h"
#include "geo/testing_coverage.h"

#define ROUNDS 250
#define POINTS_MAX 60000u
#define WORK_MAX 4000000u

struct points {
    struct gw_point items[POINTS_MAX];
    size_t count;
};

static void add(struct points *points, int64_t lon, int64_t lat) {
    if (points->count < POINTS_MAX && lon >= -GW_LON_MAX && lon <= GW_LON_MAX &&
        lat >= -GW_LAT_MAX && lat <= GW_LAT_MAX) {
        points->items[points->count++] = (struct gw_point){(int32_t)lon, (int32_t)lat};
    }
}

static void add_around(struct points *points, int64_t lon, int64_t lat) {
    for (int i = 0; i < 9; i++) {
        add(points, lon + i % 3 - 1, lat + i / 3 - 1);
    }
}

static void add_borders(struct points *points, const struct gw_coverage *coverage) {
    for (uint32_t r = 0; r < coverage->ring_count; r++) {
        uint32_t begin = coverage->ring_vertices[r], end = coverage->ring_vertices[r + 1];
        for (uint32_t i = begin; i < end; i++) {
            struct gw_point a = coverage->vertices[i];
            struct gw_point b = coverage->vertices[i + 1 < end ? i + 1 : begin];
            add_around(points, a.lon, a.lat);
            add_around(points, ((int64_t)a.lon + b.lon) / 2, ((int64_t)a.lat + b.lat) / 2);
        }
    }
}

static struct gw_box box_of(const struct test_coverage *coverage) {
    struct gw_box all = coverage->boxes[0];
    for (uint32_t i = 1; i < coverage->view.grid_count; i++) {
        struct gw_box box = coverage->boxes[i];
        all.min.lon = box.min.lon < all.min.lon ? box.min.lon : all.min.lon;
        all.min.lat = box.min.lat < all.min.lat ? box.min.lat : all.min.lat;
        all.max.lon = box.max.lon > all.max.lon ? box.max.lon : all.max.lon;
        all.max.lat = box.max.lat > all.max.lat ? box.max.lat : all.max.lat;
    }
    return all;
}

static void add_inside(struct points *points, struct gw_box box, struct test_random *random) {
    int64_t width = (int64_t)box.max.lon - box.min.lon, height = (int64_t)box.max.lat - box.min.lat;
    if (width <= 60 && height <= 60) {
        for (int64_t y = -2; y <= height + 2; y++) {
            for (int64_t x = -2; x <= width + 2; x++) {
                add(points, box.min.lon + x, box.min.lat + y);
            }
        }
        return;
    }
    for (int i = 0; i < 1000; i++) {
        add(points, test_random_range(random, box.min.lon - width / 8, box.max.lon + width / 8),
            test_random_range(random, box.min.lat - height / 8, box.max.lat + height / 8));
    }
}

static void add_cells(struct points *points, const struct gw_grid_index *index,
                      struct test_random *random) {
    for (int i = 0; i < 100; i++) {
        uint32_t fine = index->cell_shift >= 4 ? index->cell_shift - 4 : 0;
        int64_t across = test_random_range(random, 0, ((int64_t)index->cols + 1) << 4);
        int64_t up = test_random_range(random, 0, ((int64_t)index->rows + 1) << 4);
        add_around(points, index->origin.lon + (across << fine), index->origin.lat + (up << fine));
    }
}

// The ray casting asks every edge of every grid whose box holds the point: for large coverages each
// nth point has to do, so that a round takes no longer than others.
static void thin_out(struct points *points, const struct gw_coverage *coverage) {
    size_t step = 1 + points->count * coverage->vertex_count / WORK_MAX;
    for (size_t i = 0; i * step < points->count; i++) {
        points->items[i] = points->items[i * step];
    }
    points->count = (points->count + step - 1) / step;
}

static void compare(const struct test_coverage *coverage, const struct gw_grid_index *index,
                    const struct points *points) {
    static uint32_t owners[POINTS_MAX];
    gw_grid_index_locate_batch(index, points->items, points->count, owners);
    for (size_t i = 0; i < points->count; i++) {
        struct gw_point p = points->items[i];
        uint32_t expected =
            gw_coverage_owner_within(&coverage->view, coverage->boxes, gw_point_normal(p));
        uint32_t found = gw_grid_index_locate(index, p);
        if (found != expected || owners[i] != expected) {
            print_error("point %d %d: expected %u, found %u, in a batch %u\n", p.lon, p.lat,
                        expected, found, owners[i]);
            fail();
        }
    }
}

static struct gw_grid_index_options draw_options(struct test_random *random) {
    static const uint32_t edges[] = {0, 0, 2, 3, 8, 100000};
    struct gw_grid_index_options options = {0};
    options.leaf_edges_max = edges[test_random_range(random, 0, 5)];
    if (test_random_range(random, 0, 11) == 0) {
        options.leaf_edges_max = 1; // splits down to the smallest cells at every vertex
    }
    if (test_random_range(random, 0, 2) == 0) {
        options.bytes_max = (uint64_t)test_random_range(random, 4096, 1 << 20);
    }
    return options;
}

static void check_once(enum test_kind kind, struct test_random *random) {
    static struct points points;
    struct test_coverage coverage;
    test_coverage_draw(&coverage, kind, random);
    assert_int_equal(gw_coverage_check(&coverage.view), GW_OK);
    struct gw_grid_index_options options = draw_options(random);
    unsigned char *bytes = NULL;
    uint64_t size = 0;
    gw_err err = gw_grid_index_build(&coverage.view, &options, &bytes, &size);
    if (err == GW_ENOSPC && options.bytes_max != 0) { // it was told to be too small
        options.bytes_max = 0;
        err = gw_grid_index_build(&coverage.view, &options, &bytes, &size);
    }
    assert_int_equal(err, GW_OK);
    assert_true(options.bytes_max == 0 || size <= options.bytes_max);
    struct gw_grid_index index;
    assert_int_equal(gw_grid_index_open(bytes, size, &index), GW_OK);
    points.count = 0;
    add_inside(&points, box_of(&coverage), random);
    add_cells(&points, &index, random);
    add_borders(&points, &coverage.view);
    thin_out(&points, &coverage.view);
    compare(&coverage, &index, &points);
    free(bytes);
    test_coverage_deinit(&coverage);
}

static void check_kind(enum test_kind kind) {
    struct test_random random = test_random_seeded(test_kind_name(kind), 20240601u + kind);
    for (int i = 0; i < ROUNDS; i++) {
        check_once(kind, &random);
    }
}

static void test_partition(void **state) {
    (void)state;
    check_kind(TEST_PARTITION);
}

static void test_loose(void **state) {
    (void)state;
    check_kind(TEST_LOOSE);
}

static void test_random_polygons(void **state) {
    (void)state;
    check_kind(TEST_RANDOM);
}

static void test_nested(void **state) {
    (void)state;
    check_kind(TEST_NESTED);
}

static void test_fan(void **state) {
    (void)state;
    check_kind(TEST_FAN);
}

static void test_repeated(void **state) {
    (void)state;
    check_kind(TEST_REPEATED);
}

static void test_world(void **state) {
    (void)state;
    check_kind(TEST_WORLD);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_partition),
        cmocka_unit_test(test_loose),
        cmocka_unit_test(test_random_polygons),
        cmocka_unit_test(test_nested),
        cmocka_unit_test(test_fan),
        cmocka_unit_test(test_repeated),
        cmocka_unit_test(test_world),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
