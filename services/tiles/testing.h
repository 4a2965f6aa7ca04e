// What the tests of this room share: cities that can be changed a little, tiles fetched in a line.
#ifndef GW_SERVICES_TILES_TESTING_H
#define GW_SERVICES_TILES_TESTING_H

#include "services/tiles/tiles.h"

#define TEST_COLUMNS 12
#define TEST_ROWS 10
#define TEST_GRIDS (TEST_COLUMNS * TEST_ROWS)
#define TEST_VILLAGES 24 // 5 grids each; 4 villages a township, 3 townships a county, 1 city
#define TEST_BENDS 3     // vertices between two corners of a grid

// Quadrilaterals with bent sides that share every vertex, with holes in the city where `absent`.
struct test_city {
    struct gw_point corners[TEST_ROWS + 1][TEST_COLUMNS + 1];
    struct gw_point across[TEST_ROWS + 1][TEST_COLUMNS][TEST_BENDS]; // from west to east
    struct gw_point up[TEST_ROWS][TEST_COLUMNS + 1][TEST_BENDS];     // from south to north
    int places[TEST_GRIDS]; // of each grid: row * TEST_COLUMNS + column
    char names[TEST_GRIDS][32];
    int villages[TEST_GRIDS];
    uint32_t kinds[TEST_GRIDS];
    bool absent[TEST_GRIDS];
    char village_names[TEST_VILLAGES][32];
    uint64_t number;
};

void test_city_init(struct test_city *city, uint64_t seed);
// Writes and opens the edition as it now is; each has a number of its own.
struct gw_edition *test_city_open(struct test_city *city);

// A tile, waited for if need be; asserts that there is no error. *cached (may be NULL): it was
// there.
const struct gw_tile *test_get(struct gw_tiles *tiles, enum gw_tile_layer layer,
                               struct gw_tile_id id, bool *cached);
// The bytes before gzip, malloc'ed; asserts that they are whole.
unsigned char *test_unzip(const struct gw_tile *tile);
// Waits until tiles show their first edition, by asking for one.
void test_wait_first(struct gw_tiles *tiles);

// The tile that holds a point.
struct gw_tile_id test_tile_at(struct gw_point point, uint32_t z);
// The value of a series in the registry's text; -1: it is not there.
double test_metric(struct gw_metrics *metrics, const char *series);

#endif
