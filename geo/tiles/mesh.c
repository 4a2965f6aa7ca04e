#include "geo/tiles/mesh.h"

#include "geo/tiles/mesh_arcs.h"

#include <stdlib.h>
#include <string.h>

#define BEND_MAX 0.5     // world units between an edge and what is drawn of it
#define PIECES_MAX 1024u // of one edge
#define ADDED_MAX                                                                                  \
    (1u << 24) // vertices of a mesh that edges have not: bounds what a file can ask for

// What is needed while the vertices of the arcs are laid out.
struct layout {
    struct gw_tile_mesh *mesh;
    const struct mesh_edges *edges;
    const struct mesh_trace *trace;
    uint8_t *twins;    // [arc_count] of the trace: another arc has the same ends
    uint32_t *numbers; // of the junctions in the order of the arcs
    struct gw_world_point *run;
    double *distances;
    uint8_t *zooms;
    uint32_t run_capacity, added;
    size_t vertex_capacity, block_count, block_capacity;
};

// Makes room for `count` elements of `size` bytes, twice as much as before or more.
static bool grow(void **array, size_t *capacity, size_t count, size_t size) {
    if (count <= *capacity) {
        return true;
    }
    size_t wanted = *capacity * 2 > count ? *capacity * 2 : count;
    void *grown = realloc(*array, wanted * size);
    if (grown == NULL) {
        return false;
    }
    *array = grown;
    *capacity = wanted;
    return true;
}

static gw_err reserve_run(struct layout *layout, size_t count) {
    if (count > MESH_VERTICES_MAX) {
        return GW_ENOSPC;
    }
    size_t capacity = layout->run_capacity;
    void *run = layout->run;
    if (!grow(&run, &capacity, count, sizeof *layout->run)) {
        return GW_ENOMEM;
    }
    layout->run = run;
    if (capacity > layout->run_capacity) {
        void *distances = realloc(layout->distances, capacity * sizeof *layout->distances);
        if (distances == NULL) {
            return GW_ENOMEM;
        }
        layout->distances = distances;
        void *zooms = realloc(layout->zooms, capacity);
        if (zooms == NULL) {
            return GW_ENOMEM;
        }
        layout->zooms = zooms;
        layout->run_capacity = (uint32_t)capacity;
    }
    return GW_OK;
}

// How many straight pieces stand for an edge, which is straight in degrees and bends when
// projected.
static uint32_t pieces_of(struct gw_point a, struct gw_point b) {
    double bend = gw_mercator_bend(a, b);
    uint32_t pieces = 1;
    while (pieces < PIECES_MAX && BEND_MAX * pieces * pieces < bend) {
        pieces++;
    }
    return pieces;
}

static struct gw_world_point point_between(struct gw_point a, struct gw_point b, uint32_t part,
                                           uint32_t pieces) {
    int64_t lon = ((int64_t)b.lon - a.lon) * part / pieces;
    int64_t lat = ((int64_t)b.lat - a.lat) * part / pieces;
    return gw_mercator_project((struct gw_point){(int32_t)(a.lon + lon), (int32_t)(a.lat + lat)});
}

// The vertices of an arc into layout->run: its points, and more where an edge bends.
static gw_err lay_run(struct layout *layout, uint32_t arc, uint32_t *count) {
    const struct mesh_edges *edges = layout->edges;
    const uint32_t *points = layout->trace->points + layout->trace->starts[arc];
    uint32_t point_count = layout->trace->starts[arc + 1] - layout->trace->starts[arc];
    gw_err err = reserve_run(layout, (size_t)point_count + PIECES_MAX);
    if (err != GW_OK) {
        return err;
    }
    uint32_t laid = 0;
    layout->run[laid++] = edges->world[points[0]];
    for (uint32_t i = 1; i < point_count; i++) {
        // From the lower end on, so that both directions give the same vertices.
        bool up = mesh_compare(edges->world[points[i - 1]], edges->world[points[i]]) < 0;
        struct gw_point a = edges->lattice[points[up ? i - 1 : i]];
        struct gw_point b = edges->lattice[points[up ? i : i - 1]];
        uint32_t pieces = pieces_of(a, b);
        layout->added += pieces - 1;
        if (layout->added > ADDED_MAX) {
            return GW_ENOSPC;
        }
        err = reserve_run(layout, (size_t)laid + pieces + (point_count - i));
        if (err != GW_OK) {
            return err;
        }
        for (uint32_t part = 1; part < pieces; part++) {
            struct gw_world_point at = point_between(a, b, up ? part : pieces - part, pieces);
            if (mesh_compare(at, layout->run[laid - 1]) != 0) {
                layout->run[laid++] = at;
            }
        }
        layout->run[laid++] = edges->world[points[i]];
    }
    *count = laid;
    return GW_OK;
}

static void include(struct gw_world_box *box, struct gw_world_point at) {
    box->min.x = at.x < box->min.x ? at.x : box->min.x;
    box->min.y = at.y < box->min.y ? at.y : box->min.y;
    box->max.x = at.x > box->max.x ? at.x : box->max.x;
    box->max.y = at.y > box->max.y ? at.y : box->max.y;
}

static const struct gw_world_box nothing = {{INT32_MAX, INT32_MAX}, {INT32_MIN, INT32_MIN}};

static uint64_t mix(uint64_t hash, uint64_t word) {
    hash = (hash ^ word) * 0x9fb21c651e98df25u;
    return hash ^ hash >> 32;
}

// Boxes and hash of the arc that was stored last.
static gw_err summarise(struct layout *layout, uint32_t arc) {
    struct gw_tile_mesh *mesh = layout->mesh;
    uint32_t begin = mesh->arc_vertices[arc], end = mesh->arc_vertices[arc + 1];
    size_t blocks = (end - begin + MESH_BLOCK - 1) / MESH_BLOCK;
    void *boxes = mesh->block_boxes;
    if (!grow(&boxes, &layout->block_capacity, layout->block_count + blocks,
              sizeof *mesh->block_boxes)) {
        return GW_ENOMEM;
    }
    mesh->block_boxes = boxes;
    uint64_t hash = end - begin;
    mesh->arc_boxes[arc] = nothing;
    for (uint32_t i = begin; i < end; i++) {
        struct gw_world_box *block =
            &mesh->block_boxes[layout->block_count + (i - begin) / MESH_BLOCK];
        if ((i - begin) % MESH_BLOCK == 0) {
            *block = nothing;
        }
        struct gw_world_point at = mesh->vertices[i];
        include(block, at);
        include(&mesh->arc_boxes[arc], at);
        hash = mix(mix(hash, (uint64_t)(uint32_t)at.x << 32 | (uint32_t)at.y), mesh->zooms[i]);
    }
    layout->block_count += blocks;
    mesh->arc_blocks[arc + 1] = (uint32_t)layout->block_count;

    uint64_t sides[2] = {0, 0};
    for (uint32_t i = mesh->arc_uses[arc]; i < mesh->arc_uses[arc + 1]; i++) {
        sides[mesh->uses[i] & 1u]++;
    }
    mesh->arc_hashes[arc] = mix(mix(hash, sides[0]), sides[1]);
    return GW_OK;
}

// Lays out the arc of the trace that comes next in order, without what no zoom draws.
static gw_err lay_arc(struct layout *layout, uint32_t arc) {
    struct gw_tile_mesh *mesh = layout->mesh;
    const struct mesh_edges *edges = layout->edges;
    uint32_t traced = layout->trace->order[arc], count = 0;
    gw_err err = lay_run(layout, traced, &count);
    if (err != GW_OK) {
        return err;
    }
    mesh_simplify(layout->run, count, layout->twins[traced] != 0, layout->distances, layout->zooms);
    size_t needed = (size_t)mesh->vertex_count + count, capacity = layout->vertex_capacity;
    if (needed > MESH_VERTICES_MAX) {
        return GW_ENOSPC;
    }
    void *vertices = mesh->vertices;
    if (!grow(&vertices, &layout->vertex_capacity, needed, sizeof *mesh->vertices)) {
        return GW_ENOMEM;
    }
    mesh->vertices = vertices;
    if (layout->vertex_capacity > capacity) {
        void *zooms = realloc(mesh->zooms, layout->vertex_capacity);
        if (zooms == NULL) {
            return GW_ENOMEM;
        }
        mesh->zooms = zooms;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (layout->zooms[i] < MESH_NEVER) {
            mesh->vertices[mesh->vertex_count] = layout->run[i];
            mesh->zooms[mesh->vertex_count++] = layout->zooms[i];
        }
    }
    mesh->arc_vertices[arc + 1] = mesh->vertex_count;
    for (size_t end = 0; end < 2; end++) {
        uint32_t *number = &layout->numbers[layout->trace->arc_nodes[2 * (size_t)traced + end]];
        if (*number == MESH_NOT_NODE) {
            *number = mesh->node_count++;
        }
        mesh->arc_nodes[2 * (size_t)arc + end] = *number;
    }
    uint32_t edge = layout->trace->arc_edges[traced] >> 1;
    uint32_t against = layout->trace->arc_edges[traced] & 1u;
    uint32_t use = mesh->arc_uses[arc];
    for (uint32_t i = edges->use_starts[edge]; i < edges->use_starts[edge + 1]; i++) {
        mesh->uses[use++] = edges->uses[i] ^ against;
    }
    mesh->arc_uses[arc + 1] = use;
    return summarise(layout, arc);
}

struct ends_key {
    uint32_t low, high, arc;
};

static int compare_ends(const void *left, const void *right) {
    const struct ends_key *a = left, *b = right;
    if (a->low != b->low) {
        return a->low < b->low ? -1 : 1;
    }
    return a->high == b->high ? 0 : a->high < b->high ? -1 : 1;
}

// Marks the arcs that share both ends with another.
static gw_err find_twins(struct layout *layout) {
    const struct mesh_trace *trace = layout->trace;
    size_t count = trace->arc_count;
    struct ends_key *keys = malloc((count + 1) * sizeof *keys);
    if (keys == NULL) {
        return GW_ENOMEM;
    }
    for (uint32_t arc = 0; arc < count; arc++) {
        uint32_t a = trace->arc_nodes[2 * (size_t)arc], b = trace->arc_nodes[2 * (size_t)arc + 1];
        keys[arc] = (struct ends_key){a < b ? a : b, a < b ? b : a, arc};
    }
    qsort(keys, count, sizeof *keys, compare_ends);
    for (size_t i = 1; i < count; i++) {
        if (compare_ends(&keys[i - 1], &keys[i]) == 0) {
            layout->twins[keys[i - 1].arc] = layout->twins[keys[i].arc] = 1;
        }
    }
    free(keys);
    return GW_OK;
}

static gw_err allocate(struct gw_tile_mesh *mesh, size_t arcs, size_t uses) {
    mesh->arc_vertices = malloc((arcs + 1) * sizeof *mesh->arc_vertices);
    mesh->arc_nodes = malloc((arcs + 1) * 2 * sizeof *mesh->arc_nodes);
    mesh->arc_uses = malloc((arcs + 1) * sizeof *mesh->arc_uses);
    mesh->uses = malloc((uses + 1) * sizeof *mesh->uses);
    mesh->arc_blocks = malloc((arcs + 1) * sizeof *mesh->arc_blocks);
    mesh->arc_hashes = malloc((arcs + 1) * sizeof *mesh->arc_hashes);
    mesh->arc_boxes = malloc((arcs + 1) * sizeof *mesh->arc_boxes);
    if (mesh->arc_vertices == NULL || mesh->arc_nodes == NULL || mesh->arc_uses == NULL ||
        mesh->uses == NULL || mesh->arc_blocks == NULL || mesh->arc_hashes == NULL ||
        mesh->arc_boxes == NULL) {
        return GW_ENOMEM;
    }
    mesh->arc_vertices[0] = mesh->arc_uses[0] = mesh->arc_blocks[0] = 0;
    return GW_OK;
}

static gw_err lay_out(struct layout *layout) {
    struct gw_tile_mesh *mesh = layout->mesh;
    uint32_t arcs = layout->trace->arc_count;
    layout->twins = calloc((size_t)arcs + 1, 1);
    size_t nodes = (size_t)layout->edges->node_count + 1;
    layout->numbers = malloc(nodes * sizeof *layout->numbers);
    if (layout->twins == NULL || layout->numbers == NULL) {
        return GW_ENOMEM;
    }
    memset(layout->numbers, 0xff, nodes * sizeof *layout->numbers);
    gw_err err = find_twins(layout);
    if (err == GW_OK) {
        err = allocate(mesh, arcs, layout->edges->use_starts[layout->edges->edge_count]);
    }
    for (uint32_t arc = 0; arc < arcs && err == GW_OK; arc++) {
        err = lay_arc(layout, arc);
        mesh->arc_count = arc + 1;
    }
    if (err == GW_OK && mesh->vertex_count > 0) { // what was reserved ahead goes back
        void *vertices = realloc(mesh->vertices, mesh->vertex_count * sizeof *mesh->vertices);
        mesh->vertices = vertices == NULL ? mesh->vertices : vertices;
        void *zooms = realloc(mesh->zooms, mesh->vertex_count);
        mesh->zooms = zooms == NULL ? mesh->zooms : zooms;
    }
    return err;
}

gw_err gw_tile_mesh_create(const struct gw_coverage *coverage, struct gw_tile_mesh **mesh) {
    if (coverage->vertex_count > MESH_VERTICES_MAX) {
        return GW_ENOSPC;
    }
    struct gw_tile_mesh *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return GW_ENOMEM;
    }
    made->grid_count = coverage->grid_count;
    struct mesh_edges edges = {0};
    struct mesh_trace trace = {0};
    struct layout layout = {.mesh = made, .edges = &edges, .trace = &trace};
    gw_err err = mesh_edges_make(coverage, &edges);
    if (err == GW_OK) {
        err = mesh_trace_make(&edges, &trace);
    }
    if (err == GW_OK) {
        err = lay_out(&layout);
    }
    free(layout.twins);
    free(layout.numbers);
    free(layout.run);
    free(layout.distances);
    free(layout.zooms);
    mesh_trace_deinit(&trace);
    mesh_edges_deinit(&edges);
    if (err != GW_OK) {
        gw_tile_mesh_destroy(made);
        return err;
    }
    *mesh = made;
    return GW_OK;
}

void gw_tile_mesh_destroy(struct gw_tile_mesh *mesh) {
    if (mesh != NULL) {
        free(mesh->arc_vertices);
        free(mesh->arc_nodes);
        free(mesh->arc_uses);
        free(mesh->uses);
        free(mesh->arc_blocks);
        free(mesh->arc_hashes);
        free(mesh->arc_boxes);
        free(mesh->block_boxes);
        free(mesh->vertices);
        free(mesh->zooms);
        free(mesh);
    }
}

size_t gw_tile_mesh_bytes(const struct gw_tile_mesh *mesh) {
    size_t arcs = mesh->arc_count;
    size_t blocks = arcs == 0 ? 0 : mesh->arc_blocks[arcs];
    size_t uses = arcs == 0 ? 0 : mesh->arc_uses[arcs];
    size_t an_arc = 5 * sizeof(uint32_t) + sizeof(uint64_t) + sizeof(struct gw_world_box);
    return sizeof *mesh + arcs * an_arc + uses * sizeof(uint32_t) +
           blocks * sizeof(struct gw_world_box) +
           mesh->vertex_count * (sizeof(struct gw_world_point) + 1);
}
