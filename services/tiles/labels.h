// The labels of an edition: one for each grid and each area that has grids, at one place, so that a
// map writes a name once however many tiles a polygon reaches into. Immutable once made.
// Private to services/tiles.
#ifndef GW_SERVICES_TILES_LABELS_H
#define GW_SERVICES_TILES_LABELS_H

#include "services/tiles/picture.h"

struct label {
    struct gw_point point;
    uint32_t item; // index of the grid or the area in the edition
};

// A label on the map, in the order of x.
struct label_place {
    struct gw_world_point world;
    uint32_t at; // which label
};

struct label_level {
    uint32_t count;
    struct label *labels; // in byte order of codes
    struct label_place *places;
};

struct labels {
    struct label_level levels[PICTURE_LAYERS]; // of grids, then of each level of areas
};

// Of a picture whose levels are made. A grid's label lies inside its largest polygon, an area's at
// the label of the grid that is nearest to the middle of its box.
GW_MUST_CHECK gw_err labels_create(const struct picture *picture, struct labels **labels);
void labels_destroy(struct labels *labels); // accepts NULL

// Appends the layer of one tile: the labels that lie in it, none in its buffer, so that each is in
// one tile of a zoom. Which levels there are goes by the zoom.
GW_MUST_CHECK gw_err labels_encode(const struct picture *picture, struct gw_tile_id id,
                                   struct gw_tile_scratch *scratch, struct gw_bytes *out);

// Visits the places of labels that one of two pictures alone has or that say something else.
void labels_compare(const struct picture *before, const struct picture *after,
                    void (*visit)(void *context, struct gw_world_point place), void *context);

#endif
