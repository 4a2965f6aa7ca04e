// Streams from end to end: order, back pressure, cancellation, both directions.
#include "services/rpc/testdata/fixture.h"

#define REQUEST_BYTES_MAX 100000u
#define RESPONSE_BYTES_MAX 200000u

static const struct gw_rpc_server_options limits = {.request_bytes_max = REQUEST_BYTES_MAX,
                                                    .response_bytes_max = RESPONSE_BYTES_MAX};

// Reads `count` numbered messages.
static void read_numbers(struct gw_rpc_stream *stream, uint32_t from, uint32_t count,
                         const char *name) {
    for (uint32_t i = from; i < from + count; i++) {
        struct gw_error error = {0};
        Gridwarden__V1__Area *message;
        if (read_area(stream, CALL_MS, &message, &error) != GW_OK) {
            fail_msg("message %u: %s", i, error.text);
        }
        assert_int_equal(message->level, i);
        assert_string_equal(message->name, name);
        release(message);
    }
}

static void expect_end(struct gw_rpc_stream *stream, gw_err expected, const char *says) {
    struct gw_error error = {0};
    Gridwarden__V1__Area *message = NULL;
    if (read_area(stream, CALL_MS, &message, &error) != expected) {
        fail_msg("ended with %s: %s", gw_err_text(error.code), error.text);
    }
    assert_null(message);
    assert_non_null(strstr(error.text, says));
    assert_int_equal(read_area(stream, CALL_MS, &message, &error), expected); // and again
}

// The observer hears of the call just after `done`.
static bool one_done(const struct echo_facts *facts) {
    uint32_t finished = 0;
    for (int status = 0; status <= 16; status++) {
        finished += facts->finished[status];
    }
    return facts->stream_done == 1 && finished == 1;
}

static void messages_come_in_order(void **state) {
    (void)state;
    static const struct {
        const char *code;
        uint32_t count;
    } rows[] = {{"", 0}, {"", 1}, {"", 5000}, {"thread", 0}, {"thread", 1}, {"thread", 5000}};
    struct fixture fixture = fixture_start(limits);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        Gridwarden__V1__Area request = area(rows[i].code, "网格", rows[i].count);
        struct gw_rpc_stream *stream = open_stream(&fixture, COUNT_PATH, &request, CALL_MS);
        read_numbers(stream, 0, rows[i].count, "网格");
        expect_end(stream, GW_ENOTFOUND, "ended");
        gw_rpc_stream_destroy(stream);
    }
    struct echo_facts facts = echo_facts(fixture.echo);
    assert_int_equal(facts.stream_started, sizeof(rows) / sizeof(rows[0]));
    fixture_stop(&fixture);
}

static void a_stream_may_end_badly(void **state) {
    (void)state;
    struct fixture fixture = fixture_start(limits);
    Gridwarden__V1__Area request = area("fail", "x", 3);
    struct gw_rpc_stream *stream = open_stream(&fixture, COUNT_PATH, &request, -1);
    read_numbers(stream, 0, 3, "x");
    expect_end(stream, GW_ENOTFOUND, "the end of the list");
    gw_rpc_stream_destroy(stream);
    request = area("huge", "", RESPONSE_BYTES_MAX);
    stream = open_stream(&fixture, COUNT_PATH, &request, -1);
    expect_end(stream, GW_EINTERNAL, "200000");
    gw_rpc_stream_destroy(stream);
    request = area("", "\xff", 3);
    stream = open_stream(&fixture, COUNT_PATH, &request, -1);
    expect_end(stream, GW_EINVAL, "UTF-8");
    gw_rpc_stream_destroy(stream);
    request = area("", "", 3);
    stream = open_stream(&fixture, "/gridwarden.v1.WorkerService/Stare", &request, -1);
    expect_end(stream, GW_EUNSUPPORTED, "Stare");
    gw_rpc_stream_destroy(stream);
    request = area("open", "", 0);
    stream = open_stream(&fixture, COUNT_PATH, &request, 100);
    expect_end(stream, GW_EDEADLINE, "in time");
    gw_rpc_stream_destroy(stream);
    gw_rpc_stream_destroy(NULL);
    fixture_stop(&fixture);
}

static bool two_full(const struct echo_facts *facts) {
    return facts->full >= 2;
}

static bool both_done(const struct echo_facts *facts) {
    return facts->stream_done == 2;
}

// The server gets far ahead of readers that don't read: its outboxes fill, it waits, and then goes
// on where it was.
static void slow_readers_are_waited_for(void **state) {
    (void)state;
    static const struct {
        uint32_t messages_max, bytes_max;
    } rows[] = {{4, 0}, {0, 100000}, {1, 0}};
    char *name = letters(40000);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fixture fixture = fixture_start((struct gw_rpc_server_options){
            .outbox_messages_max = rows[i].messages_max, .outbox_bytes_max = rows[i].bytes_max});
        Gridwarden__V1__Area direct = area("", name, 300);
        Gridwarden__V1__Area threaded = area("thread", name, 300);
        struct gw_rpc_stream *first = open_stream(&fixture, COUNT_PATH, &direct, -1);
        struct gw_rpc_stream *second = open_stream(&fixture, COUNT_PATH, &threaded, -1);
        read_numbers(first, 0, 1, name); // 12 MB wait on each
        read_numbers(second, 0, 1, name);
        struct echo_facts facts;
        assert_true(echo_wait(fixture.echo, two_full, &facts));
        read_numbers(first, 1, 299, name);
        read_numbers(second, 1, 299, name);
        expect_end(first, GW_ENOTFOUND, "ended");
        expect_end(second, GW_ENOTFOUND, "ended");
        assert_true(echo_wait(fixture.echo, both_done, &facts));
        assert_true(facts.writable > 0);
        gw_rpc_stream_destroy(first);
        gw_rpc_stream_destroy(second);
        fixture_stop(&fixture);
    }
    free(name);
}

#define WATCHERS 20

static bool all_watch(const struct echo_facts *facts) {
    return facts->stream_started == WATCHERS;
}

static bool all_left(const struct echo_facts *facts) {
    return facts->stream_done == WATCHERS;
}

static void watchers_are_woken(void **state) {
    (void)state;
    struct fixture fixture = fixture_start((struct gw_rpc_server_options){.loops = 2});
    struct gw_rpc_stream *streams[WATCHERS];
    struct gw_error error = {0};
    Gridwarden__V1__Area request = area("open", "", 0);
    Gridwarden__V1__Area *message;
    for (int i = 0; i < WATCHERS; i++) {
        streams[i] = open_stream(&fixture, COUNT_PATH, &request, -1);
        assert_int_equal(read_area(streams[i], 0, &message, &error), GW_EDEADLINE);
    }
    struct echo_facts facts;
    assert_true(echo_wait(fixture.echo, all_watch, &facts));
    for (uint32_t round = 1; round <= 50; round++) {
        echo_tell(fixture.echo, round);
        for (int i = 0; i < WATCHERS; i++) {
            assert_int_equal(read_area(streams[i], CALL_MS, &message, &error), GW_OK);
            assert_int_equal(message->level, round);
            release(message);
        }
    }
    for (uint32_t round = 0; round < 1000; round++) {
        echo_tell(fixture.echo, 1000 + round); // nobody reads: coalesced, never queued without end
    }
    for (int i = 0; i < WATCHERS; i++) {
        gw_rpc_stream_destroy(streams[i]);
    }
    assert_true(echo_wait(fixture.echo, all_left, &facts));
    fixture_stop(&fixture);
}

// The client leaves in the middle of a flood: `done` comes once, from wherever the server is then.
static void a_client_that_leaves_is_noticed_once(void **state) {
    (void)state;
    static const char *const codes[] = {"", "thread", "open"};
    char *name = letters(3000);
    for (int round = 0; round < 30; round++) {
        struct fixture fixture =
            fixture_start((struct gw_rpc_server_options){.outbox_messages_max = 8});
        Gridwarden__V1__Area request = area(codes[round % 3], name, 100000);
        struct gw_rpc_stream *stream = open_stream(&fixture, COUNT_PATH, &request, -1);
        if (round % 3 == 2) {
            struct echo_facts facts = echo_facts(fixture.echo);
            struct gw_error error;
            Gridwarden__V1__Area *message;
            while (facts.stream_started == 0) {
                assert_int_equal(read_area(stream, 1, &message, &error), GW_EDEADLINE);
                facts = echo_facts(fixture.echo);
            }
        } else {
            read_numbers(stream, 0, 1 + (uint32_t)round, name);
        }
        gw_rpc_stream_destroy(stream);
        echo_tell(fixture.echo, 1);
        struct echo_facts facts;
        assert_true(echo_wait(fixture.echo, one_done, &facts));
        assert_int_equal(facts.finished[1], 1); // CANCELLED
        fixture_stop(&fixture);
    }
    free(name);
}

// --- client streams ---

static gw_err sum(struct fixture *fixture, const char *code, uint32_t count,
                  Gridwarden__V1__Area **answer, struct gw_error *error) {
    struct gw_rpc_stream *stream = open_stream(fixture, SUM_PATH, NULL, CALL_MS);
    Gridwarden__V1__Area message = area(code, "x", 7);
    gw_err err = GW_OK;
    for (uint32_t i = 0; i < count && err == GW_OK; i++) {
        err = gw_rpc_stream_write(stream, &message.base, error);
    }
    ProtobufCMessage *response = NULL;
    if (err == GW_OK || err == GW_ESTATE) {
        err = gw_rpc_stream_finish(stream, &response, error);
    }
    *answer = (Gridwarden__V1__Area *)response;
    gw_rpc_stream_destroy(stream);
    return err;
}

static void a_client_stream_gets_its_answer(void **state) {
    (void)state;
    struct fixture fixture = fixture_start(limits);
    static const uint32_t counts[] = {0, 1, 3000};
    for (size_t i = 0; i < 6; i++) {
        struct gw_error error = {0};
        Gridwarden__V1__Area *answer;
        uint32_t count = counts[i / 2];
        assert_int_equal(sum(&fixture, i % 2 == 0 ? "" : "later", count, &answer, &error), GW_OK);
        assert_int_equal(answer->level, count * 7);
        char text[16];
        (void)snprintf(text, sizeof(text), "%u", count);
        assert_string_equal(answer->name, text);
        release(answer);
    }
    fixture_stop(&fixture);
}

static bool sum_done(const struct echo_facts *facts) {
    return facts->stream_done == 1 && facts->finished[0] == 1;
}

static void an_early_answer_ends_a_client_stream(void **state) {
    (void)state;
    struct fixture fixture = fixture_start(limits);
    struct gw_error error = {0};
    Gridwarden__V1__Area *answer;
    assert_int_equal(sum(&fixture, "early", 100000, &answer, &error), GW_OK);
    assert_int_equal(answer->level, 7);
    assert_string_equal(answer->name, "1");
    release(answer);
    struct echo_facts facts;
    assert_true(echo_wait(fixture.echo, sum_done, &facts));
    fixture_stop(&fixture);
}

static void bad_messages_end_a_client_stream(void **state) {
    (void)state;
    char *big = letters(REQUEST_BYTES_MAX);
    static const gw_err expected[] = {GW_EINVAL, GW_EINVAL, GW_ENOSPC};
    for (int kind = 0; kind < 3; kind++) {
        struct fixture fixture = fixture_start(limits);
        struct gw_error error = {0};
        struct gw_rpc_stream *stream = open_stream(&fixture, SUM_PATH, NULL, -1);
        Gridwarden__V1__Area good = area("", "", 1);
        Gridwarden__V1__Area text = area("", kind == 1 ? "\xff" : big, 1);
        Gridwarden__V1__Point point = GRIDWARDEN__V1__POINT__INIT;
        point.latitude = 42;
        assert_int_equal(gw_rpc_stream_write(stream, &good.base, &error), GW_OK);
        gw_err err = gw_rpc_stream_write(stream, kind == 0 ? &point.base : &text.base, &error);
        while (err == GW_OK) { // until the refusal has come back
            err = gw_rpc_stream_write(stream, &good.base, &error);
        }
        assert_int_equal(err, expected[kind]);
        ProtobufCMessage *response = NULL;
        assert_int_equal(gw_rpc_stream_finish(stream, &response, &error), expected[kind]);
        gw_rpc_stream_destroy(stream);
        struct echo_facts facts;
        assert_true(echo_wait(fixture.echo, one_done, &facts));
        fixture_stop(&fixture);
    }
    free(big);
}

static void a_client_stream_may_be_broken_off(void **state) {
    (void)state;
    for (int round = 0; round < 20; round++) {
        struct fixture fixture = fixture_start(limits);
        struct gw_error error = {0};
        struct gw_rpc_stream *stream = open_stream(&fixture, SUM_PATH, NULL, -1);
        Gridwarden__V1__Area message = area("", "", 1);
        struct echo_facts facts = echo_facts(fixture.echo);
        while (facts.stream_started == 0) {
            assert_int_equal(gw_rpc_stream_write(stream, &message.base, &error), GW_OK);
            facts = echo_facts(fixture.echo);
        }
        gw_rpc_stream_destroy(stream);
        assert_true(echo_wait(fixture.echo, one_done, &facts));
        assert_int_equal(facts.finished[1], 1);
        fixture_stop(&fixture);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_come_in_order),
        cmocka_unit_test(a_stream_may_end_badly),
        cmocka_unit_test(slow_readers_are_waited_for),
        cmocka_unit_test(watchers_are_woken),
        cmocka_unit_test(a_client_that_leaves_is_noticed_once),
        cmocka_unit_test(a_client_stream_gets_its_answer),
        cmocka_unit_test(an_early_answer_ends_a_client_stream),
        cmocka_unit_test(bad_messages_end_a_client_stream),
        cmocka_unit_test(a_client_stream_may_be_broken_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
