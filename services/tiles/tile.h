// A tile in memory: the bytes, which several headers may share, and a header that says of which
// edition they are. Private to services/tiles.
#ifndef GW_SERVICES_TILES_TILE_H
#define GW_SERVICES_TILES_TILE_H

#include "services/tiles/tiles.h"

#include <libdeflate.h>

// Memory of one thread for packing, reused from tile to tile.
struct tile_packer {
    struct libdeflate_compressor *compressor;
    unsigned char *room;
    size_t room_size;
};
GW_MUST_CHECK gw_err tile_packer_init(struct tile_packer *packer);
void tile_packer_deinit(struct tile_packer *packer); // also of a zeroed one

// Gzips and names the MVT bytes (none: an empty tile). With one reference. NULL: out of memory.
const struct gw_tile *tile_make(struct tile_packer *packer, const void *mvt, size_t size,
                                uint64_t edition, bool live);
// A header for another edition over the same bytes. With one reference. NULL: out of memory.
const struct gw_tile *tile_of_edition(const struct gw_tile *tile, uint64_t edition);
const struct gw_tile *tile_retain(const struct gw_tile *tile);
// All that it takes of the heap.
size_t tile_cost(const struct gw_tile *tile);

#endif
