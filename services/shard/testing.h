// A bench for the shard's tests: a small city in a folder of its own, a clock that the test sets,
// and requests without much writing.
//
// The city is six square grids in two rows of three; south row (from the west): A1, A2 of village
// A, B1 of village B, both of township 1; north row: C1, C2, C3 of village C of township 2. Grids
// are 0.01 degree wide. Workers: see bench_staff.
#ifndef GW_SERVICES_SHARD_TESTING_H
#define GW_SERVICES_SHARD_TESTING_H

#include "services/shard/shard.h"

#define BENCH_VILLAGE_A "211282001001"
#define BENCH_VILLAGE_B "211282001002"
#define BENCH_VILLAGE_C "211282002001"
#define BENCH_A1 BENCH_VILLAGE_A "001"
#define BENCH_A2 BENCH_VILLAGE_A "002"
#define BENCH_B1 BENCH_VILLAGE_B "001"
#define BENCH_C1 BENCH_VILLAGE_C "001"
#define BENCH_DESK_A "desk:" BENCH_VILLAGE_A
#define BENCH_NOW INT64_C(1700000000000)

// What a command was answered.
struct bench_reply {
    uint32_t answers; // how often done was called
    gw_err err;
    char text[GW_ERROR_TEXT_MAX];
    ProtobufCMessage *response; // a copy, or NULL
};
void bench_reply_free(struct bench_reply *reply); // and empties it

struct bench {
    char folder[512];
    struct gw_store *store;
    struct gw_log *log, *real_log;
    struct gw_current *current;
    struct gw_policy policy;
    struct gw_metrics *metrics;
    struct gw_shard *shard;
    _Atomic int64_t now_ms;
    uint64_t request_number; // for ids
    uint32_t fail_appends;   // the next appends fail, as a full disk would make them
    struct gw_log faulty_log;
};

// An edition of the bench's city. Number 1 (all else zero) is published when the bench is opened.
struct bench_edition {
    uint64_t number;
    int32_t moved;     // how far east the border of the first and the second column lies, 1e-7 deg
    const char *layer; // NULL: the responsible one
    const char *without; // a grid that this edition does not have; NULL: it has all six
};
// Writes its file to the place of its number in the folder; the edition is the caller's to close.
struct gw_edition *bench_write_edition(struct bench *bench, const struct bench_edition *kind);
// Writes it and stages it, as an upload does.
gw_err bench_stage(struct bench *bench, const struct bench_edition *kind);
// Publishes a staged or superseded one.
gw_err bench_publish(struct bench *bench, uint64_t number);
// The number of the published one, as readers have it now.
uint64_t bench_published(struct bench *bench);

// A new folder, an edition, a shard without a thread; asserts that all goes well.
void bench_open(struct bench *bench);
void bench_restart(struct bench *bench); // closes shard, log and store, and opens them again
void bench_close(struct bench *bench);

// Submits; the answer comes with a later step (or at once).
void bench_submit(struct bench *bench, const ProtobufCMessage *request, struct bench_reply *reply);
// Submits, steps, and gives the error; the reply may be NULL.
gw_err bench_call(struct bench *bench, const ProtobufCMessage *request, struct bench_reply *reply);
// The same for a request that comes with an edition's file (owned from here on) or with the reason
// why there is none.
void bench_submit_edition(struct bench *bench, const ProtobufCMessage *request,
                          struct gw_edition *file, const struct gw_error *refusal,
                          struct bench_reply *reply);
// A request id that no other call has.
const char *bench_request_id(struct bench *bench);

// The middle of the grid in this column (0 .. 2) and row (0 south, 1 north).
Gridwarden__V1__Point bench_point(int column, int row);

// Reports at a grid's middle; the id of the incident into id[].
gw_err bench_report(struct bench *bench, int column, int row, char id[GW_INCIDENT_ID_SIZE]);
gw_err bench_report_address(struct bench *bench, char id[GW_INCIDENT_ID_SIZE]);
gw_err bench_set_place(struct bench *bench, const char *id, int column, int row);
// Accept, Decline, Start, Resolve or Close.
gw_err bench_act(struct bench *bench, enum gw_incident_command_kind kind, const char *id,
                 const char *actor);

// w1 (home A1), w2 (A1), w3 (A2), w4 (B1), w5 (C1), each with this capacity and on duty; w1, w2, w3
// stand in the middle of A1 with growing distance, the others have no position.
void bench_staff(struct bench *bench, uint32_t capacity);
void bench_add_worker(struct bench *bench, const char *id, const char *grid, uint32_t capacity);
void bench_position(struct bench *bench, const char *id, double longitude, double latitude);

// The incident as the views have it; the caller frees it.
Gridwarden__V1__Incident *bench_incident(struct bench *bench, const char *id);
void bench_expect(struct bench *bench, const char *id, int state, const char *handler);
// The load of a worker.
uint32_t bench_load(struct bench *bench, const char *worker_id);
// gw_shard_verify passes, on the store as it is.
void bench_verify(struct bench *bench, struct gw_shard_verify_totals *totals);

#endif
