// What the files of the client share. Nothing outside this folder includes it.
#ifndef GW_SERVICES_RPC_CLIENT_INTERNAL_H
#define GW_SERVICES_RPC_CLIENT_INTERNAL_H

#include "services/rpc/client.h"
#include <grpc/grpc.h>
#include <pthread.h>
#include <stdatomic.h>

#define GW_RPC_RECEIVE_BYTES_MAX (64 << 20) // of one message from a server

struct gw_rpc_channel {
    char target[128]; // as the user wrote it, for messages
    grpc_channel *grpc;
    grpc_completion_queue *queue; // of calls started with gw_rpc_unary_start
    atomic_uint in_flight;        // those
};

// Where gRPC puts what comes back; init before the call, deinit once.
struct gw_rpc_answer {
    grpc_metadata_array initial, trailing;
    grpc_byte_buffer *message;
    grpc_status_code status;
    grpc_slice details;
};
void gw_rpc_answer_init(struct gw_rpc_answer *answer);
void gw_rpc_answer_deinit(struct gw_rpc_answer *answer);

// The status as an error with the server's words; GW_OK for status 0.
gw_err gw_rpc_answer_error(const struct gw_rpc_channel *channel, const struct gw_rpc_answer *answer,
                           struct gw_error *error);

// Unpacks a message onto the heap and destroys the buffer. NULL buffer: GW_EINTERNAL.
GW_MUST_CHECK gw_err gw_rpc_take_response(const ProtobufCMessageDescriptor *type,
                                          grpc_byte_buffer *buffer, ProtobufCMessage **message,
                                          struct gw_error *error);

// A call on the channel whose events go to `queue`; timeout_ms < 0: no deadline.
grpc_call *gw_rpc_call_open(struct gw_rpc_channel *channel, grpc_completion_queue *queue,
                            const char *path, int64_t timeout_ms);

// For how long to look for an event: 0: only at what is there; < 0: for ever.
gpr_timespec gw_rpc_wait_until(int64_t timeout_ms);

void gw_rpc_client_batch(grpc_call *call, const grpc_op *ops, size_t count, void *tag);

#endif
