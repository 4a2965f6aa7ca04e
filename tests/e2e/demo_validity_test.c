// GEOS judges every grid of the demo city, and the city's outline: valid, and of the same area.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "services/demo/city.h"
#include <geos_c.h>
#include <math.h>
#include <stdlib.h>

static GEOSContextHandle_t geos;

static GEOSGeometry *make_ring(const struct gw_coverage *coverage, uint32_t ring) {
    uint32_t first = coverage->ring_vertices[ring];
    uint32_t count = coverage->ring_vertices[ring + 1] - first;
    GEOSCoordSequence *sequence = GEOSCoordSeq_create_r(geos, count + 1, 2);
    assert_non_null(sequence);
    for (uint32_t i = 0; i <= count; i++) {
        // Whole lattice units: exact as doubles.
        struct gw_point point = coverage->vertices[first + (i < count ? i : 0)];
        assert_int_equal(GEOSCoordSeq_setXY_r(geos, sequence, i, point.lon, point.lat), 1);
    }
    GEOSGeometry *made = GEOSGeom_createLinearRing_r(geos, sequence);
    assert_non_null(made);
    return made;
}

static GEOSGeometry *make_grid(const struct gw_coverage *coverage, uint32_t grid) {
    GEOSGeometry *polygons[16], *holes[16];
    unsigned polygon_count = 0;
    uint32_t ring = coverage->grid_rings[grid], end = coverage->grid_rings[grid + 1];
    while (ring < end) {
        unsigned hole_count = 0;
        assert_int_equal(coverage->ring_kinds[ring], GW_RING_SHELL);
        GEOSGeometry *shell = make_ring(coverage, ring++);
        while (ring < end && coverage->ring_kinds[ring] == GW_RING_HOLE) {
            assert_true(hole_count < 16);
            holes[hole_count++] = make_ring(coverage, ring++);
        }
        assert_true(polygon_count < 16);
        polygons[polygon_count] = GEOSGeom_createPolygon_r(geos, shell, holes, hole_count);
        assert_non_null(polygons[polygon_count++]);
    }
    return GEOSGeom_createCollection_r(geos, GEOS_MULTIPOLYGON, polygons, polygon_count);
}

static double judge(const struct gw_coverage *coverage, uint32_t grid, const char *code) {
    GEOSGeometry *geometry = make_grid(coverage, grid);
    double area = 0;
    assert_non_null(geometry);
    char valid = GEOSisValid_r(geos, geometry);
    if (valid != 1) {
        char *reason = GEOSisValidReason_r(geos, geometry);
        print_error("%s: %s\n", code, reason);
        GEOSFree_r(geos, reason);
    }
    assert_int_equal(valid, 1);
    assert_int_equal(GEOSArea_r(geos, geometry, &area), 1);
    GEOSGeom_destroy_r(geos, geometry);
    return area;
}

static void test_every_grid_is_valid(void **state) {
    (void)state;
    struct gw_error error = {0};
    struct gw_city *city = NULL;
    double sum = 0;
    assert_int_equal(gw_city_create(1, &city, &error), GW_OK);
    for (uint32_t i = 0; i < city->grid_count; i++) {
        double area = judge(&city->coverage, i, city->grids[i].code);
        assert_true(area > 0);
        sum += area;
    }
    assert_int_equal(city->grid_count, 15001);
    double whole = judge(&city->outline, 0, "the outline");
    assert_true(fabs(sum - whole) <= whole * 1e-9);
    gw_city_destroy(city);
}

static int start_geos(void **state) {
    (void)state;
    geos = GEOS_init_r();
    return geos == NULL ? -1 : 0;
}

static int finish_geos(void **state) {
    (void)state;
    GEOS_finish_r(geos);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_grid_is_valid),
    };
    return cmocka_run_group_tests(tests, start_geos, finish_geos);
}
