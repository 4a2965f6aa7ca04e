// The live feed over HTTP: many readers, wakes at any moment, readers that go or fall behind.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "services/http/testing_node.h"
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define FEEDS 2000

static int open_feed(const struct node *node, const char *path, const char *headers) {
    char request[512];
    int fd = client_connect(node->port);
    (void)snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: localhost\r\n%s\r\n", path,
                   headers);
    client_send_text(fd, request);
    return fd;
}

static void what_is_said_is_read(void **state) {
    struct node *node = *state;
    static char text[8192];
    text[0] = '\0';
    int fd = open_feed(node, "/v1/live", "");
    assert_true(client_read_until(fd, "\r\n\r\n", text, sizeof(text)));
    assert_non_null(strstr(text, "\r\nContent-Type: text/event-stream\r\n"));
    assert_non_null(strstr(text, "\r\nCache-Control: no-store\r\n"));
    assert_non_null(strstr(text, "Transfer-Encoding: chunked"));
    double_live_say(node->live, "event: ready\n\n");
    assert_true(client_read_until(fd, "event: ready\n\n", text, sizeof(text)));
    double_live_say(node->live, ": heartbeat\n\n");
    assert_true(client_read_until(fd, ": heartbeat\n\n", text, sizeof(text)));
    client_drop(fd);
    double_live_say(node->live, "x"); // the write fails: that is how it is noticed
    double_live_await(node->live, 0);
}

static void where_it_resumes(void **state) {
    struct node *node = *state;
    static const struct {
        const char *path, *headers, *opened;
    } rows[] = {
        {"/v1/live", "", "id= workers=1"},
        {"/v1/live?workers=0", "", "id= workers=0"},
        {"/v1/live?workers=1&last_event_id=b-7", "", "id=b-7 workers=1"},
        {"/v1/live?last_event_id=b-7", "Last-Event-ID: c-8\r\n", "id=c-8 workers=1"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        static char text[8192];
        char opened[128];
        text[0] = '\0';
        int fd = open_feed(node, rows[i].path, rows[i].headers);
        assert_true(client_read_until(fd, "\r\n\r\n", text, sizeof(text)));
        double_live_opened(node->live, opened);
        assert_string_equal(opened, rows[i].opened);
        client_drop(fd);
    }
    static const struct {
        const char *method, *path;
        int status;
    } refused[] = {
        {"GET", "/v1/live?workers=2", 400},
        {"GET", "/v1/live?area=1", 400},
        {"POST", "/v1/live", 405},
        {"HEAD", "/v1/live", 200}, // and no reader is opened
    };
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        struct client_answer answer =
            client_ask(node->port, refused[i].method, refused[i].path, "", "");
        assert_int_equal(answer.status, refused[i].status);
        client_free(&answer);
    }
    double_live_say(node->live, ":\n");
    double_live_await(node->live, 0);
}

struct talker {
    struct gw_live *live;
    int count;
};

static void *talk(void *context) {
    const struct talker *talker = context;
    for (int i = 0; i < talker->count; i++) { // without a pause: wakes meet every state of a reader
        char line[32];
        (void)snprintf(line, sizeof(line), "id: %d\n\n", i);
        double_live_say(talker->live, line);
    }
    double_live_say(talker->live, "the end\n\n");
    return NULL;
}

static void no_wake_is_lost(void **state) {
    struct node *node = *state;
    enum { READERS = 20 };
    static char text[1 << 20];
    int fds[READERS];
    for (int i = 0; i < READERS; i++) {
        fds[i] = open_feed(node, "/v1/live", "");
    }
    double_live_await(node->live, READERS);
    struct talker talker = {node->live, 3000};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, talk, &talker), 0);
    for (int i = 0; i < READERS; i++) {
        text[0] = '\0';
        assert_true(client_read_until(fds[i], "the end", text, sizeof(text)));
        (void)close(fds[i]);
    }
    (void)pthread_join(thread, NULL);
}

static void thousands_of_readers_beside_tiles(void **state) {
    struct node *node = *state;
    static int fds[FEEDS];
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_true(limit.rlim_cur >= 2 * FEEDS + 100); // the server's start has raised it
    for (int i = 0; i < FEEDS; i++) {
        fds[i] = open_feed(node, "/v1/live", "");
    }
    double_live_await(node->live, FEEDS);
    for (int i = 0; i < 100; i++) {
        struct client_answer answer =
            client_ask(node->port, "GET", "/tiles/grids/0/0/0.mvt", "", "");
        assert_int_equal(answer.status, 200);
        client_free(&answer);
    }
    double_live_say(node->live, "to all\n\n");
    for (int i = 0; i < FEEDS; i++) {
        static char text[1 << 18];
        text[0] = '\0';
        assert_true(client_read_until(fds[i], "to all", text, sizeof(text)));
    }
    struct client_answer answer = client_ask(node->port, "GET", "/metrics", "", "");
    assert_non_null(strstr(answer.body, "\ngridwarden_http_live_readers 2000\n"));
    client_free(&answer);
    double_live_lose(node->live); // fell behind: every stream is closed
    for (int i = 0; i < FEEDS; i++) {
        char byte;
        while (recv(fds[i], &byte, 1, 0) > 0) {
        }
        (void)close(fds[i]);
    }
    double_live_await(node->live, 0);
}

// ---- clients that don't read, or hardly ----

// Says much more than a client takes that has a small window and does not read.
static void say_much(const struct node *node) {
    static char text[65536];
    memset(text, 'x', sizeof(text) - 1);
    for (int i = 0; i < 15; i++) {
        double_live_say(node->live, text);
    }
}

static int open_small_feed(const struct node *node) {
    const int window = 4096;
    struct timeval moment = {.tv_usec = 20000};
    int fd = open_feed(node, "/v1/live", "");
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &window, sizeof(window));
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &moment, sizeof(moment));
    double_live_await(node->live, 1);
    return fd;
}

static bool has_readers(const struct node *node) {
    struct client_answer answer = client_ask(node->port, "GET", "/metrics", "", "");
    bool has = strstr(answer.body, "\ngridwarden_http_live_readers 0\n") == NULL;
    client_free(&answer);
    return has;
}

static void little_is_held_for_who_does_not_read(void **state) {
    (void)state;
    struct node node;
    node_open(&node, &(struct gw_http_options){.idle_seconds = 1});
    int fd = open_small_feed(&node);
    say_much(&node);
    for (int i = 0; i < 500 && has_readers(&node); i++) { // until it is closed for being idle
        (void)poll(NULL, 0, 10);
    }
    assert_true(double_live_taken(node.live) < 600000);
    assert_false(has_readers(&node));
    (void)close(fd);
    node_close(&node);
}

static void who_takes_a_byte_now_and_then_is_closed(void **state) {
    (void)state;
    struct node node;
    node_open(&node, &(struct gw_http_options){.idle_seconds = 20, .request_seconds = 1});
    int fd = open_small_feed(&node);
    say_much(&node);
    bool open = true;
    char bytes[256];
    for (int i = 0; i < 1000 && open; i++) {
        (void)recv(fd, bytes, sizeof(bytes), 0);
        (void)poll(NULL, 0, 10); // it is slow
        open = has_readers(&node);
    }
    assert_false(open);
    (void)close(fd);
    // Silence is no slowness: who has read all and waits for news stays.
    static char text[2 << 20];
    text[0] = '\0';
    fd = open_feed(&node, "/v1/live", "");
    double_live_say(node.live, "the end\n\n");
    assert_true(client_read_until(fd, "the end", text, sizeof(text)));
    (void)poll(NULL, 0, 1600);
    assert_true(has_readers(&node));
    struct client_answer answer = client_ask(node.port, "GET", "/metrics", "", "");
    assert_non_null(strstr(answer.body, "\ngridwarden_http_late_connections 1\n"));
    client_free(&answer);
    client_drop(fd);
    double_live_say(node.live, ":\n");
    double_live_await(node.live, 0);
    node_close(&node);
}

static void feeds_leave_connections_for_the_rest(void **state) {
    (void)state;
    enum { ALLOWED = 24 }; // of 32
    struct gw_http_config config = {.connections_max = 32, .threads = 1};
    struct node node;
    int fds[ALLOWED];
    node_open(&node, &(struct gw_http_options){.config = &config});
    for (int i = 0; i < ALLOWED; i++) {
        fds[i] = open_feed(&node, "/v1/live", "");
    }
    double_live_await(node.live, ALLOWED);
    struct client_answer answer = client_ask(node.port, "GET", "/v1/live", "", ""); // one too many
    assert_int_equal(answer.status, 503);
    assert_non_null(strstr(answer.body, "24 live feeds are open already"));
    client_free(&answer);
    answer = client_ask(node.port, "GET", "/tiles/grids/0/0/0.mvt", "", "");
    assert_int_equal(answer.status, 200);
    client_free(&answer);
    for (int i = 0; i < ALLOWED; i++) {
        client_drop(fds[i]);
    }
    double_live_say(node.live, ":\n");
    double_live_await(node.live, 0);
    node_close(&node);
}

static int setup(void **state) {
    struct node *node = malloc(sizeof(*node));
    node_open(node, NULL);
    *state = node;
    return 0;
}

int main(void) {
    struct rlimit limit; // too low for the readers, both of whose ends are in this process
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = 512;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_said_is_read, setup, node_teardown),
        cmocka_unit_test_setup_teardown(where_it_resumes, setup, node_teardown),
        cmocka_unit_test_setup_teardown(no_wake_is_lost, setup, node_teardown),
        cmocka_unit_test_setup_teardown(thousands_of_readers_beside_tiles, setup, node_teardown),
        cmocka_unit_test(little_is_held_for_who_does_not_read),
        cmocka_unit_test(who_takes_a_byte_now_and_then_is_closed),
        cmocka_unit_test(feeds_leave_connections_for_the_rest),
    };
    return cmocka_run_group_tests_name("http live", tests, NULL, NULL);
}
