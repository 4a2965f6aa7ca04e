// gridwarden report, and gridwarden incident …: report one, follow it, move it along.
#include "services/cli/commands.h"
#include "services/cli/door.h"
#include "services/cli/incident_output.h"
#include <assert.h>
#include <string.h>

#define SERVICE "/gridwarden.v1.IncidentService/"

// Prints the one incident of an answer.
static int print_incident(const struct cli_args *args, const Gridwarden__V1__Incident *incident) {
    struct cli_output output;
    int code = cli_incidents_begin(&output, args);
    if (code == CLI_DONE) {
        output.upright = true;
        cli_incident_row(&output, incident);
        code = cli_output_end(&output);
    }
    return code;
}

// Asks, and prints the incident of the answer: the first field of every answer here.
static int ask_and_print(const struct cli_args *args, const char *path,
                         const ProtobufCMessage *request,
                         const ProtobufCMessageDescriptor *response_type) {
    struct cli_door door;
    ProtobufCMessage *response = NULL;
    int code = cli_door_open(&door, args);
    if (code != CLI_DONE) {
        return code;
    }
    code = cli_door_call(&door, path, request, response_type, &response);
    if (code == CLI_DONE) {
        const Gridwarden__V1__ReportResponse *any =
            (const Gridwarden__V1__ReportResponse *)response;
        code = print_incident(args, any->incident);
        protobuf_c_message_free_unpacked(response, NULL);
    }
    cli_door_close(&door);
    return code;
}

static char *text_or_empty(const struct cli_args *args, const char *name, const char *otherwise) {
    const char *value = cli_value(args, name);
    return (char *)(value != NULL ? value : otherwise);
}

// --- report ---

static int run_report(const struct cli_args *args) {
    char request_id[129];
    int channel = GRIDWARDEN__V1__CHANNEL__CHANNEL_OTHER;
    int64_t severity = 2;
    bool has_place = false;
    Gridwarden__V1__Point point = GRIDWARDEN__V1__POINT__INIT;
    Gridwarden__V1__ReportRequest request = GRIDWARDEN__V1__REPORT_REQUEST__INIT;
    int code = cli_place(args, &has_place, &point.longitude, &point.latitude);
    if (code == CLI_DONE) {
        code = cli_integer(args, "severity", 1, 4, &severity);
    }
    if (code == CLI_DONE) {
        code = cli_enum_value(args, "channel", &gridwarden__v1__channel__descriptor, &channel);
    }
    if (code == CLI_DONE && cli_value(args, "class") == NULL) {
        code = cli_usage(args, "--class CODE is needed, such as 01");
    }
    if (code != CLI_DONE) {
        return code;
    }
    cli_request_id(args, request_id);
    request.request_id = request_id;
    request.point = has_place ? &point : NULL;
    request.class_code = text_or_empty(args, "class", "");
    request.severity = (uint32_t)severity;
    request.channel = (Gridwarden__V1__Channel)channel;
    request.address = text_or_empty(args, "address", "");
    request.description = text_or_empty(args, "description", "");
    request.actor = text_or_empty(args, "actor", "cli");
    return ask_and_print(args, SERVICE "Report", &request.base,
                         &gridwarden__v1__report_response__descriptor);
}

static const struct cli_option report_options[] = {
    {"lon", "DEGREES", "where: longitude (WGS84 / CGCS2000)"},
    {"lat", "DEGREES", "and latitude"},
    {"address", "TEXT", "where, in words; enough when no point is known"},
    {"class", "CODE", "what: a class of the configuration, such as 01"},
    {"severity", "1..4", "1 minor .. 4 grave (default 2)"},
    {"channel", "NAME", "hotline, app, patrol, sensor, video or other"},
    {"description", "TEXT", "what was seen"},
    {"actor", "NAME", "who reports (default cli)"},
    {"request-id", "ID", "give the same again to repeat a report safely"},
    CLI_DOOR_OPTIONS,
    CLI_OUTPUT_OPTIONS,
};

const struct cli_command cli_report = {
    .name = "report",
    .words = "",
    .summary = "Reports an incident and shows to whom it was given.",
    .details = "Example:\n  gridwarden report --lon 123.84 --lat 42.29 --class 01 \\\n"
               "      --description \"rubbish on the pavement\"\n"
               "  gridwarden report --address \"银州区 …\" --class 04",
    .options = report_options,
    .option_count = sizeof(report_options) / sizeof(report_options[0]),
    .run = run_report,
};

// --- moves: each a word (the incident) and an actor ---

static const struct cli_option move_options[] = {
    {"actor", "WHO", "the worker's id, the desk's code, or who closes it"},
    {"reason", "TEXT", "why (decline)"},
    {"note", "TEXT", "what was done (resolve, close)"},
    {"request-id", "ID", "give the same again to repeat safely"},
    CLI_DOOR_OPTIONS,
    CLI_OUTPUT_OPTIONS,
};
#define MOVE_OPTION_COUNT (sizeof(move_options) / sizeof(move_options[0]))

// The moves, and the option that holds their text.
static const struct move {
    const char *verb, *path, *text_option;
    const ProtobufCMessageDescriptor *request, *response;
} moves[] = {
    {"accept", SERVICE "Accept", NULL, &gridwarden__v1__accept_request__descriptor,
     &gridwarden__v1__accept_response__descriptor},
    {"decline", SERVICE "Decline", "reason", &gridwarden__v1__decline_request__descriptor,
     &gridwarden__v1__decline_response__descriptor},
    {"start", SERVICE "Start", NULL, &gridwarden__v1__start_request__descriptor,
     &gridwarden__v1__start_response__descriptor},
    {"resolve", SERVICE "Resolve", "note", &gridwarden__v1__resolve_request__descriptor,
     &gridwarden__v1__resolve_response__descriptor},
    {"close", SERVICE "Close", "note", &gridwarden__v1__close_request__descriptor,
     &gridwarden__v1__close_response__descriptor},
};

// Room for any of their requests.
union move_request {
    ProtobufCMessage base;
    Gridwarden__V1__AcceptRequest accept;
    Gridwarden__V1__DeclineRequest decline;
    Gridwarden__V1__StartRequest start;
    Gridwarden__V1__ResolveRequest resolve;
    Gridwarden__V1__CloseRequest close;
};

// Sets a text field that the message has by this name.
static void set_text(ProtobufCMessage *message, const char *field_name, const char *text) {
    const ProtobufCFieldDescriptor *field =
        protobuf_c_message_descriptor_get_field_by_name(message->descriptor, field_name);
    assert(field != NULL && field->type == PROTOBUF_C_TYPE_STRING);
    memcpy((char *)message + field->offset, &text, sizeof(text));
}

static int run_move(const struct cli_args *args) {
    char request_id[129];
    cli_request_id(args, request_id);
    const struct move *move = moves;
    while (strcmp(args->command->name + strlen("incident "), move->verb) != 0) {
        move++; // every command that runs this is in the table
    }
    if (cli_value(args, "actor") == NULL) {
        return cli_usage(args, "--actor WHO is needed");
    }
    union move_request request;
    protobuf_c_message_init(move->request, &request.base);
    set_text(&request.base, "request_id", request_id);
    set_text(&request.base, "incident_id", args->words[0]);
    set_text(&request.base, "actor", cli_value(args, "actor"));
    if (move->text_option != NULL) {
        set_text(&request.base, move->text_option, text_or_empty(args, move->text_option, ""));
    }
    return ask_and_print(args, move->path, &request.base, move->response);
}

const struct cli_command cli_incident_accept = {
    .name = "incident accept",
    .words = "ID",
    .summary = "The worker or desk that has an incident takes it on.",
    .details = "Example:\n  gridwarden incident accept ID --actor TL-F-00001",
    .words_min = 1,
    .words_max = 1,
    .options = move_options,
    .option_count = MOVE_OPTION_COUNT,
    .run = run_move,
};

const struct cli_command cli_incident_decline = {
    .name = "incident decline",
    .words = "ID",
    .summary = "The worker refuses the offer; the next candidate gets it.",
    .details = "Example:\n  gridwarden incident decline ID --actor TL-F-00001 --reason busy",
    .words_min = 1,
    .words_max = 1,
    .options = move_options,
    .option_count = MOVE_OPTION_COUNT,
    .run = run_move,
};

const struct cli_command cli_incident_start = {
    .name = "incident start",
    .words = "ID",
    .summary = "Whoever took it on begins.",
    .details = "",
    .words_min = 1,
    .words_max = 1,
    .options = move_options,
    .option_count = MOVE_OPTION_COUNT,
    .run = run_move,
};

const struct cli_command cli_incident_resolve = {
    .name = "incident resolve",
    .words = "ID",
    .summary = "Whoever took it on reports it done.",
    .details = "Example:\n  gridwarden incident resolve ID --actor TL-F-00001 --note \"cleared\"",
    .words_min = 1,
    .words_max = 1,
    .options = move_options,
    .option_count = MOVE_OPTION_COUNT,
    .run = run_move,
};

const struct cli_command cli_incident_close = {
    .name = "incident close",
    .words = "ID",
    .summary = "The centre closes a resolved incident.",
    .details = "",
    .words_min = 1,
    .words_max = 1,
    .options = move_options,
    .option_count = MOVE_OPTION_COUNT,
    .run = run_move,
};

// --- set-place ---

static int run_place(const struct cli_args *args) {
    char request_id[129];
    bool has_place = false;
    Gridwarden__V1__Point point = GRIDWARDEN__V1__POINT__INIT;
    Gridwarden__V1__SetPlaceRequest request = GRIDWARDEN__V1__SET_PLACE_REQUEST__INIT;
    int code = cli_place(args, &has_place, &point.longitude, &point.latitude);
    if (code != CLI_DONE || !has_place) {
        return code != CLI_DONE ? code : cli_usage(args, "--lon and --lat are needed");
    }
    cli_request_id(args, request_id);
    request.request_id = request_id;
    request.incident_id = (char *)args->words[0];
    request.point = &point;
    request.actor = text_or_empty(args, "actor", "cli");
    return ask_and_print(args, SERVICE "SetPlace", &request.base,
                         &gridwarden__v1__set_place_response__descriptor);
}

static const struct cli_option place_options[] = {
    {"lon", "DEGREES", "longitude"},
    {"lat", "DEGREES", "latitude"},
    {"actor", "WHO", "who says so (default cli)"},
    {"request-id", "ID", "give the same again to repeat safely"},
    CLI_DOOR_OPTIONS,
    CLI_OUTPUT_OPTIONS,
};

const struct cli_command cli_incident_place = {
    .name = "incident set-place",
    .words = "ID",
    .summary = "Gives or corrects the place of an incident; it is assigned anew.",
    .details = "Example:\n  gridwarden incident set-place ID --lon 123.84 --lat 42.29",
    .words_min = 1,
    .words_max = 1,
    .options = place_options,
    .option_count = sizeof(place_options) / sizeof(place_options[0]),
    .run = run_place,
};

// --- get ---

static int run_get(const struct cli_args *args) {
    struct cli_door door;
    struct cli_output output;
    ProtobufCMessage *message = NULL;
    Gridwarden__V1__IncidentServiceGetRequest request =
        GRIDWARDEN__V1__INCIDENT_SERVICE_GET_REQUEST__INIT;
    request.id = (char *)args->words[0];
    request.with_events = cli_flag(args, "events");
    int code = cli_door_open(&door, args);
    if (code != CLI_DONE) {
        return code;
    }
    code = cli_door_call(&door, SERVICE "Get", &request.base,
                         &gridwarden__v1__incident_service_get_response__descriptor, &message);
    if (code == CLI_DONE) {
        Gridwarden__V1__IncidentServiceGetResponse *response =
            (Gridwarden__V1__IncidentServiceGetResponse *)message;
        if (!request.with_events) {
            code = print_incident(args, response->incident);
        } else {
            code = cli_events_begin(&output, args);
            for (size_t i = 0; code == CLI_DONE && i < response->n_events; i++) {
                cli_event_row(&output, response->events[i]);
            }
            code = code == CLI_DONE ? cli_output_end(&output) : code;
        }
        protobuf_c_message_free_unpacked(message, NULL);
    }
    cli_door_close(&door);
    return code;
}

static const struct cli_option get_options[] = {
    {"events", NULL, "print its trail: every event, in order"},
    CLI_DOOR_OPTIONS,
    CLI_OUTPUT_OPTIONS,
};

const struct cli_command cli_incident_get = {
    .name = "incident get",
    .words = "ID",
    .summary = "Shows an incident, or its trail.",
    .details = "Example:\n  gridwarden incident get ID --events",
    .words_min = 1,
    .words_max = 1,
    .options = get_options,
    .option_count = sizeof(get_options) / sizeof(get_options[0]),
    .run = run_get,
};

// --- list ---

static size_t show_page(void *context, const ProtobufCMessage *message, const char **next_token) {
    const Gridwarden__V1__IncidentServiceListResponse *response =
        (const Gridwarden__V1__IncidentServiceListResponse *)message;
    for (size_t i = 0; i < response->n_incidents; i++) {
        cli_incident_row(context, response->incidents[i]);
    }
    *next_token = response->next_token;
    return response->n_incidents;
}

static int run_list(const struct cli_args *args) {
    struct cli_door door;
    struct cli_output output;
    int64_t limit = 100;
    int state = 0;
    int code = cli_integer(args, "limit", 1, INT64_MAX, &limit);
    if (code == CLI_DONE) {
        code = cli_enum_value(args, "state", &gridwarden__v1__incident_state__descriptor, &state);
    }
    if (code == CLI_DONE) {
        code = cli_door_open(&door, args);
    }
    if (code != CLI_DONE) {
        return code;
    }
    Gridwarden__V1__PageRequest page = GRIDWARDEN__V1__PAGE_REQUEST__INIT;
    Gridwarden__V1__IncidentServiceListRequest request =
        GRIDWARDEN__V1__INCIDENT_SERVICE_LIST_REQUEST__INIT;
    request.page = &page;
    request.state = (Gridwarden__V1__IncidentState)state;
    request.code_prefix = text_or_empty(args, "under", "");
    request.handler = text_or_empty(args, "handler", "");
    code = cli_incidents_begin(&output, args);
    if (code == CLI_DONE) {
        code = cli_door_pages(&door, SERVICE "List", &request.base, &page,
                              &gridwarden__v1__incident_service_list_response__descriptor, limit,
                              show_page, &output);
        int end = cli_output_end(&output);
        code = code != CLI_DONE ? code : end;
    }
    cli_door_close(&door);
    return code;
}

static const struct cli_option list_options[] = {
    {"state", "STATE", "offered, at_desk, accepted, started, resolved, closed, place_unknown"},
    {"under", "CODE", "only under this area or grid"},
    {"handler", "WHO", "only those with this worker or desk"},
    {"limit", "COUNT", "at most this many (default 100)"},
    CLI_DOOR_OPTIONS,
    CLI_OUTPUT_OPTIONS,
};

const struct cli_command cli_incident_list = {
    .name = "incident list",
    .words = "",
    .summary = "Lists incidents, newest first.",
    .details = "Example:\n  gridwarden incident list --state at_desk --under 211202",
    .options = list_options,
    .option_count = sizeof(list_options) / sizeof(list_options[0]),
    .run = run_list,
};
