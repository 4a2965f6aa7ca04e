// Schedules: their mean, their distribution, and that they repeat.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "loadtest/arrivals.h"
#include "tests/support/random.h"
#include <math.h>
#include <stdlib.h>

enum { COUNT = 20000 };

static uint64_t any_seed(void) {
    struct test_random random = test_random_seeded("arrivals", 20261);
    return test_random_next(&random);
}

static void test_repeat(void **state) {
    (void)state;
    uint64_t seed = any_seed();
    struct load_arrivals one, same, other;
    load_arrivals_init(&one, LOAD_POISSON, 100, seed);
    load_arrivals_init(&same, LOAD_POISSON, 100, seed);
    load_arrivals_init(&other, LOAD_POISSON, 100, seed + 1);
    uint32_t different = 0;
    for (int i = 0; i < 1000; i++) {
        int64_t at = load_arrivals_next(&one, INT64_MAX);
        assert_true(at == load_arrivals_next(&same, INT64_MAX));
        different += at != load_arrivals_next(&other, INT64_MAX);
    }
    assert_true(different > 990);
}

// Kolmogorov and Smirnov: gaps against the exponential distribution. The bound of 2.2 is passed by
// chance once in 16,000 seeds.
static int by_value(const void *a, const void *b) {
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static void test_exponential_gaps(void **state) {
    (void)state;
    static double gaps[COUNT];
    struct load_arrivals arrivals;
    double rate = 50, sum = 0, worst = 0;
    int64_t last = 0;
    load_arrivals_init(&arrivals, LOAD_POISSON, rate, any_seed());
    for (int i = 0; i < COUNT; i++) {
        int64_t at = load_arrivals_next(&arrivals, INT64_MAX);
        assert_true(at >= last);
        gaps[i] = (double)(at - last) / 1e9;
        sum += gaps[i];
        last = at;
    }
    // The mean of COUNT gaps is within five of its deviations.
    assert_true(fabs(sum / COUNT * rate - 1) < 5 / sqrt(COUNT));
    qsort(gaps, COUNT, sizeof(*gaps), by_value);
    for (int i = 0; i < COUNT; i++) {
        double expected = -expm1(-gaps[i] * rate);
        worst = fmax(worst, fmax(fabs((double)i / COUNT - expected),
                                 fabs((double)(i + 1) / COUNT - expected)));
    }
    assert_true(worst * sqrt(COUNT) < 2.2);
}

static void test_constant_does_not_drift(void **state) {
    (void)state;
    struct load_arrivals arrivals;
    load_arrivals_init(&arrivals, LOAD_CONSTANT, 3, 1);
    for (int64_t i = 1; i <= 3000000; i++) {
        int64_t at = load_arrivals_next(&arrivals, INT64_MAX);
        assert_true(llabs(at - i * 1000000000 / 3) <= 1);
    }
}

static void test_ends(void **state) {
    (void)state;
    struct load_arrivals arrivals;
    load_arrivals_init(&arrivals, LOAD_CONSTANT, 10, 1);
    int count = 0;
    while (load_arrivals_next(&arrivals, 1000000000) != INT64_MAX) {
        count++;
    }
    assert_int_equal(count, 9); // 0.1 .. 0.9 s; the tenth is the end itself
    assert_true(load_arrivals_next(&arrivals, INT64_MAX) == INT64_MAX); // an end is an end
    load_arrivals_init(&arrivals, LOAD_POISSON, 0, 1);
    assert_true(load_arrivals_next(&arrivals, INT64_MAX) == INT64_MAX);
}

// Weights 1 and 3 in turn: a quarter of the arrivals in the even hours; the mean of the day holds.
static void test_hours(void **state) {
    (void)state;
    double hours[LOAD_HOURS];
    for (uint32_t i = 0; i < LOAD_HOURS; i++) {
        hours[i] = i % 2 == 0 ? 1 : 3;
    }
    struct load_arrivals arrivals;
    uint64_t counts[2] = {0};
    int64_t day_ns = 24 * 3600 * INT64_C(1000000000) / 3600; // at 3,600 times real time
    load_arrivals_init(&arrivals, LOAD_POISSON, 500, any_seed());
    load_arrivals_by_hour(&arrivals, hours, 6, 3600);
    for (;;) {
        int64_t at = load_arrivals_next(&arrivals, day_ns);
        if (at == INT64_MAX) {
            break;
        }
        counts[(6 + at / 1000000000) % 2]++;
    }
    double all = (double)(counts[0] + counts[1]);
    assert_true(fabs(all - 12000) < 5 * sqrt(12000));
    assert_true(fabs((double)counts[0] - all / 4) < 5 * sqrt(all * 3 / 16));
}

static void test_hours_without_arrivals(void **state) {
    (void)state;
    double hours[LOAD_HOURS] = {[3] = 1};
    struct load_arrivals arrivals;
    load_arrivals_init(&arrivals, LOAD_POISSON, 1, any_seed());
    load_arrivals_by_hour(&arrivals, hours, 4, 1);
    // From 4 o'clock it is 23 hours to the next that has any.
    assert_true(load_arrivals_next(&arrivals, 22 * 3600 * INT64_C(1000000000)) == INT64_MAX);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_repeat),
        cmocka_unit_test(test_exponential_gaps),
        cmocka_unit_test(test_constant_does_not_drift),
        cmocka_unit_test(test_ends),
        cmocka_unit_test(test_hours),
        cmocka_unit_test(test_hours_without_arrivals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
