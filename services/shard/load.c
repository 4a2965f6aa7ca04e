#include "services/shard/internal.h"

#include <stdlib.h>
#include <string.h>

struct loading {
    struct gw_shard *shard;
    struct gw_error *error;
    gw_err err;
};

static bool load_worker(void *context, struct gw_slice key, struct gw_slice value) {
    struct loading *loading = context;
    Gridwarden__Store__V1__WorkerRecord *record =
        gridwarden__store__v1__worker_record__unpack(NULL, value.size, value.data);
    if (record == NULL || record->worker == NULL) {
        loading->err = gw_error_set(loading->error, GW_ECORRUPT,
                                    "the record of worker \"%.*s\" is damaged: restore a backup",
                                    (int)(key.size < 64 ? key.size : 64), (const char *)key.data);
    } else {
        gw_workers_load(loading->shard->workers, record);
    }
    if (record != NULL) {
        gridwarden__store__v1__worker_record__free_unpacked(record, NULL);
    }
    return loading->err == GW_OK;
}

static gw_err load_workers(struct loading *loading) {
    gw_err err = gw_store_scan(loading->shard->store, GW_KS_WORKERS, (struct gw_slice){NULL, 0},
                               false, load_worker, loading, loading->error);
    return err == GW_OK ? loading->err : err;
}

static gw_err load_incident(struct loading *loading, const char *id) {
    struct gw_shard *shard = loading->shard;
    struct gw_store_value value;
    gw_err err = gw_store_get(shard->store, GW_KS_INCIDENTS, (struct gw_slice){id, strlen(id)},
                              &value, loading->error);
    if (err != GW_OK) {
        return err;
    }
    Gridwarden__Store__V1__IncidentRecord *record =
        value.bytes.data == NULL ? NULL
                                 : gridwarden__store__v1__incident_record__unpack(
                                       NULL, value.bytes.size, value.bytes.data);
    gw_store_value_release(&value);
    if (record == NULL || !gw_incident_valid(record) || strcmp(record->incident->id, id) != 0) {
        if (record != NULL) {
            gridwarden__store__v1__incident_record__free_unpacked(record, NULL);
        }
        return gw_error_set(loading->error, GW_ECORRUPT,
                            "the record of incident %s is damaged: restore a backup", id);
    }
    shard_count(shard, NULL, record->incident);
    if (shard_state_is_unassigned(record->incident->state)) {
        shard_watch_age(shard, record->incident);
    }
    shard_watch_times(shard, record->incident);
    table_put(&shard->open, record);
    return GW_OK;
}

// A row of the index by state: tag, state, time, id.
static bool load_open(void *context, struct gw_slice key, struct gw_slice value) {
    struct loading *loading = context;
    const unsigned char *bytes = key.data;
    struct key open = key_under_state(0);
    char id[GW_INCIDENT_ID_SIZE] = "";
    (void)value;
    if (key.size != 2u + KEY_POSITION_BYTES || bytes[0] != open.bytes[0] ||
        bytes[1] >= GRIDWARDEN__V1__INCIDENT_STATE__INCIDENT_STATE_CLOSED) {
        return false;
    }
    memcpy(id, bytes + 10, KEY_ID_BYTES);
    loading->err = load_incident(loading, id);
    return loading->err == GW_OK;
}

static gw_err load_incidents(struct loading *loading) {
    struct key from = key_under_state(0);
    gw_err err = gw_store_scan(loading->shard->store, GW_KS_INDEXES, key_slice(&from), false,
                               load_open, loading, loading->error);
    return err == GW_OK ? loading->err : err;
}

static bool first_time(void *context, struct gw_slice key, struct gw_slice value) {
    int64_t *time_ms = context;
    (void)value;
    *time_ms = key.size >= 8 ? (int64_t)key_get_u64(key.data) : 0;
    return false;
}

static gw_err load_counter(struct gw_shard *shard, struct gw_error *error) {
    struct gw_slice key = {KEY_META_COUNTER, strlen(KEY_META_COUNTER)};
    struct gw_store_value value;
    gw_err err = gw_store_get(shard->store, GW_KS_META, key, &value, error);
    if (err == GW_OK) {
        shard->counter = value.bytes.size == 8 ? key_get_u64(value.bytes.data) : 0;
        shard->stored_counter = shard->counter;
        gw_store_value_release(&value);
    }
    return err;
}

// A snapshot that can't be read is as good as none: positions come in again by themselves.
static gw_err load_positions(struct gw_shard *shard, struct gw_error *error) {
    struct gw_slice key = {KEY_POSITIONS, strlen(KEY_POSITIONS)};
    struct gw_store_value value;
    gw_err err = gw_store_get(shard->store, GW_KS_POSITIONS, key, &value, error);
    if (err == GW_OK && value.bytes.data != NULL) {
        gw_err ignored =
            gw_workers_snapshot_load(shard->workers, value.bytes.data, value.bytes.size);
        (void)ignored;
    }
    if (err == GW_OK) {
        gw_store_value_release(&value);
    }
    return err;
}

gw_err shard_load(struct gw_shard *shard, struct gw_error *error) {
    struct loading loading = {shard, error, GW_OK};
    gw_err err = chain_load(&shard->chain, shard->store, shard->log, error);
    if (err == GW_OK) {
        err = load_counter(shard, error);
    }
    if (err == GW_OK) {
        err = load_workers(&loading);
    }
    if (err == GW_OK) {
        err = load_incidents(&loading);
    }
    if (err == GW_OK) {
        shard->oldest_receipt_ms = INT64_MAX;
        err = gw_store_scan(shard->store, GW_KS_RECEIPT_TIMES, (struct gw_slice){NULL, 0}, false,
                            first_time, &shard->oldest_receipt_ms, error);
    }
    if (err == GW_OK) {
        err = load_positions(shard, error);
    }
    return err;
}
