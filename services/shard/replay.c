#include "services/shard/replay.h"

#include "services/incidents/message.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void replay_begin(struct replay *replay, struct gw_store *store, struct gw_error *error) {
    *replay = (struct replay){.store = store, .error = error};
    replay->open.id_of = table_incident_id;
    replay->workers.id_of = table_worker_id;
}

void replay_end(struct replay *replay) {
    for (size_t i = 0; i < replay->edition_count; i++) {
        gridwarden__v1__edition__free_unpacked(replay->editions[i], NULL);
    }
    free(replay->editions);
    table_free(&replay->open);
    table_free(&replay->workers);
}

gw_err replay_compare(struct replay *replay, enum gw_keyspace space, struct gw_slice key,
                      const ProtobufCMessage *expected, const char *what, const char *name) {
    struct gw_store_value value;
    size_t size = 0;
    gw_err err = gw_store_get(replay->store, space, key, &value, replay->error);
    if (err != GW_OK) {
        return err;
    }
    unsigned char *bytes = gw_message_pack(expected, &size);
    bool found = value.bytes.data != NULL;
    bool equal = found && bytes != NULL && value.bytes.size == size &&
                 memcmp(value.bytes.data, bytes, size) == 0;
    gw_store_value_release(&value);
    free(bytes);
    if (equal) {
        return GW_OK;
    }
    return gw_error_set(replay->error, GW_ECORRUPT, "the stored %s of %s %s the log's", what, name,
                        found ? "differs from" : "is missing, unlike");
}

static gw_err compare_incident(struct replay *replay,
                               const Gridwarden__Store__V1__IncidentRecord *record) {
    const char *id = record->incident->id;
    return replay_compare(replay, GW_KS_INCIDENTS, (struct gw_slice){id, strlen(id)}, &record->base,
                          "record", id);
}

static gw_err fold_incident(struct replay *replay, const Gridwarden__V1__IncidentEvent *event) {
    struct key key = key_event(event->incident_id, event->version);
    Gridwarden__Store__V1__IncidentRecord *state = table_find(&replay->open, event->incident_id);
    uint32_t version = state != NULL ? state->incident->version : 0;
    bool fresh = state == NULL;
    gw_incident_evolve(&state, event);
    if (state == NULL || state->incident->version != version + 1u) {
        return gw_error_set(replay->error, GW_ECORRUPT,
                            "log entry %" PRIu64 ": event %" PRIu32
                            " of incident %.27s does not follow from those before",
                            replay->chain.sequence, event->version, event->incident_id);
    }
    if (fresh) {
        table_put(&replay->open, state);
        uint64_t counter = gw_incident_id_counter(event->incident_id);
        replay->counter = counter > replay->counter ? counter : replay->counter;
        replay->totals.incidents++;
    }
    replay->totals.events++;
    gw_err err = replay_compare(replay, GW_KS_INCIDENT_EVENTS, key_slice(&key), &event->base,
                                "event", event->incident_id);
    if (err == GW_OK &&
        state->incident->state == GRIDWARDEN__V1__INCIDENT_STATE__INCIDENT_STATE_CLOSED) {
        err = compare_incident(replay, state); // nothing can follow
        table_remove(&replay->open, event->incident_id);
    }
    return err;
}

// A copy of the edition's row as this event leaves it; the one that was published before gives way.
static gw_err fold_edition(struct replay *replay, const Gridwarden__V1__Edition *edition) {
    Gridwarden__V1__Edition *copy =
        edition != NULL ? (Gridwarden__V1__Edition *)gw_message_clone(&edition->base) : NULL;
    if (copy == NULL || copy->ref == NULL) {
        if (copy != NULL) {
            gridwarden__v1__edition__free_unpacked(copy, NULL);
        }
        return gw_error_set(replay->error, GW_ECORRUPT,
                            "log entry %" PRIu64 ": an edition's event names no edition",
                            replay->chain.sequence);
    }
    bool published = copy->state == GRIDWARDEN__V1__EDITION_STATE__EDITION_STATE_PUBLISHED;
    for (size_t i = 0; i < replay->edition_count; i++) {
        Gridwarden__V1__Edition *other = replay->editions[i];
        if (strcmp(other->ref->layer, copy->ref->layer) != 0) {
            continue;
        }
        if (other->ref->number == copy->ref->number) {
            gridwarden__v1__edition__free_unpacked(other, NULL);
            replay->editions[i] = replay->editions[--replay->edition_count];
            i--;
        } else if (published &&
                   other->state == GRIDWARDEN__V1__EDITION_STATE__EDITION_STATE_PUBLISHED) {
            other->state = GRIDWARDEN__V1__EDITION_STATE__EDITION_STATE_SUPERSEDED;
        }
    }
    if (replay->edition_count == replay->edition_capacity) {
        size_t capacity = replay->edition_capacity > 0 ? replay->edition_capacity * 2 : 16;
        void *grown = realloc(replay->editions, capacity * sizeof(replay->editions[0]));
        if (grown == NULL) {
            abort();
        }
        replay->editions = grown;
        replay->edition_capacity = capacity;
    }
    replay->editions[replay->edition_count++] = copy;
    return GW_OK;
}

static gw_err fold_event(struct replay *replay, const Gridwarden__Store__V1__Event *event) {
    switch (event->kind_case) {
    case GRIDWARDEN__STORE__V1__EVENT__KIND_INCIDENT:
        return fold_incident(replay, event->incident);
    case GRIDWARDEN__STORE__V1__EVENT__KIND_WORKER:
        return replay_worker(replay, event->worker);
    case GRIDWARDEN__STORE__V1__EVENT__KIND_EDITION:
        return fold_edition(replay, event->edition->edition);
    default:
        return gw_error_set(replay->error, GW_ECORRUPT,
                            "log entry %" PRIu64 " holds an event of an unknown kind",
                            replay->chain.sequence);
    }
}

// A receipt is in the views, or has been dropped as one of the oldest; its id may be in use again.
static gw_err check_receipt(struct replay *replay, const Gridwarden__Store__V1__Receipt *receipt) {
    struct gw_slice id = {receipt->request_id, strlen(receipt->request_id)};
    struct key time = key_receipt_time(receipt->time_ms, receipt->request_id);
    struct gw_store_value value;
    gw_err err =
        gw_store_get(replay->store, GW_KS_RECEIPT_TIMES, key_slice(&time), &value, replay->error);
    if (err != GW_OK) {
        return err;
    }
    bool kept = value.bytes.data != NULL;
    gw_store_value_release(&value);
    if (!kept) {
        replay->receipts_missing++;
        replay->newest_missing = time; // they come in order of time, but for ties
        return GW_OK;
    }
    if (replay->receipts_found == 0) {
        replay->oldest_found = time;
    }
    replay->receipts_found++;
    return replay_compare(replay, GW_KS_RECEIPTS, id, &receipt->base, "receipt",
                          receipt->request_id);
}

static gw_err fold_entry(struct replay *replay, const Gridwarden__Store__V1__LogEntry *entry) {
    gw_err err = GW_OK;
    for (size_t i = 0; i < entry->n_events && err == GW_OK; i++) {
        err = fold_event(replay, entry->events[i]);
    }
    for (size_t i = 0; i < entry->n_receipts && err == GW_OK; i++) {
        err = check_receipt(replay, entry->receipts[i]);
    }
    replay->receipts_dropped += entry->receipts_dropped;
    replay->totals.entries++;
    return err;
}

bool replay_entry(void *context, uint64_t sequence, struct gw_slice bytes) {
    struct replay *replay = context;
    Gridwarden__Store__V1__LogEntry *entry =
        gridwarden__store__v1__log_entry__unpack(NULL, bytes.size, bytes.data);
    replay->err = chain_follow(&replay->chain, sequence, bytes, entry, replay->error);
    if (replay->err == GW_OK) {
        replay->err = fold_entry(replay, entry);
    }
    if (entry != NULL) {
        gridwarden__store__v1__log_entry__free_unpacked(entry, NULL);
    }
    return replay->err == GW_OK;
}
