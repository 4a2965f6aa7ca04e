// What the files of the store share.
#ifndef GW_SERVICES_STORE_STORE_INTERNAL_H
#define GW_SERVICES_STORE_STORE_INTERNAL_H

#include "services/store/store.h"
#include <rocksdb/c.h>
#include <stdatomic.h>

// Of what lies on disk: keyspaces and the meaning of their keys. Raised when an older program would
// misread what a newer one wrote; adding a keyspace or a protobuf field does not raise it.
#define STORE_FORMAT_VERSION 1u

struct gw_store {
    rocksdb_t *db;
    rocksdb_column_family_handle_t *unused; // RocksDB's "default"; nothing is stored in it
    // NULL: a store opened for reading that was made before this keyspace was known.
    rocksdb_column_family_handle_t *columns[GW_KEYSPACE_COUNT];
    rocksdb_cache_t *cache;
    rocksdb_readoptions_t *read, *read_once; // read_once: long scans, which do not evict the cache
    rocksdb_writeoptions_t *write, *write_sync;
    bool read_only;
    atomic_bool failed; // a write has: no further ones until it is opened anew
};

struct gw_store_batch {
    rocksdb_writebatch_t *writes;
};

// The name of a keyspace's column family. Part of what lies on disk.
const char *store_keyspace_name(enum gw_keyspace space);

// Options of the whole database, and of one keyspace (with the shared cache), for the caller to
// destroy. write_buffer_bytes: 0 for the usual.
rocksdb_options_t *store_database_options(bool create, size_t write_buffer_bytes);
rocksdb_options_t *store_keyspace_options(enum gw_keyspace space, rocksdb_cache_t *cache,
                                          size_t write_buffer_bytes);
rocksdb_cache_t *store_cache_create(void);

// Turns RocksDB's message (freed here) into a code and words; `doing` says what was tried.
gw_err store_fail(struct gw_error *error, const char *doing, char *rocksdb_text);

#endif
