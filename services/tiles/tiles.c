#include "services/tiles/tiles.h"

#include "services/base/clock.h"
#include "services/tiles/internal.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

bool tiles_layer_is_live(enum gw_tile_layer layer) {
    return layer == GW_TILE_INCIDENTS || layer == GW_TILE_WORKERS;
}

static int64_t monotonic_ns(void *context) {
    (void)context;
    return gw_clock_monotonic_ns();
}

// ---- making and ending ----

static void register_meters(struct tile_meters *meters, struct gw_metrics *metrics) {
    if (metrics == NULL) {
        return;
    }
    meters->bytes = gw_metrics_gauge(metrics, "gridwarden_tiles_cache_bytes", "",
                                     "Bytes that the cache of tiles takes.");
    meters->entries =
        gw_metrics_gauge(metrics, "gridwarden_tiles_cached", "", "Tiles in the cache.");
    meters->waiting =
        gw_metrics_gauge(metrics, "gridwarden_tiles_waiting", "", "Callers that wait for a tile.");
    const char *requests = "gridwarden_tiles_requests_total";
    const char *help =
        "Tiles asked for: found in the cache, to be computed, already being computed, "
        "refused since too many wait.";
    meters->hits = gw_metrics_counter(metrics, requests, "result=\"hit\"", help);
    meters->misses = gw_metrics_counter(metrics, requests, "result=\"miss\"", help);
    meters->joined = gw_metrics_counter(metrics, requests, "result=\"joined\"", help);
    meters->refused = gw_metrics_counter(metrics, requests, "result=\"refused\"", help);
    meters->dropped =
        gw_metrics_counter(metrics, "gridwarden_tiles_invalidated_total", "",
                           "Cached tiles dropped since an edition or an incident changed them.");
    meters->carried = gw_metrics_counter(metrics, "gridwarden_tiles_carried_over_total", "",
                                         "Cached tiles that a new edition left as they were.");
    for (unsigned i = 0; i < GW_TILE_LAYERS; i++) {
        struct gw_buffer labels = {0};
        gw_metrics_label(&labels, "layer", gw_tile_layer_name((enum gw_tile_layer)i));
        meters->seconds[i] = gw_metrics_histogram(metrics, "gridwarden_tile_compute_seconds",
                                                  labels.data != NULL ? labels.data : "",
                                                  "Time to compute and pack one tile.");
        gw_buffer_free(&labels);
    }
    meters->build_seconds =
        gw_metrics_histogram(metrics, "gridwarden_tiles_build_seconds", "",
                             "Time to make the borders of an edition and compare them.");
}

void tiles_meter_cache(struct gw_tiles *tiles) {
    gw_gauge_set(tiles->meters.bytes, (double)tiles->cache.bytes);
    gw_gauge_set(tiles->meters.entries, tiles->cache.entries);
}

static void init_locks(struct gw_tiles *tiles) {
    pthread_condattr_t attributes;
    (void)pthread_mutex_init(&tiles->mutex, NULL);
    (void)pthread_cond_init(&tiles->work, NULL);
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&tiles->build, &attributes);
    (void)pthread_condattr_destroy(&attributes);
}

static gw_err start_maker(struct gw_tiles *tiles) {
    struct maker *maker = &tiles->makers[tiles->maker_count++];
    maker->tiles = tiles;
    maker->points = point_tile_create();
    gw_err err = maker->points != NULL ? gw_tile_scratch_create(&maker->scratch) : GW_ENOMEM;
    if (err == GW_OK) {
        err = tile_packer_init(&maker->packer);
    }
    if (err == GW_OK) {
        maker->started = pthread_create(&maker->thread, NULL, maker_run, maker) == 0;
        err = maker->started ? GW_OK : GW_ENOMEM;
    }
    return err;
}

gw_err gw_tiles_create(const struct gw_tiles_options *options, struct gw_tiles **tiles,
                       struct gw_error *error) {
    uint32_t threads = options->threads > 0 ? options->threads : 2;
    if (threads > TILES_THREADS_MAX) {
        return gw_error_set(error, GW_EINVAL, "%u threads for tiles: give 1 to %u", threads,
                            TILES_THREADS_MAX);
    }
    struct gw_tiles *made = calloc(1, sizeof(*made));
    if (made == NULL) {
        return gw_error_set(error, GW_ENOMEM, "out of memory for tiles");
    }
    made->current = options->current;
    made->points = options->points;
    made->now_ns = options->now_ns != NULL ? options->now_ns : monotonic_ns;
    made->clock_context = options->clock_context;
    register_meters(&made->meters, options->metrics);
    init_locks(made);
    gw_err err = cache_init(&made->cache,
                            options->cache_bytes > 0 ? options->cache_bytes : GW_TILES_CACHE_BYTES);
    // Held so that no thread looks at how many there are meanwhile.
    (void)pthread_mutex_lock(&made->mutex);
    for (uint32_t i = 0; i < threads && err == GW_OK; i++) {
        err = start_maker(made);
    }
    (void)pthread_mutex_unlock(&made->mutex);
    if (err == GW_OK) {
        made->builder_started = pthread_create(&made->builder, NULL, builder_run, made) == 0;
        err = made->builder_started ? GW_OK : GW_ENOMEM;
    }
    if (err != GW_OK) {
        gw_tiles_destroy(made);
        return gw_error_set(error, err, "tiles can't be started: no memory or no threads left");
    }
    *tiles = made;
    return GW_OK;
}

static void stop_threads(struct gw_tiles *tiles) {
    (void)pthread_mutex_lock(&tiles->mutex);
    tiles->stop = true;
    (void)pthread_cond_broadcast(&tiles->work);
    (void)pthread_cond_broadcast(&tiles->build);
    (void)pthread_mutex_unlock(&tiles->mutex);
    if (tiles->builder_started) {
        (void)pthread_join(tiles->builder, NULL);
    }
    for (uint32_t i = 0; i < tiles->maker_count; i++) {
        if (tiles->makers[i].started) {
            (void)pthread_join(tiles->makers[i].thread, NULL);
        }
    }
}

static void cancel_all(struct gw_tiles *tiles) {
    struct gw_error error;
    (void)gw_error_set(&error, GW_ECANCELLED, "the node stops; ask again later");
    job_queue_move(&tiles->parked, &tiles->queue);
    for (struct job *job = job_take(&tiles->queue); job != NULL; job = job_take(&tiles->queue)) {
        job_finish(tiles, job, &error, NULL);
    }
}

void gw_tiles_destroy(struct gw_tiles *tiles) {
    if (tiles == NULL) {
        return;
    }
    stop_threads(tiles);
    cancel_all(tiles);
    for (uint32_t i = 0; i < tiles->maker_count; i++) {
        struct maker *maker = &tiles->makers[i];
        gw_tile_scratch_destroy(maker->scratch);
        point_tile_destroy(maker->points);
        tile_packer_deinit(&maker->packer);
        gw_bytes_free(&maker->mvt);
    }
    if (tiles->cache.buckets != NULL) {
        cache_deinit(&tiles->cache);
    }
    picture_release(tiles->picture);
    (void)pthread_cond_destroy(&tiles->work);
    (void)pthread_cond_destroy(&tiles->build);
    (void)pthread_mutex_destroy(&tiles->mutex);
    free(tiles);
}

// ---- asking; under the mutex ----

// A tile that another edition left as it was belongs to this one too; it is told so when somebody
// asks for it.
static const struct gw_tile *of_now(struct gw_tiles *tiles, struct cache_entry *entry) {
    if (!entry->tile->live && entry->tile->edition != tiles->picture->number) {
        const struct gw_tile *renewed = tile_of_edition(entry->tile, tiles->picture->number);
        if (renewed != NULL) {
            gw_tile_release(entry->tile);
            entry->tile = renewed;
        }
    }
    return tile_retain(entry->tile);
}

static const struct gw_tile *find(struct gw_tiles *tiles, enum gw_tile_layer layer,
                                  struct gw_tile_id id) {
    const struct picture *picture = tiles->picture;
    if (!tiles_layer_is_live(layer) && picture != NULL &&
        !picture_boxes_meet(gw_tile_box(id, GW_TILE_BUFFER), picture->world)) {
        return tile_retain(picture->empty); // not kept: there are too many of them
    }
    uint64_t key = cache_key(layer, id);
    struct cache_entry *entry = cache_find(&tiles->cache, key);
    if (entry != NULL && entry->until_ns != INT64_MAX &&
        tiles->now_ns(tiles->clock_context) >= entry->until_ns) {
        cache_drop(&tiles->cache, key);
        entry = NULL;
    }
    return entry != NULL ? of_now(tiles, entry) : NULL;
}

static gw_err wait_for(struct gw_tiles *tiles, uint64_t key,
                       void (*done)(void *context, const struct gw_error *error,
                                    const struct gw_tile *tile),
                       void *context, struct gw_error *error) {
    if (tiles->waiting >= GW_TILES_WAITING_MAX) {
        gw_counter_add(tiles->meters.refused, 1);
        return gw_error_set(error, GW_ENOSPC,
                            "%u callers wait for tiles already: try again in a second",
                            GW_TILES_WAITING_MAX);
    }
    struct job *job = job_find(tiles, key);
    gw_counter_add(job != NULL ? tiles->meters.joined : tiles->meters.misses, 1);
    if (job == NULL) {
        job = job_add(tiles, key);
    }
    if (job == NULL || !job_join(tiles, job, done, context)) {
        return gw_error_set(error, GW_ENOMEM, "out of memory; try again later");
    }
    return GW_ESTATE;
}

gw_err gw_tiles_get(struct gw_tiles *tiles, enum gw_tile_layer layer, struct gw_tile_id id,
                    const struct gw_tile **tile,
                    void (*done)(void *context, const struct gw_error *error,
                                 const struct gw_tile *tile),
                    void *context, struct gw_error *error) {
    if ((unsigned)layer >= GW_TILE_LAYERS || !gw_tile_id_valid(id)) {
        return gw_error_set(error, GW_EINVAL,
                            "no such tile: zoom is 0 to %u, x and y are below 2^zoom",
                            GW_TILE_ZOOM_MAX);
    }
    gw_err err = GW_OK;
    (void)pthread_mutex_lock(&tiles->mutex);
    const struct gw_tile *found = find(tiles, layer, id);
    if (found != NULL) {
        gw_counter_add(tiles->meters.hits, 1);
        *tile = found;
    } else {
        err = wait_for(tiles, cache_key(layer, id), done, context, error);
    }
    (void)pthread_mutex_unlock(&tiles->mutex);
    return err;
}

uint64_t gw_tiles_edition(struct gw_tiles *tiles, struct gw_box *box) {
    uint64_t number = 0;
    (void)pthread_mutex_lock(&tiles->mutex);
    if (tiles->picture != NULL) {
        number = tiles->picture->number;
        if (box != NULL) {
            *box = tiles->picture->box;
        }
    }
    (void)pthread_mutex_unlock(&tiles->mutex);
    return number;
}

// ---- what changes ----

void gw_tiles_edition_published(struct gw_tiles *tiles) {
    (void)pthread_mutex_lock(&tiles->mutex);
    tiles->build_wanted = true;
    (void)pthread_cond_signal(&tiles->build);
    (void)pthread_mutex_unlock(&tiles->mutex);
}

void gw_tiles_on_ready(struct gw_tiles *tiles, void (*ready)(void *context, uint64_t edition),
                       void *context) {
    (void)pthread_mutex_lock(&tiles->mutex);
    tiles->ready = ready;
    tiles->ready_context = context;
    (void)pthread_mutex_unlock(&tiles->mutex);
}

static void drop_tile(struct gw_tiles *tiles, struct gw_tile_id id) {
    uint64_t key = cache_key(GW_TILE_INCIDENTS, id);
    cache_drop(&tiles->cache, key);
    for (uint32_t i = 0; i < tiles->maker_count; i++) {
        struct job *job = tiles->makers[i].job;
        if (job != NULL && job->key == key) {
            job_unlist(tiles, job); // it may have looked before the change
        }
    }
}

static uint32_t tile_of(int32_t world, uint32_t z) {
    int32_t inside = world < 0 ? 0 : world >= GW_WORLD_SIZE ? GW_WORLD_SIZE - 1 : world;
    return (uint32_t)inside >> (GW_WORLD_BITS - z);
}

// One tile a zoom, and the neighbours whose buffer holds the point.
static void drop_point(struct gw_tiles *tiles, struct gw_point point) {
    struct gw_world_point world = gw_mercator_project(point);
    for (uint32_t z = 0; z <= GW_TILE_ZOOM_MAX; z++) {
        int32_t reach = (GW_TILE_BUFFER + 1) << (GW_TILE_ZOOM_MAX - z); // + 1: for rounding
        uint32_t west = tile_of(world.x - reach, z), east = tile_of(world.x + reach, z);
        uint32_t north = tile_of(world.y - reach, z), south = tile_of(world.y + reach, z);
        for (uint32_t y = north; y <= south; y++) {
            for (uint32_t x = west; x <= east; x++) {
                drop_tile(tiles, (struct gw_tile_id){z, x, y});
            }
        }
    }
}

void gw_tiles_incident_changed(struct gw_tiles *tiles, const struct gw_point *before,
                               const struct gw_point *after) {
    (void)pthread_mutex_lock(&tiles->mutex);
    uint32_t entries = tiles->cache.entries;
    if (before != NULL) {
        drop_point(tiles, *before);
    }
    if (after != NULL && (before == NULL || memcmp(before, after, sizeof(*after)) != 0)) {
        drop_point(tiles, *after);
    }
    gw_counter_add(tiles->meters.dropped, entries - tiles->cache.entries);
    tiles_meter_cache(tiles);
    (void)pthread_mutex_unlock(&tiles->mutex);
}
