// The published edition while it is replaced: each reader sees one throughout, and none is unmapped
// under a reader or kept after the last one.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "services/grids/current.h"
#include "services/grids/testing_borders.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { READERS = 3, SWAPS = 300, FILES = 5 };

static void path_of(uint64_t number, char path[512]) {
    const char *folder = getenv("TEST_TMPDIR");
    (void)snprintf(path, 512, "%s/current-%llu.gwe", folder != NULL ? folder : "/tmp",
                   (unsigned long long)number);
}

static struct gw_edition *make(uint64_t number) {
    char path[512];
    path_of(number, path);
    return testing_borders_open(number, path);
}

// Again, of a file that `make` has written.
static struct gw_edition *reopen(uint64_t number) {
    char path[512];
    struct gw_edition *edition = NULL;
    path_of(number, path);
    assert_int_equal(gw_edition_open(path, &edition, NULL), GW_OK);
    return edition;
}

static uint64_t number_of(struct gw_current *current) {
    const struct gw_edition *edition = gw_current_take(current);
    uint64_t number = gw_edition_number(edition);
    gw_current_release(current, edition);
    return number;
}

// How often the file of an edition is mapped into this process.
static int mappings(uint64_t number) {
    char path[512], line[1024];
    int count = 0;
    path_of(number, path);
    FILE *maps = fopen("/proc/self/maps", "r");
    assert_non_null(maps);
    while (fgets(line, sizeof(line), maps) != NULL) {
        count += strstr(line, path) != NULL;
    }
    (void)fclose(maps);
    return count;
}

static void test_an_edition_lives_as_long_as_its_readers(void **state) {
    (void)state;
    struct gw_current *current = gw_current_create(make(1));
    const struct gw_edition *first = gw_current_take(current);
    const struct gw_edition *again = gw_current_take(current);
    assert_ptr_equal(first, again);
    assert_int_equal(gw_current_replace(current, make(2)), GW_OK);
    const struct gw_edition *second = gw_current_take(current);
    assert_int_equal(gw_current_replace(current, make(3)), GW_OK);
    assert_int_equal(gw_edition_number(first), 1);
    assert_int_equal(gw_edition_number(second), 2);
    assert_int_equal(number_of(current), 3);
    assert_true(testing_borders_whole(first) && testing_borders_whole(second));
    gw_current_release(current, first); // not in the order in which they came
    assert_int_equal(mappings(1), 1);
    gw_current_release(current, second);
    assert_int_equal(mappings(2), 0);
    assert_true(testing_borders_whole(again));
    gw_current_release(current, again);
    assert_int_equal(mappings(1), 0);
    assert_int_equal(mappings(3), 1);
    gw_current_destroy(current);
    assert_int_equal(mappings(3), 0);
}

static void test_nobody_reads_an_edition_that_is_replaced(void **state) {
    (void)state;
    struct gw_current *current = gw_current_create(make(1));
    assert_int_equal(gw_current_replace(current, make(2)), GW_OK);
    assert_int_equal(mappings(1), 0);
    assert_int_equal(gw_current_replace(current, reopen(1)), GW_OK); // and back
    assert_int_equal(mappings(2), 0);
    assert_int_equal(number_of(current), 1);
    gw_current_destroy(current);
    gw_current_destroy(NULL);
}

struct scene {
    struct gw_current *current;
    atomic_bool over, torn;
    atomic_uint reads;
};

static void *read_on(void *context) {
    struct scene *scene = context;
    do {
        const struct gw_edition *edition = gw_current_take(scene->current);
        const struct gw_edition *nested = gw_current_take(scene->current); // perhaps a later one
        if (!testing_borders_whole(edition) || !testing_borders_whole(nested)) {
            atomic_store(&scene->torn, true);
        }
        gw_current_release(scene->current, edition);
        gw_current_release(scene->current, nested);
        (void)atomic_fetch_add(&scene->reads, 1u);
    } while (!atomic_load(&scene->over));
    return NULL;
}

static void test_readers_go_on_while_editions_change(void **state) {
    (void)state;
    pthread_t threads[READERS];
    struct scene scene = {.current = gw_current_create(make(1))};
    for (uint64_t number = 2; number <= FILES; number++) {
        gw_edition_close(make(number));
    }
    for (int i = 0; i < READERS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, read_on, &scene), 0);
    }
    for (uint64_t i = 0; i < SWAPS; i++) {
        assert_int_equal(gw_current_replace(scene.current, reopen(1 + i % FILES)), GW_OK);
    }
    atomic_store(&scene.over, true);
    for (int i = 0; i < READERS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    assert_false(atomic_load(&scene.torn));
    assert_true(atomic_load(&scene.reads) >= READERS);
    for (uint64_t number = 1; number <= FILES; number++) { // the last one alone is still mapped
        assert_int_equal(mappings(number), number == 1 + (SWAPS - 1) % FILES);
    }
    gw_current_destroy(scene.current);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_edition_lives_as_long_as_its_readers),
        cmocka_unit_test(test_nobody_reads_an_edition_that_is_replaced),
        cmocka_unit_test(test_readers_go_on_while_editions_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
