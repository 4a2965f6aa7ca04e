// What the layers are called and where they are shown.
#include "services/tiles/tiles.h"

#include <string.h>

struct layer {
    const char *name;
    uint32_t zoom_min, zoom_max;
};

// From zoom 14 on a tile unit is less than a metre, and clients draw the tile of 14 larger.
static const struct layer layers[GW_TILE_LAYERS] = {
    [GW_TILE_GRIDS] = {"grids", 9, 14},         [GW_TILE_VILLAGES] = {"villages", 8, 14},
    [GW_TILE_TOWNSHIPS] = {"townships", 6, 14}, [GW_TILE_COUNTIES] = {"counties", 3, 14},
    [GW_TILE_CITIES] = {"cities", 0, 14},       [GW_TILE_LABELS] = {"labels", 0, 14},
    [GW_TILE_INCIDENTS] = {"incidents", 0, 14}, [GW_TILE_WORKERS] = {"workers", 0, 14},
};

const char *gw_tile_layer_name(enum gw_tile_layer layer) {
    return (unsigned)layer < GW_TILE_LAYERS ? layers[layer].name : NULL;
}

enum gw_tile_layer gw_tile_layer_find(const char *name) {
    for (unsigned i = 0; i < GW_TILE_LAYERS; i++) {
        if (strcmp(layers[i].name, name) == 0) {
            return (enum gw_tile_layer)i;
        }
    }
    return GW_TILE_LAYERS;
}

void gw_tile_layer_zooms(enum gw_tile_layer layer, uint32_t *min, uint32_t *max) {
    *min = layers[layer].zoom_min;
    *max = layers[layer].zoom_max;
}
