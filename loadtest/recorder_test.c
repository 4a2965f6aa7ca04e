// What counts: the window, the seconds, and the rule that refuses a rate.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "loadtest/recorder.h"
#include <stdlib.h>
#include <string.h>

#define SECOND INT64_C(1000000000)
#define MS INT64_C(1000000)

struct fixture {
    struct load_work_result result;
    struct load_recorder recorder;
};

static int setup(void **state) {
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    *state = fixture;
    fixture->result.rate = 100;
    gw_err err = load_recorder_init(&fixture->recorder, &fixture->result, 3, 2);
    load_recorder_window(&fixture->recorder, 10 * SECOND, 13 * SECOND);
    return err != GW_OK;
}

static int teardown(void **state) {
    struct fixture *fixture = *state;
    load_recorder_deinit(&fixture->recorder);
    free(fixture->result.seconds);
    free(fixture);
    return 0;
}

static void call(struct fixture *fixture, int64_t intended, int64_t sent, int64_t done) {
    load_recorder_intended(&fixture->recorder, intended);
    load_recorder_sent(&fixture->recorder, intended, intended, sent);
    load_recorder_done(&fixture->recorder, intended, sent, done, 7);
}

static void test_window(void **state) {
    struct fixture *fixture = *state;
    call(fixture, 10 * SECOND - 1, 10 * SECOND, 10 * SECOND + MS); // warming up
    call(fixture, 10 * SECOND, 10 * SECOND + MS, 10 * SECOND + 3 * MS);
    call(fixture, 11 * SECOND, 11 * SECOND, 12 * SECOND + 500 * MS);
    call(fixture, 13 * SECOND - 1, 13 * SECOND, 14 * SECOND); // answered after the end: counts
    call(fixture, 13 * SECOND, 13 * SECOND, 13 * SECOND);     // past the end
    load_recorder_finish(&fixture->recorder, 3, 1);
    const struct load_work_result *result = &fixture->result;
    assert_int_equal(result->intended, 3);
    assert_int_equal(result->done, 3);
    assert_int_equal(result->unfinished, 0);
    assert_int_equal(result->items, 21);
    assert_int_equal(result->latency.count, 3);
    assert_true(result->latency.max_ns == 1500 * MS); // from the intended time
    assert_true(result->service.min_ns == 2 * MS);    // from the send
    assert_true(result->lateness.max_ns == MS);
    // By second: when it was due, and when it was answered.
    assert_int_equal(result->second_count, 5);
    const uint32_t intended[] = {1, 1, 1, 0, 0}, done[] = {1, 0, 1, 0, 1};
    for (int i = 0; i < 5; i++) {
        assert_int_equal(result->seconds[i].intended, intended[i]);
        assert_int_equal(result->seconds[i].done, done[i]);
    }
    assert_true(result->seconds[2].max_ms > 1499 && result->seconds[2].p50_ms > 1480);
    assert_true(result->seconds[1].max_ms < 0.001f);
}

static void test_failed_and_unfinished(void **state) {
    struct fixture *fixture = *state;
    for (int i = 0; i < 3; i++) {
        load_recorder_intended(&fixture->recorder, 11 * SECOND);
    }
    load_recorder_failed(&fixture->recorder, 11 * SECOND, 12 * SECOND, "first");
    load_recorder_failed(&fixture->recorder, 11 * SECOND, 12 * SECOND, "second");
    load_recorder_failed(&fixture->recorder, 9 * SECOND, 12 * SECOND, "warming up");
    load_recorder_finish(&fixture->recorder, 3, 1);
    assert_int_equal(fixture->result.failed, 2);
    assert_int_equal(fixture->result.unfinished, 1);
    assert_int_equal(fixture->result.seconds[2].failed, 2);
    assert_string_equal(fixture->result.first_failure, "first");
    assert_int_equal(fixture->result.latency.count, 0);
}

static void test_events(void **state) {
    struct fixture *fixture = *state;
    load_recorder_event(&fixture->recorder, 9 * SECOND, MS, 1); // warming up
    load_recorder_event(&fixture->recorder, 11 * SECOND, 5 * MS, 100);
    load_recorder_event(&fixture->recorder, 11 * SECOND, -1, 50);
    fixture->result.rate = 0;
    load_recorder_finish(&fixture->recorder, 3, 1);
    assert_int_equal(fixture->result.intended, 2);
    assert_int_equal(fixture->result.done, 2);
    assert_int_equal(fixture->result.items, 150);
    assert_int_equal(fixture->result.latency.count, 1);
    assert_true(fixture->result.offered);
}

// What the server keeps waiting is not the harness's lateness.
static void test_lateness_begins_when_ready(void **state) {
    struct fixture *fixture = *state;
    load_recorder_sent(&fixture->recorder, 11 * SECOND, 12 * SECOND, 12 * SECOND + MS);
    assert_true(fixture->result.lateness.max_ns == MS);
}

static void late(struct fixture *fixture, uint32_t count, int64_t by_ns) {
    for (uint32_t i = 0; i < count; i++) {
        int64_t at = 10 * SECOND + i;
        load_recorder_intended(&fixture->recorder, at);
        load_recorder_sent(&fixture->recorder, at, at, at + by_ns);
    }
}

static void test_rule(void **state) {
    (void)state;
    static const struct {
        double rate, allowed;
        uint32_t punctual, late_count, unsent;
        int64_t late_ns;
        bool offered;
    } rows[] = {
        {100, 1, 1000, 0, 0, 0, true},
        {100, 1, 1000, 5, 0, SECOND, true},         // half a percent is late
        {100, 1, 1000, 20, 0, 2 * MS, false},       // two percent
        {100, 5, 1000, 20, 0, 2 * MS, true},        // as the scenario allows
        {1000, 1, 1000, 20, 0, MS - MS / 10, true}, // within a millisecond
        {10, 1, 1000, 20, 0, 9 * MS, true},         // within a tenth of the gap of 100 ms
        {10, 1, 1000, 20, 0, 11 * MS, false},
        {100, 1, 1000, 0, 1, 0, true}, // one in a thousand was not sent
        {100, 1, 1000, 0, 3, 0, false},
        {0, 1, 10, 10, 5, SECOND, true}, // no rate
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        void *fresh = NULL;
        assert_int_equal(setup(&fresh), 0);
        struct fixture *fixture = fresh;
        fixture->result.rate = rows[i].rate;
        late(fixture, rows[i].punctual, 0);
        late(fixture, rows[i].late_count, rows[i].late_ns);
        for (uint32_t k = 0; k < rows[i].unsent; k++) {
            load_recorder_intended(&fixture->recorder, 10 * SECOND);
            load_recorder_unsent(&fixture->recorder, 10 * SECOND, 64);
        }
        load_recorder_finish(&fixture->recorder, 3, rows[i].allowed);
        if (fixture->result.offered != rows[i].offered) {
            fail_msg("row %zu: %s", i, fixture->result.refusal);
        }
        assert_true((fixture->result.refusal[0] != '\0') == !rows[i].offered);
        assert_int_equal(fixture->result.failed, rows[i].unsent);
        (void)teardown(&fresh);
    }
}

static void test_closed_loop_is_never_refused(void **state) {
    struct fixture *fixture = *state;
    fixture->result.loop = LOAD_CLOSED;
    late(fixture, 100, SECOND);
    load_recorder_finish(&fixture->recorder, 3, 1);
    assert_true(fixture->result.offered);
}

static void test_tick(void **state) {
    struct fixture *fixture = *state;
    struct load_recorder_view view;
    call(fixture, 9 * SECOND, 9 * SECOND + MS, 9 * SECOND + 4 * MS);
    load_recorder_tick(&fixture->recorder, 9 * SECOND + 5 * MS, &view);
    assert_int_equal(view.done, 1); // the warm-up is shown while it lasts
    assert_true(view.max_ms > 3.9 && view.lateness_p99_ms > 0.9);
    load_recorder_tick(&fixture->recorder, 10 * SECOND, &view);
    assert_int_equal(view.done, 0);
    assert_int_equal(view.done_ever, 1);
    assert_true(view.max_ms < 0.001);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_window, setup, teardown),
        cmocka_unit_test_setup_teardown(test_failed_and_unfinished, setup, teardown),
        cmocka_unit_test_setup_teardown(test_events, setup, teardown),
        cmocka_unit_test_setup_teardown(test_lateness_begins_when_ready, setup, teardown),
        cmocka_unit_test(test_rule),
        cmocka_unit_test_setup_teardown(test_closed_loop_is_never_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_tick, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
