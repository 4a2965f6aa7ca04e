// The local store: RocksDB, as named keyspaces, atomic batches and ordered reads.
//
// Threads: any thread may read; batches are built by one thread each. Writes may come from any.
// Memory:  values read are owned by the caller as gw_store_value and released with its function.
#ifndef GW_SERVICES_STORE_STORE_H
#define GW_SERVICES_STORE_STORE_H

#include "services/base/error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// One column family each. New ones are added at the end; stores made before get them at opening.
enum gw_keyspace {
    GW_KS_META,            // format version, identity
    GW_KS_LOG,             // sequence (u64 big-endian) -> LogEntry bytes
    GW_KS_INCIDENTS,       // incident id -> IncidentRecord
    GW_KS_INCIDENT_EVENTS, // incident id, version (u32 big-endian) -> IncidentEvent
    GW_KS_INDEXES,         // secondary orders of incidents: tag byte, key parts, id -> ""
    GW_KS_WORKERS,         // worker id -> WorkerRecord
    GW_KS_RECEIPTS,        // request id -> Receipt
    GW_KS_RECEIPT_TIMES,   // time_ms (u64 big-endian), request id -> ""
    GW_KS_EDITIONS,        // layer, 0, number (u64 big-endian) -> Edition
    GW_KS_POSITIONS,       // snapshot of live positions
    GW_KEYSPACE_COUNT
};

struct gw_store;
struct gw_store_batch;

struct gw_slice {
    const void *data;
    size_t size;
};

struct gw_store_value {
    struct gw_slice bytes; // data NULL: the key is not there
    void *handle;
};

struct gw_store_options {
    bool create;    // make the folder (its parent must be there) and the store where there is none
    bool read_only; // see a store without changing it (no lock is taken on it)
    // What a keyspace holds in memory before it is written to a file; 0: the usual 16 or 32 MiB.
    // Small machines; tests that want flushes and compactions soon (64 KiB is the least).
    size_t write_buffer_bytes;
};

// GW_ENOTFOUND: no store there and !create (or read_only). GW_EUNAVAILABLE: another process, or
// this one, has it open. GW_EUNSUPPORTED: made by a newer version of this program.
// GW_ECORRUPT, GW_EIO, GW_ENOSPC (disk full): RocksDB's own words are in the error.
//
// After a crash or a power cut every write with `sync` that returned GW_OK is there. A last write
// that was cut short is dropped whole; any other damage is GW_ECORRUPT, never passed over.
GW_MUST_CHECK gw_err gw_store_open(const char *folder, const struct gw_store_options *options,
                                   struct gw_store **store, struct gw_error *error);
void gw_store_close(struct gw_store *store); // accepts NULL

GW_MUST_CHECK gw_err gw_store_get(struct gw_store *store, enum gw_keyspace space,
                                  struct gw_slice key, struct gw_store_value *value,
                                  struct gw_error *error);
void gw_store_value_release(struct gw_store_value *value);

// Calls visit(context, key, value) for keys >= from in byte order (or <= from, downwards, if
// `reverse`) until it returns false or the keyspace ends. from.data NULL: from the first (last).
GW_MUST_CHECK gw_err gw_store_scan(struct gw_store *store, enum gw_keyspace space,
                                   struct gw_slice from, bool reverse,
                                   bool (*visit)(void *context, struct gw_slice key,
                                                 struct gw_slice value),
                                   void *context, struct gw_error *error);

struct gw_store_batch *gw_store_batch_create(void); // aborts when out of memory
void gw_store_batch_destroy(struct gw_store_batch *batch);
void gw_store_batch_clear(struct gw_store_batch *batch);
void gw_store_batch_put(struct gw_store_batch *batch, struct gw_store *store,
                        enum gw_keyspace space, struct gw_slice key, struct gw_slice value);
void gw_store_batch_delete(struct gw_store_batch *batch, struct gw_store *store,
                           enum gw_keyspace space, struct gw_slice key);

// All of the batch or nothing. `sync`: on disk (fdatasync) before it returns. GW_ESTATE: read_only.
// GW_ENOSPC: the disk is full. After a failure the store refuses further writes (GW_EUNAVAILABLE)
// until it is opened anew, which also tells whether the failed one is there.
GW_MUST_CHECK gw_err gw_store_write(struct gw_store *store, struct gw_store_batch *batch, bool sync,
                                    struct gw_error *error);

#endif
