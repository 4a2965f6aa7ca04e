// Chains of edges in a cell, for building a grid index. Internal to geo/grid_index*.c.
#ifndef GW_GEO_GRID_INDEX_CHAIN_H
#define GW_GEO_GRID_INDEX_CHAIN_H

#include "geo/grid_index_format.h"

// An edge of a ring, in ring order (the interior on its left), and whose it is.
struct gw_index_edge {
    struct gw_point a, b;
    uint32_t grid;
};

// Vertices points[start .. start + count) of the set that it belongs to.
struct gw_index_chain {
    uint32_t grid, head, start, count;
};

// The chains of one cell, by grid; scratch that is used again for each cell.
struct gw_index_chains {
    struct gw_index_chain *items;
    struct gw_point *points;
    size_t count, capacity, point_count, point_capacity;
};

void gw_index_chains_deinit(struct gw_index_chains *chains);

// Whether the closed segment meets the closed box. Exact.
bool gw_index_meets(const struct gw_box *box, struct gw_point a, struct gw_point b);

// Joins the listed edges, all of which meet `box`, into chains. GW_ENOMEM.
GW_MUST_CHECK gw_err gw_index_chains_collect(struct gw_index_chains *chains,
                                             const struct gw_box *box,
                                             const struct gw_index_edge edges[],
                                             const uint32_t list[], size_t count);

// gw_chain_crossings of a chain, or of one edge that meets `box` as a chain of its own.
int32_t gw_index_chain_crossings(const struct gw_index_chains *chains,
                                 const struct gw_index_chain *chain, struct gw_point point);
int32_t gw_index_edge_crossings(const struct gw_box *box, const struct gw_index_edge *edge,
                                struct gw_point point);

// Whether chain b runs along chain a the other way.
bool gw_index_chains_reverse(const struct gw_index_chains *chains, const struct gw_index_chain *a,
                             const struct gw_index_chain *b);

#endif
