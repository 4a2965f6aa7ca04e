#include "loadtest/testing_node.h"

#include "gridwarden/v1/grid.pb-c.h"
#include "gridwarden/v1/incident.pb-c.h"
#include "gridwarden/v1/worker.pb-c.h"
#include "services/base/clock.h"
#include "services/rpc/server.h"
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GRIDS = 4, WORKERS = 10, INCIDENTS_MAX = 8192, HELD_MAX = 4096, WATCHES_MAX = 8 };

struct incident {
    char id[32], request_id[130], description[200], handler[16];
    int64_t reported_ms;
    bool lost, twice, hidden;
};

struct fake_node {
    struct gw_rpc_server *server;
    char target[64];
    struct fake_faults faults;
    struct fake_facts facts;
    struct incident incidents[INCIDENTS_MAX];
    uint32_t incident_count;
    struct gw_rpc_call *held[HELD_MAX];
    uint32_t held_count;
    struct gw_rpc_call *events[WATCHES_MAX], *assignments[WATCHES_MAX];
};

static void refuse(struct gw_rpc_call *call, gw_err code, const char *text) {
    struct gw_error error;
    (void)gw_error_set(&error, code, "%s", text);
    gw_rpc_fail(call, &error);
}

static bool every(uint64_t count, uint32_t n) {
    return n > 0 && count % n == 0;
}

// --- grids ---

static void locate(struct gw_rpc_call *call, const ProtobufCMessage *message, void *context) {
    struct fake_node *node = context;
    const Gridwarden__V1__LocateRequest *request = (const Gridwarden__V1__LocateRequest *)message;
    Gridwarden__V1__LocateResponse response = GRIDWARDEN__V1__LOCATE_RESPONSE__INIT;
    node->facts.locates++;
    if (request->point == NULL || request->point->longitude < 123 ||
        request->point->longitude > 124 || request->point->latitude < 42 ||
        request->point->latitude > 43) {
        node->facts.faults++;
    }
    if (node->faults.silent && node->held_count < HELD_MAX) {
        node->held[node->held_count++] = call;
        return;
    }
    if (node->facts.locates == node->faults.pause_at) {
        (void)poll(NULL, 0, node->faults.pause_ms); // the loop thread: everybody waits
    }
    gw_rpc_reply(call, &response.base);
}

static void locate_batch(struct gw_rpc_call *call, const ProtobufCMessage *message, void *context) {
    struct fake_node *node = context;
    const Gridwarden__V1__LocateBatchRequest *request =
        (const Gridwarden__V1__LocateBatchRequest *)message;
    Gridwarden__V1__LocateBatchResponse response = GRIDWARDEN__V1__LOCATE_BATCH_RESPONSE__INIT;
    uint32_t owners[64] = {0};
    response.n_owners =
        request->points->n_longitudes_e7 <= 64 ? request->points->n_longitudes_e7 : 64;
    response.owners = owners;
    node->facts.points += request->points->n_latitudes_e7;
    gw_rpc_reply(call, &response.base);
}

static void get_grid(struct gw_rpc_call *call, const ProtobufCMessage *message, void *context) {
    struct fake_node *node = context;
    const Gridwarden__V1__GetGridRequest *request = (const Gridwarden__V1__GetGridRequest *)message;
    int32_t at = (int32_t)strtol(request->code + 1, NULL, 10), west = 1230000000 + at * 1000000,
            south = 420000000;
    int32_t lons[] = {west, west + 900000, west + 900000, west, west};
    int32_t lats[] = {south, south, south + 900000, south + 900000, south};
    Gridwarden__V1__GetGridResponse response = GRIDWARDEN__V1__GET_GRID_RESPONSE__INIT;
    Gridwarden__V1__Grid grid = GRIDWARDEN__V1__GRID__INIT;
    Gridwarden__V1__MultiPolygon shape = GRIDWARDEN__V1__MULTI_POLYGON__INIT;
    Gridwarden__V1__Polygon polygon = GRIDWARDEN__V1__POLYGON__INIT, *polygons[] = {&polygon};
    Gridwarden__V1__PackedPoints ring = GRIDWARDEN__V1__PACKED_POINTS__INIT, *rings[] = {&ring};
    node->facts.grids++;
    ring.longitudes_e7 = lons;
    ring.latitudes_e7 = lats;
    ring.n_longitudes_e7 = ring.n_latitudes_e7 = 5;
    polygon.rings = rings;
    shape.polygons = polygons;
    polygon.n_rings = shape.n_polygons = 1;
    grid.code = request->code;
    grid.boundary = &shape;
    response.grid = &grid;
    gw_rpc_reply(call, &response.base);
}

// Two pages of two.
static void list_grids(struct gw_rpc_call *call, const ProtobufCMessage *message, void *context) {
    const Gridwarden__V1__ListGridsRequest *request =
        (const Gridwarden__V1__ListGridsRequest *)message;
    Gridwarden__V1__ListGridsResponse response = GRIDWARDEN__V1__LIST_GRIDS_RESPONSE__INIT;
    Gridwarden__V1__Grid grids[GRIDS / 2], *rows[GRIDS / 2];
    char codes[GRIDS / 2][16], more[] = "more";
    bool second = request->page->token[0] != '\0';
    (void)context;
    for (int i = 0; i < GRIDS / 2; i++) {
        gridwarden__v1__grid__init(&grids[i]);
        (void)snprintf(codes[i], sizeof(codes[i]), "g%d", i + (second ? GRIDS / 2 : 0));
        grids[i].code = codes[i];
        rows[i] = &grids[i];
    }
    response.grids = rows;
    response.n_grids = GRIDS / 2;
    response.next_token = second ? response.next_token : more;
    gw_rpc_reply(call, &response.base);
}

static void list_editions(struct gw_rpc_call *call, const ProtobufCMessage *message,
                          void *context) {
    Gridwarden__V1__ListEditionsResponse response = GRIDWARDEN__V1__LIST_EDITIONS_RESPONSE__INIT;
    (void)message;
    (void)context;
    gw_rpc_reply(call, &response.base);
}

// --- workers ---

static void nearest(struct gw_rpc_call *call, const ProtobufCMessage *message, void *context) {
    struct fake_node *node = context;
    Gridwarden__V1__NearestResponse response = GRIDWARDEN__V1__NEAREST_RESPONSE__INIT;
    (void)message;
    node->facts.nearests++;
    gw_rpc_reply(call, &response.base);
}

static void list_workers(struct gw_rpc_call *call, const ProtobufCMessage *message, void *context) {
    Gridwarden__V1__ListWorkersResponse response = GRIDWARDEN__V1__LIST_WORKERS_RESPONSE__INIT;
    Gridwarden__V1__Worker workers[WORKERS], *rows[WORKERS];
    char ids[WORKERS][16];
    (void)message;
    (void)context;
    for (int i = 0; i < WORKERS; i++) {
        gridwarden__v1__worker__init(&workers[i]);
        (void)snprintf(ids[i], sizeof(ids[i]), "w%d", i);
        workers[i].id = ids[i];
        rows[i] = &workers[i];
    }
    response.workers = rows;
    response.n_workers = WORKERS;
    gw_rpc_reply(call, &response.base);
}

static void set_duty(struct gw_rpc_call *call, const ProtobufCMessage *message, void *context) {
    struct fake_node *node = context;
    Gridwarden__V1__SetDutyResponse response = GRIDWARDEN__V1__SET_DUTY_RESPONSE__INIT;
    node->facts.on_duty += ((const Gridwarden__V1__SetDutyRequest *)message)->n_worker_ids;
    gw_rpc_reply(call, &response.base);
}

static void count_done(struct gw_rpc_call *call, void *state) {
    (void)call;
    free(state);
}

static void no_start(struct gw_rpc_call *call, const ProtobufCMessage *message, void *context) {
    struct fake_node *node = context;
    (void)message;
    node->facts.streams++;
    gw_rpc_call_set_stream(call, calloc(1, sizeof(uint64_t)), NULL, count_done);
}

static void positions(struct gw_rpc_call *call, const ProtobufCMessage *message, void *context) {
    struct fake_node *node = context;
    uint64_t *count = gw_rpc_call_state(call);
    *count += ((const Gridwarden__V1__ReportPositionsRequest *)message)->n_positions;
    node->facts.positions += ((const Gridwarden__V1__ReportPositionsRequest *)message)->n_positions;
}

static void positions_end(struct gw_rpc_call *call, void *context) {
    Gridwarden__V1__ReportPositionsResponse response =
        GRIDWARDEN__V1__REPORT_POSITIONS_RESPONSE__INIT;
    uint64_t *count = gw_rpc_call_state(call);
    (void)context;
    response.applied = *count;
    gw_rpc_reply(call, &response.base);
}

// --- watches ---

static void forget(struct gw_rpc_call *call, void *state) {
    struct fake_node *node = state;
    for (int i = 0; i < WATCHES_MAX; i++) {
        node->events[i] = node->events[i] == call ? NULL : node->events[i];
        node->assignments[i] = node->assignments[i] == call ? NULL : node->assignments[i];
    }
}

static void keep(struct gw_rpc_call *call, struct fake_node *node, struct gw_rpc_call *watches[]) {
    gw_rpc_call_set_stream(call, node, NULL, forget);
    for (int i = 0; i < WATCHES_MAX; i++) {
        if (watches[i] == NULL) {
            watches[i] = call;
            return;
        }
    }
    node->facts.faults++;
}

static void watch(struct gw_rpc_call *call, const ProtobufCMessage *message, void *context) {
    struct fake_node *node = context;
    (void)message;
    keep(call, node, node->events);
}

static void watch_assignments(struct gw_rpc_call *call, const ProtobufCMessage *message,
                              void *context) {
    struct fake_node *node = context;
    (void)message;
    keep(call, node, node->assignments);
}

static void tell(struct fake_node *node, struct incident *incident) {
    Gridwarden__V1__Reported reported = GRIDWARDEN__V1__REPORTED__INIT;
    Gridwarden__V1__IncidentEvent event = GRIDWARDEN__V1__INCIDENT_EVENT__INIT;
    Gridwarden__V1__IncidentServiceWatchResponse row =
        GRIDWARDEN__V1__INCIDENT_SERVICE_WATCH_RESPONSE__INIT;
    Gridwarden__V1__Assignment assignment = GRIDWARDEN__V1__ASSIGNMENT__INIT;
    Gridwarden__V1__WatchAssignmentsResponse offer =
        GRIDWARDEN__V1__WATCH_ASSIGNMENTS_RESPONSE__INIT;
    reported.description = incident->description;
    event.incident_id = incident->id;
    event.kind_case = GRIDWARDEN__V1__INCIDENT_EVENT__KIND_REPORTED;
    event.reported = &reported;
    row.event = &event;
    assignment.incident_id = incident->id;
    assignment.worker_id = incident->handler;
    assignment.attempt = 1;
    assignment.state = GRIDWARDEN__V1__ASSIGNMENT_STATE__ASSIGNMENT_STATE_OFFERED;
    offer.assignment = &assignment;
    for (int i = 0; i < WATCHES_MAX; i++) {
        if (node->events[i] != NULL && gw_rpc_send(node->events[i], &row.base) == GW_ENOSPC) {
            node->facts.faults++;
        }
        if (node->assignments[i] != NULL &&
            gw_rpc_send(node->assignments[i], &offer.base) == GW_ENOSPC) {
            node->facts.faults++;
        }
    }
}

// --- incidents ---

static struct incident *find(struct fake_node *node, const char *id) {
    for (uint32_t i = 0; i < node->incident_count; i++) {
        if (strcmp(node->incidents[i].id, id) == 0) {
            return &node->incidents[i];
        }
    }
    return NULL;
}

static void show(struct incident *from, Gridwarden__V1__Incident *to) {
    gridwarden__v1__incident__init(to);
    to->id = from->id;
    to->description = from->description;
    to->reported_ms = from->reported_ms;
}

static void report(struct gw_rpc_call *call, const ProtobufCMessage *message, void *context) {
    struct fake_node *node = context;
    const Gridwarden__V1__ReportRequest *request = (const Gridwarden__V1__ReportRequest *)message;
    Gridwarden__V1__ReportResponse response = GRIDWARDEN__V1__REPORT_RESPONSE__INIT;
    Gridwarden__V1__Incident row;
    struct incident *incident = NULL;
    for (uint32_t i = 0; i < node->incident_count && incident == NULL; i++) {
        bool same = strcmp(node->incidents[i].request_id, request->request_id) == 0;
        incident = same ? &node->incidents[i] : NULL;
    }
    if (incident == NULL && node->incident_count < INCIDENTS_MAX) {
        incident = &node->incidents[node->incident_count++];
        uint64_t count = ++node->facts.reports;
        (void)snprintf(incident->id, sizeof(incident->id), "i%llu", (unsigned long long)count);
        (void)snprintf(incident->request_id, sizeof(incident->request_id), "%s",
                       request->request_id);
        (void)snprintf(incident->description, sizeof(incident->description), "%s",
                       request->description);
        (void)snprintf(incident->handler, sizeof(incident->handler), "w%d", (int)(count % WORKERS));
        incident->reported_ms = gw_clock_wall_ms() + node->faults.clock_ms;
        incident->lost = every(count, node->faults.lose_every);
        incident->twice = every(count, node->faults.double_every);
        incident->hidden = every(count, node->faults.hide_every);
        tell(node, incident);
        if (every(count, node->faults.turn_away_every)) {
            refuse(call, GW_EUNAVAILABLE, "come again");
            return;
        }
    } else if (incident != NULL) {
        node->facts.repeated++;
        node->facts.faults += strcmp(incident->description, request->description) != 0;
    } else {
        refuse(call, GW_ENOSPC, "full");
        return;
    }
    show(incident, &row);
    response.incident = &row;
    gw_rpc_reply(call, &response.base);
}

static void get(struct gw_rpc_call *call, const ProtobufCMessage *message, void *context) {
    struct incident *incident =
        find(context, ((const Gridwarden__V1__IncidentServiceGetRequest *)message)->id);
    Gridwarden__V1__IncidentServiceGetResponse response =
        GRIDWARDEN__V1__INCIDENT_SERVICE_GET_RESPONSE__INIT;
    Gridwarden__V1__Incident row;
    if (incident == NULL || incident->lost) {
        refuse(call, GW_ENOTFOUND, "no such incident");
        return;
    }
    show(incident, &row);
    response.incident = &row;
    gw_rpc_reply(call, &response.base);
}

// Newest first, a hundred a page; the token is the number of those shown.
static void list(struct gw_rpc_call *call, const ProtobufCMessage *message, void *context) {
    struct fake_node *node = context;
    const Gridwarden__V1__IncidentServiceListRequest *request =
        (const Gridwarden__V1__IncidentServiceListRequest *)message;
    Gridwarden__V1__IncidentServiceListResponse response =
        GRIDWARDEN__V1__INCIDENT_SERVICE_LIST_RESPONSE__INIT;
    static Gridwarden__V1__Incident rows[200];
    static char doubles[200][40];
    Gridwarden__V1__Incident *list_of[200];
    char token[32];
    uint32_t shown = (uint32_t)strtoul(request->page->token, NULL, 10), count = 0;
    for (uint32_t i = 0; i < 100 && shown < node->incident_count; i++, shown++) {
        struct incident *incident = &node->incidents[node->incident_count - 1 - shown];
        int times = incident->lost || incident->hidden ? 0 : incident->twice ? 2 : 1;
        for (int k = 0; k < times; k++) {
            show(incident, &rows[count]);
            if (k == 1) {
                (void)snprintf(doubles[count], sizeof(doubles[count]), "%s-2", incident->id);
                rows[count].id = doubles[count];
            }
            list_of[count] = &rows[count];
            count++;
        }
    }
    if (shown < node->incident_count) {
        (void)snprintf(token, sizeof(token), "%u", shown);
        response.next_token = token;
    }
    response.incidents = list_of;
    response.n_incidents = count;
    gw_rpc_reply(call, &response.base);
}

// Steps are counted; one of the wrong worker is a fault.
static void step(struct fake_node *node, const char *id, const char *actor, uint64_t *count) {
    const struct incident *incident = find(node, id);
    (*count)++;
    node->facts.faults +=
        incident == NULL || (actor != NULL && strcmp(incident->handler, actor) != 0);
}

static void accept_it(struct gw_rpc_call *call, const ProtobufCMessage *message, void *context) {
    const Gridwarden__V1__AcceptRequest *request = (const Gridwarden__V1__AcceptRequest *)message;
    Gridwarden__V1__AcceptResponse response = GRIDWARDEN__V1__ACCEPT_RESPONSE__INIT;
    struct fake_node *node = context;
    step(node, request->incident_id, request->actor, &node->facts.accepted);
    gw_rpc_reply(call, &response.base);
}

static void start_it(struct gw_rpc_call *call, const ProtobufCMessage *message, void *context) {
    const Gridwarden__V1__StartRequest *request = (const Gridwarden__V1__StartRequest *)message;
    Gridwarden__V1__StartResponse response = GRIDWARDEN__V1__START_RESPONSE__INIT;
    struct fake_node *node = context;
    step(node, request->incident_id, request->actor, &node->facts.started);
    gw_rpc_reply(call, &response.base);
}

static void resolve_it(struct gw_rpc_call *call, const ProtobufCMessage *message, void *context) {
    const Gridwarden__V1__ResolveRequest *request = (const Gridwarden__V1__ResolveRequest *)message;
    Gridwarden__V1__ResolveResponse response = GRIDWARDEN__V1__RESOLVE_RESPONSE__INIT;
    struct fake_node *node = context;
    step(node, request->incident_id, request->actor, &node->facts.resolved);
    gw_rpc_reply(call, &response.base);
}

static void close_it(struct gw_rpc_call *call, const ProtobufCMessage *message, void *context) {
    const Gridwarden__V1__CloseRequest *request = (const Gridwarden__V1__CloseRequest *)message;
    Gridwarden__V1__CloseResponse response = GRIDWARDEN__V1__CLOSE_RESPONSE__INIT;
    struct fake_node *node = context;
    step(node, request->incident_id, NULL, &node->facts.closed);
    gw_rpc_reply(call, &response.base);
}

// --- the server ---

#define G "/gridwarden.v1.GridService/"
#define W "/gridwarden.v1.WorkerService/"
#define I "/gridwarden.v1.IncidentService/"
static const struct gw_rpc_method methods[] = {
    {G "Locate", GW_RPC_UNARY, &gridwarden__v1__locate_request__descriptor,
     &gridwarden__v1__locate_response__descriptor, locate, NULL, NULL},
    {G "LocateBatch", GW_RPC_UNARY, &gridwarden__v1__locate_batch_request__descriptor,
     &gridwarden__v1__locate_batch_response__descriptor, locate_batch, NULL, NULL},
    {G "GetGrid", GW_RPC_UNARY, &gridwarden__v1__get_grid_request__descriptor,
     &gridwarden__v1__get_grid_response__descriptor, get_grid, NULL, NULL},
    {G "ListGrids", GW_RPC_UNARY, &gridwarden__v1__list_grids_request__descriptor,
     &gridwarden__v1__list_grids_response__descriptor, list_grids, NULL, NULL},
    {G "ListEditions", GW_RPC_UNARY, &gridwarden__v1__list_editions_request__descriptor,
     &gridwarden__v1__list_editions_response__descriptor, list_editions, NULL, NULL},
    {W "Nearest", GW_RPC_UNARY, &gridwarden__v1__nearest_request__descriptor,
     &gridwarden__v1__nearest_response__descriptor, nearest, NULL, NULL},
    {W "ListWorkers", GW_RPC_UNARY, &gridwarden__v1__list_workers_request__descriptor,
     &gridwarden__v1__list_workers_response__descriptor, list_workers, NULL, NULL},
    {W "SetDuty", GW_RPC_UNARY, &gridwarden__v1__set_duty_request__descriptor,
     &gridwarden__v1__set_duty_response__descriptor, set_duty, NULL, NULL},
    {W "ReportPositions", GW_RPC_CLIENT_STREAM,
     &gridwarden__v1__report_positions_request__descriptor,
     &gridwarden__v1__report_positions_response__descriptor, no_start, positions, positions_end},
    {W "WatchAssignments", GW_RPC_SERVER_STREAM,
     &gridwarden__v1__watch_assignments_request__descriptor,
     &gridwarden__v1__watch_assignments_response__descriptor, watch_assignments, NULL, NULL},
    {I "Watch", GW_RPC_SERVER_STREAM, &gridwarden__v1__incident_service_watch_request__descriptor,
     &gridwarden__v1__incident_service_watch_response__descriptor, watch, NULL, NULL},
    {I "Report", GW_RPC_UNARY, &gridwarden__v1__report_request__descriptor,
     &gridwarden__v1__report_response__descriptor, report, NULL, NULL},
    {I "Get", GW_RPC_UNARY, &gridwarden__v1__incident_service_get_request__descriptor,
     &gridwarden__v1__incident_service_get_response__descriptor, get, NULL, NULL},
    {I "List", GW_RPC_UNARY, &gridwarden__v1__incident_service_list_request__descriptor,
     &gridwarden__v1__incident_service_list_response__descriptor, list, NULL, NULL},
    {I "Accept", GW_RPC_UNARY, &gridwarden__v1__accept_request__descriptor,
     &gridwarden__v1__accept_response__descriptor, accept_it, NULL, NULL},
    {I "Start", GW_RPC_UNARY, &gridwarden__v1__start_request__descriptor,
     &gridwarden__v1__start_response__descriptor, start_it, NULL, NULL},
    {I "Resolve", GW_RPC_UNARY, &gridwarden__v1__resolve_request__descriptor,
     &gridwarden__v1__resolve_response__descriptor, resolve_it, NULL, NULL},
    {I "Close", GW_RPC_UNARY, &gridwarden__v1__close_request__descriptor,
     &gridwarden__v1__close_response__descriptor, close_it, NULL, NULL},
};

struct fake_node *fake_node_start(const struct fake_faults *faults) {
    struct fake_node *node = calloc(1, sizeof(*node));
    struct gw_rpc_server_options options = {.listen = "127.0.0.1:0"};
    struct gw_error error;
    if (node == NULL) {
        abort();
    }
    node->faults = *faults;
    if (gw_rpc_server_start(&options, methods, sizeof(methods) / sizeof(methods[0]), node,
                            &node->server, &error) != GW_OK) {
        fprintf(stderr, "fake node: %s\n", error.text);
        abort();
    }
    (void)snprintf(node->target, sizeof(node->target), "127.0.0.1:%d",
                   gw_rpc_server_port(node->server));
    return node;
}

const char *fake_node_target(const struct fake_node *node) {
    return node->target;
}

struct fake_facts fake_node_stop(struct fake_node *node) {
    gw_rpc_server_drain(node->server, 100);
    for (uint32_t i = 0; i < node->held_count; i++) {
        refuse(node->held[i], GW_EUNAVAILABLE, "never");
    }
    struct fake_facts facts = node->facts;
    free(node);
    return facts;
}
