// The cache: what is used least goes first, and the bound in bytes holds for everything in it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "services/tiles/cache.h"
#include "services/tiles/tile.h"
#include "tests/support/random.h"
#include <string.h>

static struct tile_packer packer;

static const struct gw_tile *tile_of(unsigned number, size_t size) {
    static unsigned char bytes[4096];
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (unsigned char)((number * 2654435761u + i * i * 40503u) >> (i % 13));
    }
    const struct gw_tile *tile = tile_make(&packer, bytes, size, number, false);
    assert_non_null(tile);
    return tile;
}

static void put(struct cache *cache, uint64_t key, unsigned number, size_t size) {
    const struct gw_tile *tile = tile_of(number, size);
    cache_put(cache, key, tile, INT64_MAX);
    gw_tile_release(tile);
}

static void test_keys_are_one_to_one(void **state) {
    (void)state;
    const uint32_t last = (1u << 18) - 1u;
    const struct gw_tile_id ids[] = {{0, 0, 0}, {1, 1, 0}, {1, 0, 1}, {18, last, 0}, {18, 0, last}};
    for (unsigned layer = 0; layer < GW_TILE_LAYERS; layer++) {
        for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
            uint64_t key = cache_key((enum gw_tile_layer)layer, ids[i]);
            struct gw_tile_id id = cache_key_id(key);
            assert_int_equal(cache_key_layer(key), layer);
            assert_true(id.z == ids[i].z && id.x == ids[i].x && id.y == ids[i].y);
        }
    }
}

static void test_the_least_used_goes_first(void **state) {
    (void)state;
    struct cache cache;
    assert_int_equal(cache_init(&cache, 16384), GW_OK);
    put(&cache, 1, 1, 3000);
    put(&cache, 2, 2, 3000);
    put(&cache, 3, 3, 3000);
    assert_non_null(cache_find(&cache, 1)); // now 2 is the least used
    assert_int_equal(cache.entries, 3);
    for (uint64_t key = 4; cache.entries == key - 1; key++) {
        put(&cache, key, (unsigned)key, 3000); // until one had to go
        assert_non_null(cache_find(&cache, 1));
        assert_true(key < 10);
    }
    assert_null(cache_find(&cache, 2));
    assert_non_null(cache_find(&cache, 3));
    assert_non_null(cache_find(&cache, 1));
    cache_deinit(&cache);
}

static void test_what_is_larger_than_all_is_not_kept(void **state) {
    (void)state;
    struct cache cache;
    assert_int_equal(cache_init(&cache, 2048), GW_OK);
    put(&cache, 1, 1, 100);
    put(&cache, 2, 2, 4000);
    assert_non_null(cache_find(&cache, 1));
    assert_null(cache_find(&cache, 2));
    cache_deinit(&cache);
}

static void test_a_tile_outlives_its_place(void **state) {
    (void)state;
    struct cache cache;
    assert_int_equal(cache_init(&cache, 1u << 20), GW_OK);
    put(&cache, 1, 7, 1000);
    const struct gw_tile *held = tile_retain(cache_find(&cache, 1)->tile);
    const struct gw_tile *same = tile_of_edition(held, 8);
    cache_drop(&cache, 1);
    cache_deinit(&cache);
    assert_int_equal(held->edition, 7);
    assert_int_equal(same->edition, 8);
    assert_ptr_equal(same->gzip, held->gzip); // the bytes are shared
    assert_string_equal(same->etag, held->etag);
    gw_tile_release(held);
    assert_true(same->gzip_size > 0 && same->gzip[0] == 0x1f && same->gzip[1] == 0x8b);
    gw_tile_release(same);
}

static bool is_odd(void *context, uint64_t key) {
    (void)context;
    return key % 2 == 1;
}

// Against a list in the order of use.
static void test_random_use_against_a_list(void **state) {
    (void)state;
    enum { KEYS = 64, STEPS = 20000 };
    struct test_random random = test_random_seeded("cache", 11);
    struct cache cache;
    uint64_t order[KEYS];
    size_t costs[KEYS] = {0}, count = 0, bytes = 0;
    assert_int_equal(cache_init(&cache, 32768), GW_OK);
    size_t room = 32768 - cache.bytes;
    for (int step = 0; step < STEPS; step++) {
        uint64_t key = (uint64_t)test_random_range(&random, 0, KEYS - 1);
        size_t at = 0;
        while (at < count && order[at] != key) {
            at++;
        }
        bool known = at < count;
        int64_t act = test_random_range(&random, 0, 99);
        if (act < 50) {
            assert_int_equal(cache_find(&cache, key) != NULL, known);
        } else if (act < 60) {
            cache_drop(&cache, key);
        } else if (act < 99) {
            put(&cache, key, (unsigned)step, (size_t)test_random_range(&random, 0, 2000));
        } else {
            (void)cache_drop_those(&cache, is_odd, NULL);
        }
        if (known && act != 99) { // out of its place
            memmove(order + at, order + at + 1, (--count - at) * sizeof(order[0]));
            bytes -= act >= 50 ? costs[key] : 0;
        }
        if ((known && act < 50) || (act >= 60 && act < 99)) { // the newest is last
            order[count++] = key;
        }
        if (act >= 60 && act < 99) {
            struct cache_entry *entry = cache_find(&cache, key);
            assert_non_null(entry);
            costs[key] = entry->cost;
            bytes += entry->cost;
        }
        for (size_t i = 0; act == 99 && i < count;) {
            if (order[i] % 2 == 1) {
                bytes -= costs[order[i]];
                memmove(order + i, order + i + 1, (--count - i) * sizeof(order[0]));
            } else {
                i++;
            }
        }
        size_t gone = 0;
        while (bytes > room) {
            bytes -= costs[order[gone++]];
        }
        memmove(order, order + gone, (count - gone) * sizeof(order[0]));
        count -= gone;
        assert_int_equal(cache.entries, count);
        assert_int_equal(cache.bytes, 32768 - room + bytes);
        size_t i = 0;
        for (struct cache_entry *e = cache.oldest; e != NULL; e = e->newer) {
            assert_int_equal(e->key, order[i++]);
        }
        assert_int_equal(i, count);
    }
    cache_deinit(&cache);
}

static int set_up(void **state) {
    (void)state;
    return tile_packer_init(&packer) == GW_OK ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    tile_packer_deinit(&packer);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys_are_one_to_one),
        cmocka_unit_test(test_the_least_used_goes_first),
        cmocka_unit_test(test_what_is_larger_than_all_is_not_kept),
        cmocka_unit_test(test_a_tile_outlives_its_place),
        cmocka_unit_test(test_random_use_against_a_list),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
