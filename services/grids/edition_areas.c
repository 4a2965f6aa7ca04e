#include "services/grids/edition_areas.h"
#include <stdlib.h>
#include <string.h>

#define GIVEN_NONE UINT32_MAX
#define CODES_PER_GRID 4u // itself up to the city
#define CODES_PER_AREA 5u // itself, and what its parent's code brings

// A code that the edition needs, before parents are known.
struct needed {
    struct gw_code_slice code;
    uint32_t given; // index of the row that names it, or GIVEN_NONE
};

struct planner {
    const struct gw_edition_input *input;
    struct needed *given; // the rows by code
    struct needed *codes;
    size_t code_count;
};

static bool all_digits(const char *text, size_t size) {
    for (size_t i = 0; i < size; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return false;
        }
    }
    return true;
}

uint32_t gw_area_code_level(const char *code, size_t size) {
    uint32_t level = size == 12 ? 1u : size == 9 ? 2u : size == 6 ? 3u : size == 4 ? 4u : 0u;
    return level != 0 && all_digits(code, size) ? level : 0;
}

struct gw_code_slice gw_grid_parent_code(const char *code, const char *parent_code) {
    if (parent_code[0] != '\0') {
        return (struct gw_code_slice){parent_code, strlen(parent_code)};
    }
    size_t size = strlen(code);
    return (struct gw_code_slice){code, size >= 12 && all_digits(code, size) ? 12u : 0u};
}

// The code of the area above one whose code is made of digits; size 0 above a city.
static struct gw_code_slice prefix_above(struct gw_code_slice code) {
    static const size_t above[] = {0, 9, 6, 4, 0}; // by level
    uint32_t level = gw_area_code_level(code.text, code.size);
    return (struct gw_code_slice){code.text, above[level]};
}

static int compare_slices(struct gw_code_slice a, struct gw_code_slice b) {
    int order = memcmp(a.text, b.text, a.size < b.size ? a.size : b.size);
    return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

static int compare_needed(const void *a, const void *b) {
    const struct needed *left = a;
    const struct needed *right = b;
    int order = compare_slices(left->code, right->code);
    // Rows before the nameless ones with the same code, so that the first of equals is kept.
    return order != 0 ? order : (left->given > right->given) - (left->given < right->given);
}

static uint32_t find_given(const struct planner *planner, struct gw_code_slice code) {
    size_t from = 0;
    size_t to = planner->input->area_count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        int order = compare_slices(planner->given[middle].code, code);
        if (order == 0) {
            return planner->given[middle].given;
        }
        if (order < 0) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    return GIVEN_NONE;
}

// Adds the nameless areas that `code` needs. False: nobody knows the code and it is not a number.
static bool need(struct planner *planner, struct gw_code_slice code) {
    while (code.size > 0 && find_given(planner, code) == GIVEN_NONE) {
        if (gw_area_code_level(code.text, code.size) == 0) {
            return false;
        }
        planner->codes[planner->code_count++] = (struct needed){code, GIVEN_NONE};
        code = prefix_above(code);
    }
    return true;
}

static struct gw_code_slice row_parent(const struct gw_edition_area_row *row) {
    if (row->level >= GW_AREA_LEVELS) {
        return (struct gw_code_slice){row->code, 0}; // nothing is above a city
    }
    if (row->parent_code[0] != '\0') {
        return (struct gw_code_slice){row->parent_code, strlen(row->parent_code)};
    }
    return prefix_above((struct gw_code_slice){row->code, strlen(row->code)});
}

static gw_err take_rows(struct planner *planner, struct gw_error *error) {
    const struct gw_edition_input *input = planner->input;
    for (uint32_t i = 0; i < input->area_count; i++) {
        const char *code = input->areas[i].code;
        planner->given[i] = (struct needed){{code, strlen(code)}, i};
    }
    qsort(planner->given, input->area_count, sizeof(*planner->given), compare_needed);
    for (uint32_t i = 1; i < input->area_count; i++) {
        if (compare_slices(planner->given[i - 1].code, planner->given[i].code) == 0) {
            return gw_error_set(error, GW_EINVAL, "the area code %s occurs twice: keep one row",
                                planner->given[i].code.text);
        }
    }
    for (uint32_t i = 0; i < input->area_count; i++) {
        planner->codes[planner->code_count++] = planner->given[i];
        const struct gw_edition_area_row *row = &input->areas[planner->given[i].given];
        if (!need(planner, row_parent(row))) {
            return gw_error_set(error, GW_EINVAL,
                                "the area %s names the parent %s, which no row has: add its row",
                                row->code, row->parent_code);
        }
    }
    return GW_OK;
}

static gw_err take_grids(struct planner *planner, struct gw_error *error) {
    struct gw_code_slice last = {"", 0};
    for (uint32_t i = 0; i < planner->input->grid_count; i++) {
        const struct gw_edition_grid_row *row = &planner->input->grids[i];
        struct gw_code_slice code = gw_grid_parent_code(row->code, row->parent_code);
        if (compare_slices(code, last) == 0) {
            continue; // grids of one village usually come together
        }
        last = code;
        if (!need(planner, code)) {
            return gw_error_set(error, GW_EINVAL,
                                "the grid %s names the parent area %s, which is not in the list of "
                                "areas: add it there",
                                row->code, row->parent_code);
        }
    }
    return GW_OK;
}

uint32_t gw_area_plan_find(const struct gw_area_plan *plan, struct gw_code_slice code) {
    uint32_t from = 0;
    uint32_t to = plan->count;
    while (from < to) {
        uint32_t middle = from + (to - from) / 2;
        int order = compare_slices(plan->areas[middle].code, code);
        if (order == 0) {
            return middle;
        }
        if (order < 0) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    return GW_AREA_NONE;
}

static gw_err link_parents(const struct planner *planner, struct gw_area_plan *plan,
                           struct gw_error *error) {
    for (uint32_t i = 0; i < plan->count; i++) {
        struct gw_planned_area *area = &plan->areas[i];
        uint32_t given = find_given(planner, area->code);
        struct gw_code_slice above = given == GIVEN_NONE
                                         ? prefix_above(area->code)
                                         : row_parent(&planner->input->areas[given]);
        area->parent = above.size == 0 ? GW_AREA_NONE : gw_area_plan_find(plan, above);
        if (area->parent != GW_AREA_NONE && plan->areas[area->parent].level <= area->level) {
            return gw_error_set(error, GW_EINVAL,
                                "the area %.*s has level %u and its parent %.*s level %u: a parent "
                                "must be of a higher level",
                                (int)area->code.size, area->code.text, area->level, (int)above.size,
                                above.text, plan->areas[area->parent].level);
        }
    }
    return GW_OK;
}

// Sorts what is needed, keeps one of each and fills the plan.
static gw_err fill(struct planner *planner, struct gw_area_plan *plan, struct gw_error *error) {
    qsort(planner->codes, planner->code_count, sizeof(*planner->codes), compare_needed);
    plan->areas = calloc(planner->code_count > 0 ? planner->code_count : 1, sizeof(*plan->areas));
    if (plan->areas == NULL) {
        return gw_error_set(error, GW_ENOMEM, "out of memory while placing the areas");
    }
    for (size_t i = 0; i < planner->code_count; i++) {
        const struct needed *code = &planner->codes[i];
        if (i > 0 && compare_slices(code[-1].code, code->code) == 0) {
            continue;
        }
        const struct gw_edition_area_row *row =
            code->given == GIVEN_NONE ? NULL : &planner->input->areas[code->given];
        plan->areas[plan->count++] = (struct gw_planned_area){
            .code = code->code,
            .name = row != NULL ? row->name : "",
            .level =
                row != NULL ? row->level : gw_area_code_level(code->code.text, code->code.size),
            .parent = GW_AREA_NONE,
        };
    }
    return link_parents(planner, plan, error);
}

gw_err gw_area_plan_make(const struct gw_edition_input *input, struct gw_area_plan *plan,
                         struct gw_error *error) {
    struct planner planner = {.input = input};
    size_t most =
        (size_t)input->area_count * CODES_PER_AREA + (size_t)input->grid_count * CODES_PER_GRID;
    planner.given = calloc(input->area_count + 1u, sizeof(*planner.given));
    planner.codes = calloc(most + 1u, sizeof(*planner.codes));
    *plan = (struct gw_area_plan){NULL, 0};
    gw_err err = GW_OK;
    if (planner.given == NULL || planner.codes == NULL) {
        err = gw_error_set(error, GW_ENOMEM, "out of memory while placing the areas");
    }
    if (err == GW_OK) {
        err = take_rows(&planner, error);
    }
    if (err == GW_OK) {
        err = take_grids(&planner, error);
    }
    if (err == GW_OK) {
        err = fill(&planner, plan, error);
    }
    free(planner.given);
    free(planner.codes);
    if (err != GW_OK) {
        free(plan->areas);
        *plan = (struct gw_area_plan){NULL, 0};
    }
    return err;
}
