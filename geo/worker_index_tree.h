// The tree inside the worker index: its shape, and how it splits and merges. Private to the index.
//
// Cells are squares of the lattice shifted to unsigned. A node cuts its cell into 4 x 4 slots in
// Morton order. A leaf holds up to 16 workers and covers an aligned run of 2^span slots of one
// node: such a run is a square, or two squares side by side. A full leaf is halved (its run first,
// then, when it is down to one slot, that slot becomes a node); two halves that hold few are put
// together again. So leaves stay well filled, and nodes are one cache line.
//
// Invariants (gw_worker_index_check looks at each):
//   1. Every slot is empty, a node, or a leaf, and a leaf's slots are exactly its run.
//   2. A leaf holds at least one worker, all of them inside its cell.
//   3. Only at the smallest cell do leaves form a chain; all of a chain but its head are full.
//   4. Where a leaf and its buddy run could be one leaf of at most MERGE_MAX, they are.
//   5. `where` says for each worker in which leaf and place he is.
#ifndef GW_GEO_WORKER_INDEX_TREE_H
#define GW_GEO_WORKER_INDEX_TREE_H

#include "geo/worker_index.h"

#define GW_TREE_FANOUT 16u
#define GW_TREE_LEAF_MAX 16u
#define GW_TREE_MERGE_MAX 8u     // half a leaf, so that a move to and fro does not split and merge
#define GW_TREE_SPAN_ALL 4u      // a run of 2^4 slots is the whole node
#define GW_TREE_ROOT 0u          // index of the root node
#define GW_TREE_CELL_BITS_MIN 6u // smallest slot: 64 units, 0.7 m
#define GW_TREE_LEVEL_MAX 12u    // nodes of this level have slots of the smallest size
#define GW_TREE_NONE UINT32_MAX
#define GW_TREE_LEAF_TAG 0x80000000u // a slot holds 0, a node's index, or a leaf's index with this

struct gw_tree_node {
    _Alignas(64) uint32_t child[GW_TREE_FANOUT];
};

struct gw_tree_leaf {
    _Alignas(64) int32_t lon[GW_TREE_LEAF_MAX];
    int32_t lat[GW_TREE_LEAF_MAX];
    uint32_t worker[GW_TREE_LEAF_MAX];
    uint32_t flags[GW_TREE_LEAF_MAX];
    uint64_t skills[GW_TREE_LEAF_MAX];
    int64_t time_ms[GW_TREE_LEAF_MAX];
    uint32_t west, south; // of its cell, shifted to unsigned
    uint32_t node;        // that it hangs in
    uint32_t next;        // of a chain, or of the free list; else GW_TREE_NONE
    uint8_t count, first, span, level;
    uint8_t lon_bits, lat_bits; // its cell is 2^lon_bits by 2^lat_bits units
};

// Where the cell of a node is, and what it hangs in.
struct gw_tree_place {
    uint32_t west, south;
    uint32_t parent; // node
    uint8_t slot, level;
};

struct gw_worker_index {
    struct gw_tree_node *nodes;
    struct gw_tree_place *places; // of nodes
    uint32_t node_count, node_capacity, node_free;
    struct gw_tree_leaf *leaves;
    uint32_t leaf_count, leaf_capacity, leaf_free;
    uint32_t *where; // leaf * 16 + place, or GW_TREE_NONE
    uint32_t where_capacity;
    uint32_t workers;
};

struct gw_tree_entry {
    uint32_t worker;
    struct gw_point position;
    struct gw_worker_bits bits;
};

static inline uint32_t gw_tree_shifted(int32_t units) {
    return (uint32_t)units ^ 0x80000000u;
}

static inline unsigned gw_tree_cell_bits(unsigned level) { // of a slot
    return 30u - 2u * level;
}

static inline bool gw_tree_is_leaf(uint32_t child) {
    return (child & GW_TREE_LEAF_TAG) != 0;
}

static inline bool gw_tree_leaf_covers(const struct gw_tree_leaf *leaf, struct gw_point position) {
    uint64_t x = gw_tree_shifted(position.lon) ^ leaf->west;
    uint64_t y = gw_tree_shifted(position.lat) ^ leaf->south;
    return x >> leaf->lon_bits == 0 && y >> leaf->lat_bits == 0;
}

// The slot of a node of `level` that holds a point of its cell.
static inline unsigned gw_tree_slot(struct gw_point position, unsigned level) {
    unsigned bits = gw_tree_cell_bits(level);
    unsigned x = gw_tree_shifted(position.lon) >> bits, y = gw_tree_shifted(position.lat) >> bits;
    return (x & 2u) << 2 | (y & 2u) << 1 | (x & 1u) << 1 | (y & 1u);
}

// South-west corner of a slot, in slots from the node's own.
static inline uint32_t gw_tree_slot_x(unsigned slot) {
    return (slot >> 3 & 1u) << 1 | (slot >> 1 & 1u);
}
static inline uint32_t gw_tree_slot_y(unsigned slot) {
    return (slot >> 2 & 1u) << 1 | (slot & 1u);
}

// Makes sure that one insert finds the memory it may need, also for a handle never seen.
GW_MUST_CHECK gw_err gw_tree_reserve(struct gw_worker_index *index, uint32_t worker);

// Adds a worker who is not in. Cannot fail after gw_tree_reserve.
void gw_tree_insert(struct gw_worker_index *index, const struct gw_tree_entry *entry);

// Takes out the worker at `where`, and merges what has become small.
void gw_tree_remove(struct gw_worker_index *index, uint32_t where);

#endif
