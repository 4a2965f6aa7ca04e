#include "services/base/clock.h"
#include "services/shard/writer.h"

#include <stdlib.h>
#include <string.h>

// The wall clock, but for when it was set back, behind itself or behind the log: then time goes on
// at half its pace until the wall clock has caught up. Standing still, no offer would ever lapse.
static int64_t steady_clock(void *context) {
    struct gw_shard *shard = context;
    int64_t wall_ms = gw_clock_wall_ms(), monotonic_ns = gw_clock_monotonic_ns();
    int64_t steady_ms = shard->steady_ms + (monotonic_ns - shard->steady_ns) / 2000000;
    if (wall_ms < steady_ms) {
        return steady_ms;
    }
    shard->steady_ms = wall_ms;
    shard->steady_ns = monotonic_ns;
    return wall_ms;
}

static void shard_free(struct gw_shard *shard) {
    queue_deinit(&shard->queue);
    feed_deinit(&shard->feed);
    table_free(&shard->open);
    heap_free(&shard->timers);
    heap_free(&shard->unassigned);
    gw_workers_destroy(shard->workers);
    gw_current_release(shard->current, shard->edition);
    (void)pthread_mutex_destroy(&shard->totals_mutex);
    free(shard);
}

gw_err gw_shard_open(const struct gw_shard_options *options, struct gw_shard **out,
                     struct gw_error *error) {
    if (options->current == NULL) {
        return gw_error_set(error, GW_EINVAL,
                            "no edition is published: import one with `gridwarden import`");
    }
    struct gw_shard *shard = calloc(1, sizeof(*shard));
    if (shard == NULL) {
        return gw_error_set(error, GW_ENOMEM, "out of memory");
    }
    shard->store = options->store;
    shard->log = options->log;
    shard->current = options->current;
    shard->edition = gw_current_take(options->current);
    shard->policy = *options->policy;
    shard->open.id_of = table_incident_id;
    shard->now_ms = options->now_ms != NULL ? options->now_ms : steady_clock;
    shard->clock_context = options->now_ms != NULL ? options->clock_context : shard;
    atomic_init(&shard->writable, true);
    (void)pthread_mutex_init(&shard->totals_mutex, NULL);
    queue_init(&shard->queue, GW_SHARD_QUEUE_MAX);
    shard->workers = gw_workers_create(shard->edition);
    gw_err err = shard->workers != NULL ? shard_load(shard, error)
                                        : gw_error_set(error, GW_ENOMEM, "out of memory");
    feed_init(&shard->feed, shard->chain.sequence);
    if (err != GW_OK) {
        shard_free(shard);
        return err;
    }
    shard->steady_ms = shard->chain.time_ms;
    shard->steady_ns = gw_clock_monotonic_ns();
    meters_register(&shard->meters, options->metrics);
    int64_t now_ms = shard->now_ms(shard->clock_context);
    shard->snapshot_due_ms = now_ms + SHARD_SNAPSHOT_MS;
    shard_publish_totals(shard, now_ms);
    *out = shard;
    return GW_OK;
}

static void *writer_main(void *context) {
    writer_run(context);
    return NULL;
}

gw_err gw_shard_start(struct gw_shard *shard, struct gw_error *error) {
    int failed = pthread_create(&shard->thread, NULL, writer_main, shard);
    if (failed != 0) {
        return gw_error_set(error, GW_EUNAVAILABLE, "the writer thread could not start: %s",
                            strerror(failed));
    }
    shard->has_thread = true;
    return GW_OK;
}

uint32_t gw_shard_step(struct gw_shard *shard) {
    return shard->has_thread ? 0 : writer_step(shard);
}

void gw_shard_close(struct gw_shard *shard) {
    if (shard == NULL) {
        return;
    }
    queue_close(&shard->queue);
    if (shard->has_thread) {
        (void)pthread_join(shard->thread, NULL);
    }
    writer_run(shard); // what a writer of its own has left: nothing
    writer_snapshot(shard);
    shard_free(shard);
}

struct gw_workers *gw_shard_workers(struct gw_shard *shard) {
    return shard->workers;
}

bool gw_shard_writable(struct gw_shard *shard) {
    return atomic_load(&shard->writable);
}

void gw_shard_submit(struct gw_shard *shard, const struct gw_shard_command *caller) {
    struct command *command = NULL;
    struct gw_error error = {GW_OK, ""};
    enum outcome outcome = OUTCOME_REFUSED;
    const struct gw_edition *edition = gw_current_take(shard->current);
    gw_err err = command_create(caller, edition, &shard->policy, &command, &error);
    gw_current_release(shard->current, edition);
    if (err == GW_OK) {
        outcome = OUTCOME_UNAVAILABLE;
        err = queue_put(&shard->queue, command);
        if (err == GW_ENOSPC) {
            (void)gw_error_set(&error, err, "%u writes are waiting already: try again in a second",
                               GW_SHARD_QUEUE_MAX);
        } else if (err != GW_OK) {
            (void)gw_error_set(&error, err,
                               "this node is stopping: repeat the request on the next one");
        }
    }
    if (err != GW_OK) {
        int kind = command_kind(caller->request);
        if (kind < COMMAND_KIND_COUNT) {
            meters_count(&shard->meters, kind, outcome);
        }
        gw_edition_close(caller->edition);
        free(command);
        caller->done(caller->context, &error, NULL);
    }
}

void gw_shard_totals(struct gw_shard *shard, struct gw_shard_totals *totals) {
    (void)pthread_mutex_lock(&shard->totals_mutex);
    *totals = shard->totals;
    (void)pthread_mutex_unlock(&shard->totals_mutex);
    totals->queued_commands = queue_count(&shard->queue);
}

struct gw_shard_subscription *gw_shard_subscribe(struct gw_shard *shard,
                                                 void (*wake)(void *context), void *context) {
    return feed_subscribe(&shard->feed, wake, context);
}

void gw_shard_unsubscribe(struct gw_shard *shard, struct gw_shard_subscription *subscription) {
    feed_unsubscribe(&shard->feed, subscription);
}

uint64_t gw_shard_head(struct gw_shard *shard) {
    return feed_head(&shard->feed);
}

gw_err gw_shard_read(struct gw_shard *shard, uint64_t after,
                     bool (*visit)(void *context, const Gridwarden__Store__V1__LogEntry *entry),
                     void *context, struct gw_error *error) {
    return feed_read(&shard->feed, shard->log, after, visit, context, error);
}
