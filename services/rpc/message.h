// Between protobuf-c messages and gRPC's byte buffers, within limits.
#ifndef GW_SERVICES_RPC_MESSAGE_H
#define GW_SERVICES_RPC_MESSAGE_H

#include "services/base/error.h"
#include "services/rpc/arena.h"
#include <grpc/grpc.h>

// Packs into a new buffer, which the caller destroys. GW_EINTERNAL: larger than bytes_max.
GW_MUST_CHECK gw_err gw_rpc_message_pack(const ProtobufCMessage *message, size_t bytes_max,
                                         grpc_byte_buffer **buffer, struct gw_error *error);

// The buffer's bytes in one piece, which the caller unrefs; the buffer stays his. GW_ENOSPC: larger
// than bytes_max, found out before anything is copied. GW_EUNSUPPORTED: compressed.
GW_MUST_CHECK gw_err gw_rpc_message_join(grpc_byte_buffer *buffer, size_t bytes_max,
                                         grpc_slice *slice, struct gw_error *error);

// Unpacks into `arena` (NULL: the heap). GW_EINVAL: damaged, or what strict.h finds.
// GW_ENOSPC: the arena's cap.
GW_MUST_CHECK gw_err gw_rpc_message_unpack(const ProtobufCMessageDescriptor *type,
                                           const grpc_slice *slice, struct gw_rpc_arena *arena,
                                           ProtobufCMessage **message, struct gw_error *error);

#endif
