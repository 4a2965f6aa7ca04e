// The Nearest question: its fields, and its answers against a slow look at every worker.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "geo/geodesic.h"
#include "services/workers/testing.h"
#include "tests/support/random.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PEOPLE 300
#define NOW INT64_C(1700000000000)

struct question {
    Gridwarden__V1__NearestRequest request;
    Gridwarden__V1__Point point;
    Gridwarden__V1__WorkerFilter filter;
    char *skills[GW_WORKER_SKILLS_MAX + 1];
};

static void question_init(struct question *question) {
    memset(question, 0, sizeof(*question));
    gridwarden__v1__nearest_request__init(&question->request);
    gridwarden__v1__point__init(&question->point);
    gridwarden__v1__worker_filter__init(&question->filter);
    question->point.longitude = 123.05;
    question->point.latitude = 42.005;
    question->request.point = &question->point;
    question->request.filter = &question->filter;
    question->filter.skills = question->skills;
}

static void expect_refusal(struct gw_workers *workers, const struct question *question, gw_err err,
                           const char *words) {
    Gridwarden__V1__NearestResponse response = GRIDWARDEN__V1__NEAREST_RESPONSE__INIT;
    struct gw_error error = {GW_OK, ""};
    gw_err got = gw_workers_nearest(workers, &question->request, NOW, &response, &error);
    if (got != err || strstr(error.text, words) == NULL) {
        fail_msg("got %d \"%s\", expected %d with \"%s\"", (int)got, error.text, (int)err, words);
    }
    assert_int_equal(response.n_workers, 0);
    gw_workers_nearest_free(&response);
}

static void test_points(void **state) {
    static const struct {
        double lon, lat;
        gw_err err;
        const char *words;
    } rows[] = {
        {180.0, 90.0, GW_OK, ""},
        {-180.0, -90.0, GW_OK, ""},
        {180.0000001, 0.0, GW_ERANGE, "point.longitude 180"},
        {-1e9, 0.0, GW_ERANGE, "point.longitude -1e+09"},
        {0.0, -90.0000001, GW_ERANGE, "point.latitude -90"},
        {NAN, 0.0, GW_EINVAL, "point.longitude: not a number"},
        {0.0, INFINITY, GW_EINVAL, "point.latitude: not a number"},
    };
    struct question question;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        question_init(&question);
        question.point.longitude = rows[i].lon;
        question.point.latitude = rows[i].lat;
        expect_refusal(*state, &question, rows[i].err, rows[i].words);
    }
    question_init(&question);
    question.request.point = NULL;
    expect_refusal(*state, &question, GW_EINVAL, "point: missing");
}

static void test_filter_fields(void **state) {
    struct question question;
    question_init(&question);
    question.request.k = 1001;
    expect_refusal(*state, &question, GW_EINVAL, "k 1001: give 1 to 1000");
    question_init(&question);
    question.filter.duty = (Gridwarden__V1__Duty)3;
    expect_refusal(*state, &question, GW_EINVAL, "filter.duty 3");
    question_init(&question);
    question.filter.kind = (Gridwarden__V1__WorkerKind)-1;
    expect_refusal(*state, &question, GW_EINVAL, "filter.kind -1");
    question_init(&question);
    question.filter.position_age_ms_max = -1;
    expect_refusal(*state, &question, GW_EINVAL, "filter.position_age_ms_max -1");
    question.filter.position_age_ms_max = INT64_MAX; // of any age, in effect
    expect_refusal(*state, &question, GW_OK, "");
    question_init(&question);
    char prefix[GW_CODE_MAX + 2];
    memset(prefix, '2', sizeof(prefix));
    prefix[GW_CODE_MAX + 1] = '\0';
    question.filter.code_prefix = prefix;
    expect_refusal(*state, &question, GW_EINVAL, "filter.code_prefix");
    prefix[GW_CODE_MAX] = '\0';
    expect_refusal(*state, &question, GW_OK, "");
    question_init(&question);
    for (size_t i = 0; i <= GW_WORKER_SKILLS_MAX; i++) {
        question.skills[i] = "Nobody HAS this";
    }
    question.filter.n_skills = GW_WORKER_SKILLS_MAX;
    expect_refusal(*state, &question, GW_OK, "");
    question.filter.n_skills++;
    expect_refusal(*state, &question, GW_EINVAL, "filter.skills: give up to 32, not 33");
}

// ---- answers ----

struct near {
    double metres;
    char id[16];
};

static int nearer(const void *left, const void *right) {
    const struct near *a = left, *b = right;
    return a->metres < b->metres ? -1 : a->metres > b->metres ? 1 : strcmp(a->id, b->id);
}

static struct gw_point lattice(const Gridwarden__V1__Point *point) {
    struct gw_point out = {0, 0};
    assert_int_equal(gw_lattice_query(point->longitude, point->latitude, &out), GW_OK);
    return out;
}

static bool has(const Gridwarden__V1__Worker *worker, const char *skill) {
    for (size_t i = 0; i < worker->n_skills; i++) {
        if (strcmp(worker->skills[i], skill) == 0) {
            return true;
        }
    }
    return false;
}

// The filter as worker.proto describes it, on what a worker's copy says.
static bool passes(const Gridwarden__V1__Worker *worker, const Gridwarden__V1__WorkerFilter *f) {
    bool lives = false;
    for (size_t i = 0; i < worker->n_home_grids; i++) {
        lives |= strncmp(worker->home_grids[i], f->code_prefix, strlen(f->code_prefix)) == 0;
    }
    bool able = true;
    for (size_t i = 0; i < f->n_skills; i++) {
        able = able && has(worker, f->skills[i]);
    }
    return worker->position != NULL && lives && able && (f->duty == 0 || f->duty == worker->duty) &&
           (f->kind == 0 || f->kind == worker->kind) &&
           (!f->with_free_capacity || worker->load < worker->capacity) &&
           (f->position_age_ms_max == 0 ||
            worker->position->time_ms >= NOW - f->position_age_ms_max);
}

static void assert_answer(struct gw_workers *workers, const struct question *question) {
    static Gridwarden__V1__Worker *all[PEOPLE];
    static struct near expected[PEOPLE];
    uint32_t people = gw_workers_list(workers, "", "", PEOPLE, all);
    size_t count = 0, k = question->request.k == 0 ? 8 : question->request.k;
    for (uint32_t i = 0; i < people; i++) {
        if (passes(all[i], &question->filter)) {
            expected[count].metres =
                gw_geodesic_distance(lattice(&question->point), lattice(all[i]->position->point));
            (void)snprintf(expected[count++].id, sizeof(expected[0].id), "%s", all[i]->id);
        }
    }
    qsort(expected, count, sizeof(expected[0]), nearer);
    count = count < k ? count : k;
    Gridwarden__V1__NearestResponse response = GRIDWARDEN__V1__NEAREST_RESPONSE__INIT;
    assert_int_equal(gw_workers_nearest(workers, &question->request, NOW, &response, NULL), GW_OK);
    assert_int_equal(response.n_workers, count);
    for (size_t i = 0; i < count; i++) {
        const Gridwarden__V1__NearWorker *got = response.workers[i];
        assert_string_equal(got->worker->id, expected[i].id);
        assert_true(fabs(got->distance_m - expected[i].metres) < 1e-7);
        assert_non_null(got->worker->position);
    }
    gw_workers_nearest_free(&response);
    assert_null(response.workers);
    for (uint32_t i = 0; i < people; i++) {
        gridwarden__v1__worker__free_unpacked(all[i], NULL);
    }
}

static const char *const skills[] = {"water", "fire", "gas", "rare"};

static void change(struct gw_workers *workers, const struct gw_edition *edition,
                   struct test_random *random) {
    char id[16], incident[16];
    (void)snprintf(id, sizeof(id), "w%03d", (int)test_random_range(random, 0, PEOPLE - 1));
    struct test_upsert upsert;
    int64_t home = test_random_range(random, 0, TEST_CITY_GRIDS - 1);
    test_upsert_init(&upsert, id, test_city_code(edition, (uint32_t)home),
                     skills[test_random_range(random, 0, 60) / 20]);
    upsert.skills[1] = test_random_range(random, 0, 1) == 0 ? "night" : "day";
    upsert.worker.n_skills = 2;
    upsert.worker.kind = (Gridwarden__V1__WorkerKind)test_random_range(random, 1, 2);
    upsert.worker.capacity = 1;
    test_upsert_apply(workers, &upsert);
    test_duty(workers, id, (Gridwarden__V1__Duty)test_random_range(random, 1, 2));
    (void)snprintf(incident, sizeof(incident), "i%d", (int)test_random_range(random, 0, 2));
    struct gw_worker_events events = {0};
    if (gw_workers_decide_reserve(workers, id, incident, 1, NOW, &events) == GW_ESTATE) {
        assert_int_equal(gw_workers_decide_release(workers, id, incident, NOW, &events), GW_OK);
    }
    test_evolve(workers, &events);
    if (test_random_range(random, 0, 3) != 0) { // on a raster, so that distances tie
        test_report(workers, id, 123.0 + (double)test_random_range(random, 0, 12) * 0.02,
                    42.0 + (double)test_random_range(random, 0, 3) * 0.004,
                    NOW - test_random_range(random, 0, 600000));
    }
}

static void ask(struct gw_workers *workers, struct test_random *random) {
    static const uint32_t ks[] = {0, 1, 5, 1000};
    static const char *const prefixes[] = {"", "2112", "211201", "211202001002", "FREE", "9"};
    struct question question;
    question_init(&question);
    question.point.longitude = 123.0 + test_random_unit(random) * 0.25;
    if (test_random_next(random) % 2 == 0) {
        question.point.longitude = 123.0 + (double)test_random_range(random, 0, 24) * 0.01;
    }
    question.request.k = ks[test_random_range(random, 0, 3)];
    question.filter.duty = (Gridwarden__V1__Duty)(test_random_range(random, 0, 5) % 3);
    question.filter.kind = (Gridwarden__V1__WorkerKind)(test_random_range(random, 0, 8) % 3);
    question.filter.with_free_capacity = test_random_range(random, 0, 2) == 0;
    question.filter.position_age_ms_max = test_random_range(random, 0, 2) * 200000;
    question.filter.code_prefix = (char *)prefixes[test_random_range(random, 0, 11) / 2];
    question.skills[0] = "night";
    question.skills[1] = (char *)skills[test_random_range(random, 0, 3)];
    question.filter.n_skills = (size_t)test_random_range(random, 0, 2);
    assert_answer(workers, &question);
    question_init(&question);
    question.request.filter = NULL;
    assert_answer(workers, &question);
}

static void test_answers(void **state) {
    (void)state;
    struct gw_edition *edition = test_city_open();
    struct gw_workers *workers = gw_workers_create(edition);
    struct test_random random = test_random_seeded("nearest", 21);
    for (int round = 0; round < 60; round++) {
        ask(workers, &random);
        for (int i = 0; i < 40; i++) {
            change(workers, edition, &random);
        }
    }
    gw_workers_destroy(workers);
    gw_edition_close(edition);
}

struct room {
    struct gw_edition *edition;
    struct gw_workers *workers;
};

static struct room room;

static int setup(void **state) {
    room.edition = test_city_open();
    *state = room.workers = gw_workers_create(room.edition);
    return *state == NULL ? -1 : 0;
}

static int teardown(void **state) {
    (void)state;
    gw_workers_destroy(room.workers);
    gw_edition_close(room.edition);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_points, setup, teardown),
        cmocka_unit_test_setup_teardown(test_filter_fields, setup, teardown),
        cmocka_unit_test(test_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
