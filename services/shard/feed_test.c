// The feed: every durable entry once and in order, from memory and from the log.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "services/shard/testing.h"

#include <string.h>

static struct bench bench;

static int set_up(void **state) {
    (void)state;
    bench_open(&bench);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    bench_close(&bench);
    return 0;
}

struct reader {
    uint64_t last, stop_at;
    uint32_t entries, events;
};

static bool read_entry(void *context, const Gridwarden__Store__V1__LogEntry *entry) {
    struct reader *reader = context;
    assert_int_equal(entry->sequence, reader->last + 1);
    reader->last = entry->sequence;
    reader->entries++;
    reader->events += (uint32_t)entry->n_events;
    return entry->sequence != reader->stop_at;
}

static void test_reads_resume_where_they_stopped(void **state) {
    (void)state;
    struct reader reader = {.stop_at = 5};
    struct gw_error error;
    char id[GW_INCIDENT_ID_SIZE];
    for (int i = 0; i < 10; i++) {
        assert_int_equal(bench_report(&bench, 0, 0, id), GW_OK);
    }
    uint64_t head = gw_shard_head(bench.shard);
    assert_int_equal(head, 12); // two of the edition come first, from before the shard was opened
    assert_int_equal(gw_shard_read(bench.shard, 0, read_entry, &reader, &error), GW_OK);
    assert_int_equal(reader.last, 5);
    reader.stop_at = 0;
    assert_int_equal(gw_shard_read(bench.shard, reader.last, read_entry, &reader, &error), GW_OK);
    assert_int_equal(reader.last, head);
    assert_int_equal(gw_shard_read(bench.shard, head, read_entry, &reader, &error), GW_OK);
    assert_int_equal(reader.entries, 12);
    assert_int_equal(reader.events, 2 + 10 * 3);
    assert_int_equal(gw_shard_read(bench.shard, head + 1, read_entry, &reader, &error), GW_ERANGE);
    bench_restart(&bench); // nothing in memory any more
    struct reader again = {.stop_at = 0};
    assert_int_equal(gw_shard_read(bench.shard, 0, read_entry, &again, &error), GW_OK);
    assert_int_equal(again.events, reader.events);
}

static void test_old_entries_come_from_the_log(void **state) {
    (void)state;
    enum { ENTRIES = 1100 }; // more than are kept in memory
    struct reader reader = {.stop_at = 0}, stopped = {.stop_at = 40};
    struct gw_error error;
    char id[GW_INCIDENT_ID_SIZE];
    for (int i = 0; i < ENTRIES; i++) {
        assert_int_equal(bench_report_address(&bench, id), GW_OK);
    }
    assert_int_equal(gw_shard_read(bench.shard, 0, read_entry, &stopped, &error), GW_OK);
    assert_int_equal(stopped.last, 40);
    assert_int_equal(gw_shard_read(bench.shard, 0, read_entry, &reader, &error), GW_OK);
    assert_int_equal(reader.entries, ENTRIES + 2);
}

static void wake(void *context) {
    ++*(uint32_t *)context;
}

static void test_each_entry_wakes_who_subscribed(void **state) {
    (void)state;
    uint32_t first = 0, second = 0;
    char id[GW_INCIDENT_ID_SIZE];
    struct gw_shard_subscription *a = gw_shard_subscribe(bench.shard, wake, &first);
    struct gw_shard_subscription *b = gw_shard_subscribe(bench.shard, wake, &second);
    assert_int_equal(bench_report(&bench, 0, 0, id), GW_OK);
    gw_shard_unsubscribe(bench.shard, a);
    assert_int_equal(bench_report(&bench, 0, 0, id), GW_OK);
    assert_int_equal(gw_shard_step(bench.shard), 0); // nothing new: nobody is woken
    assert_int_equal(first, 1);
    assert_int_equal(second, 2);
    gw_shard_unsubscribe(bench.shard, b);
}

static bool check_views(void *context, const Gridwarden__Store__V1__LogEntry *entry) {
    (void)context;
    for (size_t i = 0; i < entry->n_events; i++) {
        if (entry->events[i]->kind_case == GRIDWARDEN__STORE__V1__EVENT__KIND_INCIDENT) {
            const Gridwarden__V1__IncidentEvent *event = entry->events[i]->incident;
            Gridwarden__V1__Incident *incident = bench_incident(&bench, event->incident_id);
            assert_true(incident->version >= event->version);
            gridwarden__v1__incident__free_unpacked(incident, NULL);
        }
    }
    return true;
}

static void test_views_are_never_behind_the_feed(void **state) {
    (void)state;
    struct gw_error error;
    char id[GW_INCIDENT_ID_SIZE];
    for (int i = 0; i < 5; i++) {
        assert_int_equal(bench_report(&bench, i % 3, 0, id), GW_OK);
        assert_int_equal(gw_shard_read(bench.shard, 0, check_views, NULL, &error), GW_OK);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_reads_resume_where_they_stopped, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_old_entries_come_from_the_log, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_each_entry_wakes_who_subscribed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_views_are_never_behind_the_feed, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
