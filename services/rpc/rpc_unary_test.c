// Unary calls from end to end: our client, our server, TCP on loopback.
#include "services/rpc/testdata/fixture.h"

#include <sched.h>

#define REQUEST_BYTES_MAX 100000u
#define RESPONSE_BYTES_MAX 200000u
#define MANY 2000u

static const struct gw_rpc_server_options limits = {.request_bytes_max = REQUEST_BYTES_MAX,
                                                    .response_bytes_max = RESPONSE_BYTES_MAX};

static void an_answer_comes_back(void **state) {
    (void)state;
    struct fixture fixture = fixture_start(limits);
    struct gw_error error = {0};
    static const char *const codes[] = {"", "later"};
    for (int i = 0; i < 200; i++) {
        Gridwarden__V1__Area *response;
        if (echo(&fixture, codes[i % 2], "银州区", (uint32_t)i, &response, &error) != GW_OK) {
            fail_msg("call %d: %s", i, error.text);
        }
        assert_string_equal(response->name, "银州区");
        assert_int_equal(response->level, i);
        release(response);
    }
    fixture_stop(&fixture);
}

static void an_error_keeps_its_code_and_words(void **state) {
    (void)state;
    struct fixture fixture = fixture_start(limits);
    static const int statuses[] = {1, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    char words[GW_ERROR_TEXT_MAX];
    memset(words, 0, sizeof(words));
    for (int i = 0; i + 9 < GW_ERROR_TEXT_MAX; i += 9) {
        memcpy(words + i,
               "\xe7\xbd\x91"
               "% \n\x7f\"",
               9); // percent-encoded on the way
    }
    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
        Gridwarden__V1__Area *response;
        struct gw_error error = {0};
        gw_err err = echo(&fixture, "fail", words, (uint32_t)statuses[i], &response, &error);
        assert_int_equal(gw_err_grpc_status(err), statuses[i]);
        assert_int_equal(error.code, err);
        assert_string_equal(error.text, words);
    }
    struct echo_facts facts = echo_facts(fixture.echo);
    assert_int_equal(facts.unary_started, sizeof(statuses) / sizeof(statuses[0]));
    fixture_stop(&fixture);
}

static void requests_have_a_largest_size(void **state) {
    (void)state;
    struct fixture fixture = fixture_start(limits);
    struct gw_error error = {0};
    Gridwarden__V1__Area *response;
    char *name = letters(REQUEST_BYTES_MAX);
    name[REQUEST_BYTES_MAX - 4] = '\0'; // a tag and three bytes of length: exactly the limit
    assert_int_equal(echo(&fixture, "", name, 0, &response, &error), GW_OK);
    assert_string_equal(response->name, name);
    release(response);
    name[REQUEST_BYTES_MAX - 4] = 'y';
    name[REQUEST_BYTES_MAX - 3] = '\0';
    assert_int_equal(echo(&fixture, "", name, 0, &response, &error), GW_ENOSPC);
    assert_non_null(strstr(error.text, "100000"));
    struct echo_facts facts = echo_facts(fixture.echo);
    assert_int_equal(facts.unary_started, 1);
    free(name);
    fixture_stop(&fixture);
}

static void responses_have_a_largest_size(void **state) {
    (void)state;
    struct fixture fixture = fixture_start(limits);
    struct gw_error error = {0};
    Gridwarden__V1__Area *response;
    uint32_t fits = RESPONSE_BYTES_MAX - 4 - 5 - 4; // name's head, code, level
    assert_int_equal(echo(&fixture, "big", "", fits, &response, &error), GW_OK);
    assert_int_equal(strlen(response->name), fits);
    release(response);
    assert_int_equal(echo(&fixture, "big", "", fits + 1, &response, &error), GW_EINTERNAL);
    assert_non_null(strstr(error.text, "200000"));
    fixture_stop(&fixture);
}

static void damaged_requests_are_refused(void **state) {
    (void)state;
    struct fixture fixture = fixture_start(limits);
    struct gw_error error = {0};
    Gridwarden__V1__Area *response;
    Gridwarden__V1__Point point = GRIDWARDEN__V1__POINT__INIT; // fields 1 and 2 are numbers here
    point.longitude = 123.8;
    assert_int_equal(call(&fixture, ECHO_PATH, &point, &response, &error), GW_EINVAL);
    assert_non_null(strstr(error.text, "gridwarden.v1.Area"));
    assert_int_equal(echo(&fixture, "", "\xcd\xf8\xb8\xf1", 0, &response, &error), GW_EINVAL);
    assert_non_null(strstr(error.text, "UTF-8"));
    assert_non_null(strstr(error.text, "name"));
    struct echo_facts facts = echo_facts(fixture.echo);
    assert_int_equal(facts.unary_started, 0);
    fixture_stop(&fixture);
}

static bool unknown_one(const struct echo_facts *facts) {
    return facts->finished_unknown == 1 && facts->finished[12] == 1;
}

static void unknown_methods_are_named(void **state) {
    (void)state;
    struct fixture fixture = fixture_start(limits);
    struct gw_error error = {0};
    Gridwarden__V1__Area *response;
    Gridwarden__V1__Area request = area("", "", 0);
    assert_int_equal(call(&fixture, "/gridwarden.v1.GridService/Fly", &request, &response, &error),
                     GW_EUNSUPPORTED);
    assert_non_null(strstr(error.text, "/gridwarden.v1.GridService/Fly"));
    struct echo_facts facts;
    assert_true(echo_wait(fixture.echo, unknown_one, &facts));
    fixture_stop(&fixture);
}

// --- many at once ---

struct tally {
    uint32_t good, bad;
    bool seen[MANY];
};

struct expected {
    struct tally *tally;
    uint32_t level;
};

static void count_answer(void *context, const struct gw_error *error,
                         const ProtobufCMessage *response) {
    struct expected *expected = context;
    const Gridwarden__V1__Area *answer = (const Gridwarden__V1__Area *)response;
    if (error == NULL && answer->level == expected->level &&
        !expected->tally->seen[expected->level]) {
        expected->tally->seen[expected->level] = true;
        expected->tally->good++;
    } else {
        expected->tally->bad++;
    }
}

static bool all_held(const struct echo_facts *facts) {
    return facts->held == MANY;
}

static bool all_finished(const struct echo_facts *facts) {
    return facts->finished[0] == MANY;
}

static void two_thousand_calls_at_once(void **state) {
    (void)state;
    for (uint32_t loops = 1; loops <= 3; loops += 2) {
        struct fixture fixture = fixture_start((struct gw_rpc_server_options){.loops = loops});
        struct tally tally = {0};
        struct expected *expected = calloc(MANY, sizeof(*expected));
        assert_non_null(expected);
        for (uint32_t i = 0; i < MANY; i++) {
            expected[i] = (struct expected){&tally, i};
            Gridwarden__V1__Area request = area("hold", "x", i);
            assert_int_equal(gw_rpc_unary_start(fixture.channel, ECHO_PATH, &request.base,
                                                &gridwarden__v1__area__descriptor, CALL_MS,
                                                count_answer, &expected[i]),
                             GW_OK);
            (void)gw_rpc_channel_poll(fixture.channel, 0);
        }
        struct echo_facts facts = echo_facts(fixture.echo);
        while (!all_held(&facts)) {
            (void)gw_rpc_channel_poll(fixture.channel, 1); // someone must move the bytes
            facts = echo_facts(fixture.echo);
        }
        assert_int_equal(gw_rpc_server_calls(fixture.server), MANY);
        assert_int_equal(tally.good + tally.bad, 0);
        echo_release(fixture.echo);
        while (tally.good + tally.bad < MANY) {
            (void)gw_rpc_channel_poll(fixture.channel, 100);
        }
        assert_int_equal(tally.bad, 0);
        assert_true(echo_wait(fixture.echo, all_finished, &facts));
        free(expected);
        fixture_stop(&fixture);
    }
}

// --- deadlines and callers that left ---

static bool held_one(const struct echo_facts *facts) {
    return facts->held == 1;
}

static bool held_one_cancelled(const struct echo_facts *facts) {
    return facts->held_cancelled == 1;
}

// The client's word that it gives up may come just before the deadline here.
static bool deadline_seen(const struct echo_facts *facts) {
    return facts->finished[1] + facts->finished[4] == 1;
}

static void a_waiting_handler_learns_of_the_deadline(void **state) {
    (void)state;
    struct fixture fixture = fixture_start(limits);
    struct gw_error error = {0};
    ProtobufCMessage *response = NULL;
    Gridwarden__V1__Area request = area("hold", "", 0);
    assert_int_equal(gw_rpc_unary(fixture.channel, ECHO_PATH, &request.base,
                                  &gridwarden__v1__area__descriptor, 300, &response, &error),
                     GW_EDEADLINE);
    struct echo_facts facts;
    assert_true(echo_wait(fixture.echo, deadline_seen, &facts));
    if (facts.unary_started == 1) { // a machine so busy that the call came late drops it
        assert_true(echo_wait(fixture.echo, held_one_cancelled, &facts));
    }
    echo_release(fixture.echo); // the late answer goes nowhere, and nothing breaks
    Gridwarden__V1__Area *answer;
    assert_int_equal(echo(&fixture, "", "still here", 0, &answer, &error), GW_OK);
    release(answer);
    fixture_stop(&fixture);
}

static bool started_one(const struct echo_facts *facts) {
    return facts->unary_started == 1;
}

static void ignore_answer(void *context, const struct gw_error *error,
                          const ProtobufCMessage *response) {
    (void)error;
    (void)response;
    (*(uint32_t *)context)++;
}

// Blocks the loop; meanwhile a stream's client leaves and a call's deadline passes. Returns how
// many of the two were served all the same.
static uint32_t leave_while_blocked(void) {
    struct fixture fixture = fixture_start(limits);
    struct gw_error error = {0};
    uint32_t answers = 0;
    Gridwarden__V1__Area block = area("block", "", 0);
    assert_int_equal(gw_rpc_unary_start(fixture.channel, ECHO_PATH, &block.base,
                                        &gridwarden__v1__area__descriptor, CALL_MS, ignore_answer,
                                        &answers),
                     GW_OK);
    struct echo_facts facts = echo_facts(fixture.echo);
    while (!started_one(&facts)) {
        (void)gw_rpc_channel_poll(fixture.channel, 1);
        facts = echo_facts(fixture.echo);
    }
    Gridwarden__V1__Area open = area("open", "", 0);
    struct gw_rpc_stream *stream = open_stream(&fixture, COUNT_PATH, &open, -1);
    Gridwarden__V1__Area *message;
    assert_int_equal(read_area(stream, 20, &message, &error), GW_EDEADLINE);
    gw_rpc_stream_destroy(stream);
    ProtobufCMessage *response = NULL;
    Gridwarden__V1__Area request = area("", "", 0);
    assert_int_equal(gw_rpc_unary(fixture.channel, ECHO_PATH, &request.base,
                                  &gridwarden__v1__area__descriptor, 50, &response, &error),
                     GW_EDEADLINE);
    echo_release(fixture.echo);
    while (answers == 0) {
        (void)gw_rpc_channel_poll(fixture.channel, 100);
    }
    Gridwarden__V1__Area *answer; // on the same connection, so after the two
    assert_int_equal(echo(&fixture, "", "", 0, &answer, &error), GW_OK);
    release(answer);
    facts = echo_facts(fixture.echo);
    fixture_stop(&fixture);
    return facts.stream_started + facts.unary_started - 2; // without "block" and the last
}

// What the transport has not read yet when the loop goes on (here its reader may also be the
// client's thread) is not known to have left, so this is asked for once in twenty.
static void work_for_those_who_left_is_dropped(void **state) {
    (void)state;
    bool dropped = false;
    for (int round = 0; round < 20 && !dropped; round++) {
        dropped = leave_while_blocked() == 0;
    }
    assert_true(dropped);
}

static void calls_past_the_limit_are_told_to_come_again(void **state) {
    (void)state;
    struct fixture fixture = fixture_start((struct gw_rpc_server_options){.calls_max = 1});
    struct gw_error error = {0};
    uint32_t answers = 0;
    Gridwarden__V1__Area hold = area("hold", "", 0);
    assert_int_equal(gw_rpc_unary_start(fixture.channel, ECHO_PATH, &hold.base,
                                        &gridwarden__v1__area__descriptor, CALL_MS, ignore_answer,
                                        &answers),
                     GW_OK);
    struct echo_facts facts = echo_facts(fixture.echo);
    while (!held_one(&facts)) {
        (void)gw_rpc_channel_poll(fixture.channel, 1);
        facts = echo_facts(fixture.echo);
    }
    Gridwarden__V1__Area *answer;
    assert_int_equal(echo(&fixture, "", "", 0, &answer, &error), GW_ENOSPC);
    assert_non_null(strstr(error.text, "try again in 100 ms"));
    assert_int_equal(gw_rpc_server_calls(fixture.server), 1);
    echo_release(fixture.echo);
    while (answers == 0) {
        (void)gw_rpc_channel_poll(fixture.channel, 100);
    }
    gw_err err; // its place is free once its end was seen
    do {
        err = echo(&fixture, "", "", 0, &answer, &error);
    } while (err == GW_ENOSPC && sched_yield() == 0);
    assert_int_equal(err, GW_OK);
    release(answer);
    fixture_stop(&fixture);
}

static void each_call_has_a_trace_id(void **state) {
    (void)state;
    struct fixture fixture = fixture_start(limits);
    struct gw_error error = {0};
    char last[64] = "";
    for (int i = 0; i < 40; i++) { // more than one handful of random bytes
        Gridwarden__V1__Area *response;
        assert_int_equal(echo(&fixture, "trace", "", 0, &response, &error), GW_OK);
        assert_int_equal(strspn(response->name, "0123456789abcdef"), 32);
        assert_int_equal(strlen(response->name), 32);
        assert_string_not_equal(response->name, last);
        (void)snprintf(last, sizeof(last), "%s", response->name);
        release(response);
    }
    fixture_stop(&fixture);
}

static void nobody_there_is_said_plainly(void **state) {
    (void)state;
    struct fixture fixture = fixture_start(limits);
    fixture_drain(&fixture, 0);
    struct gw_error error = {0};
    Gridwarden__V1__Area *response;
    assert_int_equal(echo(&fixture, "", "", 0, &response, &error), GW_EUNAVAILABLE);
    struct gw_rpc_channel *channel = NULL;
    assert_int_equal(gw_rpc_channel_create("", &channel, &error), GW_EINVAL);
    assert_int_equal(gw_rpc_channel_create("nonsense", &channel, &error), GW_EINVAL);
    assert_int_equal(gw_rpc_channel_create("127.0.0.1:1", &channel, &error), GW_OK);
    struct gw_rpc_channel *own = fixture.channel;
    fixture.channel = channel;
    assert_int_equal(echo(&fixture, "", "", 0, &response, &error), GW_EUNAVAILABLE);
    assert_non_null(strstr(error.text, "no server answers at 127.0.0.1:1"));
    fixture.channel = own;
    gw_rpc_channel_destroy(channel);
    gw_rpc_channel_destroy(NULL);
    fixture_stop(&fixture);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_comes_back),
        cmocka_unit_test(an_error_keeps_its_code_and_words),
        cmocka_unit_test(requests_have_a_largest_size),
        cmocka_unit_test(responses_have_a_largest_size),
        cmocka_unit_test(damaged_requests_are_refused),
        cmocka_unit_test(unknown_methods_are_named),
        cmocka_unit_test(two_thousand_calls_at_once),
        cmocka_unit_test(a_waiting_handler_learns_of_the_deadline),
        cmocka_unit_test(work_for_those_who_left_is_dropped),
        cmocka_unit_test(calls_past_the_limit_are_told_to_come_again),
        cmocka_unit_test(each_call_has_a_trace_id),
        cmocka_unit_test(nobody_there_is_said_plainly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
