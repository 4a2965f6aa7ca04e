// Locate side by side, in one run and one thread: GEOS (STRtree and prepared polygons) against the
// grid index, one at a time and in batches, on the same points; answers are compared as well.
//
//   locate_bench [--grids N] [--points N] [--seed S] [--json FILE]
//
// The coverage is synthetic: a partition with bent, shared borders, dense in the middle.
#include "geo/grid_index.h"
#include "tests/bench/synthetic_city.h"
#include "tests/support/random.h"

#include <assert.h>
#include <geos_c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PASSES 5
#define GEOS_PASSES 3
#define GEOS_SHARE 10 // GEOS answers every tenth point: it takes longer

struct options {
    uint32_t grids;
    size_t points;
    uint64_t seed;
    const char *json;
};

struct workload {
    const char *name, *what;
    struct gw_point *points;
    double geos, one, batch; // points a second
    size_t differ;           // from GEOS, and off every border
};

static double now_s(void) {
    struct timespec ts;
    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

struct geos {
    GEOSContextHandle_t handle;
    GEOSSTRtree *tree;
    GEOSGeometry **polygons;
    const GEOSPreparedGeometry **prepared;
    uint32_t *numbers, count;
};

static GEOSGeometry *geos_ring(GEOSContextHandle_t handle, const struct gw_point points[],
                               uint32_t count) {
    GEOSCoordSequence *sequence = GEOSCoordSeq_create_r(handle, count + 1, 2);
    for (uint32_t i = 0; i <= count; i++) {
        struct gw_point p = points[i < count ? i : 0];
        (void)GEOSCoordSeq_setXY_r(handle, sequence, i, gw_degrees(p.lon), gw_degrees(p.lat));
    }
    return GEOSGeom_createLinearRing_r(handle, sequence);
}

static void ignore_words(const char *words, void *context) {
    (void)words;
    (void)context;
}

// The synthetic grids are single shells.
static struct geos geos_build(const struct gw_coverage *coverage) {
    struct geos geos = {.count = coverage->grid_count};
    geos.handle = GEOS_init_r();
    (void)GEOSContext_setNoticeMessageHandler_r(geos.handle, ignore_words, NULL);
    geos.tree = GEOSSTRtree_create_r(geos.handle, 10);
    geos.polygons = calloc(geos.count, sizeof(GEOSGeometry *));
    geos.prepared = calloc(geos.count, sizeof(GEOSPreparedGeometry *));
    geos.numbers = calloc(geos.count, sizeof(uint32_t));
    assert(geos.polygons != NULL && geos.prepared != NULL && geos.numbers != NULL);
    for (uint32_t i = 0; i < geos.count; i++) {
        uint32_t ring = coverage->grid_rings[i], begin = coverage->ring_vertices[ring];
        GEOSGeometry *shell = geos_ring(geos.handle, &coverage->vertices[begin],
                                        coverage->ring_vertices[ring + 1] - begin);
        geos.polygons[i] = GEOSGeom_createPolygon_r(geos.handle, shell, NULL, 0);
        geos.prepared[i] = GEOSPrepare_r(geos.handle, geos.polygons[i]);
        geos.numbers[i] = i;
        GEOSSTRtree_insert_r(geos.handle, geos.tree, geos.polygons[i], &geos.numbers[i]);
        // The prepared index is built when it is first used; that isn't part of a lookup.
        GEOSGeometry *inner = GEOSPointOnSurface_r(geos.handle, geos.polygons[i]);
        int hit = (int)GEOSPreparedIntersects_r(geos.handle, geos.prepared[i], inner);
        assert(hit == 1);
        GEOSGeom_destroy_r(geos.handle, inner);
    }
    return geos;
}

static void geos_destroy(struct geos *geos) {
    GEOSSTRtree_destroy_r(geos->handle, geos->tree);
    for (uint32_t i = 0; i < geos->count; i++) {
        GEOSPreparedGeom_destroy_r(geos->handle, geos->prepared[i]);
        GEOSGeom_destroy_r(geos->handle, geos->polygons[i]);
    }
    GEOS_finish_r(geos->handle);
    free(geos->polygons);
    free(geos->prepared);
    free(geos->numbers);
}

struct geos_query {
    const struct geos *geos;
    const GEOSGeometry *point;
    uint32_t lowest;
};

static void geos_visit(void *item, void *context) {
    struct geos_query *query = context;
    uint32_t number = *(const uint32_t *)item;
    if (number < query->lowest &&
        GEOSPreparedIntersects_r(query->geos->handle, query->geos->prepared[number],
                                 query->point) == 1) {
        query->lowest = number;
    }
}

static uint32_t geos_locate(const struct geos *geos, struct gw_point point) {
    GEOSGeometry *at =
        GEOSGeom_createPointFromXY_r(geos->handle, gw_degrees(point.lon), gw_degrees(point.lat));
    struct geos_query query = {geos, at, GW_GRID_NONE};
    GEOSSTRtree_query_r(geos->handle, geos->tree, at, geos_visit, &query);
    GEOSGeom_destroy_r(geos->handle, at);
    return query.lowest;
}

static double best_of(double best, double seconds, size_t count) {
    double rate = (double)count / seconds;
    return rate > best ? rate : best;
}

static void measure(struct workload *load, size_t count, const struct gw_grid_index *index,
                    const struct geos *geos) {
    uint32_t *one = malloc(count * sizeof(*one)), *batch = malloc(count * sizeof(*batch));
    uint32_t *peer = malloc(count * sizeof(*peer));
    assert(one != NULL && batch != NULL && peer != NULL);
    memset(one, 1, count * sizeof(*one)); // the pages are there before the clock runs
    memset(batch, 2, count * sizeof(*batch));
    for (int pass = 0; pass < PASSES; pass++) {
        double begin = now_s();
        for (size_t i = 0; i < count; i++) {
            one[i] = gw_grid_index_locate(index, load->points[i]);
        }
        load->one = best_of(load->one, now_s() - begin, count);
        begin = now_s();
        gw_grid_index_locate_batch(index, load->points, count, batch);
        load->batch = best_of(load->batch, now_s() - begin, count);
    }
    assert(memcmp(one, batch, count * sizeof(*one)) == 0);
    size_t share = count / GEOS_SHARE;
    for (int pass = 0; pass < GEOS_PASSES; pass++) {
        double begin = now_s();
        for (size_t i = 0; i < share; i++) {
            peer[i] = geos_locate(geos, load->points[i]);
        }
        load->geos = best_of(load->geos, now_s() - begin, share);
    }
    for (size_t i = 0; i < share; i++) {
        load->differ += peer[i] != one[i];
    }
    free(one);
    free(batch);
    free(peer);
}

static void draw_points(const struct gw_coverage *coverage, const struct gw_box *box,
                        struct workload *load, size_t count, int kind, struct test_random *random) {
    for (size_t i = 0; i < count; i++) {
        uint32_t vertex =
            (uint32_t)test_random_range(random, 0, (int64_t)coverage->vertex_count - 1);
        struct gw_point v = coverage->vertices[vertex], p;
        int64_t reach = kind == 1 ? 20000 : 2000;
        p.lon = (int32_t)(v.lon + test_random_range(random, -reach, reach));
        p.lat = (int32_t)(v.lat + test_random_range(random, -reach, reach));
        if (kind == 0) {
            p.lon = (int32_t)test_random_range(random, box->min.lon, box->max.lon);
            p.lat = (int32_t)test_random_range(random, box->min.lat, box->max.lat);
        }
        load->points[i] = p;
    }
}

static void print_json(const char *path, const struct options *options,
                       const struct gw_grid_index_shape *shape, double build_s,
                       const struct workload loads[], size_t count) {
    FILE *file = fopen(path, "w");
    if (file == NULL) {
        perror(path);
        return;
    }
    fprintf(file, "{\"grids\": %u, \"seed\": %llu, \"index_bytes\": %llu, \"build_s\": %.4f,\n",
            options->grids, (unsigned long long)options->seed, (unsigned long long)shape->bytes,
            build_s);
    fprintf(file, " \"compiler\": \"%s\", \"workloads\": [", __VERSION__);
    for (size_t i = 0; i < count; i++) {
        const struct workload *load = &loads[i];
        fprintf(file,
                "%s\n  {\"name\": \"%s\", \"geos_per_s\": %.0f, \"one_per_s\": %.0f, "
                "\"batch_per_s\": %.0f, \"one_ratio\": %.2f, \"batch_ratio\": %.2f}",
                i > 0 ? "," : "", load->name, load->geos, load->one, load->batch,
                load->one / load->geos, load->batch / load->geos);
    }
    fprintf(file, "]}\n");
    (void)fclose(file);
}

static void print_shape(const struct gw_coverage *coverage, const struct gw_grid_index_shape *shape,
                        const struct gw_grid_index *index, double build_s) {
    printf("%u grids, %u vertices; index %.1f MB (table %.1f, sub %.1f, leaf %.1f), "
           "cells of 2^%u units, built in %.0f ms\n",
           coverage->grid_count, coverage->vertex_count, (double)shape->bytes / 1e6,
           (double)shape->table_bytes / 1e6, (double)shape->sub_bytes / 1e6,
           (double)shape->leaf_bytes / 1e6, index->cell_shift, build_s * 1e3);
    uint64_t leaves = shape->pair_leaves + shape->list_leaves;
    printf("%llu cells with one answer, %llu empty, %llu pair and %llu list leaves, "
           "%.2f edges a leaf\n",
           (unsigned long long)shape->true_hit_cells, (unsigned long long)shape->empty_cells,
           (unsigned long long)shape->pair_leaves, (unsigned long long)shape->list_leaves,
           leaves > 0 ? (double)shape->leaf_edges / (double)leaves : 0.0);
}

static void run(const struct options *options) {
    struct synthetic_city city;
    synthetic_city_draw(&city, options->grids, options->seed);
    assert(gw_coverage_check(&city.coverage) == GW_OK);
    unsigned char *bytes = NULL;
    uint64_t size = 0;
    double begin = now_s();
    gw_err err = gw_grid_index_build(&city.coverage, NULL, &bytes, &size);
    double build_s = now_s() - begin;
    struct gw_grid_index index;
    assert(err == GW_OK && gw_grid_index_open(bytes, size, &index) == GW_OK);
    struct gw_grid_index_shape shape;
    gw_grid_index_shape(&index, &shape);
    print_shape(&city.coverage, &shape, &index, build_s);
    struct geos geos = geos_build(&city.coverage);
    struct workload loads[] = {
        {.name = "uniform", .what = "anywhere in the box"},
        {.name = "people", .what = "within 2e-3 degree of a random vertex: where grids are dense"},
        {.name = "edges", .what = "within 2e-4 degree of a random vertex: the hardest"}};
    size_t kinds = sizeof(loads) / sizeof(loads[0]);
    struct test_random random = {options->seed};
    printf("%-9s %12s %12s %12s %8s %8s\n", "points", "GEOS/s", "one/s", "batch/s", "one x",
           "batch x");
    for (size_t i = 0; i < kinds; i++) {
        loads[i].points = malloc(options->points * sizeof(struct gw_point));
        assert(loads[i].points != NULL);
        draw_points(&city.coverage, &city.box, &loads[i], options->points, (int)i, &random);
        measure(&loads[i], options->points, &index, &geos);
        printf("%-9s %12.0f %12.0f %12.0f %8.1f %8.1f   %s (%zu differ)\n", loads[i].name,
               loads[i].geos, loads[i].one, loads[i].batch, loads[i].one / loads[i].geos,
               loads[i].batch / loads[i].geos, loads[i].what, loads[i].differ);
        free(loads[i].points);
    }
    if (options->json != NULL) {
        print_json(options->json, options, &shape, build_s, loads, kinds);
    }
    geos_destroy(&geos);
    free(bytes);
    synthetic_city_deinit(&city);
}

int main(int argc, char **argv) {
    struct options options = {.grids = 15001, .points = 1000000, .seed = 1};
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--grids") == 0) {
            options.grids = (uint32_t)strtoul(argv[i + 1], NULL, 10);
        } else if (strcmp(argv[i], "--points") == 0) {
            options.points = strtoul(argv[i + 1], NULL, 10);
        } else if (strcmp(argv[i], "--seed") == 0) {
            options.seed = strtoull(argv[i + 1], NULL, 10);
        } else if (strcmp(argv[i], "--json") == 0) {
            options.json = argv[i + 1];
        }
    }
    printf("seed %llu, compiler %s\n", (unsigned long long)options.seed, __VERSION__);
    run(&options);
    return 0;
}
