// The incidents that are not closed, as the map shows them. Private to services/live. No locks.
#ifndef GW_SERVICES_LIVE_OPEN_INCIDENTS_H
#define GW_SERVICES_LIVE_OPEN_INCIDENTS_H

#include "services/incidents/incident.h"

// Strings are kept in their longest form, so that a row is one plain value.
struct open_incident {
    char id[GW_INCIDENT_ID_SIZE];
    char class_code[GW_CLASS_CODE_MAX];
    char grid_code[64]; // GW_CODE_MAX of editions
    char handler[GW_HANDLER_MAX + 1];
    const char *state; // "OFFERED", constant
    uint32_t severity, attempt, version;
    bool has_point;
    struct gw_point point;
    int64_t reported_ms, updated_ms;
};

struct open_incidents {
    struct open_incident *rows; // in no order
    struct gw_point *places;    // of the rows, close together for looking through them all; a row
                                // without a point has one that no box holds
    uint32_t count, capacity;
    uint32_t *table; // open addressing by id: row + 1, or 0
    uint32_t table_size;
};

void open_incidents_deinit(struct open_incidents *incidents);

// What the map shows of an incident.
void open_incident_of(const Gridwarden__V1__Incident *incident, struct open_incident *out);

// The row, valid until the next change; NULL: not there.
const struct open_incident *open_incidents_find(const struct open_incidents *incidents,
                                                const char *id);
// Adds or replaces. GW_ENOMEM: nothing changed.
GW_MUST_CHECK gw_err open_incidents_put(struct open_incidents *incidents,
                                        const struct open_incident *incident);
void open_incidents_remove(struct open_incidents *incidents, const char *id);

#endif
