#include "services/store/store_internal.h"
#include <assert.h>

// Memory is bounded as a whole: blocks, indexes and filters live in one cache, and all keyspaces
// together keep at most WRITE_BUFFERS_BYTES unflushed.
#define CACHE_BYTES ((size_t)64 << 20)
#define WRITE_BUFFERS_BYTES ((size_t)96 << 20)
#define WRITE_BUFFER_BYTES ((size_t)16 << 20)
#define WRITE_BUFFER_LARGE_BYTES ((size_t)32 << 20)
#define WAL_BYTES ((uint64_t)128 << 20) // bounds what an opening after a crash has to replay
#define OPEN_FILES_MAX 512
#define BLOOM_BITS_PER_KEY 10.0
#define INFO_LOG_BYTES ((size_t)4 << 20)
#define INFO_LOG_FILES 4
#define INFO_LOG_LEVEL_FATAL 4 // rocksdb::InfoLogLevel

struct keyspace {
    const char *name;
    bool by_key;  // looked up by whole keys: a bloom filter saves reading blocks for absent ones
    bool written; // takes most of the bytes
};

static const struct keyspace keyspaces[GW_KEYSPACE_COUNT] = {
    [GW_KS_META] = {"meta", true, false},
    [GW_KS_LOG] = {"log", false, true},
    [GW_KS_INCIDENTS] = {"incidents", true, true},
    [GW_KS_INCIDENT_EVENTS] = {"incident_events", false, true},
    [GW_KS_INDEXES] = {"indexes", false, false},
    [GW_KS_WORKERS] = {"workers", true, false},
    [GW_KS_RECEIPTS] = {"receipts", true, false},
    [GW_KS_RECEIPT_TIMES] = {"receipt_times", false, false},
    [GW_KS_EDITIONS] = {"editions", true, false},
    [GW_KS_POSITIONS] = {"positions", false, false},
};

const char *store_keyspace_name(enum gw_keyspace space) {
    assert(space < GW_KEYSPACE_COUNT);
    return keyspaces[space].name;
}

rocksdb_cache_t *store_cache_create(void) {
    return rocksdb_cache_create_lru(CACHE_BYTES);
}

rocksdb_options_t *store_database_options(bool create, size_t write_buffer_bytes) {
    rocksdb_options_t *options = rocksdb_options_create();
    rocksdb_options_set_create_if_missing(options, create);
    rocksdb_options_set_create_missing_column_families(options, 1);
    rocksdb_options_set_paranoid_checks(options, 1);

    // A record that ends with the file is a write that nobody was told of: it is dropped. Damage
    // anywhere else refuses to open. The default (point in time) would drop, without a word, every
    // write after the damage, acknowledged ones among them.
    rocksdb_options_set_wal_recovery_mode(options,
                                          rocksdb_tolerate_corrupted_tail_records_recovery);
    rocksdb_options_set_atomic_flush(options, 1); // all keyspaces of a batch, or none
    rocksdb_options_set_max_total_wal_size(options, WAL_BYTES);
    rocksdb_options_set_db_write_buffer_size(
        options, write_buffer_bytes == 0 ? WRITE_BUFFERS_BYTES : 4 * write_buffer_bytes);

    rocksdb_options_set_max_background_jobs(options, 2);
    rocksdb_options_set_max_open_files(options, OPEN_FILES_MAX);
    rocksdb_options_set_bytes_per_sync(options, (uint64_t)1 << 20); // no burst at a file's end

    // Debian's RocksDB has its assertions on, and one of them ends the process when a second line
    // can't be written to its own log: a full disk would do. What it has to say comes to us as
    // errors.
    rocksdb_options_set_info_log_level(options, INFO_LOG_LEVEL_FATAL);
    rocksdb_options_set_max_log_file_size(options, INFO_LOG_BYTES);
    rocksdb_options_set_keep_log_file_num(options, INFO_LOG_FILES);
    rocksdb_options_set_stats_dump_period_sec(options, 0);
    rocksdb_options_set_stats_persist_period_sec(options, 0);
    return options;
}

rocksdb_options_t *store_keyspace_options(enum gw_keyspace space, rocksdb_cache_t *cache,
                                          size_t write_buffer_bytes) {
    const struct keyspace *keyspace = &keyspaces[space];
    rocksdb_options_t *options = rocksdb_options_create();
    if (write_buffer_bytes == 0) {
        write_buffer_bytes = keyspace->written ? WRITE_BUFFER_LARGE_BYTES : WRITE_BUFFER_BYTES;
    }
    rocksdb_options_set_write_buffer_size(options, write_buffer_bytes);
    rocksdb_options_set_max_write_buffer_number(options, 3);
    rocksdb_options_set_compression(options, rocksdb_lz4_compression);

    rocksdb_block_based_table_options_t *table = rocksdb_block_based_options_create();
    rocksdb_block_based_options_set_block_cache(table, cache);
    rocksdb_block_based_options_set_cache_index_and_filter_blocks(table, 1);
    rocksdb_block_based_options_set_cache_index_and_filter_blocks_with_high_priority(table, 1);
    rocksdb_block_based_options_set_pin_l0_filter_and_index_blocks_in_cache(table, 1);
    rocksdb_block_based_options_set_block_size(table, (size_t)16 << 10);
    rocksdb_block_based_options_set_format_version(table, 5);
    if (keyspace->by_key) { // the table options own the policy
        rocksdb_block_based_options_set_filter_policy(
            table, rocksdb_filterpolicy_create_bloom_full(BLOOM_BITS_PER_KEY));
    }
    rocksdb_options_set_block_based_table_factory(options, table);
    rocksdb_block_based_options_destroy(table);
    return options;
}
