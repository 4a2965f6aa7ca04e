// The parts that a city is made of, one file each; only city.c puts them together.
#ifndef GW_SERVICES_DEMO_CITY_PARTS_H
#define GW_SERVICES_DEMO_CITY_PARTS_H

#include "services/demo/parcel.h"

// workers.c: fills the city's workers, homes and roster, and the roster's place in `grids` (the
// city's own). The grids are there, in code order. False: out of memory.
bool gw_demo_make_workers(struct gw_city *city, struct gw_demo_arena *arena,
                          struct gw_city_grid grids[]);

#endif
