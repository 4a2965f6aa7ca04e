#include "services/store/store_internal.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

static bool has(const char *text, const char *part) {
    return strstr(text, part) != NULL;
}

// RocksDB's C interface gives the status as text alone; the words below are those of its 7.x.
gw_err store_fail(struct gw_error *error, const char *doing, char *rocksdb_text) {
    gw_err code;
    if (has(rocksdb_text, "No space left on device") || has(rocksdb_text, "Disk quota exceeded")) {
        code = gw_error_set(error, GW_ENOSPC,
                            "%s: the disk is full; free some space, then restart (%s)", doing,
                            rocksdb_text);
    } else if (strncmp(rocksdb_text, "Corruption", 10) == 0) {
        code = gw_error_set(error, GW_ECORRUPT,
                            "%s: the store is damaged; keep a copy of its folder and restore a "
                            "backup (%s)",
                            doing, rocksdb_text);
    } else if (strncmp(rocksdb_text, "IO error", 8) == 0) {
        code = gw_error_set(error, GW_EIO,
                            "%s: the disk or its file system failed; see the kernel's "
                            "log (%s)",
                            doing, rocksdb_text);
    } else {
        code = gw_error_set(error, GW_EINTERNAL, "%s: %s", doing, rocksdb_text);
    }
    rocksdb_free(rocksdb_text);
    return code;
}

gw_err gw_store_get(struct gw_store *store, enum gw_keyspace space, struct gw_slice key,
                    struct gw_store_value *value, struct gw_error *error) {
    assert(space < GW_KEYSPACE_COUNT);
    *value = (struct gw_store_value){0};
    if (store->columns[space] == NULL) {
        return GW_OK;
    }
    char *failure = NULL;
    rocksdb_pinnableslice_t *pinned = rocksdb_get_pinned_cf(
        store->db, store->read, store->columns[space], key.data, key.size, &failure);
    if (failure != NULL) {
        return store_fail(error, "reading the store", failure);
    }
    if (pinned == NULL) {
        return GW_OK;
    }
    value->handle = pinned;
    value->bytes.data = rocksdb_pinnableslice_value(pinned, &value->bytes.size);
    if (value->bytes.data == NULL) { // an empty value is there all the same
        value->bytes.data = "";
    }
    return GW_OK;
}

void gw_store_value_release(struct gw_store_value *value) {
    if (value->handle != NULL) {
        rocksdb_pinnableslice_destroy(value->handle);
    }
    *value = (struct gw_store_value){0};
}

static void seek(rocksdb_iterator_t *iterator, struct gw_slice from, bool reverse) {
    if (from.data == NULL) {
        if (reverse) {
            rocksdb_iter_seek_to_last(iterator);
        } else {
            rocksdb_iter_seek_to_first(iterator);
        }
    } else if (reverse) {
        rocksdb_iter_seek_for_prev(iterator, from.data, from.size);
    } else {
        rocksdb_iter_seek(iterator, from.data, from.size);
    }
}

gw_err gw_store_scan(struct gw_store *store, enum gw_keyspace space, struct gw_slice from,
                     bool reverse,
                     bool (*visit)(void *context, struct gw_slice key, struct gw_slice value),
                     void *context, struct gw_error *error) {
    assert(space < GW_KEYSPACE_COUNT);
    if (store->columns[space] == NULL) {
        return GW_OK;
    }
    const rocksdb_readoptions_t *how = space == GW_KS_LOG ? store->read_once : store->read;
    rocksdb_iterator_t *iterator =
        rocksdb_create_iterator_cf(store->db, how, store->columns[space]);
    seek(iterator, from, reverse);
    while (rocksdb_iter_valid(iterator)) {
        struct gw_slice key, value;
        key.data = rocksdb_iter_key(iterator, &key.size);
        value.data = rocksdb_iter_value(iterator, &value.size);
        if (!visit(context, key, value)) {
            break;
        }
        if (reverse) {
            rocksdb_iter_prev(iterator);
        } else {
            rocksdb_iter_next(iterator);
        }
    }
    char *failure = NULL;
    rocksdb_iter_get_error(iterator, &failure);
    rocksdb_iter_destroy(iterator);
    return failure == NULL ? GW_OK : store_fail(error, "reading the store", failure);
}

struct gw_store_batch *gw_store_batch_create(void) {
    struct gw_store_batch *batch = calloc(1, sizeof *batch);
    if (batch == NULL) {
        abort();
    }
    batch->writes = rocksdb_writebatch_create();
    return batch;
}

void gw_store_batch_destroy(struct gw_store_batch *batch) {
    if (batch != NULL) {
        rocksdb_writebatch_destroy(batch->writes);
        free(batch);
    }
}

void gw_store_batch_clear(struct gw_store_batch *batch) {
    rocksdb_writebatch_clear(batch->writes);
}

void gw_store_batch_put(struct gw_store_batch *batch, struct gw_store *store,
                        enum gw_keyspace space, struct gw_slice key, struct gw_slice value) {
    assert(space < GW_KEYSPACE_COUNT);
    if (store->columns[space] != NULL) { // NULL only when opened for reading: then write refuses
        rocksdb_writebatch_put_cf(batch->writes, store->columns[space], key.data, key.size,
                                  value.data, value.size);
    }
}

void gw_store_batch_delete(struct gw_store_batch *batch, struct gw_store *store,
                           enum gw_keyspace space, struct gw_slice key) {
    assert(space < GW_KEYSPACE_COUNT);
    if (store->columns[space] != NULL) {
        rocksdb_writebatch_delete_cf(batch->writes, store->columns[space], key.data, key.size);
    }
}

gw_err gw_store_write(struct gw_store *store, struct gw_store_batch *batch, bool sync,
                      struct gw_error *error) {
    if (store->read_only) {
        return gw_error_set(error, GW_ESTATE, "the store was opened for reading only");
    }
    if (atomic_load(&store->failed)) {
        return gw_error_set(error, GW_EUNAVAILABLE,
                            "the store takes no more writes since an earlier one failed; restart "
                            "the node");
    }
    char *failure = NULL;
    rocksdb_write(store->db, sync ? store->write_sync : store->write, batch->writes, &failure);
    if (failure == NULL) {
        return GW_OK;
    }
    atomic_store(&store->failed, true);
    return store_fail(error, "writing to the store", failure);
}
