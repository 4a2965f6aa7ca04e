// A server's start and end: addresses, health, drain.
#include "services/rpc/testdata/fixture.h"

#include "grpc/health/v1/health.pb-c.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

// --- addresses ---

static gw_err try_start(const char *listen, struct gw_error *error) {
    struct gw_rpc_server *server = NULL;
    struct gw_rpc_server_options options = {.listen = listen};
    gw_err err = gw_rpc_server_start(&options, echo_methods, 3, NULL, &server, error);
    if (err == GW_OK) {
        gw_rpc_server_drain(server, 0);
    }
    return err;
}

static void public_addresses_are_refused(void **state) {
    (void)state;
    static const char *const rows[] = {"0.0.0.0:0", "[::]:0", "10.1.2.3:7600", "example.com:7600"};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct gw_error error = {0};
        assert_int_equal(try_start(rows[i], &error), GW_EINVAL);
        assert_non_null(strstr(error.text, "TLS"));
        assert_non_null(strstr(error.text, "127.0.0.1"));
    }
    assert_int_equal(try_start("localhost:0", NULL), GW_OK);
    assert_int_equal(try_start("127.0.0.99:0", NULL), GW_OK);
}

static void bad_tables_are_refused(void **state) {
    (void)state;
    struct gw_rpc_server *server = NULL;
    struct gw_rpc_server_options options = {.listen = "127.0.0.1:0"};
    struct gw_error error = {0};
    struct gw_rpc_method methods[2] = {echo_methods[0], echo_methods[0]};
    assert_int_equal(gw_rpc_server_start(&options, methods, 2, NULL, &server, &error), GW_EINVAL);
    assert_non_null(strstr(error.text, "twice"));
    methods[1].path = "no-slash";
    assert_int_equal(gw_rpc_server_start(&options, methods, 2, NULL, &server, &error), GW_EINVAL);
    assert_non_null(strstr(error.text, "row 1"));
    methods[1] = echo_methods[2];
    methods[1].on_half_close = NULL;
    assert_int_equal(gw_rpc_server_start(&options, methods, 2, NULL, &server, &error), GW_EINVAL);
    options.loops = 1000;
    assert_int_equal(gw_rpc_server_start(&options, echo_methods, 3, NULL, &server, &error),
                     GW_EINVAL);
}

static void a_taken_port_is_refused(void **state) {
    (void)state;
    struct fixture fixture = fixture_start((struct gw_rpc_server_options){0});
    char listen_at[32];
    (void)snprintf(listen_at, sizeof(listen_at), "127.0.0.1:%d",
                   gw_rpc_server_port(fixture.server));
    struct gw_error error = {0};
    assert_int_equal(try_start(listen_at, &error), GW_EUNAVAILABLE);
    assert_non_null(strstr(error.text, listen_at));
    assert_non_null(strstr(error.text, "taken"));
    fixture_stop(&fixture);
    assert_int_equal(try_start(listen_at, &error), GW_OK);
    // Also when the other program would share it.
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    int on = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)), 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    (void)snprintf(listen_at, sizeof(listen_at), "127.0.0.1:%d", ntohs(address.sin_port));
    assert_int_equal(try_start(listen_at, &error), GW_EUNAVAILABLE);
    (void)close(fd);
}

static void unix_path(char *out, size_t size, const char *name) {
    const char *folder = getenv("TEST_TMPDIR");
    char made[] = "/tmp/gw-rpc-XXXXXX"; // the test's folder may be too long for a socket
    if (folder == NULL || strlen(folder) > 80) {
        folder = mkdtemp(made);
        assert_non_null(folder);
    }
    (void)snprintf(out, size, "unix:%s/%s", folder, name);
}

static void unix_sockets_work_and_are_guarded(void **state) {
    (void)state;
    char path[108];
    unix_path(path, sizeof(path), "s.sock");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path + 5);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0); // a dead server's file
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    (void)close(fd);
    struct gw_error error = {0};
    struct fixture fixture = fixture_start((struct gw_rpc_server_options){.listen = path});
    assert_int_equal(gw_rpc_server_port(fixture.server), 0);
    assert_int_equal(try_start(path, &error), GW_EUNAVAILABLE);
    assert_non_null(strstr(error.text, "another server answers"));
    Gridwarden__V1__Area *response; // the first server was not disturbed
    assert_int_equal(echo(&fixture, "", "x", 0, &response, &error), GW_OK);
    release(response);
    fixture_stop(&fixture);
    FILE *file = fopen(path + 5, "w");
    assert_non_null(file);
    (void)fclose(file);
    assert_int_equal(try_start(path, &error), GW_EINVAL);
    assert_non_null(strstr(error.text, "no socket"));
    struct stat status;
    assert_int_equal(stat(path + 5, &status), 0); // and the file is still there
    (void)unlink(path + 5);
    assert_int_equal(try_start("unix:/no/such/folder/s.sock", &error), GW_EUNAVAILABLE);
    assert_non_null(strstr(error.text, "No such file"));
}

// --- health ---

#define CHECK "/grpc.health.v1.Health/Check"
#define WATCH "/grpc.health.v1.Health/Watch"
#define SERVING 1
#define NOT_SERVING 2
#define SERVICE_UNKNOWN 3

static Grpc__Health__V1__HealthCheckRequest health_request(const char *service) {
    Grpc__Health__V1__HealthCheckRequest request = GRPC__HEALTH__V1__HEALTH_CHECK_REQUEST__INIT;
    request.service = (char *)(uintptr_t)service;
    return request;
}

static int check_health(struct fixture *fixture, const char *service, gw_err expected) {
    Grpc__Health__V1__HealthCheckRequest request = health_request(service);
    ProtobufCMessage *message = NULL;
    struct gw_error error = {0};
    assert_int_equal(gw_rpc_unary(fixture->channel, CHECK, &request.base,
                                  &grpc__health__v1__health_check_response__descriptor, CALL_MS,
                                  &message, &error),
                     expected);
    int status =
        message != NULL ? (int)((Grpc__Health__V1__HealthCheckResponse *)message)->status : -1;
    if (message != NULL) {
        protobuf_c_message_free_unpacked(message, NULL);
    }
    return status;
}

static struct gw_rpc_stream *watch_health(struct fixture *fixture, const char *service) {
    Grpc__Health__V1__HealthCheckRequest request = health_request(service);
    struct gw_rpc_stream *stream;
    struct gw_error error;
    assert_int_equal(gw_rpc_stream_open(fixture->channel, WATCH, &request.base,
                                        &grpc__health__v1__health_check_response__descriptor, -1,
                                        &stream, &error),
                     GW_OK);
    return stream;
}

static int next_health(struct gw_rpc_stream *stream) {
    ProtobufCMessage *message = NULL;
    struct gw_error error = {0};
    if (gw_rpc_stream_read(stream, CALL_MS, &message, &error) != GW_OK) {
        fail_msg("health: %s", error.text);
    }
    int status = (int)((Grpc__Health__V1__HealthCheckResponse *)message)->status;
    protobuf_c_message_free_unpacked(message, NULL);
    return status;
}

static void health_is_told(void **state) {
    (void)state;
    struct fixture fixture = fixture_start((struct gw_rpc_server_options){.calls_max = 1});
    static const char *const known[] = {"", "gridwarden.test.v1.EchoService",
                                        "grpc.health.v1.Health"};
    static const char *const unknown[] = {"gridwarden.test.v1", "gridwarden.test.v1.EchoService/",
                                          "EchoService", "gridwarden.test.v1.EchoServices"};
    for (int serving = 0; serving <= 1; serving++) {
        for (size_t i = 0; i < 3; i++) {
            assert_int_equal(check_health(&fixture, known[i], GW_OK),
                             serving ? SERVING : NOT_SERVING);
        }
        for (size_t i = 0; i < 4; i++) {
            (void)check_health(&fixture, unknown[i], GW_ENOTFOUND);
        }
        gw_rpc_server_set_serving(fixture.server, true);
    }
    struct gw_rpc_stream *whole = watch_health(&fixture, "");
    struct gw_rpc_stream *none = watch_health(&fixture, "no.such.Service");
    assert_int_equal(next_health(whole), SERVING);
    assert_int_equal(next_health(none), SERVICE_UNKNOWN);
    for (int i = 0; i < 20; i++) {
        gw_rpc_server_set_serving(fixture.server, i % 2 == 1);
        assert_int_equal(next_health(whole), i % 2 == 1 ? SERVING : NOT_SERVING);
    }
    fixture_drain(&fixture, CALL_MS);
    assert_int_equal(next_health(whole), NOT_SERVING); // before the end
    struct gw_error error = {0};
    ProtobufCMessage *message;
    assert_int_equal(gw_rpc_stream_read(whole, CALL_MS, &message, &error), GW_EUNAVAILABLE);
    assert_non_null(strstr(error.text, "shutting down"));
    assert_int_equal(gw_rpc_stream_read(none, CALL_MS, &message, &error), GW_EUNAVAILABLE);
    gw_rpc_stream_destroy(whole);
    gw_rpc_stream_destroy(none);
    fixture_stop(&fixture);
}

// --- drain ---

#define CALLERS 4

struct traffic {
    struct fixture *fixture;
    atomic_bool stop;
    atomic_uint good, refused, other;
};

static void *call_on_and_on(void *context) {
    struct traffic *traffic = context;
    static const char *const codes[] = {"", "later"};
    for (uint32_t i = 0; !atomic_load(&traffic->stop); i++) {
        struct gw_error error = {0};
        Gridwarden__V1__Area *response;
        gw_err err = echo(traffic->fixture, codes[i % 2], "x", i, &response, &error);
        if (err == GW_OK) {
            atomic_fetch_add(response->level == i ? &traffic->good : &traffic->other, 1);
            release(response);
        } else {
            if (err != GW_EUNAVAILABLE) {
                print_error("caller: %s\n", error.text);
            }
            atomic_fetch_add(err == GW_EUNAVAILABLE ? &traffic->refused : &traffic->other, 1);
        }
    }
    return NULL;
}

// Every call under way is answered or refused; streams end; nothing hangs.
static void drain_answers_everyone(void **state) {
    (void)state;
    struct fixture fixture = fixture_start((struct gw_rpc_server_options){.loops = 2});
    struct traffic traffic = {.fixture = &fixture};
    pthread_t threads[CALLERS];
    for (int i = 0; i < CALLERS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, call_on_and_on, &traffic), 0);
    }
    char *name = letters(2000);
    Gridwarden__V1__Area open = area("open", "", 0);
    Gridwarden__V1__Area flood = area("thread", name, 1000000);
    struct gw_rpc_stream *watcher = open_stream(&fixture, COUNT_PATH, &open, -1);
    struct gw_rpc_stream *reader = open_stream(&fixture, COUNT_PATH, &flood, -1);
    struct gw_rpc_stream *writer = open_stream(&fixture, SUM_PATH, NULL, -1);
    struct gw_error error = {0};
    struct echo_facts facts = echo_facts(fixture.echo);
    Gridwarden__V1__Area *message;
    ProtobufCMessage *answer;
    while (facts.stream_started < 3 || atomic_load(&traffic.good) < 200) {
        assert_int_equal(gw_rpc_stream_write(writer, &open.base, &error), GW_OK);
        assert_int_equal(read_area(watcher, 0, &message, &error), GW_EDEADLINE);
        facts = echo_facts(fixture.echo);
    }
    fixture_drain(&fixture, 200); // the reader that doesn't read is cut off after that
    atomic_store(&traffic.stop, true);
    for (int i = 0; i < CALLERS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    assert_int_equal(atomic_load(&traffic.other), 0);
    facts = echo_facts(fixture.echo);
    assert_int_equal(facts.stream_done, 3);
    assert_int_equal(read_area(watcher, CALL_MS, &message, &error), GW_EUNAVAILABLE);
    assert_int_equal(gw_rpc_stream_finish(writer, &answer, &error), GW_EUNAVAILABLE);
    gw_err err;
    while ((err = read_area(reader, CALL_MS, &message, &error)) == GW_OK) {
        release(message);
    }
    assert_int_equal(err, GW_EUNAVAILABLE);
    gw_rpc_stream_destroy(watcher);
    gw_rpc_stream_destroy(reader);
    gw_rpc_stream_destroy(writer);
    free(name);
    fixture_stop(&fixture);
}

struct one_call {
    struct fixture *fixture;
    gw_err err;
    struct gw_error error;
};

static void *call_and_hold(void *context) {
    struct one_call *one = context;
    Gridwarden__V1__Area *response;
    one->err = echo(one->fixture, "hold", "x", 5, &response, &one->error);
    if (one->err == GW_OK) {
        release(response);
    }
    return NULL;
}

static bool one_held(const struct echo_facts *facts) {
    return facts->held == 1;
}

static void *drain_long(void *context) {
    fixture_drain(context, CALL_MS);
    return NULL;
}

// A call under way when the drain begins still gets its answer.
static void drain_waits_for_the_answer(void **state) {
    (void)state;
    struct fixture fixture = fixture_start((struct gw_rpc_server_options){0});
    struct one_call one = {.fixture = &fixture};
    pthread_t caller, drainer;
    struct echo_facts facts;
    assert_int_equal(pthread_create(&caller, NULL, call_and_hold, &one), 0);
    assert_true(echo_wait(fixture.echo, one_held, &facts));
    gw_rpc_server_set_serving(fixture.server, true);
    struct gw_rpc_stream *watcher = watch_health(&fixture, "");
    assert_int_equal(next_health(watcher), SERVING);
    assert_int_equal(pthread_create(&drainer, NULL, drain_long, &fixture), 0);
    assert_int_equal(next_health(watcher), NOT_SERVING); // the drain has begun
    gw_rpc_stream_destroy(watcher);
    echo_release(fixture.echo);
    assert_int_equal(pthread_join(drainer, NULL), 0);
    assert_int_equal(pthread_join(caller, NULL), 0);
    assert_int_equal(one.err, GW_OK);
    fixture_stop(&fixture);
}

// A handler that never answers doesn't hold the drain up, and may still let go of its call later.
static void drain_does_not_wait_for_ever(void **state) {
    (void)state;
    struct fixture fixture = fixture_start((struct gw_rpc_server_options){0});
    struct one_call one = {.fixture = &fixture};
    pthread_t caller;
    struct echo_facts facts;
    assert_int_equal(pthread_create(&caller, NULL, call_and_hold, &one), 0);
    assert_true(echo_wait(fixture.echo, one_held, &facts));
    fixture_drain(&fixture, 20);
    assert_int_equal(pthread_join(caller, NULL), 0);
    assert_int_equal(one.err, GW_EUNAVAILABLE);
    facts = echo_facts(fixture.echo);
    assert_int_equal(facts.held_cancelled, 1);
    fixture_stop(&fixture); // answers it: the server is long gone
}

static void servers_come_and_go(void **state) {
    (void)state;
    for (int i = 0; i < 30; i++) {
        struct gw_rpc_server_options options = {.loops = 1 + (uint32_t)i % 4};
        struct fixture fixture = fixture_start(options);
        struct gw_error error = {0};
        Gridwarden__V1__Area *response;
        if (i % 3 != 0) {
            assert_int_equal(echo(&fixture, "later", "x", 1, &response, &error), GW_OK);
            release(response);
        }
        fixture_stop(&fixture);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(public_addresses_are_refused),
        cmocka_unit_test(bad_tables_are_refused),
        cmocka_unit_test(a_taken_port_is_refused),
        cmocka_unit_test(unix_sockets_work_and_are_guarded),
        cmocka_unit_test(health_is_told),
        cmocka_unit_test(drain_answers_everyone),
        cmocka_unit_test(drain_waits_for_the_answer),
        cmocka_unit_test(drain_does_not_wait_for_ever),
        cmocka_unit_test(servers_come_and_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
