#include "geo/hilbert.h"

// The curve of one level visits the quadrants (x, y) in the order (0,0) (0,1) (1,1) (1,0); inside a
// quadrant it is turned. A state says how: bit 0 exchanges x and y, bit 1 complements both. The two
// commute, so the turns of nested levels add up by exclusive or.
#define STATES 4
#define LEVELS 32

// [state][x << 1 | y] = digit | next state << 2
static const uint8_t to_key[STATES][4] = {
    {4, 1, 15, 2},
    {0, 11, 5, 6},
    {10, 7, 9, 12},
    {14, 13, 3, 8},
};

// [state][digit] = x << 1 | y | next state << 2
static const uint8_t to_point[STATES][4] = {
    {4, 1, 3, 14},
    {0, 6, 7, 9},
    {15, 10, 8, 5},
    {11, 13, 12, 2},
};

static uint32_t biased(int32_t units) {
    return (uint32_t)units ^ 0x80000000u;
}

// The inverse of `biased`, without a conversion that the language leaves open.
static int32_t unbiased(uint32_t shifted) {
    return (int32_t)((int64_t)shifted - INT64_C(0x80000000));
}

uint64_t gw_hilbert_key(struct gw_point point) {
    uint32_t x = biased(point.lon), y = biased(point.lat);
    uint64_t key = 0;
    unsigned state = 0;
    for (int level = LEVELS - 1; level >= 0; level--) {
        unsigned quadrant = (x >> level & 1u) << 1 | (y >> level & 1u);
        unsigned step = to_key[state][quadrant];
        key = key << 2 | (step & 3u);
        state = step >> 2;
    }
    return key;
}

struct gw_point gw_hilbert_point(uint64_t key) {
    uint32_t x = 0, y = 0;
    unsigned state = 0;
    for (int level = LEVELS - 1; level >= 0; level--) {
        unsigned step = to_point[state][key >> (2 * level) & 3u];
        x = x << 1 | (step >> 1 & 1u);
        y = y << 1 | (step & 1u);
        state = step >> 2;
    }
    return (struct gw_point){unbiased(x), unbiased(y)};
}
