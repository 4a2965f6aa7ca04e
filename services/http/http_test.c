#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "services/http/address.h"
#include "services/http/http.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

struct fixture {
    struct gw_metrics *metrics;
    struct gw_http_server *server;
    atomic_bool ready;
};

static gw_err is_ready(void *context, struct gw_error *error) {
    struct fixture *fixture = context;
    if (atomic_load(&fixture->ready)) {
        return GW_OK;
    }
    return gw_error_set(error, GW_EUNAVAILABLE, "no edition of \"grids\" \\ is\tpublished 网格");
}

static int setup(void **state) {
    struct fixture *fixture = calloc(1, sizeof *fixture);
    fixture->metrics = gw_metrics_create();
    struct gw_http_options options = {.listen = "127.0.0.1:0",
                                      .metrics = fixture->metrics,
                                      .ready = is_ready,
                                      .context = fixture};
    struct gw_error error = {0};
    if (gw_http_start(&options, &fixture->server, &error) != GW_OK) {
        print_error("%s\n", error.text);
        return -1;
    }
    *state = fixture;
    return 0;
}

static int teardown(void **state) {
    struct fixture *fixture = *state;
    gw_http_stop(fixture->server);
    gw_metrics_destroy(fixture->metrics);
    free(fixture);
    return 0;
}

// --- a client on a raw socket ---

static int connect_to(int port) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    struct timeval limit = {.tv_sec = 30}; // a test that would hang fails instead
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

static void send_text(int fd, const char *text) {
    size_t size = strlen(text);
    while (size > 0) {
        ssize_t sent = send(fd, text, size, MSG_NOSIGNAL);
        if (sent <= 0) {
            return; // the server may close before it has all of it
        }
        text += sent;
        size -= (size_t)sent;
    }
}

// All that comes until the server closes.
static void receive_all(int fd, char *text, size_t capacity) {
    size_t size = 0;
    while (size + 1 < capacity) {
        ssize_t got = recv(fd, text + size, capacity - 1 - size, 0);
        if (got <= 0) {
            break;
        }
        size += (size_t)got;
    }
    text[size] = '\0';
}

static const char *ask(const struct fixture *fixture, const char *request) {
    static char answer[65536];
    int fd = connect_to(gw_http_port(fixture->server));
    send_text(fd, request);
    receive_all(fd, answer, sizeof answer);
    close(fd);
    return answer;
}

static const char *ask_for(const struct fixture *fixture, const char *method, const char *path) {
    char request[512];
    snprintf(request, sizeof request,
             "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", method, path);
    return ask(fixture, request);
}

static int status_of(const char *answer) {
    static const char front[] = "HTTP/1.1 ";
    size_t size = sizeof front - 1;
    return strncmp(answer, front, size) == 0 ? (int)strtol(answer + size, NULL, 10) : 0;
}

static const char *body_of(const char *answer) {
    const char *end = strstr(answer, "\r\n\r\n");
    return end == NULL ? "(no body)" : end + 4;
}

static void has_header(const char *answer, const char *line) {
    const char *found = strcasestr(answer, line);
    if (found == NULL || found >= body_of(answer)) {
        fail_msg("no header %s in\n%s", line, answer);
    }
}

// --- tests ---

static void health(void **state) {
    const char *answer = ask_for(*state, "GET", "/healthz");
    assert_int_equal(status_of(answer), 200);
    has_header(answer, "\r\nContent-Type: application/json; charset=utf-8\r\n");
    has_header(answer, "\r\nCache-Control: no-store\r\n");
    assert_string_equal(body_of(answer), "{\"status\":\"alive\"}\n");
}

static void readiness_and_why_not(void **state) {
    struct fixture *fixture = *state;
    const char *answer = ask_for(fixture, "GET", "/readyz");
    assert_int_equal(status_of(answer), 503);
    assert_string_equal(body_of(answer),
                        "{\"error\":{\"code\":503,\"message\":"
                        "\"no edition of \\\"grids\\\" \\\\ is\\u0009published 网格\"}}\n");
    atomic_store(&fixture->ready, true);
    answer = ask_for(fixture, "GET", "/readyz");
    assert_int_equal(status_of(answer), 200);
    assert_string_equal(body_of(answer), "{\"status\":\"ready\"}\n");
}

static void metrics_with_its_own(void **state) {
    struct fixture *fixture = *state;
    gw_counter_add(gw_metrics_counter(fixture->metrics, "incidents_total", "", "h"), 7);
    assert_int_equal(status_of(ask_for(fixture, "GET", "/healthz")), 200);
    assert_int_equal(status_of(ask_for(fixture, "GET", "/nothing")), 404);
    const char *answer = ask_for(fixture, "GET", "/metrics?from=prometheus");
    assert_int_equal(status_of(answer), 200);
    has_header(answer, "\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n");
    assert_non_null(strstr(body_of(answer), "\nincidents_total 7\n"));
    assert_non_null(strstr(body_of(answer), "\ngridwarden_http_refused_total 1\n"));
    assert_non_null(
        strstr(body_of(answer), "\ngridwarden_http_request_seconds_count{path=\"/healthz\"} 1\n"));
}

static void head_has_no_body(void **state) {
    char length[64];
    const char *answer = ask_for(*state, "GET", "/healthz");
    snprintf(length, sizeof length, "\r\nContent-Length: %zu\r\n", strlen(body_of(answer)));
    has_header(answer, length);
    answer = ask_for(*state, "HEAD", "/healthz");
    assert_int_equal(status_of(answer), 200);
    has_header(answer, length);
    assert_string_equal(body_of(answer), "");
}

static void unknown_paths(void **state) {
    const char *paths[] = {"/",         "/metrics/", "/healthz/x", "/METRICS",
                           "//metrics", "/..",       "/a%00b"};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        const char *answer = ask_for(*state, "GET", paths[i]);
        assert_int_equal(status_of(answer), 404);
        has_header(answer, "\r\nContent-Type: application/json; charset=utf-8\r\n");
        assert_memory_equal(body_of(answer), "{\"error\":{\"code\":404,\"message\":\"", 32);
    }
}

static void other_methods(void **state) {
    const char *methods[] = {"POST", "PUT", "DELETE", "OPTIONS", "PATCH", "get", "BREW"};
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        const char *answer = ask_for(*state, methods[i], "/metrics");
        assert_int_equal(status_of(answer), 405);
        has_header(answer, "\r\nAllow: GET, HEAD\r\n");
        assert_memory_equal(body_of(answer), "{\"error\":{\"code\":405,", 21);
    }
    const char *answer = ask(*state, "POST /metrics HTTP/1.1\r\nHost: localhost\r\n"
                                     "Content-Length: 100000000\r\n\r\nnot all of it");
    assert_int_equal(status_of(answer), 405); // without waiting for the body
    answer = ask(*state, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
                         "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
    assert_int_equal(status_of(answer), 200);
}

static void a_connection_can_ask_again(void **state) {
    struct fixture *fixture = *state;
    const char *answer = ask(fixture, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
                                      "GET /nothing HTTP/1.1\r\nHost: localhost\r\n"
                                      "Connection: close\r\n\r\n");
    assert_int_equal(status_of(answer), 200);
    const char *second = strstr(body_of(answer), "HTTP/1.1 404 ");
    assert_non_null(second);
}

static void bad_requests_leave_it_serving(void **state) {
    struct fixture *fixture = *state;
    static char long_header[GW_HTTP_CONNECTION_BYTES_MAX + 200];
    int size = snprintf(long_header, sizeof long_header, "GET /healthz HTTP/1.1\r\nHost: h\r\nX: ");
    memset(long_header + size, 'x', GW_HTTP_CONNECTION_BYTES_MAX);
    memcpy(long_header + size + GW_HTTP_CONNECTION_BYTES_MAX, "\r\n\r\n", 5);
    const char *requests[] = {
        "GET\r\n\r\n",
        "GET /healthz HTTP/9.9\r\n\r\n",
        "GET /healthz HTTP/1.1\r\n\r\n",    // no host
        "\x16\x03\x01\x02\x05\x01\r\n\r\n", // TLS
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        long_header,
    };
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        int fd = connect_to(gw_http_port(fixture->server));
        char answer[4096];
        send_text(fd, requests[i]);
        shutdown(fd, SHUT_WR);
        receive_all(fd, answer, sizeof answer);
        close(fd);
        int status = status_of(answer);
        assert_true(status == 0 || status >= 400);
        assert_int_equal(status_of(ask_for(fixture, "GET", "/healthz")), 200);
    }
}

static void connections_are_bounded(void **state) {
    struct fixture *fixture = *state;
    int port = gw_http_port(fixture->server);
    int held[GW_HTTP_CONNECTIONS_MAX];
    char first[256];
    for (unsigned i = 0; i < GW_HTTP_CONNECTIONS_MAX; i++) { // each answered, so each accepted
        held[i] = connect_to(port);
        send_text(held[i], "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
        assert_true(recv(held[i], first, sizeof first, 0) > 0);
    }
    int late = connect_to(port); // waits, or is turned away, but gets nothing
    send_text(late, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
    struct timeval soon = {.tv_usec = 100000};
    setsockopt(late, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof soon);
    assert_true(recv(late, first, sizeof first, 0) <= 0);
    close(late);
    for (unsigned i = 0; i < GW_HTTP_CONNECTIONS_MAX; i++) {
        close(held[i]);
    }
    assert_int_equal(status_of(ask_for(fixture, "GET", "/healthz")), 200);
}

static void other_addresses_are_refused(void **state) {
    (void)state;
    static const struct {
        const char *text, *words;
    } rows[] = {
        {"0.0.0.0:7680", "loopback"},     {"[::]:7680", "loopback"},
        {"example.org:7680", "loopback"}, {"127.0.0.1", "no address"},
        {"127.0.0.1:65536", "65535"},     {"", "no address"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int fd = -1, port = -1;
        struct gw_error error = {0};
        assert_int_equal(http_address_listen(rows[i].text, &fd, &port, &error), GW_EINVAL);
        assert_non_null(strstr(error.text, rows[i].words));
        assert_int_equal(fd, -1);
    }
}

static void a_taken_address_is_named(void **state) {
    struct fixture *fixture = *state;
    char listen[64];
    snprintf(listen, sizeof listen, "127.0.0.1:%d", gw_http_port(fixture->server));
    struct gw_http_server *second = NULL;
    struct gw_error error = {0};
    struct gw_http_options options = {.listen = listen, .metrics = fixture->metrics};
    assert_int_equal(gw_http_start(&options, &second, &error), GW_EUNAVAILABLE);
    assert_non_null(strstr(error.text, listen));
    assert_non_null(strstr(error.text, "--http-listen"));
    options.listen = "0.0.0.0:0";
    assert_int_equal(gw_http_start(&options, &second, &error), GW_EINVAL);
    gw_http_stop(NULL);
}

static void it_starts_again_at_once(void **state) {
    struct fixture *fixture = *state;
    int port = gw_http_port(fixture->server);
    assert_int_equal(status_of(ask_for(fixture, "GET", "/healthz")), 200);
    gw_http_stop(fixture->server);
    fixture->server = NULL;
    char listen[64];
    snprintf(listen, sizeof listen, "localhost:%d", port);
    struct gw_error error = {0};
    struct gw_http_options options = {.listen = listen, .metrics = fixture->metrics};
    if (gw_http_start(&options, &fixture->server, &error) != GW_OK) {
        fail_msg("%s", error.text);
    }
    assert_int_equal(status_of(ask_for(fixture, "GET", "/readyz")), 200); // nobody to ask: ready
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(health, setup, teardown),
        cmocka_unit_test_setup_teardown(readiness_and_why_not, setup, teardown),
        cmocka_unit_test_setup_teardown(metrics_with_its_own, setup, teardown),
        cmocka_unit_test_setup_teardown(head_has_no_body, setup, teardown),
        cmocka_unit_test_setup_teardown(unknown_paths, setup, teardown),
        cmocka_unit_test_setup_teardown(other_methods, setup, teardown),
        cmocka_unit_test_setup_teardown(a_connection_can_ask_again, setup, teardown),
        cmocka_unit_test_setup_teardown(bad_requests_leave_it_serving, setup, teardown),
        cmocka_unit_test_setup_teardown(connections_are_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(a_taken_address_is_named, setup, teardown),
        cmocka_unit_test_setup_teardown(it_starts_again_at_once, setup, teardown),
        cmocka_unit_test(other_addresses_are_refused),
    };
    return cmocka_run_group_tests_name("http", tests, NULL, NULL);
}
