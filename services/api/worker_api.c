// WorkerService: roster reads, nearest, live positions. Its writes go through write_api.c.
#include "services/api/handlers.h"

#include "gridwarden/v1/worker.pb-c.h"
#include "services/base/clock.h"
#include "services/workers/workers.h"
#include <stdlib.h>
#include <string.h>

void api_get_worker(struct gw_rpc_call *call, const ProtobufCMessage *message, void *context) {
    const struct gw_api *api = context;
    const Gridwarden__V1__GetWorkerRequest *request =
        (const Gridwarden__V1__GetWorkerRequest *)message;
    struct gw_error error;
    Gridwarden__V1__Worker *worker = NULL;
    if (request->id[0] == '\0' || strlen(request->id) > GW_WORKER_ID_MAX) {
        (void)gw_error_set(&error, GW_EINVAL, "id must have 1 .. %u bytes", GW_WORKER_ID_MAX);
    } else {
        worker = gw_workers_get(gw_shard_workers(api->shard), request->id);
        if (worker == NULL) {
            (void)gw_error_set(&error, GW_ENOTFOUND, "no roster has a worker %s", request->id);
        }
    }
    if (worker == NULL) {
        gw_rpc_fail(call, &error);
        return;
    }
    Gridwarden__V1__GetWorkerResponse response = GRIDWARDEN__V1__GET_WORKER_RESPONSE__INIT;
    response.worker = worker;
    gw_rpc_reply(call, &response.base);
    gridwarden__v1__worker__free_unpacked(worker, NULL);
}

void api_list_workers(struct gw_rpc_call *call, const ProtobufCMessage *message, void *context) {
    const struct gw_api *api = context;
    const Gridwarden__V1__ListWorkersRequest *request =
        (const Gridwarden__V1__ListWorkersRequest *)message;
    struct gw_error error;
    uint32_t size = 0;
    if (api_page_size(request->page, &size, &error) != GW_OK) {
        gw_rpc_fail(call, &error);
        return;
    }
    Gridwarden__V1__Worker *workers[GW_API_PAGE_MAX];
    uint32_t count = gw_workers_list(gw_shard_workers(api->shard), api_page_token(request->page),
                                     request->code_prefix, size, workers);
    Gridwarden__V1__ListWorkersResponse response = GRIDWARDEN__V1__LIST_WORKERS_RESPONSE__INIT;
    response.n_workers = count;
    response.workers = workers;
    if (count == size) { // the next page may be empty; its token is the last id
        response.next_token = workers[count - 1]->id;
    }
    gw_rpc_reply(call, &response.base);
    for (uint32_t i = 0; i < count; i++) {
        gridwarden__v1__worker__free_unpacked(workers[i], NULL);
    }
}

void api_nearest(struct gw_rpc_call *call, const ProtobufCMessage *message, void *context) {
    const struct gw_api *api = context;
    const Gridwarden__V1__NearestRequest *request = (const Gridwarden__V1__NearestRequest *)message;
    Gridwarden__V1__NearestResponse response = GRIDWARDEN__V1__NEAREST_RESPONSE__INIT;
    struct gw_error error;
    gw_err err = gw_workers_nearest(gw_shard_workers(api->shard), request, gw_clock_wall_ms(),
                                    &response, &error);
    if (err != GW_OK) {
        gw_rpc_fail(call, &error);
        return;
    }
    gw_rpc_reply(call, &response.base);
    gw_workers_nearest_free(&response);
}

// --- positions: a client stream, counted as it goes ---

struct positions {
    Gridwarden__V1__ReportPositionsResponse totals;
    bool answered; // a faulty message has ended the call
};

static void positions_done(struct gw_rpc_call *call, void *state) {
    (void)call;
    free(state);
}

void api_positions_start(struct gw_rpc_call *call, const ProtobufCMessage *message, void *context) {
    (void)message;
    (void)context;
    struct positions *positions = calloc(1, sizeof(*positions));
    if (positions == NULL) {
        struct gw_error error;
        (void)gw_error_set(&error, GW_ENOMEM, "not enough memory for another stream");
        gw_rpc_fail(call, &error);
        return;
    }
    gridwarden__v1__report_positions_response__init(&positions->totals);
    gw_rpc_call_set_stream(call, positions, NULL, positions_done);
}

void api_positions_message(struct gw_rpc_call *call, const ProtobufCMessage *message,
                           void *context) {
    const struct gw_api *api = context;
    struct positions *positions = gw_rpc_call_state(call);
    if (positions == NULL || positions->answered) {
        return;
    }
    Gridwarden__V1__ReportPositionsResponse part = GRIDWARDEN__V1__REPORT_POSITIONS_RESPONSE__INIT;
    struct gw_error error;
    if (gw_workers_report(gw_shard_workers(api->shard),
                          (const Gridwarden__V1__ReportPositionsRequest *)message,
                          gw_clock_wall_ms(), &part, &error) != GW_OK) {
        positions->answered = true;
        gw_rpc_fail(call, &error);
        return;
    }
    positions->totals.applied += part.applied;
    positions->totals.stale += part.stale;
    positions->totals.unknown += part.unknown;
}

void api_positions_half_close(struct gw_rpc_call *call, void *context) {
    (void)context;
    struct positions *positions = gw_rpc_call_state(call);
    if (positions != NULL && !positions->answered) {
        positions->answered = true;
        gw_rpc_reply(call, &positions->totals.base);
    }
}
