#include "services/http/request.h"

#include <string.h>

static const char *const tile_parameters[] = {"edition", NULL};
static const char *const style_parameters[] = {"lang", NULL};
static const char *const place_parameters[] = {"lon", "lat", NULL};
static const char *const search_parameters[] = {"q", "limit", NULL};
static const char *const nearest_parameters[] = {"lon", "lat", "k", "on_duty", NULL};
static const char *const list_parameters[] = {"limit", "token", "state", NULL};
static const char *const live_parameters[] = {"workers", "last_event_id", NULL};

static const struct http_route routes[] = {
    {"/tiles/{layer}/{z}/{x}/{y}.mvt", false, HTTP_OPEN, tile_parameters, http_answer_tile,
     http_tile_outcome},
    {"/tiles/{layer}.json", false, HTTP_OPEN, NULL, http_answer_tilejson, NULL},
    {"/tiles.json", false, HTTP_OPEN, NULL, http_answer_tiles_list, NULL},
    {"/style.json", false, HTTP_OPEN, style_parameters, http_answer_style, NULL},
    {"/v1/city", false, HTTP_OPEN, NULL, http_answer_city, NULL},
    {"/v1/locate", false, HTTP_OPEN, place_parameters, http_answer_locate, NULL},
    {"/v1/grids/{code}", false, HTTP_OPEN, NULL, http_answer_grid, NULL},
    {"/v1/grids/{code}/people", false, HTTP_OWN, NULL, http_answer_people, NULL},
    {"/v1/areas/{code}", false, HTTP_OPEN, NULL, http_answer_area, NULL},
    {"/v1/search", false, HTTP_OWN, search_parameters, http_answer_search, NULL},
    {"/v1/nearest", false, HTTP_OWN, nearest_parameters, http_answer_nearest, NULL},
    {"/v1/workers/{id}", false, HTTP_OWN, NULL, http_answer_worker, NULL},
    {"/v1/incidents", false, HTTP_OWN, list_parameters, http_answer_incidents, NULL},
    {"/v1/incidents", true, HTTP_OWN, NULL, http_answer_report, http_report_outcome},
    {"/v1/incidents/{id}", false, HTTP_OWN, NULL, http_answer_incident, NULL},
    {"/v1/incidents/{id}/{action}", true, HTTP_OWN, NULL, http_answer_act, http_act_outcome},
    {"/v1/live", false, HTTP_OWN, live_parameters, http_answer_live, NULL},
    {"/metrics", false, HTTP_MACHINE, NULL, http_answer_metrics, NULL},
    {"/healthz", false, HTTP_MACHINE, NULL, http_answer_health, NULL},
    {"/readyz", false, HTTP_MACHINE, NULL, http_answer_ready, NULL},
};
#define ROUTES (sizeof(routes) / sizeof(routes[0]))

uint32_t http_route_count(void) {
    return ROUTES;
}

const struct http_route *http_route_at(uint32_t index) {
    return &routes[index];
}

const struct http_route *http_route_find(const struct http_target *target, const char *method,
                                         const char **allow) {
    bool reads = strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
    bool posts = strcmp(method, "POST") == 0;
    bool readable = false, writable = false;
    for (uint32_t i = 0; i < ROUTES; i++) {
        if (!http_target_fits(target, routes[i].pattern)) {
            continue;
        }
        if (routes[i].post ? posts : reads) {
            return &routes[i];
        }
        readable = readable || !routes[i].post;
        writable = writable || routes[i].post;
    }
    const char *reading = writable ? "GET, HEAD, POST, OPTIONS" : "GET, HEAD, OPTIONS";
    const char *writing = writable ? "POST, OPTIONS" : NULL;
    *allow = readable ? reading : writing;
    return NULL;
}
