// Another edition takes over: homes, rosters and who is asked are those of the new one, exactly as
// if the roster had been loaded with it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "services/workers/testing.h"
#include "tests/support/random.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define PEOPLE 120
#define EDITIONS 4
#define ROUNDS 30
#define NOW INT64_C(1700000000000)

struct scene {
    struct gw_edition *editions[EDITIONS];
    struct gw_workers *workers;
    struct test_random random;
    atomic_bool over;
    atomic_uint answers;
};

static void person_id(int64_t number, char id[16]) {
    (void)snprintf(id, 16, "w%03d", (int)number);
}

// The whole city, without its first and without its last six grids, and another one altogether.
static void open_editions(struct scene *scene) {
    static const struct test_city cities[EDITIONS] = {
        {.number = 7}, {.number = 8, .from = 6}, {.number = 9, .to = 19}, {.number = 10, .to = 1}};
    for (int i = 0; i < EDITIONS; i++) {
        scene->editions[i] = test_city_open_part(&cities[i]);
    }
}

static void close_editions(struct scene *scene) {
    for (int i = 0; i < EDITIONS; i++) {
        gw_edition_close(scene->editions[i]);
    }
}

static void people_come(struct scene *scene) {
    struct gw_edition *whole = scene->editions[0];
    char id[16];
    for (int i = 0; i < PEOPLE; i++) {
        struct test_upsert upsert;
        person_id(i, id);
        test_upsert_init(&upsert, id,
                         test_city_code(whole, (uint32_t)test_random_range(&scene->random, 0,
                                                                           TEST_CITY_GRIDS - 1)),
                         i % 2 == 0 ? "water" : "");
        const char *second = test_city_code(
            whole, (uint32_t)test_random_range(&scene->random, 0, TEST_CITY_GRIDS - 1));
        if (strcmp(second, upsert.homes[0]) != 0) {
            upsert.homes[1] = (char *)second;
            upsert.worker.n_home_grids = 2;
        }
        upsert.worker.capacity = 2;
        test_upsert_apply(scene->workers, &upsert);
        if (i % 5 != 0) {
            test_duty(scene->workers, id, GRIDWARDEN__V1__DUTY__DUTY_ON);
            test_reserve(scene->workers, id, "inc");
        }
        if (i % 3 != 0) {
            test_report(scene->workers, id,
                        123.0 + test_random_unit(&scene->random) * 0.01 * TEST_CITY_GRIDS, 42.005,
                        NOW);
        }
    }
}

// The same roster in a process that starts with this edition.
static struct gw_workers *load_with(struct scene *scene, const struct gw_edition *edition) {
    struct gw_workers *loaded = gw_workers_create(edition);
    unsigned char *positions = NULL;
    size_t size;
    char id[16];
    for (int i = 0; i < PEOPLE; i++) {
        person_id(i, id);
        Gridwarden__Store__V1__WorkerRecord *record = gw_workers_record(scene->workers, id);
        gw_workers_load(loaded, record);
        gridwarden__store__v1__worker_record__free_unpacked(record, NULL);
    }
    assert_int_equal(gw_workers_snapshot(scene->workers, &positions, &size), GW_OK);
    assert_int_equal(gw_workers_snapshot_load(loaded, positions, size), GW_OK);
    free(positions);
    return loaded;
}

static void assert_same_roster(struct gw_workers *a, struct gw_workers *b, const char *code) {
    static char *left[PEOPLE + 1], *right[PEOPLE + 1];
    uint32_t count = gw_workers_roster(a, code, PEOPLE + 1, left);
    assert_int_equal(gw_workers_roster(b, code, PEOPLE + 1, right), count);
    for (uint32_t i = 0; i < count; i++) {
        assert_string_equal(left[i], right[i]);
        free(left[i]);
        free(right[i]);
    }
}

static void assert_same_candidates(struct gw_workers *a, struct gw_workers *b, uint32_t grid,
                                   const char *skill) {
    struct gw_policy policy;
    gw_policy_default(&policy);
    policy.level_max = 4;
    struct gw_candidate_query query = {.grid = grid,
                                       .point = {1230000000 + (int32_t)grid * 100000, 420050000},
                                       .skill = skill,
                                       .now_ms = NOW,
                                       .policy = &policy};
    Gridwarden__V1__Candidate left[GW_CANDIDATES_MAX], right[GW_CANDIDATES_MAX];
    uint32_t left_eligible, right_eligible;
    uint32_t count = gw_workers_candidates(a, &query, left, &left_eligible);
    assert_int_equal(gw_workers_candidates(b, &query, right, &right_eligible), count);
    assert_int_equal(left_eligible, right_eligible);
    for (uint32_t i = 0; i < count; i++) {
        assert_string_equal(left[i].worker_id, right[i].worker_id);
        assert_int_equal(left[i].level, right[i].level);
    }
    gw_candidates_free(left, count);
    gw_candidates_free(right, count);
}

static void assert_same_list(struct gw_workers *a, struct gw_workers *b, const char *prefix) {
    static Gridwarden__V1__Worker *left[PEOPLE], *right[PEOPLE];
    uint32_t count = gw_workers_list(a, "", prefix, PEOPLE, left);
    assert_int_equal(gw_workers_list(b, "", prefix, PEOPLE, right), count);
    for (uint32_t i = 0; i < count; i++) {
        assert_string_equal(left[i]->id, right[i]->id);
        gridwarden__v1__worker__free_unpacked(left[i], NULL);
        gridwarden__v1__worker__free_unpacked(right[i], NULL);
    }
}

static void assert_as_if_loaded(struct scene *scene, const struct gw_edition *edition) {
    struct gw_workers *loaded = load_with(scene, edition);
    struct gw_workers_totals totals, loaded_totals;
    for (uint32_t i = 0; i < TEST_CITY_GRIDS; i++) { // also the codes that this edition lacks
        assert_same_roster(scene->workers, loaded, test_city_code(scene->editions[0], i));
    }
    for (uint32_t grid = 0; grid < gw_edition_grid_count(edition) + 1; grid++) {
        assert_same_candidates(scene->workers, loaded, grid, "");
        assert_same_candidates(scene->workers, loaded, grid, "water");
    }
    assert_same_list(scene->workers, loaded, "");
    assert_same_list(scene->workers, loaded, "2112");
    assert_same_list(scene->workers, loaded, "211201002");
    gw_workers_totals(scene->workers, &totals);
    gw_workers_totals(loaded, &loaded_totals);
    assert_memory_equal(&totals, &loaded_totals, sizeof(totals));
    gw_workers_destroy(loaded);
}

static void test_a_change_is_as_a_start_with_the_new_edition(void **state) {
    (void)state;
    struct scene scene = {.random = test_random_seeded("edition change", 5)};
    open_editions(&scene);
    scene.workers = gw_workers_create(scene.editions[0]);
    people_come(&scene);
    assert_as_if_loaded(&scene, scene.editions[0]);
    for (int i = 0; i < ROUNDS; i++) {
        const struct gw_edition *edition =
            scene.editions[test_random_range(&scene.random, 0, EDITIONS - 1)];
        gw_workers_set_edition(scene.workers, edition);
        assert_as_if_loaded(&scene, edition);
        char id[16]; // life goes on in between: somebody moves within what is there
        person_id(test_random_range(&scene.random, 0, PEOPLE - 1), id);
        test_add(scene.workers, id,
                 test_city_code(edition, (uint32_t)test_random_range(
                                             &scene.random, 0, gw_edition_grid_count(edition) - 1)),
                 "");
    }
    gw_workers_destroy(scene.workers);
    close_editions(&scene);
}

static uint32_t roster_count(struct gw_workers *workers, const char *code) {
    char *ids[4];
    uint32_t count = gw_workers_roster(workers, code, 4, ids);
    for (uint32_t i = 0; i < count; i++) {
        free(ids[i]);
    }
    return count;
}

static void test_who_has_lost_his_grid_stays_and_comes_back(void **state) {
    (void)state;
    struct scene scene = {.over = false};
    open_editions(&scene);
    const char *home = test_city_code(scene.editions[0], 0); // not in editions[1]
    scene.workers = gw_workers_create(scene.editions[0]);
    test_add(scene.workers, "w", home, "water");
    test_duty(scene.workers, "w", GRIDWARDEN__V1__DUTY__DUTY_ON);
    test_reserve(scene.workers, "w", "inc");
    size_t size = 0, size_after = 0;
    unsigned char *before = test_record(scene.workers, "w", &size);
    gw_workers_set_edition(scene.workers, scene.editions[1]);
    assert_int_equal(roster_count(scene.workers, home), 0);
    unsigned char *after = test_record(scene.workers, "w", &size_after);
    assert_int_equal(size, size_after);
    assert_memory_equal(before, after, size); // his record is not the edition's business
    Gridwarden__V1__Worker *worker = gw_workers_get(scene.workers, "w");
    assert_string_equal(worker->home_grids[0], home);
    assert_int_equal(worker->load, 1);
    gridwarden__v1__worker__free_unpacked(worker, NULL);
    struct test_upsert upsert; // nobody new can be given the grid that is gone
    test_upsert_init(&upsert, "x", home, "");
    Gridwarden__V1__UpsertWorkersResponse response = GRIDWARDEN__V1__UPSERT_WORKERS_RESPONSE__INIT;
    struct gw_worker_events events = {0};
    struct gw_error error;
    assert_int_equal(
        gw_workers_decide_upsert(scene.workers, &upsert.request, 1, &events, &response, &error),
        GW_EINVAL);
    assert_non_null(strstr(error.text, "edition 8"));
    gw_workers_set_edition(scene.workers, scene.editions[0]);
    assert_int_equal(roster_count(scene.workers, home), 1);
    free(before);
    free(after);
    gw_workers_destroy(scene.workers);
    close_editions(&scene);
}

// ---- at once with readers ----

static void ask_once(struct scene *scene, struct test_random *random) {
    struct gw_policy policy;
    gw_policy_default(&policy);
    struct gw_candidate_query query = {
        .grid = (uint32_t)test_random_range(random, 0, TEST_CITY_GRIDS - 1),
        .point = {1230000000, 420000000},
        .skill = "",
        .now_ms = NOW,
        .policy = &policy};
    Gridwarden__V1__Candidate out[GW_CANDIDATES_MAX];
    uint32_t eligible;
    gw_candidates_free(out, gw_workers_candidates(scene->workers, &query, out, &eligible));
    (void)roster_count(scene->workers, "21120100100101");
    Gridwarden__V1__Worker *page[10];
    uint32_t count = gw_workers_list(scene->workers, "", "211201", 10, page);
    while (count > 0) {
        gridwarden__v1__worker__free_unpacked(page[--count], NULL);
    }
}

static void *ask(void *context) {
    struct scene *scene = context;
    struct test_random random = {3};
    do {
        ask_once(scene, &random);
        (void)atomic_fetch_add(&scene->answers, 1u);
    } while (!atomic_load(&scene->over));
    return NULL;
}

static void *report(void *context) {
    struct scene *scene = context;
    for (int64_t i = 0; !atomic_load(&scene->over); i++) {
        char id[16];
        person_id(i % PEOPLE, id);
        test_report(scene->workers, id, 123.05, 42.005, NOW + i);
    }
    return NULL;
}

static void test_readers_go_on_meanwhile(void **state) {
    (void)state;
    struct scene scene = {.random = {9}};
    pthread_t threads[3];
    open_editions(&scene);
    scene.workers = gw_workers_create(scene.editions[0]);
    people_come(&scene);
    void *(*const roles[])(void *) = {ask, ask, report};
    for (int i = 0; i < 3; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, roles[i], &scene), 0);
    }
    for (int i = 1; i <= ROUNDS * 3; i++) {
        gw_workers_set_edition(scene.workers, scene.editions[i % EDITIONS]);
        test_duty(scene.workers, "w001",
                  i % 2 == 0 ? GRIDWARDEN__V1__DUTY__DUTY_ON : GRIDWARDEN__V1__DUTY__DUTY_OFF);
    }
    atomic_store(&scene.over, true);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    assert_true(atomic_load(&scene.answers) >= 2);
    gw_workers_set_edition(scene.workers, scene.editions[0]);
    assert_as_if_loaded(&scene, scene.editions[0]);
    gw_workers_destroy(scene.workers);
    close_editions(&scene);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_change_is_as_a_start_with_the_new_edition),
        cmocka_unit_test(test_who_has_lost_his_grid_stays_and_comes_back),
        cmocka_unit_test(test_readers_go_on_meanwhile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
