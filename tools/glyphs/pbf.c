#include "tools/glyphs/pbf.h"
#include <string.h>

enum { WIRE_VARINT = 0, WIRE_BYTES = 2 };
enum { FILE_STACKS = 1 };
enum { STACK_NAME = 1, STACK_RANGE, STACK_GLYPHS };
enum {
    GLYPH_ID = 1,
    GLYPH_BITMAP,
    GLYPH_WIDTH,
    GLYPH_HEIGHT,
    GLYPH_LEFT,
    GLYPH_TOP,
    GLYPH_ADVANCE
};

static void varint(struct gw_buffer *out, uint64_t value) {
    unsigned char bytes[10];
    size_t count = 0;
    do {
        bytes[count++] = (unsigned char)((value & 127) | (value > 127 ? 128 : 0));
        value >>= 7;
    } while (value != 0);
    gw_buffer_append(out, bytes, count);
}

static void number(struct gw_buffer *out, uint32_t field, uint64_t value) {
    varint(out, field << 3 | WIRE_VARINT);
    varint(out, value);
}

static void signed_number(struct gw_buffer *out, uint32_t field, int32_t value) {
    number(out, field, value < 0 ? ~((uint32_t)value << 1) : (uint32_t)value << 1);
}

static void bytes(struct gw_buffer *out, uint32_t field, const void *data, size_t size) {
    varint(out, field << 3 | WIRE_BYTES);
    varint(out, size);
    gw_buffer_append(out, data, size);
}

void gw_pbf_glyph(struct gw_buffer *glyphs, const struct gw_pbf_glyph *glyph) {
    struct gw_buffer message = {0};
    number(&message, GLYPH_ID, glyph->code_point);
    if (glyph->bitmap_size > 0) {
        bytes(&message, GLYPH_BITMAP, glyph->bitmap, glyph->bitmap_size);
    }
    number(&message, GLYPH_WIDTH, glyph->width);
    number(&message, GLYPH_HEIGHT, glyph->height);
    signed_number(&message, GLYPH_LEFT, glyph->left);
    signed_number(&message, GLYPH_TOP, glyph->top);
    number(&message, GLYPH_ADVANCE, glyph->advance);
    bytes(glyphs, STACK_GLYPHS, message.data, message.size);
    glyphs->failed = glyphs->failed || message.failed;
    gw_buffer_free(&message);
}

void gw_pbf_stack(struct gw_buffer *file, const char *name, const char *range,
                  const struct gw_buffer *glyphs) {
    struct gw_buffer stack = {0};
    bytes(&stack, STACK_NAME, name, strlen(name));
    bytes(&stack, STACK_RANGE, range, strlen(range));
    gw_buffer_append(&stack, glyphs->data, glyphs->size);
    bytes(file, FILE_STACKS, stack.data, stack.size);
    file->failed = file->failed || stack.failed || glyphs->failed;
    gw_buffer_free(&stack);
}
