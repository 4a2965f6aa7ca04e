// Each name is on the map once: in one tile of every zoom that has it, inside what it names.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "geo/tiles/testing_tile.h"
#include "services/tiles/labels.h"
#include "services/tiles/testing.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint32_t zooms_min[PICTURE_LAYERS] = {12, 10, 8, 3, 0};

static struct test_city city;
static struct gw_current *current;
static struct picture *picture;
static struct gw_tile_scratch *scratch;
static struct gw_bytes bytes;

static int set_up(void **state) {
    (void)state;
    test_city_init(&city, 12);
    city.absent[14] = city.absent[15] = city.absent[40] = true; // holes in the city
    current = gw_current_create(test_city_open(&city));
    assert_int_equal(picture_create(current, &picture), GW_OK);
    assert_int_equal(gw_tile_scratch_create(&scratch), GW_OK);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    gw_bytes_free(&bytes);
    gw_tile_scratch_destroy(scratch);
    picture_release(picture);
    gw_current_destroy(current);
    return 0;
}

static void encode(struct gw_tile_id id) {
    gw_bytes_clear(&bytes);
    assert_int_equal(picture_encode(picture, GW_TILE_LABELS, id, scratch, &bytes), GW_OK);
}

// How often a code is seen, for grids and areas alike.
struct count {
    const char *code, *name, *kind;
    uint32_t level, seen;
};
static struct count counts[TEST_GRIDS + 64];
static uint32_t count_of_counts;

static void list_all(void) {
    static const char *const kinds[] = {"", "URBAN", "RURAL", "SPECIAL"};
    count_of_counts = 0;
    for (uint32_t i = 0; i < gw_edition_grid_count(picture->edition); i++) {
        struct gw_grid grid = gw_edition_grid(picture->edition, i);
        counts[count_of_counts++] = (struct count){grid.code, grid.name, kinds[grid.kind], 0, 0};
    }
    for (uint32_t i = 0; i < gw_edition_area_count(picture->edition); i++) {
        struct gw_area area = gw_edition_area(picture->edition, i);
        counts[count_of_counts++] = (struct count){area.code, area.name, NULL, area.level, 0};
    }
}

static void count_feature(const struct test_tile *tile, const struct test_feature *feature) {
    const char *code = test_tile_value(tile, feature, "code");
    struct count *count = NULL;
    for (uint32_t i = 0; i < count_of_counts; i++) {
        count = strcmp(counts[i].code, code) == 0 ? &counts[i] : count;
    }
    assert_non_null(count);
    assert_int_equal(feature->id, gw_mvt_id_of_code(code));
    assert_int_equal(feature->type, GW_MVT_POINT);
    assert_string_equal(test_tile_value(tile, feature, "name"), count->name);
    assert_int_equal(strtoul(test_tile_value(tile, feature, "level"), NULL, 10), count->level);
    const char *kind = test_tile_value(tile, feature, "kind");
    if (count->kind != NULL) {
        assert_string_equal(kind, count->kind);
    } else {
        assert_null(kind);
    }
    const struct test_ring *points = &tile->rings[feature->first_ring];
    struct gw_mvt_point at = tile->points[points->start];
    assert_int_equal(points->count, 1);
    assert_in_range(at.x, 0, GW_TILE_EXTENT - 1);
    assert_in_range(at.y, 0, GW_TILE_EXTENT - 1);
    count->seen++;
}

static void count_tile(struct gw_tile_id id) {
    struct test_tile tile;
    encode(id);
    if (bytes.size == 0) {
        return;
    }
    test_tile_read(&tile, &bytes);
    assert_string_equal(tile.layer, "labels");
    for (uint32_t i = 0; i < tile.feature_count; i++) {
        count_feature(&tile, &tile.features[i]);
    }
    test_tile_free(&tile);
}

static void test_each_once_at_every_zoom(void **state) {
    (void)state;
    list_all();
    for (uint32_t z = 0; z <= 14; z++) {
        struct gw_box box = picture->box;
        struct gw_tile_id first = test_tile_at((struct gw_point){box.min.lon, box.max.lat}, z);
        struct gw_tile_id last = test_tile_at((struct gw_point){box.max.lon, box.min.lat}, z);
        for (uint32_t y = first.y - (first.y > 0); y <= last.y + (z > 2); y++) {
            for (uint32_t x = first.x - (first.x > 0); x <= last.x + (z > 2); x++) {
                count_tile((struct gw_tile_id){z, x, y});
            }
        }
        for (uint32_t i = 0; i < count_of_counts; i++) {
            if (counts[i].seen != (z >= zooms_min[counts[i].level])) {
                fail_msg("zoom %u: %s is there %u times", z, counts[i].code, counts[i].seen);
            }
            counts[i].seen = 0;
        }
    }
}

static struct gw_point point_of(const struct count *count) {
    const struct label_level *level = &picture->labels->levels[count->level];
    for (uint32_t i = 0; i < level->count; i++) {
        uint32_t item = level->labels[i].item;
        const char *code = count->level == 0 ? gw_edition_grid(picture->edition, item).code
                                             : gw_edition_area(picture->edition, item).code;
        if (strcmp(code, count->code) == 0) {
            return level->labels[i].point;
        }
    }
    fail_msg("%s has no label", count->code);
    return (struct gw_point){0, 0};
}

// At the highest zooms only the tiles round each label are looked at.
static void test_one_of_nine_tiles(void **state) {
    (void)state;
    list_all();
    for (uint32_t i = 0; i < count_of_counts; i++) {
        struct gw_point point = point_of(&counts[i]);
        for (uint32_t z = 15; z <= GW_TILE_ZOOM_MAX; z++) {
            struct gw_tile_id id = test_tile_at(point, z);
            counts[i].seen = 0;
            for (uint32_t n = 0; n < 9; n++) {
                count_tile((struct gw_tile_id){z, id.x + n % 3 - 1, id.y + n / 3 - 1});
            }
            assert_int_equal(counts[i].seen, 1);
        }
    }
}

static uint32_t area_above(uint32_t grid, uint32_t level) {
    return picture_area_of(picture->edition, grid, level);
}

static void test_each_lies_in_what_it_names(void **state) {
    (void)state;
    const struct gw_grid_index *index = gw_edition_index(picture->edition);
    for (uint32_t number = 0; number < PICTURE_LAYERS; number++) {
        const struct label_level *level = &picture->labels->levels[number];
        assert_int_equal(level->count, picture->levels[number].count);
        assert_true(level->count > 0);
        for (uint32_t i = 0; i < level->count; i++) {
            uint32_t grid = gw_grid_index_locate(index, level->labels[i].point);
            assert_int_not_equal(grid, GW_GRID_NONE);
            uint32_t there = number == 0 ? grid : area_above(grid, number);
            assert_int_equal(there, level->labels[i].item);
        }
    }
}

// An area's label is no farther from the middle of its box than that of any of its grids.
static void test_areas_are_labelled_in_the_middle(void **state) {
    (void)state;
    const struct label_level *grids = &picture->labels->levels[0];
    for (uint32_t number = 1; number < PICTURE_LAYERS; number++) {
        const struct label_level *level = &picture->labels->levels[number];
        for (uint32_t i = 0; i < level->count; i++) {
            struct gw_world_box box = gw_tile_shapes_box(picture->levels[number].shapes, i);
            double x = ((double)box.min.x + box.max.x) / 2, y = ((double)box.min.y + box.max.y) / 2;
            struct gw_world_point own = gw_mercator_project(level->labels[i].point);
            double best = (own.x - x) * (own.x - x) + (own.y - y) * (own.y - y);
            for (uint32_t g = 0; g < grids->count; g++) {
                struct gw_world_point at = gw_mercator_project(grids->labels[g].point);
                double away = (at.x - x) * (at.x - x) + (at.y - y) * (at.y - y);
                bool member = area_above(grids->labels[g].item, number) == level->labels[i].item;
                assert_true(!member || away * 1.0001 + 10 >= best);
            }
        }
    }
}

static void test_the_same_bytes_again(void **state) {
    (void)state;
    struct picture *again = NULL;
    struct gw_bytes other = {0};
    assert_int_equal(picture_create(current, &again), GW_OK);
    for (uint32_t z = 0; z <= 14; z++) {
        struct gw_tile_id id = test_tile_at(city.corners[4][5], z);
        encode(id);
        gw_bytes_clear(&other);
        assert_int_equal(picture_encode(again, GW_TILE_LABELS, id, scratch, &other), GW_OK);
        assert_int_equal(bytes.size, other.size);
        assert_true(bytes.size == 0 || memcmp(bytes.data, other.data, bytes.size) == 0);
    }
    gw_bytes_free(&other);
    picture_release(again);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_once_at_every_zoom),
        cmocka_unit_test(test_one_of_nine_tiles),
        cmocka_unit_test(test_each_lies_in_what_it_names),
        cmocka_unit_test(test_areas_are_labelled_in_the_middle),
        cmocka_unit_test(test_the_same_bytes_again),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
