// The points that a benchmark of locate asks for.
#ifndef GW_TESTS_BENCH_LOCATE_POINTS_H
#define GW_TESTS_BENCH_LOCATE_POINTS_H

#include "geo/coverage.h"
#include <stddef.h>

enum locate_points {
    LOCATE_POINTS_UNIFORM,
    LOCATE_POINTS_INSIDE,
    LOCATE_POINTS_CITY,
    LOCATE_POINTS_EDGES,
    LOCATE_POINTS_KINDS
};

// "uniform", ... and what that means, in a few words.
const char *locate_points_name(enum locate_points kind);
const char *locate_points_what(enum locate_points kind);

// Draws `count` points; the same seed gives the same ones. Aborts when out of memory.
void locate_points_draw(enum locate_points kind, const struct gw_coverage *coverage, uint64_t seed,
                        struct gw_point points[], size_t count);

#endif
