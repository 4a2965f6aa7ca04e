// A font's characters as glyph files of map clients.
//
// Characters are drawn 24 pixels to the em, unhinted. `top` counts from a line GW_FONT_TOP pixels
// above the baseline and not from the font's own ascender: clients centre a line of text on the
// place where capital letters are centred then, so a font with another ascender would sit askew.
#ifndef GW_TOOLS_GLYPHS_FONT_H
#define GW_TOOLS_GLYPHS_FONT_H

#include "services/base/buffer.h"
#include "services/base/error.h"
#include <stdint.h>

#define GW_FONT_EM 24       // pixels
#define GW_FONT_TOP 26      // pixels from the baseline up to where `top` is 0
#define GW_FONT_RANGE 256u  // characters of a file
#define GW_FONT_RANGES 256u // files: the basic multilingual plane

struct gw_font; // owned by one thread

// Opens the first face of a font file (TrueType, OpenType, or a collection). GW_ENOTFOUND: no such
// file; GW_EINVAL: not a font that can be scaled.
GW_MUST_CHECK gw_err gw_font_open(const char *path, struct gw_font **font, struct gw_error *error);
void gw_font_close(struct gw_font *font); // accepts NULL

// Appends the file of characters [256 range, 256 range + 255]: those that the font has; the file of
// a range without any is valid and says so. GW_ENOMEM, GW_ERANGE and others from drawing; `error`
// names the character.
GW_MUST_CHECK gw_err gw_font_range(struct gw_font *font, const char *fontstack, uint32_t range,
                                   struct gw_buffer *file, struct gw_error *error);

#endif
