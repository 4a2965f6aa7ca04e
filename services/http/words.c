#include "services/http/words.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

// The size of what all values of the enum begin with: its name in capitals, with '_' after each
// word. "IncidentState" is "INCIDENT_STATE_".
static size_t prefix_size(const ProtobufCEnumDescriptor *type) {
    size_t size = 1; // the last '_'
    for (const char *at = type->short_name; *at != '\0'; at++) {
        bool word = at > type->short_name && isupper((unsigned char)*at);
        size += word ? 2 : 1;
    }
    return size;
}

const char *http_word(const ProtobufCEnumDescriptor *type, int value) {
    const ProtobufCEnumValue *row = protobuf_c_enum_descriptor_get_value(type, value);
    size_t size = prefix_size(type);
    return row != NULL && strlen(row->name) > size ? row->name + size : "";
}

bool http_word_value(const ProtobufCEnumDescriptor *type, const char *word, int *value) {
    size_t size = prefix_size(type);
    for (unsigned i = 0; i < type->n_values; i++) {
        const ProtobufCEnumValue *row = &type->values[i];
        if (row->value != 0 && strlen(row->name) > size && strcmp(row->name + size, word) == 0) {
            *value = row->value;
            return true;
        }
    }
    return false;
}
