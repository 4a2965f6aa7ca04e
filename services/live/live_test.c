// The live stream: what clients make of it is what the shard has.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "services/live/testing.h"
#include "services/shard/testing.h"
#include "tests/support/random.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INCIDENTS_MAX = 4000 };

static struct bench bench;
static struct gw_live *live;
static struct gw_metrics *metrics;
static char ids[INCIDENTS_MAX][GW_INCIDENT_ID_SIZE];
static uint32_t id_count;

static void open_live(size_t ring_bytes, int64_t heartbeat_ms) {
    struct gw_error error;
    struct gw_live_options options = {.shard = bench.shard,
                                      .metrics = metrics,
                                      .tick_ms = 5,
                                      .heartbeat_ms = heartbeat_ms,
                                      .ring_bytes = ring_bytes};
    if (gw_live_create(&options, &live, &error) != GW_OK) {
        fail_msg("%s", error.text);
    }
}

static int set_up(void **state) {
    (void)state;
    bench_open(&bench);
    metrics = gw_metrics_create();
    live = NULL;
    id_count = 0;
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    gw_live_destroy(live);
    gw_metrics_destroy(metrics);
    bench_close(&bench);
    return 0;
}

static double metric(const char *series) {
    struct gw_buffer text = {0};
    gw_metrics_write(metrics, &text);
    const char *at = strstr(text.data, series);
    while (at != NULL && (at == text.data || at[-1] != '\n')) {
        at = strstr(at + 1, series);
    }
    double value = at != NULL ? strtod(at + strlen(series), NULL) : -1;
    gw_buffer_free(&text);
    return value;
}

static void report(int column, int row) {
    assert_true(id_count < INCIDENTS_MAX);
    assert_int_equal(bench_report(&bench, column, row, ids[id_count++]), GW_OK);
}

// Reads until it has what the shard has.
static void catch_up(struct test_client *client) {
    test_client_catch_up(client, &bench, ids, id_count);
}

static void start_client(struct test_client *client, bool with_workers) {
    test_client_init(client, live, with_workers);
    assert_int_equal(test_client_open(client), GW_OK);
    catch_up(client);
}

// ---- tests ----

static void test_an_empty_city(void **state) {
    (void)state;
    struct test_client client;
    open_live(0, 0);
    start_client(&client, true);
    assert_int_equal(client.snapshots, 2); // empty ones, so that a client clears what it had
    assert_int_equal(client.readies, 1);
    assert_int_equal(client.edition, 0); // no tiles
    test_client_deinit(&client);
}

static void test_what_was_open_before(void **state) {
    (void)state;
    struct test_client client;
    bench_staff(&bench, 50);
    for (int i = 0; i < 20; i++) {
        report(i % 3, i / 3 % 2);
    }
    assert_int_equal(bench_report_address(&bench, ids[id_count++]), GW_OK);
    test_finish(&bench, ids[0]);
    open_live(0, 0);
    start_client(&client, true);
    assert_int_equal(json_object_size(client.incidents), 20);
    assert_int_equal(json_object_size(client.workers), 3);
    assert_int_equal(client.incident_events, 0);
    test_client_deinit(&client);
}

static void test_changes_come_as_events(void **state) {
    (void)state;
    struct test_client client, plain;
    bench_staff(&bench, 50);
    open_live(0, 0);
    start_client(&client, true);
    start_client(&plain, false);
    report(0, 0);
    catch_up(&client);
    assert_int_equal(bench_report_address(&bench, ids[id_count++]), GW_OK);
    catch_up(&client);
    assert_int_equal(bench_set_place(&bench, ids[1], 1, 0), GW_OK);
    catch_up(&client);
    bench_position(&bench, "w2", 124.011, 42.511);
    catch_up(&client);
    assert_true(client.worker_events > 0);
    test_finish(&bench, ids[0]);
    catch_up(&client);
    assert_int_equal(json_object_size(client.incidents), 1);
    catch_up(&plain);
    assert_int_equal(client.readies, 1);
    assert_int_equal(plain.worker_events, 0);
    assert_int_equal(json_object_size(plain.workers), 0);
    assert_in_range(plain.incident_events, 4, 7); // the last four may be told as one
    test_client_deinit(&plain);
    test_client_deinit(&client);
}

static void test_an_id_resumes(void **state) {
    (void)state;
    struct test_client client;
    open_live(0, 0);
    start_client(&client, true);
    report(0, 0);
    catch_up(&client);
    test_client_close(&client);
    report(1, 0);
    report(2, 1);
    assert_int_equal(test_client_open(&client), GW_OK);
    catch_up(&client);
    assert_int_equal(client.readies, 1); // no other snapshot
    assert_int_equal(client.incident_events, 3);
    test_client_close(&client);
    uint64_t n = client.last_n;
    // Of the future, of another boot, of nobody: a snapshot.
    static const char *const others[] = {"0123456789abcdef-1",
                                         "-",
                                         "x",
                                         "%.16s-99999999",
                                         "%.16s-99999999999999999999999",
                                         "%.16s-",
                                         "%.16s-1x"};
    char boot[64];
    (void)snprintf(boot, sizeof(boot), "%s", client.last_id);
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        const char *rest = strchr(others[i], '%') != NULL ? others[i] + strlen("%.16s") : NULL;
        (void)snprintf(client.last_id, sizeof(client.last_id), "%.16s%s",
                       rest != NULL ? boot : others[i],
                       rest != NULL ? rest : others[i] + strnlen(others[i], 16));
        client.readies = 0;
        assert_int_equal(test_client_open(&client), GW_OK);
        catch_up(&client);
        assert_int_equal(client.readies, 1);
        test_client_close(&client);
    }
    assert_true(n <= client.last_n);
    test_client_deinit(&client);
}

static void test_another_boot_starts_anew(void **state) {
    (void)state;
    struct test_client client;
    open_live(0, 0);
    start_client(&client, true);
    report(0, 0);
    catch_up(&client);
    test_client_close(&client);
    gw_live_destroy(live);
    report(1, 1);
    open_live(0, 0);
    client.live = live;
    assert_int_equal(test_client_open(&client), GW_OK);
    client.readies = 0;
    catch_up(&client);
    assert_int_equal(client.readies, 1);
    test_client_deinit(&client);
}

static void test_who_falls_behind_is_told(void **state) {
    (void)state;
    struct test_client fast, slow, stuck;
    char byte[1];
    size_t got = 0;
    open_live(4096, 0);
    start_client(&fast, true);
    start_client(&slow, true);
    test_client_init(&stuck, live, true);
    assert_int_equal(test_client_open(&stuck), GW_OK);
    do { // into its snapshot
        assert_int_equal(gw_live_read(stuck.reader, byte, 1, &got), GW_OK);
        if (got == 0) {
            test_client_wait(&stuck);
        }
    } while (got == 0);
    for (int i = 0; i < 60; i++) {
        report(i % 3, 0);
        catch_up(&fast);
    }
    assert_int_equal(test_client_read(&slow, 65536), GW_ERANGE);
    assert_int_equal(test_client_read(&slow, 65536), GW_ERANGE);
    assert_int_equal(gw_live_read(stuck.reader, byte, 1, &got), GW_ERANGE);
    assert_true(metric("gridwarden_live_evicted_total ") > 0);
    test_client_close(&slow);
    slow.readies = 0;
    assert_int_equal(test_client_open(&slow), GW_OK); // with its old id: anew
    catch_up(&slow);
    assert_int_equal(slow.readies, 1);
    assert_int_equal(fast.readies, 1);
    test_client_deinit(&stuck);
    test_client_deinit(&slow);
    test_client_deinit(&fast);
}

static void test_heartbeats(void **state) {
    (void)state;
    struct test_client client;
    open_live(0, 10);
    start_client(&client, false);
    uint64_t before = client.last_n, seen = client.heartbeats; // perhaps some came already
    while (client.heartbeats < seen + 3) {
        test_client_wait(&client);
        assert_int_equal(test_client_read(&client, 65536), GW_OK);
    }
    assert_true(client.last_n >= before + 3); // its id moves on
    test_client_deinit(&client);
}

static void count_wake(void *context) {
    (void)context;
}

static void test_readers_are_bounded(void **state) {
    (void)state;
    static struct gw_live_reader *readers[GW_LIVE_READERS_MAX];
    struct gw_live_reader *more = NULL;
    struct gw_error error;
    open_live(0, 0);
    for (uint32_t i = 0; i < GW_LIVE_READERS_MAX; i++) {
        assert_int_equal(gw_live_open(live, "", true, count_wake, NULL, &readers[i], &error),
                         GW_OK);
    }
    assert_int_equal(gw_live_open(live, "", true, count_wake, NULL, &more, &error), GW_ENOSPC);
    gw_live_close(readers[17]);
    assert_int_equal(gw_live_open(live, "", true, count_wake, NULL, &readers[17], &error), GW_OK);
    for (uint32_t i = 0; i < GW_LIVE_READERS_MAX; i++) {
        gw_live_close(readers[i]);
    }
    gw_live_close(NULL);
    assert_true(metric("gridwarden_live_readers ") == 0);
}

// A reader that only looks for a word in what it reads.
struct plain_reader {
    struct gw_live_reader *reader;
    struct gw_buffer text;
    pthread_mutex_t mutex;
    pthread_cond_t cond;
    bool woken;
};

static void wake_plain(void *context) {
    struct plain_reader *plain = context;
    (void)pthread_mutex_lock(&plain->mutex);
    plain->woken = true;
    (void)pthread_cond_signal(&plain->cond);
    (void)pthread_mutex_unlock(&plain->mutex);
}

static void read_until(struct plain_reader *plain, const char *word) {
    static char room[65536];
    size_t got = 0;
    while (plain->text.size == 0 || strstr(plain->text.data, word) == NULL) {
        assert_int_equal(gw_live_read(plain->reader, room, sizeof(room), &got), GW_OK);
        gw_buffer_append(&plain->text, room, got);
        (void)pthread_mutex_lock(&plain->mutex);
        while (got == 0 && !plain->woken) {
            (void)pthread_cond_wait(&plain->cond, &plain->mutex);
        }
        plain->woken = false;
        (void)pthread_mutex_unlock(&plain->mutex);
    }
}

// Thousands at once share a few snapshots, and each gets every event.
static void test_thousands_of_readers(void **state) {
    (void)state;
    enum { READERS = 5000 };
    static struct plain_reader readers[READERS];
    bench_staff(&bench, 50);
    for (int i = 0; i < 30; i++) {
        report(i % 3, 1);
    }
    open_live(0, 0);
    for (int i = 0; i < READERS; i++) {
        struct plain_reader *plain = &readers[i];
        memset(plain, 0, sizeof(*plain));
        (void)pthread_mutex_init(&plain->mutex, NULL);
        (void)pthread_cond_init(&plain->cond, NULL);
        assert_int_equal(
            gw_live_open(live, "", i % 2 == 0, wake_plain, plain, &plain->reader, NULL), GW_OK);
    }
    for (int i = 0; i < READERS; i++) {
        read_until(&readers[i], "event: ready");
        assert_non_null(strstr(readers[i].text.data, ids[29]));
        assert_int_equal(strstr(readers[i].text.data, "\"w1\",124") != NULL, i % 2 == 0);
    }
    assert_in_range((int)metric("gridwarden_live_snapshots_total "), 1, 2);
    report(0, 0);
    for (int i = 0; i < READERS; i++) {
        read_until(&readers[i], ids[30]);
        gw_live_close(readers[i].reader);
        gw_buffer_free(&readers[i].text);
        (void)pthread_mutex_destroy(&readers[i].mutex);
        (void)pthread_cond_destroy(&readers[i].cond);
    }
}

static _Atomic bool over;

static void *come_and_go(void *context) {
    uint64_t seed = (uint64_t)(uintptr_t)context;
    struct test_random random = {seed};
    for (int round = 0; round < 20 || !over; round++) {
        struct plain_reader plain = {.mutex = PTHREAD_MUTEX_INITIALIZER,
                                     .cond = PTHREAD_COND_INITIALIZER};
        char piece[256];
        size_t got = 0;
        assert_int_equal(
            gw_live_open(live, "", seed % 2 == 0, wake_plain, &plain, &plain.reader, NULL), GW_OK);
        // Some leave at once, with a wake perhaps on its way; it must not come after the close.
        for (int64_t i = test_random_range(&random, 0, 20); i > 0; i--) {
            gw_err err = gw_live_read(plain.reader, piece, sizeof(piece), &got);
            assert_true(err == GW_OK || err == GW_ERANGE);
        }
        gw_live_close(plain.reader);
        (void)pthread_mutex_destroy(&plain.mutex);
    }
    return NULL;
}

static void test_readers_come_and_go_from_many_threads(void **state) {
    (void)state;
    enum { THREADS = 4 };
    pthread_t threads[THREADS];
    struct test_client client;
    bench_staff(&bench, 50);
    open_live(64 << 10, 20);
    over = false;
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, come_and_go, (void *)(uintptr_t)(i + 1)),
                         0);
    }
    start_client(&client, true);
    for (int i = 0; i < 40; i++) {
        report(i % 3, i % 2);
        bench_position(&bench, "w1", 124.001 + 0.0001 * i, 42.501);
        if (test_client_read(&client, 65536) == GW_ERANGE) {
            test_client_close(&client);
            assert_int_equal(test_client_open(&client), GW_OK);
        }
    }
    over = true;
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    if (test_client_read(&client, 65536) == GW_ERANGE) { // nobody read while they were awaited
        test_client_close(&client);
        assert_int_equal(test_client_open(&client), GW_OK);
    }
    catch_up(&client);
    test_client_deinit(&client);
    assert_true(metric("gridwarden_live_readers ") == 0);
}

enum { MANY = 900 };
static char many_ids[MANY][GW_WORKER_ID_MAX + 1];

// With one request: each costs a write to the disk.
static void add_many_workers(void) {
    static Gridwarden__V1__Worker workers[MANY], *list[MANY];
    static char *home[] = {(char *)BENCH_A1};
    Gridwarden__V1__UpsertWorkersRequest request = GRIDWARDEN__V1__UPSERT_WORKERS_REQUEST__INIT;
    for (int i = 0; i < MANY; i++) {
        (void)snprintf(many_ids[i], sizeof(many_ids[i]),
                       "%04d-a-worker-with-a-rather-long-id-as-cities-have-them", i);
        gridwarden__v1__worker__init(&workers[i]);
        workers[i].id = many_ids[i];
        workers[i].name = (char *)"somebody";
        workers[i].kind = GRIDWARDEN__V1__WORKER_KIND__WORKER_KIND_PART_TIME;
        workers[i].home_grids = home;
        workers[i].n_home_grids = 1;
        list[i] = &workers[i];
    }
    request.request_id = (char *)bench_request_id(&bench);
    request.workers = list;
    request.n_workers = MANY;
    assert_int_equal(bench_call(&bench, &request.base, NULL), GW_OK);
}

// Rows of many workers come in events of a bounded size, in the snapshot and after it.
static void test_events_are_bounded(void **state) {
    (void)state;
    enum { MOVES = 8 };
    struct test_client client;
    add_many_workers();
    for (int i = 0; i < MANY; i++) {
        bench_position(&bench, many_ids[i], 124.001 + 0.00001 * i, 42.501);
    }
    open_live(0, 0);
    start_client(&client, true);
    assert_int_equal(json_object_size(client.workers), MANY);
    for (int move = 0; move < MOVES; move++) {
        bench.now_ms += 1000;
        for (int i = 0; i < MANY; i += 1 + move) {
            bench_position(&bench, many_ids[i], 124.001 + 0.00001 * (i + move), 42.502);
        }
        catch_up(&client);
    }
    assert_true(client.longest <= 256 << 10);
    test_client_deinit(&client);
}

// ---- random operations ----

static void act(struct test_random *random) {
    static const char *const staff[] = {"w1", "w2", "w3", "w4", "w5"};
    uint32_t at = id_count > 0 ? (uint32_t)test_random_range(random, 0, id_count - 1) : 0;
    int column = (int)test_random_range(random, 0, 2), row = (int)test_random_range(random, 0, 1);
    const char *worker = staff[test_random_range(random, 0, 4)];
    int64_t kind = test_random_range(random, 0, 9);
    bench.now_ms += test_random_range(random, 1, 20000); // offers may lapse
    if (kind < 3 || id_count == 0) {
        report(column, row);
    } else if (kind == 3) {
        assert_int_equal(bench_report_address(&bench, ids[id_count++]), GW_OK);
    } else if (kind == 4) {
        (void)bench_set_place(&bench, ids[at], column, row);
    } else if (kind == 5) {
        bench_position(&bench, worker, 124.0 + test_random_unit(random) * 0.03,
                       42.5 + test_random_unit(random) * 0.02);
    } else { // by whom it is with, so that most are taken
        static const enum gw_incident_command_kind acts[] = {
            GW_INCIDENT_ACCEPT, GW_INCIDENT_DECLINE, GW_INCIDENT_START, GW_INCIDENT_RESOLVE,
            GW_INCIDENT_CLOSE};
        Gridwarden__V1__Incident *incident = bench_incident(&bench, ids[at]);
        (void)bench_act(&bench, acts[test_random_range(random, 0, 4)], ids[at], incident->handler);
        gridwarden__v1__incident__free_unpacked(incident, NULL);
    }
}

static void test_folded_streams_equal_the_shard(void **state) {
    (void)state;
    enum { CLIENTS = 6, ROUNDS = 80 };
    struct test_random random = test_random_seeded("live", 9);
    struct test_client clients[CLIENTS];
    bench_staff(&bench, 100);
    open_live(20000, 50);
    for (int i = 0; i < CLIENTS; i++) {
        test_client_init(&clients[i], live, i % 3 != 2);
    }
    for (int round = 0; round < ROUNDS; round++) {
        for (int64_t i = test_random_range(&random, 0, 12); i > 0; i--) {
            act(&random);
        }
        struct test_client *client = &clients[test_random_range(&random, 0, CLIENTS - 1)];
        if (client->reader == NULL) {
            assert_int_equal(test_client_open(client), GW_OK);
        }
        gw_err err = test_client_read(client, (size_t)test_random_range(&random, 1, 5000));
        if (err == GW_ERANGE || test_random_range(&random, 0, 4) == 0) {
            test_client_close(client); // comes back with its id
        }
    }
    uint32_t readies = 0;
    for (int i = 0; i < CLIENTS; i++) {
        if (clients[i].reader != NULL && test_client_read(&clients[i], 65536) == GW_ERANGE) {
            test_client_close(&clients[i]);
        }
        if (clients[i].reader == NULL) {
            assert_int_equal(test_client_open(&clients[i]), GW_OK);
        }
        catch_up(&clients[i]);
        readies += clients[i].readies;
        test_client_deinit(&clients[i]);
    }
    assert_true(readies >= CLIENTS);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_an_empty_city, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_was_open_before, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_changes_come_as_events, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_an_id_resumes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_another_boot_starts_anew, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_who_falls_behind_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_heartbeats, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_readers_are_bounded, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_thousands_of_readers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_readers_come_and_go_from_many_threads, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_events_are_bounded, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_folded_streams_equal_the_shard, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
