// Private to the tile room: what a mesh is made of, and the steps that make it.
#ifndef GW_GEO_TILES_MESH_ARCS_H
#define GW_GEO_TILES_MESH_ARCS_H

#include "geo/tiles/mesh.h"

#include <stddef.h>

#define MESH_BLOCK 64u               // vertices of an arc that share a box
#define MESH_VERTICES_MAX (1u << 28) // of a mesh
#define MESH_NEVER (GW_TILE_ZOOM_MAX + 1)

// Arcs run in a canonical direction (the lexicographically smaller sequence of vertices) and order
// (along the Hilbert curve by their first vertex, then by first and second vertex), so that they
// depend on the borders alone and not on how the rings were given, and what one tile shows lies
// close together. A closed arc without a junction begins and ends at its lowest vertex.
struct gw_tile_mesh {
    uint32_t grid_count, arc_count, node_count, vertex_count;
    uint32_t *arc_vertices; // [arc_count + 1] first vertex; a closed arc's last is its first again
    uint32_t *arc_nodes;    // [2 * arc_count] numbers of the places where it begins and ends
    uint32_t *arc_uses;     // [arc_count + 1]
    uint32_t *uses;         // grid << 1 | whether its ring (interior left) runs against the arc
    uint32_t *arc_blocks;   // [arc_count + 1]
    uint64_t *arc_hashes;   // of vertices, zooms and how many grids there are on each side
    struct gw_world_box *arc_boxes, *block_boxes;
    struct gw_world_point *vertices; // [vertex_count]
    uint8_t *zooms;                  // [vertex_count] lowest zoom at which it is drawn; ends 0
};

// The distinct edges of a coverage on the projected plane, and which grids use them.
struct mesh_edges {
    uint32_t point_count, edge_count, node_count;
    struct gw_world_point *world; // [point_count]
    struct gw_point *lattice;     // [point_count]
    uint32_t *ends;               // [2 * edge_count] points, the lower number first
    uint32_t *use_starts;         // [edge_count + 1]
    uint32_t *uses;               // grid << 1 | whether it runs from the higher to the lower number
    uint32_t *neighbours;         // [2 * point_count] edges at a point that has two
    uint32_t *degrees;            // [point_count]
    uint32_t *nodes;              // [point_count] number of a junction, else MESH_NOT_NODE
};
#define MESH_NOT_NODE UINT32_MAX

// An arc as a run of points of the edges.
struct mesh_trace {
    uint32_t arc_count;
    uint32_t *points;     // runs, one behind the other
    uint32_t *starts;     // [arc_count + 1]
    uint32_t *arc_edges;  // [arc_count] edge << 1 | whether the arc runs against it
    uint32_t *arc_nodes;  // [2 * arc_count]
    uint32_t *order;      // [arc_count] arcs by first and second point
    uint32_t point_count; // of all runs
};

// Each function fills zero-initialised structures, which the caller frees on success and failure.
GW_MUST_CHECK gw_err mesh_edges_make(const struct gw_coverage *coverage, struct mesh_edges *edges);
void mesh_edges_deinit(struct mesh_edges *edges);
GW_MUST_CHECK gw_err mesh_trace_make(struct mesh_edges *edges, struct mesh_trace *trace);
void mesh_trace_deinit(struct mesh_trace *trace);

// -1, 0, 1: by x, then y.
int mesh_compare(struct gw_world_point a, struct gw_world_point b);

// The lowest zoom at which each vertex of an open or closed run is drawn; the ends get 0. `twin`:
// another arc runs between the same ends, so that the two must not become the same line while there
// is something to see between them. `distances` is working memory; count >= 2.
void mesh_simplify(const struct gw_world_point run[], uint32_t count, bool twin, double distances[],
                   uint8_t zooms[]);

#endif
