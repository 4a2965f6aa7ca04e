// Vector tiles and what describes them.
#include "services/http/headers.h"
#include "services/http/request.h"
#include "services/http/values.h"
#include "services/tiles/tiles.h"
#include <inttypes.h>
#include <libdeflate.h>
#include <stdio.h>
#include <stdlib.h>

#define TYPE_MVT "application/vnd.mapbox-vector-tile"
#define BASE_BYTES_MAX (HTTP_HOST_BYTES_MAX + 8u)
#define TILE_BYTES_MAX (64u << 20) // unpacked for a client that can't

static bool has_tiles(struct http_request *request) {
    if (request->server->options.tiles == NULL) {
        http_request_refuse(request, MHD_HTTP_SERVICE_UNAVAILABLE, "this node serves no tiles");
    }
    return request->server->options.tiles != NULL;
}

// The layer of the path; what tells of people or incidents is for this node's own pages.
static bool find_layer(struct http_request *request, enum gw_tile_layer *layer) {
    *layer = gw_tile_layer_find(http_request_part(request, "layer"));
    if (*layer == GW_TILE_LAYERS) {
        http_request_refuse(request, MHD_HTTP_NOT_FOUND,
                            "there is no such layer; /tiles.json lists them");
        return false;
    }
    bool live = *layer == GW_TILE_INCIDENTS || *layer == GW_TILE_WORKERS;
    return !live || http_request_is_own(request);
}

static gw_err read_id(struct http_request *request, struct gw_tile_id *id) {
    static const char *const names[3] = {"z", "x", "y"};
    uint32_t *const parts[3] = {&id->z, &id->x, &id->y};
    uint64_t edition = 0, max = GW_TILE_ZOOM_MAX;
    for (int i = 0; i < 3; i++) {
        uint64_t value = 0;
        gw_err err = http_value_uint(names[i], http_request_part(request, names[i]), 0, max, &value,
                                     &request->error);
        if (err != GW_OK) {
            return err;
        }
        *parts[i] = (uint32_t)value;
        max = i == 0 ? (UINT64_C(1) << value) - 1 : max;
    }
    return http_parameter_uint(&request->target, "edition", 0, INT64_MAX, &edition,
                               &request->error);
}

// The tile as plain MVT.
static void unpack(struct http_request *request, const struct gw_tile *tile) {
    struct libdeflate_decompressor *decompressor = libdeflate_alloc_decompressor();
    char *bytes = tile->size <= TILE_BYTES_MAX ? malloc(tile->size + 1) : NULL;
    size_t size = 0;
    bool whole = decompressor != NULL && bytes != NULL &&
                 libdeflate_gzip_decompress(decompressor, tile->gzip, tile->gzip_size, bytes,
                                            tile->size, &size) == LIBDEFLATE_SUCCESS &&
                 size == tile->size;
    if (decompressor != NULL) {
        libdeflate_free_decompressor(decompressor);
    }
    if (!whole) {
        free(bytes);
        http_request_refuse(request, MHD_HTTP_SERVICE_UNAVAILABLE,
                            "not enough memory to unpack the tile: ask for it as gzip");
        return;
    }
    request->reply.body =
        (struct gw_buffer){.data = bytes, .size = size, .capacity = tile->size + 1};
}

// A tile whose address names the edition that it shows never changes.
static const char *cache_of(struct http_request *request, const struct gw_tile *tile) {
    uint64_t edition = 0;
    struct gw_error ignored;
    bool named =
        http_request_parameter(request, "edition") != NULL &&
        http_parameter_uint(&request->target, "edition", 0, INT64_MAX, &edition, &ignored) == GW_OK;
    if (tile->live) {
        return HTTP_CACHE_ASK;
    }
    return named && edition == tile->edition ? HTTP_CACHE_FOREVER : HTTP_CACHE_ASK_PUBLIC;
}

// Takes the tile over.
static void reply_tile(struct http_request *request, const struct gw_tile *tile) {
    struct http_reply *reply = &request->reply;
    reply->cache = cache_of(request, tile);
    reply->vary_encoding = true;
    bool packed = http_accepts_gzip(http_request_header(request, MHD_HTTP_HEADER_ACCEPT_ENCODING));
    char etag[HTTP_ETAG_SIZE]; // a strong one is of the very bytes, which are the packed ones
    (void)snprintf(etag, sizeof(etag), "%s%s", packed ? "" : "W/", tile->etag);
    reply->status = tile->gzip_size > 0 ? MHD_HTTP_OK : MHD_HTTP_NO_CONTENT;
    http_request_tag(request, etag);
    if (tile->gzip_size == 0) {
        gw_tile_release(tile);
        return;
    }
    reply->type = TYPE_MVT;
    if (packed) {
        reply->encoding = "gzip";
        reply->tile = tile;
    } else {
        unpack(request, tile);
        gw_tile_release(tile);
    }
}

static void tile_done(void *context, const struct gw_error *error, const struct gw_tile *tile) {
    struct http_request *request = context;
    request->tile = tile;
    request->error = (struct gw_error){.code = GW_OK};
    if (tile == NULL) {
        request->error = *error;
    }
    http_request_done(request);
}

void http_tile_outcome(struct http_request *request) {
    const struct gw_tile *tile = request->tile;
    request->tile = NULL;
    if (tile != NULL) {
        reply_tile(request, tile);
    } else {
        http_request_fail(request);
    }
}

void http_answer_tile(struct http_request *request) {
    enum gw_tile_layer layer;
    struct gw_tile_id id;
    if (!has_tiles(request) || !find_layer(request, &layer)) {
        return;
    }
    if (read_id(request, &id) != GW_OK) {
        http_request_fail(request);
        return;
    }
    if (!http_request_wait(request)) {
        return;
    }
    const struct gw_tile *tile = NULL;
    struct gw_error error = {.code = GW_OK}; // the request's own may be written meanwhile
    gw_err err =
        gw_tiles_get(request->server->options.tiles, layer, id, &tile, tile_done, request, &error);
    if (err == GW_ESTATE) {
        return; // tile_done comes
    }
    http_request_wait_not(request);
    if (err == GW_OK) {
        reply_tile(request, tile);
    } else {
        http_refuse_error(&request->reply, &error);
    }
}

void http_answer_tilejson(struct http_request *request) {
    enum gw_tile_layer layer;
    char base[BASE_BYTES_MAX];
    if (!has_tiles(request) || !find_layer(request, &layer) ||
        !http_request_base(request, base, sizeof(base))) {
        return;
    }
    request->reply.type = HTTP_TYPE_JSON;
    request->reply.cache = HTTP_CACHE_ASK;
    gw_tiles_write_tilejson(request->server->options.tiles, layer, base, &request->reply.body);
}

void http_answer_tiles_list(struct http_request *request) {
    char base[BASE_BYTES_MAX];
    if (!has_tiles(request) || !http_request_base(request, base, sizeof(base))) {
        return;
    }
    struct gw_buffer *out = &request->reply.body;
    request->reply.type = HTTP_TYPE_JSON;
    request->reply.cache = HTTP_CACHE_ASK;
    gw_buffer_text(out, "{\"layers\":[");
    for (int layer = 0; layer < GW_TILE_LAYERS; layer++) {
        const char *name = gw_tile_layer_name((enum gw_tile_layer)layer);
        gw_buffer_format(out, "%s{\"name\":\"%s\",\"tilejson\":\"%s/tiles/%s.json\"}",
                         layer > 0 ? "," : "", name, base, name);
    }
    gw_buffer_text(out, "]}\n");
}
