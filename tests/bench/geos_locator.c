#include "tests/bench/geos_locator.h"

#include <assert.h>
#include <geos_c.h>
#include <stdlib.h>

#define NODE_CAPACITY 10 // what GEOS recommends

struct part {
    GEOSGeometry *polygon;
    const GEOSPreparedGeometry *prepared;
    uint32_t grid;
};

struct geos_locator {
    GEOSContextHandle_t handle;
    GEOSSTRtree *tree;
    struct part *parts; // by grid
    uint32_t part_count;
};

struct query {
    const struct geos_locator *locator;
    const GEOSGeometry *point;
    uint32_t found;
};

static GEOSGeometry *make_point(const struct geos_locator *locator, struct gw_point point) {
    return GEOSGeom_createPointFromXY_r(locator->handle, point.lon, point.lat);
}

static bool part_holds(const struct geos_locator *locator, const struct part *part,
                       const GEOSGeometry *point) {
    return GEOSPreparedIntersects_r(locator->handle, part->prepared, point) == 1;
}

static GEOSGeometry *make_ring(const struct geos_locator *locator,
                               const struct gw_coverage *coverage, uint32_t ring) {
    uint32_t begin = coverage->ring_vertices[ring], end = coverage->ring_vertices[ring + 1];
    GEOSCoordSequence *sequence = GEOSCoordSeq_create_r(locator->handle, end - begin + 1, 2);
    for (uint32_t i = begin; i <= end; i++) {
        struct gw_point p = coverage->vertices[i < end ? i : begin];
        int set = GEOSCoordSeq_setXY_r(locator->handle, sequence, i - begin, p.lon, p.lat);
        assert(set == 1);
    }
    return GEOSGeom_createLinearRing_r(locator->handle, sequence);
}

// The prepared polygon's own index is built when it is first asked; that is no part of a lookup.
static void warm(const struct geos_locator *locator, const struct part *part) {
    GEOSGeometry *inner = GEOSPointOnSurface_r(locator->handle, part->polygon);
    bool held = inner != NULL && part_holds(locator, part, inner);
    assert(held);
    GEOSGeom_destroy_r(locator->handle, inner);
}

// One polygon, from a shell and the holes behind it; returns the ring after them.
static uint32_t take_polygon(struct geos_locator *locator, const struct gw_coverage *coverage,
                             uint32_t grid, uint32_t ring) {
    GEOSGeometry *shell = make_ring(locator, coverage, ring++);
    uint32_t first = ring, end = coverage->grid_rings[grid + 1];
    while (ring < end && coverage->ring_kinds[ring] == GW_RING_HOLE) {
        ring++;
    }
    GEOSGeometry **holes = calloc((size_t)(ring - first) + 1u, sizeof(*holes));
    assert(holes != NULL);
    for (uint32_t i = first; i < ring; i++) {
        holes[i - first] = make_ring(locator, coverage, i);
    }
    struct part *part = &locator->parts[locator->part_count++];
    part->grid = grid;
    part->polygon = GEOSGeom_createPolygon_r(locator->handle, shell, holes, ring - first);
    free(holes);
    assert(part->polygon != NULL);
    part->prepared = GEOSPrepare_r(locator->handle, part->polygon);
    assert(part->prepared != NULL);
    GEOSSTRtree_insert_r(locator->handle, locator->tree, part->polygon, part);
    warm(locator, part);
    return ring;
}

static void ignore_words(const char *words, void *context) {
    (void)words;
    (void)context;
}

struct geos_locator *geos_locator_create(const struct gw_coverage *coverage) {
    struct geos_locator *locator = calloc(1, sizeof(*locator));
    assert(locator != NULL);
    locator->handle = GEOS_init_r();
    (void)GEOSContext_setNoticeMessageHandler_r(locator->handle, ignore_words, NULL);
    locator->tree = GEOSSTRtree_create_r(locator->handle, NODE_CAPACITY);
    locator->parts = calloc((size_t)coverage->ring_count + 1u, sizeof(*locator->parts));
    assert(locator->tree != NULL && locator->parts != NULL);
    for (uint32_t grid = 0; grid < coverage->grid_count; grid++) {
        uint32_t ring = coverage->grid_rings[grid];
        while (ring < coverage->grid_rings[grid + 1]) {
            ring = take_polygon(locator, coverage, grid, ring);
        }
    }
    if (coverage->vertex_count > 0) { // the tree is packed when it is first asked
        (void)geos_locator_locate(locator, coverage->vertices[0]);
    }
    return locator;
}

void geos_locator_destroy(struct geos_locator *locator) {
    if (locator == NULL) {
        return;
    }
    GEOSSTRtree_destroy_r(locator->handle, locator->tree);
    for (uint32_t i = 0; i < locator->part_count; i++) {
        GEOSPreparedGeom_destroy_r(locator->handle, locator->parts[i].prepared);
        GEOSGeom_destroy_r(locator->handle, locator->parts[i].polygon);
    }
    GEOS_finish_r(locator->handle);
    free(locator->parts);
    free(locator);
}

static void visit(void *item, void *context) {
    struct query *query = context;
    const struct part *part = item;
    if (query->found == GW_GRID_NONE && part_holds(query->locator, part, query->point)) {
        query->found = part->grid;
    }
}

uint32_t geos_locator_locate(const struct geos_locator *locator, struct gw_point point) {
    GEOSGeometry *at = make_point(locator, point);
    struct query query = {locator, at, GW_GRID_NONE};
    GEOSSTRtree_query_r(locator->handle, locator->tree, at, visit, &query);
    GEOSGeom_destroy_r(locator->handle, at);
    return query.found;
}

bool geos_locator_holds(const struct geos_locator *locator, uint32_t grid, struct gw_point point) {
    GEOSGeometry *at = make_point(locator, point);
    bool holds = false;
    for (uint32_t i = 0; i < locator->part_count && !holds; i++) {
        holds = locator->parts[i].grid == grid && part_holds(locator, &locator->parts[i], at);
    }
    GEOSGeom_destroy_r(locator->handle, at);
    return holds;
}
