// gridwarden watch …: follows incidents or assignments as they happen, a line each.
#include "services/cli/commands.h"

#include "gridwarden/v1/worker.pb-c.h"
#include "services/cli/door.h"
#include "services/cli/incident_output.h"
#include <signal.h>
#include <stdio.h>
#include <string.h>

static volatile sig_atomic_t stopped = 0;

static void on_signal(int signal_number) {
    (void)signal_number;
    stopped = 1;
}

static void stop_on_signals(void) {
    struct sigaction action = {.sa_handler = on_signal};
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
}

// Reads messages until the stream ends, a signal comes or --count is reached. `show` prints one and
// says whether it counts (a heartbeat does not).
static int follow(const struct cli_args *args, const char *path, const ProtobufCMessage *request,
                  const ProtobufCMessageDescriptor *response_type,
                  bool (*show)(struct cli_output *output, const ProtobufCMessage *message),
                  struct cli_output *output) {
    struct cli_door door;
    struct gw_rpc_stream *stream = NULL;
    struct gw_error error;
    int64_t left = INT64_MAX;
    int code = cli_integer(args, "count", 1, INT64_MAX, &left);
    if (code == CLI_DONE) {
        code = cli_door_open(&door, args);
    }
    if (code != CLI_DONE) {
        return code;
    }
    stop_on_signals();
    gw_err err =
        gw_rpc_stream_open(door.channel, path, request, response_type, -1, &stream, &error);
    while (err == GW_OK && left > 0 && !stopped) {
        ProtobufCMessage *message = NULL;
        err = gw_rpc_stream_read(stream, 200, &message, &error);
        if (err == GW_EDEADLINE) {
            err = GW_OK;
        } else if (err == GW_OK) {
            left -= show(output, message) ? 1 : 0;
            protobuf_c_message_free_unpacked(message, NULL);
        }
    }
    gw_rpc_stream_destroy(stream);
    cli_door_close(&door);
    return err == GW_OK || err == GW_ENOTFOUND ? CLI_DONE : cli_refused(&error);
}

// --- incidents ---

static bool show_incident(struct cli_output *output, const ProtobufCMessage *message) {
    const Gridwarden__V1__IncidentServiceWatchResponse *response =
        (const Gridwarden__V1__IncidentServiceWatchResponse *)message;
    if (response->event == NULL) {
        return false;
    }
    cli_event_row(output, response->event);
    cli_output_flush(output);
    return true;
}

static int run_incidents(const struct cli_args *args) {
    struct cli_output output;
    const char *token = cli_value(args, "token"), *under = cli_value(args, "under");
    Gridwarden__V1__IncidentServiceWatchRequest request =
        GRIDWARDEN__V1__INCIDENT_SERVICE_WATCH_REQUEST__INIT;
    request.token = (char *)(token != NULL ? token : "");
    request.code_prefix = (char *)(under != NULL ? under : "");
    int code = cli_events_begin(&output, args);
    if (code != CLI_DONE) {
        return code;
    }
    code = follow(args, "/gridwarden.v1.IncidentService/Watch", &request.base,
                  &gridwarden__v1__incident_service_watch_response__descriptor, show_incident,
                  &output);
    int end = cli_output_end(&output);
    return code != CLI_DONE ? code : end;
}

static const struct cli_option incident_options[] = {
    {"under", "CODE", "only under this area or grid"},
    {"token", "TOKEN", "go on after this token"},
    {"count", "COUNT", "stop after so many"},
    CLI_DOOR_OPTIONS,
    CLI_OUTPUT_OPTIONS,
};

const struct cli_command cli_watch_incidents = {
    .name = "watch incidents",
    .words = "",
    .summary = "Follows what happens to incidents.",
    .details = "Example:\n  gridwarden watch incidents --under 211202",
    .options = incident_options,
    .option_count = sizeof(incident_options) / sizeof(incident_options[0]),
    .run = run_incidents,
};

// --- assignments ---

static const struct cli_column assignment_columns[] = {
    {"worker", false}, {"incident", false},  {"attempt", true}, {"state", false},
    {"class", false},  {"answer_by", false}, {"grid", false},   {"token", false},
};

static bool show_assignment(struct cli_output *output, const ProtobufCMessage *message) {
    const Gridwarden__V1__WatchAssignmentsResponse *response =
        (const Gridwarden__V1__WatchAssignmentsResponse *)message;
    const Gridwarden__V1__Assignment *assignment = response->assignment;
    if (assignment == NULL) {
        return false;
    }
    cli_output_text(output, assignment->worker_id);
    cli_output_text(output, assignment->incident_id);
    cli_output_number(output, "%u", assignment->attempt);
    cli_output_text(output, cli_enum_name(&gridwarden__v1__assignment_state__descriptor,
                                          (int)assignment->state));
    cli_output_text(output, assignment->class_code);
    cli_output_time(output, assignment->answer_by_ms);
    cli_output_text(output, assignment->grid_code);
    cli_output_text(output, response->token);
    cli_output_flush(output);
    return true;
}

static int run_assignments(const struct cli_args *args) {
    struct cli_output output;
    const char *token = cli_value(args, "token"), *under = cli_value(args, "under");
    const char *worker = cli_value(args, "worker");
    Gridwarden__V1__WatchAssignmentsRequest request =
        GRIDWARDEN__V1__WATCH_ASSIGNMENTS_REQUEST__INIT;
    request.token = (char *)(token != NULL ? token : "");
    request.area_code = (char *)(under != NULL ? under : "");
    request.worker_id = (char *)(worker != NULL ? worker : "");
    int code = cli_output_begin(&output, args, assignment_columns,
                                sizeof(assignment_columns) / sizeof(assignment_columns[0]));
    if (code != CLI_DONE) {
        return code;
    }
    code =
        follow(args, "/gridwarden.v1.WorkerService/WatchAssignments", &request.base,
               &gridwarden__v1__watch_assignments_response__descriptor, show_assignment, &output);
    int end = cli_output_end(&output);
    return code != CLI_DONE ? code : end;
}

static const struct cli_option assignment_options[] = {
    {"worker", "ID", "only this worker's"},
    {"under", "CODE", "only of incidents under this area or grid"},
    {"token", "TOKEN", "go on after this token, without what is open now"},
    {"count", "COUNT", "stop after so many"},
    CLI_DOOR_OPTIONS,
    CLI_OUTPUT_OPTIONS,
};

const struct cli_command cli_watch_assignments = {
    .name = "watch assignments",
    .words = "",
    .summary = "Follows offers and what becomes of them.",
    .details = "What is open now comes first.\n\n"
               "Example:\n  gridwarden watch assignments --worker TL-F-00001",
    .options = assignment_options,
    .option_count = sizeof(assignment_options) / sizeof(assignment_options[0]),
    .run = run_assignments,
};
