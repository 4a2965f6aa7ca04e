#include "services/demo/noise.h"

enum { BITS = 10, ONE = 1 << BITS };

static int64_t corner(uint64_t seed, int64_t column, int64_t row) {
    uint64_t key = gw_random_mix(seed ^ gw_random_mix((uint64_t)column * 0x10001u + (uint64_t)row));
    return (int64_t)(key % (2 * ONE + 1)) - ONE;
}

// 3 t^2 - 2 t^3 on [0, ONE].
static int64_t smooth(int64_t t) {
    return t * t * (3 * ONE - 2 * t) / ((int64_t)ONE * ONE);
}

int64_t gw_demo_noise(uint64_t seed, int64_t x, int64_t y, int64_t size, int64_t amplitude) {
    int64_t column = x / size, row = y / size;
    int64_t u = smooth((x % size) * ONE / size), v = smooth((y % size) * ONE / size);
    int64_t south = corner(seed, column, row) * (ONE - u) + corner(seed, column + 1, row) * u;
    int64_t north =
        corner(seed, column, row + 1) * (ONE - u) + corner(seed, column + 1, row + 1) * u;
    int64_t value = (south * (ONE - v) + north * v) / ((int64_t)ONE * ONE);
    return value * amplitude / ONE;
}
