// The recent durable entries in memory, for watches: a bounded ring of counted references.
#ifndef GW_SERVICES_SHARD_FEED_H
#define GW_SERVICES_SHARD_FEED_H

#include "services/shard/shard.h"

#include <pthread.h>

#define FEED_ENTRIES_MAX 1024u
#define FEED_BYTES_MAX (32u << 20) // of packed entries; at least the last one is always kept

struct feed_entry {
    Gridwarden__Store__V1__LogEntry *message;
    size_t bytes;
    uint32_t references; // under the feed's mutex
};

struct feed {
    pthread_mutex_t mutex;                     // of everything but the subscriptions
    struct feed_entry *ring[FEED_ENTRIES_MAX]; // entry n at n % FEED_ENTRIES_MAX
    uint64_t first, head;                      // of the ring: first .. head, empty if first > head
    size_t bytes;
    pthread_mutex_t subscriptions_mutex;
    struct gw_shard_subscription *subscriptions;
};

// `head`: the last durable entry, which is only in the log.
void feed_init(struct feed *feed, uint64_t head);
void feed_deinit(struct feed *feed);

// Puts the next durable entry in, which it owns from now on. Aborts when out of memory.
void feed_publish(struct feed *feed, Gridwarden__Store__V1__LogEntry *entry, size_t bytes);
// Calls every subscription.
void feed_wake(struct feed *feed);
uint64_t feed_head(struct feed *feed);

// As gw_shard_subscribe, gw_shard_unsubscribe and gw_shard_read.
struct gw_shard_subscription *feed_subscribe(struct feed *feed, void (*wake)(void *context),
                                             void *context);
void feed_unsubscribe(struct feed *feed, struct gw_shard_subscription *subscription);
GW_MUST_CHECK gw_err feed_read(struct feed *feed, struct gw_log *log, uint64_t after,
                               bool (*visit)(void *context,
                                             const Gridwarden__Store__V1__LogEntry *entry),
                               void *context, struct gw_error *error);

#endif
