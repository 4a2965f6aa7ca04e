#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "geo/tiles/shapes.h"
#include "geo/tiles/testing_tile.h"
#include "tests/support/random.h"

#include <stdio.h>

#define POINTS 4000

static uint64_t id_of(void *context, uint32_t feature) {
    (void)context;
    return 7 + feature;
}

static void words_of(void *context, uint32_t feature, struct gw_mvt_writer *writer) {
    assert_string_equal(context, "mine");
    gw_mvt_integer(writer, "index", feature);
}

// Each point is in the tiles whose buffered square holds it, at the unit nearest to it, and in no
// other.
static void points_are_where_they_belong(void **state) {
    (void)state;
    struct test_random random = test_random_seeded("points", 40);
    static struct gw_point points[POINTS];
    struct gw_tile_scratch *scratch;
    assert_int_equal(gw_tile_scratch_create(&scratch), GW_OK);
    char mine[] = "mine";
    struct gw_tile_words words = {id_of, words_of, mine};
    for (uint32_t zoom = 0; zoom <= GW_TILE_ZOOM_MAX; zoom++) {
        struct gw_tile_id id = {.z = zoom};
        id.x = (uint32_t)test_random_range(&random, 0, (1 << zoom) - 1);
        id.y = (uint32_t)test_random_range(&random, 0, (1 << zoom) - 1);
        struct gw_box box = gw_tile_lattice_box(id, 2 * GW_TILE_BUFFER);
        for (uint32_t i = 0; i < POINTS; i++) {
            points[i].lon = (int32_t)test_random_range(&random, box.min.lon, box.max.lon);
            points[i].lat = (int32_t)test_random_range(&random, box.min.lat, box.max.lat);
        }
        struct gw_bytes bytes = {0};
        assert_int_equal(
            gw_tile_points_encode(points, POINTS, "workers", id, &words, scratch, &bytes), GW_OK);
        struct test_tile tile;
        test_tile_read(&tile, &bytes);
        assert_string_equal(tile.layer, "workers");
        struct gw_world_box square = gw_tile_box(id, 0);
        int64_t unit = INT64_C(1) << (GW_TILE_ZOOM_MAX - zoom);
        uint32_t found = 0;
        for (uint32_t i = 0; i < POINTS; i++) {
            struct gw_world_point at = gw_mercator_project(points[i]);
            double x = (double)(at.x - (int64_t)square.min.x) / (double)unit;
            double y = (double)(at.y - (int64_t)square.min.y) / (double)unit;
            bool held = x >= -64.5 && x < 4160.5 && y >= -64.5 && y < 4160.5;
            const struct test_feature *feature = test_tile_feature(&tile, 7 + i);
            assert_true(held == (feature != NULL));
            if (held) {
                char text[16];
                snprintf(text, sizeof text, "%u", i);
                assert_string_equal(test_tile_value(&tile, feature, "index"), text);
                struct gw_mvt_point drawn = tile.points[tile.rings[feature->first_ring].start];
                assert_true(drawn.x - x <= 0.5 && x - drawn.x <= 0.5);
                assert_true(drawn.y - y <= 0.5 && y - drawn.y <= 0.5);
                found++;
            }
        }
        assert_int_equal(found, tile.feature_count);
        assert_true(found > POINTS / 2);
        test_tile_free(&tile);
        gw_bytes_free(&bytes);
    }
    gw_tile_scratch_destroy(scratch);
    gw_tile_scratch_destroy(NULL);
}

static void no_such_tile(void **state) {
    (void)state;
    struct gw_tile_scratch *scratch;
    assert_int_equal(gw_tile_scratch_create(&scratch), GW_OK);
    struct gw_tile_words words = {id_of, words_of, NULL};
    struct gw_bytes bytes = {0};
    assert_int_equal(
        gw_tile_points_encode(NULL, 0, "a", (struct gw_tile_id){19, 0, 0}, &words, scratch, &bytes),
        GW_EINVAL);
    assert_int_equal(
        gw_tile_points_encode(NULL, 0, "a", (struct gw_tile_id){18, 0, 0}, &words, scratch, &bytes),
        GW_OK);
    assert_int_equal(bytes.size, 0);
    gw_tile_scratch_destroy(scratch);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(points_are_where_they_belong),
        cmocka_unit_test(no_such_tile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
