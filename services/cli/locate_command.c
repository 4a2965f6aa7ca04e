// gridwarden locate: who answers for a point, or for a file of points.
//
// With --data the edition file is mapped and asked directly, beside any other reader.
#include "services/cli/commands.h"

#include "gridwarden/v1/grid.pb-c.h"
#include "services/base/datadir.h"
#include "services/cli/csv.h"
#include "services/cli/door.h"
#include "services/cli/output.h"
#include "services/grids/editions.h"
#include "services/node/node.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BATCH 50000u   // points of one call
#define FAULTS_MAX 20u // bad rows that are named

// Every point of the file: all are read before any is answered, so that a bad row leaves no half
// answer.
struct points {
    struct gw_point *places;
    const char **ids; // NULL: the row's number
    size_t count, capacity;
};

static bool points_add(struct points *points, struct gw_point place, const char *id) {
    if (points->count == points->capacity) {
        size_t capacity = points->capacity == 0 ? 1024 : points->capacity * 2;
        void *places = realloc(points->places, capacity * sizeof(*points->places));
        if (places == NULL) {
            return false;
        }
        points->places = places;
        void *ids = realloc((void *)points->ids, capacity * sizeof(*points->ids));
        if (ids == NULL) {
            return false;
        }
        points->ids = ids;
        points->capacity = capacity;
    }
    points->places[points->count] = place;
    points->ids[points->count++] = id;
    return true;
}

// The part of the points that is asked for in one go.
struct batch {
    const struct gw_point *places;
    size_t count;
    const char *codes[BATCH]; // answers
};

// Where answers come from: a mapped edition, or a server.
struct source {
    struct gw_datadir dir;
    struct gw_edition *edition;
    struct cli_door door;
};

static gw_err open_edition(struct source *source, const char *data, struct gw_error *error) {
    gw_err err = gw_datadir_open(&source->dir, data, GW_DATADIR_READ, "gridwarden locate", error);
    if (err != GW_OK) {
        return err;
    }
    char db[1100];
    struct gw_store *store = NULL;
    err = gw_datadir_file(&source->dir, "db", db, sizeof(db), error);
    if (err == GW_OK) {
        struct gw_store_options options = {.read_only = true};
        err = gw_store_open(db, &options, &store, error);
    }
    if (err == GW_OK) {
        err = gw_editions_open_current(data, store, GW_LAYER_RESPONSIBLE, &source->edition, error);
    }
    gw_store_close(store);
    return err;
}

static int open_source(struct source *source, const struct cli_args *args) {
    *source = (struct source){.dir.lock_fd = -1};
    const char *data = cli_value(args, "data");
    if (data == NULL) {
        return cli_door_open(&source->door, args);
    }
    if (cli_value(args, "server") != NULL) {
        return cli_usage(args, "--server and --data exclude each other");
    }
    struct gw_error error;
    return open_edition(source, data, &error) == GW_OK ? CLI_DONE : cli_refused(&error);
}

static void close_source(struct source *source) {
    gw_edition_close(source->edition);
    gw_datadir_close(&source->dir);
    cli_door_close(&source->door);
}

static void locate_here(const struct gw_edition *edition, struct batch *points) {
    static uint32_t owners[BATCH];
    gw_grid_index_locate_batch(gw_edition_index(edition), points->places, points->count, owners);
    for (size_t i = 0; i < points->count; i++) {
        points->codes[i] =
            owners[i] == GW_GRID_NONE ? "" : gw_edition_grid(edition, owners[i]).code;
    }
}

// *response holds the codes until the caller frees it.
static int locate_there(struct cli_door *door, struct batch *points,
                        Gridwarden__V1__LocateBatchResponse **response) {
    static int32_t longitudes[BATCH], latitudes[BATCH];
    for (size_t i = 0; i < points->count; i++) {
        longitudes[i] = points->places[i].lon;
        latitudes[i] = points->places[i].lat;
    }
    Gridwarden__V1__PackedPoints packed = GRIDWARDEN__V1__PACKED_POINTS__INIT;
    packed.n_longitudes_e7 = packed.n_latitudes_e7 = points->count;
    packed.longitudes_e7 = longitudes;
    packed.latitudes_e7 = latitudes;
    Gridwarden__V1__LocateBatchRequest request = GRIDWARDEN__V1__LOCATE_BATCH_REQUEST__INIT;
    request.points = &packed;
    ProtobufCMessage *message = NULL;
    int code = cli_door_call(door, "/gridwarden.v1.GridService/LocateBatch", &request.base,
                             &gridwarden__v1__locate_batch_response__descriptor, &message);
    if (code != CLI_DONE) {
        return code;
    }
    *response = (Gridwarden__V1__LocateBatchResponse *)message;
    for (size_t i = 0; i < points->count; i++) {
        uint32_t owner = i < (*response)->n_owners ? (*response)->owners[i] : 0;
        points->codes[i] =
            owner == 0 || owner > (*response)->n_codes ? "" : (*response)->codes[owner - 1];
    }
    return CLI_DONE;
}

static int answer_batch(struct source *source, struct batch *batch, const struct points *points,
                        struct cli_output *output) {
    Gridwarden__V1__LocateBatchResponse *response = NULL;
    if (source->edition != NULL) {
        locate_here(source->edition, batch);
    } else {
        int code = locate_there(&source->door, batch, &response);
        if (code != CLI_DONE) {
            return code;
        }
    }
    size_t first = (size_t)(batch->places - points->places);
    for (size_t i = 0; i < batch->count; i++) {
        char row[32];
        (void)snprintf(row, sizeof(row), "%zu", first + i + 1);
        cli_output_text(output, points->ids[first + i] != NULL ? points->ids[first + i] : row);
        cli_output_text(output, batch->codes[i]);
    }
    if (response != NULL) {
        gridwarden__v1__locate_batch_response__free_unpacked(response, NULL);
    }
    return CLI_DONE;
}

// Every bad row is named, up to FAULTS_MAX of them.
static int read_points(struct cli_csv *csv, struct points *points) {
    struct gw_error error;
    int lon_column = cli_csv_column(csv, "lon"), lat_column = cli_csv_column(csv, "lat");
    int id_column = cli_csv_column(csv, "id");
    size_t faults = 0;
    if (lon_column < 0 || lat_column < 0) {
        (void)fprintf(stderr, "gridwarden: %s has no column %s\n", csv->name,
                      lon_column < 0 ? "lon" : "lat");
        return CLI_REFUSED;
    }
    while (faults < FAULTS_MAX && cli_csv_next(csv)) {
        double lon, lat;
        struct gw_point place;
        if (cli_csv_place(csv, lon_column, lat_column, &lon, &lat, &error) != GW_OK) {
            (void)cli_refused(&error);
            faults++;
        } else if (gw_lattice_query(lon, lat, &place) != GW_OK ||
                   !points_add(points, place,
                               id_column >= 0 ? cli_csv_field(csv, id_column) : NULL)) {
            (void)fprintf(stderr, "gridwarden: not enough memory for %s\n", csv->name);
            return CLI_REFUSED;
        }
    }
    return faults > 0 ? CLI_REFUSED : CLI_DONE;
}

static int answer_points(const struct cli_args *args, struct source *source,
                         const struct points *points) {
    static const struct cli_column columns[] = {{"id", false}, {"code", false}};
    static struct batch batch;
    struct cli_output output;
    int code = cli_output_begin(&output, args, columns, sizeof(columns) / sizeof(columns[0]));
    if (code != CLI_DONE) {
        return code;
    }
    for (size_t i = 0; code == CLI_DONE && i < points->count; i += BATCH) {
        batch.places = points->places + i;
        batch.count = points->count - i < BATCH ? points->count - i : BATCH;
        code = answer_batch(source, &batch, points, &output);
    }
    int end = cli_output_end(&output);
    return code != CLI_DONE ? code : end;
}

static int run_file(const struct cli_args *args, struct source *source, const char *path) {
    struct points points = {0};
    struct gw_error error;
    struct cli_csv csv;
    if (cli_csv_open(&csv, path, &error) != GW_OK) {
        return cli_refused(&error);
    }
    int code = read_points(&csv, &points);
    if (code == CLI_DONE) {
        code = answer_points(args, source, &points);
    }
    free(points.places);
    free((void *)points.ids);
    cli_csv_close(&csv);
    return code;
}

// --- one point ---

static const struct cli_column one_columns[] = {
    {"code", false},   {"name", false},         {"areas", false},
    {"edition", true}, {"nearest_code", false}, {"nearest_m", true},
};

static void print_one(struct cli_output *output, const char *code, const char *name,
                      const char *areas, uint64_t edition, const char *near_code, double near_m) {
    output->upright = true;
    cli_output_text(output, code);
    cli_output_text(output, name);
    cli_output_text(output, areas);
    cli_output_number(output, "%llu", (unsigned long long)edition);
    cli_output_text(output, near_code);
    if (near_code[0] != '\0') {
        cli_output_number(output, "%.4f", near_m);
    } else {
        cli_output_number(output, "%s", "");
    }
}

static void append_area(struct gw_buffer *areas, const char *code, const char *name) {
    gw_buffer_format(areas, "%s%s%s%s", areas->size > 0 ? " < " : "", code,
                     name[0] != '\0' ? " " : "", name);
}

static int one_here(const struct gw_edition *edition, struct gw_point point,
                    struct cli_output *output) {
    uint32_t owner = gw_grid_index_locate(gw_edition_index(edition), point);
    if (owner == GW_GRID_NONE) {
        uint32_t near_grid = 0;
        double distance_m = 0;
        struct gw_error error;
        gw_err err = gw_edition_nearest(edition, point, &near_grid, &distance_m);
        if (err != GW_OK && err != GW_ENOTFOUND) {
            (void)gw_error_set(&error, err, "the nearest grid: %s", gw_err_text(err));
            return cli_refused(&error);
        }
        print_one(output, "", "", "", gw_edition_number(edition),
                  err == GW_OK ? gw_edition_grid(edition, near_grid).code : "", distance_m);
        return CLI_DONE;
    }
    struct gw_grid grid = gw_edition_grid(edition, owner);
    uint32_t chain[4];
    uint32_t count = gw_edition_chain(edition, owner, chain);
    struct gw_buffer areas = {0};
    gw_buffer_text(&areas, "");
    for (uint32_t i = 0; i < count; i++) {
        struct gw_area area = gw_edition_area(edition, chain[i]);
        append_area(&areas, area.code, area.name);
    }
    print_one(output, grid.code, grid.name, areas.data != NULL ? areas.data : "",
              gw_edition_number(edition), "", 0);
    gw_buffer_free(&areas);
    return CLI_DONE;
}

static int one_there(struct cli_door *door, double lon, double lat, struct cli_output *output) {
    Gridwarden__V1__Point point = GRIDWARDEN__V1__POINT__INIT;
    point.longitude = lon;
    point.latitude = lat;
    Gridwarden__V1__LocateRequest request = GRIDWARDEN__V1__LOCATE_REQUEST__INIT;
    request.point = &point;
    ProtobufCMessage *message = NULL;
    int code = cli_door_call(door, "/gridwarden.v1.GridService/Locate", &request.base,
                             &gridwarden__v1__locate_response__descriptor, &message);
    if (code != CLI_DONE) {
        return code;
    }
    Gridwarden__V1__LocateResponse *response = (Gridwarden__V1__LocateResponse *)message;
    struct gw_buffer areas = {0};
    gw_buffer_text(&areas, "");
    for (size_t i = 0; response->grid != NULL && i < response->grid->n_areas; i++) {
        append_area(&areas, response->grid->areas[i]->code, response->grid->areas[i]->name);
    }
    print_one(output, response->grid != NULL ? response->grid->code : "",
              response->grid != NULL ? response->grid->name : "",
              areas.data != NULL ? areas.data : "",
              response->edition != NULL ? response->edition->number : 0,
              response->nearest != NULL ? response->nearest->code : "",
              response->nearest != NULL ? response->nearest->distance_m : 0);
    gw_buffer_free(&areas);
    gridwarden__v1__locate_response__free_unpacked(response, NULL);
    return CLI_DONE;
}

static int run_one(const struct cli_args *args, struct source *source, double lon, double lat) {
    struct gw_point point = {0, 0};
    if (gw_lattice_query(lon, lat, &point) != GW_OK) {
        return cli_usage(args, "--lon must be within -180 .. 180 and --lat within -90 .. 90");
    }
    struct cli_output output;
    int code =
        cli_output_begin(&output, args, one_columns, sizeof(one_columns) / sizeof(one_columns[0]));
    if (code != CLI_DONE) {
        return code;
    }
    code = source->edition != NULL ? one_here(source->edition, point, &output)
                                   : one_there(&source->door, lon, lat, &output);
    int end = cli_output_end(&output);
    return code != CLI_DONE ? code : end;
}

static int run(const struct cli_args *args) {
    const char *path = cli_value(args, "points");
    bool has_place = false;
    double lon = 0, lat = 0;
    int code = cli_place(args, &has_place, &lon, &lat);
    if (code != CLI_DONE || has_place == (path != NULL)) {
        return code != CLI_DONE ? code : cli_usage(args, "give --points FILE or --lon and --lat");
    }
    static struct source source;
    code = open_source(&source, args);
    if (code == CLI_DONE) {
        code = path != NULL ? run_file(args, &source, path) : run_one(args, &source, lon, lat);
    }
    close_source(&source);
    return code;
}

static const struct cli_option options[] = {
    {"points", "FILE", "CSV with columns lon, lat and perhaps id; - for standard input"},
    {"lon", "DEGREES", "one point instead: its longitude"},
    {"lat", "DEGREES", "and its latitude"},
    CLI_DOOR_OPTIONS,
    CLI_OUTPUT_OPTIONS,
};

const struct cli_command cli_locate = {
    .name = "locate",
    .words = "",
    .summary = "Says which grid answers for a point, or for each point of a file.",
    .details = "For a file it prints id,code: the row's id, or its number counted from 1, and an\n"
               "empty code where nobody answers. Coordinates are WGS84 / CGCS2000 degrees.\n\n"
               "Examples:\n  gridwarden locate --lon 123.84 --lat 42.29\n"
               "  gridwarden locate --data ./data --points points.csv --csv",
    .options = options,
    .option_count = sizeof(options) / sizeof(options[0]),
    .run = run,
};
