#include "services/tiles/internal.h"

#include <stdlib.h>

static struct job **slot_of(struct gw_tiles *tiles, uint64_t key) {
    struct job **at = &tiles->listed[cache_hash(key, TILES_JOB_BITS)];
    while (*at != NULL && (*at)->key != key) {
        at = &(*at)->chain;
    }
    return at;
}

struct job *job_find(struct gw_tiles *tiles, uint64_t key) {
    return *slot_of(tiles, key);
}

static void put_last(struct job_queue *queue, struct job *job) {
    job->next = NULL;
    *(queue->first != NULL ? queue->end : &queue->first) = job;
    queue->end = &job->next;
}

struct job *job_add(struct gw_tiles *tiles, uint64_t key) {
    struct job *job = malloc(sizeof(*job));
    if (job == NULL) {
        return NULL;
    }
    struct job **bucket = &tiles->listed[cache_hash(key, TILES_JOB_BITS)];
    *job = (struct job){.key = key, .listed = true, .chain = *bucket};
    job->waiters_end = &job->waiters;
    *bucket = job;
    if (tiles->picture == NULL && !tiles_layer_is_live(cache_key_layer(key))) {
        put_last(&tiles->parked, job);
    } else {
        put_last(&tiles->queue, job);
        (void)pthread_cond_signal(&tiles->work);
    }
    return job;
}

void job_unlist(struct gw_tiles *tiles, struct job *job) {
    if (job->listed) {
        *slot_of(tiles, job->key) = job->chain;
        job->listed = false;
    }
}

struct job *job_take(struct job_queue *queue) {
    struct job *job = queue->first;
    if (job != NULL) {
        queue->first = job->next;
    }
    return job;
}

void job_queue_move(struct job_queue *from, struct job_queue *to) {
    for (struct job *job = job_take(from); job != NULL; job = job_take(from)) {
        put_last(to, job);
    }
}

bool job_join(struct gw_tiles *tiles, struct job *job,
              void (*done)(void *context, const struct gw_error *error, const struct gw_tile *tile),
              void *context) {
    struct waiter *waiter = malloc(sizeof(*waiter));
    if (waiter == NULL) {
        return false;
    }
    *waiter = (struct waiter){NULL, done, context};
    *job->waiters_end = waiter;
    job->waiters_end = &waiter->next;
    tiles->waiting++;
    gw_gauge_set(tiles->meters.waiting, tiles->waiting);
    return true;
}

void job_finish(struct gw_tiles *tiles, struct job *job, const struct gw_error *error,
                const struct gw_tile *tile) {
    uint32_t called = 0;
    while (job->waiters != NULL) {
        struct waiter *waiter = job->waiters;
        job->waiters = waiter->next;
        waiter->done(waiter->context, error, tile != NULL ? tile_retain(tile) : NULL);
        free(waiter);
        called++;
    }
    free(job);
    (void)pthread_mutex_lock(&tiles->mutex);
    tiles->waiting -= called;
    gw_gauge_set(tiles->meters.waiting, tiles->waiting);
    (void)pthread_mutex_unlock(&tiles->mutex);
}
