// A partition like a city's: `grids` polygons with bent, shared borders, small in the middle and
// large outside; for benchmarks and tests that need many grids. The same seed gives the same city.
#ifndef GW_TESTS_BENCH_SYNTHETIC_CITY_H
#define GW_TESTS_BENCH_SYNTHETIC_CITY_H

#include "geo/coverage.h"

struct synthetic_city {
    struct gw_coverage coverage;
    struct gw_box box;
};

// Aborts when out of memory. Grids have about 36 vertices.
void synthetic_city_draw(struct synthetic_city *city, uint32_t grids, uint64_t seed);
void synthetic_city_deinit(struct synthetic_city *city);

#endif
