// Grid index: the owner of a point in one or two cache lines. Immutable, position-independent.
//
// An adaptive table of square cells covers the box of the coverage. A cell names its owner outright
// (a true hit), or points to a 4 x 4 table of smaller cells, or to a leaf: chains of the edges that
// meet the cell, and how often each grid winds round the cell's points beyond them; an eastward ray
// against the leaf's own edges gives the answer (geo/grid_index_format.h). The ownership rule is
// that of gw_coverage_owner, bit for bit.
//
// Memory:  the index is one block of bytes without pointers, so a file of it can be mapped and used
//          where it lies, in the byte order of the machine that wrote it.
// Threads: an opened index is const; any number of threads may ask it.
#ifndef GW_GEO_GRID_INDEX_H
#define GW_GEO_GRID_INDEX_H

#include "geo/coverage.h"
#include <stddef.h>

#define GW_GRID_INDEX_VERSION 2u

struct gw_grid_index_options {
    uint64_t bytes_max;      // 0: 128 MiB; the table is made coarser to stay within it
    uint32_t leaf_edges_max; // 0: 5; a cell whose leaf would hold more edges (a border between two
                             // grids counts once) is split, where that parts edges
};

// An opened index: a view of bytes that the caller keeps alive.
struct gw_grid_index {
    const unsigned char *bytes;
    uint64_t size;
    const uint32_t *table, *subs, *leaves; // within `bytes`
    const uint32_t *code_ranks;            // [grid_count]
    struct gw_point origin;                // south-west corner of cell (0, 0)
    uint32_t cell_shift;                   // level-0 cells are 2^cell_shift units wide
    uint32_t cols, rows;
    uint32_t sub_count, leaf_words;
    uint32_t grid_count;
};

// Builds the index of `coverage` into *bytes, *size; the caller frees *bytes with free(). The
// coverage passes gw_coverage_check and its grids are valid (each grid's rings do not cross, its
// polygons do not overlap one another; different grids may overlap). `options` may be NULL. The
// same input gives the same bytes. GW_ENOMEM; GW_ENOSPC: not within bytes_max.
GW_MUST_CHECK gw_err gw_grid_index_build(const struct gw_coverage *coverage,
                                         const struct gw_grid_index_options *options,
                                         unsigned char **bytes, uint64_t *size);

// Opens bytes (8-byte aligned; at multiples of 64 they are read fastest) after checking that every
// offset, grid number and vertex in them is in range, so that no lookup can read outside or never
// end. O(size). GW_ECORRUPT: they are not; GW_EINVAL: `bytes` is not aligned.
GW_MUST_CHECK gw_err gw_grid_index_open(const void *bytes, uint64_t size,
                                        struct gw_grid_index *index);

// The grid that answers for `point` (gw_point_normal applied), or GW_GRID_NONE.
uint32_t gw_grid_index_locate(const struct gw_grid_index *index, struct gw_point point);

// The same for many: owners[i] of points[i]. Lookups are interleaved, so memory waits overlap.
void gw_grid_index_locate_batch(const struct gw_grid_index *index, const struct gw_point points[],
                                size_t count, uint32_t owners[]);

// What the index looks like, for people and metrics.
struct gw_grid_index_shape {
    uint64_t bytes, table_bytes, sub_bytes, leaf_bytes;
    uint64_t true_hit_cells, empty_cells; // of all levels
    uint64_t pair_leaves, list_leaves;    // cells with a border of two / anything else
    uint64_t leaf_edges;                  // vertex pairs in all leaves
};
void gw_grid_index_shape(const struct gw_grid_index *index, struct gw_grid_index_shape *shape);

#endif
