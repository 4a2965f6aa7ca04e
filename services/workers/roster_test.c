// Roster, duty and reservations against a plain model, and the same again from events and records.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "services/workers/testing.h"
#include "tests/support/random.h"
#include <stdlib.h>
#include <string.h>

#define PEOPLE 40
#define STEPS 3000
#define INCIDENTS 60

struct person {
    bool in;
    char id[16];
    uint32_t homes[3], home_count; // grids by code order
    uint32_t capacity, duty;
    uint32_t incidents[INCIDENTS], attempts[INCIDENTS], load; // in the order in which they came
};

struct town {
    struct test_random random;
    struct gw_edition *edition;
    struct gw_workers *workers;
    struct person people[PEOPLE];
    struct gw_worker_events log; // every event so far, copied
};

static void incident_id(uint32_t number, char id[16]) {
    (void)snprintf(id, 16, "inc-%02u", number);
}

// ---- events are kept for the replay ----

static void keep_and_fold(struct town *town, struct gw_worker_events *events) {
    for (uint32_t i = 0; i < events->count; i++) {
        gw_workers_evolve(town->workers, events->events[i]);
        town->log.events =
            realloc(town->log.events, (town->log.count + 1) * sizeof(town->log.events[0]));
        town->log.events[town->log.count++] = events->events[i];
    }
    free(events->events);
    *events = (struct gw_worker_events){0};
}

// All records, one after the other: what a state is, byte for byte.
static unsigned char *all_records(const struct town *town, struct gw_workers *workers,
                                  size_t *size) {
    unsigned char *all = malloc(1 << 20);
    *size = 0;
    for (uint32_t i = 0; i < PEOPLE; i++) {
        size_t bytes = 0;
        unsigned char *record = test_record(workers, town->people[i].id, &bytes);
        assert_true((record != NULL) == town->people[i].in);
        assert_true(*size + bytes < 1 << 20);
        if (record != NULL) {
            memcpy(all + *size, record, bytes);
        }
        *size += bytes;
        free(record);
    }
    return all;
}

// ---- steps ----

static void step_upsert(struct town *town, struct person *person) {
    struct test_upsert upsert;
    static const char *const skills[] = {"", "water", "fire", "electricity"};
    test_upsert_init(&upsert, person->id, "", skills[test_random_range(&town->random, 0, 3)]);
    uint32_t homes = (uint32_t)test_random_range(&town->random, 1, 3);
    uint32_t first = (uint32_t)test_random_range(&town->random, 0, TEST_CITY_GRIDS - 1);
    uint32_t capacity = (uint32_t)test_random_range(&town->random, 0, 4);
    for (uint32_t i = 0; i < homes; i++) {
        person->homes[i] = (first + i * 5) % TEST_CITY_GRIDS;
        upsert.homes[i] = (char *)test_city_code(town->edition, person->homes[i]);
    }
    upsert.worker.n_home_grids = homes;
    upsert.worker.capacity = capacity;
    upsert.worker.load = 99; // answered only: must be ignored
    upsert.worker.duty = GRIDWARDEN__V1__DUTY__DUTY_ON;
    Gridwarden__V1__UpsertWorkersResponse response = GRIDWARDEN__V1__UPSERT_WORKERS_RESPONSE__INIT;
    struct gw_worker_events events = {0};
    assert_int_equal(
        gw_workers_decide_upsert(town->workers, &upsert.request, 1, &events, &response, NULL),
        GW_OK);
    assert_int_equal(events.count, 1);
    assert_int_equal(response.added, !person->in);
    assert_int_equal(response.replaced, person->in);
    keep_and_fold(town, &events);
    person->duty = person->in ? person->duty : GRIDWARDEN__V1__DUTY__DUTY_OFF;
    person->in = true;
    person->home_count = homes;
    person->capacity = capacity == 0 ? 3 : capacity;
}

static void step_duty(struct town *town, struct person *person) {
    Gridwarden__V1__SetDutyRequest request = GRIDWARDEN__V1__SET_DUTY_REQUEST__INIT;
    Gridwarden__V1__SetDutyResponse response = GRIDWARDEN__V1__SET_DUTY_RESPONSE__INIT;
    struct gw_worker_events events = {0};
    char *ids[] = {person->id};
    request.worker_ids = ids;
    request.n_worker_ids = 1;
    request.duty = (Gridwarden__V1__Duty)test_random_range(&town->random, 1, 2);
    gw_err err = gw_workers_decide_duty(town->workers, &request, 1, &events, &response, NULL);
    assert_int_equal(err, person->in ? GW_OK : GW_ENOTFOUND);
    if (person->in) {
        assert_int_equal(events.count, person->duty != (uint32_t)request.duty);
        assert_int_equal(response.changed, events.count);
        person->duty = (uint32_t)request.duty;
    }
    keep_and_fold(town, &events);
}

static uint32_t held_at(const struct person *person, uint32_t incident) {
    uint32_t i = 0;
    while (i < person->load && person->incidents[i] != incident) {
        i++;
    }
    return i;
}

static void step_reserve(struct town *town, struct person *person) {
    uint32_t incident = (uint32_t)test_random_range(&town->random, 0, INCIDENTS - 1);
    uint32_t attempt = (uint32_t)test_random_range(&town->random, 1, 2);
    uint32_t at = held_at(person, incident);
    char id[16];
    incident_id(incident, id);
    struct gw_worker_events events = {0};
    gw_err err = gw_workers_decide_reserve(town->workers, person->id, id, attempt, 1, &events);
    bool room = person->duty == 2 && person->load < person->capacity;
    bool held = at < person->load;
    assert_int_equal(err, !person->in ? GW_ENOTFOUND : held || room ? GW_OK : GW_ESTATE);
    assert_int_equal(events.count, err == GW_OK && (!held || person->attempts[at] != attempt));
    if (err == GW_OK) {
        person->incidents[at] = incident;
        person->attempts[at] = attempt;
        person->load += !held;
    }
    keep_and_fold(town, &events);
}

static void step_release(struct town *town, struct person *person) {
    uint32_t incident = (uint32_t)test_random_range(&town->random, 0, INCIDENTS - 1);
    if (person->load > 0 && test_random_next(&town->random) % 4 != 0) {
        incident = person->incidents[test_random_range(&town->random, 0, person->load - 1)];
    }
    uint32_t at = held_at(person, incident);
    char id[16];
    incident_id(incident, id);
    struct gw_worker_events events = {0};
    assert_int_equal(gw_workers_decide_release(town->workers, person->id, id, 1, &events), GW_OK);
    assert_int_equal(events.count, at < person->load);
    if (at < person->load) {
        person->load--;
        memmove(&person->incidents[at], &person->incidents[at + 1],
                (person->load - at) * sizeof(uint32_t));
        memmove(&person->attempts[at], &person->attempts[at + 1],
                (person->load - at) * sizeof(uint32_t));
    }
    keep_and_fold(town, &events);
}

// ---- what must hold ----

static void assert_people(struct town *town) {
    struct gw_workers_totals totals = {0}, expected = {0};
    for (uint32_t i = 0; i < PEOPLE; i++) {
        const struct person *person = &town->people[i];
        Gridwarden__V1__Worker *worker = gw_workers_get(town->workers, person->id);
        assert_true((worker != NULL) == person->in);
        if (worker == NULL) {
            continue;
        }
        assert_int_equal(worker->capacity, person->capacity);
        assert_int_equal(worker->duty, person->duty);
        assert_int_equal(worker->load, person->load);
        expected.workers++;
        expected.on_duty += person->duty == 2;
        expected.reserved_places += person->load;
        gridwarden__v1__worker__free_unpacked(worker, NULL);
    }
    gw_workers_totals(town->workers, &totals);
    assert_memory_equal(&totals, &expected, sizeof(totals));
}

static bool lives_in(const struct person *person, uint32_t grid) {
    for (uint32_t i = 0; person->in && i < person->home_count; i++) {
        if (person->homes[i] == grid) {
            return true;
        }
    }
    return false;
}

// The people's ids are in byte order, so the model's order is the roster's.
static void assert_rosters(struct town *town) {
    for (uint32_t grid = 0; grid < TEST_CITY_GRIDS; grid++) {
        char *ids[PEOPLE];
        const char *code = test_city_code(town->edition, grid);
        uint32_t count = gw_workers_roster(town->workers, code, PEOPLE, ids), expected = 0;
        for (uint32_t i = 0; i < PEOPLE; i++) {
            if (lives_in(&town->people[i], grid)) {
                assert_true(expected < count);
                assert_string_equal(ids[expected++], town->people[i].id);
            }
        }
        assert_int_equal(count, expected);
        for (uint32_t i = 0; i < count; i++) {
            free(ids[i]);
        }
        if (count > 1) {
            assert_int_equal(gw_workers_roster(town->workers, code, 1, ids), 1);
            free(ids[0]);
        }
    }
    assert_int_equal(gw_workers_roster(town->workers, "2112", PEOPLE, NULL), 0);
}

static void assert_same_state(struct town *town, struct gw_workers *other) {
    size_t size = 0, other_size = 0;
    unsigned char *records = all_records(town, town->workers, &size);
    unsigned char *other_records = all_records(town, other, &other_size);
    assert_int_equal(size, other_size);
    assert_memory_equal(records, other_records, size);
    struct gw_workers_totals totals, other_totals;
    gw_workers_totals(town->workers, &totals);
    gw_workers_totals(other, &other_totals);
    assert_memory_equal(&totals, &other_totals, sizeof(totals));
    free(records);
    free(other_records);
}

static void assert_replay_and_load(struct town *town) {
    struct gw_workers *replayed = gw_workers_create(town->edition);
    for (uint32_t i = 0; i < town->log.count; i++) {
        gw_workers_evolve(replayed, town->log.events[i]);
    }
    assert_same_state(town, replayed);
    gw_workers_destroy(replayed);
    struct gw_workers *loaded = gw_workers_create(town->edition);
    for (uint32_t i = 0; i < PEOPLE; i++) {
        Gridwarden__Store__V1__WorkerRecord *record =
            gw_workers_record(town->workers, town->people[i].id);
        if (record != NULL) {
            gw_workers_load(loaded, record);
            gridwarden__store__v1__worker_record__free_unpacked(record, NULL);
        }
    }
    assert_same_state(town, loaded);
    gw_workers_destroy(loaded);
}

static void test_against_a_model(void **state) {
    (void)state;
    static struct town town;
    memset(&town, 0, sizeof(town));
    town.random = test_random_seeded("roster model", 11);
    town.edition = test_city_open();
    town.workers = gw_workers_create(town.edition);
    for (uint32_t i = 0; i < PEOPLE; i++) {
        (void)snprintf(town.people[i].id, sizeof(town.people[i].id), "w%02u", i);
    }
    void (*const steps[])(struct town *, struct person *) = {
        step_upsert, step_duty, step_reserve, step_reserve, step_reserve, step_release};
    for (int step = 0; step < STEPS; step++) {
        struct person *person = &town.people[test_random_range(&town.random, 0, PEOPLE - 1)];
        steps[test_random_range(&town.random, 0, 5)](&town, person);
        if (step % 100 == 99) {
            assert_people(&town);
            assert_rosters(&town);
        }
    }
    assert_replay_and_load(&town);
    gw_worker_events_free(&town.log);
    gw_workers_destroy(town.workers);
    gw_edition_close(town.edition);
}

// ---- decide only looks ----

static void test_decide_changes_nothing(void **state) {
    (void)state;
    struct gw_edition *edition = test_city_open();
    struct gw_workers *workers = gw_workers_create(edition);
    test_add(workers, "w", test_city_code(edition, 0), "water");
    test_duty(workers, "w", GRIDWARDEN__V1__DUTY__DUTY_ON);
    test_reserve(workers, "w", "inc");
    size_t size, size_after;
    unsigned char *before = test_record(workers, "w", &size);
    struct test_upsert upsert;
    test_upsert_init(&upsert, "w", test_city_code(edition, 1), "fire");
    Gridwarden__V1__UpsertWorkersResponse response = GRIDWARDEN__V1__UPSERT_WORKERS_RESPONSE__INIT;
    struct gw_worker_events events = {0};
    assert_int_equal(
        gw_workers_decide_upsert(workers, &upsert.request, 1, &events, &response, NULL), GW_OK);
    assert_int_equal(gw_workers_decide_reserve(workers, "w", "other", 1, 1, &events), GW_OK);
    assert_int_equal(gw_workers_decide_release(workers, "w", "inc", 1, &events), GW_OK);
    assert_int_equal(gw_workers_decide_release(workers, "nobody", "inc", 1, &events), GW_OK);
    assert_int_equal(events.count, 3);
    unsigned char *after = test_record(workers, "w", &size_after);
    assert_int_equal(size, size_after);
    assert_memory_equal(before, after, size);
    free(before);
    free(after);
    gw_worker_events_free(&events);
    gw_workers_destroy(workers);
    gw_edition_close(edition);
}

// ---- a record whose grid the edition does not have any more ----

static void test_home_of_an_older_edition(void **state) {
    (void)state;
    struct gw_edition *edition = test_city_open();
    struct gw_workers *workers = gw_workers_create(edition);
    struct test_upsert upsert;
    test_upsert_init(&upsert, "old", "211209001001001", "water");
    Gridwarden__Store__V1__WorkerRecord record = GRIDWARDEN__STORE__V1__WORKER_RECORD__INIT;
    record.worker = &upsert.worker;
    gw_workers_load(workers, &record);
    test_add(workers, "old", test_city_code(edition, 2), "");
    char *ids[2];
    assert_int_equal(gw_workers_roster(workers, test_city_code(edition, 2), 2, ids), 1);
    free(ids[0]);
    gw_workers_destroy(workers);
    gw_edition_close(edition);
}

// ---- lists ----

static void assert_page(struct gw_workers *workers, const char *after, const char *prefix,
                        uint32_t size, uint32_t first, uint32_t step, uint32_t expected) {
    Gridwarden__V1__Worker *page[300];
    char id[16];
    uint32_t count = gw_workers_list(workers, after, prefix, size, page);
    assert_int_equal(count, expected);
    for (uint32_t i = 0; i < count; i++) {
        (void)snprintf(id, sizeof(id), "w%05u", first + i * step);
        assert_string_equal(page[i]->id, id);
        gridwarden__v1__worker__free_unpacked(page[i], NULL);
    }
}

static void test_lists(void **state) {
    (void)state;
    enum { count = 3000 };
    struct gw_edition *edition = test_city_open();
    struct gw_workers *workers = gw_workers_create(edition);
    char id[16], after[16];
    for (uint32_t i = 0; i < count; i++) {
        uint32_t number = i * 1777 % count; // each once, in no order
        (void)snprintf(id, sizeof(id), "w%05u", number);
        test_add(workers, id, test_city_code(edition, number % TEST_CITY_GRIDS), "");
    }
    for (uint32_t from = 0; from < count; from += 250) {
        (void)snprintf(after, sizeof(after), "w%05u", from == 0 ? 0 : from - 1);
        assert_page(workers, from == 0 ? "" : after, "", 250, from, 1, 250);
    }
    assert_page(workers, "w02990", "", 100, 2991, 1, 9);
    assert_page(workers, "w02990x", "", 100, 2991, 1, 9); // an id that is not there
    assert_page(workers, "w02999", "", 100, 0, 1, 0);
    assert_page(workers, "zzz", "", 100, 0, 1, 0);
    assert_page(workers, "", "", 0, 0, 1, 0);
    assert_page(workers, "", TEST_FREE_GRID, 200, 24, TEST_CITY_GRIDS, 120);
    assert_page(workers, "w00600", test_city_code(edition, 1), 50, 601, TEST_CITY_GRIDS, 50);
    assert_page(workers, "", "2113", 50, 0, 1, 0);
    gw_workers_destroy(workers);
    gw_edition_close(edition);
}

// Under a village, a township, a county, the city: grids by their codes' prefix.
static void test_lists_by_area(void **state) {
    (void)state;
    struct gw_edition *edition = test_city_open();
    struct gw_workers *workers = gw_workers_create(edition);
    for (uint32_t i = 0; i < TEST_CITY_GRIDS; i++) {
        test_add(workers, test_city_code(edition, i), test_city_code(edition, i), "");
    }
    static const struct {
        const char *prefix;
        uint32_t expected;
    } rows[] = {{"", 25},         {"2112", 24},        {"211202", 12},
                {"211202001", 6}, {"211202001002", 3}, {"21120200100201", 1},
                {"FREE", 1},      {"FREEX", 0},        {"3", 0}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        Gridwarden__V1__Worker *page[TEST_CITY_GRIDS];
        uint32_t count = gw_workers_list(workers, "", rows[i].prefix, TEST_CITY_GRIDS, page);
        assert_int_equal(count, rows[i].expected);
        while (count > 0) {
            gridwarden__v1__worker__free_unpacked(page[--count], NULL);
        }
    }
    gw_workers_destroy(workers);
    gw_edition_close(edition);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_a_model),
        cmocka_unit_test(test_decide_changes_nothing),
        cmocka_unit_test(test_home_of_an_older_edition),
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_lists_by_area),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
