// gridwarden nearest: the k nearest workers of a point, or of each point of a file.
#include "services/cli/commands.h"

#include "geo/worker_index.h"
#include "gridwarden/v1/worker.pb-c.h"
#include "services/cli/csv.h"
#include "services/cli/door.h"
#include "services/cli/output.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define K_DEFAULT 8

static const struct cli_column columns[] = {
    {"query_id", false}, {"rank", true}, {"worker_id", false}, {"distance_m", true}};
#define COLUMN_COUNT (sizeof(columns) / sizeof(columns[0]))

// --- files on both sides: an index of our own ---

struct roster {
    struct cli_csv csv;
    struct gw_worker_index *index;
    const char **ids; // by handle
    uint32_t count, capacity;
};

static bool comes_before(uint32_t a, uint32_t b, const void *context) {
    const struct roster *roster = context;
    int order = strcmp(roster->ids[a], roster->ids[b]);
    return order != 0 ? order < 0 : a < b;
}

static gw_err add_worker(struct roster *roster, const char *id, struct gw_point place,
                         struct gw_error *error) {
    if (roster->count == GW_WORKERS_MAX) {
        return gw_error_set(error, GW_ENOSPC, "%s has more than %u workers", roster->csv.name,
                            GW_WORKERS_MAX);
    }
    if (roster->count == roster->capacity) {
        uint32_t capacity = roster->capacity == 0 ? 1024 : roster->capacity * 2;
        void *grown = realloc((void *)roster->ids, capacity * sizeof(*roster->ids));
        if (grown == NULL) {
            return gw_error_set(error, GW_ENOMEM, "not enough memory for the workers");
        }
        roster->ids = grown;
        roster->capacity = capacity;
    }
    roster->ids[roster->count] = id;
    gw_err err = gw_worker_index_put(roster->index, roster->count, place,
                                     (struct gw_worker_bits){.time_ms = 0});
    if (err != GW_OK) {
        return gw_error_set(error, err, "%s, row %zu: %s", roster->csv.name, roster->csv.row,
                            gw_err_text(err));
    }
    roster->count++;
    return GW_OK;
}

// The columns id, lon and lat of a file. GW_EINVAL names the one that is missing.
static gw_err find_columns(const struct cli_csv *csv, int columns_out[3], struct gw_error *error) {
    static const char *const names[] = {"id", "lon", "lat"};
    for (int i = 0; i < 3; i++) {
        columns_out[i] = cli_csv_column(csv, names[i]);
        if (columns_out[i] < 0) {
            return gw_error_set(error, GW_EINVAL, "%s has no column %s", csv->name, names[i]);
        }
    }
    return GW_OK;
}

// The place of the row on the lattice.
static gw_err read_place(const struct cli_csv *csv, const int column[3], struct gw_point *place,
                         struct gw_error *error) {
    double lon, lat;
    gw_err err = cli_csv_place(csv, column[1], column[2], &lon, &lat, error);
    return err != GW_OK ? err : gw_lattice_query(lon, lat, place);
}

static gw_err read_roster(struct roster *roster, const char *path, struct gw_error *error) {
    int column[3];
    gw_err err = cli_csv_open(&roster->csv, path, error);
    if (err == GW_OK) {
        err = find_columns(&roster->csv, column, error);
    }
    if (err == GW_OK) {
        roster->index = gw_worker_index_create();
        err = roster->index != NULL ? GW_OK : gw_error_set(error, GW_ENOMEM, "not enough memory");
    }
    while (err == GW_OK && cli_csv_next(&roster->csv)) {
        struct gw_point place;
        err = read_place(&roster->csv, column, &place, error);
        if (err == GW_OK) {
            err = add_worker(roster, cli_csv_field(&roster->csv, column[0]), place, error);
        }
    }
    return err;
}

static gw_err answer_queries(const struct roster *roster, const char *path, uint32_t k,
                             struct cli_output *output, struct gw_error *error) {
    static struct gw_near_worker near[GW_NEAREST_K_MAX];
    struct cli_csv csv;
    int column[3];
    gw_err err = cli_csv_open(&csv, path, error);
    if (err != GW_OK) {
        return err;
    }
    err = find_columns(&csv, column, error);
    struct gw_worker_filter everyone = {.time_ms_min = INT64_MIN};
    while (err == GW_OK && cli_csv_next(&csv)) {
        struct gw_point place;
        uint32_t count = 0;
        err = read_place(&csv, column, &place, error);
        if (err == GW_OK) {
            err = gw_worker_index_nearest(roster->index, place, k, &everyone, comes_before, roster,
                                          near, &count);
        }
        for (uint32_t i = 0; err == GW_OK && i < count; i++) {
            cli_output_text(output, cli_csv_field(&csv, column[0]));
            cli_output_number(output, "%u", i + 1);
            cli_output_text(output, roster->ids[near[i].worker]);
            cli_output_number(output, "%.4f", near[i].distance_m);
        }
    }
    cli_csv_close(&csv);
    return err;
}

static int run_files(const struct cli_args *args, uint32_t k) {
    struct roster roster = {0};
    struct gw_error error;
    struct cli_output output;
    int code = cli_output_begin(&output, args, columns, COLUMN_COUNT);
    if (code != CLI_DONE) {
        return code;
    }
    gw_err err = read_roster(&roster, cli_value(args, "workers"), &error);
    if (err == GW_OK) {
        err = answer_queries(&roster, cli_value(args, "points"), k, &output, &error);
    }
    code = cli_output_end(&output);
    if (err != GW_OK) {
        code = cli_refused(&error);
    }
    gw_worker_index_destroy(roster.index);
    free((void *)roster.ids);
    cli_csv_close(&roster.csv);
    return code;
}

// --- one point, asked of a city ---

static int run_city(const struct cli_args *args, uint32_t k, double lon, double lat) {
    struct cli_door door;
    struct cli_output output;
    int code = cli_door_open(&door, args);
    if (code != CLI_DONE) {
        return code;
    }
    Gridwarden__V1__Point point = GRIDWARDEN__V1__POINT__INIT;
    point.longitude = lon;
    point.latitude = lat;
    Gridwarden__V1__WorkerFilter filter = GRIDWARDEN__V1__WORKER_FILTER__INIT;
    char *skill = (char *)cli_value(args, "skill");
    filter.n_skills = skill != NULL ? 1 : 0;
    filter.skills = &skill;
    filter.duty = cli_flag(args, "on-duty") ? GRIDWARDEN__V1__DUTY__DUTY_ON
                                            : GRIDWARDEN__V1__DUTY__DUTY_UNSPECIFIED;
    filter.with_free_capacity = cli_flag(args, "free");
    Gridwarden__V1__NearestRequest request = GRIDWARDEN__V1__NEAREST_REQUEST__INIT;
    request.point = &point;
    request.k = k;
    request.filter = &filter;
    ProtobufCMessage *message = NULL;
    code = cli_door_call(&door, "/gridwarden.v1.WorkerService/Nearest", &request.base,
                         &gridwarden__v1__nearest_response__descriptor, &message);
    if (code == CLI_DONE) {
        code = cli_output_begin(&output, args, columns, COLUMN_COUNT);
    }
    if (code == CLI_DONE) {
        Gridwarden__V1__NearestResponse *response = (Gridwarden__V1__NearestResponse *)message;
        for (size_t i = 0; i < response->n_workers; i++) {
            cli_output_text(&output, "1");
            cli_output_number(&output, "%zu", i + 1);
            cli_output_text(&output, response->workers[i]->worker->id);
            cli_output_number(&output, "%.4f", response->workers[i]->distance_m);
        }
        code = cli_output_end(&output);
    }
    if (message != NULL) {
        protobuf_c_message_free_unpacked(message, NULL);
    }
    cli_door_close(&door);
    return code;
}

static int run(const struct cli_args *args) {
    int64_t k = K_DEFAULT;
    bool has_place = false;
    double lon = 0, lat = 0;
    int code = cli_integer(args, "k", 1, GW_NEAREST_K_MAX, &k);
    if (code == CLI_DONE) {
        code = cli_place(args, &has_place, &lon, &lat);
    }
    if (code != CLI_DONE) {
        return code;
    }
    bool files = cli_value(args, "workers") != NULL && cli_value(args, "points") != NULL;
    if (files == has_place) {
        return cli_usage(args, "give --workers FILE and --points FILE, or --lon and --lat");
    }
    return files ? run_files(args, (uint32_t)k) : run_city(args, (uint32_t)k, lon, lat);
}

static const struct cli_option options[] = {
    {"workers", "FILE", "CSV of workers: id, lon, lat"},
    {"points", "FILE", "CSV of points: id, lon, lat"},
    {"k", "COUNT", "how many of each point, 1 .. 1000 (default 8)"},
    {"lon", "DEGREES", "one point instead, asked of a city: its longitude"},
    {"lat", "DEGREES", "and its latitude"},
    {"skill", "NAME", "of a city: only workers with this skill"},
    {"on-duty", NULL, "of a city: only workers on duty"},
    {"free", NULL, "of a city: only workers with room for one more"},
    CLI_DOOR_OPTIONS,
    CLI_OUTPUT_OPTIONS,
};

const struct cli_command cli_nearest = {
    .name = "nearest",
    .words = "",
    .summary = "Lists the nearest workers of a point, or of each point of a file.",
    .details =
        "Distances are geodesic (WGS84) between positions rounded to 1e-7 degree; ties go by "
        "id.\n\nExamples:\n"
        "  gridwarden nearest --workers workers.csv --points points.csv -k 8 --csv\n"
        "  gridwarden nearest --lon 123.84 --lat 42.29 -k 3 --on-duty",
    .options = options,
    .option_count = sizeof(options) / sizeof(options[0]),
    .run = run,
};
