#include "services/tiles/testing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "services/grids/edition_writer.h"
#include "tests/support/random.h"
#include <libdeflate.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WEST = 1238000000, SOUTH = 422000000, CELL = 200000, JITTER = 30000 };

static struct gw_point near(struct test_random *random, int32_t lon, int32_t lat, int32_t by) {
    return (struct gw_point){lon + (int32_t)test_random_range(random, -by, by),
                             lat + (int32_t)test_random_range(random, -by, by)};
}

static void bend(struct test_random *random, struct gw_point from, struct gw_point to,
                 struct gw_point out[TEST_BENDS]) {
    for (int i = 0; i < TEST_BENDS; i++) {
        int32_t lon = from.lon + (to.lon - from.lon) / (TEST_BENDS + 1) * (i + 1);
        int32_t lat = from.lat + (to.lat - from.lat) / (TEST_BENDS + 1) * (i + 1);
        out[i] = near(random, lon, lat, JITTER / 4);
    }
}

void test_city_init(struct test_city *city, uint64_t seed) {
    struct test_random random = {seed};
    memset(city, 0, sizeof(*city));
    for (int y = 0; y <= TEST_ROWS; y++) {
        for (int x = 0; x <= TEST_COLUMNS; x++) {
            city->corners[y][x] = near(&random, WEST + x * CELL, SOUTH + y * CELL, JITTER);
        }
    }
    for (int y = 0; y <= TEST_ROWS; y++) {
        for (int x = 0; x < TEST_COLUMNS; x++) {
            bend(&random, city->corners[y][x], city->corners[y][x + 1], city->across[y][x]);
        }
    }
    for (int y = 0; y < TEST_ROWS; y++) {
        for (int x = 0; x <= TEST_COLUMNS; x++) {
            bend(&random, city->corners[y][x], city->corners[y + 1][x], city->up[y][x]);
        }
    }
    for (int i = 0; i < TEST_GRIDS; i++) {
        (void)snprintf(city->names[i], sizeof(city->names[i]), "网格 %d", i);
        city->places[i] = i;
        city->villages[i] = i / TEST_COLUMNS / 5 * 12 + i % TEST_COLUMNS; // 5 rows, one column
        city->kinds[i] = 1u + (uint32_t)i % 3u;
    }
    for (int i = 0; i < TEST_VILLAGES; i++) {
        (void)snprintf(city->village_names[i], sizeof(city->village_names[i]), "村 %d", i);
    }
}

// The ring of a place, counter-clockwise from its south-west corner.
static uint32_t ring_of(const struct test_city *city, int place, struct gw_point out[]) {
    int x = place % TEST_COLUMNS, y = place / TEST_COLUMNS;
    uint32_t count = 0;
    out[count++] = city->corners[y][x];
    for (int i = 0; i < TEST_BENDS; i++) {
        out[count++] = city->across[y][x][i];
    }
    out[count++] = city->corners[y][x + 1];
    for (int i = 0; i < TEST_BENDS; i++) {
        out[count++] = city->up[y][x + 1][i];
    }
    out[count++] = city->corners[y + 1][x + 1];
    for (int i = TEST_BENDS - 1; i >= 0; i--) {
        out[count++] = city->across[y + 1][x][i];
    }
    out[count++] = city->corners[y + 1][x];
    for (int i = TEST_BENDS - 1; i >= 0; i--) {
        out[count++] = city->up[y][x][i];
    }
    return count;
}

struct area_rows {
    char codes[64][48];
    struct gw_edition_area_row rows[64];
    uint32_t count;
};

static void add_area(struct area_rows *areas, const char *name, uint32_t level, const char *format,
                     int a, int b, int c) {
    char *code = areas->codes[areas->count];
    (void)snprintf(code, sizeof(areas->codes[0]), format, a, b, c);
    areas->rows[areas->count++] = (struct gw_edition_area_row){code, name, "", level};
}

// Village v: county v / 12 + 1, township v / 4 % 3 + 1, village v % 4 + 1.
static void make_areas(const struct test_city *city, struct area_rows *areas) {
    add_area(areas, "市", 4, "2112", 0, 0, 0);
    for (int i = 0; i < TEST_VILLAGES / 12; i++) {
        add_area(areas, "县", 3, "2112%02d", i + 1, 0, 0);
    }
    for (int i = 0; i < TEST_VILLAGES / 4; i++) {
        add_area(areas, "镇", 2, "2112%02d%03d", i / 3 + 1, i % 3 + 1, 0);
    }
    for (int i = 0; i < TEST_VILLAGES; i++) {
        add_area(areas, city->village_names[i], 1, "2112%02d%03d%03d", i / 12 + 1, i / 4 % 3 + 1,
                 i % 4 + 1);
    }
}

struct gw_edition *test_city_open(struct test_city *city) {
    static struct gw_point vertices[TEST_GRIDS][4 * (TEST_BENDS + 1)];
    static struct gw_edition_ring rings[TEST_GRIDS];
    static struct gw_edition_grid_row rows[TEST_GRIDS];
    static char codes[TEST_GRIDS][32], parents[TEST_GRIDS][32];
    static struct area_rows areas;
    struct gw_error error;
    char path[600];
    struct gw_edition *edition = NULL;
    uint32_t count = 0;
    areas.count = 0;
    make_areas(city, &areas);
    for (int i = 0; i < TEST_GRIDS; i++) {
        if (city->absent[i]) {
            continue;
        }
        int village = city->villages[i];
        (void)snprintf(parents[i], sizeof(parents[i]), "2112%02d%03d%03d", village / 12 + 1,
                       village / 4 % 3 + 1, village % 4 + 1);
        (void)snprintf(codes[i], sizeof(codes[i]), "G%03d", i);
        rings[i] = (struct gw_edition_ring){
            vertices[i], ring_of(city, city->places[i], vertices[i]), GW_RING_SHELL};
        rows[count++] = (struct gw_edition_grid_row){
            codes[i], city->names[i], parents[i], city->kinds[i], 0, &rings[i], 1};
    }
    struct gw_edition_input input = {.layer = GW_LAYER_RESPONSIBLE,
                                     .label = "SYNTHETIC <b>\"&",
                                     .number = ++city->number,
                                     .created_ms = 1700000000000,
                                     .grids = rows,
                                     .grid_count = count,
                                     .areas = areas.rows,
                                     .area_count = areas.count};
    (void)snprintf(path, sizeof(path), "%s/tiles-%d-%u.gwe", getenv("TEST_TMPDIR"), (int)getpid(),
                   (unsigned)city->number);
    if (gw_edition_write(&input, path, NULL, &error) != GW_OK ||
        gw_edition_open(path, &edition, &error) != GW_OK) {
        fail_msg("%s", error.text);
    }
    return edition;
}

// ---- tiles ----

struct getting {
    pthread_mutex_t mutex;
    pthread_cond_t cond;
    bool called;
    const struct gw_tile *tile;
    gw_err err;
    char text[GW_ERROR_TEXT_MAX];
};

static void keep_tile(void *context, const struct gw_error *error, const struct gw_tile *tile) {
    struct getting *getting = context;
    (void)pthread_mutex_lock(&getting->mutex);
    getting->called = true;
    getting->tile = tile;
    if (error != NULL) {
        getting->err = error->code;
        (void)snprintf(getting->text, sizeof(getting->text), "%s", error->text);
    }
    (void)pthread_cond_signal(&getting->cond);
    (void)pthread_mutex_unlock(&getting->mutex);
}

const struct gw_tile *test_get(struct gw_tiles *tiles, enum gw_tile_layer layer,
                               struct gw_tile_id id, bool *cached) {
    struct getting getting = {.mutex = PTHREAD_MUTEX_INITIALIZER, .cond = PTHREAD_COND_INITIALIZER};
    struct gw_error error;
    const struct gw_tile *tile = NULL;
    gw_err err = gw_tiles_get(tiles, layer, id, &tile, keep_tile, &getting, &error);
    if (cached != NULL) {
        *cached = err == GW_OK;
    }
    if (err == GW_ESTATE) {
        (void)pthread_mutex_lock(&getting.mutex);
        while (!getting.called) {
            (void)pthread_cond_wait(&getting.cond, &getting.mutex);
        }
        (void)pthread_mutex_unlock(&getting.mutex);
        tile = getting.tile;
        if (tile == NULL) {
            fail_msg("%s", getting.text);
        }
    } else if (err != GW_OK) {
        fail_msg("%s", error.text);
    }
    return tile;
}

unsigned char *test_unzip(const struct gw_tile *tile) {
    unsigned char *out = malloc(tile->size + 1u);
    assert_non_null(out);
    if (tile->gzip_size == 0) {
        assert_int_equal(tile->size, 0);
        return out;
    }
    struct libdeflate_decompressor *decompressor = libdeflate_alloc_decompressor();
    size_t size = 0;
    assert_non_null(decompressor);
    assert_int_equal(libdeflate_gzip_decompress(decompressor, tile->gzip, tile->gzip_size, out,
                                                tile->size, &size),
                     LIBDEFLATE_SUCCESS);
    libdeflate_free_decompressor(decompressor);
    assert_int_equal(size, tile->size);
    return out;
}

void test_wait_first(struct gw_tiles *tiles) {
    gw_tile_release(test_get(tiles, GW_TILE_GRIDS, (struct gw_tile_id){0, 0, 0}, NULL));
}

struct gw_tile_id test_tile_at(struct gw_point point, uint32_t z) {
    struct gw_world_point world = gw_mercator_project(point);
    return (struct gw_tile_id){z, (uint32_t)world.x >> (GW_WORLD_BITS - z),
                               (uint32_t)world.y >> (GW_WORLD_BITS - z)};
}

double test_metric(struct gw_metrics *metrics, const char *series) {
    struct gw_buffer text = {0};
    double value = -1;
    gw_metrics_write(metrics, &text);
    size_t size = strlen(series);
    for (const char *at = strstr(text.data, series); at != NULL; at = strstr(at + 1, series)) {
        if ((at == text.data || at[-1] == '\n') && at[size] == ' ') {
            value = strtod(at + size, NULL);
            break;
        }
    }
    gw_buffer_free(&text);
    return value;
}
