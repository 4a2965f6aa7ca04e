// ReportPositions at and past its limits, and the snapshot of positions.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "services/workers/testing.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOW INT64_C(1700000000000)
#define FIXES_MAX 10001

struct message {
    Gridwarden__V1__ReportPositionsRequest request;
    Gridwarden__V1__WorkerPosition fixes[FIXES_MAX], *list[FIXES_MAX];
    Gridwarden__V1__Position positions[FIXES_MAX];
    Gridwarden__V1__Point points[FIXES_MAX];
};

static struct message message;

// `count` positions of one worker at 123 E 42 N, now.
static void message_init(size_t count, char *id) {
    memset(&message, 0, sizeof(message));
    gridwarden__v1__report_positions_request__init(&message.request);
    for (size_t i = 0; i < count; i++) {
        gridwarden__v1__worker_position__init(&message.fixes[i]);
        gridwarden__v1__position__init(&message.positions[i]);
        gridwarden__v1__point__init(&message.points[i]);
        message.points[i].longitude = 123.0;
        message.points[i].latitude = 42.0;
        message.positions[i].point = &message.points[i];
        message.positions[i].time_ms = NOW;
        message.fixes[i].position = &message.positions[i];
        message.fixes[i].worker_id = id;
        message.list[i] = &message.fixes[i];
    }
    message.request.positions = message.list;
    message.request.n_positions = count;
}

static struct gw_workers *two_workers(struct gw_edition **edition) {
    *edition = test_city_open();
    struct gw_workers *workers = gw_workers_create(*edition);
    test_add(workers, "a", test_city_code(*edition, 0), "water");
    test_add(workers, "b", test_city_code(*edition, 1), "");
    return workers;
}

static gw_err report(struct gw_workers *workers, uint64_t applied, uint64_t stale, uint64_t unknown,
                     struct gw_error *error) {
    Gridwarden__V1__ReportPositionsResponse response =
        GRIDWARDEN__V1__REPORT_POSITIONS_RESPONSE__INIT;
    gw_err err = gw_workers_report(workers, &message.request, NOW, &response, error);
    assert_int_equal(response.applied, applied);
    assert_int_equal(response.stale, stale);
    assert_int_equal(response.unknown, unknown);
    return err;
}

static void assert_at(struct gw_workers *workers, const char *id, double lon, double lat,
                      int64_t time_ms) {
    Gridwarden__V1__Worker *worker = gw_workers_get(workers, id);
    assert_non_null(worker);
    assert_non_null(worker->position);
    assert_true(worker->position->point->longitude == lon);
    assert_true(worker->position->point->latitude == lat);
    assert_true(worker->position->time_ms == time_ms);
    gridwarden__v1__worker__free_unpacked(worker, NULL);
}

static void test_faulty_points(void **state) {
    (void)state;
    static const struct {
        double lon, lat;
        int64_t time_ms;
        gw_err err;
        const char *words; // NULL: accepted
    } rows[] = {
        {180.0, 90.0, NOW, GW_OK, NULL},
        {-180.0, -90.0, NOW, GW_OK, NULL},
        {180.0000001, 0.0, NOW, GW_ERANGE, "worker \"b\", position.point.longitude 180"},
        {-181.0, 0.0, NOW, GW_ERANGE, "position.point.longitude -181"},
        {0.0, 90.0000001, NOW, GW_ERANGE, "position.point.latitude 90"},
        {0.0, -1e300, NOW, GW_ERANGE, "position.point.latitude -1e+300"},
        {NAN, 0.0, NOW, GW_EINVAL, "position.point.longitude"},
        {0.0, NAN, NOW, GW_EINVAL, "position.point.latitude"},
        {500.0, NAN, NOW, GW_EINVAL, "position.point.latitude"},
        {INFINITY, 0.0, NOW, GW_EINVAL, "position.point.longitude inf"},
        {0.0, -INFINITY, NOW, GW_EINVAL, "position.point.latitude -inf"},
        {0.0, 0.0, -1, GW_EINVAL, "position.time_ms -1"},
        {0.0, 0.0, INT64_MIN, GW_EINVAL, "worker \"b\", position.time_ms -92233720"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct gw_edition *edition;
        struct gw_workers *workers = two_workers(&edition);
        struct gw_error error = {GW_OK, ""};
        message_init(2, "a");
        message.fixes[1].worker_id = "b";
        message.points[1].longitude = rows[i].lon;
        message.points[1].latitude = rows[i].lat;
        message.positions[1].time_ms = rows[i].time_ms;
        bool fine = rows[i].err == GW_OK;
        assert_int_equal(report(workers, fine ? 2 : 0, 0, 0, &error), rows[i].err);
        assert_true(fine || strstr(error.text, rows[i].words) != NULL);
        struct gw_workers_totals totals;
        gw_workers_totals(workers, &totals);
        assert_int_equal(totals.with_position, fine ? 2 : 0); // nothing of a faulty message
        gw_workers_destroy(workers);
        gw_edition_close(edition);
    }
}

static void test_missing_fields(void **state) {
    (void)state;
    struct gw_edition *edition;
    struct gw_workers *workers = two_workers(&edition);
    struct gw_error error = {GW_OK, ""};
    message_init(2, "a");
    message.positions[1].point = NULL;
    assert_int_equal(report(workers, 0, 0, 0, &error), GW_EINVAL);
    assert_non_null(strstr(error.text, "worker \"a\", position.point: missing"));
    message.fixes[1].position = NULL;
    assert_int_equal(report(workers, 0, 0, 0, &error), GW_EINVAL);
    assert_non_null(strstr(error.text, "worker \"a\", position: missing"));
    message_init(2, "a");
    message.fixes[1].worker_id = "";
    assert_int_equal(report(workers, 0, 0, 0, &error), GW_EINVAL);
    assert_non_null(strstr(error.text, "positions[1].worker_id"));
    message_init(0, "a");
    assert_int_equal(report(workers, 0, 0, 0, &error), GW_OK);
    message_init(10000, "a");
    assert_int_equal(report(workers, 10000, 0, 0, &error), GW_OK);
    message_init(10001, "a");
    assert_int_equal(report(workers, 0, 0, 0, &error), GW_EINVAL);
    assert_non_null(strstr(error.text, "up to 10000 a message, not 10001"));
    gw_workers_destroy(workers);
    gw_edition_close(edition);
}

static void test_times(void **state) {
    (void)state;
    static const struct {
        int64_t time_ms;
        double lon;
        int64_t known_ms; // after it
        double known_lon;
    } rows[] = {
        {NOW - 5000, 1.0, NOW - 5000, 1.0},
        {NOW - 5001, 2.0, NOW - 5000, 1.0}, // older: dropped
        {NOW - 5000, 3.0, NOW - 5000, 3.0}, // of the same instant: the later word counts
        {0, 4.0, NOW, 4.0},
        {NOW + 60000, 5.0, NOW + 60000, 5.0},
        {NOW + 60001, 6.0, NOW + 60000, 5.0}, // cut to now, which is older
        {INT64_MAX, 7.0, NOW + 60000, 5.0},
    };
    struct gw_edition *edition;
    struct gw_workers *workers = two_workers(&edition);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        message_init(1, "a");
        message.positions[0].time_ms = rows[i].time_ms;
        message.points[0].longitude = rows[i].lon;
        bool applied = rows[i].known_lon == rows[i].lon;
        assert_int_equal(report(workers, applied, !applied, 0, NULL), GW_OK);
        assert_at(workers, "a", rows[i].known_lon, 42.0, rows[i].known_ms);
    }
    message_init(3, "c"); // nobody knows him
    message.fixes[1].worker_id = "b";
    message.positions[1].time_ms = INT64_MAX;
    assert_int_equal(report(workers, 1, 0, 2, NULL), GW_OK);
    assert_at(workers, "b", 123.0, 42.0, NOW);
    gw_workers_destroy(workers);
    gw_edition_close(edition);
}

// ---- the snapshot ----

static void test_snapshot_round_trip(void **state) {
    (void)state;
    struct gw_edition *edition;
    struct gw_workers *workers = two_workers(&edition);
    unsigned char *bytes, *again;
    size_t size, size_again;
    assert_int_equal(gw_workers_snapshot(workers, &bytes, &size), GW_OK); // nobody anywhere
    assert_int_equal(gw_workers_snapshot_load(workers, bytes, size), GW_OK);
    free(bytes);
    test_report(workers, "a", -179.9999999, -89.9999999, NOW);
    test_report(workers, "b", 180.0, 90.0, NOW - 1);
    assert_int_equal(gw_workers_snapshot(workers, &bytes, &size), GW_OK);

    struct gw_edition *edition2;
    struct gw_workers *restarted = two_workers(&edition2);
    test_report(restarted, "b", 5.0, 5.0, NOW); // newer than the snapshot's
    assert_int_equal(gw_workers_snapshot_load(restarted, bytes, size), GW_OK);
    assert_at(restarted, "a", -179.9999999, -89.9999999, NOW);
    assert_at(restarted, "b", 5.0, 5.0, NOW);
    test_report(workers, "b", 5.0, 5.0, NOW);
    free(bytes);
    assert_int_equal(gw_workers_snapshot(workers, &bytes, &size), GW_OK);
    assert_int_equal(gw_workers_snapshot(restarted, &again, &size_again), GW_OK);
    assert_int_equal(size, size_again);
    assert_memory_equal(bytes, again, size);
    free(again);

    struct gw_workers *strangers = gw_workers_create(edition); // a roster without them
    assert_int_equal(gw_workers_snapshot_load(strangers, bytes, size), GW_OK);
    struct gw_workers_totals totals;
    gw_workers_totals(strangers, &totals);
    assert_int_equal(totals.with_position, 0);
    free(bytes);
    gw_workers_destroy(strangers);
    gw_workers_destroy(restarted);
    gw_edition_close(edition2);
    gw_workers_destroy(workers);
    gw_edition_close(edition);
}

// Cut or changed at any byte: refused whole, or other positions; never half of it, never a crash.
static void test_snapshot_damaged(void **state) {
    (void)state;
    struct gw_edition *edition;
    struct gw_workers *workers = two_workers(&edition);
    test_report(workers, "a", 1.0, 2.0, NOW);
    test_report(workers, "b", 3.0, 4.0, NOW);
    unsigned char *bytes;
    size_t size;
    assert_int_equal(gw_workers_snapshot(workers, &bytes, &size), GW_OK);
    struct gw_workers_totals totals;
    struct gw_edition *edition2;
    struct gw_workers *other = two_workers(&edition2);
    for (size_t cut = 0; cut < size; cut++) {
        unsigned char *part = malloc(cut + 1); // its own block, so that asan sees each byte past it
        memcpy(part, bytes, cut);
        unsigned char *exact = realloc(part, cut > 0 ? cut : 1);
        assert_int_equal(gw_workers_snapshot_load(other, exact, cut), GW_ECORRUPT);
        free(exact);
    }
    unsigned char *longer = calloc(1, size + 1);
    memcpy(longer, bytes, size);
    assert_int_equal(gw_workers_snapshot_load(other, longer, size + 1), GW_ECORRUPT);
    free(longer);
    for (size_t i = 0; i < size * 8; i++) {
        bytes[i / 8] ^= (unsigned char)(1u << i % 8);
        gw_err err = gw_workers_snapshot_load(other, bytes, size);
        assert_true(err == GW_OK || err == GW_ECORRUPT);
        assert_true(err == GW_ECORRUPT || i / 8 >= 12); // the head's bits all count
        bytes[i / 8] ^= (unsigned char)(1u << i % 8);
    }
    gw_workers_totals(other, &totals);
    assert_int_equal(totals.workers, 2);
    free(bytes);
    gw_workers_destroy(other);
    gw_edition_close(edition2);
    gw_workers_destroy(workers);
    gw_edition_close(edition);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_faulty_points),
        cmocka_unit_test(test_missing_fields),
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_snapshot_round_trip),
        cmocka_unit_test(test_snapshot_damaged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
