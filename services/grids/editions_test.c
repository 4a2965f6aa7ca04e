// Which edition is published: the rows in the store, and the files that they stand for.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "services/grids/edition_writer.h"
#include "services/grids/editions.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct world {
    char folder[300];
    struct gw_store *store;
};

static int set_up(void **state) {
    static struct world world;
    static int count;
    const char *temporary = getenv("TEST_TMPDIR");
    char path[400];
    assert_non_null(temporary);
    (void)snprintf(world.folder, sizeof(world.folder), "%s/editions-%d-%d", temporary,
                   (int)getpid(), count++);
    (void)snprintf(path, sizeof(path), "%s/db", world.folder);
    const struct gw_store_options options = {.create = true};
    struct gw_error error;
    *state = &world;
    return mkdir(world.folder, 0777) == 0 &&
                   gw_store_open(path, &options, &world.store, &error) == GW_OK
               ? 0
               : -1;
}

static int tear_down(void **state) {
    struct world *world = *state;
    gw_store_close(world->store);
    return 0;
}

// Writes a file of one square; its hash into hash[33].
static void write_file(struct world *world, const char *layer, uint64_t number, char hash[33]) {
    static const struct gw_point square[] = {{0, 0}, {100, 0}, {100, 100}, {0, 100}};
    const struct gw_edition_ring ring = {square, 4, GW_RING_SHELL};
    const struct gw_edition_grid_row row = {"g", "", "", 0, 0, &ring, 1};
    const struct gw_edition_input input = {
        .layer = layer, .label = "", .number = number, .grids = &row, .grid_count = 1};
    char path[400];
    struct gw_error error;
    struct gw_edition_written written;
    assert_int_equal(gw_editions_path(world->folder, layer, number, path, sizeof(path), &error),
                     GW_OK);
    assert_int_equal(gw_edition_write(&input, path, &written, &error), GW_OK);
    memcpy(hash, written.content_hash, 33);
}

static void record(struct world *world, const char *layer, uint64_t number,
                   Gridwarden__V1__EditionState state, const char *hash) {
    Gridwarden__V1__EditionRef ref = GRIDWARDEN__V1__EDITION_REF__INIT;
    Gridwarden__V1__Edition edition = GRIDWARDEN__V1__EDITION__INIT;
    Gridwarden__Store__V1__EditionEvent event = GRIDWARDEN__STORE__V1__EDITION_EVENT__INIT;
    char layer_text[GW_LAYER_MAX];
    char hash_text[33];
    (void)snprintf(layer_text, sizeof(layer_text), "%s", layer);
    (void)snprintf(hash_text, sizeof(hash_text), "%s", hash);
    ref.layer = layer_text;
    ref.number = number;
    edition.ref = &ref;
    edition.state = state;
    edition.content_hash = hash_text;
    event.edition = &edition;
    struct gw_error error;
    struct gw_store_batch *batch = gw_store_batch_create();
    assert_int_equal(gw_editions_apply(world->store, batch, &event, &error), GW_OK);
    assert_int_equal(gw_store_write(world->store, batch, false, &error), GW_OK);
    gw_store_batch_destroy(batch);
}

static bool describe(void *context, const Gridwarden__V1__Edition *edition) {
    char *text = context;
    size_t size = strlen(text);
    (void)snprintf(text + size, 200 - size, "%s%llu:%d ", edition->ref->layer,
                   (unsigned long long)edition->ref->number, (int)edition->state);
    return true;
}

static void expect_list(struct world *world, const char *wanted) {
    char text[200] = "";
    struct gw_error error;
    assert_int_equal(gw_editions_list(world->store, describe, text, &error), GW_OK);
    assert_string_equal(text, wanted);
}

#define STAGED GRIDWARDEN__V1__EDITION_STATE__EDITION_STATE_STAGED
#define PUBLISHED GRIDWARDEN__V1__EDITION_STATE__EDITION_STATE_PUBLISHED

static void publishing_supersedes(void **state) {
    struct world *world = *state;
    struct gw_error error;
    struct gw_edition *edition = NULL;
    char hash[33];
    uint64_t number = 0;
    assert_int_equal(gw_editions_next_number(world->store, "grid", &number, &error), GW_OK);
    assert_int_equal(number, 1);
    assert_int_equal(
        gw_editions_open_current(world->folder, world->store, "grid", &edition, &error),
        GW_ENOTFOUND);
    assert_non_null(strstr(error.text, "gridwarden import"));
    write_file(world, "grid", 1, hash);
    record(world, "grid", 1, STAGED, hash);
    expect_list(world, "grid1:1 ");
    assert_int_equal(
        gw_editions_open_current(world->folder, world->store, "grid", &edition, &error),
        GW_ENOTFOUND);
    record(world, "grid", 1, PUBLISHED, hash);
    write_file(world, "grid", 2, hash);
    record(world, "grid", 2, STAGED, hash);
    expect_list(world, "grid2:1 grid1:2 ");
    assert_int_equal(
        gw_editions_open_current(world->folder, world->store, "grid", &edition, &error), GW_OK);
    assert_int_equal(gw_edition_number(edition), 1);
    gw_edition_close(edition);
    record(world, "grid", 2, PUBLISHED, hash);
    record(world, "grid", 2, PUBLISHED, hash); // a replay changes nothing
    expect_list(world, "grid2:2 grid1:3 ");
    assert_int_equal(
        gw_editions_open_current(world->folder, world->store, "grid", &edition, &error), GW_OK);
    assert_int_equal(gw_edition_number(edition), 2);
    gw_edition_close(edition);
    assert_int_equal(gw_editions_next_number(world->store, "grid", &number, &error), GW_OK);
    assert_int_equal(number, 3);
}

static void layers_are_apart(void **state) {
    struct world *world = *state;
    struct gw_error error;
    struct gw_edition *edition = NULL;
    char hash[33];
    uint64_t number = 0;
    write_file(world, "grid", 300, hash);
    record(world, "grid", 300, PUBLISHED, hash);
    record(world, "gri", 9, PUBLISHED, hash);
    record(world, "grid2", 1, PUBLISHED, hash);
    record(world, "police", 2, STAGED, hash);
    expect_list(world, "police2:1 grid21:2 grid300:2 gri9:2 ");
    assert_int_equal(gw_editions_next_number(world->store, "gri", &number, &error), GW_OK);
    assert_int_equal(number, 10);
    assert_int_equal(gw_editions_next_number(world->store, "fire", &number, &error), GW_OK);
    assert_int_equal(number, 1);
    assert_int_equal(
        gw_editions_open_current(world->folder, world->store, "grid", &edition, &error), GW_OK);
    assert_int_equal(gw_edition_number(edition), 300);
    gw_edition_close(edition);
}

static void a_wrong_file_is_refused(void **state) {
    struct world *world = *state;
    struct gw_error error;
    struct gw_edition *edition = NULL;
    char hash[33];
    char path[400];
    write_file(world, "grid", 1, hash);
    record(world, "grid", 1, PUBLISHED, "00112233445566778899aabbccddeeff");
    assert_int_equal(
        gw_editions_open_current(world->folder, world->store, "grid", &edition, &error),
        GW_ECORRUPT);
    assert_non_null(strstr(error.text, "not the one"));
    assert_int_equal(gw_editions_path(world->folder, "grid", 1, path, sizeof(path), &error), GW_OK);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(
        gw_editions_open_current(world->folder, world->store, "grid", &edition, &error),
        GW_ECORRUPT);
    assert_non_null(strstr(error.text, "missing"));
}

static void any_edition_can_be_found_and_opened(void **state) {
    struct world *world = *state;
    struct gw_error error;
    struct gw_edition *edition = NULL;
    Gridwarden__V1__Edition *row = NULL;
    char hash[33];
    for (uint64_t number = 1; number <= 2; number++) {
        write_file(world, "grid", number, hash);
        record(world, "grid", number, STAGED, hash);
    }
    for (uint64_t number = 1; number <= 2; number++) {
        assert_int_equal(gw_editions_find(world->store, "grid", number, &row, &error), GW_OK);
        assert_int_equal(row->ref->number, number);
        assert_int_equal(row->state, STAGED);
        assert_int_equal(gw_editions_open(world->folder, row, &edition, &error), GW_OK);
        assert_int_equal(gw_edition_number(edition), number);
        gw_edition_close(edition);
        gridwarden__v1__edition__free_unpacked(row, NULL);
    }
    assert_int_equal(gw_editions_find(world->store, "grid", 3, &row, &error), GW_ENOTFOUND);
    assert_int_equal(gw_editions_find(world->store, "gri", 1, &row, &error), GW_ENOTFOUND);
    assert_int_equal(gw_editions_find(world->store, "", 1, &row, &error), GW_EINVAL);
}

static void odd_layers_are_refused(void **state) {
    struct world *world = *state;
    static const char *const names[] = {
        "", "Grid", "a/b", "..", "a b", "网", "a1234567890123456789012345678901"};
    struct gw_error error;
    char path[400];
    uint64_t number = 0;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        assert_int_equal(gw_editions_path("/x", names[i], 1, path, sizeof(path), &error),
                         GW_EINVAL);
        assert_int_equal(gw_editions_next_number(world->store, names[i], &number, &error),
                         GW_EINVAL);
    }
    assert_int_equal(gw_editions_path("/x", "a-b_9", 12, path, sizeof(path), &error), GW_OK);
    assert_string_equal(path, "/x/editions/a-b_9-12.gwe");
    assert_int_equal(gw_editions_path("/x", "grid", 1, path, 10, &error), GW_EINVAL);
    Gridwarden__Store__V1__EditionEvent event = GRIDWARDEN__STORE__V1__EDITION_EVENT__INIT;
    struct gw_store_batch *batch = gw_store_batch_create();
    assert_int_equal(gw_editions_apply(world->store, batch, &event, &error), GW_EINVAL);
    gw_store_batch_destroy(batch);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(publishing_supersedes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(layers_are_apart, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_wrong_file_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(any_edition_can_be_found_and_opened, set_up, tear_down),
        cmocka_unit_test_setup_teardown(odd_layers_are_refused, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("editions in the store", tests, NULL, NULL);
}
