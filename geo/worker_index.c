#include "geo/worker_index.h"

#include "geo/worker_index_tree.h"
#include <stdlib.h>
#include <string.h>

struct gw_worker_index *gw_worker_index_create(void) {
    struct gw_worker_index *index = calloc(1, sizeof(*index));
    if (index == NULL) {
        return NULL;
    }
    index->node_free = GW_TREE_NONE;
    index->leaf_free = GW_TREE_NONE;
    if (gw_tree_reserve(index, 0) != GW_OK) {
        gw_worker_index_destroy(index);
        return NULL;
    }
    memset(&index->nodes[GW_TREE_ROOT], 0, sizeof(index->nodes[GW_TREE_ROOT]));
    index->places[GW_TREE_ROOT] = (struct gw_tree_place){0, 0, GW_TREE_NONE, 0, 0};
    index->node_count = 1;
    return index;
}

void gw_worker_index_destroy(struct gw_worker_index *index) {
    if (index != NULL) {
        free(index->nodes);
        free(index->places);
        free(index->leaves);
        free(index->where);
        free(index);
    }
}

static uint32_t where_of(const struct gw_worker_index *index, uint32_t worker) {
    return worker < index->where_capacity ? index->where[worker] : GW_TREE_NONE;
}

gw_err gw_worker_index_put(struct gw_worker_index *index, uint32_t worker, struct gw_point position,
                           struct gw_worker_bits bits) {
    if (worker >= GW_WORKERS_MAX || !gw_point_valid(position)) {
        return GW_EINVAL;
    }
    uint32_t where = where_of(index, worker);
    if (where != GW_TREE_NONE) {
        struct gw_tree_leaf *leaf = &index->leaves[where / GW_TREE_LEAF_MAX];
        unsigned i = where % GW_TREE_LEAF_MAX;
        if (gw_tree_leaf_covers(leaf, position)) {
            leaf->lon[i] = position.lon;
            leaf->lat[i] = position.lat;
            leaf->flags[i] = bits.flags;
            leaf->skills[i] = bits.skills;
            leaf->time_ms[i] = bits.time_ms;
            return GW_OK;
        }
    }
    gw_err err = gw_tree_reserve(index, worker);
    if (err != GW_OK) {
        return err;
    }
    if (where != GW_TREE_NONE) {
        gw_tree_remove(index, where);
    }
    struct gw_tree_entry entry = {worker, position, bits};
    gw_tree_insert(index, &entry);
    return GW_OK;
}

void gw_worker_index_set_bits(struct gw_worker_index *index, uint32_t worker, uint64_t skills,
                              uint32_t flags) {
    uint32_t where = where_of(index, worker);
    if (where != GW_TREE_NONE) {
        struct gw_tree_leaf *leaf = &index->leaves[where / GW_TREE_LEAF_MAX];
        leaf->skills[where % GW_TREE_LEAF_MAX] = skills;
        leaf->flags[where % GW_TREE_LEAF_MAX] = flags;
    }
}

void gw_worker_index_remove(struct gw_worker_index *index, uint32_t worker) {
    uint32_t where = where_of(index, worker);
    if (where != GW_TREE_NONE) {
        gw_tree_remove(index, where);
    }
}

bool gw_worker_index_get(const struct gw_worker_index *index, uint32_t worker,
                         struct gw_point *position, struct gw_worker_bits *bits) {
    uint32_t where = where_of(index, worker);
    if (where == GW_TREE_NONE) {
        return false;
    }
    const struct gw_tree_leaf *leaf = &index->leaves[where / GW_TREE_LEAF_MAX];
    unsigned i = where % GW_TREE_LEAF_MAX;
    *position = (struct gw_point){leaf->lon[i], leaf->lat[i]};
    *bits = (struct gw_worker_bits){leaf->skills[i], leaf->flags[i], leaf->time_ms[i]};
    return true;
}

uint32_t gw_worker_index_count(const struct gw_worker_index *index) {
    return index->workers;
}
