#include "geo/tiles/shape_rings.h"

#include <stdlib.h>
#include <string.h>

#define TURNS_MAX 64u // pieces at a junction that are weighed against each other

struct piece_key {
    uint32_t node, piece;
};

struct ring_linker {
    const struct gw_tile_mesh *mesh;
    struct piece_key *keys; // the feature's pieces by the node where they begin
    uint8_t *used;          // [piece_count_max] of keys
    uint32_t *stack, *rings;
    uint32_t *positions; // [node_count] where the node's piece lies on the stack, or ABSENT
};
#define ABSENT UINT32_MAX

gw_err ring_linker_create(const struct gw_tile_mesh *mesh, uint32_t piece_count_max,
                          struct ring_linker **linker) {
    struct ring_linker *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return GW_ENOMEM;
    }
    size_t count = (size_t)piece_count_max + 1, nodes = (size_t)mesh->node_count + 1;
    made->mesh = mesh;
    made->keys = malloc(count * sizeof *made->keys);
    made->used = malloc(count);
    made->stack = malloc(count * sizeof *made->stack);
    made->rings = malloc(count * sizeof *made->rings);
    made->positions = malloc(nodes * sizeof *made->positions);
    if (made->keys == NULL || made->used == NULL || made->stack == NULL || made->rings == NULL ||
        made->positions == NULL) {
        ring_linker_destroy(made);
        return GW_ENOMEM;
    }
    memset(made->positions, 0xff, nodes * sizeof *made->positions);
    *linker = made;
    return GW_OK;
}

void ring_linker_destroy(struct ring_linker *linker) {
    if (linker != NULL) {
        free(linker->keys);
        free(linker->used);
        free(linker->stack);
        free(linker->rings);
        free(linker->positions);
        free(linker);
    }
}

static uint32_t begin_of(const struct gw_tile_mesh *mesh, uint32_t piece) {
    return mesh->arc_nodes[2 * (size_t)(piece >> 1) + (piece & 1u)];
}

static uint32_t end_of(const struct gw_tile_mesh *mesh, uint32_t piece) {
    return mesh->arc_nodes[2 * (size_t)(piece >> 1) + (~piece & 1u)];
}

struct vector {
    int64_t x, y;
};

// From the junction where a piece begins (or where its reverse does) to the vertex next to it.
static struct vector leaving(const struct gw_tile_mesh *mesh, uint32_t piece) {
    uint32_t arc = piece >> 1;
    bool backward = (piece & 1u) != 0;
    uint32_t at = backward ? mesh->arc_vertices[arc + 1] - 1 : mesh->arc_vertices[arc];
    struct gw_world_point from = mesh->vertices[at],
                          to = mesh->vertices[backward ? at - 1 : at + 1];
    return (struct vector){(int64_t)to.x - from.x, (int64_t)to.y - from.y};
}

// Positive where b lies clockwise of a as drawn (y runs south).
static int64_t cross(struct vector a, struct vector b) {
    return a.x * b.y - a.y * b.x;
}

// 0: the first half turn counter-clockwise from `base`, 1: straight back, 2: the second half turn,
// 3: along the base itself.
static int half_of(struct vector base, struct vector other) {
    int64_t side = cross(base, other);
    if (side != 0) {
        return side < 0 ? 0 : 2;
    }
    return base.x * other.x + base.y * other.y > 0 ? 3 : 1;
}

// Whether `a` comes before `b` when turning counter-clockwise (as drawn) from `base`.
static bool turns_before(struct vector base, struct vector a, struct vector b) {
    int half_a = half_of(base, a), half_b = half_of(base, b);
    return half_a != half_b ? half_a < half_b : cross(a, b) < 0;
}

static int compare_keys(const void *left, const void *right) {
    const struct piece_key *a = left, *b = right;
    if (a->node != b->node) {
        return a->node < b->node ? -1 : 1;
    }
    return a->piece == b->piece ? 0 : a->piece < b->piece ? -1 : 1;
}

// The piece to go on with from the end of `last`: the interior lies to the right, so it is the
// first one counter-clockwise from where the ring came. Index into keys.
static uint32_t next_piece(const struct ring_linker *linker, uint32_t count, uint32_t node,
                           uint32_t last) {
    uint32_t low = 0, high = count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (linker->keys[middle].node < node) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    uint32_t best = ABSENT, weighed = 0;
    struct vector base = leaving(linker->mesh, last ^ 1u), best_turn = {0, 0};
    for (; low < count && linker->keys[low].node == node && weighed < TURNS_MAX; low++) {
        if (linker->used[low] != 0) {
            continue;
        }
        struct vector turn = leaving(linker->mesh, linker->keys[low].piece);
        if (best == ABSENT || turns_before(base, turn, best_turn)) {
            best = low;
            best_turn = turn;
        }
        weighed++;
    }
    return best;
}

// Moves the pieces of the stack from `from` on to the rings as one ring.
static void cut_ring(struct ring_linker *linker, uint32_t from, uint32_t *depth, uint32_t *linked,
                     uint32_t starts[], uint32_t *ring_count) {
    starts[(*ring_count)++] = *linked;
    for (uint32_t i = from; i < *depth; i++) {
        linker->rings[(*linked)++] = linker->stack[i];
        linker->positions[begin_of(linker->mesh, linker->stack[i])] = ABSENT;
    }
    *depth = from;
}

uint32_t ring_linker_link(struct ring_linker *linker, uint32_t pieces[], uint32_t count,
                          uint32_t starts[]) {
    const struct gw_tile_mesh *mesh = linker->mesh;
    for (uint32_t i = 0; i < count; i++) {
        linker->keys[i] = (struct piece_key){begin_of(mesh, pieces[i]), pieces[i]};
        linker->used[i] = 0;
    }
    qsort(linker->keys, count, sizeof *linker->keys, compare_keys);
    uint32_t ring_count = 0, linked = 0;
    for (uint32_t first = 0; first < count; first++) {
        uint32_t at = first, depth = 0;
        while (at != ABSENT && linker->used[at] == 0) {
            uint32_t piece = linker->keys[at].piece;
            linker->used[at] = 1;
            linker->positions[linker->keys[at].node] = depth;
            linker->stack[depth++] = piece;
            uint32_t node = end_of(mesh, piece);
            if (linker->positions[node] != ABSENT) {
                cut_ring(linker, linker->positions[node], &depth, &linked, starts, &ring_count);
            }
            at = depth == 0 ? ABSENT : next_piece(linker, count, node, piece);
        }
    }
    memcpy(pieces, linker->rings, linked * sizeof *pieces);
    return ring_count;
}
