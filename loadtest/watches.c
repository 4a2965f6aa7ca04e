// Watchers over gRPC: each a connection, a stream and a thread. What comes is counted; a report of
// this run that comes is timed from when it was to be sent.
#include "gridwarden/v1/incident.pb-c.h"
#include "gridwarden/v1/worker.pb-c.h"
#include "loadtest/parts.h"
#include "services/base/clock.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { READ_MS = 100 };

struct watcher {
    struct load_work_run *work;
    struct gw_rpc_channel *channel;
    char token[LOAD_TOKEN_MAX];
    pthread_t thread;
    bool started;
};

struct watchers {
    struct watcher *rows;
    uint32_t count;
};

gw_err load_watch_open(struct gw_rpc_channel *channel, enum load_call call, const char *token,
                       struct gw_rpc_stream **stream, struct gw_error *error) {
    char copy[LOAD_TOKEN_MAX];
    (void)snprintf(copy, sizeof(copy), "%s", token);
    if (call == LOAD_WATCH_INCIDENTS) {
        Gridwarden__V1__IncidentServiceWatchRequest request =
            GRIDWARDEN__V1__INCIDENT_SERVICE_WATCH_REQUEST__INIT;
        request.token = copy;
        return gw_rpc_stream_open(channel, "/gridwarden.v1.IncidentService/Watch", &request.base,
                                  &gridwarden__v1__incident_service_watch_response__descriptor, -1,
                                  stream, error);
    }
    Gridwarden__V1__WatchAssignmentsRequest request =
        GRIDWARDEN__V1__WATCH_ASSIGNMENTS_REQUEST__INIT;
    request.token = copy;
    return gw_rpc_stream_open(
        channel, "/gridwarden.v1.WorkerService/WatchAssignments", &request.base,
        &gridwarden__v1__watch_assignments_response__descriptor, -1, stream, error);
}

static void take_incident(struct watcher *watcher,
                          const Gridwarden__V1__IncidentServiceWatchResponse *row, int64_t now_ns) {
    const struct load_run *run = watcher->work->run;
    struct load_token token;
    int64_t since_ns = -1;
    (void)snprintf(watcher->token, sizeof(watcher->token), "%s", row->token);
    if (row->event == NULL) {
        return; // a heartbeat
    }
    if (row->event->kind_case == GRIDWARDEN__V1__INCIDENT_EVENT__KIND_REPORTED &&
        load_token_read(row->event->reported->description, &token) && token.run_id == run->run_id) {
        since_ns = now_ns + run->wall_offset_ns - token.intended_wall_us * 1000;
        since_ns = since_ns < 0 ? 0 : since_ns;
    }
    load_recorder_event(&watcher->work->recorder, now_ns, since_ns, 0);
}

static void take(struct watcher *watcher, const ProtobufCMessage *message) {
    int64_t now_ns = gw_clock_monotonic_ns();
    if (watcher->work->work->call == LOAD_WATCH_INCIDENTS) {
        take_incident(watcher, (const Gridwarden__V1__IncidentServiceWatchResponse *)message,
                      now_ns);
        return;
    }
    const Gridwarden__V1__WatchAssignmentsResponse *row =
        (const Gridwarden__V1__WatchAssignmentsResponse *)message;
    (void)snprintf(watcher->token, sizeof(watcher->token), "%s", row->token);
    if (row->assignment != NULL) {
        load_recorder_event(&watcher->work->recorder, now_ns, -1, 0);
    }
}

static gw_err follow_stream(struct watcher *watcher, struct gw_rpc_stream *stream,
                            struct gw_error *error) {
    while (!load_over(watcher->work->run, gw_clock_monotonic_ns())) {
        ProtobufCMessage *message = NULL;
        gw_err err = gw_rpc_stream_read(stream, READ_MS, &message, error);
        if (err == GW_EDEADLINE) {
            continue;
        }
        if (err != GW_OK) {
            return err;
        }
        take(watcher, message);
        protobuf_c_message_free_unpacked(message, NULL);
    }
    return GW_OK;
}

static void *watch(void *context) {
    struct watcher *watcher = context;
    const struct load_run *run = watcher->work->run;
    while (!load_over(run, gw_clock_monotonic_ns())) {
        struct gw_rpc_stream *stream = NULL;
        struct gw_error error = {.code = GW_OK};
        gw_err err = load_watch_open(watcher->channel, watcher->work->work->call, watcher->token,
                                     &stream, &error);
        if (err == GW_OK) {
            err = follow_stream(watcher, stream, &error);
            gw_rpc_stream_destroy(stream);
        }
        if (err != GW_OK) { // also when it ended well: a watch is not to end
            int64_t now_ns = gw_clock_monotonic_ns();
            load_recorder_intended(&watcher->work->recorder, now_ns);
            load_recorder_failed(&watcher->work->recorder, now_ns, now_ns, error.text);
            if (err == GW_ERANGE) {
                watcher->token[0] = '\0'; // fell behind: from now on
            }
            while (gw_clock_monotonic_ns() < now_ns + LOAD_RETRY_NS &&
                   !load_over(run, gw_clock_monotonic_ns())) {
                load_sleep_until(now_ns + LOAD_RETRY_NS);
            }
        }
    }
    return NULL;
}

static gw_err prepare(struct load_work_run *work, struct gw_error *error) {
    struct watchers *watchers = calloc(1, sizeof(*watchers));
    work->state = watchers;
    if (watchers != NULL) {
        watchers->rows = calloc(work->work->connections, sizeof(*watchers->rows));
    }
    if (watchers == NULL || watchers->rows == NULL) {
        return gw_error_set(error, GW_ENOMEM, "no memory for %s", work->work->name);
    }
    for (uint32_t i = 0; i < work->work->connections; i++) {
        watchers->rows[i].work = work;
        gw_err err =
            gw_rpc_channel_create(work->run->options->server, &watchers->rows[i].channel, error);
        if (err != GW_OK) {
            return err;
        }
        watchers->count++;
    }
    return GW_OK;
}

static void drive(struct load_work_run *work) {
    struct watchers *watchers = work->state;
    for (uint32_t i = 0; i < watchers->count; i++) {
        struct watcher *watcher = &watchers->rows[i];
        watcher->started = pthread_create(&watcher->thread, NULL, watch, watcher) == 0;
        if (!watcher->started) {
            load_recorder_intended(&work->recorder, work->recorder.window_ns);
            load_recorder_failed(&work->recorder, work->recorder.window_ns, gw_clock_monotonic_ns(),
                                 "a thread could not be started");
        }
    }
    for (uint32_t i = 0; i < watchers->count; i++) {
        if (watchers->rows[i].started) {
            (void)pthread_join(watchers->rows[i].thread, NULL);
        }
    }
}

static void release(struct load_work_run *work) {
    struct watchers *watchers = work->state;
    for (uint32_t i = 0; watchers != NULL && i < watchers->count; i++) {
        gw_rpc_channel_destroy(watchers->rows[i].channel);
    }
    if (watchers != NULL) {
        free(watchers->rows);
    }
    free(watchers);
    work->state = NULL;
}

const struct load_driver load_watch_driver = {prepare, drive, release};
