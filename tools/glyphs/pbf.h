// Writing glyph files as map clients read them: one message `glyphs { stacks }`, whose one stack
// has a name, a range and its glyphs.
#ifndef GW_TOOLS_GLYPHS_PBF_H
#define GW_TOOLS_GLYPHS_PBF_H

#include "services/base/buffer.h"
#include <stdint.h>

struct gw_pbf_glyph {
    uint32_t code_point, width, height, advance; // pixels, without the border
    int32_t left, top;
    const unsigned char *bitmap; // of width and height with the border; size 0: nothing to draw
    size_t bitmap_size;
};

// Appends a glyph to the glyphs of a stack.
void gw_pbf_glyph(struct gw_buffer *glyphs, const struct gw_pbf_glyph *glyph);

// Appends the file whose stack has these glyphs.
void gw_pbf_stack(struct gw_buffer *file, const char *name, const char *range,
                  const struct gw_buffer *glyphs);

#endif
