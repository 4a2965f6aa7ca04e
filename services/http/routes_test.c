// Every route with what it answers, and with input at and past its limits.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "services/http/testing_node.h"
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// What an answer says of one request: a row of a table.
struct row {
    const char *method, *path, *headers, *body;
    int status;
    const char *contains; // in the body; NULL: anything
};

static void check_rows(const struct node *node, const struct row rows[], size_t count) {
    for (size_t i = 0; i < count; i++) {
        struct client_answer answer =
            client_ask(node->port, rows[i].method, rows[i].path, rows[i].headers, rows[i].body);
        if (answer.status != rows[i].status ||
            (rows[i].contains != NULL && strstr(answer.body, rows[i].contains) == NULL)) {
            fail_msg("row %zu: %s %.200s: %d, not %d: %s", i, rows[i].method, rows[i].path,
                     answer.status, rows[i].status, answer.body);
        }
        if (answer.status >= 400 && strcmp(rows[i].method, "HEAD") != 0) {
            json_t *root = json_loads(answer.body, 0, NULL);
            json_t *fault = json_object_get(root, "error");
            assert_int_equal(json_integer_value(json_object_get(fault, "code")), rows[i].status);
            assert_true(json_string_length(json_object_get(fault, "message")) > 10);
            json_decref(root);
        }
        client_free(&answer);
    }
}
#define CHECK_ROWS(node, rows) check_rows(node, rows, sizeof(rows) / sizeof((rows)[0]))

static json_t *ask_json(const struct node *node, const char *path) {
    struct client_answer answer = client_ask(node->port, "GET", path, "", "");
    json_error_t fault;
    json_t *root = json_loads(answer.body, JSON_REJECT_DUPLICATES, &fault);
    if (answer.status != 200 || root == NULL) {
        fail_msg("%s: %d: %s (%s)", path, answer.status, answer.body, fault.text);
    }
    client_free(&answer);
    return root;
}

static const char *text_at(const json_t *object, const char *name) {
    const char *text = json_string_value(json_object_get(object, name));
    return text != NULL ? text : "(none)";
}

static double number_at(const json_t *object, const char *name) {
    return json_number_value(json_object_get(object, name));
}

// --- grids ---

static void the_city(void **state) {
    json_t *city = ask_json(*state, "/v1/city");
    assert_int_equal(number_at(city, "grids"), 6);
    assert_string_equal(text_at(json_object_get(city, "edition"), "layer"), "grid");
    assert_int_equal(number_at(json_object_get(city, "edition"), "number"), 1);
    assert_int_equal(json_array_size(json_object_get(city, "bounds")), 4);
    assert_int_equal(number_at(json_object_get(city, "workers"), "total"), 5);
    assert_true(json_array_size(json_object_get(city, "classes")) > 0);
    assert_int_equal(json_array_size(json_object_get(city, "rasters")), 0);
    assert_true(number_at(city, "time_ms") > 0);
    json_decref(city);
}

static void where_a_point_lies(void **state) {
    const struct node *node = *state;
    Gridwarden__V1__Point a1 = bench_point(0, 0);
    char path[256];
    (void)snprintf(path, sizeof(path), "/v1/locate?lon=%.7f&lat=%.7f", a1.longitude, a1.latitude);
    json_t *found = ask_json(node, path);
    json_t *grid = json_object_get(found, "grid");
    assert_string_equal(text_at(grid, "code"), BENCH_A1);
    assert_string_equal(text_at(grid, "parent"), BENCH_VILLAGE_A);
    assert_true(json_array_size(json_object_get(grid, "areas")) >= 2);
    json_decref(found);
    found = ask_json(node, "/v1/locate?lat=0&lon=0");
    assert_true(json_is_null(json_object_get(found, "grid")));
    assert_true(number_at(json_object_get(found, "nearest"), "distance_m") > 1e6);
    json_decref(found);
    const struct row rows[] = {
        {"GET", "/v1/locate", "", "", 400, "lon"},
        {"GET", "/v1/locate?lon=1", "", "", 400, "lat"},
        {"GET", "/v1/locate?lon=1&lat=1&lat=1", "", "", 400, "twice"},
        {"GET", "/v1/locate?lon=1&lat=1&k=1", "", "", 400, "\\\"k\\\""},
        {"GET", "/v1/locate?lon=181&lat=1", "", "", 400, "-180 .. 180"},
        {"GET", "/v1/locate?lon=x&lat=1", "", "", 400, "lon"},
        {"POST", "/v1/locate?lon=1&lat=1", "", "", 405, NULL},
        {"HEAD", "/v1/locate?lon=1&lat=1", "", "", 200, NULL},
    };
    CHECK_ROWS(node, rows);
}

static void one_grid_as_geojson(void **state) {
    const struct node *node = *state;
    json_t *feature = ask_json(node, "/v1/grids/" BENCH_A1);
    assert_string_equal(text_at(feature, "type"), "Feature");
    assert_string_equal(text_at(feature, "id"), BENCH_A1);
    json_t *geometry = json_object_get(feature, "geometry");
    assert_string_equal(text_at(geometry, "type"), "Polygon");
    json_t *ring = json_array_get(json_object_get(geometry, "coordinates"), 0);
    size_t last = json_array_size(ring) - 1;
    assert_true(last >= 4);
    assert_true(json_equal(json_array_get(ring, 0), json_array_get(ring, last)));
    double area = 0; // twice, with sign: shells run counter-clockwise
    for (size_t i = 0; i < last; i++) {
        json_t *a = json_array_get(ring, i), *b = json_array_get(ring, i + 1);
        area += json_number_value(json_array_get(a, 0)) * json_number_value(json_array_get(b, 1)) -
                json_number_value(json_array_get(b, 0)) * json_number_value(json_array_get(a, 1));
    }
    assert_true(area > 0);
    json_t *properties = json_object_get(feature, "properties");
    assert_string_equal(text_at(properties, "code"), BENCH_A1);
    assert_int_equal(number_at(properties, "edition"), 1);
    json_decref(feature);
    struct client_answer answer = client_ask(node->port, "GET", "/v1/grids/" BENCH_A1, "", "");
    assert_string_equal(client_header(&answer, "Content-Type"), "application/geo+json");
    char headers[256];
    (void)snprintf(headers, sizeof(headers), "If-None-Match: %s\r\n",
                   client_header(&answer, "ETag"));
    client_free(&answer);
    answer = client_ask(node->port, "GET", "/v1/grids/" BENCH_A1, headers, "");
    assert_int_equal(answer.status, 304);
    client_free(&answer);
    const struct row rows[] = {
        {"GET", "/v1/grids/nothing", "", "", 404, "nothing"},
        {"GET", "/v1/grids/", "", "", 404, NULL},
        {"GET", "/v1/grids/%E7%BD%91", "", "", 404, "网"},
        {"GET", "/v1/grids/0123456789012345678901234567890123456789012345678901234567890123456789",
         "", "", 404, NULL},
        {"GET", "/v1/grids/a%2Fb", "", "", 404, "a/b"},
        {"GET", "/v1/grids/" BENCH_A1 "/people", "", "", 200, "\"w1\""},
        {"GET", "/v1/grids/nothing/people", "", "", 404, "nothing"},
        {"GET", "/v1/areas/" BENCH_VILLAGE_A, "", "", 200, "\"grids\":2"},
        {"GET", "/v1/areas/nothing", "", "", 404, "nothing"},
    };
    CHECK_ROWS(node, rows);
}

static void search(void **state) {
    const struct node *node = *state;
    json_t *found = ask_json(node, "/v1/search?q=" BENCH_VILLAGE_A "&limit=2");
    json_t *results = json_object_get(found, "results");
    assert_int_equal(json_array_size(results), 2);
    assert_string_equal(text_at(json_array_get(results, 0), "type"), "area");
    assert_string_equal(text_at(json_array_get(results, 1), "code"), BENCH_A1);
    assert_int_equal(json_array_size(json_object_get(json_array_get(results, 1), "bounds")), 4);
    json_decref(found);
    found = ask_json(node, "/v1/search?q=w1");
    results = json_object_get(found, "results");
    assert_string_equal(text_at(json_array_get(results, 0), "type"), "worker");
    json_decref(found);
    const struct row rows[] = {
        {"GET", "/v1/search", "", "", 400, "q must"},
        {"GET", "/v1/search?q=", "", "", 400, "q must"},
        {"GET", "/v1/search?q=a&limit=0", "", "", 400, "limit"},
        {"GET", "/v1/search?q=a&limit=51", "", "", 400, "1 .. 50"},
        {"GET", "/v1/search?q=zzz", "", "", 200, "[]"},
        {"GET", "/v1/search?q=0123456789012345678901234567890123456789012345678901234567890123", "",
         "", 200, "[]"},
        {"GET", "/v1/search?q=01234567890123456789012345678901234567890123456789012345678901234",
         "", "", 400, "64"},
    };
    CHECK_ROWS(node, rows);
}

static void workers(void **state) {
    const struct node *node = *state;
    Gridwarden__V1__Point a1 = bench_point(0, 0);
    char path[256];
    (void)snprintf(path, sizeof(path), "/v1/nearest?lon=%.7f&lat=%.7f&k=2&on_duty=1", a1.longitude,
                   a1.latitude);
    json_t *found = ask_json(node, path);
    json_t *list = json_object_get(found, "workers");
    assert_int_equal(json_array_size(list), 2);
    assert_string_equal(text_at(json_array_get(list, 0), "id"), "w1");
    assert_true(number_at(json_array_get(list, 1), "distance_m") > 0);
    json_decref(found);
    json_t *worker = ask_json(node, "/v1/workers/w1");
    assert_string_equal(text_at(worker, "duty"), "ON");
    assert_true(strchr(text_at(worker, "name"), '*') != NULL);
    assert_int_equal(json_array_size(json_object_get(worker, "home_grids")), 1);
    assert_true(json_is_object(json_object_get(worker, "position")));
    json_decref(worker);
    const struct row rows[] = {
        {"GET", "/v1/workers/nobody", "", "", 404, NULL},
        {"GET", "/v1/workers", "", "", 404, NULL},
        {"GET", "/v1/nearest?lon=1&lat=1&k=0", "", "", 400, "k must"},
        {"GET", "/v1/nearest?lon=1&lat=1&k=101", "", "", 400, "k must"},
        {"GET", "/v1/nearest?lon=1&lat=1&on_duty=yes", "", "", 400, "on_duty"},
        {"GET", "/v1/nearest?lat=1", "", "", 400, "lon"},
    };
    CHECK_ROWS(node, rows);
}

// --- incidents ---

#define JSON_TYPE "Content-Type: application/json\r\n"

static void report_to_closed(void **state) {
    const struct node *node = *state;
    Gridwarden__V1__Point a1 = bench_point(0, 0);
    char body[512], path[256], location[256], headers[256];
    (void)snprintf(
        body, sizeof(body),
        "{\"request_id\":\"r1\",\"lon\":%.7f,\"lat\":%.7f,\"class\":\"%s\",\"severity\":3,"
        "\"channel\":\"APP\",\"address\":\"路 1\",\"description\":\"a \\\"hole\\\"\"}",
        a1.longitude, a1.latitude, node->bench.policy.classes[0].code);
    struct client_answer first = client_ask(node->port, "POST", "/v1/incidents", JSON_TYPE, body);
    assert_int_equal(first.status, 201);
    (void)snprintf(location, sizeof(location), "%s", client_header(&first, "Location"));
    struct client_answer again = client_ask(node->port, "POST", "/v1/incidents", JSON_TYPE, body);
    assert_int_equal(again.status, 201); // the same request has one effect
    assert_string_equal(again.body, first.body);
    client_free(&again);
    json_t *root = json_loads(first.body, 0, NULL);
    json_t *incident = json_object_get(root, "incident");
    char id[64], handler[64];
    (void)snprintf(id, sizeof(id), "%s", text_at(incident, "id"));
    (void)snprintf(handler, sizeof(handler), "%s", text_at(incident, "handler"));
    assert_string_equal(text_at(incident, "state"), "OFFERED");
    assert_string_equal(text_at(incident, "grid"), BENCH_A1);
    assert_string_equal(text_at(incident, "description"), "a \"hole\"");
    assert_string_equal(location + strlen("/v1/incidents/"), id);
    json_decref(root);
    client_free(&first);
    static const char *const actions[] = {"accept", "start", "resolve", "close"};
    for (int i = 0; i < 4; i++) {
        (void)snprintf(path, sizeof(path), "/v1/incidents/%s/%s", id, actions[i]);
        (void)snprintf(body, sizeof(body), "{\"request_id\":\"a%d\",\"actor\":\"%s\"%s}", i,
                       i == 3 ? "desk:city" : handler, i == 2 ? ",\"note\":\"done\"" : "");
        struct client_answer answer = client_ask(node->port, "POST", path, JSON_TYPE, body);
        if (answer.status != 200) {
            fail_msg("%s: %d %s", path, answer.status, answer.body);
        }
        client_free(&answer);
    }
    (void)snprintf(path, sizeof(path), "/v1/incidents/%s", id);
    root = ask_json(node, path);
    assert_string_equal(text_at(json_object_get(root, "incident"), "state"), "CLOSED");
    json_t *events = json_object_get(root, "events");
    assert_int_equal(json_array_size(events),
                     number_at(json_object_get(root, "incident"), "version"));
    assert_string_equal(text_at(json_array_get(events, 0), "kind"), "REPORTED");
    json_decref(root);
    (void)snprintf(headers, sizeof(headers), "/v1/search?q=%s", id);
    root = ask_json(node, headers);
    assert_string_equal(text_at(json_array_get(json_object_get(root, "results"), 0), "type"),
                        "incident");
    json_decref(root);
    (void)snprintf(path, sizeof(path), "/v1/incidents/%s/accept", id);
    const struct row rows[] = {
        {"POST", path, JSON_TYPE, "{\"request_id\":\"b1\",\"actor\":\"w1\"}", 409, "is closed"},
        {"POST", path, JSON_TYPE, "{\"request_id\":\"a0\",\"actor\":\"w9\"}", 409, NULL},
        {"GET", path, "", "", 405, NULL},
        {"GET", "/v1/incidents?state=CLOSED&limit=1", "", "", 200, id},
        {"GET", "/v1/incidents?state=STARTED", "", "", 200, "\"incidents\":[]"},
    };
    CHECK_ROWS(node, rows);
}

static void reports_that_are_refused(void **state) {
    const struct node *node = *state;
    static char huge[20000];
    static char deep[9000];
    memset(huge, ' ', sizeof(huge) - 1);
    memset(deep, '[', sizeof(deep) - 1);
#define REPORT(rest) "{\"request_id\":\"x\"," rest "}"
    const struct row rows[] = {
        {"POST", "/v1/incidents", "", "{}", 415, "application/json"},
        {"POST", "/v1/incidents", "Content-Type: text/plain\r\n", "{}", 415, NULL},
        {"POST", "/v1/incidents", JSON_TYPE "Content-Encoding: gzip\r\n", "{}", 415, NULL},
        {"POST", "/v1/incidents", JSON_TYPE, huge, 413, "16 KiB"},
        {"POST", "/v1/incidents", JSON_TYPE, deep, 400, "no JSON"},
        {"POST", "/v1/incidents", JSON_TYPE, "", 400, "no JSON"},
        {"POST", "/v1/incidents", JSON_TYPE, "{", 400, "line 1"},
        {"POST", "/v1/incidents", JSON_TYPE, "[]", 400, "object"},
        {"POST", "/v1/incidents", JSON_TYPE, "{\"a\":1,\"a\":2}", 400, "duplicate"},
        {"POST", "/v1/incidents", JSON_TYPE, "{\"request_id\":\"\\u0000\"}", 400, "no JSON"},
        {"POST", "/v1/incidents", JSON_TYPE, "{\"lon\":1,\"lat\":2}", 400, "request_id"},
        {"POST", "/v1/incidents", JSON_TYPE, REPORT("\"class\":\"01\""), 400, "address"},
        {"POST", "/v1/incidents", JSON_TYPE, REPORT("\"lon\":1"), 400, "lat is missing"},
        {"POST", "/v1/incidents", JSON_TYPE, REPORT("\"lat\":1"), 400, "lon is missing"},
        {"POST", "/v1/incidents", JSON_TYPE, REPORT("\"lon\":\"1\",\"lat\":1"), 400, "lon must"},
        {"POST", "/v1/incidents", JSON_TYPE, REPORT("\"lon\":1,\"lat\":91"), 400, "-90 .. 90"},
        {"POST", "/v1/incidents", JSON_TYPE, REPORT("\"lon\":1e99,\"lat\":1"), 400, "-180"},
        {"POST", "/v1/incidents", JSON_TYPE, REPORT("\"class\":\"zz\",\"address\":\"a\""), 400,
         "class \\\"zz\\\""},
        {"POST", "/v1/incidents", JSON_TYPE, REPORT("\"class\":7"), 400, "class must"},
        {"POST", "/v1/incidents", JSON_TYPE,
         REPORT("\"class\":\"01\",\"address\":\"a\",\"severity\":5"), 400, "severity"},
        {"POST", "/v1/incidents", JSON_TYPE,
         REPORT("\"class\":\"01\",\"address\":\"a\",\"severity\":1.5"), 400, "severity"},
        {"POST", "/v1/incidents", JSON_TYPE,
         REPORT("\"class\":\"01\",\"address\":\"a\",\"channel\":\"FAX\""), 400, "channel"},
        {"POST", "/v1/incidents", JSON_TYPE, REPORT("\"grid\":\"1\""), 400, "grid"},
        {"POST", "/v1/incidents/nothing/accept", JSON_TYPE, "{}", 400, "request_id"},
        {"POST", "/v1/incidents/nothing/accept", JSON_TYPE,
         "{\"request_id\":\"z\",\"actor\":\"w1\"}", 400, "incident_id"},
        {"POST", "/v1/incidents/0000000000000000-0000000999/accept", JSON_TYPE,
         "{\"request_id\":\"z\",\"actor\":\"w1\"}", 404, NULL},
        {"POST", "/v1/incidents/nothing/explode", JSON_TYPE, "{}", 404, "accept"},
        {"POST", "/v1/incidents/nothing/accept", JSON_TYPE,
         "{\"request_id\":\"z\",\"actor\":\"w\",\"note\":\"\"}", 400, "note"},
        {"GET", "/v1/incidents/nothing", "", "", 404, "nothing"},
        {"GET", "/v1/incidents/0000000000000000-0000000999", "", "", 404, NULL},
        {"GET", "/v1/incidents?limit=0", "", "", 400, "limit"},
        {"GET", "/v1/incidents?limit=1001", "", "", 400, "limit"},
        {"GET", "/v1/incidents?state=open", "", "", 400, "PLACE_UNKNOWN"},
        {"GET", "/v1/incidents?token=nonsense", "", "", 400, "token"},
        {"PUT", "/v1/incidents", "", "", 405, NULL},
        {"DELETE", "/v1/incidents/x", "", "", 405, NULL},
    };
    CHECK_ROWS(node, rows);
}

static void lists_page_by_page(void **state) {
    const struct node *node = *state;
    char body[256], path[256] = "/v1/incidents?limit=2";
    for (int i = 0; i < 5; i++) {
        (void)snprintf(body, sizeof(body),
                       "{\"request_id\":\"l%d\",\"class\":\"%s\",\"address\":\"somewhere\"}", i,
                       node->bench.policy.classes[0].code);
        struct client_answer answer =
            client_ask(node->port, "POST", "/v1/incidents", JSON_TYPE, body);
        assert_int_equal(answer.status, 201);
        assert_non_null(strstr(answer.body, "\"lon\":null,\"lat\":null"));
        client_free(&answer);
    }
    size_t seen = 0;
    for (int page = 0; page < 100 && path[0] != '\0'; page++) {
        json_t *root = ask_json(node, path);
        seen += json_array_size(json_object_get(root, "incidents"));
        const char *token = text_at(root, "next_token");
        if (token[0] != '\0') {
            (void)snprintf(path, sizeof(path), "/v1/incidents?limit=2&token=%s", token);
        } else {
            path[0] = '\0';
        }
        json_decref(root);
    }
    assert_true(seen >= 5);
    assert_string_equal(path, "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_city),
        cmocka_unit_test(where_a_point_lies),
        cmocka_unit_test(one_grid_as_geojson),
        cmocka_unit_test(search),
        cmocka_unit_test(workers),
        cmocka_unit_test(report_to_closed),
        cmocka_unit_test(reports_that_are_refused),
        cmocka_unit_test(lists_page_by_page),
    };
    return cmocka_run_group_tests_name("http routes", tests, node_setup, node_teardown);
}
