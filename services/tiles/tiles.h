// The tiles of a node: layers, cache, and who computes.
//
//   grids, villages, townships, counties, cities   polygons of the published edition
//   labels                                         a point for each of them, where its name goes
//   incidents, workers                             points of this moment
//
// A tile is computed once however many ask for it at once, kept gzipped in a cache with a bound in
// bytes, and carries a tag of its content. When an edition is published, the new borders are made
// beside the old ones; tiles that they do not touch stay as they are; then all layers switch at
// once and the listener is told. An incident that moves or changes drops only the tiles that show
// it.
//
// Threads: gw_tiles_get from any thread, never waits; computing is done by threads inside.
#ifndef GW_SERVICES_TILES_TILES_H
#define GW_SERVICES_TILES_TILES_H

#include "geo/tiles/mercator.h"
#include "services/base/buffer.h"
#include "services/base/metrics.h"
#include "services/grids/current.h"
#include "services/tiles/points.h"

#define GW_TILES_CACHE_BYTES (64u << 20) // the default bound of the cache
#define GW_TILES_WAITING_MAX 4096u       // callers that wait for a tile; past it GW_ENOSPC
#define GW_TILE_ETAG_SIZE 35u            // quotes, 32 hexadecimal digits, NUL
// Points of a tile of incidents or workers. Where there are more (a whole country at zoom 0), every
// second is left out until they are fewer, chosen by a hash of the ids: the same ones each time.
#define GW_TILE_POINTS_MAX 50000u

enum gw_tile_layer {
    GW_TILE_GRIDS,
    GW_TILE_VILLAGES,
    GW_TILE_TOWNSHIPS,
    GW_TILE_COUNTIES,
    GW_TILE_CITIES,
    GW_TILE_LABELS, // the last of those that show an edition
    GW_TILE_INCIDENTS,
    GW_TILE_WORKERS,
    GW_TILE_LAYERS
};

struct gw_tiles;

struct gw_tiles_options {
    struct gw_current *current;          // the published edition
    const struct gw_tile_points *points; // incidents and workers; NULL: those layers are empty
    struct gw_metrics *metrics;          // may be NULL
    size_t cache_bytes;                  // 0: the default
    uint32_t threads;                    // that compute; 0: 2
    int64_t (*now_ns)(void *context);    // NULL: the monotonic clock; for the age of workers' tiles
    void *clock_context;
};

// An immutable tile, counted; from gw_tiles_get or `done` on, until gw_tile_release.
struct gw_tile {
    const unsigned char *gzip; // the MVT bytes, gzipped; size 0: an empty tile (204)
    size_t gzip_size, size;    // `size`: before gzip
    char etag[GW_TILE_ETAG_SIZE];
    uint64_t edition; // that it was made from
    bool live;        // of a layer that changes by the moment: to be cached for a second at most
};
void gw_tile_release(const struct gw_tile *tile); // accepts NULL

// "grids" …; NULL past the end. By name: GW_TILE_LAYERS if there is none such.
const char *gw_tile_layer_name(enum gw_tile_layer layer);
enum gw_tile_layer gw_tile_layer_find(const char *name);
// The zooms at which clients should ask for the layer; past the highest they draw that one larger.
// (A tile is made at any zoom of 0 .. GW_TILE_ZOOM_MAX all the same.)
void gw_tile_layer_zooms(enum gw_tile_layer layer, uint32_t *min, uint32_t *max);

// Starts the threads and the making of the borders, and returns before they are made: first
// requests wait for them.
GW_MUST_CHECK gw_err gw_tiles_create(const struct gw_tiles_options *options,
                                     struct gw_tiles **tiles, struct gw_error *error);
// Callers that still wait are called with GW_ECANCELLED first.
void gw_tiles_destroy(struct gw_tiles *tiles); // accepts NULL

// GW_OK: *tile is there. GW_ESTATE: `done` will be called once, from another thread, perhaps before
// this returns; with a tile (the callee's to release) or an error. Else `done` is not called:
// GW_EINVAL no such tile; GW_ENOSPC too many wait.
GW_MUST_CHECK gw_err gw_tiles_get(struct gw_tiles *tiles, enum gw_tile_layer layer,
                                  struct gw_tile_id id, const struct gw_tile **tile,
                                  void (*done)(void *context, const struct gw_error *error,
                                               const struct gw_tile *tile),
                                  void *context, struct gw_error *error);

// The edition that all layers now show, 0 before the first is ready; its box on the lattice.
uint64_t gw_tiles_edition(struct gw_tiles *tiles, struct gw_box *box);

// To be called when gw_current has another edition; returns at once. `ready` (set before; NULL:
// none) is called from a thread inside when all layers show it, with the one they show: where
// editions follow one another quickly, one may be passed over.
void gw_tiles_edition_published(struct gw_tiles *tiles);
void gw_tiles_on_ready(struct gw_tiles *tiles, void (*ready)(void *context, uint64_t edition),
                       void *context);
// An incident came, went, moved or changed: the tiles that show these points are dropped.
void gw_tiles_incident_changed(struct gw_tiles *tiles, const struct gw_point *before,
                               const struct gw_point *after); // either may be NULL

// TileJSON 3.0.0 of a layer, as text; `base` is "http://host:port" or "" for relative addresses.
// The tiles' address carries the edition for the edition's layers ("?edition=N").
void gw_tiles_write_tilejson(struct gw_tiles *tiles, enum gw_tile_layer layer, const char *base,
                             struct gw_buffer *out);

#endif
