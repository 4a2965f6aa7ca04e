#include "services/base/clock.h"
#include "services/demo/player_parts.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { READ_MS = 200, PAUSE_MS = 200, TICK_MS = 500, SLICES = 20, STREAM_MS = 60000 };
enum { TICKS_A_STREAM = 40, TOKEN_MAX = 160 };

// Sleeps, but not beyond the end of the play.
static void pause_ms(struct gw_demo_player *player, int64_t milliseconds) {
    int64_t until_ns = gw_clock_monotonic_ns() + milliseconds * 1000000;
    while (!atomic_load(&player->ending) && gw_clock_monotonic_ns() < until_ns) {
        const struct timespec step = {.tv_nsec = 20000000};
        (void)nanosleep(&step, NULL);
    }
}

// --- the watches ---

static bool copy(char *out, size_t size, const char *text) {
    size_t length = text != NULL ? strlen(text) : 0;
    if (length == 0 || length >= size) {
        return false;
    }
    memcpy(out, text, length + 1);
    return true;
}

// What an offer means to the play. False: the inbox is closed.
static bool note_assignment(struct gw_demo_player *player,
                            const Gridwarden__V1__Assignment *assignment) {
    struct gw_demo_note note = {.kind = GW_DEMO_NOTE_OFFERED};
    if (assignment == NULL ||
        assignment->state != GRIDWARDEN__V1__ASSIGNMENT_STATE__ASSIGNMENT_STATE_OFFERED ||
        !copy(note.incident, sizeof(note.incident), assignment->incident_id) ||
        !copy(note.handler, sizeof(note.handler), assignment->worker_id)) {
        return true;
    }
    note.attempt = assignment->attempt;
    return gw_demo_inbox_put(&player->inbox, &note);
}

static bool note_event(struct gw_demo_player *player, const Gridwarden__V1__IncidentEvent *event) {
    struct gw_demo_note note = {.kind = GW_DEMO_NOTE_LAPSED};
    if (event == NULL || !copy(note.incident, sizeof(note.incident), event->incident_id)) {
        return true;
    }
    if (event->kind_case == GRIDWARDEN__V1__INCIDENT_EVENT__KIND_OFFER_EXPIRED) {
        return gw_demo_inbox_put(&player->inbox, &note);
    }
    // The desk for unknown places waits for the place, not for somebody to accept.
    if (event->kind_case == GRIDWARDEN__V1__INCIDENT_EVENT__KIND_SENT_TO_DESK &&
        copy(note.handler, sizeof(note.handler), event->sent_to_desk->desk) &&
        strcmp(note.handler, "desk:place-unknown") != 0) {
        note.kind = GW_DEMO_NOTE_AT_DESK;
        note.attempt = event->version; // a desk has no attempts: this tells its turns apart
        return gw_demo_inbox_put(&player->inbox, &note);
    }
    return true;
}

struct watch {
    struct gw_demo_player *player;
    bool incidents; // else assignments
    char token[TOKEN_MAX];
};

static gw_err open_watch(const struct watch *watch, struct gw_rpc_stream **stream,
                         struct gw_error *error) {
    char token[TOKEN_MAX];
    memcpy(token, watch->token, sizeof(token));
    if (watch->incidents) {
        Gridwarden__V1__IncidentServiceWatchRequest request =
            GRIDWARDEN__V1__INCIDENT_SERVICE_WATCH_REQUEST__INIT;
        request.token = token;
        return gw_rpc_stream_open(
            watch->player->streams, "/gridwarden.v1.IncidentService/Watch", &request.base,
            &gridwarden__v1__incident_service_watch_response__descriptor, -1, stream, error);
    }
    Gridwarden__V1__WatchAssignmentsRequest request =
        GRIDWARDEN__V1__WATCH_ASSIGNMENTS_REQUEST__INIT;
    request.token = token;
    return gw_rpc_stream_open(
        watch->player->streams, "/gridwarden.v1.WorkerService/WatchAssignments", &request.base,
        &gridwarden__v1__watch_assignments_response__descriptor, -1, stream, error);
}

static bool take_message(struct watch *watch, const ProtobufCMessage *message) {
    if (watch->incidents) {
        const Gridwarden__V1__IncidentServiceWatchResponse *response =
            (const Gridwarden__V1__IncidentServiceWatchResponse *)message;
        (void)copy(watch->token, sizeof(watch->token), response->token);
        return note_event(watch->player, response->event);
    }
    const Gridwarden__V1__WatchAssignmentsResponse *response =
        (const Gridwarden__V1__WatchAssignmentsResponse *)message;
    (void)copy(watch->token, sizeof(watch->token), response->token);
    return note_assignment(watch->player, response->assignment);
}

// Reads until the stream or the play ends; returns why the stream did.
static gw_err follow_stream(struct watch *watch, struct gw_rpc_stream *stream) {
    while (!atomic_load(&watch->player->ending)) {
        ProtobufCMessage *message = NULL;
        gw_err err = gw_rpc_stream_read(stream, READ_MS, &message, NULL);
        if (err == GW_EDEADLINE) {
            continue;
        }
        if (err != GW_OK) {
            return err;
        }
        bool open = take_message(watch, message);
        protobuf_c_message_free_unpacked(message, NULL);
        if (!open) {
            break;
        }
    }
    return GW_OK;
}

static void run_watch(struct gw_demo_player *player, bool incidents) {
    struct watch watch = {.player = player, .incidents = incidents};
    while (!atomic_load(&player->ending)) {
        struct gw_rpc_stream *stream = NULL;
        gw_err err = open_watch(&watch, &stream, NULL);
        if (err == GW_OK) {
            err = follow_stream(&watch, stream);
            gw_rpc_stream_destroy(stream);
        }
        if (err == GW_ERANGE) {
            watch.token[0] = '\0'; // too far behind: from now on
        }
        if (!atomic_load(&player->ending)) {
            (void)atomic_fetch_add(&player->reopened, 1);
            pause_ms(player, PAUSE_MS);
        }
    }
}

static void *watch_assignments(void *context) {
    run_watch(context, false);
    return NULL;
}

static void *watch_incidents(void *context) {
    run_watch(context, true);
    return NULL;
}

// --- positions ---

struct message {
    Gridwarden__V1__ReportPositionsRequest request;
    Gridwarden__V1__WorkerPosition *workers[GW_CITY_WORKERS / SLICES + 1];
    struct {
        Gridwarden__V1__WorkerPosition worker;
        Gridwarden__V1__Position position;
        Gridwarden__V1__Point point;
    } rows[GW_CITY_WORKERS / SLICES + 1];
};

struct movement {
    struct gw_demo_player *player;
    struct gw_demo_walk walks[GW_CITY_WORKERS];
    struct message message;
};

// Where every SLICES-th worker on duty is now.
static void fill_slice(struct movement *movement, uint32_t slice) {
    struct gw_demo_player *player = movement->player;
    struct message *message = &movement->message;
    int64_t now_ns = gw_clock_monotonic_ns(), city_ms = gw_demo_city_ms(player, now_ns);
    uint32_t minute = (uint32_t)(gw_demo_minute(player, now_ns) % 1440), count = 0;
    for (uint32_t i = slice; i < GW_CITY_WORKERS; i += SLICES) {
        const struct gw_city_worker *worker = &player->city->workers[i];
        if (!gw_city_on_shift(worker->shift, minute)) {
            continue;
        }
        struct gw_point at = gw_demo_walk_at(player->city, i, city_ms, &movement->walks[i]);
        gridwarden__v1__point__init(&message->rows[count].point);
        gridwarden__v1__position__init(&message->rows[count].position);
        gridwarden__v1__worker_position__init(&message->rows[count].worker);
        message->rows[count].point.longitude = gw_degrees(at.lon);
        message->rows[count].point.latitude = gw_degrees(at.lat);
        message->rows[count].position.point = &message->rows[count].point;
        message->rows[count].worker.worker_id = (char *)(uintptr_t)worker->id;
        message->rows[count].worker.position = &message->rows[count].position;
        message->workers[count] = &message->rows[count].worker;
        count++;
    }
    gridwarden__v1__report_positions_request__init(&message->request);
    message->request.positions = message->workers;
    message->request.n_positions = count;
}

static gw_err send_slice(struct movement *movement, struct gw_rpc_stream *stream, uint32_t slice) {
    fill_slice(movement, slice);
    size_t count = movement->message.request.n_positions;
    if (count == 0) {
        return GW_OK;
    }
    gw_err err = gw_rpc_stream_write(stream, &movement->message.request.base, NULL);
    if (err == GW_OK) {
        (void)atomic_fetch_add(&movement->player->positions, count);
    }
    return err;
}

// One stream's worth. Streams are short and have a deadline, so that a node that hangs holds
// nobody.
static gw_err send_positions(struct movement *movement, struct gw_rpc_stream *stream,
                             uint32_t *tick) {
    struct gw_demo_player *player = movement->player;
    for (int i = 0; i < TICKS_A_STREAM && !atomic_load(&player->ending); i++) {
        gw_err err = send_slice(movement, stream, *tick % SLICES);
        if (err != GW_OK) {
            return err;
        }
        if (*tick >= SLICES) { // at first everybody at once
            pause_ms(player, TICK_MS);
        }
        (*tick)++;
    }
    ProtobufCMessage *response = NULL;
    gw_err err = gw_rpc_stream_finish(stream, &response, NULL);
    if (err == GW_OK) {
        protobuf_c_message_free_unpacked(response, NULL);
    }
    return err;
}

static void *move_workers(void *context) {
    struct movement *movement = context;
    struct gw_demo_player *player = movement->player;
    uint32_t tick = 0;
    while (!atomic_load(&player->ending)) {
        struct gw_rpc_stream *stream = NULL;
        gw_err err = gw_rpc_stream_open(
            player->streams, "/gridwarden.v1.WorkerService/ReportPositions", NULL,
            &gridwarden__v1__report_positions_response__descriptor, STREAM_MS, &stream, NULL);
        if (err == GW_OK) {
            err = send_positions(movement, stream, &tick);
            gw_rpc_stream_destroy(stream);
        }
        if (err != GW_OK && !atomic_load(&player->ending)) {
            (void)atomic_fetch_add(&player->reopened, 1);
            pause_ms(player, PAUSE_MS);
        }
    }
    free(movement);
    return NULL;
}

static gw_err start_thread(struct gw_demo_player *player, void *(*run)(void *), void *context,
                           struct gw_error *error) {
    if (pthread_create(&player->threads[player->thread_count], NULL, run, context) != 0) {
        return gw_error_set(error, GW_ENOMEM, "cannot start a thread for the demo");
    }
    player->thread_count++;
    return GW_OK;
}

gw_err gw_demo_streams_start(struct gw_demo_player *player, struct gw_error *error) {
    struct movement *movement = calloc(1, sizeof(*movement));
    if (movement == NULL) {
        return gw_error_set(error, GW_ENOMEM, "no memory for the demo");
    }
    movement->player = player;
    gw_err err = start_thread(player, move_workers, movement, error);
    if (err != GW_OK) {
        free(movement); // its thread frees it otherwise
        return err;
    }
    err = start_thread(player, watch_assignments, player, error);
    return err == GW_OK ? start_thread(player, watch_incidents, player, error) : err;
}

void gw_demo_streams_stop(struct gw_demo_player *player) {
    atomic_store(&player->ending, true);
    gw_demo_inbox_close(&player->inbox);
    for (uint32_t i = 0; i < player->thread_count; i++) {
        (void)pthread_join(player->threads[i], NULL);
    }
    player->thread_count = 0;
}
