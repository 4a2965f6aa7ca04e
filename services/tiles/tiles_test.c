// Tiles as callers see them: computed once, kept, bounded, dropped when they change.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "services/tiles/testing.h"
#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

// ---- points that the test sets, behind a gate ----

enum { POINTS_MAX = 130000 };

struct source {
    pthread_mutex_t mutex;
    pthread_cond_t cond;
    bool closed;   // visits wait until it is opened
    int visits;    // begun
    bool backward; // visits in the other order
    uint32_t count;
    struct gw_point points[POINTS_MAX];
    char ids[POINTS_MAX][16];
    uint32_t severity; // of all
};
static struct source source;

static void enter(void) {
    (void)pthread_mutex_lock(&source.mutex);
    source.visits++;
    (void)pthread_cond_broadcast(&source.cond);
    while (source.closed) {
        (void)pthread_cond_wait(&source.cond, &source.mutex);
    }
}

static bool within(struct gw_point point, struct gw_box box) {
    return point.lon >= box.min.lon && point.lon <= box.max.lon && point.lat >= box.min.lat &&
           point.lat <= box.max.lat;
}

static void visit_incidents(void *context, struct gw_box box,
                            void (*visit)(void *visitor, const struct gw_tile_incident *incident),
                            void *visitor) {
    (void)context;
    enter();
    for (uint32_t i = 0; i < source.count; i++) {
        uint32_t at = source.backward ? source.count - 1 - i : i;
        if (within(source.points[at], box)) {
            visit(visitor, &(struct gw_tile_incident){.id = source.ids[at],
                                                      .state = "OFFERED",
                                                      .class_code = "01",
                                                      .grid_code = "G000",
                                                      .handler = "w1",
                                                      .severity = source.severity,
                                                      .reported_ms = 1700000000000,
                                                      .point = source.points[at]});
        }
    }
    (void)pthread_mutex_unlock(&source.mutex);
}

static void visit_workers(void *context, struct gw_box box,
                          void (*visit)(void *visitor, const struct gw_tile_worker *worker),
                          void *visitor) {
    (void)context;
    enter();
    for (uint32_t i = 0; i < source.count; i++) {
        if (within(source.points[i], box)) {
            visit(visitor, &(struct gw_tile_worker){.id = source.ids[i],
                                                    .on_duty = true,
                                                    .load = source.severity,
                                                    .position_ms = 1700000000000,
                                                    .point = source.points[i]});
        }
    }
    (void)pthread_mutex_unlock(&source.mutex);
}

static const struct gw_tile_points points = {visit_incidents, visit_workers, NULL};

static void add_point(int32_t lon, int32_t lat) {
    (void)pthread_mutex_lock(&source.mutex);
    source.points[source.count] = (struct gw_point){lon, lat};
    (void)snprintf(source.ids[source.count], sizeof(source.ids[0]), "i%u", source.count);
    source.count++;
    (void)pthread_mutex_unlock(&source.mutex);
}

static void set_severity(uint32_t severity) {
    (void)pthread_mutex_lock(&source.mutex);
    source.severity = severity;
    (void)pthread_mutex_unlock(&source.mutex);
}

static void set_gate(bool closed) {
    (void)pthread_mutex_lock(&source.mutex);
    source.closed = closed;
    (void)pthread_cond_broadcast(&source.cond);
    (void)pthread_mutex_unlock(&source.mutex);
}

static void wait_visits(int visits) {
    (void)pthread_mutex_lock(&source.mutex);
    while (source.visits < visits) {
        (void)pthread_cond_wait(&source.cond, &source.mutex);
    }
    (void)pthread_mutex_unlock(&source.mutex);
}

static int visits_now(void) {
    (void)pthread_mutex_lock(&source.mutex);
    int visits = source.visits;
    (void)pthread_mutex_unlock(&source.mutex);
    return visits;
}

// ---- a node's tiles ----

static struct test_city city;
static struct gw_current *current;
static struct gw_tiles *tiles;
static struct gw_metrics *metrics;
static _Atomic int64_t now_ns;

static int64_t clock_now(void *context) {
    (void)context;
    return now_ns;
}

static void open_tiles(size_t cache_bytes, uint32_t threads) {
    struct gw_error error;
    struct gw_tiles_options options = {.current = current,
                                       .points = &points,
                                       .metrics = metrics,
                                       .cache_bytes = cache_bytes,
                                       .threads = threads,
                                       .now_ns = clock_now};
    if (gw_tiles_create(&options, &tiles, &error) != GW_OK) {
        fail_msg("%s", error.text);
    }
}

static int set_up(void **state) {
    (void)state;
    test_city_init(&city, 1);
    current = gw_current_create(test_city_open(&city));
    metrics = gw_metrics_create();
    (void)pthread_mutex_init(&source.mutex, NULL);
    (void)pthread_cond_init(&source.cond, NULL);
    source.closed = false;
    source.backward = false;
    source.count = 0;
    source.visits = 0;
    source.severity = 1;
    now_ns = 1;
    open_tiles(0, 0);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    gw_tiles_destroy(tiles);
    gw_current_destroy(current);
    gw_metrics_destroy(metrics);
    (void)pthread_mutex_destroy(&source.mutex);
    (void)pthread_cond_destroy(&source.cond);
    return 0;
}

// Many callers at once.
struct crowd {
    pthread_mutex_t mutex;
    pthread_cond_t cond;
    uint32_t called, with_tile, cancelled, other;
    char etag[GW_TILE_ETAG_SIZE];
    bool same;
};

static void join_crowd(void *context, const struct gw_error *error, const struct gw_tile *tile) {
    struct crowd *crowd = context;
    (void)pthread_mutex_lock(&crowd->mutex);
    crowd->called++;
    if (tile != NULL) {
        crowd->with_tile++;
        if (crowd->with_tile == 1) {
            memcpy(crowd->etag, tile->etag, sizeof(crowd->etag));
            crowd->same = true;
        }
        crowd->same = crowd->same && strcmp(crowd->etag, tile->etag) == 0;
    } else if (error->code == GW_ECANCELLED) {
        crowd->cancelled++;
    } else {
        crowd->other++;
    }
    gw_tile_release(tile);
    (void)pthread_cond_signal(&crowd->cond);
    (void)pthread_mutex_unlock(&crowd->mutex);
}

static void crowd_init(struct crowd *crowd) {
    memset(crowd, 0, sizeof(*crowd));
    (void)pthread_mutex_init(&crowd->mutex, NULL);
    (void)pthread_cond_init(&crowd->cond, NULL);
}

static void crowd_wait(struct crowd *crowd, uint32_t count) {
    (void)pthread_mutex_lock(&crowd->mutex);
    while (crowd->called < count) {
        (void)pthread_cond_wait(&crowd->cond, &crowd->mutex);
    }
    (void)pthread_mutex_unlock(&crowd->mutex);
}

static gw_err ask(struct crowd *crowd, enum gw_tile_layer layer, struct gw_tile_id id) {
    const struct gw_tile *tile = NULL;
    gw_err err = gw_tiles_get(tiles, layer, id, &tile, join_crowd, crowd, NULL);
    gw_tile_release(tile);
    return err;
}

// ---- tests ----

static struct gw_tile_id home(uint32_t z) {
    return test_tile_at(city.corners[5][6], z);
}

static bool holds(const struct gw_tile *tile, const char *text) {
    unsigned char *bytes = test_unzip(tile);
    bool found = memmem(bytes, tile->size, text, strlen(text)) != NULL;
    free(bytes);
    return found;
}

static void test_every_layer_and_its_tag(void **state) {
    (void)state;
    static const char *const words[] = {"网格 6", "村 6", "镇", "县", "市"};
    for (unsigned layer = GW_TILE_GRIDS; layer <= GW_TILE_CITIES; layer++) {
        bool cached = true;
        const struct gw_tile *tile = test_get(tiles, (enum gw_tile_layer)layer, home(8), &cached);
        assert_false(cached);
        assert_true(tile->size > 0 && tile->gzip_size > 0);
        assert_int_equal(tile->edition, 1);
        assert_false(tile->live);
        unsigned char *bytes = test_unzip(tile);
        XXH128_hash_t hash = XXH3_128bits(bytes, tile->size);
        char etag[GW_TILE_ETAG_SIZE];
        (void)snprintf(etag, sizeof(etag), "\"%016llx%016llx\"", (unsigned long long)hash.high64,
                       (unsigned long long)hash.low64);
        assert_string_equal(tile->etag, etag);
        assert_true(holds(tile, words[layer]));
        assert_true(holds(tile, gw_tile_layer_name((enum gw_tile_layer)layer)));
        free(bytes);
        const struct gw_tile *again = test_get(tiles, (enum gw_tile_layer)layer, home(8), &cached);
        assert_true(cached);
        assert_ptr_equal(again, tile);
        gw_tile_release(again);
        gw_tile_release(tile);
    }
    assert_true(test_metric(metrics, "gridwarden_tiles_requests_total{result=\"hit\"}") == 5);
    assert_true(test_metric(metrics, "gridwarden_tiles_requests_total{result=\"miss\"}") == 5);
}

static void test_no_such_tile(void **state) {
    (void)state;
    static const struct gw_tile_id ids[] = {{19, 0, 0}, {0, 1, 0}, {3, 0, 8}, {18, 1u << 18, 0}};
    const struct gw_tile *tile = NULL;
    struct gw_error error;
    for (size_t i = 0; i < COUNT_OF(ids); i++) {
        assert_int_equal(
            gw_tiles_get(tiles, GW_TILE_GRIDS, ids[i], &tile, join_crowd, NULL, &error), GW_EINVAL);
    }
    assert_int_equal(gw_tiles_get(tiles, GW_TILE_LAYERS, home(3), &tile, join_crowd, NULL, &error),
                     GW_EINVAL);
    assert_null(tile);
    assert_int_equal(gw_tile_layer_find("nothing"), GW_TILE_LAYERS);
    for (unsigned i = 0; i < GW_TILE_LAYERS; i++) {
        assert_int_equal(gw_tile_layer_find(gw_tile_layer_name((enum gw_tile_layer)i)), i);
    }
    assert_null(gw_tile_layer_name(GW_TILE_LAYERS));
}

static void test_far_away_is_empty_and_takes_no_room(void **state) {
    (void)state;
    test_wait_first(tiles);
    double before = test_metric(metrics, "gridwarden_tiles_cached");
    bool cached = false;
    for (uint32_t x = 0; x < 50; x++) {
        const struct gw_tile *tile =
            test_get(tiles, GW_TILE_GRIDS, (struct gw_tile_id){14, x, 17}, &cached);
        assert_true(cached);
        assert_true(tile->size == 0 && tile->gzip_size == 0);
        assert_int_equal(tile->edition, 1);
        gw_tile_release(tile);
    }
    assert_true(test_metric(metrics, "gridwarden_tiles_cached") == before);
    const struct gw_tile *tile =
        test_get(tiles, GW_TILE_INCIDENTS, (struct gw_tile_id){14, 1, 17}, NULL);
    assert_int_equal(tile->size, 0);
    assert_true(tile->live);
    gw_tile_release(tile);
}

static void test_one_computation_for_many_callers(void **state) {
    (void)state;
    enum { CALLERS = 1000 };
    struct crowd crowd;
    crowd_init(&crowd);
    add_point(1240000000, 423000000);
    set_gate(true);
    for (int i = 0; i < CALLERS; i++) {
        assert_int_equal(ask(&crowd, GW_TILE_INCIDENTS, (struct gw_tile_id){0, 0, 0}), GW_ESTATE);
    }
    set_gate(false);
    crowd_wait(&crowd, CALLERS);
    assert_int_equal(crowd.with_tile, CALLERS);
    assert_true(crowd.same);
    assert_int_equal(visits_now(), 1);
    assert_int_equal(ask(&crowd, GW_TILE_INCIDENTS, (struct gw_tile_id){0, 0, 0}), GW_OK);
    assert_true(test_metric(metrics, "gridwarden_tiles_requests_total{result=\"joined\"}") ==
                CALLERS - 1);
}

static void test_waiting_is_bounded(void **state) {
    (void)state;
    struct crowd crowd;
    crowd_init(&crowd);
    set_gate(true);
    uint32_t asked = 0;
    gw_err err = GW_ESTATE;
    while (err == GW_ESTATE && asked <= GW_TILES_WAITING_MAX) {
        struct gw_tile_id id = {18, asked % 3000, 7};
        err = ask(&crowd, GW_TILE_INCIDENTS, id);
        asked += err == GW_ESTATE;
    }
    assert_int_equal(err, GW_ENOSPC);
    assert_int_equal(asked, GW_TILES_WAITING_MAX);
    set_gate(false);
    crowd_wait(&crowd, asked);
    assert_int_equal(crowd.with_tile, asked);
}

static void *destroy(void *context) {
    gw_tiles_destroy(context);
    return NULL;
}

static void test_every_caller_is_answered_at_the_end(void **state) {
    (void)state;
    enum { CALLERS = 2000 };
    struct crowd crowd;
    pthread_t thread;
    crowd_init(&crowd);
    set_gate(true);
    for (uint32_t i = 0; i < CALLERS; i++) {
        assert_int_equal(ask(&crowd, GW_TILE_INCIDENTS, (struct gw_tile_id){18, i / 2, 7}),
                         GW_ESTATE);
    }
    assert_int_equal(pthread_create(&thread, NULL, destroy, tiles), 0);
    set_gate(false);
    assert_int_equal(pthread_join(thread, NULL), 0);
    tiles = NULL;
    assert_int_equal(crowd.called, CALLERS);
    assert_int_equal(crowd.other, 0);
    assert_int_equal(crowd.with_tile + crowd.cancelled, CALLERS);
}

static void fetch(enum gw_tile_layer layer, struct gw_tile_id id, bool expect_cached) {
    bool cached = false;
    gw_tile_release(test_get(tiles, layer, id, &cached));
    if (cached != expect_cached) {
        fail_msg("%s/%u/%u/%u: %s", gw_tile_layer_name(layer), id.z, id.x, id.y,
                 cached ? "cached" : "not cached");
    }
}

static void test_an_incident_drops_the_tiles_that_show_it(void **state) {
    (void)state;
    struct gw_point point = {1240000000, 423000000};
    add_point(point.lon, point.lat);
    for (uint32_t z = 0; z <= GW_TILE_ZOOM_MAX; z++) {
        struct gw_tile_id id = test_tile_at(point, z);
        fetch(GW_TILE_INCIDENTS, id, false);
        id.x ^= z >= 3 ? 4 : 0; // far from it
        fetch(GW_TILE_INCIDENTS, id, z < 3);
    }
    fetch(GW_TILE_GRIDS, test_tile_at(point, 9), false);
    gw_tiles_incident_changed(tiles, NULL, &point);
    for (uint32_t z = 0; z <= GW_TILE_ZOOM_MAX; z++) {
        struct gw_tile_id id = test_tile_at(point, z);
        fetch(GW_TILE_INCIDENTS, id, false);
        id.x ^= z >= 3 ? 4 : 0;
        fetch(GW_TILE_INCIDENTS, id, true);
    }
    fetch(GW_TILE_GRIDS, test_tile_at(point, 9), true);
    gw_tiles_incident_changed(tiles, &point, NULL);
    fetch(GW_TILE_INCIDENTS, test_tile_at(point, 14), false);
    gw_tiles_incident_changed(tiles, NULL, NULL);
    fetch(GW_TILE_INCIDENTS, test_tile_at(point, 14), true);
}

// A point within the buffer of its neighbours is shown by them too, and drops them.
static void test_neighbours_whose_buffer_holds_it(void **state) {
    (void)state;
    enum { Z = 14 };
    struct gw_tile_id id = home(Z);
    struct gw_world_box box = gw_tile_box(id, 0);
    int32_t unit = 1 << (GW_TILE_ZOOM_MAX - Z);
    struct gw_point near = gw_mercator_unproject(
        (struct gw_world_point){box.min.x + 10 * unit, box.min.y + 10 * unit});
    struct gw_point middle = gw_mercator_unproject(
        (struct gw_world_point){box.min.x + 2048 * unit, box.min.y + 2048 * unit});
    add_point(near.lon, near.lat);
    for (uint32_t i = 0; i < 9; i++) {
        struct gw_tile_id around = {Z, id.x + i % 3 - 1, id.y + i / 3 - 1};
        const struct gw_tile *tile = test_get(tiles, GW_TILE_INCIDENTS, around, NULL);
        assert_int_equal(tile->size > 0, i % 3 < 2 && i / 3 < 2); // north-west four of the nine
        gw_tile_release(tile);
    }
    gw_tiles_incident_changed(tiles, &near, &near);
    for (uint32_t i = 0; i < 9; i++) {
        struct gw_tile_id around = {Z, id.x + i % 3 - 1, id.y + i / 3 - 1};
        fetch(GW_TILE_INCIDENTS, around, !(i % 3 < 2 && i / 3 < 2));
    }
    gw_tiles_incident_changed(tiles, &middle, &near); // it moved: both places
    fetch(GW_TILE_INCIDENTS, id, false);
    fetch(GW_TILE_INCIDENTS, (struct gw_tile_id){Z, id.x - 1, id.y - 1}, false);
    fetch(GW_TILE_INCIDENTS, (struct gw_tile_id){Z, id.x + 1, id.y}, true);
}

// What was looked at before a change is given to who asked before it, and to nobody else.
static void test_a_change_while_a_tile_is_computed(void **state) {
    (void)state;
    struct gw_point point = {1240000000, 423000000};
    struct crowd before, after;
    crowd_init(&before);
    crowd_init(&after);
    add_point(point.lon, point.lat);
    struct gw_tile_id id = test_tile_at(point, 12);
    set_gate(true);
    assert_int_equal(ask(&before, GW_TILE_INCIDENTS, id), GW_ESTATE);
    wait_visits(1);
    gw_tiles_incident_changed(tiles, &point, &point);
    assert_int_equal(ask(&after, GW_TILE_INCIDENTS, id), GW_ESTATE);
    set_gate(false);
    crowd_wait(&before, 1);
    crowd_wait(&after, 1);
    assert_int_equal(visits_now(), 2);
    fetch(GW_TILE_INCIDENTS, id, true);
    set_severity(3);
    gw_tiles_incident_changed(tiles, &point, &point);
    const struct gw_tile *tile = test_get(tiles, GW_TILE_INCIDENTS, id, NULL);
    assert_string_not_equal(tile->etag, after.etag);
    assert_true(holds(tile, "i0"));
    gw_tile_release(tile);
}

static void test_workers_are_a_second_old_at_most(void **state) {
    (void)state;
    add_point(1240000000, 423000000);
    struct gw_tile_id id = test_tile_at(source.points[0], 10);
    fetch(GW_TILE_WORKERS, id, false);
    now_ns += 999999999;
    fetch(GW_TILE_WORKERS, id, true);
    now_ns += 1;
    fetch(GW_TILE_WORKERS, id, false);
    const struct gw_tile *tile = test_get(tiles, GW_TILE_WORKERS, id, NULL);
    assert_true(tile->live && holds(tile, "on_duty"));
    gw_tile_release(tile);
}

// Too many points: fewer are shown, the same whatever the order in which they come.
static void test_a_crowd_is_thinned_out(void **state) {
    (void)state;
    struct gw_tile_id world = {0, 0, 0};
    for (uint32_t i = 0; i < POINTS_MAX; i++) {
        add_point((int32_t)(1200000000u + i % 400 * 10000), (int32_t)(420000000u + i / 400 * 1000));
    }
    const struct gw_tile *tile = test_get(tiles, GW_TILE_INCIDENTS, world, NULL);
    unsigned char *bytes = test_unzip(tile);
    uint32_t ids = 0;
    for (size_t i = 0; i + 3 < tile->size; i++) { // a value of text "i<digits>"
        ids +=
            bytes[i] == 0x0a && bytes[i + 2] == 'i' && bytes[i + 3] >= '0' && bytes[i + 3] <= '9';
    }
    free(bytes);
    assert_in_range(ids, GW_TILE_POINTS_MAX / 2 - 5000, GW_TILE_POINTS_MAX);
    source.backward = true;
    gw_tiles_incident_changed(tiles, NULL, &source.points[0]);
    const struct gw_tile *again = test_get(tiles, GW_TILE_INCIDENTS, world, NULL);
    assert_string_equal(again->etag, tile->etag);
    gw_tile_release(again);
    gw_tile_release(tile);
}

static void test_a_small_cache_stays_small(void **state) {
    (void)state;
    enum { BYTES = 64 << 10 };
    gw_tiles_destroy(tiles);
    open_tiles(BYTES, 1);
    for (uint32_t z = 8; z <= 13; z++) {
        struct gw_tile_id id = home(z);
        for (uint32_t i = 0; i < 25; i++) {
            gw_tile_release(test_get(tiles, GW_TILE_GRIDS,
                                     (struct gw_tile_id){z, id.x + i % 5 - 2, id.y + i / 5 - 2},
                                     NULL));
            assert_true(test_metric(metrics, "gridwarden_tiles_cache_bytes") <= BYTES);
        }
    }
    assert_true(2 * test_metric(metrics, "gridwarden_tiles_cache_bytes") > BYTES);
}

static void check_tilejson(enum gw_tile_layer layer, const char *address) {
    struct gw_buffer text = {0};
    json_error_t json_error;
    gw_tiles_write_tilejson(tiles, layer, "http://127.0.0.1:7680", &text);
    assert_false(text.failed);
    json_t *root = json_loads(text.data, 0, &json_error);
    assert_non_null(root);
    const char *name = NULL, *version = NULL, *tile = NULL, *id = NULL, *scheme = NULL,
               *attribution = NULL;
    int min = -1, max = -1, zoom = -1;
    double west = 0, south = 0, east = 0, north = 0, lon = 0, lat = 0;
    json_t *fields = NULL;
    assert_int_equal(
        json_unpack(root,
                    "{s:s,s:s,s:s,s:[s!],s:i,s:i,s:[FFFF!],s:[FFi!],s:s,s:[{s:s,s:i,s:i,s:o}!]}",
                    "tilejson", &version, "name", &name, "scheme", &scheme, "tiles", &tile,
                    "minzoom", &min, "maxzoom", &max, "bounds", &west, &south, &east, &north,
                    "center", &lon, &lat, &zoom, "attribution", &attribution, "vector_layers", "id",
                    &id, "minzoom", &min, "maxzoom", &max, "fields", &fields),
        0);
    assert_string_equal(version, "3.0.0");
    assert_string_equal(scheme, "xyz");
    assert_string_equal(name, gw_tile_layer_name(layer));
    assert_string_equal(id, name);
    assert_string_equal(tile, address);
    assert_string_equal(attribution, "SYNTHETIC &lt;b&gt;\"&amp;");
    assert_true(west < lon && lon < east && south < lat && lat < north);
    assert_true(west > 123.7 && east < 126.3 && south > 42.1 && north < 44.3);
    assert_in_range(zoom, min, max);
    assert_int_equal(max, 14);
    const char *field = NULL;
    json_t *about = NULL;
    json_object_foreach(fields, field, about) {
        assert_true(json_is_string(about));
    }
    assert_non_null(json_object_get(fields, layer >= GW_TILE_INCIDENTS ? "id" : "code"));
    json_decref(root);
    gw_buffer_free(&text);
}

static void test_tilejson(void **state) {
    (void)state;
    test_wait_first(tiles);
    check_tilejson(GW_TILE_GRIDS, "http://127.0.0.1:7680/tiles/grids/{z}/{x}/{y}.mvt?edition=1");
    check_tilejson(GW_TILE_COUNTIES,
                   "http://127.0.0.1:7680/tiles/counties/{z}/{x}/{y}.mvt?edition=1");
    check_tilejson(GW_TILE_LABELS, "http://127.0.0.1:7680/tiles/labels/{z}/{x}/{y}.mvt?edition=1");
    check_tilejson(GW_TILE_WORKERS, "http://127.0.0.1:7680/tiles/workers/{z}/{x}/{y}.mvt");
    check_tilejson(GW_TILE_INCIDENTS, "http://127.0.0.1:7680/tiles/incidents/{z}/{x}/{y}.mvt");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_every_layer_and_its_tag, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_such_tile, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_far_away_is_empty_and_takes_no_room, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_one_computation_for_many_callers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_waiting_is_bounded, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_every_caller_is_answered_at_the_end, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_an_incident_drops_the_tiles_that_show_it, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_neighbours_whose_buffer_holds_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_change_while_a_tile_is_computed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_workers_are_a_second_old_at_most, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_crowd_is_thinned_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_small_cache_stays_small, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_tilejson, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
