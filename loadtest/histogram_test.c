// The histogram against a sorted array: its error, its sums, its quantiles.
#include "loadtest/histogram.h"
#include "tests/support/random.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static int compare(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

// Durations of every size that occurs: each power of two is about as likely as the next.
static int64_t any_duration(struct test_random *random) {
    int64_t bits = test_random_range(random, 0, 43);
    return test_random_range(random, 0, (INT64_C(1) << bits) - 1);
}

static void buckets_cover_the_range_without_gaps(void **state) {
    (void)state;
    int64_t next = 0;
    for (uint32_t i = 0; i < LOAD_HISTOGRAM_BUCKETS; i++) {
        int64_t low, high;
        load_histogram_bucket(i, &low, &high);
        assert_int_equal(low, next);
        assert_true(high >= low);
        assert_true((double)(high - low) <= LOAD_HISTOGRAM_ERROR * (double)low);
        next = high + 1;
    }
    assert_int_equal(next, INT64_C(1) << 43);
}

static void values_land_in_the_bucket_that_holds_them(void **state) {
    (void)state;
    for (uint32_t i = 0; i < LOAD_HISTOGRAM_BUCKETS; i++) {
        static struct load_histogram histogram;
        int64_t low, high;
        load_histogram_bucket(i, &low, &high);
        load_histogram_clear(&histogram);
        load_histogram_record(&histogram, low);
        load_histogram_record(&histogram, high);
        assert_int_equal(histogram.buckets[i], 2);
        assert_int_equal(histogram.min_ns, low);
        assert_int_equal(histogram.max_ns, high);
    }
}

static void extremes_are_counted(void **state) {
    (void)state;
    static struct load_histogram histogram;
    load_histogram_clear(&histogram);
    assert_int_equal(load_histogram_quantile(&histogram, 0.99), 0);
    assert_int_equal(load_histogram_quantile(&histogram, 1), 0);
    load_histogram_record(&histogram, -5);
    assert_int_equal(histogram.buckets[0], 1);
    assert_int_equal(histogram.min_ns, 0);
    load_histogram_record(&histogram, INT64_MAX);
    assert_int_equal(histogram.buckets[LOAD_HISTOGRAM_BUCKETS - 1], 1);
    assert_int_equal(load_histogram_quantile(&histogram, 0.5), 0);
    assert_true(load_histogram_quantile(&histogram, 1) == INT64_MAX);
    assert_true(load_histogram_quantile(&histogram, 0.51) == INT64_MAX);
    assert_int_equal(histogram.count, 2);
}

// 100 values of 1 .. 100 ms: every percentile is known.
static void percentiles_of_a_known_list(void **state) {
    (void)state;
    static struct load_histogram histogram;
    load_histogram_clear(&histogram);
    for (int64_t ms = 1; ms <= 100; ms++) {
        load_histogram_record(&histogram, ms * 1000000);
    }
    for (int64_t percent = 1; percent <= 100; percent++) {
        double value = (double)load_histogram_quantile(&histogram, (double)percent / 100) / 1e6;
        assert_true(value >= (double)percent);
        assert_true(value <= (double)percent * (1 + LOAD_HISTOGRAM_ERROR));
    }
    assert_int_equal(load_histogram_quantile(&histogram, 0),
                     load_histogram_quantile(&histogram, 0.01));
    assert_int_equal(load_histogram_quantile(&histogram, 1), 100000000);
    assert_true(histogram.sum_ns == 5050e6);
}

static void check_against_sorted(const struct load_histogram *histogram, int64_t values[],
                                 uint64_t count) {
    static const double shares[] = {0, 0.001, 0.07, 0.25, 0.5, 0.9, 0.99, 0.999, 0.9999, 1};
    qsort(values, count, sizeof(values[0]), compare);
    assert_int_equal(histogram->count, count);
    assert_int_equal(histogram->min_ns, values[0]);
    assert_int_equal(histogram->max_ns, values[count - 1]);
    for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]); i++) {
        // The smallest rank r with r / count >= share, in integers.
        uint64_t rank = (uint64_t)llround(shares[i] * 10000) * count;
        rank = rank == 0 ? 1 : (rank + 9999) / 10000;
        int64_t exact = values[rank - 1], got = load_histogram_quantile(histogram, shares[i]);
        assert_true(got >= exact);
        assert_true((double)(got - exact) <= LOAD_HISTOGRAM_ERROR * (double)exact);
    }
}

enum { VALUES_MAX = 5000, ROUNDS = 200 };

static void quantiles_are_those_of_the_sorted_list(void **state) {
    (void)state;
    struct test_random random = test_random_seeded("quantiles", 11);
    static struct load_histogram histogram;
    static int64_t values[VALUES_MAX];
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t count = (uint64_t)test_random_range(&random, 1, VALUES_MAX);
        load_histogram_clear(&histogram);
        for (uint64_t i = 0; i < count; i++) {
            values[i] = any_duration(&random);
            load_histogram_record(&histogram, values[i]);
        }
        check_against_sorted(&histogram, values, count);
    }
}

static void adding_is_recording_everything_in_one(void **state) {
    (void)state;
    struct test_random random = test_random_seeded("adding", 12);
    static struct load_histogram whole, parts[4], sum;
    for (int round = 0; round < ROUNDS; round++) {
        memset(parts, 0, sizeof(parts));
        load_histogram_clear(&whole);
        load_histogram_clear(&sum);
        int64_t count = test_random_range(&random, 0, 400); // some parts stay empty
        for (int64_t i = 0; i < count; i++) {
            int64_t value = any_duration(&random) >> 3; // so that the doubles' sums are exact
            load_histogram_record(&whole, value);
            load_histogram_record(&parts[test_random_range(&random, 0, 2)], value);
        }
        for (int i = 0; i < 4; i++) {
            load_histogram_add(&sum, &parts[i]);
        }
        assert_memory_equal(&sum, &whole, sizeof(sum));
    }
}

static void quantiles_never_fall(void **state) {
    (void)state;
    struct test_random random = test_random_seeded("rising", 13);
    static struct load_histogram histogram;
    load_histogram_clear(&histogram);
    for (int i = 0; i < 1000; i++) {
        load_histogram_record(&histogram, any_duration(&random));
    }
    int64_t last = histogram.min_ns;
    for (int i = 0; i <= 10000; i++) {
        int64_t value = load_histogram_quantile(&histogram, i / 10000.0);
        assert_true(value >= last && value <= histogram.max_ns);
        last = value;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buckets_cover_the_range_without_gaps),
        cmocka_unit_test(values_land_in_the_bucket_that_holds_them),
        cmocka_unit_test(extremes_are_counted),
        cmocka_unit_test(percentiles_of_a_known_list),
        cmocka_unit_test(quantiles_are_those_of_the_sorted_list),
        cmocka_unit_test(adding_is_recording_everything_in_one),
        cmocka_unit_test(quantiles_never_fall),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
