#include "geo/tiles/loops.h"

#include <stdlib.h>
#include <string.h>

bool loops_reserve(void **array, uint32_t *capacity, uint32_t count, size_t size) {
    if (count <= *capacity) {
        return true;
    }
    if (count > UINT32_MAX / 4) {
        return false;
    }
    uint32_t wanted = count < 64 ? 64 : count * 2;
    void *grown = realloc(*array, wanted * size);
    if (grown == NULL) {
        return false;
    }
    *array = grown;
    *capacity = wanted;
    return true;
}

static bool reserve_points(struct loops *loops, struct gw_mvt_point **points, uint32_t *capacity,
                           uint32_t count) {
    void *array = *points;
    if (!loops_reserve(&array, capacity, count, sizeof **points)) {
        loops->failed = true;
        return false;
    }
    *points = array;
    return true;
}

void loops_begin(struct loops *loops) {
    loops->point_count = loops->count = loops->raw_count = 0;
    loops->failed = false;
}

void loops_deinit(struct loops *loops) {
    free(loops->points);
    free(loops->list);
    free(loops->raw);
    free(loops->stack);
    free(loops->slots);
}

static bool same(struct gw_mvt_point a, struct gw_mvt_point b) {
    return a.x == b.x && a.y == b.y;
}

void loops_point(struct loops *loops, struct gw_mvt_point point) {
    if (loops->raw_count > 0 && same(loops->raw[loops->raw_count - 1], point)) {
        return;
    }
    if (loops->raw_count < loops->raw_capacity ||
        reserve_points(loops, &loops->raw, &loops->raw_capacity, loops->raw_count + 1)) {
        loops->raw[loops->raw_count++] = point;
    }
}

struct gw_mvt_point *loops_room(struct loops *loops, uint32_t count) {
    if (count > UINT32_MAX / 4 - loops->raw_count) {
        loops->failed = true;
        return NULL;
    }
    return reserve_points(loops, &loops->raw, &loops->raw_capacity, loops->raw_count + count)
               ? loops->raw + loops->raw_count
               : NULL;
}

void loops_take(struct loops *loops, uint32_t count) {
    loops->raw_count += count;
}

static int64_t twice_area(const struct gw_mvt_point points[], uint32_t count) {
    int64_t sum = 0;
    struct gw_mvt_point before = points[count - 1];
    for (uint32_t i = 0; i < count; i++) {
        sum += (int64_t)before.x * points[i].y - (int64_t)before.y * points[i].x;
        before = points[i];
    }
    return sum;
}

// Stores a part that passes no point twice, unless it has no area.
static void store(struct loops *loops, const struct gw_mvt_point points[], uint32_t count) {
    int64_t area = count < 3 ? 0 : twice_area(points, count);
    if (area == 0) {
        return;
    }
    void *list = loops->list;
    if (!loops_reserve(&list, &loops->capacity, loops->count + 1, sizeof *loops->list)) {
        loops->failed = true;
        return;
    }
    loops->list = list;
    if (!reserve_points(loops, &loops->points, &loops->point_capacity,
                        loops->point_count + count)) {
        return;
    }
    struct loop loop = {loops->point_count, count, area, LOOPS_NONE, points[0], points[0]};
    for (uint32_t i = 0; i < count; i++) {
        struct gw_mvt_point at = points[i];
        loop.min.x = at.x < loop.min.x ? at.x : loop.min.x;
        loop.min.y = at.y < loop.min.y ? at.y : loop.min.y;
        loop.max.x = at.x > loop.max.x ? at.x : loop.max.x;
        loop.max.y = at.y > loop.max.y ? at.y : loop.max.y;
        loops->points[loops->point_count++] = at;
    }
    loops->list[loops->count++] = loop;
}

// Slots for at least twice the points of the ring; those of earlier rounds count as free.
static bool reserve_slots(struct loops *loops) {
    uint32_t wanted = loops->slot_count == 0 ? 256 : loops->slot_count;
    while (wanted / 2 < loops->raw_count) {
        wanted *= 2;
    }
    if (wanted != loops->slot_count || loops->round == UINT32_MAX) {
        struct loops_slot *slots = calloc(wanted, sizeof *slots);
        if (slots == NULL) {
            loops->failed = true;
            return false;
        }
        free(loops->slots);
        loops->slots = slots;
        loops->slot_count = wanted;
        loops->round = 0;
    }
    loops->round++;
    return true;
}

static struct loops_slot *slot_of(struct loops *loops, struct gw_mvt_point point) {
    uint64_t hash = ((uint64_t)(uint32_t)point.x << 32 | (uint32_t)point.y) * 0x9e3779b97f4a7c15u;
    uint32_t mask = loops->slot_count - 1, slot = (uint32_t)(hash >> 40) & mask;
    while (loops->slots[slot].round == loops->round && !same(loops->slots[slot].point, point)) {
        slot = (slot + 1) & mask;
    }
    return &loops->slots[slot];
}

void loops_close(struct loops *loops) {
    uint32_t count = loops->raw_count;
    if (count < 3 || loops->failed || !reserve_slots(loops) ||
        !reserve_points(loops, &loops->stack, &loops->stack_capacity, count)) {
        loops->raw_count = 0;
        return;
    }
    uint32_t depth = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct gw_mvt_point point = loops->raw[i];
        struct loops_slot *slot = slot_of(loops, point);
        if (slot->round == loops->round && slot->position < depth &&
            same(loops->stack[slot->position], point)) {
            store(loops, loops->stack + slot->position, depth - slot->position);
            depth = slot->position + 1;
            continue;
        }
        *slot = (struct loops_slot){point, depth, loops->round};
        loops->stack[depth++] = point;
    }
    store(loops, loops->stack, depth);
    loops->raw_count = 0;
}

bool loops_any(struct loops *loops) {
    if (loops->count > 1) {
        loops_place_holes(loops);
    }
    for (uint32_t i = 0; i < loops->count; i++) {
        if (loops->list[i].area > 0) {
            return true;
        }
    }
    return false;
}

void loops_write(const struct loops *loops, struct gw_mvt_writer *writer) {
    for (uint32_t i = 0; i < loops->count; i++) {
        const struct loop *shell = &loops->list[i];
        if (shell->area > 0) {
            gw_mvt_ring(writer, loops->points + shell->start, shell->count);
            for (uint32_t hole = shell->hole; hole != LOOPS_NONE; hole = loops->list[hole].hole) {
                gw_mvt_ring(writer, loops->points + loops->list[hole].start,
                            loops->list[hole].count);
            }
        }
    }
}
