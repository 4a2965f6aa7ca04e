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
#define SNAPSHOT_PAGE 64u // of the outbox's room at once

struct assignment_watch {
    char worker[GW_WORKER_ID_MAX + 1]; // "": by area
    char area[GW_CODE_MAX];
    size_t snapshot_state;   // index in open_states
    char snapshot_token[96]; // of the page that comes next
};

// --- messages ---

static gw_err send_assignment(struct gw_watch *watch, const Gridwarden__V1__Incident *incident,
                              const char *worker, uint32_t attempt,
                              Gridwarden__V1__AssignmentState state, const char *token,
                              bool snapshot) {
    Gridwarden__V1__Assignment assignment = GRIDWARDEN__V1__ASSIGNMENT__INIT;
    assignment.worker_id = (char *)worker;
    assignment.incident_id = incident->id;
    assignment.attempt = attempt;
    assignment.state = state;
    assignment.point = incident->point;
    assignment.class_code = incident->class_code;
    assignment.severity = incident->severity;
    assignment.grid_code = incident->grid_code;
    if (state == GRIDWARDEN__V1__ASSIGNMENT_STATE__ASSIGNMENT_STATE_OFFERED) {
        assignment.answer_by_ms = incident->answer_by_ms;
    }
    Gridwarden__V1__WatchAssignmentsResponse message =
        GRIDWARDEN__V1__WATCH_ASSIGNMENTS_RESPONSE__INIT;
    message.assignment = &assignment;
    message.token = (char *)token;
    message.snapshot = snapshot;
    return gw_rpc_send(gw_watch_call(watch), &message.base);
}

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

// --- the snapshot, a page at a time ---

struct snapshot_page {
    struct gw_watch *watch;
    const char *token;
    gw_err err;
};

static bool send_open(void *context, const Gridwarden__V1__Incident *incident) {
    struct snapshot_page *page = context;
    if (strncmp(incident->handler, "desk:", 5) == 0) {
        return true; // taken on by a desk: nobody's assignment
    }
    page->err = send_assignment(page->watch, incident, incident->handler, incident->attempt,
                                state_of(incident), page->token, true);
    return page->err == GW_OK;
}

static gw_err send_snapshot(struct gw_watch *watch, struct gw_error *error) {
    struct assignment_watch *state = gw_watch_state(watch);
    char token[GW_WATCH_TOKEN_SIZE];
    gw_watch_token(gw_watch_position(watch), token);
    while (state->snapshot_state < OPEN_STATE_COUNT) {
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
        struct snapshot_page sent = {watch, token, GW_OK};
        gw_err err = gw_shard_list_incidents(gw_watch_shard(watch), &list, send_open, &sent, error);
        if (err != GW_OK || sent.err != GW_OK) {
            return err != GW_OK ? err : sent.err; // GW_ENOSPC: the page is sent again, later
        }
        memcpy(state->snapshot_token, list.next_token, sizeof(state->snapshot_token));
        state->snapshot_state += list.next_token[0] == '\0' ? 1 : 0;
    }
    return GW_OK;
}

// --- the feed ---

// What an event of an incident says of an assignment; false: nothing.
static bool read_incident_event(const Gridwarden__V1__IncidentEvent *event, const char **worker,
                                uint32_t *attempt, Gridwarden__V1__AssignmentState *state) {
    *worker = event->actor;
    *attempt = 0;
    switch (event->kind_case) {
    case GRIDWARDEN__V1__INCIDENT_EVENT__KIND_OFFERED:
        *worker = event->offered->worker_id;
        *attempt = event->offered->attempt;
        *state = GRIDWARDEN__V1__ASSIGNMENT_STATE__ASSIGNMENT_STATE_OFFERED;
        return true;
    case GRIDWARDEN__V1__INCIDENT_EVENT__KIND_ACCEPTED:
        *worker = event->accepted->handler;
        *state = GRIDWARDEN__V1__ASSIGNMENT_STATE__ASSIGNMENT_STATE_ACCEPTED;
        return strncmp(*worker, "desk:", 5) != 0;
    case GRIDWARDEN__V1__INCIDENT_EVENT__KIND_DECLINED:
        *worker = event->declined->worker_id;
        *attempt = event->declined->attempt;
        *state = GRIDWARDEN__V1__ASSIGNMENT_STATE__ASSIGNMENT_STATE_DECLINED;
        return true;
    case GRIDWARDEN__V1__INCIDENT_EVENT__KIND_OFFER_EXPIRED:
        *worker = event->offer_expired->worker_id;
        *attempt = event->offer_expired->attempt;
        *state = GRIDWARDEN__V1__ASSIGNMENT_STATE__ASSIGNMENT_STATE_EXPIRED;
        return true;
    case GRIDWARDEN__V1__INCIDENT_EVENT__KIND_STARTED:
        *state = GRIDWARDEN__V1__ASSIGNMENT_STATE__ASSIGNMENT_STATE_STARTED;
        return strncmp(*worker, "desk:", 5) != 0;
    case GRIDWARDEN__V1__INCIDENT_EVENT__KIND_RESOLVED:
        *state = GRIDWARDEN__V1__ASSIGNMENT_STATE__ASSIGNMENT_STATE_RESOLVED;
        return strncmp(*worker, "desk:", 5) != 0;
    default:
        return false;
    }
}

// Whether an event of this entry says why the worker's place was given back.
static bool is_explained(const Gridwarden__Store__V1__LogEntry *entry, const char *worker_id,
                         const char *incident_id) {
    for (size_t i = 0; i < entry->n_events; i++) {
        const Gridwarden__Store__V1__Event *event = entry->events[i];
        const char *worker;
        uint32_t attempt;
        Gridwarden__V1__AssignmentState state;
        if (event->kind_case == GRIDWARDEN__STORE__V1__EVENT__KIND_INCIDENT &&
            strcmp(event->incident->incident_id, incident_id) == 0 &&
            read_incident_event(event->incident, &worker, &attempt, &state) &&
            strcmp(worker, worker_id) == 0 &&
            state != GRIDWARDEN__V1__ASSIGNMENT_STATE__ASSIGNMENT_STATE_OFFERED) {
            return true;
        }
    }
    return false;
}

// What any event says of an assignment; false: nothing.
static bool read_event(const Gridwarden__Store__V1__LogEntry *entry, size_t index,
                       const char **worker, const char **incident_id, uint32_t *attempt,
                       Gridwarden__V1__AssignmentState *state) {
    const Gridwarden__Store__V1__Event *event = entry->events[index];
    if (event->kind_case == GRIDWARDEN__STORE__V1__EVENT__KIND_INCIDENT) {
        *incident_id = event->incident->incident_id;
        return read_incident_event(event->incident, worker, attempt, state);
    }
    if (event->kind_case == GRIDWARDEN__STORE__V1__EVENT__KIND_WORKER &&
        event->worker->kind_case == GRIDWARDEN__STORE__V1__WORKER_EVENT__KIND_RELEASED) {
        *worker = event->worker->worker_id;
        *incident_id = event->worker->released->incident_id;
        *attempt = event->worker->released->attempt;
        *state = GRIDWARDEN__V1__ASSIGNMENT_STATE__ASSIGNMENT_STATE_WITHDRAWN;
        return !is_explained(entry, *worker, *incident_id);
    }
    return false;
}

static gw_err send_event(struct gw_watch *watch, const Gridwarden__Store__V1__LogEntry *entry,
                         size_t index, const char *token, struct gw_error *error) {
    const struct assignment_watch *filter = gw_watch_state(watch);
    const char *worker, *incident_id;
    uint32_t attempt = 0;
    Gridwarden__V1__AssignmentState state;
    if (!read_event(entry, index, &worker, &incident_id, &attempt, &state) ||
        (filter->worker[0] != '\0' && strcmp(worker, filter->worker) != 0)) {
        return GW_OK;
    }
    Gridwarden__V1__Incident *incident = NULL;
    gw_err err = gw_shard_get_incident(gw_watch_shard(watch), incident_id, &incident, error);
    if (err != GW_OK) {
        return err;
    }
    if (filter->worker[0] != '\0' || api_incident_under(incident, filter->area)) {
        err = send_assignment(watch, incident, worker, attempt != 0 ? attempt : incident->attempt,
                              state, token, false);
    }
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
        memcpy(state->area, request->area_code, strlen(request->area_code));
    }
    gw_watch_start(api->watches, &assignment_watch_kind, call, request->token, state);
}
