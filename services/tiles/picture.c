#include "services/tiles/picture.h"

#include "services/tiles/labels.h"

#include <stdlib.h>
#include <string.h>

uint32_t picture_area_of(const struct gw_edition *edition, uint32_t grid, uint32_t level) {
    uint32_t chain[GW_AREA_LEVELS];
    uint32_t count = gw_edition_chain(edition, grid, chain);
    for (uint32_t i = 0; i < count; i++) {
        if (gw_edition_area(edition, chain[i]).level == level) {
            return chain[i];
        }
    }
    return GW_AREA_NONE;
}

const char *picture_parent_code(const struct gw_edition *edition, uint32_t parent) {
    return parent != GW_AREA_NONE ? gw_edition_area(edition, parent).code : "";
}

const char *picture_kind_word(uint32_t kind) {
    static const char *const words[] = {"UNSPECIFIED", "URBAN", "RURAL", "SPECIAL"};
    return words[kind < sizeof(words) / sizeof(words[0]) ? kind : 0];
}

struct gw_world_box picture_world_box(struct gw_box box) {
    struct gw_world_point north_west =
        gw_mercator_project((struct gw_point){box.min.lon, box.max.lat});
    struct gw_world_point south_east =
        gw_mercator_project((struct gw_point){box.max.lon, box.min.lat});
    return (struct gw_world_box){north_west, south_east};
}

bool picture_boxes_meet(struct gw_world_box a, struct gw_world_box b) {
    return a.min.x <= b.max.x && b.min.x <= a.max.x && a.min.y <= b.max.y && b.min.y <= a.max.y;
}

static int32_t smaller(int32_t a, int32_t b) {
    return a < b ? a : b;
}

static int32_t larger(int32_t a, int32_t b) {
    return a > b ? a : b;
}

static void measure(struct picture *picture) {
    const struct gw_box *boxes = gw_edition_boxes(picture->edition);
    struct gw_box all = boxes[0];
    for (uint32_t i = 1; i < gw_edition_grid_count(picture->edition); i++) {
        all.min.lon = smaller(all.min.lon, boxes[i].min.lon);
        all.min.lat = smaller(all.min.lat, boxes[i].min.lat);
        all.max.lon = larger(all.max.lon, boxes[i].max.lon);
        all.max.lat = larger(all.max.lat, boxes[i].max.lat);
    }
    picture->box = all;
    picture->world = picture_world_box(all);
}

static int by_code(const void *left, const void *right, void *edition) {
    const uint32_t *a = left, *b = right;
    return strcmp(gw_edition_area(edition, *a).code, gw_edition_area(edition, *b).code);
}

// The areas of a level that have a grid, by code; `marks` [areas] is working memory, all zero.
static gw_err list_areas(const struct gw_edition *edition, uint32_t level, uint32_t marks[],
                         struct picture_level *out) {
    uint32_t grids = gw_edition_grid_count(edition);
    uint32_t count = 0;
    for (uint32_t i = 0; i < grids; i++) {
        uint32_t area = picture_area_of(edition, i, level);
        if (area != GW_AREA_NONE && marks[area] == 0) {
            marks[area] = 1;
            count++;
        }
    }
    out->areas = malloc(((size_t)count + 1u) * sizeof(out->areas[0]));
    if (out->areas == NULL) {
        return GW_ENOMEM;
    }
    for (uint32_t i = 0; i < gw_edition_area_count(edition); i++) {
        if (marks[i] != 0) {
            out->areas[out->count++] = i;
        }
    }
    qsort_r(out->areas, out->count, sizeof(out->areas[0]), by_code, (void *)(uintptr_t)edition);
    return GW_OK;
}

static gw_err make_areas(struct picture *picture, uint32_t level) {
    const struct gw_edition *edition = picture->edition;
    struct picture_level *out = &picture->levels[level];
    uint32_t grids = gw_edition_grid_count(edition);
    uint32_t *feature_of_area =
        calloc((size_t)gw_edition_area_count(edition) + 1u, sizeof(*feature_of_area));
    uint32_t *feature_of_grid = malloc(((size_t)grids + 1u) * sizeof(*feature_of_grid));
    gw_err err = feature_of_area != NULL && feature_of_grid != NULL ? GW_OK : GW_ENOMEM;
    out->feature_of_grid = feature_of_grid;
    if (err == GW_OK) {
        err = list_areas(edition, level, feature_of_area, out);
    }
    if (err == GW_OK && out->count > 0) {
        for (uint32_t i = 0; i < out->count; i++) {
            feature_of_area[out->areas[i]] = i;
        }
        for (uint32_t i = 0; i < grids; i++) {
            uint32_t area = picture_area_of(edition, i, level);
            feature_of_grid[i] = area != GW_AREA_NONE ? feature_of_area[area] : GW_TILE_NO_FEATURE;
        }
        err = gw_tile_shapes_create(picture->mesh, feature_of_grid, out->count, &out->shapes);
    }
    free(feature_of_area);
    return err;
}

static gw_err make_borders(struct picture *picture) {
    gw_err err = gw_tile_mesh_create(gw_edition_coverage(picture->edition), &picture->mesh);
    if (err == GW_OK) {
        struct picture_level *grids = &picture->levels[GW_TILE_GRIDS];
        grids->count = gw_edition_grid_count(picture->edition);
        err = gw_tile_shapes_create(picture->mesh, NULL, grids->count, &grids->shapes);
    }
    for (uint32_t level = 1; level < PICTURE_LAYERS && err == GW_OK; level++) {
        err = make_areas(picture, level);
    }
    return err == GW_OK ? labels_create(picture, &picture->labels) : err;
}

static gw_err make_empty_tile(struct picture *picture) {
    struct tile_packer packer;
    gw_err err = tile_packer_init(&packer);
    if (err == GW_OK) {
        picture->empty = tile_make(&packer, NULL, 0, picture->number, false);
        err = picture->empty != NULL ? GW_OK : GW_ENOMEM;
        tile_packer_deinit(&packer);
    }
    return err;
}

gw_err picture_create(struct gw_current *current, struct picture **picture) {
    struct picture *made = calloc(1, sizeof(*made));
    if (made == NULL) {
        return GW_ENOMEM;
    }
    atomic_init(&made->references, 1);
    made->current = current;
    made->edition = gw_current_take(current);
    made->number = gw_edition_number(made->edition);
    measure(made);
    gw_err err = make_empty_tile(made);
    if (err == GW_OK) {
        err = make_borders(made);
    }
    if (err != GW_OK) {
        picture_release(made);
        return err;
    }
    *picture = made;
    return GW_OK;
}

struct picture *picture_retain(struct picture *picture) {
    if (picture != NULL) {
        atomic_fetch_add(&picture->references, 1);
    }
    return picture;
}

void picture_release(struct picture *picture) {
    if (picture == NULL || atomic_fetch_sub(&picture->references, 1) != 1) {
        return;
    }
    for (uint32_t i = 0; i < PICTURE_LAYERS; i++) {
        gw_tile_shapes_destroy(picture->levels[i].shapes);
        free(picture->levels[i].areas);
        free(picture->levels[i].feature_of_grid);
    }
    labels_destroy(picture->labels);
    gw_tile_mesh_destroy(picture->mesh);
    gw_tile_release(picture->empty);
    gw_current_release(picture->current, picture->edition);
    free(picture);
}

// ---- words of the features ----

struct speaker {
    const struct gw_edition *edition;
    const uint32_t *areas;
};

static uint64_t grid_id(void *context, uint32_t feature) {
    const struct speaker *speaker = context;
    return gw_mvt_id_of_code(gw_edition_grid(speaker->edition, feature).code);
}

static void grid_properties(void *context, uint32_t feature, struct gw_mvt_writer *writer) {
    const struct speaker *speaker = context;
    struct gw_grid grid = gw_edition_grid(speaker->edition, feature);
    gw_mvt_text(writer, "code", grid.code);
    gw_mvt_text(writer, "name", grid.name);
    gw_mvt_text(writer, "kind", picture_kind_word(grid.kind));
    gw_mvt_text(writer, "parent", picture_parent_code(speaker->edition, grid.parent));
}

static uint64_t area_id(void *context, uint32_t feature) {
    const struct speaker *speaker = context;
    return gw_mvt_id_of_code(gw_edition_area(speaker->edition, speaker->areas[feature]).code);
}

static void area_properties(void *context, uint32_t feature, struct gw_mvt_writer *writer) {
    const struct speaker *speaker = context;
    struct gw_area area = gw_edition_area(speaker->edition, speaker->areas[feature]);
    gw_mvt_text(writer, "code", area.code);
    gw_mvt_text(writer, "name", area.name);
    gw_mvt_integer(writer, "level", (int64_t)area.level);
    gw_mvt_text(writer, "parent", picture_parent_code(speaker->edition, area.parent));
}

gw_err picture_encode(const struct picture *picture, enum gw_tile_layer layer, struct gw_tile_id id,
                      struct gw_tile_scratch *scratch, struct gw_bytes *out) {
    if (layer == GW_TILE_LABELS) {
        return labels_encode(picture, id, scratch, out);
    }
    const struct picture_level *level = &picture->levels[layer];
    if (level->shapes == NULL) {
        return GW_OK;
    }
    struct speaker speaker = {picture->edition, level->areas};
    struct gw_tile_words words = {grid_id, grid_properties, &speaker};
    if (layer != GW_TILE_GRIDS) {
        words = (struct gw_tile_words){area_id, area_properties, &speaker};
    }
    return gw_tile_shapes_encode(level->shapes, gw_tile_layer_name(layer), id, &words, scratch,
                                 out);
}
