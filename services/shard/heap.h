// Binary heap of incidents by a time, smallest first: timers of offers, age of what nobody took.
// Entries that have become stale stay until they come up or heap_keep throws them out.
#ifndef GW_SERVICES_SHARD_HEAP_H
#define GW_SERVICES_SHARD_HEAP_H

#include "services/incidents/incident.h"

struct heap_item {
    int64_t time_ms;
    uint32_t attempt;
    char id[GW_INCIDENT_ID_SIZE];
};

struct heap {
    struct heap_item *items;
    size_t count, capacity;
};

// Aborts when out of memory.
void heap_push(struct heap *heap, const struct heap_item *item);
// NULL when empty; valid until the next change.
const struct heap_item *heap_first(const struct heap *heap);
void heap_pop(struct heap *heap);
// Throws out every item that `keep` says no to.
void heap_keep(struct heap *heap, bool (*keep)(void *context, const struct heap_item *item),
               void *context);
void heap_free(struct heap *heap);

#endif
