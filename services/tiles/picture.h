// What tiles show of one edition: one mesh of borders, on it the grids and the four levels of
// areas, and their labels. Immutable once made, counted. Private to services/tiles.
#ifndef GW_SERVICES_TILES_PICTURE_H
#define GW_SERVICES_TILES_PICTURE_H

#include "geo/tiles/shapes.h"
#include "services/tiles/tile.h"

#include <stdatomic.h>

#define PICTURE_LAYERS (GW_TILE_CITIES + 1u) // of polygons: grids and GW_AREA_LEVELS of areas

struct labels; // labels.h

struct picture_level {
    struct gw_tile_shapes *shapes; // NULL: the edition has none of this level
    uint32_t count;                // features
    uint32_t *areas;               // of each feature, in byte order of codes; NULL for grids
    uint32_t *feature_of_grid;     // GW_TILE_NO_FEATURE: none; NULL for grids or without areas
};

struct picture {
    atomic_uint references;
    struct gw_current *current;
    const struct gw_edition *edition; // taken
    uint64_t number;
    struct gw_box box; // of all grids
    struct gw_world_box world;
    struct gw_tile_mesh *mesh;
    struct picture_level levels[PICTURE_LAYERS]; // by enum gw_tile_layer
    struct labels *labels;
    const struct gw_tile *empty; // an empty tile of this edition
};

// Takes the current edition and makes its borders: seconds for a large city. With one reference.
GW_MUST_CHECK gw_err picture_create(struct gw_current *current, struct picture **picture);
struct picture *picture_retain(struct picture *picture); // accepts NULL
void picture_release(struct picture *picture);           // accepts NULL

// Appends the layer of one tile, nothing when nothing is there.
GW_MUST_CHECK gw_err picture_encode(const struct picture *picture, enum gw_tile_layer layer,
                                    struct gw_tile_id id, struct gw_tile_scratch *scratch,
                                    struct gw_bytes *out);

// The area of this level above a grid, or GW_AREA_NONE.
uint32_t picture_area_of(const struct gw_edition *edition, uint32_t grid, uint32_t level);
// The code of the area right above, "" when there is none.
const char *picture_parent_code(const struct gw_edition *edition, uint32_t parent);
// "URBAN" …
const char *picture_kind_word(uint32_t kind);
struct gw_world_box picture_world_box(struct gw_box box);
bool picture_boxes_meet(struct gw_world_box a, struct gw_world_box b);

#endif
