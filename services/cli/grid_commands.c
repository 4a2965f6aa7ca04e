// gridwarden grid …: the grids of the published edition.
#include "services/cli/commands.h"

#include "gridwarden/v1/grid.pb-c.h"
#include "services/cli/door.h"
#include "services/cli/incident_output.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define SERVICE "/gridwarden.v1.GridService/"

static const struct cli_column columns[] = {{"code", false},    {"name", false},
                                            {"kind", false},    {"parent", false},
                                            {"priority", true}, {"roster", false}};
#define COLUMN_COUNT (sizeof(columns) / sizeof(columns[0]))

static void print_grid(struct cli_output *output, const Gridwarden__V1__Grid *grid,
                       char *const roster[], size_t roster_count) {
    struct gw_buffer ids = {0};
    gw_buffer_text(&ids, "");
    for (size_t i = 0; i < roster_count; i++) {
        gw_buffer_format(&ids, "%s%s", i > 0 ? ";" : "", roster[i]);
    }
    cli_output_text(output, grid->code);
    cli_output_text(output, grid->name);
    cli_output_text(output, cli_enum_name(&gridwarden__v1__grid_kind__descriptor, (int)grid->kind));
    cli_output_text(output, grid->parent_code);
    cli_output_number(output, "%" PRIu32, grid->priority);
    cli_output_text(output, ids.data != NULL ? ids.data : "");
    gw_buffer_free(&ids);
}

static size_t show_page(void *context, const ProtobufCMessage *message, const char **next_token) {
    const Gridwarden__V1__ListGridsResponse *response =
        (const Gridwarden__V1__ListGridsResponse *)message;
    for (size_t i = 0; i < response->n_grids; i++) {
        print_grid(context, response->grids[i], NULL, 0);
    }
    *next_token = response->next_token;
    return response->n_grids;
}

static int run_list(const struct cli_args *args) {
    struct cli_door door;
    struct cli_output output;
    int64_t limit = 100;
    const char *under = cli_value(args, "under");
    int code = cli_integer(args, "limit", 1, INT64_MAX, &limit);
    if (code == CLI_DONE) {
        code = cli_door_open(&door, args);
    }
    if (code != CLI_DONE) {
        return code;
    }
    Gridwarden__V1__PageRequest page = GRIDWARDEN__V1__PAGE_REQUEST__INIT;
    Gridwarden__V1__ListGridsRequest request = GRIDWARDEN__V1__LIST_GRIDS_REQUEST__INIT;
    request.page = &page;
    request.code_prefix = (char *)(under != NULL ? under : "");
    code = cli_output_begin(&output, args, columns, COLUMN_COUNT);
    if (code == CLI_DONE) {
        code = cli_door_pages(&door, SERVICE "ListGrids", &request.base, &page,
                              &gridwarden__v1__list_grids_response__descriptor, limit, show_page,
                              &output);
        int end = cli_output_end(&output);
        code = code != CLI_DONE ? code : end;
    }
    cli_door_close(&door);
    return code;
}

static const struct cli_option list_options[] = {
    {"under", "CODE", "only grids under this area"},
    {"limit", "COUNT", "at most this many (default 100)"},
    CLI_DOOR_OPTIONS,
    CLI_OUTPUT_OPTIONS,
};

const struct cli_command cli_grid_list = {
    .name = "grid list",
    .words = "",
    .summary = "Lists the grids of the published edition by code.",
    .details = "Example:\n  gridwarden grid list --under 211202001",
    .options = list_options,
    .option_count = sizeof(list_options) / sizeof(list_options[0]),
    .run = run_list,
};

// --- get ---

static void print_ring(const Gridwarden__V1__PackedPoints *ring) {
    (void)fputs("[", stdout);
    for (size_t i = 0; i < ring->n_longitudes_e7 && i < ring->n_latitudes_e7; i++) {
        (void)printf("%s[%.7f, %.7f]", i > 0 ? ", " : "", ring->longitudes_e7[i] / 1e7,
                     ring->latitudes_e7[i] / 1e7);
    }
    (void)fputs("]", stdout);
}

// The grid as a GeoJSON feature (RFC 7946).
static void print_geojson(const Gridwarden__V1__Grid *grid) {
    (void)printf("{\"type\": \"Feature\", \"properties\": {\"code\": \"");
    for (const char *c = grid->code; *c != '\0'; c++) {
        (void)printf(*c == '"' || *c == '\\' ? "\\%c" : "%c", *c);
    }
    (void)printf("\"}, \"geometry\": {\"type\": \"MultiPolygon\", \"coordinates\": [");
    for (size_t p = 0; grid->boundary != NULL && p < grid->boundary->n_polygons; p++) {
        const Gridwarden__V1__Polygon *polygon = grid->boundary->polygons[p];
        (void)fputs(p > 0 ? ", [" : "[", stdout);
        for (size_t r = 0; r < polygon->n_rings; r++) {
            (void)fputs(r > 0 ? ", " : "", stdout);
            print_ring(polygon->rings[r]);
        }
        (void)fputs("]", stdout);
    }
    (void)printf("]}}\n");
}

static int run_get(const struct cli_args *args) {
    struct cli_door door;
    struct cli_output output;
    Gridwarden__V1__GetGridRequest request = GRIDWARDEN__V1__GET_GRID_REQUEST__INIT;
    request.code = (char *)args->words[0];
    request.with_boundary = cli_flag(args, "geojson");
    int code = cli_door_open(&door, args);
    if (code != CLI_DONE) {
        return code;
    }
    ProtobufCMessage *message = NULL;
    code = cli_door_call(&door, SERVICE "GetGrid", &request.base,
                         &gridwarden__v1__get_grid_response__descriptor, &message);
    if (code == CLI_DONE) {
        const Gridwarden__V1__GetGridResponse *response =
            (const Gridwarden__V1__GetGridResponse *)message;
        if (request.with_boundary) {
            print_geojson(response->grid);
        } else {
            code = cli_output_begin(&output, args, columns, COLUMN_COUNT);
            if (code == CLI_DONE) {
                output.upright = true;
                print_grid(&output, response->grid, response->roster, response->n_roster);
                code = cli_output_end(&output);
            }
        }
        protobuf_c_message_free_unpacked(message, NULL);
    }
    cli_door_close(&door);
    return code;
}

static const struct cli_option get_options[] = {
    {"geojson", NULL, "print its boundary as a GeoJSON feature"},
    CLI_DOOR_OPTIONS,
    CLI_OUTPUT_OPTIONS,
};

const struct cli_command cli_grid_get = {
    .name = "grid get",
    .words = "CODE",
    .summary = "Shows a grid and its roster, or its boundary.",
    .details = "Example:\n  gridwarden grid get 211202001001001 --geojson",
    .words_min = 1,
    .words_max = 1,
    .options = get_options,
    .option_count = sizeof(get_options) / sizeof(get_options[0]),
    .run = run_get,
};
