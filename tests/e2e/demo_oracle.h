// Who owns a point of a coverage, found the slow way and written independently of geo/: a ray cast
// over the full rings of every grid whose box may hold it, in integers.
#ifndef GW_TESTS_E2E_DEMO_ORACLE_H
#define GW_TESTS_E2E_DEMO_ORACLE_H

#include "geo/coverage.h"
#include <stdbool.h>
#include <stdint.h>

struct demo_oracle {
    const struct gw_coverage *coverage;
    struct gw_box *boxes; // of grids
    struct gw_box all;
    uint32_t *bucket_first, *bucket_grids; // grids whose box meets a square bucket
    uint32_t cols, rows;
};

// False: out of memory.
bool demo_oracle_make(struct demo_oracle *oracle, const struct gw_coverage *coverage);
void demo_oracle_free(struct demo_oracle *oracle);

// The owner, or GW_GRID_NONE. *holders: how many grids hold the shifted point; more than one is an
// overlap. *closed: nobody does, and the owner was found by its closed border.
uint32_t demo_oracle_owner(const struct demo_oracle *oracle, struct gw_point point,
                           uint32_t *holders, bool *closed);

// Whether the shifted point is in the grid, by the even-odd rule over all its rings.
bool demo_oracle_holds(const struct gw_coverage *coverage, uint32_t grid, struct gw_point point);

#endif
