#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "geo/tiles/mercator.h"
#include "tests/support/random.h"

#include <math.h>

#define PI 3.14159265358979323846264338327950288L
#define EDGE 850511287 // the last latitude that is not on the edge of the world

// World units south of the north edge, by libm in extended precision.
static long double oracle_y(int32_t lat) {
    long double phi = (long double)lat * PI / 180.0L / 1e7L;
    return (0.5L - atanhl(sinl(phi)) / (2.0L * PI)) * (long double)GW_WORLD_SIZE;
}

// The nearest integer; where the true value lies within 1e-5 of a half, either neighbour.
static void check_latitude(int32_t lat) {
    int32_t y = gw_mercator_project((struct gw_point){0, lat}).y;
    long double off = fabsl(oracle_y(lat) - (long double)y);
    if (off > 0.5L + 1e-5L) {
        fail_msg("latitude %d: %d, but it is %.6Lf", lat, y, oracle_y(lat));
    }
    assert_int_equal(gw_mercator_project((struct gw_point){0, -lat}).y, GW_WORLD_SIZE - y);
}

static void latitudes_agree_with_libm(void **state) {
    (void)state;
    struct test_random random = test_random_seeded("mercator latitudes", 20);
    for (int32_t lat = -EDGE; lat <= EDGE - 3001; lat += 3001) {
        check_latitude(lat);
    }
    for (int i = 0; i < 200000; i++) {
        check_latitude((int32_t)test_random_range(&random, -EDGE, EDGE));
    }
    for (int32_t lat = 0; lat < 1000; lat++) {
        check_latitude(lat);
        check_latitude(EDGE - lat);
    }
}

static void latitudes_never_turn_back(void **state) {
    (void)state;
    struct test_random random = test_random_seeded("mercator order", 21);
    for (int i = 0; i < 200; i++) {
        int32_t lat = (int32_t)test_random_range(&random, -GW_LAT_MAX, GW_LAT_MAX - 1000);
        int32_t before = GW_WORLD_SIZE;
        for (int32_t step = 0; step < 1000; step++) {
            int32_t y = gw_mercator_project((struct gw_point){0, lat + step}).y;
            assert_true(y <= before);
            before = y;
        }
    }
}

static void known_places(void **state) {
    (void)state;
    static const struct {
        struct gw_point point;
        struct gw_world_point world;
    } rows[] = {
        {{0, 0}, {1 << 29, 1 << 29}},
        {{-GW_LON_MAX, EDGE + 1}, {0, 0}},
        {{GW_LON_MAX, -EDGE - 1}, {1 << 30, 1 << 30}},
        {{-GW_LON_MAX, GW_LAT_MAX}, {0, 0}},
        {{GW_LON_MAX, -GW_LAT_MAX}, {1 << 30, 1 << 30}},
        {{900000000, 0}, {3 << 28, 1 << 29}},
        {{1, 0}, {1 << 29, 1 << 29}},
        {{2, 2}, {(1 << 29) + 1, (1 << 29) - 1}}, // 0.596 units
        {{-2, -2}, {(1 << 29) - 1, (1 << 29) + 1}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct gw_world_point world = gw_mercator_project(rows[i].point);
        assert_int_equal(world.x, rows[i].world.x);
        assert_int_equal(world.y, rows[i].world.y);
    }
}

static void there_and_back(void **state) {
    (void)state;
    struct test_random random = test_random_seeded("mercator round trip", 22);
    for (int i = 0; i < 20000; i++) {
        struct gw_world_point world = {(int32_t)test_random_range(&random, 0, GW_WORLD_SIZE),
                                       (int32_t)test_random_range(&random, 0, GW_WORLD_SIZE)};
        struct gw_point point = gw_mercator_unproject(world);
        assert_true(gw_point_valid(point));
        struct gw_world_point again = gw_mercator_project(point);
        // Near the equator lattice points are closer than world units; at 85 degrees one lattice
        // step of latitude is 3.5 of them.
        assert_true(again.x == world.x);
        assert_true(labs((long)again.y - world.y) <= 2);
        for (int32_t step = -1; step <= 1; step += 2) {
            long double near = fabsl(oracle_y(point.lat) - (long double)world.y);
            long double other = fabsl(oracle_y(point.lat + step) - (long double)world.y);
            assert_true(near <= other + 1e-5L || point.lat + step > EDGE ||
                        point.lat + step < -EDGE);
        }
    }
}

static void tiles_and_their_boxes(void **state) {
    (void)state;
    assert_true(gw_tile_id_valid((struct gw_tile_id){0, 0, 0}));
    assert_false(gw_tile_id_valid((struct gw_tile_id){0, 1, 0}));
    assert_true(gw_tile_id_valid((struct gw_tile_id){18, (1 << 18) - 1, 0}));
    assert_false(gw_tile_id_valid((struct gw_tile_id){18, 0, 1 << 18}));
    assert_false(gw_tile_id_valid((struct gw_tile_id){19, 0, 0}));
    assert_false(gw_tile_id_valid((struct gw_tile_id){UINT32_MAX, 0, 0}));

    struct gw_world_box box = gw_tile_box((struct gw_tile_id){0, 0, 0}, GW_TILE_BUFFER);
    assert_int_equal(box.min.x, -(64 << 18));
    assert_int_equal(box.max.y, (1 << 30) + (64 << 18));
    box = gw_tile_box((struct gw_tile_id){18, 3, 5}, 1);
    assert_int_equal(box.min.x, 3 * 4096 - 1);
    assert_int_equal(box.max.y, 6 * 4096 + 1);

    struct gw_box world = gw_tile_lattice_box((struct gw_tile_id){0, 0, 0}, 0);
    assert_int_equal(world.min.lon, -GW_LON_MAX);
    assert_int_equal(world.max.lon, GW_LON_MAX);
    assert_int_equal(world.min.lat, -GW_LAT_MAX);
    assert_int_equal(world.max.lat, GW_LAT_MAX);
}

// Whatever projects into a tile's box lies in its lattice box, which is hardly larger.
static void lattice_boxes_hold_their_tiles(void **state) {
    (void)state;
    struct test_random random = test_random_seeded("lattice boxes", 23);
    for (int i = 0; i < 20000; i++) {
        struct gw_tile_id tile = {.z = (uint32_t)test_random_range(&random, 0, GW_TILE_ZOOM_MAX)};
        tile.x = (uint32_t)test_random_range(&random, 0, (1 << tile.z) - 1);
        tile.y = (uint32_t)test_random_range(&random, 0, (1 << tile.z) - 1);
        struct gw_world_box world = gw_tile_box(tile, GW_TILE_BUFFER);
        struct gw_box box = gw_tile_lattice_box(tile, GW_TILE_BUFFER);
        struct gw_point point = {(int32_t)test_random_range(&random, -GW_LON_MAX, GW_LON_MAX),
                                 (int32_t)test_random_range(&random, -GW_LAT_MAX, GW_LAT_MAX)};
        if (i % 2 == 0) { // near a corner
            point.lon = (int32_t)test_random_range(&random, -9, 9) + box.min.lon;
            point.lat = (int32_t)test_random_range(&random, -9, 9) + box.max.lat;
        }
        if (!gw_point_valid(point)) {
            continue;
        }
        struct gw_world_point at = gw_mercator_project(point);
        bool inside = at.x >= world.min.x && at.x <= world.max.x && at.y >= world.min.y &&
                      at.y <= world.max.y;
        bool held = point.lon >= box.min.lon && point.lon <= box.max.lon &&
                    point.lat >= box.min.lat && point.lat <= box.max.lat;
        assert_true(!inside || held);
        bool near = at.x >= world.min.x - 2 && at.x <= world.max.x + 2 && at.y >= world.min.y - 2 &&
                    at.y <= world.max.y + 2;
        assert_true(!held || near);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(latitudes_agree_with_libm),
        cmocka_unit_test(latitudes_never_turn_back),
        cmocka_unit_test(known_places),
        cmocka_unit_test(there_and_back),
        cmocka_unit_test(tiles_and_their_boxes),
        cmocka_unit_test(lattice_boxes_hold_their_tiles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
