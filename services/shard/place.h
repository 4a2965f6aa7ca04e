// Where a point is: the grid that answers, or the nearest one, and the areas above.
#ifndef GW_SERVICES_SHARD_PLACE_H
#define GW_SERVICES_SHARD_PLACE_H

#include "services/grids/edition.h"
#include "services/incidents/incident.h"

struct place {
    uint64_t edition; // its number; the indices below are of this one
    uint32_t grid;    // GW_GRID_NONE: nobody answers
    uint32_t nearest; // when nobody answers; GW_GRID_NONE: there is no grid at all
    double nearest_distance_m;
};

// GW_ENOMEM: the nearest grid can't be found for want of memory.
GW_MUST_CHECK gw_err place_find(const struct gw_edition *edition, struct gw_point point,
                                struct place *place, struct gw_error *error);
// As the incidents room wants it; strings are the edition's.
void place_describe(const struct gw_edition *edition, const struct place *place,
                    struct gw_incident_place *out);

#endif
