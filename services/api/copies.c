#include "services/api/copies.h"

#include <stdint.h>
#include <stdlib.h>

static bool grow(struct api_copies *copies) {
    size_t capacity = copies->capacity == 0 ? 16 : copies->capacity * 2;
    void *grown = realloc(copies->messages, capacity * sizeof(*copies->messages));
    if (grown != NULL) {
        copies->messages = grown;
        copies->capacity = capacity;
    }
    return grown != NULL;
}

static ProtobufCMessage *copy_of(const ProtobufCMessage *message) {
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

bool api_copies_add(struct api_copies *copies, const ProtobufCMessage *message) {
    ProtobufCMessage *copy = NULL;
    if (copies->count < copies->capacity || grow(copies)) {
        copy = copy_of(message);
    }
    if (copy == NULL) {
        copies->failed = true;
        return false;
    }
    copies->messages[copies->count++] = copy;
    return true;
}

void api_copies_free(struct api_copies *copies) {
    for (size_t i = 0; i < copies->count; i++) {
        protobuf_c_message_free_unpacked(copies->messages[i], NULL);
    }
    free(copies->messages);
    *copies = (struct api_copies){0};
}
