// The program on Debian's font, read back by a reader of the test's own.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tools/glyphs/font.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FONT "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc"
#define BORDER 3

struct message {
    const unsigned char *at, *end;
};

struct glyph {
    uint64_t id, width, height, advance;
    int64_t left, top;
    struct message bitmap;
};

static uint64_t read_varint(struct message *message) {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        assert_true(message->at < message->end);
        unsigned char byte = *message->at++;
        value |= (uint64_t)(byte & 127) << shift;
        if (byte < 128) {
            break;
        }
    }
    return value;
}

// The next field: its number, and its value or bytes. False at the end.
static bool read_field(struct message *message, uint64_t *field, uint64_t *value,
                       struct message *bytes) {
    if (message->at == message->end) {
        return false;
    }
    uint64_t key = read_varint(message);
    *field = key >> 3;
    *value = read_varint(message);
    *bytes = (struct message){NULL, NULL};
    if ((key & 7) == 2) {
        assert_true(*value <= (size_t)(message->end - message->at));
        *bytes = (struct message){message->at, message->at + *value};
        message->at = bytes->end;
    } else {
        assert_int_equal(key & 7, 0);
    }
    return true;
}

static struct glyph read_glyph(struct message message) {
    struct glyph glyph = {0};
    uint64_t field = 0, value = 0;
    struct message bytes;
    while (read_field(&message, &field, &value, &bytes)) {
        int64_t zigzag = (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
        switch (field) {
        case 1:
            glyph.id = value;
            break;
        case 2:
            glyph.bitmap = bytes;
            break;
        case 3:
            glyph.width = value;
            break;
        case 4:
            glyph.height = value;
            break;
        case 5:
            glyph.left = zigzag;
            break;
        case 6:
            glyph.top = zigzag;
            break;
        case 7:
            glyph.advance = value;
            break;
        default:
            fail_msg("field %u of a glyph", (unsigned)field);
        }
    }
    return glyph;
}

static struct gw_font *font;
static struct gw_buffer file;
static struct glyph glyphs[GW_FONT_RANGE];
static uint32_t glyph_count;
static char stack_name[64], stack_range[64];

// Reads the one stack of `file`, checking each glyph's bitmap against its size.
static void read_stack(void) {
    struct message all = {(unsigned char *)file.data, (unsigned char *)file.data + file.size};
    struct message stack, bytes;
    uint64_t field = 0, value = 0;
    glyph_count = 0;
    assert_true(read_field(&all, &field, &value, &stack));
    assert_int_equal(field, 1);
    assert_ptr_equal(all.at, all.end);
    while (read_field(&stack, &field, &value, &bytes)) {
        char *words = field == 1 ? stack_name : stack_range;
        if (field == 3) {
            assert_true(glyph_count < GW_FONT_RANGE);
            struct glyph glyph = read_glyph(bytes);
            size_t size = (size_t)(glyph.bitmap.end - glyph.bitmap.at);
            assert_int_equal(size, glyph.width == 0
                                       ? 0
                                       : (glyph.width + 2 * BORDER) * (glyph.height + 2 * BORDER));
            glyphs[glyph_count++] = glyph;
        } else {
            assert_in_range(field, 1, 2);
            assert_true(value < sizeof(stack_name));
            memcpy(words, bytes.at, value);
            words[value] = '\0';
        }
    }
}

static void make_range(uint32_t range) {
    struct gw_error error = {0};
    gw_buffer_clear(&file);
    assert_int_equal(gw_font_range(font, "Gridwarden Regular", range, &file, &error), GW_OK);
    read_stack();
}

static struct glyph glyph_of(uint32_t code_point) {
    for (uint32_t i = 0; i < glyph_count; i++) {
        if (glyphs[i].id == code_point) {
            return glyphs[i];
        }
    }
    fail_msg("no U+%04X", (unsigned)code_point);
    return glyphs[0];
}

static int shade(const struct glyph *glyph, int column, int row) {
    int width = (int)glyph->width + 2 * BORDER;
    return glyph->bitmap.at[(row + BORDER) * width + column + BORDER];
}

static void letters_have_their_metrics(void **state) {
    (void)state;
    make_range(0);
    assert_string_equal(stack_name, "Gridwarden Regular");
    assert_string_equal(stack_range, "0-255");
    struct glyph space = glyph_of(' ');
    assert_int_equal(space.width, 0);
    assert_true(space.advance > 3);
    struct glyph h = glyph_of('H'); // 1462 of 2048 units high: 17.1 pixels of 24
    assert_int_equal(h.height, 18);
    assert_int_equal(h.top, 18 - GW_FONT_TOP);
    assert_int_equal(h.advance, 17); // 1436 units: 16.8 pixels
    assert_in_range(h.left, 1, 3);
    struct glyph comma = glyph_of(','), g = glyph_of('g');
    assert_true(comma.top < h.top && g.top - (int64_t)g.height < -GW_FONT_TOP); // below the line
    for (uint32_t i = 1; i < glyph_count; i++) {
        assert_true(glyphs[i - 1].id < glyphs[i].id);
    }
}

// The shade falls by 32 a pixel from the stem outwards and passes 191 where the edge is.
static void the_edge_is_at_191(void **state) {
    (void)state;
    make_range(0);
    struct glyph h = glyph_of('H');
    int row = 3; // of the two stems alone
    assert_true(shade(&h, 1, row) > 191);
    assert_true(shade(&h, -1, row) < 191);
    for (int column = -2; column < 0; column++) {
        int rise = shade(&h, column, row) - shade(&h, column - 1, row);
        assert_in_range(rise, 31, 33);
    }
    int middle = (int)h.width / 2;
    assert_true(shade(&h, middle, row) < 191);
    assert_true(shade(&h, middle, 8) > 191 || shade(&h, middle, 9) > 191); // the bar
}

static void chinese_characters_are_there(void **state) {
    (void)state;
    make_range(0x7f51 / GW_FONT_RANGE);
    struct glyph wang = glyph_of(0x7f51);
    assert_int_equal(wang.advance, 24);
    assert_in_range(wang.width, 18, 24);
    assert_in_range(wang.height, 18, 24);
    // Centred on the same line as capital letters: half a pixel and what rounding adds.
    assert_in_range(wang.top - (int64_t)wang.height / 2 + 100, -17 - 1 + 100, -17 + 2 + 100);
    int dark = 0;
    for (int row = 0; row < (int)wang.height; row++) {
        for (int column = 0; column < (int)wang.width; column++) {
            dark += shade(&wang, column, row) > 191;
        }
    }
    assert_in_range(dark, 60, 300);
}

static void a_range_without_characters_is_a_valid_file(void **state) {
    (void)state;
    make_range(0xd800 / GW_FONT_RANGE); // surrogates
    assert_string_equal(stack_range, "55296-55551");
    assert_int_equal(glyph_count, 0);
    struct gw_error error = {0};
    assert_int_equal(gw_font_range(font, "x", GW_FONT_RANGES, &file, &error), GW_EINVAL);
}

static void faults_have_words(void **state) {
    (void)state;
    struct gw_error error = {0};
    struct gw_font *none = NULL;
    assert_int_equal(gw_font_open("nothing/here.ttf", &none, &error), GW_ENOTFOUND);
    assert_non_null(strstr(error.text, "nothing/here.ttf"));
    char path[512];
    (void)snprintf(path, sizeof(path), "%s/not-a-font", getenv("TEST_TMPDIR"));
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    assert_true(fputs("these are words", out) >= 0);
    assert_int_equal(fclose(out), 0);
    assert_int_equal(gw_font_open(path, &none, &error), GW_EINVAL);
    assert_null(none);
}

static int open_font(void **state) {
    (void)state;
    struct gw_error error = {0};
    if (gw_font_open(FONT, &font, &error) != GW_OK) {
        print_error("%s (Debian's fonts-wqy-microhei)\n", error.text);
        return -1;
    }
    return 0;
}

static int close_font(void **state) {
    (void)state;
    gw_font_close(font);
    gw_buffer_free(&file);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(letters_have_their_metrics),
        cmocka_unit_test(the_edge_is_at_191),
        cmocka_unit_test(chinese_characters_are_there),
        cmocka_unit_test(a_range_without_characters_is_a_valid_file),
        cmocka_unit_test(faults_have_words),
    };
    return cmocka_run_group_tests(tests, open_font, close_font);
}
