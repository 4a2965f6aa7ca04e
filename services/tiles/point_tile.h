// Tiles of incidents and workers: gathered, thinned out where there are too many, put in an order
// that depends on their ids alone, encoded. Private to services/tiles.
#ifndef GW_SERVICES_TILES_POINT_TILE_H
#define GW_SERVICES_TILES_POINT_TILE_H

#include "geo/tiles/shapes.h"
#include "services/tiles/tiles.h"

struct point_tile; // working memory of one thread

struct point_tile *point_tile_create(void);             // NULL: out of memory
void point_tile_destroy(struct point_tile *point_tile); // accepts NULL

// Appends the layer (GW_TILE_INCIDENTS or GW_TILE_WORKERS) of one tile.
GW_MUST_CHECK gw_err point_tile_encode(struct point_tile *point_tile,
                                       const struct gw_tile_points *source,
                                       enum gw_tile_layer layer, struct gw_tile_id id,
                                       struct gw_tile_scratch *scratch, struct gw_bytes *out);

#endif
