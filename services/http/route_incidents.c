// Incidents: read from the durable views, written through the shard's queue.
#include "gridwarden/v1/incident.pb-c.h"
#include "services/base/json.h"
#include "services/http/body.h"
#include "services/http/incident_json.h"
#include "services/http/request.h"
#include "services/http/values.h"
#include "services/http/words.h"
#include "services/shard/shard.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIST_MAX 1000u
#define LIST_DEFAULT 100u
#define TOKEN_BYTES_MAX 95u
#define LIST_BYTES_MAX (4u << 20) // a page of long texts ends early

static bool has_shard(struct http_request *request) {
    if (request->server->options.shard == NULL) {
        http_request_refuse(request, MHD_HTTP_SERVICE_UNAVAILABLE, "this node serves no incidents");
    }
    request->reply.type = HTTP_TYPE_JSON;
    request->reply.cache = HTTP_CACHE_NEVER;
    return request->server->options.shard != NULL;
}

// --- reads ---

static bool add_incident(void *context, const Gridwarden__V1__Incident *incident) {
    struct gw_buffer *out = context;
    if (out->size > LIST_BYTES_MAX || out->failed) {
        return false;
    }
    gw_buffer_text(out, out->data[out->size - 1] == '[' ? "" : ",");
    http_write_incident(out, incident);
    return true;
}

static gw_err read_list(struct http_request *request, Gridwarden__V1__PageRequest *page,
                        Gridwarden__V1__IncidentServiceListRequest *asked) {
    const char *token = http_request_parameter(request, "token");
    const char *state = http_request_parameter(request, "state");
    uint64_t limit = LIST_DEFAULT;
    int value = 0;
    if (token != NULL && strlen(token) > TOKEN_BYTES_MAX) {
        return gw_error_set(&request->error, GW_EINVAL,
                            "token is none: give next_token of the page before");
    }
    if (state != NULL &&
        !http_word_value(&gridwarden__v1__incident_state__descriptor, state, &value)) {
        return gw_error_set(&request->error, GW_EINVAL,
                            "state must be PLACE_UNKNOWN, OFFERED, AT_DESK, ACCEPTED, STARTED, "
                            "RESOLVED or CLOSED");
    }
    gw_err err =
        http_parameter_uint(&request->target, "limit", 1, LIST_MAX, &limit, &request->error);
    page->size = (uint32_t)limit;
    page->token = token != NULL ? (char *)token : page->token;
    asked->page = page;
    asked->state = (Gridwarden__V1__IncidentState)value;
    return err;
}

void http_answer_incidents(struct http_request *request) {
    Gridwarden__V1__PageRequest page = GRIDWARDEN__V1__PAGE_REQUEST__INIT;
    Gridwarden__V1__IncidentServiceListRequest asked =
        GRIDWARDEN__V1__INCIDENT_SERVICE_LIST_REQUEST__INIT;
    struct gw_incident_list list = {.request = &asked};
    struct gw_buffer *out = &request->reply.body;
    if (!has_shard(request)) {
        return;
    }
    gw_err err = read_list(request, &page, &asked);
    if (err == GW_OK) {
        gw_buffer_text(out, "{\"incidents\":[");
        err = gw_shard_list_incidents(request->server->options.shard, &list, add_incident, out,
                                      &request->error);
    }
    if (err != GW_OK) {
        http_request_fail(request);
        return;
    }
    gw_buffer_text(out, "]");
    http_write_text(out, "next_token", list.next_token);
    gw_buffer_text(out, "}\n");
}

// The events that the incident had when it was read; others may have come since.
struct events {
    struct gw_buffer *out;
    uint32_t version_max;
};

static bool add_event(void *context, const Gridwarden__V1__IncidentEvent *event) {
    const struct events *events = context;
    if (event->version > events->version_max || events->out->failed) {
        return false;
    }
    gw_buffer_text(events->out, event->version > 1 ? "," : "");
    http_write_event(events->out, event);
    return true;
}

void http_answer_incident(struct http_request *request) {
    struct gw_shard *shard = request->server->options.shard;
    struct gw_buffer *out = &request->reply.body;
    Gridwarden__V1__Incident *incident = NULL;
    const char *id = http_request_part(request, "id");
    if (!has_shard(request)) {
        return;
    }
    gw_err err = GW_OK;
    if (gw_incident_check_id("id", id, &request->error) != GW_OK) {
        err = gw_error_set(&request->error, GW_ENOTFOUND, "there is no incident %.40s", id);
    }
    if (err == GW_OK) {
        err = gw_shard_get_incident(shard, id, &incident, &request->error);
    }
    if (err == GW_OK) {
        struct events events = {out, incident->version};
        gw_buffer_text(out, "{\"incident\":");
        http_write_incident(out, incident);
        http_write_key(out, "events");
        gw_buffer_text(out, "[");
        err = gw_shard_incident_events(shard, id, add_event, &events, &request->error);
        gw_buffer_text(out, "]}\n");
        gridwarden__v1__incident__free_unpacked(incident, NULL);
    }
    if (err != GW_OK) {
        http_request_fail(request);
    }
}

// --- writes ---

// A command on its way; lives in request->work until the request ends.
struct write {
    struct http_body *body;
    struct gw_buffer answer; // made on the writer's thread, before the response is freed
    char id[GW_INCIDENT_ID_SIZE];
};

static void write_free(void *context) {
    struct write *write = context;
    http_body_free(write->body);
    gw_buffer_free(&write->answer);
    free(write);
}

// Every response of a write has the incident as its first field.
static const Gridwarden__V1__Incident *incident_of(const ProtobufCMessage *response) {
    const ProtobufCFieldDescriptor *field =
        protobuf_c_message_descriptor_get_field_by_name(response->descriptor, "incident");
    return field == NULL
               ? NULL
               : *(Gridwarden__V1__Incident *const *)(const void *)((const char *)response +
                                                                    field->offset);
}

static void write_done(void *context, const struct gw_error *error,
                       const ProtobufCMessage *response) {
    struct http_request *request = context;
    struct write *write = request->work;
    const Gridwarden__V1__Incident *incident = error == NULL ? incident_of(response) : NULL;
    if (error != NULL) {
        request->error = *error;
    } else if (incident == NULL) {
        (void)gw_error_set(&request->error, GW_EINTERNAL, "the answer has no incident");
    } else {
        request->error.code = GW_OK;
        gw_buffer_text(&write->answer, "{\"incident\":");
        http_write_incident(&write->answer, incident);
        gw_buffer_text(&write->answer, "}\n");
        (void)snprintf(write->id, sizeof(write->id), "%s", incident->id);
    }
    http_request_done(request);
}

// Hands the body to the shard; it is the request's from here on.
static void submit(struct http_request *request, struct http_body *body) {
    struct write *write = calloc(1, sizeof(*write));
    if (write == NULL) {
        http_body_free(body);
        http_request_refuse(request, MHD_HTTP_SERVICE_UNAVAILABLE, "not enough memory");
        return;
    }
    write->body = body;
    request->work = write;
    request->work_free = write_free;
    if (http_request_wait(request)) {
        struct gw_shard_command command = {
            .request = http_body_message(body), .done = write_done, .context = request};
        gw_shard_submit(request->server->options.shard, &command);
    }
}

void http_answer_report(struct http_request *request) {
    const struct gw_http_options *options = &request->server->options;
    struct http_body *body = NULL;
    if (!has_shard(request)) {
        return;
    }
    if (http_body_report(request->body.data, request->body.size, options->policy, &body,
                         &request->error) != GW_OK) {
        http_request_fail(request);
        return;
    }
    submit(request, body);
}

void http_answer_act(struct http_request *request) {
    struct http_body *body = NULL;
    if (!has_shard(request)) {
        return;
    }
    if (http_body_action(http_request_part(request, "action"), http_request_part(request, "id"),
                         request->body.data, request->body.size, &body, &request->error) != GW_OK) {
        http_request_fail(request);
        return;
    }
    submit(request, body);
}

static void outcome(struct http_request *request, unsigned status) {
    struct write *write = request->work;
    if (request->error.code != GW_OK) {
        http_request_fail(request);
        return;
    }
    request->reply.status = status;
    request->reply.type = HTTP_TYPE_JSON;
    request->reply.cache = HTTP_CACHE_NEVER;
    request->reply.body = write->answer;
    write->answer = (struct gw_buffer){0};
}

void http_report_outcome(struct http_request *request) {
    const struct write *write = request->work;
    outcome(request, MHD_HTTP_CREATED);
    if (request->error.code == GW_OK) {
        (void)snprintf(request->reply.location, sizeof(request->reply.location), "/v1/incidents/%s",
                       write->id);
    }
}

void http_act_outcome(struct http_request *request) {
    outcome(request, MHD_HTTP_OK);
}
