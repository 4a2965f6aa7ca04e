#include "services/incidents/message.h"

#include <stdlib.h>
#include <string.h>

unsigned char *gw_message_pack(const ProtobufCMessage *message, size_t *size) {
    size_t need = protobuf_c_message_get_packed_size(message);
    unsigned char *bytes = malloc(need > 0 ? need : 1u);
    if (bytes != NULL) {
        *size = protobuf_c_message_pack(message, bytes);
    }
    return bytes;
}

ProtobufCMessage *gw_message_clone(const ProtobufCMessage *message) {
    size_t size = 0;
    unsigned char *bytes = gw_message_pack(message, &size);
    if (bytes == NULL) {
        return NULL;
    }
    ProtobufCMessage *copy = protobuf_c_message_unpack(message->descriptor, NULL, size, bytes);
    free(bytes);
    return copy;
}

void gw_message_set_string(char **field, const char *value) {
    char *copy = (char *)protobuf_c_empty_string; // what the generated code takes for "no string"
    if (value != NULL && *value != '\0') {
        size_t size = strlen(value) + 1u;
        copy = malloc(size);
        if (copy == NULL) {
            abort();
        }
        memcpy(copy, value, size);
    }
    if (*field != NULL && *field != protobuf_c_empty_string) {
        free(*field);
    }
    *field = copy;
}
