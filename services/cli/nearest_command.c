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

// What a file with id, lon and lat holds. All of it is read before anything is answered.
struct places {
    struct cli_csv csv;
    const char **ids;
    struct gw_point *points;
    uint32_t count, capacity;
};

static gw_err add_place(struct places *places, const char *id, struct gw_point point,
                        struct gw_error *error) {
    if (places->count == GW_WORKERS_MAX) {
        return gw_error_set(error, GW_ENOSPC, "%s has more than %u rows; split it",
                            places->csv.name, GW_WORKERS_MAX);
    }
    if (places->count == places->capacity) {
        uint32_t capacity = places->capacity == 0 ? 1024 : places->capacity * 2;
        void *ids = realloc((void *)places->ids, capacity * sizeof(*places->ids));
        places->ids = ids != NULL ? ids : places->ids;
        void *points = realloc(places->points, capacity * sizeof(*places->points));
        places->points = points != NULL ? points : places->points;
        if (ids == NULL || points == NULL) {
            return gw_error_set(error, GW_ENOMEM, "not enough memory for %s", places->csv.name);
        }
        places->capacity = capacity;
    }
    places->ids[places->count] = id;
    places->points[places->count++] = point;
    return GW_OK;
}

static gw_err read_places(struct places *places, const char *path, struct gw_error *error) {
    static const char *const names[] = {"id", "lon", "lat"};
    int column[3];
    gw_err err = cli_csv_open(&places->csv, path, error);
    for (int i = 0; err == GW_OK && i < 3; i++) {
        column[i] = cli_csv_column(&places->csv, names[i]);
        if (column[i] < 0) {
            err = gw_error_set(error, GW_EINVAL, "%s has no column %s", places->csv.name, names[i]);
        }
    }
    while (err == GW_OK && cli_csv_next(&places->csv)) {
        double lon, lat;
        struct gw_point point = {0, 0};
        err = cli_csv_place(&places->csv, column[1], column[2], &lon, &lat, error);
        if (err == GW_OK) {
            err = gw_lattice_query(lon, lat, &point);
        }
        if (err == GW_OK) {
            err = add_place(places, cli_csv_field(&places->csv, column[0]), point, error);
        }
    }
    return err;
}

static void free_places(struct places *places) {
    free((void *)places->ids);
    free(places->points);
    cli_csv_close(&places->csv);
}

static bool comes_before(uint32_t a, uint32_t b, const void *context) {
    const struct places *workers = context;
    int order = strcmp(workers->ids[a], workers->ids[b]);
    return order != 0 ? order < 0 : a < b;
}

static gw_err fill_index(struct gw_worker_index *index, const struct places *workers,
                         struct gw_error *error) {
    for (uint32_t i = 0; i < workers->count; i++) {
        gw_err err = gw_worker_index_put(index, i, workers->points[i],
                                         (struct gw_worker_bits){.time_ms = 0});
        if (err != GW_OK) {
            return gw_error_set(error, err, "%s: %s", workers->csv.name, gw_err_text(err));
        }
    }
    return GW_OK;
}

static gw_err print_nearest(const struct gw_worker_index *index, const struct places *workers,
                            const struct places *queries, uint32_t k, struct cli_output *output,
                            struct gw_error *error) {
    static struct gw_near_worker near[GW_NEAREST_K_MAX];
    const struct gw_worker_filter everyone = {.time_ms_min = INT64_MIN};
    for (uint32_t q = 0; q < queries->count; q++) {
        uint32_t count = 0;
        gw_err err = gw_worker_index_nearest(index, queries->points[q], k, &everyone, comes_before,
                                             workers, near, &count);
        if (err != GW_OK) {
            return gw_error_set(error, err, "query %s: %s", queries->ids[q], gw_err_text(err));
        }
        for (uint32_t i = 0; i < count; i++) {
            cli_output_text(output, queries->ids[q]);
            cli_output_number(output, "%u", i + 1);
            cli_output_text(output, workers->ids[near[i].worker]);
            cli_output_number(output, "%.4f", near[i].distance_m);
        }
    }
    return GW_OK;
}

static int answer_queries(const struct cli_args *args, uint32_t k,
                          const struct gw_worker_index *index, const struct places *workers,
                          const struct places *queries) {
    struct gw_error error;
    struct cli_output output;
    int code = cli_output_begin(&output, args, columns, COLUMN_COUNT);
    if (code != CLI_DONE) {
        return code;
    }
    gw_err err = print_nearest(index, workers, queries, k, &output, &error);
    code = cli_output_end(&output);
    return err != GW_OK ? cli_refused(&error) : code;
}

static int run_files(const struct cli_args *args, uint32_t k) {
    struct places workers = {0}, queries = {0};
    struct gw_error error;
    struct gw_worker_index *index = gw_worker_index_create();
    gw_err err = index != NULL ? GW_OK : gw_error_set(&error, GW_ENOMEM, "not enough memory");
    if (err == GW_OK) {
        err = read_places(&workers, cli_value(args, "workers"), &error);
    }
    if (err == GW_OK) {
        err = read_places(&queries, cli_value(args, "points"), &error);
    }
    if (err == GW_OK) {
        err = fill_index(index, &workers, &error);
    }
    int code =
        err != GW_OK ? cli_refused(&error) : answer_queries(args, k, index, &workers, &queries);
    gw_worker_index_destroy(index);
    free_places(&workers);
    free_places(&queries);
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
