// The server itself: methods, paths, who may ask, connections, limits, waiting, start and stop.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "services/http/address.h"
#include "services/http/testing_node.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static void expect(const struct node *node, const char *method, const char *path,
                   const char *headers, int status) {
    struct client_answer answer = client_ask(node->port, method, path, headers, "");
    if (answer.status != status) {
        fail_msg("%s %s with %s: %d, not %d: %s", method, path, headers, answer.status, status,
                 answer.body);
    }
    client_free(&answer);
}

// --- for machines ---

struct readiness {
    bool ready;
};

static gw_err is_ready(void *context, struct gw_error *error) {
    const struct readiness *readiness = context;
    return readiness->ready ? GW_OK
                            : gw_error_set(error, GW_EUNAVAILABLE, "no \"grids\" \\ is\t 网格");
}

static void health_readiness_and_metrics(void **state) {
    (void)state;
    struct gw_metrics *metrics = gw_metrics_create();
    struct readiness readiness = {false};
    struct gw_http_options options = {
        .listen = "127.0.0.1:0", .metrics = metrics, .ready = is_ready, .context = &readiness};
    struct gw_http_server *server = NULL;
    assert_int_equal(gw_http_start(&options, &server, NULL), GW_OK);
    int port = gw_http_port(server);
    struct client_answer answer = client_ask(port, "GET", "/healthz", "Host: any.example\r\n", "");
    assert_int_equal(answer.status, 200);
    client_expect_header(&answer, "Content-Type", "application/json; charset=utf-8");
    client_expect_header(&answer, "Cache-Control", "no-store");
    assert_string_equal(answer.body, "{\"status\":\"alive\"}\n");
    client_free(&answer);
    answer = client_ask(port, "GET", "/readyz", "", "");
    assert_int_equal(answer.status, 503);
    client_expect_header(&answer, "Retry-After", "1");
    assert_string_equal(answer.body, "{\"error\":{\"code\":503,\"message\":"
                                     "\"no \\\"grids\\\" \\\\ is\\u0009 网格\"}}\n");
    client_free(&answer);
    readiness.ready = true;
    answer = client_ask(port, "GET", "/readyz", "", "");
    assert_int_equal(answer.status, 200);
    client_free(&answer);
    gw_counter_add(gw_metrics_counter(metrics, "incidents_total", "", "h"), 7);
    answer = client_ask(port, "GET", "/metrics?from=prometheus", "", "");
    client_expect_header(&answer, "Content-Type", "text/plain; version=0.0.4; charset=utf-8");
    assert_non_null(strstr(answer.body, "\nincidents_total 7\n"));
    assert_non_null(strstr(answer.body, "gridwarden_http_request_seconds_count{path=\"/healthz\","
                                        "method=\"GET\"} 1\n"));
    assert_non_null(strstr(answer.body, "{reason=\"unavailable\"} 1\n"));
    // Ours alone, as soon as the ends of those before it have been seen.
    for (int i = 0; i < 1000 && strstr(answer.body, "\ngridwarden_http_connections 1\n") == NULL;
         i++) {
        client_free(&answer);
        answer = client_ask(port, "GET", "/metrics", "", "");
    }
    assert_non_null(strstr(answer.body, "\ngridwarden_http_connections 1\n"));
    client_free(&answer);
    // Nothing else was given: its paths say so, and none of them fails.
    static const char *const paths[] = {"/v1/city",
                                        "/v1/locate?lon=1&lat=1",
                                        "/v1/grids/1",
                                        "/v1/grids/1/people",
                                        "/v1/areas/1",
                                        "/v1/search?q=a",
                                        "/v1/nearest?lon=1&lat=1",
                                        "/v1/workers/1",
                                        "/v1/incidents",
                                        "/v1/incidents/1",
                                        "/v1/live",
                                        "/tiles.json",
                                        "/tiles/grids.json",
                                        "/tiles/grids/0/0/0.mvt"};
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        answer = client_ask(port, "GET", paths[i], "", "");
        if (answer.status != 503) {
            fail_msg("%s: %d", paths[i], answer.status);
        }
        client_free(&answer);
    }
    answer = client_ask(port, "GET", "/", "", "");
    assert_int_equal(answer.status, 404);
    assert_non_null(strstr(answer.body, "./dev build"));
    client_free(&answer);
    gw_http_stop(server);
    gw_metrics_destroy(metrics);
}

// --- methods and paths ---

static void methods(void **state) {
    const struct node *node = *state;
    static const struct {
        const char *method, *path;
        int status;
        const char *allow;
    } rows[] = {
        {"POST", "/metrics", 405, "GET, HEAD, OPTIONS"},
        {"get", "/metrics", 405, "GET, HEAD, OPTIONS"},
        {"BREW", "/v1/city", 405, "GET, HEAD, OPTIONS"},
        {"PUT", "/v1/incidents", 405, "GET, HEAD, POST, OPTIONS"},
        {"GET", "/v1/incidents/a/accept", 405, "POST, OPTIONS"},
        {"DELETE", "/index.html", 405, "GET, HEAD, OPTIONS"},
        {"OPTIONS", "/v1/incidents", 204, "GET, HEAD, POST, OPTIONS"},
        {"OPTIONS", "/v1/city", 204, "GET, HEAD, OPTIONS"},
        {"OPTIONS", "/nothing", 204, "GET, HEAD, OPTIONS"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct client_answer answer = client_ask(node->port, rows[i].method, rows[i].path, "", "");
        if (answer.status != rows[i].status) {
            fail_msg("row %zu: %d %s", i, answer.status, answer.body);
        }
        client_expect_header(&answer, "Allow", rows[i].allow);
        client_free(&answer);
    }
    struct client_answer get = client_ask(node->port, "GET", "/healthz", "", "");
    struct client_answer head = client_ask(node->port, "HEAD", "/healthz", "", "");
    assert_int_equal(head.status, 200);
    client_expect_header(&head, "Content-Length", client_header(&get, "Content-Length"));
    client_free(&get);
    client_free(&head);
    get = client_ask(node->port, "GET", "/healthz", "", "a body");
    assert_int_equal(get.status, 400);
    client_free(&get);
    expect(node, "GET", "/healthz", "Transfer-Encoding: chunked\r\n", 400);
    expect(node, "GET", "/healthz", "Content-Length: 0\r\n", 200);
}

static void paths_that_are_none(void **state) {
    const struct node *node = *state;
    static const struct {
        const char *path;
        int status;
    } rows[] = {
        {"/nothing", 404},  {"/metrics/", 404},
        {"/METRICS", 404},  {"//metrics", 404},
        {"/..", 404},       {"/../etc/passwd", 404},
        {"/a%00b", 400},    {"/%2e%2e/%2e%2e/x", 404},
        {"/passwd", 404}, // a link
        {"/.secret", 404},  {"/assets", 404},
        {"/assets/", 404},  {"/glyphs%2F..%2Findex.html", 404},
        {"/v1", 404},       {"/v1/grids/%ff", 400},
        {"/healthz%", 400}, {"/v1/city?a=1", 400},
        {"/?utm=1", 200}, // files pass parameters over
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        expect(node, "GET", rows[i].path, "", rows[i].status);
    }
    static char path[4096];
    memset(path, 'a', sizeof(path) - 1);
    path[0] = '/';
    path[2048] = '\0';
    expect(node, "GET", path, "", 404);
    path[2048] = 'a';
    path[2049] = '\0';
    expect(node, "GET", path, "", 414);
}

// --- who may ask ---

static void other_websites_and_names(void **state) {
    const struct node *node = *state;
    static const struct {
        const char *path, *headers;
        int status;
    } rows[] = {
        {"/v1/incidents", "", 200},
        {"/v1/incidents", "Host: 127.0.0.1:7680\r\nSec-Fetch-Site: same-origin\r\n", 200},
        {"/v1/incidents", "Host: [::1]:7680\r\nOrigin: http://[::1]:7680\r\n", 200},
        {"/v1/incidents", "Sec-Fetch-Site: none\r\n", 200},
        {"/v1/incidents", "Host: map.example.org\r\n", 200}, // of the configuration
        {"/v1/incidents", "Host: evil.example\r\n", 421},
        {"/v1/incidents", "Host: localhost.evil.example\r\n", 421},
        {"/v1/incidents", "Host: a b\r\n", 421},
        {"/v1/incidents", "Origin: http://evil.example\r\n", 403},
        {"/v1/incidents", "Origin: null\r\n", 403},
        {"/v1/incidents", "Origin: http://localhost:9\r\n", 403},
        {"/v1/incidents", "Sec-Fetch-Site: cross-site\r\n", 403},
        {"/v1/incidents", "Sec-Fetch-Site: same-site\r\n", 403},
        {"/v1/workers/w1", "Origin: http://evil.example\r\n", 403},
        {"/v1/grids/" BENCH_A1 "/people", "Origin: http://evil.example\r\n", 403},
        {"/v1/search?q=w1", "Origin: http://evil.example\r\n", 403},
        {"/v1/nearest?lon=1&lat=1", "Origin: http://evil.example\r\n", 403},
        {"/v1/live", "Origin: http://evil.example\r\n", 403},
        {"/v1/live", "Host: evil.example\r\n", 421},
        {"/tiles/incidents/0/0/0.mvt", "Origin: http://evil.example\r\n", 403},
        {"/tiles/workers/0/0/0.mvt", "Host: evil.example\r\n", 421},
        {"/tiles/grids/0/0/0.mvt", "Origin: http://evil.example\r\n", 200},
        {"/v1/city", "Host: evil.example\r\nOrigin: http://evil.example\r\n", 200},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct client_answer answer =
            client_ask(node->port, "GET", rows[i].path, rows[i].headers, "");
        if (answer.status != rows[i].status) {
            fail_msg("row %zu: %s with %s: %d", i, rows[i].path, rows[i].headers, answer.status);
        }
        bool open =
            strncmp(rows[i].path, "/tiles/grids", 12) == 0 || strcmp(rows[i].path, "/v1/city") == 0;
        client_expect_header(&answer, "Access-Control-Allow-Origin", open ? "*" : NULL);
        client_free(&answer);
    }
    static const char *const strangers[] = {
        "Content-Type: application/json\r\nOrigin: http://evil.example\r\n",
        "Content-Type: application/json\r\nSec-Fetch-Site: cross-site\r\n",
        "Host: evil.example\r\nContent-Type: application/json\r\nOrigin: http://evil.example\r\n",
    };
    for (size_t i = 0; i < 3; i++) {
        struct client_answer answer =
            client_ask(node->port, "POST", "/v1/incidents", strangers[i], "{}");
        assert_int_equal(answer.status, i == 2 ? 421 : 403);
        client_free(&answer);
    }
    struct client_answer answer =
        client_ask(node->port, "OPTIONS", "/v1/locate",
                   "Origin: http://a.example\r\nAccess-Control-Request-Method: GET\r\n", "");
    client_expect_header(&answer, "Access-Control-Allow-Origin", "*");
    client_expect_header(&answer, "Access-Control-Allow-Methods", "GET, HEAD, OPTIONS");
    client_free(&answer);
    answer = client_ask(node->port, "OPTIONS", "/v1/incidents", "Origin: http://a.example\r\n", "");
    client_expect_header(&answer, "Access-Control-Allow-Origin", NULL);
    client_free(&answer);
}

static void tiles_that_come_later(void **state) {
    const struct node *node = *state;
    enum { COUNT = 40 };
    int fds[COUNT];
    for (int i = 0; i < COUNT; i++) {
        fds[i] = client_connect(node->port);
        client_send_text(fds[i], i % 4 == 3
                                     ? "GET /tiles/grids/5/0/0.mvt HTTP/1.1\r\nHost: h\r\n\r\n"
                                     : "GET /tiles/grids/1/0/0.mvt HTTP/1.1\r\nHost: h\r\n\r\n");
    }
    double_tiles_await(node->tiles, COUNT);
    client_drop(fds[0]); // gone while it waits
    struct client_answer other = client_ask(node->port, "GET", "/healthz", "", "");
    assert_int_equal(other.status, 200); // nobody is held up
    client_free(&other);
    double_tiles_answer(node->tiles);
    for (int i = 1; i < COUNT; i++) {
        struct client_answer answer = client_read(fds[i], false);
        assert_int_equal(answer.status, i % 4 == 3 ? 500 : 200);
        if (answer.status == 200) {
            assert_string_equal(answer.body, DOUBLE_MVT);
        }
        client_free(&answer);
        client_send_text(fds[i], "GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n"); // and again
        answer = client_read(fds[i], false);
        assert_int_equal(answer.status, 200);
        client_free(&answer);
        (void)close(fds[i]);
    }
}

// --- connections ---

static void pipelined_requests(void **state) {
    const struct node *node = *state;
    int fd = client_connect(node->port);
    client_send_text(fd, "GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n"
                         "GET /tiles/grids/2/0/0.mvt HTTP/1.1\r\nHost: h\r\n"
                         "If-None-Match: *\r\n\r\n"
                         "GET /nothing HTTP/1.1\r\nHost: h\r\n\r\n"
                         "HEAD /healthz HTTP/1.1\r\nHost: h\r\n\r\n"
                         "GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n");
    const int statuses[] = {200, 304, 404, 200, 200};
    for (int i = 0; i < 5; i++) {
        struct client_answer answer = client_read(fd, i == 3);
        assert_int_equal(answer.status, statuses[i]);
        client_free(&answer);
    }
    (void)close(fd);
}

static void a_body_in_pieces(void **state) {
    const struct node *node = *state;
    int fd = client_connect(node->port);
    client_send_text(fd, "POST /v1/incidents HTTP/1.1\r\nHost: localhost\r\n"
                         "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n");
    client_send_text(fd, "1\r\n{\r\n");
    client_send_text(fd, "1\r\n}\r\n0\r\n\r\n");
    struct client_answer answer = client_read(fd, false);
    assert_int_equal(answer.status, 400);
    assert_non_null(strstr(answer.body, "request_id"));
    client_free(&answer);
    static char chunk[20100]; // more than a body may have, without saying so before
    int size = snprintf(chunk, sizeof(chunk),
                        "POST /v1/incidents HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
                        "application/json\r\nTransfer-Encoding: chunked\r\n\r\n4650\r\n");
    memset(chunk + size, ' ', 0x4650);
    memcpy(chunk + size + 0x4650, "\r\n0\r\n\r\n", 8);
    client_send_text(fd, chunk);
    answer = client_read(fd, false);
    assert_int_equal(answer.status, 413);
    client_free(&answer);
    (void)close(fd);
    fd = client_connect(node->port); // refused without waiting for the body
    client_send_text(fd, "POST /v1/incidents HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
                         "application/json\r\nContent-Length: 100000000\r\n\r\nnot all");
    answer = client_read(fd, false);
    assert_int_equal(answer.status, 413);
    client_free(&answer);
    (void)close(fd);
}

static void bad_requests_leave_it_serving(void **state) {
    const struct node *node = *state;
    static char long_header[GW_HTTP_CONNECTION_BYTES_MAX + 200];
    int size =
        snprintf(long_header, sizeof(long_header), "GET /healthz HTTP/1.1\r\nHost: h\r\nX: ");
    memset(long_header + size, 'x', GW_HTTP_CONNECTION_BYTES_MAX);
    memcpy(long_header + size + GW_HTTP_CONNECTION_BYTES_MAX, "\r\n\r\n", 5);
    const char *requests[] = {
        "GET\r\n\r\n",
        "GET /healthz HTTP/9.9\r\n\r\n",
        "GET /healthz HTTP/1.1\r\n\r\n", // no host
        "GET http://h/healthz HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET * HTTP/1.1\r\nHost: h\r\n\r\n",
        "\x16\x03\x01\x02\x05\x01\r\n\r\n", // TLS
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        long_header,
    };
    for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
        int fd = client_connect(node->port);
        client_send_text(fd, requests[i]);
        (void)shutdown(fd, SHUT_WR);
        struct client_answer answer = client_read(fd, false);
        assert_true(answer.status == 0 || answer.status >= 400);
        client_free(&answer);
        (void)close(fd);
        expect(node, "GET", "/healthz", "", 200);
    }
}

static void connections_are_bounded(void **state) {
    (void)state;
    struct gw_metrics *metrics = gw_metrics_create();
    struct gw_http_config config = {.connections_max = 16, .threads = 1};
    struct gw_http_options options = {
        .listen = "127.0.0.1:0", .metrics = metrics, .config = &config};
    struct gw_http_server *server = NULL;
    assert_int_equal(gw_http_start(&options, &server, NULL), GW_OK);
    int held[16];
    for (int i = 0; i < 16; i++) { // each answered, so each accepted
        held[i] = client_connect(gw_http_port(server));
        client_send_text(held[i], "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
        struct client_answer answer = client_read(held[i], false);
        assert_int_equal(answer.status, 200);
        client_free(&answer);
    }
    int late = client_connect(gw_http_port(server)); // waits, or is turned away, but gets nothing
    client_send_text(late, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
    struct timeval soon = {.tv_usec = 100000};
    char byte;
    (void)setsockopt(late, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof(soon));
    assert_true(recv(late, &byte, 1, 0) <= 0);
    (void)close(late);
    for (int i = 0; i < 16; i++) {
        (void)close(held[i]);
    }
    struct client_answer answer = client_ask(gw_http_port(server), "GET", "/healthz", "", "");
    assert_int_equal(answer.status, 200);
    client_free(&answer);
    gw_http_stop(server);
    gw_metrics_destroy(metrics);
}

static void slow_requests_end(void **state) {
    (void)state;
    struct gw_metrics *metrics = gw_metrics_create();
    struct gw_http_options options = {
        .listen = "127.0.0.1:0", .metrics = metrics, .idle_seconds = 20, .request_seconds = 1};
    struct gw_http_server *server = NULL;
    assert_int_equal(gw_http_start(&options, &server, NULL), GW_OK);
    int fd = client_connect(gw_http_port(server));
    client_send_text(fd, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n");
    struct timeval moment = {.tv_usec = 50000};
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &moment, sizeof(moment));
    char byte;
    bool ended = false;
    for (int i = 0; i < 400 && !ended; i++) { // a byte now and then keeps it from being idle
        client_send_text(fd, "X");
        ended = recv(fd, &byte, 1, 0) == 0 || send(fd, "X", 1, MSG_NOSIGNAL) < 0;
    }
    assert_true(ended);
    (void)close(fd);
    struct client_answer answer = client_ask(gw_http_port(server), "GET", "/metrics", "", "");
    assert_non_null(strstr(answer.body, "\ngridwarden_http_late_connections 1\n"));
    client_free(&answer);
    gw_http_stop(server);
    gw_metrics_destroy(metrics);
}

// --- start and stop ---

static void addresses(void **state) {
    const struct node *node = *state;
    static const struct {
        const char *text, *words;
    } rows[] = {
        {"0.0.0.0:7680", "loopback"},     {"[::]:7680", "loopback"},
        {"example.org:7680", "loopback"}, {"127.0.0.1", "no address"},
        {"127.0.0.1:65536", "65535"},     {"", "no address"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int fd = -1, port = -1;
        struct gw_error error = {0};
        assert_int_equal(http_address_listen(rows[i].text, &fd, &port, &error), GW_EINVAL);
        assert_non_null(strstr(error.text, rows[i].words));
        assert_int_equal(fd, -1);
    }
    char listen[64];
    (void)snprintf(listen, sizeof(listen), "127.0.0.1:%d", node->port);
    struct gw_http_server *second = NULL;
    struct gw_error error = {0};
    struct gw_http_options options = {.listen = listen, .metrics = node->metrics};
    assert_int_equal(gw_http_start(&options, &second, &error), GW_EUNAVAILABLE);
    assert_non_null(strstr(error.text, listen));
    assert_non_null(strstr(error.text, "--http-listen"));
    options.listen = "0.0.0.0:0";
    assert_int_equal(gw_http_start(&options, &second, &error), GW_EINVAL);
    gw_http_stop(NULL);
}

static void *answer_tiles(void *context) {
    struct node *node = context;
    double_live_await(node->live, 0); // the stop has ended the feeds: now it waits for tiles
    double_tiles_answer(node->tiles);
    return NULL;
}

static void it_stops_while_requests_wait(void **state) {
    (void)state;
    struct node *node = malloc(sizeof(*node));
    node_open(node, NULL);
    enum { COUNT = 20 };
    int fds[2 * COUNT];
    for (int i = 0; i < 2 * COUNT; i++) {
        fds[i] = client_connect(node->port);
        client_send_text(fds[i], i < COUNT
                                     ? "GET /tiles/grids/1/0/0.mvt HTTP/1.1\r\nHost: h\r\n\r\n"
                                     : "GET /v1/live HTTP/1.1\r\nHost: localhost\r\n\r\n");
    }
    double_tiles_await(node->tiles, COUNT);
    double_live_await(node->live, COUNT);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, answer_tiles, node), 0);
    gw_http_stop(node->server);
    (void)pthread_join(thread, NULL);
    int port = node->port;
    char listen[64];
    (void)snprintf(listen, sizeof(listen), "localhost:%d", port);
    struct gw_http_options options = {.listen = listen, .metrics = node->metrics};
    assert_int_equal(gw_http_start(&options, &node->server, NULL), GW_OK); // again at once
    struct client_answer answer = client_ask(port, "GET", "/readyz", "", "");
    assert_int_equal(answer.status, 200); // nobody to ask: ready
    client_free(&answer);
    for (int i = 0; i < 2 * COUNT; i++) {
        (void)close(fds[i]);
    }
    node_close(node);
    free(node);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(health_readiness_and_metrics),
        cmocka_unit_test(methods),
        cmocka_unit_test(paths_that_are_none),
        cmocka_unit_test(other_websites_and_names),
        cmocka_unit_test(tiles_that_come_later),
        cmocka_unit_test(pipelined_requests),
        cmocka_unit_test(a_body_in_pieces),
        cmocka_unit_test(bad_requests_leave_it_serving),
        cmocka_unit_test(connections_are_bounded),
        cmocka_unit_test(slow_requests_end),
        cmocka_unit_test(addresses),
        cmocka_unit_test(it_stops_while_requests_wait),
    };
    return cmocka_run_group_tests_name("http", tests, node_setup_with_map, node_teardown);
}
