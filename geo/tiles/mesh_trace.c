#include "geo/hilbert.h"
#include "geo/tiles/mesh_arcs.h"

#include <stdlib.h>
#include <string.h>

struct tracer {
    struct mesh_edges *edges;
    struct mesh_trace *trace;
    uint8_t *walked; // [edge_count]
};

static uint32_t other_end(const struct mesh_edges *edges, uint32_t edge, uint32_t point) {
    uint32_t low = edges->ends[2 * (size_t)edge];
    return low == point ? edges->ends[2 * (size_t)edge + 1] : low;
}

// Follows the border from a point along an edge until a junction or the start; appends the points.
static void follow(struct tracer *tracer, uint32_t start, uint32_t edge) {
    const struct mesh_edges *edges = tracer->edges;
    struct mesh_trace *trace = tracer->trace;
    uint32_t point = start;
    trace->points[trace->point_count++] = point;
    for (;;) {
        tracer->walked[edge] = 1;
        point = other_end(edges, edge, point);
        trace->points[trace->point_count++] = point;
        if (point == start || edges->nodes[point] != MESH_NOT_NODE) {
            return;
        }
        const uint32_t *both = edges->neighbours + 2 * (size_t)point;
        edge = both[0] == edge ? both[1] : both[0];
    }
}

static void reverse(uint32_t points[], uint32_t count) {
    for (uint32_t i = 0, j = count; i + 1 < j; i++) {
        j--;
        uint32_t swapped = points[i];
        points[i] = points[j];
        points[j] = swapped;
    }
}

// Turns a closed run of points (the last is the first) so that it begins at its lowest.
static void begin_at_lowest(const struct mesh_edges *edges, uint32_t run[], uint32_t count) {
    uint32_t distinct = count - 1, lowest = 0;
    for (uint32_t i = 1; i < distinct; i++) {
        if (mesh_compare(edges->world[run[i]], edges->world[run[lowest]]) < 0) {
            lowest = i;
        }
    }
    // Rotation by three reversals.
    reverse(run, lowest);
    reverse(run + lowest, distinct - lowest);
    reverse(run, distinct);
    run[distinct] = run[0];
}

// Whether the run read from its end is the smaller sequence.
static bool smaller_backward(const struct mesh_edges *edges, const uint32_t run[], uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        int order = mesh_compare(edges->world[run[i]], edges->world[run[count - 1 - i]]);
        if (order != 0) {
            return order > 0;
        }
    }
    return false;
}

// The edge between the first two points of a run, of the two at hand.
static uint32_t first_edge(const struct mesh_edges *edges, const uint32_t run[], uint32_t a,
                           uint32_t b) {
    const uint32_t *ends = edges->ends + 2 * (size_t)a;
    bool is_a =
        (ends[0] == run[0] && ends[1] == run[1]) || (ends[1] == run[0] && ends[0] == run[1]);
    return is_a ? a : b;
}

// Traces one arc from a point along an edge and brings it into its canonical form.
static void add_arc(struct tracer *tracer, uint32_t start, uint32_t edge) {
    const struct mesh_edges *edges = tracer->edges;
    struct mesh_trace *trace = tracer->trace;
    uint32_t arc = trace->arc_count++, begin = trace->point_count;
    follow(tracer, start, edge);
    uint32_t *run = trace->points + begin, count = trace->point_count - begin;
    bool loop = edges->nodes[start] == MESH_NOT_NODE;
    if (loop) {
        begin_at_lowest(edges, run, count);
    }
    if (smaller_backward(edges, run, count)) {
        reverse(run, count);
    }
    // An arc's uses are those of any of its edges: of the one that the trace began with, unless the
    // run now begins elsewhere; then of one at its first point.
    const uint32_t *both = edges->neighbours + 2 * (size_t)run[1];
    uint32_t first = count > 2 ? first_edge(edges, run, both[0], both[1]) : edge;
    trace->arc_edges[arc] = first << 1 | (edges->ends[2 * (size_t)first] == run[0] ? 0u : 1u);
    trace->arc_nodes[2 * (size_t)arc] = edges->nodes[run[0]];
    trace->arc_nodes[2 * (size_t)arc + 1] = edges->nodes[run[count - 1]];
    trace->starts[arc + 1] = trace->point_count;
}

struct arc_key {
    uint64_t place; // of the first point along the Hilbert curve
    struct gw_world_point first, second;
    uint32_t arc;
};

static int compare_keys(const void *left, const void *right) {
    const struct arc_key *a = left, *b = right;
    if (a->place != b->place) {
        return a->place < b->place ? -1 : 1;
    }
    int order = mesh_compare(a->first, b->first);
    return order != 0 ? order : mesh_compare(a->second, b->second);
}

// By the first edge, which no other arc has; along the Hilbert curve, so that what one tile shows
// lies close together in memory.
static gw_err sort_arcs(const struct mesh_edges *edges, struct mesh_trace *trace) {
    size_t count = trace->arc_count;
    struct arc_key *keys = malloc((count + 1) * sizeof *keys);
    trace->order = malloc((count + 1) * sizeof *trace->order);
    if (keys == NULL || trace->order == NULL) {
        free(keys);
        return GW_ENOMEM;
    }
    for (uint32_t arc = 0; arc < count; arc++) {
        const uint32_t *run = trace->points + trace->starts[arc];
        keys[arc] = (struct arc_key){gw_hilbert_key(edges->lattice[run[0]]), edges->world[run[0]],
                                     edges->world[run[1]], arc};
    }
    qsort(keys, count, sizeof *keys, compare_keys);
    for (size_t i = 0; i < count; i++) {
        trace->order[i] = keys[i].arc;
    }
    free(keys);
    return GW_OK;
}

static void trace_all(struct tracer *tracer) {
    struct mesh_edges *edges = tracer->edges;
    for (uint32_t edge = 0; edge < edges->edge_count; edge++) {
        bool bare = edges->use_starts[edge] == edges->use_starts[edge + 1];
        tracer->walked[edge] = bare ? 1 : 0;
    }
    for (uint32_t edge = 0; edge < edges->edge_count; edge++) {
        for (size_t end = 0; end < 2 && tracer->walked[edge] == 0; end++) {
            uint32_t point = edges->ends[2 * (size_t)edge + end];
            if (edges->nodes[point] != MESH_NOT_NODE) {
                add_arc(tracer, point, edge);
            }
        }
    }
    for (uint32_t edge = 0; edge < edges->edge_count; edge++) { // what no junction lies on
        if (tracer->walked[edge] == 0) {
            uint32_t arc = tracer->trace->arc_count;
            add_arc(tracer, edges->ends[2 * (size_t)edge], edge);
            tracer->trace->arc_nodes[2 * (size_t)arc] = edges->node_count;
            tracer->trace->arc_nodes[2 * (size_t)arc + 1] = edges->node_count++;
        }
    }
}

gw_err mesh_trace_make(struct mesh_edges *edges, struct mesh_trace *trace) {
    size_t count = edges->edge_count;
    struct tracer tracer = {edges, trace, malloc(count + 1)};
    trace->points = malloc((2 * count + 1) * sizeof *trace->points); // an arc has an edge at least
    trace->starts = malloc((count + 1) * sizeof *trace->starts);
    trace->arc_edges = malloc((count + 1) * sizeof *trace->arc_edges);
    trace->arc_nodes = malloc((count + 1) * 2 * sizeof *trace->arc_nodes);
    if (tracer.walked == NULL || trace->points == NULL || trace->starts == NULL ||
        trace->arc_edges == NULL || trace->arc_nodes == NULL) {
        free(tracer.walked);
        return GW_ENOMEM;
    }
    trace->starts[0] = 0;
    trace_all(&tracer);
    free(tracer.walked);
    return sort_arcs(edges, trace);
}

void mesh_trace_deinit(struct mesh_trace *trace) {
    free(trace->points);
    free(trace->starts);
    free(trace->arc_edges);
    free(trace->arc_nodes);
    free(trace->order);
}
