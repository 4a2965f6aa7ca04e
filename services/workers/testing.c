#include "services/workers/testing.h"

#include "services/grids/edition_writer.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WEST 1230000000
#define SOUTH 420000000
#define SIDE 100000

static void require(bool ok, const char *what) {
    if (!ok) {
        (void)fprintf(stderr, "test support: %s\n", what);
        abort();
    }
}

struct city {
    char codes[TEST_CITY_GRIDS][GW_CODE_MAX];
    struct gw_point corners[TEST_CITY_GRIDS][4];
    struct gw_edition_ring rings[TEST_CITY_GRIDS];
    struct gw_edition_grid_row grids[TEST_CITY_GRIDS];
    char area_codes[15][32];
    struct gw_edition_area_row areas[15];
    uint32_t area_count;
};

static void add_area(struct city *city, uint32_t level, const char *code) {
    char *kept = city->area_codes[city->area_count];
    (void)snprintf(kept, sizeof(city->area_codes[0]), "%s", code);
    city->areas[city->area_count++] = (struct gw_edition_area_row){kept, kept, "", level};
}

static void add_areas(struct city *city) {
    char code[32];
    add_area(city, 4, "2112");
    for (int i = 0; i < 8; i++) { // bits: county, township, village
        int county = i / 4 + 1, town = i / 2 % 2 + 1, village = i % 2 + 1;
        if (i % 4 == 0) {
            (void)snprintf(code, sizeof(code), "2112%02d", county);
            add_area(city, 3, code);
        }
        if (i % 2 == 0) {
            (void)snprintf(code, sizeof(code), "2112%02d%03d", county, town);
            add_area(city, 2, code);
        }
        (void)snprintf(code, sizeof(code), "2112%02d%03d%03d", county, town, village);
        add_area(city, 1, code);
    }
}

static void add_grid(struct city *city, uint32_t i) {
    uint32_t village = i / 3;
    if (i + 1 == TEST_CITY_GRIDS) {
        (void)snprintf(city->codes[i], GW_CODE_MAX, "%s", TEST_FREE_GRID);
    } else {
        (void)snprintf(city->codes[i], GW_CODE_MAX, "2112%02u%03u%03u%02u", village / 4 + 1,
                       village / 2 % 2 + 1, village % 2 + 1, i % 3 + 1);
    }
    int32_t west = WEST + (int32_t)i * SIDE;
    struct gw_point *corner = city->corners[i];
    corner[0] = (struct gw_point){west, SOUTH};
    corner[1] = (struct gw_point){west + SIDE, SOUTH};
    corner[2] = (struct gw_point){west + SIDE, SOUTH + SIDE};
    corner[3] = (struct gw_point){west, SOUTH + SIDE};
    city->rings[i] = (struct gw_edition_ring){corner, 4, GW_RING_SHELL};
    city->grids[i] = (struct gw_edition_grid_row){.code = city->codes[i],
                                                  .name = city->codes[i],
                                                  .parent_code = "",
                                                  .kind = 1,
                                                  .rings = &city->rings[i],
                                                  .ring_count = 1};
}

struct gw_edition *test_city_open(void) {
    return test_city_open_part(&(struct test_city){.number = 7});
}

struct gw_edition *test_city_open_part(const struct test_city *part) {
    static struct city city;
    memset(&city, 0, sizeof(city));
    add_areas(&city);
    for (uint32_t i = 0; i < TEST_CITY_GRIDS; i++) {
        add_grid(&city, i);
    }
    const char *base = getenv("TEST_TMPDIR");
    char folder[512], path[600];
    (void)snprintf(folder, sizeof(folder), "%s/cityXXXXXX", base != NULL ? base : "/tmp");
    require(mkdtemp(folder) != NULL, "no folder for the edition");
    (void)snprintf(path, sizeof(path), "%s/edition", folder);
    struct gw_edition_input input = {.layer = "responsible",
                                     .label = "test",
                                     .number = part->number,
                                     .grids = city.grids + part->from,
                                     .grid_count =
                                         (part->to > 0 ? part->to : TEST_CITY_GRIDS) - part->from,
                                     .areas = city.areas,
                                     .area_count = city.area_count};
    struct gw_error error = {GW_OK, ""};
    struct gw_edition *edition = NULL;
    require(gw_edition_write(&input, path, NULL, &error) == GW_OK, error.text);
    require(gw_edition_open(path, &edition, &error) == GW_OK, error.text);
    (void)unlink(path);
    (void)rmdir(folder);
    return edition;
}

const char *test_city_code(const struct gw_edition *edition, uint32_t i) {
    return gw_edition_grid(edition, gw_edition_grid_by_code_order(edition, i)).code;
}

void test_upsert_init(struct test_upsert *upsert, const char *id, const char *home,
                      const char *skill) {
    memset(upsert, 0, sizeof(*upsert));
    gridwarden__v1__upsert_workers_request__init(&upsert->request);
    gridwarden__v1__worker__init(&upsert->worker);
    upsert->worker.id = (char *)id;
    upsert->worker.name = "A. Tester";
    upsert->worker.kind = GRIDWARDEN__V1__WORKER_KIND__WORKER_KIND_FULL_TIME;
    upsert->worker.home_grids = upsert->homes;
    upsert->worker.skills = upsert->skills;
    upsert->homes[0] = (char *)home;
    upsert->worker.n_home_grids = 1;
    upsert->skills[0] = (char *)skill;
    upsert->worker.n_skills = *skill != '\0';
    upsert->list[0] = &upsert->worker;
    upsert->request.request_id = "r";
    upsert->request.workers = upsert->list;
    upsert->request.n_workers = 1;
}

void test_evolve(struct gw_workers *workers, struct gw_worker_events *events) {
    for (uint32_t i = 0; i < events->count; i++) {
        gw_workers_evolve(workers, events->events[i]);
    }
    gw_worker_events_free(events);
}

void test_upsert_apply(struct gw_workers *workers, struct test_upsert *upsert) {
    Gridwarden__V1__UpsertWorkersResponse response = GRIDWARDEN__V1__UPSERT_WORKERS_RESPONSE__INIT;
    struct gw_worker_events events = {0};
    struct gw_error error = {GW_OK, ""};
    require(gw_workers_decide_upsert(workers, &upsert->request, 1000, &events, &response, &error) ==
                GW_OK,
            error.text);
    test_evolve(workers, &events);
}

void test_add(struct gw_workers *workers, const char *id, const char *home, const char *skill) {
    struct test_upsert upsert;
    test_upsert_init(&upsert, id, home, skill);
    test_upsert_apply(workers, &upsert);
}

void test_duty(struct gw_workers *workers, const char *id, Gridwarden__V1__Duty duty) {
    Gridwarden__V1__SetDutyRequest request = GRIDWARDEN__V1__SET_DUTY_REQUEST__INIT;
    Gridwarden__V1__SetDutyResponse response = GRIDWARDEN__V1__SET_DUTY_RESPONSE__INIT;
    char *ids[] = {(char *)id};
    struct gw_worker_events events = {0};
    struct gw_error error = {GW_OK, ""};
    request.worker_ids = ids;
    request.n_worker_ids = 1;
    request.duty = duty;
    require(gw_workers_decide_duty(workers, &request, 1000, &events, &response, &error) == GW_OK,
            error.text);
    test_evolve(workers, &events);
}

void test_reserve(struct gw_workers *workers, const char *id, const char *incident) {
    struct gw_worker_events events = {0};
    require(gw_workers_decide_reserve(workers, id, incident, 1, 1000, &events) == GW_OK,
            "a place should be free");
    test_evolve(workers, &events);
}

void test_report(struct gw_workers *workers, const char *id, double lon, double lat,
                 int64_t time_ms) {
    Gridwarden__V1__ReportPositionsRequest request = GRIDWARDEN__V1__REPORT_POSITIONS_REQUEST__INIT;
    Gridwarden__V1__ReportPositionsResponse response =
        GRIDWARDEN__V1__REPORT_POSITIONS_RESPONSE__INIT;
    Gridwarden__V1__WorkerPosition fix = GRIDWARDEN__V1__WORKER_POSITION__INIT, *list[] = {&fix};
    Gridwarden__V1__Position position = GRIDWARDEN__V1__POSITION__INIT;
    Gridwarden__V1__Point point = GRIDWARDEN__V1__POINT__INIT;
    struct gw_error error = {GW_OK, ""};
    point.longitude = lon;
    point.latitude = lat;
    position.point = &point;
    position.time_ms = time_ms;
    fix.worker_id = (char *)id;
    fix.position = &position;
    request.positions = list;
    request.n_positions = 1;
    require(gw_workers_report(workers, &request, time_ms, &response, &error) == GW_OK, error.text);
}

unsigned char *test_record(struct gw_workers *workers, const char *id, size_t *size) {
    Gridwarden__Store__V1__WorkerRecord *record = gw_workers_record(workers, id);
    if (record == NULL) {
        return NULL;
    }
    *size = gridwarden__store__v1__worker_record__get_packed_size(record);
    unsigned char *bytes = malloc(*size + 1);
    require(bytes != NULL, "out of memory");
    (void)gridwarden__store__v1__worker_record__pack(record, bytes);
    gridwarden__store__v1__worker_record__free_unpacked(record, NULL);
    return bytes;
}
