// The grid index against GEOS, which knows nothing of our rule: on random coverages of every kind,
// at every place that is on no border, the owner is the best rank whose polygon GEOS says holds it.
// GEOS gets lattice units, so both see the same numbers.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "geo/grid_index.h"
#include "geo/testing_coverage.h"
#include <geos_c.h>

#define ROUNDS 40
#define POLYGONS_MAX 512u

struct polygons {
    GEOSContextHandle_t handle;
    GEOSGeometry *shapes[POLYGONS_MAX];
    const GEOSPreparedGeometry *prepared[POLYGONS_MAX];
    uint32_t grids[POLYGONS_MAX], count;
};

static GEOSGeometry *ring_of(const struct polygons *all, const struct gw_coverage *coverage,
                             uint32_t ring) {
    uint32_t begin = coverage->ring_vertices[ring], end = coverage->ring_vertices[ring + 1];
    GEOSCoordSequence *sequence = GEOSCoordSeq_create_r(all->handle, end - begin + 1, 2);
    for (uint32_t i = begin; i <= end; i++) {
        struct gw_point p = coverage->vertices[i < end ? i : begin];
        assert_int_equal(GEOSCoordSeq_setXY_r(all->handle, sequence, i - begin, p.lon, p.lat), 1);
    }
    return GEOSGeom_createLinearRing_r(all->handle, sequence);
}

// One polygon for each shell and the holes that follow it.
static void take_grid(struct polygons *all, const struct gw_coverage *coverage, uint32_t grid) {
    uint32_t end = coverage->grid_rings[grid + 1];
    for (uint32_t ring = coverage->grid_rings[grid]; ring < end;) {
        GEOSGeometry *shell = ring_of(all, coverage, ring++), *holes[64];
        uint32_t hole_count = 0;
        while (ring < end && coverage->ring_kinds[ring] == GW_RING_HOLE) {
            assert_true(hole_count < 64);
            holes[hole_count++] = ring_of(all, coverage, ring++);
        }
        assert_true(all->count < POLYGONS_MAX);
        GEOSGeometry *shape = GEOSGeom_createPolygon_r(all->handle, shell, holes, hole_count);
        assert_int_equal(GEOSisValid_r(all->handle, shape), 1);
        all->shapes[all->count] = shape;
        all->prepared[all->count] = GEOSPrepare_r(all->handle, shape);
        all->grids[all->count++] = grid;
    }
}

// False: the point is on a border, where GEOS has no say.
static bool ask_geos(const struct polygons *all, struct gw_point p, uint32_t *owner) {
    GEOSGeometry *at = GEOSGeom_createPointFromXY_r(all->handle, p.lon, p.lat);
    bool clear = true;
    *owner = GW_GRID_NONE;
    for (uint32_t i = 0; i < all->count && clear; i++) {
        int touches = (int)GEOSPreparedIntersects_r(all->handle, all->prepared[i], at);
        int holds = (int)GEOSPreparedContains_r(all->handle, all->prepared[i], at);
        assert_true(touches <= 1 && holds <= 1);
        clear = touches == holds;
        if (holds == 1 && all->grids[i] < *owner) {
            *owner = all->grids[i];
        }
    }
    GEOSGeom_destroy_r(all->handle, at);
    return clear;
}

static struct gw_point draw_point(const struct gw_coverage *coverage, struct test_random *random) {
    uint32_t at = (uint32_t)test_random_range(random, 0, (int64_t)coverage->vertex_count - 1);
    uint32_t to = (uint32_t)test_random_range(random, 0, (int64_t)coverage->vertex_count - 1);
    struct gw_point a = coverage->vertices[at], b = coverage->vertices[to];
    int64_t near = test_random_range(random, 0, 1) == 0 ? 2 : 1000;
    int64_t share = test_random_range(random, 0, 4);
    int64_t lon = a.lon + ((int64_t)b.lon - a.lon) * share / 4;
    int64_t lat = a.lat + ((int64_t)b.lat - a.lat) * share / 4;
    lon += test_random_range(random, -near, near);
    lat += test_random_range(random, -near, near);
    lon = lon > GW_LON_MAX ? GW_LON_MAX : lon < -GW_LON_MAX ? -GW_LON_MAX : lon;
    lat = lat > GW_LAT_MAX ? GW_LAT_MAX : lat < -GW_LAT_MAX ? -GW_LAT_MAX : lat;
    return gw_point_normal((struct gw_point){(int32_t)lon, (int32_t)lat});
}

static uint32_t check_once(enum test_kind kind, struct test_random *random) {
    struct test_coverage coverage;
    test_coverage_draw(&coverage, kind, random);
    struct polygons all = {.handle = GEOS_init_r(), .count = 0};
    for (uint32_t grid = 0; grid < coverage.view.grid_count; grid++) {
        take_grid(&all, &coverage.view, grid);
    }
    unsigned char *bytes = NULL;
    uint64_t size = 0;
    struct gw_grid_index index;
    assert_int_equal(gw_grid_index_build(&coverage.view, NULL, &bytes, &size), GW_OK);
    assert_int_equal(gw_grid_index_open(bytes, size, &index), GW_OK);
    uint32_t asked = 0;
    for (int i = 0; i < 200; i++) {
        struct gw_point p = draw_point(&coverage.view, random);
        uint32_t owner;
        if (ask_geos(&all, p, &owner)) {
            asked++;
            if (gw_grid_index_locate(&index, p) != owner) {
                fail_msg("%s, point %d %d: GEOS says %u, the index %u", test_kind_name(kind), p.lon,
                         p.lat, owner, gw_grid_index_locate(&index, p));
            }
        }
    }
    for (uint32_t i = 0; i < all.count; i++) {
        GEOSPreparedGeom_destroy_r(all.handle, all.prepared[i]);
        GEOSGeom_destroy_r(all.handle, all.shapes[i]);
    }
    GEOS_finish_r(all.handle);
    free(bytes);
    test_coverage_deinit(&coverage);
    return asked;
}

static void test_agrees_with_geos(void **state) {
    (void)state;
    struct test_random random = test_random_seeded("GEOS", 311);
    uint32_t asked = 0;
    for (int i = 0; i < ROUNDS * TEST_KINDS; i++) {
        asked += check_once((enum test_kind)(i % TEST_KINDS), &random);
    }
    assert_true(asked > ROUNDS * TEST_KINDS * 50);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_agrees_with_geos)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
