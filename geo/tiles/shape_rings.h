// Private to the tile room: features as rings of arcs, and a tree over their boxes.
#ifndef GW_GEO_TILES_SHAPE_RINGS_H
#define GW_GEO_TILES_SHAPE_RINGS_H

#include "geo/tiles/mesh_arcs.h"
#include "geo/tiles/shapes.h"

#define RING_GROUP 32u // pieces of a ring that share a box
#define TREE_FANOUT 16u
#define TREE_LEVELS_MAX 9 // 16^9 > 2^32

// Packed R-tree: level 0 holds the boxes of features in Hilbert order, each level above one box for
// TREE_FANOUT of those below.
struct shape_tree {
    uint32_t count;
    uint32_t *features; // [count] in Hilbert order
    struct gw_world_box *boxes;
    uint32_t level_count;
    uint32_t level_starts[TREE_LEVELS_MAX + 1]; // into boxes
};

struct gw_tile_shapes {
    const struct gw_tile_mesh *mesh;
    uint32_t feature_count, ring_count;
    uint32_t *feature_rings; // [feature_count + 1]
    uint32_t *ring_pieces;   // [ring_count + 1]
    uint32_t *ring_groups;   // [ring_count + 1]
    uint32_t *pieces;        // arc << 1 | whether the ring runs against it; interior on the right
    struct gw_world_box *feature_boxes, *ring_boxes, *group_boxes;
    struct shape_tree tree;
};

// Links `count` pieces of one feature, which form closed lines, to rings that pass no junction
// twice; at a junction the ring turns so that it crosses no other. Rewrites pieces[] ring by ring
// and the first piece of each ring to starts[]; returns how many rings there are.
struct ring_linker;
GW_MUST_CHECK gw_err ring_linker_create(const struct gw_tile_mesh *mesh, uint32_t piece_count_max,
                                        struct ring_linker **linker);
void ring_linker_destroy(struct ring_linker *linker);
uint32_t ring_linker_link(struct ring_linker *linker, uint32_t pieces[], uint32_t count,
                          uint32_t starts[]);

GW_MUST_CHECK gw_err shape_tree_make(const struct gw_world_box boxes[], uint32_t count,
                                     struct shape_tree *tree);
void shape_tree_deinit(struct shape_tree *tree);
// Sets the bit of every feature whose box touches `box`.
void shape_tree_query(const struct shape_tree *tree, struct gw_world_box box, uint64_t bits[]);

#endif
