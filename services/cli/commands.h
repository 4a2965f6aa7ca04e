// Every command, a file each; the table of them is in main.c.
#ifndef GW_SERVICES_CLI_COMMANDS_H
#define GW_SERVICES_CLI_COMMANDS_H

#include "services/cli/options.h"

extern const struct cli_command cli_serve, cli_import, cli_verify, cli_locate, cli_nearest;
extern const struct cli_command cli_report, cli_watch_incidents, cli_watch_assignments;
extern const struct cli_command cli_grid_list, cli_grid_get, cli_grid_editions;
extern const struct cli_command cli_edition_list, cli_edition_publish;
extern const struct cli_command cli_worker_list, cli_worker_get, cli_worker_import, cli_worker_duty;
extern const struct cli_command cli_incident_list, cli_incident_get, cli_incident_place;
extern const struct cli_command cli_incident_accept, cli_incident_decline, cli_incident_start;
extern const struct cli_command cli_incident_resolve, cli_incident_close;
extern const struct cli_command cli_demo_generate, cli_demo_play, cli_version;

#endif
