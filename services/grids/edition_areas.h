// The areas above the grids: which are needed, what they are called, which is above which.
//
// Administrative codes nest: 4 digits a city, 6 a county, 9 a township, 12 a village; so a code
// that no list names can still be placed, without a name, under the codes that it begins with.
#ifndef GW_SERVICES_GRIDS_EDITION_AREAS_H
#define GW_SERVICES_GRIDS_EDITION_AREAS_H

#include "services/base/error.h"
#include "services/grids/edition_writer.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// The level of a code of 4, 6, 9 or 12 digits (4, 3, 2, 1); 0 for any other text.
uint32_t gw_area_code_level(const char *code, size_t size);

// The code of the area above a grid: `parent_code` where that is not empty, else the first 12
// digits of a code of 12 and more digits alone, else nothing (size 0). The text lies in the
// arguments.
struct gw_code_slice {
    const char *text;
    size_t size;
};
struct gw_code_slice gw_grid_parent_code(const char *code, const char *parent_code);

struct gw_planned_area {
    struct gw_code_slice code; // in the caller's rows
    const char *name;          // "" for one that no row names
    uint32_t level, parent;    // parent: index in the plan or GW_AREA_NONE
};

struct gw_area_plan {
    struct gw_planned_area *areas; // by code in byte order
    uint32_t count;
};

// Plans the areas of `input` into *plan, whose `areas` the caller frees. GW_EINVAL: a code twice, a
// level that does not lie below its parent's, a parent that nobody knows; the text names the code.
GW_MUST_CHECK gw_err gw_area_plan_make(const struct gw_edition_input *input,
                                       struct gw_area_plan *plan, struct gw_error *error);

// The index of the area with this code, or GW_AREA_NONE. O(log areas).
uint32_t gw_area_plan_find(const struct gw_area_plan *plan, struct gw_code_slice code);

#endif
