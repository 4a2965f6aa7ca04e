#include "services/demo/day.h"

#include "services/base/random.h"
#include <stdlib.h>

enum { STREAM_DAY = 60, STREAM_WALK = 61, DAY_MINUTES = 1440, MINUTE_MS = 60000 };
enum { URBAN_OF_100 = 58, OUTSIDE_OF_1000 = 8, LATER_OF_1000 = 25 };
enum { STRAY_URBAN = 2500, STRAY_RURAL = 9000 }; // units from the middle of a cell
enum { WALK_MM_S = 1300, BIKE_MM_S = 4200, GAP_MS_MAX = 6 * 3600 * 1000 };

// Reports an hour, of a thousand a day: a quiet night, a peak before noon, another after work.
static const uint8_t hours[24] = {8,  5,  4,  4,  6,  14, 30, 52, 72, 78, 74, 62,
                                  50, 52, 62, 66, 64, 62, 60, 56, 46, 34, 24, 15};

const struct gw_demo_class gw_demo_classes[GW_DEMO_CLASS_COUNT] = {
    {"01", "市容环境", 36}, {"02", "宣传广告", 8},  {"03", "施工管理", 11},
    {"04", "突发事件", 5},  {"05", "街面秩序", 30}, {"06", "其他事件", 10}};

// Incidents of the first `minute` minutes since midnight of the first day, in units of which a day
// has incidents_a_day times 1000 times 60.
static uint64_t share_until(uint64_t minute, uint64_t incidents_a_day) {
    uint64_t days = minute / DAY_MINUTES, rest = minute % DAY_MINUTES, parts = days * 60000;
    for (uint64_t hour = 0; hour < rest / 60; hour++) {
        parts += (uint64_t)hours[hour] * 60;
    }
    parts += rest % 60 * hours[rest / 60];
    return parts * incidents_a_day / 60000;
}

uint32_t gw_demo_day_count(uint32_t begin_minute, uint32_t minutes, uint32_t incidents_a_day) {
    uint64_t end = (uint64_t)begin_minute + minutes;
    uint64_t count = share_until(end, incidents_a_day) - share_until(begin_minute, incidents_a_day);
    return count > UINT32_MAX ? UINT32_MAX : (uint32_t)count;
}

static uint32_t pick_weighted(struct gw_random *random, const uint8_t weights[], uint32_t count) {
    uint32_t left = gw_random_below(random, 100), at = 0;
    while (at + 1 < count && left >= weights[at]) {
        left -= weights[at++];
    }
    return at;
}

static uint32_t pick_grid(const struct gw_city *city, struct gw_random *random) {
    bool urban = gw_random_below(random, 100) < URBAN_OF_100;
    uint32_t grid = gw_random_below(random, city->grid_count);
    while (city->grids[grid].urban != urban) {
        grid = gw_random_below(random, city->grid_count);
    }
    return grid;
}

static void place_incident(const struct gw_city *city, struct gw_random *random,
                           struct gw_demo_incident *incident) {
    uint32_t lot = gw_random_below(random, 1000);
    if (lot < OUTSIDE_OF_1000) { // south of the city, within some kilometres
        incident->place = GW_DEMO_PLACE_OUTSIDE;
        incident->grid = GW_GRID_NONE;
        incident->point =
            (struct gw_point){(int32_t)gw_random_between(random, 1236000000, 1244000000),
                              (int32_t)gw_random_between(random, 418000000, 419000000)};
        return;
    }
    incident->place =
        lot < OUTSIDE_OF_1000 + LATER_OF_1000 ? GW_DEMO_PLACE_LATER : GW_DEMO_PLACE_GRID;
    incident->grid = pick_grid(city, random);
    const struct gw_city_grid *grid = &city->grids[incident->grid];
    struct gw_point cell =
        city->cells[grid->cell_first + gw_random_below(random, grid->cell_count)];
    int64_t stray = grid->urban ? STRAY_URBAN : STRAY_RURAL;
    incident->point =
        (struct gw_point){cell.lon + (int32_t)gw_random_between(random, -stray, stray),
                          cell.lat + (int32_t)gw_random_between(random, -stray, stray)};
}

static int by_time(const void *a, const void *b) {
    const struct gw_demo_incident *left = a, *right = b;
    if (left->time_ms != right->time_ms) {
        return left->time_ms < right->time_ms ? -1 : 1;
    }
    if (left->point.lon != right->point.lon) {
        return left->point.lon < right->point.lon ? -1 : 1;
    }
    return left->point.lat < right->point.lat ? -1 : left->point.lat > right->point.lat;
}

void gw_demo_day_plan(const struct gw_city *city, uint32_t begin_minute, uint32_t minutes,
                      uint32_t incidents_a_day, struct gw_demo_incident plan[]) {
    static const uint8_t severities[] = {30, 52, 15, 3}, channels[] = {26, 24, 34, 8, 6, 2};
    struct gw_random random = gw_random_of(city->seed, STREAM_DAY);
    uint64_t before = share_until(begin_minute, incidents_a_day);
    uint32_t count = 0;
    uint8_t classes[GW_DEMO_CLASS_COUNT];
    for (uint32_t i = 0; i < GW_DEMO_CLASS_COUNT; i++) {
        classes[i] = gw_demo_classes[i].weight;
    }
    for (uint32_t minute = 0; minute < minutes; minute++) {
        uint32_t first = count;
        uint64_t upto = share_until((uint64_t)begin_minute + minute + 1, incidents_a_day) - before;
        for (; count < upto; count++) {
            struct gw_demo_incident *incident = &plan[count];
            *incident = (struct gw_demo_incident){
                .time_ms = (int64_t)minute * MINUTE_MS + gw_random_below(&random, MINUTE_MS),
                .class_index = (uint8_t)pick_weighted(&random, classes, GW_DEMO_CLASS_COUNT),
                .severity = (uint8_t)(1 + pick_weighted(&random, severities, 4)),
                .channel = (uint8_t)(1 + pick_weighted(&random, channels, 6)),
            };
            place_incident(city, &random, incident);
        }
        qsort(plan + first, count - first, sizeof(*plan), by_time);
    }
}

static int64_t square_root(int64_t value) {
    int64_t root = value, next = (value + 1) / 2;
    while (next < root) {
        root = next;
        next = (root + value / root) / 2;
    }
    return root;
}

int64_t gw_demo_distance_mm(struct gw_point a, struct gw_point b) {
    // At 42.7 degrees a unit is 8.2 mm to the east, 11.1 mm to the north.
    int64_t east = ((int64_t)b.lon - a.lon) * 82 / 10, north = ((int64_t)b.lat - a.lat) * 111 / 10;
    return square_root(east * east + north * north);
}

uint32_t gw_demo_walk_speed(const struct gw_city *city, uint32_t worker) {
    uint64_t lot = gw_random_mix(city->seed ^ gw_random_mix(STREAM_WALK + ((uint64_t)worker << 8)));
    bool bike = lot % 100 < (city->workers[worker].full_time ? 60u : 25u);
    return bike ? BIKE_MM_S : WALK_MM_S;
}

// A cell of one of the worker's grids, and how long he stays there.
static void next_leg(const struct gw_city *city, uint32_t worker, int64_t time_ms,
                     struct gw_demo_walk *walk) {
    const struct gw_city_worker *of = &city->workers[worker];
    struct gw_random random = gw_random_of(
        city->seed, ((uint64_t)worker << 32) + ((uint64_t)walk->leg << 8) + STREAM_WALK);
    uint32_t home = city->homes[of->home_first + gw_random_below(&random, of->home_count)];
    const struct gw_city_grid *grid = &city->grids[home];
    struct gw_point cell =
        city->cells[grid->cell_first + gw_random_below(&random, grid->cell_count)];
    int64_t pause_ms = gw_random_between(&random, 2, 12) * MINUTE_MS;
    walk->from = walk->leg == 0 ? cell : walk->to;
    walk->to = cell;
    walk->begin_ms = time_ms;
    walk->arrive_ms =
        time_ms + gw_demo_distance_mm(walk->from, cell) * 1000 / gw_demo_walk_speed(city, worker);
    walk->end_ms = walk->arrive_ms + pause_ms;
    walk->leg++;
}

struct gw_point gw_demo_walk_at(const struct gw_city *city, uint32_t worker, int64_t time_ms,
                                struct gw_demo_walk *walk) {
    if (walk->leg == 0 || time_ms - walk->end_ms > GAP_MS_MAX) {
        next_leg(city, worker, time_ms, walk); // after a night off he goes on from where he was
    }
    while (time_ms >= walk->end_ms) { // a pause is minutes, a gap hours: some hundred rounds
        next_leg(city, worker, walk->end_ms, walk);
    }
    if (time_ms >= walk->arrive_ms) {
        return walk->to;
    }
    int64_t part = time_ms - walk->begin_ms, whole = walk->arrive_ms - walk->begin_ms;
    int64_t east = ((int64_t)walk->to.lon - walk->from.lon) * part / whole;
    int64_t north = ((int64_t)walk->to.lat - walk->from.lat) * part / whole;
    return (struct gw_point){(int32_t)(walk->from.lon + east), (int32_t)(walk->from.lat + north)};
}
