// IncidentService.Watch: every event of the incidents under a code, each with its incident.
#include "services/api/handlers.h"

#include "gridwarden/v1/incident.pb-c.h"
#include <stdlib.h>
#include <string.h>

struct incident_watch {
    char prefix[GW_CODE_MAX];
};

static bool starts_with(const char *text, const char *prefix) {
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool api_incident_under(const Gridwarden__V1__Incident *incident, const char *prefix) {
    if (prefix[0] == '\0' ||
        (incident->grid_code[0] != '\0' && starts_with(incident->grid_code, prefix))) {
        return true;
    }
    for (size_t i = 0; i < incident->n_area_codes; i++) {
        if (starts_with(incident->area_codes[i], prefix)) {
            return true;
        }
    }
    return false;
}

static gw_err send_event(struct gw_watch *watch, const Gridwarden__Store__V1__LogEntry *entry,
                         size_t index, const char *token, struct gw_error *error) {
    const Gridwarden__Store__V1__Event *event = entry->events[index];
    if (event->kind_case != GRIDWARDEN__STORE__V1__EVENT__KIND_INCIDENT) {
        return GW_OK;
    }
    const struct incident_watch *state = gw_watch_state(watch);
    Gridwarden__V1__Incident *incident = NULL;
    gw_err err = gw_shard_get_incident(gw_watch_shard(watch), event->incident->incident_id,
                                       &incident, error);
    if (err != GW_OK) {
        return err;
    }
    if (api_incident_under(incident, state->prefix)) {
        Gridwarden__V1__IncidentServiceWatchResponse message =
            GRIDWARDEN__V1__INCIDENT_SERVICE_WATCH_RESPONSE__INIT;
        message.event = event->incident;
        message.incident = incident;
        message.token = (char *)token;
        err = gw_rpc_send(gw_watch_call(watch), &message.base);
    }
    gridwarden__v1__incident__free_unpacked(incident, NULL);
    return err;
}

static gw_err send_heartbeat(struct gw_watch *watch, const char *token) {
    Gridwarden__V1__IncidentServiceWatchResponse message =
        GRIDWARDEN__V1__INCIDENT_SERVICE_WATCH_RESPONSE__INIT;
    message.token = (char *)token;
    return gw_rpc_send(gw_watch_call(watch), &message.base);
}

static const struct gw_watch_kind incident_watch_kind = {
    .event = send_event,
    .heartbeat = send_heartbeat,
};

void api_watch_incidents(struct gw_rpc_call *call, const ProtobufCMessage *message, void *context) {
    const struct gw_api *api = context;
    const Gridwarden__V1__IncidentServiceWatchRequest *request =
        (const Gridwarden__V1__IncidentServiceWatchRequest *)message;
    if (strlen(request->code_prefix) >= GW_CODE_MAX) {
        struct gw_error error;
        (void)gw_error_set(&error, GW_EINVAL, "code_prefix has more than %u bytes",
                           GW_CODE_MAX - 1);
        gw_rpc_finish(call, &error);
        return;
    }
    struct incident_watch *state = calloc(1, sizeof(*state));
    if (state != NULL) {
        memcpy(state->prefix, request->code_prefix, strlen(request->code_prefix));
    }
    gw_watch_start(api->watches, &incident_watch_kind, call, request->token, state);
}
