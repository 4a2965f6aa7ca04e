// Candidates against the rule of workers.h, taken word by word.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "geo/geodesic.h"
#include "services/workers/testing.h"
#include "tests/support/random.h"
#include <stdlib.h>
#include <string.h>

#define PEOPLE 120
#define NOW INT64_C(1700000000000)

// ---- the slow rule ----

struct expected {
    char id[16];
    uint32_t level;
    bool has_position;
    double metres;
    int64_t age_ms;
};

static int better(const void *left, const void *right) {
    const struct expected *a = left, *b = right;
    if (a->has_position != b->has_position) {
        return a->has_position ? -1 : 1;
    }
    if (a->has_position && (a->metres < b->metres || a->metres > b->metres)) {
        return a->metres < b->metres ? -1 : 1;
    }
    return strcmp(a->id, b->id);
}

// Whether a home of the worker is the grid, or lies in the same area of the level, going by codes
// alone: 12, 9, 6 and 4 digits of a grid's code are its areas.
static bool on_level(const Gridwarden__V1__Worker *worker, const char *grid_code, uint32_t level) {
    static const size_t digits[] = {14, 12, 9, 6, 4};
    for (size_t i = 0; i < worker->n_home_grids; i++) {
        if (strcmp(worker->home_grids[i], grid_code) == 0 ||
            (level > 0 && strcmp(grid_code, TEST_FREE_GRID) != 0 &&
             strncmp(worker->home_grids[i], grid_code, digits[level]) == 0)) {
            return true;
        }
    }
    return false;
}

static bool is_able(const Gridwarden__V1__Worker *worker, const struct gw_candidate_query *query) {
    bool able = *query->skill == '\0';
    for (size_t i = 0; i < worker->n_skills; i++) {
        able = able || strcmp(worker->skills[i], query->skill) == 0;
    }
    for (size_t i = 0; i < query->tried_count; i++) {
        able = able && strcmp(worker->id, query->tried[i]) != 0;
    }
    return able && worker->duty == GRIDWARDEN__V1__DUTY__DUTY_ON && worker->load < worker->capacity;
}

static uint32_t slow(Gridwarden__V1__Worker *const all[], uint32_t people, const char *grid_code,
                     const struct gw_candidate_query *query, struct expected out[]) {
    bool at_once = query->policy->order == GW_ORDER_NEAREST;
    uint32_t count = 0;
    for (uint32_t level = 0; level <= query->policy->level_max && level <= 4; level++) {
        for (uint32_t i = 0; i < people; i++) {
            const Gridwarden__V1__Worker *worker = all[i];
            struct expected e = {"", level, false, 0.0, 0};
            if (worker->position != NULL) {
                struct gw_point at;
                assert_int_equal(gw_lattice_query(worker->position->point->longitude,
                                                  worker->position->point->latitude, &at),
                                 GW_OK);
                int64_t age = query->now_ms - worker->position->time_ms;
                e.has_position = age <= query->policy->position_age_ms_max;
                e.metres = gw_geodesic_distance(query->point, at);
                e.age_ms = age > 0 ? age : 0;
            }
            bool below = level > 0 && on_level(worker, grid_code, level - 1);
            if (!on_level(worker, grid_code, level) || below || !is_able(worker, query) ||
                (!e.has_position && !query->policy->offer_without_position)) {
                continue;
            }
            (void)snprintf(e.id, sizeof(e.id), "%s", worker->id);
            out[count++] = e;
        }
        if (count > 0 && !at_once) {
            break;
        }
    }
    qsort(out, count, sizeof(out[0]), better);
    return count;
}

// ---- a city that changes ----

struct town {
    struct test_random random;
    int64_t off_duty_of_8; // how many of 8 workers
    uint32_t home_max;     // homes and questions are in the grids up to this one
    struct gw_edition *edition;
    struct gw_workers *workers;
};

static void change(struct town *town) {
    struct test_random *random = &town->random;
    char id[16], incident[16];
    (void)snprintf(id, sizeof(id), "w%03d", (int)test_random_range(random, 0, PEOPLE - 1));
    struct test_upsert upsert;
    test_upsert_init(&upsert, id, "", test_random_range(random, 0, 2) == 0 ? "gas" : "");
    uint32_t first = (uint32_t)test_random_range(random, 0, town->home_max);
    upsert.homes[0] = (char *)test_city_code(town->edition, first);
    upsert.homes[1] = (char *)test_city_code(town->edition, (first + 1) % TEST_CITY_GRIDS);
    upsert.worker.n_home_grids = (size_t)test_random_range(random, 1, 2);
    upsert.worker.capacity = (uint32_t)test_random_range(random, 1, 2);
    test_upsert_apply(town->workers, &upsert);
    bool on = test_random_range(random, 1, 8) > town->off_duty_of_8;
    test_duty(town->workers, id,
              on ? GRIDWARDEN__V1__DUTY__DUTY_ON : GRIDWARDEN__V1__DUTY__DUTY_OFF);
    (void)snprintf(incident, sizeof(incident), "i%d", (int)test_random_range(random, 0, 3));
    struct gw_worker_events events = {0};
    if (gw_workers_decide_reserve(town->workers, id, incident, 1, NOW, &events) == GW_ESTATE) {
        for (incident[1] = '0'; incident[1] < '4'; incident[1]++) { // all that he may have
            assert_int_equal(gw_workers_decide_release(town->workers, id, incident, NOW, &events),
                             GW_OK);
        }
    }
    test_evolve(town->workers, &events);
    if (test_random_range(random, 0, 2) != 0) { // on a raster, so that distances tie
        test_report(town->workers, id, 123.0 + (double)test_random_range(random, 0, 25) * 0.01,
                    42.0 + (double)test_random_range(random, 0, 2) * 0.004,
                    NOW + test_random_range(random, -400000, 5000));
    }
}

static void assert_candidates(struct town *town, const struct gw_candidate_query *query) {
    static Gridwarden__V1__Worker *all[PEOPLE];
    static struct expected expected[PEOPLE];
    uint32_t people = gw_workers_list(town->workers, "", "", PEOPLE, all);
    const char *code = gw_edition_grid(town->edition, query->grid).code;
    uint32_t eligible = slow(all, people, code, query, expected);
    Gridwarden__V1__Candidate out[GW_CANDIDATES_MAX];
    uint32_t eligible_count = UINT32_MAX;
    uint32_t count = gw_workers_candidates(town->workers, query, out, &eligible_count);
    assert_int_equal(eligible_count, eligible);
    assert_int_equal(count, eligible < GW_CANDIDATES_MAX ? eligible : GW_CANDIDATES_MAX);
    for (uint32_t i = 0; i < count; i++) {
        assert_string_equal(out[i].worker_id, expected[i].id);
        assert_int_equal(out[i].level, expected[i].level);
        assert_int_equal(out[i].has_position, expected[i].has_position);
        bool has_position = out[i].has_position;
        assert_true(out[i].distance_m == (has_position ? expected[i].metres : 0.0));
        assert_true(out[i].position_age_ms == (has_position ? expected[i].age_ms : 0));
    }
    gw_candidates_free(out, count);
    for (uint32_t i = 0; i < people; i++) {
        gridwarden__v1__worker__free_unpacked(all[i], NULL);
    }
}

static void ask(struct town *town) {
    static const char *const names[] = {"", "gas", "nobody has it"};
    struct test_random *random = &town->random;
    struct gw_policy policy;
    gw_policy_default(&policy);
    policy.offer_without_position = test_random_next(random) % 2 == 0;
    policy.order = test_random_range(random, 0, 3) == 0 ? GW_ORDER_NEAREST : GW_ORDER_RANK;
    policy.level_max = (uint32_t)test_random_range(random, 0, 4);
    policy.position_age_ms_max = test_random_range(random, 0, 300000);
    char tried_ids[6][16], *tried[6];
    struct gw_candidate_query query = {
        .grid = gw_edition_grid_by_code_order(
            town->edition, (uint32_t)test_random_range(random, 0, town->home_max)),
        .skill = names[test_random_range(random, 0, 6) / 3],
        .tried = tried,
        .tried_count = (size_t)test_random_range(random, 0, 6),
        .now_ms = NOW,
        .policy = &policy};
    double lon = 123.0 + (double)test_random_range(random, 0, 50) * 0.005;
    lon += test_random_next(random) % 2 == 0 ? 0.0 : 0.001 * test_random_unit(random);
    assert_int_equal(gw_lattice_query(lon, 42.004, &query.point), GW_OK);
    for (size_t i = 0; i < query.tried_count; i++) {
        (void)snprintf(tried_ids[i], sizeof(tried_ids[i]), "w%03d",
                       (int)test_random_range(random, 0, PEOPLE - 1));
        tried[i] = tried_ids[i];
    }
    assert_candidates(town, &query);
}

static void test_against_the_rule(void **state) {
    (void)state;
    struct town town = {test_random_seeded("candidates", 31), 0, 1, test_city_open(), NULL};
    town.workers = gw_workers_create(town.edition);
    for (int round = 0; round < 400; round++) {
        ask(&town);
        town.off_duty_of_8 = round / 50; // from a crowd to next to nobody, in few grids or in all
        town.home_max = round / 25 % 2 == 0 ? 1 : TEST_CITY_GRIDS - 1;
        for (int i = 0; i < 20; i++) {
            change(&town);
        }
    }
    gw_workers_destroy(town.workers);
    gw_edition_close(town.edition);
}

// ---- the order of asking, in a scene that can be read ----

static void expect_first(struct gw_workers *workers, struct gw_candidate_query *query,
                         const char *id, uint32_t level) {
    Gridwarden__V1__Candidate out[GW_CANDIDATES_MAX];
    uint32_t eligible = 0, count = gw_workers_candidates(workers, query, out, &eligible);
    assert_true(count > 0 && eligible > 0);
    assert_string_equal(out[0].worker_id, id);
    assert_int_equal(out[0].level, level);
    gw_candidates_free(out, count);
}

static void test_up_the_levels(void **state) {
    (void)state;
    struct gw_edition *edition = test_city_open();
    struct gw_workers *workers = gw_workers_create(edition);
    // Of the grid itself, of its village, township, county, and of the other county.
    static const uint32_t homes[] = {0, 1, 3, 6, 12};
    static char *const ids[] = {"grid", "village", "town", "county", "city"};
    for (uint32_t i = 0; i < 5; i++) {
        test_add(workers, ids[i], test_city_code(edition, homes[i]), "");
        test_duty(workers, ids[i], GRIDWARDEN__V1__DUTY__DUTY_ON);
        test_report(workers, ids[i], 123.2 - 0.04 * i, 42.0, NOW); // those above are nearer
    }
    struct gw_policy policy;
    gw_policy_default(&policy);
    policy.level_max = 4;
    struct gw_candidate_query query = {
        .grid = gw_edition_find_grid(edition, test_city_code(edition, 0)),
        .point = {1230050000, 420050000},
        .skill = "",
        .tried = ids,
        .now_ms = NOW,
        .policy = &policy};
    for (uint32_t i = 0; i < 5; i++) {
        query.tried_count = i; // the first ones declined
        expect_first(workers, &query, ids[i], i);
    }
    Gridwarden__V1__Candidate out[GW_CANDIDATES_MAX];
    uint32_t eligible = 77;
    query.tried_count = 5;
    assert_int_equal(gw_workers_candidates(workers, &query, out, &eligible), 0);
    assert_int_equal(eligible, 0);
    policy.order = GW_ORDER_NEAREST; // the nearest of all, who is of the other county
    for (uint32_t i = 0; i < 5; i++) {
        query.tried_count = 0;
        policy.level_max = i;
        expect_first(workers, &query, ids[i], i);
    }
    policy.order = GW_ORDER_RANK;
    query.tried_count = 3;
    policy.level_max = 2; // not as far as the county
    assert_int_equal(gw_workers_candidates(workers, &query, out, &eligible), 0);
    query.grid = GW_GRID_NONE;
    assert_int_equal(gw_workers_candidates(workers, &query, out, &eligible), 0);
    gw_workers_destroy(workers);
    gw_edition_close(edition);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_the_rule),
        cmocka_unit_test(test_up_the_levels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
