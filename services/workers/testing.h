// What the tests of this room share: a small city, and requests that can be written in a line.
//
// The city: 2 counties x 2 townships x 2 villages x 3 grids, square grids of 0.01 degree in a row
// along the parallel of 42 N from 123 E on, in the order of their codes; and one grid "FREE" beside
// them that no area is above. Codes: city 2112, county 211201, township 211201001, village
// 211201001001, grid 211201001001 + "01".
#ifndef GW_SERVICES_WORKERS_TESTING_H
#define GW_SERVICES_WORKERS_TESTING_H

#include "services/workers/workers.h"

#define TEST_CITY_GRIDS 25u
#define TEST_FREE_GRID "FREE"

// Aborts with a message when it can't. For the caller to close.
struct gw_edition *test_city_open(void);
// An edition that has only some of the grids, from the west: from .. to - 1. All areas are in it.
struct test_city {
    uint64_t number;
    uint32_t from, to; // `to` 0: all that follow
};
struct gw_edition *test_city_open_part(const struct test_city *part);

// The code of the i-th grid from the west; the 25th is "FREE".
const char *test_city_code(const struct gw_edition *edition, uint32_t i);

// A request with one worker whose fields the test may change. Strings are borrowed.
struct test_upsert {
    Gridwarden__V1__UpsertWorkersRequest request;
    Gridwarden__V1__Worker worker;
    Gridwarden__V1__Worker *list[1];
    char *homes[GW_WORKER_HOME_GRIDS_MAX + 1];
    char *skills[GW_WORKER_SKILLS_MAX + 1];
};
void test_upsert_init(struct test_upsert *upsert, const char *id, const char *home,
                      const char *skill); // "" for no skill

// Decide and evolve; abort when refused.
void test_upsert_apply(struct gw_workers *workers, struct test_upsert *upsert);
void test_add(struct gw_workers *workers, const char *id, const char *home, const char *skill);
void test_duty(struct gw_workers *workers, const char *id, Gridwarden__V1__Duty duty);
void test_reserve(struct gw_workers *workers, const char *id, const char *incident);
void test_report(struct gw_workers *workers, const char *id, double lon, double lat,
                 int64_t time_ms);
// Folds all events and frees them.
void test_evolve(struct gw_workers *workers, struct gw_worker_events *events);

// The stored record of a worker as bytes, malloc'ed; NULL: no such worker.
unsigned char *test_record(struct gw_workers *workers, const char *id, size_t *size);

#endif
