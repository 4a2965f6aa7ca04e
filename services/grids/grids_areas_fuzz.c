// Any bytes as the list of areas, and what can be read of it through the planning of areas.
#include "services/grids/areas_csv.h"
#include "services/grids/edition_areas.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct gw_findings findings = {.file = "fuzz.csv"};
    struct gw_area_list list;
    gw_err err = gw_areas_read((const char *)data, size, &findings, &list);
    if ((err == GW_EINVAL) != (findings.refusals > 0)) {
        abort();
    }
    if (err == GW_OK) {
        const struct gw_edition_grid_row grid = {"211282001002003", "", "", 0, 0, NULL, 0};
        const struct gw_edition_input input = {
            .grids = &grid, .grid_count = 1, .areas = list.rows, .area_count = list.count};
        struct gw_area_plan plan;
        struct gw_error error;
        if (gw_area_plan_make(&input, &plan, &error) == GW_OK) {
            for (uint32_t i = 0; i < plan.count; i++) {
                if (gw_area_plan_find(&plan, plan.areas[i].code) != i) {
                    abort();
                }
            }
            free(plan.areas);
        }
    }
    gw_area_list_free(&list);
    return 0;
}
