#include "services/tiles/tile.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum { GZIP_LEVEL = 6, ALLOCATION_BYTES = 16 }; // the heap's own bytes for each piece

struct tile_bytes {
    atomic_uint references;
    size_t gzip_size, size;
    char etag[GW_TILE_ETAG_SIZE];
    unsigned char gzip[];
};

struct tile_object {
    struct gw_tile tile; // first: what callers hold
    atomic_uint references;
    struct tile_bytes *bytes;
};

gw_err tile_packer_init(struct tile_packer *packer) {
    *packer = (struct tile_packer){libdeflate_alloc_compressor(GZIP_LEVEL), NULL, 0};
    return packer->compressor != NULL ? GW_OK : GW_ENOMEM;
}

void tile_packer_deinit(struct tile_packer *packer) {
    if (packer->compressor != NULL) {
        libdeflate_free_compressor(packer->compressor);
    }
    free(packer->room);
    *packer = (struct tile_packer){NULL, NULL, 0};
}

static bool make_room(struct tile_packer *packer, size_t size) {
    size_t needed = libdeflate_gzip_compress_bound(packer->compressor, size);
    if (needed > packer->room_size) {
        free(packer->room);
        packer->room = malloc(needed);
        packer->room_size = packer->room != NULL ? needed : 0;
    }
    return packer->room != NULL;
}

static void write_etag(const void *mvt, size_t size, char etag[GW_TILE_ETAG_SIZE]) {
    XXH128_hash_t hash = XXH3_128bits(size > 0 ? mvt : "", size);
    (void)snprintf(etag, GW_TILE_ETAG_SIZE, "\"%016llx%016llx\"", (unsigned long long)hash.high64,
                   (unsigned long long)hash.low64);
}

static struct tile_bytes *pack(struct tile_packer *packer, const void *mvt, size_t size) {
    size_t gzip_size = 0;
    if (size > 0) {
        if (!make_room(packer, size)) {
            return NULL;
        }
        gzip_size = libdeflate_gzip_compress(packer->compressor, mvt, size, packer->room,
                                             packer->room_size);
        if (gzip_size == 0) {
            return NULL;
        }
    }
    struct tile_bytes *bytes = malloc(sizeof(*bytes) + gzip_size);
    if (bytes != NULL) {
        atomic_init(&bytes->references, 0);
        bytes->gzip_size = gzip_size;
        bytes->size = size;
        write_etag(mvt, size, bytes->etag);
        if (gzip_size > 0) {
            memcpy(bytes->gzip, packer->room, gzip_size);
        }
    }
    return bytes;
}

static const struct gw_tile *make_header(struct tile_bytes *bytes, uint64_t edition, bool live) {
    struct tile_object *object = malloc(sizeof(*object));
    if (object == NULL) {
        return NULL;
    }
    atomic_fetch_add(&bytes->references, 1);
    object->tile = (struct gw_tile){.gzip = bytes->gzip_size > 0 ? bytes->gzip : NULL,
                                    .gzip_size = bytes->gzip_size,
                                    .size = bytes->size,
                                    .edition = edition,
                                    .live = live};
    memcpy(object->tile.etag, bytes->etag, GW_TILE_ETAG_SIZE);
    atomic_init(&object->references, 1);
    object->bytes = bytes;
    return &object->tile;
}

const struct gw_tile *tile_make(struct tile_packer *packer, const void *mvt, size_t size,
                                uint64_t edition, bool live) {
    struct tile_bytes *bytes = pack(packer, mvt, size);
    if (bytes == NULL) {
        return NULL;
    }
    const struct gw_tile *tile = make_header(bytes, edition, live);
    if (tile == NULL) {
        free(bytes);
    }
    return tile;
}

static struct tile_object *object_of(const struct gw_tile *tile) {
    return (struct tile_object *)(void *)(uintptr_t)tile;
}

const struct gw_tile *tile_of_edition(const struct gw_tile *tile, uint64_t edition) {
    return make_header(object_of(tile)->bytes, edition, tile->live);
}

const struct gw_tile *tile_retain(const struct gw_tile *tile) {
    atomic_fetch_add(&object_of(tile)->references, 1);
    return tile;
}

void gw_tile_release(const struct gw_tile *tile) {
    if (tile == NULL) {
        return;
    }
    struct tile_object *object = object_of(tile);
    if (atomic_fetch_sub(&object->references, 1) == 1) {
        if (atomic_fetch_sub(&object->bytes->references, 1) == 1) {
            free(object->bytes);
        }
        free(object);
    }
}

size_t tile_cost(const struct gw_tile *tile) {
    return sizeof(struct tile_object) + sizeof(struct tile_bytes) + tile->gzip_size +
           2u * ALLOCATION_BYTES;
}
