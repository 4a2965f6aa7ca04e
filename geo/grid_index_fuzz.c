// Bytes taken for a grid index: opening them must refuse them or leave an index that answers every
// point without reading outside, with a grid or nobody, one at a time as in a batch.
#include "geo/grid_index.h"

#include <stdlib.h>
#include <string.h>

#define POINTS 96u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask(const struct gw_grid_index *index) {
    struct gw_point points[POINTS];
    uint32_t owners[POINTS];
    uint32_t step = (1u << index->cell_shift) / 3u + 1u;
    for (uint32_t i = 0; i < POINTS; i++) {
        points[i].lon = (int32_t)((uint32_t)index->origin.lon + i * step);
        points[i].lat = (int32_t)((uint32_t)index->origin.lat + i * step / 2u);
    }
    points[0] = (struct gw_point){INT32_MIN, INT32_MAX};
    points[1] = (struct gw_point){GW_LON_MAX, GW_LAT_MAX};
    points[2] = (struct gw_point){-GW_LON_MAX, -GW_LAT_MAX};
    gw_grid_index_locate_batch(index, points, POINTS, owners);
    for (uint32_t i = 0; i < POINTS; i++) {
        uint32_t owner = gw_grid_index_locate(index, points[i]);
        if (owner != owners[i] || (owner != GW_GRID_NONE && owner >= index->grid_count)) {
            abort();
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    size_t room = (size + 63u) / 64u * 64u + 64u;
    unsigned char *bytes = aligned_alloc(64, room);
    if (bytes == NULL) {
        return 0;
    }
    memset(bytes, 0, room);
    // At the very end of the block, so that reading past the bytes is noticed; 8-byte aligned.
    unsigned char *begin = bytes + (room - size) / 8u * 8u;
    memcpy(begin, data, size);
    struct gw_grid_index index;
    if (gw_grid_index_open(begin, size, &index) == GW_OK) {
        struct gw_grid_index_shape shape;
        gw_grid_index_shape(&index, &shape);
        ask(&index);
    }
    free(bytes);
    return 0;
}
