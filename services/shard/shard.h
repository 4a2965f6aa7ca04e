// One shard: the single writer of its incidents and workers, and the views that are read from.
//
//   command -> decide -> events -> append to the log, with the views, in one batch -> answer
//
// The writer takes all commands that arrived during the last append, decides them one after the
// other against the state as it evolves, and appends them as one entry: one sync for many commands.
// A command is answered only when its entry is durable. A request id that is known gets its first
// answer; another payload under the same id is refused.
//
// Threads: submit, reads and watches from any thread; one writer thread inside (gw_shard_start), or
//          none and the caller steps it (gw_shard_step), as tests do with a clock of their own.
#ifndef GW_SERVICES_SHARD_SHARD_H
#define GW_SERVICES_SHARD_SHARD_H

#include "services/base/metrics.h"
#include "services/grids/current.h"
#include "services/incidents/incident.h"
#include "services/log/log.h"
#include "services/workers/workers.h"

#define GW_SHARD_QUEUE_MAX 65536u // commands waiting; past it GW_ENOSPC
#define GW_SHARD_ENTRY_COMMANDS_MAX 512u
#define GW_SHARD_ENTRY_BYTES_MAX (1u << 20)

struct gw_shard;

struct gw_shard_options {
    struct gw_store *store;
    struct gw_log *log;
    struct gw_current *current; // published edition of the responsible layer; outlives it
    const struct gw_policy *policy;
    struct gw_metrics *metrics;       // may be NULL
    int64_t (*now_ms)(void *context); // NULL: the wall clock, made never to go back or stand still
    void *clock_context;
};

// Opens the shard: reads roster, open incidents and timers from the views.
GW_MUST_CHECK gw_err gw_shard_open(const struct gw_shard_options *options, struct gw_shard **shard,
                                   struct gw_error *error);
// Starts the writer thread.
GW_MUST_CHECK gw_err gw_shard_start(struct gw_shard *shard, struct gw_error *error);
// Does what the writer would do now, in the caller's thread: due timers and waiting commands, one
// entry at most. Returns how many commands and timers it took. Only without a writer thread.
uint32_t gw_shard_step(struct gw_shard *shard);
// Answers what waits, stops the thread, stores a position snapshot, frees the shard.
void gw_shard_close(struct gw_shard *shard); // accepts NULL

struct gw_workers *gw_shard_workers(struct gw_shard *shard);
// False once the log has failed: then every write is answered GW_EUNAVAILABLE, and reads go on.
bool gw_shard_writable(struct gw_shard *shard);

// A write: the request message of a mutating method. Known types: Report, SetPlace, Accept,
// Decline, Start, Resolve, Close, UpsertWorkers, SetDuty, Publish, and UploadHeader, which stages
// an edition and is answered with UploadResponse. request and bytes live until done is called,
// once, on the writer thread (or within submit, when it is refused at once). The response is freed
// after it.
struct gw_shard_command {
    const ProtobufCMessage *request;
    const void *bytes; // as it came, for the request id's hash; NULL: it is packed for that
    size_t size;
    void (*done)(void *context, const struct gw_error *error, const ProtobufCMessage *response);
    void *context;
    // For UploadHeader and Publish: the file of that edition, opened and verified, owned by the
    // shard from submit on. NULL: there is none, and `refusal`, which lives as long as the
    // request, says why; it is what the caller is told unless the request id is known or the
    // store's rows say more.
    struct gw_edition *edition;
    const struct gw_error *refusal;
};
// When an edition of the layer of `current` has been published, `current` is replaced, and the
// workers' homes are found in it, before the entry is seen in the feed and `done` is called; the
// next command is decided by it.
void gw_shard_submit(struct gw_shard *shard, const struct gw_shard_command *command);

// --- reads of the views: durable state only ---

// For the caller to free with ..._free_unpacked. GW_ENOTFOUND.
GW_MUST_CHECK gw_err gw_shard_get_incident(struct gw_shard *shard, const char *id,
                                           Gridwarden__V1__Incident **incident,
                                           struct gw_error *error);
// Visits the incident's events in order.
GW_MUST_CHECK gw_err
gw_shard_incident_events(struct gw_shard *shard, const char *id,
                         bool (*visit)(void *context, const Gridwarden__V1__IncidentEvent *event),
                         void *context, struct gw_error *error);
// Newest first, by time of report and then id, after `token` ("" for the first page; next_token is
// written back, "" at the end). A visit that returns false ends the page before that incident: the
// next page begins with it (when it was the very first of all, next_token is "" again).
struct gw_incident_list {
    const Gridwarden__V1__IncidentServiceListRequest *request;
    char next_token[96];
};
GW_MUST_CHECK gw_err
gw_shard_list_incidents(struct gw_shard *shard, struct gw_incident_list *list,
                        bool (*visit)(void *context, const Gridwarden__V1__Incident *incident),
                        void *context, struct gw_error *error);

struct gw_shard_totals {
    uint64_t sequence;       // of the last durable entry
    uint32_t open_incidents; // not closed
    uint32_t open_offers, at_desks;
    uint32_t queued_commands;
    int64_t oldest_unassigned_ms; // when the oldest that nobody has accepted was reported; 0: none
};
void gw_shard_totals(struct gw_shard *shard, struct gw_shard_totals *totals);

// --- the feed: what watches read ---

// `wake` is called after each durable entry, on the writer thread; it must be quick and not call
// back into the shard. Returns a handle for unsubscribe; after unsubscribe returns it is not called
// again.
struct gw_shard_subscription *gw_shard_subscribe(struct gw_shard *shard,
                                                 void (*wake)(void *context), void *context);
void gw_shard_unsubscribe(struct gw_shard *shard, struct gw_shard_subscription *subscription);

uint64_t gw_shard_head(struct gw_shard *shard);
// Visits durable entries with sequence > after, unpacked, in order (from memory when recent, else
// from the log). GW_ERANGE: no longer held.
GW_MUST_CHECK gw_err gw_shard_read(struct gw_shard *shard, uint64_t after,
                                   bool (*visit)(void *context,
                                                 const Gridwarden__Store__V1__LogEntry *entry),
                                   void *context, struct gw_error *error);

// --- without a running shard ---

// Appends one EditionEvent (staged, published) to the log of a folder that no node serves.
GW_MUST_CHECK gw_err gw_shard_append_edition(struct gw_store *store, struct gw_log *log,
                                             const Gridwarden__Store__V1__EditionEvent *event,
                                             int64_t now_ms, struct gw_error *error);

// Replays the whole log into fresh state and compares it, byte for byte, with the views; checks the
// hash chain. GW_ECORRUPT names the first difference.
struct gw_shard_verify_totals {
    uint64_t entries, events, incidents, workers, receipts;
};
GW_MUST_CHECK gw_err gw_shard_verify(struct gw_store *store, struct gw_log *log,
                                     struct gw_shard_verify_totals *totals, struct gw_error *error);

#endif
