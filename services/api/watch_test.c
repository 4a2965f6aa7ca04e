// Watches over a real stream: resuming, slow readers, heartbeats, snapshots, corrected places.
#include "services/api/testing.h"

#include "gridwarden/v1/worker.pb-c.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef Gridwarden__V1__IncidentServiceWatchResponse watch_message;
typedef Gridwarden__V1__WatchAssignmentsResponse assignment_message;

enum {
    OFFERED = GRIDWARDEN__V1__ASSIGNMENT_STATE__ASSIGNMENT_STATE_OFFERED,
    ACCEPTED = GRIDWARDEN__V1__ASSIGNMENT_STATE__ASSIGNMENT_STATE_ACCEPTED,
    DECLINED = GRIDWARDEN__V1__ASSIGNMENT_STATE__ASSIGNMENT_STATE_DECLINED,
    STARTED = GRIDWARDEN__V1__ASSIGNMENT_STATE__ASSIGNMENT_STATE_STARTED,
    RESOLVED = GRIDWARDEN__V1__ASSIGNMENT_STATE__ASSIGNMENT_STATE_RESOLVED,
    WITHDRAWN = GRIDWARDEN__V1__ASSIGNMENT_STATE__ASSIGNMENT_STATE_WITHDRAWN,
    MESSAGES_MAX = 4096,
};

static struct api_bench it;

static void release(void *message) {
    protobuf_c_message_free_unpacked(message, NULL);
}

// --- what a watch says ---

struct seen {
    char id[GW_INCIDENT_ID_SIZE], token[48];
    uint32_t version;
    int kind;
};

static struct seen next_event(struct gw_rpc_stream *stream) {
    struct seen seen = {.version = 0};
    while (seen.version == 0) {
        watch_message *message = (watch_message *)api_bench_next(stream);
        if (message->event != NULL) {
            (void)snprintf(seen.id, sizeof(seen.id), "%s", message->event->incident_id);
            (void)snprintf(seen.token, sizeof(seen.token), "%s", message->token);
            seen.version = message->event->version;
            seen.kind = (int)message->event->kind_case;
            assert_string_equal(message->incident->id, seen.id);
            assert_true(message->incident->version >= seen.version);
        }
        release(message);
    }
    return seen;
}

struct said {
    char id[GW_INCIDENT_ID_SIZE], worker[32], token[48];
    uint32_t attempt;
    int state;
    bool snapshot, heartbeat;
    int64_t answer_by_ms;
};

static struct said next_said(struct gw_rpc_stream *stream) {
    struct said said = {.heartbeat = true};
    assignment_message *message = (assignment_message *)api_bench_next(stream);
    (void)snprintf(said.token, sizeof(said.token), "%s", message->token);
    said.snapshot = message->snapshot;
    if (message->assignment != NULL) {
        said.heartbeat = false;
        (void)snprintf(said.id, sizeof(said.id), "%s", message->assignment->incident_id);
        (void)snprintf(said.worker, sizeof(said.worker), "%s", message->assignment->worker_id);
        said.attempt = message->assignment->attempt;
        said.state = (int)message->assignment->state;
        said.answer_by_ms = message->assignment->answer_by_ms;
    }
    release(message);
    return said;
}

static struct said next_change(struct gw_rpc_stream *stream) {
    struct said said = next_said(stream);
    while (said.heartbeat) {
        said = next_said(stream);
    }
    return said;
}

static void expect_change(struct gw_rpc_stream *stream, const char *worker, uint32_t attempt,
                          int state) {
    struct said said = next_change(stream);
    assert_string_equal(said.worker, worker);
    assert_int_equal(said.state, state);
    assert_int_equal(said.attempt, attempt);
    assert_false(said.snapshot);
}

// --- commands that share an entry ---

enum { BATCH_MAX = 64 };

struct batch {
    struct bench_reply replies[BATCH_MAX];
    char ids[BATCH_MAX][48];
    uint32_t count;
    union {
        Gridwarden__V1__ReportRequest report;
        Gridwarden__V1__SetPlaceRequest place;
        Gridwarden__V1__DeclineRequest decline;
    } requests[BATCH_MAX];
    Gridwarden__V1__Point points[BATCH_MAX];
};

static uint32_t begin(struct batch *batch) {
    uint32_t i = batch->count++;
    assert_true(i < BATCH_MAX);
    (void)snprintf(batch->ids[i], sizeof(batch->ids[i]), "%s", bench_request_id(&it.bench));
    return i;
}

static void add_report(struct batch *batch, int column, int row) {
    uint32_t i = begin(batch);
    Gridwarden__V1__ReportRequest *request = &batch->requests[i].report;
    gridwarden__v1__report_request__init(request);
    batch->points[i] = bench_point(column, row);
    request->request_id = batch->ids[i];
    request->class_code = (char *)"01";
    request->point = &batch->points[i];
    bench_submit(&it.bench, &request->base, &batch->replies[i]);
}

static void add_place(struct batch *batch, const char *id, int column, int row) {
    uint32_t i = begin(batch);
    Gridwarden__V1__SetPlaceRequest *request = &batch->requests[i].place;
    gridwarden__v1__set_place_request__init(request);
    batch->points[i] = bench_point(column, row);
    request->request_id = batch->ids[i];
    request->incident_id = (char *)id;
    request->point = &batch->points[i];
    request->actor = (char *)"desk:city";
    bench_submit(&it.bench, &request->base, &batch->replies[i]);
}

static void add_decline(struct batch *batch, const char *id, const char *actor) {
    uint32_t i = begin(batch);
    Gridwarden__V1__DeclineRequest *request = &batch->requests[i].decline;
    gridwarden__v1__decline_request__init(request);
    request->request_id = batch->ids[i];
    request->incident_id = (char *)id;
    request->actor = (char *)actor;
    bench_submit(&it.bench, &request->base, &batch->replies[i]);
}

// All of it in one entry, and done.
static void commit(struct batch *batch) {
    uint64_t head = gw_shard_head(it.bench.shard);
    while (gw_shard_step(it.bench.shard) > 0) {
    }
    assert_int_equal(gw_shard_head(it.bench.shard), head + 1);
    for (uint32_t i = 0; i < batch->count; i++) {
        if (batch->replies[i].err != GW_OK) {
            fail_msg("command %u: %s", i, batch->replies[i].text);
        }
        bench_reply_free(&batch->replies[i]);
    }
    batch->count = 0;
}

static void report_many(uint32_t entries, uint32_t reports) {
    struct batch *batch = calloc(1, sizeof(*batch));
    assert_non_null(batch);
    for (uint32_t i = 0; i < entries; i++) {
        for (uint32_t k = 0; k < reports; k++) {
            add_report(batch, (int)(k % 3), (int)(k / 3 % 2));
        }
        commit(batch);
    }
    free(batch);
}

// --- resuming ---

static bool count_events(void *context, const Gridwarden__Store__V1__LogEntry *entry) {
    uint32_t *events = context; // by entry
    assert_true(entry->sequence < MESSAGES_MAX);
    events[entry->sequence] = (uint32_t)entry->n_events;
    return true;
}

static bool is_after(const char *token, uint64_t sequence, uint32_t events) {
    char *dot = NULL;
    assert_int_equal(strncmp(token, "0:", 2), 0);
    uint64_t of_sequence = strtoull(token + 2, &dot, 10);
    assert_int_equal(*dot, '.');
    uint64_t of_events = strtoull(dot + 1, NULL, 10);
    return of_sequence > sequence || (of_sequence == sequence && of_events > events);
}

static void resume_at(uint64_t sequence, uint32_t events, const struct seen all[], uint32_t count) {
    char token[48];
    uint32_t first = 0;
    (void)snprintf(token, sizeof(token), "0:%llu.%u", (unsigned long long)sequence, events);
    while (first < count && !is_after(all[first].token, sequence, events)) {
        first++;
    }
    if (first == count) {
        return; // nothing is left to be read
    }
    struct gw_rpc_stream *stream = api_bench_watch(&it, token, "");
    for (uint32_t i = first; i < count; i++) {
        struct seen seen = next_event(stream);
        assert_string_equal(seen.id, all[i].id);
        assert_int_equal(seen.version, all[i].version);
        assert_string_equal(seen.token, all[i].token);
    }
    gw_rpc_stream_destroy(stream);
}

static void test_a_watch_resumes_exactly_at_every_position(void **state) {
    (void)state;
    static uint32_t events[MESSAGES_MAX];
    static struct seen all[MESSAGES_MAX];
    struct gw_error error;
    uint32_t count = 0;
    api_bench_open(&it, NULL, NULL, 0);
    bench_staff(&it.bench, 3);
    report_many(2, 7); // several incidents an entry, some offered, some for a desk
    assert_int_equal(gw_shard_read(it.bench.shard, 0, count_events, events, &error), GW_OK);
    struct gw_rpc_stream *stream = api_bench_watch(&it, "0:0.0", "");
    for (uint32_t incidents = 0; incidents < 2 * 7;) {
        all[count] = next_event(stream);
        incidents += all[count++].version == 3; // reported, placed, offered or sent to the desk
    }
    gw_rpc_stream_destroy(stream);
    assert_int_equal(count, 2 * 7 * 3);
    for (uint64_t sequence = 0; sequence <= gw_shard_head(it.bench.shard); sequence++) {
        for (uint32_t i = 0; i <= events[sequence]; i++) {
            resume_at(sequence, i, all, count);
        }
    }
    api_bench_close(&it);
}

static void test_tokens_of_nothing_are_refused(void **state) {
    (void)state;
    static const struct {
        const char *token;
        gw_err err;
    } rows[] = {
        {"x", GW_EINVAL},       {"0:1", GW_EINVAL},
        {"0:1.", GW_EINVAL},    {"0:+1.0", GW_EINVAL},
        {"0: 1.0", GW_EINVAL},  {"0:1.0 ", GW_EINVAL},
        {"0:01.0", GW_EINVAL},  {"0:1.-1", GW_EINVAL},
        {"1:1.0", GW_EINVAL},   {"0:1.4294967296", GW_EINVAL},
        {"0:99.0", GW_ERANGE},  {"0:18446744073709551615.0", GW_ERANGE},
        {"0:3.0.0", GW_EINVAL}, {"0:99999999999999999999.0", GW_EINVAL},
    };
    api_bench_open(&it, NULL, NULL, 0);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        ProtobufCMessage *message = NULL;
        struct gw_error error;
        struct gw_rpc_stream *stream = api_bench_watch(&it, rows[i].token, "");
        assert_int_equal(gw_rpc_stream_read(stream, PATIENCE_MS, &message, &error), rows[i].err);
        assert_non_null(strstr(error.text, "token"));
        gw_rpc_stream_destroy(stream);
    }
    api_bench_close(&it);
}

// --- slow readers ---

static const struct gw_rpc_server_options narrow = {
    .loops = 1, .outbox_messages_max = 2, .outbox_bytes_max = 2048};

static void test_a_slow_reader_gets_everything_in_order(void **state) {
    (void)state;
    enum { ENTRIES = 40, REPORTS = 24 };
    uint64_t last = 0;
    api_bench_open(&it, NULL, &narrow, 0);
    struct gw_rpc_stream *stream = api_bench_watch(&it, "0:0.0", "");
    report_many(ENTRIES, REPORTS); // nobody reads meanwhile
    for (uint32_t i = 0; i < ENTRIES * REPORTS; i++) {
        for (uint32_t version = 1; version <= 3; version++) {
            struct seen seen = next_event(stream);
            assert_int_equal(seen.version, version);
            uint64_t counter = gw_incident_id_counter(seen.id);
            assert_int_equal(counter, version == 1 ? last + 1 : last);
            last = counter;
        }
    }
    gw_rpc_stream_destroy(stream);
    api_bench_close(&it);
}

static void test_a_snapshot_comes_whole_through_a_narrow_outbox(void **state) {
    (void)state;
    enum { OPEN = 150 };
    bool had[OPEN + 1] = {false};
    api_bench_open(&it, NULL, &narrow, 0);
    bench_staff(&it.bench, 100);
    for (uint32_t i = 0; i < OPEN / 50; i++) {
        report_many(1, 50);
    }
    struct gw_rpc_stream *stream = api_bench_assignments(&it, "", "", "");
    uint32_t count = 0;
    struct said said = next_said(stream);
    for (; said.snapshot; said = next_said(stream)) {
        uint64_t number = gw_incident_id_counter(said.id);
        assert_true(number >= 1 && number <= OPEN && !had[number]); // each once
        had[number] = true;
        assert_int_equal(said.state, OFFERED);
        assert_true(said.answer_by_ms > BENCH_NOW);
        assert_string_equal(said.token, ""); // one who is cut off here starts anew
        count++;
    }
    struct gw_shard_totals totals;
    gw_shard_totals(it.bench.shard, &totals);
    assert_int_equal(count, totals.open_offers);
    assert_true(said.heartbeat); // the end, at once
    char id[GW_INCIDENT_ID_SIZE];
    assert_int_equal(bench_report(&it.bench, 0, 0, id), GW_OK);
    struct gw_rpc_stream *resumed = api_bench_assignments(&it, said.token, "", "");
    assert_string_equal(next_change(stream).id, id);
    assert_string_equal(next_change(resumed).id, id);
    gw_rpc_stream_destroy(resumed);
    gw_rpc_stream_destroy(stream);
    api_bench_close(&it);
}

static void test_a_workers_snapshot_is_his_alone(void **state) {
    (void)state;
    char id[3][GW_INCIDENT_ID_SIZE];
    api_bench_open(&it, NULL, NULL, 0);
    bench_staff(&it.bench, 1);
    for (int i = 0; i < 3; i++) { // w1, w2, and w3 from the village's roster
        assert_int_equal(bench_report(&it.bench, 0, 0, id[i]), GW_OK);
    }
    assert_int_equal(bench_act(&it.bench, GW_INCIDENT_ACCEPT, id[1], "w2"), GW_OK);
    // With a worker the area does not count, neither in the snapshot nor after it.
    struct gw_rpc_stream *stream = api_bench_assignments(&it, "", "w2", BENCH_VILLAGE_C);
    struct said said = next_said(stream);
    assert_true(said.snapshot);
    assert_string_equal(said.id, id[1]);
    assert_int_equal(said.state, ACCEPTED);
    assert_true(next_said(stream).heartbeat);
    assert_int_equal(bench_act(&it.bench, GW_INCIDENT_START, id[1], "w2"), GW_OK);
    expect_change(stream, "w2", 1, STARTED);
    assert_int_equal(bench_act(&it.bench, GW_INCIDENT_RESOLVE, id[1], "w2"), GW_OK);
    expect_change(stream, "w2", 1, RESOLVED); // and no word of his place being given back
    assert_int_equal(bench_report(&it.bench, 0, 0, id[0]), GW_OK);
    expect_change(stream, "w2", 1, OFFERED);
    gw_rpc_stream_destroy(stream);
    api_bench_close(&it);
}

// --- heartbeats ---

static void test_a_heartbeats_token_is_of_use(void **state) {
    (void)state;
    char id[2][GW_INCIDENT_ID_SIZE], token[48] = "";
    api_bench_open(&it, NULL, NULL, 20);
    // A watch that nothing happens to: its heartbeats go on with the history nevertheless.
    struct gw_rpc_stream *quiet = api_bench_watch(&it, "", BENCH_VILLAGE_B);
    watch_message *message = (watch_message *)api_bench_next(quiet);
    assert_null(message->event);
    (void)snprintf(token, sizeof(token), "%s", message->token);
    release(message);
    assert_int_equal(bench_report(&it.bench, 0, 0, id[0]), GW_OK);
    struct gw_rpc_stream *resumed = api_bench_watch(&it, token, "");
    assert_string_equal(next_event(resumed).id, id[0]);
    gw_rpc_stream_destroy(resumed);
    char first[48];
    memcpy(first, token, sizeof(first));
    while (strcmp(first, token) == 0) { // the test's own limit bounds it
        message = (watch_message *)api_bench_next(quiet);
        assert_null(message->event);
        (void)snprintf(token, sizeof(token), "%s", message->token);
        release(message);
    }
    assert_int_equal(bench_report(&it.bench, 0, 0, id[1]), GW_OK);
    resumed = api_bench_watch(&it, token, "");
    assert_string_equal(next_event(resumed).id, id[1]); // what was passed over is behind
    gw_rpc_stream_destroy(resumed);
    gw_rpc_stream_destroy(quiet);
    api_bench_close(&it);
}

// --- places that are corrected ---

static void test_a_corrected_place_is_told_where_it_was(void **state) {
    (void)state;
    char id[GW_INCIDENT_ID_SIZE];
    api_bench_open(&it, NULL, NULL, 0);
    bench_staff(&it.bench, 3);
    struct gw_rpc_stream *live = api_bench_assignments(&it, "", "", BENCH_VILLAGE_A);
    struct gw_rpc_stream *w1 = api_bench_assignments(&it, "", "w1", "");
    char token[48];
    (void)snprintf(token, sizeof(token), "%s", next_said(live).token);
    assert_true(next_said(w1).heartbeat);
    assert_int_equal(bench_report(&it.bench, 0, 0, id), GW_OK);
    assert_int_equal(bench_act(&it.bench, GW_INCIDENT_DECLINE, id, "w1"), GW_OK);
    assert_int_equal(bench_set_place(&it.bench, id, 0, 1), GW_OK);
    assert_int_equal(bench_act(&it.bench, GW_INCIDENT_ACCEPT, id, "w5"), GW_OK);
    // One that follows, and one that comes back when all is over, are told the same.
    struct gw_rpc_stream *late = api_bench_assignments(&it, token, "", BENCH_VILLAGE_A);
    struct gw_rpc_stream *there = api_bench_assignments(&it, token, "", BENCH_VILLAGE_C);
    for (int i = 0; i < 2; i++) {
        struct gw_rpc_stream *stream = i == 0 ? live : late;
        expect_change(stream, "w1", 1, OFFERED);
        expect_change(stream, "w1", 1, DECLINED);
        expect_change(stream, "w2", 2, OFFERED);
        expect_change(stream, "w2", 2, WITHDRAWN);
    }
    expect_change(there, "w5", 3, OFFERED);
    expect_change(there, "w5", 3, ACCEPTED);
    expect_change(w1, "w1", 1, OFFERED);
    expect_change(w1, "w1", 1, DECLINED);
    // Of the incident's events the old area gets the one that takes it away.
    struct gw_rpc_stream *events = api_bench_watch(&it, token, BENCH_VILLAGE_A);
    struct seen seen = next_event(events);
    assert_int_equal(seen.kind, GRIDWARDEN__V1__INCIDENT_EVENT__KIND_PLACED);
    assert_int_equal(seen.version, 6);
    gw_rpc_stream_destroy(events);
    gw_rpc_stream_destroy(there);
    gw_rpc_stream_destroy(late);
    gw_rpc_stream_destroy(w1);
    gw_rpc_stream_destroy(live);
    api_bench_close(&it);
}

static void test_each_offer_of_an_entry_is_ended_by_its_own_word(void **state) {
    (void)state;
    char id[GW_INCIDENT_ID_SIZE];
    struct batch *batch = calloc(1, sizeof(*batch));
    assert_non_null(batch);
    api_bench_open(&it, NULL, NULL, 0);
    bench_staff(&it.bench, 3);
    assert_int_equal(bench_report(&it.bench, 0, 0, id), GW_OK);
    struct gw_rpc_stream *stream = api_bench_assignments(&it, "", "w1", "");
    assert_true(next_said(stream).snapshot);
    add_place(batch, id, 0, 1); // from w1 to w5
    add_decline(batch, id, "w5");
    add_place(batch, id, 0, 0); // to w1 again
    add_decline(batch, id, "w1");
    commit(batch);
    expect_change(stream, "w1", 1, WITHDRAWN);
    expect_change(stream, "w1", 3, OFFERED);
    expect_change(stream, "w1", 3, DECLINED);
    assert_int_equal(bench_report(&it.bench, 0, 0, id), GW_OK);
    expect_change(stream, "w1", 1, OFFERED); // the next incident's: nothing came in between
    gw_rpc_stream_destroy(stream);
    api_bench_close(&it);
    free(batch);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_watch_resumes_exactly_at_every_position),
        cmocka_unit_test(test_tokens_of_nothing_are_refused),
        cmocka_unit_test(test_a_slow_reader_gets_everything_in_order),
        cmocka_unit_test(test_a_snapshot_comes_whole_through_a_narrow_outbox),
        cmocka_unit_test(test_a_workers_snapshot_is_his_alone),
        cmocka_unit_test(test_a_heartbeats_token_is_of_use),
        cmocka_unit_test(test_a_corrected_place_is_told_where_it_was),
        cmocka_unit_test(test_each_offer_of_an_entry_is_ended_by_its_own_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
