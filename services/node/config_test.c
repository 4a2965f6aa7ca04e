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
    " \"request_id_days\": 9,"
    " \"map\": {\"rasters\": [{\"id\": \"img\", \"name\": \"Imagery\", \"name_zh\": \"影像\","
    "   \"tiles\": [\"https://t0.example.org:8443/a?x={x}&y={y}&l={z}&tk=KEY\","
    "   \"/raster/{z}/{x}/{y}.png\"], \"tile_size\": 512, \"max_zoom\": 17,"
    "   \"attribution\": \"© someone\"}, {\"id\": \"b\", \"tiles\": [\"http://h/{z}{x}{y}\"]}]},"
    " \"http\": {\"connections_max\": 100, \"threads\": 3, \"hosts\": [\"map.example.org\"]}}";

static void a_full_file_sets_everything(void **state) {
    (void)state;
    static struct gw_config config;
    struct gw_error error = {0};
    assert_int_equal(gw_config_parse(good, strlen(good), "c.json", &config, &error), GW_OK);
    const struct gw_policy policy = config.policy;
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
    assert_int_equal(config.map.raster_count, 2);
    const struct gw_map_raster *raster = &config.map.rasters[0];
    assert_string_equal(raster->id, "img");
    assert_string_equal(raster->name_zh, "影像");
    assert_int_equal(raster->tile_count, 2);
    assert_string_equal(raster->tiles[1], "/raster/{z}/{x}/{y}.png");
    assert_int_equal(gw_map_url_origin_size(raster->tiles[0]),
                     strlen("https://t0.example.org:8443"));
    assert_int_equal(gw_map_url_origin_size(raster->tiles[1]), 0);
    assert_int_equal(raster->tile_size, 512);
    assert_int_equal(raster->max_zoom, 17);
    assert_string_equal(raster->attribution, "© someone");
    assert_int_equal(config.map.rasters[1].tile_size, 256);
    assert_int_equal(config.map.rasters[1].max_zoom, 18);
    assert_int_equal(config.http.connections_max, 100);
    assert_int_equal(config.http.threads, 3);
    assert_int_equal(config.http.host_count, 1);
    assert_string_equal(config.http.hosts[0], "map.example.org");
}

static void an_empty_object_is_the_built_in_rules(void **state) {
    (void)state;
    static struct gw_config config;
    struct gw_policy policy, built_in;
    struct gw_error error = {0};
    memset(&built_in, 0, sizeof(built_in));
    gw_policy_default(&built_in);
    assert_int_equal(gw_config_parse("{}", 2, "c.json", &config, &error), GW_OK);
    assert_int_equal(config.map.raster_count, 0);
    assert_int_equal(config.http.connections_max, 0);
    assert_int_equal(gw_config_read(NULL, &config, &error), GW_OK);
    policy = config.policy;
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
        {"{\"map\": []}", "map must be an object"},
        {"{\"map\": {\"raster\": []}}", "map.raster is not"},
        {"{\"map\": {\"rasters\": [1,2,3,4,5,6,7,8,9]}}", "at most 8"},
        {"{\"map\": {\"rasters\": [1]}}", "list of objects"},
        {"{\"map\": {\"rasters\": [{\"url\": \"\"}]}}", "map.rasters.url"},
        {"{\"map\": {\"rasters\": [{\"tiles\": []}]}}", "map.rasters.id"},
        {"{\"map\": {\"rasters\": [{\"id\": \"a b\"}]}}", "map.rasters.id"},
        {"{\"map\": {\"rasters\": [{\"id\": \"a\"}]}}", "1 .. 8 addresses"},
        {"{\"map\": {\"rasters\": [{\"id\": \"a\", \"tiles\": [\"https://h/{z}/{x}\"]}]}}", "{y}"},
        {"{\"map\": {\"rasters\": [{\"id\": \"a\", \"tiles\": [\"ftp://h/{z}/{x}/{y}\"]}]}}",
         "https://"},
        {"{\"map\": {\"rasters\": [{\"id\": \"a\", \"tiles\": [\"//h/{z}/{x}/{y}\"]}]}}",
         "https://"},
        {"{\"map\": {\"rasters\": [{\"id\": \"a\", \"tiles\": [\"https:///{z}/{x}/{y}\"]}]}}",
         "https://"},
        {"{\"map\": {\"rasters\": [{\"id\": \"a\", \"tiles\": [\"https://h; x/{z}{x}{y}\"]}]}}",
         "https://"},
        {"{\"map\": {\"rasters\": [{\"id\": \"a\", \"tiles\": [\"/{z}{x}{y}\"], \"tile_size\": "
         "300}]}}",
         "256 or 512"},
        {"{\"map\": {\"rasters\": [{\"id\": \"a\", \"tiles\": [\"/{z}{x}{y}\"], \"max_zoom\": "
         "25}]}}",
         "max_zoom"},
        {"{\"map\": {\"rasters\": [{\"id\": \"a\", \"tiles\": [\"/{z}{x}{y}\"]},"
         "{\"id\": \"a\", \"tiles\": [\"/{z}{x}{y}\"]}]}}",
         "twice"},
        {"{\"http\": {\"port\": 1}}", "http.port"},
        {"{\"http\": {\"connections_max\": 15}}", "http.connections_max"},
        {"{\"http\": {\"threads\": 65}}", "http.threads"},
        {"{\"http\": {\"hosts\": [\"a:80\"]}}", "without a port"},
        {"{\"http\": {\"hosts\": \"a\"}}", "http.hosts"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        static struct gw_config config;
        config.policy.offers_max = 77;
        struct gw_error error = {0};
        assert_int_equal(
            gw_config_parse(rows[i].text, strlen(rows[i].text), "c.json", &config, &error),
            GW_EINVAL);
        if (strstr(error.text, rows[i].named) == NULL || strstr(error.text, "c.json") == NULL) {
            fail_msg("row %zu: \"%s\" doesn't name \"%s\"", i, error.text, rows[i].named);
        }
        assert_int_equal(config.policy.offers_max, 77); // untouched
    }
    static struct gw_config config;
    struct gw_error error = {0};
    assert_int_equal(gw_config_read("/nowhere/c.json", &config, &error), GW_ENOTFOUND);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_file_sets_everything),
        cmocka_unit_test(an_empty_object_is_the_built_in_rules),
        cmocka_unit_test(faults_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
