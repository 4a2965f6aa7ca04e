// Workers: one, those of a grid, the nearest.
#include "services/base/clock.h"
#include "services/http/request.h"
#include "services/http/values.h"
#include "services/http/worker_json.h"
#include "services/shard/shard.h"
#include <stdlib.h>
#include <string.h>

#define PEOPLE_MAX 256u // of a grid, in one answer
#define NEAREST_MAX 100u
#define NEAREST_DEFAULT 8u

// NULL: refused.
static struct gw_workers *workers_of(struct http_request *request) {
    struct gw_shard *shard = request->server->options.shard;
    if (shard == NULL) {
        http_request_refuse(request, MHD_HTTP_SERVICE_UNAVAILABLE, "this node serves no workers");
        return NULL;
    }
    request->reply.type = HTTP_TYPE_JSON;
    request->reply.cache = HTTP_CACHE_NEVER;
    return gw_shard_workers(shard);
}

void http_answer_worker(struct http_request *request) {
    struct gw_workers *workers = workers_of(request);
    const char *id = http_request_part(request, "id");
    if (workers == NULL) {
        return;
    }
    Gridwarden__V1__Worker *worker =
        strlen(id) <= GW_WORKER_ID_MAX ? gw_workers_get(workers, id) : NULL;
    if (worker == NULL) {
        http_request_refuse(request, MHD_HTTP_NOT_FOUND, "no roster has this worker");
        return;
    }
    gw_buffer_text(&request->reply.body, "{");
    http_write_worker_members(&request->reply.body, worker);
    gw_buffer_text(&request->reply.body, "}\n");
    gridwarden__v1__worker__free_unpacked(worker, NULL);
}

void http_answer_people(struct http_request *request) {
    const char *code = http_request_part(request, "code");
    if (!http_request_knows_grid(request, code)) {
        return;
    }
    struct gw_workers *workers = workers_of(request);
    if (workers == NULL) {
        return;
    }
    struct gw_buffer *out = &request->reply.body;
    char *ids[PEOPLE_MAX];
    uint32_t count = gw_workers_roster(workers, code, PEOPLE_MAX, ids), shown = 0;
    gw_buffer_text(out, "{\"workers\":[");
    for (uint32_t i = 0; i < count; i++) {
        Gridwarden__V1__Worker *worker = gw_workers_get(workers, ids[i]);
        if (worker != NULL) {
            gw_buffer_text(out, shown++ > 0 ? ",{" : "{");
            http_write_worker_members(out, worker);
            gw_buffer_text(out, "}");
            gridwarden__v1__worker__free_unpacked(worker, NULL);
        }
        free(ids[i]);
    }
    gw_buffer_text(out, "]}\n");
}

static gw_err read_nearest(struct http_request *request, Gridwarden__V1__Point *point, uint64_t *k,
                           bool *on_duty) {
    struct gw_point asked;
    gw_err err = http_parameter_point(&request->target, &asked, &request->error);
    if (err == GW_OK) {
        err = http_parameter_uint(&request->target, "k", 1, NEAREST_MAX, k, &request->error);
    }
    if (err == GW_OK) {
        err = http_parameter_flag(&request->target, "on_duty", on_duty, &request->error);
    }
    if (err == GW_OK) {
        point->longitude = gw_degrees(asked.lon);
        point->latitude = gw_degrees(asked.lat);
    }
    return err;
}

void http_answer_nearest(struct http_request *request) {
    Gridwarden__V1__NearestRequest asked = GRIDWARDEN__V1__NEAREST_REQUEST__INIT;
    Gridwarden__V1__NearestResponse found = GRIDWARDEN__V1__NEAREST_RESPONSE__INIT;
    Gridwarden__V1__WorkerFilter filter = GRIDWARDEN__V1__WORKER_FILTER__INIT;
    Gridwarden__V1__Point point = GRIDWARDEN__V1__POINT__INIT;
    struct gw_buffer *out = &request->reply.body;
    uint64_t k = NEAREST_DEFAULT;
    bool on_duty = false;
    if (read_nearest(request, &point, &k, &on_duty) != GW_OK) {
        http_request_fail(request);
        return;
    }
    struct gw_workers *workers = workers_of(request);
    if (workers == NULL) {
        return;
    }
    asked.point = &point;
    asked.k = (uint32_t)k;
    asked.filter = &filter;
    filter.duty = on_duty ? GRIDWARDEN__V1__DUTY__DUTY_ON : GRIDWARDEN__V1__DUTY__DUTY_UNSPECIFIED;
    if (gw_workers_nearest(workers, &asked, gw_clock_wall_ms(), &found, &request->error) != GW_OK) {
        http_request_fail(request);
        return;
    }
    gw_buffer_text(out, "{\"workers\":[");
    for (size_t i = 0; i < found.n_workers; i++) {
        gw_buffer_text(out, i > 0 ? ",{" : "{");
        http_write_worker_members(out, found.workers[i]->worker);
        http_write_metres(out, "distance_m", found.workers[i]->distance_m);
        gw_buffer_text(out, "}");
    }
    gw_buffer_text(out, "]}\n");
    gw_workers_nearest_free(&found);
}
