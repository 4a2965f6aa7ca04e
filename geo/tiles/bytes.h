// A growable run of bytes for the pure tile room. Zero-initialised is empty; growth that fails sets
// `failed` and drops what follows, so that one check at the end is enough.
#ifndef GW_GEO_TILES_BYTES_H
#define GW_GEO_TILES_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gw_bytes {
    unsigned char *data;
    size_t size, capacity;
    bool failed;
};

// Room for `size` bytes behind those that are there; NULL when there is none (then `failed` is
// set). What is written there counts once `size` has been raised by it.
unsigned char *gw_bytes_room(struct gw_bytes *bytes, size_t size);
void gw_bytes_append(struct gw_bytes *bytes, const void *data, size_t size);
void gw_bytes_varint(struct gw_bytes *bytes, uint64_t value);
void gw_bytes_clear(struct gw_bytes *bytes); // keeps the memory
void gw_bytes_free(struct gw_bytes *bytes);

#endif
