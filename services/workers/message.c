#include "services/workers/roster.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

ProtobufCMessage *gw_workers_clone(const ProtobufCMessage *message) {
    size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *bytes = malloc(size > 0 ? size : 1);
    if (bytes == NULL) {
        return NULL;
    }
    (void)protobuf_c_message_pack(message, bytes);
    ProtobufCMessage *copy = protobuf_c_message_unpack(message->descriptor, NULL, size, bytes);
    free(bytes);
    return copy;
}

// Bytes of the UTF-8 character at `text` (RFC 3629), or 0; *code is the character.
static size_t decode(const unsigned char *text, uint32_t *code) {
    static const struct {
        unsigned char mask, lead;
        uint32_t min;
    } forms[] = {{0x80, 0x00, 0}, {0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000}};
    for (size_t more = 0; more < 4; more++) {
        if ((text[0] & forms[more].mask) != forms[more].lead) {
            continue;
        }
        uint32_t value = text[0] & (unsigned)(unsigned char)~forms[more].mask;
        for (size_t i = 1; i <= more; i++) {
            if ((text[i] & 0xc0) != 0x80) { // also at the end of the string
                return 0;
            }
            value = value << 6 | (text[i] & 0x3fu);
        }
        bool surrogate = value >= 0xd800 && value <= 0xdfff;
        *code = value;
        return value < forms[more].min || value > 0x10ffff || surrogate ? 0 : more + 1;
    }
    return 0;
}

bool gw_text_printable(const char *text, size_t bytes_max) {
    size_t size = strnlen(text, bytes_max + 1);
    if (size == 0 || size > bytes_max) {
        return false;
    }
    for (size_t i = 0; i < size;) {
        uint32_t code = 0;
        size_t bytes = decode((const unsigned char *)text + i, &code);
        if (bytes == 0 || code < 0x20 || (code >= 0x7f && code < 0xa0)) {
            return false;
        }
        i += bytes;
    }
    return true;
}

void gw_out_of_memory(void) {
    (void)fputs("workers: out of memory while folding an event\n", stderr);
    abort();
}

void *gw_must_alloc(void *old, size_t bytes) {
    void *memory = realloc(old, bytes > 0 ? bytes : 1);
    if (memory == NULL) {
        gw_out_of_memory();
    }
    return memory;
}
