// Value noise: a smooth random field, in integers.
#ifndef GW_SERVICES_DEMO_NOISE_H
#define GW_SERVICES_DEMO_NOISE_H

#include "services/base/random.h"

// Random values at the corners of squares of side `size`, blended in between; in
// [-amplitude, amplitude]. x, y >= 0; amplitude < 2^30.
int64_t gw_demo_noise(uint64_t seed, int64_t x, int64_t y, int64_t size, int64_t amplitude);

#endif
