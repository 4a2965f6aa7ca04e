// Workers folded from their events a second time, by other code than services/workers has: the one
// serves and the other checks it.
#include "services/incidents/message.h"
#include "services/shard/replay.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static gw_err refuse(struct replay *replay, const Gridwarden__Store__V1__WorkerEvent *event) {
    return gw_error_set(replay->error, GW_ECORRUPT,
                        "log entry %" PRIu64 ": an event of worker \"%.64s\" does not follow from "
                        "those before",
                        replay->chain.sequence, event->worker_id);
}

static gw_err fold_upserted(struct replay *replay,
                            const Gridwarden__Store__V1__WorkerEvent *event) {
    Gridwarden__Store__V1__WorkerRecord *record = table_find(&replay->workers, event->worker_id);
    Gridwarden__V1__Worker *worker =
        event->upserted != NULL ? (Gridwarden__V1__Worker *)gw_message_clone(&event->upserted->base)
                                : NULL;
    if (worker == NULL || strcmp(worker->id, event->worker_id) != 0) {
        if (worker != NULL) {
            gridwarden__v1__worker__free_unpacked(worker, NULL);
        }
        return refuse(replay, event);
    }
    if (record != NULL) { // duty and reservations stay
        worker->duty = record->worker->duty;
        gridwarden__v1__worker__free_unpacked(record->worker, NULL);
        record->worker = worker;
        return GW_OK;
    }
    record = malloc(sizeof(*record));
    if (record == NULL) {
        abort();
    }
    gridwarden__store__v1__worker_record__init(record);
    worker->duty = GRIDWARDEN__V1__DUTY__DUTY_OFF;
    record->worker = worker;
    table_put(&replay->workers, record);
    return GW_OK;
}

// Where the incident's reservation is; n_reservations if there is none.
static size_t find_reservation(const Gridwarden__Store__V1__WorkerRecord *record,
                               const char *incident_id) {
    size_t i = 0;
    while (i < record->n_reservations &&
           strcmp(record->reservations[i]->incident_id, incident_id) != 0) {
        i++;
    }
    return i;
}

static void reserve(Gridwarden__Store__V1__WorkerRecord *record,
                    const Gridwarden__Store__V1__Reservation *reservation) {
    size_t at = find_reservation(record, reservation->incident_id);
    if (at < record->n_reservations) {
        record->reservations[at]->attempt = reservation->attempt;
        return;
    }
    void *grown = realloc(record->reservations, (at + 1u) * sizeof(record->reservations[0]));
    ProtobufCMessage *copy = gw_message_clone(&reservation->base);
    if (grown == NULL || copy == NULL) {
        abort();
    }
    record->reservations = grown;
    record->reservations[at] = (Gridwarden__Store__V1__Reservation *)copy;
    record->n_reservations++;
}

static bool release(Gridwarden__Store__V1__WorkerRecord *record, const char *incident_id) {
    size_t at = find_reservation(record, incident_id);
    if (at == record->n_reservations) {
        return false;
    }
    gridwarden__store__v1__reservation__free_unpacked(record->reservations[at], NULL);
    record->n_reservations--;
    for (; at < record->n_reservations; at++) {
        record->reservations[at] = record->reservations[at + 1u];
    }
    return true;
}

gw_err replay_worker(struct replay *replay, const Gridwarden__Store__V1__WorkerEvent *event) {
    if (event->kind_case == GRIDWARDEN__STORE__V1__WORKER_EVENT__KIND_UPSERTED) {
        return fold_upserted(replay, event);
    }
    Gridwarden__Store__V1__WorkerRecord *record = table_find(&replay->workers, event->worker_id);
    if (record == NULL) {
        return refuse(replay, event);
    }
    switch (event->kind_case) {
    case GRIDWARDEN__STORE__V1__WORKER_EVENT__KIND_DUTY_SET:
        record->worker->duty = event->duty_set;
        return GW_OK;
    case GRIDWARDEN__STORE__V1__WORKER_EVENT__KIND_RESERVED:
        reserve(record, event->reserved);
        return GW_OK;
    case GRIDWARDEN__STORE__V1__WORKER_EVENT__KIND_RELEASED:
        return release(record, event->released->incident_id) ? GW_OK : refuse(replay, event);
    default:
        return refuse(replay, event);
    }
}
