#include "services/base/json.h"

#include <stdint.h>
#include <string.h>

// The length of the UTF-8 sequence that starts here, 1 .. 4; 0 where there is none (overlong forms,
// surrogates and what lies past U+10FFFF are none). The NUL at the end is no continuation byte, so
// nothing after it is read.
static size_t sequence_size(const unsigned char *at) {
    static const struct {
        unsigned char first_min, first_max, second_min, second_max, size;
    } rows[] = {
        {0x00, 0x7f, 0x00, 0x00, 1}, {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    for (size_t row = 0; row < sizeof(rows) / sizeof(rows[0]); row++) {
        if (at[0] < rows[row].first_min || at[0] > rows[row].first_max) {
            continue;
        }
        size_t size = rows[row].size;
        if (size > 1 && (at[1] < rows[row].second_min || at[1] > rows[row].second_max)) {
            return 0;
        }
        for (size_t i = 2; i < size; i++) {
            if (at[i] < 0x80 || at[i] > 0xbf) {
                return 0;
            }
        }
        return size;
    }
    return 0;
}

static bool needs_escape(unsigned char byte) {
    return byte < 0x20 || byte == '"' || byte == '\\';
}

static void write_escaped(struct gw_buffer *out, unsigned char byte) {
    static const char digits[] = "0123456789abcdef";
    if (byte == '"' || byte == '\\') {
        char pair[2] = {'\\', (char)byte};
        gw_buffer_append(out, pair, sizeof(pair));
        return;
    }
    char code[6] = {'\\', 'u', '0', '0', digits[byte >> 4], digits[byte & 15]};
    gw_buffer_append(out, code, sizeof(code));
}

void gw_json_text(struct gw_buffer *out, const char *text) {
    const unsigned char *at = (const unsigned char *)text;
    const unsigned char *run = at; // not yet written
    gw_buffer_append(out, "\"", 1);
    while (*at != '\0') {
        size_t size = sequence_size(at);
        if (size > 0 && !needs_escape(*at)) {
            at += size;
            continue;
        }
        gw_buffer_append(out, run, (size_t)(at - run));
        if (size == 0) {
            gw_buffer_text(out, "\xef\xbf\xbd");
        } else {
            write_escaped(out, *at);
        }
        run = ++at;
    }
    gw_buffer_append(out, run, (size_t)(at - run));
    gw_buffer_append(out, "\"", 1);
}
