#include "tools/glyphs/font.h"
#include "tools/glyphs/field.h"
#include "tools/glyphs/pbf.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <ft2build.h>

#include FT_FREETYPE_H
#include FT_OUTLINE_H

struct gw_font {
    FT_Library library;
    FT_Face face;
    double scale; // pixels of a font unit
    struct gw_outline outline;
    unsigned char *bitmap;
    size_t bitmap_capacity;
};

gw_err gw_font_open(const char *path, struct gw_font **font, struct gw_error *error) {
    struct gw_font *opened = calloc(1, sizeof(*opened));
    if (opened == NULL || FT_Init_FreeType(&opened->library) != 0) {
        free(opened);
        return gw_error_set(error, GW_ENOMEM, "no memory for FreeType");
    }
    FT_Error failed = FT_New_Face(opened->library, path, 0, &opened->face);
    if (failed != 0) {
        opened->face = NULL;
        gw_font_close(opened);
        return failed == FT_Err_Cannot_Open_Resource
                   ? gw_error_set(error, GW_ENOTFOUND, "%s: cannot be opened", path)
                   : gw_error_set(error, GW_EINVAL, "%s: not a font that FreeType reads (%d)", path,
                                  failed);
    }
    if (!FT_IS_SCALABLE(opened->face) || opened->face->units_per_EM == 0 ||
        FT_Select_Charmap(opened->face, FT_ENCODING_UNICODE) != 0) {
        gw_font_close(opened);
        return gw_error_set(error, GW_EINVAL, "%s: needs outlines and Unicode characters", path);
    }
    opened->scale = (double)GW_FONT_EM / opened->face->units_per_EM;
    *font = opened;
    return GW_OK;
}

void gw_font_close(struct gw_font *font) {
    if (font == NULL) {
        return;
    }
    (void)FT_Done_Face(font->face);
    (void)FT_Done_FreeType(font->library);
    gw_outline_free(&font->outline);
    free(font->bitmap);
    free(font);
}

// --- FreeType's outline into ours -------------------------------------------------------------

static struct gw_outline_point scaled(const struct gw_font *font, const FT_Vector *point) {
    return (struct gw_outline_point){(double)point->x * font->scale,
                                     (double)point->y * font->scale};
}

static int move_to(const FT_Vector *to, void *context) {
    struct gw_font *font = context;
    gw_outline_move(&font->outline, scaled(font, to));
    return 0;
}

static int line_to(const FT_Vector *to, void *context) {
    struct gw_font *font = context;
    gw_outline_line(&font->outline, scaled(font, to));
    return 0;
}

static int conic_to(const FT_Vector *control, const FT_Vector *to, void *context) {
    struct gw_font *font = context;
    gw_outline_quadratic(&font->outline, scaled(font, control), scaled(font, to));
    return 0;
}

static int cubic_to(const FT_Vector *first, const FT_Vector *second, const FT_Vector *to,
                    void *context) {
    struct gw_font *font = context;
    gw_outline_cubic(&font->outline, scaled(font, first), scaled(font, second), scaled(font, to));
    return 0;
}

static gw_err load_outline(struct gw_font *font) {
    static const FT_Outline_Funcs draw = {move_to, line_to, conic_to, cubic_to, 0, 0};
    gw_outline_clear(&font->outline);
    FT_GlyphSlot slot = font->face->glyph;
    if (slot->format != FT_GLYPH_FORMAT_OUTLINE) {
        return GW_EUNSUPPORTED;
    }
    font->outline.odd_is_inside = (slot->outline.flags & FT_OUTLINE_EVEN_ODD_FILL) != 0;
    if (FT_Outline_Decompose(&slot->outline, &draw, font) != 0) {
        return GW_EINVAL;
    }
    return gw_outline_finish(&font->outline);
}

static gw_err reserve_bitmap(struct gw_font *font, size_t size) {
    if (size > font->bitmap_capacity) {
        unsigned char *bitmap = realloc(font->bitmap, size);
        if (bitmap == NULL) {
            return GW_ENOMEM;
        }
        font->bitmap = bitmap;
        font->bitmap_capacity = size;
    }
    return GW_OK;
}

// Appends the character, which the font has as `index`.
static gw_err write_glyph(struct gw_font *font, uint32_t code_point, FT_UInt index,
                          struct gw_buffer *glyphs) {
    if (FT_Load_Glyph(font->face, index, FT_LOAD_NO_SCALE) != 0) {
        return GW_EINVAL;
    }
    struct gw_pbf_glyph glyph = {.code_point = code_point};
    double advance = round((double)font->face->glyph->metrics.horiAdvance * font->scale);
    glyph.advance = advance > 0.0 ? (uint32_t)fmin(advance, GW_FIELD_PIXELS_MAX) : 0;
    struct gw_field_box box = {0};
    gw_err err = load_outline(font);
    if (err == GW_OK) {
        err = gw_field_box(&font->outline, &box);
    }
    if (err == GW_OK && box.width > 0 && box.height > 0) {
        glyph.width = box.width;
        glyph.height = box.height;
        glyph.left = box.left;
        glyph.top = box.top - GW_FONT_TOP;
        glyph.bitmap_size = gw_field_bytes(&box);
        err = reserve_bitmap(font, glyph.bitmap_size);
        if (err == GW_OK) {
            err = gw_field_draw(&font->outline, &box, font->bitmap);
        }
        glyph.bitmap = font->bitmap;
    }
    if (err == GW_OK) {
        gw_pbf_glyph(glyphs, &glyph);
    }
    return err;
}

gw_err gw_font_range(struct gw_font *font, const char *fontstack, uint32_t range,
                     struct gw_buffer *file, struct gw_error *error) {
    if (range >= GW_FONT_RANGES) {
        return gw_error_set(error, GW_EINVAL, "range %u: there are %u", range, GW_FONT_RANGES);
    }
    struct gw_buffer glyphs = {0};
    uint32_t first = range * GW_FONT_RANGE, last = first + GW_FONT_RANGE - 1;
    gw_err err = GW_OK;
    for (uint32_t point = first; point <= last && err == GW_OK; point++) {
        FT_UInt index = FT_Get_Char_Index(font->face, point);
        if (index != 0) {
            err = write_glyph(font, point, index, &glyphs);
            if (err != GW_OK) {
                err = gw_error_set(error, err, "character U+%04X: %s", point, gw_err_text(err));
            }
        }
    }
    if (err == GW_OK) {
        char words[32];
        (void)snprintf(words, sizeof(words), "%u-%u", first, last);
        gw_pbf_stack(file, fontstack, words, &glyphs);
        if (file->failed) {
            err = gw_error_set(error, GW_ENOMEM, "no memory for range %s", words);
        }
    }
    gw_buffer_free(&glyphs);
    return err;
}
