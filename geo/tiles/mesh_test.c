#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "geo/testing_coverage.h"
#include "geo/tiles/mesh_arcs.h"
#include "geo/tiles/shapes.h"
#include "geo/tiles/testing_tile.h"

#include <string.h>

#define STEP 1000000 // 0.1 degree

static void add(struct test_coverage *coverage, enum gw_ring_kind kind, int32_t x, int32_t y,
                int32_t width, int32_t height) {
    struct gw_point ring[] = {{x * STEP, y * STEP},
                              {(x + width) * STEP, y * STEP},
                              {(x + width) * STEP, (y + height) * STEP},
                              {x * STEP, (y + height) * STEP}};
    if (kind == GW_RING_SHELL) {
        test_coverage_grid(coverage);
    }
    assert_true(test_coverage_ring(coverage, kind, ring, 4));
}

static struct gw_tile_mesh *mesh_of(struct test_coverage *coverage) {
    struct gw_tile_mesh *mesh;
    test_coverage_finish(coverage, NULL);
    assert_int_equal(gw_tile_mesh_create(&coverage->view, &mesh), GW_OK);
    assert_true(gw_tile_mesh_bytes(mesh) > 0);
    return mesh;
}

static void neighbours_share_an_arc(void **state) {
    (void)state;
    struct test_coverage coverage;
    test_coverage_init(&coverage);
    add(&coverage, GW_RING_SHELL, 0, 0, 1, 1);
    add(&coverage, GW_RING_SHELL, 1, 0, 1, 1);
    add(&coverage, GW_RING_SHELL, 5, 5, 1, 1); // alone: a closed arc
    struct gw_tile_mesh *mesh = mesh_of(&coverage);
    assert_int_equal(mesh->arc_count, 4);
    assert_int_equal(mesh->node_count, 3);
    uint32_t shared = 0, closed = 0;
    for (uint32_t arc = 0; arc < mesh->arc_count; arc++) {
        uint32_t uses = mesh->arc_uses[arc + 1] - mesh->arc_uses[arc];
        shared += uses == 2 ? 1 : 0;
        closed += mesh->arc_nodes[2 * arc] == mesh->arc_nodes[2 * arc + 1] ? 1 : 0;
        assert_int_equal(mesh->zooms[mesh->arc_vertices[arc]], 0);
        assert_int_equal(mesh->zooms[mesh->arc_vertices[arc + 1] - 1], 0);
    }
    assert_int_equal(shared, 1);
    assert_int_equal(closed, 1);
    gw_tile_mesh_destroy(mesh);
    gw_tile_mesh_destroy(NULL);
    test_coverage_deinit(&coverage);
}

static void an_empty_coverage_has_no_tiles(void **state) {
    (void)state;
    static const uint32_t zero[1] = {0};
    const struct gw_coverage coverage = {.grid_rings = zero, .ring_vertices = zero};
    struct gw_tile_mesh *mesh;
    struct gw_tile_shapes *shapes;
    struct gw_tile_scratch *scratch;
    assert_int_equal(gw_tile_mesh_create(&coverage, &mesh), GW_OK);
    assert_int_equal(gw_tile_shapes_create(mesh, NULL, 2, &shapes), GW_OK);
    assert_int_equal(gw_tile_scratch_create(&scratch), GW_OK);
    struct gw_world_box box = gw_tile_shapes_box(shapes, 1);
    assert_true(box.min.x > box.max.x);
    struct gw_bytes bytes = {0};
    struct gw_tile_words words = {NULL, NULL, NULL};
    assert_int_equal(
        gw_tile_shapes_encode(shapes, "a", (struct gw_tile_id){0, 0, 0}, &words, scratch, &bytes),
        GW_OK);
    assert_int_equal(bytes.size, 0);
    assert_int_equal(
        gw_tile_shapes_encode(shapes, "a", (struct gw_tile_id){1, 2, 0}, &words, scratch, &bytes),
        GW_EINVAL);
    gw_tile_scratch_destroy(scratch);
    gw_tile_shapes_destroy(shapes);
    gw_tile_mesh_destroy(mesh);
}

static void features_must_exist(void **state) {
    (void)state;
    struct test_coverage coverage;
    test_coverage_init(&coverage);
    add(&coverage, GW_RING_SHELL, 0, 0, 1, 1);
    add(&coverage, GW_RING_SHELL, 1, 0, 1, 1);
    struct gw_tile_mesh *mesh = mesh_of(&coverage);
    struct gw_tile_shapes *shapes;
    assert_int_equal(gw_tile_shapes_create(mesh, NULL, 1, &shapes), GW_EINVAL);
    const uint32_t beyond[] = {0, 3}, none[] = {GW_TILE_NO_FEATURE, 0};
    assert_int_equal(gw_tile_shapes_create(mesh, beyond, 3, &shapes), GW_EINVAL);
    assert_int_equal(gw_tile_shapes_create(mesh, none, 1, &shapes), GW_OK);
    struct gw_world_box box = gw_tile_shapes_box(shapes, 0);
    assert_int_equal(box.min.x, gw_mercator_project((struct gw_point){STEP, 0}).x);
    gw_tile_shapes_destroy(shapes);
    gw_tile_mesh_destroy(mesh);
    test_coverage_deinit(&coverage);
}

struct changes {
    uint32_t count;
    struct gw_world_box all;
};

static void visit(void *context, struct gw_world_box box) {
    struct changes *changes = context;
    if (changes->count++ == 0) {
        changes->all = box;
    }
    changes->all.min.x = box.min.x < changes->all.min.x ? box.min.x : changes->all.min.x;
    changes->all.max.x = box.max.x > changes->all.max.x ? box.max.x : changes->all.max.x;
}

// A row of ten grids of which two are united: only what is near them changes.
static void changes_are_where_borders_moved(void **state) {
    (void)state;
    struct test_coverage row, united, filled;
    test_coverage_init(&row);
    test_coverage_init(&united);
    for (int32_t i = 0; i < 10; i++) {
        add(&row, GW_RING_SHELL, i, 0, 1, 1);
        if (i != 6) {
            add(&united, GW_RING_SHELL, i, 0, i == 5 ? 2 : 1, 1);
        }
    }
    struct gw_tile_mesh *before = mesh_of(&row), *after = mesh_of(&united);
    struct changes changes = {0};
    assert_int_equal(gw_tile_mesh_changes(before, before, visit, &changes), GW_OK);
    assert_int_equal(changes.count, 0);
    assert_int_equal(gw_tile_mesh_changes(before, after, visit, &changes), GW_OK);
    assert_true(changes.count > 0);
    assert_int_equal(changes.all.min.x, gw_mercator_project((struct gw_point){5 * STEP, 0}).x);
    assert_int_equal(changes.all.max.x, gw_mercator_project((struct gw_point){7 * STEP, 0}).x);

    // A hole that is filled has the same border, but something on its other side.
    struct test_coverage holed;
    test_coverage_init(&holed);
    test_coverage_init(&filled);
    add(&holed, GW_RING_SHELL, 0, 0, 9, 9);
    add(&holed, GW_RING_HOLE, 3, 3, 2, 2);
    add(&filled, GW_RING_SHELL, 0, 0, 9, 9);
    add(&filled, GW_RING_HOLE, 3, 3, 2, 2);
    add(&filled, GW_RING_SHELL, 3, 3, 2, 2);
    struct gw_tile_mesh *hole = mesh_of(&holed), *fill = mesh_of(&filled);
    changes.count = 0;
    assert_int_equal(gw_tile_mesh_changes(hole, fill, visit, &changes), GW_OK);
    assert_int_equal(changes.count, 2); // the arc before and after
    gw_tile_mesh_destroy(before);
    gw_tile_mesh_destroy(after);
    gw_tile_mesh_destroy(hole);
    gw_tile_mesh_destroy(fill);
    test_coverage_deinit(&row);
    test_coverage_deinit(&united);
    test_coverage_deinit(&holed);
    test_coverage_deinit(&filled);
}

// Whatever is larger than a few square units at a zoom has three corners there.
static void closed_arcs_stay_open_while_they_are_seen(void **state) {
    (void)state;
    struct gw_world_point run[65];
    double distances[65];
    uint8_t zooms[65];
    for (int i = 0; i < 64; i++) { // a flat strip of 31 x 1.5 units at zoom 10
        int32_t x = i < 32 ? i : 63 - i;
        run[i] = (struct gw_world_point){(1 << 29) + x * 256, (1 << 29) + (i < 32 ? 0 : 384)};
    }
    run[64] = run[0];
    mesh_simplify(run, 65, false, distances, zooms);
    uint32_t kept = 0;
    for (int i = 0; i < 64; i++) {
        kept += zooms[i] <= 10 ? 1 : 0;
    }
    assert_true(kept >= 3);
    assert_int_equal(zooms[0], 0);
    // Along an open arc nothing of the same height is worth a vertex.
    mesh_simplify(run, 32, false, distances, zooms);
    for (int i = 1; i < 31; i++) {
        assert_int_equal(zooms[i], MESH_NEVER);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(neighbours_share_an_arc),
        cmocka_unit_test(an_empty_coverage_has_no_tiles),
        cmocka_unit_test(features_must_exist),
        cmocka_unit_test(changes_are_where_borders_moved),
        cmocka_unit_test(closed_arcs_stay_open_while_they_are_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
