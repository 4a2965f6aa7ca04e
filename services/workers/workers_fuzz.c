// Requests, events and snapshots as bytes from outside, in any sequence, on one small city.
//
// The input is a run of parts: a byte that says what, two of length, and the bytes.
#include "services/workers/testing.h"
#include <stdlib.h>
#include <string.h>

#define PARTS_MAX 64
#define NOW INT64_C(1700000000000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok) {
    if (!ok) {
        abort();
    }
}

static void upsert(struct gw_workers *workers, const uint8_t *bytes, size_t size) {
    Gridwarden__V1__UpsertWorkersRequest *request =
        gridwarden__v1__upsert_workers_request__unpack(NULL, size, bytes);
    Gridwarden__V1__UpsertWorkersResponse response = GRIDWARDEN__V1__UPSERT_WORKERS_RESPONSE__INIT;
    struct gw_worker_events events = {0};
    struct gw_error error = {GW_OK, ""};
    if (request == NULL) {
        return;
    }
    gw_err err = gw_workers_decide_upsert(workers, request, NOW, &events, &response, &error);
    require(events.count == (err == GW_OK ? request->n_workers : 0));
    require(err == GW_OK || (error.code == err && error.text[0] != '\0'));
    test_evolve(workers, &events);
    gridwarden__v1__upsert_workers_request__free_unpacked(request, NULL);
}

static void duty(struct gw_workers *workers, const uint8_t *bytes, size_t size) {
    Gridwarden__V1__SetDutyRequest *request =
        gridwarden__v1__set_duty_request__unpack(NULL, size, bytes);
    Gridwarden__V1__SetDutyResponse response = GRIDWARDEN__V1__SET_DUTY_RESPONSE__INIT;
    struct gw_worker_events events = {0};
    if (request != NULL) {
        gw_err err = gw_workers_decide_duty(workers, request, NOW, &events, &response, NULL);
        require(err == GW_OK || events.count == 0);
        test_evolve(workers, &events);
        gridwarden__v1__set_duty_request__free_unpacked(request, NULL);
    }
}

static void report(struct gw_workers *workers, const uint8_t *bytes, size_t size) {
    Gridwarden__V1__ReportPositionsRequest *request =
        gridwarden__v1__report_positions_request__unpack(NULL, size, bytes);
    Gridwarden__V1__ReportPositionsResponse response =
        GRIDWARDEN__V1__REPORT_POSITIONS_RESPONSE__INIT;
    if (request != NULL) {
        gw_err err = gw_workers_report(workers, request, NOW, &response, NULL);
        uint64_t counted = response.applied + response.stale + response.unknown;
        require(counted == (err == GW_OK ? request->n_positions : 0));
        gridwarden__v1__report_positions_request__free_unpacked(request, NULL);
    }
}

static void nearest(struct gw_workers *workers, const uint8_t *bytes, size_t size) {
    Gridwarden__V1__NearestRequest *request =
        gridwarden__v1__nearest_request__unpack(NULL, size, bytes);
    Gridwarden__V1__NearestResponse response = GRIDWARDEN__V1__NEAREST_RESPONSE__INIT;
    if (request != NULL) {
        gw_err err = gw_workers_nearest(workers, request, NOW, &response, NULL);
        require(err == GW_OK || response.n_workers == 0);
        for (size_t i = 1; i < response.n_workers; i++) {
            require(response.workers[i - 1]->distance_m <= response.workers[i]->distance_m);
        }
        gw_workers_nearest_free(&response);
        gridwarden__v1__nearest_request__free_unpacked(request, NULL);
    }
}

// What a damaged log could hold: it must not crash, whatever it makes of the roster.
static void event(struct gw_workers *workers, const uint8_t *bytes, size_t size) {
    Gridwarden__Store__V1__WorkerEvent *unpacked =
        gridwarden__store__v1__worker_event__unpack(NULL, size, bytes);
    if (unpacked != NULL) {
        gw_workers_evolve(workers, unpacked);
        gridwarden__store__v1__worker_event__free_unpacked(unpacked, NULL);
    }
}

static void snapshot(struct gw_workers *workers, const uint8_t *bytes, size_t size) {
    gw_err err = gw_workers_snapshot_load(workers, bytes, size);
    require(err == GW_OK || err == GW_ECORRUPT);
}

static void assert_sound(struct gw_workers *workers) {
    struct gw_workers_totals totals;
    gw_workers_totals(workers, &totals);
    require(totals.on_duty <= totals.workers && totals.with_position <= totals.workers);
    Gridwarden__V1__Worker *page[100];
    uint32_t count = gw_workers_list(workers, "", "", 100, page);
    require(count == (totals.workers < 100 ? totals.workers : 100));
    for (uint32_t i = 0; i < count; i++) {
        require(i == 0 || strcmp(page[i - 1]->id, page[i]->id) < 0);
        size_t size;
        free(test_record(workers, page[i]->id, &size));
    }
    while (count > 0) {
        gridwarden__v1__worker__free_unpacked(page[--count], NULL);
    }
    unsigned char *bytes = NULL;
    size_t size;
    require(gw_workers_snapshot(workers, &bytes, &size) == GW_OK);
    free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct gw_edition *edition; // one for all inputs
    void (*const kinds[])(struct gw_workers *, const uint8_t *,
                          size_t) = {upsert, duty, report, nearest, event, snapshot};
    if (edition == NULL) {
        edition = test_city_open();
    }
    struct gw_workers *workers = gw_workers_create(edition);
    require(workers != NULL);
    for (int i = 0; i < PARTS_MAX && size >= 3; i++) {
        size_t length = (size_t)data[1] << 8 | data[2];
        length = length < size - 3 ? length : size - 3;
        kinds[data[0] % 6](workers, data + 3, length);
        data += 3 + length;
        size -= 3 + length;
    }
    assert_sound(workers);
    gw_workers_destroy(workers);
    return 0;
}
