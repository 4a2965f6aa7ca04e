// Runs against a small HTTP server: panning users and readers of the live feed.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "loadtest/run.h"
#include "services/base/clock.h"
#include <microhttpd.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

enum { TILE_BYTES = 321, AGE_MS = 20 };

struct server {
    struct MHD_Daemon *daemon;
    char address[32];
    bool broken; // every tile is a 503
    atomic_uint tiles, not_modified, odd, streams;
};

static enum MHD_Result answer(struct MHD_Connection *connection, unsigned int status,
                              const char *text, size_t size, const char *etag) {
    struct MHD_Response *response =
        MHD_create_response_from_buffer(size, (void *)(uintptr_t)text, MHD_RESPMEM_MUST_COPY);
    if (etag != NULL) {
        (void)MHD_add_response_header(response, "ETag", etag);
    }
    enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result tilejson(struct server *server, struct MHD_Connection *connection) {
    char text[512];
    int size = snprintf(text, sizeof(text),
                        "{\"tilejson\": \"3.0.0\", \"tiles\": [\"http://%s/tiles/grids/{z}/{x}/{y}"
                        ".mvt?edition=7\"], \"minzoom\": 0, \"maxzoom\": 14, "
                        "\"bounds\": [123.4, 41.9, 125.2, 43.5]}",
                        server->address);
    return answer(connection, 200, text, (size_t)size, NULL);
}

static enum MHD_Result tile(struct server *server, struct MHD_Connection *connection,
                            const char *url) {
    static const char body[TILE_BYTES];
    const char *edition = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, "edition");
    const char *encoding =
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Accept-Encoding");
    const char *known = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "If-None-Match");
    char etag[64];
    char *end = NULL;
    unsigned long z = strtoul(url + strlen("/tiles/grids/"), &end, 10), x = 0, y = 0;
    x = *end == '/' ? strtoul(end + 1, &end, 10) : UINT32_MAX;
    y = *end == '/' ? strtoul(end + 1, &end, 10) : UINT32_MAX;
    bool fine = strcmp(end, ".mvt") == 0 && z <= 14 && x < 1ul << z && y < 1ul << z &&
                edition != NULL && strcmp(edition, "7") == 0 && encoding != NULL &&
                strcmp(encoding, "gzip") == 0;
    (void)atomic_fetch_add(&server->tiles, 1);
    (void)atomic_fetch_add(&server->odd, !fine);
    if (server->broken) {
        return answer(connection, 503, "", 0, NULL);
    }
    (void)snprintf(etag, sizeof(etag), "\"%lu-%lu-%lu\"", z, x, y);
    if (known != NULL) {
        (void)atomic_fetch_add(&server->odd, strcmp(known, etag) != 0);
        (void)atomic_fetch_add(&server->not_modified, 1);
        return answer(connection, 304, "", 0, etag);
    }
    return answer(connection, 200, body, sizeof(body), etag);
}

// A snapshot, then a changed incident every 30 ms, cut into two writes; a comment in between.
static ssize_t stream(void *context, uint64_t at, char *out, size_t size) {
    static const char snapshot[] = "event: snapshot\ndata: {\"incidents\": []}\n\n: heartbeat\n\n";
    bool *second = context;
    if (at == 0) {
        memcpy(out, snapshot, sizeof(snapshot) - 1);
        return sizeof(snapshot) - 1;
    }
    (void)poll(NULL, 0, 15); // the pace of the feed; nothing is waited for
    *second = !*second;
    return *second ? snprintf(out, size, "event: incident\nid: b-1\nda")
                   : snprintf(out, size, "ta: {\"id\": \"i\", \"updated_ms\":%lld}\n\n",
                              (long long)gw_clock_wall_ms() - AGE_MS);
}

static enum MHD_Result live(struct server *server, struct MHD_Connection *connection) {
    (void)atomic_fetch_add(&server->streams, 1);
    struct MHD_Response *response = MHD_create_response_from_callback(
        MHD_SIZE_UNKNOWN, 4096, stream, calloc(1, sizeof(bool)), free);
    enum MHD_Result result = MHD_queue_response(connection, 200, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *data,
                              size_t *size, void **state) {
    struct server *server = context;
    (void)method;
    (void)version;
    (void)data;
    (void)size;
    (void)state;
    if (strcmp(url, "/tiles/grids.json") == 0) {
        return tilejson(server, connection);
    }
    if (strncmp(url, "/tiles/grids/", 13) == 0) {
        return tile(server, connection, url);
    }
    return strcmp(url, "/v1/live") == 0 ? live(server, connection)
                                        : answer(connection, 404, "no", 2, NULL);
}

static struct server *server_start(bool broken) {
    struct server *server = calloc(1, sizeof(*server));
    assert_non_null(server);
    server->broken = broken;
    server->daemon =
        MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION, 0, NULL,
                         NULL, handle, server, MHD_OPTION_END);
    assert_non_null(server->daemon);
    (void)snprintf(server->address, sizeof(server->address), "127.0.0.1:%u",
                   MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
    return server;
}

// One second of one work; `result` is the caller's to free.
static gw_err run(struct server *server, const char *work, bool closed, struct load_result **result,
                  struct gw_error *error) {
    char text[1024];
    struct load_scenario scenario;
    (void)snprintf(text, sizeof(text),
                   "{\"name\": \"map\", \"warmup_seconds\": 0, \"lateness_ms_max\": 1000, "
                   "\"works\": [%s]}",
                   work);
    if (load_scenario_parse(text, strlen(text), "test", &scenario, error) != GW_OK) {
        fail_msg("%s", error->text);
    }
    scenario.seconds = 0.6;
    *result = calloc(1, sizeof(**result));
    assert_non_null(*result);
    const struct load_options options = {.http = server->address, .closed = closed};
    return load_run(&options, &scenario, *result, error);
}

static void finish(struct server *server, struct load_result *result) {
    load_result_free(result);
    free(result);
    MHD_stop_daemon(server->daemon);
    free(server);
}

static void test_open_loop(void **state) {
    (void)state;
    struct server *server = server_start(false);
    struct load_result *result;
    struct gw_error error;
    assert_int_equal(run(server,
                         "{\"call\": \"tiles\", \"rate\": 40, \"users\": 5, \"connections\": 6, "
                         "\"zooms\": [9, 16]}",
                         false, &result, &error),
                     GW_OK);
    const struct load_work_result *work = &result->steps[0].works[0];
    assert_true(work->done > 100);
    assert_int_equal(work->done, work->intended);
    assert_int_equal(work->failed + work->unfinished, 0);
    assert_int_equal(work->done, atomic_load(&server->tiles));
    assert_int_equal(work->items, work->done * TILE_BYTES);
    assert_int_equal(atomic_load(&server->odd), 0);
    assert_int_equal(work->lateness.count, work->intended);
    assert_int_equal(work->loop, LOAD_OPEN);
    assert_true(work->rate * 0.6 > (double)work->intended - 1);
    finish(server, result);
}

static void test_closed_loop(void **state) {
    (void)state;
    struct server *server = server_start(false);
    struct load_result *result;
    struct gw_error error;
    assert_int_equal(run(server,
                         "{\"call\": \"tiles\", \"rate\": 40, \"connections\": 2, \"cache\": "
                         "\"browser\"}",
                         true, &result, &error),
                     GW_OK);
    const struct load_work_result *work = &result->steps[0].works[0];
    assert_true(work->done > 10);
    assert_int_equal(work->done, work->intended);
    assert_int_equal(work->done, atomic_load(&server->tiles));
    assert_int_equal(work->loop, LOAD_CLOSED);
    assert_int_equal(atomic_load(&server->not_modified), 0);
    finish(server, result);
}

static void test_revalidation(void **state) {
    (void)state;
    struct server *server = server_start(false);
    struct load_result *result;
    struct gw_error error;
    assert_int_equal(run(server,
                         "{\"call\": \"tiles\", \"rate\": 60, \"users\": 1, \"cache\": "
                         "\"revalidate\", \"zooms\": [10, 11]}",
                         false, &result, &error),
                     GW_OK);
    const struct load_work_result *work = &result->steps[0].works[0];
    uint32_t known = atomic_load(&server->not_modified);
    assert_true(known > 0);
    assert_int_equal(atomic_load(&server->odd), 0);
    assert_int_equal(work->done, work->intended);
    assert_int_equal(work->items, (work->done - known) * TILE_BYTES);
    finish(server, result);
}

static void test_refused_tiles(void **state) {
    (void)state;
    struct server *server = server_start(true);
    struct load_result *result;
    struct gw_error error;
    assert_int_equal(run(server, "{\"call\": \"tiles\", \"rate\": 20}", false, &result, &error),
                     GW_OK);
    const struct load_work_result *work = &result->steps[0].works[0];
    assert_int_equal(work->done, 0);
    assert_int_equal(work->failed, work->intended);
    assert_non_null(strstr(work->first_failure, "HTTP 503"));
    finish(server, result);
}

static void test_unknown_layer(void **state) {
    (void)state;
    struct server *server = server_start(false);
    struct load_result *result;
    struct gw_error error;
    assert_int_equal(run(server, "{\"call\": \"tiles\", \"rate\": 20, \"layers\": [\"moons\"]}",
                         false, &result, &error),
                     GW_ENOTFOUND);
    assert_non_null(strstr(error.text, "/tiles/moons.json: HTTP 404"));
    assert_int_equal(result->step_count, 0);
    finish(server, result);
}

static void test_live(void **state) {
    (void)state;
    struct server *server = server_start(false);
    struct load_result *result;
    struct gw_error error;
    assert_int_equal(
        run(server, "{\"call\": \"live\", \"connections\": 4}", false, &result, &error), GW_OK);
    const struct load_work_result *work = &result->steps[0].works[0];
    assert_int_equal(atomic_load(&server->streams), 4);
    assert_true(work->done > 8);
    assert_int_equal(work->failed, 0);
    assert_true(work->items > work->done * 20);
    // Snapshots carry no time; incidents do, and were AGE_MS old when they were written.
    assert_true(work->latency.count >= work->done - 4 && work->latency.count > 4);
    assert_true(work->latency.min_ns > (AGE_MS - 5) * INT64_C(1000000));
    finish(server, result);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_open_loop),     cmocka_unit_test(test_closed_loop),
        cmocka_unit_test(test_revalidation),  cmocka_unit_test(test_refused_tiles),
        cmocka_unit_test(test_unknown_layer), cmocka_unit_test(test_live),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
