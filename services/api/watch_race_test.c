// WatchAssignments begun at any moment while much is written: snapshot and feed leave no gap.
#include "services/api/testing.h"

#include "gridwarden/v1/worker.pb-c.h"
#include "tests/support/random.h"
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef Gridwarden__V1__WatchAssignmentsResponse assignment_message;

enum { WATCHES = 12, INCIDENTS = 360, WRITERS = 2 };

static struct api_bench it;

// --- writers ---

struct writer {
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t answered;
    bool done;
    gw_err err;
    char id[GW_INCIDENT_ID_SIZE], handler[GW_HANDLER_MAX + 1];
    struct test_random random;
    int number;
    uint32_t requests, unexpected;
};

static atomic_uint reported;

static void on_done(void *context, const struct gw_error *error, const ProtobufCMessage *response) {
    struct writer *writer = context;
    (void)pthread_mutex_lock(&writer->mutex);
    writer->done = true;
    writer->err = error != NULL ? error->code : GW_OK;
    if (response != NULL) { // all of these responses hold one incident
        const Gridwarden__V1__Incident *incident =
            ((const Gridwarden__V1__ReportResponse *)response)->incident;
        (void)snprintf(writer->id, sizeof(writer->id), "%s", incident->id);
        (void)snprintf(writer->handler, sizeof(writer->handler), "%s", incident->handler);
    }
    (void)pthread_cond_signal(&writer->answered);
    (void)pthread_mutex_unlock(&writer->mutex);
}

static void write_one(struct writer *writer, const ProtobufCMessage *request) {
    struct gw_shard_command command = {.request = request, .done = on_done, .context = writer};
    writer->done = false;
    gw_shard_submit(it.bench.shard, &command);
    (void)pthread_mutex_lock(&writer->mutex);
    while (!writer->done) {
        (void)pthread_cond_wait(&writer->answered, &writer->mutex);
    }
    (void)pthread_mutex_unlock(&writer->mutex);
    writer->unexpected += writer->err != GW_OK && writer->err != GW_ESTATE;
}

static char *next_id(struct writer *writer, char id[32]) {
    (void)snprintf(id, 32, "w%d-%u", writer->number, writer->requests++);
    return id;
}

static void report(struct writer *writer, int column, int row) {
    char id[32];
    Gridwarden__V1__ReportRequest request = GRIDWARDEN__V1__REPORT_REQUEST__INIT;
    Gridwarden__V1__Point point = bench_point(column, row);
    request.request_id = next_id(writer, id);
    request.class_code = (char *)"01";
    request.point = &point;
    write_one(writer, &request.base);
}

// The next step in an incident's life, as the one who has it.
static void step(struct writer *writer) {
    char id[32];
    Gridwarden__V1__AcceptRequest accept = GRIDWARDEN__V1__ACCEPT_REQUEST__INIT;
    Gridwarden__V1__DeclineRequest decline = GRIDWARDEN__V1__DECLINE_REQUEST__INIT;
    Gridwarden__V1__StartRequest start = GRIDWARDEN__V1__START_REQUEST__INIT;
    Gridwarden__V1__ResolveRequest resolve = GRIDWARDEN__V1__RESOLVE_REQUEST__INIT;
    Gridwarden__V1__SetPlaceRequest place = GRIDWARDEN__V1__SET_PLACE_REQUEST__INIT;
    Gridwarden__V1__Point point = bench_point((int)test_random_range(&writer->random, 0, 2),
                                              (int)test_random_range(&writer->random, 0, 1));
    ProtobufCMessage *requests[] = {&accept.base, &decline.base, &start.base, &resolve.base,
                                    &place.base};
    char handler[GW_HANDLER_MAX + 1], incident[GW_INCIDENT_ID_SIZE];
    memcpy(handler, writer->handler, sizeof(handler));
    memcpy(incident, writer->id, sizeof(incident));
    accept.actor = decline.actor = start.actor = resolve.actor = place.actor = handler;
    accept.incident_id = decline.incident_id = start.incident_id = incident;
    resolve.incident_id = place.incident_id = incident;
    accept.request_id = decline.request_id = start.request_id = next_id(writer, id);
    resolve.request_id = place.request_id = accept.request_id;
    place.point = &point;
    write_one(writer, requests[test_random_range(&writer->random, 0, 4)]);
}

static void *write_all(void *context) {
    struct writer *writer = context;
    for (int i = 0; i < INCIDENTS / WRITERS; i++) {
        report(writer, (int)test_random_range(&writer->random, 0, 2),
               (int)test_random_range(&writer->random, 0, 1));
        for (int64_t steps = test_random_range(&writer->random, 0, 6); steps > 0; steps--) {
            step(writer);
        }
        (void)atomic_fetch_add(&reported, 1);
    }
    return NULL;
}

// --- watches ---

struct last {
    char worker[32];
    uint32_t attempt;
    Gridwarden__V1__AssignmentState state;
};

static bool is_open(Gridwarden__V1__AssignmentState state) {
    return state == GRIDWARDEN__V1__ASSIGNMENT_STATE__ASSIGNMENT_STATE_OFFERED ||
           state == GRIDWARDEN__V1__ASSIGNMENT_STATE__ASSIGNMENT_STATE_ACCEPTED ||
           state == GRIDWARDEN__V1__ASSIGNMENT_STATE__ASSIGNMENT_STATE_STARTED;
}

// Reads to the marker; what was said last of each incident (they are numbered from 1).
static void read_watch(struct gw_rpc_stream *stream, struct last last[], uint64_t marker) {
    for (uint64_t number = 0; number != marker;) {
        assignment_message *message = (assignment_message *)api_bench_next(stream);
        const Gridwarden__V1__Assignment *said = message->assignment;
        number = said != NULL ? gw_incident_id_counter(said->incident_id) : 0;
        if (said != NULL) {
            assert_true(number >= 1 && number <= marker);
            (void)snprintf(last[number].worker, sizeof(last[number].worker), "%s", said->worker_id);
            last[number].attempt = said->attempt;
            last[number].state = said->state;
        }
        protobuf_c_message_free_unpacked(&message->base, NULL);
    }
}

static bool check_incident(void *context, const Gridwarden__V1__Incident *incident) {
    const struct last *last = context;
    const struct last *said = &last[gw_incident_id_counter(incident->id)];
    bool open = (incident->state == GRIDWARDEN__V1__INCIDENT_STATE__INCIDENT_STATE_OFFERED ||
                 incident->state == GRIDWARDEN__V1__INCIDENT_STATE__INCIDENT_STATE_ACCEPTED ||
                 incident->state == GRIDWARDEN__V1__INCIDENT_STATE__INCIDENT_STATE_STARTED) &&
                strncmp(incident->handler, GW_DESK_PREFIX, strlen(GW_DESK_PREFIX)) != 0;
    assert_int_equal(is_open(said->state), open);
    if (open) {
        assert_string_equal(said->worker, incident->handler);
        assert_int_equal(said->attempt, incident->attempt);
        // States of assignments and incidents have other numbers, but one order.
        assert_int_equal(said->state == GRIDWARDEN__V1__ASSIGNMENT_STATE__ASSIGNMENT_STATE_OFFERED,
                         incident->state == GRIDWARDEN__V1__INCIDENT_STATE__INCIDENT_STATE_OFFERED);
        assert_int_equal(said->state == GRIDWARDEN__V1__ASSIGNMENT_STATE__ASSIGNMENT_STATE_STARTED,
                         incident->state == GRIDWARDEN__V1__INCIDENT_STATE__INCIDENT_STATE_STARTED);
    }
    return true;
}

static void check_all(const struct last *last) {
    Gridwarden__V1__IncidentServiceListRequest request =
        GRIDWARDEN__V1__INCIDENT_SERVICE_LIST_REQUEST__INIT;
    Gridwarden__V1__PageRequest page = GRIDWARDEN__V1__PAGE_REQUEST__INIT;
    struct gw_incident_list list = {.request = &request};
    struct gw_error error;
    page.size = 1000;
    request.page = &page;
    assert_int_equal(
        gw_shard_list_incidents(it.bench.shard, &list, check_incident, (void *)last, &error),
        GW_OK);
    assert_string_equal(list.next_token, "");
}

static void test_a_watch_begun_at_any_moment_knows_all_that_is_open(void **state) {
    (void)state;
    static struct last last[WATCHES][INCIDENTS + 2];
    struct gw_rpc_stream *streams[WATCHES];
    struct writer writers[WRITERS + 1];
    struct gw_rpc_server_options options = {.loops = 2, .outbox_messages_max = 16};
    struct gw_error error;
    api_bench_open(&it, NULL, &options, 10);
    bench_staff(&it.bench, 100);
    assert_int_equal(gw_shard_start(it.bench.shard, &error), GW_OK);
    struct test_random random = test_random_seeded("watch race", 11);
    for (int i = 0; i <= WRITERS; i++) {
        writers[i] = (struct writer){.number = i, .random = {test_random_next(&random)}};
        (void)pthread_mutex_init(&writers[i].mutex, NULL);
        (void)pthread_cond_init(&writers[i].answered, NULL);
    }
    for (int i = 0; i < WRITERS; i++) {
        assert_int_equal(pthread_create(&writers[i].thread, NULL, write_all, &writers[i]), 0);
    }
    for (uint32_t i = 0; i < WATCHES; i++) {
        while (atomic_load(&reported) < i * (INCIDENTS / WATCHES)) {
            (void)sched_yield(); // the writers need nobody to get there
        }
        streams[i] = api_bench_assignments(&it, "", "", "");
    }
    for (int i = 0; i < WRITERS; i++) {
        (void)pthread_join(writers[i].thread, NULL);
        assert_int_equal(writers[i].unexpected, 0);
    }
    report(&writers[WRITERS], 0, 0); // the marker
    uint64_t marker = gw_incident_id_counter(writers[WRITERS].id);
    assert_int_equal(marker, INCIDENTS + 1);
    for (int i = 0; i < WATCHES; i++) {
        read_watch(streams[i], last[i], marker);
        gw_rpc_stream_destroy(streams[i]);
        check_all(last[i]);
    }
    for (int i = 0; i <= WRITERS; i++) {
        (void)pthread_cond_destroy(&writers[i].answered);
        (void)pthread_mutex_destroy(&writers[i].mutex);
    }
    api_bench_close(&it);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_watch_begun_at_any_moment_knows_all_that_is_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
