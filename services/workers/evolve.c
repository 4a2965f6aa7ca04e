// Events and stored records fold into the roster; the roster is stored as records.
#include "services/workers/roster.h"
#include <stdlib.h>

// Every worker that decide let in has an id; lists begin behind the empty one.
static bool has_id(const Gridwarden__V1__Worker *worker) {
    return worker != NULL && *worker->id != '\0';
}

static void fold(struct gw_workers *workers, const Gridwarden__Store__V1__WorkerEvent *event) {
    if (event->kind_case == GRIDWARDEN__STORE__V1__WORKER_EVENT__KIND_UPSERTED) {
        if (has_id(event->upserted)) {
            (void)gw_roster_upsert(workers, event->upserted);
        }
        return;
    }
    uint32_t handle = gw_roster_find(workers, event->worker_id);
    if (handle == GW_ROSTER_NONE) {
        return; // decide made no such event
    }
    switch (event->kind_case) {
    case GRIDWARDEN__STORE__V1__WORKER_EVENT__KIND_DUTY_SET:
        gw_roster_set_duty(workers, handle, event->duty_set);
        break;
    case GRIDWARDEN__STORE__V1__WORKER_EVENT__KIND_RESERVED:
        gw_roster_reserve(workers, handle, event->reserved->incident_id, event->reserved->attempt);
        break;
    case GRIDWARDEN__STORE__V1__WORKER_EVENT__KIND_RELEASED:
        gw_roster_release(workers, handle, event->released->incident_id);
        break;
    default: // a later version's event
        break;
    }
}

void gw_workers_evolve(struct gw_workers *workers,
                       const Gridwarden__Store__V1__WorkerEvent *event) {
    gw_workers_lock_write(workers);
    fold(workers, event);
    gw_workers_unlock(workers);
}

void gw_workers_load(struct gw_workers *workers,
                     const Gridwarden__Store__V1__WorkerRecord *record) {
    if (!has_id(record->worker)) {
        return;
    }
    gw_workers_lock_write(workers);
    uint32_t handle = gw_roster_upsert(workers, record->worker);
    gw_roster_set_duty(workers, handle, record->worker->duty);
    for (size_t i = 0; i < record->n_reservations; i++) {
        gw_roster_reserve(workers, handle, record->reservations[i]->incident_id,
                          record->reservations[i]->attempt);
    }
    gw_workers_unlock(workers);
}

// The record as structs that borrow the row's strings, copied at once.
static Gridwarden__Store__V1__WorkerRecord *copy_record(const struct gw_roster_row *row) {
    Gridwarden__Store__V1__WorkerRecord record = GRIDWARDEN__STORE__V1__WORKER_RECORD__INIT;
    Gridwarden__V1__Worker worker = *row->message;
    worker.duty = row->duty;
    record.worker = &worker;
    size_t count = row->reservation_count;
    Gridwarden__Store__V1__Reservation *items = calloc(count + 1, sizeof(items[0]));
    Gridwarden__Store__V1__Reservation **list = calloc(count + 1, sizeof(list[0]));
    void *copy = NULL;
    if (items != NULL && list != NULL) {
        for (size_t i = 0; i < count; i++) {
            gridwarden__store__v1__reservation__init(&items[i]);
            items[i].incident_id = row->reservations[i].incident_id;
            items[i].attempt = row->reservations[i].attempt;
            list[i] = &items[i];
        }
        record.n_reservations = count;
        record.reservations = list;
        copy = gw_workers_clone(&record.base);
    }
    free(items);
    free(list);
    if (copy == NULL) {
        gw_out_of_memory();
    }
    return copy;
}

Gridwarden__Store__V1__WorkerRecord *gw_workers_record(struct gw_workers *workers,
                                                       const char *worker_id) {
    gw_workers_lock_read(workers);
    uint32_t handle = gw_roster_find(workers, worker_id);
    Gridwarden__Store__V1__WorkerRecord *record =
        handle == GW_ROSTER_NONE ? NULL : copy_record(&workers->rows[handle]);
    gw_workers_unlock(workers);
    return record;
}
