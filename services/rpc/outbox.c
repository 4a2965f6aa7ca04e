// What a call sends: answers and stream messages are queued by any thread and sent by its loop.
#include "services/rpc/internal.h"

#include "services/base/clock.h"
#include "services/rpc/message.h"
#include <assert.h>
#include <grpc/support/alloc.h>
#include <stdlib.h>

#define TRAILING_COUNT 2

void gw_rpc_call_start_batch(struct gw_rpc_call *call, const grpc_op *ops, size_t count,
                             struct gw_rpc_tag *tag) {
    call->tags++;
    grpc_call_error result = grpc_call_start_batch(call->grpc, ops, count, tag, NULL);
    assert(result == GRPC_CALL_OK); // anything else is a bug of ours
}

void gw_rpc_call_end_locked(struct gw_rpc_call *call, int status, const char *text) {
    if (call->ended || call->closed) {
        return;
    }
    call->ended = true;
    call->status = status;
    call->details_text = grpc_slice_from_copied_string(text);
}

void gw_rpc_call_queue_locked(struct gw_rpc_call *call, grpc_byte_buffer *buffer) {
    struct gw_rpc_outgoing *outgoing = gpr_malloc(sizeof(*outgoing)); // aborts when there is none
    *outgoing =
        (struct gw_rpc_outgoing){.buffer = buffer, .bytes = grpc_byte_buffer_length(buffer)};
    if (call->outbox_last == NULL) {
        call->outbox_first = outgoing;
    } else {
        call->outbox_last->next = outgoing;
    }
    call->outbox_last = outgoing;
    call->outbox_messages++;
    call->outbox_bytes += outgoing->bytes;
}

// The oldest message, which then belongs to the caller; NULL: none.
static grpc_byte_buffer *take_locked(struct gw_rpc_call *call, size_t *bytes) {
    struct gw_rpc_outgoing *outgoing = call->outbox_first;
    if (outgoing == NULL) {
        return NULL;
    }
    call->outbox_first = outgoing->next;
    if (call->outbox_first == NULL) {
        call->outbox_last = NULL;
    }
    grpc_byte_buffer *buffer = outgoing->buffer;
    *bytes = outgoing->bytes;
    gpr_free(outgoing);
    return buffer;
}

void gw_rpc_call_drop_outbox_locked(struct gw_rpc_call *call) {
    size_t bytes;
    for (grpc_byte_buffer *buffer = take_locked(call, &bytes); buffer != NULL;
         buffer = take_locked(call, &bytes)) {
        grpc_byte_buffer_destroy(buffer);
        call->outbox_messages--;
        call->outbox_bytes -= bytes;
    }
}

// --- sending, on the loop thread ---

// When to come again, for clients with a retry policy and for those that read google.rpc details.
static size_t fill_retry_info(struct gw_rpc_call *call) {
    call->trailing = calloc(TRAILING_COUNT, sizeof(call->trailing[0]));
    if (call->trailing == NULL) {
        return 0;
    }
    call->trailing[0].key = grpc_slice_from_static_string("grpc-retry-pushback-ms");
    call->trailing[0].value = grpc_slice_from_static_string(GW_RPC_RETRY_MS_TEXT);
    call->trailing[1].key = grpc_slice_from_static_string("grpc-status-details-bin");
    call->trailing[1].value = call->server->retry_details; // lives as long as the server
    return TRAILING_COUNT;
}

static grpc_op status_op(struct gw_rpc_call *call) {
    grpc_op op = {.op = GRPC_OP_SEND_STATUS_FROM_SERVER};
    op.data.send_status_from_server.status = (grpc_status_code)call->status;
    if (GRPC_SLICE_LENGTH(call->details_text) > 0) {
        op.data.send_status_from_server.status_details = &call->details_text;
    }
    if (call->with_retry_info) {
        op.data.send_status_from_server.trailing_metadata_count = fill_retry_info(call);
        op.data.send_status_from_server.trailing_metadata = call->trailing;
    }
    return op;
}

// One batch at a time is with gRPC; each takes one message, and the status after the last. While
// more waits, the hint lets the transport gather messages into one write; not in the first batch,
// where it never ends (grpc issues 12975, 18609, 34231).
void gw_rpc_call_pump(struct gw_rpc_call *call) {
    (void)pthread_mutex_lock(&call->mutex);
    if (call->corked || call->writing || call->broken || call->closed || call->status_sent) {
        (void)pthread_mutex_unlock(&call->mutex);
        return;
    }
    grpc_byte_buffer *buffer = take_locked(call, &call->sending_bytes);
    bool more = call->outbox_first != NULL;
    bool finish = call->ended && !more;
    // A watcher that has nothing to say yet still lets its client know that it was accepted.
    bool greet = !call->initial_sent && call->started && call->method->kind == GW_RPC_SERVER_STREAM;
    call->writing = buffer != NULL || finish || greet;
    bool writing = call->writing;
    (void)pthread_mutex_unlock(&call->mutex);
    if (!writing) {
        return;
    }
    grpc_op ops[3];
    size_t count = 0;
    bool gather = more && call->initial_sent;
    if (!call->initial_sent) {
        ops[count++] = (grpc_op){.op = GRPC_OP_SEND_INITIAL_METADATA};
        call->initial_sent = true;
    }
    if (buffer != NULL) {
        ops[count++] = (grpc_op){.op = GRPC_OP_SEND_MESSAGE,
                                 .flags = gather ? GRPC_WRITE_BUFFER_HINT : 0,
                                 .data.send_message.send_message = buffer};
        call->sending = buffer;
    }
    if (finish) {
        ops[count++] = status_op(call); // `ended` froze what it reads
        call->status_sent = true;
    }
    gw_rpc_call_start_batch(call, ops, count, &call->write_tag);
}

bool gw_rpc_call_written(struct gw_rpc_call *call, bool ok) {
    const struct gw_rpc_server_options *options = &call->server->options;
    grpc_byte_buffer *sent = call->sending;
    call->sending = NULL;
    bool writable = false;
    (void)pthread_mutex_lock(&call->mutex);
    call->writing = false;
    if (sent != NULL) {
        call->outbox_messages--;
        call->outbox_bytes -= call->sending_bytes;
    }
    if (!ok) {
        call->broken = true;
        gw_rpc_call_drop_outbox_locked(call);
    }
    if (call->outbox_was_full && call->outbox_messages <= options->outbox_messages_max / 2 &&
        call->outbox_bytes <= options->outbox_bytes_max / 2) {
        call->outbox_was_full = false;
        writable = true;
    }
    (void)pthread_mutex_unlock(&call->mutex);
    if (sent != NULL) {
        grpc_byte_buffer_destroy(sent);
    }
    return writable;
}

// --- from any thread ---

// Ends what the caller began under call->mutex: lets the loop send, or frees the call when this was
// the last that held it.
static void unlock_and_send(struct gw_rpc_call *call) {
    bool mine = gw_rpc_loop_is_current(call->loop);
    bool last = call->released && !call->held;
    bool live = !call->released && !call->closed;
    if (live && !mine && !call->writing && !call->in_inbox) {
        call->in_inbox = true;
        gw_rpc_loop_push(call->loop, call);
    }
    (void)pthread_mutex_unlock(&call->mutex);
    if (last) {
        struct gw_rpc_server *server = call->server;
        gw_rpc_call_destroy(call);
        gw_rpc_server_unref(server);
    } else if (live && mine) {
        gw_rpc_call_pump(call);
    }
}

// The handler's one answer: `error` NULL: OK. Takes over `buffer` (NULL: no message).
static void answer(struct gw_rpc_call *call, const struct gw_error *error,
                   grpc_byte_buffer *buffer) {
    (void)pthread_mutex_lock(&call->mutex);
    assert(call->held && !call->app_ended); // a call is answered exactly once
    call->app_ended = true;
    if (call->done == NULL) {
        call->held = false;
    }
    if (buffer != NULL && !call->ended && !call->closed) {
        gw_rpc_call_queue_locked(call, buffer);
    } else if (buffer != NULL) {
        grpc_byte_buffer_destroy(buffer);
    }
    gw_rpc_call_end_locked(call, error != NULL ? gw_err_grpc_status(error->code) : GRPC_STATUS_OK,
                           error != NULL ? error->text : "");
    unlock_and_send(call);
}

void gw_rpc_reply(struct gw_rpc_call *call, const ProtobufCMessage *response) {
    assert(call->method->kind != GW_RPC_SERVER_STREAM);
    assert(response->descriptor == call->method->response);
    struct gw_error error;
    grpc_byte_buffer *buffer = NULL;
    gw_err err =
        gw_rpc_message_pack(response, call->server->options.response_bytes_max, &buffer, &error);
    answer(call, err == GW_OK ? NULL : &error, buffer);
}

void gw_rpc_fail(struct gw_rpc_call *call, const struct gw_error *error) {
    assert(call->method->kind != GW_RPC_SERVER_STREAM && error->code != GW_OK);
    answer(call, error, NULL);
}

void gw_rpc_finish(struct gw_rpc_call *call, const struct gw_error *error) {
    assert(call->method->kind == GW_RPC_SERVER_STREAM);
    answer(call, error, NULL);
}

gw_err gw_rpc_send(struct gw_rpc_call *call, const ProtobufCMessage *message) {
    assert(call->method->kind == GW_RPC_SERVER_STREAM);
    assert(message->descriptor == call->method->response);
    const struct gw_rpc_server_options *options = &call->server->options;
    size_t size = protobuf_c_message_get_packed_size(message);
    grpc_byte_buffer *buffer;
    struct gw_error error;
    gw_err err = GW_OK;
    (void)pthread_mutex_lock(&call->mutex);
    assert(call->held && !call->app_ended);
    if (call->ended || call->closed || call->broken) {
        err = GW_ECANCELLED;
    } else if (size > options->response_bytes_max) {
        err = gw_rpc_message_pack(message, options->response_bytes_max, &buffer, &error);
        gw_rpc_call_end_locked(call, gw_err_grpc_status(err), error.text);
    } else if (call->outbox_messages >= options->outbox_messages_max ||
               (call->outbox_messages > 0 &&
                call->outbox_bytes + size > options->outbox_bytes_max)) {
        call->outbox_was_full = true;
        err = GW_ENOSPC;
    } else {
        err = gw_rpc_message_pack(message, options->response_bytes_max, &buffer, NULL);
        assert(err == GW_OK); // the size was looked at
        gw_rpc_call_queue_locked(call, buffer);
    }
    unlock_and_send(call);
    return err;
}

void gw_rpc_wake(struct gw_rpc_call *call) {
    (void)pthread_mutex_lock(&call->mutex);
    if (!call->ended && !call->closed) {
        call->wake_posted = true;
        if (!call->in_inbox) {
            call->in_inbox = true;
            gw_rpc_loop_push(call->loop, call);
        }
    }
    (void)pthread_mutex_unlock(&call->mutex);
}

// --- facts ---

void gw_rpc_call_set_stream(struct gw_rpc_call *call, void *state,
                            void (*on_writable)(struct gw_rpc_call *call, void *state),
                            void (*done)(struct gw_rpc_call *call, void *state)) {
    assert(call->method->kind != GW_RPC_UNARY && gw_rpc_loop_is_current(call->loop));
    (void)pthread_mutex_lock(&call->mutex);
    assert(!call->app_ended);
    call->state = state;
    call->on_writable = on_writable;
    call->done = done;
    (void)pthread_mutex_unlock(&call->mutex);
}

void *gw_rpc_call_state(struct gw_rpc_call *call) {
    return call->state;
}

const void *gw_rpc_request_bytes(const struct gw_rpc_call *call, size_t *size) {
    *size = call->has_request ? GRPC_SLICE_LENGTH(call->request_slice) : 0;
    return call->has_request ? GRPC_SLICE_START_PTR(call->request_slice) : NULL;
}

const struct gw_rpc_method *gw_rpc_call_method(const struct gw_rpc_call *call) {
    return call->method;
}

int64_t gw_rpc_call_remaining_ms(const struct gw_rpc_call *call) {
    if (call->deadline_ns == INT64_MAX) {
        return INT64_MAX;
    }
    int64_t left_ns = call->deadline_ns - gw_clock_monotonic_ns();
    return left_ns <= 0 ? 0 : (left_ns + 999999) / 1000000;
}

bool gw_rpc_call_cancelled(const struct gw_rpc_call *call) {
    return atomic_load(&call->cancelled) || gw_rpc_call_remaining_ms(call) <= 0;
}

const char *gw_rpc_call_trace_id(const struct gw_rpc_call *call) {
    return call->trace_id;
}
