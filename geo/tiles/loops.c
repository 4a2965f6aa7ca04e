#include "geo/tiles/loops.h"

#include <stdlib.h>
#include <string.h>

#define NO_LOOP UINT32_MAX
#define VERTICES_ASKED 16u // of a hole, to find out what it lies in

static bool reserve(void **array, uint32_t *capacity, uint32_t count, size_t size) {
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
    if (!reserve(&array, capacity, count, sizeof **points)) {
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
    if (!reserve(&list, &loops->capacity, loops->count + 1, sizeof *loops->list)) {
        loops->failed = true;
        return;
    }
    loops->list = list;
    if (!reserve_points(loops, &loops->points, &loops->point_capacity,
                        loops->point_count + count)) {
        return;
    }
    struct loop loop = {loops->point_count, count, area, NO_LOOP, points[0], points[0]};
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

// 1: inside the loop, -1: outside, 0: on it.
static int side_of(const struct gw_mvt_point points[], uint32_t count, struct gw_mvt_point at) {
    int side = -1;
    struct gw_mvt_point a = points[count - 1];
    for (uint32_t i = 0; i < count; i++) {
        struct gw_mvt_point b = points[i];
        int64_t cross = ((int64_t)b.x - a.x) * ((int64_t)at.y - a.y) -
                        ((int64_t)b.y - a.y) * ((int64_t)at.x - a.x);
        bool in_x = (a.x <= at.x && at.x <= b.x) || (b.x <= at.x && at.x <= a.x);
        bool in_y = (a.y <= at.y && at.y <= b.y) || (b.y <= at.y && at.y <= a.y);
        if (cross == 0 && in_x && in_y) {
            return 0;
        }
        if ((a.y > at.y) != (b.y > at.y) && (cross > 0) == (b.y > a.y)) {
            side = -side;
        }
        a = b;
    }
    return side;
}

static bool holds(const struct loops *loops, const struct loop *shell, const struct loop *hole) {
    if (hole->min.x < shell->min.x || hole->min.y < shell->min.y || hole->max.x > shell->max.x ||
        hole->max.y > shell->max.y || shell->area < -hole->area) {
        return false;
    }
    for (uint32_t i = 0; i < hole->count && i < VERTICES_ASKED; i++) {
        int side =
            side_of(loops->points + shell->start, shell->count, loops->points[hole->start + i]);
        if (side != 0) {
            return side > 0;
        }
    }
    return true;
}

// Hangs each hole on the smallest shell that holds it, in order.
static void place_holes(struct loops *loops) {
    for (uint32_t i = loops->count; i-- > 0;) {
        struct loop *hole = &loops->list[i], *best = NULL;
        if (hole->area > 0) {
            continue;
        }
        for (uint32_t j = 0; j < loops->count; j++) {
            struct loop *shell = &loops->list[j];
            if (shell->area > 0 && (best == NULL || shell->area < best->area) &&
                holds(loops, shell, hole)) {
                best = shell;
            }
        }
        if (best != NULL && best->area == -hole->area && best->hole == NO_LOOP) {
            best->area = 0; // rounded to the same ring: nothing is left between them
        } else if (best != NULL) {
            hole->hole = best->hole;
            best->hole = i;
        }
    }
}

bool loops_any(struct loops *loops) {
    if (loops->count > 1) {
        place_holes(loops);
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
            for (uint32_t hole = shell->hole; hole != NO_LOOP; hole = loops->list[hole].hole) {
                gw_mvt_ring(writer, loops->points + loops->list[hole].start,
                            loops->list[hole].count);
            }
        }
    }
}
