// The shard from inside. Everything without a lock of its own belongs to the writer.
#ifndef GW_SERVICES_SHARD_INTERNAL_H
#define GW_SERVICES_SHARD_INTERNAL_H

#include "services/shard/chain.h"
#include "services/shard/entry.h"
#include "services/shard/feed.h"
#include "services/shard/heap.h"
#include "services/shard/keys.h"
#include "services/shard/list_token.h"
#include "services/shard/meters.h"
#include "services/shard/queue.h"
#include "services/shard/table.h"

#include <stdatomic.h>

#define SHARD_OPEN_INCIDENTS_MAX 4000000u
#define SHARD_ENTRY_TIMERS_MAX 256u // so that a restart after a long stop does not hold up commands
#define SHARD_IDLE_MS_MAX 1000      // how long the writer sleeps at most
#define SHARD_SNAPSHOT_MS 5000      // between snapshots of positions
#define SHARD_REQUEST_SLOTS 1024u   // over GW_SHARD_ENTRY_COMMANDS_MAX; a power of two

// A command of the entry that is being made, and what it will be told when the entry is durable.
struct answer {
    struct command *command;
    ProtobufCMessage *response; // made when the entry is durable, or from a stored receipt
    uint32_t receipt;           // of this entry, or ENTRY_NO_RECEIPT
    enum outcome outcome;
    struct gw_error error; // GW_OK: answered with the response
};

struct gw_shard {
    struct gw_store *store;
    struct gw_log *log;
    struct gw_current *current;
    const struct gw_edition *edition; // taken from `current`: what the writer and the workers use
    struct gw_policy policy;
    int64_t (*now_ms)(void *context);
    void *clock_context;
    int64_t steady_ms, steady_ns; // where the wall clock was last seen ahead, and when

    struct gw_workers *workers; // has a lock of its own
    struct queue queue;         // has a lock of its own
    struct feed feed;           // has a lock of its own
    struct meters meters;
    atomic_bool writable;
    pthread_mutex_t totals_mutex;
    struct gw_shard_totals totals; // under totals_mutex

    struct chain chain;
    struct table open;
    struct heap timers;     // of open offers
    struct heap unassigned; // by time of report
    struct gw_shard_totals running;
    uint64_t counter, stored_counter; // of incident ids
    int64_t oldest_receipt_ms;        // INT64_MAX: there is none
    struct command *taken;            // from the queue, not yet decided
    struct entry entry;
    struct answer answers[GW_SHARD_ENTRY_COMMANDS_MAX];
    uint32_t answer_count;
    uint32_t request_slots[SHARD_REQUEST_SLOTS]; // 1 + receipt of the entry, by request id
    char closed[GW_SHARD_ENTRY_COMMANDS_MAX][GW_INCIDENT_ID_SIZE]; // with this entry
    uint32_t closed_count;
    bool entry_sealed;           // an edition changes with this entry: nothing may follow in it
    struct gw_edition *incoming; // takes over when the entry is durable; NULL: none
    int64_t snapshot_due_ms;
    uint64_t snapshot_hash;

    pthread_t thread;
    bool has_thread;
};

// state.c: what is held in memory, beside the table.
bool shard_state_is_unassigned(Gridwarden__V1__IncidentState state);
// Counts an incident's change; NULL before it is reported or after it is closed.
void shard_count(struct gw_shard *shard, const Gridwarden__V1__Incident *before,
                 const Gridwarden__V1__Incident *after);
// Sets the timer of its offer, if it is in one.
void shard_watch_times(struct gw_shard *shard, const Gridwarden__V1__Incident *incident);
// Notes a new incident (or one that is loaded) as waiting for somebody.
void shard_watch_age(struct gw_shard *shard, const Gridwarden__V1__Incident *incident);
// The first timer of an offer that is still open, or NULL.
const struct heap_item *shard_next_timer(struct gw_shard *shard);
// Makes the running totals visible.
void shard_publish_totals(struct gw_shard *shard, int64_t now_ms);

// load.c: all of it from the views. *error names the row that can't be read.
GW_MUST_CHECK gw_err shard_load(struct gw_shard *shard, struct gw_error *error);

// incident_step.c, worker_step.c: decides one command and puts its events into the entry; the
// answer goes to *receipt. On error nothing has changed, but for GW_EINTERNAL: then the state in
// memory is not to be used any more.
GW_MUST_CHECK gw_err shard_incident_step(struct gw_shard *shard,
                                         const struct gw_incident_command *command,
                                         const char *incident_id, const struct place *place,
                                         int64_t now_ms, Gridwarden__Store__V1__Receipt *receipt,
                                         struct gw_error *error);
GW_MUST_CHECK gw_err shard_worker_step(struct gw_shard *shard, const struct command *command,
                                       int64_t now_ms, Gridwarden__Store__V1__Receipt *receipt,
                                       struct gw_error *error);
// edition_step.c: the same; `command` gives the edition away when it is to take over.
GW_MUST_CHECK gw_err shard_edition_step(struct gw_shard *shard, struct command *command,
                                        int64_t now_ms, Gridwarden__Store__V1__Receipt *receipt,
                                        struct gw_error *error);
// The edition that came with the entry, if any, is the published one from here on.
void shard_take_over(struct gw_shard *shard);
// Folds worker events from `from` on, writes the records of all of them, and moves all into the
// entry.
void shard_commit_worker_events(struct gw_shard *shard, struct gw_worker_events *events,
                                uint32_t from);
// Stores the response's bytes in the receipt.
void shard_set_response(Gridwarden__Store__V1__Receipt *receipt, const ProtobufCMessage *response);

// receipts.c: GW_OK and *answer filled when the request id is known (a first answer, or a refusal
// of another payload); GW_ENOTFOUND when it is new.
GW_MUST_CHECK gw_err shard_find_receipt(struct gw_shard *shard, struct answer *answer);
void shard_add_receipt(struct gw_shard *shard, Gridwarden__Store__V1__Receipt *receipt);
// Forgets some of those that are older than the policy says.
void shard_drop_receipts(struct gw_shard *shard, int64_t now_ms);

// reads.c: the stored record of an incident, for the caller to free. GW_ENOTFOUND, GW_ECORRUPT.
GW_MUST_CHECK gw_err shard_get_record(struct gw_shard *shard, struct gw_slice id,
                                      Gridwarden__Store__V1__IncidentRecord **record,
                                      struct gw_error *error);

#endif
