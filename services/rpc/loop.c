#include "services/rpc/internal.h"

#include <assert.h>
#include <grpc/support/alloc.h>
#include <signal.h>
#include <stdio.h>
#include <sys/random.h>

#define SLOTS_PER_METHOD 32u  // requests that may arrive while the loop is busy, each method
#define SLOTS_UNREGISTERED 4u // the same for methods that nobody serves
#define READY_COUNT_MAX 64u   // handlers held back while events are there to be taken

static _Thread_local const struct gw_rpc_loop *current_loop;

bool gw_rpc_loop_is_current(const struct gw_rpc_loop *loop) {
    return current_loop == loop;
}

void gw_rpc_loop_init(struct gw_rpc_loop *loop, struct gw_rpc_server *server) {
    *loop = (struct gw_rpc_loop){.server = server};
    loop->wake_tag = (struct gw_rpc_tag){GW_RPC_EVENT_WAKE, loop};
    (void)pthread_mutex_init(&loop->mutex, NULL);
    (void)pthread_mutex_init(&loop->slots_mutex, NULL);
    loop->queue = grpc_completion_queue_create_for_next(NULL);
    loop->nowhere = grpc_lame_client_channel_create("nowhere", GRPC_STATUS_UNAVAILABLE, "nowhere");
    loop->wake_call = grpc_channel_create_call(loop->nowhere, NULL, GRPC_PROPAGATE_DEFAULTS,
                                               loop->queue, grpc_slice_from_static_string("/wake"),
                                               NULL, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
    loop->outstanding = gpr_zalloc((server->row_count + 1) * sizeof(loop->outstanding[0]));
}

void gw_rpc_loop_deinit(struct gw_rpc_loop *loop) {
    grpc_call_unref(loop->wake_call);
    grpc_channel_destroy(loop->nowhere);
    grpc_completion_queue_shutdown(loop->queue);
    if (loop->running) {
        (void)pthread_join(loop->thread, NULL);
    } else {
        grpc_event event;
        do { // tags of a server that never started
            event =
                grpc_completion_queue_next(loop->queue, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
        } while (event.type != GRPC_QUEUE_SHUTDOWN);
    }
    grpc_completion_queue_destroy(loop->queue);
    gpr_free(loop->outstanding);
    (void)pthread_mutex_destroy(&loop->slots_mutex);
    (void)pthread_mutex_destroy(&loop->mutex);
}

// --- from other threads ---

// The caller holds loop->mutex: the loop's thread can then not get past the event, and so not tear
// the call down, before this has returned.
static void wake_locked(struct gw_rpc_loop *loop) {
    if (loop->wake_posted) {
        return;
    }
    loop->wake_posted = true;
    grpc_call_error result = grpc_call_start_batch(loop->wake_call, NULL, 0, &loop->wake_tag, NULL);
    assert(result == GRPC_CALL_OK);
}

void gw_rpc_loop_push(struct gw_rpc_loop *loop, struct gw_rpc_call *call) {
    (void)pthread_mutex_lock(&loop->mutex);
    call->inbox_next = NULL;
    if (loop->inbox_last == NULL) {
        loop->inbox_first = call;
    } else {
        loop->inbox_last->inbox_next = call;
    }
    loop->inbox_last = call;
    wake_locked(loop);
    (void)pthread_mutex_unlock(&loop->mutex);
}

void gw_rpc_loop_begin(struct gw_rpc_loop *loop) {
    (void)pthread_mutex_lock(&loop->mutex);
    loop->begin_asked = true;
    wake_locked(loop);
    (void)pthread_mutex_unlock(&loop->mutex);
}

void gw_rpc_loop_drain(struct gw_rpc_loop *loop) {
    (void)pthread_mutex_lock(&loop->mutex);
    loop->drain_asked = true;
    wake_locked(loop);
    (void)pthread_mutex_unlock(&loop->mutex);
}

void gw_rpc_loop_stop(struct gw_rpc_loop *loop) {
    (void)pthread_mutex_lock(&loop->slots_mutex);
    (void)pthread_mutex_unlock(&loop->slots_mutex);
}

// --- on the loop's thread ---

static void on_wake(struct gw_rpc_loop *loop) {
    (void)pthread_mutex_lock(&loop->mutex);
    struct gw_rpc_call *call = loop->inbox_first;
    bool begin = loop->begin_asked;
    bool drain = loop->drain_asked;
    loop->inbox_first = NULL;
    loop->inbox_last = NULL;
    loop->wake_posted = false;
    loop->begin_asked = false;
    loop->drain_asked = false;
    (void)pthread_mutex_unlock(&loop->mutex);
    while (call != NULL) {
        struct gw_rpc_call *next = call->inbox_next; // read first: it may be pushed again at once
        gw_rpc_call_on_inbox(call);
        call = next;
    }
    for (size_t row = 0; begin && row <= loop->server->row_count; row++) {
        gw_rpc_loop_refill(loop, row);
    }
    if (drain) {
        for (call = loop->live; call != NULL; call = call->live_next) {
            gw_rpc_call_drain(call);
        }
    }
}

static void on_shutdown(struct gw_rpc_server *server) {
    (void)pthread_mutex_lock(&server->mutex);
    server->shutdown_seen = true;
    (void)pthread_cond_signal(&server->changed);
    (void)pthread_mutex_unlock(&server->mutex);
}

static void dispatch(const struct gw_rpc_tag *tag, bool ok) {
    if (tag->event == GW_RPC_EVENT_WAKE) {
        on_wake(tag->owner);
    } else if (tag->event == GW_RPC_EVENT_SHUTDOWN) {
        on_shutdown(tag->owner);
    } else {
        gw_rpc_call_on_event(tag->owner, tag->event, ok);
    }
}

static void run_ready(struct gw_rpc_loop *loop) {
    struct gw_rpc_call *call = loop->ready_first;
    loop->ready_first = NULL;
    loop->ready_last = NULL;
    loop->ready_count = 0;
    while (call != NULL) {
        struct gw_rpc_call *next = call->ready_next;
        gw_rpc_call_run(call);
        call = next;
    }
}

// Takes every event that is there before running handlers, so that a call whose cancellation came
// with the backlog is dropped instead of served.
static void *loop_main(void *context) {
    struct gw_rpc_loop *loop = context;
    current_loop = loop;
    for (;;) {
        gpr_timespec until = loop->ready_first != NULL ? gpr_inf_past(GPR_CLOCK_MONOTONIC)
                                                       : gpr_inf_future(GPR_CLOCK_MONOTONIC);
        grpc_event event = grpc_completion_queue_next(loop->queue, until, NULL);
        if (event.type == GRPC_QUEUE_SHUTDOWN) {
            break;
        }
        if (event.type == GRPC_OP_COMPLETE) {
            dispatch(event.tag, event.success != 0);
        }
        if (event.type == GRPC_QUEUE_TIMEOUT || loop->ready_count >= READY_COUNT_MAX) {
            run_ready(loop);
        }
    }
    run_ready(loop); // calls that came and went with the last events
    assert(loop->live == NULL && loop->inbox_first == NULL);
    return NULL;
}

bool gw_rpc_loop_run(struct gw_rpc_loop *loop, uint32_t number) {
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    loop->running = pthread_create(&loop->thread, NULL, loop_main, loop) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (loop->running) {
        char name[16];
        (void)snprintf(name, sizeof(name), "rpc-loop-%u", (unsigned)(number % 1000));
        (void)pthread_setname_np(loop->thread, name);
    }
    return loop->running;
}

static void post_slot(struct gw_rpc_loop *loop, struct gw_rpc_call *call) {
    struct gw_rpc_server *server = loop->server;
    grpc_call_error result;
    if (call->row == server->row_count) {
        result =
            grpc_server_request_call(server->grpc, &call->grpc, &call->details, &call->metadata,
                                     loop->queue, loop->queue, &call->request_tag);
    } else {
        bool with_payload = call->method->kind != GW_RPC_CLIENT_STREAM;
        result = grpc_server_request_registered_call(
            server->grpc, server->rows[call->row].registered, &call->grpc, &call->deadline,
            &call->metadata, with_payload ? &call->payload : NULL, loop->queue, loop->queue,
            &call->request_tag);
    }
    assert(result == GRPC_CALL_OK);
}

void gw_rpc_loop_refill(struct gw_rpc_loop *loop, size_t row) {
    uint32_t wanted = row == loop->server->row_count ? SLOTS_UNREGISTERED : SLOTS_PER_METHOD;
    if (loop->outstanding[row] >= wanted) {
        return;
    }
    (void)pthread_mutex_lock(&loop->slots_mutex);
    while (loop->outstanding[row] < wanted && !atomic_load(&loop->server->stopping)) {
        struct gw_rpc_call *call = gw_rpc_call_create(loop, row);
        if (call == NULL) {
            break; // out of memory: tried again when a call of this row ends
        }
        loop->outstanding[row]++;
        post_slot(loop, call);
    }
    (void)pthread_mutex_unlock(&loop->slots_mutex);
}

void gw_rpc_loop_random(struct gw_rpc_loop *loop, uint8_t bytes[16]) {
    if (loop->random_left < 16) {
        ssize_t got = getrandom(loop->random, sizeof(loop->random), 0);
        assert(got == (ssize_t)sizeof(loop->random));
        loop->random_left = sizeof(loop->random);
    }
    loop->random_left -= 16;
    for (size_t i = 0; i < 16; i++) {
        bytes[i] = loop->random[loop->random_left + i];
    }
}
