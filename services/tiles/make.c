// The threads that compute tiles.
#include "services/base/clock.h"
#include "services/tiles/internal.h"

#define WORKERS_GOOD_NS INT64_C(1000000000) // that a tile of workers may be old

// The bytes of a job's tile. Without the mutex; `picture` NULL for live layers.
static gw_err encode(struct maker *maker, const struct picture *picture, uint64_t key) {
    enum gw_tile_layer layer = cache_key_layer(key);
    struct gw_tile_id id = cache_key_id(key);
    gw_bytes_clear(&maker->mvt);
    maker->mvt.failed = false;
    gw_err err = GW_OK;
    if (tiles_layer_is_live(layer)) {
        err = point_tile_encode(maker->points, maker->tiles->points, layer, id, maker->scratch,
                                &maker->mvt);
    } else {
        err = picture_encode(picture, layer, id, maker->scratch, &maker->mvt);
    }
    return err == GW_OK && maker->mvt.failed ? GW_ENOMEM : err;
}

static const struct gw_tile *make(struct maker *maker, const struct picture *picture,
                                  uint64_t edition, uint64_t key, struct gw_error *error) {
    enum gw_tile_layer layer = cache_key_layer(key);
    struct gw_tile_id id = cache_key_id(key);
    int64_t start_ns = gw_clock_monotonic_ns();
    gw_err err = encode(maker, picture, key);
    const struct gw_tile *tile = NULL;
    if (err == GW_OK) {
        tile = tile_make(&maker->packer, maker->mvt.data, maker->mvt.size, edition,
                         tiles_layer_is_live(layer));
        err = tile != NULL ? GW_OK : GW_ENOMEM;
    }
    gw_histogram_observe_ns(maker->tiles->meters.seconds[layer],
                            gw_clock_monotonic_ns() - start_ns);
    if (err != GW_OK) {
        (void)gw_error_set(error, err, "tile %s/%u/%u/%u can't be made: %s; try again later",
                           gw_tile_layer_name(layer), id.z, id.x, id.y, gw_err_text(err));
    }
    return tile;
}

// Under the mutex. A tile is as old as the moment at which its points began to be looked at.
static void keep(struct gw_tiles *tiles, struct job *job, const struct gw_tile *tile,
                 int64_t since_ns) {
    if (job->listed && tile != NULL) {
        bool ages = cache_key_layer(job->key) == GW_TILE_WORKERS;
        cache_put(&tiles->cache, job->key, tile, ages ? since_ns + WORKERS_GOOD_NS : INT64_MAX);
        tiles_meter_cache(tiles);
    }
    job_unlist(tiles, job);
}

// Under the mutex, which is given up meanwhile.
static void do_job(struct maker *maker, struct job *job) {
    struct gw_tiles *tiles = maker->tiles;
    struct gw_error error;
    maker->job = job;
    uint64_t edition = tiles->picture != NULL ? tiles->picture->number : 0;
    struct picture *picture =
        tiles_layer_is_live(cache_key_layer(job->key)) ? NULL : picture_retain(tiles->picture);
    (void)pthread_mutex_unlock(&tiles->mutex);
    int64_t since_ns = tiles->now_ns(tiles->clock_context);
    const struct gw_tile *tile = make(maker, picture, edition, job->key, &error);
    picture_release(picture);
    (void)pthread_mutex_lock(&tiles->mutex);
    maker->job = NULL;
    keep(tiles, job, tile, since_ns);
    (void)pthread_mutex_unlock(&tiles->mutex);
    job_finish(tiles, job, tile != NULL ? NULL : &error, tile);
    gw_tile_release(tile);
    (void)pthread_mutex_lock(&tiles->mutex);
}

void *maker_run(void *context) {
    struct maker *maker = context;
    struct gw_tiles *tiles = maker->tiles;
    (void)pthread_mutex_lock(&tiles->mutex);
    while (!tiles->stop) {
        struct job *job = job_take(&tiles->queue);
        if (job != NULL) {
            do_job(maker, job);
        } else {
            (void)pthread_cond_wait(&tiles->work, &tiles->mutex);
        }
    }
    (void)pthread_mutex_unlock(&tiles->mutex);
    return NULL;
}
