#include "services/shard/replay.h"

#include <inttypes.h>
#include <string.h>

// The rows of a keyspace, each of which has to be one that the replay knows of.
struct rows {
    struct replay *replay;
    uint64_t count, index_rows;
    gw_err err;
};

static gw_err walk(struct replay *replay, enum gw_keyspace space, struct rows *rows,
                   bool (*visit)(void *context, struct gw_slice key, struct gw_slice value)) {
    *rows = (struct rows){.replay = replay};
    gw_err err = gw_store_scan(replay->store, space, (struct gw_slice){NULL, 0}, false, visit, rows,
                               replay->error);
    return err == GW_OK ? rows->err : err;
}

static bool count_row(void *context, struct gw_slice key, struct gw_slice value) {
    struct rows *rows = context;
    (void)key;
    (void)value;
    rows->count++;
    return true;
}

static gw_err compare_count(struct replay *replay, uint64_t stored, uint64_t expected,
                            const char *what) {
    return stored == expected ? GW_OK
                              : gw_error_set(replay->error, GW_ECORRUPT,
                                             "the views hold %" PRIu64 " %s, the log has %" PRIu64,
                                             stored, what, expected);
}

// Counts an incident's row, and checks that each of its index rows is there.
static bool visit_incident(void *context, struct gw_slice key, struct gw_slice value) {
    struct rows *rows = context;
    struct key expected[KEY_INDEX_ROWS_MAX];
    uint32_t count = 0;
    Gridwarden__Store__V1__IncidentRecord *record =
        gridwarden__store__v1__incident_record__unpack(NULL, value.size, value.data);
    if (record == NULL || record->incident == NULL) {
        rows->err =
            gw_error_set(rows->replay->error, GW_ECORRUPT, "the record of incident %.*s is damaged",
                         (int)(key.size < 64 ? key.size : 64), (const char *)key.data);
    } else {
        count = key_index_rows(record->incident, expected);
    }
    for (uint32_t i = 0; i < count && rows->err == GW_OK; i++) {
        struct gw_store_value row;
        rows->err = gw_store_get(rows->replay->store, GW_KS_INDEXES, key_slice(&expected[i]), &row,
                                 rows->replay->error);
        if (rows->err == GW_OK && row.bytes.data == NULL) {
            rows->err = gw_error_set(rows->replay->error, GW_ECORRUPT,
                                     "incident %s is missing in index '%c'", record->incident->id,
                                     expected[i].bytes[0]);
        }
        if (rows->err == GW_OK) {
            gw_store_value_release(&row);
        }
    }
    rows->count++;
    rows->index_rows += count;
    if (record != NULL) {
        gridwarden__store__v1__incident_record__free_unpacked(record, NULL);
    }
    return rows->err == GW_OK;
}

static gw_err compare_incidents(struct replay *replay) {
    struct rows rows, others;
    gw_err err = GW_OK;
    for (size_t i = 0; i < replay->open.capacity && err == GW_OK; i++) {
        const Gridwarden__Store__V1__IncidentRecord *record = replay->open.slots[i];
        if (record != NULL) {
            const char *id = record->incident->id;
            err = replay_compare(replay, GW_KS_INCIDENTS, (struct gw_slice){id, strlen(id)},
                                 &record->base, "record", id);
        }
    }
    if (err == GW_OK) {
        err = walk(replay, GW_KS_INCIDENTS, &rows, visit_incident);
    }
    if (err == GW_OK) {
        err = compare_count(replay, rows.count, replay->totals.incidents, "incidents");
    }
    if (err == GW_OK) {
        err = walk(replay, GW_KS_INDEXES, &others, count_row);
    }
    if (err == GW_OK) {
        err = compare_count(replay, others.count, rows.index_rows, "index rows");
    }
    if (err == GW_OK) {
        err = walk(replay, GW_KS_INCIDENT_EVENTS, &others, count_row);
    }
    return err == GW_OK ? compare_count(replay, others.count, replay->totals.events, "events")
                        : err;
}

static gw_err compare_workers(struct replay *replay) {
    struct rows rows;
    gw_err err = GW_OK;
    replay->totals.workers = replay->workers.count;
    for (size_t i = 0; i < replay->workers.capacity && err == GW_OK; i++) {
        const Gridwarden__Store__V1__WorkerRecord *record = replay->workers.slots[i];
        if (record != NULL) {
            const char *id = record->worker->id;
            err = replay_compare(replay, GW_KS_WORKERS, (struct gw_slice){id, strlen(id)},
                                 &record->base, "record of worker", id);
        }
    }
    if (err == GW_OK) {
        err = walk(replay, GW_KS_WORKERS, &rows, count_row);
    }
    return err == GW_OK ? compare_count(replay, rows.count, replay->workers.count, "workers") : err;
}

static gw_err compare_editions(struct replay *replay) {
    struct rows rows;
    gw_err err = GW_OK;
    for (size_t i = 0; i < replay->edition_count && err == GW_OK; i++) {
        const Gridwarden__V1__Edition *edition = replay->editions[i];
        unsigned char key[GW_CODE_MAX + 9u];
        size_t size = strlen(edition->ref->layer);
        size = size < GW_CODE_MAX ? size : GW_CODE_MAX;
        memcpy(key, edition->ref->layer, size);
        key[size] = 0;
        key_put_u64(key + size + 1u, edition->ref->number);
        err = replay_compare(replay, GW_KS_EDITIONS, (struct gw_slice){key, size + 9u},
                             &edition->base, "edition of layer", edition->ref->layer);
    }
    if (err == GW_OK) {
        err = walk(replay, GW_KS_EDITIONS, &rows, count_row);
    }
    return err == GW_OK ? compare_count(replay, rows.count, replay->edition_count, "editions")
                        : err;
}

static gw_err compare_receipts(struct replay *replay) {
    struct rows rows;
    const struct key *missing = &replay->newest_missing, *found = &replay->oldest_found;
    replay->totals.receipts = replay->receipts_found;
    gw_err err = compare_count(replay, replay->receipts_missing, replay->receipts_dropped,
                               "receipts less than were given");
    if (err == GW_OK && replay->receipts_missing > 0 && replay->receipts_found > 0 &&
        memcmp(missing->bytes, found->bytes, 8) > 0) {
        err = gw_error_set(replay->error, GW_ECORRUPT,
                           "receipts were forgotten that are younger than others still kept");
    }
    if (err == GW_OK) {
        err = walk(replay, GW_KS_RECEIPTS, &rows, count_row);
    }
    if (err == GW_OK) {
        err = compare_count(replay, rows.count, replay->receipts_found, "receipts");
    }
    if (err == GW_OK) {
        err = walk(replay, GW_KS_RECEIPT_TIMES, &rows, count_row);
    }
    return err == GW_OK
               ? compare_count(replay, rows.count, replay->receipts_found, "times of receipts")
               : err;
}

static gw_err compare_number(struct replay *replay, const char *name, uint64_t expected) {
    struct gw_store_value value;
    gw_err err = gw_store_get(replay->store, GW_KS_META, (struct gw_slice){name, strlen(name)},
                              &value, replay->error);
    if (err != GW_OK) {
        return err;
    }
    uint64_t stored = value.bytes.size == 8 ? key_get_u64(value.bytes.data) : 0;
    gw_store_value_release(&value);
    return stored == expected
               ? GW_OK
               : gw_error_set(replay->error, GW_ECORRUPT,
                              "%s is %" PRIu64 " in the views, %" PRIu64 " by the log", name,
                              stored, expected);
}

gw_err replay_finish(struct replay *replay) {
    gw_err err = compare_number(replay, KEY_META_SEQUENCE, replay->chain.sequence);
    if (err == GW_OK) {
        err = compare_number(replay, KEY_META_COUNTER, replay->counter);
    }
    if (err == GW_OK) {
        err = compare_incidents(replay);
    }
    if (err == GW_OK) {
        err = compare_workers(replay);
    }
    if (err == GW_OK) {
        err = compare_editions(replay);
    }
    return err == GW_OK ? compare_receipts(replay) : err;
}

gw_err gw_shard_verify(struct gw_store *store, struct gw_log *log,
                       struct gw_shard_verify_totals *totals, struct gw_error *error) {
    struct replay replay;
    uint64_t head = log->ops->head(log);
    gw_err err = GW_OK;
    replay_begin(&replay, store, error);
    if (head > 0) {
        err = log->ops->read(log, 1, replay_entry, &replay, error);
    }
    if (err == GW_OK) {
        err = replay.err;
    }
    if (err == GW_OK && replay.chain.sequence != head) {
        err = gw_error_set(error, GW_ECORRUPT,
                           "the log ends at entry %" PRIu64 ", but only %" PRIu64 " can be read",
                           head, replay.chain.sequence);
    }
    if (err == GW_OK) {
        err = replay_finish(&replay);
    }
    if (err == GW_OK) {
        *totals = replay.totals;
    }
    replay_end(&replay);
    return err;
}
