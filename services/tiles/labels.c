#include "services/tiles/labels.h"

#include "geo/label_point.h"

#include <stdlib.h>
#include <string.h>

// The zooms from which there is room for the names of a level.
static const uint32_t zooms_min[PICTURE_LAYERS] = {12, 10, 8, 3, 0};

// ---- making ----

static int by_x(const void *left, const void *right) {
    const struct label_place *a = left, *b = right;
    if (a->world.x != b->world.x) {
        return a->world.x < b->world.x ? -1 : 1;
    }
    return (a->at > b->at) - (a->at < b->at);
}

static gw_err make_room(struct label_level *level, uint32_t count) {
    level->labels = malloc(((size_t)count + 1u) * sizeof(level->labels[0]));
    level->places = malloc(((size_t)count + 1u) * sizeof(level->places[0]));
    level->count = count;
    return level->labels != NULL && level->places != NULL ? GW_OK : GW_ENOMEM;
}

static void make_places(struct label_level *level) {
    for (uint32_t i = 0; i < level->count; i++) {
        struct gw_world_point world = gw_mercator_project(level->labels[i].point);
        level->places[i] = (struct label_place){world, i};
    }
    qsort(level->places, level->count, sizeof(level->places[0]), by_x);
}

static gw_err make_grids(const struct picture *picture, const struct gw_point points[],
                         struct label_level *level) {
    gw_err err = make_room(level, gw_edition_grid_count(picture->edition));
    for (uint32_t i = 0; i < level->count && err == GW_OK; i++) {
        uint32_t grid = gw_edition_grid_by_code_order(picture->edition, i);
        level->labels[i] = (struct label){points[grid], grid};
    }
    return err;
}

// The middle of an area's box, and the nearest of the grids seen so far.
struct nearest {
    struct gw_world_point middle;
    int64_t square;
    uint32_t grid;
};

static void come_near(struct nearest *nearest, struct gw_point point, uint32_t grid) {
    struct gw_world_point at = gw_mercator_project(point);
    int64_t x = (int64_t)at.x - nearest->middle.x, y = (int64_t)at.y - nearest->middle.y;
    int64_t square = x * x + y * y; // below 2^61
    if (square < nearest->square) {
        nearest->square = square;
        nearest->grid = grid;
    }
}

static gw_err make_areas(const struct picture *picture, uint32_t number,
                         const struct gw_point points[], struct label_level *level) {
    const struct picture_level *areas = &picture->levels[number];
    struct nearest *nearest = calloc((size_t)areas->count + 1u, sizeof(*nearest));
    gw_err err = nearest != NULL ? make_room(level, areas->count) : GW_ENOMEM;
    for (uint32_t i = 0; i < areas->count && err == GW_OK; i++) {
        struct gw_world_box box = gw_tile_shapes_box(areas->shapes, i);
        nearest[i].middle.x = (int32_t)(((int64_t)box.min.x + box.max.x) / 2);
        nearest[i].middle.y = (int32_t)(((int64_t)box.min.y + box.max.y) / 2);
        nearest[i].square = INT64_MAX;
    }
    for (uint32_t i = 0; i < gw_edition_grid_count(picture->edition) && err == GW_OK; i++) {
        uint32_t feature = areas->feature_of_grid[i];
        if (feature != GW_TILE_NO_FEATURE) {
            come_near(&nearest[feature], points[i], i);
        }
    }
    for (uint32_t i = 0; i < areas->count && err == GW_OK; i++) {
        level->labels[i] = (struct label){points[nearest[i].grid], areas->areas[i]};
    }
    free(nearest);
    return err;
}

gw_err labels_create(const struct picture *picture, struct labels **labels) {
    uint32_t grids = gw_edition_grid_count(picture->edition);
    struct labels *made = calloc(1, sizeof(*made));
    struct gw_point *points = malloc(((size_t)grids + 1u) * sizeof(*points));
    gw_err err = made != NULL && points != NULL ? GW_OK : GW_ENOMEM;
    if (err == GW_OK) {
        err = gw_label_points(gw_edition_coverage(picture->edition), points);
    }
    if (err == GW_OK) {
        err = make_grids(picture, points, &made->levels[0]);
    }
    for (uint32_t number = 1; number < PICTURE_LAYERS && err == GW_OK; number++) {
        if (picture->levels[number].count > 0) {
            err = make_areas(picture, number, points, &made->levels[number]);
        }
    }
    free(points);
    if (err != GW_OK) {
        labels_destroy(made);
        return err;
    }
    for (uint32_t number = 0; number < PICTURE_LAYERS; number++) {
        if (made->levels[number].count > 0) {
            make_places(&made->levels[number]);
        }
    }
    *labels = made;
    return GW_OK;
}

void labels_destroy(struct labels *labels) {
    for (uint32_t number = 0; labels != NULL && number < PICTURE_LAYERS; number++) {
        free(labels->levels[number].labels);
        free(labels->levels[number].places);
    }
    free(labels);
}

// ---- one tile ----

// What one tile shows, in the order in which it is written: the highest level first, then by code.
struct shown {
    const struct picture *picture;
    struct row {
        uint32_t number, at; // of the level, of the label in it
    } * rows;
    struct gw_point *points;
    uint32_t count;
};

// The world units whose label is written in this tile: those that round to one of its units, and
// what lies on the rim of the world.
static struct gw_world_box box_of(struct gw_tile_id id) {
    struct gw_world_box box = gw_tile_box(id, 0);
    int32_t half = (1 << (GW_TILE_ZOOM_MAX - id.z)) >> 1;
    uint32_t last = (1u << id.z) - 1u;
    box.min.x -= half;
    box.min.y -= half;
    box.max.x = id.x == last ? GW_WORLD_SIZE : box.max.x - half - 1;
    box.max.y = id.y == last ? GW_WORLD_SIZE : box.max.y - half - 1;
    return box;
}

// The first place at or to the east of x.
static uint32_t lower_bound(const struct label_level *level, int32_t x) {
    uint32_t begin = 0, end = level->count;
    while (begin < end) {
        uint32_t middle = begin + (end - begin) / 2;
        if (level->places[middle].world.x < x) {
            begin = middle + 1;
        } else {
            end = middle;
        }
    }
    return begin;
}

static gw_err make_room_for(struct shown *shown, uint32_t more) {
    size_t need = (size_t)shown->count + more;
    struct row *rows = realloc(shown->rows, need * sizeof(rows[0]));
    shown->rows = rows != NULL ? rows : shown->rows;
    struct gw_point *points = realloc(shown->points, need * sizeof(points[0]));
    shown->points = points != NULL ? points : shown->points;
    return rows != NULL && points != NULL ? GW_OK : GW_ENOMEM;
}

static int by_code(const void *left, const void *right) {
    const struct row *a = left, *b = right;
    return (a->at > b->at) - (a->at < b->at);
}

static const struct label *label_of(const struct picture *picture, struct row row) {
    return &picture->labels->levels[row.number].labels[row.at];
}

static gw_err gather(struct shown *shown, uint32_t number, struct gw_world_box box) {
    const struct label_level *level = &shown->picture->labels->levels[number];
    uint32_t begin = lower_bound(level, box.min.x), end = begin, first = shown->count;
    while (end < level->count && level->places[end].world.x <= box.max.x) {
        end++;
    }
    if (begin == end) {
        return GW_OK;
    }
    gw_err err = make_room_for(shown, end - begin);
    for (uint32_t i = begin; i < end && err == GW_OK; i++) {
        int32_t y = level->places[i].world.y;
        if (box.min.y <= y && y <= box.max.y) {
            shown->rows[shown->count++] = (struct row){number, level->places[i].at};
        }
    }
    if (shown->count > first) {
        qsort(&shown->rows[first], shown->count - first, sizeof(shown->rows[0]), by_code);
    }
    for (uint32_t i = first; i < shown->count; i++) {
        shown->points[i] = label_of(shown->picture, shown->rows[i])->point;
    }
    return err;
}

static const char *code_of(const struct picture *picture, struct row row) {
    uint32_t item = label_of(picture, row)->item;
    return row.number == 0 ? gw_edition_grid(picture->edition, item).code
                           : gw_edition_area(picture->edition, item).code;
}

static uint64_t label_id(void *context, uint32_t feature) {
    const struct shown *shown = context;
    return gw_mvt_id_of_code(code_of(shown->picture, shown->rows[feature]));
}

static void label_properties(void *context, uint32_t feature, struct gw_mvt_writer *writer) {
    const struct shown *shown = context;
    const struct gw_edition *edition = shown->picture->edition;
    struct row row = shown->rows[feature];
    uint32_t item = label_of(shown->picture, row)->item;
    gw_mvt_text(writer, "code", code_of(shown->picture, row));
    if (row.number == 0) {
        struct gw_grid grid = gw_edition_grid(edition, item);
        gw_mvt_text(writer, "name", grid.name);
        gw_mvt_text(writer, "kind", picture_kind_word(grid.kind));
    } else {
        gw_mvt_text(writer, "name", gw_edition_area(edition, item).name);
    }
    gw_mvt_integer(writer, "level", (int64_t)row.number);
}

gw_err labels_encode(const struct picture *picture, struct gw_tile_id id,
                     struct gw_tile_scratch *scratch, struct gw_bytes *out) {
    struct shown shown = {.picture = picture};
    struct gw_world_box box = box_of(id);
    gw_err err = GW_OK;
    for (uint32_t number = PICTURE_LAYERS; number-- > 0 && err == GW_OK;) {
        if (id.z >= zooms_min[number]) {
            err = gather(&shown, number, box);
        }
    }
    if (err == GW_OK && shown.count > 0) {
        struct gw_tile_words words = {label_id, label_properties, &shown};
        err = gw_tile_points_encode(shown.points, shown.count, gw_tile_layer_name(GW_TILE_LABELS),
                                    id, &words, scratch, out);
    }
    free(shown.rows);
    free(shown.points);
    return err;
}

// ---- two editions ----

// Whether two labels of the same code are the same label.
static bool same(const struct picture *before, const struct picture *after, struct row old,
                 struct row now) {
    const struct label *a = label_of(before, old), *b = label_of(after, now);
    if (a->point.lon != b->point.lon || a->point.lat != b->point.lat) {
        return false;
    }
    if (old.number > 0) {
        return strcmp(gw_edition_area(before->edition, a->item).name,
                      gw_edition_area(after->edition, b->item).name) == 0;
    }
    struct gw_grid was = gw_edition_grid(before->edition, a->item);
    struct gw_grid is = gw_edition_grid(after->edition, b->item);
    return was.kind == is.kind && strcmp(was.name, is.name) == 0;
}

static void compare_level(const struct picture *before, const struct picture *after,
                          uint32_t number,
                          void (*visit)(void *context, struct gw_world_point place),
                          void *context) {
    struct row old = {number, 0}, now = {number, 0};
    uint32_t old_count = before->labels->levels[number].count;
    uint32_t now_count = after->labels->levels[number].count;
    while (old.at < old_count || now.at < now_count) {
        int order = old.at == old_count ? 1 : -1;
        if (old.at < old_count && now.at < now_count) {
            order = strcmp(code_of(before, old), code_of(after, now));
        }
        bool differs = order != 0 || !same(before, after, old, now);
        if (differs && order <= 0) {
            visit(context, gw_mercator_project(label_of(before, old)->point));
        }
        if (differs && order >= 0) {
            visit(context, gw_mercator_project(label_of(after, now)->point));
        }
        old.at += order <= 0;
        now.at += order >= 0;
    }
}

void labels_compare(const struct picture *before, const struct picture *after,
                    void (*visit)(void *context, struct gw_world_point place), void *context) {
    for (uint32_t number = 0; number < PICTURE_LAYERS; number++) {
        compare_level(before, after, number, visit, context);
    }
}
