// For this room's tests: the bench's shard behind a real server, and a channel to it.
#ifndef GW_SERVICES_API_TESTING_H
#define GW_SERVICES_API_TESTING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "services/api/api.h"
#include "services/rpc/client.h"
#include "services/rpc/server.h"
#include "services/shard/testing.h"

#define PATIENCE_MS 60000 // of anything that must come: sanitizers and a busy machine

struct api_bench {
    int64_t upload_idle_ms; // set before it is opened; 0: the usual
    struct bench bench;
    struct gw_api *api;
    struct gw_rpc_server *server; // NULL once drained
    struct gw_rpc_channel *channel;
};

// `current` is what the reads answer from; NULL: the bench's. Of `rpc` the limits count; NULL: the
// usual ones. heartbeat_ms 0: the usual.
void api_bench_open(struct api_bench *bench, struct gw_current *current,
                    const struct gw_rpc_server_options *rpc, int64_t heartbeat_ms);
void api_bench_close(struct api_bench *bench);

// A read; asserts nothing. The response is the caller's.
gw_err api_bench_read(struct api_bench *bench, const char *path, const ProtobufCMessage *request,
                      const ProtobufCMessageDescriptor *type, void *response,
                      struct gw_error *error);
// A write over the wire, while the shard is stepped here.
gw_err api_bench_write(struct api_bench *bench, const char *path, const ProtobufCMessage *request,
                       ProtobufCMessage **response);

// Streams; the first message of any kind; fails the test when none comes.
struct gw_rpc_stream *api_bench_watch(struct api_bench *bench, const char *token,
                                      const char *prefix);
struct gw_rpc_stream *api_bench_assignments(struct api_bench *bench, const char *token,
                                            const char *worker, const char *area);
ProtobufCMessage *api_bench_next(struct gw_rpc_stream *stream);

#endif
