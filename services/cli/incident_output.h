// Incidents and their events as rows.
#ifndef GW_SERVICES_CLI_INCIDENT_OUTPUT_H
#define GW_SERVICES_CLI_INCIDENT_OUTPUT_H

#include "gridwarden/v1/incident.pb-c.h"
#include "services/cli/output.h"

// Begins a table of incidents.
int cli_incidents_begin(struct cli_output *output, const struct cli_args *args);
void cli_incident_row(struct cli_output *output, const Gridwarden__V1__Incident *incident);

// Begins a table of events.
int cli_events_begin(struct cli_output *output, const struct cli_args *args);
void cli_event_row(struct cli_output *output, const Gridwarden__V1__IncidentEvent *event);

// "OFFERED" of INCIDENT_STATE_OFFERED: a value's name without its enum's prefix; "?" when unknown.
const char *cli_enum_name(const ProtobufCEnumDescriptor *type, int value);
// The other way, any letter case; CLI_USAGE names the option and lists what is possible.
int cli_enum_value(const struct cli_args *args, const char *option,
                   const ProtobufCEnumDescriptor *type, int *value);

#endif
