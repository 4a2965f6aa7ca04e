#include "services/api/watch.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define HEARTBEAT_MS 15000
#define ENTRIES_A_TURN 64u // then other calls of the loop have theirs
#define TOKEN_SIZE 48

struct position {
    uint64_t sequence; // the entry being read; all before it have been sent
    uint32_t events;   // how many of its events have been sent
};

struct gw_watch {
    struct gw_watches *watches;
    const struct gw_watch_kind *kind;
    struct gw_rpc_call *call;
    struct gw_shard_subscription *subscription;
    struct position position;
    bool in_snapshot;
    atomic_bool beat; // a heartbeat is due
    void *state;
    struct gw_watch *next, *previous; // in watches
    uint32_t entries_left;            // of this turn
    gw_err err;                       // of this turn
    struct gw_error error;
};

struct gw_watches {
    struct gw_shard *shard;
    int64_t heartbeat_ms;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t stopped;
    bool stop;
    struct gw_watch *first;
};

void *gw_watch_state(struct gw_watch *watch) {
    return watch->state;
}

struct gw_shard *gw_watch_shard(struct gw_watch *watch) {
    return watch->watches->shard;
}

struct gw_rpc_call *gw_watch_call(struct gw_watch *watch) {
    return watch->call;
}

static void write_token(struct position position, char out[TOKEN_SIZE]) {
    (void)snprintf(out, TOKEN_SIZE, "0:%" PRIu64 ".%" PRIu32, position.sequence, position.events);
}

static gw_err parse_token(const char *token, struct position *position, struct gw_error *error) {
    struct position parsed = {0, 0};
    char again[TOKEN_SIZE], *end = NULL;
    if (strncmp(token, "0:", 2) == 0) {
        parsed.sequence = strtoull(token + 2, &end, 10);
    }
    if (end != NULL && *end == '.') {
        parsed.events = (uint32_t)strtoull(end + 1, NULL, 10);
    }
    write_token(parsed, again);
    if (strcmp(token, again) != 0) { // only what we write ourselves
        return gw_error_set(error, GW_EINVAL,
                            "token is not one of a watch; leave it empty to start anew");
    }
    *position = parsed;
    return GW_OK;
}

// --- heartbeats ---

static void *beat(void *context) {
    struct gw_watches *watches = context;
    (void)pthread_mutex_lock(&watches->lock);
    while (!watches->stop) {
        struct timespec until;
        (void)clock_gettime(CLOCK_MONOTONIC, &until);
        int64_t nanoseconds = until.tv_nsec + watches->heartbeat_ms % 1000 * 1000000;
        until.tv_sec += (time_t)(watches->heartbeat_ms / 1000 + nanoseconds / 1000000000);
        until.tv_nsec = (long)(nanoseconds % 1000000000);
        int waited = 0;
        while (!watches->stop && waited != ETIMEDOUT) {
            waited = pthread_cond_timedwait(&watches->stopped, &watches->lock, &until);
        }
        for (struct gw_watch *watch = watches->first; !watches->stop && watch != NULL;
             watch = watch->next) {
            atomic_store(&watch->beat, true);
            gw_rpc_wake(watch->call); // alive: its `done` waits for the lock
        }
    }
    (void)pthread_mutex_unlock(&watches->lock);
    return NULL;
}

gw_err gw_watches_create(struct gw_shard *shard, int64_t heartbeat_ms, struct gw_watches **out,
                         struct gw_error *error) {
    struct gw_watches *watches = calloc(1, sizeof(*watches));
    if (watches == NULL) {
        return gw_error_set(error, GW_ENOMEM, "not enough memory to start");
    }
    watches->shard = shard;
    watches->heartbeat_ms = heartbeat_ms > 0 ? heartbeat_ms : HEARTBEAT_MS;
    pthread_condattr_t attributes;
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&watches->stopped, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    (void)pthread_mutex_init(&watches->lock, NULL);
    int failed = pthread_create(&watches->thread, NULL, beat, watches);
    if (failed != 0) {
        (void)pthread_cond_destroy(&watches->stopped);
        (void)pthread_mutex_destroy(&watches->lock);
        free(watches);
        return gw_error_set(error, GW_EUNAVAILABLE, "can't start a thread: %s", strerror(failed));
    }
    *out = watches;
    return GW_OK;
}

void gw_watches_destroy(struct gw_watches *watches) {
    if (watches == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&watches->lock);
    watches->stop = true;
    (void)pthread_cond_signal(&watches->stopped);
    (void)pthread_mutex_unlock(&watches->lock);
    (void)pthread_join(watches->thread, NULL);
    (void)pthread_cond_destroy(&watches->stopped);
    (void)pthread_mutex_destroy(&watches->lock);
    free(watches);
}

// --- one watch ---

static void wake(void *context) {
    struct gw_watch *watch = context;
    gw_rpc_wake(watch->call); // alive: its `done` unsubscribes first
}

static void done(struct gw_rpc_call *call, void *state) {
    (void)call;
    struct gw_watch *watch = state;
    struct gw_watches *watches = watch->watches;
    gw_shard_unsubscribe(watches->shard, watch->subscription);
    (void)pthread_mutex_lock(&watches->lock);
    if (watch->previous != NULL) {
        watch->previous->next = watch->next;
    } else {
        watches->first = watch->next;
    }
    if (watch->next != NULL) {
        watch->next->previous = watch->previous;
    }
    (void)pthread_mutex_unlock(&watches->lock);
    free(watch->state);
    free(watch);
}

// Sends the events of an entry that the reader does not have yet; false ends the reading.
static bool send_entry(void *context, const Gridwarden__Store__V1__LogEntry *entry) {
    struct gw_watch *watch = context;
    if (watch->entries_left-- == 0) {
        return false;
    }
    uint32_t first = entry->sequence == watch->position.sequence ? watch->position.events : 0;
    for (size_t i = first; i < entry->n_events; i++) {
        char token[TOKEN_SIZE];
        struct position after = {entry->sequence, (uint32_t)i + 1};
        write_token(after, token);
        watch->err = watch->kind->event(watch, entry, i, token, &watch->error);
        if (watch->err != GW_OK) {
            return false;
        }
        watch->position = after;
    }
    // The whole entry is behind the reader; what comes is after it.
    watch->position = (struct position){entry->sequence, (uint32_t)entry->n_events};
    return true;
}

static gw_err read_feed(struct gw_watch *watch) {
    // The entry that the position is in is read again; its first events are skipped.
    uint64_t after = watch->position.sequence > 0 ? watch->position.sequence - 1 : 0;
    watch->err = GW_OK;
    watch->entries_left = ENTRIES_A_TURN;
    gw_err err = gw_shard_read(watch->watches->shard, after, send_entry, watch, &watch->error);
    return err != GW_OK ? err : watch->err;
}

static gw_err send_snapshot(struct gw_watch *watch) {
    bool more = false;
    gw_err err = watch->kind->snapshot(watch, &more, &watch->error);
    if (err == GW_OK && more) {
        gw_rpc_wake(watch->call); // the turn is over, the snapshot is not
    } else if (err == GW_OK) {
        watch->in_snapshot = false;
        atomic_store(&watch->beat, true); // which brings the first token
    }
    return err;
}

static gw_err send_heartbeat(struct gw_watch *watch) {
    char token[TOKEN_SIZE];
    write_token(watch->position, token);
    gw_err err = watch->kind->heartbeat(watch, token);
    if (err == GW_ENOSPC) {
        atomic_store(&watch->beat, true); // still due
    }
    return err;
}

static void run(struct gw_rpc_call *call, void *state) {
    struct gw_watch *watch = state;
    gw_err err = watch->in_snapshot ? send_snapshot(watch) : GW_OK;
    if (err == GW_OK && !watch->in_snapshot) {
        err = read_feed(watch);
        if (err == GW_OK && watch->position.sequence < gw_shard_head(watch->watches->shard)) {
            gw_rpc_wake(call); // the turn is over, the feed is not
        } else if (err == GW_OK && atomic_exchange(&watch->beat, false)) {
            err = send_heartbeat(watch);
        }
    }
    if (err != GW_OK && err != GW_ENOSPC && err != GW_ECANCELLED) {
        gw_rpc_finish(call, &watch->error);
    }
}

void gw_watch_start(struct gw_watches *watches, const struct gw_watch_kind *kind,
                    struct gw_rpc_call *call, const char *token, void *state) {
    struct gw_error error;
    struct gw_watch *watch = state != NULL ? calloc(1, sizeof(*watch)) : NULL;
    uint64_t head = gw_shard_head(watches->shard);
    struct position position = {head, UINT32_MAX};
    gw_err err = watch == NULL
                     ? gw_error_set(&error, GW_ENOMEM, "not enough memory for another watch")
                     : GW_OK;
    if (err == GW_OK && token[0] != '\0') {
        err = parse_token(token, &position, &error);
    }
    if (err == GW_OK && position.sequence > head) {
        err = gw_error_set(&error, GW_ERANGE,
                           "the token is ahead of this node's history; start anew without one");
    }
    if (err != GW_OK) {
        gw_rpc_finish(call, &error);
        free(watch);
        free(state);
        return;
    }
    *watch = (struct gw_watch){
        .watches = watches,
        .kind = kind,
        .call = call,
        .position = position,
        .in_snapshot = token[0] == '\0' && kind->snapshot != NULL,
        .state = state,
    };
    gw_rpc_call_set_stream(call, watch, run, done);
    (void)pthread_mutex_lock(&watches->lock);
    watch->next = watches->first;
    if (watches->first != NULL) {
        watches->first->previous = watch;
    }
    watches->first = watch;
    (void)pthread_mutex_unlock(&watches->lock);
    watch->subscription = gw_shard_subscribe(watches->shard, wake, watch);
    if (watch->subscription == NULL) {
        (void)gw_error_set(&error, GW_ENOMEM, "not enough memory for another watch");
        gw_rpc_finish(call, &error);
        return;
    }
    gw_rpc_wake(call);
}
