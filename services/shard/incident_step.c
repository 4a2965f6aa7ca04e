#include "geo/hilbert.h"
#include "services/incidents/message.h"
#include "services/shard/internal.h"

#include <stdlib.h>
#include <string.h>

// What one command comes to, before any of it counts.
struct step {
    struct gw_shard *shard;
    const struct gw_incident_command *command;
    struct gw_incident_context context;
    struct gw_incident_place place;
    const Gridwarden__Store__V1__IncidentRecord *before; // NULL: a report
    Gridwarden__Store__V1__IncidentRecord *fetched;      // `before`, when it was not in memory
    Gridwarden__Store__V1__IncidentRecord *after;
    struct gw_incident_events events;
    struct gw_worker_events worker_events;
    uint32_t folded; // worker events that count already
    char new_id[GW_INCIDENT_ID_SIZE];
};

static void step_end(struct step *step) {
    gw_incident_events_free(&step->events);
    gw_worker_events_free(&step->worker_events);
    if (step->fetched != NULL) {
        gridwarden__store__v1__incident_record__free_unpacked(step->fetched, NULL);
    }
    if (step->after != NULL) {
        gridwarden__store__v1__incident_record__free_unpacked(step->after, NULL);
    }
}

// Closed incidents are fetched from the store: nothing more can be done with them, but it can be
// said.
static gw_err find_before(struct step *step, const char *id, struct gw_error *error) {
    struct gw_store_value value;
    step->before = table_find(&step->shard->open, id);
    if (step->before != NULL) {
        return GW_OK;
    }
    gw_err err = gw_store_get(step->shard->store, GW_KS_INCIDENTS,
                              (struct gw_slice){id, strlen(id)}, &value, error);
    if (err != GW_OK) {
        return err;
    }
    bool found = value.bytes.data != NULL;
    if (found) {
        step->fetched = gridwarden__store__v1__incident_record__unpack(NULL, value.bytes.size,
                                                                       value.bytes.data);
    }
    gw_store_value_release(&value);
    if (!found) {
        return gw_error_set(error, GW_ENOTFOUND, "no incident %s: check the id", id);
    }
    step->before = step->fetched;
    if (step->fetched == NULL || step->fetched->incident == NULL) {
        return gw_error_set(error, GW_ECORRUPT, "the record of incident %s is damaged", id);
    }
    return GW_OK;
}

// The grid whose roster is asked, in the edition of now: by code, or by the point where another
// edition has been published since.
static uint32_t grid_to_ask(const struct step *step, struct gw_point *point) {
    const struct gw_edition *edition = step->shard->edition;
    if (step->command->has_point) {
        *point = step->command->point;
        return step->place.grid_code[0] != '\0'
                   ? gw_edition_find_grid(edition, step->place.grid_code)
                   : GW_GRID_NONE;
    }
    const Gridwarden__V1__Incident *incident = step->before->incident;
    if (incident->grid_code[0] == '\0' || incident->point == NULL ||
        gw_lattice_query(incident->point->longitude, incident->point->latitude, point) != GW_OK) {
        return GW_GRID_NONE;
    }
    uint32_t grid = gw_edition_find_grid(edition, incident->grid_code);
    return grid != GW_GRID_NONE ? grid : gw_grid_index_locate(gw_edition_index(edition), *point);
}

// Workers that are not to be asked: tried before, or leaving the offer right now. Borrowed strings.
static char **list_tried(const struct step *step, size_t *count) {
    size_t tried = step->before != NULL ? step->before->n_tried : 0;
    char **list = malloc((tried + 1u) * sizeof(list[0]));
    if (list == NULL) {
        abort();
    }
    for (size_t i = 0; i < tried; i++) {
        list[i] = step->before->tried[i];
    }
    *count = tried;
    if (step->command->kind == GW_INCIDENT_DECLINE || step->command->kind == GW_INCIDENT_EXPIRE) {
        list[(*count)++] = step->before->incident->handler;
    }
    return list;
}

static uint32_t weigh_candidates(const struct step *step,
                                 Gridwarden__V1__Candidate candidates[GW_CANDIDATES_MAX],
                                 uint32_t *eligible_count) {
    struct gw_candidate_query query = {.now_ms = step->context.now_ms,
                                       .policy = &step->shard->policy};
    const char *class_code = step->before != NULL ? step->before->incident->class_code
                                                  : step->command->report->class_code;
    const struct gw_class *class = gw_policy_class(&step->shard->policy, class_code);
    query.grid = grid_to_ask(step, &query.point);
    if (query.grid == GW_GRID_NONE) {
        return 0;
    }
    char **tried = list_tried(step, &query.tried_count);
    query.tried = tried;
    query.skill = class != NULL ? class->skill : "";
    uint32_t count =
        gw_workers_candidates(step->shard->workers, &query, candidates, eligible_count);
    free(tried);
    return count;
}

// The offer among the events, or NULL.
static const Gridwarden__V1__Offered *offer_of(const struct gw_incident_events *events) {
    for (uint32_t i = 0; i < events->count; i++) {
        if (events->events[i]->kind_case == GRIDWARDEN__V1__INCIDENT_EVENT__KIND_OFFERED) {
            return events->events[i]->offered;
        }
    }
    return NULL;
}

static const char *incident_id_of(const struct step *step) {
    return step->before != NULL ? step->before->incident->id : step->new_id;
}

// Decides, and reserves the place of the worker who gets the offer; one who has no place after all
// is passed over.
static gw_err decide_and_reserve(struct step *step, struct gw_error *error) {
    const Gridwarden__V1__Candidate *candidates = step->context.candidates;
    uint32_t count = step->context.candidate_count;
    for (uint32_t from = 0; from <= count;) {
        step->context.candidates = candidates + from;
        step->context.candidate_count = count - from;
        gw_err err =
            gw_incident_decide(step->before, step->command, &step->context, &step->events, error);
        const Gridwarden__V1__Offered *offer = offer_of(&step->events);
        if (err != GW_OK || offer == NULL) {
            return err;
        }
        err =
            gw_workers_decide_reserve(step->shard->workers, offer->worker_id, incident_id_of(step),
                                      offer->attempt, step->context.now_ms, &step->worker_events);
        if (err == GW_OK) {
            return GW_OK;
        }
        if (err != GW_ESTATE && err != GW_ENOTFOUND) {
            return gw_error_set(error, err, "no place could be reserved (%s)", gw_err_text(err));
        }
        while (strcmp(candidates[from].worker_id, offer->worker_id) != 0) {
            from++;
        }
        from++;
        gw_incident_events_free(&step->events);
    }
    return gw_error_set(error, GW_EINTERNAL, "an offer was made to nobody");
}

// The offer of these commands ends whatever follows, so its place is free for the next offer, be it
// to the same worker.
static gw_err release_offer(struct step *step, struct gw_error *error) {
    enum gw_incident_command_kind kind = step->command->kind;
    const char *worker = gw_incident_reserved_worker(step->before);
    if (worker[0] == '\0' || (kind != GW_INCIDENT_SET_PLACE && kind != GW_INCIDENT_DECLINE &&
                              kind != GW_INCIDENT_EXPIRE)) {
        return GW_OK;
    }
    gw_err err = gw_workers_decide_release(step->shard->workers, worker, step->before->incident->id,
                                           step->context.now_ms, &step->worker_events);
    for (uint32_t i = 0; err == GW_OK && i < step->worker_events.count; i++) {
        gw_workers_evolve(step->shard->workers, step->worker_events.events[i]);
        step->folded++;
    }
    return err == GW_OK
               ? GW_OK
               : gw_error_set(error, GW_EINTERNAL, "place of worker %s is not released", worker);
}

// The state that the events give, beside the one that counts until the commit.
static gw_err fold(struct step *step, struct gw_error *error) {
    if (step->before != NULL) {
        step->after =
            (Gridwarden__Store__V1__IncidentRecord *)gw_message_clone(&step->before->base);
        if (step->after == NULL) {
            return gw_error_set(error, GW_ENOMEM, "out of memory: try again later");
        }
    }
    for (uint32_t i = 0; i < step->events.count; i++) {
        gw_incident_evolve(&step->after, step->events.events[i]);
    }
    uint32_t version = step->before != NULL ? step->before->incident->version : 0;
    if (!gw_incident_valid(step->after) ||
        step->after->incident->version != version + step->events.count) {
        return gw_error_set(error, GW_EINTERNAL, "incident %s would become invalid",
                            incident_id_of(step));
    }
    const char *worker = gw_incident_reserved_worker(step->before);
    if (worker[0] == '\0' || step->folded > 0 ||
        strcmp(worker, gw_incident_reserved_worker(step->after)) == 0) {
        return GW_OK;
    }
    return gw_workers_decide_release(step->shard->workers, worker, incident_id_of(step),
                                     step->context.now_ms, &step->worker_events);
}

static void commit(struct step *step) {
    struct gw_shard *shard = step->shard;
    const Gridwarden__V1__Incident *before = step->before != NULL ? step->before->incident : NULL;
    const Gridwarden__V1__Incident *after = step->after->incident;
    bool closed = after->state == GRIDWARDEN__V1__INCIDENT_STATE__INCIDENT_STATE_CLOSED;
    shard_commit_worker_events(shard, &step->worker_events, step->folded);
    for (uint32_t i = 0; i < step->events.count; i++) {
        entry_add_incident_event(&shard->entry, step->events.events[i]);
    }
    step->events.count = 0; // the entry owns them now
    entry_put_incident(&shard->entry, before, step->after);
    shard_count(shard, before, closed ? NULL : after);
    if (before == NULL) {
        shard->counter++;
        shard_watch_age(shard, after);
    }
    if (closed) { // found in the store once the entry is durable
        memcpy(shard->closed[shard->closed_count++], after->id, GW_INCIDENT_ID_SIZE);
    }
    table_put(&shard->open, step->after); // frees `before`
    step->before = NULL;
    step->after = NULL;
    shard_watch_times(shard, after);
}

static gw_err run(struct step *step, Gridwarden__Store__V1__Receipt *receipt,
                  struct gw_error *error) {
    Gridwarden__V1__Candidate candidates[GW_CANDIDATES_MAX];
    uint32_t count = 0;
    gw_err err = release_offer(step, error);
    if (err == GW_OK) {
        bool assigns = step->command->has_point || step->command->kind == GW_INCIDENT_DECLINE ||
                       step->command->kind == GW_INCIDENT_EXPIRE;
        count = assigns ? weigh_candidates(step, candidates, &step->context.eligible_count) : 0;
        step->context.candidates = candidates;
        step->context.candidate_count = count;
        err = decide_and_reserve(step, error);
    }
    if (err == GW_OK) {
        err = fold(step, error);
    }
    if (err == GW_OK) {
        // Every response of an incident's command is this one field.
        Gridwarden__V1__ReportResponse response = GRIDWARDEN__V1__REPORT_RESPONSE__INIT;
        response.incident = step->after->incident;
        if (receipt != NULL) {
            shard_set_response(receipt, &response.base);
        }
        commit(step);
    }
    gw_candidates_free(candidates, count);
    step->context.candidates = NULL;
    step->context.candidate_count = 0;
    return err;
}

// A timer whose offer has been answered, or that is early because the clock went back.
static bool is_stale_timer(const struct step *step) {
    const Gridwarden__V1__Incident *incident = step->before->incident;
    return step->command->kind == GW_INCIDENT_EXPIRE &&
           (incident->state != GRIDWARDEN__V1__INCIDENT_STATE__INCIDENT_STATE_OFFERED ||
            incident->attempt != step->command->attempt ||
            incident->answer_by_ms > step->context.now_ms);
}

gw_err shard_incident_step(struct gw_shard *shard, const struct gw_incident_command *command,
                           const char *incident_id, const struct place *place, int64_t now_ms,
                           Gridwarden__Store__V1__Receipt *receipt, struct gw_error *error) {
    struct step step = {.shard = shard, .command = command, .context = {.now_ms = now_ms}};
    bool reports = command->kind == GW_INCIDENT_REPORT;
    gw_err err = reports ? GW_OK : find_before(&step, incident_id, error);
    if (err == GW_OK) {
        err = gw_incident_permit(step.before, command, &shard->policy, error);
    }
    if (err == GW_OK && reports && shard->running.open_incidents >= SHARD_OPEN_INCIDENTS_MAX) {
        err = gw_error_set(error, GW_ENOSPC, "%u incidents are open: close some first",
                           SHARD_OPEN_INCIDENTS_MAX);
    }
    if (err != GW_OK || (!reports && is_stale_timer(&step))) {
        step_end(&step);
        return err;
    }
    if (command->has_point) {
        struct place found;
        if (place->edition != gw_edition_number(shard->edition)) { // published since it was found
            err = place_find(shard->edition, command->point, &found, error);
            place = &found;
        }
        if (err != GW_OK) {
            step_end(&step);
            return err;
        }
        place_describe(shard->edition, place, &step.place);
        step.context.place = &step.place;
    }
    gw_incident_id(command->has_point ? gw_hilbert_key(command->point) : 0, shard->counter + 1u,
                   step.new_id);
    step.context.new_id = step.new_id;
    step.context.policy = &shard->policy;
    err = run(&step, receipt, error);
    if (err != GW_OK && step.folded > 0) {
        err = gw_error_set(error, GW_EINTERNAL, "a command failed half-way");
    }
    step_end(&step);
    return err;
}
