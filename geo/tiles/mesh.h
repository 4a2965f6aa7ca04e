// The borders of a coverage as arcs that neighbours share, simplified once for every zoom.
//
// An arc runs between two junctions (places where three borders or more meet, or where what lies on
// one side changes) or is a closed loop; the grid on its left and the grid on its right use the
// same arc, so that whatever is done to it, they never tear. Each vertex of an arc carries the
// lowest zoom at which it is still drawn (Douglas-Peucker on the projected arc, ends kept); taking
// those with zoom_min <= z gives the arc at zoom z. Areas are unions of grids and reuse the same
// arcs (shapes.h): a village's border lies exactly on its grids' borders, at every zoom.
#ifndef GW_GEO_TILES_MESH_H
#define GW_GEO_TILES_MESH_H

#include "geo/coverage.h"
#include "geo/tiles/mercator.h"

#include <stddef.h>

struct gw_tile_mesh; // immutable once made: any number of threads may read it

// Copies what it needs of the coverage, which is checked (gw_coverage_check). GW_ENOMEM, GW_ENOSPC.
GW_MUST_CHECK gw_err gw_tile_mesh_create(const struct gw_coverage *coverage,
                                         struct gw_tile_mesh **mesh);
void gw_tile_mesh_destroy(struct gw_tile_mesh *mesh); // accepts NULL
size_t gw_tile_mesh_bytes(const struct gw_tile_mesh *mesh);

// Visits a box round every arc that only one of two meshes has: outside these boxes (grown by a
// tile's buffer) tiles of both editions show the same borders. GW_ENOMEM.
GW_MUST_CHECK gw_err gw_tile_mesh_changes(const struct gw_tile_mesh *before,
                                          const struct gw_tile_mesh *after,
                                          void (*visit)(void *context, struct gw_world_box box),
                                          void *context);

#endif
