// Whether two grids overlap. Private to overlaps.
#ifndef GW_GEO_CARTO_OVERLAP_PAIR_H
#define GW_GEO_CARTO_OVERLAP_PAIR_H

#include "geo/carto/overlaps.h"
#include <stddef.h>

// An edge a-b with the vertex before a: so also the angle of the border at a.
struct gw_border_edge {
    struct gw_point before, a, b;
};

struct gw_overlap_search {
    const struct gw_coverage *coverage;
    const struct gw_box *boxes;
    struct gw_border_edge *edges[2]; // scratch: those of each grid near the other
    size_t counts[2], capacities[2];
    uint64_t steps_left;
};

// GW_OK: *overlaps says whether, and overlap->lon, lat where. GW_ENOSPC: no steps are left.
// GW_ENOMEM.
GW_MUST_CHECK gw_err gw_overlap_pair(struct gw_overlap_search *search, struct gw_overlap *overlap,
                                     bool *overlaps);

#endif
