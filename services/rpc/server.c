// A server's start and end; see loop.c and call.c for what happens between.
#include "services/rpc/server.h"

#include "services/base/buffer.h"
#include "services/rpc/address.h"
#include "services/rpc/internal.h"
#include "services/rpc/library.h"
#include <assert.h>
#include <errno.h>
#include <grpc/grpc_security.h>
#include <grpc/support/alloc.h>
#include <limits.h>
#include <string.h>
#include <time.h>

#define LOOPS_MAX 64u
#define METHODS_MAX 256u
#define BYTES_MAX_DEFAULT (4u << 20)
#define BYTES_MAX_MAX (256u << 20)
#define CALLS_MAX_DEFAULT 10000u
#define OUTBOX_MESSAGES_DEFAULT 256u
#define OUTBOX_BYTES_DEFAULT (1u << 20)
#define KEEPALIVE_MS 60000         // a silent client is asked whether it lives,
#define KEEPALIVE_TIMEOUT_MS 20000 // and its streams end if it doesn't answer

static uint32_t or_default(uint32_t value, uint32_t fallback) {
    return value != 0 ? value : fallback;
}

static gw_err take_options(const struct gw_rpc_server_options *given,
                           struct gw_rpc_server_options *options, struct gw_error *error) {
    *options = *given;
    options->loops = or_default(given->loops, 1);
    options->request_bytes_max = or_default(given->request_bytes_max, BYTES_MAX_DEFAULT);
    options->response_bytes_max = or_default(given->response_bytes_max, BYTES_MAX_DEFAULT);
    options->calls_max = or_default(given->calls_max, CALLS_MAX_DEFAULT);
    options->outbox_messages_max = or_default(given->outbox_messages_max, OUTBOX_MESSAGES_DEFAULT);
    options->outbox_bytes_max = or_default(given->outbox_bytes_max, OUTBOX_BYTES_DEFAULT);
    if (options->loops > LOOPS_MAX) {
        return gw_error_set(error, GW_EINVAL, "%u server loops asked for; at most %u",
                            (unsigned)options->loops, LOOPS_MAX);
    }
    if (options->request_bytes_max > BYTES_MAX_MAX || options->response_bytes_max > BYTES_MAX_MAX) {
        return gw_error_set(error, GW_EINVAL, "a message limit is larger than %u bytes",
                            BYTES_MAX_MAX);
    }
    return GW_OK;
}

static bool method_is_sound(const struct gw_rpc_method *method) {
    bool path =
        method->path != NULL && method->path[0] == '/' && strchr(method->path + 1, '/') != NULL;
    bool stream = method->kind == GW_RPC_CLIENT_STREAM;
    return path && method->request != NULL && method->response != NULL && method->start != NULL &&
           stream == (method->on_message != NULL) && stream == (method->on_half_close != NULL);
}

static gw_err check_methods(const struct gw_rpc_method methods[], size_t count,
                            struct gw_error *error) {
    if (count > METHODS_MAX) {
        return gw_error_set(error, GW_EINVAL, "%zu methods to serve; at most %u", count,
                            METHODS_MAX);
    }
    for (size_t i = 0; i < count; i++) {
        if (!method_is_sound(&methods[i])) {
            return gw_error_set(error, GW_EINVAL, "row %zu of the method table (%s) is incomplete",
                                i, methods[i].path != NULL ? methods[i].path : "no path");
        }
    }
    return GW_OK;
}

// google.rpc.Status {code, message, details: [Any of RetryInfo {retry_delay}]}, written by hand:
// four small messages are not worth a generated dependency.
static grpc_slice make_retry_details(void) {
    static const char type[] = "type.googleapis.com/google.rpc.RetryInfo";
    static const char text[] = GW_RPC_BUSY_TEXT;
    const uint32_t nanos = GW_RPC_RETRY_MS * 1000000u;
    struct gw_buffer duration = {0}, info = {0}, any = {0}, status = {0};
    gw_buffer_append(&duration, "\x10", 1); // nanos
    for (uint32_t rest = nanos; rest > 0; rest >>= 7) {
        char byte = (char)((rest & 0x7fu) | (rest > 0x7fu ? 0x80u : 0u));
        gw_buffer_append(&duration, &byte, 1);
    }
    gw_buffer_format(&info, "\x0a%c", (int)duration.size); // retry_delay
    gw_buffer_append(&info, duration.data, duration.size);
    gw_buffer_format(&any, "\x0a%c%s\x12%c", (int)sizeof(type) - 1, type, (int)info.size);
    gw_buffer_append(&any, info.data, info.size);
    gw_buffer_format(&status, "\x08%c\x12%c%s\x1a%c", GRPC_STATUS_RESOURCE_EXHAUSTED,
                     (int)sizeof(text) - 1, text, (int)any.size);
    gw_buffer_append(&status, any.data, any.size);
    assert(!status.failed && sizeof(text) <= 128 && any.size < 128); // one-byte lengths
    grpc_slice slice = grpc_slice_from_copied_buffer(status.data, status.size);
    gw_buffer_free(&duration);
    gw_buffer_free(&info);
    gw_buffer_free(&any);
    gw_buffer_free(&status);
    return slice;
}

static grpc_arg integer_arg(const char *key, int value) {
    return (grpc_arg){
        .type = GRPC_ARG_INTEGER, .key = (char *)(uintptr_t)key, .value.integer = value};
}

static grpc_server *make_grpc_server(const struct gw_rpc_server_options *options) {
    // One connection may have somewhat more calls open than the server takes, so that the caller is
    // told, and not held up by HTTP/2's own limit; more than that HTTP/2 holds up.
    uint64_t streams = (uint64_t)options->calls_max + options->calls_max / 4 + 64;
    grpc_arg args[] = {
        integer_arg(GRPC_ARG_ALLOW_REUSEPORT, 0), // else a second server shares the port unnoticed
        integer_arg(GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, (int)options->request_bytes_max),
        integer_arg(GRPC_ARG_MAX_SEND_MESSAGE_LENGTH, (int)options->response_bytes_max),
        integer_arg(GRPC_ARG_MAX_CONCURRENT_STREAMS, streams > INT_MAX ? INT_MAX : (int)streams),
        // No compression: a few compressed bytes could ask for gigabytes.
        integer_arg(GRPC_COMPRESSION_CHANNEL_ENABLED_ALGORITHMS_BITSET, 1 << GRPC_COMPRESS_NONE),
        integer_arg(GRPC_ARG_ENABLE_PER_MESSAGE_COMPRESSION, 0),
        integer_arg(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0),
        integer_arg(GRPC_ARG_KEEPALIVE_TIME_MS, KEEPALIVE_MS),
        integer_arg(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, KEEPALIVE_TIMEOUT_MS),
        // gRPC clients measure the path with pings while they read; a slow one, still reading when
        // all is sent, must not lose its connection for that.
        integer_arg(GRPC_ARG_HTTP2_MAX_PING_STRIKES, 0),
        integer_arg(GRPC_ARG_ENABLE_CHANNELZ, 0),
    };
    grpc_channel_args all = {sizeof(args) / sizeof(args[0]), args};
    return grpc_server_create(&all, NULL);
}

static gw_err add_row(struct gw_rpc_server *server, const struct gw_rpc_method *method,
                      void *context, bool uncounted, struct gw_error *error) {
    struct gw_rpc_row *row = &server->rows[server->row_count];
    row->method = method;
    row->context = context;
    row->uncounted = uncounted;
    row->registered = grpc_server_register_method(server->grpc, method->path, NULL,
                                                  method->kind == GW_RPC_CLIENT_STREAM
                                                      ? GRPC_SRM_PAYLOAD_NONE
                                                      : GRPC_SRM_PAYLOAD_READ_INITIAL_BYTE_BUFFER,
                                                  0);
    if (row->registered == NULL) {
        return gw_error_set(error, GW_EINVAL, "method %s is in the table twice", method->path);
    }
    server->row_count++;
    return GW_OK;
}

static gw_err add_rows(struct gw_rpc_server *server, const struct gw_rpc_method methods[],
                       size_t count, void *context, struct gw_error *error) {
    const size_t health_count = sizeof(gw_rpc_health_methods) / sizeof(gw_rpc_health_methods[0]);
    server->rows = gpr_zalloc((count + health_count) * sizeof(server->rows[0]));
    gw_err err = GW_OK;
    for (size_t i = 0; i < count && err == GW_OK; i++) {
        err = add_row(server, &methods[i], context, false, error);
    }
    for (size_t i = 0; i < health_count && err == GW_OK; i++) {
        err = add_row(server, &gw_rpc_health_methods[i], server->health, true, error);
    }
    return err;
}

static gw_err start_loops(struct gw_rpc_server *server, struct gw_error *error) {
    server->loops = gpr_zalloc(server->options.loops * sizeof(server->loops[0]));
    for (uint32_t i = 0; i < server->options.loops; i++) {
        gw_rpc_loop_init(&server->loops[i], server);
        server->loop_count++;
        grpc_server_register_completion_queue(server->grpc, server->loops[i].queue, NULL);
    }
    for (uint32_t i = 0; i < server->loop_count; i++) {
        if (!gw_rpc_loop_run(&server->loops[i], i)) {
            return gw_error_set(error, GW_EUNAVAILABLE,
                                "no thread to be had for the server; raise the limit of threads");
        }
    }
    return GW_OK;
}

static gw_err open_port(struct gw_rpc_server *server, const struct gw_rpc_address *address,
                        struct gw_error *error) {
    gw_err err = gw_rpc_address_prepare(address, error);
    if (err != GW_OK) {
        return err;
    }
    grpc_server_credentials *credentials = grpc_insecure_server_credentials_create();
    int port = grpc_server_add_http2_port(server->grpc, address->bind, credentials);
    grpc_server_credentials_release(credentials);
    if (port == 0) {
        return gw_rpc_address_explain(address, error);
    }
    server->port = address->is_unix ? 0 : port;
    return GW_OK;
}

static struct gw_rpc_server *create(const struct gw_rpc_server_options *options,
                                    const struct gw_rpc_method methods[], size_t method_count) {
    gw_rpc_library_start();
    struct gw_rpc_server *server = gpr_zalloc(sizeof(*server));
    server->options = *options;
    server->options.listen = NULL; // the caller's memory
    server->shutdown_tag = (struct gw_rpc_tag){GW_RPC_EVENT_SHUTDOWN, server};
    atomic_store(&server->references, 1);
    (void)pthread_mutex_init(&server->mutex, NULL);
    pthread_condattr_t attributes;
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&server->changed, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    server->health = gw_rpc_health_create(methods, method_count);
    server->retry_details = make_retry_details();
    server->grpc = make_grpc_server(options);
    return server;
}

void gw_rpc_server_unref(struct gw_rpc_server *server) {
    if (atomic_fetch_sub(&server->references, 1) != 1) {
        return;
    }
    grpc_slice_unref(server->retry_details);
    (void)pthread_cond_destroy(&server->changed);
    (void)pthread_mutex_destroy(&server->mutex);
    gpr_free(server->rows);
    gpr_free(server);
}

void gw_rpc_server_worked(struct gw_rpc_server *server) {
    if (atomic_fetch_sub(&server->working, 1) == 1 && atomic_load(&server->draining)) {
        (void)pthread_mutex_lock(&server->mutex);
        (void)pthread_cond_signal(&server->changed);
        (void)pthread_mutex_unlock(&server->mutex);
    }
}

static bool no_work(const struct gw_rpc_server *server) {
    return atomic_load(&server->working) == 0;
}

static bool shutdown_seen(const struct gw_rpc_server *server) {
    return server->shutdown_seen;
}

// Waits until `reached`; false: not before `until` (NULL: however long it takes).
static bool wait_until(struct gw_rpc_server *server,
                       bool (*reached)(const struct gw_rpc_server *server),
                       const struct timespec *until) {
    int result = 0;
    (void)pthread_mutex_lock(&server->mutex);
    while (!reached(server) && result != ETIMEDOUT) {
        result = until != NULL ? pthread_cond_timedwait(&server->changed, &server->mutex, until)
                               : pthread_cond_wait(&server->changed, &server->mutex);
    }
    bool is = reached(server);
    (void)pthread_mutex_unlock(&server->mutex);
    return is;
}

static struct timespec after_ms(int64_t delay_ms) {
    struct timespec time;
    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    time.tv_sec += (time_t)(delay_ms / 1000);
    time.tv_nsec += (long)(delay_ms % 1000) * 1000000;
    if (time.tv_nsec >= 1000000000) {
        time.tv_sec++;
        time.tv_nsec -= 1000000000;
    }
    return time;
}

static void begin_shutdown(struct gw_rpc_server *server) {
    atomic_store(&server->stopping, true);
    for (uint32_t i = 0; i < server->loop_count; i++) {
        gw_rpc_loop_stop(&server->loops[i]);
    }
    grpc_server_shutdown_and_notify(server->grpc, server->loops[0].queue, &server->shutdown_tag);
}

// First the server stays open and refuses by itself, with UNAVAILABLE and words; gRPC's shutdown
// comes once the work is done, because it answers what arrives from then on with a bare CANCELLED.
static void drain_loops(struct gw_rpc_server *server, int64_t grace_ms) {
    struct timespec until = after_ms(grace_ms);
    for (uint32_t i = 0; i < server->loop_count; i++) {
        gw_rpc_loop_drain(&server->loops[i]);
    }
    (void)wait_until(server, no_work, &until);
    begin_shutdown(server);
    if (!wait_until(server, shutdown_seen, &until)) {
        grpc_server_cancel_all_calls(server->grpc);
        (void)wait_until(server, shutdown_seen, NULL);
    }
}

static void stop(struct gw_rpc_server *server, int64_t grace_ms) {
    atomic_store(&server->draining, true);
    gw_rpc_health_set(server->health, false);
    if (server->loop_count > 0 && server->loops[0].running) {
        drain_loops(server, grace_ms);
    } else if (server->loop_count > 0) { // it never began
        begin_shutdown(server);
    }
    for (uint32_t i = 0; i < server->loop_count; i++) {
        gw_rpc_loop_deinit(&server->loops[i]);
    }
    grpc_server_destroy(server->grpc);
    gw_rpc_health_destroy(server->health);
    gpr_free(server->loops);
    gw_rpc_server_unref(server);
}

gw_err gw_rpc_server_start(const struct gw_rpc_server_options *options,
                           const struct gw_rpc_method methods[], size_t method_count, void *context,
                           struct gw_rpc_server **server, struct gw_error *error) {
    struct gw_rpc_server_options taken;
    struct gw_rpc_address address;
    gw_err err = take_options(options, &taken, error);
    if (err == GW_OK) {
        err = gw_rpc_address_parse(options->listen, &address, error);
    }
    if (err == GW_OK) {
        err = check_methods(methods, method_count, error);
    }
    if (err != GW_OK) {
        return err;
    }
    struct gw_rpc_server *made = create(&taken, methods, method_count);
    err = add_rows(made, methods, method_count, context, error);
    if (err == GW_OK) {
        err = start_loops(made, error);
    }
    if (err == GW_OK) {
        err = open_port(made, &address, error);
    }
    if (err != GW_OK) {
        stop(made, 0);
        return err;
    }
    grpc_server_start(made->grpc);
    for (uint32_t i = 0; i < made->loop_count; i++) {
        gw_rpc_loop_begin(&made->loops[i]);
    }
    *server = made;
    return GW_OK;
}

int gw_rpc_server_port(const struct gw_rpc_server *server) {
    return server->port;
}

void gw_rpc_server_set_serving(struct gw_rpc_server *server, bool serving) {
    gw_rpc_health_set(server->health, serving);
}

void gw_rpc_server_drain(struct gw_rpc_server *server, int64_t grace_ms) {
    stop(server, grace_ms > 0 ? grace_ms : 0);
}

uint32_t gw_rpc_server_calls(const struct gw_rpc_server *server) {
    return atomic_load(&server->calls);
}
