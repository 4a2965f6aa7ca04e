#include "loadtest/columns.h"
#include "loadtest/result.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

// Decodes one character. Returns its bytes, 0 at the end; *rune is 0 where the bytes are no UTF-8.
static size_t next_rune(const unsigned char *at, uint32_t *rune) {
    static const unsigned char lead_min[] = {0, 0xc2, 0xe0, 0xf0},
                               lead_max[] = {0, 0xdf, 0xef, 0xf4};
    static const uint32_t rune_min[] = {0, 0x80, 0x800, 0x10000};
    *rune = at[0];
    if (at[0] < 0x80) {
        return at[0] == 0 ? 0 : 1;
    }
    *rune = 0;
    for (uint32_t more = 1; more <= 3; more++) {
        if (at[0] < lead_min[more] || at[0] > lead_max[more]) {
            continue;
        }
        uint32_t value = at[0] & (0x3fu >> more);
        for (uint32_t i = 1; i <= more; i++) {
            if ((at[i] & 0xc0) != 0x80) {
                return 1;
            }
            value = value << 6 | (at[i] & 0x3fu);
        }
        if (value < rune_min[more] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff)) {
            return 1;
        }
        *rune = value;
        return more + 1u;
    }
    return 1;
}

static bool is_control(uint32_t rune) {
    return rune < 0x20 || (rune >= 0x7f && rune < 0xa0) || (rune >= 0x200b && rune <= 0x200f) ||
           (rune >= 0x2028 && rune <= 0x202e) || rune == 0xfeff;
}

// Columns of a character: two for what East Asian fonts draw wide.
static uint32_t columns_of(uint32_t rune) {
    bool wide = (rune >= 0x1100 && rune <= 0x115f) || (rune >= 0x2e80 && rune <= 0xa4cf) ||
                (rune >= 0xac00 && rune <= 0xd7a3) || (rune >= 0xf900 && rune <= 0xfaff) ||
                (rune >= 0xfe30 && rune <= 0xfe6f) || (rune >= 0xff00 && rune <= 0xff60) ||
                (rune >= 0xffe0 && rune <= 0xffe6) || (rune >= 0x1f300 && rune <= 0x3fffd);
    return wide ? 2 : 1;
}

// Writes (out != NULL) or only measures what fits; returns the columns taken.
static uint32_t put(FILE *out, const char *text, uint32_t width) {
    const unsigned char *at = (const unsigned char *)text;
    uint32_t taken = 0, rune;
    size_t size;
    while ((size = next_rune(at, &rune)) > 0) {
        bool shown = !is_control(rune);
        uint32_t columns = shown ? columns_of(rune) : 1;
        if (taken + columns > width) {
            break;
        }
        if (out != NULL) {
            fwrite(shown ? (const char *)at : "?", 1, shown ? size : 1, out);
        }
        taken += columns;
        at += size;
    }
    return taken;
}

void load_put_left(FILE *out, const char *text, uint32_t width) {
    uint32_t taken = put(out, text, width);
    fprintf(out, "%*s", (int)(width - taken), "");
}

void load_put_right(FILE *out, const char *text, uint32_t width) {
    uint32_t taken = put(NULL, text, width);
    fprintf(out, "%*s", (int)(width - taken), "");
    put(out, text, width);
}

void load_put_text(FILE *out, const char *text) {
    put(out, text, UINT32_MAX);
}

void load_text_ms(double ms, char text[16]) {
    int digits = ms < 1 ? 3 : ms < 10 ? 2 : ms < 100 ? 1 : 0;
    snprintf(text, 16, "%.*f", digits, isfinite(ms) ? fmin(ms, 1e12) : 0.0);
}

void load_text_rate(double rate, char text[24]) {
    int digits = rate <= 0 || rate >= 1000 ? 0 : rate < 10 ? 2 : 1;
    snprintf(text, 24, "%.*f", digits, isfinite(rate) ? fmin(rate, 1e18) : 0.0);
}

const char *load_loop_text(int loop) {
    return loop == LOAD_OPEN ? "OPEN" : "CLOSED";
}
