// The check of all that is stored: it passes on what the shard wrote, and finds what was changed.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "services/shard/testing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct bench bench;

// A bit of everything.
static int set_up(void **state) {
    (void)state;
    char id[GW_INCIDENT_ID_SIZE];
    bench_open(&bench);
    bench_staff(&bench, 2);
    for (int i = 0; i < 6; i++) {
        assert_int_equal(bench_report(&bench, i % 3, i % 2, id), GW_OK);
    }
    assert_int_equal(bench_report(&bench, 0, 0, id), GW_OK);
    static const enum gw_incident_command_kind kinds[] = {GW_INCIDENT_ACCEPT, GW_INCIDENT_START,
                                                          GW_INCIDENT_RESOLVE, GW_INCIDENT_CLOSE};
    Gridwarden__V1__Incident *incident = bench_incident(&bench, id);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(bench_act(&bench, kinds[i], id, incident->handler), GW_OK);
    }
    gridwarden__v1__incident__free_unpacked(incident, NULL);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    bench_close(&bench);
    return 0;
}

static void test_sound_store_passes(void **state) {
    (void)state;
    struct gw_shard_verify_totals totals;
    bench_verify(&bench, &totals);
    assert_int_equal(totals.entries, gw_shard_head(bench.shard));
    assert_int_equal(totals.incidents, 7);
    assert_int_equal(totals.workers, 5);
    assert_int_equal(totals.receipts, 5 * 2 + 7 + 4);
}

struct row {
    unsigned char key[256], value[8192];
    size_t key_size, value_size;
    int skip;
};

static bool take_row(void *context, struct gw_slice key, struct gw_slice value) {
    struct row *row = context;
    if (row->skip-- > 0) {
        return true;
    }
    assert_true(key.size <= sizeof(row->key) && value.size <= sizeof(row->value));
    memcpy(row->key, key.data, key.size);
    memcpy(row->value, value.data, value.size);
    row->key_size = key.size;
    row->value_size = value.size;
    return false;
}

static void get_row(enum gw_keyspace space, int number, struct row *row) {
    struct gw_error error;
    memset(row, 0, sizeof(*row));
    row->skip = number;
    assert_int_equal(
        gw_store_scan(bench.store, space, (struct gw_slice){NULL, 0}, false, take_row, row, &error),
        GW_OK);
    assert_true(row->key_size > 0);
}

static void put_row(enum gw_keyspace space, const struct row *row, bool delete) {
    struct gw_error error;
    struct gw_store_batch *batch = gw_store_batch_create();
    struct gw_slice key = {row->key, row->key_size}, value = {row->value, row->value_size};
    if (delete) {
        gw_store_batch_delete(batch, bench.store, space, key);
    } else {
        gw_store_batch_put(batch, bench.store, space, key, value);
    }
    assert_int_equal(gw_store_write(bench.store, batch, true, &error), GW_OK);
    gw_store_batch_destroy(batch);
}

static void expect_found(const char *word) {
    struct gw_shard_verify_totals totals;
    struct gw_error error = {GW_OK, ""};
    assert_int_equal(gw_shard_verify(bench.store, bench.log, &totals, &error), GW_ECORRUPT);
    if (strstr(error.text, word) == NULL) {
        fail_msg("\"%s\" is not in \"%s\"", word, error.text);
    }
}

static const struct {
    enum gw_keyspace space;
    int row;
    const char *changed, *deleted; // words of the finding; NULL: not tried
} views[] = {
    {GW_KS_INCIDENTS, 0, "record of", "record of"},
    {GW_KS_INCIDENTS, 6, "record of", "record of"},
    {GW_KS_INCIDENT_EVENTS, 0, "event of", "event of"},
    {GW_KS_INCIDENT_EVENTS, 7, "event of", "event of"},
    {GW_KS_INDEXES, 0, NULL, "missing in index"},
    {GW_KS_INDEXES, 20, NULL, "missing in index"},
    {GW_KS_WORKERS, 2, "record of worker", "record of worker"},
    {GW_KS_RECEIPTS, 3, "receipt of", "receipt of"},
    {GW_KS_RECEIPT_TIMES, 3, NULL, "receipts"},
    {GW_KS_EDITIONS, 0, "edition", "edition"},
};

static void test_changed_views_are_found(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof(views) / sizeof(views[0]); i++) {
        struct row row;
        get_row(views[i].space, views[i].row, &row);
        if (views[i].changed != NULL) {
            row.value[row.value_size / 2] ^= 1;
            put_row(views[i].space, &row, false);
            expect_found(views[i].changed);
            row.value[row.value_size / 2] ^= 1;
            put_row(views[i].space, &row, false);
        }
        put_row(views[i].space, &row, true);
        expect_found(views[i].deleted);
        put_row(views[i].space, &row, false);
        bench_verify(&bench, NULL);
    }
}

static void test_added_views_are_found(void **state) {
    (void)state;
    static const struct {
        enum gw_keyspace space;
        const char *word;
    } spaces[] = {{GW_KS_INCIDENT_EVENTS, "events"}, {GW_KS_INDEXES, "index rows"},
                  {GW_KS_RECEIPTS, "receipts"},      {GW_KS_RECEIPT_TIMES, "times of receipts"},
                  {GW_KS_WORKERS, "workers"},        {GW_KS_EDITIONS, "editions"}};
    for (size_t i = 0; i < sizeof(spaces) / sizeof(spaces[0]); i++) {
        struct row row;
        get_row(spaces[i].space, 0, &row);
        row.key[row.key_size++] = 'x';
        put_row(spaces[i].space, &row, false);
        expect_found(spaces[i].word);
        put_row(spaces[i].space, &row, true);
        bench_verify(&bench, NULL);
    }
}

static void test_changed_numbers_are_found(void **state) {
    (void)state;
    static const char *const names[] = {"shard-counter", "shard-sequence"};
    for (int i = 0; i < 2; i++) {
        struct row row = {.key_size = strlen(names[i]), .value_size = 8};
        struct gw_store_value value;
        struct gw_error error;
        memcpy(row.key, names[i], row.key_size);
        assert_int_equal(gw_store_get(bench.store, GW_KS_META,
                                      (struct gw_slice){row.key, row.key_size}, &value, &error),
                         GW_OK);
        assert_int_equal(value.bytes.size, 8);
        memcpy(row.value, value.bytes.data, 8);
        gw_store_value_release(&value);
        row.value[7]++;
        put_row(GW_KS_META, &row, false);
        expect_found(names[i]);
        row.value[7]--;
        put_row(GW_KS_META, &row, false);
    }
}

static void test_changed_entries_are_found(void **state) {
    (void)state;
    uint64_t head = gw_shard_head(bench.shard);
    for (int number = 0; number < (int)head; number++) {
        struct row row, whole;
        get_row(GW_KS_LOG, number, &row);
        whole = row;
        char *found = NULL; // a byte of a text, so that the entry can still be unpacked
        for (size_t i = 0; i + 9 < row.value_size && found == NULL; i++) {
            if (memcmp(row.value + i, "hotline-7", 9) == 0 ||
                memcmp(row.value + i, "somebody", 8) == 0) {
                found = (char *)row.value + i;
            }
        }
        if (found != NULL) {
            *found = 'H';
            put_row(GW_KS_LOG, &row, false);
            struct gw_shard_verify_totals totals;
            struct gw_error error;
            assert_int_equal(gw_shard_verify(bench.store, bench.log, &totals, &error), GW_ECORRUPT);
        }
        row = whole;
        row.value_size--; // cut short
        put_row(GW_KS_LOG, &row, false);
        struct gw_shard_verify_totals totals;
        struct gw_error error;
        assert_int_equal(gw_shard_verify(bench.store, bench.log, &totals, &error), GW_ECORRUPT);
        put_row(GW_KS_LOG, &whole, false);
    }
    bench_verify(&bench, NULL);
}

static void test_entries_that_are_gone_are_found(void **state) {
    (void)state;
    struct row row;
    get_row(GW_KS_LOG, 4, &row);
    put_row(GW_KS_LOG, &row, true);
    struct gw_shard_verify_totals totals;
    struct gw_error error;
    gw_err err = gw_shard_verify(bench.store, bench.log, &totals, &error);
    assert_true(err == GW_ECORRUPT || err == GW_ERANGE);
    put_row(GW_KS_LOG, &row, false);
    bench_verify(&bench, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sound_store_passes),
        cmocka_unit_test(test_changed_views_are_found),
        cmocka_unit_test(test_added_views_are_found),
        cmocka_unit_test(test_changed_numbers_are_found),
        cmocka_unit_test(test_changed_entries_are_found),
        cmocka_unit_test(test_entries_that_are_gone_are_found),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
