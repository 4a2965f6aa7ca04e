#include "geo/tiles/shapes.h"

#include "geo/tiles/shape_rings.h"

#include <stdlib.h>
#include <string.h>

// A piece of border before it is known which ring it belongs to.
struct border {
    uint32_t feature, piece;
};

struct borders {
    struct border *list;
    uint32_t count;
};

static uint32_t feature_of(const uint32_t feature_of_grid[], uint32_t grid) {
    return feature_of_grid == NULL ? grid : feature_of_grid[grid];
}

static int compare_borders(const void *left, const void *right) {
    const struct border *a = left, *b = right;
    if (a->feature != b->feature) {
        return a->feature < b->feature ? -1 : 1;
    }
    return a->piece == b->piece ? 0 : a->piece < b->piece ? -1 : 1;
}

// What features border on an arc: a feature on both sides does not, or only as often as there is
// more of it on one side than on the other.
static void list_arc(const struct gw_tile_mesh *mesh, const uint32_t feature_of_grid[],
                     uint32_t arc, struct borders *borders) {
    uint32_t begin = borders->count;
    for (uint32_t i = mesh->arc_uses[arc]; i < mesh->arc_uses[arc + 1]; i++) {
        uint32_t feature = feature_of(feature_of_grid, mesh->uses[i] >> 1);
        if (feature != GW_TILE_NO_FEATURE) {
            // A use runs with the interior on its left, a piece with the interior on its right.
            borders->list[borders->count++] =
                (struct border){feature, arc << 1 | (~mesh->uses[i] & 1u)};
        }
    }
    uint32_t end = borders->count, kept = begin;
    qsort(borders->list + begin, end - begin, sizeof *borders->list, compare_borders);
    for (uint32_t i = begin; i < end;) {
        uint32_t feature = borders->list[i].feature, sides[2] = {0, 0};
        for (; i < end && borders->list[i].feature == feature; i++) {
            sides[borders->list[i].piece & 1u]++;
        }
        uint32_t more = sides[1] > sides[0] ? 1 : 0;
        for (uint32_t left = sides[more] - sides[1 - more]; left > 0; left--) {
            borders->list[kept++] = (struct border){feature, arc << 1 | more};
        }
    }
    borders->count = kept;
}

static const struct gw_world_box nothing = {{INT32_MAX, INT32_MAX}, {INT32_MIN, INT32_MIN}};

static void widen(struct gw_world_box *box, struct gw_world_box by) {
    box->min.x = by.min.x < box->min.x ? by.min.x : box->min.x;
    box->min.y = by.min.y < box->min.y ? by.min.y : box->min.y;
    box->max.x = by.max.x > box->max.x ? by.max.x : box->max.x;
    box->max.y = by.max.y > box->max.y ? by.max.y : box->max.y;
}

// Boxes of rings, of groups of pieces and of features.
static gw_err box_all(struct gw_tile_shapes *shapes) {
    const struct gw_tile_mesh *mesh = shapes->mesh;
    shapes->ring_groups[0] = 0;
    for (uint32_t ring = 0; ring < shapes->ring_count; ring++) {
        uint32_t pieces = shapes->ring_pieces[ring + 1] - shapes->ring_pieces[ring];
        shapes->ring_groups[ring + 1] =
            shapes->ring_groups[ring] + (pieces + RING_GROUP - 1) / RING_GROUP;
    }
    size_t groups = shapes->ring_groups[shapes->ring_count];
    shapes->ring_boxes = malloc(((size_t)shapes->ring_count + 1) * sizeof *shapes->ring_boxes);
    shapes->group_boxes = malloc((groups + 1) * sizeof *shapes->group_boxes);
    shapes->feature_boxes =
        malloc(((size_t)shapes->feature_count + 1) * sizeof *shapes->feature_boxes);
    if (shapes->ring_boxes == NULL || shapes->group_boxes == NULL ||
        shapes->feature_boxes == NULL) {
        return GW_ENOMEM;
    }
    for (uint32_t feature = 0; feature < shapes->feature_count; feature++) {
        shapes->feature_boxes[feature] = nothing;
        for (uint32_t ring = shapes->feature_rings[feature];
             ring < shapes->feature_rings[feature + 1]; ring++) {
            uint32_t begin = shapes->ring_pieces[ring], end = shapes->ring_pieces[ring + 1];
            shapes->ring_boxes[ring] = nothing;
            for (uint32_t i = begin; i < end; i++) {
                struct gw_world_box *group =
                    &shapes->group_boxes[shapes->ring_groups[ring] + (i - begin) / RING_GROUP];
                if ((i - begin) % RING_GROUP == 0) {
                    *group = nothing;
                }
                widen(group, mesh->arc_boxes[shapes->pieces[i] >> 1]);
                widen(&shapes->ring_boxes[ring], mesh->arc_boxes[shapes->pieces[i] >> 1]);
            }
            widen(&shapes->feature_boxes[feature], shapes->ring_boxes[ring]);
        }
    }
    return GW_OK;
}

// Sorts the borders by feature into shapes->pieces; offsets[feature] is where each one's begin.
static void sort_pieces(struct gw_tile_shapes *shapes, const struct borders *borders,
                        uint32_t offsets[]) {
    memset(offsets, 0, ((size_t)shapes->feature_count + 1) * sizeof *offsets);
    for (uint32_t i = 0; i < borders->count; i++) {
        offsets[borders->list[i].feature + 1]++;
    }
    for (uint32_t i = 0; i < shapes->feature_count; i++) {
        offsets[i + 1] += offsets[i];
    }
    for (uint32_t i = 0; i < borders->count; i++) {
        shapes->pieces[offsets[borders->list[i].feature]++] = borders->list[i].piece;
    }
    for (uint32_t i = shapes->feature_count; i > 0; i--) {
        offsets[i] = offsets[i - 1];
    }
    offsets[0] = 0;
}

static gw_err link_all(struct gw_tile_shapes *shapes, const struct borders *borders) {
    size_t count = borders->count;
    shapes->pieces = malloc((count + 1) * sizeof *shapes->pieces);
    shapes->ring_pieces = malloc((count + 1) * sizeof *shapes->ring_pieces);
    shapes->ring_groups = malloc((count + 1) * sizeof *shapes->ring_groups);
    shapes->feature_rings =
        malloc(((size_t)shapes->feature_count + 1) * sizeof *shapes->feature_rings);
    uint32_t *offsets = malloc(((size_t)shapes->feature_count + 1) * sizeof *offsets);
    struct ring_linker *linker = NULL;
    gw_err err = GW_ENOMEM;
    if (shapes->pieces == NULL || shapes->ring_pieces == NULL || shapes->ring_groups == NULL ||
        shapes->feature_rings == NULL || offsets == NULL) {
        goto done;
    }
    sort_pieces(shapes, borders, offsets);
    uint32_t most = 0;
    for (uint32_t i = 0; i < shapes->feature_count; i++) {
        uint32_t pieces = offsets[i + 1] - offsets[i];
        most = pieces > most ? pieces : most;
    }
    err = ring_linker_create(shapes->mesh, most, &linker);
    if (err != GW_OK) {
        goto done;
    }
    for (uint32_t i = 0; i < shapes->feature_count; i++) {
        shapes->feature_rings[i] = shapes->ring_count;
        uint32_t *starts = shapes->ring_pieces + shapes->ring_count;
        uint32_t rings = ring_linker_link(linker, shapes->pieces + offsets[i],
                                          offsets[i + 1] - offsets[i], starts);
        for (uint32_t ring = 0; ring < rings; ring++) {
            starts[ring] += offsets[i];
        }
        shapes->ring_count += rings;
    }
    shapes->feature_rings[shapes->feature_count] = shapes->ring_count;
    shapes->ring_pieces[shapes->ring_count] = (uint32_t)count;
done:
    ring_linker_destroy(linker);
    free(offsets);
    return err;
}

static gw_err build(struct gw_tile_shapes *shapes, const uint32_t feature_of_grid[]) {
    const struct gw_tile_mesh *mesh = shapes->mesh;
    size_t uses = mesh->arc_count == 0 ? 0 : mesh->arc_uses[mesh->arc_count];
    struct borders borders = {.list = malloc((uses + 1) * sizeof *borders.list)};
    if (borders.list == NULL) {
        return GW_ENOMEM;
    }
    for (uint32_t arc = 0; arc < mesh->arc_count; arc++) {
        list_arc(mesh, feature_of_grid, arc, &borders);
    }
    gw_err err = link_all(shapes, &borders);
    free(borders.list);
    if (err == GW_OK) {
        err = box_all(shapes);
    }
    if (err == GW_OK) {
        err = shape_tree_make(shapes->feature_boxes, shapes->feature_count, &shapes->tree);
    }
    return err;
}

gw_err gw_tile_shapes_create(const struct gw_tile_mesh *mesh, const uint32_t feature_of_grid[],
                             uint32_t feature_count, struct gw_tile_shapes **shapes) {
    for (uint32_t grid = 0; grid < mesh->grid_count; grid++) {
        uint32_t feature = feature_of(feature_of_grid, grid);
        if (feature != GW_TILE_NO_FEATURE && feature >= feature_count) {
            return GW_EINVAL;
        }
    }
    struct gw_tile_shapes *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return GW_ENOMEM;
    }
    made->mesh = mesh;
    made->feature_count = feature_count;
    gw_err err = build(made, feature_of_grid);
    if (err != GW_OK) {
        gw_tile_shapes_destroy(made);
        return err;
    }
    *shapes = made;
    return GW_OK;
}

void gw_tile_shapes_destroy(struct gw_tile_shapes *shapes) {
    if (shapes != NULL) {
        free(shapes->feature_rings);
        free(shapes->ring_pieces);
        free(shapes->ring_groups);
        free(shapes->pieces);
        free(shapes->feature_boxes);
        free(shapes->ring_boxes);
        free(shapes->group_boxes);
        shape_tree_deinit(&shapes->tree);
        free(shapes);
    }
}

size_t gw_tile_shapes_bytes(const struct gw_tile_shapes *shapes) {
    size_t boxes = shapes->feature_count + shapes->ring_count +
                   shapes->ring_groups[shapes->ring_count] +
                   shapes->tree.level_starts[shapes->tree.level_count];
    size_t numbers = 2 * (size_t)shapes->feature_count + 2 * (size_t)shapes->ring_count +
                     shapes->ring_pieces[shapes->ring_count];
    return sizeof *shapes + boxes * sizeof(struct gw_world_box) + numbers * sizeof(uint32_t);
}

struct gw_world_box gw_tile_shapes_box(const struct gw_tile_shapes *shapes, uint32_t feature) {
    return shapes->feature_boxes[feature];
}
