// Building one cell of a grid index: from the edges that meet it to its entry, its sub tables and
// its leaves. Internal to geo/grid_index*.c.
#ifndef GW_GEO_GRID_INDEX_CELL_H
#define GW_GEO_GRID_INDEX_CELL_H

#include "geo/coverage.h"
#include "geo/grid_index_chain.h"

// How often each grid winds round the current point, and which grids do at all.
struct gw_index_tallies {
    int32_t *windings; // [grid_count]
    uint32_t *places;  // [grid_count] of a wound grid in `wound`
    uint32_t *stamps;  // [grid_count] serial of the last cell that the grid's edges met
    uint32_t *wound;   // [wound_count] grids that wind, in no order
    uint32_t wound_count, serial;
};

struct gw_index_words {
    uint32_t *data;
    size_t count, capacity;
};

// Lines of the leaf section that still have room for a small leaf.
#define GW_INDEX_BINS 16u
struct gw_index_bin {
    uint32_t offset, room; // words
};

struct gw_index_builder {
    const struct gw_index_edge *edges; // in ring order, by grid
    struct gw_index_tallies tallies;
    struct gw_index_words subs, leaves;
    struct gw_index_words lists; // a stack of edge lists, one for each cell being split
    struct gw_index_chains chains;
    struct gw_index_bin bins[GW_INDEX_BINS];
    uint64_t bytes_max; // of sub tables and leaves
    uint32_t leaf_edges_max;
};

// Zeroes and allocates. GW_ENOMEM; deinit is due in any case.
GW_MUST_CHECK gw_err gw_index_builder_init(struct gw_index_builder *builder, uint32_t grid_count);
void gw_index_builder_deinit(struct gw_index_builder *builder);

// Adds `change` to the winding of a grid round the current point.
void gw_index_tally(struct gw_index_tallies *tallies, uint32_t grid, int32_t change);

// The entry of a cell that no edge meets: the best rank that winds round the current point.
uint32_t gw_index_uniform_entry(const struct gw_index_tallies *tallies);

// The entry of the cell at `corner` of 2^shift units; the tallies are those of its corner, before
// and after. `edges`: all edges that meet its box and perhaps others, ascending. GW_ENOMEM;
// GW_ENOSPC: the budget is used up.
GW_MUST_CHECK gw_err gw_index_cell(struct gw_index_builder *builder, struct gw_point corner,
                                   uint32_t shift, const uint32_t edges[], size_t count,
                                   uint32_t *entry);

#endif
