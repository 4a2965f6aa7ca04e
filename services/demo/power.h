// Power diagrams with given areas: each cell goes to the site of least (distance^2 - weight).
#ifndef GW_SERVICES_DEMO_POWER_H
#define GW_SERVICES_DEMO_POWER_H

#include <stdbool.h>
#include <stdint.h>

struct gw_demo_xy {
    int64_t x, y;
};

struct gw_demo_site {
    struct gw_demo_xy at;
    int64_t weight; // start with 0
    int64_t target; // cells that it should get
    int64_t count;  // cells that it got
    bool fixed;     // does not move
};

// Moves weights (and, in the first `moving` of `rounds`, the sites to the middle of their cells)
// until each site has about its target; site_of[i] is the site of cells[i]. `cell_area` is the area
// of a cell in the square of the coordinates' unit. Coordinates lie within +-2^26.
void gw_demo_power(const struct gw_demo_xy cells[], uint32_t cell_count,
                   struct gw_demo_site sites[], uint32_t site_count, int64_t cell_area,
                   uint32_t rounds, uint32_t moving, uint32_t site_of[]);

#endif
