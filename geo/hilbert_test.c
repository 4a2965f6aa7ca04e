#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "geo/hilbert.h"
#include "tests/support/random.h"

static struct gw_point any_point(struct test_random *random) {
    return (struct gw_point){(int32_t)test_random_range(random, INT32_MIN, INT32_MAX),
                             (int32_t)test_random_range(random, INT32_MIN, INT32_MAX)};
}

static void test_round_trip(void **state) {
    (void)state;
    struct test_random random = test_random_seeded("hilbert round trip", 1);
    for (int i = 0; i < 200000; i++) {
        struct gw_point point = any_point(&random);
        struct gw_point back = gw_hilbert_point(gw_hilbert_key(point));
        assert_int_equal(back.lon, point.lon);
        assert_int_equal(back.lat, point.lat);
        uint64_t key = test_random_next(&random);
        assert_true(gw_hilbert_key(gw_hilbert_point(key)) == key);
    }
}

// The law of the curve: neighbours in order are neighbours on the lattice, one unit apart.
static void assert_step(uint64_t key) {
    struct gw_point a = gw_hilbert_point(key), b = gw_hilbert_point(key + 1);
    int64_t x = (int64_t)b.lon - a.lon, y = (int64_t)b.lat - a.lat;
    assert_true(x * x + y * y == 1);
}

static void test_steps_by_one(void **state) {
    (void)state;
    struct test_random random = test_random_seeded("hilbert steps", 2);
    for (uint64_t key = 0; key < 5000; key++) {
        assert_step(key);
    }
    for (int i = 0; i < 100000; i++) {
        uint64_t key = test_random_next(&random);
        assert_step(key == UINT64_MAX ? 0 : key);
        // Across the borders of ever larger quadrants, where a wrong turn would show.
        unsigned level = (unsigned)test_random_range(&random, 1, 31);
        uint64_t border = key >> (2 * level) << (2 * level);
        assert_step(border == 0 ? 0 : border - 1);
    }
}

static void test_known_keys(void **state) {
    (void)state;
    assert_true(gw_hilbert_key((struct gw_point){INT32_MIN, INT32_MIN}) == 0);
    assert_true(gw_hilbert_key((struct gw_point){INT32_MAX, INT32_MIN}) == UINT64_MAX);
    // The quadrants in order: south-west, north-west, north-east, south-east.
    assert_true(gw_hilbert_key((struct gw_point){-1, -1}) >> 62 == 0);
    assert_true(gw_hilbert_key((struct gw_point){-1, 0}) >> 62 == 1);
    assert_true(gw_hilbert_key((struct gw_point){0, 0}) >> 62 == 2);
    assert_true(gw_hilbert_key((struct gw_point){0, -1}) >> 62 == 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_steps_by_one),
        cmocka_unit_test(test_known_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
