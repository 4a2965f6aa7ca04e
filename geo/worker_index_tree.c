#include "geo/worker_index_tree.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

// ---- memory ----

static uint32_t grown(uint32_t capacity, uint32_t need) {
    uint32_t size = capacity < 16u ? 16u : capacity;
    while (size < need) {
        size *= 2u;
    }
    return size;
}

// Moves *array to a larger block whose elements keep their alignment to cache lines.
static bool grow(void **array, uint32_t used, uint32_t capacity, size_t element) {
    size_t bytes = ((size_t)capacity * element + 63u) & ~(size_t)63u;
    void *larger = aligned_alloc(64, bytes);
    if (larger == NULL) {
        return false;
    }
    if (used > 0) {
        memcpy(larger, *array, (size_t)used * element);
    }
    free(*array);
    *array = larger;
    return true;
}

static bool reserve_nodes(struct gw_worker_index *index, uint32_t more) {
    uint32_t need = index->node_count + more, used = index->node_count;
    if (need <= index->node_capacity) {
        return true;
    }
    uint32_t capacity = grown(index->node_capacity, need);
    void *nodes = index->nodes, *places = index->places;
    bool ok = grow(&nodes, used, capacity, sizeof(struct gw_tree_node));
    index->nodes = nodes;
    ok = ok && grow(&places, used, capacity, sizeof(struct gw_tree_place));
    index->places = places;
    index->node_capacity = ok ? capacity : index->node_capacity;
    return ok;
}

static bool reserve_leaf(struct gw_worker_index *index) {
    if (index->leaf_free != GW_TREE_NONE || index->leaf_count < index->leaf_capacity) {
        return true;
    }
    uint32_t capacity = grown(index->leaf_capacity, index->leaf_count + 1u);
    void *leaves = index->leaves;
    if (!grow(&leaves, index->leaf_count, capacity, sizeof(struct gw_tree_leaf))) {
        return false;
    }
    index->leaves = leaves;
    index->leaf_capacity = capacity;
    return true;
}

static bool reserve_where(struct gw_worker_index *index, uint32_t worker) {
    if (worker < index->where_capacity) {
        return true;
    }
    uint32_t capacity = grown(index->where_capacity, worker + 1u);
    uint32_t *where = realloc(index->where, (size_t)capacity * sizeof(*where));
    if (where == NULL) {
        return false;
    }
    memset(where + index->where_capacity, 0xff,
           (size_t)(capacity - index->where_capacity) * sizeof(*where));
    index->where = where;
    index->where_capacity = capacity;
    return true;
}

gw_err gw_tree_reserve(struct gw_worker_index *index, uint32_t worker) {
    // A split makes one leaf more, and a node a level at worst.
    bool ok = reserve_where(index, worker) && reserve_nodes(index, GW_TREE_LEVEL_MAX + 1u) &&
              reserve_leaf(index);
    return ok ? GW_OK : GW_ENOMEM;
}

static uint32_t take_leaf(struct gw_worker_index *index) {
    uint32_t leaf = index->leaf_free;
    if (leaf != GW_TREE_NONE) {
        index->leaf_free = index->leaves[leaf].next;
    } else {
        assert(index->leaf_count < index->leaf_capacity);
        leaf = index->leaf_count++;
    }
    index->leaves[leaf].count = 0;
    index->leaves[leaf].next = GW_TREE_NONE;
    return leaf;
}

static void free_leaf(struct gw_worker_index *index, uint32_t leaf) {
    index->leaves[leaf].count = 0;
    index->leaves[leaf].next = index->leaf_free;
    index->leaf_free = leaf;
}

static uint32_t take_node(struct gw_worker_index *index, const struct gw_tree_place *place) {
    uint32_t node = index->node_free;
    if (node != GW_TREE_NONE) {
        index->node_free = index->places[node].parent;
    } else {
        assert(index->node_count < index->node_capacity);
        node = index->node_count++;
    }
    memset(&index->nodes[node], 0, sizeof(index->nodes[node]));
    index->places[node] = *place;
    return node;
}

static void free_node(struct gw_worker_index *index, uint32_t node) {
    index->places[node].parent = index->node_free;
    index->node_free = node;
}

// ---- slots and runs ----

static void fill_run(struct gw_worker_index *index, uint32_t node, unsigned first, unsigned span,
                     uint32_t child) {
    for (unsigned i = 0; i < 1u << span; i++) {
        index->nodes[node].child[first + i] = child;
    }
}

static bool run_is_empty(const struct gw_worker_index *index, uint32_t node, unsigned first,
                         unsigned span) {
    for (unsigned i = 0; i < 1u << span; i++) {
        if (index->nodes[node].child[first + i] != 0) {
            return false;
        }
    }
    return true;
}

// Hangs a leaf into a run of slots and works out its cell.
static void hang(struct gw_worker_index *index, uint32_t leaf, uint32_t node, unsigned first,
                 unsigned span) {
    struct gw_tree_leaf *l = &index->leaves[leaf];
    const struct gw_tree_place *place = &index->places[node];
    unsigned bits = gw_tree_cell_bits(place->level);
    l->node = node;
    l->first = (uint8_t)first;
    l->span = (uint8_t)span;
    l->level = place->level;
    l->lon_bits = (uint8_t)(bits + span / 2u);
    l->lat_bits = (uint8_t)(bits + (span + 1u) / 2u);
    l->west = place->west + (gw_tree_slot_x(first) << bits);
    l->south = place->south + (gw_tree_slot_y(first) << bits);
    fill_run(index, node, first, span, leaf | GW_TREE_LEAF_TAG);
}

// ---- workers in leaves ----

static void store(struct gw_worker_index *index, uint32_t leaf, const struct gw_tree_entry *entry) {
    struct gw_tree_leaf *l = &index->leaves[leaf];
    unsigned i = l->count++;
    assert(i < GW_TREE_LEAF_MAX);
    l->lon[i] = entry->position.lon;
    l->lat[i] = entry->position.lat;
    l->worker[i] = entry->worker;
    l->flags[i] = entry->bits.flags;
    l->skills[i] = entry->bits.skills;
    l->time_ms[i] = entry->bits.time_ms;
    index->where[entry->worker] = leaf * GW_TREE_LEAF_MAX + i;
}

static struct gw_tree_entry entry_at(const struct gw_tree_leaf *l, unsigned i) {
    return (struct gw_tree_entry){
        l->worker[i], {l->lon[i], l->lat[i]}, {l->skills[i], l->flags[i], l->time_ms[i]}};
}

// Takes out entry i; the last one closes the gap.
static void drop(struct gw_worker_index *index, uint32_t leaf, unsigned i) {
    struct gw_tree_leaf *l = &index->leaves[leaf];
    unsigned last = --l->count;
    if (i != last) {
        struct gw_tree_entry moved = entry_at(l, last);
        l->lon[i] = moved.position.lon;
        l->lat[i] = moved.position.lat;
        l->worker[i] = moved.worker;
        l->flags[i] = moved.bits.flags;
        l->skills[i] = moved.bits.skills;
        l->time_ms[i] = moved.bits.time_ms;
        index->where[moved.worker] = leaf * GW_TREE_LEAF_MAX + i;
    }
}

// ---- merging ----

// What a run of slots holds.
enum run_kind { RUN_EMPTY, RUN_LEAF, RUN_OTHER };

static enum run_kind look(const struct gw_worker_index *index, uint32_t node, unsigned first,
                          unsigned span, uint32_t *leaf) {
    uint32_t child = index->nodes[node].child[first];
    if (gw_tree_is_leaf(child)) {
        *leaf = child & ~GW_TREE_LEAF_TAG;
        return index->leaves[*leaf].span == span ? RUN_LEAF : RUN_OTHER;
    }
    return run_is_empty(index, node, first, span) ? RUN_EMPTY : RUN_OTHER;
}

static unsigned held(const struct gw_worker_index *index, enum run_kind kind, uint32_t leaf) {
    if (kind == RUN_EMPTY) {
        return 0;
    }
    const struct gw_tree_leaf *l = &index->leaves[leaf];
    return l->next == GW_TREE_NONE ? l->count : GW_TREE_LEAF_MAX + 1u;
}

// Puts a run and its buddy together as long as they fit into half a leaf, and nodes that then hold
// one leaf or nothing into a slot of the node above.
static void merge(struct gw_worker_index *index, uint32_t node, unsigned first, unsigned span) {
    uint32_t leaf = GW_TREE_NONE, buddy = GW_TREE_NONE;
    for (;;) {
        enum run_kind kind = look(index, node, first, span, &leaf);
        if (held(index, kind, leaf) > GW_TREE_MERGE_MAX) {
            return;
        }
        if (span == GW_TREE_SPAN_ALL) {
            if (node == GW_TREE_ROOT) {
                return;
            }
            struct gw_tree_place up = index->places[node];
            free_node(index, node);
            node = up.parent;
            first = up.slot;
            span = 0;
            index->nodes[node].child[first] = 0;
        } else {
            enum run_kind beside = look(index, node, first ^ 1u << span, span, &buddy);
            if (beside == RUN_OTHER ||
                held(index, kind, leaf) + held(index, beside, buddy) > GW_TREE_MERGE_MAX) {
                return;
            }
            if (kind == RUN_LEAF && beside == RUN_LEAF) {
                for (unsigned i = 0; i < index->leaves[buddy].count; i++) {
                    struct gw_tree_entry entry = entry_at(&index->leaves[buddy], i);
                    store(index, leaf, &entry);
                }
                free_leaf(index, buddy);
            } else if (beside == RUN_LEAF) {
                kind = RUN_LEAF;
                leaf = buddy;
            }
            first &= ~(1u << span);
            span++;
        }
        if (kind == RUN_LEAF) {
            hang(index, leaf, node, first, span);
        }
    }
}

void gw_tree_remove(struct gw_worker_index *index, uint32_t where) {
    uint32_t leaf = where / GW_TREE_LEAF_MAX;
    unsigned i = where % GW_TREE_LEAF_MAX;
    struct gw_tree_leaf *l = &index->leaves[leaf];
    uint32_t node = l->node;
    unsigned first = l->first, span = l->span;
    index->where[l->worker[i]] = GW_TREE_NONE;
    index->workers--;
    uint32_t head = index->nodes[node].child[first] & ~GW_TREE_LEAF_TAG;
    drop(index, leaf, i);
    if (head != leaf) { // a chain: only its head may have room
        struct gw_tree_leaf *h = &index->leaves[head];
        struct gw_tree_entry moved = entry_at(h, h->count - 1u);
        h->count--;
        store(index, leaf, &moved);
    }
    if (index->leaves[head].count == 0) {
        uint32_t next = index->leaves[head].next;
        free_leaf(index, head);
        fill_run(index, node, first, span, next == GW_TREE_NONE ? 0 : next | GW_TREE_LEAF_TAG);
    }
    merge(index, node, first, span);
}

// ---- inserting ----

// Hangs a new leaf with one worker into the largest empty run around a slot.
static void insert_into_empty(struct gw_worker_index *index, uint32_t node, unsigned slot,
                              const struct gw_tree_entry *entry) {
    unsigned span = 0;
    while (span < GW_TREE_SPAN_ALL &&
           run_is_empty(index, node, slot >> (span + 1u) << (span + 1u), span + 1u)) {
        span++;
    }
    unsigned first = slot >> span << span;
    uint32_t leaf = take_leaf(index);
    hang(index, leaf, node, first, span);
    store(index, leaf, entry);
    merge(index, node, first, span);
}

// Makes the one slot of a leaf a node, which the leaf then covers.
static void push_down(struct gw_worker_index *index, uint32_t leaf) {
    const struct gw_tree_leaf *l = &index->leaves[leaf];
    uint32_t parent = l->node;
    unsigned slot = l->first;
    struct gw_tree_place place = {l->west, l->south, parent, (uint8_t)slot,
                                  (uint8_t)(l->level + 1u)};
    uint32_t node = take_node(index, &place);
    index->nodes[parent].child[slot] = node;
    hang(index, leaf, node, 0, GW_TREE_SPAN_ALL);
}

// Halves the run of a full leaf. Returns the leaf that covers `position` then, or GW_TREE_NONE if
// that half is empty.
static uint32_t halve(struct gw_worker_index *index, uint32_t leaf, struct gw_point position) {
    struct gw_tree_leaf *l = &index->leaves[leaf];
    uint32_t node = l->node;
    unsigned span = l->span - 1u, level = l->level, bit = 1u << span;
    unsigned low = l->first, high = low | bit;
    unsigned in_high = 0;
    for (unsigned i = 0; i < l->count; i++) {
        struct gw_point at = {l->lon[i], l->lat[i]};
        in_high += (gw_tree_slot(at, level) & bit) != 0;
    }
    bool wants_high = (gw_tree_slot(position, level) & bit) != 0;
    if (in_high == 0 || in_high == l->count) {
        bool keeps_high = in_high != 0;
        fill_run(index, node, keeps_high ? low : high, span, 0);
        hang(index, leaf, node, keeps_high ? high : low, span);
        return wants_high == keeps_high ? leaf : GW_TREE_NONE;
    }
    uint32_t other = take_leaf(index);
    for (unsigned i = l->count; i-- > 0;) {
        struct gw_tree_entry entry = entry_at(l, i);
        if ((gw_tree_slot(entry.position, level) & bit) != 0) {
            drop(index, leaf, i);
            store(index, other, &entry);
        }
    }
    hang(index, leaf, node, low, span);
    hang(index, other, node, high, span);
    return wants_high ? other : leaf;
}

void gw_tree_insert(struct gw_worker_index *index, const struct gw_tree_entry *entry) {
    uint32_t node = GW_TREE_ROOT, child = 0;
    unsigned slot = 0;
    for (unsigned level = 0; level <= GW_TREE_LEVEL_MAX; level++) {
        slot = gw_tree_slot(entry->position, level);
        child = index->nodes[node].child[slot];
        if (child == 0 || gw_tree_is_leaf(child)) {
            break;
        }
        node = child;
    }
    index->workers++;
    uint32_t leaf = child == 0 ? GW_TREE_NONE : child & ~GW_TREE_LEAF_TAG;
    while (leaf != GW_TREE_NONE && index->leaves[leaf].count == GW_TREE_LEAF_MAX) {
        const struct gw_tree_leaf *l = &index->leaves[leaf];
        if (l->span > 0) {
            leaf = halve(index, leaf, entry->position);
        } else if (l->level < GW_TREE_LEVEL_MAX) {
            push_down(index, leaf);
        } else {
            uint32_t head = take_leaf(index);
            hang(index, head, l->node, l->first, 0);
            index->leaves[head].next = leaf;
            leaf = head;
        }
        node = leaf == GW_TREE_NONE ? node : index->leaves[leaf].node;
        slot = gw_tree_slot(entry->position, index->places[node].level);
    }
    if (leaf == GW_TREE_NONE) {
        insert_into_empty(index, node, slot, entry);
    } else {
        store(index, leaf, entry);
    }
}
