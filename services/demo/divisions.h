// The administrative divisions of Tieling (2112) as of 2023-06-30: codes and names, real ones.
//
// Generated from tieling_divisions.csv (public statistical list of the National Bureau of
// Statistics): the city, its counties, its towns, its villages and communities, each level in the
// order of the codes. Their borders are not in it; the demo city makes those up.
#ifndef GW_SERVICES_DEMO_DIVISIONS_H
#define GW_SERVICES_DEMO_DIVISIONS_H

#include <stdint.h>

struct gw_demo_division {
    const char *code;   // 4, 6, 9 or 12 digits
    const char *name;   // UTF-8
    const char *level;  // "prefecture", "county", "town" or "village"
    const char *parent; // code of the division above; "21" (Liaoning) for the city
};

extern const struct gw_demo_division gw_demo_divisions[];
extern const uint32_t gw_demo_division_count;

#endif
