// The parts of a play, one file each; only player.c puts them together.
//
//   player.c          options, the beginning, the main loop, the end
//   player_calls.c    calls in flight, retries, what their answers mean
//   player_tasks.c    what workers, desks and the centre do next, in the order of time
//   player_streams.c  the two watches and the positions, a thread each
//   player_roster.c   the upload of the workers, and their shifts
//   player_live.c     latencies and the line of every second
//
// Threads: the main thread owns everything but the inbox (watches put notes in, it takes them out)
//          and the atomics.
#ifndef GW_SERVICES_DEMO_PLAYER_PARTS_H
#define GW_SERVICES_DEMO_PLAYER_PARTS_H

#include "gridwarden/v1/incident.pb-c.h"
#include "gridwarden/v1/worker.pb-c.h"
#include "services/demo/day.h"
#include "services/demo/player.h"
#include "services/rpc/client.h"
#include <pthread.h>

#define GW_DEMO_CALLS_MAX 512u
#define GW_DEMO_TASKS_MAX 65536u
#define GW_DEMO_INBOX_MAX 16384u
#define GW_DEMO_TRIES_MAX 7u
#define GW_DEMO_CALL_MS 10000
#define GW_DEMO_ID_MAX 96u
#define GW_DEMO_SILENCE_NS 10000000000 // without any answer: the node has gone

// --- latencies: buckets a thirtieth wide ---

#define GW_DEMO_BUCKETS 1024u
struct gw_demo_latency {
    uint64_t counts[GW_DEMO_BUCKETS];
    uint64_t count;
};
void gw_demo_latency_add(struct gw_demo_latency *latency, int64_t nanoseconds);
// The value that `share` (0 .. 1) of all lie at or below, in milliseconds, at most 4 % too high. 0:
// there are none.
double gw_demo_latency_ms(const struct gw_demo_latency *latency, double share);

// --- tasks: what somebody does to an incident, when ---

enum gw_demo_step {
    GW_DEMO_ACCEPT,
    GW_DEMO_DECLINE,
    GW_DEMO_START,
    GW_DEMO_RESOLVE,
    GW_DEMO_CLOSE,
    GW_DEMO_SET_PLACE,
    GW_DEMO_REPORT, // another try
    GW_DEMO_STEPS
};

struct gw_demo_task {
    int64_t due_ns;  // of the monotonic clock
    int64_t sent_ns; // of the first try; 0: none yet
    uint64_t order;  // ties
    char incident[GW_DEMO_ID_MAX], actor[GW_DEMO_ID_MAX];
    uint32_t attempt; // of the offer that began it
    uint32_t planned; // index of the plan, for REPORT and SET_PLACE
    uint32_t tries;
    enum gw_demo_step step;
};

// A binary heap by (due_ns, order).
struct gw_demo_tasks {
    struct gw_demo_task *heap; // [GW_DEMO_TASKS_MAX]
    uint32_t count;
    uint64_t order;
};
// False: full; the task is dropped.
bool gw_demo_tasks_add(struct gw_demo_tasks *tasks, const struct gw_demo_task *task);
const struct gw_demo_task *gw_demo_tasks_first(const struct gw_demo_tasks *tasks); // NULL: none
void gw_demo_tasks_pop(struct gw_demo_tasks *tasks, struct gw_demo_task *task);

// --- the inbox ---

enum gw_demo_note_kind { GW_DEMO_NOTE_OFFERED, GW_DEMO_NOTE_LAPSED, GW_DEMO_NOTE_AT_DESK };

struct gw_demo_note {
    enum gw_demo_note_kind kind;
    char incident[GW_DEMO_ID_MAX], handler[GW_DEMO_ID_MAX];
    uint32_t attempt;
};

struct gw_demo_inbox {
    pthread_mutex_t lock;
    pthread_cond_t room;
    struct gw_demo_note *notes; // [GW_DEMO_INBOX_MAX], a ring
    uint32_t first, count;
    bool closed;
};
// Waits for room. False: closed.
bool gw_demo_inbox_put(struct gw_demo_inbox *inbox, const struct gw_demo_note *note);
bool gw_demo_inbox_take(struct gw_demo_inbox *inbox, struct gw_demo_note *note); // does not wait
void gw_demo_inbox_close(struct gw_demo_inbox *inbox);

// --- the play ---

struct gw_demo_player;

struct gw_demo_call {
    struct gw_demo_player *player;
    struct gw_demo_task task; // what it is about; nothing for a SetDuty
    struct gw_demo_call *next_free;
};

struct gw_demo_player {
    struct gw_demo_options options; // with the defaults filled in
    const struct gw_city *city;
    struct gw_city *own_city; // NULL: the caller's is played
    struct gw_rpc_channel *channel, *streams;
    int64_t begin_ns, end_ns;
    int64_t heard_ns; // the last answer
    int64_t busy_ns;  // when something was last under way
    struct gw_demo_incident *plan;
    uint32_t plan_count, plan_next;
    struct gw_demo_call calls[GW_DEMO_CALLS_MAX];
    struct gw_demo_call *free_calls;
    uint32_t open_calls;
    struct gw_demo_tasks tasks;
    struct gw_demo_inbox inbox;
    struct gw_demo_latency latency;
    struct gw_demo_totals totals;
    struct gw_error fault; // of the first call that failed for good
    bool *on_duty;         // as last asked for, [GW_CITY_WORKERS]
    int64_t duty_minute;   // of which on_duty is
    uint64_t duty_sequence;
    bool duty_unsure; // a SetDuty failed: all are told again
    int64_t live_ns;
    uint64_t live_reported;
    uint32_t live_lines;
    pthread_t threads[3];
    uint32_t thread_count;
    atomic_bool ending;
    atomic_uint_fast64_t positions, reopened;
};

// Milliseconds of the city's time since the beginning; the instant when that will be.
int64_t gw_demo_city_ms(const struct gw_demo_player *player, int64_t now_ns);
int64_t gw_demo_wall_ns(const struct gw_demo_player *player, int64_t city_ms);
// Minutes since midnight of the first day.
int64_t gw_demo_minute(const struct gw_demo_player *player, int64_t now_ns);

// player_calls.c. A call needs a free slot: false: none is, try later.
bool gw_demo_send(struct gw_demo_player *player, const struct gw_demo_task *task);
void gw_demo_send_duty_done(void *context, const struct gw_error *error,
                            const ProtobufCMessage *response);
struct gw_demo_call *gw_demo_call_take(struct gw_demo_player *player);
void gw_demo_call_free(struct gw_demo_call *call);

// player_tasks.c: what follows from a note.
void gw_demo_follow(struct gw_demo_player *player, const struct gw_demo_note *note);
// Plans the next step of the same actor after city_ms of the city's time.
void gw_demo_plan_step(struct gw_demo_player *player, const struct gw_demo_task *after,
                       enum gw_demo_step step, int64_t city_ms);
// A number in [min, max] that depends on the seed, the incident, the attempt and the step alone.
int64_t gw_demo_lot(const struct gw_demo_player *player, const struct gw_demo_task *task,
                    int64_t min, int64_t max);

// player_streams.c
GW_MUST_CHECK gw_err gw_demo_streams_start(struct gw_demo_player *player, struct gw_error *error);
void gw_demo_streams_stop(struct gw_demo_player *player);

// player_roster.c
GW_MUST_CHECK gw_err gw_demo_upload(struct gw_demo_player *player, struct gw_error *error);
// Puts workers on duty and off it as their shifts begin and end. `all`: tells of every worker, and
// waits for the answers; else only of changes.
GW_MUST_CHECK gw_err gw_demo_shift(struct gw_demo_player *player, int64_t minute, bool all,
                                   struct gw_error *error);

// player_live.c
void gw_demo_live(struct gw_demo_player *player, int64_t now_ns, bool last);

#endif
