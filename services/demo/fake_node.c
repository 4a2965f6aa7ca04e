#include "services/demo/fake_node.h"

#include "gridwarden/v1/incident.pb-c.h"
#include "gridwarden/v1/worker.pb-c.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INCIDENTS_MAX = 4096, RECEIPTS_MAX = 65536, TURN_AWAY_EVERY = 9, DESK_EVERY = 7 };

struct incident {
    Gridwarden__V1__Incident row;
    char id[32], handler[80];
};

struct receipt {
    char id[130];
    uint64_t hash;
    struct incident *incident; // of a report
    bool done;                 // false: only turned away so far
};

struct fake_node {
    struct gw_rpc_server *server;
    char target[64];
    bool refuse_workers;
    struct incident incidents[INCIDENTS_MAX];
    struct receipt receipts[RECEIPTS_MAX]; // a hash table, open addressing
    uint64_t requests;
    struct gw_rpc_call *assignments, *events; // open watches
    struct fake_facts facts;
};

static uint64_t hash_bytes(const void *bytes, size_t size) {
    const unsigned char *at = bytes;
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < size; i++) {
        hash = (hash ^ at[i]) * 0x100000001b3u;
    }
    return hash;
}

static void fault(struct fake_node *node, const char *what, const char *id) {
    fprintf(stderr, "fake node: %s (%s)\n", what, id);
    node->facts.faults++;
}

static void fail(struct gw_rpc_call *call, gw_err code, const char *text) {
    struct gw_error error;
    (void)gw_error_set(&error, code, "%s", text);
    gw_rpc_fail(call, &error);
}

static struct receipt *find_receipt(struct fake_node *node, const char *id) {
    uint64_t at = hash_bytes(id, strlen(id)) % RECEIPTS_MAX;
    while (node->receipts[at].id[0] != '\0' && strcmp(node->receipts[at].id, id) != 0) {
        at = (at + 1) % RECEIPTS_MAX;
    }
    return &node->receipts[at];
}

// The receipt of a request; NULL: the call has been answered already.
static struct receipt *admit(struct fake_node *node, struct gw_rpc_call *call, const char *id) {
    size_t size = 0, length = strlen(id);
    const void *bytes = gw_rpc_request_bytes(call, &size);
    uint64_t hash = hash_bytes(bytes, size);
    struct receipt *receipt = find_receipt(node, id);
    if (length == 0 || length > 128) {
        fault(node, "a request id of this length", id);
    }
    if (receipt->id[0] != '\0') {
        if (receipt->hash != hash) {
            fault(node, "another payload under a known request id", id);
        }
        node->facts.repeated += receipt->done;
        return receipt;
    }
    snprintf(receipt->id, sizeof(receipt->id), "%s", id);
    receipt->hash = hash;
    if (++node->requests % TURN_AWAY_EVERY == 0) {
        node->facts.turned_away++;
        fail(call, GW_EUNAVAILABLE, "come again");
        return NULL;
    }
    return receipt;
}

// --- workers ---

static void upsert(struct gw_rpc_call *call, const ProtobufCMessage *message, void *context) {
    struct fake_node *node = context;
    const Gridwarden__V1__UpsertWorkersRequest *request =
        (const Gridwarden__V1__UpsertWorkersRequest *)message;
    Gridwarden__V1__UpsertWorkersResponse response = GRIDWARDEN__V1__UPSERT_WORKERS_RESPONSE__INIT;
    struct receipt *receipt = find_receipt(node, request->request_id);
    size_t size = 0;
    const void *bytes = gw_rpc_request_bytes(call, &size);
    if (node->refuse_workers) {
        fail(call, GW_EINVAL, "no such grid");
        return;
    }
    if (receipt->id[0] != '\0' && receipt->hash != hash_bytes(bytes, size)) {
        fault(node, "another roster under a known request id", request->request_id);
    }
    node->facts.workers += receipt->id[0] == '\0' ? request->n_workers : 0;
    node->facts.repeated += receipt->id[0] != '\0';
    snprintf(receipt->id, sizeof(receipt->id), "%s", request->request_id);
    receipt->hash = hash_bytes(bytes, size);
    if (request->n_workers > 1000) {
        fault(node, "too many workers in one request", request->request_id);
    }
    gw_rpc_reply(call, &response.base);
}

static void set_duty(struct gw_rpc_call *call, const ProtobufCMessage *message, void *context) {
    struct fake_node *node = context;
    const Gridwarden__V1__SetDutyRequest *request = (const Gridwarden__V1__SetDutyRequest *)message;
    Gridwarden__V1__SetDutyResponse response = GRIDWARDEN__V1__SET_DUTY_RESPONSE__INIT;
    if (request->n_worker_ids == 0 || request->n_worker_ids > 1000) {
        fault(node, "a SetDuty of too few or too many", request->request_id);
    }
    node->facts.duty_changes += request->n_worker_ids;
    gw_rpc_reply(call, &response.base);
}

static void positions_start(struct gw_rpc_call *call, const ProtobufCMessage *message,
                            void *context) {
    (void)call;
    (void)message;
    (void)context;
}

static void positions_message(struct gw_rpc_call *call, const ProtobufCMessage *message,
                              void *context) {
    struct fake_node *node = context;
    const Gridwarden__V1__ReportPositionsRequest *request =
        (const Gridwarden__V1__ReportPositionsRequest *)message;
    (void)call;
    node->facts.positions += request->n_positions;
    for (size_t i = 0; i < request->n_positions; i++) {
        const Gridwarden__V1__Point *point = request->positions[i]->position->point;
        if (point->longitude < 123.3 || point->longitude > 125.2 || point->latitude < 41.9 ||
            point->latitude > 43.6) {
            fault(node, "a worker outside the city", request->positions[i]->worker_id);
        }
    }
}

static void positions_end(struct gw_rpc_call *call, void *context) {
    Gridwarden__V1__ReportPositionsResponse response =
        GRIDWARDEN__V1__REPORT_POSITIONS_RESPONSE__INIT;
    (void)context;
    gw_rpc_reply(call, &response.base);
}

// --- watches ---

static void idle(struct gw_rpc_call *call, void *state) {
    (void)call;
    (void)state;
}

static void watch_done(struct gw_rpc_call *call, void *state) {
    struct fake_node *node = state;
    node->assignments = node->assignments == call ? NULL : node->assignments;
    node->events = node->events == call ? NULL : node->events;
}

static void offer(struct fake_node *node, struct incident *incident) {
    Gridwarden__V1__Assignment assignment = GRIDWARDEN__V1__ASSIGNMENT__INIT;
    Gridwarden__V1__WatchAssignmentsResponse response =
        GRIDWARDEN__V1__WATCH_ASSIGNMENTS_RESPONSE__INIT;
    assignment.worker_id = incident->handler;
    assignment.incident_id = incident->id;
    assignment.attempt = incident->row.attempt;
    assignment.state = GRIDWARDEN__V1__ASSIGNMENT_STATE__ASSIGNMENT_STATE_OFFERED;
    response.assignment = &assignment;
    if (node->assignments != NULL && gw_rpc_send(node->assignments, &response.base) != GW_OK) {
        fault(node, "an offer could not be sent", incident->id);
    }
}

static void tell_desk(struct fake_node *node, struct incident *incident) {
    Gridwarden__V1__SentToDesk sent = GRIDWARDEN__V1__SENT_TO_DESK__INIT;
    Gridwarden__V1__IncidentEvent event = GRIDWARDEN__V1__INCIDENT_EVENT__INIT;
    Gridwarden__V1__IncidentServiceWatchResponse response =
        GRIDWARDEN__V1__INCIDENT_SERVICE_WATCH_RESPONSE__INIT;
    sent.desk = incident->handler;
    event.incident_id = incident->id;
    event.version = 3;
    event.kind_case = GRIDWARDEN__V1__INCIDENT_EVENT__KIND_SENT_TO_DESK;
    event.sent_to_desk = &sent;
    response.event = &event;
    node->facts.to_desks++;
    if (node->events != NULL && gw_rpc_send(node->events, &response.base) != GW_OK) {
        fault(node, "an event could not be sent", incident->id);
    }
}

// What is open is told to a watch that begins: the player may be slower to watch than to report.
static void watch_assignments(struct gw_rpc_call *call, const ProtobufCMessage *message,
                              void *context) {
    struct fake_node *node = context;
    (void)message;
    gw_rpc_call_set_stream(call, node, idle, watch_done);
    node->assignments = call;
    for (uint64_t i = 0; i < node->facts.incidents; i++) {
        if (node->incidents[i].row.state ==
            GRIDWARDEN__V1__INCIDENT_STATE__INCIDENT_STATE_OFFERED) {
            offer(node, &node->incidents[i]);
        }
    }
}

static void watch_incidents(struct gw_rpc_call *call, const ProtobufCMessage *message,
                            void *context) {
    struct fake_node *node = context;
    (void)message;
    gw_rpc_call_set_stream(call, node, idle, watch_done);
    node->events = call;
}

// --- incidents ---

static void place(struct fake_node *node, struct incident *incident, uint64_t number) {
    if (number % DESK_EVERY == 0 && node->events != NULL) {
        snprintf(incident->handler, sizeof(incident->handler), "desk:211202001001");
        incident->row.state = GRIDWARDEN__V1__INCIDENT_STATE__INCIDENT_STATE_AT_DESK;
        tell_desk(node, incident);
        return;
    }
    snprintf(incident->handler, sizeof(incident->handler), "TL-F-%05u",
             (unsigned)(1 + number % 8017));
    incident->row.state = GRIDWARDEN__V1__INCIDENT_STATE__INCIDENT_STATE_OFFERED;
    incident->row.attempt++;
    offer(node, incident);
}

static void report(struct gw_rpc_call *call, const ProtobufCMessage *message, void *context) {
    struct fake_node *node = context;
    const Gridwarden__V1__ReportRequest *request = (const Gridwarden__V1__ReportRequest *)message;
    Gridwarden__V1__ReportResponse response = GRIDWARDEN__V1__REPORT_RESPONSE__INIT;
    struct receipt *receipt = admit(node, call, request->request_id);
    if (receipt == NULL) {
        return;
    }
    if (!receipt->done) {
        if (node->facts.incidents == INCIDENTS_MAX) {
            fail(call, GW_ENOSPC, "full");
            return;
        }
        struct incident *incident = &node->incidents[node->facts.incidents];
        gridwarden__v1__incident__init(&incident->row);
        snprintf(incident->id, sizeof(incident->id), "%016llx-%010llx", 0x1234ull,
                 (unsigned long long)++node->facts.incidents);
        incident->row.id = incident->id;
        incident->row.handler = incident->handler;
        incident->row.state = GRIDWARDEN__V1__INCIDENT_STATE__INCIDENT_STATE_PLACE_UNKNOWN;
        receipt->incident = incident;
        receipt->done = true;
        if (strstr(request->description, "SYNTHETIC") == NULL) {
            fault(node, "a report that does not say that it is synthetic", request->request_id);
        }
        if (request->point != NULL) {
            place(node, incident, node->facts.incidents);
        } else if (request->address[0] == '\0') {
            fault(node, "neither point nor address", request->request_id);
        }
    }
    response.incident = &receipt->incident->row;
    gw_rpc_reply(call, &response.base);
}

static struct incident *find(struct fake_node *node, const char *id) {
    unsigned long long number = strlen(id) == 27 ? strtoull(id + 17, NULL, 16) : 0;
    return number >= 1 && number <= node->facts.incidents ? &node->incidents[number - 1] : NULL;
}

static void set_place(struct gw_rpc_call *call, const ProtobufCMessage *message, void *context) {
    struct fake_node *node = context;
    const Gridwarden__V1__SetPlaceRequest *request =
        (const Gridwarden__V1__SetPlaceRequest *)message;
    Gridwarden__V1__SetPlaceResponse response = GRIDWARDEN__V1__SET_PLACE_RESPONSE__INIT;
    struct receipt *receipt = admit(node, call, request->request_id);
    struct incident *incident = find(node, request->incident_id);
    if (receipt == NULL) {
        return;
    }
    if (incident == NULL || request->point == NULL) {
        fault(node, "a place for no incident", request->request_id);
        fail(call, GW_ENOTFOUND, "no such incident");
        return;
    }
    if (!receipt->done) {
        receipt->done = true;
        node->facts.placed++;
        place(node, incident, 1);
    }
    response.incident = &incident->row;
    gw_rpc_reply(call, &response.base);
}

// A step of the handler (or, where `actor` is NULL, of anybody) from one state to another.
static void step(struct fake_node *node, struct gw_rpc_call *call, const char *request_id,
                 const char *incident_id, const char *actor, uint32_t from, uint32_t to,
                 uint64_t *counter, const ProtobufCMessage *response) {
    struct receipt *receipt = admit(node, call, request_id);
    struct incident *incident = find(node, incident_id);
    if (receipt == NULL) {
        return;
    }
    bool at_desk = from == GRIDWARDEN__V1__INCIDENT_STATE__INCIDENT_STATE_OFFERED &&
                   to == GRIDWARDEN__V1__INCIDENT_STATE__INCIDENT_STATE_ACCEPTED &&
                   incident != NULL &&
                   incident->row.state == GRIDWARDEN__V1__INCIDENT_STATE__INCIDENT_STATE_AT_DESK;
    if (!receipt->done && (incident == NULL || (incident->row.state != from && !at_desk) ||
                           (actor != NULL && strcmp(actor, incident->handler) != 0))) {
        fault(node, "a step out of turn", request_id);
        fail(call, GW_ESTATE, "not now");
        return;
    }
    if (!receipt->done) {
        receipt->done = true;
        incident->row.state = to;
        (*counter)++;
    }
    gw_rpc_reply(call, response);
}

static void accept(struct gw_rpc_call *call, const ProtobufCMessage *message, void *context) {
    struct fake_node *node = context;
    const Gridwarden__V1__AcceptRequest *r = (const Gridwarden__V1__AcceptRequest *)message;
    Gridwarden__V1__AcceptResponse response = GRIDWARDEN__V1__ACCEPT_RESPONSE__INIT;
    step(node, call, r->request_id, r->incident_id, r->actor,
         GRIDWARDEN__V1__INCIDENT_STATE__INCIDENT_STATE_OFFERED,
         GRIDWARDEN__V1__INCIDENT_STATE__INCIDENT_STATE_ACCEPTED, &node->facts.accepted,
         &response.base);
}

static void decline(struct gw_rpc_call *call, const ProtobufCMessage *message, void *context) {
    struct fake_node *node = context;
    const Gridwarden__V1__DeclineRequest *r = (const Gridwarden__V1__DeclineRequest *)message;
    Gridwarden__V1__DeclineResponse response = GRIDWARDEN__V1__DECLINE_RESPONSE__INIT;
    uint64_t before = node->facts.declined;
    step(node, call, r->request_id, r->incident_id, r->actor,
         GRIDWARDEN__V1__INCIDENT_STATE__INCIDENT_STATE_OFFERED,
         GRIDWARDEN__V1__INCIDENT_STATE__INCIDENT_STATE_OFFERED, &node->facts.declined,
         &response.base);
    if (node->facts.declined > before) {
        struct incident *incident = find(node, r->incident_id);
        place(node, incident, 2 + incident->row.attempt);
    }
}

static void start(struct gw_rpc_call *call, const ProtobufCMessage *message, void *context) {
    struct fake_node *node = context;
    const Gridwarden__V1__StartRequest *r = (const Gridwarden__V1__StartRequest *)message;
    Gridwarden__V1__StartResponse response = GRIDWARDEN__V1__START_RESPONSE__INIT;
    step(node, call, r->request_id, r->incident_id, r->actor,
         GRIDWARDEN__V1__INCIDENT_STATE__INCIDENT_STATE_ACCEPTED,
         GRIDWARDEN__V1__INCIDENT_STATE__INCIDENT_STATE_STARTED, &node->facts.started,
         &response.base);
}

static void resolve(struct gw_rpc_call *call, const ProtobufCMessage *message, void *context) {
    struct fake_node *node = context;
    const Gridwarden__V1__ResolveRequest *r = (const Gridwarden__V1__ResolveRequest *)message;
    Gridwarden__V1__ResolveResponse response = GRIDWARDEN__V1__RESOLVE_RESPONSE__INIT;
    step(node, call, r->request_id, r->incident_id, r->actor,
         GRIDWARDEN__V1__INCIDENT_STATE__INCIDENT_STATE_STARTED,
         GRIDWARDEN__V1__INCIDENT_STATE__INCIDENT_STATE_RESOLVED, &node->facts.resolved,
         &response.base);
}

static void close_incident(struct gw_rpc_call *call, const ProtobufCMessage *message,
                           void *context) {
    struct fake_node *node = context;
    const Gridwarden__V1__CloseRequest *r = (const Gridwarden__V1__CloseRequest *)message;
    Gridwarden__V1__CloseResponse response = GRIDWARDEN__V1__CLOSE_RESPONSE__INIT;
    step(node, call, r->request_id, r->incident_id, NULL,
         GRIDWARDEN__V1__INCIDENT_STATE__INCIDENT_STATE_RESOLVED,
         GRIDWARDEN__V1__INCIDENT_STATE__INCIDENT_STATE_CLOSED, &node->facts.closed,
         &response.base);
}

#define WORKERS "/gridwarden.v1.WorkerService/"
#define INCIDENTS "/gridwarden.v1.IncidentService/"
static const struct gw_rpc_method methods[] = {
    {WORKERS "UpsertWorkers", GW_RPC_UNARY, &gridwarden__v1__upsert_workers_request__descriptor,
     &gridwarden__v1__upsert_workers_response__descriptor, upsert, NULL, NULL},
    {WORKERS "SetDuty", GW_RPC_UNARY, &gridwarden__v1__set_duty_request__descriptor,
     &gridwarden__v1__set_duty_response__descriptor, set_duty, NULL, NULL},
    {WORKERS "ReportPositions", GW_RPC_CLIENT_STREAM,
     &gridwarden__v1__report_positions_request__descriptor,
     &gridwarden__v1__report_positions_response__descriptor, positions_start, positions_message,
     positions_end},
    {WORKERS "WatchAssignments", GW_RPC_SERVER_STREAM,
     &gridwarden__v1__watch_assignments_request__descriptor,
     &gridwarden__v1__watch_assignments_response__descriptor, watch_assignments, NULL, NULL},
    {INCIDENTS "Watch", GW_RPC_SERVER_STREAM,
     &gridwarden__v1__incident_service_watch_request__descriptor,
     &gridwarden__v1__incident_service_watch_response__descriptor, watch_incidents, NULL, NULL},
    {INCIDENTS "Report", GW_RPC_UNARY, &gridwarden__v1__report_request__descriptor,
     &gridwarden__v1__report_response__descriptor, report, NULL, NULL},
    {INCIDENTS "SetPlace", GW_RPC_UNARY, &gridwarden__v1__set_place_request__descriptor,
     &gridwarden__v1__set_place_response__descriptor, set_place, NULL, NULL},
    {INCIDENTS "Accept", GW_RPC_UNARY, &gridwarden__v1__accept_request__descriptor,
     &gridwarden__v1__accept_response__descriptor, accept, NULL, NULL},
    {INCIDENTS "Decline", GW_RPC_UNARY, &gridwarden__v1__decline_request__descriptor,
     &gridwarden__v1__decline_response__descriptor, decline, NULL, NULL},
    {INCIDENTS "Start", GW_RPC_UNARY, &gridwarden__v1__start_request__descriptor,
     &gridwarden__v1__start_response__descriptor, start, NULL, NULL},
    {INCIDENTS "Resolve", GW_RPC_UNARY, &gridwarden__v1__resolve_request__descriptor,
     &gridwarden__v1__resolve_response__descriptor, resolve, NULL, NULL},
    {INCIDENTS "Close", GW_RPC_UNARY, &gridwarden__v1__close_request__descriptor,
     &gridwarden__v1__close_response__descriptor, close_incident, NULL, NULL},
};

struct fake_node *fake_node_start(bool refuse_workers) {
    struct fake_node *node = calloc(1, sizeof(*node));
    struct gw_rpc_server_options options = {.listen = "127.0.0.1:0"};
    struct gw_error error = {0};
    if (node == NULL) {
        return NULL;
    }
    node->refuse_workers = refuse_workers;
    if (gw_rpc_server_start(&options, methods, sizeof(methods) / sizeof(methods[0]), node,
                            &node->server, &error) != GW_OK) {
        fprintf(stderr, "fake node: %s\n", error.text);
        free(node);
        return NULL;
    }
    snprintf(node->target, sizeof(node->target), "127.0.0.1:%d", gw_rpc_server_port(node->server));
    return node;
}

const char *fake_node_target(const struct fake_node *node) {
    return node->target;
}

void fake_node_stop(struct fake_node *node) {
    if (node->server != NULL) {
        gw_rpc_server_drain(node->server, 0);
        node->server = NULL;
    }
}

struct fake_facts fake_node_facts(const struct fake_node *node) {
    struct fake_facts facts = node->facts;
    for (uint64_t i = 0; i < facts.incidents; i++) {
        uint32_t state = node->incidents[i].row.state;
        facts.open_offers += state == GRIDWARDEN__V1__INCIDENT_STATE__INCIDENT_STATE_OFFERED;
        facts.at_desk += state == GRIDWARDEN__V1__INCIDENT_STATE__INCIDENT_STATE_AT_DESK;
    }
    return facts;
}

void fake_node_free(struct fake_node *node) {
    if (node != NULL) {
        fake_node_stop(node);
        free(node);
    }
}
