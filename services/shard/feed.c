#include "services/shard/feed.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { READ_AT_ONCE = 32 }; // entries held beyond the lock

struct gw_shard_subscription {
    struct gw_shard_subscription *next;
    void (*wake)(void *context);
    void *context;
};

void feed_init(struct feed *feed, uint64_t head) {
    memset(feed, 0, sizeof(*feed));
    feed->first = head + 1u;
    feed->head = head;
    (void)pthread_mutex_init(&feed->mutex, NULL);
    (void)pthread_mutex_init(&feed->subscriptions_mutex, NULL);
}

static void unreference(struct feed_entry *entry) {
    if (--entry->references == 0) {
        gridwarden__store__v1__log_entry__free_unpacked(entry->message, NULL);
        free(entry);
    }
}

static void drop_first(struct feed *feed) {
    struct feed_entry **slot = &feed->ring[feed->first % FEED_ENTRIES_MAX];
    feed->bytes -= (*slot)->bytes;
    unreference(*slot);
    *slot = NULL;
    feed->first++;
}

void feed_deinit(struct feed *feed) {
    while (feed->first <= feed->head) {
        drop_first(feed);
    }
    while (feed->subscriptions != NULL) {
        struct gw_shard_subscription *next = feed->subscriptions->next;
        free(feed->subscriptions);
        feed->subscriptions = next;
    }
    (void)pthread_mutex_destroy(&feed->subscriptions_mutex);
    (void)pthread_mutex_destroy(&feed->mutex);
}

void feed_publish(struct feed *feed, Gridwarden__Store__V1__LogEntry *message, size_t bytes) {
    struct feed_entry *entry = malloc(sizeof(*entry));
    if (entry == NULL) {
        abort();
    }
    *entry = (struct feed_entry){message, bytes, 1};
    (void)pthread_mutex_lock(&feed->mutex);
    while (feed->first <= feed->head && (feed->head - feed->first + 1u == FEED_ENTRIES_MAX ||
                                         feed->bytes + bytes > FEED_BYTES_MAX)) {
        drop_first(feed);
    }
    feed->head++;
    feed->ring[feed->head % FEED_ENTRIES_MAX] = entry;
    feed->bytes += bytes;
    (void)pthread_mutex_unlock(&feed->mutex);
}

void feed_wake(struct feed *feed) {
    (void)pthread_mutex_lock(&feed->subscriptions_mutex);
    for (struct gw_shard_subscription *s = feed->subscriptions; s != NULL; s = s->next) {
        s->wake(s->context);
    }
    (void)pthread_mutex_unlock(&feed->subscriptions_mutex);
}

uint64_t feed_head(struct feed *feed) {
    (void)pthread_mutex_lock(&feed->mutex);
    uint64_t head = feed->head;
    (void)pthread_mutex_unlock(&feed->mutex);
    return head;
}

// References to entries after `after`, as far as they are in the ring; *missing when they are
// durable but no longer here.
static size_t borrow(struct feed *feed, uint64_t after, struct feed_entry *entries[READ_AT_ONCE],
                     bool *missing) {
    size_t count = 0;
    (void)pthread_mutex_lock(&feed->mutex);
    *missing = after < feed->head && after + 1u < feed->first;
    for (uint64_t n = after + 1u; !*missing && n <= feed->head && count < READ_AT_ONCE; n++) {
        entries[count] = feed->ring[n % FEED_ENTRIES_MAX];
        entries[count++]->references++;
    }
    (void)pthread_mutex_unlock(&feed->mutex);
    return count;
}

static void give_back(struct feed *feed, struct feed_entry *entries[], size_t count) {
    (void)pthread_mutex_lock(&feed->mutex);
    for (size_t i = 0; i < count; i++) {
        unreference(entries[i]);
    }
    (void)pthread_mutex_unlock(&feed->mutex);
}

struct log_reader {
    bool (*visit)(void *context, const Gridwarden__Store__V1__LogEntry *entry);
    void *context;
    uint64_t last, until; // visited; not to go beyond
    bool stopped, damaged;
};

static bool visit_logged(void *context, uint64_t sequence, struct gw_slice bytes) {
    struct log_reader *reader = context;
    if (sequence > reader->until) {
        return false;
    }
    Gridwarden__Store__V1__LogEntry *entry =
        gridwarden__store__v1__log_entry__unpack(NULL, bytes.size, bytes.data);
    reader->damaged = entry == NULL;
    if (entry == NULL) {
        return false;
    }
    reader->stopped = !reader->visit(reader->context, entry);
    reader->last = sequence;
    gridwarden__store__v1__log_entry__free_unpacked(entry, NULL);
    return !reader->stopped;
}

static gw_err read_logged(struct log_reader *reader, struct gw_log *log, struct gw_error *error) {
    uint64_t from = reader->last + 1u;
    gw_err err = log->ops->read(log, from, visit_logged, reader, error);
    if (err == GW_OK && (reader->damaged || (reader->last + 1u == from && !reader->stopped))) {
        err = gw_error_set(error, GW_ECORRUPT, "log entry %" PRIu64 " can't be read",
                           reader->last + 1u);
    }
    return err;
}

gw_err feed_read(struct feed *feed, struct gw_log *log, uint64_t after,
                 bool (*visit)(void *context, const Gridwarden__Store__V1__LogEntry *entry),
                 void *context, struct gw_error *error) {
    struct log_reader reader = {visit, context, after, feed_head(feed), false, false};
    if (after > reader.until) {
        return gw_error_set(error, GW_ERANGE,
                            "position %" PRIu64 " lies ahead of the log, which ends at %" PRIu64
                            ": start anew without a token",
                            after, reader.until);
    }
    gw_err err = GW_OK;
    while (err == GW_OK && !reader.stopped) {
        struct feed_entry *entries[READ_AT_ONCE];
        bool missing = false;
        size_t count = borrow(feed, reader.last, entries, &missing);
        if (missing) {
            reader.until = feed_head(feed);
            err = read_logged(&reader, log, error);
        } else if (count == 0) {
            break;
        }
        for (size_t i = 0; i < count && !reader.stopped; i++) {
            reader.stopped = !visit(context, entries[i]->message);
            reader.last++;
        }
        give_back(feed, entries, count);
    }
    return err;
}

struct gw_shard_subscription *feed_subscribe(struct feed *feed, void (*wake)(void *context),
                                             void *context) {
    struct gw_shard_subscription *subscription = malloc(sizeof(*subscription));
    if (subscription == NULL) {
        return NULL;
    }
    (void)pthread_mutex_lock(&feed->subscriptions_mutex);
    *subscription = (struct gw_shard_subscription){feed->subscriptions, wake, context};
    feed->subscriptions = subscription;
    (void)pthread_mutex_unlock(&feed->subscriptions_mutex);
    return subscription;
}

void feed_unsubscribe(struct feed *feed, struct gw_shard_subscription *subscription) {
    (void)pthread_mutex_lock(&feed->subscriptions_mutex);
    for (struct gw_shard_subscription **at = &feed->subscriptions; *at != NULL; at = &(*at)->next) {
        if (*at == subscription) {
            *at = subscription->next;
            free(subscription);
            break;
        }
    }
    (void)pthread_mutex_unlock(&feed->subscriptions_mutex);
}
