// Whole runs against a fake node: what is sent, counted, retried, refused and verified.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "loadtest/output.h"
#include "loadtest/parts.h"
#include "loadtest/run.h"
#include "loadtest/testing_node.h"
#include <stdlib.h>
#include <string.h>

struct outcome {
    struct load_result *result;
    struct fake_facts facts;
    struct gw_error error;
    gw_err err;
};

static struct load_scenario scenario_of(double seconds, const char *settings, const char *works) {
    char text[4096];
    struct load_scenario scenario;
    struct gw_error error;
    (void)snprintf(text, sizeof(text),
                   "{\"name\": \"test\", \"lateness_ms_max\": 1000, "
                   "%s\"works\": [%s]}",
                   settings, works);
    if (load_scenario_parse(text, strlen(text), "test", &scenario, &error) != GW_OK) {
        fail_msg("%s", error.text);
    }
    scenario.seconds = seconds; // shorter than a file may say
    scenario.warmup_seconds = scenario.warmup_seconds < 1 ? scenario.warmup_seconds : 0;
    return scenario;
}

static struct outcome run(const struct fake_faults *faults, double seconds, const char *settings,
                          const char *works, struct load_options options) {
    struct outcome outcome = {.result = calloc(1, sizeof(*outcome.result))};
    struct load_scenario scenario = scenario_of(seconds, settings, works);
    struct fake_node *node = fake_node_start(faults);
    options.server = fake_node_target(node);
    outcome.err = load_run(&options, &scenario, outcome.result, &outcome.error);
    outcome.facts = fake_node_stop(node);
    if (outcome.err != GW_OK) {
        print_message("%s\n", outcome.error.text);
    }
    return outcome;
}

static void done(struct outcome *outcome) {
    load_result_free(outcome->result);
    free(outcome->result);
}

static const struct fake_faults none;
static const struct load_options plain;

static void test_every_call_is_answered(void **state) {
    (void)state;
    struct outcome outcome = run(
        &none, 1, "",
        "{\"call\": \"locate\", \"rate\": 100, \"connections\": 3},"
        "{\"call\": \"locate\", \"name\": \"box\", \"rate\": 50, \"where\": \"bounds\"},"
        "{\"call\": \"locate_batch\", \"rate\": 20, \"points\": 50, \"arrivals\": \"constant\"},"
        "{\"call\": \"nearest\", \"rate\": 50},"
        "{\"call\": \"get_grid\", \"rate\": 20},"
        "{\"call\": \"report\", \"rate\": 50},"
        "{\"call\": \"positions\", \"period_seconds\": 0.25, \"connections\": 3, \"on_duty\": "
        "true},"
        "{\"call\": \"positions\", \"name\": \"batches\", \"workers\": 9, \"batch\": 2,"
        " \"period_seconds\": 0.5, \"connections\": 2, \"arrivals\": \"poisson\"}",
        plain);
    assert_int_equal(outcome.err, GW_OK);
    const struct load_step *step = &outcome.result->steps[0];
    assert_int_equal(outcome.result->step_count, 1);
    assert_int_equal(step->work_count, 8);
    uint64_t items[8];
    for (uint32_t i = 0; i < 8; i++) {
        const struct load_work_result *work = &step->works[i];
        assert_true(work->intended > 0);
        if (work->done != work->intended) {
            fail_msg("%s: %llu of %llu, %s", work->name, (unsigned long long)work->done,
                     (unsigned long long)work->intended, work->first_failure);
        }
        assert_int_equal(work->failed + work->unfinished, 0);
        assert_int_equal(work->latency.count, work->done);
        assert_int_equal(work->lateness.count, work->done);
        assert_true(work->latency.max_ns >= work->service.min_ns);
        assert_int_equal(work->loop, LOAD_OPEN);
        assert_true(work->offered);
        uint64_t by_second = 0;
        for (uint32_t k = 0; k < work->second_count; k++) {
            by_second += work->seconds[k].intended;
        }
        assert_int_equal(by_second, work->intended);
        items[i] = work->items;
    }
    assert_int_equal(outcome.facts.faults, 0); // every point lay in the city
    assert_int_equal(outcome.facts.locates, step->works[0].done + step->works[1].done);
    assert_int_equal(step->works[2].intended, 19); // 0.05 s .. 0.95 s; the next is the end
    assert_int_equal(items[2], outcome.facts.points);
    assert_int_equal(outcome.facts.points, 50 * 19);
    assert_int_equal(outcome.facts.nearests, step->works[3].done);
    assert_int_equal(outcome.facts.reports, step->works[5].done);
    assert_int_equal(outcome.facts.positions, items[6] + items[7]);
    assert_in_range(items[6], 30, 40); // 10 workers, four times a second
    assert_true(items[7] > step->works[7].done);
    assert_int_equal(outcome.facts.on_duty, 10);
    done(&outcome);
}

// The same seed: the same arrivals, run after run.
static void test_schedule_repeats(void **state) {
    (void)state;
    uint64_t intended[2][2];
    for (int i = 0; i < 2; i++) {
        struct outcome outcome = run(&none, 0.4, "\"seed\": 99, ",
                                     "{\"call\": \"locate\", \"rate\": 300},"
                                     "{\"call\": \"nearest\", \"rate\": 200}",
                                     plain);
        assert_int_equal(outcome.err, GW_OK);
        intended[i][0] = outcome.result->steps[0].works[0].intended;
        intended[i][1] = outcome.result->steps[0].works[1].intended;
        assert_int_equal(outcome.result->seed, 99);
        done(&outcome);
    }
    assert_memory_equal(intended[0], intended[1], sizeof(intended[0]));
}

// A node that stands still for half of the time: an open loop shows it in half of the calls, a
// closed one in a single call.
static void test_pause(void **state) {
    (void)state;
    const struct fake_faults pause = {.pause_at = 60, .pause_ms = 600};
    const char *works = "{\"call\": \"locate\", \"rate\": 250, \"arrivals\": \"constant\"}";
    struct outcome open = run(&pause, 1.2, "", works, plain);
    struct outcome closed = run(&pause, 1.2, "", works, (struct load_options){.closed = true});
    assert_int_equal(open.err, GW_OK);
    assert_int_equal(closed.err, GW_OK);
    const struct load_work_result *one = &open.result->steps[0].works[0];
    const struct load_work_result *other = &closed.result->steps[0].works[0];
    assert_int_equal(one->loop, LOAD_OPEN);
    assert_int_equal(other->loop, LOAD_CLOSED);
    assert_int_equal(one->done, one->intended);
    // 150 of 299 arrivals fell into the pause, evenly: 125 of them waited more than 100 ms.
    assert_true(load_histogram_quantile(&one->latency, 0.7) > 100000000);
    assert_true(load_histogram_quantile(&one->latency, 0.95) > 400000000);
    assert_true(other->latency.max_ns > 590000000);
    assert_true(load_histogram_quantile(&other->latency, 0.9) <
                load_histogram_quantile(&one->latency, 0.7) / 2);
    assert_true(other->rate < 0.001 && one->rate > 249);
    assert_true(other->done > 10 && other->done == other->intended);
    // The pause is not the harness's: the calls were sent in time.
    assert_true(load_histogram_quantile(&one->lateness, 0.5) < 100000000);
    done(&open);
    done(&closed);
}

// What a server answers after the window, because it fell behind, is no part of its throughput.
static void test_late_answers_are_not_achieved(void **state) {
    (void)state;
    const struct fake_faults pause = {.pause_at = 40, .pause_ms = 1500};
    struct outcome outcome = run(
        &pause, 1, "", "{\"call\": \"locate\", \"rate\": 100, \"arrivals\": \"constant\"}", plain);
    assert_int_equal(outcome.err, GW_OK);
    const struct load_step *step = &outcome.result->steps[0];
    struct load_summary summary;
    load_work_summarize(&step->works[0], step->seconds, &summary);
    assert_int_equal(step->works[0].done, 99); // all of them, in the end
    assert_true(summary.achieved > 0 && summary.achieved < 41);
    done(&outcome);
}

static void test_bound_of_calls_in_flight(void **state) {
    (void)state;
    const struct fake_faults silent = {.silent = true};
    struct outcome outcome =
        run(&silent, 0.6, "\"timeout_ms\": 400, ",
            "{\"call\": \"locate\", \"rate\": 100, \"in_flight_max\": 5}", plain);
    assert_int_equal(outcome.err, GW_OK);
    const struct load_work_result *work = &outcome.result->steps[0].works[0];
    assert_int_equal(work->done, 0);
    assert_int_equal(work->failed, work->intended); // none is left out of the count
    assert_true(work->intended > 25);
    assert_false(work->offered);
    assert_non_null(strstr(work->refusal, "not sent"));
    assert_int_equal(load_outcome(outcome.result), 3);
    assert_true(outcome.facts.locates < work->intended / 2);
    done(&outcome);
}

static void test_retries_and_verification(void **state) {
    (void)state;
    const struct fake_faults away = {.turn_away_every = 5};
    const struct load_options options = {.verify = true, .retry_seconds = 10};
    struct outcome outcome = run(&away, 0.7, "\"warmup_seconds\": 0.3, ",
                                 "{\"call\": \"report\", \"rate\": 150, \"connections\": 2},"
                                 "{\"call\": \"watch_incidents\", \"connections\": 2}",
                                 options);
    assert_int_equal(outcome.err, GW_OK);
    const struct load_verify_result *verify = &outcome.result->verify;
    const struct load_work_result *reports = &outcome.result->steps[0].works[0];
    assert_true(verify->asked);
    assert_int_equal(reports->done, reports->intended);
    assert_int_equal(reports->failed, 0);
    assert_int_equal(verify->acknowledged, outcome.facts.reports);
    assert_int_equal(verify->found, verify->acknowledged);
    assert_int_equal(verify->lost + verify->doubled, 0);
    assert_int_equal(verify->retried, outcome.facts.reports / 5);
    assert_int_equal(outcome.facts.repeated, outcome.facts.reports / 5);
    assert_true(verify->reconnects >= 1);
    assert_int_equal(outcome.facts.faults, 0); // each retry had the first try's bytes
    assert_int_equal(load_outcome(outcome.result), 0);
    // Both watchers saw the reports of the window, and when they were to be sent.
    const struct load_work_result *watch = &outcome.result->steps[0].works[1];
    assert_true(watch->done >= reports->done && watch->done <= 2 * outcome.facts.reports);
    assert_int_equal(watch->latency.count, watch->done);
    done(&outcome);
}

static void test_lost_and_doubled_are_found(void **state) {
    (void)state;
    const struct fake_faults faults = {.lose_every = 10, .double_every = 15};
    const struct load_options options = {.verify = true};
    struct outcome outcome =
        run(&faults, 0.6, "", "{\"call\": \"report\", \"rate\": 150}", options);
    assert_int_equal(outcome.err, GW_OK);
    const struct load_verify_result *verify = &outcome.result->verify;
    uint64_t reports = outcome.facts.reports;
    assert_true(reports > 30);
    assert_int_equal(verify->acknowledged, reports);
    assert_int_equal(verify->lost, reports / 10);
    assert_int_equal(verify->found, reports - reports / 10);
    assert_int_equal(verify->doubled, reports / 15 - reports / 30); // a lost one is not there twice
    assert_int_equal(load_outcome(outcome.result), 4);
    done(&outcome);
}

// Doubles are found by the node's clock, wherever it stands.
static void test_doubled_are_found_under_another_clock(void **state) {
    (void)state;
    const int64_t clocks[] = {-3600000, 3600000};
    for (size_t i = 0; i < 2; i++) {
        const struct fake_faults faults = {.double_every = 10, .clock_ms = clocks[i]};
        struct outcome outcome = run(&faults, 0.4, "", "{\"call\": \"report\", \"rate\": 100}",
                                     (struct load_options){.verify = true});
        assert_int_equal(outcome.err, GW_OK);
        assert_true(outcome.facts.reports > 10);
        assert_int_equal(outcome.result->verify.doubled, outcome.facts.reports / 10);
        done(&outcome);
    }
}

// A list that lacks what was acknowledged can't prove that nothing is there twice.
static void test_a_list_with_gaps_proves_nothing(void **state) {
    (void)state;
    const struct fake_faults faults = {.hide_every = 7};
    struct outcome outcome = run(&faults, 0.4, "", "{\"call\": \"report\", \"rate\": 100}",
                                 (struct load_options){.verify = true});
    assert_int_equal(outcome.err, GW_ENOTFOUND);
    assert_non_null(strstr(outcome.error.text, "missing in the list"));
    assert_int_equal(outcome.result->step_count, 1);
    assert_false(outcome.result->verify.asked); // no "0 LOST" in the report
    done(&outcome);
}

static void test_workers_follow_up(void **state) {
    (void)state;
    struct outcome outcome =
        run(&none, 1.2, "\"speed\": 1000, ",
            "{\"call\": \"report\", \"rate\": 40},"
            "{\"call\": \"follow\", \"accept_seconds\": [1, 5], \"start_seconds\": [1, 2],"
            " \"resolve_seconds\": [1, 2], \"close_seconds\": [1, 2]},"
            "{\"call\": \"watch_assignments\"}",
            plain);
    assert_int_equal(outcome.err, GW_OK);
    const struct load_work_result *works = outcome.result->steps[0].works;
    assert_int_equal(outcome.facts.faults, 0);
    assert_int_equal(works[1].done, works[1].intended);
    assert_int_equal(works[1].done, outcome.facts.accepted + outcome.facts.started +
                                        outcome.facts.resolved + outcome.facts.closed);
    assert_true(outcome.facts.closed > 10 && outcome.facts.closed <= outcome.facts.resolved);
    assert_true(outcome.facts.accepted >= outcome.facts.started);
    assert_true(works[2].done > 10);
    done(&outcome);
}

static void test_sweep(void **state) {
    (void)state;
    const struct load_options options = {.factors = {0.5, 2}, .factor_count = 2};
    struct outcome outcome =
        run(&none, 0.5, "",
            "{\"call\": \"locate\", \"rate\": 100, \"arrivals\": \"constant\"},"
            "{\"call\": \"report\", \"rate\": 10, \"arrivals\": \"constant\"}",
            options);
    assert_int_equal(outcome.err, GW_OK);
    assert_int_equal(outcome.result->step_count, 2);
    assert_int_equal(outcome.result->steps[0].works[0].intended, 24);
    assert_int_equal(outcome.result->steps[1].works[0].intended, 99);
    assert_true(outcome.result->steps[1].rate_factor > 1.99);
    assert_true(outcome.result->steps[1].works[0].rate > 199);
    assert_int_equal(outcome.facts.reports, 2 + 9); // other request ids in each step
    assert_int_equal(outcome.facts.repeated, 0);
    done(&outcome);
}

static void test_what_a_description_says(void **state) {
    (void)state;
    const struct load_token token = {0x19abcdef012, 35, 123456789012, 1700000000123456};
    struct load_token again;
    char text[160];
    load_token_write(&token, text, sizeof(text));
    assert_string_equal(text, "SYNTHETIC load 19abcdef012/35/123456789012 due 1700000000123456");
    assert_true(load_token_read(text, &again));
    assert_true(again.run_id == token.run_id && again.lane == token.lane);
    assert_true(again.number == token.number);
    assert_true(again.intended_wall_us == token.intended_wall_us);
    static const char *const others[] = {"",
                                         "SYNTHETIC load ",
                                         "SYNTHETIC load 1/2/3",
                                         "SYNTHETIC load 1/2/3 due 4 ",
                                         "SYNTHETIC load 1/-2/3 due 4",
                                         "SYNTHETIC load 1/2/x due 4",
                                         "a SYNTHETIC load 1/2/3 due 4",
                                         "SYNTHETIC load 1/4294967296/3 due 4",
                                         "SYNTHETIC load 1/2/99999999999999999999 due 4",
                                         "SYNTHETIC load 1/2/3 due 9223372036854775"
                                         "807"}; // in nanoseconds past 2^63
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        assert_false(load_token_read(others[i], &again));
    }
}

static void test_stopped(void **state) {
    (void)state;
    atomic_bool stop = true;
    struct outcome outcome = run(&none, 60, "", "{\"call\": \"locate\", \"rate\": 10}",
                                 (struct load_options){.stop = &stop});
    assert_int_equal(outcome.err, GW_OK);
    assert_int_equal(outcome.result->step_count, 0);
    assert_non_null(strstr(outcome.result->description, "CUT SHORT"));
    done(&outcome);
}

static void test_nobody_there(void **state) {
    (void)state;
    struct load_scenario scenario = scenario_of(1, "", "{\"call\": \"locate\", \"rate\": 1}");
    struct load_result *result = calloc(1, sizeof(*result));
    struct gw_error error;
    assert_int_equal(
        load_run(&(struct load_options){.server = "127.0.0.1:1"}, &scenario, result, &error),
        GW_EUNAVAILABLE);
    assert_non_null(strstr(error.text, "127.0.0.1:1"));
    assert_int_equal(load_run(&plain, &scenario, result, &error), GW_EINVAL);
    assert_non_null(strstr(error.text, "--server"));
    load_result_free(result);
    free(result);
}

static void test_roster_is_too_small(void **state) {
    (void)state;
    struct outcome outcome = run(&none, 1, "", "{\"call\": \"positions\", \"workers\": 11}", plain);
    assert_int_equal(outcome.err, GW_EINVAL);
    assert_non_null(strstr(outcome.error.text, "the roster has 10"));
    assert_int_equal(outcome.result->step_count, 0);
    done(&outcome);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_call_is_answered),
        cmocka_unit_test(test_schedule_repeats),
        cmocka_unit_test(test_pause),
        cmocka_unit_test(test_late_answers_are_not_achieved),
        cmocka_unit_test(test_bound_of_calls_in_flight),
        cmocka_unit_test(test_retries_and_verification),
        cmocka_unit_test(test_lost_and_doubled_are_found),
        cmocka_unit_test(test_doubled_are_found_under_another_clock),
        cmocka_unit_test(test_a_list_with_gaps_proves_nothing),
        cmocka_unit_test(test_workers_follow_up),
        cmocka_unit_test(test_sweep),
        cmocka_unit_test(test_what_a_description_says),
        cmocka_unit_test(test_stopped),
        cmocka_unit_test(test_nobody_there),
        cmocka_unit_test(test_roster_is_too_small),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
