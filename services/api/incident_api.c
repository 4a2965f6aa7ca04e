// IncidentService's reads, and every write of every service: handed to the shard, answered when
// durable.
#include "services/api/copies.h"
#include "services/api/handlers.h"

#include "gridwarden/v1/incident.pb-c.h"
#include <stdlib.h>
#include <string.h>

#define PAGE_BYTES_MAX (3u << 20) // of the 4 MiB that a message may have
#define FRAME_BYTES 8u            // tag and length of a message in a list

static void write_done(void *context, const struct gw_error *error,
                       const ProtobufCMessage *response) {
    struct gw_rpc_call *call = context;
    if (error != NULL) {
        gw_rpc_fail(call, error);
    } else {
        gw_rpc_reply(call, response);
    }
}

void api_write(struct gw_rpc_call *call, const ProtobufCMessage *request, void *context) {
    const struct gw_api *api = context;
    struct gw_shard_command command = {.request = request, .done = write_done, .context = call};
    command.bytes = gw_rpc_request_bytes(call, &command.size);
    gw_shard_submit(api->shard, &command);
}

static gw_err check_id(const char *id, struct gw_error *error) {
    if (id[0] == '\0' || strlen(id) >= GW_INCIDENT_ID_SIZE) {
        return gw_error_set(error, GW_EINVAL, "id must have 1 .. %d bytes",
                            GW_INCIDENT_ID_SIZE - 1);
    }
    return GW_OK;
}

// The events that an incident had when it was read; others may have come since.
struct events {
    struct api_copies copies;
    uint32_t version_max;
};

static bool add_event(void *context, const Gridwarden__V1__IncidentEvent *event) {
    struct events *events = context;
    return event->version <= events->version_max && api_copies_add(&events->copies, &event->base);
}

void api_get_incident(struct gw_rpc_call *call, const ProtobufCMessage *message, void *context) {
    const struct gw_api *api = context;
    const Gridwarden__V1__IncidentServiceGetRequest *request =
        (const Gridwarden__V1__IncidentServiceGetRequest *)message;
    struct gw_error error;
    struct events events = {.version_max = 0};
    Gridwarden__V1__Incident *incident = NULL;
    gw_err err = check_id(request->id, &error);
    if (err == GW_OK) {
        err = gw_shard_get_incident(api->shard, request->id, &incident, &error);
    }
    if (err == GW_OK && request->with_events) {
        events.version_max = incident->version;
        err = gw_shard_incident_events(api->shard, request->id, add_event, &events, &error);
    }
    if (err == GW_OK && events.copies.failed) {
        err = gw_error_set(&error, GW_ENOMEM, "not enough memory for the events");
    }
    if (err != GW_OK) {
        gw_rpc_fail(call, &error);
    } else {
        Gridwarden__V1__IncidentServiceGetResponse response =
            GRIDWARDEN__V1__INCIDENT_SERVICE_GET_RESPONSE__INIT;
        response.incident = incident;
        response.n_events = events.copies.count;
        response.events = (Gridwarden__V1__IncidentEvent **)events.copies.messages;
        gw_rpc_reply(call, &response.base);
    }
    if (incident != NULL) {
        gridwarden__v1__incident__free_unpacked(incident, NULL);
    }
    api_copies_free(&events.copies);
}

// A page of incidents with long texts ends early, so that it fits a message.
struct incidents {
    struct api_copies copies;
    size_t bytes;
};

static bool add_incident(void *context, const Gridwarden__V1__Incident *incident) {
    struct incidents *incidents = context;
    incidents->bytes += protobuf_c_message_get_packed_size(&incident->base) + FRAME_BYTES;
    return incidents->bytes <= PAGE_BYTES_MAX &&
           api_copies_add(&incidents->copies, &incident->base);
}

void api_list_incidents(struct gw_rpc_call *call, const ProtobufCMessage *message, void *context) {
    const struct gw_api *api = context;
    struct gw_incident_list list = {
        .request = (const Gridwarden__V1__IncidentServiceListRequest *)message};
    struct gw_error error;
    struct incidents incidents = {.bytes = 0};
    uint32_t size = 0; // the shard reads it from the request again; here it is only checked
    gw_err err = api_page_size(list.request->page, &size, &error);
    if (err == GW_OK) {
        err = gw_shard_list_incidents(api->shard, &list, add_incident, &incidents, &error);
    }
    if (err == GW_OK && incidents.copies.failed) {
        err = gw_error_set(&error, GW_ENOMEM, "not enough memory for a page");
    }
    if (err != GW_OK) {
        gw_rpc_fail(call, &error);
    } else {
        Gridwarden__V1__IncidentServiceListResponse response =
            GRIDWARDEN__V1__INCIDENT_SERVICE_LIST_RESPONSE__INIT;
        response.n_incidents = incidents.copies.count;
        response.incidents = (Gridwarden__V1__Incident **)incidents.copies.messages;
        response.next_token = list.next_token;
        gw_rpc_reply(call, &response.base);
    }
    api_copies_free(&incidents.copies);
}
