// The land of the demo city: points spread over it, each with the class of land that it belongs to.
//
// A triangular lattice covers the country. An outline, seven county centres and the towns' sites
// cut it into regions of the right size (power diagrams whose weights are found by iteration), seen
// through a field of noise that makes every border wander. The lattice cells nearest to a town's
// centre become its urban core and get sixteen points each; the others get one. Points are shifted
// at random within bounds, so no two come close to each other.
//
// Working coordinates are integers in units of 1e-7 degree of latitude: x is longitude times 3/4
// (about the cosine of 42 degrees), y is latitude, both from the city's south-west corner.
#ifndef GW_SERVICES_DEMO_LAND_H
#define GW_SERVICES_DEMO_LAND_H

#include "services/demo/plan.h"

#define GW_DEMO_OUTSIDE GW_DEMO_CLASSES // the class of what lies around the city

struct gw_demo_land {
    uint32_t count;
    struct gw_point *points; // in an order in which the next is near
    uint32_t *classes;       // class of each point, up to and with GW_DEMO_OUTSIDE
};

GW_MUST_CHECK gw_err gw_demo_land_make(const struct gw_demo_plan *plan, struct gw_demo_arena *arena,
                                       struct gw_demo_land *land, struct gw_error *error);

#endif
