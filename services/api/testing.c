#include "services/api/testing.h"

#include "gridwarden/v1/worker.pb-c.h"
#include "services/base/clock.h"
#include "services/incidents/message.h"
#include <stdio.h>

void api_bench_open(struct api_bench *bench, struct gw_current *current,
                    const struct gw_rpc_server_options *rpc, int64_t heartbeat_ms) {
    struct gw_error error;
    char target[64];
    bench_open(&bench->bench);
    struct gw_api_options api_options = {
        .shard = bench->bench.shard,
        .store = bench->bench.store,
        .current = current != NULL ? current : bench->bench.current,
        .data = bench->bench.folder,
        .heartbeat_ms = heartbeat_ms,
        .upload_idle_ms = bench->upload_idle_ms,
    };
    assert_int_equal(gw_api_create(&api_options, &bench->api, &error), GW_OK);
    struct gw_rpc_server_options rpc_options = {.loops = 2};
    if (rpc != NULL) {
        rpc_options = *rpc;
    }
    rpc_options.listen = "127.0.0.1:0";
    if (gw_rpc_server_start(&rpc_options, gw_api_methods, gw_api_method_count, bench->api,
                            &bench->server, &error) != GW_OK) {
        fail_msg("%s", error.text);
    }
    (void)snprintf(target, sizeof(target), "127.0.0.1:%d", gw_rpc_server_port(bench->server));
    assert_int_equal(gw_rpc_channel_create(target, &bench->channel, &error), GW_OK);
}

void api_bench_close(struct api_bench *bench) {
    gw_rpc_channel_destroy(bench->channel);
    if (bench->server != NULL) {
        gw_rpc_server_drain(bench->server, 0);
    }
    gw_api_destroy(bench->api);
    bench_close(&bench->bench);
}

gw_err api_bench_read(struct api_bench *bench, const char *path, const ProtobufCMessage *request,
                      const ProtobufCMessageDescriptor *type, void *response,
                      struct gw_error *error) {
    ProtobufCMessage *message = NULL;
    gw_err err = gw_rpc_unary(bench->channel, path, request, type, PATIENCE_MS, &message, error);
    *(ProtobufCMessage **)response = message;
    return err;
}

struct answer {
    bool done;
    gw_err err;
    ProtobufCMessage *response;
};

static void keep_answer(void *context, const struct gw_error *error,
                        const ProtobufCMessage *response) {
    struct answer *answer = context;
    answer->done = true;
    answer->err = error != NULL ? error->code : GW_OK;
    answer->response = response != NULL ? gw_message_clone(response) : NULL;
}

gw_err api_bench_write(struct api_bench *bench, const char *path, const ProtobufCMessage *request,
                       ProtobufCMessage **response) {
    struct answer answer = {.done = false};
    // Every response of an incident's command is read as Report's.
    assert_int_equal(gw_rpc_unary_start(bench->channel, path, request,
                                        &gridwarden__v1__report_response__descriptor, PATIENCE_MS,
                                        keep_answer, &answer),
                     GW_OK);
    while (!answer.done) { // the deadline bounds it
        (void)gw_shard_step(bench->bench.shard);
        (void)gw_rpc_channel_poll(bench->channel, 1);
    }
    *response = answer.response;
    return answer.err;
}

struct gw_rpc_stream *api_bench_watch(struct api_bench *bench, const char *token,
                                      const char *prefix) {
    struct gw_rpc_stream *stream = NULL;
    struct gw_error error;
    Gridwarden__V1__IncidentServiceWatchRequest request =
        GRIDWARDEN__V1__INCIDENT_SERVICE_WATCH_REQUEST__INIT;
    request.token = (char *)token;
    request.code_prefix = (char *)prefix;
    assert_int_equal(
        gw_rpc_stream_open(bench->channel, "/gridwarden.v1.IncidentService/Watch", &request.base,
                           &gridwarden__v1__incident_service_watch_response__descriptor, -1,
                           &stream, &error),
        GW_OK);
    return stream;
}

struct gw_rpc_stream *api_bench_assignments(struct api_bench *bench, const char *token,
                                            const char *worker, const char *area) {
    struct gw_rpc_stream *stream = NULL;
    struct gw_error error;
    Gridwarden__V1__WatchAssignmentsRequest request =
        GRIDWARDEN__V1__WATCH_ASSIGNMENTS_REQUEST__INIT;
    request.token = (char *)token;
    request.worker_id = (char *)worker;
    request.area_code = (char *)area;
    assert_int_equal(
        gw_rpc_stream_open(bench->channel, "/gridwarden.v1.WorkerService/WatchAssignments",
                           &request.base, &gridwarden__v1__watch_assignments_response__descriptor,
                           -1, &stream, &error),
        GW_OK);
    return stream;
}

ProtobufCMessage *api_bench_next(struct gw_rpc_stream *stream) {
    ProtobufCMessage *message = NULL;
    struct gw_error error;
    if (gw_rpc_stream_read(stream, PATIENCE_MS, &message, &error) != GW_OK) {
        fail_msg("the watch ended, or nothing came: %s", error.text);
    }
    return message;
}
