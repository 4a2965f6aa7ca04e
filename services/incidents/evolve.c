#include "services/incidents/message.h"
#include "services/incidents/rules.h"

#include <stdlib.h>
#include <string.h>

// An event and the state before it. The rules below say which events decide can make there;
// whatever else comes changes nothing, so that a damaged or foreign event can't make a state that
// is invalid.
struct fold {
    Gridwarden__Store__V1__IncidentRecord *state;
    Gridwarden__V1__Incident *incident;
    const Gridwarden__V1__IncidentEvent *event;
};

static bool in_state(const struct fold *fold, enum state state) {
    return (enum state)fold->incident->state == state;
}

static void move_to(struct fold *fold, enum state state, const char *handler,
                    int64_t answer_by_ms) {
    fold->incident->state = (Gridwarden__V1__IncidentState)state;
    gw_message_set_string(&fold->incident->handler, handler);
    fold->incident->answer_by_ms = answer_by_ms;
}

static void *copy_of(const ProtobufCMessage *message) {
    ProtobufCMessage *copy = gw_message_clone(message);
    if (copy == NULL) {
        abort();
    }
    return copy;
}

static void move_to_own_desk(struct fold *fold) {
    char desk[GW_HANDLER_MAX + 1u];
    own_desk(fold->incident->area_codes, fold->incident->n_area_codes, desk);
    move_to(fold, STATE_AT_DESK, desk, 0);
}

static void set_areas(Gridwarden__V1__Incident *incident, char *const codes[], size_t count) {
    for (size_t i = 0; i < incident->n_area_codes; i++) {
        gw_message_set_string(&incident->area_codes[i], NULL);
    }
    free(incident->area_codes);
    incident->area_codes = NULL;
    incident->n_area_codes = 0;
    if (count == 0) {
        return;
    }
    incident->area_codes = calloc(count, sizeof(incident->area_codes[0]));
    if (incident->area_codes == NULL) {
        abort();
    }
    for (size_t i = 0; i < count; i++) {
        gw_message_set_string(&incident->area_codes[i], codes[i]);
    }
    incident->n_area_codes = count;
}

static bool fold_placed(struct fold *fold) {
    const Gridwarden__V1__Placed *placed = fold->event->placed;
    Gridwarden__V1__Incident *incident = fold->incident;
    if ((!in_state(fold, STATE_PLACE_UNKNOWN) && !in_state(fold, STATE_AT_DESK) &&
         !in_state(fold, STATE_OFFERED)) ||
        !place_ok(placed->point, placed->grid_code, placed->area_codes, placed->n_area_codes,
                  placed->edition, placed->nearest_grid_code, placed->nearest_grid_distance_m)) {
        return false;
    }
    if (incident->point != NULL) {
        gridwarden__v1__point__free_unpacked(incident->point, NULL);
    }
    if (incident->edition != NULL) {
        gridwarden__v1__edition_ref__free_unpacked(incident->edition, NULL);
    }
    Gridwarden__V1__Point point = GRIDWARDEN__V1__POINT__INIT;
    point.longitude = placed->point->longitude;
    point.latitude = placed->point->latitude;
    Gridwarden__V1__EditionRef edition = GRIDWARDEN__V1__EDITION_REF__INIT;
    edition.layer = placed->edition->layer;
    edition.number = placed->edition->number;
    incident->point = copy_of(&point.base);
    incident->edition = copy_of(&edition.base);
    gw_message_set_string(&incident->grid_code, placed->grid_code);
    set_areas(incident, placed->area_codes, placed->n_area_codes);
    gw_message_set_string(&incident->nearest_grid_code, placed->nearest_grid_code);
    incident->nearest_grid_distance_m = placed->nearest_grid_distance_m;
    fold->state->placed_attempt = incident->attempt;
    move_to_own_desk(fold);
    return true;
}

static bool fold_offered(struct fold *fold) {
    const Gridwarden__V1__Offered *offered = fold->event->offered;
    Gridwarden__V1__Incident *incident = fold->incident;
    if (!in_state(fold, STATE_AT_DESK) || incident->grid_code[0] == '\0' ||
        !is_worker(offered->worker_id) || was_tried(fold->state, offered->worker_id) ||
        incident->attempt == UINT32_MAX || offered->attempt != incident->attempt + 1u ||
        offered->answer_by_ms <= fold->event->time_ms) {
        return false;
    }
    incident->attempt = offered->attempt;
    move_to(fold, STATE_OFFERED, offered->worker_id, offered->answer_by_ms);
    return true;
}

static bool fold_accepted(struct fold *fold) {
    const char *handler = fold->event->accepted->handler;
    if ((!in_state(fold, STATE_OFFERED) && !in_state(fold, STATE_AT_DESK)) ||
        strcmp(handler, fold->incident->handler) != 0) {
        return false;
    }
    fold->incident->state = (Gridwarden__V1__IncidentState)STATE_ACCEPTED;
    fold->incident->answer_by_ms = 0;
    return true;
}

// Declined and lapsed alike: the worker is not asked again.
static bool offer_ended(struct fold *fold, const char *worker_id, uint32_t attempt) {
    Gridwarden__Store__V1__IncidentRecord *state = fold->state;
    if (!in_state(fold, STATE_OFFERED) || strcmp(worker_id, fold->incident->handler) != 0 ||
        attempt != fold->incident->attempt) {
        return false;
    }
    if (state->n_tried < GW_TRIED_MAX) {
        char **grown = realloc(state->tried, (state->n_tried + 1u) * sizeof(state->tried[0]));
        if (grown == NULL) {
            abort();
        }
        state->tried = grown;
        state->tried[state->n_tried] = NULL;
        gw_message_set_string(&state->tried[state->n_tried], worker_id);
        state->n_tried++;
    }
    move_to_own_desk(fold);
    return true;
}

static bool fold_declined(struct fold *fold) {
    const Gridwarden__V1__Declined *declined = fold->event->declined;
    return offer_ended(fold, declined->worker_id, declined->attempt);
}

static bool fold_expired(struct fold *fold) {
    const Gridwarden__V1__OfferExpired *expired = fold->event->offer_expired;
    return offer_ended(fold, expired->worker_id, expired->attempt);
}

static bool fold_sent_to_desk(struct fold *fold) {
    const char *desk = fold->event->sent_to_desk->desk;
    bool unknown = strcmp(desk, GW_DESK_PLACE_UNKNOWN) == 0;
    if (in_state(fold, STATE_PLACE_UNKNOWN)) {
        return unknown; // already there
    }
    if (!in_state(fold, STATE_AT_DESK) || unknown || !is_desk(desk)) {
        return false;
    }
    move_to(fold, STATE_AT_DESK, desk, 0);
    return true;
}

static bool step_on(struct fold *fold, enum state from, enum state to) {
    if (!in_state(fold, from)) {
        return false;
    }
    fold->incident->state = (Gridwarden__V1__IncidentState)to;
    return true;
}

static bool fold_started(struct fold *fold) {
    return step_on(fold, STATE_ACCEPTED, STATE_STARTED);
}

static bool fold_resolved(struct fold *fold) {
    return step_on(fold, STATE_STARTED, STATE_RESOLVED);
}

static bool fold_closed(struct fold *fold) {
    return step_on(fold, STATE_RESOLVED, STATE_CLOSED);
}

static bool (*const folds[])(struct fold *fold) = {
    [GRIDWARDEN__V1__INCIDENT_EVENT__KIND_PLACED] = fold_placed,
    [GRIDWARDEN__V1__INCIDENT_EVENT__KIND_OFFERED] = fold_offered,
    [GRIDWARDEN__V1__INCIDENT_EVENT__KIND_ACCEPTED] = fold_accepted,
    [GRIDWARDEN__V1__INCIDENT_EVENT__KIND_DECLINED] = fold_declined,
    [GRIDWARDEN__V1__INCIDENT_EVENT__KIND_OFFER_EXPIRED] = fold_expired,
    [GRIDWARDEN__V1__INCIDENT_EVENT__KIND_SENT_TO_DESK] = fold_sent_to_desk,
    [GRIDWARDEN__V1__INCIDENT_EVENT__KIND_STARTED] = fold_started,
    [GRIDWARDEN__V1__INCIDENT_EVENT__KIND_RESOLVED] = fold_resolved,
    [GRIDWARDEN__V1__INCIDENT_EVENT__KIND_CLOSED] = fold_closed,
};

static Gridwarden__Store__V1__IncidentRecord *begin(const Gridwarden__V1__IncidentEvent *event) {
    const Gridwarden__V1__Reported *reported = event->reported;
    Gridwarden__V1__Incident incident = GRIDWARDEN__V1__INCIDENT__INIT;
    Gridwarden__Store__V1__IncidentRecord state = GRIDWARDEN__STORE__V1__INCIDENT_RECORD__INIT;
    if (event->kind_case != GRIDWARDEN__V1__INCIDENT_EVENT__KIND_REPORTED || reported == NULL) {
        return NULL;
    }
    incident.id = event->incident_id;
    incident.state = (Gridwarden__V1__IncidentState)STATE_PLACE_UNKNOWN;
    incident.class_code = reported->class_code;
    incident.severity = reported->severity;
    incident.channel = reported->channel;
    incident.address = reported->address;
    incident.description = reported->description;
    incident.handler = (char *)GW_DESK_PLACE_UNKNOWN;
    incident.reported_ms = incident.updated_ms = event->time_ms;
    incident.version = event->version;
    state.incident = &incident;
    return event->version == 1 && gw_incident_valid(&state) ? copy_of(&state.base) : NULL;
}

void gw_incident_evolve(Gridwarden__Store__V1__IncidentRecord **state,
                        const Gridwarden__V1__IncidentEvent *event) {
    if (*state == NULL) {
        *state = begin(event);
        return;
    }
    struct fold fold = {*state, (*state)->incident, event};
    size_t kind = (size_t)event->kind_case;
    if (kind >= sizeof(folds) / sizeof(folds[0]) || folds[kind] == NULL ||
        event->reported == NULL || // any member of the union: the message itself
        strcmp(event->incident_id, fold.incident->id) != 0 ||
        event->version - 1u != fold.incident->version || event->version == 0 ||
        event->time_ms < fold.incident->updated_ms) {
        return;
    }
    if (folds[kind](&fold)) {
        fold.incident->version = event->version;
        fold.incident->updated_ms = event->time_ms;
    }
}
