#include "services/rpc/strict.h"

#include <stdint.h>
#include <string.h>

#define FIELD_NUMBER_MAX 536870911u // 2^29 - 1

// Bytes after the lead byte, and the range of the first of them; 0: no lead byte.
static unsigned sequence_of(unsigned char lead, unsigned char *low, unsigned char *high) {
    *low = 0x80;
    *high = 0xbf;
    if (lead >= 0xc2 && lead <= 0xdf) {
        return 1;
    }
    if (lead >= 0xe0 && lead <= 0xef) {
        *low = lead == 0xe0 ? 0xa0 : 0x80;
        *high = lead == 0xed ? 0x9f : 0xbf;
        return 2;
    }
    if (lead >= 0xf0 && lead <= 0xf4) {
        *low = lead == 0xf0 ? 0x90 : 0x80;
        *high = lead == 0xf4 ? 0x8f : 0xbf;
        return 3;
    }
    return 0;
}

bool gw_rpc_utf8_valid(const char *bytes, size_t size) {
    const unsigned char *text = (const unsigned char *)bytes;
    size_t at = 0;
    while (at < size) {
        unsigned char low, high;
        if (text[at] < 0x80) {
            at++;
            continue;
        }
        unsigned follow = sequence_of(text[at], &low, &high);
        if (follow == 0 || size - at <= follow) {
            return false;
        }
        for (unsigned i = 1; i <= follow; i++) {
            if (text[at + i] < low || text[at + i] > high) {
                return false;
            }
            low = 0x80;
            high = 0xbf;
        }
        at += follow + 1;
    }
    return true;
}

struct frame {
    const ProtobufCMessage *message;
    unsigned field;
    size_t element;
};

static const void *member(const ProtobufCMessage *message, unsigned offset) {
    return (const char *)message + offset;
}

// How many values the field holds, and where the first is.
static size_t values_of(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                        const void *const **values) {
    if (field->type != PROTOBUF_C_TYPE_STRING && field->type != PROTOBUF_C_TYPE_MESSAGE) {
        return 0;
    }
    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        size_t count;
        memcpy(&count, member(message, field->quantifier_offset), sizeof(count));
        memcpy(values, member(message, field->offset), sizeof(*values));
        return count;
    }
    if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0) {
        uint32_t chosen;
        memcpy(&chosen, member(message, field->quantifier_offset), sizeof(chosen));
        if (chosen != field->id) {
            return 0;
        }
    }
    *values = member(message, field->offset);
    return **values != NULL ? 1 : 0;
}

static bool unknown_fields_are_sound(const ProtobufCMessage *message) {
    for (unsigned i = 0; i < message->n_unknown_fields; i++) {
        uint32_t number = message->unknown_fields[i].tag;
        if (number == 0 || number > FIELD_NUMBER_MAX) {
            return false;
        }
    }
    return true;
}

// Looks at the next value of the message on top of the stack; may push another.
static const char *step(struct frame stack[], size_t *depth) {
    struct frame *top = &stack[*depth - 1];
    const ProtobufCFieldDescriptor *field = &top->message->descriptor->fields[top->field];
    const void *const *values = NULL;
    size_t count = values_of(top->message, field, &values);
    if (top->element >= count) {
        top->field++;
        top->element = 0;
        return NULL;
    }
    const void *value = values[top->element++];
    if (field->type == PROTOBUF_C_TYPE_STRING) {
        const char *text = value;
        return gw_rpc_utf8_valid(text, strlen(text)) ? NULL : "is not valid UTF-8";
    }
    if (*depth == GW_RPC_NESTING_MAX) {
        return "nests too deep";
    }
    stack[(*depth)++] = (struct frame){.message = value};
    return NULL;
}

const char *gw_rpc_strict_fault(const ProtobufCMessage *message, const char **field) {
    struct frame stack[GW_RPC_NESTING_MAX];
    stack[0] = (struct frame){.message = message};
    size_t depth = 1;
    while (depth > 0) {
        const struct frame *top = &stack[depth - 1];
        const ProtobufCMessageDescriptor *descriptor = top->message->descriptor;
        if (top->field == 0 && top->element == 0 && !unknown_fields_are_sound(top->message)) {
            *field = "(unknown)";
            return "has a number that protobuf does not allow";
        }
        if (top->field == descriptor->n_fields) {
            depth--;
            continue;
        }
        *field = descriptor->fields[top->field].name;
        const char *fault = step(stack, &depth);
        if (fault != NULL) {
            return fault;
        }
    }
    return NULL;
}
