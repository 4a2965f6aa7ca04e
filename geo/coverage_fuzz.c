// Bytes read as polygons on a small lattice: those that are simple rings make a coverage, whose
// index must answer every lattice point as the ray casting does.
#include "geo/grid_index.h"
#include "geo/testing_coverage.h"

#include <string.h>

#define POLYGONS_MAX 12
#define CORNERS_MAX 10

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// Two options, a scale, then polygons: a count of corners and a byte a corner, 4 bits each way.
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

static void read_polygons(struct reader *reader, int32_t scale, struct test_coverage *coverage) {
    for (int i = 0; i < POLYGONS_MAX && reader->left > 0; i++) {
        struct gw_point points[CORNERS_MAX];
        size_t count = 3 + next(reader) % (CORNERS_MAX - 2);
        for (size_t j = 0; j < count; j++) {
            uint8_t corner = next(reader);
            points[j] = (struct gw_point){(corner >> 4) * scale, (corner & 15) * scale};
        }
        if (test_ring_simple(points, count)) {
            test_coverage_grid(coverage);
            (void)test_coverage_ring(coverage, GW_RING_SHELL, points, count);
        }
    }
}

static void compare(const struct test_coverage *coverage, const struct gw_grid_index *index,
                    int32_t scale) {
    int32_t step = scale > 2 ? scale / 2 : 1;
    for (int32_t y = -step; y <= 16 * scale; y += step) {
        for (int32_t x = -step; x <= 16 * scale; x += step) {
            struct gw_point p = {x, y};
            if (gw_grid_index_locate(index, p) != gw_coverage_owner(&coverage->view, p)) {
                abort();
            }
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const int32_t scales[] = {1, 2, 3, 37, 65536, 10000019};
    struct reader reader = {data, size};
    struct gw_grid_index_options options = {.leaf_edges_max = 1u + next(&reader) % 8u};
    int32_t scale = scales[next(&reader) % 6u];
    struct test_coverage coverage;
    test_coverage_init(&coverage);
    read_polygons(&reader, scale, &coverage);
    if (coverage.grids > 0) {
        struct test_random random = {next(&reader)};
        test_coverage_finish(&coverage, &random);
        unsigned char *bytes = NULL;
        uint64_t bytes_size = 0;
        struct gw_grid_index index;
        if (gw_coverage_check(&coverage.view) != GW_OK ||
            gw_grid_index_build(&coverage.view, &options, &bytes, &bytes_size) != GW_OK ||
            gw_grid_index_open(bytes, bytes_size, &index) != GW_OK) {
            abort();
        }
        compare(&coverage, &index, scale);
        free(bytes);
    }
    test_coverage_deinit(&coverage);
    return 0;
}
