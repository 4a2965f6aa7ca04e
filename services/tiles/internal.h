// What the files of this room share: the object, its jobs and its threads. Private to
// services/tiles.
//
// Invariants (under the mutex):
//   1. A key has at most one listed job, and then no tile in the cache that is still good.
//   2. A tile goes into the cache only from a job that is still listed when it is done: what
//      changes a layer takes the jobs that are running off the list; those that wait to be run will
//      see the change.
//   3. Jobs of polygon layers are in `parked` until there is a picture, all others in `queue`.
//
// Locks: the mutex is never held while points are visited, a picture is made, or anyone is called.
#ifndef GW_SERVICES_TILES_INTERNAL_H
#define GW_SERVICES_TILES_INTERNAL_H

#include "services/tiles/cache.h"
#include "services/tiles/changes.h"
#include "services/tiles/picture.h"
#include "services/tiles/point_tile.h"

#include <pthread.h>

#define TILES_THREADS_MAX 64u
#define TILES_JOB_BITS 10u // of the buckets of listed jobs

struct waiter {
    struct waiter *next;
    void (*done)(void *context, const struct gw_error *error, const struct gw_tile *tile);
    void *context;
};

struct job {
    uint64_t key;
    bool listed; // new callers join it
    struct waiter *waiters, **waiters_end;
    struct job *chain; // of the same bucket
    struct job *next;  // in the queue
};

struct job_queue {
    struct job *first, **end;
};

// A thread that computes.
struct maker {
    struct gw_tiles *tiles;
    pthread_t thread;
    bool started;
    struct job *job; // running, or NULL; under the mutex
    struct gw_tile_scratch *scratch;
    struct point_tile *points;
    struct tile_packer packer;
    struct gw_bytes mvt;
};

struct tile_meters {
    struct gw_gauge *bytes, *entries, *waiting;
    struct gw_counter *hits, *misses, *joined, *refused, *dropped, *carried;
    struct gw_histogram *seconds[GW_TILE_LAYERS], *build_seconds;
};

struct gw_tiles {
    struct gw_current *current;
    const struct gw_tile_points *points;
    int64_t (*now_ns)(void *context);
    void *clock_context;
    struct tile_meters meters;

    pthread_mutex_t mutex; // of all below
    pthread_cond_t work;   // something in the queue, or stop
    pthread_cond_t build;  // an edition is to be built, or stop
    bool stop;
    struct cache cache;
    struct job *listed[1u << TILES_JOB_BITS];
    struct job_queue queue, parked;
    uint32_t waiting;
    struct picture *picture; // NULL until the first is made
    bool build_wanted;
    void (*ready)(void *context, uint64_t edition);
    void *ready_context;

    struct maker makers[TILES_THREADS_MAX];
    uint32_t maker_count;
    pthread_t builder;
    bool builder_started;
};

// ---- jobs.c; under the mutex ----

struct job *job_find(struct gw_tiles *tiles, uint64_t key);
// A listed job in its queue. NULL: out of memory.
struct job *job_add(struct gw_tiles *tiles, uint64_t key);
void job_unlist(struct gw_tiles *tiles, struct job *job);
// The next of a queue, or NULL.
struct job *job_take(struct job_queue *queue);
void job_queue_move(struct job_queue *from, struct job_queue *to);
bool job_join(struct gw_tiles *tiles, struct job *job,
              void (*done)(void *context, const struct gw_error *error, const struct gw_tile *tile),
              void *context); // false: out of memory

// ---- jobs.c; without the mutex ----

// Calls everyone who waits for a job that is on no list, with a tile or an error, and frees it.
void job_finish(struct gw_tiles *tiles, struct job *job, const struct gw_error *error,
                const struct gw_tile *tile);

// ---- the threads ----

void *maker_run(void *maker);   // make.c
void *builder_run(void *tiles); // build.c

bool tiles_layer_is_live(enum gw_tile_layer layer);
void tiles_meter_cache(struct gw_tiles *tiles); // under the mutex

#endif
