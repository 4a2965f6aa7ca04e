// A growable run of bytes. Zero-initialised is empty and valid; gw_buffer_free gives it back.
// Growth that fails sets `failed` and drops further bytes, so that one check at the end is enough.
#ifndef GW_SERVICES_BASE_BUFFER_H
#define GW_SERVICES_BASE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

struct gw_buffer {
    char *data; // NUL-terminated whenever not NULL
    size_t size, capacity;
    bool failed;
};

void gw_buffer_append(struct gw_buffer *buffer, const void *bytes, size_t size);
void gw_buffer_text(struct gw_buffer *buffer, const char *text);
void gw_buffer_format(struct gw_buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void gw_buffer_clear(struct gw_buffer *buffer); // keeps the memory
void gw_buffer_free(struct gw_buffer *buffer);

#endif
