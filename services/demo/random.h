// Random numbers of the demo: splitmix64 (Steele, Lea, Flood 2014), the same everywhere.
#ifndef GW_SERVICES_DEMO_RANDOM_H
#define GW_SERVICES_DEMO_RANDOM_H

#include <stdint.h>

struct gw_demo_random {
    uint64_t state;
};

static inline uint64_t gw_demo_mix(uint64_t z) {
    z += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

// A stream of its own for each use: streams of one seed do not disturb each other.
static inline struct gw_demo_random gw_demo_random_of(uint64_t seed, uint64_t stream) {
    return (struct gw_demo_random){gw_demo_mix(seed ^ gw_demo_mix(stream))};
}

static inline uint64_t gw_demo_next(struct gw_demo_random *random) {
    uint64_t value = gw_demo_mix(random->state);
    random->state += 0x9e3779b97f4a7c15u;
    return value;
}

// In [min, max]; the bias of the remainder is far below anything that shows.
static inline int64_t gw_demo_between(struct gw_demo_random *random, int64_t min, int64_t max) {
    return min + (int64_t)(gw_demo_next(random) % (uint64_t)(max - min + 1));
}

static inline uint32_t gw_demo_below(struct gw_demo_random *random, uint32_t bound) {
    return (uint32_t)(gw_demo_next(random) % bound);
}

#endif
