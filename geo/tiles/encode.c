#include "geo/tiles/shapes.h"

#include "geo/tiles/clip.h"
#include "geo/tiles/shape_rings.h"

#include <stdlib.h>
#include <string.h>

#define LOW (-GW_TILE_BUFFER)
#define HIGH (GW_TILE_EXTENT + GW_TILE_BUFFER)

struct gw_tile_scratch {
    struct gw_mvt_writer *writer;
    struct clip clip;
    struct loops loops;
    uint64_t *bits;
    size_t word_count;
};

gw_err gw_tile_scratch_create(struct gw_tile_scratch **scratch) {
    struct gw_tile_scratch *made = calloc(1, sizeof *made);
    if (made == NULL || gw_mvt_create(&made->writer) != GW_OK) {
        free(made);
        return GW_ENOMEM;
    }
    *scratch = made;
    return GW_OK;
}

void gw_tile_scratch_destroy(struct gw_tile_scratch *scratch) {
    if (scratch != NULL) {
        gw_mvt_destroy(scratch->writer);
        clip_deinit(&scratch->clip);
        loops_deinit(&scratch->loops);
        free(scratch->bits);
        free(scratch);
    }
}

// World units to units of one tile: the same for all tiles of a zoom but for the tile's place.
struct scale {
    int32_t half;
    uint32_t shift, zoom;
    int32_t x, y;                     // of the tile, in its units
    struct gw_world_box inner, outer; // rounds into the open square; touches the closed one
};

static int32_t clamp(int64_t value) {
    return (int32_t)(value < INT32_MIN ? INT32_MIN : value > INT32_MAX ? INT32_MAX : value);
}

// The world units that round to [low, high] around a tile that begins at x, y.
static struct gw_world_box rounding_to(const struct scale *scale, int32_t low, int32_t high) {
    int64_t unit = INT64_C(1) << scale->shift;
    return (struct gw_world_box){{clamp(((int64_t)scale->x + low) * unit - scale->half),
                                  clamp(((int64_t)scale->y + low) * unit - scale->half)},
                                 {clamp(((int64_t)scale->x + high + 1) * unit - scale->half - 1),
                                  clamp(((int64_t)scale->y + high + 1) * unit - scale->half - 1)}};
}

static struct scale scale_of(struct gw_tile_id tile) {
    struct scale scale = {.shift = GW_TILE_ZOOM_MAX - tile.z, .zoom = tile.z};
    scale.half = (1 << scale.shift) >> 1;
    scale.x = (int32_t)(tile.x * GW_TILE_EXTENT);
    scale.y = (int32_t)(tile.y * GW_TILE_EXTENT);
    scale.inner = rounding_to(&scale, LOW + 1, HIGH - 1);
    scale.outer = rounding_to(&scale, LOW, HIGH);
    return scale;
}

static struct gw_mvt_point to_tile(const struct scale *scale, struct gw_world_point at) {
    return (struct gw_mvt_point){((at.x + scale->half) >> scale->shift) - scale->x,
                                 ((at.y + scale->half) >> scale->shift) - scale->y};
}

static bool holds(struct gw_world_box outer, struct gw_world_box box) {
    return outer.min.x <= box.min.x && box.max.x <= outer.max.x && outer.min.y <= box.min.y &&
           box.max.y <= outer.max.y;
}

// Whether all of a box lies outside on one side of the square.
static bool beside(const struct scale *scale, struct gw_world_box box) {
    return box.max.x < scale->outer.min.x || box.min.x > scale->outer.max.x ||
           box.max.y < scale->outer.min.y || box.min.y > scale->outer.max.y;
}

// What one feature is read with.
struct reader {
    const struct gw_tile_shapes *shapes;
    const struct gw_tile_mesh *mesh;
    struct scale scale;
    struct gw_tile_scratch *scratch;
};

static void give(struct reader *reader, uint32_t vertex) {
    clip_point(&reader->scratch->clip, to_tile(&reader->scale, reader->mesh->vertices[vertex]));
}

// Writes the points of those of `count` vertices that are drawn at this zoom, from `vertex` on in
// steps of 1 or -1, but for points like the one before (`last` before the first); returns how many.
// Which vertices are drawn can't be foretold, so the loop does not branch on it.
static uint32_t take_vertices(const struct reader *reader, uint32_t vertex, uint32_t step,
                              uint32_t count, struct gw_mvt_point last, struct gw_mvt_point out[]) {
    const struct gw_world_point *vertices = reader->mesh->vertices;
    const uint8_t *zooms = reader->mesh->zooms;
    const struct scale scale = reader->scale;
    uint32_t taken = 0;
    for (uint32_t i = 0; i < count; i++, vertex += step) {
        struct gw_mvt_point point = to_tile(&scale, vertices[vertex]);
        uint32_t take = (uint32_t)(zooms[vertex] <= scale.zoom) &
                        (uint32_t)((point.x != last.x) | (point.y != last.y));
        out[taken] = point;
        taken += take;
        last.x = take != 0 ? point.x : last.x;
        last.y = take != 0 ? point.y : last.y;
    }
    return taken;
}

#define NO_POINT ((struct gw_mvt_point){INT32_MIN, INT32_MIN}) // far from every tile

// The first and the last vertex of this zoom of a block.
static void give_ends(struct reader *reader, uint32_t vertex, uint32_t step, uint32_t count) {
    const uint8_t *zooms = reader->mesh->zooms;
    uint32_t first = 0, last = count;
    while (first < count && zooms[vertex + first * step] > reader->scale.zoom) {
        first++;
    }
    while (last > first + 1 && zooms[vertex + (last - 1) * step] > reader->scale.zoom) {
        last--;
    }
    if (first < count) {
        give(reader, vertex + first * step);
        if (last > first + 1) {
            give(reader, vertex + (last - 1) * step);
        }
    }
}

// The vertices of this zoom of one block of an arc. Of a block that lies beside the square the
// first and the last will do: between them the ring stays on that side.
static void give_block(struct reader *reader, uint32_t arc, uint32_t begin, uint32_t end,
                       bool backward) {
    const struct gw_tile_mesh *mesh = reader->mesh;
    uint32_t number = mesh->arc_blocks[arc] + (begin - mesh->arc_vertices[arc]) / MESH_BLOCK;
    uint32_t vertex = backward ? end - 1 : begin, step = backward ? UINT32_MAX : 1;
    if (beside(&reader->scale, mesh->block_boxes[number])) {
        give_ends(reader, vertex, step, end - begin);
        return;
    }
    struct gw_mvt_point points[MESH_BLOCK];
    uint32_t count = take_vertices(reader, vertex, step, end - begin, NO_POINT, points);
    for (uint32_t i = 0; i < count; i++) {
        clip_point(&reader->scratch->clip, points[i]);
    }
}

static uint32_t first_vertex(const struct gw_tile_mesh *mesh, uint32_t piece) {
    uint32_t arc = piece >> 1;
    return (piece & 1u) != 0 ? mesh->arc_vertices[arc + 1] - 1 : mesh->arc_vertices[arc];
}

// A piece to its last vertex, with which the next one begins: clipping takes no notice of a point
// that comes twice.
static void give_piece(struct reader *reader, uint32_t piece) {
    const struct gw_tile_mesh *mesh = reader->mesh;
    uint32_t arc = piece >> 1;
    if (beside(&reader->scale, mesh->arc_boxes[arc])) {
        give(reader, first_vertex(mesh, piece));
        return;
    }
    bool backward = (piece & 1u) != 0;
    uint32_t begin = mesh->arc_vertices[arc], end = mesh->arc_vertices[arc + 1];
    uint32_t blocks = mesh->arc_blocks[arc + 1] - mesh->arc_blocks[arc];
    for (uint32_t i = 0; i < blocks; i++) {
        uint32_t block = backward ? blocks - 1 - i : i, from = begin + block * MESH_BLOCK;
        uint32_t to = end - from < MESH_BLOCK ? end : from + MESH_BLOCK;
        give_block(reader, arc, from, to, backward);
    }
}

static void clip_ring(struct reader *reader, uint32_t ring) {
    const struct gw_tile_shapes *shapes = reader->shapes;
    uint32_t begin = shapes->ring_pieces[ring], end = shapes->ring_pieces[ring + 1];
    clip_ring_begin(&reader->scratch->clip);
    for (uint32_t group = shapes->ring_groups[ring]; begin < end; group++) {
        uint32_t stop = end - begin < RING_GROUP ? end : begin + RING_GROUP;
        if (beside(&reader->scale, shapes->group_boxes[group])) {
            give(reader, first_vertex(reader->mesh, shapes->pieces[begin]));
        } else {
            for (uint32_t i = begin; i < stop; i++) {
                give_piece(reader, shapes->pieces[i]);
            }
        }
        begin = stop;
    }
    clip_ring_end(&reader->scratch->clip);
}

// A ring that the square holds needs no clipping.
static void copy_ring(struct reader *reader, uint32_t ring) {
    const struct gw_tile_shapes *shapes = reader->shapes;
    const struct gw_tile_mesh *mesh = reader->mesh;
    struct loops *loops = &reader->scratch->loops;
    struct gw_mvt_point last = NO_POINT;
    for (uint32_t i = shapes->ring_pieces[ring]; i < shapes->ring_pieces[ring + 1]; i++) {
        uint32_t arc = shapes->pieces[i] >> 1, backward = shapes->pieces[i] & 1u;
        uint32_t begin = mesh->arc_vertices[arc], end = mesh->arc_vertices[arc + 1];
        struct gw_mvt_point *room = loops_room(loops, end - begin);
        if (room == NULL) {
            return;
        }
        // But for the last vertex, which begins the next piece.
        uint32_t taken = take_vertices(reader, backward != 0 ? end - 1 : begin,
                                       backward != 0 ? UINT32_MAX : 1, end - begin - 1, last, room);
        loops_take(loops, taken);
        last = taken > 0 ? room[taken - 1] : last;
    }
    loops_close(loops);
}

// Whether what a box holds may have an area after rounding.
static bool visible(const struct scale *scale, struct gw_world_box box) {
    struct gw_mvt_point min = to_tile(scale, box.min), max = to_tile(scale, box.max);
    return min.x < max.x && min.y < max.y;
}

static gw_err encode_feature(struct reader *reader, uint32_t feature,
                             const struct gw_tile_words *words) {
    const struct gw_tile_shapes *shapes = reader->shapes;
    struct gw_tile_scratch *scratch = reader->scratch;
    struct gw_world_box box = shapes->feature_boxes[feature];
    if (!visible(&reader->scale, box)) {
        return GW_OK;
    }
    bool inside = holds(reader->scale.inner, box);
    loops_begin(&scratch->loops);
    clip_begin(&scratch->clip, LOW, HIGH);
    for (uint32_t ring = shapes->feature_rings[feature]; ring < shapes->feature_rings[feature + 1];
         ring++) {
        if (!visible(&reader->scale, shapes->ring_boxes[ring]) ||
            beside(&reader->scale, shapes->ring_boxes[ring])) {
            continue;
        }
        if (inside || holds(reader->scale.inner, shapes->ring_boxes[ring])) {
            copy_ring(reader, ring);
        } else {
            clip_ring(reader, ring);
        }
    }
    if (!inside && !clip_finish(&scratch->clip, &scratch->loops)) {
        return GW_ENOMEM;
    }
    if (scratch->loops.failed) {
        return GW_ENOMEM;
    }
    if (loops_any(&scratch->loops)) {
        gw_mvt_feature(scratch->writer, words->id(words->context, feature), GW_MVT_POLYGON);
        words->properties(words->context, feature, scratch->writer);
        loops_write(&scratch->loops, scratch->writer);
    }
    return GW_OK;
}

static gw_err find_features(const struct gw_tile_shapes *shapes, const struct scale *scale,
                            struct gw_tile_scratch *scratch) {
    size_t words = ((size_t)shapes->feature_count + 63) / 64;
    if (words > scratch->word_count) {
        uint64_t *bits = realloc(scratch->bits, words * sizeof *bits);
        if (bits == NULL) {
            return GW_ENOMEM;
        }
        scratch->bits = bits;
        scratch->word_count = words;
    }
    if (words > 0) {
        memset(scratch->bits, 0, words * sizeof *scratch->bits);
        shape_tree_query(&shapes->tree, scale->outer, scratch->bits);
    }
    return GW_OK;
}

static uint32_t lowest_bit(uint64_t word) {
    uint32_t bit = 0;
    for (uint32_t step = 32; step > 0; step /= 2) {
        if ((word & ((UINT64_C(1) << step) - 1)) == 0) {
            word >>= step;
            bit += step;
        }
    }
    return bit;
}

gw_err gw_tile_shapes_encode(const struct gw_tile_shapes *shapes, const char *layer,
                             struct gw_tile_id tile, const struct gw_tile_words *words,
                             struct gw_tile_scratch *scratch, struct gw_bytes *out) {
    if (!gw_tile_id_valid(tile)) {
        return GW_EINVAL;
    }
    struct reader reader = {shapes, shapes->mesh, scale_of(tile), scratch};
    gw_err err = find_features(shapes, &reader.scale, scratch);
    if (err != GW_OK) {
        return err;
    }
    gw_mvt_begin(scratch->writer, layer);
    for (size_t word = 0; word < ((size_t)shapes->feature_count + 63) / 64; word++) {
        for (uint64_t bits = scratch->bits[word]; bits != 0; bits &= bits - 1) {
            err = encode_feature(&reader, (uint32_t)word * 64 + lowest_bit(bits), words);
            if (err != GW_OK) {
                return err;
            }
        }
    }
    return gw_mvt_end(scratch->writer, out);
}

gw_err gw_tile_points_encode(const struct gw_point points[], uint32_t count, const char *layer,
                             struct gw_tile_id tile, const struct gw_tile_words *words,
                             struct gw_tile_scratch *scratch, struct gw_bytes *out) {
    if (!gw_tile_id_valid(tile)) {
        return GW_EINVAL;
    }
    struct scale scale = scale_of(tile);
    gw_mvt_begin(scratch->writer, layer);
    for (uint32_t i = 0; i < count; i++) {
        struct gw_mvt_point at = to_tile(&scale, gw_mercator_project(points[i]));
        if (at.x >= LOW && at.x <= HIGH && at.y >= LOW && at.y <= HIGH) {
            gw_mvt_feature(scratch->writer, words->id(words->context, i), GW_MVT_POINT);
            words->properties(words->context, i, scratch->writer);
            gw_mvt_points(scratch->writer, &at, 1);
        }
    }
    return gw_mvt_end(scratch->writer, out);
}
