// gRPC client on gRPC C core: blocking calls for tools, callbacks for load.
//
// Threads: a channel may be shared; a stream belongs to one thread at a time.
// Memory:  response messages are unpacked for the caller, who frees them with
//          protobuf_c_message_free_unpacked(message, NULL).
#ifndef GW_SERVICES_RPC_CLIENT_H
#define GW_SERVICES_RPC_CLIENT_H

#include "services/base/error.h"
#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stdint.h>

struct gw_rpc_channel;
struct gw_rpc_stream;

// `target`: "127.0.0.1:7600" or "unix:/path". Connects lazily.
GW_MUST_CHECK gw_err gw_rpc_channel_create(const char *target, struct gw_rpc_channel **channel,
                                           struct gw_error *error);
void gw_rpc_channel_destroy(struct gw_rpc_channel *channel); // accepts NULL; no call may be open

// One unary call; blocks up to timeout_ms (< 0: no deadline). A failed status comes back as the
// nearest gw_err with the server's message as text. GW_EUNAVAILABLE: nobody answers there, or the
// server is shutting down and has not begun with the call.
GW_MUST_CHECK gw_err gw_rpc_unary(struct gw_rpc_channel *channel, const char *path,
                                  const ProtobufCMessage *request,
                                  const ProtobufCMessageDescriptor *response_type,
                                  int64_t timeout_ms, ProtobufCMessage **response,
                                  struct gw_error *error);

// The same without waiting. `done` is called by gw_rpc_channel_poll on the polling thread; the
// response is freed after it. GW_ENOSPC: more than 65,536 calls in flight.
GW_MUST_CHECK gw_err gw_rpc_unary_start(
    struct gw_rpc_channel *channel, const char *path, const ProtobufCMessage *request,
    const ProtobufCMessageDescriptor *response_type, int64_t timeout_ms,
    void (*done)(void *context, const struct gw_error *error, const ProtobufCMessage *response),
    void *context);
// Runs callbacks of finished calls, 1,024 at most; waits up to timeout_ms for the first (0: not at
// all). Returns how many ran. Sockets are read and written here too: nothing moves without it. A
// callback may start calls. One thread polls a channel at a time.
uint32_t gw_rpc_channel_poll(struct gw_rpc_channel *channel, int64_t timeout_ms);

// Server stream (request given) or client stream (request NULL). timeout_ms < 0: no deadline.
GW_MUST_CHECK gw_err gw_rpc_stream_open(struct gw_rpc_channel *channel, const char *path,
                                        const ProtobufCMessage *request,
                                        const ProtobufCMessageDescriptor *response_type,
                                        int64_t timeout_ms, struct gw_rpc_stream **stream,
                                        struct gw_error *error);
// The next message; GW_ENOTFOUND: the stream ended well; else how it failed. GW_EDEADLINE: nothing
// came within timeout_ms, the stream goes on.
GW_MUST_CHECK gw_err gw_rpc_stream_read(struct gw_rpc_stream *stream, int64_t timeout_ms,
                                        ProtobufCMessage **message, struct gw_error *error);
// Client stream: sends one message; blocks under flow control.
GW_MUST_CHECK gw_err gw_rpc_stream_write(struct gw_rpc_stream *stream,
                                         const ProtobufCMessage *message, struct gw_error *error);
// Client stream: no more messages; waits for the one answer.
GW_MUST_CHECK gw_err gw_rpc_stream_finish(struct gw_rpc_stream *stream, ProtobufCMessage **response,
                                          struct gw_error *error);
void gw_rpc_stream_destroy(struct gw_rpc_stream *stream); // cancels what is open; accepts NULL

#endif
