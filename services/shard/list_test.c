// Lists against a plain filter over all incidents, page by page.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "services/shard/testing.h"
#include "tests/support/random.h"

#include <string.h>

enum { INCIDENTS = 120 };

static struct bench bench;
static Gridwarden__V1__Incident *all[INCIDENTS]; // newest first, then by id

static int compare_newest(const void *a, const void *b) {
    const Gridwarden__V1__Incident *x = *(Gridwarden__V1__Incident *const *)a;
    const Gridwarden__V1__Incident *y = *(Gridwarden__V1__Incident *const *)b;
    if (x->reported_ms != y->reported_ms) {
        return x->reported_ms > y->reported_ms ? -1 : 1;
    }
    return strcmp(x->id, y->id);
}

// Incidents in all states, in all places, several in the same millisecond.
static int set_up(void **state) {
    (void)state;
    struct test_random random = test_random_seeded("list", 5);
    bench_open(&bench);
    bench_staff(&bench, 20);
    for (int i = 0; i < INCIDENTS; i++) {
        char id[GW_INCIDENT_ID_SIZE];
        bench.now_ms += test_random_range(&random, 0, 2) == 0 ? 1 : 0;
        int column = (int)test_random_range(&random, -1, 2);
        int row = (int)test_random_range(&random, 0, 1);
        gw_err err =
            i % 7 == 0 ? bench_report_address(&bench, id) : bench_report(&bench, column, row, id);
        assert_int_equal(err, GW_OK);
        int steps = (int)test_random_range(&random, 0, 5);
        for (int step = 0; step < steps; step++) {
            static const enum gw_incident_command_kind kinds[] = {
                GW_INCIDENT_DECLINE, GW_INCIDENT_ACCEPT, GW_INCIDENT_START, GW_INCIDENT_RESOLVE,
                GW_INCIDENT_CLOSE};
            Gridwarden__V1__Incident *incident = bench_incident(&bench, id);
            gw_err ignored = bench_act(&bench, kinds[step], id, incident->handler);
            (void)ignored; // not every state allows it
            gridwarden__v1__incident__free_unpacked(incident, NULL);
        }
        all[i] = bench_incident(&bench, id);
    }
    qsort(all, INCIDENTS, sizeof(all[0]), compare_newest);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    for (int i = 0; i < INCIDENTS; i++) {
        gridwarden__v1__incident__free_unpacked(all[i], NULL);
    }
    bench_close(&bench);
    return 0;
}

static bool under(const Gridwarden__V1__Incident *incident, const char *prefix) {
    size_t size = strlen(prefix);
    bool found = strncmp(incident->grid_code, prefix, size) == 0;
    for (size_t i = 0; i < incident->n_area_codes; i++) {
        found = found || strncmp(incident->area_codes[i], prefix, size) == 0;
    }
    return found;
}

struct expected {
    const Gridwarden__V1__Incident *incidents[INCIDENTS];
    int count, seen;
};

static bool check_next(void *context, const Gridwarden__V1__Incident *incident) {
    struct expected *expected = context;
    assert_true(expected->seen < expected->count);
    assert_string_equal(incident->id, expected->incidents[expected->seen]->id);
    assert_string_equal(incident->handler, expected->incidents[expected->seen]->handler);
    expected->seen++;
    return true;
}

static void check_list(Gridwarden__V1__IncidentServiceListRequest *request, uint32_t page_size) {
    struct expected expected = {.count = 0};
    for (int i = 0; i < INCIDENTS; i++) {
        if ((request->state == 0 || all[i]->state == request->state) &&
            (request->handler[0] == '\0' || strcmp(all[i]->handler, request->handler) == 0) &&
            under(all[i], request->code_prefix)) {
            expected.incidents[expected.count++] = all[i];
        }
    }
    Gridwarden__V1__PageRequest page = GRIDWARDEN__V1__PAGE_REQUEST__INIT;
    struct gw_incident_list list = {.request = request};
    struct gw_error error;
    request->page = &page;
    page.size = page_size;
    do {
        char token[sizeof(list.next_token)];
        int before = expected.seen;
        memcpy(token, list.next_token, sizeof(token));
        page.token = token;
        assert_int_equal(gw_shard_list_incidents(bench.shard, &list, check_next, &expected, &error),
                         GW_OK);
        assert_true(expected.seen - before <= (int)page_size);
        assert_true(list.next_token[0] == '\0' || expected.seen - before == (int)page_size);
    } while (list.next_token[0] != '\0');
    assert_int_equal(expected.seen, expected.count);
}

static void test_every_filter_and_page_size(void **state) {
    (void)state;
    static const char *const prefixes[] = {"",          "2",
                                           "2112",      "21128",
                                           "211282001", BENCH_VILLAGE_A,
                                           BENCH_A1,    BENCH_VILLAGE_C,
                                           "9999",      BENCH_A1 "x"};
    static const char *const handlers[] = {"",           "w1",    "w4", GW_DESK_PLACE_UNKNOWN,
                                           BENCH_DESK_A, "nobody"};
    static const uint32_t sizes[] = {1, 7, 1000};
    for (size_t p = 0; p < sizeof(prefixes) / sizeof(prefixes[0]); p++) {
        for (size_t h = 0; h < sizeof(handlers) / sizeof(handlers[0]); h++) {
            for (int state_filter = 0; state_filter < 8; state_filter++) {
                for (int s = 0; s < 3; s++) {
                    Gridwarden__V1__IncidentServiceListRequest request =
                        GRIDWARDEN__V1__INCIDENT_SERVICE_LIST_REQUEST__INIT;
                    request.code_prefix = (char *)prefixes[p];
                    request.handler = (char *)handlers[h];
                    request.state = (Gridwarden__V1__IncidentState)state_filter;
                    check_list(&request, sizes[s]);
                }
            }
        }
    }
}

static bool stop_at_once(void *context, const Gridwarden__V1__Incident *incident) {
    (void)incident;
    ++*(int *)context;
    return false;
}

// Takes one incident a page, and looks at the next one without taking it.
struct one_a_page {
    char taken[GW_INCIDENT_ID_SIZE], refused[GW_INCIDENT_ID_SIZE];
    bool has_one;
};

static bool take_one(void *context, const Gridwarden__V1__Incident *incident) {
    struct one_a_page *page = context;
    memcpy(page->has_one ? page->refused : page->taken, incident->id, GW_INCIDENT_ID_SIZE);
    bool takes = !page->has_one;
    page->has_one = true;
    return takes;
}

static void test_a_page_goes_on_with_what_a_visit_refused(void **state) {
    (void)state;
    Gridwarden__V1__IncidentServiceListRequest request =
        GRIDWARDEN__V1__INCIDENT_SERVICE_LIST_REQUEST__INIT;
    Gridwarden__V1__PageRequest page = GRIDWARDEN__V1__PAGE_REQUEST__INIT;
    struct gw_incident_list list = {.request = &request};
    struct gw_error error;
    char token[sizeof(list.next_token)] = "";
    int visits = 0;
    request.page = &page;
    page.token = token;
    assert_int_equal(gw_shard_list_incidents(bench.shard, &list, stop_at_once, &visits, &error),
                     GW_OK);
    assert_int_equal(visits, 1);
    assert_string_equal(list.next_token, ""); // nothing was taken: the first page again
    for (int i = 0; i < INCIDENTS; i++) {
        struct one_a_page one = {.has_one = false};
        assert_int_equal(gw_shard_list_incidents(bench.shard, &list, take_one, &one, &error),
                         GW_OK);
        assert_string_equal(one.taken, all[i]->id);
        assert_string_equal(one.refused, i + 1 < INCIDENTS ? all[i + 1]->id : "");
        assert_int_equal(list.next_token[0] != '\0', i + 1 < INCIDENTS);
        memcpy(token, list.next_token, sizeof(token));
    }
}

static void test_faulty_lists_are_refused(void **state) {
    (void)state;
    static char long_text[100];
    static const char *const tokens[] = {"x",
                                         "i1.",
                                         "i1.5.abc",
                                         "i1.5.0000000000000000-0000000001 ",
                                         "i1.+5.0000000000000000-0000000001",
                                         "i1.5.0000000000000000-0000000000"};
    struct gw_error error;
    int visits = 0;
    memset(long_text, '1', 70);
    Gridwarden__V1__PageRequest page = GRIDWARDEN__V1__PAGE_REQUEST__INIT;
    Gridwarden__V1__IncidentServiceListRequest request =
        GRIDWARDEN__V1__INCIDENT_SERVICE_LIST_REQUEST__INIT;
    struct gw_incident_list list = {.request = &request};
    request.page = &page;
    for (size_t i = 0; i < sizeof(tokens) / sizeof(tokens[0]); i++) {
        page.token = (char *)tokens[i];
        assert_int_equal(gw_shard_list_incidents(bench.shard, &list, stop_at_once, &visits, &error),
                         GW_EINVAL);
        assert_non_null(strstr(error.text, "page.token"));
    }
    page.token = (char *)"";
    page.size = 1001;
    assert_int_equal(gw_shard_list_incidents(bench.shard, &list, stop_at_once, &visits, &error),
                     GW_EINVAL);
    page.size = 0;
    request.state = (Gridwarden__V1__IncidentState)8;
    assert_int_equal(gw_shard_list_incidents(bench.shard, &list, stop_at_once, &visits, &error),
                     GW_EINVAL);
    request.state = (Gridwarden__V1__IncidentState)0;
    request.code_prefix = long_text;
    assert_int_equal(gw_shard_list_incidents(bench.shard, &list, stop_at_once, &visits, &error),
                     GW_EINVAL);
    request.code_prefix = (char *)"";
    request.handler = long_text;
    assert_int_equal(gw_shard_list_incidents(bench.shard, &list, stop_at_once, &visits, &error),
                     GW_EINVAL);
    assert_int_equal(visits, 0);
}

static bool count_event(void *context, const Gridwarden__V1__IncidentEvent *event) {
    (void)event;
    ++*(uint32_t *)context;
    return true;
}

static void test_one_incident_and_its_events(void **state) {
    (void)state;
    Gridwarden__V1__Incident *none = NULL;
    struct gw_error error;
    uint32_t count = 0;
    for (int i = 0; i < INCIDENTS; i++) {
        count = 0;
        assert_int_equal(
            gw_shard_incident_events(bench.shard, all[i]->id, count_event, &count, &error), GW_OK);
        assert_int_equal(count, all[i]->version);
    }
    const char *missing = "0000000000000000-00000fffff";
    assert_int_equal(gw_shard_get_incident(bench.shard, missing, &none, &error), GW_ENOTFOUND);
    assert_int_equal(gw_shard_get_incident(bench.shard, "x", &none, &error), GW_EINVAL);
    assert_int_equal(gw_shard_incident_events(bench.shard, missing, count_event, &count, &error),
                     GW_ENOTFOUND);
    assert_int_equal(gw_shard_incident_events(bench.shard, "", count_event, &count, &error),
                     GW_EINVAL);
    assert_null(none);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_filter_and_page_size),
        cmocka_unit_test(test_a_page_goes_on_with_what_a_visit_refused),
        cmocka_unit_test(test_faulty_lists_are_refused),
        cmocka_unit_test(test_one_incident_and_its_events),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
