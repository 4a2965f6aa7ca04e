// Everybody with a position, for who draws them on a map.
#include "services/workers/roster.h"

enum { VISITED_AT_ONCE = 1024 }; // under one hold of the lock, so that a writer never waits long

static void visit_row(const struct gw_workers *workers, uint32_t handle,
                      void (*visit)(void *context, const struct gw_worker_place *place),
                      void *context) {
    struct gw_worker_place place = {.handle = handle};
    struct gw_worker_bits bits;
    if (!gw_worker_index_get(workers->index, handle, &place.point, &bits)) {
        return;
    }
    const struct gw_roster_row *row = &workers->rows[handle];
    place.id = row->message->id;
    place.time_ms = bits.time_ms;
    place.on_duty = (bits.flags & GW_FLAG_DUTY_ON) != 0;
    place.full_time = (bits.flags & GW_FLAG_FULL_TIME) != 0;
    place.load = row->reservation_count;
    visit(context, &place);
}

uint32_t gw_workers_visit_positions(struct gw_workers *workers,
                                    void (*visit)(void *context,
                                                  const struct gw_worker_place *place),
                                    void *context) {
    uint32_t handle = 0, count = 0;
    do {
        gw_workers_lock_read(workers);
        count = workers->count;
        for (uint32_t i = 0; i < VISITED_AT_ONCE && handle < count; i++) {
            visit_row(workers, handle++, visit, context);
        }
        gw_workers_unlock(workers);
    } while (handle < count);
    return count;
}
