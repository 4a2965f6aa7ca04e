// A call's life on its loop thread: slot, arrival, handler, end.
//
// arrival ──► ready ──► handler ──► answer queued ──► sent ──► closed ──► over ──► freed
// `closed` may come at any time (cancelled); `over` waits for it and for every batch that gRPC
// holds; the memory also waits for the handler to let go of the handle.
#include "services/rpc/internal.h"

#include "services/base/clock.h"
#include "services/rpc/message.h"
#include "services/rpc/strict.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define METHOD_SHOWN_MAX 120 // of a method's name that nobody serves, in our answer

// A request may take this much memory once unpacked: a fixed part and a multiple of its bytes.
#define UNPACKED_BYTES_FIXED 65536u
#define UNPACKED_FACTOR 24u

static const char draining_text[] =
    "the server is shutting down; connect again, to another node if there is one";

struct gw_rpc_call *gw_rpc_call_create(struct gw_rpc_loop *loop, size_t row) {
    struct gw_rpc_call *call = calloc(1, sizeof(*call));
    if (call == NULL) {
        return NULL;
    }
    struct gw_rpc_server *server = loop->server;
    call->server = server;
    call->loop = loop;
    call->row = row;
    call->method = row < server->row_count ? server->rows[row].method : NULL;
    call->request_tag = (struct gw_rpc_tag){GW_RPC_EVENT_REQUEST, call};
    call->close_tag = (struct gw_rpc_tag){GW_RPC_EVENT_CLOSE, call};
    call->read_tag = (struct gw_rpc_tag){GW_RPC_EVENT_READ, call};
    call->write_tag = (struct gw_rpc_tag){GW_RPC_EVENT_WRITE, call};
    grpc_metadata_array_init(&call->metadata);
    grpc_call_details_init(&call->details);
    call->details_text = grpc_empty_slice();
    (void)pthread_mutex_init(&call->mutex, NULL);
    return call;
}

void gw_rpc_call_destroy(struct gw_rpc_call *call) {
    assert(call->outbox_first == NULL && call->sending == NULL && call->grpc == NULL);
    if (call->has_request) {
        grpc_slice_unref(call->request_slice);
    }
    if (call->payload != NULL) {
        grpc_byte_buffer_destroy(call->payload);
    }
    gw_rpc_arena_reset(&call->arena);
    grpc_metadata_array_destroy(&call->metadata);
    grpc_call_details_destroy(&call->details);
    grpc_slice_unref(call->details_text);
    free(call->trailing);
    (void)pthread_mutex_destroy(&call->mutex);
    free(call);
}

// --- the end ---

static void unlink_live(struct gw_rpc_call *call) {
    if (call->live_previous != NULL) {
        call->live_previous->live_next = call->live_next;
    } else {
        call->loop->live = call->live_next;
    }
    if (call->live_next != NULL) {
        call->live_next->live_previous = call->live_previous;
    }
}

static void observe(const struct gw_rpc_call *call, int status) {
    const struct gw_rpc_observer *observer = &call->server->options.observer;
    int64_t now_ns = gw_clock_monotonic_ns();
    if (atomic_load(&call->cancelled)) {
        status =
            now_ns >= call->deadline_ns ? GRPC_STATUS_DEADLINE_EXCEEDED : GRPC_STATUS_CANCELLED;
    }
    if (observer->finished != NULL) {
        struct gw_rpc_finished finished = {call->method, call->trace_id, status,
                                           now_ns - call->start_ns};
        observer->finished(observer->context, &finished);
    }
}

// Tells the handler and the observer that the call is over; nobody hears of it after that.
static void tell_over(struct gw_rpc_call *call, int status) {
    call->over = true;
    if (call->started && call->done != NULL) {
        call->done(call, call->state);
    }
    observe(call, status);
    bool broken_off =
        call->method != NULL && call->method->kind == GW_RPC_CLIENT_STREAM && !call->half_closed;
    (void)pthread_mutex_lock(&call->mutex);
    gw_rpc_call_drop_outbox_locked(call);
    if (call->done != NULL || broken_off) {
        call->held = false;
    }
    (void)pthread_mutex_unlock(&call->mutex);
    if (call->counted) {
        (void)atomic_fetch_sub(&call->server->calls, 1);
    }
    if (call->started) {
        gw_rpc_server_worked(call->server);
    }
}

// Gives gRPC's part back, and the rest unless the handler still holds it.
static void release(struct gw_rpc_call *call) {
    struct gw_rpc_server *server = call->server;
    struct gw_rpc_loop *loop = call->loop;
    size_t row = call->row;
    unlink_live(call);
    grpc_call_unref(call->grpc);
    (void)pthread_mutex_lock(&call->mutex);
    call->grpc = NULL;
    bool unheld = !call->held;
    call->released = true;
    if (!unheld) {
        (void)atomic_fetch_add(&server->references, 1);
    }
    (void)pthread_mutex_unlock(&call->mutex);
    if (unheld) {
        gw_rpc_call_destroy(call);
    }
    gw_rpc_loop_refill(loop, row);
}

// The call is over once the transport has closed it and it is in no list: `closed` keeps other
// threads from posting it again. Batches of it may stay with gRPC much longer, while a connection
// is blocked by a client that doesn't read; the memory waits for them, the handler doesn't.
static void check_over(struct gw_rpc_call *call) {
    (void)pthread_mutex_lock(&call->mutex);
    bool over = call->closed && !call->ready && !call->in_inbox;
    int status = call->status;
    (void)pthread_mutex_unlock(&call->mutex);
    if (over && !call->over) {
        tell_over(call, status);
    }
    if (over && call->tags == 0) {
        release(call);
    }
}

static void end(struct gw_rpc_call *call, int status, const char *text) {
    (void)pthread_mutex_lock(&call->mutex);
    gw_rpc_call_end_locked(call, status, text);
    (void)pthread_mutex_unlock(&call->mutex);
    gw_rpc_call_pump(call);
}

static void end_with(struct gw_rpc_call *call, const struct gw_error *error) {
    end(call, gw_err_grpc_status(error->code), error->text);
}

// --- arrival ---

static void end_unregistered(struct gw_rpc_call *call) {
    char name[METHOD_SHOWN_MAX + 1];
    size_t length = GRPC_SLICE_LENGTH(call->details.method);
    length = length < METHOD_SHOWN_MAX ? length : METHOD_SHOWN_MAX;
    for (size_t i = 0; i < length; i++) {
        char byte = (char)GRPC_SLICE_START_PTR(call->details.method)[i];
        name[i] = byte;
        if (byte < ' ' || byte > '~') {
            name[i] = '?';
        }
    }
    name[length] = '\0';
    struct gw_error error;
    (void)gw_error_set(&error, GW_EUNSUPPORTED,
                       "there is no method %s on this server; see proto/gridwarden/v1 for those "
                       "that it has",
                       name);
    end_with(call, &error);
}

static void take_trace_id(struct gw_rpc_call *call) {
    const grpc_metadata *found = NULL;
    size_t count = 0;
    for (size_t i = 0; i < call->metadata.count; i++) {
        if (grpc_slice_str_cmp(call->metadata.metadata[i].key, "traceparent") == 0) {
            found = &call->metadata.metadata[i];
            count++;
        }
    }
    if (count == 1 && gw_rpc_trace_parse((const char *)GRPC_SLICE_START_PTR(found->value),
                                         GRPC_SLICE_LENGTH(found->value), call->trace_id)) {
        return;
    }
    uint8_t bytes[16];
    gw_rpc_loop_random(call->loop, bytes);
    gw_rpc_trace_format(bytes, call->trace_id);
}

static void take_times(struct gw_rpc_call *call) {
    call->start_ns = gw_clock_monotonic_ns();
    call->deadline_ns = INT64_MAX;
    gpr_timespec deadline = call->method != NULL ? call->deadline : call->details.deadline;
    if (gpr_time_cmp(deadline, gpr_inf_future(deadline.clock_type)) != 0) {
        gpr_timespec left = gpr_time_sub(deadline, gpr_now(deadline.clock_type));
        if (left.tv_sec < 0) {
            call->deadline_ns = call->start_ns;         // however long ago
        } else if (left.tv_sec < INT64_C(4000000000)) { // a century is as good as none
            call->deadline_ns = call->start_ns + left.tv_sec * 1000000000 + left.tv_nsec;
        }
    }
}

static void make_ready(struct gw_rpc_call *call) {
    struct gw_rpc_loop *loop = call->loop;
    call->ready = true;
    call->ready_next = NULL;
    if (loop->ready_last == NULL) {
        loop->ready_first = call;
    } else {
        loop->ready_last->ready_next = call;
    }
    loop->ready_last = call;
    loop->ready_count++;
}

// True if the call is within calls_max; else it gets its refusal.
static bool admit(struct gw_rpc_call *call) {
    struct gw_rpc_server *server = call->server;
    if (server->rows[call->row].uncounted) {
        return true;
    }
    call->counted = true;
    if (atomic_fetch_add(&server->calls, 1) < server->options.calls_max) {
        return true;
    }
    (void)atomic_fetch_sub(&server->calls, 1);
    call->counted = false;
    (void)pthread_mutex_lock(&call->mutex);
    call->with_retry_info = true;
    (void)pthread_mutex_unlock(&call->mutex);
    end(call, GRPC_STATUS_RESOURCE_EXHAUSTED, GW_RPC_BUSY_TEXT);
    return false;
}

static void on_request(struct gw_rpc_call *call, bool ok) {
    struct gw_rpc_loop *loop = call->loop;
    loop->outstanding[call->row]--;
    if (!ok) {
        gw_rpc_call_destroy(call);
        return;
    }
    gw_rpc_loop_refill(loop, call->row);
    take_times(call);
    take_trace_id(call);
    call->live_next = loop->live;
    if (loop->live != NULL) {
        loop->live->live_previous = call;
    }
    loop->live = call;
    grpc_op close = {.op = GRPC_OP_RECV_CLOSE_ON_SERVER,
                     .data.recv_close_on_server.cancelled = &call->close_cancelled};
    gw_rpc_call_start_batch(call, &close, 1, &call->close_tag);
    if (call->method == NULL) {
        end_unregistered(call);
    } else if (admit(call)) {
        make_ready(call);
    }
}

// --- the handler ---

// Takes the request out of the payload; false: the call was ended for it.
static bool take_request(struct gw_rpc_call *call, ProtobufCMessage **request) {
    struct gw_error error;
    uint32_t bytes_max = call->server->options.request_bytes_max;
    if (call->payload == NULL) {
        // Also what is left when the library refused the message, which it then says itself.
        end(call, GRPC_STATUS_INVALID_ARGUMENT, "the call came without a request message");
        return false;
    }
    if (gw_rpc_message_join(call->payload, bytes_max, &call->request_slice, &error) != GW_OK) {
        end_with(call, &error);
        return false;
    }
    call->has_request = true;
    grpc_byte_buffer_destroy(call->payload);
    call->payload = NULL;
    size_t size = GRPC_SLICE_LENGTH(call->request_slice);
    gw_rpc_arena_init(&call->arena, UNPACKED_BYTES_FIXED + UNPACKED_FACTOR * size);
    if (gw_rpc_message_unpack(call->method->request, &call->request_slice, &call->arena, request,
                              &error) != GW_OK) {
        end_with(call, &error);
        return false;
    }
    return true;
}

static void read_next(struct gw_rpc_call *call) {
    grpc_op op = {.op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = &call->incoming};
    gw_rpc_call_start_batch(call, &op, 1, &call->read_tag);
}

void gw_rpc_call_run(struct gw_rpc_call *call) {
    call->ready = false;
    ProtobufCMessage *request = NULL;
    if (call->closed) { // only this thread sets it
        check_over(call);
        return;
    }
    if (gw_rpc_call_remaining_ms(call) <= 0) {
        end(call, GRPC_STATUS_DEADLINE_EXCEEDED, "the deadline had passed before the work began");
        return;
    }
    if (atomic_load(&call->server->draining)) {
        end(call, GRPC_STATUS_UNAVAILABLE, draining_text);
        return;
    }
    if (call->method->kind != GW_RPC_CLIENT_STREAM && !take_request(call, &request)) {
        return;
    }
    (void)pthread_mutex_lock(&call->mutex);
    call->held = true;
    (void)pthread_mutex_unlock(&call->mutex);
    call->started = true;
    (void)atomic_fetch_add(&call->server->working, 1);
    call->corked = true;
    call->method->start(call, request, call->server->rows[call->row].context);
    call->corked = false;
    if (call->method->kind == GW_RPC_CLIENT_STREAM) {
        read_next(call);
    }
    gw_rpc_call_pump(call);
}

// True while the handler of a client stream wants to hear of it.
static bool still_open(struct gw_rpc_call *call) {
    (void)pthread_mutex_lock(&call->mutex);
    bool open = !call->ended && !call->closed;
    (void)pthread_mutex_unlock(&call->mutex);
    return open;
}

static void take_message(struct gw_rpc_call *call) {
    struct gw_error error;
    grpc_slice slice;
    if (gw_rpc_message_join(call->incoming, call->server->options.request_bytes_max, &slice,
                            &error) != GW_OK) {
        end_with(call, &error);
        return;
    }
    ProtobufCMessage *message;
    gw_rpc_arena_init(&call->arena,
                      UNPACKED_BYTES_FIXED + UNPACKED_FACTOR * (size_t)GRPC_SLICE_LENGTH(slice));
    gw_err err =
        gw_rpc_message_unpack(call->method->request, &slice, &call->arena, &message, &error);
    if (err == GW_OK) {
        call->method->on_message(call, message, call->server->rows[call->row].context);
    }
    grpc_slice_unref(slice);
    gw_rpc_arena_reset(&call->arena);
    if (err != GW_OK) {
        end_with(call, &error);
    }
}

static void on_read(struct gw_rpc_call *call, bool ok) {
    call->tags--;
    bool failed = !ok || grpc_call_failed_before_recv_message(call->grpc) != 0;
    bool open = still_open(call);
    call->corked = true;
    if (call->incoming != NULL) {
        if (open) {
            take_message(call);
        }
        grpc_byte_buffer_destroy(call->incoming);
        call->incoming = NULL;
        if (still_open(call)) {
            read_next(call);
        }
    } else if (!failed && open) {
        call->half_closed = true;
        call->method->on_half_close(call, call->server->rows[call->row].context);
    }
    call->corked = false;
    gw_rpc_call_pump(call);
    check_over(call);
}

// --- other events ---

static void on_close(struct gw_rpc_call *call) {
    call->tags--;
    if (call->close_cancelled != 0) {
        atomic_store(&call->cancelled, true);
    }
    (void)pthread_mutex_lock(&call->mutex);
    call->closed = true;
    (void)pthread_mutex_unlock(&call->mutex);
    check_over(call);
}

static void run_on_writable(struct gw_rpc_call *call) {
    if (call->on_writable != NULL && still_open(call)) {
        call->corked = true;
        call->on_writable(call, call->state);
        call->corked = false;
    }
}

void gw_rpc_call_on_event(struct gw_rpc_call *call, enum gw_rpc_event event, bool ok) {
    if (event == GW_RPC_EVENT_REQUEST) {
        on_request(call, ok);
    } else if (event == GW_RPC_EVENT_CLOSE) {
        on_close(call);
    } else if (event == GW_RPC_EVENT_READ) {
        on_read(call, ok);
    } else {
        call->tags--;
        if (gw_rpc_call_written(call, ok)) {
            run_on_writable(call);
        }
        gw_rpc_call_pump(call);
        check_over(call);
    }
}

void gw_rpc_call_on_inbox(struct gw_rpc_call *call) {
    (void)pthread_mutex_lock(&call->mutex);
    bool wake = call->wake_posted;
    call->wake_posted = false;
    call->in_inbox = false;
    (void)pthread_mutex_unlock(&call->mutex);
    if (wake && call->started) {
        run_on_writable(call);
    }
    gw_rpc_call_pump(call);
    check_over(call);
}

void gw_rpc_call_drain(struct gw_rpc_call *call) {
    bool unary = call->method == NULL || call->method->kind == GW_RPC_UNARY;
    if (call->started && !unary && !call->half_closed) {
        end(call, GRPC_STATUS_UNAVAILABLE, draining_text);
    }
}
