#include "tests/tiles/edition_tiles.h"
#include <stdio.h>
#include <stdlib.h>

static void must(gw_err err, const char *what) {
    if (err != GW_OK) {
        (void)fprintf(stderr, "%s: %s\n", what, gw_err_text(err));
        exit(1);
    }
}

void edition_tiles_open(const char *path, struct edition_tiles *tiles) {
    *tiles = (struct edition_tiles){0};
    struct gw_error error = {0};
    struct gw_edition *edition = NULL;
    if (gw_edition_open(path, &edition, &error) != GW_OK) {
        (void)fprintf(stderr, "%s\n", error.text);
        exit(1);
    }
    tiles->current = gw_current_create(edition);
    must(tiles->current != NULL ? GW_OK : GW_ENOMEM, path);
    tiles->edition = gw_current_take(tiles->current);
    must(picture_create(tiles->current, &tiles->picture), path);
    must(gw_tile_scratch_create(&tiles->scratch), path);
}

void edition_tiles_close(struct edition_tiles *tiles) {
    gw_bytes_free(&tiles->bytes);
    gw_tile_scratch_destroy(tiles->scratch);
    picture_release(tiles->picture);
    gw_current_release(tiles->current, tiles->edition);
    gw_current_destroy(tiles->current);
}

void edition_tiles_encode(struct edition_tiles *tiles, enum gw_tile_layer layer,
                          struct gw_tile_id id) {
    gw_bytes_clear(&tiles->bytes);
    must(picture_encode(tiles->picture, layer, id, tiles->scratch, &tiles->bytes),
         gw_tile_layer_name(layer));
}

static uint32_t tile_at(int32_t world, int32_t buffer, uint32_t zoom) {
    int32_t unit_bits = (int32_t)(GW_TILE_ZOOM_MAX - zoom);
    int64_t moved = (int64_t)world + ((int64_t)buffer << unit_bits);
    int64_t last = ((int64_t)1 << zoom) - 1;
    int64_t at = moved >> (GW_WORLD_BITS - zoom);
    return (uint32_t)(at < 0 ? 0 : at > last ? last : at);
}

void edition_tiles_range(const struct edition_tiles *tiles, uint32_t zoom, struct gw_tile_id *min,
                         struct gw_tile_id *max) {
    struct gw_world_box world = tiles->picture->world;
    *min = (struct gw_tile_id){zoom, tile_at(world.min.x, -GW_TILE_BUFFER, zoom),
                               tile_at(world.min.y, -GW_TILE_BUFFER, zoom)};
    *max = (struct gw_tile_id){zoom, tile_at(world.max.x, GW_TILE_BUFFER, zoom),
                               tile_at(world.max.y, GW_TILE_BUFFER, zoom)};
}
