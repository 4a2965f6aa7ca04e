// A small reader of vector tiles for tests, which shares no code with the writer and fails the test
// at anything that the specification does not allow.
#ifndef GW_GEO_TILES_TESTING_TILE_H
#define GW_GEO_TILES_TESTING_TILE_H

#include "geo/tiles/bytes.h"
#include "geo/tiles/mvt.h"

struct test_ring {
    uint32_t start, count; // in the tile's points
    int64_t area;          // twice
};

struct test_feature {
    uint64_t id;
    uint32_t type, first_ring, ring_count; // a point feature: one ring with its points
    uint32_t tags[32], tag_count;
};

struct test_tile {
    char layer[64];
    uint32_t version, extent, layer_count;
    struct gw_mvt_point *points;
    struct test_ring *rings;
    struct test_feature *features;
    char (*keys)[64];
    char (*values)[128]; // texts as they are, integers in decimal digits
    uint32_t point_count, ring_count, feature_count, key_count, value_count;
};

// Reads a tile of at most one layer.
void test_tile_read(struct test_tile *tile, const struct gw_bytes *bytes);
void test_tile_free(struct test_tile *tile);
// The feature with an id; NULL: there is none.
const struct test_feature *test_tile_feature(const struct test_tile *tile, uint64_t id);
const char *test_tile_value(const struct test_tile *tile, const struct test_feature *feature,
                            const char *key);

#endif
