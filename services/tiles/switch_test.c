// From one edition to the next: what did not change stays in the cache, byte for byte what it would
// be if it were made anew; what did is gone; all layers switch at once.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "services/tiles/changes.h"
#include "services/tiles/testing.h"
#include "tests/support/random.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ZOOM_MIN = 7, ZOOM_MAX = 13, TILES_MAX = 4000 };

static struct test_city city;
static struct gw_current *current;
static struct gw_tiles *tiles;
static struct gw_metrics *metrics;
static pthread_mutex_t ready_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t ready_cond = PTHREAD_COND_INITIALIZER;
static uint64_t ready_edition;

static void on_ready(void *context, uint64_t edition) {
    assert_ptr_equal(context, &city);
    (void)pthread_mutex_lock(&ready_mutex);
    ready_edition = edition;
    (void)pthread_cond_signal(&ready_cond);
    (void)pthread_mutex_unlock(&ready_mutex);
}

static void wait_ready(uint64_t edition) {
    (void)pthread_mutex_lock(&ready_mutex);
    while (ready_edition != edition) {
        (void)pthread_cond_wait(&ready_cond, &ready_mutex);
    }
    (void)pthread_mutex_unlock(&ready_mutex);
}

static int set_up(void **state) {
    (void)state;
    struct gw_error error;
    test_city_init(&city, 7);
    current = gw_current_create(test_city_open(&city));
    metrics = gw_metrics_create();
    ready_edition = 0;
    struct gw_tiles_options options = {.current = current, .metrics = metrics};
    assert_int_equal(gw_tiles_create(&options, &tiles, &error), GW_OK);
    gw_tiles_on_ready(tiles, on_ready, &city);
    test_wait_first(tiles);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    gw_tiles_destroy(tiles);
    gw_current_destroy(current);
    gw_metrics_destroy(metrics);
    return 0;
}

// Every tile of the city at these zooms.
static uint32_t list_tiles(struct gw_tile_id ids[]) {
    struct gw_box box;
    uint32_t count = 0;
    assert_true(gw_tiles_edition(tiles, &box) > 0);
    for (uint32_t z = ZOOM_MIN; z <= ZOOM_MAX; z++) {
        struct gw_tile_id first = test_tile_at((struct gw_point){box.min.lon, box.max.lat}, z);
        struct gw_tile_id last = test_tile_at((struct gw_point){box.max.lon, box.min.lat}, z);
        for (uint32_t y = first.y; y <= last.y; y++) {
            for (uint32_t x = first.x; x <= last.x && count < TILES_MAX; x++) {
                ids[count++] = (struct gw_tile_id){z, x, y};
            }
        }
    }
    return count;
}

static void fill(const struct gw_tile_id ids[], uint32_t count) {
    for (unsigned layer = 0; layer <= GW_TILE_LABELS; layer++) {
        for (uint32_t i = 0; i < count; i++) {
            gw_tile_release(test_get(tiles, (enum gw_tile_layer)layer, ids[i], NULL));
        }
    }
}

static void publish(void) {
    assert_int_equal(gw_current_replace(current, test_city_open(&city)), GW_OK);
    gw_tiles_edition_published(tiles);
    wait_ready(city.number);
}

struct kept {
    uint32_t carried, made;
};

// What tiles answers now is what the new edition gives, whether it was carried over or not.
static struct kept compare_all(const struct gw_tile_id ids[], uint32_t count,
                               struct kept by_layer[CHANGES_LAYERS]) {
    struct picture *picture = NULL;
    struct gw_tile_scratch *scratch = NULL;
    struct gw_bytes bytes = {0};
    struct kept all = {0, 0};
    assert_int_equal(picture_create(current, &picture), GW_OK);
    assert_int_equal(gw_tile_scratch_create(&scratch), GW_OK);
    memset(by_layer, 0, CHANGES_LAYERS * sizeof(by_layer[0]));
    for (unsigned layer = 0; layer <= GW_TILE_LABELS; layer++) {
        for (uint32_t i = 0; i < count; i++) {
            bool cached = false;
            const struct gw_tile *tile =
                test_get(tiles, (enum gw_tile_layer)layer, ids[i], &cached);
            unsigned char *unzipped = test_unzip(tile);
            gw_bytes_clear(&bytes);
            assert_int_equal(
                picture_encode(picture, (enum gw_tile_layer)layer, ids[i], scratch, &bytes), GW_OK);
            if (tile->size != bytes.size ||
                (bytes.size > 0 && memcmp(unzipped, bytes.data, bytes.size) != 0)) {
                fail_msg("%s/%u/%u/%u %s is not what the edition gives",
                         gw_tile_layer_name((enum gw_tile_layer)layer), ids[i].z, ids[i].x,
                         ids[i].y, cached ? "carried over" : "made anew");
            }
            assert_int_equal(tile->edition, city.number);
            by_layer[layer].carried += cached;
            by_layer[layer].made += !cached;
            all.carried += cached;
            all.made += !cached;
            free(unzipped);
            gw_tile_release(tile);
        }
    }
    gw_bytes_free(&bytes);
    gw_tile_scratch_destroy(scratch);
    picture_release(picture);
    return all;
}

static struct gw_tile_id ids[TILES_MAX];

static void test_a_moved_border(void **state) {
    (void)state;
    struct kept kept[CHANGES_LAYERS];
    uint32_t count = list_tiles(ids);
    fill(ids, count);
    city.up[2][3][1].lon += 9000; // between two grids of two villages of one township
    publish();
    struct kept all = compare_all(ids, count, kept);
    assert_true(all.carried > all.made * 4);
    assert_true(kept[GW_TILE_GRIDS].made > 0 && kept[GW_TILE_VILLAGES].made > 0);
    assert_true(test_metric(metrics, "gridwarden_tiles_invalidated_total") > 0);
    assert_true(test_metric(metrics, "gridwarden_tiles_carried_over_total") > 0);
}

static void test_a_grid_with_another_name(void **state) {
    (void)state;
    struct kept kept[CHANGES_LAYERS];
    uint32_t count = list_tiles(ids);
    fill(ids, count);
    (void)snprintf(city.names[40], sizeof(city.names[0]), "新名");
    publish();
    (void)compare_all(ids, count, kept);
    assert_true(kept[GW_TILE_GRIDS].made > 0);
    assert_true(kept[GW_TILE_GRIDS].carried > kept[GW_TILE_GRIDS].made);
    assert_true(kept[GW_TILE_LABELS].made > 0);
    assert_true(kept[GW_TILE_LABELS].carried > kept[GW_TILE_LABELS].made);
    for (unsigned layer = GW_TILE_VILLAGES; layer <= GW_TILE_CITIES; layer++) {
        assert_int_equal(kept[layer].made, 0);
    }
}

static void test_a_village_with_another_name(void **state) {
    (void)state;
    struct kept kept[CHANGES_LAYERS];
    uint32_t count = list_tiles(ids);
    fill(ids, count);
    (void)snprintf(city.village_names[5], sizeof(city.village_names[0]), "新村");
    publish();
    (void)compare_all(ids, count, kept);
    assert_true(kept[GW_TILE_VILLAGES].made > 0 && kept[GW_TILE_VILLAGES].carried > 0);
    assert_true(kept[GW_TILE_LABELS].made > 0 && kept[GW_TILE_LABELS].carried > 0);
    assert_int_equal(kept[GW_TILE_GRIDS].made, 0);
    assert_int_equal(kept[GW_TILE_TOWNSHIPS].made, 0);
}

static void test_a_grid_of_another_village(void **state) {
    (void)state;
    struct kept kept[CHANGES_LAYERS];
    uint32_t count = list_tiles(ids);
    fill(ids, count);
    city.villages[3] = 4; // of another township too
    publish();
    (void)compare_all(ids, count, kept);
    assert_true(kept[GW_TILE_GRIDS].made > 0 && kept[GW_TILE_VILLAGES].made > 0 &&
                kept[GW_TILE_TOWNSHIPS].made > 0);
    assert_int_equal(kept[GW_TILE_COUNTIES].made, 0);
    assert_int_equal(kept[GW_TILE_CITIES].made, 0);
}

static void test_the_same_again(void **state) {
    (void)state;
    struct kept kept[CHANGES_LAYERS];
    uint32_t count = list_tiles(ids);
    fill(ids, count);
    publish(); // another number, nothing else
    assert_int_equal(compare_all(ids, count, kept).made, 0);
}

static void exchange(int a, int b) {
    int place = city.places[a];
    city.places[a] = city.places[b];
    city.places[b] = place;
}

// All borders stay, and yet two grids are others, also far from any border.
static void test_two_grids_exchange_their_places(void **state) {
    (void)state;
    struct kept kept[CHANGES_LAYERS];
    uint32_t count = list_tiles(ids);
    fill(ids, count);
    exchange(17, 91);
    publish();
    (void)compare_all(ids, count, kept);
    assert_true(kept[GW_TILE_GRIDS].made > 0 && kept[GW_TILE_GRIDS].carried > 0);
    assert_true(kept[GW_TILE_VILLAGES].made > 0);
}

static void change_something(struct test_random *random) {
    int grid = (int)test_random_range(random, 0, TEST_GRIDS - 1);
    int x = grid % TEST_COLUMNS, y = grid / TEST_COLUMNS;
    int32_t by = (int32_t)test_random_range(random, -5000, 5000);
    switch (test_random_range(random, 0, 8)) {
    case 0:
        city.absent[grid] = !city.absent[grid];
        break;
    case 1:
        (void)snprintf(city.names[grid], sizeof(city.names[0]), "改 %d", (int)by);
        break;
    case 2:
        city.kinds[grid] = 1u + (uint32_t)test_random_range(random, 0, 2);
        break;
    case 3:
        city.villages[grid] = (int)test_random_range(random, 0, TEST_VILLAGES - 1);
        break;
    case 4:
        (void)snprintf(city.village_names[grid % TEST_VILLAGES], sizeof(city.village_names[0]),
                       "改 %d", (int)by);
        break;
    case 5:
        city.corners[y][x].lat += by;
        break;
    case 6:
        exchange(grid, (int)test_random_range(random, 0, TEST_GRIDS - 1));
        break;
    case 7:
        city.across[y][x][1].lon += by;
        break;
    default:
        city.up[y][x][2].lat += by;
        break;
    }
}

static void test_random_changes(void **state) {
    (void)state;
    enum { ROUNDS = 8 };
    struct test_random random = test_random_seeded("switch", 3);
    struct kept kept[CHANGES_LAYERS];
    uint32_t carried = 0, count = list_tiles(ids);
    for (int round = 0; round < ROUNDS; round++) {
        fill(ids, count);
        for (int64_t i = test_random_range(&random, 1, 4); i > 0; i--) {
            change_something(&random);
        }
        publish();
        carried += compare_all(ids, count, kept).carried;
    }
    assert_true(carried > 0);
}

// Readers all the while: every answer is of one of the editions, and the numbers never go back for
// one who asks again.
struct reader {
    pthread_t thread;
    uint64_t seed, gets;
    bool went_back;
};
static _Atomic bool over;

static void *read_on(void *context) {
    struct reader *reader = context;
    struct test_random random = {reader->seed};
    uint64_t newest = 0;
    while (!over || reader->gets < 100) {
        struct gw_tile_id id = ids[test_random_range(&random, 0, 200)];
        enum gw_tile_layer layer =
            (enum gw_tile_layer)test_random_range(&random, 0, GW_TILE_LABELS);
        const struct gw_tile *tile = test_get(tiles, layer, id, NULL);
        reader->went_back = reader->went_back || tile->edition < newest;
        newest = tile->edition;
        reader->gets++;
        gw_tile_release(tile);
    }
    return NULL;
}

static void test_readers_meanwhile(void **state) {
    (void)state;
    enum { READERS = 4, ROUNDS = 6 };
    struct reader readers[READERS] = {0};
    struct test_random random = test_random_seeded("meanwhile", 5);
    struct kept kept[CHANGES_LAYERS];
    uint32_t count = list_tiles(ids);
    over = false;
    for (int i = 0; i < READERS; i++) {
        readers[i].seed = (uint64_t)i;
        assert_int_equal(pthread_create(&readers[i].thread, NULL, read_on, &readers[i]), 0);
    }
    for (int round = 0; round < ROUNDS; round++) {
        change_something(&random);
        publish();
    }
    over = true;
    for (int i = 0; i < READERS; i++) {
        assert_int_equal(pthread_join(readers[i].thread, NULL), 0);
        assert_false(readers[i].went_back);
    }
    (void)compare_all(ids, count > 300 ? 300 : count, kept);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_moved_border, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_grid_with_another_name, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_village_with_another_name, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_grid_of_another_village, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_two_grids_exchange_their_places, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_same_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_random_changes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_readers_meanwhile, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
