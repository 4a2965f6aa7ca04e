#include "services/live/live.h"

#include "services/base/clock.h"
#include "services/live/internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

enum { HEARTBEAT_MS = 15000 };

#define NS_A_MS INT64_C(1000000)
#define NS_A_S INT64_C(1000000000)

// ---- points of tiles ----

static bool within(struct gw_point point, struct gw_box box) {
    return point.lon >= box.min.lon && point.lon <= box.max.lon && point.lat >= box.min.lat &&
           point.lat <= box.max.lat;
}

static void visit_incidents(void *context, struct gw_box box,
                            void (*visit)(void *visitor, const struct gw_tile_incident *incident),
                            void *visitor) {
    struct gw_live *live = context;
    (void)pthread_rwlock_rdlock(&live->state);
    for (uint32_t i = 0; i < live->incidents.count; i++) {
        const struct open_incident *row = &live->incidents.rows[i];
        if (within(live->incidents.places[i], box)) {
            visit(visitor, &(struct gw_tile_incident){.id = row->id,
                                                      .state = row->state,
                                                      .class_code = row->class_code,
                                                      .grid_code = row->grid_code,
                                                      .handler = row->handler,
                                                      .severity = row->severity,
                                                      .reported_ms = row->reported_ms,
                                                      .point = row->point});
        }
    }
    (void)pthread_rwlock_unlock(&live->state);
}

static void visit_workers(void *context, struct gw_box box,
                          void (*visit)(void *visitor, const struct gw_tile_worker *worker),
                          void *visitor) {
    struct gw_live *live = context;
    (void)pthread_rwlock_rdlock(&live->state);
    for (uint32_t i = 0; i < live->crew.count; i++) {
        const struct crew_row *row = &live->crew.rows[i];
        if (row->shown && within(row->point, box)) {
            visit(visitor, &(struct gw_tile_worker){.id = row->id,
                                                    .on_duty = row->on_duty,
                                                    .full_time = row->full_time,
                                                    .load = row->load,
                                                    .position_ms = row->time_ms,
                                                    .point = row->point});
        }
    }
    (void)pthread_rwlock_unlock(&live->state);
}

const struct gw_tile_points *gw_live_points(struct gw_live *live) {
    return &live->points;
}

// ---- what the thread is told ----

static void on_feed(void *context) {
    struct gw_live *live = context;
    (void)pthread_mutex_lock(&live->signal_mutex);
    live->feed_woken = true;
    (void)pthread_cond_signal(&live->signal);
    (void)pthread_mutex_unlock(&live->signal_mutex);
}

static void on_tiles_ready(void *context, uint64_t edition) {
    struct gw_live *live = context;
    (void)pthread_mutex_lock(&live->signal_mutex);
    live->edition_ready = edition;
    (void)pthread_cond_signal(&live->signal);
    (void)pthread_mutex_unlock(&live->signal_mutex);
}

void gw_live_set_tiles(struct gw_live *live, struct gw_tiles *tiles) {
    (void)pthread_mutex_lock(&live->tiles_mutex);
    live->tiles = tiles;
    (void)pthread_mutex_unlock(&live->tiles_mutex);
    if (tiles == NULL) {
        return;
    }
    gw_tiles_on_ready(tiles, on_tiles_ready, live);
    // Perhaps they were ready before, and perhaps an edition came before they were told of it.
    uint64_t edition = gw_tiles_edition(tiles, NULL);
    (void)pthread_mutex_lock(&live->signal_mutex);
    if (live->edition_ready == 0) {
        live->edition_ready = edition;
        (void)pthread_cond_signal(&live->signal);
    }
    (void)pthread_mutex_unlock(&live->signal_mutex);
    gw_tiles_edition_published(tiles);
}

// ---- the thread ----

struct todo {
    bool stop, feed, snapshot;
    uint64_t edition;
};

static struct timespec time_of(int64_t ns) {
    return (struct timespec){.tv_sec = (time_t)(ns / NS_A_S), .tv_nsec = (long)(ns % NS_A_S)};
}

// Waits until there is something to do, or until the time comes.
static struct todo wait_until(struct gw_live *live, int64_t until_ns) {
    struct timespec until = time_of(until_ns);
    int waited = 0;
    (void)pthread_mutex_lock(&live->signal_mutex);
    while (!live->stop && !live->feed_woken && !live->snapshot_wanted &&
           live->edition_ready == live->edition_told && waited == 0) {
        waited = pthread_cond_timedwait(&live->signal, &live->signal_mutex, &until);
    }
    struct todo todo = {live->stop, live->feed_woken, live->snapshot_wanted, live->edition_ready};
    live->feed_woken = false;
    live->snapshot_wanted = false;
    (void)pthread_mutex_unlock(&live->signal_mutex);
    return todo;
}

static void do_work(struct gw_live *live, const struct todo *todo, bool ticks, bool beats) {
    if (todo->feed || ticks) { // with each tick too, for what failed before
        live_follow_feed(live);
    }
    if (ticks) {
        live_look_at_workers(live, true);
    }
    if (todo->edition != live->edition_told) {
        live->edition_told = todo->edition;
        live_emit_edition(live, todo->edition);
    }
    if (beats) {
        live_emit_heartbeat(live);
    }
    if (todo->snapshot) {
        live_make_snapshot(live);
    }
    live_wake_readers(live);
}

static void *run(void *context) {
    struct gw_live *live = context;
    int64_t tick_ns = gw_clock_monotonic_ns() + live->tick_ns;
    int64_t beat_ns = gw_clock_monotonic_ns() + live->heartbeat_ns;
    for (;;) {
        struct todo todo = wait_until(live, tick_ns < beat_ns ? tick_ns : beat_ns);
        if (todo.stop) {
            return NULL;
        }
        int64_t now_ns = gw_clock_monotonic_ns();
        bool ticks = now_ns >= tick_ns, beats = now_ns >= beat_ns;
        do_work(live, &todo, ticks, beats);
        tick_ns = ticks ? now_ns + live->tick_ns : tick_ns;
        beat_ns = beats ? now_ns + live->heartbeat_ns : beat_ns;
    }
}

// ---- making and ending ----

static void register_meters(struct live_meters *meters, struct gw_metrics *metrics) {
    if (metrics == NULL) {
        return;
    }
    const char *events = "gridwarden_live_events_total", *help = "Events of the live stream.";
    meters->readers = gw_metrics_gauge(metrics, "gridwarden_live_readers", "",
                                       "Clients that follow the live stream.");
    meters->ring_bytes = gw_metrics_gauge(metrics, "gridwarden_live_ring_bytes", "",
                                          "Bytes of events that are kept for readers.");
    meters->incidents = gw_metrics_gauge(metrics, "gridwarden_live_incidents", "",
                                         "Incidents that the live stream shows.");
    meters->workers = gw_metrics_gauge(metrics, "gridwarden_live_workers", "",
                                       "Workers that the live stream shows.");
    meters->incident_events = gw_metrics_counter(metrics, events, "event=\"incident\"", help);
    meters->worker_events = gw_metrics_counter(metrics, events, "event=\"workers\"", help);
    meters->edition_events = gw_metrics_counter(metrics, events, "event=\"edition\"", help);
    meters->evicted = gw_metrics_counter(metrics, "gridwarden_live_evicted_total", "",
                                         "Events that left the ring for newer ones.");
    meters->fell_behind = gw_metrics_counter(metrics, "gridwarden_live_fell_behind_total", "",
                                             "Readers that were told that they fell behind.");
    meters->snapshots = gw_metrics_counter(metrics, "gridwarden_live_snapshots_total", "",
                                           "Snapshots that were made for readers to share.");
    meters->refused = gw_metrics_counter(metrics, "gridwarden_live_refused_total", "",
                                         "Readers refused since there were too many.");
    meters->look_seconds = gw_metrics_histogram(metrics, "gridwarden_live_look_seconds", "",
                                                "Time to compare and tell all positions.");
}

static void init_locks(struct gw_live *live) {
    pthread_condattr_t attributes;
    (void)pthread_rwlock_init(&live->state, NULL);
    (void)pthread_mutex_init(&live->tiles_mutex, NULL);
    (void)pthread_mutex_init(&live->mutex, NULL);
    (void)pthread_mutex_init(&live->signal_mutex, NULL);
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&live->signal, &attributes);
    (void)pthread_condattr_destroy(&attributes);
}

static gw_err start(struct gw_live *live, struct gw_error *error) {
    uint64_t boot = 0;
    if (getrandom(&boot, sizeof(boot), 0) != (ssize_t)sizeof(boot)) {
        return gw_error_set(error, GW_EUNAVAILABLE, "no random bytes for the live stream's name");
    }
    (void)snprintf(live->boot, sizeof(live->boot), "%016" PRIx64, boot);
    gw_err err = live_list_open(live, error);
    if (err != GW_OK) {
        return err;
    }
    live_look_at_workers(live, false);
    live->subscription = gw_shard_subscribe(live->shard, on_feed, live);
    on_feed(live); // for what came before the subscription
    live->started =
        live->subscription != NULL && pthread_create(&live->thread, NULL, run, live) == 0;
    if (!live->started) {
        return gw_error_set(error, GW_ENOMEM, "no memory or thread for the live stream");
    }
    return GW_OK;
}

gw_err gw_live_create(const struct gw_live_options *options, struct gw_live **live,
                      struct gw_error *error) {
    struct gw_live *made = calloc(1, sizeof(*made));
    if (made == NULL) {
        return gw_error_set(error, GW_ENOMEM, "out of memory for the live stream");
    }
    made->shard = options->shard;
    made->tick_ns = (options->tick_ms > 0 ? options->tick_ms : GW_LIVE_TICK_MS) * NS_A_MS;
    made->heartbeat_ns =
        (options->heartbeat_ms > 0 ? options->heartbeat_ms : HEARTBEAT_MS) * NS_A_MS;
    made->points = (struct gw_tile_points){visit_incidents, visit_workers, made};
    made->oldest_held = UINT64_MAX;
    register_meters(&made->meters, options->metrics);
    init_locks(made);
    ring_init(&made->ring, options->ring_bytes > 0 ? options->ring_bytes : GW_LIVE_RING_BYTES);
    gw_err err = start(made, error);
    if (err != GW_OK) {
        gw_live_destroy(made);
        return err;
    }
    *live = made;
    return GW_OK;
}

void gw_live_destroy(struct gw_live *live) {
    if (live == NULL) {
        return;
    }
    if (live->subscription != NULL) {
        gw_shard_unsubscribe(live->shard, live->subscription);
    }
    if (live->started) {
        (void)pthread_mutex_lock(&live->signal_mutex);
        live->stop = true;
        (void)pthread_cond_signal(&live->signal);
        (void)pthread_mutex_unlock(&live->signal_mutex);
        (void)pthread_join(live->thread, NULL);
    }
    live_snapshot_release(&live->snapshot);
    ring_deinit(&live->ring);
    open_incidents_deinit(&live->incidents);
    crew_deinit(&live->crew);
    gw_buffer_free(&live->data);
    gw_buffer_free(&live->text);
    (void)pthread_rwlock_destroy(&live->state);
    (void)pthread_mutex_destroy(&live->tiles_mutex);
    (void)pthread_mutex_destroy(&live->mutex);
    (void)pthread_mutex_destroy(&live->signal_mutex);
    (void)pthread_cond_destroy(&live->signal);
    free(live);
}
