// What is asked about the roster: totals, one worker, lists, a grid's people.
#include "services/workers/roster.h"
#include <stdlib.h>
#include <string.h>

void gw_workers_totals(struct gw_workers *workers, struct gw_workers_totals *totals) {
    gw_workers_lock_read(workers);
    *totals = (struct gw_workers_totals){
        .workers = workers->count,
        .on_duty = workers->on_duty,
        .with_position = gw_worker_index_count(workers->index),
        .reserved_places = workers->reserved_places,
    };
    gw_workers_unlock(workers);
}

Gridwarden__V1__Worker *gw_workers_get(struct gw_workers *workers, const char *worker_id) {
    gw_workers_lock_read(workers);
    uint32_t handle = gw_roster_find(workers, worker_id);
    Gridwarden__V1__Worker *worker =
        handle == GW_ROSTER_NONE ? NULL : gw_roster_copy(workers, handle);
    gw_workers_unlock(workers);
    return worker;
}

uint32_t gw_workers_list(struct gw_workers *workers, const char *after, const char *code_prefix,
                         uint32_t count_max, Gridwarden__V1__Worker *out[]) {
    uint32_t count = 0;
    gw_workers_lock_read(workers);
    struct gw_order_place place = gw_order_seek(workers, after);
    while (count < count_max) {
        uint32_t handle = gw_order_next(workers, &place);
        if (handle == GW_ROSTER_NONE) {
            break;
        }
        if (*code_prefix != '\0' && !gw_roster_under(workers, handle, code_prefix)) {
            continue;
        }
        out[count] = gw_roster_copy(workers, handle);
        if (out[count] == NULL) {
            break; // out of memory: a short page, and the next one goes on from here
        }
        count++;
    }
    gw_workers_unlock(workers);
    return count;
}

static int by_text(const void *left, const void *right) {
    const char *const *a = left, *const *b = right;
    return strcmp(*a, *b);
}

// The smallest `count_max` ids of a list, sorted, into out[].
static uint32_t smallest_ids(const struct gw_workers *workers, const struct gw_handles *list,
                             uint32_t count_max, char *out[]) {
    const char **ids = malloc((list->count + 1) * sizeof(ids[0]));
    if (ids == NULL) {
        return 0;
    }
    for (uint32_t i = 0; i < list->count; i++) {
        ids[i] = gw_roster_id(workers, list->items[i]);
    }
    qsort(ids, list->count, sizeof(ids[0]), by_text);
    uint32_t count = 0;
    while (count < count_max && count < list->count) {
        out[count] = strdup(ids[count]);
        if (out[count] == NULL) {
            break;
        }
        count++;
    }
    free(ids);
    return count;
}

uint32_t gw_workers_roster(struct gw_workers *workers, const char *grid_code, uint32_t count_max,
                           char *out[]) {
    gw_workers_lock_read(workers);
    uint32_t grid = gw_edition_find_grid(workers->edition, grid_code);
    uint32_t count =
        grid == GW_GRID_NONE ? 0 : smallest_ids(workers, &workers->rosters[grid], count_max, out);
    gw_workers_unlock(workers);
    return count;
}
