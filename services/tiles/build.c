// The thread that makes the borders of a published edition and puts them in place of the old ones.
#include "services/base/clock.h"
#include "services/base/diag.h"
#include "services/tiles/internal.h"

#include <errno.h>
#include <inttypes.h>
#include <time.h>

enum { RETRY_S = 5 };

struct switching {
    const struct changes *changes; // NULL: everything changed
};

static bool drops(void *context, uint64_t key) {
    const struct switching *switching = context;
    enum gw_tile_layer layer = cache_key_layer(key);
    return !tiles_layer_is_live(layer) &&
           (switching->changes == NULL ||
            changes_touch(switching->changes, layer, cache_key_id(key)));
}

// All layers at once: tiles that the change does not touch stay, and those that are being computed
// from the old borders will not be kept.
static void switch_to(struct gw_tiles *tiles, struct picture *picture,
                      const struct changes *changes) {
    struct switching switching = {changes};
    (void)pthread_mutex_lock(&tiles->mutex);
    uint32_t dropped = cache_drop_those(&tiles->cache, drops, &switching);
    for (uint32_t i = 0; i < tiles->maker_count; i++) {
        struct job *job = tiles->makers[i].job;
        if (job != NULL && !tiles_layer_is_live(cache_key_layer(job->key))) {
            job_unlist(tiles, job);
        }
    }
    struct picture *old = tiles->picture;
    tiles->picture = picture;
    job_queue_move(&tiles->parked, &tiles->queue);
    gw_counter_add(tiles->meters.dropped, dropped);
    gw_counter_add(tiles->meters.carried, tiles->cache.entries);
    tiles_meter_cache(tiles);
    (void)pthread_cond_broadcast(&tiles->work);
    void (*ready)(void *, uint64_t) = tiles->ready;
    void *context = tiles->ready_context;
    (void)pthread_mutex_unlock(&tiles->mutex);
    gw_diag(GW_INFO, NULL, "tiles show the edition", "edition=%" PRIu64 " dropped=%u",
            picture->number, dropped);
    picture_release(old);
    if (ready != NULL) {
        ready(context, picture->number);
    }
}

static bool is_shown(struct gw_tiles *tiles, const struct picture *picture) {
    const struct gw_edition *edition = gw_current_take(tiles->current);
    bool shown = picture != NULL && edition == picture->edition;
    gw_current_release(tiles->current, edition);
    return shown;
}

// Nobody can be answered; they may ask again.
static void refuse_parked(struct gw_tiles *tiles, gw_err err) {
    struct gw_error error;
    (void)gw_error_set(&error, err, "the edition's borders can't be made: %s; try again later",
                       gw_err_text(err));
    for (;;) {
        (void)pthread_mutex_lock(&tiles->mutex);
        struct job *job = job_take(&tiles->parked);
        if (job != NULL) {
            job_unlist(tiles, job);
        }
        (void)pthread_mutex_unlock(&tiles->mutex);
        if (job == NULL) {
            return;
        }
        job_finish(tiles, job, &error, NULL);
    }
}

// `old` is what is shown now, or NULL; this thread alone replaces it.
static gw_err build(struct gw_tiles *tiles, const struct picture *old) {
    struct picture *picture = NULL;
    struct changes changes;
    if (is_shown(tiles, old)) {
        return GW_OK;
    }
    int64_t start_ns = gw_clock_monotonic_ns();
    gw_err err = picture_create(tiles->current, &picture);
    if (err != GW_OK) {
        gw_diag(GW_ERROR, NULL, "the edition's borders can't be made", "reason='%s'",
                gw_err_text(err));
        refuse_parked(tiles, err);
        return err;
    }
    bool compared = old != NULL && changes_find(old, picture, &changes) == GW_OK;
    gw_histogram_observe_ns(tiles->meters.build_seconds, gw_clock_monotonic_ns() - start_ns);
    switch_to(tiles, picture, compared ? &changes : NULL);
    if (compared) {
        changes_deinit(&changes);
    }
    return GW_OK;
}

// Under the mutex: until there is something to build, or it is time to try again.
static void wait_for_work(struct gw_tiles *tiles, bool failed) {
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += RETRY_S;
    int waited = 0;
    while (!tiles->stop && !tiles->build_wanted && waited != ETIMEDOUT) {
        waited = failed ? pthread_cond_timedwait(&tiles->build, &tiles->mutex, &until)
                        : pthread_cond_wait(&tiles->build, &tiles->mutex);
    }
}

void *builder_run(void *context) {
    struct gw_tiles *tiles = context;
    bool failed = false;
    (void)pthread_mutex_lock(&tiles->mutex);
    while (!tiles->stop) {
        tiles->build_wanted = false;
        const struct picture *old = tiles->picture;
        (void)pthread_mutex_unlock(&tiles->mutex);
        failed = build(tiles, old) != GW_OK;
        (void)pthread_mutex_lock(&tiles->mutex);
        wait_for_work(tiles, failed);
    }
    (void)pthread_mutex_unlock(&tiles->mutex);
    return NULL;
}
