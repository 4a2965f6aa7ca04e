#include "geo/tiles/shape_rings.h"

#include "geo/hilbert.h"

#include <stdlib.h>

struct placed {
    uint64_t key;
    uint32_t feature;
};

static int compare_placed(const void *left, const void *right) {
    const struct placed *a = left, *b = right;
    if (a->key != b->key) {
        return a->key < b->key ? -1 : 1;
    }
    return a->feature == b->feature ? 0 : a->feature < b->feature ? -1 : 1;
}

static bool empty(struct gw_world_box box) {
    return box.min.x > box.max.x || box.min.y > box.max.y;
}

static void widen(struct gw_world_box *box, struct gw_world_box by) {
    box->min.x = by.min.x < box->min.x ? by.min.x : box->min.x;
    box->min.y = by.min.y < box->min.y ? by.min.y : box->min.y;
    box->max.x = by.max.x > box->max.x ? by.max.x : box->max.x;
    box->max.y = by.max.y > box->max.y ? by.max.y : box->max.y;
}

gw_err shape_tree_make(const struct gw_world_box boxes[], uint32_t count, struct shape_tree *tree) {
    struct placed *placed = malloc(((size_t)count + 1) * sizeof *placed);
    tree->features = malloc(((size_t)count + 1) * sizeof *tree->features);
    // All levels above the first have fewer boxes than it together.
    tree->boxes = malloc(((size_t)count * 2 + TREE_LEVELS_MAX) * sizeof *tree->boxes);
    if (placed == NULL || tree->features == NULL || tree->boxes == NULL) {
        free(placed);
        return GW_ENOMEM;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (!empty(boxes[i])) {
            struct gw_point centre = {boxes[i].min.x + (boxes[i].max.x - boxes[i].min.x) / 2,
                                      boxes[i].min.y + (boxes[i].max.y - boxes[i].min.y) / 2};
            placed[tree->count++] = (struct placed){gw_hilbert_key(centre), i};
        }
    }
    qsort(placed, tree->count, sizeof *placed, compare_placed);
    for (uint32_t i = 0; i < tree->count; i++) {
        tree->features[i] = placed[i].feature;
        tree->boxes[i] = boxes[placed[i].feature];
    }
    free(placed);
    uint32_t level = 0, below = 0, end = tree->count;
    tree->level_starts[0] = 0;
    while (end - below > 1) {
        tree->level_starts[++level] = end;
        uint32_t made = 0;
        for (uint32_t i = below; i < end; i++) {
            if ((i - below) % TREE_FANOUT == 0) {
                tree->boxes[end + made++] = tree->boxes[i];
            } else {
                widen(&tree->boxes[end + made - 1], tree->boxes[i]);
            }
        }
        below = end;
        end += made;
    }
    tree->level_count = level + 1;
    tree->level_starts[level + 1] = end;
    return GW_OK;
}

void shape_tree_deinit(struct shape_tree *tree) {
    free(tree->features);
    free(tree->boxes);
}

static bool touch(struct gw_world_box a, struct gw_world_box b) {
    return a.min.x <= b.max.x && b.min.x <= a.max.x && a.min.y <= b.max.y && b.min.y <= a.max.y;
}

void shape_tree_query(const struct shape_tree *tree, struct gw_world_box box, uint64_t bits[]) {
    if (tree->count == 0) {
        return;
    }
    // A walk from the top: at each level the next child, and where the siblings end.
    uint32_t next[TREE_LEVELS_MAX], stop[TREE_LEVELS_MAX];
    uint32_t level = tree->level_count - 1, top = level;
    next[level] = tree->level_starts[level];
    stop[level] = tree->level_starts[level + 1];
    while (level <= top) {
        if (next[level] == stop[level]) {
            level++;
            continue;
        }
        uint32_t at = next[level]++;
        if (!touch(tree->boxes[at], box)) {
            continue;
        }
        if (level == 0) {
            uint32_t feature = tree->features[at];
            bits[feature / 64] |= UINT64_C(1) << feature % 64;
            continue;
        }
        uint32_t child =
            tree->level_starts[level - 1] + (at - tree->level_starts[level]) * TREE_FANOUT;
        uint32_t end = tree->level_starts[level];
        level--;
        next[level] = child;
        stop[level] = end - child < TREE_FANOUT ? end : child + TREE_FANOUT;
    }
}
