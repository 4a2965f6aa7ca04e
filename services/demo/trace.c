#include "services/demo/trace.h"

#include <stdlib.h>

// A ring: the border of one connected part of a region.
struct ring {
    uint32_t region, part; // parts are numbered over all cells
    uint8_t kind;          // enum gw_ring_kind
    uint32_t first, count; // vertices as traced
};

struct trace {
    const struct gw_demo_mesh *mesh;
    uint64_t seed;
    const uint32_t *labels;
    uint32_t *parts;           // of cells
    bool *seen;                // [3 * triangles] half-edges that a ring has passed
    struct gw_point *vertices; // as traced
    struct ring *rings;
    uint32_t ring_count, vertex_count;
};

static uint32_t label_at(const struct trace *trace, uint32_t corner) {
    return corner < trace->mesh->point_count ? trace->labels[corner] : UINT32_MAX;
}

// Half-edge 3 t + i is the directed edge of triangle t opposite to its corner i, with t on its
// left. Where its two ends are of different regions, the border of the first one's region comes
// across the edge into t.
static bool on_border(const struct trace *trace, uint32_t half) {
    const uint32_t *corners = trace->mesh->triangles[half / 3].corners;
    uint32_t own = label_at(trace, corners[(half % 3 + 1) % 3]);
    uint32_t other = label_at(trace, corners[(half % 3 + 2) % 3]);
    return own != UINT32_MAX && own != other;
}

// The half-edge over which the border goes on from triangle half / 3: to the side where the region
// stays on the left.
static uint32_t next_half(const struct trace *trace, uint32_t half) {
    const struct gw_demo_triangle *triangles = trace->mesh->triangles;
    uint32_t t = half / 3, i = half % 3;
    uint32_t own = label_at(trace, triangles[t].corners[(i + 1) % 3]);
    bool third_is_own = label_at(trace, triangles[t].corners[i]) == own;
    uint32_t over = triangles[t].across[third_is_own ? (i + 1) % 3 : (i + 2) % 3];
    for (uint32_t k = 0; k < 3; k++) {
        if (over != UINT32_MAX && triangles[over].across[k] == t) {
            return 3 * over + k;
        }
    }
    return UINT32_MAX;
}

// Twice the area, counter-clockwise positive.
static int64_t area2(const struct gw_point vertices[], uint32_t count) {
    int64_t sum = 0;
    struct gw_point origin = vertices[0];
    for (uint32_t i = 1; i + 1 < count; i++) {
        int64_t ax = (int64_t)vertices[i].lon - origin.lon,
                ay = (int64_t)vertices[i].lat - origin.lat;
        int64_t bx = (int64_t)vertices[i + 1].lon - origin.lon;
        int64_t by = (int64_t)vertices[i + 1].lat - origin.lat;
        sum += ax * by - ay * bx;
    }
    return sum;
}

static gw_err trace_ring(struct trace *trace, uint32_t start) {
    const struct gw_demo_triangle *triangles = trace->mesh->triangles;
    struct ring *ring = &trace->rings[trace->ring_count++];
    uint32_t cell = triangles[start / 3].corners[(start % 3 + 1) % 3];
    *ring = (struct ring){
        .region = trace->labels[cell], .part = trace->parts[cell], .first = trace->vertex_count};
    uint32_t half = start;
    do {
        const uint32_t *corners = triangles[half / 3].corners;
        uint32_t u = corners[(half % 3 + 1) % 3], v = corners[(half % 3 + 2) % 3];
        struct gw_point *vertex = &trace->vertices[trace->vertex_count];
        trace->seen[half] = true;
        if (v >= trace->mesh->point_count) {
            return GW_EINTERNAL;
        }
        vertex[0] = gw_demo_mesh_edge(trace->mesh, trace->seed, u, v);
        gw_err err = gw_demo_mesh_centre(trace->mesh, trace->seed, half / 3, &vertex[1]);
        if (err != GW_OK) {
            return err;
        }
        trace->vertex_count += 2;
        half = next_half(trace, half);
    } while (half != start && half != UINT32_MAX);
    ring->count = trace->vertex_count - ring->first;
    int64_t area = area2(trace->vertices + ring->first, ring->count);
    ring->kind = area > 0 ? GW_RING_SHELL : GW_RING_HOLE;
    return half == start ? GW_OK : GW_EINTERNAL;
}

static int by_place(const void *a, const void *b) {
    const struct ring *left = a, *right = b;
    if (left->region != right->region) {
        return left->region < right->region ? -1 : 1;
    }
    if (left->part != right->part) {
        return left->part < right->part ? -1 : 1;
    }
    if (left->kind != right->kind) {
        return left->kind < right->kind ? -1 : 1;
    }
    return left->first < right->first ? -1 : left->first > right->first;
}

// Puts the rings in the order of a coverage: region, part, the shell before its holes.
static gw_err lay_out(struct trace *trace, uint32_t region_count, struct gw_demo_arena *out,
                      struct gw_coverage *coverage) {
    uint32_t *grid_rings = gw_demo_array(out, (size_t)region_count + 1, sizeof(*grid_rings));
    uint32_t *starts = gw_demo_array(out, (size_t)trace->ring_count + 1, sizeof(*starts));
    uint8_t *kinds = gw_demo_array(out, trace->ring_count, sizeof(*kinds));
    struct gw_point *vertices = gw_demo_array(out, trace->vertex_count, sizeof(*vertices));
    uint32_t *ranks = gw_demo_array(out, region_count, sizeof(*ranks));
    if (out->failed) {
        return GW_ENOMEM;
    }
    uint32_t at = 0;
    qsort(trace->rings, trace->ring_count, sizeof(*trace->rings), by_place);
    for (uint32_t r = 0; r < trace->ring_count; r++) {
        const struct ring *ring = &trace->rings[r];
        grid_rings[ring->region + 1] = r + 1;
        starts[r] = at;
        kinds[r] = ring->kind;
        for (uint32_t i = 0; i < ring->count; i++) {
            vertices[at++] = trace->vertices[ring->first + i];
        }
    }
    starts[trace->ring_count] = at;
    for (uint32_t i = 0; i < region_count; i++) {
        ranks[i] = i;
        if (grid_rings[i + 1] <= grid_rings[i]) {
            return GW_EINTERNAL; // a region without cells
        }
    }
    *coverage = (struct gw_coverage){region_count, trace->ring_count, at,   grid_rings, starts,
                                     kinds,        vertices,          ranks};
    return GW_OK;
}

gw_err gw_demo_trace(const struct gw_demo_mesh *mesh, uint64_t seed, const uint32_t labels[],
                     uint32_t region_count, struct gw_demo_arena *arena, struct gw_demo_arena *out,
                     struct gw_coverage *coverage) {
    struct trace trace = {.mesh = mesh, .seed = seed, .labels = labels};
    uint32_t halves = 3 * mesh->triangle_count, border = 0;
    trace.seen = gw_demo_array(arena, halves, sizeof(*trace.seen));
    trace.parts = gw_demo_array(arena, mesh->point_count, sizeof(*trace.parts));
    uint32_t *scratch = gw_demo_array(arena, (size_t)2 * mesh->point_count, sizeof(*scratch));
    if (arena->failed) {
        return GW_ENOMEM;
    }
    (void)gw_demo_parts(&mesh->graph, labels, trace.parts, scratch, scratch + mesh->point_count);
    for (uint32_t half = 0; half < halves; half++) {
        border += on_border(&trace, half);
    }
    // Every ring has three half-edges at least.
    trace.vertices = gw_demo_array(arena, (size_t)2 * border + 2, sizeof(*trace.vertices));
    trace.rings = gw_demo_array(arena, (size_t)border / 3 + 1, sizeof(*trace.rings));
    if (arena->failed) {
        return GW_ENOMEM;
    }
    for (uint32_t half = 0; half < halves; half++) {
        if (!trace.seen[half] && on_border(&trace, half)) {
            gw_err err = trace_ring(&trace, half);
            if (err != GW_OK) {
                return err;
            }
        }
    }
    return lay_out(&trace, region_count, out, coverage);
}
