// Ids in byte order, as a list of sorted chunks: an insert moves 2 KB at most, however many there
// are.
#include "services/workers/roster.h"
#include <stdlib.h>
#include <string.h>

// How many of `count` handles have ids <= id.
static uint32_t rank(const struct gw_workers *workers, const uint32_t handles[], uint32_t count,
                     const char *id) {
    uint32_t low = 0, high = count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (strcmp(gw_roster_id(workers, handles[middle]), id) <= 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

// The last chunk whose first id is <= id; 0 when there is none.
static uint32_t chunk_of(const struct gw_workers *workers, const char *id) {
    uint32_t low = 1, high = workers->order_count; // the first chunk needs no look: it may be empty
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (strcmp(gw_roster_id(workers, workers->order[middle]->handles[0]), id) <= 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low - 1;
}

// Puts an empty chunk in at `at`.
static struct gw_order_chunk *add_chunk(struct gw_workers *workers, uint32_t at) {
    if (workers->order_count == workers->order_capacity) {
        workers->order_capacity = workers->order_capacity == 0 ? 16 : 2 * workers->order_capacity;
        workers->order =
            gw_must_alloc(workers->order, workers->order_capacity * sizeof(workers->order[0]));
    }
    memmove(&workers->order[at + 1], &workers->order[at],
            (workers->order_count - at) * sizeof(workers->order[0]));
    workers->order_count++;
    workers->order[at] = gw_must_alloc(NULL, sizeof(*workers->order[at]));
    workers->order[at]->count = 0;
    return workers->order[at];
}

void gw_order_insert(struct gw_workers *workers, uint32_t handle) {
    const char *id = gw_roster_id(workers, handle);
    if (workers->order_count == 0) {
        (void)add_chunk(workers, 0);
    }
    uint32_t at = chunk_of(workers, id);
    struct gw_order_chunk *chunk = workers->order[at];
    if (chunk->count == GW_ORDER_CHUNK_MAX) {
        struct gw_order_chunk *upper = add_chunk(workers, at + 1);
        upper->count = GW_ORDER_CHUNK_MAX / 2;
        chunk->count -= upper->count;
        memcpy(upper->handles, chunk->handles + chunk->count,
               upper->count * sizeof(upper->handles[0]));
        chunk = workers->order[chunk_of(workers, id)];
    }
    uint32_t i = rank(workers, chunk->handles, chunk->count, id);
    memmove(&chunk->handles[i + 1], &chunk->handles[i],
            (chunk->count - i) * sizeof(chunk->handles[0]));
    chunk->handles[i] = handle;
    chunk->count++;
}

struct gw_order_place gw_order_seek(const struct gw_workers *workers, const char *after) {
    struct gw_order_place place = {chunk_of(workers, after), 0};
    if (place.chunk < workers->order_count) {
        const struct gw_order_chunk *chunk = workers->order[place.chunk];
        place.i = rank(workers, chunk->handles, chunk->count, after);
    }
    return place;
}

uint32_t gw_order_next(const struct gw_workers *workers, struct gw_order_place *place) {
    if (place->chunk < workers->order_count && place->i == workers->order[place->chunk]->count) {
        place->chunk++;
        place->i = 0;
    }
    if (place->chunk >= workers->order_count) {
        return GW_ROSTER_NONE;
    }
    return workers->order[place->chunk]->handles[place->i++];
}

void gw_order_deinit(struct gw_workers *workers) {
    for (uint32_t i = 0; i < workers->order_count; i++) {
        free(workers->order[i]);
    }
    free(workers->order);
}
