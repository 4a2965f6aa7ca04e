// The invariants of worker_index_tree.h, each looked at.
#include "geo/worker_index_tree.h"
#include <stdlib.h>

#define STACK_MAX (GW_TREE_FANOUT * (GW_TREE_LEVEL_MAX + 1u))

struct census {
    uint32_t workers, leaves, nodes;
};

static bool entries_ok(const struct gw_worker_index *index, uint32_t number) {
    const struct gw_tree_leaf *leaf = &index->leaves[number];
    if (leaf->count == 0 || leaf->count > GW_TREE_LEAF_MAX) {
        return false;
    }
    for (unsigned i = 0; i < leaf->count; i++) {
        struct gw_point at = {leaf->lon[i], leaf->lat[i]};
        if (!gw_point_valid(at) || !gw_tree_leaf_covers(leaf, at) ||
            leaf->worker[i] >= index->where_capacity ||
            index->where[leaf->worker[i]] != number * GW_TREE_LEAF_MAX + i) {
            return false;
        }
    }
    return true;
}

// The leaf hangs where it says, its cell is that of its run, and the run is all its own.
static bool hangs_ok(const struct gw_worker_index *index, uint32_t number, uint32_t head,
                     uint32_t node, unsigned slot) {
    const struct gw_tree_leaf *leaf = &index->leaves[number];
    const struct gw_tree_place *place = &index->places[node];
    unsigned bits = gw_tree_cell_bits(place->level), run = 1u << leaf->span;
    if (leaf->node != node || leaf->first != slot || leaf->span > GW_TREE_SPAN_ALL ||
        slot % run != 0 || leaf->level != place->level ||
        leaf->west != place->west + (gw_tree_slot_x(slot) << bits) ||
        leaf->south != place->south + (gw_tree_slot_y(slot) << bits) ||
        leaf->lon_bits != bits + leaf->span / 2u ||
        leaf->lat_bits != bits + (leaf->span + 1u) / 2u) {
        return false;
    }
    for (unsigned i = 0; i < GW_TREE_FANOUT; i++) {
        bool mine = i >= slot && i < slot + run;
        if ((index->nodes[node].child[i] == (head | GW_TREE_LEAF_TAG)) != mine) {
            return false;
        }
    }
    return true;
}

static unsigned held(const struct gw_tree_leaf *leaf) {
    return leaf->next == GW_TREE_NONE ? leaf->count : GW_TREE_LEAF_MAX + 1u;
}

// Nothing is left apart that could be one leaf.
static bool merged_ok(const struct gw_worker_index *index, const struct gw_tree_leaf *leaf) {
    if (held(leaf) > GW_TREE_MERGE_MAX) {
        return true;
    }
    if (leaf->span == GW_TREE_SPAN_ALL) {
        return leaf->node == GW_TREE_ROOT;
    }
    const uint32_t *child = index->nodes[leaf->node].child;
    unsigned run = 1u << leaf->span, beside = leaf->first ^ run, empty = 0;
    for (unsigned i = 0; i < run; i++) {
        empty += child[beside + i] == 0;
    }
    if (empty == run) {
        return false;
    }
    if (!gw_tree_is_leaf(child[beside])) {
        return true;
    }
    const struct gw_tree_leaf *buddy = &index->leaves[child[beside] & ~GW_TREE_LEAF_TAG];
    return buddy->span != leaf->span || held(leaf) + held(buddy) > GW_TREE_MERGE_MAX;
}

static bool leaf_ok(const struct gw_worker_index *index, uint32_t head, uint32_t node,
                    unsigned slot, struct census *census) {
    if (head >= index->leaf_count || !merged_ok(index, &index->leaves[head])) {
        return false;
    }
    for (uint32_t number = head; number != GW_TREE_NONE; number = index->leaves[number].next) {
        if (number >= index->leaf_count || ++census->leaves > index->leaf_count ||
            !hangs_ok(index, number, head, node, slot) || !entries_ok(index, number)) {
            return false;
        }
        const struct gw_tree_leaf *leaf = &index->leaves[number];
        bool chained = head != number || leaf->next != GW_TREE_NONE;
        if ((chained && (leaf->span != 0 || leaf->level != GW_TREE_LEVEL_MAX)) ||
            (number != head && leaf->count != GW_TREE_LEAF_MAX)) {
            return false;
        }
        census->workers += leaf->count;
    }
    return true;
}

static bool place_ok(const struct gw_worker_index *index, uint32_t node, uint32_t parent,
                     unsigned slot) {
    const struct gw_tree_place *place = &index->places[node], *up = &index->places[parent];
    unsigned bits = gw_tree_cell_bits(up->level);
    return place->parent == parent && place->slot == slot && place->level == up->level + 1u &&
           place->level <= GW_TREE_LEVEL_MAX &&
           place->west == up->west + (gw_tree_slot_x(slot) << bits) &&
           place->south == up->south + (gw_tree_slot_y(slot) << bits);
}

static bool node_ok(const struct gw_worker_index *index, uint32_t node, uint32_t stack[],
                    unsigned *height, struct census *census) {
    if (++census->nodes > index->node_count) {
        return false;
    }
    unsigned filled = 0;
    for (unsigned slot = 0; slot < GW_TREE_FANOUT; slot++) {
        uint32_t child = index->nodes[node].child[slot];
        filled += child != 0;
        bool again = slot > 0 && child == index->nodes[node].child[slot - 1];
        if (gw_tree_is_leaf(child)) {
            if (!again && !leaf_ok(index, child & ~GW_TREE_LEAF_TAG, node, slot, census)) {
                return false;
            }
        } else if (child != 0) {
            if (child >= index->node_count || !place_ok(index, child, node, slot)) {
                return false;
            }
            stack[(*height)++] = child;
        }
    }
    return filled > 0 || node == GW_TREE_ROOT;
}

// What is not in the tree is in a free list.
static bool free_ok(const struct gw_worker_index *index, const struct census *census) {
    uint32_t nodes = census->nodes, leaves = census->leaves;
    for (uint32_t n = index->node_free; n != GW_TREE_NONE; n = index->places[n].parent) {
        if (n >= index->node_count || ++nodes > index->node_count) {
            return false;
        }
    }
    for (uint32_t l = index->leaf_free; l != GW_TREE_NONE; l = index->leaves[l].next) {
        if (l >= index->leaf_count || ++leaves > index->leaf_count) {
            return false;
        }
    }
    return nodes == index->node_count && leaves == index->leaf_count;
}

gw_err gw_worker_index_check(const struct gw_worker_index *index) {
    struct census census = {0, 0, 0};
    uint32_t stack[STACK_MAX] = {GW_TREE_ROOT};
    unsigned height = 1;
    while (height > 0) {
        if (!node_ok(index, stack[--height], stack, &height, &census)) {
            return GW_ECORRUPT;
        }
    }
    uint32_t known = 0;
    for (uint32_t worker = 0; worker < index->where_capacity; worker++) {
        known += index->where[worker] != GW_TREE_NONE;
    }
    bool ok =
        census.workers == index->workers && known == index->workers && free_ok(index, &census);
    return ok ? GW_OK : GW_ECORRUPT;
}
