#include "geo/tiles/mesh_arcs.h"

#include <stdlib.h>
#include <string.h>

// Two numbers to a slot of a table with open addressing.
static uint32_t hash_pair(uint32_t a, uint32_t b) {
    uint64_t hash = ((uint64_t)a << 32 | b) * 0x9e3779b97f4a7c15u;
    hash ^= hash >> 32;
    hash *= 0xd6e8feb86659fd93u;
    return (uint32_t)(hash >> 32);
}

// A power of two that leaves half of the slots free. count <= MESH_VERTICES_MAX.
static uint32_t slot_count(uint32_t count) {
    uint32_t slots = 16;
    while (slots / 2 < count) {
        slots *= 2;
    }
    return slots;
}

int mesh_compare(struct gw_world_point a, struct gw_world_point b) {
    if (a.x != b.x) {
        return a.x < b.x ? -1 : 1;
    }
    return a.y == b.y ? 0 : a.y < b.y ? -1 : 1;
}

// Numbers the distinct projected vertices, and those of each ring vertex into `numbers`. Where two
// lattice points meet in one, the lower lattice point stands for both.
static gw_err number_points(const struct gw_coverage *coverage, struct mesh_edges *edges,
                            uint32_t numbers[]) {
    uint32_t mask = slot_count(coverage->vertex_count) - 1;
    uint32_t *slots = calloc((size_t)mask + 1, sizeof *slots);
    if (slots == NULL) {
        return GW_ENOMEM;
    }
    uint32_t count = 0;
    for (uint32_t i = 0; i < coverage->vertex_count; i++) {
        struct gw_point at = coverage->vertices[i];
        struct gw_world_point world = gw_mercator_project(at);
        uint32_t slot = hash_pair((uint32_t)world.x, (uint32_t)world.y) & mask;
        while (slots[slot] != 0 && mesh_compare(edges->world[slots[slot] - 1], world) != 0) {
            slot = (slot + 1) & mask;
        }
        if (slots[slot] == 0) {
            edges->world[count] = world;
            edges->lattice[count] = at;
            slots[slot] = ++count;
        }
        numbers[i] = slots[slot] - 1;
        struct gw_point *kept = &edges->lattice[numbers[i]];
        if (at.lon < kept->lon || (at.lon == kept->lon && at.lat < kept->lat)) {
            *kept = at;
        }
    }
    edges->point_count = count;
    free(slots);
    return GW_OK;
}

// Turns the point numbers of ring vertices into edges: edge << 1 | against, MESH_NOT_NODE where two
// vertices have become one.
static gw_err number_edges(const struct gw_coverage *coverage, struct mesh_edges *edges,
                           uint32_t numbers[]) {
    uint32_t mask = slot_count(coverage->vertex_count) - 1;
    uint32_t *slots = calloc((size_t)mask + 1, sizeof *slots);
    if (slots == NULL) {
        return GW_ENOMEM;
    }
    for (uint32_t ring = 0; ring < coverage->ring_count; ring++) {
        uint32_t begin = coverage->ring_vertices[ring], end = coverage->ring_vertices[ring + 1];
        uint32_t first = numbers[begin];
        for (uint32_t i = begin; i < end; i++) {
            uint32_t from = numbers[i], to = i + 1 < end ? numbers[i + 1] : first;
            if (from == to) {
                numbers[i] = MESH_NOT_NODE;
                continue;
            }
            uint32_t low = from < to ? from : to, high = from < to ? to : from;
            uint32_t slot = hash_pair(low, high) & mask;
            while (slots[slot] != 0 && (edges->ends[2 * (slots[slot] - 1)] != low ||
                                        edges->ends[2 * (slots[slot] - 1) + 1] != high)) {
                slot = (slot + 1) & mask;
            }
            if (slots[slot] == 0) {
                edges->ends[2 * (size_t)edges->edge_count] = low;
                edges->ends[2 * (size_t)edges->edge_count + 1] = high;
                slots[slot] = ++edges->edge_count;
            }
            numbers[i] = (slots[slot] - 1) << 1 | (from == high ? 1u : 0u);
        }
    }
    free(slots);
    return GW_OK;
}

// Lists each edge's uses by grid; a grid that runs along an edge both ways does not border on it.
static void list_uses(const struct gw_coverage *coverage, struct mesh_edges *edges,
                      const uint32_t numbers[]) {
    uint32_t *starts = edges->use_starts;
    memset(starts, 0, ((size_t)edges->edge_count + 1) * sizeof *starts);
    for (uint32_t i = 0; i < coverage->vertex_count; i++) {
        if (numbers[i] != MESH_NOT_NODE) {
            starts[(numbers[i] >> 1) + 1]++;
        }
    }
    for (uint32_t i = 0; i < edges->edge_count; i++) {
        starts[i + 1] += starts[i];
    }
    uint32_t grid = 0, ring = 0;
    for (uint32_t i = 0; i < coverage->vertex_count; i++) {
        while (i >= coverage->ring_vertices[ring + 1]) {
            ring++;
        }
        while (ring >= coverage->grid_rings[grid + 1]) {
            grid++;
        }
        if (numbers[i] != MESH_NOT_NODE) {
            edges->uses[starts[numbers[i] >> 1]++] = grid << 1 | (numbers[i] & 1u);
        }
    }
    // Each start has moved to its end; the uses of a grid lie together, since grids came in order.
    uint32_t begin = 0, kept = 0;
    for (uint32_t edge = 0; edge < edges->edge_count; edge++) {
        uint32_t end = starts[edge];
        starts[edge] = kept;
        while (begin < end) {
            uint32_t at = edges->uses[begin] >> 1, along = 0, against = 0;
            for (; begin < end && edges->uses[begin] >> 1 == at; begin++) {
                (edges->uses[begin] & 1u) != 0 ? against++ : along++;
            }
            for (; along > against; along--) {
                edges->uses[kept++] = at << 1;
            }
            for (; against > along; against--) {
                edges->uses[kept++] = at << 1 | 1u;
            }
        }
    }
    starts[edges->edge_count] = kept;
}

// Whether the same grids lie on either side before and behind a point with two edges.
static bool runs_on(const struct mesh_edges *edges, uint32_t point) {
    uint32_t in = edges->neighbours[2 * (size_t)point];
    uint32_t out = edges->neighbours[2 * (size_t)point + 1];
    uint32_t turn = (edges->ends[2 * (size_t)in] == point ? 1u : 0u) ^
                    (edges->ends[2 * (size_t)out + 1] == point ? 1u : 0u);
    uint32_t a = edges->use_starts[in], b = edges->use_starts[out];
    uint32_t count = edges->use_starts[in + 1] - a;
    if (edges->use_starts[out + 1] - b != count) {
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (edges->uses[a + i] != (edges->uses[b + i] ^ turn)) {
            return false;
        }
    }
    return true;
}

static void find_nodes(struct mesh_edges *edges) {
    for (uint32_t edge = 0; edge < edges->edge_count; edge++) {
        if (edges->use_starts[edge] == edges->use_starts[edge + 1]) {
            continue;
        }
        for (size_t end = 0; end < 2; end++) {
            uint32_t point = edges->ends[2 * (size_t)edge + end];
            if (edges->degrees[point] < 2) {
                edges->neighbours[2 * (size_t)point + edges->degrees[point]] = edge;
            }
            edges->degrees[point]++;
        }
    }
    for (uint32_t point = 0; point < edges->point_count; point++) {
        bool plain =
            edges->degrees[point] == 0 || (edges->degrees[point] == 2 && runs_on(edges, point));
        edges->nodes[point] = plain ? MESH_NOT_NODE : edges->node_count++;
    }
}

gw_err mesh_edges_make(const struct gw_coverage *coverage, struct mesh_edges *edges) {
    size_t count = coverage->vertex_count;
    uint32_t *numbers = malloc((count + 1) * sizeof *numbers);
    edges->world = malloc((count + 1) * sizeof *edges->world);
    edges->lattice = malloc((count + 1) * sizeof *edges->lattice);
    edges->ends = malloc((count + 1) * 2 * sizeof *edges->ends);
    edges->use_starts = malloc((count + 1) * sizeof *edges->use_starts);
    edges->uses = malloc((count + 1) * sizeof *edges->uses);
    gw_err err = GW_ENOMEM;
    if (numbers == NULL || edges->world == NULL || edges->lattice == NULL || edges->ends == NULL ||
        edges->use_starts == NULL || edges->uses == NULL) {
        goto done;
    }
    err = number_points(coverage, edges, numbers);
    if (err != GW_OK) {
        goto done;
    }
    size_t points = edges->point_count;
    err = GW_ENOMEM;
    edges->neighbours = malloc((points + 1) * 2 * sizeof *edges->neighbours);
    edges->degrees = calloc(points + 1, sizeof *edges->degrees);
    edges->nodes = malloc((points + 1) * sizeof *edges->nodes);
    if (edges->neighbours == NULL || edges->degrees == NULL || edges->nodes == NULL) {
        goto done;
    }
    err = number_edges(coverage, edges, numbers);
    if (err == GW_OK) {
        list_uses(coverage, edges, numbers);
        find_nodes(edges);
    }
done:
    free(numbers);
    return err;
}

void mesh_edges_deinit(struct mesh_edges *edges) {
    free(edges->world);
    free(edges->lattice);
    free(edges->ends);
    free(edges->use_starts);
    free(edges->uses);
    free(edges->neighbours);
    free(edges->degrees);
    free(edges->nodes);
}
