// The shard, stepped by hand: the life of incidents, retries, restarts.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "services/incidents/message.h"
#include "services/shard/testing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PLACE_UNKNOWN = GRIDWARDEN__V1__INCIDENT_STATE__INCIDENT_STATE_PLACE_UNKNOWN,
    OFFERED = GRIDWARDEN__V1__INCIDENT_STATE__INCIDENT_STATE_OFFERED,
    AT_DESK = GRIDWARDEN__V1__INCIDENT_STATE__INCIDENT_STATE_AT_DESK,
    ACCEPTED = GRIDWARDEN__V1__INCIDENT_STATE__INCIDENT_STATE_ACCEPTED,
    STARTED = GRIDWARDEN__V1__INCIDENT_STATE__INCIDENT_STATE_STARTED,
    RESOLVED = GRIDWARDEN__V1__INCIDENT_STATE__INCIDENT_STATE_RESOLVED,
    CLOSED = GRIDWARDEN__V1__INCIDENT_STATE__INCIDENT_STATE_CLOSED,
};

static struct bench bench;

static int set_up(void **state) {
    (void)state;
    bench_open(&bench);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    bench_close(&bench);
    return 0;
}

static bool note_kind(void *context, const Gridwarden__V1__IncidentEvent *event) {
    char *kinds = context;
    size_t size = strlen(kinds);
    kinds[size] = (char)('a' + (int)event->kind_case - 5); // a: reported .. j: closed
    kinds[size + 1] = '\0';
    assert_int_equal(event->version, size + 1);
    return true;
}

static void expect_events(const char *id, const char *kinds) {
    char found[64] = "";
    struct gw_error error;
    assert_int_equal(gw_shard_incident_events(bench.shard, id, note_kind, found, &error), GW_OK);
    assert_string_equal(found, kinds);
}

static void test_from_report_to_close(void **state) {
    (void)state;
    char id[GW_INCIDENT_ID_SIZE];
    struct gw_shard_totals totals;
    bench_staff(&bench, 1);
    assert_int_equal(bench_report(&bench, 0, 0, id), GW_OK);
    bench_expect(&bench, id, OFFERED, "w1"); // of the grid's own roster, and nearest
    assert_int_equal(bench_load(&bench, "w1"), 1);
    gw_shard_totals(bench.shard, &totals);
    assert_int_equal(totals.open_incidents, 1);
    assert_int_equal(totals.open_offers, 1);
    assert_int_equal(totals.oldest_unassigned_ms, BENCH_NOW);
    assert_int_equal(bench_act(&bench, GW_INCIDENT_ACCEPT, id, "w1"), GW_OK);
    assert_int_equal(bench_act(&bench, GW_INCIDENT_START, id, "w1"), GW_OK);
    assert_int_equal(bench_load(&bench, "w1"), 1);
    assert_int_equal(bench_act(&bench, GW_INCIDENT_RESOLVE, id, "w1"), GW_OK);
    assert_int_equal(bench_load(&bench, "w1"), 0);
    assert_int_equal(bench_act(&bench, GW_INCIDENT_CLOSE, id, "centre"), GW_OK);
    bench_expect(&bench, id, CLOSED, "w1");
    expect_events(id, "abcdhij");
    gw_shard_totals(bench.shard, &totals);
    assert_int_equal(totals.open_incidents, 0);
    assert_int_equal(totals.oldest_unassigned_ms, 0);
    assert_int_equal(bench_act(&bench, GW_INCIDENT_CLOSE, id, "centre"), GW_ESTATE);
    bench_verify(&bench, NULL);
}

static void test_incident_knows_its_place(void **state) {
    (void)state;
    char id[GW_INCIDENT_ID_SIZE];
    assert_int_equal(bench_report(&bench, 1, 0, id), GW_OK);
    Gridwarden__V1__Incident *incident = bench_incident(&bench, id);
    assert_string_equal(incident->grid_code, BENCH_A2);
    assert_int_equal(incident->n_area_codes, 4);
    assert_string_equal(incident->area_codes[0], BENCH_VILLAGE_A);
    assert_string_equal(incident->area_codes[3], "2112");
    assert_int_equal(incident->edition->number, 1);
    assert_string_equal(incident->edition->layer, "grid");
    assert_string_equal(incident->handler, BENCH_DESK_A); // there are no workers yet
    gridwarden__v1__incident__free_unpacked(incident, NULL);
}

static void test_declined_and_lapsed_walk_up_the_ranks(void **state) {
    (void)state;
    static const char *const order[] = {"w1", "w2", "w3", "w4"}; // grid, grid, village, township
    char id[GW_INCIDENT_ID_SIZE];
    bench_staff(&bench, 3);
    assert_int_equal(bench_report(&bench, 0, 0, id), GW_OK);
    for (int i = 0; i < 4; i++) {
        bench_expect(&bench, id, OFFERED, order[i]);
        if (i % 2 == 0) {
            assert_int_equal(bench_act(&bench, GW_INCIDENT_DECLINE, id, order[i]), GW_OK);
        } else {
            bench.now_ms += 59999;
            assert_int_equal(gw_shard_step(bench.shard), 0);
            bench.now_ms += 1;
            assert_int_equal(gw_shard_step(bench.shard), 1);
        }
        assert_int_equal(bench_load(&bench, order[i]), 0);
    }
    bench_expect(&bench, id, AT_DESK, BENCH_DESK_A); // w5 is of another township
    expect_events(id, "abcecfcecfg");
    assert_int_equal(bench_act(&bench, GW_INCIDENT_ACCEPT, id, "w1"), GW_EPERM);
    assert_int_equal(bench_act(&bench, GW_INCIDENT_ACCEPT, id, BENCH_DESK_A), GW_OK);
    bench_verify(&bench, NULL);
}

static void test_place_unknown_until_it_is_set(void **state) {
    (void)state;
    char id[GW_INCIDENT_ID_SIZE];
    struct gw_shard_totals totals;
    bench_staff(&bench, 1);
    assert_int_equal(bench_report_address(&bench, id), GW_OK);
    assert_memory_equal(id, "0000000000000000-", 17);
    bench_expect(&bench, id, PLACE_UNKNOWN, GW_DESK_PLACE_UNKNOWN);
    gw_shard_totals(bench.shard, &totals);
    assert_int_equal(totals.at_desks, 1);
    assert_int_equal(bench_set_place(&bench, id, 2, 0), GW_OK);
    bench_expect(&bench, id, OFFERED, "w4");
    gw_shard_totals(bench.shard, &totals);
    assert_int_equal(totals.at_desks, 0);
    bench_verify(&bench, NULL);
}

static void test_outside_every_grid_goes_to_the_nearest_area(void **state) {
    (void)state;
    char id[GW_INCIDENT_ID_SIZE];
    bench_staff(&bench, 1);
    assert_int_equal(bench_report(&bench, -3, 0, id), GW_OK);
    Gridwarden__V1__Incident *incident = bench_incident(&bench, id);
    assert_string_equal(incident->grid_code, "");
    assert_string_equal(incident->nearest_grid_code, BENCH_A1);
    // 0.025 degrees of longitude at 42.505 N
    assert_true(incident->nearest_grid_distance_m > 2050 &&
                incident->nearest_grid_distance_m < 2060);
    assert_string_equal(incident->handler, BENCH_DESK_A);
    assert_int_equal(incident->state, AT_DESK);
    gridwarden__v1__incident__free_unpacked(incident, NULL);
    bench_verify(&bench, NULL);
}

static void test_corrected_place_withdraws_the_offer(void **state) {
    (void)state;
    char id[GW_INCIDENT_ID_SIZE];
    bench_staff(&bench, 1);
    assert_int_equal(bench_report(&bench, 0, 0, id), GW_OK);
    bench_expect(&bench, id, OFFERED, "w1");
    assert_int_equal(bench_set_place(&bench, id, 0, 0), GW_OK); // the same place: the same worker
    bench_expect(&bench, id, OFFERED, "w1");
    assert_int_equal(bench_load(&bench, "w1"), 1);
    assert_int_equal(bench_set_place(&bench, id, 2, 0), GW_OK);
    bench_expect(&bench, id, OFFERED, "w4");
    assert_int_equal(bench_load(&bench, "w1"), 0);
    assert_int_equal(bench_load(&bench, "w4"), 1);
    bench.now_ms += 60000;
    assert_int_equal(gw_shard_step(bench.shard), 1); // the timer of the open offer alone
    Gridwarden__V1__Incident *incident = bench_incident(&bench, id);
    assert_int_equal(incident->attempt, 4); // w4's offer lapsed, then up to the township's others
    gridwarden__v1__incident__free_unpacked(incident, NULL);
    bench_verify(&bench, NULL);
}

static void test_full_workers_are_not_asked(void **state) {
    (void)state;
    static const char *const order[] = {"w1", "w2", "w3", "w4", BENCH_DESK_A};
    bench_staff(&bench, 1);
    for (int i = 0; i < 5; i++) {
        char id[GW_INCIDENT_ID_SIZE];
        assert_int_equal(bench_report(&bench, 0, 0, id), GW_OK);
        bench_expect(&bench, id, i < 4 ? OFFERED : AT_DESK, order[i]);
    }
    bench_verify(&bench, NULL);
}

static void test_refusals_leave_no_trace(void **state) {
    (void)state;
    char id[GW_INCIDENT_ID_SIZE];
    bench_staff(&bench, 1);
    assert_int_equal(bench_report(&bench, 0, 0, id), GW_OK);
    uint64_t head = gw_shard_head(bench.shard);
    assert_int_equal(bench_act(&bench, GW_INCIDENT_ACCEPT, id, "w2"), GW_EPERM);
    assert_int_equal(bench_act(&bench, GW_INCIDENT_START, id, "w1"), GW_ESTATE);
    assert_int_equal(bench_act(&bench, GW_INCIDENT_ACCEPT, id, ""), GW_EINVAL);
    assert_int_equal(bench_act(&bench, GW_INCIDENT_ACCEPT, "0000000000000000-0000000fff", "w1"),
                     GW_ENOTFOUND);
    assert_int_equal(bench_act(&bench, GW_INCIDENT_ACCEPT, "nonsense", "w1"), GW_EINVAL);
    assert_int_equal(bench_report(&bench, 7000, 0, id), GW_ERANGE);
    Gridwarden__V1__SetPlaceRequest place = GRIDWARDEN__V1__SET_PLACE_REQUEST__INIT;
    place.request_id = (char *)"p";
    place.incident_id = id;
    place.actor = (char *)"centre";
    assert_int_equal(bench_call(&bench, &place.base, NULL), GW_EINVAL); // no point
    Gridwarden__V1__LocateRequest other = GRIDWARDEN__V1__LOCATE_REQUEST__INIT;
    assert_int_equal(bench_call(&bench, &other.base, NULL), GW_EUNSUPPORTED);
    assert_int_equal(gw_shard_head(bench.shard), head);
    bench_expect(&bench, id, OFFERED, "w1");
    bench_verify(&bench, NULL);
}

static void test_reserved_worker_ids(void **state) {
    (void)state;
    static const char *const ids[] = {"desk:city", "desk:", "system", "anonymous"};
    for (int i = 0; i < 4; i++) {
        Gridwarden__V1__Worker worker = GRIDWARDEN__V1__WORKER__INIT;
        Gridwarden__V1__Worker *workers[] = {&worker};
        Gridwarden__V1__UpsertWorkersRequest upsert = GRIDWARDEN__V1__UPSERT_WORKERS_REQUEST__INIT;
        char *grids[] = {(char *)BENCH_A1};
        struct bench_reply reply = {0};
        worker.id = (char *)ids[i];
        worker.home_grids = grids;
        worker.n_home_grids = 1;
        upsert.request_id = (char *)"u";
        upsert.workers = workers;
        upsert.n_workers = 1;
        assert_int_equal(bench_call(&bench, &upsert.base, &reply), GW_EINVAL);
        assert_non_null(strstr(reply.text, "workers[0].id"));
        bench_reply_free(&reply);
    }
}

// --- retries ---

static Gridwarden__V1__ReportRequest report_of(const char *request_id,
                                               Gridwarden__V1__Point *point) {
    Gridwarden__V1__ReportRequest request = GRIDWARDEN__V1__REPORT_REQUEST__INIT;
    request.request_id = (char *)request_id;
    request.class_code = (char *)"01";
    request.point = point;
    request.description = (char *)"first";
    return request;
}

static bool same_message(const struct bench_reply *a, const struct bench_reply *b) {
    size_t size_a = 0, size_b = 0;
    unsigned char *bytes_a = gw_message_pack(a->response, &size_a);
    unsigned char *bytes_b = gw_message_pack(b->response, &size_b);
    bool same = size_a == size_b && memcmp(bytes_a, bytes_b, size_a) == 0;
    free(bytes_a);
    free(bytes_b);
    return same;
}

static void test_retry_gets_the_first_answer(void **state) {
    (void)state;
    Gridwarden__V1__Point point = bench_point(0, 0);
    Gridwarden__V1__ReportRequest request = report_of("r-1", &point);
    struct bench_reply first = {0}, second = {0}, third = {0}, fourth = {0};
    struct gw_shard_verify_totals totals;
    bench_staff(&bench, 1);
    assert_int_equal(bench_call(&bench, &request.base, &first), GW_OK);
    const Gridwarden__V1__ReportResponse *response =
        (const Gridwarden__V1__ReportResponse *)first.response;
    assert_int_equal(bench_act(&bench, GW_INCIDENT_ACCEPT, response->incident->id, "w1"), GW_OK);
    uint64_t head = gw_shard_head(bench.shard);
    assert_int_equal(bench_call(&bench, &request.base, &second), GW_OK);
    assert_true(same_message(&first, &second)); // as it was then: offered
    assert_int_equal(gw_shard_head(bench.shard), head);
    bench_restart(&bench);
    assert_int_equal(bench_call(&bench, &request.base, &third), GW_OK);
    assert_true(same_message(&first, &third));
    request.description = (char *)"second";
    assert_int_equal(bench_call(&bench, &request.base, &fourth), GW_EEXISTS);
    assert_non_null(strstr(fourth.text, "r-1"));
    Gridwarden__V1__AcceptRequest other = GRIDWARDEN__V1__ACCEPT_REQUEST__INIT;
    other.request_id = (char *)"r-1"; // another method
    other.incident_id = response->incident->id;
    other.actor = (char *)"w1";
    assert_int_equal(bench_call(&bench, &other.base, NULL), GW_EEXISTS);
    bench_verify(&bench, &totals);
    assert_int_equal(totals.incidents, 1);
    bench_reply_free(&first);
    bench_reply_free(&second);
    bench_reply_free(&third);
    bench_reply_free(&fourth);
}

static void test_same_request_twice_in_one_entry(void **state) {
    (void)state;
    Gridwarden__V1__Point point = bench_point(0, 0);
    Gridwarden__V1__ReportRequest request = report_of("r-1", &point);
    Gridwarden__V1__ReportRequest changed = report_of("r-1", &point);
    struct bench_reply replies[3] = {{0}};
    struct gw_shard_verify_totals totals;
    changed.description = (char *)"changed";
    uint64_t head = gw_shard_head(bench.shard);
    bench_submit(&bench, &request.base, &replies[0]);
    bench_submit(&bench, &request.base, &replies[1]);
    bench_submit(&bench, &changed.base, &replies[2]);
    assert_int_equal(gw_shard_step(bench.shard), 3);
    assert_int_equal(gw_shard_head(bench.shard), head + 1);
    assert_int_equal(replies[0].err, GW_OK);
    assert_int_equal(replies[1].err, GW_OK);
    assert_int_equal(replies[2].err, GW_EEXISTS);
    assert_true(same_message(&replies[0], &replies[1]));
    bench_verify(&bench, &totals);
    assert_int_equal(totals.incidents, 1);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(replies[i].answers, 1);
        bench_reply_free(&replies[i]);
    }
}

static void test_refused_request_may_come_again(void **state) {
    (void)state;
    char id[GW_INCIDENT_ID_SIZE];
    Gridwarden__V1__StartRequest start = GRIDWARDEN__V1__START_REQUEST__INIT;
    bench_staff(&bench, 1);
    assert_int_equal(bench_report(&bench, 0, 0, id), GW_OK);
    start.request_id = (char *)"s-1";
    start.incident_id = id;
    start.actor = (char *)"w1";
    assert_int_equal(bench_call(&bench, &start.base, NULL), GW_ESTATE);
    assert_int_equal(bench_act(&bench, GW_INCIDENT_ACCEPT, id, "w1"), GW_OK);
    assert_int_equal(bench_call(&bench, &start.base, NULL), GW_OK);
    assert_int_equal(bench_call(&bench, &start.base, NULL), GW_OK);
    bench_expect(&bench, id, STARTED, "w1");
}

static void test_request_ids_are_forgotten_in_the_end(void **state) {
    (void)state;
    Gridwarden__V1__Point point = bench_point(0, 0);
    Gridwarden__V1__ReportRequest request = report_of("r-1", &point);
    struct gw_shard_verify_totals totals;
    char id[GW_INCIDENT_ID_SIZE];
    assert_int_equal(bench_call(&bench, &request.base, NULL), GW_OK);
    bench.now_ms += INT64_C(7) * 24 * 3600 * 1000;
    assert_int_equal(bench_call(&bench, &request.base, NULL), GW_OK); // the first answer still
    bench.now_ms += 1;
    assert_int_equal(bench_report(&bench, 1, 0, id), GW_OK); // sweeps
    assert_int_equal(bench_call(&bench, &request.base, NULL), GW_OK);
    bench_verify(&bench, &totals);
    assert_int_equal(totals.incidents, 3);
    assert_int_equal(totals.receipts, 2);
    bench_restart(&bench);
    assert_int_equal(bench_call(&bench, &request.base, NULL), GW_OK);
    bench_verify(&bench, &totals);
    assert_int_equal(totals.incidents, 3);
}

// --- many at once, and what fails ---

static void test_many_commands_make_one_entry(void **state) {
    (void)state;
    enum { COMMANDS = GW_SHARD_ENTRY_COMMANDS_MAX + 10 };
    static struct bench_reply replies[COMMANDS];
    static char ids[COMMANDS][16];
    Gridwarden__V1__Point point = bench_point(0, 0);
    static Gridwarden__V1__ReportRequest requests[COMMANDS];
    uint64_t head = gw_shard_head(bench.shard);
    for (int i = 0; i < COMMANDS; i++) {
        (void)snprintf(ids[i], sizeof(ids[i]), "r-%d", i);
        requests[i] = report_of(ids[i], &point);
        bench_submit(&bench, &requests[i].base, &replies[i]);
    }
    assert_int_equal(gw_shard_step(bench.shard), GW_SHARD_ENTRY_COMMANDS_MAX);
    assert_int_equal(gw_shard_head(bench.shard), head + 1);
    assert_int_equal(gw_shard_step(bench.shard), 10);
    assert_int_equal(gw_shard_step(bench.shard), 0);
    for (int i = 0; i < COMMANDS; i++) {
        assert_int_equal(replies[i].answers, 1);
        assert_int_equal(replies[i].err, GW_OK);
        bench_reply_free(&replies[i]);
    }
    bench_verify(&bench, NULL);
}

static void test_close_and_what_follows_in_one_entry(void **state) {
    (void)state;
    char id[GW_INCIDENT_ID_SIZE];
    struct bench_reply replies[3] = {{0}};
    bench_staff(&bench, 1);
    assert_int_equal(bench_report(&bench, 0, 0, id), GW_OK);
    assert_int_equal(bench_act(&bench, GW_INCIDENT_ACCEPT, id, "w1"), GW_OK);
    assert_int_equal(bench_act(&bench, GW_INCIDENT_START, id, "w1"), GW_OK);
    Gridwarden__V1__ResolveRequest resolve = GRIDWARDEN__V1__RESOLVE_REQUEST__INIT;
    Gridwarden__V1__CloseRequest close = GRIDWARDEN__V1__CLOSE_REQUEST__INIT;
    Gridwarden__V1__CloseRequest again = GRIDWARDEN__V1__CLOSE_REQUEST__INIT;
    resolve.request_id = (char *)"a";
    close.request_id = (char *)"b";
    again.request_id = (char *)"c";
    resolve.incident_id = close.incident_id = again.incident_id = id;
    resolve.actor = close.actor = again.actor = (char *)"w1";
    bench_submit(&bench, &resolve.base, &replies[0]);
    bench_submit(&bench, &close.base, &replies[1]);
    bench_submit(&bench, &again.base, &replies[2]);
    assert_int_equal(gw_shard_step(bench.shard), 3);
    assert_int_equal(replies[0].err, GW_OK);
    assert_int_equal(replies[1].err, GW_OK);
    assert_int_equal(replies[2].err, GW_ESTATE); // closed already, though not durable then
    for (int i = 0; i < 3; i++) {
        bench_reply_free(&replies[i]);
    }
    bench_verify(&bench, NULL);
}

static void count_answer(void *context, const struct gw_error *error,
                         const ProtobufCMessage *response) {
    uint32_t *counts = context; // by what was answered: OK, full, other
    (void)response;
    counts[error == NULL ? 0 : error->code == GW_ENOSPC ? 1 : 2]++;
}

static void test_full_queue_is_told(void **state) {
    (void)state;
    Gridwarden__V1__Point point = bench_point(0, 0);
    Gridwarden__V1__ReportRequest request = report_of("r-1", &point);
    uint32_t counts[3] = {0};
    struct gw_shard_command command = {
        .request = &request.base, .done = count_answer, .context = counts};
    struct gw_shard_totals totals;
    for (uint32_t i = 0; i < GW_SHARD_QUEUE_MAX + 5u; i++) {
        gw_shard_submit(bench.shard, &command);
    }
    assert_int_equal(counts[1], 5);
    gw_shard_totals(bench.shard, &totals);
    assert_int_equal(totals.queued_commands, GW_SHARD_QUEUE_MAX);
    while (gw_shard_step(bench.shard) > 0) {
    }
    gw_shard_totals(bench.shard, &totals);
    assert_int_equal(totals.queued_commands, 0);
    assert_int_equal(counts[0], GW_SHARD_QUEUE_MAX); // all of them the same request
    assert_int_equal(counts[2], 0);
    assert_int_equal(totals.open_incidents, 1);
}

static bool has_line(const char *text, const char *line) {
    const char *found = strstr(text, line);
    return found != NULL && found[strlen(line)] == '\n';
}

static void test_metrics_tell_what_goes_on(void **state) {
    (void)state;
    char id[GW_INCIDENT_ID_SIZE];
    struct gw_buffer text = {0};
    bench_staff(&bench, 1);
    assert_int_equal(bench_report(&bench, 0, 0, id), GW_OK);
    bench.now_ms += 1500;
    assert_int_equal(bench_report_address(&bench, id), GW_OK);
    assert_int_equal(bench_act(&bench, GW_INCIDENT_ACCEPT, id, "w1"), GW_ESTATE);
    assert_int_equal(bench_act(&bench, GW_INCIDENT_ACCEPT, id, "\t"), GW_EINVAL);
    gw_metrics_write(bench.metrics, &text);
    assert_true(has_line(text.data, "gridwarden_open_incidents 2"));
    assert_true(has_line(text.data, "gridwarden_open_offers 1"));
    assert_true(has_line(text.data, "gridwarden_incidents_at_desks 1"));
    assert_true(has_line(text.data, "gridwarden_oldest_unassigned_seconds 1.5"));
    assert_true(
        has_line(text.data, "gridwarden_commands_total{command=\"Report\",outcome=\"done\"} 2"));
    assert_true(
        has_line(text.data, "gridwarden_commands_total{command=\"Accept\",outcome=\"refused\"} 2"));
    gw_buffer_free(&text);
}

static void test_failed_append_stops_writing(void **state) {
    (void)state;
    Gridwarden__V1__Point point = bench_point(0, 0);
    Gridwarden__V1__ReportRequest request = report_of("r-1", &point);
    struct bench_reply reply = {0};
    struct gw_shard_totals before, after;
    char id[GW_INCIDENT_ID_SIZE];
    bench_staff(&bench, 1);
    assert_int_equal(bench_report(&bench, 0, 0, id), GW_OK);
    gw_shard_totals(bench.shard, &before);
    bench.fail_appends = 1;
    assert_int_equal(bench_call(&bench, &request.base, &reply), GW_EUNAVAILABLE);
    assert_non_null(strstr(reply.text, "outcome unknown"));
    assert_non_null(strstr(reply.text, "no space left"));
    assert_false(gw_shard_writable(bench.shard));
    assert_int_equal(bench_call(&bench, &request.base, NULL), GW_EUNAVAILABLE);
    bench_expect(&bench, id, OFFERED, "w1"); // reads go on
    gw_shard_totals(bench.shard, &after);
    assert_int_equal(after.open_incidents, before.open_incidents);
    assert_int_equal(after.sequence, before.sequence);
    bench_restart(&bench);
    assert_true(gw_shard_writable(bench.shard));
    assert_int_equal(bench_call(&bench, &request.base, NULL), GW_OK);
    bench_verify(&bench, NULL);
    bench_reply_free(&reply);
}

static void test_restart_goes_on_where_it_was(void **state) {
    (void)state;
    char offered[GW_INCIDENT_ID_SIZE], accepted[GW_INCIDENT_ID_SIZE];
    char unknown[GW_INCIDENT_ID_SIZE], closed[GW_INCIDENT_ID_SIZE];
    struct gw_shard_totals before, after;
    bench_staff(&bench, 1);
    assert_int_equal(bench_report(&bench, 0, 0, closed), GW_OK);
    assert_int_equal(bench_act(&bench, GW_INCIDENT_ACCEPT, closed, "w1"), GW_OK);
    assert_int_equal(bench_act(&bench, GW_INCIDENT_START, closed, "w1"), GW_OK);
    assert_int_equal(bench_act(&bench, GW_INCIDENT_RESOLVE, closed, "w1"), GW_OK);
    assert_int_equal(bench_act(&bench, GW_INCIDENT_CLOSE, closed, "x"), GW_OK);
    assert_int_equal(bench_report(&bench, 0, 0, accepted), GW_OK);
    assert_int_equal(bench_act(&bench, GW_INCIDENT_ACCEPT, accepted, "w1"), GW_OK);
    bench.now_ms += 10;
    assert_int_equal(bench_report(&bench, 0, 0, offered), GW_OK);
    assert_int_equal(bench_report_address(&bench, unknown), GW_OK);
    gw_shard_totals(bench.shard, &before);
    bench_restart(&bench);
    gw_shard_totals(bench.shard, &after);
    assert_memory_equal(&before, &after, sizeof(before));
    assert_int_equal(bench_load(&bench, "w1"), 1);
    assert_int_equal(bench_load(&bench, "w2"), 1);
    bench_expect(&bench, offered, OFFERED, "w2");
    Gridwarden__V1__Worker *worker = gw_workers_get(gw_shard_workers(bench.shard), "w3");
    assert_non_null(worker->position); // from the snapshot
    gridwarden__v1__worker__free_unpacked(worker, NULL);
    bench.now_ms += 60000; // the timer goes on
    assert_int_equal(gw_shard_step(bench.shard), 1);
    bench_expect(&bench, offered, OFFERED, "w3");
    assert_int_equal(bench_act(&bench, GW_INCIDENT_START, accepted, "w1"), GW_OK);
    assert_int_equal(bench_act(&bench, GW_INCIDENT_CLOSE, closed, "x"), GW_ESTATE);
    char id[GW_INCIDENT_ID_SIZE];
    assert_int_equal(bench_report_address(&bench, id), GW_OK);
    assert_true(strcmp(id, unknown) > 0); // the counter goes on
    bench_verify(&bench, NULL);
}

static void test_time_never_goes_back(void **state) {
    (void)state;
    char id[GW_INCIDENT_ID_SIZE];
    assert_int_equal(bench_report(&bench, 0, 0, id), GW_OK);
    bench.now_ms -= 3600 * 1000;
    assert_int_equal(bench_act(&bench, GW_INCIDENT_ACCEPT, id, BENCH_DESK_A), GW_OK);
    Gridwarden__V1__Incident *incident = bench_incident(&bench, id);
    assert_int_equal(incident->updated_ms, BENCH_NOW);
    gridwarden__v1__incident__free_unpacked(incident, NULL);
    bench_verify(&bench, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_from_report_to_close, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_incident_knows_its_place, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_declined_and_lapsed_walk_up_the_ranks, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_place_unknown_until_it_is_set, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_outside_every_grid_goes_to_the_nearest_area, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_corrected_place_withdraws_the_offer, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_full_workers_are_not_asked, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_refusals_leave_no_trace, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_reserved_worker_ids, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_retry_gets_the_first_answer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_same_request_twice_in_one_entry, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_refused_request_may_come_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_request_ids_are_forgotten_in_the_end, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_many_commands_make_one_entry, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_close_and_what_follows_in_one_entry, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_full_queue_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_metrics_tell_what_goes_on, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_failed_append_stops_writing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_restart_goes_on_where_it_was, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_time_never_goes_back, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
