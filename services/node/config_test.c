// The configuration file: what it sets, and what it refuses by name.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "services/node/config.h"
#include <string.h>

static const char *const good =
    "{\"classes\": [{\"code\": \"04\", \"name\": \"Emergencies\", \"name_zh\": \"突发事件\","
    " \"skill\": \"first-aid\", \"answer_seconds\": 30}, {\"code\": \"9\"}],"
    " \"assignment\": {\"position_age_seconds\": 120, \"offer_without_position\": false,"
    " \"offers_max\": 3, \"level_max\": \"county\", \"order\": \"nearest\"},"
    " \"request_id_days\": 9}";

static void a_full_file_sets_everything(void **state) {
    (void)state;
    struct gw_policy policy;
    struct gw_error error = {0};
    assert_int_equal(gw_config_parse(good, strlen(good), "c.json", &policy, &error), GW_OK);
    assert_int_equal(policy.class_count, 2);
    assert_string_equal(policy.classes[0].name_zh, "突发事件");
    assert_string_equal(policy.classes[0].skill, "first-aid");
    assert_int_equal(policy.classes[0].answer_ms_max, 30000);
    assert_int_equal(policy.classes[1].answer_ms_max, 60000);
    assert_int_equal(policy.position_age_ms_max, 120000);
    assert_false(policy.offer_without_position);
    assert_int_equal(policy.offers_max, 3);
    assert_int_equal(policy.level_max, 3);
    assert_int_equal(policy.order, GW_ORDER_NEAREST);
    assert_int_equal(policy.receipt_days, 9);
}

static void an_empty_object_is_the_built_in_rules(void **state) {
    (void)state;
    struct gw_policy policy, built_in;
    struct gw_error error = {0};
    memset(&policy, 0, sizeof(policy));
    memset(&built_in, 0, sizeof(built_in));
    gw_policy_default(&built_in);
    assert_int_equal(gw_config_parse("{}", 2, "c.json", &policy, &error), GW_OK);
    assert_int_equal(policy.class_count, built_in.class_count);
    assert_int_equal(policy.offers_max, built_in.offers_max);
    assert_int_equal(policy.order, GW_ORDER_RANK);
    assert_int_equal(policy.receipt_days, built_in.receipt_days);
}

static void faults_are_named(void **state) {
    (void)state;
    static const struct {
        const char *text, *named;
    } rows[] = {
        {"", "line 1"},
        {"[]", "JSON object"},
        {"{\"clases\": []}", "clases"},
        {"{\"classes\": []}", "1 .. 256"},
        {"{\"classes\": [3]}", "objects"},
        {"{\"classes\": [{\"name\": \"x\"}]}", "classes.code"},
        {"{\"classes\": [{\"code\": \"a\"}, {\"code\": \"a\"}]}", "twice"},
        {"{\"classes\": [{\"code\": \"12345678901234567\"}]}", "at most 15 bytes"},
        {"{\"classes\": [{\"code\": \"a\", \"answer_seconds\": 0}]}", "answer_seconds"},
        {"{\"assignment\": {\"level_max\": \"moon\"}}", "assignment.level_max"},
        {"{\"assignment\": {\"order\": \"moon\"}}", "assignment.order"},
        {"{\"assignment\": {\"order\": 1}}", "assignment.order"},
        {"{\"assignment\": {\"offers_max\": 2.5}}", "assignment.offers_max"},
        {"{\"assignment\": {\"offer_without_position\": 1}}", "true or false"},
        {"{\"request_id_days\": 0}", "request_id_days"},
        {"{\"request_id_days\": 1, \"request_id_days\": 2}", "duplicate"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct gw_policy policy = {.offers_max = 77};
        struct gw_error error = {0};
        assert_int_equal(
            gw_config_parse(rows[i].text, strlen(rows[i].text), "c.json", &policy, &error),
            GW_EINVAL);
        if (strstr(error.text, rows[i].named) == NULL || strstr(error.text, "c.json") == NULL) {
            fail_msg("row %zu: \"%s\" doesn't name \"%s\"", i, error.text, rows[i].named);
        }
        assert_int_equal(policy.offers_max, 77); // untouched
    }
    struct gw_policy policy;
    struct gw_error error = {0};
    assert_int_equal(gw_config_load("/nowhere/c.json", &policy, &error), GW_ENOTFOUND);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_file_sets_everything),
        cmocka_unit_test(an_empty_object_is_the_built_in_rules),
        cmocka_unit_test(faults_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
