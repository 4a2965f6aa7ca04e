// A coverage: the polygons of one layer's edition, as borrowed arrays on the lattice.
//
// Order:  grids come by rank: smaller priority number first, then code in byte order; so the lower
//         index answers where stored polygons overlap.
// Rings:  a grid has one or more polygons; a polygon is a shell followed by its holes. Shells run
//         counter-clockwise and holes clockwise (interior on the left). The closing vertex is not
//         repeated; no two consecutive vertices are equal; every ring has at least 3 vertices.
//         Edges are straight in the longitude-latitude plane (RFC 7946).
// Memory: the arrays belong to the caller (they usually lie in a mapped edition file).
#ifndef GW_GEO_COVERAGE_H
#define GW_GEO_COVERAGE_H

#include "geo/lattice.h"

#define GW_GRID_NONE UINT32_MAX     // nobody answers
#define GW_GRIDS_MAX 16777215u      // 2^24 - 1
#define GW_VERTICES_MAX 2000000000u // of a coverage

enum gw_ring_kind { GW_RING_SHELL = 0, GW_RING_HOLE = 1 };

struct gw_coverage {
    uint32_t grid_count, ring_count, vertex_count;
    const uint32_t *grid_rings;      // [grid_count + 1] index of a grid's first ring
    const uint32_t *ring_vertices;   // [ring_count + 1] index of a ring's first vertex
    const uint8_t *ring_kinds;       // [ring_count] enum gw_ring_kind
    const struct gw_point *vertices; // [vertex_count]
    const uint32_t *code_ranks;      // [grid_count] position of the grid's code in byte order
};

// GW_EINVAL unless the arrays are consistent: ascending starts, kinds that begin with a shell,
// rings of 3 vertices and more within the lattice that turn the way their kind says and repeat no
// vertex at once, code_ranks a permutation. (Whether rings cross is for geo/carto to judge.)
// GW_ENOMEM. O(vertices).
GW_MUST_CHECK gw_err gw_coverage_check(const struct gw_coverage *coverage);

// The box of the rings ring_begin .. ring_end - 1, of which there is at least one.
struct gw_box gw_coverage_rings_box(const struct gw_coverage *coverage, uint32_t ring_begin,
                                    uint32_t ring_end);

// The box of each grid into boxes[grid_count].
void gw_coverage_boxes(const struct gw_coverage *coverage, struct gw_box boxes[]);

// Who answers for `point` (already normal, see gw_point_normal), by ray casting over every ring of
// every grid: slow, obviously right, the reference of the index. The rule: the lowest index among
// the grids that hold the point shifted by (+e, +e^2); if there is none, the lowest code among the
// closed polygons that hold the point itself; else GW_GRID_NONE. O(vertices).
uint32_t gw_coverage_owner(const struct gw_coverage *coverage, struct gw_point point);

// The same answer, passing over the grids whose box does not hold the point: what a test can afford
// on a city. `boxes` as by gw_coverage_boxes; NULL: ask every grid.
uint32_t gw_coverage_owner_within(const struct gw_coverage *coverage, const struct gw_box boxes[],
                                  struct gw_point point);

// The grid whose border is nearest to `point` by geodesic distance on WGS84, ties by code, and the
// distance; where somebody answers, that grid and 0. `point` is normal, `boxes` as by
// gw_coverage_boxes. Exact to a millimetre. GW_ENOTFOUND: no grids. GW_ENOMEM.
GW_MUST_CHECK gw_err gw_coverage_nearest(const struct gw_coverage *coverage,
                                         const struct gw_box boxes[], struct gw_point point,
                                         uint32_t *grid, double *distance_m);

#endif
