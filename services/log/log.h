// The log of one shard: the one history that everything else is derived from.
//
// One interface, several engines: `local` (RocksDB, for one machine), later etcd and a simulator.
// An append gives entry n its bytes; it is *durable* when done(GW_OK) is called, and never before.
// The views (state derived from the entry) ride along: an engine applies them with the entry, so
// that after any crash the views are exactly those of a prefix of the log that ends at or after the
// last acknowledged entry.
//
// Threads: append is called by the shard's writer alone; read and head by any thread. `done` may be
//          called before append returns or later on another thread, in sequence order.
#ifndef GW_SERVICES_LOG_LOG_H
#define GW_SERVICES_LOG_LOG_H

#include "services/store/store.h"

struct gw_log;

typedef void gw_log_done_fn(void *context, uint64_t sequence, gw_err err,
                            const struct gw_error *error);

struct gw_log_ops {
    // Appends entry `sequence`, which must be head + 1 (+ appends under way; else GW_EINVAL).
    // `views` may be NULL; it is the caller's again when done is called, to be cleared (the engine
    // may have added its own rows) or destroyed. A failed append leaves the log refusing all
    // further ones (GW_EUNAVAILABLE) until it is opened anew: what it holds is then found by
    // reading.
    void (*append)(struct gw_log *log, uint64_t sequence, struct gw_slice entry,
                   struct gw_store_batch *views, gw_log_done_fn *done, void *context);
    // Visits entries with sequence >= from, in order, until visit returns false or the head.
    // GW_ERANGE: entries from `from` on have been trimmed.
    gw_err (*read)(struct gw_log *log, uint64_t from,
                   bool (*visit)(void *context, uint64_t sequence, struct gw_slice entry),
                   void *context, struct gw_error *error);
    // The last durable sequence; 0 when empty.
    uint64_t (*head)(struct gw_log *log);
    void (*close)(struct gw_log *log);
};

struct gw_log {
    const struct gw_log_ops *ops;
};

// The engine for one machine: entry and views in one synced RocksDB batch. The store stays the
// caller's and outlives the log.
GW_MUST_CHECK gw_err gw_log_local_open(struct gw_store *store, struct gw_log **log,
                                       struct gw_error *error);

#endif
