// A writer, reporters and askers at once: for ThreadSanitizer, and that nothing is lost.
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

#define PEOPLE 200
#define NOW INT64_C(1700000000000)
#define ROUNDS 300

struct scene {
    struct gw_edition *edition;
    struct gw_workers *workers;
    atomic_bool done;
    atomic_uint answers;
};

static void person_id(int64_t number, char id[16]) {
    (void)snprintf(id, 16, "w%03d", (int)number);
}

static void *write_events(void *context) {
    struct scene *scene = context;
    struct test_random random = {1};
    char id[16];
    for (int i = 0; i < ROUNDS; i++) {
        person_id(test_random_range(&random, 0, PEOPLE - 1), id);
        test_add(scene->workers, id, test_city_code(scene->edition, (uint32_t)i % TEST_CITY_GRIDS),
                 i % 2 == 0 ? "water" : "");
        test_duty(scene->workers, id, GRIDWARDEN__V1__DUTY__DUTY_ON);
        struct gw_worker_events events = {0};
        if (gw_workers_decide_reserve(scene->workers, id, "inc", 1, NOW, &events) == GW_OK) {
            test_evolve(scene->workers, &events);
        }
    }
    return NULL;
}

static void *report_positions(void *context) {
    struct scene *scene = context;
    struct test_random random = {2};
    char id[16];
    for (int i = 0; i < ROUNDS * 4; i++) {
        person_id(i == 0 ? 0 : test_random_range(&random, 0, PEOPLE - 1), id);
        test_report(scene->workers, id, 123.0 + test_random_unit(&random) * 0.25, 42.0, NOW + i);
    }
    return NULL;
}

// cmocka's assertions belong to the main thread.
static void require(bool ok) {
    if (!ok) {
        abort();
    }
}

static void ask_once(struct scene *scene, struct test_random *random) {
    Gridwarden__V1__NearestRequest request = GRIDWARDEN__V1__NEAREST_REQUEST__INIT;
    Gridwarden__V1__NearestResponse response = GRIDWARDEN__V1__NEAREST_RESPONSE__INIT;
    Gridwarden__V1__Point point = GRIDWARDEN__V1__POINT__INIT;
    point.longitude = 123.1;
    point.latitude = 42.0;
    request.point = &point;
    require(gw_workers_nearest(scene->workers, &request, NOW, &response, NULL) == GW_OK);
    gw_workers_nearest_free(&response);
    struct gw_policy policy;
    gw_policy_default(&policy);
    struct gw_candidate_query query = {
        .grid = (uint32_t)test_random_range(random, 0, TEST_CITY_GRIDS - 1),
        .point = {1230000000, 420000000},
        .skill = "water",
        .now_ms = NOW,
        .policy = &policy};
    Gridwarden__V1__Candidate out[GW_CANDIDATES_MAX];
    uint32_t eligible;
    gw_candidates_free(out, gw_workers_candidates(scene->workers, &query, out, &eligible));
    Gridwarden__V1__Worker *page[10];
    uint32_t count = gw_workers_list(scene->workers, "w050", "", 10, page);
    while (count > 0) {
        gridwarden__v1__worker__free_unpacked(page[--count], NULL);
    }
    unsigned char *bytes = NULL;
    size_t size;
    require(gw_workers_snapshot(scene->workers, &bytes, &size) == GW_OK);
    free(bytes);
}

static void *ask(void *context) {
    struct scene *scene = context;
    struct test_random random = {3};
    do {
        ask_once(scene, &random);
        atomic_fetch_add(&scene->answers, 1u);
    } while (!atomic_load(&scene->done));
    return NULL;
}

static void test_at_once(void **state) {
    (void)state;
    static struct scene scene;
    scene.edition = test_city_open();
    scene.workers = gw_workers_create(scene.edition);
    char first[16];
    person_id(0, first); // somebody is there, however the threads are scheduled
    test_add(scene.workers, first, test_city_code(scene.edition, 0), "");
    test_duty(scene.workers, first, GRIDWARDEN__V1__DUTY__DUTY_ON);
    void *(*const roles[])(void *) = {write_events, report_positions, ask, ask};
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, roles[i], &scene), 0);
    }
    assert_int_equal(pthread_join(threads[0], NULL), 0);
    assert_int_equal(pthread_join(threads[1], NULL), 0);
    atomic_store(&scene.done, true);
    assert_int_equal(pthread_join(threads[2], NULL), 0);
    assert_int_equal(pthread_join(threads[3], NULL), 0);
    assert_true(atomic_load(&scene.answers) >= 2);
    struct gw_workers_totals totals;
    gw_workers_totals(scene.workers, &totals);
    assert_int_equal(totals.on_duty, totals.workers);
    // One incident, one place each; the first one may never have been drawn.
    assert_true(totals.reserved_places + 1 >= totals.workers);
    assert_true(totals.reserved_places <= totals.workers);
    assert_true(totals.workers > PEOPLE / 2 && totals.with_position > 0);
    gw_workers_destroy(scene.workers);
    gw_edition_close(scene.edition);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_at_once)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
