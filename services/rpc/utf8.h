// Proto3 strings are UTF-8, but protobuf-c doesn't look: what isn't would break the next reader.
#ifndef GW_SERVICES_RPC_UTF8_H
#define GW_SERVICES_RPC_UTF8_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>

#define GW_RPC_NESTING_MAX 32 // messages inside messages

// True if bytes[0 .. size) are well-formed UTF-8: shortest forms, no surrogates, up to U+10FFFF.
bool gw_rpc_utf8_valid(const char *bytes, size_t size);

// The name of the first string field, also of messages inside, that is not UTF-8, or of the field
// that nests deeper than GW_RPC_NESTING_MAX; NULL if there is none.
const char *gw_rpc_utf8_bad_field(const ProtobufCMessage *message);

#endif
