// Search: grids and areas by code or name, an incident or a worker by its exact id.
//
// Codes that begin with the words come first, then names that begin with them, then names that hold
// them; within each areas before grids, in the edition's order.
#include "services/http/grid_json.h"
#include "services/http/request.h"
#include "services/http/values.h"
#include "services/incidents/incident.h"
#include "services/shard/shard.h"
#include <string.h>

#define WORDS_CHARACTERS_MAX 64u
#define RESULTS_MAX 50u
#define RESULTS_DEFAULT 10u

enum rank { RANK_CODE, RANK_NAME, RANK_WITHIN, RANK_NONE };

struct hit {
    bool is_area;
    uint32_t index;
};

struct search {
    const struct gw_edition *edition;
    const char *words;
    uint32_t limit;
    struct hit hits[RANK_NONE][RESULTS_MAX];
    uint32_t counts[RANK_NONE];
};

static enum rank rank_of(const char *words, const char *code, const char *name) {
    size_t size = strlen(words);
    if (strncmp(code, words, size) == 0) {
        return RANK_CODE;
    }
    const char *found = strstr(name, words);
    if (found == NULL) {
        return RANK_NONE;
    }
    return found == name ? RANK_NAME : RANK_WITHIN;
}

static void weigh(struct search *search, enum rank rank, struct hit hit) {
    if (rank != RANK_NONE && search->counts[rank] < search->limit) {
        search->hits[rank][search->counts[rank]++] = hit;
    }
}

static void look(struct search *search) {
    const struct gw_edition *edition = search->edition;
    uint32_t areas = gw_edition_area_count(edition), grids = gw_edition_grid_count(edition);
    for (uint32_t i = 0; i < areas; i++) {
        struct gw_area area = gw_edition_area(edition, i);
        weigh(search, rank_of(search->words, area.code, area.name), (struct hit){true, i});
    }
    // In the order of codes; nothing more can change the answer once enough codes were found.
    for (uint32_t i = 0; i < grids && search->counts[RANK_CODE] < search->limit; i++) {
        uint32_t index = gw_edition_grid_by_code_order(edition, i);
        struct gw_grid grid = gw_edition_grid(edition, index);
        weigh(search, rank_of(search->words, grid.code, grid.name), (struct hit){false, index});
    }
}

static void write_front(struct gw_buffer *out, const char *type, const char *code,
                        const char *name) {
    gw_buffer_text(out, out->data[out->size - 1] == '[' ? "{" : ",{");
    http_write_text(out, "type", type);
    http_write_text(out, "code", code);
    http_write_text(out, "name", name);
}

static void write_hit(struct gw_buffer *out, const struct search *search, struct hit hit) {
    const struct gw_edition *edition = search->edition;
    struct gw_box box;
    bool has_box = true;
    if (hit.is_area) {
        struct gw_area area = gw_edition_area(edition, hit.index);
        write_front(out, "area", area.code, area.name);
        http_write_int(out, "level", area.level);
        has_box = http_grids_under(edition, hit.index, &box) > 0;
    } else {
        struct gw_grid grid = gw_edition_grid(edition, hit.index);
        write_front(out, "grid", grid.code, grid.name);
        box = gw_edition_boxes(edition)[hit.index];
    }
    if (has_box) {
        http_write_key(out, "bounds");
        http_write_bounds(out, &box);
    }
    gw_buffer_text(out, "}");
}

// "point": [lon, lat], where there is one, and the end of the object.
static void write_point(struct gw_buffer *out, const Gridwarden__V1__Point *at) {
    struct gw_point point;
    if (at != NULL && gw_lattice_round(at->longitude, at->latitude, &point) == GW_OK) {
        http_write_key(out, "point");
        gw_buffer_text(out, "[");
        http_write_degrees(out, point.lon);
        gw_buffer_text(out, ",");
        http_write_degrees(out, point.lat);
        gw_buffer_text(out, "]");
    }
    gw_buffer_text(out, "}");
}

static uint32_t write_incident(struct gw_buffer *out, struct gw_shard *shard, const char *id) {
    Gridwarden__V1__Incident *incident = NULL;
    if (strlen(id) >= GW_INCIDENT_ID_SIZE ||
        gw_shard_get_incident(shard, id, &incident, NULL) != GW_OK) {
        return 0;
    }
    write_front(out, "incident", incident->id, incident->class_code);
    write_point(out, incident->point);
    gridwarden__v1__incident__free_unpacked(incident, NULL);
    return 1;
}

static uint32_t write_worker(struct gw_buffer *out, struct gw_shard *shard, const char *id) {
    Gridwarden__V1__Worker *worker =
        strlen(id) <= GW_WORKER_ID_MAX ? gw_workers_get(gw_shard_workers(shard), id) : NULL;
    if (worker == NULL) {
        return 0;
    }
    gw_buffer_text(out, out->data[out->size - 1] == '[' ? "{" : ",{");
    http_write_text(out, "type", "worker");
    http_write_text(out, "code", worker->id);
    http_write_masked(out, "name", worker->name);
    write_point(out, worker->position != NULL ? worker->position->point : NULL);
    gridwarden__v1__worker__free_unpacked(worker, NULL);
    return 1;
}

static gw_err read_search(struct http_request *request, uint64_t *limit) {
    const char *words = http_request_parameter(request, "q");
    uint32_t characters = words != NULL ? http_characters(words) : 0;
    if (characters < 1 || characters > WORDS_CHARACTERS_MAX) {
        return gw_error_set(&request->error, GW_EINVAL, "q must have 1 .. %u characters",
                            WORDS_CHARACTERS_MAX);
    }
    return http_parameter_uint(&request->target, "limit", 1, RESULTS_MAX, limit, &request->error);
}

void http_answer_search(struct http_request *request) {
    const struct gw_http_options *options = &request->server->options;
    uint64_t limit = RESULTS_DEFAULT;
    if (read_search(request, &limit) != GW_OK) {
        http_request_fail(request);
        return;
    }
    if (options->current == NULL) {
        http_request_refuse(request, MHD_HTTP_SERVICE_UNAVAILABLE, "this node serves no grids");
        return;
    }
    struct gw_buffer *out = &request->reply.body;
    request->reply.type = HTTP_TYPE_JSON;
    request->reply.cache = HTTP_CACHE_NEVER;
    gw_buffer_text(out, "{\"results\":[");
    struct search search = {.words = http_request_parameter(request, "q"),
                            .limit = (uint32_t)limit};
    uint32_t shown = 0;
    if (options->shard != NULL) {
        shown += write_incident(out, options->shard, search.words);
        shown += shown < limit ? write_worker(out, options->shard, search.words) : 0;
    }
    search.edition = gw_current_take(options->current);
    look(&search);
    for (int rank = 0; rank < RANK_NONE; rank++) {
        for (uint32_t i = 0; i < search.counts[rank] && shown < limit; i++, shown++) {
            write_hit(out, &search, search.hits[rank][i]);
        }
    }
    gw_current_release(options->current, search.edition);
    gw_buffer_text(out, "]}\n");
}
