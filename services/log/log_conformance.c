#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "services/log/log_conformance.h"
#include "tests/support/random.h"
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#define TESTS_MAX 16

// Waits for `done`, which may come on another thread.
struct answer {
    pthread_mutex_t mutex;
    pthread_cond_t arrived;
    int count;
    uint64_t sequence;
    gw_err err;
    bool has_words;
};

struct opened {
    const struct log_factory *factory;
    struct gw_log *log;
    struct gw_store *store;
};

static void note_done(void *context, uint64_t sequence, gw_err err, const struct gw_error *error) {
    struct answer *answer = context;
    pthread_mutex_lock(&answer->mutex);
    answer->count++;
    answer->sequence = sequence;
    answer->err = err;
    answer->has_words = error != NULL && error->code == err && error->text[0] != '\0';
    pthread_cond_signal(&answer->arrived);
    pthread_mutex_unlock(&answer->mutex);
}

// Appends and waits. Answers come once, with the sequence asked for, and words where it failed.
static gw_err append(struct gw_log *log, uint64_t sequence, struct gw_slice entry,
                     struct gw_store_batch *views) {
    struct answer answer = {.count = 0};
    pthread_mutex_init(&answer.mutex, NULL);
    pthread_cond_init(&answer.arrived, NULL);
    log->ops->append(log, sequence, entry, views, note_done, &answer);
    pthread_mutex_lock(&answer.mutex);
    while (answer.count == 0) {
        pthread_cond_wait(&answer.arrived, &answer.mutex);
    }
    pthread_mutex_unlock(&answer.mutex);
    assert_int_equal(answer.count, 1);
    assert_true(answer.sequence == sequence);
    assert_true(answer.err == GW_OK || answer.has_words);
    pthread_cond_destroy(&answer.arrived);
    pthread_mutex_destroy(&answer.mutex);
    return answer.err;
}

static struct opened open_log(const struct log_factory *factory) {
    struct opened opened = {.factory = factory};
    struct gw_error error = {0};
    gw_err err = factory->open(factory->context, &opened.log, &opened.store, &error);
    if (err != GW_OK) {
        fail_msg("%s: %s", factory->name, error.text);
    }
    return opened;
}

static void close_log(struct opened *opened) {
    opened->factory->close(opened->factory->context, opened->log);
    opened->log = NULL;
}

static struct gw_slice text(const char *bytes) {
    return (struct gw_slice){bytes, strlen(bytes)};
}

// The bytes of an entry follow from its sequence: sizes from 0 up, all byte values.
static struct gw_slice entry_of(uint64_t sequence, unsigned char bytes[4096]) {
    struct test_random random = {sequence};
    size_t size = (size_t)test_random_range(&random, 0, sequence % 16 == 0 ? 4096 : 40);
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (unsigned char)test_random_next(&random);
    }
    return (struct gw_slice){bytes, size};
}

static void append_run(struct gw_log *log, uint64_t from, uint64_t to) {
    unsigned char bytes[4096];
    for (uint64_t sequence = from; sequence <= to; sequence++) {
        assert_int_equal(append(log, sequence, entry_of(sequence, bytes), NULL), GW_OK);
        assert_true(log->ops->head(log) == sequence);
    }
}

struct read_check {
    uint64_t next, stop_at;
    bool mismatch;
};

static bool check_entry(void *context, uint64_t sequence, struct gw_slice entry) {
    struct read_check *check = context;
    unsigned char bytes[4096];
    struct gw_slice expected = entry_of(sequence, bytes);
    check->mismatch = check->mismatch || sequence != check->next || entry.size != expected.size ||
                      (entry.size > 0 && memcmp(entry.data, expected.data, entry.size) != 0);
    check->next++;
    return sequence != check->stop_at;
}

// Reading from `from` gives the entries from there to `last`, each once and whole.
static void check_read(struct gw_log *log, uint64_t from, uint64_t last) {
    struct read_check check = {.next = from == 0 ? 1 : from};
    struct gw_error error = {0};
    assert_int_equal(log->ops->read(log, from, check_entry, &check, &error), GW_OK);
    assert_false(check.mismatch);
    assert_true(check.next == last + 1 || (from > last && check.next == from));
}

static void an_empty_log(void **state) {
    struct opened opened = open_log(*state);
    assert_true(opened.log->ops->head(opened.log) == 0);
    check_read(opened.log, 0, 0);
    check_read(opened.log, 1, 0);
    check_read(opened.log, 7, 0);
    close_log(&opened);
    opened = open_log(*state); // and closing an empty one loses nothing
    assert_true(opened.log->ops->head(opened.log) == 0);
    close_log(&opened);
}

static void entries_are_read_back(void **state) {
    struct opened opened = open_log(*state);
    append_run(opened.log, 1, 300); // past 255: the order of keys is that of numbers
    const uint64_t froms[] = {0, 1, 2, 255, 256, 257, 299, 300, 301, 1000, UINT64_MAX};
    for (size_t i = 0; i < sizeof froms / sizeof froms[0]; i++) {
        check_read(opened.log, froms[i], 300);
    }
    close_log(&opened);
}

static void a_visitor_can_stop(void **state) {
    struct opened opened = open_log(*state);
    append_run(opened.log, 1, 9);
    struct read_check check = {.next = 3, .stop_at = 5};
    assert_int_equal(opened.log->ops->read(opened.log, 3, check_entry, &check, NULL), GW_OK);
    assert_false(check.mismatch);
    assert_true(check.next == 6);
    close_log(&opened);
}

static void a_new_opening_goes_on_where_it_ended(void **state) {
    struct opened opened = open_log(*state);
    append_run(opened.log, 1, 20);
    close_log(&opened);
    opened = open_log(*state);
    assert_true(opened.log->ops->head(opened.log) == 20);
    append_run(opened.log, 21, 40);
    check_read(opened.log, 1, 40);
    close_log(&opened);
    opened = open_log(*state);
    check_read(opened.log, 1, 40);
    close_log(&opened);
}

static void check_view(struct gw_store *store, const char *key, const char *expected) {
    struct gw_store_value value;
    assert_int_equal(gw_store_get(store, GW_KS_INCIDENTS, text(key), &value, NULL), GW_OK);
    if (expected == NULL) {
        assert_null(value.bytes.data);
    } else {
        assert_int_equal(value.bytes.size, strlen(expected));
        assert_memory_equal(value.bytes.data, expected, value.bytes.size);
    }
    gw_store_value_release(&value);
}

static void views_ride_along(void **state) {
    struct opened opened = open_log(*state);
    struct gw_store_batch *views = gw_store_batch_create();
    unsigned char bytes[4096];
    gw_store_batch_put(views, opened.store, GW_KS_INCIDENTS, text("a"), text("one"));
    assert_int_equal(append(opened.log, 1, entry_of(1, bytes), views), GW_OK);
    check_view(opened.store, "a", "one");

    gw_store_batch_clear(views); // it is ours again
    gw_store_batch_put(views, opened.store, GW_KS_INCIDENTS, text("a"), text("two"));
    gw_store_batch_put(views, opened.store, GW_KS_INCIDENTS, text("b"), text("three"));
    assert_int_equal(append(opened.log, 2, entry_of(2, bytes), views), GW_OK);
    gw_store_batch_clear(views);
    gw_store_batch_delete(views, opened.store, GW_KS_INCIDENTS, text("b"));
    assert_int_equal(append(opened.log, 3, entry_of(3, bytes), views), GW_OK);
    assert_int_equal(append(opened.log, 4, entry_of(4, bytes), NULL), GW_OK); // none: none changes
    gw_store_batch_destroy(views);
    close_log(&opened);

    opened = open_log(*state);
    check_view(opened.store, "a", "two");
    check_view(opened.store, "b", NULL);
    check_read(opened.log, 1, 4);
    close_log(&opened);
}

static void a_wrong_sequence_is_refused_for_good(void **state) {
    const uint64_t wrong[] = {0, 1, 3, 5, UINT64_MAX}; // 4 would be right
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct opened opened = open_log(*state);
        if (i == 0) {
            append_run(opened.log, 1, 3);
        }
        struct gw_store_batch *views = gw_store_batch_create();
        gw_store_batch_put(views, opened.store, GW_KS_INCIDENTS, text("stray"), text("x"));
        assert_int_equal(append(opened.log, wrong[i], text("x"), views), GW_EINVAL);
        assert_int_equal(append(opened.log, 4, text("x"), views), GW_EUNAVAILABLE);
        gw_store_batch_destroy(views);
        check_view(opened.store, "stray", NULL);
        assert_true(opened.log->ops->head(opened.log) == 3);
        check_read(opened.log, 1, 3); // reading goes on
        close_log(&opened);
    }
    struct opened opened = open_log(*state);
    append_run(opened.log, 4, 5); // anew, it takes entries again
    check_read(opened.log, 1, 5);
    close_log(&opened);
}

static void a_failed_append_ends_the_log(void **state) {
    const struct log_factory *factory = *state;
    if (factory->break_next_append == NULL) {
        skip();
    }
    struct opened opened = open_log(factory);
    append_run(opened.log, 1, 5);
    factory->break_next_append(factory->context);
    struct gw_store_batch *views = gw_store_batch_create();
    gw_store_batch_put(views, opened.store, GW_KS_INCIDENTS, text("broken"), text("x"));
    unsigned char bytes[4096];
    assert_int_not_equal(append(opened.log, 6, entry_of(6, bytes), views), GW_OK);
    assert_int_equal(append(opened.log, 6, entry_of(6, bytes), NULL), GW_EUNAVAILABLE);
    assert_int_equal(append(opened.log, 7, entry_of(7, bytes), NULL), GW_EUNAVAILABLE);
    gw_store_batch_destroy(views);
    assert_true(opened.log->ops->head(opened.log) == 5);
    check_read(opened.log, 1, 5);
    close_log(&opened);

    opened =
        open_log(factory); // whether it is there is found by reading; with its views or not at all
    uint64_t head = opened.log->ops->head(opened.log);
    assert_in_range(head, 5, 6);
    check_view(opened.store, "broken", head == 6 ? "x" : NULL);
    check_read(opened.log, 1, head);
    append_run(opened.log, head + 1, head + 3);
    close_log(&opened);
}

struct reader {
    struct gw_log *log;
    atomic_bool stop;
    bool mismatch;
    uint64_t reads;
};

// Whatever is read while entries are appended is a whole prefix up to a head that never goes back.
static void *read_on(void *context) {
    struct reader *reader = context;
    uint64_t seen = 0;
    while (!atomic_load(&reader->stop) && !reader->mismatch) {
        uint64_t head = reader->log->ops->head(reader->log);
        uint64_t from = head > 8 ? head - 8 : 1;
        struct read_check check = {.next = from};
        gw_err err = reader->log->ops->read(reader->log, from, check_entry, &check, NULL);
        reader->mismatch = err != GW_OK || check.mismatch || check.next <= head || head < seen;
        seen = head;
        reader->reads++;
    }
    return NULL;
}

static void readers_see_whole_prefixes(void **state) {
    struct opened opened = open_log(*state);
    struct reader readers[2];
    pthread_t threads[2];
    for (int i = 0; i < 2; i++) {
        readers[i] = (struct reader){.log = opened.log};
        assert_int_equal(pthread_create(&threads[i], NULL, read_on, &readers[i]), 0);
    }
    append_run(opened.log, 1, 500);
    for (int i = 0; i < 2; i++) {
        atomic_store(&readers[i].stop, true);
        pthread_join(threads[i], NULL);
        assert_false(readers[i].mismatch);
    }
    close_log(&opened);
}

static int setup(void **state) {
    const struct log_factory *factory = *state;
    factory->make(factory->context);
    return 0;
}

static int teardown(void **state) {
    const struct log_factory *factory = *state;
    factory->drop(factory->context);
    return 0;
}

int log_conformance_run(const struct log_factory *factory) {
    struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_log),
        cmocka_unit_test(entries_are_read_back),
        cmocka_unit_test(a_visitor_can_stop),
        cmocka_unit_test(a_new_opening_goes_on_where_it_ended),
        cmocka_unit_test(views_ride_along),
        cmocka_unit_test(a_wrong_sequence_is_refused_for_good),
        cmocka_unit_test(a_failed_append_ends_the_log),
        cmocka_unit_test(readers_see_whole_prefixes),
    };
    size_t count = sizeof tests / sizeof tests[0];
    for (size_t i = 0; i < count; i++) {
        tests[i].initial_state = (void *)(uintptr_t)factory; // cmocka wants it without const
        tests[i].setup_func = setup;
        tests[i].teardown_func = teardown;
    }
    return _cmocka_run_group_tests(factory->name, tests, count, NULL, NULL);
}
