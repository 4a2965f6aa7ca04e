// What protobuf-c lets through although the format forbids it, and the next reader would refuse.
#ifndef GW_SERVICES_RPC_STRICT_H
#define GW_SERVICES_RPC_STRICT_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>

#define GW_RPC_NESTING_MAX 32 // messages inside messages

// True if bytes[0 .. size) are well-formed UTF-8: shortest forms, no surrogates, up to U+10FFFF.
bool gw_rpc_utf8_valid(const char *bytes, size_t size);

// Looks through a message and those inside it: strings must be UTF-8, unknown fields must have a
// possible number, nesting has GW_RPC_NESTING_MAX levels. NULL: all is well; else what is wrong, in
// words that follow "field <name>", and *field is the name.
const char *gw_rpc_strict_fault(const ProtobufCMessage *message, const char **field);

#endif
