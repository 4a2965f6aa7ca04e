// The plan of the demo city: which town and village gets how many grids, before any land is drawn.
#ifndef GW_SERVICES_DEMO_PLAN_H
#define GW_SERVICES_DEMO_PLAN_H

#include "services/demo/arena.h"
#include "services/demo/city.h"

// A class of land: town and whether it is its urban core. Class of town i: 2 i, its core: 2 i + 1.
#define GW_DEMO_CLASSES (2u * GW_CITY_TOWNS)

struct gw_demo_town {
    uint32_t county;      // 0 .. GW_CITY_COUNTIES - 1
    uint32_t grids[2];    // rural, urban
    uint32_t villages[2]; // villages, communities
    bool at_seat;         // its core lies around the county seat
};

struct gw_demo_plan {
    uint64_t seed;
    struct gw_city_area *areas; // [GW_CITY_AREAS]
    struct gw_demo_town towns[GW_CITY_TOWNS];
    uint32_t village_grids[GW_CITY_VILLAGES];
    uint32_t village_town[GW_CITY_VILLAGES]; // 0 .. GW_CITY_TOWNS - 1
    bool village_urban[GW_CITY_VILLAGES];
};

// Reads the table and deals out the grids. GW_EINTERNAL: the table is not what the demo expects.
GW_MUST_CHECK gw_err gw_demo_plan_make(uint64_t seed, struct gw_demo_arena *arena,
                                       struct gw_demo_plan *plan, struct gw_error *error);

// Deals `total` to `count` shares in proportion to weights, each at least `least`; they add up to
// `total`. total >= count * least, count >= 1, weights > 0, their sum below 2^32.
void gw_demo_deal(uint32_t total, uint32_t least, const uint32_t weights[], uint32_t count,
                  uint32_t shares[]);

#endif
