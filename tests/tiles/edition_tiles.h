// The tiles of an edition file, for tests and benchmarks: encoded here and now, by the code that
// serves them, without the node's threads and cache.
#ifndef GW_TESTS_TILES_EDITION_TILES_H
#define GW_TESTS_TILES_EDITION_TILES_H

#include "services/grids/edition.h"
#include "services/tiles/picture.h"

struct edition_tiles {
    struct gw_current *current;
    const struct gw_edition *edition; // taken
    struct picture *picture;
    struct gw_tile_scratch *scratch;
    struct gw_bytes bytes; // of the tile encoded last
};

// Exits with words when the file cannot be served.
void edition_tiles_open(const char *path, struct edition_tiles *tiles);
void edition_tiles_close(struct edition_tiles *tiles);

// Encodes a tile into tiles->bytes (size 0: empty). Exits when that fails.
void edition_tiles_encode(struct edition_tiles *tiles, enum gw_tile_layer layer,
                          struct gw_tile_id id);

// The tiles of a zoom that the grids or the buffer round a tile of theirs may reach into: x and y
// from min to max.
void edition_tiles_range(const struct edition_tiles *tiles, uint32_t zoom, struct gw_tile_id *min,
                         struct gw_tile_id *max);

#endif
