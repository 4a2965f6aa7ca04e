#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "geo/tiles/mvt.h"
#include "geo/tiles/testing_tile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct gw_mvt_point triangle[] = {{3, 6}, {8, 12}, {20, 34}};

// The polygon of the specification's example (4.3.5.5) as a whole layer, byte by byte.
static void bytes_of_a_small_layer(void **state) {
    (void)state;
    static const unsigned char expected[] = {
        0x1a, 0x2b,                               // layer, 43 bytes
        0x78, 0x02, 0x0a, 0x01, 'l',              // version 2, name
        0x12, 0x14, 0x08, 0x96, 0x01, 0x18, 0x03, // feature, id 150, polygon
        0x12, 0x02, 0x00, 0x00,                   // tags
        0x22, 0x09, 0x09, 0x06, 0x0c, 0x12, 0x0a, 0x0c, 0x18, 0x2c, 0x0f, // geometry
        0x1a, 0x04, 'c',  'o',  'd',  'e',                                // key
        0x22, 0x05, 0x0a, 0x03, '2',  '1',  '1',                          // value
        0x28, 0x80, 0x20,                                                 // extent 4096
    };
    struct gw_mvt_writer *writer;
    assert_int_equal(gw_mvt_create(&writer), GW_OK);
    gw_mvt_begin(writer, "l");
    gw_mvt_feature(writer, 150, GW_MVT_POLYGON);
    gw_mvt_text(writer, "code", "211");
    gw_mvt_ring(writer, triangle, 3);
    struct gw_bytes tile = {0};
    assert_int_equal(gw_mvt_end(writer, &tile), GW_OK);
    assert_int_equal(tile.size, sizeof expected);
    assert_memory_equal(tile.data, expected, sizeof expected);
    gw_bytes_free(&tile);
    gw_mvt_destroy(writer);
}

static void nothing_in_nothing_out(void **state) {
    (void)state;
    struct gw_mvt_writer *writer;
    assert_int_equal(gw_mvt_create(&writer), GW_OK);
    struct gw_bytes tile = {0};
    gw_mvt_begin(writer, "empty");
    assert_int_equal(gw_mvt_end(writer, &tile), GW_OK);
    gw_mvt_begin(writer, "dropped");
    gw_mvt_feature(writer, 1, GW_MVT_POLYGON);
    gw_mvt_text(writer, "code", "1");
    gw_mvt_ring(writer, triangle, 3);
    assert_int_equal(gw_mvt_feature_count(writer), 1);
    gw_mvt_drop(writer);
    gw_mvt_feature(writer, 2, GW_MVT_POLYGON); // gets no geometry
    gw_mvt_text(writer, "code", "2");
    assert_int_equal(gw_mvt_feature_count(writer), 0);
    assert_int_equal(gw_mvt_end(writer, &tile), GW_OK);
    assert_int_equal(tile.size, 0);
    gw_bytes_free(&tile);
    gw_mvt_destroy(writer);
    gw_mvt_destroy(NULL);
}

static void write_many(struct gw_mvt_writer *writer, bool dropping, struct gw_bytes *tile) {
    gw_mvt_begin(writer, "many");
    for (int i = 0; i < 3000; i++) {
        char text[32];
        snprintf(text, sizeof text, "name %d", i % 700);
        gw_mvt_feature(writer, (uint64_t)i, GW_MVT_POINT);
        gw_mvt_text(writer, "name", text);
        gw_mvt_integer(writer, "number", i % 5 - 2);
        gw_mvt_points(writer, &(struct gw_mvt_point){i - 100, -i}, 1);
        if (dropping && i % 3 == 0) {
            gw_mvt_feature(writer, 77777, GW_MVT_POINT);
            snprintf(text, sizeof text, "never %d", i);
            gw_mvt_text(writer, text, text);
            gw_mvt_text(writer, "name", "name 699");
            gw_mvt_points(writer, &(struct gw_mvt_point){0, 0}, 1);
            gw_mvt_drop(writer);
        }
    }
    assert_int_equal(gw_mvt_end(writer, tile), GW_OK);
}

// Also a second time with the same writer, whose tables have grown.
static void what_is_dropped_leaves_no_trace(void **state) {
    (void)state;
    struct gw_mvt_writer *writer;
    assert_int_equal(gw_mvt_create(&writer), GW_OK);
    struct gw_bytes tiles[3] = {{0}, {0}, {0}};
    for (int i = 0; i < 3; i++) {
        write_many(writer, i == 1, &tiles[i]);
        assert_int_equal(tiles[i].size, tiles[0].size);
        assert_memory_equal(tiles[i].data, tiles[0].data, tiles[0].size);
    }
    struct test_tile tile;
    test_tile_read(&tile, &tiles[1]);
    assert_int_equal(tile.feature_count, 3000);
    assert_int_equal(tile.key_count, 2);
    assert_int_equal(tile.value_count, 705);
    for (uint32_t i = 0; i < 3000; i++) {
        const struct test_feature *feature = &tile.features[i];
        char text[32];
        assert_int_equal(feature->id, i);
        snprintf(text, sizeof text, "name %u", i % 700);
        assert_string_equal(test_tile_value(&tile, feature, "name"), text);
        snprintf(text, sizeof text, "%d", (int)(i % 5) - 2);
        assert_string_equal(test_tile_value(&tile, feature, "number"), text);
        struct gw_mvt_point at = tile.points[tile.rings[feature->first_ring].start];
        assert_true(at.x == (int32_t)i - 100 && at.y == -(int32_t)i);
    }
    test_tile_free(&tile);
    for (int i = 0; i < 3; i++) {
        gw_bytes_free(&tiles[i]);
    }
    gw_mvt_destroy(writer);
}

static void ids_of_codes(void **state) {
    (void)state;
    assert_int_equal(gw_mvt_id_of_code("7"), 7);
    assert_int_equal(gw_mvt_id_of_code("211282001001"), 211282001001);
    assert_int_equal(gw_mvt_id_of_code("999999999999999"), 999999999999999);
    static const char *const others[] = {"",   "0",  "01", "1234567890123456", "21128200100A",
                                         "网", "-1", "1 ", "0000000000000000"};
    uint64_t seen[sizeof others / sizeof *others];
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        seen[i] = gw_mvt_id_of_code(others[i]);
        assert_true(seen[i] >= UINT64_C(1) << 52 && seen[i] <= GW_MVT_ID_MAX);
        for (size_t j = 0; j < i; j++) {
            assert_true(seen[i] != seen[j]);
        }
    }
    // Clients keep ids: they may never change.
    assert_int_equal(gw_mvt_id_of_code("A1"), UINT64_C(4631399564965612));
}

static void an_id_beyond_53_bits_is_left_out(void **state) {
    (void)state;
    struct gw_mvt_writer *writer;
    assert_int_equal(gw_mvt_create(&writer), GW_OK);
    gw_mvt_begin(writer, "ids");
    gw_mvt_feature(writer, GW_MVT_ID_MAX, GW_MVT_POLYGON);
    gw_mvt_ring(writer, triangle, 3);
    gw_mvt_feature(writer, GW_MVT_ID_MAX + 1, GW_MVT_POLYGON);
    gw_mvt_ring(writer, triangle, 3);
    struct gw_bytes bytes = {0};
    assert_int_equal(gw_mvt_end(writer, &bytes), GW_OK);
    struct test_tile tile;
    test_tile_read(&tile, &bytes);
    assert_int_equal(tile.features[0].id, GW_MVT_ID_MAX);
    assert_true(tile.features[1].id == UINT64_MAX); // the reader's word for none
    test_tile_free(&tile);
    gw_bytes_free(&bytes);
    gw_mvt_destroy(writer);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_of_a_small_layer),
        cmocka_unit_test(nothing_in_nothing_out),
        cmocka_unit_test(what_is_dropped_leaves_no_trace),
        cmocka_unit_test(ids_of_codes),
        cmocka_unit_test(an_id_beyond_53_bits_is_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
