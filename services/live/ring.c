#include "services/live/ring.h"

#include <stdlib.h>
#include <string.h>

enum { ALLOCATION_BYTES = 16 };

struct block *block_create(const char *text, size_t size) {
    struct block *block = malloc(sizeof(*block) + size);
    if (block != NULL) {
        atomic_init(&block->references, 1);
        block->workers = false;
        block->size = size;
        if (size > 0) {
            memcpy(block->text, text, size);
        }
    }
    return block;
}

struct block *block_retain(struct block *block) {
    atomic_fetch_add(&block->references, 1);
    return block;
}

void block_release(struct block *block) {
    if (block != NULL && atomic_fetch_sub(&block->references, 1) == 1) {
        free(block);
    }
}

void ring_init(struct ring *ring, size_t bytes_max) {
    memset(ring, 0, sizeof(*ring));
    ring->first = 1;
    ring->next = 1;
    ring->bytes_max = bytes_max;
}

size_t ring_cost(const struct block *event) {
    return sizeof(*event) + ALLOCATION_BYTES + event->size;
}

static void drop_first(struct ring *ring) {
    struct block **slot = &ring->events[ring->first++ % RING_EVENTS_MAX];
    ring->bytes -= ring_cost(*slot);
    block_release(*slot);
    *slot = NULL;
}

void ring_deinit(struct ring *ring) {
    while (ring->first < ring->next) {
        drop_first(ring);
    }
}

uint32_t ring_put(struct ring *ring, struct block *event) {
    uint32_t dropped = 0;
    size_t cost = ring_cost(event);
    while (ring->first < ring->next &&
           (ring->next - ring->first == RING_EVENTS_MAX || ring->bytes + cost > ring->bytes_max)) {
        drop_first(ring);
        dropped++;
    }
    ring->events[ring->next++ % RING_EVENTS_MAX] = event;
    ring->bytes += cost;
    ring->bytes_ever += cost;
    return dropped;
}

struct block *ring_at(const struct ring *ring, uint64_t n) {
    return n >= ring->first && n < ring->next ? ring->events[n % RING_EVENTS_MAX] : NULL;
}
