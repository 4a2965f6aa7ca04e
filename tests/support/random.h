// Random numbers for tests: splitmix64 (Steele, Lea, Flood 2014), with a seed that is printed and
// can
// be given again: GW_SEED=123 bazel test --test_env=GW_SEED ...
#ifndef GW_TESTS_SUPPORT_RANDOM_H
#define GW_TESTS_SUPPORT_RANDOM_H

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

struct test_random {
    uint64_t state;
};

// Seeds from GW_SEED, else from `fallback`, and prints which.
static inline struct test_random test_random_seeded(const char *what, uint64_t fallback) {
    const char *text = getenv("GW_SEED");
    uint64_t seed = text != NULL && *text != '\0' ? strtoull(text, NULL, 10) : fallback;
    printf("# %s: seed %" PRIu64 " (repeat with GW_SEED=%" PRIu64 ")\n", what, seed, seed);
    return (struct test_random){seed};
}

static inline uint64_t test_random_next(struct test_random *random) {
    uint64_t z = random->state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

// Uniform in [min, max].
static inline int64_t test_random_range(struct test_random *random, int64_t min, int64_t max) {
    uint64_t span = (uint64_t)max - (uint64_t)min + 1u;
    uint64_t value = test_random_next(random);
    return (int64_t)((uint64_t)min + (span == 0 ? value : value % span));
}

// Uniform in [0, 1).
static inline double test_random_unit(struct test_random *random) {
    return (double)(test_random_next(random) >> 11) * 0x1p-53;
}

#endif
