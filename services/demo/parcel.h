// Parcelling out: the land's cells become villages, and those become grids, in exact numbers.
#ifndef GW_SERVICES_DEMO_PARCEL_H
#define GW_SERVICES_DEMO_PARCEL_H

#include "services/demo/mesh.h"
#include "services/demo/plan.h"

#define GW_DEMO_HOLES 28u // grids that lie inside another one
#define GW_DEMO_APART 16u // grids of two parts

struct gw_demo_parcels {
    uint32_t *village_of; // of each cell, 0 .. GW_CITY_VILLAGES - 1; UINT32_MAX outside
    uint32_t *grid_of;    // of each cell, in code order; UINT32_MAX outside
    uint32_t village_first[GW_CITY_VILLAGES + 1]; // a village's grids
    bool *special;                                // [GW_CITY_GRIDS]
};

// `classes` are of the land's points, up to and with GW_DEMO_OUTSIDE; they are made connected here.
GW_MUST_CHECK gw_err gw_demo_parcel(const struct gw_demo_plan *plan,
                                    const struct gw_demo_mesh *mesh, uint32_t classes[],
                                    struct gw_demo_arena *arena, struct gw_demo_parcels *parcels,
                                    struct gw_error *error);

// parcel_special.c: makes holes and grids of two parts, keeping every village's number of grids.
GW_MUST_CHECK gw_err gw_demo_parcel_special(const struct gw_demo_plan *plan,
                                            const struct gw_demo_mesh *mesh,
                                            struct gw_demo_arena *arena,
                                            struct gw_demo_parcels *parcels);

#endif
