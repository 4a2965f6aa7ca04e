// Where two editions look different: which tiles of a layer have to be made anew.
//
// The changed boxes of a layer are kept as a raster of cells over all of them, so that asking takes
// the same few steps for a tile of any size and any number of boxes. A cell is changed as a whole:
// a tile near a change may be called changed too, never the other way round.
// Private to services/tiles.
#ifndef GW_SERVICES_TILES_CHANGES_H
#define GW_SERVICES_TILES_CHANGES_H

#include "services/tiles/picture.h"

#define CHANGES_CELLS 512u                   // of an axis
#define CHANGES_LAYERS (GW_TILE_LABELS + 1u) // polygons and labels

struct change_boxes {
    struct gw_world_box *items;
    size_t count, capacity;
};

struct changes {
    struct change_boxes boxes[CHANGES_LAYERS];
    struct gw_world_box area[CHANGES_LAYERS]; // round all boxes; empty: nothing changed
    uint32_t *sums[CHANGES_LAYERS];           // changed cells to the north-west of a corner
};

// Zeroes *changes first. GW_ENOMEM: nothing can be said.
GW_MUST_CHECK gw_err changes_find(const struct picture *before, const struct picture *after,
                                  struct changes *changes);
void changes_deinit(struct changes *changes);

// Whether a tile of the layer, with its buffer, may look different.
bool changes_touch(const struct changes *changes, enum gw_tile_layer layer, struct gw_tile_id id);

#endif
