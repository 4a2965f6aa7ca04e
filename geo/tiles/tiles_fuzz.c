// Bytes read as a tile and polygons with multiples of few corners: whatever comes out of the mesh,
// the clipping and the writer must be a tile that the reader of the tests accepts.
#include "geo/testing_coverage.h"
#include "geo/tiles/shapes.h"
#include "geo/tiles/testing_tile.h"

#include <stdlib.h>

#define POLYGONS_MAX 10
#define CORNERS_MAX 12
#define FEATURES 4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// A zoom, a scale, a place in the tile, whether grids are united, then polygons: a count of corners
// and a byte a corner, 4 bits each way.
struct reader {
    const uint8_t *data;
    size_t left;
};

static uint8_t next(struct reader *reader) {
    if (reader->left == 0) {
        return 0;
    }
    reader->left--;
    return *reader->data++;
}

static void read_polygons(struct reader *reader, struct gw_point origin, int32_t scale,
                          struct test_coverage *coverage) {
    for (int i = 0; i < POLYGONS_MAX && reader->left > 0; i++) {
        struct gw_point points[CORNERS_MAX];
        size_t count = 3 + next(reader) % (CORNERS_MAX - 2);
        for (size_t j = 0; j < count; j++) {
            uint8_t corner = next(reader);
            points[j] = (struct gw_point){origin.lon + (corner >> 4) * scale,
                                          origin.lat + (corner & 15) * scale};
        }
        if (test_ring_simple(points, count)) {
            test_coverage_grid(coverage);
            (void)test_coverage_ring(coverage, GW_RING_SHELL, points, count);
        }
    }
}

static uint64_t id_of(void *context, uint32_t feature) {
    (void)context;
    return feature;
}

static void words_of(void *context, uint32_t feature, struct gw_mvt_writer *writer) {
    (void)context;
    gw_mvt_integer(writer, "feature", feature);
}

static void encode(const struct gw_coverage *coverage, const uint32_t features[],
                   struct gw_tile_id id) {
    static const struct gw_tile_words words = {id_of, words_of, NULL};
    struct gw_tile_mesh *mesh = NULL;
    struct gw_tile_shapes *shapes = NULL;
    struct gw_tile_scratch *scratch = NULL;
    uint32_t count = features == NULL ? coverage->grid_count : FEATURES;
    if (gw_tile_mesh_create(coverage, &mesh) != GW_OK ||
        gw_tile_shapes_create(mesh, features, count, &shapes) != GW_OK ||
        gw_tile_scratch_create(&scratch) != GW_OK) {
        abort();
    }
    struct gw_bytes bytes = {0};
    if (gw_tile_shapes_encode(shapes, "fuzz", id, &words, scratch, &bytes) != GW_OK) {
        abort();
    }
    struct test_tile tile;
    test_tile_read(&tile, &bytes);
    for (uint32_t i = 0; i < tile.ring_count; i++) {
        for (uint32_t j = 0; j < tile.rings[i].count; j++) {
            struct gw_mvt_point at = tile.points[tile.rings[i].start + j];
            if (at.x < -64 || at.x > 4160 || at.y < -64 || at.y > 4160 || tile.rings[i].area == 0) {
                abort();
            }
        }
    }
    test_tile_free(&tile);
    gw_bytes_free(&bytes);
    gw_tile_scratch_destroy(scratch);
    gw_tile_shapes_destroy(shapes);
    gw_tile_mesh_destroy(mesh);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct reader reader = {data, size};
    struct gw_tile_id id = {.z = next(&reader) % (GW_TILE_ZOOM_MAX + 1u)};
    id.x = next(&reader) % (1u << id.z);
    id.y = next(&reader) % (1u << id.z);
    bool united = next(&reader) % 2 != 0;
    // Sixteenths of the tile's width, divided or multiplied: from much smaller to much larger.
    struct gw_box box = gw_tile_lattice_box(id, GW_TILE_BUFFER);
    int64_t width = (int64_t)box.max.lon - box.min.lon;
    int64_t scale = width * (1 + next(&reader)) / 1024;
    scale = scale < 1 ? 1 : scale > 50000000 ? 50000000 : scale;
    int64_t lon = box.min.lon + width * next(&reader) / 256 - 4 * scale;
    int64_t lat =
        box.min.lat + ((int64_t)box.max.lat - box.min.lat) * next(&reader) / 256 - 4 * scale;
    int64_t reach = 16 * scale;
    lon = lon < -GW_LON_MAX ? -GW_LON_MAX : lon > GW_LON_MAX - reach ? GW_LON_MAX - reach : lon;
    lat = lat < -GW_LAT_MAX ? -GW_LAT_MAX : lat > GW_LAT_MAX - reach ? GW_LAT_MAX - reach : lat;

    struct test_coverage coverage;
    test_coverage_init(&coverage);
    read_polygons(&reader, (struct gw_point){(int32_t)lon, (int32_t)lat}, (int32_t)scale,
                  &coverage);
    if (coverage.grids == 0) {
        test_coverage_deinit(&coverage);
        return 0;
    }
    test_coverage_finish(&coverage, NULL);
    uint32_t features[POLYGONS_MAX];
    for (uint32_t i = 0; i < POLYGONS_MAX; i++) {
        features[i] = i % 5 == 4 ? GW_TILE_NO_FEATURE : i % FEATURES;
    }
    encode(&coverage.view, united ? features : NULL, id);
    test_coverage_deinit(&coverage);
    return 0;
}
