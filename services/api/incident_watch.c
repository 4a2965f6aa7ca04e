// IncidentService.Watch: every event of the incidents under a code, each with its incident; also
// the one that moves an incident to a place elsewhere.
#include "services/api/handlers.h"

#include "gridwarden/v1/incident.pb-c.h"
#include <stdlib.h>
#include <string.h>

struct incident_watch {
    char prefix[GW_CODE_MAX];
};

static bool place_under(const char *grid_code, char *const area_codes[], size_t area_count,
                        const char *prefix) {
    if (api_starts_with(grid_code, prefix)) {
        return true; // also when the prefix is empty
    }
    for (size_t i = 0; i < area_count; i++) {
        if (api_starts_with(area_codes[i], prefix)) {
            return true;
        }
    }
    return false;
}

bool api_incident_under(const Gridwarden__V1__Incident *incident, const char *prefix) {
    return place_under(incident->grid_code, incident->area_codes, incident->n_area_codes, prefix);
}

struct history {
    uint32_t version, attempt;
    const char *prefix;
    bool under;
};

static bool read_history(void *context, const Gridwarden__V1__IncidentEvent *event) {
    struct history *history = context;
    if (event->version >= history->version) {
        return false;
    }
    if (event->kind_case == GRIDWARDEN__V1__INCIDENT_EVENT__KIND_PLACED) {
        history->under = place_under(event->placed->grid_code, event->placed->area_codes,
                                     event->placed->n_area_codes, history->prefix);
    }
    return event->kind_case != GRIDWARDEN__V1__INCIDENT_EVENT__KIND_OFFERED ||
           event->offered->attempt != history->attempt;
}

gw_err api_incident_was_under(struct gw_shard *shard, const char *incident_id, uint32_t version,
                              uint32_t attempt, const char *prefix, bool *under,
                              struct gw_error *error) {
    struct history history = {version, attempt, prefix, false};
    gw_err err = gw_shard_incident_events(shard, incident_id, read_history, &history, error);
    *under = history.under;
    return err;
}

// An event counts by the incident's place of now, a correction of the place by the one before too.
static gw_err is_wanted(const struct incident_watch *state, struct gw_shard *shard,
                        const Gridwarden__V1__IncidentEvent *event,
                        const Gridwarden__V1__Incident *incident, bool *wanted,
                        struct gw_error *error) {
    *wanted = api_incident_under(incident, state->prefix);
    if (*wanted || event->kind_case != GRIDWARDEN__V1__INCIDENT_EVENT__KIND_PLACED) {
        return GW_OK;
    }
    return api_incident_was_under(shard, event->incident_id, event->version, 0, state->prefix,
                                  wanted, error);
}

static gw_err send_event(struct gw_watch *watch, const Gridwarden__Store__V1__LogEntry *entry,
                         size_t index, const char *token, struct gw_error *error) {
    const Gridwarden__Store__V1__Event *event = entry->events[index];
    if (event->kind_case != GRIDWARDEN__STORE__V1__EVENT__KIND_INCIDENT) {
        return GW_OK;
    }
    struct gw_shard *shard = gw_watch_shard(watch);
    Gridwarden__V1__Incident *incident = NULL;
    gw_err err = gw_shard_get_incident(shard, event->incident->incident_id, &incident, error);
    if (err != GW_OK) {
        return err;
    }
    bool wanted = false;
    err = is_wanted(gw_watch_state(watch), shard, event->incident, incident, &wanted, error);
    if (err == GW_OK && wanted) {
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
