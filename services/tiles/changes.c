#include "services/tiles/changes.h"

#include "services/tiles/labels.h"

#include <stdlib.h>
#include <string.h>

enum {
    CORNERS = CHANGES_CELLS + 1u,
    ROUNDING = 2 // tile units by which a vertex may be moved when it is rounded, and more
};

struct finder {
    const struct picture *before, *after;
    struct changes *changes;
    bool failed;
};

static void add(struct finder *finder, uint32_t layer, struct gw_world_box box) {
    struct change_boxes *boxes = &finder->changes->boxes[layer];
    if (box.min.x > box.max.x || box.min.y > box.max.y) {
        return; // a feature without grids
    }
    if (boxes->count == boxes->capacity) {
        size_t capacity = boxes->capacity == 0 ? 64 : 2 * boxes->capacity;
        struct gw_world_box *items = realloc(boxes->items, capacity * sizeof(items[0]));
        if (items == NULL) {
            finder->failed = true;
            return;
        }
        boxes->items = items;
        boxes->capacity = capacity;
    }
    boxes->items[boxes->count++] = box;
}

static void add_to_all(struct finder *finder, struct gw_world_box box) {
    for (uint32_t level = 0; level < PICTURE_LAYERS; level++) {
        add(finder, level, box);
    }
}

static void add_label(void *context, struct gw_world_point place) {
    add(context, GW_TILE_LABELS, (struct gw_world_box){place, place});
}

// Also of grids that did not change: where a neighbour has a new corner on their border, it is
// simplified in other pieces.
static void add_arc(void *context, struct gw_world_box box) {
    add_to_all(context, box);
}

static struct gw_world_box box_of_grid(const struct picture *picture, uint32_t grid) {
    return picture_world_box(gw_edition_boxes(picture->edition)[grid]);
}

static const char *area_code(const struct gw_edition *edition, uint32_t grid, uint32_t level) {
    return picture_parent_code(edition, picture_area_of(edition, grid, level));
}

static uint32_t first_vertex(const struct gw_coverage *coverage, uint32_t grid) {
    return coverage->ring_vertices[coverage->grid_rings[grid]];
}

static bool same_shape(const struct gw_coverage *a, uint32_t old, const struct gw_coverage *b,
                       uint32_t now) {
    uint32_t rings = a->grid_rings[old + 1u] - a->grid_rings[old];
    if (rings != b->grid_rings[now + 1u] - b->grid_rings[now]) {
        return false;
    }
    for (uint32_t i = 0; i < rings; i++) {
        uint32_t x = a->grid_rings[old] + i, y = b->grid_rings[now] + i;
        if (a->ring_kinds[x] != b->ring_kinds[y] ||
            a->ring_vertices[x + 1u] - a->ring_vertices[x] !=
                b->ring_vertices[y + 1u] - b->ring_vertices[y]) {
            return false;
        }
    }
    uint32_t begin = first_vertex(a, old);
    return memcmp(&a->vertices[begin], &b->vertices[first_vertex(b, now)],
                  (first_vertex(a, old + 1u) - begin) * sizeof(a->vertices[0])) == 0;
}

// A grid of both editions: what it says, its place in the order, and whose it is. Where its shape
// is another, its whole box is changed: inside it, far from any border, another grid may lie now.
static void compare_grid(struct finder *finder, uint32_t old, uint32_t now) {
    const struct gw_edition *before = finder->before->edition, *after = finder->after->edition;
    struct gw_grid a = gw_edition_grid(before, old), b = gw_edition_grid(after, now);
    struct gw_world_box old_box = box_of_grid(finder->before, old);
    struct gw_world_box new_box = box_of_grid(finder->after, now);
    if (!same_shape(gw_edition_coverage(before), old, gw_edition_coverage(after), now)) {
        add_to_all(finder, old_box);
        add_to_all(finder, new_box);
        return;
    }
    if (strcmp(a.name, b.name) != 0 || a.kind != b.kind || a.priority != b.priority ||
        strcmp(picture_parent_code(before, a.parent), picture_parent_code(after, b.parent)) != 0) {
        add(finder, GW_TILE_GRIDS, old_box);
        add(finder, GW_TILE_GRIDS, new_box);
    }
    for (uint32_t level = 1; level < PICTURE_LAYERS; level++) {
        if (strcmp(area_code(before, old, level), area_code(after, now, level)) != 0) {
            add(finder, level, old_box);
            add(finder, level, new_box);
        }
    }
}

static void compare_grids(struct finder *finder) {
    const struct gw_edition *before = finder->before->edition, *after = finder->after->edition;
    for (uint32_t i = 0; i < gw_edition_grid_count(before); i++) {
        uint32_t now = gw_edition_find_grid(after, gw_edition_grid(before, i).code);
        if (now == GW_GRID_NONE) {
            add_to_all(finder, box_of_grid(finder->before, i));
        } else {
            compare_grid(finder, i, now);
        }
    }
    for (uint32_t i = 0; i < gw_edition_grid_count(after); i++) {
        if (gw_edition_find_grid(before, gw_edition_grid(after, i).code) == GW_GRID_NONE) {
            add_to_all(finder, box_of_grid(finder->after, i));
        }
    }
}

static bool same_words(const struct gw_edition *before, struct gw_area a,
                       const struct gw_edition *after, struct gw_area b) {
    return strcmp(a.name, b.name) == 0 &&
           strcmp(picture_parent_code(before, a.parent), picture_parent_code(after, b.parent)) == 0;
}

// Areas of both editions that say something else. One of only one edition has grids that moved in
// or out, and is seen by them. Both lists are in the order of codes.
static void compare_areas(struct finder *finder, uint32_t level) {
    const struct picture_level *old = &finder->before->levels[level];
    const struct picture_level *now = &finder->after->levels[level];
    for (uint32_t i = 0, j = 0; i < old->count && j < now->count;) {
        struct gw_area a = gw_edition_area(finder->before->edition, old->areas[i]);
        struct gw_area b = gw_edition_area(finder->after->edition, now->areas[j]);
        int order = strcmp(a.code, b.code);
        if (order == 0 && !same_words(finder->before->edition, a, finder->after->edition, b)) {
            add(finder, level, gw_tile_shapes_box(old->shapes, i));
            add(finder, level, gw_tile_shapes_box(now->shapes, j));
        }
        i += order <= 0;
        j += order >= 0;
    }
}

// ---- the raster ----

static struct gw_world_box round_all(const struct change_boxes *boxes) {
    struct gw_world_box all = {{1, 1}, {0, 0}};
    for (size_t i = 0; i < boxes->count; i++) {
        struct gw_world_box box = boxes->items[i];
        if (i == 0) {
            all = box;
        }
        all.min.x = box.min.x < all.min.x ? box.min.x : all.min.x;
        all.min.y = box.min.y < all.min.y ? box.min.y : all.min.y;
        all.max.x = box.max.x > all.max.x ? box.max.x : all.max.x;
        all.max.y = box.max.y > all.max.y ? box.max.y : all.max.y;
    }
    return all;
}

// The cell of a coordinate within min .. max.
static uint32_t cell_of(int32_t at, int32_t min, int32_t max) {
    int64_t span = (int64_t)max - min + 1;
    return (uint32_t)(((int64_t)at - min) * CHANGES_CELLS / span);
}

struct cell_range {
    uint32_t west, north, east, south; // inclusive
};

static struct cell_range cells_of(struct gw_world_box box, struct gw_world_box area) {
    return (struct cell_range){
        cell_of(box.min.x, area.min.x, area.max.x), cell_of(box.min.y, area.min.y, area.max.y),
        cell_of(box.max.x, area.min.x, area.max.x), cell_of(box.max.y, area.min.y, area.max.y)};
}

// Each box adds 1 to its cells by its four corners alone; a sum over the corners gives the cells.
static void mark(uint32_t *counts, struct cell_range cells) {
    counts[cells.north * CORNERS + cells.west]++;
    counts[cells.north * CORNERS + cells.east + 1u]--;
    counts[(cells.south + 1u) * CORNERS + cells.west]--;
    counts[(cells.south + 1u) * CORNERS + cells.east + 1u]++;
}

static void sum_up(uint32_t *cells) {
    for (uint32_t y = 0; y < CORNERS; y++) {
        for (uint32_t x = 1; x < CORNERS; x++) {
            cells[y * CORNERS + x] += cells[y * CORNERS + x - 1u];
        }
    }
    for (uint32_t y = 1; y < CORNERS; y++) {
        for (uint32_t x = 0; x < CORNERS; x++) {
            cells[y * CORNERS + x] += cells[(y - 1u) * CORNERS + x];
        }
    }
}

// From "in how many boxes" to "how many changed cells lie to the north-west of a corner".
static void to_corners(uint32_t *cells) {
    for (uint32_t y = CORNERS; y-- > 0;) {
        for (uint32_t x = CORNERS; x-- > 0;) {
            bool inner = x > 0 && y > 0;
            cells[y * CORNERS + x] = inner && cells[(y - 1u) * CORNERS + x - 1u] > 0 ? 1u : 0u;
        }
    }
    sum_up(cells);
}

static gw_err draw(struct changes *changes, uint32_t layer) {
    struct change_boxes *boxes = &changes->boxes[layer];
    changes->area[layer] = round_all(boxes);
    if (boxes->count > 0) {
        uint32_t *cells = calloc((size_t)CORNERS * CORNERS, sizeof(cells[0]));
        if (cells == NULL) {
            return GW_ENOMEM;
        }
        for (size_t i = 0; i < boxes->count; i++) {
            mark(cells, cells_of(boxes->items[i], changes->area[layer]));
        }
        sum_up(cells);
        to_corners(cells);
        changes->sums[layer] = cells;
    }
    free(boxes->items);
    *boxes = (struct change_boxes){NULL, 0, 0};
    return GW_OK;
}

gw_err changes_find(const struct picture *before, const struct picture *after,
                    struct changes *changes) {
    struct finder finder = {before, after, changes, false};
    memset(changes, 0, sizeof(*changes));
    gw_err err = gw_tile_mesh_changes(before->mesh, after->mesh, add_arc, &finder);
    compare_grids(&finder);
    for (uint32_t level = 1; level < PICTURE_LAYERS; level++) {
        compare_areas(&finder, level);
    }
    labels_compare(before, after, add_label, &finder);
    if (err == GW_OK && finder.failed) {
        err = GW_ENOMEM;
    }
    for (uint32_t layer = 0; layer < CHANGES_LAYERS && err == GW_OK; layer++) {
        err = draw(changes, layer);
    }
    if (err != GW_OK) {
        changes_deinit(changes);
    }
    return err;
}

void changes_deinit(struct changes *changes) {
    for (uint32_t layer = 0; layer < CHANGES_LAYERS; layer++) {
        free(changes->boxes[layer].items);
        free(changes->sums[layer]);
    }
    memset(changes, 0, sizeof(*changes));
}

bool changes_touch(const struct changes *changes, enum gw_tile_layer layer, struct gw_tile_id id) {
    const uint32_t *sums = changes->sums[layer];
    struct gw_world_box area = changes->area[layer];
    struct gw_world_box box = gw_tile_box(id, GW_TILE_BUFFER + ROUNDING);
    if (sums == NULL || !picture_boxes_meet(box, area)) {
        return false;
    }
    box.min.x = box.min.x < area.min.x ? area.min.x : box.min.x;
    box.min.y = box.min.y < area.min.y ? area.min.y : box.min.y;
    box.max.x = box.max.x > area.max.x ? area.max.x : box.max.x;
    box.max.y = box.max.y > area.max.y ? area.max.y : box.max.y;
    struct cell_range cells = cells_of(box, area);
    uint32_t count = sums[(cells.south + 1u) * CORNERS + cells.east + 1u] -
                     sums[cells.north * CORNERS + cells.east + 1u] -
                     sums[(cells.south + 1u) * CORNERS + cells.west] +
                     sums[cells.north * CORNERS + cells.west];
    return count > 0;
}
