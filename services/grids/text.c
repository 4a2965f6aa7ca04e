#include "services/grids/text.h"
#include <stdint.h>
#include <string.h>

// The length of the character at text[0], or 0 if it is not valid.
static size_t character_bytes(const unsigned char *text, size_t left) {
    unsigned first = text[0];
    if (first < 0x80) {
        return 1;
    }
    if (first < 0xc2 || first > 0xf4) {
        return 0;
    }
    size_t bytes = first < 0xe0 ? 2u : first < 0xf0 ? 3u : 4u;
    if (left < bytes) {
        return 0;
    }
    // The second byte's range keeps out overlong forms, surrogates and what lies past U+10FFFF.
    unsigned low = first == 0xe0 ? 0xa0u : first == 0xf0 ? 0x90u : 0x80u;
    unsigned high = first == 0xed ? 0x9fu : first == 0xf4 ? 0x8fu : 0xbfu;
    if (text[1] < low || text[1] > high) {
        return 0;
    }
    for (size_t i = 2; i < bytes; i++) {
        if ((text[i] & 0xc0u) != 0x80u) {
            return 0;
        }
    }
    return bytes;
}

size_t gw_utf8_valid_prefix(const char *text, size_t size) {
    const unsigned char *bytes = (const unsigned char *)text;
    size_t at = 0;
    while (at < size) {
        uint64_t eight = 0;
        if (size - at >= sizeof(eight)) {
            memcpy(&eight, bytes + at, sizeof(eight));
            if ((eight & 0x8080808080808080u) == 0) { // eight ASCII characters at once
                at += sizeof(eight);
                continue;
            }
        }
        size_t length = character_bytes(bytes + at, size - at);
        if (length == 0) {
            return at;
        }
        at += length;
    }
    return at;
}

bool gw_text_ok(const char *text, size_t size) {
    return memchr(text, '\0', size) == NULL && gw_utf8_valid_prefix(text, size) == size;
}
