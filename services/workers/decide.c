// Commands on durable facts become events; nothing here changes the workers.
#include "services/workers/roster.h"
#include "services/workers/upsert.h"
#include <stdlib.h>

void gw_worker_events_free(struct gw_worker_events *events) {
    for (uint32_t i = 0; i < events->count; i++) {
        gridwarden__store__v1__worker_event__free_unpacked(events->events[i], NULL);
    }
    free(events->events);
    *events = (struct gw_worker_events){0};
}

// Appends a copy of the event.
static gw_err add_event(struct gw_worker_events *out,
                        const Gridwarden__Store__V1__WorkerEvent *event) {
    if (out->count == out->capacity) {
        uint32_t capacity = out->capacity == 0 ? 8 : 2 * out->capacity;
        void *events = realloc(out->events, capacity * sizeof(out->events[0]));
        if (events == NULL) {
            return GW_ENOMEM;
        }
        out->events = events;
        out->capacity = capacity;
    }
    void *copy = gw_workers_clone(&event->base);
    if (copy == NULL) {
        return GW_ENOMEM;
    }
    out->events[out->count++] = copy;
    return GW_OK;
}

// Takes back the events of a command that could not be decided to its end.
static void cut_events(struct gw_worker_events *out, uint32_t count) {
    while (out->count > count) {
        gridwarden__store__v1__worker_event__free_unpacked(out->events[--out->count], NULL);
    }
}

static gw_err out_of_memory(struct gw_error *error) {
    return gw_error_set(error, GW_ENOMEM, "out of memory; try again later");
}

static gw_err add_upserted(struct gw_worker_events *out, const Gridwarden__V1__Worker *worker,
                           int64_t now_ms) {
    Gridwarden__V1__Worker fields = GRIDWARDEN__V1__WORKER__INIT;
    fields.id = worker->id;
    fields.name = worker->name;
    fields.kind = worker->kind;
    fields.n_home_grids = worker->n_home_grids;
    fields.home_grids = worker->home_grids;
    fields.n_skills = worker->n_skills;
    fields.skills = worker->skills;
    fields.capacity = worker->capacity == 0 ? GW_CAPACITY_DEFAULT : worker->capacity;
    Gridwarden__Store__V1__WorkerEvent event = GRIDWARDEN__STORE__V1__WORKER_EVENT__INIT;
    event.worker_id = worker->id;
    event.time_ms = now_ms;
    event.kind_case = GRIDWARDEN__STORE__V1__WORKER_EVENT__KIND_UPSERTED;
    event.upserted = &fields;
    return add_event(out, &event);
}

static gw_err upsert_events(const struct gw_workers *workers,
                            const Gridwarden__V1__UpsertWorkersRequest *request, int64_t now_ms,
                            struct gw_worker_events *out,
                            Gridwarden__V1__UpsertWorkersResponse *response,
                            struct gw_error *error) {
    uint32_t before = out->count, added = 0;
    for (size_t i = 0; i < request->n_workers; i++) {
        if (add_upserted(out, request->workers[i], now_ms) != GW_OK) {
            cut_events(out, before);
            return out_of_memory(error);
        }
        added += gw_roster_find(workers, request->workers[i]->id) == GW_ROSTER_NONE;
    }
    response->added = added;
    response->replaced = (uint32_t)request->n_workers - added;
    return GW_OK;
}

gw_err gw_workers_decide_upsert(struct gw_workers *workers,
                                const Gridwarden__V1__UpsertWorkersRequest *request, int64_t now_ms,
                                struct gw_worker_events *out,
                                Gridwarden__V1__UpsertWorkersResponse *response,
                                struct gw_error *error) {
    gw_workers_lock_read(workers);
    gw_err err = gw_upsert_check(workers, request, error);
    if (err == GW_OK) {
        err = upsert_events(workers, request, now_ms, out, response, error);
    }
    gw_workers_unlock(workers);
    return err;
}

// ---- duty ----

static gw_err check_duty(const struct gw_workers *workers,
                         const Gridwarden__V1__SetDutyRequest *request, uint32_t handles[],
                         struct gw_error *error) {
    if (request->duty != GRIDWARDEN__V1__DUTY__DUTY_ON &&
        request->duty != GRIDWARDEN__V1__DUTY__DUTY_OFF) {
        return gw_error_set(error, GW_EINVAL, "duty %d: give DUTY_ON or DUTY_OFF",
                            (int)request->duty);
    }
    if (request->n_worker_ids == 0 || request->n_worker_ids > GW_WORKER_UPSERT_MAX) {
        return gw_error_set(error, GW_EINVAL, "worker_ids: give 1 to %u a request, not %zu",
                            GW_WORKER_UPSERT_MAX, request->n_worker_ids);
    }
    for (size_t i = 0; i < request->n_worker_ids; i++) {
        const char *id = request->worker_ids[i];
        if (!gw_text_printable(id, GW_WORKER_ID_MAX)) {
            return gw_error_set(error, GW_EINVAL,
                                "worker_ids[%zu]: an id has 1 to %u bytes of UTF-8 without control "
                                "characters",
                                i, GW_WORKER_ID_MAX);
        }
        handles[i] = gw_roster_find(workers, id);
        if (handles[i] == GW_ROSTER_NONE) {
            return gw_error_set(error, GW_ENOTFOUND,
                                "worker_ids[%zu]: no worker \"%s\"; UpsertWorkers adds him", i, id);
        }
    }
    return GW_OK;
}

// Whether a worker is named twice in the request, and this is not the first time.
static bool named_before(const uint32_t handles[], size_t i) {
    for (size_t j = 0; j < i; j++) {
        if (handles[j] == handles[i]) {
            return true;
        }
    }
    return false;
}

static gw_err duty_events(const struct gw_workers *workers,
                          const Gridwarden__V1__SetDutyRequest *request, const uint32_t handles[],
                          int64_t now_ms, struct gw_worker_events *out) {
    uint32_t before = out->count;
    for (size_t i = 0; i < request->n_worker_ids; i++) {
        const struct gw_roster_row *row = &workers->rows[handles[i]];
        if (row->duty == request->duty || named_before(handles, i)) {
            continue;
        }
        Gridwarden__Store__V1__WorkerEvent event = GRIDWARDEN__STORE__V1__WORKER_EVENT__INIT;
        event.worker_id = row->message->id;
        event.time_ms = now_ms;
        event.kind_case = GRIDWARDEN__STORE__V1__WORKER_EVENT__KIND_DUTY_SET;
        event.duty_set = request->duty;
        if (add_event(out, &event) != GW_OK) {
            cut_events(out, before);
            return GW_ENOMEM;
        }
    }
    return GW_OK;
}

gw_err gw_workers_decide_duty(struct gw_workers *workers,
                              const Gridwarden__V1__SetDutyRequest *request, int64_t now_ms,
                              struct gw_worker_events *out,
                              Gridwarden__V1__SetDutyResponse *response, struct gw_error *error) {
    uint32_t handles[GW_WORKER_UPSERT_MAX], before = out->count;
    gw_workers_lock_read(workers);
    gw_err err = check_duty(workers, request, handles, error);
    if (err == GW_OK) {
        err = duty_events(workers, request, handles, now_ms, out);
        err = err == GW_OK ? GW_OK : out_of_memory(error);
    }
    gw_workers_unlock(workers);
    if (err == GW_OK) {
        response->changed = out->count - before;
    }
    return err;
}

// ---- reservations ----

static gw_err reservation_event(struct gw_worker_events *out, const char *worker_id,
                                const char *incident_id, uint32_t attempt, bool reserved,
                                int64_t now_ms) {
    Gridwarden__Store__V1__Reservation reservation = GRIDWARDEN__STORE__V1__RESERVATION__INIT;
    reservation.incident_id = (char *)incident_id; // only read
    reservation.attempt = attempt;
    Gridwarden__Store__V1__WorkerEvent event = GRIDWARDEN__STORE__V1__WORKER_EVENT__INIT;
    event.worker_id = (char *)worker_id;
    event.time_ms = now_ms;
    if (reserved) {
        event.kind_case = GRIDWARDEN__STORE__V1__WORKER_EVENT__KIND_RESERVED;
        event.reserved = &reservation;
    } else {
        event.kind_case = GRIDWARDEN__STORE__V1__WORKER_EVENT__KIND_RELEASED;
        event.released = &reservation;
    }
    return add_event(out, &event);
}

gw_err gw_workers_decide_reserve(struct gw_workers *workers, const char *worker_id,
                                 const char *incident_id, uint32_t attempt, int64_t now_ms,
                                 struct gw_worker_events *out) {
    gw_err err = GW_OK;
    gw_workers_lock_read(workers);
    uint32_t handle = gw_roster_find(workers, worker_id);
    if (handle == GW_ROSTER_NONE) {
        err = GW_ENOTFOUND;
    } else {
        const struct gw_roster_row *row = &workers->rows[handle];
        const struct gw_reservation *held = gw_roster_reservation(row, incident_id);
        if (held == NULL &&
            (row->duty != GRIDWARDEN__V1__DUTY__DUTY_ON || !gw_roster_has_room(row))) {
            err = GW_ESTATE;
        } else if (held == NULL || held->attempt != attempt) {
            err = reservation_event(out, worker_id, incident_id, attempt, true, now_ms);
        }
    }
    gw_workers_unlock(workers);
    return err;
}

gw_err gw_workers_decide_release(struct gw_workers *workers, const char *worker_id,
                                 const char *incident_id, int64_t now_ms,
                                 struct gw_worker_events *out) {
    gw_err err = GW_OK;
    gw_workers_lock_read(workers);
    uint32_t handle = gw_roster_find(workers, worker_id);
    const struct gw_reservation *held =
        handle == GW_ROSTER_NONE ? NULL
                                 : gw_roster_reservation(&workers->rows[handle], incident_id);
    if (held != NULL) {
        err = reservation_event(out, worker_id, incident_id, held->attempt, false, now_ms);
    }
    gw_workers_unlock(workers);
    return err;
}
