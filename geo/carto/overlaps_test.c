// Overlaps of grids, against GEOS' relate on the same integers.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "geo/carto/geos_shape.h"
#include "geo/carto/overlaps.h"
#include "geo/carto/rings.h"
#include "tests/support/random.h"
#include <math.h>
#include <string.h>

#define RINGS_MAX 64
#define GRIDS_MAX 16
#define VERTICES_MAX 512

// A small coverage under construction.
struct scene {
    uint32_t grid_rings[GRIDS_MAX + 1], ring_vertices[RINGS_MAX + 1];
    uint8_t kinds[RINGS_MAX];
    struct gw_point vertices[VERTICES_MAX];
    struct gw_box boxes[GRIDS_MAX];
    struct gw_coverage coverage;
};

static void scene_start(struct scene *scene) {
    memset(scene, 0, sizeof(*scene));
    scene->coverage.grid_rings = scene->grid_rings;
    scene->coverage.ring_vertices = scene->ring_vertices;
    scene->coverage.ring_kinds = scene->kinds;
    scene->coverage.vertices = scene->vertices;
}

// Adds a ring (lattice units, turned the right way) to the grid being drawn. False: no ring.
static bool add_ring(struct scene *scene, enum gw_ring_kind kind, const struct gw_point points[],
                     size_t count) {
    double lonlat[64];
    for (size_t i = 0; i <= count; i++) {
        lonlat[2 * i] = points[i % count].lon * 1e-7;
        lonlat[2 * i + 1] = points[i % count].lat * 1e-7;
    }
    size_t kept = 0;
    struct gw_fault fault;
    struct gw_coverage *coverage = &scene->coverage;
    if (gw_ring_normalise(lonlat, count + 1, kind, scene->vertices + coverage->vertex_count, &kept,
                          &fault) != GW_OK) {
        return false;
    }
    scene->kinds[coverage->ring_count++] = (uint8_t)kind;
    coverage->vertex_count += (uint32_t)kept;
    scene->ring_vertices[coverage->ring_count] = coverage->vertex_count;
    return true;
}

static void end_grid(struct scene *scene) {
    scene->grid_rings[++scene->coverage.grid_count] = scene->coverage.ring_count;
}

struct found {
    size_t count;
    struct gw_overlap pairs[GRIDS_MAX * GRIDS_MAX];
};

static bool keep(void *context, const struct gw_overlap *overlap) {
    struct found *found = context;
    assert_true(overlap->grid < overlap->other);
    found->pairs[found->count++] = *overlap;
    return true;
}

static bool has_pair(const struct found *found, uint32_t a, uint32_t b) {
    for (size_t i = 0; i < found->count; i++) {
        if (found->pairs[i].grid == a && found->pairs[i].other == b) {
            return true;
        }
    }
    return false;
}

static void find(struct scene *scene, struct found *found) {
    bool complete = false;
    found->count = 0;
    gw_coverage_boxes(&scene->coverage, scene->boxes);
    assert_int_equal(
        gw_overlaps_find(&scene->coverage, scene->boxes, 1000000, keep, found, &complete), GW_OK);
    assert_true(complete);
}

static void add_box(struct scene *scene, enum gw_ring_kind kind, int32_t lon, int32_t lat,
                    int32_t width, int32_t height) {
    const struct gw_point points[] = {
        {lon, lat}, {lon + width, lat}, {lon + width, lat + height}, {lon, lat + height}};
    assert_true(add_ring(scene, kind, points, 4));
}

static void neighbours_do_not_overlap(void **state) {
    (void)state;
    struct scene scene;
    struct found found;
    scene_start(&scene);
    add_box(&scene, GW_RING_SHELL, 0, 0, 10, 10); // 0
    end_grid(&scene);
    add_box(&scene, GW_RING_SHELL, 10, 0, 10, 10); // side by side
    end_grid(&scene);
    add_box(&scene, GW_RING_SHELL, 5, 10, 10, 10); // T-junctions
    end_grid(&scene);
    add_box(&scene, GW_RING_SHELL, 20, 10, 10, 10); // a corner alone
    end_grid(&scene);
    add_box(&scene, GW_RING_SHELL, 40, 0, 30, 30); // with a hole that grid 5 fills
    add_box(&scene, GW_RING_HOLE, 50, 10, 10, 10);
    end_grid(&scene);
    add_box(&scene, GW_RING_SHELL, 50, 10, 10, 10);
    end_grid(&scene);
    find(&scene, &found);
    assert_int_equal(found.count, 0);
}

static void every_kind_of_overlap_is_found(void **state) {
    (void)state;
    struct scene scene;
    struct found found;
    scene_start(&scene);
    add_box(&scene, GW_RING_SHELL, 0, 0, 10, 10); // 0
    end_grid(&scene);
    add_box(&scene, GW_RING_SHELL, 5, 0, 10, 10); // half over 0: no edges cross within both
    end_grid(&scene);
    add_box(&scene, GW_RING_SHELL, 100, 0, 10, 10); // 2 and 3 are the same
    end_grid(&scene);
    add_box(&scene, GW_RING_SHELL, 100, 0, 10, 10);
    end_grid(&scene);
    add_box(&scene, GW_RING_SHELL, 200, 0, 30, 30); // 5 lies inside 4
    end_grid(&scene);
    add_box(&scene, GW_RING_SHELL, 210, 10, 5, 5);
    end_grid(&scene);
    add_box(&scene, GW_RING_SHELL, 300, 0, 30, 30); // 7 covers the hole of 6 and more
    add_box(&scene, GW_RING_HOLE, 310, 10, 5, 5);
    end_grid(&scene);
    add_box(&scene, GW_RING_SHELL, 305, 5, 20, 20);
    end_grid(&scene);
    add_box(&scene, GW_RING_SHELL, 400, 0, 10, 30); // 8 and 9 cross like a plus sign
    end_grid(&scene);
    add_box(&scene, GW_RING_SHELL, 390, 10, 30, 10);
    end_grid(&scene);
    find(&scene, &found);
    assert_int_equal(found.count, 5);
    for (uint32_t i = 0; i < 10; i += 2) {
        assert_true(has_pair(&found, i, i + 1));
    }
}

static void the_whole_lattice_does_not_overflow(void **state) {
    (void)state;
    struct scene scene;
    struct found found;
    const struct gw_point south[] = {{-GW_LON_MAX, -GW_LAT_MAX},
                                     {0, -GW_LAT_MAX},
                                     {GW_LON_MAX, -GW_LAT_MAX},
                                     {GW_LON_MAX, GW_LAT_MAX - 1},
                                     {0, 1}};
    const struct gw_point north[] = {{-GW_LON_MAX, -GW_LAT_MAX},
                                     {0, 1},
                                     {GW_LON_MAX, GW_LAT_MAX - 1},
                                     {0, GW_LAT_MAX},
                                     {-GW_LON_MAX, GW_LAT_MAX}};
    scene_start(&scene);
    assert_true(add_ring(&scene, GW_RING_SHELL, south, 5));
    end_grid(&scene);
    assert_true(add_ring(&scene, GW_RING_SHELL, north, 5));
    end_grid(&scene);
    find(&scene, &found);
    assert_int_equal(found.count, 0);
    scene.vertices[4].lat++; // south now reaches one unit into north
    find(&scene, &found);
    assert_int_equal(found.count, 1);
}

static void too_few_steps_are_told(void **state) {
    (void)state;
    struct scene scene;
    struct found found = {.count = 0};
    bool complete = true;
    scene_start(&scene);
    add_box(&scene, GW_RING_SHELL, 0, 0, 30, 30);
    add_box(&scene, GW_RING_HOLE, 10, 10, 10, 10);
    end_grid(&scene);
    add_box(&scene, GW_RING_SHELL, 10, 10, 10, 10);
    end_grid(&scene);
    gw_coverage_boxes(&scene.coverage, scene.boxes);
    assert_int_equal(gw_overlaps_find(&scene.coverage, scene.boxes, 1, keep, &found, &complete),
                     GW_OK);
    assert_false(complete);
}

// Draws a random polygon of 3 to 7 corners, now and then with a hole; keeps it if it is valid.
static bool draw_grid(struct scene *scene, struct test_random *random,
                      struct gw_validity *checker) {
    uint32_t rings = scene->coverage.ring_count;
    uint32_t vertices = scene->coverage.vertex_count;
    int wanted = test_random_range(random, 0, 3) == 0 ? 2 : 1;
    bool drawn = true;
    for (int r = 0; r < wanted && drawn; r++) {
        struct gw_point points[7];
        size_t count = (size_t)test_random_range(random, 3, 7);
        for (size_t i = 0; i < count; i++) {
            points[i] = (struct gw_point){(int32_t)test_random_range(random, 0, 8),
                                          (int32_t)test_random_range(random, 0, 8)};
        }
        drawn = add_ring(scene, r == 0 ? GW_RING_SHELL : GW_RING_HOLE, points, count);
    }
    if (drawn) {
        uint32_t starts[3];
        for (uint32_t i = 0; i <= scene->coverage.ring_count - rings; i++) {
            starts[i] = scene->ring_vertices[rings + i] - vertices;
        }
        const struct gw_shape shape = {scene->coverage.ring_count - rings, starts,
                                       scene->kinds + rings, scene->vertices + vertices};
        struct gw_fault fault;
        drawn = gw_validity_check(checker, &shape, &fault) == GW_OK;
    }
    if (!drawn) {
        scene->coverage.ring_count = rings;
        scene->coverage.vertex_count = vertices;
        return false;
    }
    end_grid(scene);
    return true;
}

static GEOSGeometry *geos_grid(struct gw_geos *geos, const struct scene *scene, uint32_t grid) {
    uint32_t rings = scene->grid_rings[grid];
    uint32_t count = scene->grid_rings[grid + 1] - rings;
    uint32_t starts[8];
    for (uint32_t i = 0; i <= count; i++) {
        starts[i] = scene->ring_vertices[rings + i] - scene->ring_vertices[rings];
    }
    const struct gw_shape shape = {count, starts, scene->kinds + rings,
                                   scene->vertices + scene->ring_vertices[rings]};
    return gw_geos_multipolygon(geos, &shape);
}

static void agrees_with_geos(void **state) {
    (void)state;
    struct test_random random = test_random_seeded("overlaps", 53);
    struct gw_validity *checker = gw_validity_create();
    struct gw_geos geos;
    assert_non_null(checker);
    assert_true(gw_geos_init(&geos));
    size_t overlapping = 0;
    size_t apart = 0;
    for (int round = 0; round < 3000; round++) {
        struct scene scene;
        struct found found;
        scene_start(&scene);
        for (int i = 0; i < 40 && scene.coverage.grid_count < 4; i++) {
            (void)draw_grid(&scene, &random, checker);
        }
        find(&scene, &found);
        for (uint32_t a = 0; a < scene.coverage.grid_count; a++) {
            for (uint32_t b = a + 1; b < scene.coverage.grid_count; b++) {
                GEOSGeometry *left = geos_grid(&geos, &scene, a);
                GEOSGeometry *right = geos_grid(&geos, &scene, b);
                char related = GEOSRelatePattern_r(geos.context, left, right, "T********");
                assert_true(related == 0 || related == 1);
                assert_int_equal(has_pair(&found, a, b), related == 1);
                *(related == 1 ? &overlapping : &apart) += 1;
                GEOSGeom_destroy_r(geos.context, left);
                GEOSGeom_destroy_r(geos.context, right);
            }
        }
    }
    gw_geos_deinit(&geos);
    gw_validity_destroy(checker);
    assert_true(overlapping > 1000 && apart > 500);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(neighbours_do_not_overlap),
        cmocka_unit_test(every_kind_of_overlap_is_found),
        cmocka_unit_test(the_whole_lattice_does_not_overflow),
        cmocka_unit_test(too_few_steps_are_told),
        cmocka_unit_test(agrees_with_geos),
    };
    return cmocka_run_group_tests_name("overlaps", tests, NULL, NULL);
}
