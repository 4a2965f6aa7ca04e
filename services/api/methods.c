// The method table, the api's life, and the small decoders that the handlers share.
#include "services/api/handlers.h"

#include "gridwarden/v1/edition.pb-c.h"
#include "gridwarden/v1/incident.pb-c.h"
#include "gridwarden/v1/worker.pb-c.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

const struct gw_rpc_method gw_api_methods[] = {
    {.path = "/gridwarden.v1.GridService/Locate",
     .kind = GW_RPC_UNARY,
     .request = &gridwarden__v1__locate_request__descriptor,
     .response = &gridwarden__v1__locate_response__descriptor,
     .start = api_locate},
    {.path = "/gridwarden.v1.GridService/LocateBatch",
     .kind = GW_RPC_UNARY,
     .request = &gridwarden__v1__locate_batch_request__descriptor,
     .response = &gridwarden__v1__locate_batch_response__descriptor,
     .start = api_locate_batch},
    {.path = "/gridwarden.v1.GridService/GetGrid",
     .kind = GW_RPC_UNARY,
     .request = &gridwarden__v1__get_grid_request__descriptor,
     .response = &gridwarden__v1__get_grid_response__descriptor,
     .start = api_get_grid},
    {.path = "/gridwarden.v1.GridService/ListGrids",
     .kind = GW_RPC_UNARY,
     .request = &gridwarden__v1__list_grids_request__descriptor,
     .response = &gridwarden__v1__list_grids_response__descriptor,
     .start = api_list_grids},
    {.path = "/gridwarden.v1.GridService/ListEditions",
     .kind = GW_RPC_UNARY,
     .request = &gridwarden__v1__list_editions_request__descriptor,
     .response = &gridwarden__v1__list_editions_response__descriptor,
     .start = api_list_editions},
    {.path = "/gridwarden.v1.EditionService/Upload",
     .kind = GW_RPC_CLIENT_STREAM,
     .request = &gridwarden__v1__upload_request__descriptor,
     .response = &gridwarden__v1__upload_response__descriptor,
     .start = api_upload_start,
     .on_message = api_upload_message,
     .on_half_close = api_upload_half_close},
    {.path = "/gridwarden.v1.EditionService/Publish",
     .kind = GW_RPC_UNARY,
     .request = &gridwarden__v1__publish_request__descriptor,
     .response = &gridwarden__v1__publish_response__descriptor,
     .start = api_publish},
    {.path = "/gridwarden.v1.WorkerService/UpsertWorkers",
     .kind = GW_RPC_UNARY,
     .request = &gridwarden__v1__upsert_workers_request__descriptor,
     .response = &gridwarden__v1__upsert_workers_response__descriptor,
     .start = api_write},
    {.path = "/gridwarden.v1.WorkerService/GetWorker",
     .kind = GW_RPC_UNARY,
     .request = &gridwarden__v1__get_worker_request__descriptor,
     .response = &gridwarden__v1__get_worker_response__descriptor,
     .start = api_get_worker},
    {.path = "/gridwarden.v1.WorkerService/ListWorkers",
     .kind = GW_RPC_UNARY,
     .request = &gridwarden__v1__list_workers_request__descriptor,
     .response = &gridwarden__v1__list_workers_response__descriptor,
     .start = api_list_workers},
    {.path = "/gridwarden.v1.WorkerService/SetDuty",
     .kind = GW_RPC_UNARY,
     .request = &gridwarden__v1__set_duty_request__descriptor,
     .response = &gridwarden__v1__set_duty_response__descriptor,
     .start = api_write},
    {.path = "/gridwarden.v1.WorkerService/ReportPositions",
     .kind = GW_RPC_CLIENT_STREAM,
     .request = &gridwarden__v1__report_positions_request__descriptor,
     .response = &gridwarden__v1__report_positions_response__descriptor,
     .start = api_positions_start,
     .on_message = api_positions_message,
     .on_half_close = api_positions_half_close},
    {.path = "/gridwarden.v1.WorkerService/Nearest",
     .kind = GW_RPC_UNARY,
     .request = &gridwarden__v1__nearest_request__descriptor,
     .response = &gridwarden__v1__nearest_response__descriptor,
     .start = api_nearest},
    {.path = "/gridwarden.v1.WorkerService/WatchAssignments",
     .kind = GW_RPC_SERVER_STREAM,
     .request = &gridwarden__v1__watch_assignments_request__descriptor,
     .response = &gridwarden__v1__watch_assignments_response__descriptor,
     .start = api_watch_assignments},
    {.path = "/gridwarden.v1.IncidentService/Report",
     .kind = GW_RPC_UNARY,
     .request = &gridwarden__v1__report_request__descriptor,
     .response = &gridwarden__v1__report_response__descriptor,
     .start = api_write},
    {.path = "/gridwarden.v1.IncidentService/SetPlace",
     .kind = GW_RPC_UNARY,
     .request = &gridwarden__v1__set_place_request__descriptor,
     .response = &gridwarden__v1__set_place_response__descriptor,
     .start = api_write},
    {.path = "/gridwarden.v1.IncidentService/Get",
     .kind = GW_RPC_UNARY,
     .request = &gridwarden__v1__incident_service_get_request__descriptor,
     .response = &gridwarden__v1__incident_service_get_response__descriptor,
     .start = api_get_incident},
    {.path = "/gridwarden.v1.IncidentService/List",
     .kind = GW_RPC_UNARY,
     .request = &gridwarden__v1__incident_service_list_request__descriptor,
     .response = &gridwarden__v1__incident_service_list_response__descriptor,
     .start = api_list_incidents},
    {.path = "/gridwarden.v1.IncidentService/Accept",
     .kind = GW_RPC_UNARY,
     .request = &gridwarden__v1__accept_request__descriptor,
     .response = &gridwarden__v1__accept_response__descriptor,
     .start = api_write},
    {.path = "/gridwarden.v1.IncidentService/Decline",
     .kind = GW_RPC_UNARY,
     .request = &gridwarden__v1__decline_request__descriptor,
     .response = &gridwarden__v1__decline_response__descriptor,
     .start = api_write},
    {.path = "/gridwarden.v1.IncidentService/Start",
     .kind = GW_RPC_UNARY,
     .request = &gridwarden__v1__start_request__descriptor,
     .response = &gridwarden__v1__start_response__descriptor,
     .start = api_write},
    {.path = "/gridwarden.v1.IncidentService/Resolve",
     .kind = GW_RPC_UNARY,
     .request = &gridwarden__v1__resolve_request__descriptor,
     .response = &gridwarden__v1__resolve_response__descriptor,
     .start = api_write},
    {.path = "/gridwarden.v1.IncidentService/Close",
     .kind = GW_RPC_UNARY,
     .request = &gridwarden__v1__close_request__descriptor,
     .response = &gridwarden__v1__close_response__descriptor,
     .start = api_write},
    {.path = "/gridwarden.v1.IncidentService/Watch",
     .kind = GW_RPC_SERVER_STREAM,
     .request = &gridwarden__v1__incident_service_watch_request__descriptor,
     .response = &gridwarden__v1__incident_service_watch_response__descriptor,
     .start = api_watch_incidents},
};

const size_t gw_api_method_count = sizeof(gw_api_methods) / sizeof(gw_api_methods[0]);

gw_err gw_api_create(const struct gw_api_options *options, struct gw_api **out,
                     struct gw_error *error) {
    struct gw_api *api = calloc(1, sizeof(*api));
    if (api == NULL) {
        return gw_error_set(error, GW_ENOMEM, "not enough memory to start");
    }
    *api = (struct gw_api){.shard = options->shard,
                           .store = options->store,
                           .current = options->current,
                           .data = options->data};
    gw_err err = gw_watches_create(options->shard, options->heartbeat_ms, &api->watches, error);
    if (err == GW_OK) {
        err = api_uploads_create(options, &api->uploads, error);
    }
    if (err != GW_OK) {
        gw_api_destroy(api);
        return err;
    }
    *out = api;
    return GW_OK;
}

void gw_api_destroy(struct gw_api *api) {
    if (api != NULL) {
        api_uploads_destroy(api->uploads);
        gw_watches_destroy(api->watches);
        free(api);
    }
}

gw_err api_point(const Gridwarden__V1__Point *point, struct gw_point *out, struct gw_error *error) {
    if (point == NULL) {
        return gw_error_set(error, GW_EINVAL,
                            "point is missing; give longitude and latitude in degrees");
    }
    if (!isfinite(point->longitude) || !isfinite(point->latitude)) {
        return gw_error_set(error, GW_EINVAL, "point.%s is not a number",
                            isfinite(point->longitude) ? "latitude" : "longitude");
    }
    gw_err err = gw_lattice_query(point->longitude, point->latitude, out);
    if (err == GW_OK) {
        return GW_OK;
    }
    bool bad_longitude = point->longitude < -180.0 || point->longitude > 180.0;
    return gw_error_set(error, GW_ERANGE, "point.%s is %.9g; it must be within -%d .. %d degrees",
                        bad_longitude ? "longitude" : "latitude",
                        bad_longitude ? point->longitude : point->latitude,
                        bad_longitude ? 180 : 90, bad_longitude ? 180 : 90);
}

gw_err api_page_size(const Gridwarden__V1__PageRequest *page, uint32_t *size,
                     struct gw_error *error) {
    uint32_t asked = page != NULL ? page->size : 0;
    if (asked > GW_API_PAGE_MAX) {
        return gw_error_set(error, GW_EINVAL, "page.size is %u; at most %u fit a page", asked,
                            GW_API_PAGE_MAX);
    }
    *size = asked != 0 ? asked : GW_API_PAGE_DEFAULT;
    return GW_OK;
}

const char *api_page_token(const Gridwarden__V1__PageRequest *page) {
    return page != NULL ? page->token : "";
}

bool api_starts_with(const char *text, const char *prefix) {
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

Gridwarden__V1__EditionRef api_edition_ref(const struct gw_edition *edition) {
    Gridwarden__V1__EditionRef ref = GRIDWARDEN__V1__EDITION_REF__INIT;
    ref.layer = (char *)gw_edition_layer(edition);
    ref.number = gw_edition_number(edition);
    return ref;
}
