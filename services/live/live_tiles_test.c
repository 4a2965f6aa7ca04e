// The live stream and the tiles together: editions and incidents.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "services/live/testing.h"
#include <pthread.h>

enum { INCIDENTS_MAX = 10 };

static struct bench bench;
static struct gw_live *live;
static struct gw_tiles *tiles;
static char ids[INCIDENTS_MAX][GW_INCIDENT_ID_SIZE];
static uint32_t id_count;

static int set_up(void **state) {
    (void)state;
    struct gw_error error;
    bench_open(&bench);
    bench_staff(&bench, 50);
    struct gw_live_options options = {.shard = bench.shard, .tick_ms = 5};
    assert_int_equal(gw_live_create(&options, &live, &error), GW_OK);
    id_count = 0;
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    if (tiles != NULL) {
        gw_live_set_tiles(live, NULL);
        gw_tiles_destroy(tiles);
        tiles = NULL;
    }
    gw_live_destroy(live);
    bench_close(&bench);
    return 0;
}

static void catch_up(struct test_client *client) {
    test_client_catch_up(client, &bench, ids, id_count);
}

static void start_client(struct test_client *client) {
    test_client_init(client, live, true);
    assert_int_equal(test_client_open(client), GW_OK);
    catch_up(client);
}

static void open_tiles(void) {
    struct gw_error error;
    struct gw_tiles_options options = {.current = bench.current, .points = gw_live_points(live)};
    assert_int_equal(gw_tiles_create(&options, &tiles, &error), GW_OK);
    gw_live_set_tiles(live, tiles);
}

static void wait_edition(struct test_client *client, uint64_t edition) {
    while (client->edition != edition) {
        test_client_wait(client);
        assert_int_equal(test_client_read(client, 65536), GW_OK);
    }
}

static void test_editions(void **state) {
    (void)state;
    struct test_client client, late;
    start_client(&client);
    open_tiles();
    wait_edition(&client, 1);
    struct bench_edition kind = {.number = 2, .moved = 5000};
    assert_int_equal(bench_stage(&bench, &kind), GW_OK);
    assert_int_equal(bench_publish(&bench, 2), GW_OK);
    wait_edition(&client, 2);
    assert_int_equal(client.edition_events, 2);
    assert_int_equal(gw_tiles_edition(tiles, NULL), 2);
    test_client_init(&late, live, true);
    assert_int_equal(test_client_open(&late), GW_OK);
    catch_up(&late);
    wait_edition(&late, 2);
    assert_int_equal(bench_publish(&bench, 1), GW_OK); // and back
    wait_edition(&client, 1);
    test_client_deinit(&late);
    test_client_deinit(&client);
}

struct got_tile {
    pthread_mutex_t mutex;
    pthread_cond_t cond;
    const struct gw_tile *tile;
};

static void keep_tile(void *context, const struct gw_error *error, const struct gw_tile *tile) {
    struct got_tile *got = context;
    assert_null(error);
    (void)pthread_mutex_lock(&got->mutex);
    got->tile = tile;
    (void)pthread_cond_signal(&got->cond);
    (void)pthread_mutex_unlock(&got->mutex);
}

// The size of the tile of the whole world: it grows with each feature.
static size_t world_size(enum gw_tile_layer layer) {
    struct got_tile got = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, NULL};
    struct gw_tile_id world = {0, 0, 0};
    struct gw_error error;
    gw_err err = gw_tiles_get(tiles, layer, world, &got.tile, keep_tile, &got, &error);
    assert_true(err == GW_OK || err == GW_ESTATE);
    (void)pthread_mutex_lock(&got.mutex);
    while (got.tile == NULL) {
        (void)pthread_cond_wait(&got.cond, &got.mutex);
    }
    (void)pthread_mutex_unlock(&got.mutex);
    size_t size = got.tile->size;
    gw_tile_release(got.tile);
    return size;
}

// Who has seen the event gets a tile that shows it.
static void test_tiles_follow_incidents(void **state) {
    (void)state;
    struct test_client client;
    open_tiles();
    start_client(&client);
    assert_int_equal(world_size(GW_TILE_INCIDENTS), 0);
    assert_true(world_size(GW_TILE_WORKERS) > 0);
    size_t before = 0;
    for (int i = 0; i < 5; i++) {
        assert_int_equal(bench_report(&bench, i % 3, i % 2, ids[id_count++]), GW_OK);
        catch_up(&client);
        size_t size = world_size(GW_TILE_INCIDENTS);
        assert_true(size > before);
        before = size;
    }
    for (uint32_t i = 0; i < 5; i++) {
        test_finish(&bench, ids[i]);
    }
    catch_up(&client);
    assert_int_equal(world_size(GW_TILE_INCIDENTS), 0);
    test_client_deinit(&client);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_editions, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_tiles_follow_incidents, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
