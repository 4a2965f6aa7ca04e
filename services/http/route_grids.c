// The city, its grids and areas: questions to the published edition.
#include "services/base/clock.h"
#include "services/base/json.h"
#include "services/http/grid_json.h"
#include "services/http/request.h"
#include "services/http/values.h"
#include "services/shard/shard.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

// The edition that the whole answer comes from; NULL: refused.
static const struct gw_edition *take(struct http_request *request) {
    struct gw_current *current = request->server->options.current;
    if (current == NULL) {
        http_request_refuse(request, MHD_HTTP_SERVICE_UNAVAILABLE, "this node serves no grids");
    }
    return current != NULL ? gw_current_take(current) : NULL;
}

static void give_back(struct http_request *request, const struct gw_edition *edition) {
    gw_current_release(request->server->options.current, edition);
}

static void start_json(struct http_request *request, const char *cache) {
    request->reply.type = HTTP_TYPE_JSON;
    request->reply.cache = cache;
}

// --- the city ---

static void write_totals(struct gw_buffer *out, struct gw_shard *shard) {
    struct gw_workers_totals workers;
    struct gw_shard_totals totals;
    gw_workers_totals(gw_shard_workers(shard), &workers);
    gw_shard_totals(shard, &totals);
    http_write_key(out, "workers");
    gw_buffer_format(out, "{\"total\":%u,\"on_duty\":%u,\"with_position\":%u,\"reserved\":%u}",
                     workers.workers, workers.on_duty, workers.with_position,
                     workers.reserved_places);
    http_write_key(out, "incidents");
    gw_buffer_format(out, "{\"open\":%u,\"at_desks\":%u,\"offers\":%u}", totals.open_incidents,
                     totals.at_desks, totals.open_offers);
}

static void write_classes(struct gw_buffer *out, const struct gw_policy *policy) {
    http_write_key(out, "classes");
    gw_buffer_text(out, "[");
    for (uint32_t i = 0; policy != NULL && i < policy->class_count; i++) {
        gw_buffer_text(out, i > 0 ? ",{" : "{");
        http_write_text(out, "code", policy->classes[i].code);
        http_write_text(out, "name", policy->classes[i].name);
        http_write_text(out, "name_zh", policy->classes[i].name_zh);
        gw_buffer_text(out, "}");
    }
    gw_buffer_text(out, "]");
}

static void write_rasters(struct gw_buffer *out, const struct gw_map_config *map) {
    http_write_key(out, "rasters");
    gw_buffer_text(out, "[");
    for (uint32_t i = 0; i < map->raster_count; i++) {
        const struct gw_map_raster *raster = &map->rasters[i];
        gw_buffer_text(out, i > 0 ? ",{" : "{");
        http_write_text(out, "id", raster->id);
        http_write_text(out, "name", raster->name);
        http_write_text(out, "name_zh", raster->name_zh);
        http_write_key(out, "tiles");
        for (uint32_t t = 0; t < raster->tile_count; t++) {
            gw_buffer_text(out, t > 0 ? "," : "[");
            gw_json_text(out, raster->tiles[t]);
        }
        gw_buffer_text(out, "]");
        http_write_int(out, "tile_size", raster->tile_size);
        http_write_int(out, "max_zoom", raster->max_zoom);
        http_write_text(out, "attribution", raster->attribution);
        gw_buffer_text(out, "}");
    }
    gw_buffer_text(out, "]");
}

void http_answer_city(struct http_request *request) {
    struct gw_http_server *server = request->server;
    const struct gw_edition *edition = take(request);
    if (edition == NULL) {
        return;
    }
    struct gw_buffer *out = &request->reply.body;
    struct gw_box box;
    start_json(request, HTTP_CACHE_NEVER);
    gw_buffer_text(out, "{\"edition\":");
    http_write_edition(out, edition, true);
    http_write_key(out, "bounds");
    if (http_grids_under(edition, GW_AREA_NONE, &box) > 0) {
        http_write_bounds(out, &box);
    } else {
        gw_buffer_text(out, "null");
    }
    http_write_int(out, "grids", gw_edition_grid_count(edition));
    http_write_int(out, "areas", gw_edition_area_count(edition));
    give_back(request, edition);
    if (server->options.shard != NULL) {
        write_totals(out, server->options.shard);
    }
    write_classes(out, server->options.policy);
    write_rasters(out, &server->map);
    http_write_int(out, "time_ms", gw_clock_wall_ms());
    gw_buffer_text(out, "}\n");
}

// --- where a point lies ---

static gw_err write_nearest(struct gw_buffer *out, const struct gw_edition *edition,
                            struct gw_point point) {
    uint32_t grid = 0;
    double distance_m = 0;
    gw_err err = gw_edition_nearest(edition, point, &grid, &distance_m);
    if (err == GW_ENOTFOUND) { // an edition without grids
        http_write_key(out, "nearest");
        gw_buffer_text(out, "null");
        return GW_OK;
    }
    if (err == GW_OK) {
        struct gw_grid row = gw_edition_grid(edition, grid);
        http_write_key(out, "nearest");
        gw_buffer_text(out, "{");
        http_write_text(out, "code", row.code);
        http_write_text(out, "name", row.name);
        http_write_metres(out, "distance_m", distance_m);
        gw_buffer_text(out, "}");
    }
    return err;
}

void http_answer_locate(struct http_request *request) {
    struct gw_point point;
    if (http_parameter_point(&request->target, &point, &request->error) != GW_OK) {
        http_request_fail(request);
        return;
    }
    const struct gw_edition *edition = take(request);
    if (edition == NULL) {
        return;
    }
    struct gw_buffer *out = &request->reply.body;
    gw_err err = GW_OK;
    start_json(request, HTTP_CACHE_NEVER);
    gw_buffer_text(out, "{\"edition\":");
    http_write_edition(out, edition, false);
    http_write_key(out, "grid");
    uint32_t grid = gw_grid_index_locate(gw_edition_index(edition), point);
    if (grid != GW_GRID_NONE) {
        gw_buffer_text(out, "{");
        http_write_grid_members(out, edition, grid);
        http_write_key(out, "areas");
        http_write_areas(out, edition, grid);
        gw_buffer_text(out, "}");
    } else {
        gw_buffer_text(out, "null");
        err = write_nearest(out, edition, point);
    }
    give_back(request, edition);
    gw_buffer_text(out, "}\n");
    if (err != GW_OK) {
        (void)gw_error_set(&request->error, err, "the nearest grid can't be found: %s",
                           gw_err_text(err));
        http_request_fail(request);
    }
}

// --- one grid, one area ---

// The grid of the path's code, or GW_GRID_NONE and a refusal.
static uint32_t find_grid(struct http_request *request, const struct gw_edition *edition,
                          const char *code) {
    uint32_t grid = strlen(code) < GW_CODE_MAX ? gw_edition_find_grid(edition, code) : GW_GRID_NONE;
    if (grid == GW_GRID_NONE) {
        (void)gw_error_set(&request->error, GW_ENOTFOUND,
                           "edition %" PRIu64 " of layer %s has no grid %.64s",
                           gw_edition_number(edition), gw_edition_layer(edition), code);
        http_request_fail(request);
    }
    return grid;
}

void http_answer_grid(struct http_request *request) {
    const struct gw_edition *edition = take(request);
    if (edition == NULL) {
        return;
    }
    uint32_t grid = find_grid(request, edition, http_request_part(request, "code"));
    if (grid != GW_GRID_NONE) {
        char hash[33], etag[HTTP_ETAG_SIZE];
        gw_edition_content_hash(edition, hash);
        (void)snprintf(etag, sizeof(etag), "\"%" PRIu64 "-%.16s\"", gw_edition_number(edition),
                       hash);
        request->reply.cache = HTTP_CACHE_ASK_PUBLIC;
        request->reply.type = HTTP_TYPE_GEOJSON;
        http_request_tag(request, etag);
        http_write_feature(&request->reply.body, edition, grid);
    }
    give_back(request, edition);
}

// Whether the edition has a grid of this code; else refused.
bool http_request_knows_grid(struct http_request *request, const char *code) {
    const struct gw_edition *edition = take(request);
    if (edition == NULL) {
        return false;
    }
    bool known = find_grid(request, edition, code) != GW_GRID_NONE;
    give_back(request, edition);
    return known;
}

static void write_chain(struct gw_buffer *out, const struct gw_edition *edition, uint32_t above) {
    gw_buffer_text(out, "[");
    for (uint32_t i = 0; above != GW_AREA_NONE && i < GW_AREA_LEVELS; i++) {
        struct gw_area area = gw_edition_area(edition, above);
        gw_buffer_text(out, i > 0 ? ",{" : "{");
        http_write_text(out, "code", area.code);
        http_write_text(out, "name", area.name);
        http_write_int(out, "level", area.level);
        gw_buffer_text(out, "}");
        above = area.parent;
    }
    gw_buffer_text(out, "]");
}

static void write_area(struct gw_buffer *out, const struct gw_edition *edition, uint32_t index) {
    struct gw_area area = gw_edition_area(edition, index);
    struct gw_box box;
    uint32_t grids = http_grids_under(edition, index, &box);
    gw_buffer_text(out, "{");
    http_write_text(out, "code", area.code);
    http_write_text(out, "name", area.name);
    http_write_int(out, "level", area.level);
    http_write_key(out, "parent");
    if (area.parent != GW_AREA_NONE) {
        gw_json_text(out, gw_edition_area(edition, area.parent).code);
    } else {
        gw_buffer_text(out, "null");
    }
    http_write_key(out, "chain");
    write_chain(out, edition, area.parent);
    http_write_int(out, "grids", grids);
    http_write_key(out, "bounds");
    if (grids > 0) {
        http_write_bounds(out, &box);
    } else {
        gw_buffer_text(out, "null");
    }
    gw_buffer_text(out, "}\n");
}

void http_answer_area(struct http_request *request) {
    const struct gw_edition *edition = take(request);
    if (edition == NULL) {
        return;
    }
    const char *code = http_request_part(request, "code");
    uint32_t area = strlen(code) < GW_CODE_MAX ? gw_edition_find_area(edition, code) : GW_AREA_NONE;
    if (area == GW_AREA_NONE) {
        (void)gw_error_set(&request->error, GW_ENOTFOUND, "there is no area %.64s", code);
        http_request_fail(request);
    } else {
        start_json(request, HTTP_CACHE_ASK);
        write_area(&request->reply.body, edition, area);
    }
    give_back(request, edition);
}
