#include "services/base/clock.h"
#include "services/demo/player_parts.h"
#include <stdio.h>
#include <string.h>

enum { SECOND_MS = 1000, MINUTE_MS = 60 * SECOND_MS, RETRY_NS = 50000000 };

struct gw_demo_call *gw_demo_call_take(struct gw_demo_player *player) {
    struct gw_demo_call *call = player->free_calls;
    if (call != NULL) {
        player->free_calls = call->next_free;
        player->open_calls++;
    }
    return call;
}

void gw_demo_call_free(struct gw_demo_call *call) {
    struct gw_demo_player *player = call->player;
    call->next_free = player->free_calls;
    player->free_calls = call;
    player->open_calls--;
}

// Worth another try with the same bytes: what may have had no effect, or an unknown one.
static bool may_retry(gw_err code) {
    return code == GW_EUNAVAILABLE || code == GW_EDEADLINE || code == GW_ENOSPC ||
           code == GW_EABORTED;
}

// A call that failed is tried again, or given up and counted.
static void settle_failure(struct gw_demo_player *player, const struct gw_demo_task *task,
                           const struct gw_error *error) {
    if (may_retry(error->code) && task->tries + 1 < GW_DEMO_TRIES_MAX) {
        struct gw_demo_task again = *task;
        again.due_ns = gw_clock_monotonic_ns() + ((int64_t)RETRY_NS << task->tries);
        again.tries++;
        player->totals.retried++;
        if (gw_demo_tasks_add(&player->tasks, &again)) {
            return;
        }
    }
    if (error->code == GW_ESTATE || error->code == GW_EPERM) {
        player->totals.refused++; // it went elsewhere in the meantime
    } else {
        player->totals.failed++;
        if (player->fault.code == GW_OK) {
            player->fault = *error;
        }
    }
}

// After a report or a place: whether a worker was asked, and when the place will be known.
static void settle_report(struct gw_demo_call *call, const Gridwarden__V1__Incident *incident,
                          int64_t now_ns) {
    struct gw_demo_player *player = call->player;
    bool offered = incident->state == GRIDWARDEN__V1__INCIDENT_STATE__INCIDENT_STATE_OFFERED;
    player->totals.assigned += offered;
    if (call->task.step == GW_DEMO_SET_PLACE) {
        player->totals.placed++;
        return;
    }
    player->totals.reported++;
    if (offered) {
        gw_demo_latency_add(&player->latency, now_ns - call->task.sent_ns);
    }
    if (incident->state == GRIDWARDEN__V1__INCIDENT_STATE__INCIDENT_STATE_PLACE_UNKNOWN) {
        struct gw_demo_task task = call->task;
        snprintf(task.incident, sizeof(task.incident), "%s", incident->id);
        snprintf(task.actor, sizeof(task.actor), "demo-centre");
        task.step = GW_DEMO_SET_PLACE;
        task.due_ns = now_ns;
        gw_demo_plan_step(player, &task, GW_DEMO_SET_PLACE,
                          gw_demo_lot(player, &task, 2 * MINUTE_MS, 8 * MINUTE_MS));
    }
}

// The incident as a reply shows it; NULL: the reply has none.
static const Gridwarden__V1__Incident *incident_of(enum gw_demo_step step,
                                                   const ProtobufCMessage *response) {
    switch (step) {
    case GW_DEMO_REPORT:
        return ((const Gridwarden__V1__ReportResponse *)response)->incident;
    case GW_DEMO_SET_PLACE:
        return ((const Gridwarden__V1__SetPlaceResponse *)response)->incident;
    default:
        return NULL;
    }
}

static void finished(void *context, const struct gw_error *error,
                     const ProtobufCMessage *response) {
    struct gw_demo_call *call = context;
    struct gw_demo_player *player = call->player;
    struct gw_demo_task *task = &call->task;
    int64_t now_ns = gw_clock_monotonic_ns();
    if (error != NULL) {
        player->heard_ns = error->code == GW_EUNAVAILABLE ? player->heard_ns : now_ns;
        settle_failure(player, task, error);
        gw_demo_call_free(call);
        return;
    }
    player->heard_ns = now_ns;
    task->due_ns = now_ns;
    const Gridwarden__V1__Incident *incident = incident_of(task->step, response);
    if (incident != NULL) {
        settle_report(call, incident, now_ns);
    }
    switch (task->step) {
    case GW_DEMO_ACCEPT: // on the way, at work, done, and looked at by the centre
        player->totals.accepted++;
        gw_demo_plan_step(player, task, GW_DEMO_START,
                          gw_demo_lot(player, task, 2 * MINUTE_MS, 15 * MINUTE_MS));
        break;
    case GW_DEMO_DECLINE:
        player->totals.declined++;
        break;
    case GW_DEMO_START:
        player->totals.started++;
        gw_demo_plan_step(player, task, GW_DEMO_RESOLVE,
                          gw_demo_lot(player, task, 8 * MINUTE_MS, 50 * MINUTE_MS));
        break;
    case GW_DEMO_RESOLVE:
        player->totals.resolved++;
        snprintf(task->actor, sizeof(task->actor), "demo-centre");
        gw_demo_plan_step(player, task, GW_DEMO_CLOSE,
                          gw_demo_lot(player, task, 5 * MINUTE_MS, 30 * MINUTE_MS));
        break;
    case GW_DEMO_CLOSE:
        player->totals.closed++;
        break;
    case GW_DEMO_SET_PLACE:
    case GW_DEMO_REPORT:
    case GW_DEMO_STEPS:
        break;
    }
    gw_demo_call_free(call);
}

// --- the requests ---

struct request {
    char id[2 * GW_DEMO_ID_MAX];
    union {
        ProtobufCMessage base;
        Gridwarden__V1__ReportRequest report;
        Gridwarden__V1__SetPlaceRequest place;
        Gridwarden__V1__AcceptRequest accept;
        Gridwarden__V1__DeclineRequest decline;
        Gridwarden__V1__StartRequest start;
        Gridwarden__V1__ResolveRequest resolve;
        Gridwarden__V1__CloseRequest close;
    } message;
    Gridwarden__V1__Point point;
    char text[256], actor[GW_DEMO_ID_MAX];
};

static const struct {
    const char *word, *path;
    const ProtobufCMessageDescriptor *response;
} steps[GW_DEMO_STEPS] = {
    [GW_DEMO_ACCEPT] = {"accept", "/gridwarden.v1.IncidentService/Accept",
                        &gridwarden__v1__accept_response__descriptor},
    [GW_DEMO_DECLINE] = {"decline", "/gridwarden.v1.IncidentService/Decline",
                         &gridwarden__v1__decline_response__descriptor},
    [GW_DEMO_START] = {"start", "/gridwarden.v1.IncidentService/Start",
                       &gridwarden__v1__start_response__descriptor},
    [GW_DEMO_RESOLVE] = {"resolve", "/gridwarden.v1.IncidentService/Resolve",
                         &gridwarden__v1__resolve_response__descriptor},
    [GW_DEMO_CLOSE] = {"close", "/gridwarden.v1.IncidentService/Close",
                       &gridwarden__v1__close_response__descriptor},
    [GW_DEMO_SET_PLACE] = {"place", "/gridwarden.v1.IncidentService/SetPlace",
                           &gridwarden__v1__set_place_response__descriptor},
    [GW_DEMO_REPORT] = {"report", "/gridwarden.v1.IncidentService/Report",
                        &gridwarden__v1__report_response__descriptor},
};

static void fill_point(struct request *request, struct gw_point point) {
    gridwarden__v1__point__init(&request->point);
    request->point.longitude = gw_degrees(point.lon);
    request->point.latitude = gw_degrees(point.lat);
}

static void fill_report(const struct gw_demo_player *player, const struct gw_demo_task *task,
                        struct request *request) {
    const struct gw_demo_incident *incident = &player->plan[task->planned];
    const struct gw_demo_class *class = &gw_demo_classes[incident->class_index];
    Gridwarden__V1__ReportRequest *report = &request->message.report;
    static char empty[] = "";
    gridwarden__v1__report_request__init(report);
    report->request_id = request->id;
    report->class_code = (char *)(uintptr_t) class->code;
    report->severity = incident->severity;
    report->channel = (Gridwarden__V1__Channel)incident->channel;
    report->actor = request->actor;
    report->description = request->text;
    report->address = empty;
    snprintf(request->actor, sizeof(request->actor), "demo");
    if (incident->place == GW_DEMO_PLACE_LATER) {
        const struct gw_city_grid *grid = &player->city->grids[incident->grid];
        snprintf(request->text, sizeof(request->text), "SYNTHETIC %s, somewhere in %s", class->name,
                 player->city->areas[grid->village].name);
        report->address = request->text;
        return;
    }
    snprintf(request->text, sizeof(request->text), "SYNTHETIC %s", class->name);
    fill_point(request, incident->point);
    report->point = &request->point;
}

static void fill_transition(const struct gw_demo_player *player, const struct gw_demo_task *task,
                            struct request *request) {
    char *id = request->id, *incident = (char *)(uintptr_t)task->incident, *actor = request->actor;
    snprintf(request->actor, sizeof(request->actor), "%s", task->actor);
    snprintf(request->text, sizeof(request->text), "SYNTHETIC: done");
    switch (task->step) {
    case GW_DEMO_ACCEPT:
        request->message.accept = (Gridwarden__V1__AcceptRequest){
            PROTOBUF_C_MESSAGE_INIT(&gridwarden__v1__accept_request__descriptor), id, incident,
            actor};
        break;
    case GW_DEMO_DECLINE:
        snprintf(request->text, sizeof(request->text), "SYNTHETIC: busy elsewhere");
        request->message.decline = (Gridwarden__V1__DeclineRequest){
            PROTOBUF_C_MESSAGE_INIT(&gridwarden__v1__decline_request__descriptor), id, incident,
            actor, request->text};
        break;
    case GW_DEMO_START:
        request->message.start = (Gridwarden__V1__StartRequest){
            PROTOBUF_C_MESSAGE_INIT(&gridwarden__v1__start_request__descriptor), id, incident,
            actor};
        break;
    case GW_DEMO_RESOLVE:
        request->message.resolve = (Gridwarden__V1__ResolveRequest){
            PROTOBUF_C_MESSAGE_INIT(&gridwarden__v1__resolve_request__descriptor), id, incident,
            actor, request->text};
        break;
    case GW_DEMO_CLOSE:
        request->message.close = (Gridwarden__V1__CloseRequest){
            PROTOBUF_C_MESSAGE_INIT(&gridwarden__v1__close_request__descriptor), id, incident,
            actor, request->text};
        break;
    default:
        fill_point(request, player->plan[task->planned].point);
        request->message.place = (Gridwarden__V1__SetPlaceRequest){
            PROTOBUF_C_MESSAGE_INIT(&gridwarden__v1__set_place_request__descriptor), id, incident,
            &request->point, actor};
        break;
    }
}

bool gw_demo_send(struct gw_demo_player *player, const struct gw_demo_task *task) {
    struct gw_demo_call *call = gw_demo_call_take(player);
    if (call == NULL) {
        return false;
    }
    struct request request = {0};
    call->task = *task;
    if (call->task.sent_ns == 0) {
        call->task.sent_ns = gw_clock_monotonic_ns();
    }
    if (task->step == GW_DEMO_REPORT) {
        snprintf(request.id, sizeof(request.id), "demo-%llx-report-%u",
                 (unsigned long long)player->options.run, task->planned);
        fill_report(player, task, &request);
    } else {
        // Ids of incidents are 27 bytes: the whole stays below the 128 that are allowed.
        snprintf(request.id, sizeof(request.id), "demo-%llx-%s-%.64s-%u",
                 (unsigned long long)player->options.run, steps[task->step].word, task->incident,
                 task->attempt);
        fill_transition(player, task, &request);
    }
    gw_err err = gw_rpc_unary_start(player->channel, steps[task->step].path, &request.message.base,
                                    steps[task->step].response, GW_DEMO_CALL_MS, finished, call);
    if (err != GW_OK) {
        struct gw_error error;
        (void)gw_error_set(&error, err, "cannot send: %s", gw_err_text(err));
        settle_failure(player, &call->task, &error);
        gw_demo_call_free(call);
    }
    return true;
}

void gw_demo_send_duty_done(void *context, const struct gw_error *error,
                            const ProtobufCMessage *response) {
    struct gw_demo_call *call = context;
    (void)response;
    if (error == NULL) {
        call->player->heard_ns = gw_clock_monotonic_ns();
    } else {
        call->player->duty_unsure = true; // the next minute tells of everybody again
        call->player->totals.retried++;
    }
    gw_demo_call_free(call);
}
