// gRPC server on gRPC C core: a method is a row in a const table.
//
// Threads:  each completion queue has one loop thread; a call lives on one loop. Handlers run on
//           the loop thread and must not block; they may answer at once or later from any thread.
// Calls:    a unary or client-stream call is answered exactly once (reply or fail), a server-stream
//           call is ended exactly once (finish); a second answer is a bug and asserts.
//           Without `done` the handle lives until that answer, also when the client has gone or the
//           server has ended meanwhile; a client stream that breaks off before its half-close is
//           over by itself. With `done` it lives until `done` returns, and needs no answer then;
//           other threads use it under a lock that `done` also takes.
// Memory:   request messages belong to the call and live until it is answered or ended (unary,
//           server stream), or until on_message returns (client stream). Responses are packed at
//           once.
// Limits:   message sizes, calls in flight, and the outbox of each stream are bounded; a request
//           may take 64 KiB plus 24 times its size of memory once unpacked. Compression is refused.
// Requests: are checked before a handler sees them: damaged bytes, strings that are not UTF-8 and
//           messages past the limits are refused; work is dropped when its client has gone or its
//           deadline has passed.
#ifndef GW_SERVICES_RPC_SERVER_H
#define GW_SERVICES_RPC_SERVER_H

#include "services/base/error.h"
#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stdint.h>

struct gw_rpc_server;
struct gw_rpc_call;

enum gw_rpc_kind { GW_RPC_UNARY, GW_RPC_SERVER_STREAM, GW_RPC_CLIENT_STREAM };

struct gw_rpc_method {
    const char *path; // "/gridwarden.v1.GridService/Locate"
    enum gw_rpc_kind kind;
    const ProtobufCMessageDescriptor *request, *response;
    // Unary and server stream: the request is there. Client stream: called at the start with NULL.
    void (*start)(struct gw_rpc_call *call, const ProtobufCMessage *request, void *context);
    // Client stream only: each message, then the end of the client's messages.
    void (*on_message)(struct gw_rpc_call *call, const ProtobufCMessage *message, void *context);
    void (*on_half_close)(struct gw_rpc_call *call, void *context);
};

// What the observer learns of each finished call, for metrics and logs.
struct gw_rpc_finished {
    const struct gw_rpc_method *method; // NULL: not in the table
    const char *trace_id;               // 32 hex digits; valid while the observer runs
    int grpc_status;                    // as the client has it, also when it went away
    int64_t duration_ns;
};

// Called on the loop thread, after the call's `done`; it must not block.
struct gw_rpc_observer {
    void (*finished)(void *context, const struct gw_rpc_finished *finished);
    void *context;
};

struct gw_rpc_server_options {
    const char *listen;           // "127.0.0.1:7600" or "unix:/path"; loopback or unix only
    uint32_t loops;               // completion queues, each with a thread; 0: 1
    uint32_t request_bytes_max;   // 0: 4 MiB
    uint32_t response_bytes_max;  // past it the call ends as INTERNAL; 0: 4 MiB
    uint32_t calls_max;           // calls in flight; past it RESOURCE_EXHAUSTED; 0: 10,000
    uint32_t outbox_messages_max; // of a stream; 0: 256
    uint32_t outbox_bytes_max;    // of a stream; 0: 1 MiB
    struct gw_rpc_observer observer;
};

// Starts serving `methods` (a const table that outlives the server), and grpc.health.v1. Handlers
// may run before this returns.
// GW_EINVAL: bad or public address. GW_EUNAVAILABLE: the address is taken (also by SO_REUSEPORT).
GW_MUST_CHECK gw_err gw_rpc_server_start(const struct gw_rpc_server_options *options,
                                         const struct gw_rpc_method methods[], size_t method_count,
                                         void *context, struct gw_rpc_server **server,
                                         struct gw_error *error);

// The port that was bound (for "127.0.0.1:0"); 0 for a unix socket.
int gw_rpc_server_port(const struct gw_rpc_server *server);

// What health answers for "" and for each registered service. Starts as NOT_SERVING.
void gw_rpc_server_set_serving(struct gw_rpc_server *server, bool serving);

// Graceful end: health says NOT_SERVING, new calls are refused, streams are ended with UNAVAILABLE,
// calls in flight get up to grace_ms, then they are cancelled. Blocks, also for handlers that run
// on a loop, but not for answers that are owed; frees the server. Not from a loop thread.
void gw_rpc_server_drain(struct gw_rpc_server *server, int64_t grace_ms);

// Calls in flight now.
uint32_t gw_rpc_server_calls(const struct gw_rpc_server *server);

// --- a call, from any thread ---

// Unary, client stream: answers with a message. Exactly one of reply and fail, once.
void gw_rpc_reply(struct gw_rpc_call *call, const ProtobufCMessage *response);
void gw_rpc_fail(struct gw_rpc_call *call, const struct gw_error *error);

// Server stream: queues a message. GW_ENOSPC: the outbox is full; wait for on_writable. (A message
// larger than the whole outbox goes alone.) GW_ECANCELLED: the client has gone, or the server is
// draining; `done` follows. GW_EINTERNAL: larger than response_bytes_max, which ends the stream.
GW_MUST_CHECK gw_err gw_rpc_send(struct gw_rpc_call *call, const ProtobufCMessage *message);
// Server stream: ends after what is queued; error NULL: OK.
void gw_rpc_finish(struct gw_rpc_call *call, const struct gw_error *error);

// Server and client stream, set from `start`: on_writable runs on the loop thread when the outbox,
// having been full, is half empty, or after gw_rpc_wake; done runs on the loop thread when the call
// is over for whatever reason (ended, cancelled, drained), after which the handle is dead.
void gw_rpc_call_set_stream(struct gw_rpc_call *call, void *state,
                            void (*on_writable)(struct gw_rpc_call *call, void *state),
                            void (*done)(struct gw_rpc_call *call, void *state));
void *gw_rpc_call_state(struct gw_rpc_call *call);
// Makes on_writable run soon on the loop thread; from any thread, cheap, coalesced. The caller must
// know that the call is alive (it holds a lock that its `done` also takes).
void gw_rpc_wake(struct gw_rpc_call *call);

// --- facts about a call ---

// The request's bytes as they came (unary and server stream).
const void *gw_rpc_request_bytes(const struct gw_rpc_call *call, size_t *size);
const struct gw_rpc_method *gw_rpc_call_method(const struct gw_rpc_call *call);
// Milliseconds until the client's deadline; INT64_MAX: none; <= 0: past.
int64_t gw_rpc_call_remaining_ms(const struct gw_rpc_call *call);
// True once the client cancelled or its deadline passed: the work can be dropped. It must still be
// answered.
bool gw_rpc_call_cancelled(const struct gw_rpc_call *call);
// 32 hex digits: from the client's `traceparent` (W3C), else made here.
const char *gw_rpc_call_trace_id(const struct gw_rpc_call *call);

#endif
