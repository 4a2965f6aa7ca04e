#include "services/demo/regions.h"

#include <string.h>

enum { ROUNDS_MAX = 64 };

uint32_t gw_demo_parts(const struct gw_demo_graph *graph, const uint32_t labels[], uint32_t parts[],
                       uint32_t sizes[], uint32_t queue[]) {
    uint32_t part_count = 0;
    for (uint32_t i = 0; i < graph->count; i++) {
        parts[i] = UINT32_MAX;
    }
    for (uint32_t seed = 0; seed < graph->count; seed++) {
        if (parts[seed] != UINT32_MAX) {
            continue;
        }
        uint32_t head = 0, tail = 0;
        parts[seed] = part_count;
        queue[tail++] = seed;
        while (head < tail) {
            uint32_t cell = queue[head++];
            for (uint32_t e = graph->first[cell]; e < graph->first[cell + 1]; e++) {
                uint32_t near = graph->next[e];
                if (parts[near] == UINT32_MAX && labels[near] == labels[seed]) {
                    parts[near] = part_count;
                    queue[tail++] = near;
                }
            }
        }
        sizes[part_count++] = tail;
    }
    return part_count;
}

struct connect {
    const struct gw_demo_graph *graph;
    const uint32_t *groups;
    uint32_t *labels, label_count;
    uint32_t *parts, *sizes, *queue;
    uint32_t *keep;  // [label_count] the part of a label that stays
    uint32_t *votes; // [label_count]
};

// keep[label]: its largest part, the first one of equal size.
static void find_largest(struct connect *work) {
    for (uint32_t i = 0; i < work->label_count; i++) {
        work->keep[i] = UINT32_MAX;
    }
    for (uint32_t i = 0; i < work->graph->count; i++) {
        uint32_t *keep = &work->keep[work->labels[i]];
        if (*keep == UINT32_MAX || work->sizes[work->parts[i]] > work->sizes[*keep]) {
            *keep = work->parts[i];
        }
    }
}

// The label of the same group that borders most on the part of `seed`; its cells go to queue[].
static uint32_t best_neighbour(struct connect *work, uint32_t seed, uint32_t *cell_count) {
    const struct gw_demo_graph *graph = work->graph;
    uint32_t head = 0, tail = 0, part = work->parts[seed];
    memset(work->votes, 0, work->label_count * sizeof(*work->votes));
    work->parts[seed] = UINT32_MAX; // taken: it will not be met again
    work->queue[tail++] = seed;
    while (head < tail) {
        uint32_t cell = work->queue[head++];
        for (uint32_t e = graph->first[cell]; e < graph->first[cell + 1]; e++) {
            uint32_t near = graph->next[e];
            if (work->parts[near] == part) {
                work->parts[near] = UINT32_MAX;
                work->queue[tail++] = near;
            } else if (work->labels[near] != work->labels[seed] &&
                       (work->groups == NULL || work->groups[near] == work->groups[seed])) {
                work->votes[work->labels[near]]++;
            }
        }
    }
    uint32_t best = 0;
    for (uint32_t i = 1; i < work->label_count; i++) {
        best = work->votes[i] > work->votes[best] ? i : best;
    }
    *cell_count = tail;
    return work->votes[best] == 0 ? UINT32_MAX : best;
}

// One round; returns how many parts there were beside the largest. One that finds no neighbour,
// since those were just given away, waits for the next round.
static uint32_t absorb(struct connect *work) {
    uint32_t count = work->graph->count, stray = 0;
    (void)gw_demo_parts(work->graph, work->labels, work->parts, work->sizes, work->queue);
    find_largest(work);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t part = work->parts[i], cells = 0;
        if (part == UINT32_MAX || part == work->keep[work->labels[i]]) {
            continue;
        }
        uint32_t label = best_neighbour(work, i, &cells);
        for (uint32_t c = 0; c < cells && label != UINT32_MAX; c++) {
            work->labels[work->queue[c]] = label;
        }
        stray++;
    }
    return stray;
}

bool gw_demo_connect(const struct gw_demo_graph *graph, const uint32_t groups[], uint32_t labels[],
                     uint32_t label_count, struct gw_demo_arena *arena) {
    struct connect work = {
        .graph = graph, .groups = groups, .labels = labels, .label_count = label_count};
    uint32_t *scratch =
        gw_demo_array(arena, (size_t)3 * graph->count + (size_t)2 * label_count, sizeof(*scratch));
    if (scratch == NULL) {
        return false;
    }
    work.parts = scratch;
    work.sizes = work.parts + graph->count;
    work.queue = work.sizes + graph->count;
    work.keep = work.queue + graph->count;
    work.votes = work.keep + label_count;
    uint32_t stray = 1;
    for (uint32_t round = 0; round < ROUNDS_MAX && stray > 0; round++) {
        stray = absorb(&work);
    }
    return stray == 0;
}
