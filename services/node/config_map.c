// The sections of the configuration for the map's raster sources and for HTTP.
#include "services/node/config_json.h"

#include <ctype.h>
#include <string.h>

#define TILE_SIZE_DEFAULT 256
#define MAX_ZOOM_DEFAULT 18

static gw_err read_id(const struct place *place, const json_t *object,
                      struct gw_map_raster *raster) {
    gw_err err = config_read_text(place, object, "id", sizeof(raster->id), raster->id);
    bool good = raster->id[0] != '\0';
    for (const char *at = raster->id; err == GW_OK && *at != '\0'; at++) {
        good = good && (isalnum((unsigned char)*at) || *at == '-' || *at == '_');
    }
    return err == GW_OK && !good
               ? config_refuse(place, "id", "given, of letters, digits, '-' and '_'")
               : err;
}

static gw_err read_addresses(const struct place *place, const json_t *object,
                             struct gw_map_raster *raster) {
    const json_t *list = json_object_get(object, "tiles");
    size_t count = json_array_size(list);
    if (!json_is_array(list) || count == 0 || count > GW_MAP_RASTER_TILES_MAX) {
        return config_refuse(place, "tiles", "a list of 1 .. 8 addresses");
    }
    for (size_t i = 0; i < count; i++) {
        const char *url = json_string_value(json_array_get(list, i));
        if (url == NULL || strlen(url) >= GW_MAP_URL_SIZE || !gw_map_url_valid(url)) {
            return config_refuse(place, "tiles",
                                 "addresses of at most 511 bytes that begin with https://, "
                                 "http:// or /, with {z}, {x} and {y} in them");
        }
        memcpy(raster->tiles[i], url, strlen(url) + 1);
    }
    raster->tile_count = (uint32_t)count;
    return GW_OK;
}

static gw_err read_raster(const struct place *place, const json_t *object,
                          struct gw_map_raster *raster) {
    static const char *const keys[] = {"id",        "name",     "name_zh",    "tiles",
                                       "tile_size", "max_zoom", "attribution"};
    int64_t size = TILE_SIZE_DEFAULT, zoom = MAX_ZOOM_DEFAULT;
    if (!json_is_object(object)) {
        return config_refuse(place, "", "a list of objects");
    }
    gw_err err = config_check_keys(place, object, keys, sizeof(keys) / sizeof(keys[0]));
    if (err == GW_OK) {
        err = read_id(place, object, raster);
    }
    if (err == GW_OK) {
        err = config_read_text(place, object, "name", sizeof(raster->name), raster->name);
    }
    if (err == GW_OK) {
        err = config_read_text(place, object, "name_zh", sizeof(raster->name_zh), raster->name_zh);
    }
    if (err == GW_OK) {
        err = read_addresses(place, object, raster);
    }
    if (err == GW_OK) {
        err = config_read_number(place, object, "tile_size", 256, 512, &size);
    }
    if (err == GW_OK && size != 256 && size != 512) {
        err = config_refuse(place, "tile_size", "256 or 512");
    }
    if (err == GW_OK) {
        err = config_read_number(place, object, "max_zoom", 0, GW_MAP_RASTER_ZOOM_MAX, &zoom);
    }
    if (err == GW_OK) {
        err = config_read_text(place, object, "attribution", sizeof(raster->attribution),
                               raster->attribution);
    }
    raster->tile_size = (uint32_t)size;
    raster->max_zoom = (uint32_t)zoom;
    return err;
}

static bool has_raster(const struct gw_map_config *map, const char *id) {
    for (uint32_t i = 0; i < map->raster_count; i++) {
        if (strcmp(map->rasters[i].id, id) == 0) {
            return true;
        }
    }
    return false;
}

gw_err config_read_map(const struct place *place, const json_t *object, struct gw_map_config *map) {
    static const char *const keys[] = {"rasters"};
    if (object == NULL) {
        return GW_OK;
    }
    if (!json_is_object(object)) {
        return config_refuse(place, "", "an object");
    }
    gw_err err = config_check_keys(place, object, keys, sizeof(keys) / sizeof(keys[0]));
    const json_t *list = json_object_get(object, "rasters");
    if (err != GW_OK || list == NULL) {
        return err;
    }
    if (!json_is_array(list) || json_array_size(list) > GW_MAP_RASTERS_MAX) {
        return config_refuse(place, "rasters", "a list of at most 8 sources");
    }
    struct place inside = {place->file, "map.rasters", place->error};
    for (size_t i = 0; i < json_array_size(list); i++) {
        struct gw_map_raster *raster = &map->rasters[map->raster_count];
        err = read_raster(&inside, json_array_get(list, i), raster);
        if (err == GW_OK && has_raster(map, raster->id)) {
            err = gw_error_set(place->error, GW_EINVAL, "%s: raster source %s is there twice",
                               place->file, raster->id);
        }
        if (err != GW_OK) {
            return err;
        }
        map->raster_count++;
    }
    return GW_OK;
}

// A name without a port: letters, digits, '.', '-', or an address in brackets.
static bool is_host(const char *text) {
    size_t size = strlen(text);
    if (size == 0 || size >= GW_HTTP_HOST_SIZE) {
        return false;
    }
    if (text[0] == '[') {
        return size > 2 && strspn(text + 1, "0123456789abcdefABCDEF:.") == size - 2 &&
               text[size - 1] == ']';
    }
    for (const char *at = text; *at != '\0'; at++) {
        if (!isalnum((unsigned char)*at) && *at != '.' && *at != '-') {
            return false;
        }
    }
    return true;
}

static gw_err read_hosts(const struct place *place, const json_t *list,
                         struct gw_http_config *http) {
    if (list == NULL) {
        return GW_OK;
    }
    if (!json_is_array(list) || json_array_size(list) > GW_HTTP_HOSTS_MAX) {
        return config_refuse(place, "hosts", "a list of at most 8 names");
    }
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *host = json_string_value(json_array_get(list, i));
        if (host == NULL || !is_host(host)) {
            return config_refuse(place, "hosts", "names without a port, such as map.example.org");
        }
        memcpy(http->hosts[http->host_count++], host, strlen(host) + 1);
    }
    return GW_OK;
}

gw_err config_read_http(const struct place *place, const json_t *object,
                        struct gw_http_config *http) {
    static const char *const keys[] = {"connections_max", "threads", "hosts"};
    int64_t connections = 0, threads = 0; // 0: the defaults
    if (object == NULL) {
        return GW_OK;
    }
    if (!json_is_object(object)) {
        return config_refuse(place, "", "an object");
    }
    gw_err err = config_check_keys(place, object, keys, sizeof(keys) / sizeof(keys[0]));
    if (err == GW_OK) {
        err = config_read_number(place, object, "connections_max", GW_HTTP_CONNECTIONS_MIN,
                                 GW_HTTP_CONNECTIONS_MAX, &connections);
    }
    if (err == GW_OK) {
        err = config_read_number(place, object, "threads", 1, GW_HTTP_THREADS_MAX, &threads);
    }
    if (err == GW_OK) {
        err = read_hosts(place, json_object_get(object, "hosts"), http);
    }
    http->connections_max = (uint32_t)connections;
    http->threads = (uint32_t)threads;
    return err;
}
