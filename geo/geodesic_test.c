#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "geo/geodesic.h"
#include "tests/support/random.h"
#include <geodesic.h>
#include <math.h>

static double oracle(struct gw_point a, struct gw_point b) {
    struct geod_geodesic earth;
    geod_init(&earth, 6378137.0, 1.0 / 298.257223563);
    double metres;
    geod_inverse(&earth, a.lat / 1e7, a.lon / 1e7, b.lat / 1e7, b.lon / 1e7, &metres, NULL, NULL);
    return metres;
}

static struct gw_point any_point(struct test_random *random) {
    int64_t kind = test_random_range(random, 0, 9);
    struct gw_point point = {(int32_t)test_random_range(random, -GW_LON_MAX, GW_LON_MAX),
                             (int32_t)test_random_range(random, -GW_LAT_MAX, GW_LAT_MAX)};
    if (kind == 0) {
        point.lat = test_random_next(random) % 2 == 0 ? GW_LAT_MAX : -GW_LAT_MAX;
    } else if (kind == 1) {
        point.lon = test_random_next(random) % 2 == 0 ? GW_LON_MAX : -GW_LON_MAX;
    } else if (kind == 2) {
        point.lat = 0;
    }
    return point;
}

// A point within about 2^bits units, across the antimeridian if need be.
static struct gw_point near_point(struct test_random *random, struct gw_point from) {
    int64_t reach = INT64_C(1) << test_random_range(random, 0, 27);
    int64_t lon = from.lon + test_random_range(random, -reach, reach);
    int64_t lat = from.lat + test_random_range(random, -reach, reach);
    lon = lon > GW_LON_MAX ? lon - 2 * (int64_t)GW_LON_MAX : lon;
    lon = lon < -GW_LON_MAX ? lon + 2 * (int64_t)GW_LON_MAX : lon;
    lat = lat > GW_LAT_MAX ? GW_LAT_MAX : lat < -GW_LAT_MAX ? -GW_LAT_MAX : lat;
    return (struct gw_point){(int32_t)lon, (int32_t)lat};
}

static struct gw_point antipode(struct gw_point point) {
    return (struct gw_point){point.lon > 0 ? point.lon - GW_LON_MAX : point.lon + GW_LON_MAX,
                             -point.lat};
}

static void test_known_distances(void **state) {
    (void)state;
    const struct gw_point origin = {0, 0}, pole = {0, GW_LAT_MAX};
    // Quarter meridian and one degree of the equator, from the ellipsoid's definition.
    assert_true(fabs(gw_geodesic_distance(origin, pole) - 10001965.729313) < 1e-5);
    assert_true(fabs(gw_geodesic_distance(origin, (struct gw_point){GW_UNITS_PER_DEGREE, 0}) -
                     111319.490793274) < 1e-6);
    assert_true(gw_geodesic_distance(origin, origin) == 0.0);
    assert_true(gw_geodesic_distance((struct gw_point){GW_LON_MAX, 5},
                                     (struct gw_point){-GW_LON_MAX, 5}) == 0.0);
    assert_true(gw_geodesic_lower_bound((struct gw_point){GW_LON_MAX, 5},
                                        (struct gw_point){-GW_LON_MAX, 5}) == 0.0);
}

static void assert_pair(struct gw_point a, struct gw_point b) {
    double exact = oracle(a, b);
    assert_true(gw_geodesic_distance(a, b) == exact);
    double bound = gw_geodesic_lower_bound(a, b);
    assert_true(bound >= 0.0 && bound <= exact);
    assert_true(bound >= exact * (1.0 - 0.011) - 1e-7);
    struct gw_geodesic_origin from = gw_geodesic_from(a);
    assert_true(fabs(gw_geodesic_quick(&from, b) - exact) <= GW_GEODESIC_QUICK_ERROR_M / 2.0);
}

static void test_pairs_against_karney(void **state) {
    (void)state;
    struct test_random random = test_random_seeded("geodesic pairs", 3);
    for (int i = 0; i < 40000; i++) {
        struct gw_point a = any_point(&random);
        assert_pair(a, near_point(&random, a));
        assert_pair(a, any_point(&random));
        assert_pair(a, antipode(a));
        assert_pair(a, near_point(&random, antipode(a)));
    }
}

// Where the quick distance hands over to Karney: both sides must be within the stated error.
static void test_quick_at_its_limit(void **state) {
    (void)state;
    struct test_random random = test_random_seeded("geodesic limit", 4);
    struct geod_geodesic earth;
    geod_init(&earth, 6378137.0, 1.0 / 298.257223563);
    for (int i = 0; i < 40000; i++) {
        struct gw_point a = any_point(&random);
        double metres = 20000.0 + 6000.0 * test_random_unit(&random), lon, lat;
        geod_direct(&earth, a.lat / 1e7, a.lon / 1e7, 360.0 * test_random_unit(&random), metres,
                    &lat, &lon, NULL);
        struct gw_point b;
        assert_int_equal(gw_lattice_round(lon, lat, &b), GW_OK);
        assert_pair(a, b);
    }
}

static int32_t pick(struct test_random *random, int32_t min, int32_t max) {
    int64_t kind = test_random_range(random, 0, 3);
    return kind == 0 ? min : kind == 1 ? max : (int32_t)test_random_range(random, min, max);
}

static int32_t clamped(int32_t value, int32_t min, int32_t max) {
    return value < min ? min : value > max ? max : value;
}

static void test_box_bound(void **state) {
    (void)state;
    struct test_random random = test_random_seeded("geodesic boxes", 5);
    for (int i = 0; i < 4000; i++) {
        struct gw_point point = any_point(&random), a = any_point(&random);
        struct gw_point b =
            test_random_next(&random) % 2 ? near_point(&random, a) : any_point(&random);
        a = test_random_next(&random) % 4 == 0 ? near_point(&random, point) : a;
        struct gw_box box = {{a.lon < b.lon ? a.lon : b.lon, a.lat < b.lat ? a.lat : b.lat},
                             {a.lon < b.lon ? b.lon : a.lon, a.lat < b.lat ? b.lat : a.lat}};
        double bound = gw_geodesic_box_lower_bound(point, &box), best = INFINITY;
        for (int j = 0; j < 60; j++) {
            struct gw_point in = {pick(&random, box.min.lon, box.max.lon),
                                  pick(&random, box.min.lat, box.max.lat)};
            if (j < 8) { // the likely nearest ones: beside the point, and on both meridians
                in.lat = clamped(point.lat, box.min.lat, box.max.lat);
                in.lon = j == 0 ? clamped(point.lon, box.min.lon, box.max.lon) : in.lon;
            }
            double exact = gw_geodesic_distance(point, in);
            best = exact < best ? exact : best;
            assert_true(bound <= exact);
        }
        assert_true(bound >= 0.0);
        bool inside = clamped(point.lon, box.min.lon, box.max.lon) == point.lon &&
                      clamped(point.lat, box.min.lat, box.max.lat) == point.lat;
        assert_true(!inside || (bound == 0.0 && best == 0.0));
    }
}

static const struct {
    const char *name;
    struct gw_point point;
    struct gw_box box;
    double metres; // to the nearest place of the box
} box_rows[] = {
    {"east across the antimeridian", {1799000000, 0}, {{-1799000000, -1}, {0, 1}}, 22263.898},
    {"west across the antimeridian", {-1799000000, 0}, {{0, -1}, {1799000000, 1}}, 22263.898},
    {"box ends at 180", {-1800000000, 0}, {{1700000000, -10}, {1800000000, 10}}, 0.0},
    {"over the north pole",
     {0, 890000000},
     {{1790000000, 800000000}, {1800000000, 890000000}},
     223387.963},
    {"box that holds the pole",
     {0, 890000000},
     {{1790000000, 0}, {1800000000, 900000000}},
     111693.980},
    {"south of the box", {50000000, -10000000}, {{0, 0}, {100000000, 10}}, 110574.389},
    {"beside the box, far north",
     {0, 600000000},
     {{900000000, 0}, {900000001, 900000000}},
     3347892.9},
};

static void test_box_rows(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof(box_rows) / sizeof(box_rows[0]); i++) {
        double bound = gw_geodesic_box_lower_bound(box_rows[i].point, &box_rows[i].box);
        double metres = box_rows[i].metres;
        if (bound > metres || bound < metres * 0.989) {
            fail_msg("%s: bound %.3f of %.3f", box_rows[i].name, bound, metres);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_distances),    cmocka_unit_test(test_pairs_against_karney),
        cmocka_unit_test(test_quick_at_its_limit), cmocka_unit_test(test_box_bound),
        cmocka_unit_test(test_box_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
