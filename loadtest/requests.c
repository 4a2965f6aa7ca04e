#include "gridwarden/v1/grid.pb-c.h"
#include "gridwarden/v1/incident.pb-c.h"
#include "gridwarden/v1/worker.pb-c.h"
#include "loadtest/parts.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct load_message {
    union {
        Gridwarden__V1__LocateRequest locate;
        Gridwarden__V1__LocateBatchRequest batch;
        Gridwarden__V1__NearestRequest nearest;
        Gridwarden__V1__GetGridRequest grid;
        Gridwarden__V1__ReportRequest report;
        Gridwarden__V1__AcceptRequest accept;
        Gridwarden__V1__StartRequest start;
        Gridwarden__V1__ResolveRequest resolve;
        Gridwarden__V1__CloseRequest close;
    } request;
    Gridwarden__V1__Point point;
    Gridwarden__V1__PackedPoints points;
    int32_t *longitudes, *latitudes; // [work->points]
    char id[2 * LOAD_ID_MAX];
    char description[160];
    char centre[16];
};

struct load_message *load_message_create(const struct load_work *work) {
    struct load_message *message = calloc(1, sizeof(*message));
    if (message != NULL && work->call == LOAD_LOCATE_BATCH) {
        message->longitudes = malloc(work->points * sizeof(int32_t));
        message->latitudes = malloc(work->points * sizeof(int32_t));
        if (message->longitudes == NULL || message->latitudes == NULL) {
            load_message_destroy(message);
            return NULL;
        }
    }
    return message;
}

void load_message_destroy(struct load_message *message) {
    if (message != NULL) {
        free(message->longitudes);
        free(message->latitudes);
        free(message);
    }
}

static char *borrow(const char *text) {
    return (char *)(uintptr_t)text;
}

static Gridwarden__V1__Point *any_point(struct load_message *message,
                                        const struct load_work_run *work,
                                        struct gw_random *random) {
    gridwarden__v1__point__init(&message->point);
    load_city_point(&work->run->city, (enum load_where)work->work->where, random,
                    &message->point.longitude, &message->point.latitude);
    return &message->point;
}

static const ProtobufCMessage *fill_batch(struct load_message *message,
                                          const struct load_work_run *work,
                                          struct gw_random *random) {
    Gridwarden__V1__LocateBatchRequest *request = &message->request.batch;
    gridwarden__v1__locate_batch_request__init(request);
    gridwarden__v1__packed_points__init(&message->points);
    for (uint32_t i = 0; i < work->work->points; i++) {
        double lon = 0, lat = 0;
        load_city_point(&work->run->city, (enum load_where)work->work->where, random, &lon, &lat);
        message->longitudes[i] = (int32_t)lround(lon * 1e7);
        message->latitudes[i] = (int32_t)lround(lat * 1e7);
    }
    message->points.longitudes_e7 = message->longitudes;
    message->points.latitudes_e7 = message->latitudes;
    message->points.n_longitudes_e7 = message->points.n_latitudes_e7 = work->work->points;
    request->points = &message->points;
    return &request->base;
}

static const ProtobufCMessage *fill_report(struct load_message *message,
                                           const struct load_work_run *work,
                                           const struct load_ask *ask, struct gw_random *random) {
    Gridwarden__V1__ReportRequest *request = &message->request.report;
    const struct load_work *kind = work->work;
    struct load_token token = {work->run->run_id, work->lane, ask->number,
                               (ask->intended_ns + work->run->wall_offset_ns) / 1000};
    gridwarden__v1__report_request__init(request);
    load_token_write(&token, message->description, sizeof(message->description));
    (void)snprintf(message->id, sizeof(message->id), "load-%llx-%u-%llu",
                   (unsigned long long)work->run->run_id, work->lane,
                   (unsigned long long)ask->number);
    request->request_id = message->id;
    request->point = any_point(message, work, random);
    request->class_code = borrow(kind->classes[gw_random_below(random, kind->class_count)]);
    request->severity = 1 + gw_random_below(random, 4);
    request->channel = (Gridwarden__V1__Channel)(1 + gw_random_below(random, 5));
    request->description = message->description;
    request->actor = borrow("gridwarden-load");
    return &request->base;
}

static const ProtobufCMessage *fill_call(struct load_message *message,
                                         const struct load_work_run *work,
                                         const struct load_ask *ask) {
    struct gw_random random = gw_random_of(work->seed, ask->number + 16);
    switch (work->work->call) {
    case LOAD_LOCATE:
        gridwarden__v1__locate_request__init(&message->request.locate);
        message->request.locate.point = any_point(message, work, &random);
        return &message->request.locate.base;
    case LOAD_LOCATE_BATCH:
        return fill_batch(message, work, &random);
    case LOAD_NEAREST:
        gridwarden__v1__nearest_request__init(&message->request.nearest);
        message->request.nearest.point = any_point(message, work, &random);
        message->request.nearest.k = work->work->k;
        return &message->request.nearest.base;
    case LOAD_GET_GRID:
        gridwarden__v1__get_grid_request__init(&message->request.grid);
        message->request.grid.code =
            borrow(work->run->city.grids[gw_random_below(&random, work->run->city.grid_count)]);
        message->request.grid.with_boundary = work->work->boundary;
        return &message->request.grid.base;
    default:
        return fill_report(message, work, ask, &random);
    }
}

const ProtobufCMessage *load_message_fill(struct load_message *message,
                                          const struct load_work_run *work,
                                          const struct load_ask *ask) {
    if (ask->step == LOAD_STEP_CALL) {
        return fill_call(message, work, ask);
    }
    (void)snprintf(message->id, sizeof(message->id), "load-%llx-%s-%u-%d",
                   (unsigned long long)work->run->run_id, ask->incident, ask->attempt,
                   (int)ask->step);
    (void)snprintf(message->centre, sizeof(message->centre), "load-centre");
    switch (ask->step) {
    case LOAD_STEP_ACCEPT:
        gridwarden__v1__accept_request__init(&message->request.accept);
        message->request.accept.request_id = message->id;
        message->request.accept.incident_id = borrow(ask->incident);
        message->request.accept.actor = borrow(ask->actor);
        return &message->request.accept.base;
    case LOAD_STEP_START:
        gridwarden__v1__start_request__init(&message->request.start);
        message->request.start.request_id = message->id;
        message->request.start.incident_id = borrow(ask->incident);
        message->request.start.actor = borrow(ask->actor);
        return &message->request.start.base;
    case LOAD_STEP_RESOLVE:
        gridwarden__v1__resolve_request__init(&message->request.resolve);
        message->request.resolve.request_id = message->id;
        message->request.resolve.incident_id = borrow(ask->incident);
        message->request.resolve.actor = borrow(ask->actor);
        return &message->request.resolve.base;
    default:
        gridwarden__v1__close_request__init(&message->request.close);
        message->request.close.request_id = message->id;
        message->request.close.incident_id = borrow(ask->incident);
        message->request.close.actor = message->centre;
        return &message->request.close.base;
    }
}

const char *load_ask_path(const struct load_work *work, const struct load_ask *ask) {
    static const char *const steps[] = {
        [LOAD_STEP_ACCEPT] = "/gridwarden.v1.IncidentService/Accept",
        [LOAD_STEP_START] = "/gridwarden.v1.IncidentService/Start",
        [LOAD_STEP_RESOLVE] = "/gridwarden.v1.IncidentService/Resolve",
        [LOAD_STEP_CLOSE] = "/gridwarden.v1.IncidentService/Close",
    };
    static const char *const calls[] = {
        [LOAD_LOCATE] = "/gridwarden.v1.GridService/Locate",
        [LOAD_LOCATE_BATCH] = "/gridwarden.v1.GridService/LocateBatch",
        [LOAD_NEAREST] = "/gridwarden.v1.WorkerService/Nearest",
        [LOAD_GET_GRID] = "/gridwarden.v1.GridService/GetGrid",
        [LOAD_REPORT] = "/gridwarden.v1.IncidentService/Report",
    };
    return ask->step == LOAD_STEP_CALL ? calls[work->call] : steps[ask->step];
}

const ProtobufCMessageDescriptor *load_ask_response(const struct load_work *work,
                                                    const struct load_ask *ask) {
    static const ProtobufCMessageDescriptor *const steps[] = {
        [LOAD_STEP_ACCEPT] = &gridwarden__v1__accept_response__descriptor,
        [LOAD_STEP_START] = &gridwarden__v1__start_response__descriptor,
        [LOAD_STEP_RESOLVE] = &gridwarden__v1__resolve_response__descriptor,
        [LOAD_STEP_CLOSE] = &gridwarden__v1__close_response__descriptor,
    };
    static const ProtobufCMessageDescriptor *const calls[] = {
        [LOAD_LOCATE] = &gridwarden__v1__locate_response__descriptor,
        [LOAD_LOCATE_BATCH] = &gridwarden__v1__locate_batch_response__descriptor,
        [LOAD_NEAREST] = &gridwarden__v1__nearest_response__descriptor,
        [LOAD_GET_GRID] = &gridwarden__v1__get_grid_response__descriptor,
        [LOAD_REPORT] = &gridwarden__v1__report_response__descriptor,
    };
    return ask->step == LOAD_STEP_CALL ? calls[work->call] : steps[ask->step];
}
