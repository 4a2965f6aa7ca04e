// Borders of regions of cells: the rings of a coverage.
#ifndef GW_SERVICES_DEMO_TRACE_H
#define GW_SERVICES_DEMO_TRACE_H

#include "geo/coverage.h"
#include "services/demo/mesh.h"

// Traces the borders of the regions labels[cell] = 0 .. region_count - 1 (UINT32_MAX: of none),
// each of which has a cell at least, into a coverage whose arrays lie in `out`. Scratch is taken
// from `arena`. GW_ENOMEM; GW_EINTERNAL: a border leaves the land.
GW_MUST_CHECK gw_err gw_demo_trace(const struct gw_demo_mesh *mesh, uint64_t seed,
                                   const uint32_t labels[], uint32_t region_count,
                                   struct gw_demo_arena *arena, struct gw_demo_arena *out,
                                   struct gw_coverage *coverage);

#endif
