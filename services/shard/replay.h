// A replay of the log into fresh state, which is compared with the views as it goes.
#ifndef GW_SERVICES_SHARD_REPLAY_H
#define GW_SERVICES_SHARD_REPLAY_H

#include "services/shard/chain.h"
#include "services/shard/keys.h"
#include "services/shard/shard.h"
#include "services/shard/table.h"

struct replay {
    struct gw_store *store;
    struct chain chain;
    struct table open; // incidents that are not closed; closed ones are compared and let go
    struct table workers;
    Gridwarden__V1__Edition **editions;
    size_t edition_count, edition_capacity;
    uint64_t counter;                          // highest of the incident ids
    uint64_t receipts_found, receipts_dropped; // in the views; by the entries' own account
    uint64_t receipts_missing;
    struct key newest_missing, oldest_found; // rows of receipt times
    struct gw_shard_verify_totals totals;
    struct gw_error *error;
    gw_err err;
};

void replay_begin(struct replay *replay, struct gw_store *store, struct gw_error *error);
void replay_end(struct replay *replay);

// Folds one entry; a visit of gw_log's read. False when a difference was found, which is in `err`.
bool replay_entry(void *context, uint64_t sequence, struct gw_slice bytes);

// Folds a worker's event. GW_ECORRUPT: it does not follow from those before. (replay_workers.c)
GW_MUST_CHECK gw_err replay_worker(struct replay *replay,
                                   const Gridwarden__Store__V1__WorkerEvent *event);

// The comparisons that need all entries: open incidents, workers, editions, receipts, indexes, and
// that the views hold nothing else. (replay_compare.c)
GW_MUST_CHECK gw_err replay_finish(struct replay *replay);

// GW_ECORRUPT unless the row is there with these bytes. `what` and `name` say which row it is.
GW_MUST_CHECK gw_err replay_compare(struct replay *replay, enum gw_keyspace space,
                                    struct gw_slice key, const ProtobufCMessage *expected,
                                    const char *what, const char *name);

#endif
