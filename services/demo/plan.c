#include "services/demo/plan.h"

#include "services/base/random.h"
#include "services/demo/divisions.h"
#include <stdlib.h>
#include <string.h>

enum { STREAM_PLAN = 1 };
enum { GRIDS_LEAST = 2, COMMUNITY_CODE_MAX = 199, STREET_CODE_MAX = 99 };

// County seats whose town is not a street office (街道), and a zone that is part of one.
static const char *const seat_towns[] = {"211202401", "211221400", "211221402", "211223100",
                                         "211224100"};

static int by_code(const void *a, const void *b) {
    const struct gw_city_area *left = a, *right = b;
    return strcmp(left->code, right->code);
}

static uint32_t find_area(const struct gw_city_area *areas, uint32_t count, const char *code) {
    struct gw_city_area key = {.code = code};
    const struct gw_city_area *found = NULL;
    uint32_t first = 0;
    // Three runs in code order, one a level.
    const uint32_t ends[] = {GW_CITY_COUNTY_FIRST, GW_CITY_TOWN_FIRST, GW_CITY_VILLAGE_FIRST,
                             count};
    for (size_t i = 0; i < 4 && found == NULL && first < count; i++) {
        uint32_t end = ends[i] < count ? ends[i] : count;
        found = bsearch(&key, areas + first, end - first, sizeof(key), by_code);
        first = end;
    }
    return found == NULL ? UINT32_MAX : (uint32_t)(found - areas);
}

static gw_err read_table(struct gw_city_area *areas, struct gw_error *error) {
    static const struct {
        const char *level;
        size_t digits;
        uint32_t first, end, number;
    } levels[] = {{"prefecture", 4, 0, 1, 4},
                  {"county", 6, GW_CITY_COUNTY_FIRST, GW_CITY_TOWN_FIRST, 3},
                  {"town", 9, GW_CITY_TOWN_FIRST, GW_CITY_VILLAGE_FIRST, 2},
                  {"village", 12, GW_CITY_VILLAGE_FIRST, GW_CITY_AREAS, 1}};
    if (gw_demo_division_count != GW_CITY_AREAS) {
        return gw_error_set(error, GW_EINTERNAL, "the table of divisions has %u rows, not %u",
                            gw_demo_division_count, GW_CITY_AREAS);
    }
    for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
        for (uint32_t row = levels[i].first; row < levels[i].end; row++) {
            const struct gw_demo_division *division = &gw_demo_divisions[row];
            bool ordered =
                row == levels[i].first || strcmp(areas[row - 1].code, division->code) < 0;
            uint32_t parent = row == 0 ? 0 : find_area(areas, levels[i].first, division->parent);
            if (strcmp(division->level, levels[i].level) != 0 || !ordered ||
                strspn(division->code, "0123456789") != levels[i].digits ||
                strlen(division->code) != levels[i].digits || parent == UINT32_MAX) {
                return gw_error_set(error, GW_EINTERNAL, "division %s is out of place",
                                    division->code);
            }
            areas[row] =
                (struct gw_city_area){division->code, division->name, levels[i].number, parent};
        }
    }
    return GW_OK;
}

void gw_demo_deal(uint32_t total, uint32_t least, const uint32_t weights[], uint32_t count,
                  uint32_t shares[]) {
    uint64_t sum = 0, spare = total - least * count;
    for (uint32_t i = 0; i < count; i++) {
        sum += weights[i];
    }
    // The running total is rounded down, and a share is the step between two of them: shares add up
    // to exactly what there is, and each is within one of its due.
    uint64_t running = 0, dealt = 0;
    for (uint32_t i = 0; i < count; i++) {
        running += weights[i];
        uint64_t upto = spare * running / sum;
        shares[i] = least + (uint32_t)(upto - dealt);
        dealt = upto;
    }
}

// The last three digits of a code; they are digits, read_table has seen to it.
static uint32_t last_three(const char *code) {
    const char *digits = code + strlen(code) - 3;
    return (uint32_t)((digits[0] - '0') * 100 + (digits[1] - '0') * 10 + (digits[2] - '0'));
}

static bool is_seat(const char *town_code) {
    for (size_t i = 0; i < sizeof(seat_towns) / sizeof(seat_towns[0]); i++) {
        if (strcmp(town_code, seat_towns[i]) == 0) {
            return true;
        }
    }
    return last_three(town_code) <= STREET_CODE_MAX;
}

static void deal_grids(struct gw_demo_plan *plan, bool urban, uint32_t total, uint32_t weights[],
                       uint32_t which[], uint32_t shares[]) {
    struct gw_random random = gw_random_of(plan->seed, STREAM_PLAN + (urban ? 100 : 0));
    uint32_t count = 0;
    for (uint32_t i = 0; i < GW_CITY_VILLAGES; i++) {
        if (plan->village_urban[i] == urban) {
            bool seat = urban && plan->towns[plan->village_town[i]].at_seat;
            which[count] = i;
            weights[count++] = (uint32_t)gw_random_between(&random, 60, 140) * (seat ? 3 : 1);
        }
    }
    gw_demo_deal(total, GRIDS_LEAST, weights, count, shares);
    for (uint32_t i = 0; i < count; i++) {
        struct gw_demo_town *town = &plan->towns[plan->village_town[which[i]]];
        plan->village_grids[which[i]] = shares[i];
        town->grids[urban] += shares[i];
        town->villages[urban]++;
    }
}

gw_err gw_demo_plan_make(uint64_t seed, struct gw_demo_arena *arena, struct gw_demo_plan *plan,
                         struct gw_error *error) {
    memset(plan, 0, sizeof(*plan));
    plan->seed = seed;
    plan->areas = gw_demo_array(arena, GW_CITY_AREAS, sizeof(*plan->areas));
    uint32_t *scratch = gw_demo_array(arena, (size_t)3 * GW_CITY_VILLAGES, sizeof(*scratch));
    if (arena->failed) {
        return gw_error_set(error, GW_ENOMEM, "no memory for the demo city");
    }
    gw_err err = read_table(plan->areas, error);
    if (err != GW_OK) {
        return err;
    }
    for (uint32_t i = 0; i < GW_CITY_TOWNS; i++) {
        const struct gw_city_area *area = &plan->areas[GW_CITY_TOWN_FIRST + i];
        plan->towns[i].county = area->parent - GW_CITY_COUNTY_FIRST;
        plan->towns[i].at_seat = is_seat(area->code);
    }
    for (uint32_t i = 0; i < GW_CITY_VILLAGES; i++) {
        const struct gw_city_area *area = &plan->areas[GW_CITY_VILLAGE_FIRST + i];
        plan->village_town[i] = area->parent - GW_CITY_TOWN_FIRST;
        plan->village_urban[i] = last_three(area->code) <= COMMUNITY_CODE_MAX;
    }
    uint32_t *weights = scratch, *which = weights + GW_CITY_VILLAGES;
    uint32_t *shares = which + GW_CITY_VILLAGES;
    deal_grids(plan, true, GW_CITY_GRIDS_URBAN, weights, which, shares);
    deal_grids(plan, false, GW_CITY_GRIDS_RURAL, weights, which, shares);
    return GW_OK;
}
