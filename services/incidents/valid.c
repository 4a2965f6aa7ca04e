#include "services/incidents/rules.h"

#include <string.h>

static bool identity_ok(const Gridwarden__V1__Incident *incident) {
    return gw_incident_id_counter(incident->id) != 0 &&
           text_ok(incident->class_code, 1, GW_CLASS_CODE_MAX - 1u, true) &&
           incident->severity >= 1 && incident->severity <= SEVERITY_MAX &&
           text_ok(incident->address, 0, GW_ADDRESS_MAX, false) &&
           text_ok(incident->description, 0, GW_DESCRIPTION_MAX, false) && incident->version >= 1 &&
           incident->reported_ms > 0 && incident->updated_ms >= incident->reported_ms;
}

static bool no_place(const Gridwarden__V1__Incident *incident) {
    return incident->point == NULL && incident->edition == NULL && incident->grid_code[0] == '\0' &&
           incident->n_area_codes == 0 && incident->nearest_grid_code[0] == '\0' &&
           incident->nearest_grid_distance_m == 0.0;
}

static bool handler_ok(const Gridwarden__V1__Incident *incident) {
    const char *handler = incident->handler;
    bool offer = incident->answer_by_ms != 0;
    switch ((enum state)incident->state) {
    case STATE_PLACE_UNKNOWN:
        return strcmp(handler, GW_DESK_PLACE_UNKNOWN) == 0 && !offer;
    case STATE_AT_DESK:
        return is_desk(handler) && !offer;
    case STATE_OFFERED: // only of a grid's own place, to a worker, with a time
        return is_worker(handler) && incident->answer_by_ms > incident->updated_ms &&
               incident->attempt >= 1 && incident->grid_code[0] != '\0';
    case STATE_ACCEPTED:
    case STATE_STARTED:
    case STATE_RESOLVED:
    case STATE_CLOSED:
        return (is_desk(handler) || is_worker(handler)) && !offer;
    default:
        return false;
    }
}

static bool tried_ok(const Gridwarden__Store__V1__IncidentRecord *state) {
    for (size_t i = 0; i < state->n_tried; i++) {
        if (!is_worker(state->tried[i])) {
            return false;
        }
        for (size_t j = 0; j < i; j++) {
            if (strcmp(state->tried[i], state->tried[j]) == 0) {
                return false;
            }
        }
    }
    return state->n_tried <= GW_TRIED_MAX && state->n_tried <= state->incident->attempt &&
           !was_tried(state, gw_incident_reserved_worker(state));
}

bool gw_incident_valid(const Gridwarden__Store__V1__IncidentRecord *state) {
    const Gridwarden__V1__Incident *incident = state != NULL ? state->incident : NULL;
    if (incident == NULL || !identity_ok(incident) || !handler_ok(incident)) {
        return false;
    }
    bool placed =
        place_ok(incident->point, incident->grid_code, incident->area_codes, incident->n_area_codes,
                 incident->edition, incident->nearest_grid_code, incident->nearest_grid_distance_m);
    return ((enum state)incident->state == STATE_PLACE_UNKNOWN ? no_place(incident) : placed) &&
           state->placed_attempt <= incident->attempt && tried_ok(state);
}
