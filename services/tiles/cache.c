#include "services/tiles/cache.h"

#include "services/tiles/tile.h"
#include <stdlib.h>

enum {
    BUCKET_BITS_MIN = 6,
    BUCKET_BITS_MAX = 22,
    BYTES_A_BUCKET = 1024, // of the bound: about what a small tile takes
    ALLOCATION_BYTES = 16,
    AXIS_BITS = 18,
    ZOOM_BITS = 5
};

uint64_t cache_key(enum gw_tile_layer layer, struct gw_tile_id id) {
    return (((uint64_t)layer << ZOOM_BITS | id.z) << AXIS_BITS | id.x) << AXIS_BITS | id.y;
}

enum gw_tile_layer cache_key_layer(uint64_t key) {
    return (enum gw_tile_layer)(key >> (2 * AXIS_BITS + ZOOM_BITS));
}

struct gw_tile_id cache_key_id(uint64_t key) {
    const uint64_t axis = (1u << AXIS_BITS) - 1u;
    return (struct gw_tile_id){(uint32_t)(key >> (2 * AXIS_BITS)) & ((1u << ZOOM_BITS) - 1u),
                               (uint32_t)(key >> AXIS_BITS & axis), (uint32_t)(key & axis)};
}

uint32_t cache_hash(uint64_t key, uint32_t bits) {
    return (uint32_t)((key * UINT64_C(0x9e3779b97f4a7c15)) >> (64u - bits));
}

gw_err cache_init(struct cache *cache, size_t bytes_max) {
    uint32_t bits = BUCKET_BITS_MIN;
    while (bits < BUCKET_BITS_MAX && ((size_t)BYTES_A_BUCKET << bits) < bytes_max) {
        bits++;
    }
    *cache = (struct cache){.bytes_max = bytes_max, .bucket_bits = bits};
    cache->buckets = calloc((size_t)1 << bits, sizeof(cache->buckets[0]));
    cache->bytes = ((size_t)1 << bits) * sizeof(cache->buckets[0]);
    return cache->buckets != NULL ? GW_OK : GW_ENOMEM;
}

static void take_from_order(struct cache *cache, struct cache_entry *entry) {
    *(entry->newer != NULL ? &entry->newer->older : &cache->newest) = entry->older;
    *(entry->older != NULL ? &entry->older->newer : &cache->oldest) = entry->newer;
}

static void put_newest(struct cache *cache, struct cache_entry *entry) {
    entry->newer = NULL;
    entry->older = cache->newest;
    *(cache->newest != NULL ? &cache->newest->newer : &cache->oldest) = entry;
    cache->newest = entry;
}

static struct cache_entry **slot_of(struct cache *cache, uint64_t key) {
    struct cache_entry **at = &cache->buckets[cache_hash(key, cache->bucket_bits)];
    while (*at != NULL && (*at)->key != key) {
        at = &(*at)->chain;
    }
    return at;
}

static void drop_at(struct cache *cache, struct cache_entry **at) {
    struct cache_entry *entry = *at;
    *at = entry->chain;
    take_from_order(cache, entry);
    cache->bytes -= entry->cost;
    cache->entries--;
    gw_tile_release(entry->tile);
    free(entry);
}

void cache_deinit(struct cache *cache) {
    while (cache->oldest != NULL) {
        drop_at(cache, slot_of(cache, cache->oldest->key));
    }
    free(cache->buckets);
    *cache = (struct cache){0};
}

struct cache_entry *cache_find(struct cache *cache, uint64_t key) {
    struct cache_entry *entry = *slot_of(cache, key);
    if (entry != NULL && entry != cache->newest) {
        take_from_order(cache, entry);
        put_newest(cache, entry);
    }
    return entry;
}

void cache_drop(struct cache *cache, uint64_t key) {
    struct cache_entry **at = slot_of(cache, key);
    if (*at != NULL) {
        drop_at(cache, at);
    }
}

void cache_put(struct cache *cache, uint64_t key, const struct gw_tile *tile, int64_t until_ns) {
    cache_drop(cache, key);
    size_t cost = sizeof(struct cache_entry) + ALLOCATION_BYTES + tile_cost(tile);
    size_t empty = ((size_t)1 << cache->bucket_bits) * sizeof(cache->buckets[0]);
    if (cost > cache->bytes_max || empty > cache->bytes_max - cost) {
        return;
    }
    struct cache_entry *entry = malloc(sizeof(*entry));
    if (entry == NULL) {
        return;
    }
    while (cache->bytes > cache->bytes_max - cost) {
        drop_at(cache, slot_of(cache, cache->oldest->key));
    }
    struct cache_entry **bucket = &cache->buckets[cache_hash(key, cache->bucket_bits)];
    *entry = (struct cache_entry){.key = key,
                                  .tile = tile_retain(tile),
                                  .until_ns = until_ns,
                                  .cost = cost,
                                  .chain = *bucket};
    *bucket = entry;
    put_newest(cache, entry);
    cache->bytes += cost;
    cache->entries++;
}

uint32_t cache_drop_those(struct cache *cache, bool (*drops)(void *context, uint64_t key),
                          void *context) {
    uint32_t dropped = 0;
    for (struct cache_entry *entry = cache->oldest, *next = NULL; entry != NULL; entry = next) {
        next = entry->newer;
        if (drops(context, entry->key)) {
            drop_at(cache, slot_of(cache, entry->key));
            dropped++;
        }
    }
    return dropped;
}
