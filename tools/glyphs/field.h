// The signed distance field of an outline, as map clients draw letters from.
//
// A byte says how far the centre of its pixel is from the edge of the character: 191 on the edge,
// 32 more for each pixel inwards, 32 less for each pixel outwards (a radius of 8 pixels over 256
// steps, a quarter of them inside), within 0 .. 255.
#ifndef GW_TOOLS_GLYPHS_FIELD_H
#define GW_TOOLS_GLYPHS_FIELD_H

#include "tools/glyphs/outline.h"
#include <stddef.h>

#define GW_FIELD_BORDER 3u       // pixels that the bitmap reaches beyond the character on each side
#define GW_FIELD_PIXELS_MAX 512u // width or height of a character without its border
#define GW_FIELD_EDGE 191
#define GW_FIELD_STEPS 32 // of a pixel

// A character in whole pixels, without the border.
struct gw_field_box {
    int32_t left, top; // of the box: x of its left side, y of its upper side, from the baseline
    uint32_t width, height;
};

// The pixels that the outline lies in; empty (width 0) without pieces. GW_ERANGE: too large.
GW_MUST_CHECK gw_err gw_field_box(const struct gw_outline *outline, struct gw_field_box *box);

// Bytes of the bitmap of a box, border and all.
size_t gw_field_bytes(const struct gw_field_box *box);

// Draws into bitmap[gw_field_bytes(box)], rows from the top. GW_ENOMEM.
GW_MUST_CHECK gw_err gw_field_draw(const struct gw_outline *outline, const struct gw_field_box *box,
                                   unsigned char bitmap[]);

#endif
