// Scenario files: what is read, and what is refused with which words.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "loadtest/scenario.h"
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static gw_err parse(const char *text, struct load_scenario *scenario, struct gw_error *error) {
    return load_scenario_parse(text, strlen(text), "s.json", scenario, error);
}

static void test_defaults(void **state) {
    (void)state;
    struct load_scenario scenario;
    struct gw_error error;
    assert_int_equal(parse("{\"name\": \"x\", \"works\": [{\"call\": \"locate\", \"rate\": 5}, "
                           "{\"call\": \"live\"}, {\"call\": \"positions\"}]}",
                           &scenario, &error),
                     GW_OK);
    assert_int_equal(scenario.work_count, 3);
    assert_string_equal(scenario.works[0].name, "locate");
    assert_int_equal(scenario.works[0].arrivals, LOAD_POISSON);
    assert_int_equal(scenario.works[2].arrivals, LOAD_CONSTANT);
    assert_true(scenario.works[0].rate > 4.99 && scenario.works[0].rate < 5.01);
    assert_true(scenario.seconds > 0 && scenario.speed > 0 && scenario.timeout_ms > 0);
    assert_int_equal(scenario.seed, 1);
}

static void test_every_key(void **state) {
    (void)state;
    struct load_scenario scenario;
    struct gw_error error;
    const char *text =
        "{\"name\": \"n\", \"description\": \"城市\", \"seed\": 7, \"seconds\": 2.5,"
        " \"warmup_seconds\": 0, \"timeout_ms\": 100, \"lateness_ms_max\": 2, \"start_hour\": 8,"
        " \"speed\": 60, \"works\": ["
        "{\"name\": \"r\", \"call\": \"report\", \"rate\": 0.5, \"arrivals\": \"poisson\","
        " \"classes\": [\"04\"], \"where\": \"bounds\", \"connections\": 3, \"in_flight_max\": 9,"
        " \"hours\": [0,0,0,0,0,0,0,0,0,0,0,1,0,0,0,0,0,0,0,0,0,0,0,0]},"
        "{\"call\": \"tiles\", \"rate\": 1, \"users\": 2, \"layers\": [\"grids\", \"villages\"],"
        " \"zooms\": [3, 18], \"columns\": 2, \"rows\": 1, \"cache\": \"revalidate\"},"
        "{\"call\": \"positions\", \"workers\": 10, \"period_seconds\": 0.5, \"batch\": 4,"
        " \"on_duty\": true, \"arrivals\": \"poisson\"},"
        "{\"call\": \"locate_batch\", \"rate\": 1, \"points\": 5},"
        "{\"call\": \"nearest\", \"rate\": 1, \"k\": 3},"
        "{\"call\": \"get_grid\", \"rate\": 1, \"boundary\": true},"
        "{\"call\": \"follow\", \"accept_seconds\": [1, 2], \"start_seconds\": [0, 0],"
        " \"resolve_seconds\": [1, 1], \"close_seconds\": [3, 4]},"
        "{\"call\": \"watch_incidents\", \"connections\": 256},"
        "{\"call\": \"watch_assignments\"},"
        "{\"call\": \"live\", \"connections\": 4096, \"workers_too\": false}]}";
    if (parse(text, &scenario, &error) != GW_OK) {
        fail_msg("%s", error.text);
    }
    assert_int_equal(scenario.seed, 7);
    assert_int_equal(scenario.works[0].class_count, 1);
    assert_string_equal(scenario.works[0].classes[0], "04");
    assert_true(scenario.works[0].by_hour);
    assert_int_equal(scenario.works[1].cache, LOAD_CACHE_REVALIDATE);
    assert_int_equal(scenario.works[1].layer_count, 2);
    assert_int_equal(scenario.works[1].zooms[1], 18);
    assert_true(scenario.works[2].on_duty);
    assert_int_equal(scenario.works[2].arrivals, LOAD_POISSON);
    assert_int_equal(scenario.works[3].points, 5);
    assert_int_equal(scenario.works[4].k, 3);
    assert_true(scenario.works[5].boundary);
    assert_true(scenario.works[6].close_seconds[1] > 3.5);
    assert_false(scenario.works[9].with_workers);
}

static const struct {
    const char *text, *words;
} refused[] = {
    {"", "line 1"},
    {"[]", "object"},
    {"{\"name\": \"x\"", "line 1"},
    {"{\"works\": [{\"call\": \"locate\", \"rate\": 1}]}", "name must be given"},
    {"{\"name\": \"x\"}", "works must be a list of 1 to 16"},
    {"{\"name\": \"x\", \"works\": []}", "works must be"},
    {"{\"name\": \"x\", \"name\": \"y\", \"works\": []}", "duplicate"},
    {"{\"name\": \"x\", \"speeed\": 1, \"works\": []}", "speeed is not a setting"},
    {"{\"name\": \"\", \"works\": []}", "name must be a text of 1 to 63 bytes"},
    {"{\"name\": \"a\\nb\", \"works\": []}", "name must be"},
    {"{\"name\": \"x\", \"seed\": -1, \"works\": []}", "seed must be"},
    {"{\"name\": \"x\", \"seed\": 1.5, \"works\": []}", "seed must be"},
    {"{\"name\": \"x\", \"seconds\": 0, \"works\": []}", "seconds must be a number, 1 .. 86400"},
    {"{\"name\": \"x\", \"seconds\": \"1\", \"works\": []}", "seconds must be"},
    {"{\"name\": \"x\", \"timeout_ms\": 1.5, \"works\": []}", "timeout_ms must be a whole number"},
    {"{\"name\": \"x\", \"works\": [3]}", "works[0].call must be one of: locate "},
    {"{\"name\": \"x\", \"works\": [{\"call\": \"Locate\"}]}", "works[0].call must be one of"},
    {"{\"name\": \"x\", \"works\": [{\"call\": \"locate\"}]}", "works[0].rate must be given"},
    {"{\"name\": \"x\", \"works\": [{\"call\": \"locate\", \"rate\": 0}]}",
     "works[0].rate must be a number, 0.001 .. 1e+06"},
    {"{\"name\": \"x\", \"works\": [{\"call\": \"locate\", \"rate\": 1, \"k\": 1}]}",
     "works[0].k means nothing to the call locate"},
    {"{\"name\": \"x\", \"works\": [{\"call\": \"live\", \"rate\": 1}]}",
     "works[0].rate means nothing to the call live"},
    {"{\"name\": \"x\", \"works\": [{\"call\": \"locate\", \"rate\": 1, \"rates\": 1}]}",
     "works[0].rates is not a setting"},
    {"{\"name\": \"x\", \"works\": [{\"call\": \"locate\", \"rate\": 1, \"arrivals\": \"x\"}]}",
     "works[0].arrivals must be one of: poisson, constant"},
    {"{\"name\": \"x\", \"works\": [{\"call\": \"live\"}, {\"call\": \"live\"}]}",
     "works[1].name must be another"},
    {"{\"name\": \"x\", \"works\": [{\"call\": \"locate\", \"rate\": 1, \"connections\": 257}]}",
     "connections must be at most 256 over gRPC"},
    {"{\"name\": \"x\", \"works\": [{\"call\": \"tiles\", \"rate\": 1, \"zooms\": [5, 4]}]}",
     "zooms must be two numbers"},
    {"{\"name\": \"x\", \"works\": [{\"call\": \"tiles\", \"rate\": 1, \"zooms\": [0, 19]}]}",
     "zooms must be two numbers"},
    {"{\"name\": \"x\", \"works\": [{\"call\": \"tiles\", \"rate\": 1, \"layers\": [\"a/b\"]}]}",
     "layers must be a list of 1 to 8 names"},
    {"{\"name\": \"x\", \"works\": [{\"call\": \"tiles\", \"rate\": 1, \"layers\": []}]}",
     "layers must be"},
    {"{\"name\": \"x\", \"works\": [{\"call\": \"report\", \"rate\": 1, \"hours\": [1, 2]}]}",
     "hours must be 24 weights"},
    {"{\"name\": \"x\", \"works\": [{\"call\": \"report\", \"rate\": 1, \"hours\": "
     "[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]}]}",
     "hours must be 24 weights"},
    {"{\"name\": \"x\", \"works\": [{\"call\": \"report\", \"rate\": 1, \"arrivals\": \"constant\","
     " \"hours\": [1,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]}]}",
     "arrivals must be poisson where hours are given"},
    {"{\"name\": \"x\", \"works\": [{\"call\": \"follow\", \"accept_seconds\": [2, 1]}]}",
     "accept_seconds must be two numbers"},
    {"{\"name\": \"x\", \"works\": [{\"call\": \"positions\", \"on_duty\": 1}]}",
     "on_duty must be true or false"},
};

static void test_refused(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        struct load_scenario scenario;
        struct gw_error error = {.code = GW_OK};
        if (parse(refused[i].text, &scenario, &error) != GW_EINVAL) {
            fail_msg("taken: %s", refused[i].text);
        }
        if (strncmp(error.text, "s.json: ", 8) != 0 ||
            strstr(error.text, refused[i].words) == NULL) {
            fail_msg("%s: said '%s', not '%s'", refused[i].text, error.text, refused[i].words);
        }
    }
}

static void test_too_many_works(void **state) {
    (void)state;
    char text[4096] = "{\"name\": \"x\", \"works\": [";
    size_t used = strlen(text);
    for (int i = 0; i < 17; i++) {
        used += (size_t)snprintf(text + used, sizeof(text) - used,
                                 "%s{\"call\": \"live\", \"name\": \"w%d\"}", i > 0 ? "," : "", i);
    }
    (void)snprintf(text + used, sizeof(text) - used, "]}");
    struct load_scenario scenario;
    struct gw_error error;
    assert_int_equal(parse(text, &scenario, &error), GW_EINVAL);
    assert_non_null(strstr(error.text, "1 to 16 works"));
}

static void test_shipped_files(void **state) {
    (void)state;
    glob_t found;
    assert_int_equal(glob("loadtest/scenarios/*.json", 0, NULL, &found), 0);
    assert_true(found.gl_pathc >= 4);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        struct load_scenario scenario;
        struct gw_error error;
        char path[256];
        if (load_scenario_read(found.gl_pathv[i], &scenario, &error) != GW_OK) {
            fail_msg("%s", error.text);
        }
        // `run NAME` finds the file by the name of the scenario.
        (void)snprintf(path, sizeof(path), "loadtest/scenarios/%s.json", scenario.name);
        assert_string_equal(path, found.gl_pathv[i]);
    }
    globfree(&found);
}

static void test_files_that_are_not_there(void **state) {
    (void)state;
    struct load_scenario scenario;
    struct gw_error error;
    assert_int_equal(load_scenario_read("nowhere.json", &scenario, &error), GW_ENOTFOUND);
    assert_non_null(strstr(error.text, "nowhere.json"));
    assert_int_equal(load_scenario_read("loadtest", &scenario, &error), GW_EIO);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),      cmocka_unit_test(test_every_key),
        cmocka_unit_test(test_refused),       cmocka_unit_test(test_too_many_works),
        cmocka_unit_test(test_shipped_files), cmocka_unit_test(test_files_that_are_not_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
