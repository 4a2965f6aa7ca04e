// Pieces of text that many readers share, and the ring of the latest events. Private to
// services/live. The ring has no lock; blocks are counted with atomics.
#ifndef GW_SERVICES_LIVE_RING_H
#define GW_SERVICES_LIVE_RING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RING_EVENTS_MAX 65536u

// Text with a count of who holds it; immutable.
struct block {
    atomic_uint references;
    bool workers; // passed over by readers without workers
    size_t size;
    char text[];
};

struct block *block_create(const char *text, size_t size); // one reference; NULL: out of memory
struct block *block_retain(struct block *block);
void block_release(struct block *block); // accepts NULL

// Event n is at n % RING_EVENTS_MAX; first .. next - 1 are there, counted from 1.
struct ring {
    struct block *events[RING_EVENTS_MAX];
    uint64_t first, next;
    size_t bytes, bytes_max;
    uint64_t bytes_ever; // put in since the beginning
};

void ring_init(struct ring *ring, size_t bytes_max);
void ring_deinit(struct ring *ring);
// Puts the next event in, whose reference is the ring's from here on, and lets go of the oldest as
// far as needed; returns how many.
uint32_t ring_put(struct ring *ring, struct block *event);
struct block *ring_at(const struct ring *ring, uint64_t n); // NULL: not there
// What an event takes of the ring's bytes.
size_t ring_cost(const struct block *event);

#endif
