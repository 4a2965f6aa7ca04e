// Random numbers from a seed: splitmix64 (Steele, Lea, Flood 2014), the same everywhere. For what
// is to be repeatable (the demo city, schedules of load), never for secrets.
#ifndef GW_SERVICES_BASE_RANDOM_H
#define GW_SERVICES_BASE_RANDOM_H

#include <stdint.h>

struct gw_random {
    uint64_t state;
};

static inline uint64_t gw_random_mix(uint64_t z) {
    z += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

// A stream of its own for each use: streams of one seed do not disturb each other.
static inline struct gw_random gw_random_of(uint64_t seed, uint64_t stream) {
    return (struct gw_random){gw_random_mix(seed ^ gw_random_mix(stream))};
}

static inline uint64_t gw_random_next(struct gw_random *random) {
    uint64_t value = gw_random_mix(random->state);
    random->state += 0x9e3779b97f4a7c15u;
    return value;
}

// In [min, max]; the bias of the remainder is far below anything that shows.
static inline int64_t gw_random_between(struct gw_random *random, int64_t min, int64_t max) {
    return min + (int64_t)(gw_random_next(random) % (uint64_t)(max - min + 1));
}

// In [0, bound), bound >= 1; the same bias.
static inline uint32_t gw_random_below(struct gw_random *random, uint32_t bound) {
    return (uint32_t)(gw_random_next(random) % bound);
}

// In [0, 1).
static inline double gw_random_unit(struct gw_random *random) {
    return (double)(gw_random_next(random) >> 11) * 0x1p-53;
}

static inline double gw_random_within(struct gw_random *random, double min, double max) {
    return min + (max - min) * gw_random_unit(random);
}

#endif
