#include "geo/tiles/mesh.h"

#include "geo/tiles/mesh_arcs.h"

#include <stdlib.h>

struct arc_print {
    uint64_t hash;
    struct gw_world_box box;
};

// By hash, then by box: two arcs that share both are taken for the same.
static int compare_prints(const void *left, const void *right) {
    const struct arc_print *a = left, *b = right;
    if (a->hash != b->hash) {
        return a->hash < b->hash ? -1 : 1;
    }
    int order = mesh_compare(a->box.min, b->box.min);
    return order != 0 ? order : mesh_compare(a->box.max, b->box.max);
}

static struct arc_print *sorted_prints(const struct gw_tile_mesh *mesh) {
    struct arc_print *prints = malloc(((size_t)mesh->arc_count + 1) * sizeof *prints);
    if (prints != NULL) {
        for (uint32_t arc = 0; arc < mesh->arc_count; arc++) {
            prints[arc] = (struct arc_print){mesh->arc_hashes[arc], mesh->arc_boxes[arc]};
        }
        qsort(prints, mesh->arc_count, sizeof *prints, compare_prints);
    }
    return prints;
}

gw_err gw_tile_mesh_changes(const struct gw_tile_mesh *before, const struct gw_tile_mesh *after,
                            void (*visit)(void *context, struct gw_world_box box), void *context) {
    struct arc_print *old = sorted_prints(before), *new = sorted_prints(after);
    gw_err err = old == NULL || new == NULL ? GW_ENOMEM : GW_OK;
    uint32_t i = 0, j = 0;
    while (err == GW_OK && (i < before->arc_count || j < after->arc_count)) {
        int order = i == before->arc_count  ? 1
                    : j == after->arc_count ? -1
                                            : compare_prints(&old[i], &new[j]);
        if (order < 0) {
            visit(context, old[i].box);
        } else if (order > 0) {
            visit(context, new[j].box);
        }
        i += order <= 0 ? 1 : 0;
        j += order >= 0 ? 1 : 0;
    }
    free(old);
    free(new);
    return err;
}
