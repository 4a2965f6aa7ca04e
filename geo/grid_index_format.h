// The bytes of a grid index, and the one piece of arithmetic that builder and lookup share.
// Internal to geo/grid_index*.c.
//
// Layout: header | table: u32[rows][cols] | sub tables: u32[16] each | leaves: u32 words | code
//         ranks: u32[grid_count]; every section begins at a multiple of 64 bytes.
// Entry:  2 bits of tag, 30 of payload:
//         OWNER  payload - 1 answers for the whole cell (payload 0: nobody)
//         PAIR   word offset of a pair leaf: one chain, one answer left of it and one right of it;
//                a bit says whether the chain is a single edge
//         LIST   word offset of a list leaf: chains by grid, best rank first
//         SUB    number of a sub table: 4 x 4 cells, row-major, south row first
// Cell:   the cell at (x0, y0) of size z answers for the lattice points of the closed box
//         B = [x0, x0+z-1] x [y0, y0+z-1], so B holds no more than those points need.
// Chain:  consecutive edges of a grid's ring in ring order (interior on the left), all of the
//         grid's edges that meet B. An end of a chain that lies outside B is open: its edge goes on
//         along its own line for ever. The line leaves the convex B there and cannot come back, so
//         inside B the number of chains that an eastward ray crosses (upward +1, downward -1)
//         changes at real edges alone. An edge that leaves B eastward and level has no line to go
//         on by: it gets a further vertex one unit north of its end, so that it goes on northward.
//         Hence `winding = k + crossings` holds at every point of the cell for one k of the grid.
#ifndef GW_GEO_GRID_INDEX_FORMAT_H
#define GW_GEO_GRID_INDEX_FORMAT_H

#include "geo/lattice.h"
#include <stddef.h>
#include <stdint.h>

#define GW_INDEX_MAGIC "GWGRIDX"
#define GW_INDEX_BYTE_ORDER 0x01020304u
#define GW_INDEX_ALIGN 64u
#define GW_INDEX_SHIFT_MAX 26u // keeps every product of differences within 64 bits
#define GW_INDEX_LINE_WORDS 16u

struct gw_index_header {
    unsigned char magic[8];
    uint32_t version, byte_order;
    uint64_t size; // of everything, bytes
    uint64_t table_offset, sub_offset, leaf_offset, rank_offset;
    struct gw_point origin;
    uint32_t cell_shift, cols, rows;
    uint32_t sub_count, leaf_words, grid_count;
};

enum gw_index_tag { GW_TAG_OWNER = 0, GW_TAG_PAIR = 1, GW_TAG_LIST = 2, GW_TAG_SUB = 3 };

#define GW_TAG_SHIFT 30u
#define GW_PAYLOAD_MASK 0x3fffffffu
// Of a leaf's entry: the offset, and in a pair's whether it has one edge, so that a lookup knows
// what to do before the leaf is there.
#define GW_LEAF_MASK 0x1fffffffu
#define GW_LEAF_ONE_EDGE (1u << 29)

// Chain head: edges in the low 16 bits, then flags. Whether an end is "not above the point" is seen
// by comparing when it is closed, and fixed when it is open.
#define GW_CHAIN_EDGES_MASK 0xffffu
#define GW_CHAIN_FIRST_CLOSED (1u << 16) // compare the first vertex
#define GW_CHAIN_FIRST_BELOW (1u << 17)  // open, and the line comes from below
#define GW_CHAIN_LAST_CLOSED (1u << 18)
#define GW_CHAIN_LAST_BELOW (1u << 19)
#define GW_CHAIN_MASK 0xfffffu  // all of the above
#define GW_PAIR_BASE (1u << 20) // k of the pair's left side
// A pair's second and third vertex, so that two edges can be asked without looking at the count; a
// third vertex that isn't there repeats the second.
#define GW_PAIR_SECOND_CLOSED (1u << 22)
#define GW_PAIR_SECOND_BELOW (1u << 23)
#define GW_PAIR_THIRD_CLOSED (1u << 24)
#define GW_PAIR_THIRD_BELOW (1u << 25)
#define GW_LIST_MORE (1u << 20) // the next record is of the same grid
#define GW_LIST_LAST (1u << 21) // the last record of the leaf

// The leaf section begins with one line that holds a pair leaf of nobody: what a lookup that needs
// no leaf reads, so that it need not branch.
// Pair leaf: head, left answer, right answer (GW_GRID_NONE: nobody), vertices[edges + 1].
#define GW_PAIR_WORDS 3u
// List leaf: records of head, grid | k << 24 (k signed), vertices[edges + 1] or none if edges is 0.
#define GW_LIST_WORDS 2u
#define GW_LIST_GRID_MASK 0xffffffu

static inline uint32_t gw_chain_edges(uint32_t head) {
    return head & GW_CHAIN_EDGES_MASK;
}

// Words of the vertices behind a head.
static inline uint32_t gw_chain_words(uint32_t head) {
    uint32_t edges = gw_chain_edges(head);
    return edges == 0 ? 0 : 2u * (edges + 1u);
}

// The head of a pair leaf, from that of its chain.
static inline uint32_t gw_pair_head(uint32_t head, bool base) {
    uint32_t edges = gw_chain_edges(head);
    bool closed = (head & GW_CHAIN_LAST_CLOSED) != 0, below = (head & GW_CHAIN_LAST_BELOW) != 0;
    head |= base ? GW_PAIR_BASE : 0;
    head |= edges > 1 || closed ? GW_PAIR_SECOND_CLOSED : 0;
    head |= edges == 1 && below ? GW_PAIR_SECOND_BELOW : 0;
    head |= edges > 2 || closed ? GW_PAIR_THIRD_CLOSED : 0;
    head |= edges <= 2 && below ? GW_PAIR_THIRD_BELOW : 0;
    return head;
}

static inline int32_t gw_word_lon(const uint32_t *vertex) {
    return (int32_t)vertex[0];
}

static inline int32_t gw_word_lat(const uint32_t *vertex) {
    return (int32_t)vertex[1];
}

// Where a walk along a chain stands: its last vertex, and whether that is not above the point.
struct gw_chain_place {
    int64_t lon, lat;
    int32_t under;
};

// The vertex at `words`; `closed` and `below` as in the flags.
static inline struct gw_chain_place gw_chain_place(const uint32_t *words, struct gw_point p,
                                                   bool closed, bool below) {
    struct gw_chain_place place = {gw_word_lon(words), gw_word_lat(words), 0};
    place.under = ((place.lat <= p.lat) & closed) | below;
    return place;
}

// +1 for an upward edge that the eastward ray from `p`, shifted by (+e, +e^2), crosses, -1 for a
// downward one, else 0. Without branches, and exact: the products fit, their difference might not.
static inline int32_t gw_chain_step(struct gw_chain_place a, struct gw_chain_place b,
                                    struct gw_point p) {
    int64_t run = (b.lon - a.lon) * (p.lat - a.lat);
    int64_t rise = (b.lat - a.lat) * (p.lon - a.lon);
    int32_t left = (run > rise) - (run < rise);
    int32_t way = a.under - b.under;
    return way & -(int32_t)(way == left);
}

// The steps from vertex `from`, where `place` stands, to the last vertex.
static inline int32_t gw_chain_rest(uint32_t head, const uint32_t *vertices, uint32_t from,
                                    struct gw_chain_place place, struct gw_point p) {
    uint32_t edges = gw_chain_edges(head);
    int32_t crossings = 0;
    for (uint32_t i = from + 1; i <= edges; i++) {
        bool closed = (i < edges) | ((head & GW_CHAIN_LAST_CLOSED) != 0);
        bool below = (i == edges) & ((head & GW_CHAIN_LAST_BELOW) != 0);
        struct gw_chain_place next = gw_chain_place(vertices + (size_t)2 * i, p, closed, below);
        crossings += gw_chain_step(place, next, p);
        place = next;
    }
    return crossings;
}

// Upward minus downward edges of a chain that the ray crosses.
static inline int32_t gw_chain_crossings(uint32_t head, const uint32_t *vertices,
                                         struct gw_point p) {
    struct gw_chain_place first = gw_chain_place(vertices, p, (head & GW_CHAIN_FIRST_CLOSED) != 0,
                                                 (head & GW_CHAIN_FIRST_BELOW) != 0);
    return gw_chain_rest(head, vertices, 0, first, p);
}

#endif
