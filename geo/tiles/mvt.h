// Writing Mapbox Vector Tiles 2.1 (https://github.com/mapbox/vector-tile-spec/tree/master/2.1).
//
// One writer holds one layer: begin, features with their properties and geometry, end, which
// appends the layer to a tile (layers of a tile follow one another). Keys and values are interned
// in the order of their first use, so the same calls give the same bytes.
#ifndef GW_GEO_TILES_MVT_H
#define GW_GEO_TILES_MVT_H

#include "geo/err.h"
#include "geo/tiles/bytes.h"

#define GW_MVT_ID_MAX 9007199254740991u // 2^53 - 1: what JavaScript holds exactly

enum gw_mvt_type { GW_MVT_POINT = 1, GW_MVT_LINE = 2, GW_MVT_POLYGON = 3 };

struct gw_mvt_point {
    int32_t x, y; // tile units; x east, y south
};

struct gw_mvt_writer; // reusable; owned by one thread

GW_MUST_CHECK gw_err gw_mvt_create(struct gw_mvt_writer **writer);
void gw_mvt_destroy(struct gw_mvt_writer *writer); // accepts NULL

void gw_mvt_begin(struct gw_mvt_writer *writer, const char *layer);
// Begins a feature; its properties and geometry follow in any order, then the next one begins. An
// id beyond GW_MVT_ID_MAX is left out; a feature that gets no geometry is dropped.
void gw_mvt_feature(struct gw_mvt_writer *writer, uint64_t id, enum gw_mvt_type type);
void gw_mvt_text(struct gw_mvt_writer *writer, const char *key, const char *value);
void gw_mvt_integer(struct gw_mvt_writer *writer, const char *key, int64_t value);
// Texts are UTF-8; integers are written unsigned where they are not negative. Points of a point
// feature; or one ring of 3 points and more (not closed: the last point is not the first again).
void gw_mvt_points(struct gw_mvt_writer *writer, const struct gw_mvt_point points[],
                   uint32_t count);
void gw_mvt_ring(struct gw_mvt_writer *writer, const struct gw_mvt_point points[], uint32_t count);
// Takes the feature that was begun last back, properties and all.
void gw_mvt_drop(struct gw_mvt_writer *writer);
uint32_t gw_mvt_feature_count(const struct gw_mvt_writer *writer); // of this layer so far
// Appends the layer to `tile`; a layer without features appends nothing. GW_ENOMEM.
GW_MUST_CHECK gw_err gw_mvt_end(struct gw_mvt_writer *writer, struct gw_bytes *tile);

// A stable id of a code, as map clients want it for feature state: a code of 1 to 15 digits that
// does not begin with 0 is the number itself; any other gets 2^52 plus 52 bits of a fixed hash.
uint64_t gw_mvt_id_of_code(const char *code);

#endif
