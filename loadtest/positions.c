// Workers who report where they are: client streams, each with a connection and a thread. A worker
// walks about a place of his own and reports once a period; so a period's messages are spread
// evenly, or at random for arrivals of the kind poisson.
//
// A stream has no answer to a message: its latency is the time until flow control took it. The
// answer at the stream's end says how many positions arrived; what is missing there is a failure.
#include "gridwarden/v1/worker.pb-c.h"
#include "loadtest/parts.h"
#include "services/base/clock.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STREAM_NS 20000000000 // after which a stream is ended, its answer read, and another opened
#define WALK_DEGREES 0.0002   // between two reports
enum { DUTY_BATCH = 1000, DUTY_MS = 60000 };

struct walker {
    double longitude, latitude;
};

struct sender {
    struct load_work_run *work;
    struct gw_rpc_channel *channel;
    struct gw_rpc_stream *stream; // NULL: none is open
    int64_t opened_ns, last_ns;
    uint64_t sent;         // positions on this stream
    uint32_t first, count; // of the workers
    struct walker *walkers;
    struct gw_random random;
    // One message.
    Gridwarden__V1__WorkerPosition *rows, **row_list;
    Gridwarden__V1__Position *positions;
    Gridwarden__V1__Point *points;
    pthread_t thread;
    bool started;
};

struct senders {
    struct sender *rows;
    uint32_t count;
};

// --- messages ---

static void fill(struct sender *sender, uint64_t number,
                 Gridwarden__V1__ReportPositionsRequest *request) {
    const struct load_city *city = &sender->work->run->city;
    uint32_t batch = sender->work->work->batch, count = 0;
    uint32_t groups = (sender->count + batch - 1) / batch;
    uint32_t begin = (uint32_t)(number % groups) * batch;
    gridwarden__v1__report_positions_request__init(request);
    for (; count < batch && begin + count < sender->count; count++) {
        struct walker *walker = &sender->walkers[begin + count];
        walker->longitude += gw_random_within(&sender->random, -WALK_DEGREES, WALK_DEGREES);
        walker->latitude += gw_random_within(&sender->random, -WALK_DEGREES, WALK_DEGREES);
        gridwarden__v1__point__init(&sender->points[count]);
        gridwarden__v1__position__init(&sender->positions[count]);
        gridwarden__v1__worker_position__init(&sender->rows[count]);
        sender->points[count].longitude = walker->longitude;
        sender->points[count].latitude = walker->latitude;
        sender->positions[count].point = &sender->points[count];
        sender->rows[count].worker_id = city->workers[sender->first + begin + count];
        sender->rows[count].position = &sender->positions[count];
        sender->row_list[count] = &sender->rows[count];
    }
    request->positions = sender->row_list;
    request->n_positions = count;
}

// --- a stream ---

static void fail(struct sender *sender, int64_t intended_ns, const char *why) {
    load_recorder_failed(&sender->work->recorder, intended_ns, gw_clock_monotonic_ns(), why);
}

// Ends the stream and looks at what arrived. What went missing counts as failed, once.
static void end_stream(struct sender *sender) {
    ProtobufCMessage *message = NULL;
    struct gw_error error = {.code = GW_OK};
    char why[GW_ERROR_TEXT_MAX] = "";
    if (sender->stream == NULL) {
        return;
    }
    if (gw_rpc_stream_finish(sender->stream, &message, &error) != GW_OK) {
        (void)snprintf(why, sizeof(why), "%s", error.text);
    } else {
        const Gridwarden__V1__ReportPositionsResponse *answer =
            (const Gridwarden__V1__ReportPositionsResponse *)message;
        if (answer->unknown > 0 || answer->applied + answer->stale != sender->sent) {
            (void)snprintf(why, sizeof(why),
                           "%llu positions sent, but %llu applied, %llu stale, %llu unknown",
                           (unsigned long long)sender->sent, (unsigned long long)answer->applied,
                           (unsigned long long)answer->stale, (unsigned long long)answer->unknown);
        }
        protobuf_c_message_free_unpacked(message, NULL);
    }
    if (why[0] != '\0') {
        load_recorder_intended(&sender->work->recorder, sender->last_ns);
        fail(sender, sender->last_ns, why);
    }
    gw_rpc_stream_destroy(sender->stream);
    sender->stream = NULL;
}

static gw_err open_stream(struct sender *sender, struct gw_error *error) {
    if (sender->stream != NULL) {
        return GW_OK;
    }
    sender->sent = 0;
    sender->opened_ns = gw_clock_monotonic_ns();
    return gw_rpc_stream_open(sender->channel, "/gridwarden.v1.WorkerService/ReportPositions", NULL,
                              &gridwarden__v1__report_positions_response__descriptor,
                              STREAM_NS / 1000000 + sender->work->run->scenario->timeout_ms,
                              &sender->stream, error);
}

// ready_ns: since when this thread could have sent.
static void send_message(struct sender *sender, uint64_t number, int64_t intended_ns,
                         int64_t ready_ns) {
    struct load_recorder *recorder = &sender->work->recorder;
    Gridwarden__V1__ReportPositionsRequest request;
    struct gw_error error = {.code = GW_OK};
    load_recorder_intended(recorder, intended_ns);
    fill(sender, number, &request);
    int64_t sent_ns = gw_clock_monotonic_ns();
    load_recorder_sent(recorder, intended_ns, ready_ns, sent_ns);
    gw_err err = open_stream(sender, &error);
    if (err == GW_OK) {
        err = gw_rpc_stream_write(sender->stream, &request.base, &error);
    }
    if (err != GW_OK) {
        fail(sender, intended_ns, error.text);
        gw_rpc_stream_destroy(sender->stream);
        sender->stream = NULL;
        return;
    }
    sender->sent += request.n_positions;
    sender->last_ns = intended_ns;
    load_recorder_done(recorder, intended_ns, sent_ns, gw_clock_monotonic_ns(),
                       request.n_positions);
}

static void *send_all(void *context) {
    struct sender *sender = context;
    struct load_work_run *work = sender->work;
    const struct load_run *run = work->run;
    uint32_t groups = (sender->count + work->work->batch - 1) / work->work->batch;
    struct load_arrivals arrivals;
    load_precise_timers();
    load_arrivals_init(&arrivals, (enum load_arrival_kind)work->work->arrivals,
                       groups / work->work->period_seconds * run->factor,
                       gw_random_mix(work->seed ^ sender->first));
    // Connections are a little apart, or all of them would send at the same instants.
    int64_t apart_ns = (int64_t)(gw_random_unit(&sender->random) * 1e9 / arrivals.rate);
    int64_t begin_ns = run->begin_ns - apart_ns, length_ns = run->end_ns - begin_ns;
    int64_t ready_ns = 0, next_ns;
    uint64_t number = 0;
    while ((next_ns = load_arrivals_next(&arrivals, length_ns)) != INT64_MAX) {
        int64_t intended_ns = begin_ns + next_ns;
        while (gw_clock_monotonic_ns() < intended_ns && !load_stopped(run)) {
            load_sleep_until(intended_ns);
        }
        if (load_stopped(run)) {
            break;
        }
        if (intended_ns < run->begin_ns) {
            continue;
        }
        if (gw_clock_monotonic_ns() > run->end_ns + run->scenario->timeout_ms * 1000000) {
            // A server that holds the stream back must not hold the run up as well.
            load_recorder_intended(&work->recorder, intended_ns);
            fail(sender, intended_ns, "not sent: the stream was held back past the end of the run");
            continue;
        }
        send_message(sender, number++, intended_ns, ready_ns);
        if (sender->stream != NULL && gw_clock_monotonic_ns() - sender->opened_ns > STREAM_NS) {
            end_stream(sender);
        }
        ready_ns = gw_clock_monotonic_ns();
    }
    end_stream(sender);
    return NULL;
}

// --- the driver ---

static gw_err put_on_duty(struct load_work_run *work, uint32_t workers, struct gw_error *error) {
    struct gw_rpc_channel *channel = ((struct senders *)work->state)->rows[0].channel;
    gw_err err = GW_OK;
    for (uint32_t first = 0; first < workers && err == GW_OK; first += DUTY_BATCH) {
        char *ids[DUTY_BATCH], id[96];
        uint32_t count = 0;
        ProtobufCMessage *response = NULL;
        Gridwarden__V1__SetDutyRequest request = GRIDWARDEN__V1__SET_DUTY_REQUEST__INIT;
        for (; count < DUTY_BATCH && first + count < workers; count++) {
            ids[count] = work->run->city.workers[first + count];
        }
        (void)snprintf(id, sizeof(id), "load-%llx-%u-duty-%u",
                       (unsigned long long)work->run->run_id, work->lane, first / DUTY_BATCH);
        request.request_id = id;
        request.worker_ids = ids;
        request.n_worker_ids = count;
        request.duty = GRIDWARDEN__V1__DUTY__DUTY_ON;
        err =
            gw_rpc_unary(channel, "/gridwarden.v1.WorkerService/SetDuty", &request.base,
                         &gridwarden__v1__set_duty_response__descriptor, DUTY_MS, &response, error);
        if (err == GW_OK) {
            protobuf_c_message_free_unpacked(response, NULL);
        }
    }
    return err;
}

static gw_err prepare_sender(struct sender *sender, uint32_t first, uint32_t count,
                             struct gw_error *error) {
    struct load_work_run *work = sender->work;
    uint32_t batch = work->work->batch;
    sender->first = first;
    sender->count = count;
    sender->random = gw_random_of(work->seed, first + 3);
    sender->walkers = calloc(count, sizeof(*sender->walkers));
    sender->rows = calloc(batch, sizeof(*sender->rows));
    sender->row_list = calloc(batch, sizeof(*sender->row_list));
    sender->positions = calloc(batch, sizeof(*sender->positions));
    sender->points = calloc(batch, sizeof(*sender->points));
    if (sender->walkers == NULL || sender->rows == NULL || sender->row_list == NULL ||
        sender->positions == NULL || sender->points == NULL) {
        return gw_error_set(error, GW_ENOMEM, "no memory for %s", work->work->name);
    }
    for (uint32_t i = 0; i < count; i++) {
        struct gw_random random = gw_random_of(work->run->scenario->seed, first + i);
        load_city_point(&work->run->city, LOAD_IN_GRIDS, &random, &sender->walkers[i].longitude,
                        &sender->walkers[i].latitude);
    }
    return gw_rpc_channel_create(work->run->options->server, &sender->channel, error);
}

static gw_err prepare(struct load_work_run *work, struct gw_error *error) {
    uint32_t there = work->run->city.worker_count;
    uint32_t workers = work->work->workers == 0 ? there : work->work->workers;
    if (workers > there) {
        return gw_error_set(error, GW_EINVAL,
                            "%s: %u workers are to report, but the roster has %u; 0 means all",
                            work->work->name, workers, there);
    }
    uint32_t count = work->work->connections < workers ? work->work->connections : workers;
    struct senders *senders = calloc(1, sizeof(*senders));
    work->state = senders;
    if (senders != NULL) {
        senders->rows = calloc(count, sizeof(*senders->rows));
    }
    if (senders == NULL || senders->rows == NULL) {
        return gw_error_set(error, GW_ENOMEM, "no memory for %s", work->work->name);
    }
    work->rate = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t first = (uint32_t)((uint64_t)workers * i / count);
        uint32_t end = (uint32_t)((uint64_t)workers * (i + 1) / count);
        senders->count++;
        senders->rows[i].work = work;
        gw_err err = prepare_sender(&senders->rows[i], first, end - first, error);
        if (err != GW_OK) {
            return err;
        }
        uint32_t groups = (end - first + work->work->batch - 1) / work->work->batch;
        work->rate += groups / work->work->period_seconds * work->run->factor;
    }
    return work->work->on_duty ? put_on_duty(work, workers, error) : GW_OK;
}

static void drive(struct load_work_run *work) {
    struct senders *senders = work->state;
    for (uint32_t i = 0; i < senders->count; i++) {
        struct sender *sender = &senders->rows[i];
        sender->started = pthread_create(&sender->thread, NULL, send_all, sender) == 0;
        if (!sender->started) {
            load_recorder_intended(&work->recorder, work->recorder.window_ns);
            fail(sender, work->recorder.window_ns, "a thread could not be started");
        }
    }
    for (uint32_t i = 0; i < senders->count; i++) {
        if (senders->rows[i].started) {
            (void)pthread_join(senders->rows[i].thread, NULL);
        }
    }
}

static void release(struct load_work_run *work) {
    struct senders *senders = work->state;
    for (uint32_t i = 0; senders != NULL && i < senders->count; i++) {
        struct sender *sender = &senders->rows[i];
        gw_rpc_channel_destroy(sender->channel);
        free(sender->walkers);
        free(sender->rows);
        free(sender->row_list);
        free(sender->positions);
        free(sender->points);
    }
    if (senders != NULL) {
        free(senders->rows);
    }
    free(senders);
    work->state = NULL;
}

const struct load_driver load_positions_driver = {prepare, drive, release};
