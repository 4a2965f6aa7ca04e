// The features of one polygon layer over a mesh, and their tiles.
#ifndef GW_GEO_TILES_SHAPES_H
#define GW_GEO_TILES_SHAPES_H

#include "geo/tiles/mesh.h"
#include "geo/tiles/mvt.h"

#define GW_TILE_NO_FEATURE UINT32_MAX

struct gw_tile_shapes; // immutable once made: any number of threads may read it

// `feature_of_grid` names the feature that each grid belongs to (GW_TILE_NO_FEATURE: none); NULL:
// each grid is a feature of its own. Borders between two grids of one feature are not drawn. The
// mesh outlives the shapes. GW_ENOMEM; GW_EINVAL: a feature >= feature_count.
GW_MUST_CHECK gw_err gw_tile_shapes_create(const struct gw_tile_mesh *mesh,
                                           const uint32_t feature_of_grid[], uint32_t feature_count,
                                           struct gw_tile_shapes **shapes);
void gw_tile_shapes_destroy(struct gw_tile_shapes *shapes); // accepts NULL
size_t gw_tile_shapes_bytes(const struct gw_tile_shapes *shapes);
// The box of a feature in world units; empty when it has no grid.
struct gw_world_box gw_tile_shapes_box(const struct gw_tile_shapes *shapes, uint32_t feature);

// What a feature says beside its shape: its id, and its properties by gw_mvt_text and _integer.
struct gw_tile_words {
    uint64_t (*id)(void *context, uint32_t feature);
    void (*properties)(void *context, uint32_t feature, struct gw_mvt_writer *writer);
    void *context;
};

struct gw_tile_scratch; // working memory of one thread, reused from tile to tile
GW_MUST_CHECK gw_err gw_tile_scratch_create(struct gw_tile_scratch **scratch);
void gw_tile_scratch_destroy(struct gw_tile_scratch *scratch); // accepts NULL

// Appends the layer of this tile to `tile`: every feature that reaches into the tile or its buffer,
// in index order, simplified for the zoom, rounded to tile units, clipped to the buffered square;
// shells clockwise as drawn (y down), holes the other way, no ring without area. Nothing is
// appended when nothing is left. GW_ENOMEM; GW_EINVAL: no such tile.
GW_MUST_CHECK gw_err gw_tile_shapes_encode(const struct gw_tile_shapes *shapes, const char *layer,
                                           struct gw_tile_id tile,
                                           const struct gw_tile_words *words,
                                           struct gw_tile_scratch *scratch, struct gw_bytes *out);

// The same for points, which the caller has picked (a superset does no harm; the buffer counts).
GW_MUST_CHECK gw_err gw_tile_points_encode(const struct gw_point points[], uint32_t count,
                                           const char *layer, struct gw_tile_id tile,
                                           const struct gw_tile_words *words,
                                           struct gw_tile_scratch *scratch, struct gw_bytes *out);

#endif
