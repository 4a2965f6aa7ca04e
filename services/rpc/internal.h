// What the files of the server share. Nothing outside this folder includes it.
//
// Locks, taken in this order and held briefly: health, call->mutex, loop->mutex. Fields are marked
// with who may touch them: [start] set before it is shared, [loop] the call's loop thread only,
// [call] under call->mutex, [inbox] under loop->mutex, else atomic.
#ifndef GW_SERVICES_RPC_INTERNAL_H
#define GW_SERVICES_RPC_INTERNAL_H

#include "services/rpc/arena.h"
#include "services/rpc/server.h"
#include "services/rpc/trace.h"
#include <grpc/grpc.h>
#include <pthread.h>
#include <stdatomic.h>

#define GW_RPC_RANDOM_BYTES 256 // getrandom never stops half-way up to this size
#define GW_RPC_RETRY_MS 100     // what a caller past calls_max is told to wait
#define GW_RPC_RETRY_MS_TEXT "100"
#define GW_RPC_BUSY_TEXT                                                                           \
    "the server has as many calls in flight as it takes; try again in " GW_RPC_RETRY_MS_TEXT " ms"

struct gw_rpc_health;
struct gw_rpc_loop;

// --- events: what a completion queue gives back ---

enum gw_rpc_event {
    GW_RPC_EVENT_REQUEST,  // a call arrived in its slot
    GW_RPC_EVENT_CLOSE,    // the transport is done with the call
    GW_RPC_EVENT_READ,     // a message of a client stream, or its end
    GW_RPC_EVENT_WRITE,    // what was being sent is out
    GW_RPC_EVENT_WAKE,     // the loop's inbox has something
    GW_RPC_EVENT_SHUTDOWN, // the server has no calls and no connections any more
};

struct gw_rpc_tag {
    enum gw_rpc_event event;
    void *owner; // struct gw_rpc_call, gw_rpc_loop or gw_rpc_server
};

// --- a call ---

struct gw_rpc_outgoing {
    struct gw_rpc_outgoing *next;
    grpc_byte_buffer *buffer;
    size_t bytes;
};

struct gw_rpc_call {
    struct gw_rpc_server *server;       // [start]
    struct gw_rpc_loop *loop;           // [start]
    const struct gw_rpc_method *method; // [start] NULL: not a registered one
    size_t row;                         // [start] in server->rows; row_count: unregistered
    struct gw_rpc_tag request_tag, close_tag, read_tag, write_tag;

    // Filled by gRPC with the request.
    grpc_call *grpc;
    grpc_metadata_array metadata;
    grpc_call_details details; // unregistered methods only
    gpr_timespec deadline;
    grpc_byte_buffer *payload;
    int close_cancelled;

    int64_t start_ns, deadline_ns; // [start] monotonic; INT64_MAX: none
    char trace_id[GW_RPC_TRACE_ID_SIZE];
    struct gw_rpc_arena arena; // of the request; of one message at a time in a client stream
    grpc_slice request_slice;
    bool has_request;

    struct gw_rpc_call *live_previous, *live_next; // [loop]
    struct gw_rpc_call *ready_next;                // [loop]
    grpc_byte_buffer *sending;                     // [loop]
    size_t sending_bytes;                          // [loop]
    grpc_byte_buffer *incoming;                    // [loop]
    uint32_t tags;                                 // [loop] batches that gRPC still holds
    bool ready;                                    // [loop] waits for its handler
    bool started;                                  // [loop] its handler was called
    bool corked;                                   // [loop] a callback runs: collect, then send
    bool initial_sent, status_sent;                // [loop]
    bool half_closed;                              // [loop]
    bool over;                                     // [loop]
    bool counted;                                  // [loop] in server->calls

    void *state; // [start] with the two callbacks, see set_stream
    void (*on_writable)(struct gw_rpc_call *call, void *state);
    void (*done)(struct gw_rpc_call *call, void *state);

    atomic_bool cancelled;

    pthread_mutex_t mutex;
    struct gw_rpc_outgoing *outbox_first, *outbox_last; // [call]
    uint32_t outbox_messages;                           // [call] with the one being sent
    size_t outbox_bytes;                                // [call]
    bool outbox_was_full;                               // [call] someone waits for on_writable
    bool writing;                                       // [call] a send batch is with gRPC
    bool broken;                                        // [call] nothing can be sent any more
    bool ended;                                         // [call] its status is decided
    bool app_ended;                                     // [call] by the handler
    bool held;                                          // [call] the handler may use the handle
    bool closed;                                        // [call] the transport is done
    bool released;                                      // [call] gRPC and the loop are done with it
    bool in_inbox;                                      // [call]
    bool wake_posted;                                   // [call]
    int status;                                         // [call]
    bool with_retry_info;                               // [call]
    grpc_slice details_text;                            // [call]
    grpc_metadata *trailing;                            // [loop]

    struct gw_rpc_call *inbox_next; // [inbox]
};

// --- a loop ---

struct gw_rpc_loop {
    struct gw_rpc_server *server;
    grpc_completion_queue *queue;
    pthread_t thread;
    bool running; // the thread exists

    // A call on a channel that leads nowhere: an empty batch on it is how other threads put an
    // event into the queue.
    grpc_channel *nowhere;
    grpc_call *wake_call;
    struct gw_rpc_tag wake_tag;

    pthread_mutex_t mutex;
    struct gw_rpc_call *inbox_first, *inbox_last; // [inbox]
    bool wake_posted;                             // [inbox]
    bool begin_asked, drain_asked;                // [inbox]

    pthread_mutex_t slots_mutex; // held while a slot is posted, see gw_rpc_loop_stop

    struct gw_rpc_call *live;                     // [loop]
    struct gw_rpc_call *ready_first, *ready_last; // [loop]
    uint32_t ready_count;                         // [loop]
    uint32_t *outstanding;                        // [loop] request slots by row
    uint8_t random[GW_RPC_RANDOM_BYTES];          // [loop]
    size_t random_left;                           // [loop]
};

// --- the server ---

struct gw_rpc_row {
    const struct gw_rpc_method *method;
    void *context;
    void *registered;
    bool uncounted; // health: not counted, and answered also when calls_max is reached
};

struct gw_rpc_server {
    struct gw_rpc_server_options options; // with the defaults filled in
    grpc_server *grpc;
    struct gw_rpc_row *rows;
    size_t row_count;
    struct gw_rpc_loop *loops;
    uint32_t loop_count;
    int port;
    struct gw_rpc_health *health;
    grpc_slice retry_details; // google.rpc.Status with RetryInfo, for calls past calls_max

    atomic_uint calls;
    atomic_uint working;    // calls whose handler ran and that are not over
    atomic_uint references; // the owner's, and one for each call that outlives its transport
    atomic_bool draining;   // new calls are refused
    atomic_bool stopping;   // gRPC's own shutdown has begun: no more slots

    struct gw_rpc_tag shutdown_tag;
    pthread_mutex_t mutex;
    pthread_cond_t changed; // on CLOCK_MONOTONIC
    bool shutdown_seen;     // under mutex
};

void gw_rpc_server_unref(struct gw_rpc_server *server);
// One of `working` is over.
void gw_rpc_server_worked(struct gw_rpc_server *server);

// loop.c
void gw_rpc_loop_init(struct gw_rpc_loop *loop, struct gw_rpc_server *server);
void gw_rpc_loop_deinit(struct gw_rpc_loop *loop);               // joins its thread if it runs
bool gw_rpc_loop_run(struct gw_rpc_loop *loop, uint32_t number); // false: no thread to be had
bool gw_rpc_loop_is_current(const struct gw_rpc_loop *loop);
void gw_rpc_loop_begin(struct gw_rpc_loop *loop); // takes requests from now on; after the start
void gw_rpc_loop_drain(struct gw_rpc_loop *loop); // ends its streams; from any thread
// Once server->stopping is set: returns when no slot is being posted any more. gRPC's shutdown
// gives back the slots that it knows, and forgets one that is posted just then.
void gw_rpc_loop_stop(struct gw_rpc_loop *loop);
// Makes the loop look at a call; the caller holds call->mutex, and the call is not in the inbox.
void gw_rpc_loop_push(struct gw_rpc_loop *loop, struct gw_rpc_call *call);
// Posts request slots until the row has enough of them. [loop]
void gw_rpc_loop_refill(struct gw_rpc_loop *loop, size_t row);
void gw_rpc_loop_random(struct gw_rpc_loop *loop, uint8_t bytes[16]);

// call.c: a call's life, all on its loop thread
struct gw_rpc_call *gw_rpc_call_create(struct gw_rpc_loop *loop, size_t row);
void gw_rpc_call_destroy(struct gw_rpc_call *call);
void gw_rpc_call_on_event(struct gw_rpc_call *call, enum gw_rpc_event event, bool ok);
void gw_rpc_call_on_inbox(struct gw_rpc_call *call);
void gw_rpc_call_run(struct gw_rpc_call *call);   // it was ready: runs its handler
void gw_rpc_call_drain(struct gw_rpc_call *call); // ends it if it is a stream

// outbox.c: what is sent
// Decides the status, unless it is decided; the caller holds call->mutex.
void gw_rpc_call_end_locked(struct gw_rpc_call *call, int status, const char *text);
// Queues a buffer; takes it over. The caller holds call->mutex.
void gw_rpc_call_queue_locked(struct gw_rpc_call *call, grpc_byte_buffer *buffer);
void gw_rpc_call_drop_outbox_locked(struct gw_rpc_call *call);
void gw_rpc_call_pump(struct gw_rpc_call *call);             // [loop] sends what can be sent
bool gw_rpc_call_written(struct gw_rpc_call *call, bool ok); // [loop] true: call on_writable
void gw_rpc_call_start_batch(struct gw_rpc_call *call, const grpc_op *ops, size_t count,
                             struct gw_rpc_tag *tag); // [loop]

// health.c
extern const struct gw_rpc_method gw_rpc_health_methods[2];
// Knows the services that the methods' paths name.
struct gw_rpc_health *gw_rpc_health_create(const struct gw_rpc_method methods[], size_t count);
void gw_rpc_health_destroy(struct gw_rpc_health *health); // accepts NULL
void gw_rpc_health_set(struct gw_rpc_health *health, bool serving);

#endif
