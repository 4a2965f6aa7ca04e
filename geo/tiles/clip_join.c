#include "geo/tiles/clip.h"

#include <assert.h>
#include <stdlib.h>

#define NO_CHAIN UINT32_MAX

static int compare_events(const void *left, const void *right) {
    const struct clip_event *a = left, *b = right;
    return a->place == b->place ? 0 : a->place < b->place ? -1 : 1;
}

// The places of the border where a chain begins or ends or the cover changes, in order. Events
// without a change are those of chains.
static bool make_nodes(struct clip *clip) {
    uint32_t needed = clip->event_count + 2 * clip->chain_count;
    void *events = clip->events, *nodes = clip->nodes;
    if (!loops_reserve(&events, &clip->event_capacity, needed, sizeof *clip->events)) {
        return false;
    }
    clip->events = events;
    if (!loops_reserve(&nodes, &clip->node_capacity, needed, sizeof *clip->nodes)) {
        return false;
    }
    clip->nodes = nodes;
    for (uint32_t i = 0; i < clip->chain_count; i++) {
        if (!clip->chains[i].done) {
            clip->events[clip->event_count++] = (struct clip_event){clip->chains[i].from, 0};
            clip->events[clip->event_count++] = (struct clip_event){clip->chains[i].to, 0};
        }
    }
    if (clip->event_count > 0) {
        qsort(clip->events, clip->event_count, sizeof *clip->events, compare_events);
    }
    int32_t sum = clip->base;
    clip->node_count = 0;
    for (uint32_t i = 0; i < clip->event_count;) {
        struct clip_node node = {clip->events[i].place, 0, NO_CHAIN};
        int32_t before = sum;
        bool chains = false;
        for (; i < clip->event_count && clip->events[i].place == node.place; i++) {
            sum += clip->events[i].change;
            chains = chains || clip->events[i].change == 0;
        }
        node.cover = sum;
        if (chains || sum != before) {
            clip->nodes[clip->node_count++] = node;
        }
    }
    return true;
}

static uint32_t node_at(const struct clip *clip, int32_t place) {
    uint32_t low = 0, high = clip->node_count;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (clip->nodes[middle].place <= place) {
            low = middle;
        } else {
            high = middle;
        }
    }
    assert(clip->nodes[low].place == place);
    return low;
}

static void give_chain(const struct clip *clip, const struct clip_chain *chain,
                       struct loops *loops) {
    for (uint32_t i = 0; i < chain->count; i++) {
        loops_point(loops, clip->points[chain->start + i]);
    }
}

// Walks the stretch of the border behind a node (or, backward, before it), with the corners on it.
static uint32_t walk(const struct clip *clip, uint32_t node, bool backward, struct loops *loops) {
    int32_t side = (clip->high - clip->low), border = clip_border(clip);
    uint32_t count = clip->node_count;
    uint32_t to = backward ? (node + count - 1) % count : (node + 1) % count;
    int32_t at = clip->nodes[node].place, end = clip->nodes[to].place;
    if (!backward) {
        end += end <= at ? border : 0;
        for (int32_t corner = (at / side + 1) * side; corner < end; corner += side) {
            loops_point(loops, clip_point_at(clip, corner % border));
        }
    } else {
        at += at <= end ? border : 0;
        for (int32_t corner = (at - 1) / side * side; corner > end; corner -= side) {
            loops_point(loops, clip_point_at(clip, corner % border));
        }
    }
    loops_point(loops, clip_point_at(clip, clip->nodes[to].place));
    return to;
}

// One way on from a node that is not walked yet: a chain, or the border. NO_CHAIN: none is left.
static uint32_t step(struct clip *clip, uint32_t node, struct loops *loops) {
    uint32_t chain = clip->nodes[node].chain;
    if (chain != NO_CHAIN) {
        clip->nodes[node].chain = clip->chains[chain].next;
        give_chain(clip, &clip->chains[chain], loops);
        return node_at(clip, clip->chains[chain].to);
    }
    if (clip->nodes[node].cover > 0) {
        clip->nodes[node].cover--;
        return walk(clip, node, false, loops);
    }
    uint32_t before = (node + clip->node_count - 1) % clip->node_count;
    if (clip->nodes[before].cover < 0) {
        clip->nodes[before].cover++;
        return walk(clip, node, true, loops);
    }
    return NO_CHAIN;
}

// Rings that never meet the border.
static void give_closed(struct clip *clip, struct loops *loops) {
    for (uint32_t i = 0; i < clip->chain_count; i++) {
        if (!clip->chains[i].done && clip->chains[i].from == CLIP_NO_PLACE) {
            give_chain(clip, &clip->chains[i], loops);
            loops_close(loops);
            clip->chains[i].done = true;
        }
    }
}

// The border is covered all along and nothing meets it.
static void give_square(const struct clip *clip, struct loops *loops) {
    for (int32_t times = clip->base; times > 0; times--) {
        for (int32_t corner = 0; corner < 4; corner++) {
            loops_point(loops, clip_point_at(clip, corner * (clip->high - clip->low)));
        }
        loops_close(loops);
    }
}

bool clip_finish(struct clip *clip, struct loops *loops) {
    if (clip->failed) {
        return false;
    }
    give_closed(clip, loops);
    if (!make_nodes(clip)) {
        return false;
    }
    if (clip->node_count == 0) {
        give_square(clip, loops);
        return true;
    }
    for (uint32_t i = clip->chain_count; i-- > 0;) {
        if (!clip->chains[i].done) {
            struct clip_node *node = &clip->nodes[node_at(clip, clip->chains[i].from)];
            clip->chains[i].next = node->chain;
            node->chain = i;
        }
    }
    // As many ways lead to each node as lead away, so that each walk ends where it began.
    for (uint32_t start = 0; start < clip->node_count; start++) {
        for (;;) {
            uint32_t node = step(clip, start, loops);
            if (node == NO_CHAIN) {
                break;
            }
            while (node != start && node != NO_CHAIN) {
                node = step(clip, node, loops);
            }
            assert(node == start);
            loops_close(loops);
        }
    }
    return true;
}
