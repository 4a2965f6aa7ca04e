// Every field of an upsert and of SetDuty, at and past its limits.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "services/workers/testing.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define X8 "xxxxxxxx"
#define X32 X8 X8 X8 X8
#define X64 X32 X32
#define X256 X64 X64 X64 X64
#define HOME "21120100100101"

struct room {
    struct gw_edition *edition;
    struct gw_workers *workers;
};

static int setup(void **state) {
    static struct room room;
    room.edition = test_city_open();
    room.workers = gw_workers_create(room.edition);
    *state = &room;
    return room.workers != NULL ? 0 : -1;
}

static int teardown(void **state) {
    struct room *room = *state;
    gw_workers_destroy(room->workers);
    gw_edition_close(room->edition);
    return 0;
}

// Expects the error with the words, no events and an untouched response; GW_OK: one event.
static void expect(struct room *room, struct test_upsert *upsert, gw_err err, const char *words) {
    Gridwarden__V1__UpsertWorkersResponse response = GRIDWARDEN__V1__UPSERT_WORKERS_RESPONSE__INIT;
    struct gw_worker_events events = {0};
    struct gw_error error = {GW_OK, ""};
    gw_err got =
        gw_workers_decide_upsert(room->workers, &upsert->request, 5, &events, &response, &error);
    if (got != err || strstr(error.text, words) == NULL) {
        fail_msg("got %d \"%s\", expected %d with \"%s\"", (int)got, error.text, (int)err, words);
    }
    assert_int_equal(events.count, err == GW_OK ? upsert->request.n_workers : 0);
    assert_int_equal(response.added, events.count);
    assert_int_equal(response.replaced, 0);
    gw_worker_events_free(&events);
}

static void test_ids_and_names(void **state) {
    static const struct {
        const char *id, *name;
        gw_err err;
        const char *words;
    } rows[] = {
        {"w", "", GW_OK, ""},
        {X64, X256, GW_OK, ""},
        {"\xe7\xbd\x91\xe6\xa0\xbc-\xf0\x9f\x98\x80", "\xe5\xbc\xa0\xe4\xb8\x89", GW_OK, ""},
        {"", "", GW_EINVAL, "workers[0].id"},
        {X64 "x", "", GW_EINVAL, "workers[0].id"},
        {"a\nb", "", GW_EINVAL, "workers[0].id"},
        {"a\x7f", "", GW_EINVAL, "workers[0].id"},
        {"a\xc2\x85", "", GW_EINVAL, "workers[0].id"},         // U+0085, a control character
        {"a\xff", "", GW_EINVAL, "workers[0].id"},             // no UTF-8
        {"a\xc0\xaf", "", GW_EINVAL, "workers[0].id"},         // overlong
        {"a\xed\xa0\x80", "", GW_EINVAL, "workers[0].id"},     // surrogate
        {"a\xf4\x90\x80\x80", "", GW_EINVAL, "workers[0].id"}, // past U+10FFFF
        {"a\xe7\xbd", "", GW_EINVAL, "workers[0].id"},         // cut
        {"w9", X256 "x", GW_EINVAL, "worker \"w9\", name"},
        {"w9", "a\tb", GW_EINVAL, "worker \"w9\", name"},
        {"w9", "\x80", GW_EINVAL, "worker \"w9\", name"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct test_upsert upsert;
        test_upsert_init(&upsert, rows[i].id, HOME, "");
        upsert.worker.name = (char *)rows[i].name;
        expect(*state, &upsert, rows[i].err, rows[i].words);
    }
}

static void test_kind_and_capacity(void **state) {
    static const struct {
        int kind;
        uint32_t capacity, stored;
        const char *words; // "": accepted
    } rows[] = {
        {1, 0, 3, ""},
        {2, 1, 1, ""},
        {1, 100, 100, ""},
        {0, 1, 0, "kind 0"},
        {3, 1, 0, "kind 3"},
        {-1, 1, 0, "kind -1"},
        {1, 101, 0, "capacity 101"},
        {1, UINT32_MAX, 0, "capacity 4294967295"},
    };
    struct room *room = *state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct test_upsert upsert;
        test_upsert_init(&upsert, "w", HOME, "");
        upsert.worker.kind = (Gridwarden__V1__WorkerKind)rows[i].kind;
        upsert.worker.capacity = rows[i].capacity;
        bool fine = *rows[i].words == '\0';
        expect(room, &upsert, fine ? GW_OK : GW_EINVAL, rows[i].words);
        if (fine) {
            struct gw_workers *own = gw_workers_create(room->edition);
            test_upsert_apply(own, &upsert);
            Gridwarden__V1__Worker *worker = gw_workers_get(own, "w");
            assert_int_equal(worker->capacity, rows[i].stored);
            assert_int_equal(worker->duty, GRIDWARDEN__V1__DUTY__DUTY_OFF);
            assert_int_equal(worker->load, 0);
            assert_null(worker->position);
            gridwarden__v1__worker__free_unpacked(worker, NULL);
            gw_workers_destroy(own);
        }
    }
}

static void test_home_grids(void **state) {
    struct room *room = *state;
    struct test_upsert upsert;
    test_upsert_init(&upsert, "w", HOME, "");
    upsert.worker.n_home_grids = 0;
    expect(room, &upsert, GW_EINVAL, "worker \"w\", home_grids: give the codes of 1 to 16");
    for (uint32_t i = 0; i <= GW_WORKER_HOME_GRIDS_MAX; i++) {
        upsert.homes[i] = (char *)test_city_code(room->edition, i);
    }
    upsert.worker.n_home_grids = GW_WORKER_HOME_GRIDS_MAX;
    expect(room, &upsert, GW_OK, "");
    upsert.worker.n_home_grids++;
    expect(room, &upsert, GW_EINVAL, "not 17");
    upsert.worker.n_home_grids = 3;
    upsert.homes[2] = "nowhere";
    expect(room, &upsert, GW_EINVAL,
           "worker \"w\", home_grids[2]: no grid \"nowhere\" in edition 7");
    upsert.homes[2] = "2112"; // an area is not a grid
    expect(room, &upsert, GW_EINVAL, "no grid \"2112\"");
    upsert.homes[2] = upsert.homes[0];
    expect(room, &upsert, GW_EINVAL, "home_grids[2]: \"" HOME "\" is given twice");
    upsert.homes[2] = "";
    expect(room, &upsert, GW_EINVAL, "home_grids[2]: a code has 1 to 64 bytes");
    upsert.homes[2] = X64 "x";
    expect(room, &upsert, GW_EINVAL, "home_grids[2]: a code has 1 to 64 bytes");
}

static void test_skills(void **state) {
    struct room *room = *state;
    struct test_upsert upsert;
    test_upsert_init(&upsert, "w", HOME, "");
    static char names[GW_WORKER_SKILLS_MAX + 1][8];
    for (uint32_t i = 0; i <= GW_WORKER_SKILLS_MAX; i++) {
        (void)snprintf(names[i], sizeof(names[i]), "s-%u", i);
        upsert.skills[i] = names[i];
    }
    upsert.worker.n_skills = GW_WORKER_SKILLS_MAX;
    expect(room, &upsert, GW_OK, "");
    upsert.worker.n_skills++;
    expect(room, &upsert, GW_EINVAL, "worker \"w\", skills: give up to 32, not 33");
    upsert.worker.n_skills = 2;
    static const char *const bad[] = {"", X32 "x", "Water", "a b", "\xe6\xb0\xb4", "a.b"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        upsert.skills[1] = (char *)bad[i];
        expect(room, &upsert, GW_EINVAL, "worker \"w\", skills[1]: a name has");
    }
    upsert.skills[1] = names[0];
    expect(room, &upsert, GW_EINVAL, "skills[1]: \"s-0\" is given twice");
    upsert.skills[1] = X32;
    expect(room, &upsert, GW_OK, "");
}

// 64 names in a city; a name that nobody has any more makes room.
static void test_skills_of_a_city(void **state) {
    struct room *room = *state;
    struct gw_workers *own = gw_workers_create(room->edition);
    struct room full = {room->edition, own};
    static char names[GW_SKILLS_MAX + 1][8];
    for (uint32_t i = 0; i <= GW_SKILLS_MAX; i++) {
        (void)snprintf(names[i], sizeof(names[i]), "t%u", i);
        if (i < GW_SKILLS_MAX) {
            test_add(own, names[i], HOME, names[i]);
        }
    }
    struct test_upsert upsert;
    test_upsert_init(&upsert, "new", HOME, names[GW_SKILLS_MAX]);
    expect(&full, &upsert, GW_ENOSPC,
           "worker \"new\", skills[0]: \"t64\" would be a skill too many");
    upsert.skills[0] = names[3];
    expect(&full, &upsert, GW_OK, "");
    test_add(own, names[5], HOME, names[6]); // nobody has t5 now
    upsert.skills[0] = names[GW_SKILLS_MAX];
    expect(&full, &upsert, GW_OK, "");
    test_upsert_apply(own, &upsert);
    upsert.worker.id = "newer";
    upsert.skills[0] = names[5];
    expect(&full, &upsert, GW_ENOSPC, "\"t5\"");
    gw_workers_destroy(own);
}

static void test_requests(void **state) {
    struct room *room = *state;
    static Gridwarden__V1__Worker workers[GW_WORKER_UPSERT_MAX + 1];
    static Gridwarden__V1__Worker *list[GW_WORKER_UPSERT_MAX + 1];
    static char ids[GW_WORKER_UPSERT_MAX + 1][8];
    struct test_upsert upsert;
    test_upsert_init(&upsert, "w", HOME, "");
    for (uint32_t i = 0; i <= GW_WORKER_UPSERT_MAX; i++) {
        (void)snprintf(ids[i], sizeof(ids[i]), "w%04u", i);
        workers[i] = upsert.worker;
        workers[i].id = ids[i];
        list[i] = &workers[i];
    }
    upsert.request.workers = list;
    upsert.request.n_workers = GW_WORKER_UPSERT_MAX;
    expect(room, &upsert, GW_OK, "");
    upsert.request.n_workers++;
    expect(room, &upsert, GW_EINVAL, "workers: give 1 to 1000 a request, not 1001");
    upsert.request.n_workers = 0;
    expect(room, &upsert, GW_EINVAL, "workers: give 1 to 1000 a request, not 0");
    upsert.request.n_workers = 500;
    workers[499].id = ids[17];
    expect(room, &upsert, GW_EINVAL, "workers: \"w0017\" is in the request twice");
    workers[499].id = ids[499];
    workers[499].kind = 0; // the last one is faulty: none is taken
    expect(room, &upsert, GW_EINVAL, "worker \"w0499\", kind 0");
}

static void test_duty_fields(void **state) {
    struct room *room = *state;
    struct gw_workers *own = gw_workers_create(room->edition);
    test_add(own, "a", HOME, "");
    test_add(own, "b", HOME, "");
    static char *ids[GW_WORKER_UPSERT_MAX + 1];
    for (uint32_t i = 0; i <= GW_WORKER_UPSERT_MAX; i++) {
        ids[i] = i % 2 == 0 ? "b" : "a";
    }
    static const struct {
        size_t count;
        int duty;
        const char *first; // in the place of ids[0]
        gw_err err;
        const char *words;
    } rows[] = {
        {0, 2, "b", GW_EINVAL, "worker_ids: give 1 to 1000 a request, not 0"},
        {1001, 2, "b", GW_EINVAL, "not 1001"},
        {1000, 2, "b", GW_OK, ""},
        {2, 0, "b", GW_EINVAL, "duty 0"},
        {2, 3, "b", GW_EINVAL, "duty 3"},
        {2, 2, "c", GW_ENOTFOUND, "worker_ids[0]: no worker \"c\""},
        {2, 2, "", GW_EINVAL, "worker_ids[0]"},
        {2, 2, "a\n", GW_EINVAL, "worker_ids[0]"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        Gridwarden__V1__SetDutyRequest request = GRIDWARDEN__V1__SET_DUTY_REQUEST__INIT;
        Gridwarden__V1__SetDutyResponse response = GRIDWARDEN__V1__SET_DUTY_RESPONSE__INIT;
        struct gw_worker_events events = {0};
        struct gw_error error = {GW_OK, ""};
        ids[0] = (char *)rows[i].first;
        request.worker_ids = ids;
        request.n_worker_ids = rows[i].count;
        request.duty = (Gridwarden__V1__Duty)rows[i].duty;
        gw_err err = gw_workers_decide_duty(own, &request, 9, &events, &response, &error);
        assert_int_equal(err, rows[i].err);
        assert_non_null(strstr(error.text, rows[i].words));
        assert_int_equal(events.count, err == GW_OK ? 2 : 0); // however often a worker is named
        assert_int_equal(response.changed, events.count);
        if (err == GW_OK) {
            assert_string_equal(events.events[0]->worker_id, "b"); // in the request's order
            assert_int_equal(events.events[0]->time_ms, 9);
        }
        gw_worker_events_free(&events);
    }
    gw_workers_destroy(own);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ids_and_names),    cmocka_unit_test(test_kind_and_capacity),
        cmocka_unit_test(test_home_grids),       cmocka_unit_test(test_skills),
        cmocka_unit_test(test_skills_of_a_city), cmocka_unit_test(test_requests),
        cmocka_unit_test(test_duty_fields),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
