// Checks of text that comes from outside.
#ifndef GW_SERVICES_GRIDS_TEXT_H
#define GW_SERVICES_GRIDS_TEXT_H

#include <stdbool.h>
#include <stddef.h>

// How many bytes from the start are whole, valid UTF-8 (RFC 3629: no surrogates, no overlong
// forms). Equal to `size` when all of it is.
size_t gw_utf8_valid_prefix(const char *text, size_t size);

// Whether all `size` bytes are valid UTF-8 without NUL, so that they can be kept as a C string.
bool gw_text_ok(const char *text, size_t size);

#endif
