// Incidents and their events as JSON.
#ifndef GW_SERVICES_HTTP_INCIDENT_JSON_H
#define GW_SERVICES_HTTP_INCIDENT_JSON_H

#include "gridwarden/v1/incident.pb-c.h"
#include "services/base/buffer.h"

void http_write_incident(struct gw_buffer *out, const Gridwarden__V1__Incident *incident);
void http_write_event(struct gw_buffer *out, const Gridwarden__V1__IncidentEvent *event);

#endif
