#include "loadtest/histogram.h"

#include <math.h>
#include <string.h>

// Values below 128 have a bucket each. From there on every octave [2^e, 2^(e+1)) has 128 buckets of
// the same width 2^(e-7), which is at most 1/128 of any value in them.
enum { SUB_BITS = 7, SUB_BUCKETS = 1 << SUB_BITS };

_Static_assert(LOAD_HISTOGRAM_BUCKETS % SUB_BUCKETS == 0, "whole octaves");

static uint32_t bucket_of(uint64_t value) {
    if (value < SUB_BUCKETS) {
        return (uint32_t)value;
    }
    uint32_t shift = 63u - (uint32_t)__builtin_clzll(value) - SUB_BITS;
    uint64_t bucket = (uint64_t)shift * SUB_BUCKETS + (value >> shift);
    return bucket < LOAD_HISTOGRAM_BUCKETS ? (uint32_t)bucket : LOAD_HISTOGRAM_BUCKETS - 1u;
}

void load_histogram_clear(struct load_histogram *histogram) {
    memset(histogram, 0, sizeof(*histogram));
}

void load_histogram_record(struct load_histogram *histogram, int64_t value_ns) {
    int64_t value = value_ns < 0 ? 0 : value_ns;
    histogram->min_ns =
        histogram->count == 0 || value < histogram->min_ns ? value : histogram->min_ns;
    histogram->max_ns = value > histogram->max_ns ? value : histogram->max_ns;
    histogram->sum_ns += (double)value;
    histogram->buckets[bucket_of((uint64_t)value)]++;
    histogram->count++;
}

void load_histogram_add(struct load_histogram *into, const struct load_histogram *from) {
    if (from->count == 0) {
        return;
    }
    into->min_ns = into->count == 0 || from->min_ns < into->min_ns ? from->min_ns : into->min_ns;
    into->max_ns = from->max_ns > into->max_ns ? from->max_ns : into->max_ns;
    into->sum_ns += from->sum_ns;
    into->count += from->count;
    for (uint32_t i = 0; i < LOAD_HISTOGRAM_BUCKETS; i++) {
        into->buckets[i] += from->buckets[i];
    }
}

int64_t load_histogram_quantile(const struct load_histogram *histogram, double q) {
    if (histogram->count == 0) {
        return 0;
    }
    // The rank that q asks for, 1 .. count. What a product like 0.07 * 100 has too much in its last
    // binary digit must not push it one rank up.
    double rank = ceil(q * (double)histogram->count * (1 - 1e-12));
    uint64_t wanted = rank < 1 ? 1 : (uint64_t)rank;
    if (wanted >= histogram->count) {
        return histogram->max_ns;
    }
    uint64_t seen = 0;
    for (uint32_t i = 0; i < LOAD_HISTOGRAM_BUCKETS; i++) {
        seen += histogram->buckets[i];
        if (seen >= wanted) {
            int64_t low, high;
            load_histogram_bucket(i, &low, &high);
            // Nothing above the maximum was recorded, and the last bucket has no end.
            int64_t value = i + 1 < LOAD_HISTOGRAM_BUCKETS && high < histogram->max_ns
                                ? high
                                : histogram->max_ns;
            return value > histogram->min_ns ? value : histogram->min_ns;
        }
    }
    return histogram->max_ns;
}

void load_histogram_bucket(uint32_t bucket, int64_t *low_ns, int64_t *high_ns) {
    if (bucket < 2 * SUB_BUCKETS) {
        *low_ns = *high_ns = bucket;
        return;
    }
    uint32_t shift = bucket / SUB_BUCKETS - 1u;
    *low_ns = (int64_t)(bucket % SUB_BUCKETS + SUB_BUCKETS) << shift;
    *high_ns = *low_ns + ((INT64_C(1) << shift) - 1);
}
