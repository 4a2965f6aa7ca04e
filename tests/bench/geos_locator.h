// Point location by GEOS, used as well as it can be from C: an STRtree over polygons, each of them
// prepared and asked once already. What the grid index is compared with.
//
// Units:   coordinates are lattice units as doubles, so GEOS sees the very same borders.
// Threads: one.
#ifndef GW_TESTS_BENCH_GEOS_LOCATOR_H
#define GW_TESTS_BENCH_GEOS_LOCATOR_H

#include "geo/coverage.h"

struct geos_locator;

// The parts of a multipolygon go into the tree one by one: their boxes are tighter than its own.
// Aborts when out of memory.
struct geos_locator *geos_locator_create(const struct gw_coverage *coverage);
void geos_locator_destroy(struct geos_locator *locator);

// The first grid found whose closed polygon holds the point, or GW_GRID_NONE. It asks no further:
// in a coverage without overlaps any such grid is the answer, save on a border.
uint32_t geos_locator_locate(const struct geos_locator *locator, struct gw_point point);

// Whether the closed polygon of `grid` holds the point.
bool geos_locator_holds(const struct geos_locator *locator, uint32_t grid, struct gw_point point);

#endif
