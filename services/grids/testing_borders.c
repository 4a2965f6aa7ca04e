#include "services/grids/testing_borders.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void require(bool ok, const char *what) {
    if (!ok) {
        (void)fprintf(stderr, "test support: %s\n", what);
        abort();
    }
}

struct testing_borders testing_borders(uint64_t number) {
    return (struct testing_borders){GW_LAYER_RESPONSIBLE, "SYNTHETIC", number, TESTING_BORDERS_NOW};
}

void testing_borders_write(const struct testing_borders *borders, const char *path) {
    int32_t border = 1000 + (int32_t)borders->number;
    const struct gw_point corners[2][4] = {
        {{0, 0}, {border, 0}, {border, 1000}, {0, 1000}},
        {{border, 0}, {3000, 0}, {3000, 1000}, {border, 1000}},
    };
    const struct gw_edition_ring rings[2] = {{corners[0], 4, GW_RING_SHELL},
                                             {corners[1], 4, GW_RING_SHELL}};
    const struct gw_edition_grid_row rows[2] = {{"W", "west", "", 1, 0, &rings[0], 1},
                                                {"E", "east", "", 1, 0, &rings[1], 1}};
    struct gw_edition_input input = {.layer = borders->layer,
                                     .label = borders->label,
                                     .number = borders->number,
                                     .created_ms = borders->created_ms,
                                     .grids = rows,
                                     .grid_count = 2,
                                     .index = {.bytes_max = 4096}};
    struct gw_error error = {GW_OK, ""};
    require(gw_edition_write(&input, path, NULL, &error) == GW_OK, error.text);
}

struct gw_edition *testing_borders_open(uint64_t number, const char *path) {
    struct testing_borders borders = testing_borders(number);
    struct gw_edition *edition = NULL;
    struct gw_error error = {GW_OK, ""};
    testing_borders_write(&borders, path);
    require(gw_edition_open(path, &edition, &error) == GW_OK, error.text);
    return edition;
}

bool testing_borders_whole(const struct gw_edition *edition) {
    int32_t border = 1000 + (int32_t)gw_edition_number(edition);
    const struct {
        int32_t lon;
        const char *code;
    } rows[] = {{500, "W"}, {border - 1, "W"}, {border, "E"}, {border + 1, "E"}, {2500, "E"}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct gw_point point = {rows[i].lon, 500};
        uint32_t grid = gw_grid_index_locate(gw_edition_index(edition), point);
        if (grid == GW_GRID_NONE ||
            strcmp(gw_edition_grid(edition, grid).code, rows[i].code) != 0) {
            return false;
        }
    }
    return true;
}
