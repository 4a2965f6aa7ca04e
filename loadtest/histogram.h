// A histogram of durations with a bounded relative error: log-linear buckets (as in HdrHistogram,
// Gil Tene). Recording is a few instructions; histograms add up exactly.
//
// Shape:  values of 0 .. 2^43 - 1 ns (over two hours); longer ones are counted in the last bucket.
// Error:  a bucket is at most 1/128 as wide as any value in it, so that a quantile is never below
//         the value it stands for and at most 0.8 % above it. min_ns, max_ns and count are exact.
// Memory: plain values of 38 KB, zeroed is empty; nothing here allocates.
// Threads: none of its own: one histogram a thread, added up afterwards.
#ifndef GW_LOADTEST_HISTOGRAM_H
#define GW_LOADTEST_HISTOGRAM_H

#include <stdint.h>

#define LOAD_HISTOGRAM_BUCKETS 4736u
#define LOAD_HISTOGRAM_ERROR (1.0 / 128)

struct load_histogram {
    uint64_t count;
    uint64_t buckets[LOAD_HISTOGRAM_BUCKETS];
    int64_t min_ns, max_ns; // of what was recorded; exact; 0 while empty
    double sum_ns;
};

void load_histogram_clear(struct load_histogram *histogram);
void load_histogram_record(struct load_histogram *histogram, int64_t value_ns); // < 0 counts as 0
void load_histogram_add(struct load_histogram *into, const struct load_histogram *from);
// The smallest value v such that a share q (0 .. 1) of all values is <= v, within the error; 0 when
// empty. q = 1 gives max_ns.
int64_t load_histogram_quantile(const struct load_histogram *histogram, double q);
// The range of values of a bucket (0 .. LOAD_HISTOGRAM_BUCKETS - 1), both ends included.
void load_histogram_bucket(uint32_t bucket, int64_t *low_ns, int64_t *high_ns);

#endif
