#include "services/http/body.h"

#include "geo/lattice.h"
#include "gridwarden/v1/incident.pb-c.h"
#include "services/http/words.h"
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define SEVERITY_MAX 4

struct http_body {
    json_t *root; // texts of the message lie in it
    char *incident_id;
    Gridwarden__V1__Point point;
    union {
        ProtobufCMessage base;
        Gridwarden__V1__ReportRequest report;
        Gridwarden__V1__AcceptRequest accept;
        Gridwarden__V1__DeclineRequest decline;
        Gridwarden__V1__StartRequest start;
        Gridwarden__V1__ResolveRequest resolve;
        Gridwarden__V1__CloseRequest close;
    } message;
};

const ProtobufCMessage *http_body_message(const struct http_body *body) {
    return &body->message.base;
}

void http_body_free(struct http_body *body) {
    if (body != NULL) {
        json_decref(body->root);
        free(body->incident_id);
        free(body);
    }
}

// --- members ---

static gw_err check_members(const json_t *root, const char *const known[], struct gw_error *error) {
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)root, name, value) {
        const char *const *at = known;
        while (*at != NULL && strcmp(*at, name) != 0) {
            at++;
        }
        if (*at == NULL) {
            return gw_error_set(error, GW_EINVAL, "\"%.60s\" is no member of this request", name);
        }
    }
    return GW_OK;
}

// A text; NULL or absent leaves `out` as it is.
static gw_err read_text(const json_t *root, const char *name, char **out, struct gw_error *error) {
    const json_t *value = json_object_get(root, name);
    if (value == NULL || json_is_null(value)) {
        return GW_OK;
    }
    if (!json_is_string(value) || strlen(json_string_value(value)) != json_string_length(value)) {
        return gw_error_set(error, GW_EINVAL, "%s must be a text", name);
    }
    *out = (char *)json_string_value(value);
    return GW_OK;
}

// A text that must be there, and not be empty.
static gw_err need_text(const json_t *root, const char *name, char **out, struct gw_error *error) {
    gw_err err = read_text(root, name, out, error);
    if (err == GW_OK && (*out == NULL || (*out)[0] == '\0')) {
        err = gw_error_set(error, GW_EINVAL, "%s is missing", name);
    }
    return err;
}

static gw_err read_point(struct http_body *body, Gridwarden__V1__Point **out,
                         struct gw_error *error) {
    const json_t *lon = json_object_get(body->root, "lon"),
                 *lat = json_object_get(body->root, "lat");
    bool has_lon = lon != NULL && !json_is_null(lon), has_lat = lat != NULL && !json_is_null(lat);
    struct gw_point point;
    if (!has_lon && !has_lat) {
        return GW_OK;
    }
    if (!has_lon || !has_lat) {
        return gw_error_set(error, GW_EINVAL, "%s is missing: give lon and lat, or neither",
                            has_lon ? "lat" : "lon");
    }
    if (!json_is_number(lon) || !json_is_number(lat)) {
        return gw_error_set(error, GW_EINVAL, "%s must be degrees as a number",
                            json_is_number(lon) ? "lat" : "lon");
    }
    gridwarden__v1__point__init(&body->point);
    body->point.longitude = json_number_value(lon);
    body->point.latitude = json_number_value(lat);
    if (gw_lattice_round(body->point.longitude, body->point.latitude, &point) != GW_OK) {
        return gw_error_set(error, GW_ERANGE,
                            "lon and lat must be degrees, -180 .. 180 and -90 .. 90");
    }
    *out = &body->point;
    return GW_OK;
}

static gw_err read_severity(const json_t *root, uint32_t *out, struct gw_error *error) {
    const json_t *value = json_object_get(root, "severity");
    if (value == NULL || json_is_null(value)) {
        return GW_OK; // 0: the usual one
    }
    if (!json_is_integer(value) || json_integer_value(value) < 1 ||
        json_integer_value(value) > SEVERITY_MAX) {
        return gw_error_set(error, GW_EINVAL, "severity must be 1 (minor) .. 4 (grave)");
    }
    *out = (uint32_t)json_integer_value(value);
    return GW_OK;
}

static gw_err read_channel(const json_t *root, Gridwarden__V1__Channel *out,
                           struct gw_error *error) {
    char *word = NULL;
    int value = GRIDWARDEN__V1__CHANNEL__CHANNEL_OTHER;
    gw_err err = read_text(root, "channel", &word, error);
    if (err == GW_OK && word != NULL &&
        !http_word_value(&gridwarden__v1__channel__descriptor, word, &value)) {
        err = gw_error_set(error, GW_EINVAL,
                           "channel must be HOTLINE, APP, PATROL, SENSOR, VIDEO or OTHER");
    }
    if (err == GW_OK) {
        *out = (Gridwarden__V1__Channel)value;
    }
    return err;
}

static gw_err read_class(const json_t *root, const struct gw_policy *policy, char **out,
                         struct gw_error *error) {
    gw_err err = need_text(root, "class", out, error);
    if (err == GW_OK && policy != NULL && gw_policy_class(policy, *out) == NULL) {
        err =
            gw_error_set(error, GW_EINVAL,
                         "class \"%.32s\" is none of the configuration: /v1/city lists them", *out);
    }
    return err;
}

// --- bodies ---

static gw_err start(const char *text, size_t size, const char *const known[],
                    struct http_body **body, struct gw_error *error) {
    json_error_t fault;
    struct http_body *made = calloc(1, sizeof(*made));
    if (made == NULL) {
        return gw_error_set(error, GW_ENOMEM, "not enough memory for the request");
    }
    made->root = json_loadb(text != NULL ? text : "", size, JSON_REJECT_DUPLICATES, &fault);
    gw_err err = GW_OK;
    if (made->root == NULL) {
        err = gw_error_set(error, GW_EINVAL, "the body is no JSON: line %d, column %d: %.160s",
                           fault.line, fault.column, fault.text);
    } else if (!json_is_object(made->root)) {
        err = gw_error_set(error, GW_EINVAL, "the body must be a JSON object");
    } else {
        err = check_members(made->root, known, error);
    }
    if (err != GW_OK) {
        http_body_free(made);
        return err;
    }
    *body = made;
    return GW_OK;
}

static gw_err finish(gw_err err, struct http_body *made, struct http_body **body) {
    if (err != GW_OK) {
        http_body_free(made);
    } else {
        *body = made;
    }
    return err;
}

gw_err http_body_report(const char *text, size_t size, const struct gw_policy *policy,
                        struct http_body **body, struct gw_error *error) {
    static const char *const known[] = {"request_id", "lon",     "lat",         "class", "severity",
                                        "channel",    "address", "description", "actor", NULL};
    struct http_body *made = NULL;
    gw_err err = start(text, size, known, &made, error);
    if (err != GW_OK) {
        return err;
    }
    Gridwarden__V1__ReportRequest *report = &made->message.report;
    gridwarden__v1__report_request__init(report);
    struct {
        const char *name;
        char **out;
    } texts[] = {{"address", &report->address},
                 {"description", &report->description},
                 {"actor", &report->actor}};
    err = need_text(made->root, "request_id", &report->request_id, error);
    if (err == GW_OK) {
        err = read_point(made, &report->point, error);
    }
    if (err == GW_OK) {
        err = read_class(made->root, policy, &report->class_code, error);
    }
    if (err == GW_OK) {
        err = read_severity(made->root, &report->severity, error);
    }
    if (err == GW_OK) {
        err = read_channel(made->root, &report->channel, error);
    }
    for (size_t i = 0; err == GW_OK && i < sizeof(texts) / sizeof(texts[0]); i++) {
        err = read_text(made->root, texts[i].name, texts[i].out, error);
    }
    if (err == GW_OK && report->point == NULL && report->address[0] == '\0') {
        err = gw_error_set(error, GW_EINVAL, "give lon and lat, or an address");
    }
    return finish(err, made, body);
}

// Where the members of an action go; reason_or_note is NULL for those that have neither.
struct action_fields {
    char **request_id, **incident_id, **actor, **reason_or_note;
    const char *text_name;
};

static bool action_fields_of(const char *action, struct http_body *body,
                             struct action_fields *fields) {
    if (strcmp(action, "accept") == 0) {
        Gridwarden__V1__AcceptRequest *message = &body->message.accept;
        gridwarden__v1__accept_request__init(message);
        *fields = (struct action_fields){&message->request_id, &message->incident_id,
                                         &message->actor, NULL, NULL};
    } else if (strcmp(action, "decline") == 0) {
        Gridwarden__V1__DeclineRequest *message = &body->message.decline;
        gridwarden__v1__decline_request__init(message);
        *fields = (struct action_fields){&message->request_id, &message->incident_id,
                                         &message->actor, &message->reason, "reason"};
    } else if (strcmp(action, "start") == 0) {
        Gridwarden__V1__StartRequest *message = &body->message.start;
        gridwarden__v1__start_request__init(message);
        *fields = (struct action_fields){&message->request_id, &message->incident_id,
                                         &message->actor, NULL, NULL};
    } else if (strcmp(action, "resolve") == 0) {
        Gridwarden__V1__ResolveRequest *message = &body->message.resolve;
        gridwarden__v1__resolve_request__init(message);
        *fields = (struct action_fields){&message->request_id, &message->incident_id,
                                         &message->actor, &message->note, "note"};
    } else if (strcmp(action, "close") == 0) {
        Gridwarden__V1__CloseRequest *message = &body->message.close;
        gridwarden__v1__close_request__init(message);
        *fields = (struct action_fields){&message->request_id, &message->incident_id,
                                         &message->actor, &message->note, "note"};
    } else {
        return false;
    }
    return true;
}

gw_err http_body_action(const char *action, const char *incident_id, const char *text, size_t size,
                        struct http_body **body, struct gw_error *error) {
    struct http_body scratch;
    struct action_fields fields;
    if (!action_fields_of(action, &scratch, &fields)) {
        return gw_error_set(error, GW_ENOTFOUND,
                            "there is no such action: accept, decline, start, resolve or close");
    }
    const char *known[] = {"request_id", "actor", fields.text_name, NULL};
    struct http_body *made = NULL;
    gw_err err = start(text, size, known, &made, error);
    if (err != GW_OK) {
        return err;
    }
    (void)action_fields_of(action, made, &fields);
    made->incident_id = strdup(incident_id);
    *fields.incident_id = made->incident_id;
    if (made->incident_id == NULL) {
        err = gw_error_set(error, GW_ENOMEM, "not enough memory for the request");
    }
    if (err == GW_OK) {
        err = need_text(made->root, "request_id", fields.request_id, error);
    }
    if (err == GW_OK) {
        err = need_text(made->root, "actor", fields.actor, error);
    }
    if (err == GW_OK && fields.reason_or_note != NULL) {
        err = read_text(made->root, fields.text_name, fields.reason_or_note, error);
    }
    return finish(err, made, body);
}
