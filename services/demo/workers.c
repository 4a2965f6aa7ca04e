#include "services/base/random.h"
#include "services/demo/city_parts.h"
#include <stdio.h>

enum { STREAM_WORKERS = 50, HOMES_MAX = 4 * GW_CITY_GRIDS };

static const char *const skills[GW_CITY_SKILLS] = {"electricity", "water",   "fire",
                                                   "mediation",   "medical", "sanitation"};

const char *gw_city_skill(uint32_t i) {
    return i < GW_CITY_SKILLS ? skills[i] : "";
}

bool gw_city_on_shift(struct gw_city_shift shift, uint32_t minute) {
    if (shift.begin_minute <= shift.end_minute) {
        return minute >= shift.begin_minute && minute < shift.end_minute;
    }
    return minute >= shift.begin_minute || minute < shift.end_minute;
}

// Full-time: early, day, late, night, in the proportions of the list; part-time: a few hours.
static const struct gw_city_shift full_shifts[] = {
    {6 * 60, 14 * 60}, {8 * 60, 17 * 60},  {8 * 60, 17 * 60},  {8 * 60, 17 * 60},
    {9 * 60, 18 * 60}, {14 * 60, 22 * 60}, {14 * 60, 22 * 60}, {22 * 60, 6 * 60}};
static const struct gw_city_shift part_shifts[] = {{6 * 60, 10 * 60},  {8 * 60, 12 * 60},
                                                   {13 * 60, 18 * 60}, {16 * 60, 20 * 60},
                                                   {18 * 60, 22 * 60}, {20 * 60, 60}};

// Common family and given names, put together by lot: nobody in particular.
static void invent_name(struct gw_random *random, struct gw_city_worker *worker) {
    static const char *const family[] = {"王", "李", "张", "刘", "陈", "杨", "赵", "黄",
                                         "周", "吴", "徐", "孙", "胡", "朱", "高", "林",
                                         "何", "郭", "马", "罗", "关", "佟", "富", "那"};
    static const char *const given[] = {"伟",   "芳",   "娜",   "敏",   "静",   "丽",   "强",
                                        "磊",   "军",   "洋",   "勇",   "艳",   "杰",   "娟",
                                        "涛",   "明",   "超",   "霞",   "平",   "刚",   "桂英",
                                        "志强", "秀兰", "建华", "海燕", "玉梅", "春生", "德胜"};
    const char *first = family[gw_random_below(random, sizeof(family) / sizeof(family[0]))];
    const char *second = given[gw_random_below(random, sizeof(given) / sizeof(given[0]))];
    snprintf(worker->name, sizeof(worker->name), "%s%s (synthetic)", first, second);
}

struct roll {
    struct gw_city *city;
    struct gw_city_worker *workers;
    uint32_t *homes;
    struct gw_random random;
};

// Enrols a worker for grids first .. first + count - 1 of the city.
static void enrol(struct roll *roll, bool full_time, uint32_t number, uint32_t first,
                  uint32_t count) {
    struct gw_city *city = roll->city;
    struct gw_city_worker *worker = &roll->workers[city->worker_count++];
    struct gw_random *random = &roll->random;
    const size_t full_count = sizeof(full_shifts) / sizeof(full_shifts[0]);
    const size_t part_count = sizeof(part_shifts) / sizeof(part_shifts[0]);
    snprintf(worker->id, sizeof(worker->id), "TL-%c-%05u", full_time ? 'F' : 'P', number % 100000);
    invent_name(random, worker);
    worker->full_time = full_time;
    worker->home_first = city->home_count;
    worker->home_count = count;
    worker->capacity = full_time ? 3 : 1 + gw_random_below(random, 2);
    worker->shift = full_time ? full_shifts[gw_random_below(random, (uint32_t)full_count)]
                              : part_shifts[gw_random_below(random, (uint32_t)part_count)];
    for (uint32_t i = 0; i < GW_CITY_SKILLS; i++) {
        worker->skills |= gw_random_below(random, full_time ? 3 : 5) == 0 ? 1u << i : 0;
    }
    for (uint32_t i = 0; i < count; i++) {
        roll->homes[city->home_count++] = first + i;
    }
}

// Full-time workers share out a village's grids among them; where they are fewer than the grids,
// one has several, side by side in the order of the codes. Part-time workers have one grid each.
static void enrol_kind(struct roll *roll, bool full_time, const uint32_t village_first[],
                       const uint32_t shares[]) {
    uint32_t number = 0;
    for (uint32_t v = 0; v < GW_CITY_VILLAGES; v++) {
        uint32_t first = village_first[v], grids = village_first[v + 1] - first;
        for (uint32_t j = 0; j < shares[v]; j++) {
            uint32_t begin = (uint32_t)((uint64_t)j * grids / shares[v]);
            uint32_t end = (uint32_t)((uint64_t)(j + 1) * grids / shares[v]);
            uint32_t count = full_time && end > begin ? end - begin : 1;
            count = count > GW_CITY_HOME_GRIDS_MAX ? GW_CITY_HOME_GRIDS_MAX : count;
            enrol(roll, full_time, ++number, first + begin, count);
        }
    }
}

// Who is at home in each grid, in the order of the workers.
static bool make_roster(struct gw_city *city, struct gw_demo_arena *arena,
                        struct gw_city_grid grids[]) {
    uint32_t *roster = gw_demo_array(arena, city->home_count, sizeof(*roster));
    if (roster == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < city->home_count; i++) {
        grids[city->homes[i]].worker_count++;
    }
    for (uint32_t i = 0, at = 0; i < city->grid_count; i++) {
        grids[i].worker_first = at;
        at += grids[i].worker_count;
        grids[i].worker_count = 0;
    }
    for (uint32_t w = 0; w < city->worker_count; w++) {
        const struct gw_city_worker *worker = &city->workers[w];
        for (uint32_t i = 0; i < worker->home_count; i++) {
            struct gw_city_grid *grid = &grids[city->homes[worker->home_first + i]];
            roster[grid->worker_first + grid->worker_count++] = w;
        }
    }
    city->roster = roster;
    city->roster_count = city->home_count;
    return true;
}

bool gw_demo_make_workers(struct gw_city *city, struct gw_demo_arena *arena,
                          struct gw_city_grid grids[]) {
    struct roll roll = {.city = city, .random = gw_random_of(city->seed, STREAM_WORKERS)};
    uint32_t village_first[GW_CITY_VILLAGES + 1] = {0}, weights[GW_CITY_VILLAGES] = {0};
    uint32_t shares[GW_CITY_VILLAGES];
    roll.workers = gw_demo_array(arena, GW_CITY_WORKERS, sizeof(*roll.workers));
    roll.homes = gw_demo_array(arena, HOMES_MAX, sizeof(*roll.homes));
    if (arena->failed) {
        return false;
    }
    for (uint32_t i = 0; i < city->grid_count; i++) {
        weights[grids[i].village - GW_CITY_VILLAGE_FIRST]++;
    }
    for (uint32_t v = 0; v < GW_CITY_VILLAGES; v++) {
        village_first[v + 1] = village_first[v] + weights[v];
    }
    gw_demo_deal(GW_CITY_FULL_TIME, 1, weights, GW_CITY_VILLAGES, shares);
    enrol_kind(&roll, true, village_first, shares);
    gw_demo_deal(GW_CITY_PART_TIME, 0, weights, GW_CITY_VILLAGES, shares);
    enrol_kind(&roll, false, village_first, shares);
    city->workers = roll.workers;
    city->homes = roll.homes;
    return make_roster(city, arena, grids);
}
