#include "services/cli/incident_output.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

// --- enums ---

// The length of "INCIDENT_STATE_": the value 0 of every enum is <PREFIX>UNSPECIFIED.
static size_t prefix_size(const ProtobufCEnumDescriptor *type) {
    const ProtobufCEnumValue *zero = protobuf_c_enum_descriptor_get_value(type, 0);
    const char *tail = zero != NULL ? strstr(zero->name, "UNSPECIFIED") : NULL;
    return tail != NULL ? (size_t)(tail - zero->name) : 0;
}

const char *cli_enum_name(const ProtobufCEnumDescriptor *type, int value) {
    const ProtobufCEnumValue *found = protobuf_c_enum_descriptor_get_value(type, value);
    return found != NULL ? found->name + prefix_size(type) : "?";
}

int cli_enum_value(const struct cli_args *args, const char *option,
                   const ProtobufCEnumDescriptor *type, int *value) {
    const char *text = cli_value(args, option);
    if (text == NULL) {
        return CLI_DONE;
    }
    size_t skip = prefix_size(type);
    struct gw_buffer possible = {0};
    for (unsigned i = 0; i < type->n_values; i++) {
        if (strcasecmp(type->values[i].name + skip, text) == 0 && type->values[i].value != 0) {
            *value = type->values[i].value;
            gw_buffer_free(&possible);
            return CLI_DONE;
        }
        if (type->values[i].value != 0) {
            gw_buffer_format(&possible, "%s%s", possible.size > 0 ? ", " : "",
                             type->values[i].name + skip);
        }
    }
    int code = cli_usage(args, "--%s is %s; it must be one of %s", option, text,
                         possible.data != NULL ? possible.data : "the known ones");
    gw_buffer_free(&possible);
    return code;
}

// --- incidents ---

static const struct cli_column incident_columns[] = {
    {"id", false},      {"state", false},  {"class", false},        {"severity", true},
    {"channel", false}, {"lon", true},     {"lat", true},           {"grid", false},
    {"handler", false}, {"attempt", true}, {"answer_by", false},    {"reported", false},
    {"updated", false}, {"version", true}, {"nearest_grid", false}, {"nearest_m", true},
    {"address", false},
};

int cli_incidents_begin(struct cli_output *output, const struct cli_args *args) {
    return cli_output_begin(output, args, incident_columns,
                            sizeof(incident_columns) / sizeof(incident_columns[0]));
}

void cli_incident_row(struct cli_output *output, const Gridwarden__V1__Incident *incident) {
    cli_output_text(output, incident->id);
    cli_output_text(
        output, cli_enum_name(&gridwarden__v1__incident_state__descriptor, (int)incident->state));
    cli_output_text(output, incident->class_code);
    cli_output_number(output, "%" PRIu32, incident->severity);
    cli_output_text(output,
                    cli_enum_name(&gridwarden__v1__channel__descriptor, (int)incident->channel));
    if (incident->point != NULL) {
        cli_output_number(output, "%.7f", incident->point->longitude);
        cli_output_number(output, "%.7f", incident->point->latitude);
    } else {
        cli_output_number(output, "%s", "");
        cli_output_number(output, "%s", "");
    }
    cli_output_text(output, incident->grid_code);
    cli_output_text(output, incident->handler);
    cli_output_number(output, "%" PRIu32, incident->attempt);
    cli_output_time(output, incident->answer_by_ms);
    cli_output_time(output, incident->reported_ms);
    cli_output_time(output, incident->updated_ms);
    cli_output_number(output, "%" PRIu32, incident->version);
    cli_output_text(output, incident->nearest_grid_code);
    if (incident->nearest_grid_code[0] != '\0') {
        cli_output_number(output, "%.4f", incident->nearest_grid_distance_m);
    } else {
        cli_output_number(output, "%s", "");
    }
    cli_output_text(output, incident->address);
}

// --- events ---

static const struct cli_column event_columns[] = {
    {"time", false},  {"incident", false}, {"version", true},
    {"event", false}, {"actor", false},    {"what", false},
};

int cli_events_begin(struct cli_output *output, const struct cli_args *args) {
    return cli_output_begin(output, args, event_columns,
                            sizeof(event_columns) / sizeof(event_columns[0]));
}

// Why this worker: the level, the distance, how many could have been asked.
static void describe_offer(const Gridwarden__V1__Offered *offered, struct gw_buffer *what) {
    static const char *const levels[] = {"grid", "village", "township", "county", "city"};
    gw_buffer_format(what, "to %s, attempt %u", offered->worker_id, offered->attempt);
    if (offered->n_candidates > 0) {
        const Gridwarden__V1__Candidate *first = offered->candidates[0];
        gw_buffer_format(what, "; %s roster", first->level < 5 ? levels[first->level] : "?");
        if (first->has_position) {
            gw_buffer_format(what, ", %.0f m away", first->distance_m);
        }
    }
    gw_buffer_format(what, ", %u eligible", offered->eligible_count);
}

static const char *describe(const Gridwarden__V1__IncidentEvent *event, struct gw_buffer *what) {
    switch (event->kind_case) {
    case GRIDWARDEN__V1__INCIDENT_EVENT__KIND_REPORTED:
        gw_buffer_format(what, "class %s, severity %u", event->reported->class_code,
                         event->reported->severity);
        return "reported";
    case GRIDWARDEN__V1__INCIDENT_EVENT__KIND_PLACED:
        if (event->placed->grid_code[0] != '\0') {
            gw_buffer_format(what, "in grid %s", event->placed->grid_code);
        } else {
            gw_buffer_format(what, "in no grid; %.1f m from %s",
                             event->placed->nearest_grid_distance_m,
                             event->placed->nearest_grid_code);
        }
        return "placed";
    case GRIDWARDEN__V1__INCIDENT_EVENT__KIND_OFFERED:
        describe_offer(event->offered, what);
        return "offered";
    case GRIDWARDEN__V1__INCIDENT_EVENT__KIND_ACCEPTED:
        gw_buffer_format(what, "by %s", event->accepted->handler);
        return "accepted";
    case GRIDWARDEN__V1__INCIDENT_EVENT__KIND_DECLINED:
        gw_buffer_format(what, "by %s: %s", event->declined->worker_id, event->declined->reason);
        return "declined";
    case GRIDWARDEN__V1__INCIDENT_EVENT__KIND_OFFER_EXPIRED:
        gw_buffer_format(what, "%s did not answer", event->offer_expired->worker_id);
        return "offer expired";
    case GRIDWARDEN__V1__INCIDENT_EVENT__KIND_SENT_TO_DESK:
        gw_buffer_format(what, "%s: %s", event->sent_to_desk->desk, event->sent_to_desk->reason);
        return "sent to desk";
    case GRIDWARDEN__V1__INCIDENT_EVENT__KIND_STARTED:
        return "started";
    case GRIDWARDEN__V1__INCIDENT_EVENT__KIND_RESOLVED:
        gw_buffer_text(what, event->resolved->note);
        return "resolved";
    case GRIDWARDEN__V1__INCIDENT_EVENT__KIND_CLOSED:
        gw_buffer_text(what, event->closed->note);
        return "closed";
    default:
        return "of a later version";
    }
}

void cli_event_row(struct cli_output *output, const Gridwarden__V1__IncidentEvent *event) {
    struct gw_buffer what = {0};
    gw_buffer_text(&what, "");
    const char *kind = describe(event, &what);
    cli_output_time(output, event->time_ms);
    cli_output_text(output, event->incident_id);
    cli_output_number(output, "%" PRIu32, event->version);
    cli_output_text(output, kind);
    cli_output_text(output, event->actor);
    cli_output_text(output, what.data != NULL ? what.data : "");
    gw_buffer_free(&what);
}
