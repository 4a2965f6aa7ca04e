// W3C trace context: the trace id of a `traceparent` header. Pure.
#ifndef GW_SERVICES_RPC_TRACE_H
#define GW_SERVICES_RPC_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GW_RPC_TRACE_ID_SIZE 33 // 32 hex digits and a NUL

// Reads "00-<32 hex>-<16 hex>-<2 hex>" as the recommendation has it: lower case, no id all zero,
// version not ff, exactly 55 bytes for version 00 and "-..." allowed after them for later ones.
// False: not valid, and `trace_id` is untouched.
bool gw_rpc_trace_parse(const char *text, size_t size, char trace_id[GW_RPC_TRACE_ID_SIZE]);

// Writes 16 bytes as 32 lower-case hex digits; all-zero bytes give the id that ends in 1, since
// zero is not a valid id.
void gw_rpc_trace_format(const uint8_t bytes[16], char trace_id[GW_RPC_TRACE_ID_SIZE]);

#endif
