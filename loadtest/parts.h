// The parts of a run, which only run.c puts together.
//
//   run.c          steps, threads, the table while it runs, the end
//   ledger.c       acknowledged incidents; verify.c looks for them
//   requests.c     what a call asks, from its number alone
//   unary.c        calls with an answer: open and closed loop, retries, workers who follow up
//   positions.c    streams of positions
//   watches.c      streams of incidents and assignments
//   http.c         libcurl on epoll; pan.c users who pan, tiles.c their tiles; sse.c live streams
//
// Threads: one for each work, which may start one for each connection. A work's threads share its
//          recorder (locked) and the run's ledger (locked); the rest of the run is constant while
//          they live.
#ifndef GW_LOADTEST_PARTS_H
#define GW_LOADTEST_PARTS_H

#include "loadtest/city.h"
#include "loadtest/recorder.h"
#include "loadtest/run.h"
#include "services/rpc/client.h"
#include <pthread.h>
#include <stdatomic.h>

#define LOAD_ID_MAX 96u
#define LOAD_RETRY_NS 200000000
#define LOAD_TICK_NS 20000000 // how long any loop sleeps at most

// --- acknowledged incidents ---

#define LOAD_LEDGER_MAX (4u << 20)

struct load_acknowledged {
    char id[LOAD_ID_MAX];
    uint32_t lane;
    uint64_t number;
};

struct load_ledger {
    pthread_mutex_t lock;
    struct load_acknowledged *rows;
    uint32_t count, capacity;
    uint64_t dropped;          // past LOAD_LEDGER_MAX, or no memory
    int64_t reported_first_ms; // the least reported_ms of all, so of the node's clock
    atomic_uint_fast64_t retried;
    atomic_uint reconnects;
};

void load_ledger_init(struct load_ledger *ledger);
void load_ledger_deinit(struct load_ledger *ledger);
void load_ledger_add(struct load_ledger *ledger, const char *id, uint32_t lane, uint64_t number,
                     int64_t reported_ms);

// Looks for every row by its id, and through the list of incidents for a report that is there
// twice; the two must agree. On failure the result is not `asked`, unless something was found wrong
// before it.
GW_MUST_CHECK gw_err load_verify(const char *server, uint64_t run_id, int64_t began_ms,
                                 double patience_seconds, const struct load_ledger *ledger,
                                 struct load_verify_result *result, struct gw_error *error);

// What a report's description says, so that it can be recognised: its run, lane (step and work),
// number, and when it was to be sent.
struct load_token {
    uint64_t run_id;
    uint32_t lane;
    uint64_t number;
    int64_t intended_wall_us;
};
void load_token_write(const struct load_token *token, char *out, size_t size);
bool load_token_read(const char *description, struct load_token *token); // false: none of ours

// --- a run ---

struct load_run {
    const struct load_options *options;
    const struct load_scenario *scenario;
    struct load_city city;
    struct load_ledger ledger;
    uint64_t run_id;          // the time when it began: no two runs collide
    int64_t wall_offset_ns;   // wall time less monotonic time
    int64_t begin_ns, end_ns; // of this step, the warm-up included
    uint32_t step;
    double factor;
    struct load_work_run *works; // [scenario->work_count]
};

struct load_work_run {
    struct load_run *run;
    const struct load_work *work;
    uint32_t lane; // step * LOAD_STREAMS_MAX + index
    uint64_t seed; // of this work alone
    double rate;   // 0: closed loop, or no rate
    bool closed;
    struct load_recorder recorder;
    void *state; // of its driver
    pthread_t thread;
};

// How a kind of work is done. `prepare` connects and fetches what is needed before the clock starts
// (it may fail); `drive` runs from begin_ns until everything of it has ended; `release` takes the
// state of a prepare that failed, too.
struct load_driver {
    gw_err (*prepare)(struct load_work_run *work, struct gw_error *error);
    void (*drive)(struct load_work_run *work);
    void (*release)(struct load_work_run *work);
};

extern const struct load_driver load_unary_driver, load_positions_driver, load_watch_driver,
    load_tiles_driver, load_sse_driver;

bool load_stopped(const struct load_run *run);              // by the user
bool load_over(const struct load_run *run, int64_t now_ns); // at its end, or stopped
// Sleeps until an instant of the monotonic clock, with the kernel's finest timers, but for
// LOAD_TICK_NS at most.
void load_sleep_until(int64_t at_ns);
void load_precise_timers(void); // of the calling thread
// The calling thread runs as soon as it is due, also while others compute (a kernel without
// preemption lets those finish their slice first). Refused to all but root.
void load_go_first(void);

// --- watches ---

// Opens a stream of LOAD_WATCH_INCIDENTS or LOAD_WATCH_ASSIGNMENTS, of the whole city, after a
// token ("": from now on).
GW_MUST_CHECK gw_err load_watch_open(struct gw_rpc_channel *channel, enum load_call call,
                                     const char *token, struct gw_rpc_stream **stream,
                                     struct gw_error *error);
// Room for a token of the server's.
#define LOAD_TOKEN_MAX 512u

// --- requests ---

enum load_step_kind {
    LOAD_STEP_CALL,
    LOAD_STEP_ACCEPT,
    LOAD_STEP_START,
    LOAD_STEP_RESOLVE,
    LOAD_STEP_CLOSE
};

// A call to be made. The same one makes the same bytes, however often it is tried.
struct load_ask {
    enum load_step_kind step; // LOAD_STEP_CALL: what the work calls; else of the incident
    uint64_t number;          // of the call within its work
    int64_t intended_ns;
    char incident[LOAD_ID_MAX], actor[LOAD_ID_MAX];
    uint32_t attempt;
};

struct load_message; // room for a request

struct load_message *load_message_create(const struct load_work *work); // NULL: no memory
void load_message_destroy(struct load_message *message);
// Fills the request in; it is valid until the next one.
const ProtobufCMessage *load_message_fill(struct load_message *message,
                                          const struct load_work_run *work,
                                          const struct load_ask *ask);
const char *load_ask_path(const struct load_work *work, const struct load_ask *ask);
const ProtobufCMessageDescriptor *load_ask_response(const struct load_work *work,
                                                    const struct load_ask *ask);

#endif
