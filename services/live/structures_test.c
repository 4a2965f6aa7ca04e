// The plain structures of the live picture.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "services/live/crew.h"
#include "services/live/open_incidents.h"
#include "services/live/ring.h"
#include "services/live/stream_text.h"
#include "services/workers/testing.h"
#include "tests/support/random.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static void test_degrees(void **state) {
    (void)state;
    static const struct {
        int32_t units;
        const char *text;
    } rows[] = {
        {0, "0"},
        {1, "0.0000001"},
        {-1, "-0.0000001"},
        {10, "0.000001"},
        {10000000, "1"},
        {-10000000, "-1"},
        {1240050000, "124.005"},
        {1240050001, "124.0050001"},
        {GW_LON_MAX, "180"},
        {-GW_LON_MAX, "-180"},
        {-899999999, "-89.9999999"},
        {INT32_MIN, "-214.7483648"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct gw_buffer out = {0};
        stream_degrees(&out, rows[i].units);
        assert_string_equal(out.data, rows[i].text);
        gw_buffer_free(&out);
    }
    struct test_random random = test_random_seeded("degrees", 2);
    for (int i = 0; i < 20000; i++) {
        struct gw_buffer out = {0};
        int32_t units = (int32_t)test_random_range(&random, -GW_LON_MAX, GW_LON_MAX);
        struct gw_point back = {0, 0};
        stream_degrees(&out, units);
        assert_int_equal(gw_lattice_round(strtod(out.data, NULL), 0, &back), GW_OK);
        assert_int_equal(back.lon, units);
        gw_buffer_free(&out);
    }
}

static void test_texts(void **state) {
    (void)state;
    struct gw_buffer out = {0};
    struct open_incident incident = {.id = "a-1",
                                     .class_code = "01",
                                     .grid_code = "G\"1",
                                     .handler = "desk:2112",
                                     .state = "AT_DESK",
                                     .severity = 2,
                                     .attempt = 3,
                                     .version = 9,
                                     .has_point = true,
                                     .point = {1240000000, -425000001},
                                     .reported_ms = 5,
                                     .updated_ms = 6};
    stream_incident(&out, &incident);
    assert_string_equal(out.data,
                        "{\"id\":\"a-1\",\"state\":\"AT_DESK\",\"class\":\"01\",\"severity\":2,"
                        "\"lon\":124,\"lat\":-42.5000001,\"grid\":\"G\\\"1\","
                        "\"handler\":\"desk:2112\",\"attempt\":3,\"reported_ms\":5,"
                        "\"updated_ms\":6,\"version\":9}");
    gw_buffer_clear(&out);
    incident.has_point = false;
    stream_incident(&out, &incident);
    assert_non_null(strstr(out.data, "\"lon\":null,\"lat\":null,"));
    gw_buffer_clear(&out);
    struct crew_row row = {.id = "w\"1",
                           .on_duty = true,
                           .load = 2,
                           .point = {1, -20000000},
                           .time_ms = 1700000000000};
    stream_worker(&out, &row);
    assert_string_equal(out.data, "[\"w\\\"1\",0.0000001,-2,1,0,2,1700000000000]");
    gw_buffer_free(&out);
}

// Against an array with a place for each id.
static void test_open_incidents_against_an_array(void **state) {
    (void)state;
    enum { IDS = 500, STEPS = 60000 };
    static uint32_t versions[IDS]; // 0: not there
    struct test_random random = test_random_seeded("open incidents", 4);
    struct open_incidents incidents = {0};
    uint32_t count = 0;
    memset(versions, 0, sizeof(versions));
    for (uint32_t step = 1; step <= STEPS; step++) {
        // Waves, so that it grows and shrinks.
        uint32_t at = (uint32_t)test_random_range(&random, 0, IDS - 1);
        bool removes = test_random_range(&random, 0, 99) < (step / 5000 % 2 == 0 ? 30 : 70);
        struct open_incident row = {.version = step,
                                    .state = "OFFERED",
                                    .has_point = step % 3 != 0,
                                    .point = {(int32_t)step, 1}};
        (void)snprintf(row.id, sizeof(row.id), "%016x-%u", at * 7u, at);
        if (removes) {
            open_incidents_remove(&incidents, row.id);
            count -= versions[at] != 0;
            versions[at] = 0;
        } else {
            assert_int_equal(open_incidents_put(&incidents, &row), GW_OK);
            count += versions[at] == 0;
            versions[at] = step;
        }
        assert_int_equal(incidents.count, count);
        uint32_t other = (uint32_t)test_random_range(&random, 0, IDS - 1);
        (void)snprintf(row.id, sizeof(row.id), "%016x-%u", other * 7u, other);
        const struct open_incident *found = open_incidents_find(&incidents, row.id);
        assert_int_equal(found != NULL, versions[other] != 0);
        assert_true(found == NULL || found->version == versions[other]);
        if (found != NULL) {
            struct gw_point place = incidents.places[found - incidents.rows];
            assert_int_equal(place.lon, found->has_point ? found->point.lon : INT32_MIN);
        }
    }
    open_incidents_deinit(&incidents);
}

static struct ring ring;

static void put(size_t size) {
    static const char text[2000];
    struct block *block = block_create(text, size);
    assert_non_null(block);
    (void)ring_put(&ring, block);
}

static void test_the_ring_keeps_the_latest(void **state) {
    (void)state;
    ring_init(&ring, 10000);
    assert_null(ring_at(&ring, 0));
    assert_null(ring_at(&ring, 1));
    for (int i = 0; i < 100; i++) {
        put(900);
        assert_true(ring.bytes <= 10000);
        assert_non_null(ring_at(&ring, ring.next - 1));
        assert_null(ring_at(&ring, ring.next));
    }
    assert_int_equal(ring.next, 101);
    assert_in_range(ring.next - ring.first, 9, 11);
    assert_null(ring_at(&ring, ring.first - 1));
    struct block *held = block_retain(ring_at(&ring, ring.first));
    ring_deinit(&ring);
    assert_int_equal(held->size, 900); // outlives the ring
    block_release(held);
    ring_init(&ring, SIZE_MAX);
    for (uint32_t i = 0; i < RING_EVENTS_MAX + 10; i++) {
        put(0);
    }
    assert_int_equal(ring.next - ring.first, RING_EVENTS_MAX);
    assert_int_equal(ring.first, 11);
    ring_deinit(&ring);
    assert_int_equal(ring.bytes, 0);
}

static void test_the_crew_sees_what_changed(void **state) {
    (void)state;
    struct gw_edition *edition = test_city_open();
    struct gw_workers *workers = gw_workers_create(edition);
    struct crew crew = {0};
    char id[16];
    for (int i = 0; i < 200; i++) {
        (void)snprintf(id, sizeof(id), "w%d", i);
        test_add(workers, id, test_city_code(edition, (uint32_t)i % TEST_CITY_GRIDS), "");
        if (i % 2 == 0) {
            test_report(workers, id, 123.0 + 0.001 * i, 42.0, 1000);
        }
    }
    assert_int_equal(crew_look(&crew, workers), GW_OK);
    assert_int_equal(crew.changed_count, 100); // those with a position
    crew_settle(&crew);
    assert_int_equal(crew_look(&crew, workers), GW_OK);
    assert_int_equal(crew.changed_count, 0);
    test_report(workers, "w2", 123.5, 42.5, 2000);
    test_report(workers, "w3", 123.6, 42.5, 2000); // his first
    test_duty(workers, "w4", GRIDWARDEN__V1__DUTY__DUTY_ON);
    test_duty(workers, "w5", GRIDWARDEN__V1__DUTY__DUTY_ON); // without a position: not shown
    test_reserve(workers, "w4", "incident");
    assert_int_equal(crew_look(&crew, workers), GW_OK);
    assert_int_equal(crew.changed_count, 3);
    for (uint32_t i = 0; i < crew.count; i++) {
        const struct crew_row *row = &crew.rows[i];
        bool told =
            strcmp(row->id, "w2") == 0 || strcmp(row->id, "w3") == 0 || strcmp(row->id, "w4") == 0;
        assert_int_equal(row->shown && row->changed, told);
        if (strcmp(row->id, "w2") == 0) {
            assert_true(row->point.lon == 1235000000 && row->time_ms == 2000);
        }
        if (strcmp(row->id, "w4") == 0) {
            assert_true(row->on_duty && row->load == 1);
        }
    }
    crew_settle(&crew);
    assert_int_equal(crew.changed_count, 0);
    crew_deinit(&crew);
    gw_workers_destroy(workers);
    gw_edition_close(edition);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_degrees),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_open_incidents_against_an_array),
        cmocka_unit_test(test_the_ring_keeps_the_latest),
        cmocka_unit_test(test_the_crew_sees_what_changed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
