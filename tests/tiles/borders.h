// The stored borders of a layer's features as segments in tile units, and distances between
// segments: what decoded tiles are compared with. Projected by the textbook formula.
#ifndef GW_TESTS_TILES_BORDERS_H
#define GW_TESTS_TILES_BORDERS_H

#include "geo/tiles/mercator.h"
#include "services/grids/edition.h"

struct place {
    double x, y; // tile units from the tile's north-west corner; y south
};

struct segment {
    struct place from, to;
};

struct segments {
    struct segment *items;
    size_t count, capacity;
};

void segments_add(struct segments *segments, struct segment segment); // exits without memory
void segments_free(struct segments *segments);

double segment_length(struct segment segment);
// The part within the tile's square [0, 4096]; false when there is none.
bool segment_clip(struct segment segment, struct segment *inside);
// An upper bound, at most a hundredth too large, of the largest distance from a place on the
// segment to the nearest of `others`; 1e9 when there are none. Where it is not above `floor`,
// `floor`: who looks for a maximum need not have it exactly.
double segment_distance(struct segment segment, const struct segments *others, double floor);

// The borders of level `level`'s features: 0 each grid, 1 .. 4 the areas of that level, without the
// edges that two grids of one feature share.
struct borders;

struct borders *borders_create(const struct gw_edition *edition, uint32_t level);
void borders_destroy(struct borders *borders); // accepts NULL
uint32_t borders_count(const struct borders *borders);
const char *borders_code(const struct borders *borders, uint32_t feature);
uint32_t borders_find(const struct borders *borders, const char *code); // UINT32_MAX: none
// Whether the feature's box and the tile's square have a place in common.
bool borders_meet(const struct borders *borders, uint32_t feature, struct gw_tile_id id);
// Its segments whose boxes meet the square grown by the buffer, instead of what `out` held.
void borders_in_tile(const struct borders *borders, uint32_t feature, struct gw_tile_id id,
                     struct segments *out);

#endif
