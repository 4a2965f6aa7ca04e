// The client's channel and unary calls; streams are in client_stream.c.
#include "services/rpc/client_internal.h"

#include "services/rpc/library.h"
#include "services/rpc/message.h"
#include <assert.h>
#include <grpc/grpc_security.h>
#include <grpc/support/alloc.h>
#include <grpc/support/time.h>
#include <stdio.h>
#include <string.h>

#define IN_FLIGHT_MAX 65536u
#define CALLBACKS_MAX 1024u // of one gw_rpc_channel_poll
#define SEND_BYTES_MAX (64u << 20)
#define RECONNECT_MS_FIRST 100 // pauses between attempts to connect
#define RECONNECT_MS_MAX 2000
#define CONNECT_MS_MAX 10000 // of one attempt, the HTTP/2 greeting included

// --- the channel ---

static grpc_arg integer_arg(const char *key, int value) {
    return (grpc_arg){
        .type = GRPC_ARG_INTEGER, .key = (char *)(uintptr_t)key, .value.integer = value};
}

gw_err gw_rpc_channel_create(const char *target, struct gw_rpc_channel **channel,
                             struct gw_error *error) {
    size_t length = target != NULL ? strlen(target) : 0;
    if (length == 0 || length >= sizeof((*channel)->target) || strchr(target, ':') == NULL) {
        return gw_error_set(error, GW_EINVAL,
                            "server address '%.60s': write host:port such as 127.0.0.1:7600, or "
                            "unix:/path",
                            target != NULL ? target : "");
    }
    grpc_arg args[] = {
        integer_arg(GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, GW_RPC_RECEIVE_BYTES_MAX),
        integer_arg(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1), // a connection to each channel
        integer_arg(GRPC_ARG_ENABLE_RETRIES, 0), // the caller decides, with his request id
        integer_arg(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, RECONNECT_MS_FIRST),
        integer_arg(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, CONNECT_MS_MAX), // its name misleads
        integer_arg(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, RECONNECT_MS_MAX),
        integer_arg(GRPC_ARG_ENABLE_PER_MESSAGE_COMPRESSION, 0),
        integer_arg(GRPC_ARG_ENABLE_HTTP_PROXY, 0), // the server is on this machine
        integer_arg(GRPC_ARG_ENABLE_CHANNELZ, 0),
    };
    grpc_channel_args all = {sizeof(args) / sizeof(args[0]), args};
    gw_rpc_library_start();
    struct gw_rpc_channel *made = gpr_zalloc(sizeof(*made));
    memcpy(made->target, target, length + 1);
    grpc_channel_credentials *credentials = grpc_insecure_credentials_create();
    made->grpc = grpc_channel_create(target, credentials, &all);
    grpc_channel_credentials_release(credentials);
    made->queue = grpc_completion_queue_create_for_next(NULL);
    *channel = made;
    return GW_OK;
}

void gw_rpc_channel_destroy(struct gw_rpc_channel *channel) {
    if (channel == NULL) {
        return;
    }
    assert(atomic_load(&channel->in_flight) == 0);
    grpc_channel_destroy(channel->grpc);
    grpc_completion_queue_shutdown(channel->queue);
    grpc_event event;
    do {
        event =
            grpc_completion_queue_next(channel->queue, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
    } while (event.type != GRPC_QUEUE_SHUTDOWN);
    grpc_completion_queue_destroy(channel->queue);
    gpr_free(channel);
}

// --- parts of a call ---

static gpr_timespec deadline_after(int64_t timeout_ms) {
    if (timeout_ms < 0) {
        return gpr_inf_future(GPR_CLOCK_MONOTONIC);
    }
    return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                        gpr_time_from_millis(timeout_ms, GPR_TIMESPAN));
}

gpr_timespec gw_rpc_wait_until(int64_t timeout_ms) {
    // A deadline of now would be rounded up to a millisecond of sleep.
    return timeout_ms == 0 ? gpr_inf_past(GPR_CLOCK_MONOTONIC) : deadline_after(timeout_ms);
}

grpc_call *gw_rpc_call_open(struct gw_rpc_channel *channel, grpc_completion_queue *queue,
                            const char *path, int64_t timeout_ms) {
    grpc_slice method = grpc_slice_from_copied_string(path);
    grpc_call *call = grpc_channel_create_call(channel->grpc, NULL, GRPC_PROPAGATE_DEFAULTS, queue,
                                               method, NULL, deadline_after(timeout_ms), NULL);
    grpc_slice_unref(method);
    return call;
}

void gw_rpc_client_batch(grpc_call *call, const grpc_op *ops, size_t count, void *tag) {
    grpc_call_error result = grpc_call_start_batch(call, ops, count, tag, NULL);
    assert(result == GRPC_CALL_OK); // anything else is a bug of ours
}

void gw_rpc_answer_init(struct gw_rpc_answer *answer) {
    *answer = (struct gw_rpc_answer){.details = grpc_empty_slice()};
    grpc_metadata_array_init(&answer->initial);
    grpc_metadata_array_init(&answer->trailing);
}

void gw_rpc_answer_deinit(struct gw_rpc_answer *answer) {
    grpc_metadata_array_destroy(&answer->initial);
    grpc_metadata_array_destroy(&answer->trailing);
    if (answer->message != NULL) {
        grpc_byte_buffer_destroy(answer->message);
    }
    grpc_slice_unref(answer->details);
}

// The first code of the list that travels as this status.
static gw_err err_of_status(int status) {
    for (int err = 0; err < GW_ERR_COUNT; err++) {
        if (gw_err_grpc_status((gw_err)err) == status) {
            return (gw_err)err;
        }
    }
    return status == GRPC_STATUS_UNAUTHENTICATED ? GW_EPERM : GW_EINTERNAL;
}

gw_err gw_rpc_answer_error(const struct gw_rpc_channel *channel, const struct gw_rpc_answer *answer,
                           struct gw_error *error) {
    if (answer->status == GRPC_STATUS_OK) {
        return GW_OK;
    }
    gw_err err = err_of_status((int)answer->status);
    const char *text = (const char *)GRPC_SLICE_START_PTR(answer->details);
    int length = (int)(GRPC_SLICE_LENGTH(answer->details) < GW_ERROR_TEXT_MAX
                           ? GRPC_SLICE_LENGTH(answer->details)
                           : GW_ERROR_TEXT_MAX);
    if (answer->status == GRPC_STATUS_UNAVAILABLE &&
        grpc_slice_buf_start_eq(answer->details, "failed to connect", 17)) {
        return gw_error_set(error, err, "no server answers at %s: is it running there? (%.*s)",
                            channel->target, length > 120 ? 120 : length, text);
    }
    if (answer->status == GRPC_STATUS_CANCELLED &&
        grpc_slice_str_cmp(answer->details, "CANCELLED") == 0) {
        // Nobody here cancelled: gRPC's answer to a call that met a server's shutdown.
        return gw_error_set(error, GW_EUNAVAILABLE, "%s is shutting down; connect again",
                            channel->target);
    }
    if (answer->status == GRPC_STATUS_DEADLINE_EXCEEDED) {
        return gw_error_set(error, err, "%s did not answer in time (%.*s)", channel->target,
                            length > 120 ? 120 : length, text);
    }
    if (length == 0) {
        return gw_error_set(error, err, "%s (status %d)", gw_err_text(err), (int)answer->status);
    }
    return gw_error_set(error, err, "%.*s", length, text);
}

gw_err gw_rpc_take_response(const ProtobufCMessageDescriptor *type, grpc_byte_buffer *buffer,
                            ProtobufCMessage **message, struct gw_error *error) {
    if (buffer == NULL) {
        return gw_error_set(error, GW_EINTERNAL, "the server answered without a message");
    }
    grpc_slice slice;
    gw_err err = gw_rpc_message_join(buffer, GW_RPC_RECEIVE_BYTES_MAX, &slice, error);
    grpc_byte_buffer_destroy(buffer);
    if (err != GW_OK) {
        return err;
    }
    struct gw_error why;
    if (gw_rpc_message_unpack(type, &slice, NULL, message, &why) != GW_OK) {
        err = gw_error_set(error, GW_EINTERNAL, "the server's answer is damaged: %s", why.text);
    }
    grpc_slice_unref(slice);
    return err;
}

// --- unary ---

// One batch: the whole call.
static void start_unary(grpc_call *call, grpc_byte_buffer *request, struct gw_rpc_answer *answer,
                        void *tag) {
    grpc_op ops[6] = {
        {.op = GRPC_OP_SEND_INITIAL_METADATA},
        {.op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = request},
        {.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT},
        {.op = GRPC_OP_RECV_INITIAL_METADATA,
         .data.recv_initial_metadata.recv_initial_metadata = &answer->initial},
        {.op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = &answer->message},
        {.op = GRPC_OP_RECV_STATUS_ON_CLIENT,
         .data.recv_status_on_client = {.trailing_metadata = &answer->trailing,
                                        .status = &answer->status,
                                        .status_details = &answer->details}},
    };
    gw_rpc_client_batch(call, ops, 6, tag);
}

static gw_err finish_unary(const struct gw_rpc_channel *channel, struct gw_rpc_answer *answer,
                           const ProtobufCMessageDescriptor *type, ProtobufCMessage **response,
                           struct gw_error *error) {
    gw_err err = gw_rpc_answer_error(channel, answer, error);
    if (err == GW_OK) {
        grpc_byte_buffer *message = answer->message;
        answer->message = NULL;
        err = gw_rpc_take_response(type, message, response, error);
    }
    return err;
}

gw_err gw_rpc_unary(struct gw_rpc_channel *channel, const char *path,
                    const ProtobufCMessage *request,
                    const ProtobufCMessageDescriptor *response_type, int64_t timeout_ms,
                    ProtobufCMessage **response, struct gw_error *error) {
    grpc_byte_buffer *packed;
    gw_err err = gw_rpc_message_pack(request, SEND_BYTES_MAX, &packed, error);
    if (err != GW_OK) {
        return err;
    }
    grpc_completion_queue *queue = grpc_completion_queue_create_for_pluck(NULL);
    grpc_call *call = gw_rpc_call_open(channel, queue, path, timeout_ms);
    struct gw_rpc_answer answer;
    gw_rpc_answer_init(&answer);
    start_unary(call, packed, &answer, call);
    (void)grpc_completion_queue_pluck(queue, call, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
    err = finish_unary(channel, &answer, response_type, response, error);
    gw_rpc_answer_deinit(&answer);
    grpc_byte_buffer_destroy(packed);
    grpc_call_unref(call);
    grpc_completion_queue_shutdown(queue);
    grpc_completion_queue_destroy(queue); // the one event was taken
    return err;
}

// --- unary without waiting ---

struct pending_call {
    grpc_call *call;
    grpc_byte_buffer *request;
    struct gw_rpc_answer answer;
    const ProtobufCMessageDescriptor *response_type;
    void (*done)(void *context, const struct gw_error *error, const ProtobufCMessage *response);
    void *context;
    // The starter's writes are published here: the queue between the threads is gRPC's, and what it
    // promises about memory is not written down.
    atomic_bool filled;
};

gw_err gw_rpc_unary_start(struct gw_rpc_channel *channel, const char *path,
                          const ProtobufCMessage *request,
                          const ProtobufCMessageDescriptor *response_type, int64_t timeout_ms,
                          void (*done)(void *context, const struct gw_error *error,
                                       const ProtobufCMessage *response),
                          void *context) {
    if (atomic_fetch_add(&channel->in_flight, 1) >= IN_FLIGHT_MAX) {
        (void)atomic_fetch_sub(&channel->in_flight, 1);
        return GW_ENOSPC;
    }
    grpc_byte_buffer *packed;
    gw_err err = gw_rpc_message_pack(request, SEND_BYTES_MAX, &packed, NULL);
    if (err != GW_OK) {
        (void)atomic_fetch_sub(&channel->in_flight, 1);
        return err;
    }
    struct pending_call *pending = gpr_zalloc(sizeof(*pending));
    pending->call = gw_rpc_call_open(channel, channel->queue, path, timeout_ms);
    pending->request = packed;
    gw_rpc_answer_init(&pending->answer);
    pending->response_type = response_type;
    pending->done = done;
    pending->context = context;
    atomic_store(&pending->filled, true);
    start_unary(pending->call, packed, &pending->answer, pending);
    return GW_OK;
}

static void finish_pending(struct gw_rpc_channel *channel, struct pending_call *pending) {
    bool filled = atomic_load(&pending->filled);
    assert(filled);
    struct gw_error error = {.code = GW_OK};
    ProtobufCMessage *response = NULL;
    gw_err err = finish_unary(channel, &pending->answer, pending->response_type, &response, &error);
    gw_rpc_answer_deinit(&pending->answer);
    grpc_byte_buffer_destroy(pending->request);
    grpc_call_unref(pending->call);
    (void)atomic_fetch_sub(&channel->in_flight, 1); // first: `done` may start the next
    pending->done(pending->context, err == GW_OK ? NULL : &error, response);
    if (response != NULL) {
        protobuf_c_message_free_unpacked(response, NULL);
    }
    gpr_free(pending);
}

uint32_t gw_rpc_channel_poll(struct gw_rpc_channel *channel, int64_t timeout_ms) {
    gpr_timespec until = gw_rpc_wait_until(timeout_ms > 0 ? timeout_ms : 0);
    uint32_t count = 0;
    while (count < CALLBACKS_MAX) {
        grpc_event event = grpc_completion_queue_next(channel->queue, until, NULL);
        if (event.type != GRPC_OP_COMPLETE) {
            break;
        }
        finish_pending(channel, event.tag);
        count++;
        until = gpr_inf_past(GPR_CLOCK_MONOTONIC);
    }
    return count;
}
