#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "geo/lattice.h"
#include "tests/support/random.h"
#include <math.h>

static void test_rounds_half_even(void **state) {
    (void)state;
    static const struct {
        double lon, lat;
        struct gw_point expected;
    } rows[] = {
        {0.0, 0.0, {0, 0}},
        {-0.0, -0.0, {0, 0}},
        {180.0, 90.0, {GW_LON_MAX, GW_LAT_MAX}},
        {-180.0, -90.0, {-GW_LON_MAX, -GW_LAT_MAX}},
        {123.4567891, 42.1234567, {1234567891, 421234567}},
        {123.45678914, 42.12345676, {1234567891, 421234568}},
        {5e-8, -5e-8, {0, 0}},    // halves go to the even neighbour
        {15e-8, -15e-8, {2, -2}}, // also below zero
        {25e-8, -25e-8, {2, -2}},
        {4.9e-8, 5.1e-8, {0, 1}},
        {-5.1e-8, 1e-7, {-1, 1}},
        {100.00000005, 10.00000015, {1000000000, 100000002}},
        {179.99999996, 89.99999996, {GW_LON_MAX, GW_LAT_MAX}},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct gw_point point;
        assert_int_equal(gw_lattice_round(rows[i].lon, rows[i].lat, &point), GW_OK);
        assert_int_equal(point.lon, rows[i].expected.lon);
        assert_int_equal(point.lat, rows[i].expected.lat);
    }
}

static void test_refuses(void **state) {
    (void)state;
    static const struct {
        double lon, lat;
        gw_err err;
    } rows[] = {
        {NAN, 0.0, GW_EINVAL},
        {0.0, NAN, GW_EINVAL},
        {INFINITY, 0.0, GW_EINVAL},
        {0.0, -INFINITY, GW_EINVAL},
        {180.0000000001, 0.0, GW_ERANGE},
        {-180.1, 0.0, GW_ERANGE},
        {0.0, 90.0000000001, GW_ERANGE},
        {0.0, -90.1, GW_ERANGE},
        {1e300, 1e300, GW_ERANGE},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct gw_point point = {7, 8};
        assert_int_equal(gw_lattice_round(rows[i].lon, rows[i].lat, &point), rows[i].err);
        assert_int_equal(gw_lattice_query(rows[i].lon, rows[i].lat, &point), rows[i].err);
        assert_int_equal(point.lon, 7);
        assert_int_equal(point.lat, 8);
    }
}

static void test_180_is_read_as_minus_180(void **state) {
    (void)state;
    struct gw_point point;
    assert_int_equal(gw_lattice_query(180.0, 12.5, &point), GW_OK);
    assert_int_equal(point.lon, -GW_LON_MAX);
    assert_int_equal(point.lat, 125000000);
    assert_int_equal(gw_lattice_query(179.9999999, 12.5, &point), GW_OK);
    assert_int_equal(point.lon, GW_LON_MAX - 1);
}

static void test_valid(void **state) {
    (void)state;
    assert_true(gw_point_valid((struct gw_point){GW_LON_MAX, -GW_LAT_MAX}));
    assert_false(gw_point_valid((struct gw_point){GW_LON_MAX + 1, 0}));
    assert_false(gw_point_valid((struct gw_point){-GW_LON_MAX - 1, 0}));
    assert_false(gw_point_valid((struct gw_point){0, GW_LAT_MAX + 1}));
    assert_false(gw_point_valid((struct gw_point){INT32_MIN, INT32_MIN}));
}

// Every stored coordinate survives degrees and back; any other rounds as rint of the product does.
static void test_round_trip(void **state) {
    (void)state;
    struct test_random random = test_random_seeded("lattice", 11);
    for (int i = 0; i < 200000; i++) {
        struct gw_point point = {
            (int32_t)test_random_range(&random, -GW_LON_MAX, GW_LON_MAX),
            (int32_t)test_random_range(&random, -GW_LAT_MAX, GW_LAT_MAX),
        };
        struct gw_point again;
        assert_int_equal(gw_lattice_round(gw_degrees(point.lon), gw_degrees(point.lat), &again),
                         GW_OK);
        assert_int_equal(again.lon, point.lon);
        assert_int_equal(again.lat, point.lat);
        double lon = 360.0 * test_random_unit(&random) - 180.0;
        double lat = 180.0 * test_random_unit(&random) - 90.0;
        assert_int_equal(gw_lattice_round(lon, lat, &again), GW_OK);
        assert_true((double)again.lon == rint(lon * 1e7) && (double)again.lat == rint(lat * 1e7));
    }
}

static void test_errors_have_words_and_status(void **state) {
    (void)state;
    for (int i = 0; i < GW_ERR_COUNT; i++) {
        assert_true(gw_err_text((gw_err)i)[0] != '\0');
        assert_in_range(gw_err_grpc_status((gw_err)i), 0, 16);
        assert_int_equal(gw_err_grpc_status((gw_err)i) == 0, i == GW_OK);
    }
    assert_string_equal(gw_err_text((gw_err)4711), "unknown error");
    assert_int_equal(gw_err_grpc_status((gw_err)4711), 2);
    assert_string_equal(gw_err_text(GW_ECORRUPT), "data damaged");
    assert_int_equal(gw_err_grpc_status(GW_ERANGE), 11);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rounds_half_even),
        cmocka_unit_test(test_refuses),
        cmocka_unit_test(test_180_is_read_as_minus_180),
        cmocka_unit_test(test_valid),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_errors_have_words_and_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
