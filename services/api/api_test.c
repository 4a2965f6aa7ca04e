// Reads and writes over the wire: batches, pages, boundaries, and writes whose client has gone.
#include "services/api/testing.h"

#include "gridwarden/v1/grid.pb-c.h"
#include "gridwarden/v1/worker.pb-c.h"
#include "services/base/clock.h"
#include "services/grids/edition_writer.h"
#include "services/incidents/message.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOCATE "/gridwarden.v1.GridService/Locate"
#define LOCATE_BATCH "/gridwarden.v1.GridService/LocateBatch"
#define GET_GRID "/gridwarden.v1.GridService/GetGrid"
#define LIST_GRIDS "/gridwarden.v1.GridService/ListGrids"
#define LIST_WORKERS "/gridwarden.v1.WorkerService/ListWorkers"
#define REPORT "/gridwarden.v1.IncidentService/Report"
#define LIST "/gridwarden.v1.IncidentService/List"
#define GET "/gridwarden.v1.IncidentService/Get"

static struct api_bench it;
static struct gw_error error;

static void release(void *message) {
    protobuf_c_message_free_unpacked(message, NULL);
}

static int set_up(void **state) {
    (void)state;
    api_bench_open(&it, NULL, NULL, 0);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    api_bench_close(&it);
    return 0;
}

// --- batches ---

static gw_err locate_batch(const int32_t *longitudes, size_t longitude_count,
                           const int32_t *latitudes, size_t latitude_count,
                           Gridwarden__V1__LocateBatchResponse **response) {
    Gridwarden__V1__PackedPoints points = GRIDWARDEN__V1__PACKED_POINTS__INIT;
    Gridwarden__V1__LocateBatchRequest request = GRIDWARDEN__V1__LOCATE_BATCH_REQUEST__INIT;
    points.longitudes_e7 = (int32_t *)longitudes;
    points.n_longitudes_e7 = longitude_count;
    points.latitudes_e7 = (int32_t *)latitudes;
    points.n_latitudes_e7 = latitude_count;
    request.points = &points;
    return api_bench_read(&it, LOCATE_BATCH, &request.base,
                          &gridwarden__v1__locate_batch_response__descriptor, response, &error);
}

static void check_batch_like_one(const int32_t *longitudes, const int32_t *latitudes,
                                 const Gridwarden__V1__LocateBatchResponse *batch) {
    for (size_t i = 0; i < batch->n_owners; i++) {
        Gridwarden__V1__LocateRequest request = GRIDWARDEN__V1__LOCATE_REQUEST__INIT;
        Gridwarden__V1__Point point = GRIDWARDEN__V1__POINT__INIT;
        Gridwarden__V1__LocateResponse *one = NULL;
        point.longitude = gw_degrees(longitudes[i]);
        point.latitude = gw_degrees(latitudes[i]);
        request.point = &point;
        assert_int_equal(api_bench_read(&it, LOCATE, &request.base,
                                        &gridwarden__v1__locate_response__descriptor, &one, &error),
                         GW_OK);
        assert_true(batch->owners[i] <= batch->n_codes);
        assert_string_equal(one->grid != NULL ? one->grid->code : "",
                            batch->owners[i] > 0 ? batch->codes[batch->owners[i] - 1] : "");
        assert_int_equal(one->nearest != NULL, one->grid == NULL);
        release(one);
    }
}

static void test_a_batch_names_each_code_once(void **state) {
    (void)state;
    enum { SIDE = 16 };
    int32_t longitudes[SIDE * SIDE], latitudes[SIDE * SIDE];
    Gridwarden__V1__LocateBatchResponse *batch = NULL;
    for (int i = 0; i < SIDE * SIDE; i++) { // from outside over borders and corners to outside
        longitudes[i] = 1239950000 + i % SIDE * 25000;
        latitudes[i] = 424950000 + i / SIDE * 25000;
    }
    assert_int_equal(locate_batch(longitudes, SIDE * SIDE, latitudes, SIDE * SIDE, &batch), GW_OK);
    assert_int_equal(batch->n_owners, SIDE * SIDE);
    assert_int_equal(batch->n_codes, 6);
    uint32_t named = 0;
    for (size_t i = 0; i < batch->n_owners; i++) { // in the order in which they are met
        assert_true(batch->owners[i] <= named + 1);
        named = batch->owners[i] > named ? batch->owners[i] : named;
    }
    assert_int_equal(named, batch->n_codes);
    for (size_t i = 0; i < batch->n_codes; i++) {
        for (size_t k = 0; k < i; k++) {
            assert_string_not_equal(batch->codes[i], batch->codes[k]);
        }
    }
    check_batch_like_one(longitudes, latitudes, batch);
    release(batch);
}

static void test_faulty_batches_are_refused(void **state) {
    (void)state;
    enum { MOST = 100000 };
    int32_t *zeros = calloc(MOST + 1, sizeof(*zeros));
    const int32_t bad[] = {1240000000, 1800000001};
    Gridwarden__V1__LocateBatchResponse *batch = NULL;
    assert_non_null(zeros);
    assert_int_equal(locate_batch(zeros, 2, zeros, 3, &batch), GW_EINVAL);
    assert_non_null(strstr(error.text, "2 longitudes and 3 latitudes"));
    assert_int_equal(locate_batch(zeros, MOST + 1, zeros, MOST + 1, &batch), GW_EINVAL);
    assert_non_null(strstr(error.text, "100000"));
    assert_int_equal(locate_batch(bad, 2, zeros, 2, &batch), GW_ERANGE);
    assert_non_null(strstr(error.text, "points[1]"));
    Gridwarden__V1__LocateBatchRequest none = GRIDWARDEN__V1__LOCATE_BATCH_REQUEST__INIT;
    assert_int_equal(api_bench_read(&it, LOCATE_BATCH, &none.base,
                                    &gridwarden__v1__locate_batch_response__descriptor, &batch,
                                    &error),
                     GW_EINVAL);
    assert_int_equal(locate_batch(zeros, 0, zeros, 0, &batch), GW_OK);
    assert_int_equal(batch->n_owners, 0);
    release(batch);
    assert_int_equal(locate_batch(zeros, MOST, zeros, MOST, &batch), GW_OK);
    assert_int_equal(batch->n_owners, MOST);
    assert_int_equal(batch->n_codes, 0);
    release(batch);
    free(zeros);
}

// --- pages ---

static uint32_t list_grids(uint32_t size, const char *prefix, char codes[][64]) {
    char token[64] = "";
    uint32_t count = 0;
    do {
        Gridwarden__V1__PageRequest page = GRIDWARDEN__V1__PAGE_REQUEST__INIT;
        Gridwarden__V1__ListGridsRequest request = GRIDWARDEN__V1__LIST_GRIDS_REQUEST__INIT;
        Gridwarden__V1__ListGridsResponse *response = NULL;
        page.size = size;
        page.token = token;
        request.page = &page;
        request.code_prefix = (char *)prefix;
        assert_int_equal(api_bench_read(&it, LIST_GRIDS, &request.base,
                                        &gridwarden__v1__list_grids_response__descriptor, &response,
                                        &error),
                         GW_OK);
        assert_true(response->n_grids <= size);
        for (size_t i = 0; i < response->n_grids; i++) {
            assert_true(count < 16);
            (void)snprintf(codes[count++], 64, "%s", response->grids[i]->code);
        }
        (void)snprintf(token, sizeof(token), "%s", response->next_token);
        release(response);
    } while (token[0] != '\0');
    return count;
}

static void test_grids_are_paged_by_code(void **state) {
    (void)state;
    static const struct {
        const char *prefix;
        uint32_t count;
    } rows[] = {{"", 6},       {"211282001", 3}, {BENCH_VILLAGE_A, 2},
                {BENCH_B1, 1}, {"9", 0},         {BENCH_VILLAGE_C "00", 3}};
    for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
        for (uint32_t size = 1; size <= 7; size++) {
            char codes[16][64];
            uint32_t count = list_grids(size, rows[r].prefix, codes);
            assert_int_equal(count, rows[r].count);
            for (uint32_t i = 0; i < count; i++) {
                assert_int_equal(strncmp(codes[i], rows[r].prefix, strlen(rows[r].prefix)), 0);
                assert_true(i == 0 || strcmp(codes[i - 1], codes[i]) < 0);
            }
        }
    }
}

static void test_workers_are_paged_by_id(void **state) {
    (void)state;
    bench_staff(&it.bench, 1); // w1 .. w5
    for (uint32_t size = 1; size <= 6; size++) {
        char token[80] = "", ids[64] = "";
        do {
            Gridwarden__V1__PageRequest page = GRIDWARDEN__V1__PAGE_REQUEST__INIT;
            Gridwarden__V1__ListWorkersRequest request = GRIDWARDEN__V1__LIST_WORKERS_REQUEST__INIT;
            Gridwarden__V1__ListWorkersResponse *response = NULL;
            page.size = size;
            page.token = token;
            request.page = &page;
            request.code_prefix = (char *)"211282001";
            assert_int_equal(api_bench_read(&it, LIST_WORKERS, &request.base,
                                            &gridwarden__v1__list_workers_response__descriptor,
                                            &response, &error),
                             GW_OK);
            for (size_t i = 0; i < response->n_workers; i++) {
                size_t used = strlen(ids);
                (void)snprintf(ids + used, sizeof(ids) - used, "%s", response->workers[i]->id);
            }
            (void)snprintf(token, sizeof(token), "%s", response->next_token);
            release(response);
        } while (token[0] != '\0');
        assert_string_equal(ids, "w1w2w3w4");
    }
}

static void test_pages_past_the_limit_are_refused(void **state) {
    (void)state;
    Gridwarden__V1__PageRequest page = GRIDWARDEN__V1__PAGE_REQUEST__INIT;
    Gridwarden__V1__ListGridsRequest grids = GRIDWARDEN__V1__LIST_GRIDS_REQUEST__INIT;
    Gridwarden__V1__ListWorkersRequest workers = GRIDWARDEN__V1__LIST_WORKERS_REQUEST__INIT;
    Gridwarden__V1__IncidentServiceListRequest incidents =
        GRIDWARDEN__V1__INCIDENT_SERVICE_LIST_REQUEST__INIT;
    ProtobufCMessage *response = NULL;
    page.size = GW_API_PAGE_MAX + 1;
    grids.page = workers.page = incidents.page = &page;
    const struct {
        const char *path;
        const ProtobufCMessage *request;
        const ProtobufCMessageDescriptor *type;
    } rows[] = {
        {LIST_GRIDS, &grids.base, &gridwarden__v1__list_grids_response__descriptor},
        {LIST_WORKERS, &workers.base, &gridwarden__v1__list_workers_response__descriptor},
        {LIST, &incidents.base, &gridwarden__v1__incident_service_list_response__descriptor},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(
            api_bench_read(&it, rows[i].path, rows[i].request, rows[i].type, &response, &error),
            GW_EINVAL);
        assert_non_null(strstr(error.text, "page.size"));
    }
}

// Reports with the longest texts that are let in, many to an entry.
static void report_long(uint32_t count) {
    char text[GW_DESCRIPTION_MAX + 1], address[GW_ADDRESS_MAX + 1];
    struct bench_reply *replies = calloc(count, sizeof(*replies));
    Gridwarden__V1__ReportRequest *requests = calloc(count, sizeof(*requests));
    char(*ids)[16] = calloc(count, sizeof(*ids));
    assert_true(replies != NULL && requests != NULL && ids != NULL);
    memset(text, 'x', GW_DESCRIPTION_MAX);
    text[GW_DESCRIPTION_MAX] = '\0';
    memcpy(address, text, GW_ADDRESS_MAX);
    address[GW_ADDRESS_MAX] = '\0';
    for (uint32_t i = 0; i < count; i++) {
        gridwarden__v1__report_request__init(&requests[i]);
        (void)snprintf(ids[i], sizeof(ids[i]), "long-%u", i);
        requests[i].request_id = ids[i];
        requests[i].class_code = (char *)"06";
        requests[i].address = address;
        requests[i].description = text;
        bench_submit(&it.bench, &requests[i].base, &replies[i]);
    }
    while (gw_shard_step(it.bench.shard) > 0) {
    }
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(replies[i].answers, 1);
        assert_int_equal(replies[i].err, GW_OK);
        bench_reply_free(&replies[i]);
    }
    free(replies);
    free(requests);
    free(ids);
}

static void test_a_page_of_long_texts_fits_a_message(void **state) {
    (void)state;
    enum { COUNT = 1050 }; // more than 4 MiB
    static bool had[COUNT + 1];
    char token[96] = "";
    uint32_t count = 0, pages = 0;
    report_long(COUNT);
    do {
        Gridwarden__V1__PageRequest page = GRIDWARDEN__V1__PAGE_REQUEST__INIT;
        Gridwarden__V1__IncidentServiceListRequest request =
            GRIDWARDEN__V1__INCIDENT_SERVICE_LIST_REQUEST__INIT;
        Gridwarden__V1__IncidentServiceListResponse *response = NULL;
        page.size = GW_API_PAGE_MAX;
        page.token = token;
        request.page = &page;
        if (api_bench_read(&it, LIST, &request.base,
                           &gridwarden__v1__incident_service_list_response__descriptor, &response,
                           &error) != GW_OK) {
            fail_msg("%s", error.text);
        }
        for (size_t i = 0; i < response->n_incidents; i++) {
            uint64_t number = gw_incident_id_counter(response->incidents[i]->id);
            assert_true(number >= 1 && number <= COUNT && !had[number]);
            had[number] = true;
            count++;
        }
        (void)snprintf(token, sizeof(token), "%s", response->next_token);
        release(response);
        pages++;
    } while (token[0] != '\0');
    assert_int_equal(count, COUNT);
    assert_int_equal(pages, 2);
}

// --- boundaries ---

struct ring {
    struct gw_point corners[4];
    uint8_t kind;
};

// A square, counter-clockwise; a hole the other way round.
static struct ring square(int32_t west, int32_t south, int32_t side, uint8_t kind) {
    struct gw_point sw = {west, south}, se = {west + side, south};
    struct gw_point ne = {west + side, south + side}, nw = {west, south + side};
    bool hole = kind == GW_RING_HOLE;
    return (struct ring){{sw, hole ? nw : se, ne, hole ? se : nw}, kind};
}

// Grid "m": a square with two holes, and one apart, without; grid "n": in the first hole.
static struct gw_edition *open_holed_edition(void) {
    struct ring rings[] = {square(0, 0, 1000, GW_RING_SHELL), square(100, 100, 200, GW_RING_HOLE),
                           square(500, 500, 300, GW_RING_HOLE), square(5000, 0, 700, GW_RING_SHELL),
                           square(100, 100, 200, GW_RING_SHELL)};
    struct gw_edition_ring rows[5];
    char path[700];
    struct gw_edition *edition = NULL;
    const char *root = getenv("TEST_TMPDIR");
    for (size_t i = 0; i < 5; i++) {
        rows[i] = (struct gw_edition_ring){rings[i].corners, 4, rings[i].kind};
    }
    struct gw_edition_grid_row grids[] = {{"m", "many", "", 3, 0, rows, 4},
                                          {"n", "in a hole", "", 1, 0, &rows[4], 1}};
    struct gw_edition_input input = {.layer = GW_LAYER_RESPONSIBLE,
                                     .label = "SYNTHETIC",
                                     .number = 7,
                                     .created_ms = BENCH_NOW,
                                     .grids = grids,
                                     .grid_count = 2};
    (void)snprintf(path, sizeof(path), "%s/holed.gwe", root != NULL ? root : "/tmp");
    if (gw_edition_write(&input, path, NULL, &error) != GW_OK ||
        gw_edition_open(path, &edition, &error) != GW_OK) {
        fail_msg("%s", error.text);
    }
    return edition;
}

// Closed, with this area in lattice units (twice; negative when clockwise) and this first corner.
static void expect_ring(const Gridwarden__V1__PackedPoints *ring, int64_t twice_area) {
    int64_t sum = 0;
    assert_int_equal(ring->n_longitudes_e7, 5);
    assert_int_equal(ring->n_latitudes_e7, 5);
    for (size_t i = 0; i < 4; i++) {
        sum += (int64_t)ring->longitudes_e7[i] * ring->latitudes_e7[i + 1] -
               (int64_t)ring->longitudes_e7[i + 1] * ring->latitudes_e7[i];
    }
    assert_int_equal(ring->longitudes_e7[0], ring->longitudes_e7[4]);
    assert_int_equal(ring->latitudes_e7[0], ring->latitudes_e7[4]);
    assert_true(sum == twice_area);
}

static gw_err get_grid(const char *code, bool with_boundary,
                       Gridwarden__V1__GetGridResponse **response) {
    Gridwarden__V1__GetGridRequest request = GRIDWARDEN__V1__GET_GRID_REQUEST__INIT;
    request.code = (char *)code;
    request.with_boundary = with_boundary;
    return api_bench_read(&it, GET_GRID, &request.base,
                          &gridwarden__v1__get_grid_response__descriptor, response, &error);
}

static void test_a_boundary_has_its_polygons_and_holes(void **state) {
    (void)state;
    Gridwarden__V1__GetGridResponse *response = NULL;
    struct gw_current *current = gw_current_create(open_holed_edition());
    api_bench_open(&it, current, NULL, 0);
    assert_int_equal(get_grid("m", true, &response), GW_OK);
    assert_int_equal(response->edition->number, 7);
    assert_int_equal(response->grid->kind, GRIDWARDEN__V1__GRID_KIND__GRID_KIND_SPECIAL);
    const Gridwarden__V1__MultiPolygon *boundary = response->grid->boundary;
    assert_int_equal(boundary->n_polygons, 2);
    assert_int_equal(boundary->polygons[0]->n_rings, 3);
    assert_int_equal(boundary->polygons[1]->n_rings, 1);
    expect_ring(boundary->polygons[0]->rings[0], 2 * 1000 * 1000);
    expect_ring(boundary->polygons[0]->rings[1], -2 * 200 * 200);
    expect_ring(boundary->polygons[0]->rings[2], -2 * 300 * 300);
    expect_ring(boundary->polygons[1]->rings[0], 2 * 700 * 700);
    release(response);
    assert_int_equal(get_grid("n", false, &response), GW_OK);
    assert_null(response->grid->boundary);
    release(response);
    assert_int_equal(get_grid("o", true, &response), GW_ENOTFOUND);
    assert_int_equal(get_grid("", true, &response), GW_EINVAL);
    api_bench_close(&it);
    gw_current_destroy(current);
}

// --- writes whose client has gone ---

struct late {
    bool done;
    gw_err err;
};

static void note_late(void *context, const struct gw_error *failure,
                      const ProtobufCMessage *response) {
    (void)response;
    *(struct late *)context = (struct late){true, failure != NULL ? failure->code : GW_OK};
}

// Hands a report in and waits until its client has given up, with the command still in the queue.
static void abandon(const Gridwarden__V1__ReportRequest *request) {
    enum { CLIENT_MS = 1500 };
    struct late late = {false, GW_OK};
    struct gw_shard_totals totals = {0};
    assert_int_equal(gw_rpc_unary_start(it.channel, REPORT, &request->base,
                                        &gridwarden__v1__report_response__descriptor, CLIENT_MS,
                                        note_late, &late),
                     GW_OK);
    while (!late.done) {
        (void)gw_rpc_channel_poll(it.channel, 10);
        gw_shard_totals(it.bench.shard, &totals);
    }
    assert_int_equal(late.err, GW_EDEADLINE);
    assert_int_equal(totals.queued_commands, 1);
    int64_t begun_ns = gw_clock_monotonic_ns();
    while (gw_rpc_server_calls(it.server) > 0) { // the server has heard of it
        assert_true(gw_clock_monotonic_ns() - begun_ns < PATIENCE_MS * INT64_C(1000000));
        (void)gw_rpc_channel_poll(it.channel, 1);
    }
}

static uint32_t count_incidents(void) {
    struct gw_shard_totals totals;
    gw_shard_totals(it.bench.shard, &totals);
    return totals.open_incidents;
}

static void test_a_write_whose_client_has_gone_counts_once(void **state) {
    (void)state;
    Gridwarden__V1__ReportRequest request = GRIDWARDEN__V1__REPORT_REQUEST__INIT;
    Gridwarden__V1__Point point = bench_point(0, 0);
    request.request_id = (char *)"abandoned";
    request.class_code = (char *)"01";
    request.point = &point;
    abandon(&request);
    assert_int_equal(count_incidents(), 0);
    assert_int_equal(gw_shard_step(it.bench.shard), 1); // answers a call that nobody waits for
    assert_int_equal(count_incidents(), 1);
    ProtobufCMessage *answers[2] = {NULL, NULL};
    for (int i = 0; i < 2; i++) { // the retry, with the same bytes
        assert_int_equal(api_bench_write(&it, REPORT, &request.base, &answers[i]), GW_OK);
    }
    const Gridwarden__V1__ReportResponse *first = (Gridwarden__V1__ReportResponse *)answers[0];
    const Gridwarden__V1__ReportResponse *second = (Gridwarden__V1__ReportResponse *)answers[1];
    assert_string_equal(first->incident->id, second->incident->id);
    assert_int_equal(gw_incident_id_counter(first->incident->id), 1);
    assert_int_equal(count_incidents(), 1);
    ProtobufCMessage *other = NULL;
    request.severity = 4;
    assert_int_equal(api_bench_write(&it, REPORT, &request.base, &other), GW_EEXISTS);
    assert_int_equal(count_incidents(), 1);
    release(answers[0]);
    release(answers[1]);
    bench_verify(&it.bench, NULL);
}

static void test_a_write_in_the_queue_outlives_the_server(void **state) {
    (void)state;
    Gridwarden__V1__ReportRequest request = GRIDWARDEN__V1__REPORT_REQUEST__INIT;
    request.request_id = (char *)"queued";
    request.class_code = (char *)"01";
    request.address = (char *)"somewhere";
    abandon(&request);
    gw_rpc_server_drain(it.server, 0);
    it.server = NULL;
    assert_int_equal(gw_shard_step(it.bench.shard), 1); // as closing the shard does
    assert_int_equal(count_incidents(), 1);
}

static void test_events_are_those_of_the_incident_answered(void **state) {
    (void)state;
    char id[GW_INCIDENT_ID_SIZE];
    Gridwarden__V1__IncidentServiceGetRequest request =
        GRIDWARDEN__V1__INCIDENT_SERVICE_GET_REQUEST__INIT;
    Gridwarden__V1__IncidentServiceGetResponse *response = NULL;
    bench_staff(&it.bench, 1);
    assert_int_equal(bench_report(&it.bench, 0, 0, id), GW_OK);
    assert_int_equal(bench_act(&it.bench, GW_INCIDENT_ACCEPT, id, "w1"), GW_OK);
    request.id = id;
    request.with_events = true;
    assert_int_equal(api_bench_read(&it, GET, &request.base,
                                    &gridwarden__v1__incident_service_get_response__descriptor,
                                    &response, &error),
                     GW_OK);
    assert_int_equal(response->incident->version, 4);
    assert_int_equal(response->n_events, 4);
    for (uint32_t i = 0; i < 4; i++) {
        assert_int_equal(response->events[i]->version, i + 1);
    }
    release(response);
    request.id = (char *)"0000000000000000-0000000fff";
    assert_int_equal(api_bench_read(&it, GET, &request.base,
                                    &gridwarden__v1__incident_service_get_response__descriptor,
                                    &response, &error),
                     GW_ENOTFOUND);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_batch_names_each_code_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_faulty_batches_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_grids_are_paged_by_code, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_workers_are_paged_by_id, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_pages_past_the_limit_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_page_of_long_texts_fits_a_message, set_up,
                                        tear_down),
        cmocka_unit_test(test_a_boundary_has_its_polygons_and_holes),
        cmocka_unit_test_setup_teardown(test_a_write_whose_client_has_gone_counts_once, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_a_write_in_the_queue_outlives_the_server, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_events_are_those_of_the_incident_answered, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
