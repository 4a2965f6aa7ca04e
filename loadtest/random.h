// Random numbers of a run: splitmix64 (Steele, Lea, Flood 2014), the same everywhere.
#ifndef GW_LOADTEST_RANDOM_H
#define GW_LOADTEST_RANDOM_H

#include <stdint.h>

struct load_random {
    uint64_t state;
};

static inline uint64_t load_mix(uint64_t z) {
    z += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

// A stream of its own for each use: streams of one seed do not disturb each other.
static inline struct load_random load_random_of(uint64_t seed, uint64_t stream) {
    return (struct load_random){load_mix(seed ^ load_mix(stream))};
}

static inline uint64_t load_random_next(struct load_random *random) {
    uint64_t value = load_mix(random->state);
    random->state += 0x9e3779b97f4a7c15u;
    return value;
}

// In [0, bound), bound >= 1; the bias of the remainder is far below anything that shows.
static inline uint32_t load_random_below(struct load_random *random, uint32_t bound) {
    return (uint32_t)(load_random_next(random) % bound);
}

// In [0, 1).
static inline double load_random_unit(struct load_random *random) {
    return (double)(load_random_next(random) >> 11) * 0x1p-53;
}

static inline double load_random_within(struct load_random *random, double min, double max) {
    return min + (max - min) * load_random_unit(random);
}

#endif
