// What the configuration file says about the map and about HTTP; read by services/node/config.h.
//
// Raster sources are pictures under the grids, such as satellite images: addresses of tiles with
// {z}, {x} and {y} in them, which the browser fills in and asks for itself; a node asks no other
// host. README.md shows the templates of Tianditu (天地图).
#ifndef GW_SERVICES_HTTP_SETTINGS_H
#define GW_SERVICES_HTTP_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#define GW_MAP_RASTERS_MAX 8u
#define GW_MAP_RASTER_TILES_MAX 8u // addresses of one source
#define GW_MAP_URL_SIZE 512u       // bytes with the NUL
#define GW_MAP_RASTER_ZOOM_MAX 24u

struct gw_map_raster {
    char id[32]; // letters, digits, '-', '_'
    char name[64], name_zh[64];
    char tiles[GW_MAP_RASTER_TILES_MAX][GW_MAP_URL_SIZE]; // http:// or https://, or a path from /
    uint32_t tile_count;                                  // at least 1
    uint32_t tile_size;                                   // 256 or 512
    uint32_t max_zoom;
    char attribution[256];
};

struct gw_map_config {
    struct gw_map_raster rasters[GW_MAP_RASTERS_MAX];
    uint32_t raster_count;
};

// How far a name reaches in "http://host:port/..." of an address: past the port. 0: it is a path of
// this node's own.
uint32_t gw_map_url_origin_size(const char *url);
// Whether an address may stand in the configuration: printable ASCII without blanks, quotes and
// what ends a policy or a list (; and ,); http:// or https:// and a host, or a path; with {z}, {x}
// and {y}, each once.
bool gw_map_url_valid(const char *url);

#define GW_HTTP_HOSTS_MAX 8u
#define GW_HTTP_HOST_SIZE 256u
#define GW_HTTP_CONNECTIONS_DEFAULT 4096u
#define GW_HTTP_CONNECTIONS_MIN 16u
#define GW_HTTP_CONNECTIONS_MAX 65536u
#define GW_HTTP_THREADS_MAX 64u

struct gw_http_config {
    uint32_t connections_max; // open at once; 0: the default
    uint32_t threads;         // that serve them; 0: one for each processor, 2 .. 8
    // Names other than those of loopback by which browsers reach this node, such as a proxy's.
    char hosts[GW_HTTP_HOSTS_MAX][GW_HTTP_HOST_SIZE];
    uint32_t host_count;
};

#endif
