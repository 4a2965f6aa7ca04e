#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "services/demo/fake_node.h"
#include "services/demo/player_parts.h"
#include "tests/support/random.h"
#include <stdlib.h>
#include <string.h>

// --- the parts ---

static void test_latencies(void **state) {
    (void)state;
    struct gw_demo_latency *latency = calloc(1, sizeof(*latency));
    assert_non_null(latency);
    assert_true(gw_demo_latency_ms(latency, 0.5) <= 0.0);
    for (int64_t i = 1; i <= 10000; i++) { // 10 us .. 100 ms
        gw_demo_latency_add(latency, i * 10000);
    }
    double p50 = gw_demo_latency_ms(latency, 0.5), p99 = gw_demo_latency_ms(latency, 0.99);
    assert_true(p50 >= 50.0 && p50 <= 50.0 * 1.04);
    assert_true(p99 >= 99.0 && p99 <= 99.0 * 1.04);
    gw_demo_latency_add(latency, -5);
    gw_demo_latency_add(latency, INT64_MAX);
    assert_true(gw_demo_latency_ms(latency, 1.0) > 1e6);
    free(latency);
}

static void test_tasks_come_in_order(void **state) {
    (void)state;
    struct test_random random = test_random_seeded("tasks", 21);
    struct gw_demo_tasks tasks = {calloc(GW_DEMO_TASKS_MAX, sizeof(*tasks.heap)), 0, 0};
    struct gw_demo_task task = {0}, before = {.due_ns = INT64_MIN};
    assert_non_null(tasks.heap);
    assert_null(gw_demo_tasks_first(&tasks));
    for (uint32_t i = 0; i < GW_DEMO_TASKS_MAX; i++) {
        task.due_ns = test_random_range(&random, 0, 1000);
        task.planned = i;
        assert_true(gw_demo_tasks_add(&tasks, &task));
    }
    assert_false(gw_demo_tasks_add(&tasks, &task));
    while (gw_demo_tasks_first(&tasks) != NULL) {
        gw_demo_tasks_pop(&tasks, &task);
        assert_true(task.due_ns > before.due_ns ||
                    (task.due_ns == before.due_ns && task.planned > before.planned));
        before = task;
    }
    free(tasks.heap);
}

// --- against a node ---

static struct gw_city *city;

static int make_city(void **state) {
    (void)state;
    return gw_city_create(1, &city, NULL) == GW_OK ? 0 : -1;
}

static int drop_city(void **state) {
    (void)state;
    gw_city_destroy(city);
    return 0;
}

static struct gw_demo_options options_for(const struct fake_node *node) {
    return (struct gw_demo_options){.server = fake_node_target(node),
                                    .city = city,
                                    .speed = 9000,
                                    .begin_minute = 505,
                                    .minutes = 60,
                                    .incidents_a_day = 2500,
                                    .drain_ms_max = 60000,
                                    .run = 77};
}

static void compare(const struct gw_demo_totals *totals, const struct fake_facts *facts) {
    assert_int_equal(facts->faults, 0);
    assert_int_equal(totals->failed, 0);
    assert_int_equal(totals->reported, totals->planned);
    assert_int_equal(totals->reported, facts->incidents);
    assert_int_equal(totals->accepted, facts->accepted);
    assert_int_equal(totals->declined, facts->declined);
    assert_int_equal(totals->placed, facts->placed);
    assert_int_equal(totals->at_desks, facts->to_desks);
    assert_int_equal(totals->started, facts->started);
    assert_int_equal(totals->resolved, facts->resolved);
    assert_int_equal(totals->closed, facts->closed);
    // All that somebody took on is done; the others wait for workers who do not look.
    assert_int_equal(facts->accepted, facts->closed);
    assert_int_equal(facts->accepted + facts->open_offers, facts->incidents);
}

static void test_an_hour_is_played_to_the_end(void **state) {
    (void)state;
    struct fake_node *node = fake_node_start(false);
    assert_non_null(node);
    struct gw_demo_options options = options_for(node);
    struct gw_demo_totals totals;
    struct gw_error error = {0};
    gw_err err = gw_demo_play(&options, &totals, &error);
    if (err != GW_OK) {
        fail_msg("%s", error.text);
    }
    fake_node_stop(node);
    struct fake_facts facts = fake_node_facts(node);
    compare(&totals, &facts);
    assert_int_equal(totals.planned, gw_demo_day_count(505, 60, 2500));
    assert_int_equal(facts.workers, GW_CITY_WORKERS);
    assert_true(facts.duty_changes >= GW_CITY_WORKERS); // everybody at first, then the changes
    assert_true(facts.turned_away > 10);
    assert_true(totals.retried >= facts.turned_away);
    assert_true(facts.declined > 0);
    assert_true(facts.to_desks > 0);
    assert_true(facts.placed > 0);
    assert_true(totals.positions > 1000);
    assert_true(totals.report_p50_ms > 0 && totals.report_p99_ms >= totals.report_p50_ms);
    assert_true(totals.on_duty > 1000);
    fake_node_free(node);
}

static void test_the_same_run_again_reports_nothing_twice(void **state) {
    (void)state;
    struct fake_node *node = fake_node_start(false);
    assert_non_null(node);
    struct gw_demo_options options = options_for(node);
    struct gw_demo_totals totals;
    struct gw_error error = {0};
    options.minutes = 15;
    assert_int_equal(gw_demo_play(&options, &totals, &error), GW_OK);
    uint64_t planned = totals.planned;
    assert_int_equal(gw_demo_play(&options, &totals, &error), GW_OK);
    fake_node_stop(node);
    struct fake_facts facts = fake_node_facts(node);
    assert_int_equal(facts.faults, 0);
    assert_int_equal(facts.incidents, planned);
    assert_int_equal(facts.workers, GW_CITY_WORKERS);
    assert_true(facts.repeated >= planned + GW_CITY_WORKERS / 1000); // and got the first answers
    fake_node_free(node);
}

static void stop_soon(void *context, const struct gw_demo_totals *totals) {
    if (totals->reported > 0) {
        atomic_store((atomic_bool *)context, true);
    }
}

static void test_a_play_can_be_stopped(void **state) {
    (void)state;
    struct fake_node *node = fake_node_start(false);
    assert_non_null(node);
    atomic_bool stop = false;
    struct gw_demo_options options = options_for(node);
    struct gw_demo_totals totals;
    struct gw_error error = {0};
    options.speed = 60;
    options.minutes = 1440;
    options.stop = &stop;
    options.progress = stop_soon;
    options.context = &stop;
    assert_int_equal(gw_demo_play(&options, &totals, &error), GW_OK);
    assert_true(totals.reported > 0 && totals.reported < totals.planned);
    fake_node_free(node);
}

static void test_live_lines(void **state) {
    (void)state;
    struct fake_node *node = fake_node_start(false);
    char *text = NULL;
    size_t size = 0;
    assert_non_null(node);
    FILE *live = open_memstream(&text, &size);
    assert_non_null(live);
    struct gw_demo_options options = options_for(node);
    struct gw_demo_totals totals;
    options.minutes = 5;
    options.drain_ms_max = 1;
    options.live = live;
    assert_int_equal(gw_demo_play(&options, &totals, NULL), GW_OK);
    fclose(live);
    assert_int_equal(strncmp(text, "clock", 5), 0);
    assert_non_null(strstr(text, "reported  assigned  accepted"));
    const char *row = strchr(text, '\n') + 1; // "08:43", or however long it took
    assert_true(row[0] >= '0' && row[0] <= '2' && row[2] == ':' && row[5] == ' ');
    free(text);
    fake_node_free(node);
}

static void test_refusals_say_what_to_do(void **state) {
    (void)state;
    static const struct {
        struct gw_demo_options options;
        const char *words;
    } rows[] = {
        {{.server = NULL}, "server"},
        {{.server = "x:1", .speed = GW_DEMO_SPEED_MAX + 1}, "speed"},
        {{.server = "x:1", .begin_minute = 1440}, "minute"},
        {{.server = "x:1", .minutes = GW_DEMO_MINUTES_MAX + 1}, "minutes"},
        {{.server = "x:1", .incidents_a_day = UINT32_MAX}, "incidents"},
        {{.server = "nonsense", .seed = 1}, "nonsense"},
    };
    struct gw_demo_totals totals;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct gw_error error = {0};
        assert_int_equal(gw_demo_play(&rows[i].options, &totals, &error), GW_EINVAL);
        assert_non_null(strstr(error.text, rows[i].words));
    }
    struct gw_demo_options nobody = {.server = "127.0.0.1:1", .city = city};
    struct gw_error error = {0};
    assert_int_equal(gw_demo_play(&nobody, &totals, &error), GW_EUNAVAILABLE);
    assert_non_null(strstr(error.text, "127.0.0.1:1"));

    struct fake_node *node = fake_node_start(true);
    assert_non_null(node);
    struct gw_demo_options options = options_for(node);
    assert_int_equal(gw_demo_play(&options, &totals, &error), GW_EINVAL);
    assert_non_null(strstr(error.text, "seed 1"));
    fake_node_free(node);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_latencies),
        cmocka_unit_test(test_tasks_come_in_order),
        cmocka_unit_test(test_an_hour_is_played_to_the_end),
        cmocka_unit_test(test_the_same_run_again_reports_nothing_twice),
        cmocka_unit_test(test_a_play_can_be_stopped),
        cmocka_unit_test(test_live_lines),
        cmocka_unit_test(test_refusals_say_what_to_do),
    };
    return cmocka_run_group_tests(tests, make_city, drop_city);
}
