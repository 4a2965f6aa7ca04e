// Lattice polygons as GEOS geometries, in lattice units. Private to geo/carto.
#ifndef GW_GEO_CARTO_GEOS_SHAPE_H
#define GW_GEO_CARTO_GEOS_SHAPE_H

#include "geo/carto/validity.h"
#include <geos_c.h>
#include <stdbool.h>

struct gw_geos {
    GEOSContextHandle_t context;
    double *scratch; // one ring's coordinates
    size_t scratch_count;
};

bool gw_geos_init(struct gw_geos *geos); // false: out of memory
void gw_geos_deinit(struct gw_geos *geos);

// The shape as a multipolygon that the caller destroys. NULL: out of memory.
GEOSGeometry *gw_geos_multipolygon(struct gw_geos *geos, const struct gw_shape *shape);

#endif
