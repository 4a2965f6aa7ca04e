// Messages as values: deep copies of protobuf-c structs, and strings in them that can be set.
//
// Memory:  what is made here is freed by protobuf_c_message_free_unpacked(message, NULL).
// Threads: no shared state.
#ifndef GW_SERVICES_INCIDENTS_MESSAGE_H
#define GW_SERVICES_INCIDENTS_MESSAGE_H

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>

// The message as bytes, malloc'ed, never NULL where there is memory (also for no bytes). NULL: out
// of memory.
unsigned char *gw_message_pack(const ProtobufCMessage *message, size_t *size);

// A copy that shares nothing with `message`. NULL: out of memory.
ProtobufCMessage *gw_message_clone(const ProtobufCMessage *message);

// Replaces a string field by a copy of `value`. Aborts when out of memory: used where a state that
// is half changed could not go on.
void gw_message_set_string(char **field, const char *value);

#endif
