// Inside this room: short names of the states, and the rules that decide and evolve share.
#ifndef GW_SERVICES_INCIDENTS_RULES_H
#define GW_SERVICES_INCIDENTS_RULES_H

#include "services/incidents/incident.h"

#include <stddef.h>

enum state {
    STATE_NEW = GRIDWARDEN__V1__INCIDENT_STATE__INCIDENT_STATE_UNSPECIFIED,
    STATE_PLACE_UNKNOWN = GRIDWARDEN__V1__INCIDENT_STATE__INCIDENT_STATE_PLACE_UNKNOWN,
    STATE_OFFERED = GRIDWARDEN__V1__INCIDENT_STATE__INCIDENT_STATE_OFFERED,
    STATE_AT_DESK = GRIDWARDEN__V1__INCIDENT_STATE__INCIDENT_STATE_AT_DESK,
    STATE_ACCEPTED = GRIDWARDEN__V1__INCIDENT_STATE__INCIDENT_STATE_ACCEPTED,
    STATE_STARTED = GRIDWARDEN__V1__INCIDENT_STATE__INCIDENT_STATE_STARTED,
    STATE_RESOLVED = GRIDWARDEN__V1__INCIDENT_STATE__INCIDENT_STATE_RESOLVED,
    STATE_CLOSED = GRIDWARDEN__V1__INCIDENT_STATE__INCIDENT_STATE_CLOSED,
    STATE_COUNT
};

#define CODE_BYTES_MAX 64u // of a grid or an area
#define AREAS_MAX 4u       // village .. city
#define SEVERITY_MAX 4u
#define SEVERITY_DEFAULT 2u

// Well-formed UTF-8 of min .. max bytes; `one_line`: without control characters.
bool text_ok(const char *text, size_t bytes_min, size_t bytes_max, bool one_line);

// GW_EINVAL with words about `field`: too long, or not UTF-8.
gw_err check_text(const char *field, const char *text, size_t bytes_max, struct gw_error *error);

// A desk's name; a worker's id (which is none).
bool is_desk(const char *handler);
bool is_worker(const char *handler);

bool was_tried(const Gridwarden__Store__V1__IncidentRecord *state, const char *worker_id);

// The desk of the lowest area, into desk[GW_HANDLER_MAX + 1].
void own_desk(char *const area_codes[], size_t area_count, char desk[GW_HANDLER_MAX + 1u]);

bool place_ok(const Gridwarden__V1__Point *point, const char *grid_code, char *const area_codes[],
              size_t area_count, const Gridwarden__V1__EditionRef *edition,
              const char *nearest_grid_code, double nearest_grid_distance_m);

#endif
