#include "services/live/crew.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS_MIN = 64, LOOKS_MAX = 4 };

void crew_deinit(struct crew *crew) {
    free(crew->rows);
    *crew = (struct crew){0};
}

static bool same(const struct crew_row *row, const struct gw_worker_place *place) {
    return row->shown && row->point.lon == place->point.lon && row->point.lat == place->point.lat &&
           row->time_ms == place->time_ms && row->load == place->load &&
           row->on_duty == place->on_duty && row->full_time == place->full_time;
}

// Under the workers' lock: compares and copies. For whom there is no room, he is left for the next
// look.
static void compare(void *context, const struct gw_worker_place *place) {
    struct crew *crew = context;
    if (place->handle >= crew->capacity) {
        return;
    }
    struct crew_row *row = &crew->rows[place->handle];
    if (same(row, place)) {
        return;
    }
    if (!row->shown) {
        (void)snprintf(row->id, sizeof(row->id), "%s", place->id);
    }
    if (!row->changed) {
        crew->changed_count++;
    }
    row->shown = true;
    row->changed = true;
    row->on_duty = place->on_duty;
    row->full_time = place->full_time;
    row->load = place->load;
    row->point = place->point;
    row->time_ms = place->time_ms;
    crew->count = place->handle >= crew->count ? place->handle + 1u : crew->count;
}

static gw_err make_room(struct crew *crew, uint32_t count) {
    uint32_t capacity = crew->capacity == 0 ? ROWS_MIN : crew->capacity;
    while (capacity < count) {
        capacity *= 2u;
    }
    if (capacity > crew->capacity) {
        struct crew_row *rows = realloc(crew->rows, capacity * sizeof(rows[0]));
        if (rows == NULL) {
            return GW_ENOMEM;
        }
        memset(rows + crew->capacity, 0, (capacity - crew->capacity) * sizeof(rows[0]));
        crew->rows = rows;
        crew->capacity = capacity;
    }
    return GW_OK;
}

gw_err crew_look(struct crew *crew, struct gw_workers *workers) {
    struct gw_workers_totals totals;
    gw_workers_totals(workers, &totals);
    gw_err err = make_room(crew, totals.workers);
    uint32_t count = gw_workers_visit_positions(workers, compare, crew);
    // Workers may have been added since they were counted.
    for (int i = 1; i < LOOKS_MAX && err == GW_OK && count > crew->capacity; i++) {
        err = make_room(crew, count);
        count = gw_workers_visit_positions(workers, compare, crew);
    }
    return err;
}

void crew_settle(struct crew *crew) {
    for (uint32_t i = 0; i < crew->count && crew->changed_count > 0; i++) {
        crew->changed_count -= crew->rows[i].changed;
        crew->rows[i].changed = false;
    }
}
