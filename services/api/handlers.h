// What the files of this room share: the api's state, small decoders, every handler's name.
#ifndef GW_SERVICES_API_HANDLERS_H
#define GW_SERVICES_API_HANDLERS_H

#include "gridwarden/v1/grid.pb-c.h"
#include "gridwarden/v1/types.pb-c.h"
#include "services/api/api.h"
#include "services/api/uploads.h"
#include "services/api/watch.h"
#include <stdatomic.h>

struct gw_api {
    struct gw_shard *shard;
    struct gw_store *store;
    struct gw_current *current;
    const char *data;
    struct gw_watches *watches;
    struct api_uploads *uploads;
    atomic_uint publishing; // files that wait to be opened
};

// Rounds a request's point to the lattice. GW_EINVAL: missing or not a number; GW_ERANGE.
GW_MUST_CHECK gw_err api_point(const Gridwarden__V1__Point *point, struct gw_point *out,
                               struct gw_error *error);

// The size of a page, checked. `page` may be NULL.
GW_MUST_CHECK gw_err api_page_size(const Gridwarden__V1__PageRequest *page, uint32_t *size,
                                   struct gw_error *error);

// "" for a page that is NULL.
const char *api_page_token(const Gridwarden__V1__PageRequest *page);

// Whether a code lies under a prefix; "" is the prefix of every code.
bool api_starts_with(const char *text, const char *prefix);

// The edition that answers, as a message; valid as long as the edition.
Gridwarden__V1__EditionRef api_edition_ref(const struct gw_edition *edition);

// Whether the incident's grid, or an area above it, has a code that starts with `prefix`.
bool api_incident_under(const Gridwarden__V1__Incident *incident, const char *prefix);
// The same of the place that it had just before its event `version`, or else (UINT32_MAX) when the
// offer `attempt` was made: a place may have been corrected since.
GW_MUST_CHECK gw_err api_incident_was_under(struct gw_shard *shard, const char *incident_id,
                                            uint32_t version, uint32_t attempt, const char *prefix,
                                            bool *under, struct gw_error *error);

typedef void api_handler(struct gw_rpc_call *call, const ProtobufCMessage *request, void *context);

api_handler api_locate, api_locate_batch, api_get_grid, api_list_grids, api_list_editions;
api_handler api_get_worker, api_list_workers, api_nearest, api_get_incident, api_list_incidents;
api_handler api_write; // every mutating method
api_handler api_watch_incidents, api_watch_assignments, api_positions_start;
api_handler api_positions_message;
void api_positions_half_close(struct gw_rpc_call *call, void *context);
api_handler api_upload_start, api_upload_message, api_publish;
void api_upload_half_close(struct gw_rpc_call *call, void *context);

#endif
