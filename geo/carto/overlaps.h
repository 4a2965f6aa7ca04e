// Which grids of a coverage overlap: pairs whose interiors have a point in common.
//
// Exact, in integers: two valid polygons overlap if and only if two of their edges cross within
// both, or at a vertex that lies on both borders their interior angles have a direction in common,
// or a vertex of a ring of one lies inside the other. GEOS only finds the pairs whose boxes meet.
#ifndef GW_GEO_CARTO_OVERLAPS_H
#define GW_GEO_CARTO_OVERLAPS_H

#include "geo/coverage.h"
#include <stdbool.h>

struct gw_overlap {
    uint32_t grid, other; // grid < other
    double lon, lat;      // degrees: a place on the border of the overlap
};

// Calls visit for every pair, in no stated order, until it returns false. `coverage` holds valid
// polygons (gw_validity_check), `boxes` is as by gw_coverage_boxes; code_ranks is not read.
// At most `steps_max` comparisons of edges are made; *complete says whether that was enough
// (borders that two grids share cost little; only thousands of long edges side by side cost much).
// GW_ENOMEM.
GW_MUST_CHECK gw_err gw_overlaps_find(
    const struct gw_coverage *coverage, const struct gw_box boxes[], uint64_t steps_max,
    bool (*visit)(void *context, const struct gw_overlap *overlap), void *context, bool *complete);

#endif
