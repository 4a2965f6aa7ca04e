#include "services/shard/internal.h"

#include <string.h>

gw_err shard_get_record(struct gw_shard *shard, struct gw_slice id,
                        Gridwarden__Store__V1__IncidentRecord **record, struct gw_error *error) {
    struct gw_store_value value;
    gw_err err = gw_store_get(shard->store, GW_KS_INCIDENTS, id, &value, error);
    if (err != GW_OK) {
        return err;
    }
    if (value.bytes.data == NULL) {
        gw_store_value_release(&value);
        return gw_error_set(error, GW_ENOTFOUND, "no incident %.*s: check the id", (int)id.size,
                            (const char *)id.data);
    }
    *record =
        gridwarden__store__v1__incident_record__unpack(NULL, value.bytes.size, value.bytes.data);
    gw_store_value_release(&value);
    if (*record != NULL && (*record)->incident != NULL) {
        return GW_OK;
    }
    if (*record != NULL) {
        gridwarden__store__v1__incident_record__free_unpacked(*record, NULL);
    }
    return gw_error_set(error, GW_ECORRUPT, "the record of incident %.*s is damaged", (int)id.size,
                        (const char *)id.data);
}

gw_err gw_shard_get_incident(struct gw_shard *shard, const char *id,
                             Gridwarden__V1__Incident **incident, struct gw_error *error) {
    Gridwarden__Store__V1__IncidentRecord *record = NULL;
    gw_err err = gw_incident_check_id("id", id, error);
    if (err == GW_OK) {
        err = shard_get_record(shard, (struct gw_slice){id, strlen(id)}, &record, error);
    }
    if (err == GW_OK) {
        *incident = record->incident;
        record->incident = NULL; // the caller's
        gridwarden__store__v1__incident_record__free_unpacked(record, NULL);
    }
    return err;
}

struct event_reader {
    const char *id;
    bool (*visit)(void *context, const Gridwarden__V1__IncidentEvent *event);
    void *context;
    bool damaged, any;
};

static bool visit_event(void *context, struct gw_slice key, struct gw_slice value) {
    struct event_reader *reader = context;
    if (key.size != KEY_ID_BYTES + 4u || memcmp(key.data, reader->id, KEY_ID_BYTES) != 0) {
        return false;
    }
    Gridwarden__V1__IncidentEvent *event =
        gridwarden__v1__incident_event__unpack(NULL, value.size, value.data);
    reader->any = true;
    reader->damaged = event == NULL;
    bool go_on = event != NULL && reader->visit(reader->context, event);
    if (event != NULL) {
        gridwarden__v1__incident_event__free_unpacked(event, NULL);
    }
    return go_on;
}

gw_err gw_shard_incident_events(struct gw_shard *shard, const char *id,
                                bool (*visit)(void *context,
                                              const Gridwarden__V1__IncidentEvent *event),
                                void *context, struct gw_error *error) {
    struct event_reader reader = {id, visit, context, false, false};
    gw_err err = gw_incident_check_id("id", id, error);
    if (err != GW_OK) {
        return err;
    }
    struct key from = key_event(id, 0);
    err = gw_store_scan(shard->store, GW_KS_INCIDENT_EVENTS, key_slice(&from), false, visit_event,
                        &reader, error);
    if (err == GW_OK && reader.damaged) {
        err = gw_error_set(error, GW_ECORRUPT, "an event of incident %s is damaged", id);
    }
    if (err == GW_OK && !reader.any) {
        err = gw_error_set(error, GW_ENOTFOUND, "no incident %s: check the id", id);
    }
    return err;
}
