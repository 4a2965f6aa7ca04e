// The cache of tiles: least recently used goes first, bounded in bytes of everything it takes.
// Private to services/tiles. No locks: the caller has one.
#ifndef GW_SERVICES_TILES_CACHE_H
#define GW_SERVICES_TILES_CACHE_H

#include "services/tiles/tiles.h"

struct cache_entry {
    uint64_t key;
    const struct gw_tile *tile; // one reference
    int64_t until_ns;           // INT64_MAX: for as long as there is room
    size_t cost;
    struct cache_entry *chain;         // of the same bucket
    struct cache_entry *newer, *older; // in the order of use
};

struct cache {
    size_t bytes, bytes_max; // the buckets count
    uint32_t entries;
    uint32_t bucket_bits;
    struct cache_entry **buckets;
    struct cache_entry *newest, *oldest;
};

uint64_t cache_key(enum gw_tile_layer layer, struct gw_tile_id id);
enum gw_tile_layer cache_key_layer(uint64_t key);
struct gw_tile_id cache_key_id(uint64_t key);
uint32_t cache_hash(uint64_t key, uint32_t bits);

GW_MUST_CHECK gw_err cache_init(struct cache *cache, size_t bytes_max);
void cache_deinit(struct cache *cache); // also of a zeroed one

// The entry, which counts as used now; NULL: there is none.
struct cache_entry *cache_find(struct cache *cache, uint64_t key);
// Puts a tile in for a key, in place of one that is there; takes a reference. Without effect when
// it alone is above the bound or there is no memory.
void cache_put(struct cache *cache, uint64_t key, const struct gw_tile *tile, int64_t until_ns);
void cache_drop(struct cache *cache, uint64_t key);
// Drops the entries that `drops` says yes to; returns how many.
uint32_t cache_drop_those(struct cache *cache, bool (*drops)(void *context, uint64_t key),
                          void *context);

#endif
