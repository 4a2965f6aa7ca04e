#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "services/shard/heap.h"
#include "services/shard/keys.h"
#include "services/shard/table.h"
#include "tests/support/random.h"

#include <string.h>

enum { IDS = 3000 };

static void set_id(struct heap_item *item, unsigned number) {
    gw_incident_id(number, number + 1u, item->id);
}

static void test_heap_gives_the_smallest_first(void **unused) {
    (void)unused;
    struct test_random random = test_random_seeded("heap", 7);
    struct heap heap = {0};
    static int64_t times[IDS];
    assert_null(heap_first(&heap));
    heap_pop(&heap); // nothing to take: nothing happens
    for (unsigned i = 0; i < IDS; i++) {
        struct heap_item item = {test_random_range(&random, 0, 500), i, ""};
        set_id(&item, i);
        times[i] = item.time_ms;
        heap_push(&heap, &item);
    }
    struct heap_item before = {-1, 0, ""};
    for (unsigned i = 0; i < IDS; i++) {
        struct heap_item item = *heap_first(&heap);
        assert_true(item.time_ms > before.time_ms ||
                    (item.time_ms == before.time_ms && strcmp(item.id, before.id) > 0));
        assert_int_equal(item.time_ms, times[item.attempt]);
        times[item.attempt] = -2; // each once
        before = item;
        heap_pop(&heap);
    }
    assert_null(heap_first(&heap));
    heap_free(&heap);
}

static bool is_even(void *context, const struct heap_item *item) {
    ++*(unsigned *)context;
    return item->attempt % 2u == 0;
}

static void test_heap_keeps_what_it_is_told(void **unused) {
    (void)unused;
    struct heap heap = {0};
    unsigned asked = 0;
    for (unsigned i = 0; i < 999; i++) {
        struct heap_item item = {(int64_t)(i * 7919u % 1000u), i, ""};
        set_id(&item, i);
        heap_push(&heap, &item);
    }
    heap_keep(&heap, is_even, &asked);
    assert_int_equal(asked, 999);
    assert_int_equal(heap.count, 500);
    int64_t before = -1;
    while (heap_first(&heap) != NULL) {
        assert_int_equal(heap_first(&heap)->attempt % 2u, 0);
        assert_true(heap_first(&heap)->time_ms >= before);
        before = heap_first(&heap)->time_ms;
        heap_pop(&heap);
    }
    heap_free(&heap);
}

static Gridwarden__Store__V1__IncidentRecord *record_of(unsigned number, uint32_t version) {
    char id[GW_INCIDENT_ID_SIZE];
    Gridwarden__V1__Incident incident = GRIDWARDEN__V1__INCIDENT__INIT;
    Gridwarden__Store__V1__IncidentRecord record = GRIDWARDEN__STORE__V1__INCIDENT_RECORD__INIT;
    unsigned char bytes[256];
    gw_incident_id(0, number + 1u, id);
    incident.id = id;
    incident.version = version;
    record.incident = &incident;
    size_t size = gridwarden__store__v1__incident_record__pack(&record, bytes);
    return gridwarden__store__v1__incident_record__unpack(NULL, size, bytes);
}

// Against a plain array, through growth and removals that close gaps.
static void test_table_is_a_map(void **unused) {
    (void)unused;
    struct test_random random = test_random_seeded("table", 11);
    static uint32_t model[IDS];
    struct table table = {.id_of = table_incident_id};
    size_t count = 0;
    memset(model, 0, sizeof(model));
    assert_null(table_find(&table, "0000000000000000-0000000001"));
    table_remove(&table, "0000000000000000-0000000001");
    for (uint32_t round = 1; round <= 20000; round++) {
        unsigned number = (unsigned)test_random_range(&random, 0, IDS - 1);
        char id[GW_INCIDENT_ID_SIZE];
        gw_incident_id(0, number + 1u, id);
        const Gridwarden__Store__V1__IncidentRecord *found = table_find(&table, id);
        assert_int_equal(found != NULL ? found->incident->version : 0, model[number]);
        if (test_random_range(&random, 0, 2) < 2) {
            count += model[number] == 0;
            model[number] = round;
            table_put(&table, record_of(number, round));
        } else {
            count -= model[number] != 0;
            model[number] = 0;
            table_remove(&table, id);
        }
        assert_int_equal(table.count, count);
    }
    for (unsigned number = 0; number < IDS; number++) {
        char id[GW_INCIDENT_ID_SIZE];
        gw_incident_id(0, number + 1u, id);
        const Gridwarden__Store__V1__IncidentRecord *found = table_find(&table, id);
        assert_int_equal(found != NULL ? found->incident->version : 0, model[number]);
    }
    table_free(&table);
}

static void test_numbers_keep_their_order_as_bytes(void **unused) {
    (void)unused;
    static const uint64_t numbers[] = {0, 1, 255, 256, 1u << 31, UINT64_MAX / 2, UINT64_MAX};
    unsigned char before[8], after[8];
    for (size_t i = 0; i + 1 < sizeof(numbers) / sizeof(numbers[0]); i++) {
        key_put_u64(before, numbers[i]);
        key_put_u64(after, numbers[i + 1]);
        assert_true(memcmp(before, after, 8) < 0);
        assert_int_equal(key_get_u64(before), numbers[i]);
    }
}

static void test_index_rows_of_codes_that_nest_and_that_do_not(void **unused) {
    (void)unused;
    static const struct {
        const char *grid, *areas[4];
        uint32_t area_count, rows; // beside those by time, state and handler
    } cases[] = {
        {"211282001001001", {"211282001001", "211282001", "211282", "2112"}, 4, 4},
        {"211282001001001", {NULL}, 0, 4},
        {"59001", {"59"}, 1, 1},
        {"G1", {"211282"}, 1, 2},
        {"", {NULL}, 0, 0},
        {"abcdefghijklmno",
         {"111111111111", "222222222222", "333333333333", "444444444444"},
         4,
         20},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        Gridwarden__V1__Incident incident = GRIDWARDEN__V1__INCIDENT__INIT;
        struct key rows[KEY_INDEX_ROWS_MAX];
        incident.id = (char *)"0000000000000000-0000000001";
        incident.handler = (char *)"w1";
        incident.grid_code = (char *)cases[i].grid;
        incident.area_codes = (char **)cases[i].areas;
        incident.n_area_codes = cases[i].area_count;
        uint32_t count = key_index_rows(&incident, rows);
        assert_int_equal(count, 3 + cases[i].rows);
        for (uint32_t a = 0; a < count; a++) {
            for (uint32_t b = 0; b < a; b++) {
                assert_false(key_equal(&rows[a], &rows[b]));
            }
        }
    }
}

static void test_prefixes_find_their_index(void **unused) {
    (void)unused;
    static const struct {
        const char *prefix;
        int size; // of the kept prefix; 0: none
    } cases[] = {{"", 0},
                 {"211", 0},
                 {"2112", 4},
                 {"21128", 4},
                 {"211282", 6},
                 {"2112820", 6},
                 {"211282001", 9},
                 {"211282001001", 12},
                 {"a", 0},
                 {"abcdefgh", 6},
                 {"211282001001001", 12}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct key key;
        gw_err err = key_under_prefix(cases[i].prefix, &key);
        assert_int_equal(err, cases[i].size == 0 ? GW_ENOTFOUND : GW_OK);
        if (err == GW_OK) {
            assert_int_equal(key.size, 2 + cases[i].size);
            assert_memory_equal(key.bytes + 2, cases[i].prefix, (size_t)cases[i].size);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_heap_gives_the_smallest_first),
        cmocka_unit_test(test_heap_keeps_what_it_is_told),
        cmocka_unit_test(test_table_is_a_map),
        cmocka_unit_test(test_numbers_keep_their_order_as_bytes),
        cmocka_unit_test(test_index_rows_of_codes_that_nest_and_that_do_not),
        cmocka_unit_test(test_prefixes_find_their_index),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
