#include "services/demo/power.h"

#include <stddef.h>

// Most rounds look at every SAMPLE-th cell only; the last ones at all.
enum { SAMPLE = 7, FULL_ROUNDS = 12 };

static void assign(const struct gw_demo_xy cells[], uint32_t cell_count, uint32_t step,
                   const struct gw_demo_site sites[], uint32_t site_count, uint32_t site_of[]) {
    for (uint32_t i = 0; i < cell_count; i += step) {
        int64_t best = INT64_MAX;
        for (uint32_t s = 0; s < site_count; s++) {
            int64_t dx = cells[i].x - sites[s].at.x, dy = cells[i].y - sites[s].at.y;
            int64_t power = dx * dx + dy * dy - sites[s].weight;
            if (power < best) {
                best = power;
                site_of[i] = s;
            }
        }
    }
}

static void count_cells(const uint32_t site_of[], uint32_t cell_count, uint32_t step,
                        struct gw_demo_site sites[], uint32_t site_count) {
    for (uint32_t s = 0; s < site_count; s++) {
        sites[s].count = 0;
    }
    for (uint32_t i = 0; i < cell_count; i += step) {
        sites[site_of[i]].count++;
    }
}

// A site moves to the middle of its cells, unless it is fixed or has none.
static void move_sites(const struct gw_demo_xy cells[], uint32_t cell_count, uint32_t step,
                       const uint32_t site_of[], struct gw_demo_site sites[], uint32_t site_count) {
    for (uint32_t s = 0; s < site_count; s++) {
        if (!sites[s].fixed && sites[s].count > 0) {
            sites[s].at = (struct gw_demo_xy){0, 0};
        }
    }
    for (uint32_t i = 0; i < cell_count; i += step) {
        struct gw_demo_site *site = &sites[site_of[i]];
        site->at.x += site->fixed ? 0 : cells[i].x;
        site->at.y += site->fixed ? 0 : cells[i].y;
    }
    for (uint32_t s = 0; s < site_count; s++) {
        if (!sites[s].fixed && sites[s].count > 0) {
            sites[s].at.x /= sites[s].count;
            sites[s].at.y /= sites[s].count;
        }
    }
}

void gw_demo_power(const struct gw_demo_xy cells[], uint32_t cell_count,
                   struct gw_demo_site sites[], uint32_t site_count, int64_t cell_area,
                   uint32_t rounds, uint32_t moving, uint32_t site_of[]) {
    for (uint32_t round = 0; round < rounds; round++) {
        uint32_t step = round + FULL_ROUNDS < rounds && cell_count > 50 * site_count ? SAMPLE : 1;
        assign(cells, cell_count, step, sites, site_count, site_of);
        count_cells(site_of, cell_count, step, sites, site_count);
        if (round < moving) {
            move_sites(cells, cell_count, step, site_of, sites, site_count);
        }
        // Around a disc among discs, weight w moves the area by about (pi / 2) w, and a step of
        // half of that settles; where sites are close it is more, so that the steps become smaller.
        int64_t part = 300 - (int64_t)270 * round / rounds;
        for (uint32_t s = 0; s < site_count && round + 1 < rounds; s++) {
            int64_t missing = sites[s].target - sites[s].count * step;
            sites[s].weight += missing * cell_area * part / 1000;
        }
    }
}
