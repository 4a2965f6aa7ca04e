#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "services/log/log_conformance.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

struct local_factory {
    char folder[512];
    struct gw_store *store;
    int made;
};

static void factory_make(void *context) {
    struct local_factory *factory = context;
    const char *root = getenv("TEST_TMPDIR");
    snprintf(factory->folder, sizeof factory->folder, "%s/log-%d-%d", root != NULL ? root : ".",
             (int)getpid(), factory->made++);
}

static gw_err factory_open(void *context, struct gw_log **log, struct gw_store **store,
                           struct gw_error *error) {
    struct local_factory *factory = context;
    gw_err err = gw_store_open(factory->folder, &(struct gw_store_options){.create = true},
                               &factory->store, error);
    if (err == GW_OK) {
        err = gw_log_local_open(factory->store, log, error);
    }
    *store = factory->store;
    return err;
}

static void allow_file_bytes(rlim_t bytes) {
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void factory_close(void *context, struct gw_log *log) {
    struct local_factory *factory = context;
    allow_file_bytes(RLIM_INFINITY);
    log->ops->close(log);
    gw_store_close(factory->store);
    factory->store = NULL;
}

static void factory_drop(void *context) {
    (void)context; // the test's folder goes as a whole
}

// The medium refuses: no file may grow.
static void factory_break(void *context) {
    (void)context;
    allow_file_bytes(1);
}

static struct local_factory factory;

static void put_row(struct gw_store *store, struct gw_slice key) {
    struct gw_store_batch *batch = gw_store_batch_create();
    gw_store_batch_put(batch, store, GW_KS_LOG, key, (struct gw_slice){"x", 1});
    assert_int_equal(gw_store_write(store, batch, false, NULL), GW_OK);
    gw_store_batch_destroy(batch);
}

static void put_entries(struct gw_store *store, const uint8_t *sequences, size_t count) {
    for (size_t i = 0; i < count; i++) {
        uint8_t key[8] = {0, 0, 0, 0, 0, 0, 0, sequences[i]};
        put_row(store, (struct gw_slice){key, sizeof key});
    }
}

static bool count_entries(void *context, uint64_t sequence, struct gw_slice entry) {
    (void)sequence;
    (void)entry;
    (*(int *)context)++;
    return true;
}

static void a_gap_is_damage(void **state) {
    (void)state;
    factory_make(&factory);
    struct gw_store *store = NULL;
    assert_int_equal(
        gw_store_open(factory.folder, &(struct gw_store_options){.create = true}, &store, NULL),
        GW_OK);
    put_entries(store, (const uint8_t[]){1, 2, 4, 5}, 4);
    struct gw_log *log = NULL;
    struct gw_error error = {0};
    assert_int_equal(gw_log_local_open(store, &log, &error), GW_ECORRUPT);
    assert_non_null(strstr(error.text, "before entry 4"));
    gw_store_close(store);
}

static void a_foreign_key_is_damage(void **state) {
    (void)state;
    factory_make(&factory);
    struct gw_store *store = NULL;
    assert_int_equal(
        gw_store_open(factory.folder, &(struct gw_store_options){.create = true}, &store, NULL),
        GW_OK);
    put_row(store, (struct gw_slice){"short", 5});
    struct gw_log *log = NULL;
    assert_int_equal(gw_log_local_open(store, &log, NULL), GW_ECORRUPT);
    gw_store_close(store);
}

static void entries_lost_while_open_are_noticed(void **state) {
    (void)state;
    factory_make(&factory);
    struct gw_store *store = NULL;
    assert_int_equal(
        gw_store_open(factory.folder, &(struct gw_store_options){.create = true}, &store, NULL),
        GW_OK);
    put_entries(store, (const uint8_t[]){1, 2, 3, 4, 5}, 5);
    struct gw_log *log = NULL;
    assert_int_equal(gw_log_local_open(store, &log, NULL), GW_OK);
    struct gw_store_batch *batch = gw_store_batch_create();
    gw_store_batch_delete(batch, store, GW_KS_LOG, (struct gw_slice){"\0\0\0\0\0\0\0\3", 8});
    assert_int_equal(gw_store_write(store, batch, false, NULL), GW_OK);
    int count = 0;
    struct gw_error error = {0};
    assert_int_equal(log->ops->read(log, 1, count_entries, &count, &error), GW_ECORRUPT);
    assert_non_null(strstr(error.text, "lacks entry 3"));
    assert_int_equal(count, 2);
    assert_int_equal(log->ops->read(log, 3, count_entries, &count, NULL), GW_ECORRUPT);

    // With all before it gone as well, it has been trimmed.
    gw_store_batch_delete(batch, store, GW_KS_LOG, (struct gw_slice){"\0\0\0\0\0\0\0\1", 8});
    gw_store_batch_delete(batch, store, GW_KS_LOG, (struct gw_slice){"\0\0\0\0\0\0\0\2", 8});
    assert_int_equal(gw_store_write(store, batch, false, NULL), GW_OK);
    assert_int_equal(log->ops->read(log, 1, count_entries, &count, &error), GW_ERANGE);
    assert_int_equal(log->ops->read(log, 3, count_entries, &count, &error), GW_ERANGE);
    count = 0;
    assert_int_equal(log->ops->read(log, 4, count_entries, &count, &error), GW_OK);
    assert_int_equal(count, 2);
    gw_store_batch_destroy(batch);
    log->ops->close(log);
    gw_store_close(store);
}

int main(void) {
    signal(SIGXFSZ, SIG_IGN); // a refused write returns EFBIG instead
    const struct log_factory conformance = {
        .name = "log_local_conformance",
        .context = &factory,
        .make = factory_make,
        .open = factory_open,
        .close = factory_close,
        .drop = factory_drop,
        .break_next_append = factory_break,
    };
    int failed = log_conformance_run(&conformance);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_gap_is_damage),
        cmocka_unit_test(a_foreign_key_is_damage),
        cmocka_unit_test(entries_lost_while_open_are_noticed),
    };
    return failed + cmocka_run_group_tests_name("log_local", tests, NULL, NULL);
}
