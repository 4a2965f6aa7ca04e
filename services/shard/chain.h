// The end of the log as the writer extends it: number, time and hash of the last entry.
#ifndef GW_SERVICES_SHARD_CHAIN_H
#define GW_SERVICES_SHARD_CHAIN_H

#include "gridwarden/store/v1/store.pb-c.h"
#include "services/log/log.h"

#define CHAIN_HASH_SIZE 32u // SHA-256

struct chain {
    uint64_t sequence; // 0: no entry yet
    int64_t time_ms;
    unsigned char hash[CHAIN_HASH_SIZE]; // of the last entry's bytes
};

void chain_hash(struct gw_slice entry, unsigned char hash[CHAIN_HASH_SIZE]);

// Whether `entry`, unpacked from bytes that were read as `sequence`, continues the chain; steps on
// to it. GW_ECORRUPT says how it does not.
GW_MUST_CHECK gw_err chain_follow(struct chain *chain, uint64_t sequence, struct gw_slice bytes,
                                  const Gridwarden__Store__V1__LogEntry *entry,
                                  struct gw_error *error);

// Reads the last entry of the log. GW_ECORRUPT: it can't be read, or the views in `store` are not
// those of this log's end.
GW_MUST_CHECK gw_err chain_load(struct chain *chain, struct gw_store *store, struct gw_log *log,
                                struct gw_error *error);

// Completes the entry (number, time, hash of the one before), adds the number to the views, appends
// both and waits until they are durable. On success the chain ends at the entry.
GW_MUST_CHECK gw_err chain_append(struct chain *chain, struct gw_store *store, struct gw_log *log,
                                  Gridwarden__Store__V1__LogEntry *entry, int64_t time_ms,
                                  struct gw_store_batch *views, struct gw_error *error);

#endif
