#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "services/demo/day.h"
#include "tests/support/random.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct gw_city *city;

static int make_city(void **state) {
    (void)state;
    return gw_city_create(1, &city, NULL) == GW_OK ? 0 : -1;
}

static int drop_city(void **state) {
    (void)state;
    gw_city_destroy(city);
    return 0;
}

static void test_counts_add_up(void **state) {
    (void)state;
    struct test_random random = test_random_seeded("counts", 11);
    assert_int_equal(gw_demo_day_count(0, 1440, 3000), 3000);
    assert_int_equal(gw_demo_day_count(777, 1440, 3000), 3000);
    assert_int_equal(gw_demo_day_count(480, 7 * 1440, 1001), 7007);
    assert_int_equal(gw_demo_day_count(480, 60, 0), 0);
    // A peak hour has more than a night hour.
    assert_int_equal(gw_demo_day_count(8 * 60, 60, 1000), 72);
    assert_int_equal(gw_demo_day_count(3 * 60, 60, 1000), 4);
    for (int i = 0; i < 1000; i++) {
        uint32_t begin = (uint32_t)test_random_range(&random, 0, 1439);
        uint32_t first = (uint32_t)test_random_range(&random, 1, 3000);
        uint32_t second = (uint32_t)test_random_range(&random, 1, 3000);
        uint32_t rate = (uint32_t)test_random_range(&random, 0, 100000);
        uint32_t whole = gw_demo_day_count(begin, first + second, rate);
        uint32_t parts = gw_demo_day_count(begin, first, rate) +
                         gw_demo_day_count((begin + first) % 1440, second, rate);
        assert_true(whole <= parts + 1 && parts <= whole + 1); // each rounds once
    }
}

static void test_plan(void **state) {
    (void)state;
    enum { COUNT = 30000 };
    static struct gw_demo_incident plan[COUNT], again[COUNT];
    uint32_t places[3] = {0}, urban = 0, hours[24] = {0}, classes[GW_DEMO_CLASS_COUNT] = {0};
    gw_demo_day_plan(city, 480, 1440, COUNT, plan);
    gw_demo_day_plan(city, 480, 1440, COUNT, again);
    struct gw_box box;
    gw_coverage_boxes(&city->outline, &box);
    for (uint32_t i = 0; i < COUNT; i++) {
        assert_true(plan[i].time_ms >= (i == 0 ? 0 : plan[i - 1].time_ms));
        assert_true(plan[i].time_ms < 1440 * 60000);
        assert_int_equal(plan[i].point.lon, again[i].point.lon);
        assert_int_equal(plan[i].time_ms, again[i].time_ms);
        assert_in_range(plan[i].severity, 1, 4);
        assert_in_range(plan[i].channel, 1, 6);
        places[plan[i].place]++;
        classes[plan[i].class_index]++;
        hours[(plan[i].time_ms / 3600000 + 8) % 24]++;
        if (plan[i].place == GW_DEMO_PLACE_OUTSIDE) {
            assert_int_equal(plan[i].grid, GW_GRID_NONE);
            assert_true(plan[i].point.lat < box.min.lat);
        } else {
            urban += city->grids[plan[i].grid].urban;
        }
    }
    assert_in_range(places[GW_DEMO_PLACE_OUTSIDE], 100, 500);
    assert_in_range(places[GW_DEMO_PLACE_LATER], 400, 1200);
    assert_true(urban > COUNT / 2); // a sixth of the grids, more than half of the incidents
    assert_true(hours[8] > 5 * hours[3]);
    for (uint32_t i = 0; i < GW_DEMO_CLASS_COUNT; i++) {
        assert_in_range(classes[i], COUNT / 100 * (gw_demo_classes[i].weight - 2u),
                        COUNT / 100 * (gw_demo_classes[i].weight + 2u));
    }
}

static void test_incidents_are_near_their_grids(void **state) {
    (void)state;
    static struct gw_demo_incident plan[3000];
    static struct gw_box boxes[GW_CITY_GRIDS];
    uint32_t inside = 0, of = 0;
    gw_coverage_boxes(&city->coverage, boxes);
    gw_demo_day_plan(city, 0, 1440, 3000, plan);
    for (uint32_t i = 0; i < 3000; i += 30) {
        if (plan[i].place != GW_DEMO_PLACE_OUTSIDE) {
            of++;
            inside +=
                gw_coverage_owner_within(&city->coverage, boxes, plan[i].point) == plan[i].grid;
        }
    }
    assert_true(inside * 10 >= of * 8); // near a border some fall to the neighbour
}

static void test_distance(void **state) {
    (void)state;
    struct gw_point a = {1240000000, 427000000};
    // A degree of the meridian there is 111,080 m, of the parallel 81,940 m (WGS84).
    int64_t north = gw_demo_distance_mm(a, (struct gw_point){1240000000, 428000000});
    int64_t east = gw_demo_distance_mm(a, (struct gw_point){1241000000, 427000000});
    assert_in_range(north, 10886000, 11330000);
    assert_in_range(east, 8030000, 8358000);
    assert_int_equal(gw_demo_distance_mm(a, a), 0);
    assert_int_equal(gw_demo_distance_mm((struct gw_point){0, 0}, (struct gw_point){30, 40}),
                     (int64_t)sqrt(246.0 * 246.0 + 444.0 * 444.0));
}

// Whether the point is one of the cells of the worker's grids.
static bool at_home(const struct gw_city_worker *worker, struct gw_point at) {
    for (uint32_t h = 0; h < worker->home_count; h++) {
        const struct gw_city_grid *grid = &city->grids[city->homes[worker->home_first + h]];
        for (uint32_t c = 0; c < grid->cell_count; c++) {
            struct gw_point cell = city->cells[grid->cell_first + c];
            if (cell.lon == at.lon && cell.lat == at.lat) {
                return true;
            }
        }
    }
    return false;
}

static void test_workers_walk_at_a_human_pace(void **state) {
    (void)state;
    struct test_random random = test_random_seeded("walk", 12);
    uint32_t slow = 0, moved = 0;
    for (uint32_t worker = 0; worker < city->worker_count; worker += 97) {
        struct gw_demo_walk walk = {0};
        uint32_t speed = gw_demo_walk_speed(city, worker);
        int64_t time_ms = test_random_range(&random, 0, 100000000);
        struct gw_point before = gw_demo_walk_at(city, worker, time_ms, &walk);
        slow += speed < 2000;
        assert_in_range(speed, 1000, 6000);
        for (int i = 0; i < 200; i++) {
            int64_t step_ms = test_random_range(&random, 1, 120000);
            time_ms += step_ms;
            struct gw_point now = gw_demo_walk_at(city, worker, time_ms, &walk);
            int64_t made = gw_demo_distance_mm(before, now);
            assert_true(made <= speed * step_ms / 1000 + 200); // and the lattice's own steps
            moved += made > 1000;
            before = now;
            if (time_ms >= walk.arrive_ms) {
                assert_true(at_home(&city->workers[worker], now));
            }
        }
        // After a night off he goes on without having walked it through.
        (void)gw_demo_walk_at(city, worker, time_ms + (int64_t)20 * 3600000, &walk);
        assert_true(walk.end_ms > time_ms + (int64_t)20 * 3600000);
    }
    assert_true(slow > 20 && slow < 190);
    assert_true(moved > 5000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts_add_up),
        cmocka_unit_test(test_plan),
        cmocka_unit_test(test_incidents_are_near_their_grids),
        cmocka_unit_test(test_distance),
        cmocka_unit_test(test_workers_walk_at_a_human_pace),
    };
    return cmocka_run_group_tests(tests, make_city, drop_city);
}
