// WorkerService.WatchAssignments: what is offered to a worker (or under an area), and what becomes
// of it.
//
// An assignment is read off the feed: an offer, an answer, an expiry, work begun and done are
// events of
// the incident; an offer that is withdrawn (the place was corrected meanwhile) shows as a released
// reservation that no answer explains.
#include "services/api/handlers.h"

#include "gridwarden/v1/incident.pb-c.h"
#include "gridwarden/v1/worker.pb-c.h"
#include <stdlib.h>
#include <string.h>

static const Gridwarden__V1__IncidentState open_states[] = {
    GRIDWARDEN__V1__INCIDENT_STATE__INCIDENT_STATE_OFFERED,
    GRIDWARDEN__V1__INCIDENT_STATE__INCIDENT_STATE_ACCEPTED,
    GRIDWARDEN__V1__INCIDENT_STATE__INCIDENT_STATE_STARTED,
};
#define OPEN_STATE_COUNT (sizeof(open_states) / sizeof(open_states[0]))
#define SNAPSHOT_PAGE 128u // incidents a turn

struct assignment_watch {
    char worker[GW_WORKER_ID_MAX + 1]; // "": by area
    char area[GW_CODE_MAX];            // "": the whole city
    size_t snapshot_state;             // index in open_states
    char snapshot_token[96];           // of the page that comes next
};

// What an event says of an assignment. Strings are borrowed.
struct change {
    const char *worker, *incident_id;
    uint32_t attempt; // 0: the incident's last
    Gridwarden__V1__AssignmentState state;
    int64_t answer_by_ms;
};

static gw_err send_assignment(struct gw_watch *watch, const Gridwarden__V1__Incident *incident,
                              const struct change *change, const char *token) {
    Gridwarden__V1__Assignment assignment = GRIDWARDEN__V1__ASSIGNMENT__INIT;
    assignment.worker_id = (char *)change->worker;
    assignment.incident_id = incident->id;
    assignment.attempt = change->attempt;
    assignment.state = change->state;
    assignment.answer_by_ms = change->answer_by_ms;
    assignment.point = incident->point;
    assignment.class_code = incident->class_code;
    assignment.severity = incident->severity;
    assignment.grid_code = incident->grid_code;
    Gridwarden__V1__WatchAssignmentsResponse message =
        GRIDWARDEN__V1__WATCH_ASSIGNMENTS_RESPONSE__INIT;
    message.assignment = &assignment;
    message.token = (char *)token;
    message.snapshot = token[0] == '\0';
    return gw_rpc_send(gw_watch_call(watch), &message.base);
}

// --- the snapshot, a page a turn ---

static Gridwarden__V1__AssignmentState state_of(const Gridwarden__V1__Incident *incident) {
    switch (incident->state) {
    case GRIDWARDEN__V1__INCIDENT_STATE__INCIDENT_STATE_OFFERED:
        return GRIDWARDEN__V1__ASSIGNMENT_STATE__ASSIGNMENT_STATE_OFFERED;
    case GRIDWARDEN__V1__INCIDENT_STATE__INCIDENT_STATE_ACCEPTED:
        return GRIDWARDEN__V1__ASSIGNMENT_STATE__ASSIGNMENT_STATE_ACCEPTED;
    default:
        return GRIDWARDEN__V1__ASSIGNMENT_STATE__ASSIGNMENT_STATE_STARTED;
    }
}

static bool is_desk(const char *handler) {
    return strncmp(handler, GW_DESK_PREFIX, strlen(GW_DESK_PREFIX)) == 0;
}

struct snapshot_page {
    struct gw_watch *watch;
    gw_err err;
};

static bool send_open(void *context, const Gridwarden__V1__Incident *incident) {
    struct snapshot_page *page = context;
    if (is_desk(incident->handler)) {
        return true; // taken on by a desk: nobody's assignment
    }
    struct change open = {incident->handler, incident->id, incident->attempt, state_of(incident),
                          incident->answer_by_ms};
    page->err = send_assignment(page->watch, incident, &open, "");
    return page->err == GW_OK;
}

static gw_err send_snapshot(struct gw_watch *watch, bool *more, struct gw_error *error) {
    struct assignment_watch *state = gw_watch_state(watch);
    Gridwarden__V1__PageRequest page = GRIDWARDEN__V1__PAGE_REQUEST__INIT;
    page.size = SNAPSHOT_PAGE;
    page.token = state->snapshot_token;
    Gridwarden__V1__IncidentServiceListRequest request =
        GRIDWARDEN__V1__INCIDENT_SERVICE_LIST_REQUEST__INIT;
    request.page = &page;
    request.state = open_states[state->snapshot_state];
    request.handler = state->worker;
    request.code_prefix = state->area;
    struct gw_incident_list list = {.request = &request};
    struct snapshot_page sent = {watch, GW_OK};
    gw_err err = gw_shard_list_incidents(gw_watch_shard(watch), &list, send_open, &sent, error);
    if (err != GW_OK) {
        return err;
    }
    memcpy(state->snapshot_token, list.next_token, sizeof(state->snapshot_token));
    if (sent.err != GW_OK) {
        return sent.err; // GW_ENOSPC: the next page begins with what had no room
    }
    state->snapshot_state += list.next_token[0] == '\0' ? 1 : 0;
    *more = state->snapshot_state < OPEN_STATE_COUNT;
    return GW_OK;
}

// --- the feed ---

// False: the event says nothing of an assignment.
static bool read_incident_event(const Gridwarden__V1__IncidentEvent *event, struct change *out) {
    *out = (struct change){.worker = event->actor, .incident_id = event->incident_id};
    switch (event->kind_case) {
    case GRIDWARDEN__V1__INCIDENT_EVENT__KIND_OFFERED:
        out->worker = event->offered->worker_id;
        out->attempt = event->offered->attempt;
        out->state = GRIDWARDEN__V1__ASSIGNMENT_STATE__ASSIGNMENT_STATE_OFFERED;
        out->answer_by_ms = event->offered->answer_by_ms;
        return true;
    case GRIDWARDEN__V1__INCIDENT_EVENT__KIND_ACCEPTED:
        out->worker = event->accepted->handler;
        out->state = GRIDWARDEN__V1__ASSIGNMENT_STATE__ASSIGNMENT_STATE_ACCEPTED;
        break;
    case GRIDWARDEN__V1__INCIDENT_EVENT__KIND_DECLINED:
        out->worker = event->declined->worker_id;
        out->attempt = event->declined->attempt;
        out->state = GRIDWARDEN__V1__ASSIGNMENT_STATE__ASSIGNMENT_STATE_DECLINED;
        return true;
    case GRIDWARDEN__V1__INCIDENT_EVENT__KIND_OFFER_EXPIRED:
        out->worker = event->offer_expired->worker_id;
        out->attempt = event->offer_expired->attempt;
        out->state = GRIDWARDEN__V1__ASSIGNMENT_STATE__ASSIGNMENT_STATE_EXPIRED;
        return true;
    case GRIDWARDEN__V1__INCIDENT_EVENT__KIND_STARTED:
        out->state = GRIDWARDEN__V1__ASSIGNMENT_STATE__ASSIGNMENT_STATE_STARTED;
        break;
    case GRIDWARDEN__V1__INCIDENT_EVENT__KIND_RESOLVED:
        out->state = GRIDWARDEN__V1__ASSIGNMENT_STATE__ASSIGNMENT_STATE_RESOLVED;
        break;
    default:
        return false;
    }
    return !is_desk(out->worker);
}

// False: the event says nothing of an assignment. A released place is taken for an offer withdrawn
// until is_explained has looked.
static bool read_event(const Gridwarden__Store__V1__Event *event, struct change *out) {
    if (event->kind_case == GRIDWARDEN__STORE__V1__EVENT__KIND_INCIDENT) {
        return read_incident_event(event->incident, out);
    }
    if (event->kind_case != GRIDWARDEN__STORE__V1__EVENT__KIND_WORKER ||
        event->worker->kind_case != GRIDWARDEN__STORE__V1__WORKER_EVENT__KIND_RELEASED) {
        return false;
    }
    *out = (struct change){
        .worker = event->worker->worker_id,
        .incident_id = event->worker->released->incident_id,
        .attempt = event->worker->released->attempt,
        .state = GRIDWARDEN__V1__ASSIGNMENT_STATE__ASSIGNMENT_STATE_WITHDRAWN,
    };
    return true;
}

// Whether an answer, an expiry or the end of the work, in the same entry, says why the place of
// this attempt was given back.
static bool is_explained(const Gridwarden__Store__V1__LogEntry *entry, const struct change *release,
                         uint32_t last_attempt) {
    for (size_t i = 0; i < entry->n_events; i++) {
        struct change change;
        if (entry->events[i]->kind_case == GRIDWARDEN__STORE__V1__EVENT__KIND_INCIDENT &&
            strcmp(entry->events[i]->incident->incident_id, release->incident_id) == 0 &&
            read_incident_event(entry->events[i]->incident, &change) &&
            (change.state == GRIDWARDEN__V1__ASSIGNMENT_STATE__ASSIGNMENT_STATE_DECLINED ||
             change.state == GRIDWARDEN__V1__ASSIGNMENT_STATE__ASSIGNMENT_STATE_EXPIRED ||
             change.state == GRIDWARDEN__V1__ASSIGNMENT_STATE__ASSIGNMENT_STATE_RESOLVED) &&
            (change.attempt != 0 ? change.attempt : last_attempt) == release->attempt) {
            return true;
        }
    }
    return false;
}

// Whether the offer was made under the area: the incident may have been placed elsewhere since.
static gw_err is_under(const struct assignment_watch *filter, struct gw_shard *shard,
                       const Gridwarden__V1__Incident *incident, const struct change *change,
                       bool *under, struct gw_error *error) {
    *under = api_incident_under(incident, filter->area);
    bool last = change->attempt == incident->attempt && !is_desk(incident->handler);
    if (filter->area[0] == '\0' || last) {
        return GW_OK;
    }
    return api_incident_was_under(shard, incident->id, UINT32_MAX, change->attempt, filter->area,
                                  under, error);
}

static gw_err send_change(struct gw_watch *watch, const Gridwarden__Store__V1__LogEntry *entry,
                          const Gridwarden__V1__Incident *incident, struct change *change,
                          const char *token, struct gw_error *error) {
    bool under = true;
    if (change->state == GRIDWARDEN__V1__ASSIGNMENT_STATE__ASSIGNMENT_STATE_WITHDRAWN &&
        is_explained(entry, change, incident->attempt)) {
        return GW_OK;
    }
    change->attempt = change->attempt != 0 ? change->attempt : incident->attempt;
    gw_err err =
        is_under(gw_watch_state(watch), gw_watch_shard(watch), incident, change, &under, error);
    return err == GW_OK && under ? send_assignment(watch, incident, change, token) : err;
}

static gw_err send_event(struct gw_watch *watch, const Gridwarden__Store__V1__LogEntry *entry,
                         size_t index, const char *token, struct gw_error *error) {
    const struct assignment_watch *filter = gw_watch_state(watch);
    struct change change;
    if (!read_event(entry->events[index], &change) ||
        (filter->worker[0] != '\0' && strcmp(change.worker, filter->worker) != 0)) {
        return GW_OK;
    }
    Gridwarden__V1__Incident *incident = NULL;
    gw_err err = gw_shard_get_incident(gw_watch_shard(watch), change.incident_id, &incident, error);
    if (err != GW_OK) {
        return err;
    }
    err = send_change(watch, entry, incident, &change, token, error);
    gridwarden__v1__incident__free_unpacked(incident, NULL);
    return err;
}

static gw_err send_heartbeat(struct gw_watch *watch, const char *token) {
    Gridwarden__V1__WatchAssignmentsResponse message =
        GRIDWARDEN__V1__WATCH_ASSIGNMENTS_RESPONSE__INIT;
    message.token = (char *)token;
    return gw_rpc_send(gw_watch_call(watch), &message.base);
}

static const struct gw_watch_kind assignment_watch_kind = {
    .snapshot = send_snapshot,
    .event = send_event,
    .heartbeat = send_heartbeat,
};

void api_watch_assignments(struct gw_rpc_call *call, const ProtobufCMessage *message,
                           void *context) {
    const struct gw_api *api = context;
    const Gridwarden__V1__WatchAssignmentsRequest *request =
        (const Gridwarden__V1__WatchAssignmentsRequest *)message;
    if (strlen(request->worker_id) > GW_WORKER_ID_MAX ||
        strlen(request->area_code) >= GW_CODE_MAX) {
        struct gw_error error;
        (void)gw_error_set(&error, GW_EINVAL, "worker_id has at most %u bytes, area_code %u",
                           GW_WORKER_ID_MAX, GW_CODE_MAX - 1);
        gw_rpc_finish(call, &error);
        return;
    }
    struct assignment_watch *state = calloc(1, sizeof(*state));
    if (state != NULL) {
        memcpy(state->worker, request->worker_id, strlen(request->worker_id));
        if (state->worker[0] == '\0') {
            memcpy(state->area, request->area_code, strlen(request->area_code));
        }
    }
    gw_watch_start(api->watches, &assignment_watch_kind, call, request->token, state);
}
