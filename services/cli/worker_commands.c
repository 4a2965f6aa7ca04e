// gridwarden worker …: the roster and who is on duty.
#include "services/cli/commands.h"

#include "gridwarden/v1/worker.pb-c.h"
#include "services/cli/csv.h"
#include "services/cli/door.h"
#include "services/cli/incident_output.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SERVICE "/gridwarden.v1.WorkerService/"
#define UPSERT_MAX 1000u // workers of one call
#define PARTS_MAX 32u    // home grids or skills of one worker

static const struct cli_column columns[] = {
    {"id", false},  {"name", false},    {"kind", false},          {"duty", false},
    {"load", true}, {"capacity", true}, {"home_grids", false},    {"skills", false},
    {"lon", true},  {"lat", true},      {"position_time", false},
};

static void join(char *const parts[], size_t count, struct gw_buffer *out) {
    gw_buffer_text(out, "");
    for (size_t i = 0; i < count; i++) {
        gw_buffer_format(out, "%s%s", i > 0 ? ";" : "", parts[i]);
    }
}

static void print_worker(struct cli_output *output, const Gridwarden__V1__Worker *worker) {
    struct gw_buffer homes = {0}, skills = {0};
    join(worker->home_grids, worker->n_home_grids, &homes);
    join(worker->skills, worker->n_skills, &skills);
    cli_output_text(output, worker->id);
    cli_output_text(output, worker->name);
    cli_output_text(output,
                    cli_enum_name(&gridwarden__v1__worker_kind__descriptor, (int)worker->kind));
    cli_output_text(output, cli_enum_name(&gridwarden__v1__duty__descriptor, (int)worker->duty));
    cli_output_number(output, "%" PRIu32, worker->load);
    cli_output_number(output, "%" PRIu32, worker->capacity);
    cli_output_text(output, homes.data != NULL ? homes.data : "");
    cli_output_text(output, skills.data != NULL ? skills.data : "");
    if (worker->position != NULL && worker->position->point != NULL) {
        cli_output_number(output, "%.7f", worker->position->point->longitude);
        cli_output_number(output, "%.7f", worker->position->point->latitude);
        cli_output_time(output, worker->position->time_ms);
    } else {
        cli_output_number(output, "%s", "");
        cli_output_number(output, "%s", "");
        cli_output_text(output, "");
    }
    gw_buffer_free(&homes);
    gw_buffer_free(&skills);
}

// --- list and get ---

static size_t show_page(void *context, const ProtobufCMessage *message, const char **next_token) {
    const Gridwarden__V1__ListWorkersResponse *response =
        (const Gridwarden__V1__ListWorkersResponse *)message;
    for (size_t i = 0; i < response->n_workers; i++) {
        print_worker(context, response->workers[i]);
    }
    *next_token = response->next_token;
    return response->n_workers;
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
    Gridwarden__V1__ListWorkersRequest request = GRIDWARDEN__V1__LIST_WORKERS_REQUEST__INIT;
    request.page = &page;
    request.code_prefix = (char *)(under != NULL ? under : "");
    code = cli_output_begin(&output, args, columns, sizeof(columns) / sizeof(columns[0]));
    if (code == CLI_DONE) {
        code = cli_door_pages(&door, SERVICE "ListWorkers", &request.base, &page,
                              &gridwarden__v1__list_workers_response__descriptor, limit, show_page,
                              &output);
        int end = cli_output_end(&output);
        code = code != CLI_DONE ? code : end;
    }
    cli_door_close(&door);
    return code;
}

static const struct cli_option list_options[] = {
    {"under", "CODE", "only with a home grid under this area or grid"},
    {"limit", "COUNT", "at most this many (default 100)"},
    CLI_DOOR_OPTIONS,
    CLI_OUTPUT_OPTIONS,
};

const struct cli_command cli_worker_list = {
    .name = "worker list",
    .words = "",
    .summary = "Lists workers by id.",
    .details = "Example:\n  gridwarden worker list --under 211202 --limit 20",
    .options = list_options,
    .option_count = sizeof(list_options) / sizeof(list_options[0]),
    .run = run_list,
};

static int run_get(const struct cli_args *args) {
    struct cli_door door;
    struct cli_output output;
    ProtobufCMessage *message = NULL;
    Gridwarden__V1__GetWorkerRequest request = GRIDWARDEN__V1__GET_WORKER_REQUEST__INIT;
    request.id = (char *)args->words[0];
    int code = cli_door_open(&door, args);
    if (code != CLI_DONE) {
        return code;
    }
    code = cli_door_call(&door, SERVICE "GetWorker", &request.base,
                         &gridwarden__v1__get_worker_response__descriptor, &message);
    if (code == CLI_DONE) {
        code = cli_output_begin(&output, args, columns, sizeof(columns) / sizeof(columns[0]));
        if (code == CLI_DONE) {
            output.upright = true;
            print_worker(&output, ((Gridwarden__V1__GetWorkerResponse *)message)->worker);
            code = cli_output_end(&output);
        }
        protobuf_c_message_free_unpacked(message, NULL);
    }
    cli_door_close(&door);
    return code;
}

static const struct cli_option get_options[] = {CLI_DOOR_OPTIONS, CLI_OUTPUT_OPTIONS};

const struct cli_command cli_worker_get = {
    .name = "worker get",
    .words = "ID",
    .summary = "Shows a worker.",
    .details = "",
    .words_min = 1,
    .words_max = 1,
    .options = get_options,
    .option_count = sizeof(get_options) / sizeof(get_options[0]),
    .run = run_get,
};

// --- import ---

// One worker of a row, with room for what it points to.
struct row {
    Gridwarden__V1__Worker worker;
    char *homes[PARTS_MAX], *skills[PARTS_MAX];
};

// Cuts "a;b" in place into parts. Past PARTS_MAX it says so by returning false.
static bool cut(char *text, char *parts[PARTS_MAX], size_t *count) {
    *count = 0;
    while (*text != '\0') {
        if (*count == PARTS_MAX) {
            return false;
        }
        parts[(*count)++] = text;
        text += strcspn(text, ";");
        if (*text == ';') {
            *text++ = '\0';
        }
    }
    return true;
}

// A kind in words: the contract's names, or the short ones; UNSPECIFIED when it is neither.
static Gridwarden__V1__WorkerKind read_kind(const char *text) {
    if (strcmp(text, "FULL_TIME") == 0 || strcmp(text, "full-time") == 0) {
        return GRIDWARDEN__V1__WORKER_KIND__WORKER_KIND_FULL_TIME;
    }
    if (strcmp(text, "PART_TIME") == 0 || strcmp(text, "part-time") == 0) {
        return GRIDWARDEN__V1__WORKER_KIND__WORKER_KIND_PART_TIME;
    }
    return GRIDWARDEN__V1__WORKER_KIND__WORKER_KIND_UNSPECIFIED;
}

static gw_err read_row(const struct cli_csv *csv, struct row *row, struct gw_error *error) {
    gridwarden__v1__worker__init(&row->worker);
    row->worker.id = (char *)cli_csv_field(csv, cli_csv_column(csv, "id"));
    row->worker.name = (char *)cli_csv_field(csv, cli_csv_column(csv, "name"));
    const char *capacity = cli_csv_field(csv, cli_csv_column(csv, "capacity"));
    char *end = NULL;
    unsigned long number = strtoul(capacity, &end, 10);
    row->worker.kind = read_kind(cli_csv_field(csv, cli_csv_column(csv, "kind")));
    row->worker.home_grids = row->homes;
    row->worker.skills = row->skills;
    if (*end != '\0' || number > 100) {
        return gw_error_set(error, GW_EINVAL, "%s, row %zu: capacity is '%.20s'; it must be 1..100",
                            csv->name, csv->row, capacity);
    }
    row->worker.capacity = (uint32_t)number;
    if (!cut((char *)cli_csv_field(csv, cli_csv_column(csv, "home_grids")), row->homes,
             &row->worker.n_home_grids) ||
        !cut((char *)cli_csv_field(csv, cli_csv_column(csv, "skills")), row->skills,
             &row->worker.n_skills)) {
        return gw_error_set(error, GW_EINVAL, "%s, row %zu: more than %u grids or skills",
                            csv->name, csv->row, PARTS_MAX);
    }
    return GW_OK;
}

static int send_rows(struct cli_door *door, struct row *rows, size_t count, uint64_t totals[2]) {
    static Gridwarden__V1__Worker *pointers[UPSERT_MAX];
    for (size_t i = 0; i < count; i++) {
        pointers[i] = &rows[i].worker;
    }
    static const struct cli_args no_arguments;
    char request_id[129];
    cli_request_id(&no_arguments, request_id);
    Gridwarden__V1__UpsertWorkersRequest request = GRIDWARDEN__V1__UPSERT_WORKERS_REQUEST__INIT;
    request.request_id = request_id;
    request.n_workers = count;
    request.workers = pointers;
    ProtobufCMessage *message = NULL;
    int code = cli_door_call(door, SERVICE "UpsertWorkers", &request.base,
                             &gridwarden__v1__upsert_workers_response__descriptor, &message);
    if (code == CLI_DONE) {
        const Gridwarden__V1__UpsertWorkersResponse *response =
            (const Gridwarden__V1__UpsertWorkersResponse *)message;
        totals[0] += response->added;
        totals[1] += response->replaced;
        protobuf_c_message_free_unpacked(message, NULL);
    }
    return code;
}

static int send_file(struct cli_door *door, struct cli_csv *csv, uint64_t totals[2]) {
    static struct row rows[UPSERT_MAX];
    struct gw_error error;
    size_t count = 0;
    while (cli_csv_next(csv)) {
        if (read_row(csv, &rows[count], &error) != GW_OK) {
            return cli_refused(&error);
        }
        if (++count == UPSERT_MAX) {
            int code = send_rows(door, rows, count, totals);
            if (code != CLI_DONE) {
                return code;
            }
            count = 0;
        }
    }
    return count > 0 ? send_rows(door, rows, count, totals) : CLI_DONE;
}

static int run_import(const struct cli_args *args) {
    struct cli_door door;
    struct cli_csv csv;
    struct gw_error error;
    uint64_t totals[2] = {0, 0};
    if (cli_csv_open(&csv, args->words[0], &error) != GW_OK) {
        return cli_refused(&error);
    }
    if (cli_csv_column(&csv, "id") < 0 || cli_csv_column(&csv, "home_grids") < 0) {
        (void)fprintf(stderr, "gridwarden: %s needs columns id and home_grids\n", csv.name);
        cli_csv_close(&csv);
        return CLI_REFUSED;
    }
    int code = cli_door_open(&door, args);
    if (code == CLI_DONE) {
        code = send_file(&door, &csv, totals);
        cli_door_close(&door);
        (void)printf("%" PRIu64 " workers added, %" PRIu64 " replaced\n", totals[0], totals[1]);
    }
    cli_csv_close(&csv);
    return code;
}

static const struct cli_option import_options[] = {CLI_DOOR_OPTIONS};

const struct cli_command cli_worker_import = {
    .name = "worker import",
    .words = "FILE.csv",
    .summary = "Adds or replaces workers from a file.",
    .details =
        "Columns: id, name, kind (full-time, part-time), home_grids and skills (parted by ';'),\n"
        "capacity. Workers go in by thousands, each thousand wholly or not at all.\n\n"
        "Example:\n  gridwarden worker import workers.csv",
    .words_min = 1,
    .words_max = 1,
    .options = import_options,
    .option_count = sizeof(import_options) / sizeof(import_options[0]),
    .run = run_import,
};

// --- duty ---

static int run_duty(const struct cli_args *args) {
    bool on = strcmp(args->words[0], "on") == 0;
    if (!on && strcmp(args->words[0], "off") != 0) {
        return cli_usage(args, "the first word is %s; it must be on or off", args->words[0]);
    }
    struct cli_door door;
    char request_id[129];
    cli_request_id(args, request_id);
    Gridwarden__V1__SetDutyRequest request = GRIDWARDEN__V1__SET_DUTY_REQUEST__INIT;
    request.request_id = request_id;
    request.n_worker_ids = args->word_count - 1;
    request.worker_ids = (char **)(uintptr_t)&args->words[1];
    request.duty = on ? GRIDWARDEN__V1__DUTY__DUTY_ON : GRIDWARDEN__V1__DUTY__DUTY_OFF;
    int code = cli_door_open(&door, args);
    if (code != CLI_DONE) {
        return code;
    }
    ProtobufCMessage *message = NULL;
    code = cli_door_call(&door, SERVICE "SetDuty", &request.base,
                         &gridwarden__v1__set_duty_response__descriptor, &message);
    if (code == CLI_DONE) {
        (void)printf("%u changed\n", ((Gridwarden__V1__SetDutyResponse *)message)->changed);
        protobuf_c_message_free_unpacked(message, NULL);
    }
    cli_door_close(&door);
    return code;
}

static const struct cli_option duty_options[] = {
    {"request-id", "ID", "give the same again to repeat safely"},
    CLI_DOOR_OPTIONS,
};

const struct cli_command cli_worker_duty = {
    .name = "worker duty",
    .words = "on|off ID…",
    .summary = "Puts workers on duty or takes them off it.",
    .details = "Example:\n  gridwarden worker duty on TL-F-00001 TL-F-00002",
    .words_min = 2,
    .words_max = UPSERT_MAX + 1,
    .options = duty_options,
    .option_count = sizeof(duty_options) / sizeof(duty_options[0]),
    .run = run_duty,
};
