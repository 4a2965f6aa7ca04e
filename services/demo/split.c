#include "services/demo/split.h"

#include <stdlib.h>
#include <string.h>

enum { DIRECTIONS = 8 };
static const int8_t directions[DIRECTIONS][2] = {{1, 0}, {0, 1}, {1, 1},  {1, -1},
                                                 {2, 1}, {1, 2}, {2, -1}, {1, -2}};

struct gw_demo_keyed {
    int64_t key;
    uint32_t cell;
};

bool gw_demo_cutter_make(struct gw_demo_cutter *cutter, const struct gw_demo_graph *graph,
                         const struct gw_point points[], struct gw_demo_arena *arena) {
    size_t count = graph->count;
    *cutter = (struct gw_demo_cutter){.graph = graph, .points = points};
    cutter->sides = gw_demo_array(arena, count, sizeof(*cutter->sides));
    cutter->marks = gw_demo_array(arena, count, sizeof(*cutter->marks));
    cutter->queue = gw_demo_array(arena, count, sizeof(*cutter->queue));
    cutter->best = gw_demo_array(arena, count, sizeof(*cutter->best));
    cutter->keyed = gw_demo_array(arena, count, sizeof(*cutter->keyed));
    return !arena->failed;
}

static int by_key(const void *a, const void *b) {
    const struct gw_demo_keyed *left = a, *right = b;
    if (left->key != right->key) {
        return left->key < right->key ? -1 : 1;
    }
    return left->cell < right->cell ? -1 : left->cell > right->cell;
}

// Cells along one direction; longitudes count three quarters.
static int64_t along(const struct gw_demo_cutter *cutter, uint32_t cell, const int8_t direction[2],
                     struct gw_point origin) {
    int64_t x = ((int64_t)cutter->points[cell].lon - origin.lon) * 3;
    int64_t y = ((int64_t)cutter->points[cell].lat - origin.lat) * 4;
    return x * direction[0] + y * direction[1];
}

// Which directions the region stretches in most, longest first. The measure is the range along the
// direction, over the direction's own length (1, 1.41, 2.24, in thousandths).
static void order_directions(const struct gw_demo_cutter *cutter, const uint32_t cells[],
                             uint32_t count, uint8_t order[DIRECTIONS]) {
    static const int64_t lengths[DIRECTIONS] = {1000, 1000, 1414, 1414, 2236, 2236, 2236, 2236};
    int64_t stretch[DIRECTIONS];
    for (int d = 0; d < DIRECTIONS; d++) {
        int64_t min = INT64_MAX, max = INT64_MIN;
        for (uint32_t i = 0; i < count; i++) {
            int64_t key = along(cutter, cells[i], directions[d], cutter->points[cells[0]]);
            min = key < min ? key : min;
            max = key > max ? key : max;
        }
        stretch[d] = (max - min) * 1000 / lengths[d];
        int at = d;
        for (; at > 0 && stretch[order[at - 1]] < stretch[d]; at--) {
            order[at] = order[at - 1];
        }
        order[at] = (uint8_t)d;
    }
}

// The cells of `seed`'s connected part of its side, into queue[]; returns how many.
static uint32_t flood(struct gw_demo_cutter *cutter, uint32_t seed) {
    const struct gw_demo_graph *graph = cutter->graph;
    uint32_t head = 0, tail = 0;
    cutter->marks[seed] = cutter->mark;
    cutter->queue[tail++] = seed;
    while (head < tail) {
        uint32_t cell = cutter->queue[head++];
        for (uint32_t e = graph->first[cell]; e < graph->first[cell + 1]; e++) {
            uint32_t near = graph->next[e];
            if (cutter->sides[near] == cutter->sides[seed] && cutter->marks[near] != cutter->mark) {
                cutter->marks[near] = cutter->mark;
                cutter->queue[tail++] = near;
            }
        }
    }
    return tail;
}

// Leaves to `side` its largest connected part and gives the rest to `other`.
static void keep_largest(struct gw_demo_cutter *cutter, const uint32_t cells[], uint32_t count,
                         uint8_t side, uint8_t other) {
    uint32_t best_seed = UINT32_MAX, best_size = 0;
    cutter->mark++;
    for (uint32_t i = 0; i < count; i++) {
        if (cutter->sides[cells[i]] == side && cutter->marks[cells[i]] != cutter->mark) {
            uint32_t size = flood(cutter, cells[i]);
            if (size > best_size) {
                best_size = size;
                best_seed = cells[i];
            }
        }
    }
    if (best_seed == UINT32_MAX) {
        return;
    }
    cutter->mark++;
    (void)flood(cutter, best_seed);
    for (uint32_t i = 0; i < count; i++) {
        if (cutter->sides[cells[i]] == side && cutter->marks[cells[i]] != cutter->mark) {
            cutter->sides[cells[i]] = other;
        }
    }
}

// Sides of a cut across one direction; returns the size of the first part.
static uint32_t try_cut(struct gw_demo_cutter *cutter, const uint32_t cells[], uint32_t count,
                        uint32_t target, const int8_t direction[2]) {
    for (uint32_t i = 0; i < count; i++) {
        int64_t key = along(cutter, cells[i], direction, cutter->points[cells[0]]);
        cutter->keyed[i] = (struct gw_demo_keyed){key, cells[i]};
    }
    qsort(cutter->keyed, count, sizeof(*cutter->keyed), by_key);
    for (uint32_t i = 0; i < count; i++) {
        cutter->sides[cutter->keyed[i].cell] = i < target ? 1 : 2;
    }
    // What falls off the first part touches the second and the other way round, since the whole is
    // connected: after the two steps both are.
    keep_largest(cutter, cells, count, 1, 2);
    keep_largest(cutter, cells, count, 2, 1);
    uint32_t size = 0;
    for (uint32_t i = 0; i < count; i++) {
        size += cutter->sides[cells[i]] == 1;
    }
    return size;
}

// The region's cells, those of the first part first, into best[].
static void remember(struct gw_demo_cutter *cutter, const uint32_t cells[], uint32_t count,
                     uint32_t size) {
    uint32_t first = 0, rest = size;
    for (uint32_t i = 0; i < count; i++) {
        cutter->best[cutter->sides[cells[i]] == 1 ? first++ : rest++] = cells[i];
    }
}

uint32_t gw_demo_cut(struct gw_demo_cutter *cutter, uint32_t cells[], uint32_t count,
                     uint32_t target, uint32_t least_first, uint32_t least_rest) {
    uint8_t order[DIRECTIONS] = {0};
    uint32_t best_size = 0, best_off = UINT32_MAX;
    if (count < 2 || count < least_first + least_rest) {
        return 0;
    }
    order_directions(cutter, cells, count, order);
    for (uint32_t d = 0; d < DIRECTIONS && best_off > count / 16; d++) {
        uint32_t size = try_cut(cutter, cells, count, target, directions[order[d]]);
        uint32_t off = size > target ? size - target : target - size;
        if (size >= least_first && count - size >= least_rest && off < best_off) {
            remember(cutter, cells, count, size);
            best_size = size;
            best_off = off;
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        cutter->sides[cells[i]] = 0;
    }
    if (best_size > 0) {
        memcpy(cells, cutter->best, count * sizeof(*cells));
    }
    return best_size;
}
