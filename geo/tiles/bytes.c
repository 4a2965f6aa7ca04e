#include "geo/tiles/bytes.h"

#include <stdlib.h>
#include <string.h>

// Room for `size` bytes more; false when there is none.
static bool reserve(struct gw_bytes *bytes, size_t size) {
    if (bytes->failed || size > SIZE_MAX / 4 || bytes->size > SIZE_MAX / 4) {
        bytes->failed = true;
        return false;
    }
    size_t needed = bytes->size + size;
    if (needed <= bytes->capacity) {
        return true;
    }
    size_t capacity = bytes->capacity < 256 ? 256 : bytes->capacity * 2;
    if (capacity < needed) {
        capacity = needed;
    }
    unsigned char *data = realloc(bytes->data, capacity);
    if (data == NULL) {
        bytes->failed = true;
        return false;
    }
    bytes->data = data;
    bytes->capacity = capacity;
    return true;
}

unsigned char *gw_bytes_room(struct gw_bytes *bytes, size_t size) {
    return reserve(bytes, size) ? bytes->data + bytes->size : NULL;
}

void gw_bytes_append(struct gw_bytes *bytes, const void *data, size_t size) {
    if (size > 0 && reserve(bytes, size)) {
        memcpy(bytes->data + bytes->size, data, size);
        bytes->size += size;
    }
}

void gw_bytes_varint(struct gw_bytes *bytes, uint64_t value) {
    if (bytes->capacity - bytes->size < 10 && !reserve(bytes, 10)) {
        return;
    }
    unsigned char *to = bytes->data + bytes->size;
    while (value > 127) {
        *to++ = (unsigned char)(value | 128u);
        value >>= 7;
    }
    *to++ = (unsigned char)value;
    bytes->size = (size_t)(to - bytes->data);
}

void gw_bytes_clear(struct gw_bytes *bytes) {
    bytes->size = 0;
    bytes->failed = false;
}

void gw_bytes_free(struct gw_bytes *bytes) {
    free(bytes->data);
    *bytes = (struct gw_bytes){0};
}
