// Users who pan: what they see, what their browsers keep, and that walks repeat.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "loadtest/pan.h"
#include "tests/support/random.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double bounds[4] = {123.4, 41.9, 125.2, 43.5};

static struct load_work work_of(uint32_t cache) {
    struct load_work work = {.call = LOAD_TILES,
                             .layer_count = 2,
                             .zooms = {8, 16},
                             .columns = 4,
                             .rows = 3,
                             .cache = cache};
    return work;
}

static void somewhere(void *context, struct gw_random *random, double *lon, double *lat) {
    (void)context;
    *lon = gw_random_within(random, bounds[0], bounds[2]);
    *lat = gw_random_within(random, bounds[1], bounds[3]);
}

static const struct load_layer layers[] = {{10, 14}, {0, 12}};

static void test_steps(void **state) {
    (void)state;
    struct test_random seeds = test_random_seeded("pan", 5);
    struct load_work work = work_of(LOAD_CACHE_NONE);
    struct gw_random random = {test_random_next(&seeds)}, again = random;
    struct load_pan pan, same;
    static struct load_tile tiles[LOAD_VISIBLE_MAX], others[LOAD_VISIBLE_MAX];
    bool zooms[19] = {false};
    assert_int_equal(load_pan_init(&pan, &work, 3, layers, bounds), GW_OK);
    assert_int_equal(load_pan_init(&same, &work, 3, layers, bounds), GW_OK);
    for (int i = 0; i < 3000; i++) {
        struct load_user *user = &pan.users[i % 3];
        uint32_t count = load_pan_step(&pan, user, &random, somewhere, NULL, tiles);
        assert_int_equal(count,
                         load_pan_step(&same, &same.users[i % 3], &again, somewhere, NULL, others));
        assert_memory_equal(tiles, others, count * sizeof(*tiles));
        assert_in_range(user->zoom, 8, 16);
        zooms[user->zoom] = true;
        assert_true(count >= 1); // the second layer has every zoom
        uint32_t of_layer[2] = {0};
        for (uint32_t k = 0; k < count; k++) {
            const struct load_tile *tile = &tiles[k];
            assert_true(tile->layer < 2 && tile->z <= layers[tile->layer].zoom_max);
            assert_true(tile->x < 1u << tile->z && tile->y < 1u << tile->z);
            of_layer[tile->layer]++;
        }
        assert_true(of_layer[0] <= 5 * 4 && of_layer[1] <= 5 * 4);
        assert_int_equal(of_layer[0] > 0, user->zoom >= 10);
        // The middle of the screen is on one of them.
        double side = ldexp(1, (int)tiles[count - 1].z);
        bool middle = false;
        for (uint32_t k = 0; k < count; k++) {
            middle |= tiles[k].layer == 1 && tiles[k].x == (uint32_t)(user->x * side) &&
                      tiles[k].y == (uint32_t)(user->y * side);
        }
        assert_true(middle);
    }
    for (uint32_t zoom = 8; zoom <= 16; zoom++) {
        assert_true(zooms[zoom]);
    }
    load_pan_deinit(&pan);
    load_pan_deinit(&same);
}

static void test_browser_keeps(void **state) {
    (void)state;
    struct load_work work = work_of(LOAD_CACHE_BROWSER);
    struct gw_random random = {3};
    struct load_pan pan;
    static struct load_tile tiles[LOAD_VISIBLE_MAX];
    uint64_t all = 0, asked = 0;
    assert_int_equal(load_pan_init(&pan, &work, 1, layers, bounds), GW_OK);
    for (int i = 0; i < 300; i++) {
        uint32_t count = load_pan_step(&pan, pan.users, &random, somewhere, NULL, tiles);
        for (uint32_t k = 0; k < count; k++) {
            assert_null(load_pan_find(pan.users, tiles[k]));
            load_pan_keep(pan.users, tiles[k], "\"e\"");
            assert_string_equal(load_pan_find(pan.users, tiles[k])->etag, "\"e\"");
        }
        asked += count;
    }
    work.cache = LOAD_CACHE_NONE;
    random = (struct gw_random){3};
    pan.users->somewhere = false;
    for (int i = 0; i < 300; i++) {
        all += load_pan_step(&pan, pan.users, &random, somewhere, NULL, tiles);
    }
    assert_true(asked < all * 3 / 4); // much of a screen was there before
    load_pan_deinit(&pan);
}

static void test_oldest_go(void **state) {
    (void)state;
    struct load_work work = work_of(LOAD_CACHE_REVALIDATE);
    struct load_pan pan;
    assert_int_equal(load_pan_init(&pan, &work, 1, layers, bounds), GW_OK);
    for (uint32_t i = 0; i <= LOAD_SEEN_MAX; i++) {
        load_pan_keep(pan.users, (struct load_tile){0, 14, i, 1}, "x");
    }
    assert_null(load_pan_find(pan.users, (struct load_tile){0, 14, 0, 1}));
    assert_non_null(load_pan_find(pan.users, (struct load_tile){0, 14, 1, 1}));
    assert_null(load_pan_find(pan.users, (struct load_tile){1, 14, 1, 1})); // of another layer
    load_pan_deinit(&pan);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_steps),
        cmocka_unit_test(test_browser_keeps),
        cmocka_unit_test(test_oldest_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
