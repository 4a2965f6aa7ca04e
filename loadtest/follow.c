#include "loadtest/follow.h"

#include "gridwarden/v1/worker.pb-c.h"
#include "services/base/clock.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { READ_MS = 100 };

struct load_follow {
    struct load_work_run *work;
    void (*offered)(void *context, const struct load_ask *ask);
    void *context;
    struct gw_rpc_channel *channel;
    char token[LOAD_TOKEN_MAX];
    pthread_t thread;
    atomic_bool ending;
};

// How long until a step, in seconds of the run.
static double pause_before(const struct load_work_run *work, const struct load_ask *ask) {
    const double *spans[] = {
        [LOAD_STEP_ACCEPT] = work->work->accept_seconds,
        [LOAD_STEP_START] = work->work->start_seconds,
        [LOAD_STEP_RESOLVE] = work->work->resolve_seconds,
        [LOAD_STEP_CLOSE] = work->work->close_seconds,
    };
    uint64_t key = work->seed ^ ask->attempt;
    for (const char *at = ask->incident; *at != '\0'; at++) {
        key = gw_random_mix(key ^ (unsigned char)*at);
    }
    struct gw_random random = gw_random_of(key, ask->step);
    return gw_random_within(&random, spans[ask->step][0], spans[ask->step][1]) /
           work->run->scenario->speed;
}

bool load_follow_next(const struct load_work_run *work, struct load_ask *ask, double *seconds) {
    if (ask->step == LOAD_STEP_CLOSE) {
        return false;
    }
    ask->step++;
    *seconds = pause_before(work, ask);
    return true;
}

static void take(struct load_follow *follow, const Gridwarden__V1__WatchAssignmentsResponse *row) {
    const Gridwarden__V1__Assignment *assignment = row->assignment;
    (void)snprintf(follow->token, sizeof(follow->token), "%s", row->token);
    if (assignment == NULL || row->snapshot ||
        assignment->state != GRIDWARDEN__V1__ASSIGNMENT_STATE__ASSIGNMENT_STATE_OFFERED ||
        strlen(assignment->incident_id) >= LOAD_ID_MAX ||
        strlen(assignment->worker_id) >= LOAD_ID_MAX) {
        return;
    }
    struct load_ask ask = {.step = LOAD_STEP_ACCEPT, .attempt = assignment->attempt};
    (void)snprintf(ask.incident, sizeof(ask.incident), "%s", assignment->incident_id);
    (void)snprintf(ask.actor, sizeof(ask.actor), "%s", assignment->worker_id);
    ask.intended_ns = gw_clock_monotonic_ns() + (int64_t)(pause_before(follow->work, &ask) * 1e9);
    follow->offered(follow->context, &ask);
}

static gw_err read_offers(struct load_follow *follow, struct gw_rpc_stream *stream) {
    while (!atomic_load(&follow->ending)) {
        ProtobufCMessage *message = NULL;
        gw_err err = gw_rpc_stream_read(stream, READ_MS, &message, NULL);
        if (err == GW_EDEADLINE) {
            continue;
        }
        if (err != GW_OK) {
            return err;
        }
        take(follow, (const Gridwarden__V1__WatchAssignmentsResponse *)message);
        protobuf_c_message_free_unpacked(message, NULL);
    }
    return GW_OK;
}

static void *watch(void *context) {
    struct load_follow *follow = context;
    while (!atomic_load(&follow->ending)) {
        struct gw_rpc_stream *stream = NULL;
        gw_err err =
            load_watch_open(follow->channel, LOAD_WATCH_ASSIGNMENTS, follow->token, &stream, NULL);
        if (err == GW_OK) {
            err = read_offers(follow, stream);
            gw_rpc_stream_destroy(stream);
        }
        if (err == GW_ERANGE) {
            follow->token[0] = '\0'; // too far behind: from now on
        }
        if (err != GW_OK) {
            load_sleep_until(gw_clock_monotonic_ns() + LOAD_TICK_NS);
        }
    }
    return NULL;
}

struct load_follow *load_follow_start(struct load_work_run *work,
                                      void (*offered)(void *context, const struct load_ask *ask),
                                      void *context) {
    struct load_follow *follow = calloc(1, sizeof(*follow));
    if (follow != NULL) {
        follow->work = work;
        follow->offered = offered;
        follow->context = context;
        if (gw_rpc_channel_create(work->run->options->server, &follow->channel, NULL) == GW_OK &&
            pthread_create(&follow->thread, NULL, watch, follow) == 0) {
            return follow;
        }
        gw_rpc_channel_destroy(follow->channel);
        free(follow);
    }
    load_recorder_intended(&work->recorder, work->recorder.window_ns);
    load_recorder_failed(&work->recorder, work->recorder.window_ns, gw_clock_monotonic_ns(),
                         "the watch of the assignments could not be started");
    return NULL;
}

void load_follow_stop(struct load_follow *follow) {
    if (follow == NULL) {
        return;
    }
    atomic_store(&follow->ending, true);
    (void)pthread_join(follow->thread, NULL);
    gw_rpc_channel_destroy(follow->channel);
    free(follow);
}
