#include "geo/carto/overlaps.h"
#include "geo/carto/overlap_pair.h"
#include <geos_c.h>
#include <stdlib.h>

// GEOS' tree of boxes, each with the grid's number as its item.
struct box_tree {
    GEOSContextHandle_t context;
    GEOSSTRtree *tree;
    uint32_t *items; // [grid_count] item i is i
    GEOSGeometry **geometries;
    uint32_t count;
};

struct finder {
    struct gw_overlap_search search;
    bool (*visit)(void *context, const struct gw_overlap *overlap);
    void *context;
    uint32_t grid; // that is asked about
    bool stopped;
    gw_err err;
};

static GEOSGeometry *box_geometry(struct box_tree *tree, const struct gw_box *box) {
    return GEOSGeom_createRectangle_r(tree->context, box->min.lon, box->min.lat, box->max.lon,
                                      box->max.lat);
}

static void free_tree(struct box_tree *tree) {
    if (tree->tree != NULL) {
        GEOSSTRtree_destroy_r(tree->context, tree->tree);
    }
    for (uint32_t i = 0; tree->geometries != NULL && i < tree->count; i++) {
        if (tree->geometries[i] != NULL) {
            GEOSGeom_destroy_r(tree->context, tree->geometries[i]);
        }
    }
    free(tree->geometries);
    free(tree->items);
    if (tree->context != NULL) {
        GEOS_finish_r(tree->context);
    }
}

static gw_err build_tree(struct box_tree *tree, const struct gw_coverage *coverage,
                         const struct gw_box boxes[]) {
    tree->context = GEOS_init_r();
    tree->count = coverage->grid_count;
    tree->items = calloc(tree->count + 1u, sizeof(*tree->items));
    tree->geometries = calloc(tree->count + 1u, sizeof(GEOSGeometry *));
    if (tree->context == NULL || tree->items == NULL || tree->geometries == NULL) {
        return GW_ENOMEM;
    }
    tree->tree = GEOSSTRtree_create_r(tree->context, 10);
    if (tree->tree == NULL) {
        return GW_ENOMEM;
    }
    for (uint32_t i = 0; i < tree->count; i++) {
        tree->items[i] = i;
        tree->geometries[i] = box_geometry(tree, &boxes[i]);
        if (tree->geometries[i] == NULL) {
            return GW_ENOMEM;
        }
        GEOSSTRtree_insert_r(tree->context, tree->tree, tree->geometries[i], &tree->items[i]);
    }
    return GW_OK;
}

static void compare_with(void *item, void *context) {
    struct finder *finder = context;
    uint32_t other = *(const uint32_t *)item;
    if (other <= finder->grid || finder->stopped || finder->err != GW_OK) {
        return;
    }
    struct gw_overlap overlap = {finder->grid, other, 0, 0};
    bool overlaps = false;
    finder->err = gw_overlap_pair(&finder->search, &overlap, &overlaps);
    if (finder->err == GW_OK && overlaps && !finder->visit(finder->context, &overlap)) {
        finder->stopped = true;
    }
}

gw_err gw_overlaps_find(const struct gw_coverage *coverage, const struct gw_box boxes[],
                        uint64_t steps_max,
                        bool (*visit)(void *context, const struct gw_overlap *overlap),
                        void *context, bool *complete) {
    struct box_tree tree = {.context = NULL};
    struct finder finder = {
        .search = {.coverage = coverage, .boxes = boxes, .steps_left = steps_max},
        .visit = visit,
        .context = context,
    };
    finder.err = build_tree(&tree, coverage, boxes);
    for (uint32_t i = 0; i < coverage->grid_count && finder.err == GW_OK && !finder.stopped; i++) {
        finder.grid = i;
        GEOSSTRtree_query_r(tree.context, tree.tree, tree.geometries[i], compare_with, &finder);
    }
    free_tree(&tree);
    free(finder.search.edges[0]);
    free(finder.search.edges[1]);
    *complete = finder.err == GW_OK;
    return finder.err == GW_ENOSPC ? GW_OK : finder.err;
}
