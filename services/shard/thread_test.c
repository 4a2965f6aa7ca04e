// The writer's own thread, with many callers, watchers and readers beside it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "services/shard/testing.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

enum { CALLERS = 4, REPORTS = 150 };

static struct bench bench;

// One call at a time, waited for.
struct call {
    pthread_mutex_t mutex;
    pthread_cond_t answered;
    bool done;
    gw_err err;
    char id[GW_INCIDENT_ID_SIZE];
    char handler[GW_HANDLER_MAX + 1];
    pthread_t thread;
    int number;
    uint32_t failed;
};

static void on_done(void *context, const struct gw_error *error, const ProtobufCMessage *response) {
    struct call *call = context;
    (void)pthread_mutex_lock(&call->mutex);
    call->done = true;
    call->err = error != NULL ? error->code : GW_OK;
    if (response != NULL) { // all of these responses hold one incident
        const Gridwarden__V1__Incident *incident =
            ((const Gridwarden__V1__ReportResponse *)response)->incident;
        memcpy(call->id, incident->id, sizeof(call->id));
        (void)snprintf(call->handler, sizeof(call->handler), "%s", incident->handler);
    }
    (void)pthread_cond_signal(&call->answered);
    (void)pthread_mutex_unlock(&call->mutex);
}

static gw_err do_call(struct call *call, const ProtobufCMessage *request) {
    struct gw_shard_command command = {.request = request, .done = on_done, .context = call};
    call->done = false;
    gw_shard_submit(bench.shard, &command);
    (void)pthread_mutex_lock(&call->mutex);
    while (!call->done) {
        (void)pthread_cond_wait(&call->answered, &call->mutex);
    }
    (void)pthread_mutex_unlock(&call->mutex);
    return call->err;
}

// Reports, then takes and ends what it reported; another caller's commands come in between.
static void *caller_main(void *context) {
    struct call *call = context;
    for (int i = 0; i < REPORTS; i++) {
        char request_id[4][32];
        Gridwarden__V1__Point point = bench_point(i % 4, i % 2);
        Gridwarden__V1__ReportRequest report = GRIDWARDEN__V1__REPORT_REQUEST__INIT;
        Gridwarden__V1__AcceptRequest accept = GRIDWARDEN__V1__ACCEPT_REQUEST__INIT;
        Gridwarden__V1__StartRequest start = GRIDWARDEN__V1__START_REQUEST__INIT;
        Gridwarden__V1__ResolveRequest resolve = GRIDWARDEN__V1__RESOLVE_REQUEST__INIT;
        for (int k = 0; k < 4; k++) {
            (void)snprintf(request_id[k], sizeof(request_id[k]), "%d-%d-%d", call->number, i, k);
        }
        report.request_id = request_id[0];
        report.class_code = (char *)"01";
        report.point = &point;
        call->failed += do_call(call, &report.base) != GW_OK;
        call->failed += do_call(call, &report.base) != GW_OK; // a retry
        accept.request_id = request_id[1];
        start.request_id = request_id[2];
        resolve.request_id = request_id[3];
        accept.incident_id = start.incident_id = resolve.incident_id = call->id;
        accept.actor = start.actor = resolve.actor = call->handler;
        call->failed += do_call(call, &accept.base) != GW_OK;
        call->failed += do_call(call, &start.base) != GW_OK;
        call->failed += i % 3 == 0 && do_call(call, &resolve.base) != GW_OK;
    }
    return NULL;
}

struct watcher {
    _Atomic uint32_t wakes;
    _Atomic bool stop;
    uint64_t last;
    uint32_t reported, out_of_order;
};

static void on_wake(void *context) {
    atomic_fetch_add(&((struct watcher *)context)->wakes, 1);
}

static bool watch_entry(void *context, const Gridwarden__Store__V1__LogEntry *entry) {
    struct watcher *watcher = context;
    watcher->out_of_order += entry->sequence != watcher->last + 1;
    watcher->last = entry->sequence;
    for (size_t i = 0; i < entry->n_events; i++) {
        const Gridwarden__Store__V1__Event *event = entry->events[i];
        watcher->reported +=
            event->kind_case == GRIDWARDEN__STORE__V1__EVENT__KIND_INCIDENT &&
            event->incident->kind_case == GRIDWARDEN__V1__INCIDENT_EVENT__KIND_REPORTED;
    }
    return entry->sequence % 3 != 0; // comes back for more
}

static bool count_incident(void *context, const Gridwarden__V1__Incident *incident) {
    (void)incident;
    ++*(uint32_t *)context;
    return true;
}

// Reads everything there is to read, over and over.
static void *watcher_main(void *context) {
    struct watcher *watcher = context;
    struct gw_error error;
    while (!atomic_load(&watcher->stop) || watcher->last < gw_shard_head(bench.shard)) {
        Gridwarden__V1__IncidentServiceListRequest request =
            GRIDWARDEN__V1__INCIDENT_SERVICE_LIST_REQUEST__INIT;
        struct gw_incident_list list = {.request = &request};
        struct gw_shard_totals totals;
        uint32_t listed = 0;
        gw_err err = gw_shard_read(bench.shard, watcher->last, watch_entry, watcher, &error);
        watcher->out_of_order += err != GW_OK;
        err = gw_shard_list_incidents(bench.shard, &list, count_incident, &listed, &error);
        watcher->out_of_order += err != GW_OK;
        gw_shard_totals(bench.shard, &totals);
    }
    return NULL;
}

static void test_many_callers_and_a_watcher(void **state) {
    (void)state;
    static struct call calls[CALLERS];
    struct watcher watcher = {.last = 0};
    struct gw_error error;
    struct gw_shard_verify_totals totals;
    pthread_t watcher_thread;
    bench_open(&bench);
    bench_staff(&bench, 100);
    assert_int_equal(gw_shard_start(bench.shard, &error), GW_OK);
    assert_int_equal(gw_shard_step(bench.shard), 0); // the thread steps
    struct gw_shard_subscription *subscription = gw_shard_subscribe(bench.shard, on_wake, &watcher);
    assert_int_equal(pthread_create(&watcher_thread, NULL, watcher_main, &watcher), 0);
    for (int i = 0; i < CALLERS; i++) {
        calls[i].number = i;
        (void)pthread_mutex_init(&calls[i].mutex, NULL);
        (void)pthread_cond_init(&calls[i].answered, NULL);
        assert_int_equal(pthread_create(&calls[i].thread, NULL, caller_main, &calls[i]), 0);
    }
    for (int i = 0; i < CALLERS; i++) {
        assert_int_equal(pthread_join(calls[i].thread, NULL), 0);
        assert_int_equal(calls[i].failed, 0);
        (void)pthread_mutex_destroy(&calls[i].mutex);
        (void)pthread_cond_destroy(&calls[i].answered);
    }
    atomic_store(&watcher.stop, true);
    assert_int_equal(pthread_join(watcher_thread, NULL), 0);
    gw_shard_unsubscribe(bench.shard, subscription);
    assert_int_equal(watcher.out_of_order, 0);
    assert_int_equal(watcher.reported, CALLERS * REPORTS);
    assert_true(atomic_load(&watcher.wakes) > 0);
    bench_verify(&bench, &totals);
    assert_int_equal(totals.incidents, CALLERS * REPORTS);
    bench_close(&bench);
}

// A timer fires by itself, and what waits at the end is still answered.
static void test_the_thread_minds_timers_and_the_end(void **state) {
    (void)state;
    struct gw_error error;
    struct watcher watcher = {.last = 0};
    char id[GW_INCIDENT_ID_SIZE];
    struct bench_reply replies[20] = {{0}};
    static char ids[20][24];
    Gridwarden__V1__ReportRequest requests[20];
    bench_open(&bench);
    bench_staff(&bench, 1);
    assert_int_equal(bench_report(&bench, 0, 0, id), GW_OK);
    bench.now_ms += 60000;
    uint64_t head = gw_shard_head(bench.shard);
    struct gw_shard_subscription *subscription = gw_shard_subscribe(bench.shard, on_wake, &watcher);
    assert_int_equal(gw_shard_start(bench.shard, &error), GW_OK);
    while (gw_shard_head(bench.shard) == head) { // until the test's own time limit
        (void)sched_yield();
    }
    bench_expect(&bench, id, GRIDWARDEN__V1__INCIDENT_STATE__INCIDENT_STATE_OFFERED, "w2");
    for (int i = 0; i < 20; i++) {
        (void)snprintf(ids[i], sizeof(ids[i]), "late-%d", i);
        gridwarden__v1__report_request__init(&requests[i]);
        requests[i].request_id = ids[i];
        requests[i].class_code = (char *)"01";
        requests[i].address = (char *)"x";
        bench_submit(&bench, &requests[i].base, &replies[i]);
    }
    gw_shard_unsubscribe(bench.shard, subscription);
    bench_restart(&bench); // closes
    for (int i = 0; i < 20; i++) {
        assert_int_equal(replies[i].answers, 1);
        assert_int_equal(replies[i].err, GW_OK);
        bench_reply_free(&replies[i]);
    }
    bench_verify(&bench, NULL);
    bench_close(&bench);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_many_callers_and_a_watcher),
        cmocka_unit_test(test_the_thread_minds_timers_and_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
