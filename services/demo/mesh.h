// A Delaunay triangulation of the land's points, and the cells that it gives to them.
//
// The cell of a point is bounded by its dual: from a place inside one of its triangles, over a
// place on the shared edge, to a place inside the next triangle. Each such stretch stays within its
// two triangles and meets others only in its ends, wherever inside and on the edges the places are:
// so no two borders cross, whatever the random shifts. Three cells meet where a triangle is, never
// more.
#ifndef GW_SERVICES_DEMO_MESH_H
#define GW_SERVICES_DEMO_MESH_H

#include "geo/lattice.h"
#include "services/demo/arena.h"
#include "services/demo/regions.h"

struct gw_demo_triangle {
    uint32_t corners[3]; // counter-clockwise; points, or one of the three far corners
    uint32_t across[3];  // the triangle across the edge opposite to corners[i]; UINT32_MAX: none
};

struct gw_demo_mesh {
    uint32_t point_count, triangle_count;
    const struct gw_point *points;
    struct gw_demo_triangle *triangles;
    struct gw_demo_graph graph; // points that share an edge
};

// Triangulates `points`, which must differ from one another and lie within two degrees of the
// first; a point on an edge gives way by a unit or a few. GW_ENOMEM; GW_EINTERNAL: points are not
// so.
GW_MUST_CHECK gw_err gw_demo_mesh_make(struct gw_point points[], uint32_t count,
                                       struct gw_demo_arena *arena, struct gw_demo_mesh *mesh);

// A place strictly inside a triangle of three points. GW_EINTERNAL: it is too thin for one.
GW_MUST_CHECK gw_err gw_demo_mesh_centre(const struct gw_demo_mesh *mesh, uint64_t seed,
                                         uint32_t triangle, struct gw_point *centre);

// A place on (within a unit of) the edge between two points, in its middle part; the same for (a,
// b) and (b, a).
struct gw_point gw_demo_mesh_edge(const struct gw_demo_mesh *mesh, uint64_t seed, uint32_t a,
                                  uint32_t b);

#endif
