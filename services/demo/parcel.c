#include "services/demo/parcel.h"

#include "services/demo/land.h"
#include "services/demo/split.h"

// A piece of land to be cut: cells[first .. first + count), for the villages order[item ..
// item + items) or, where items is 0, for `grids` grids, numbered from `item` on.
struct piece {
    uint32_t first, count;
    uint32_t item, items;
    uint32_t grids;
};

enum { PIECES_MAX = 4096 };

struct parcel {
    const struct gw_demo_plan *plan;
    const struct gw_demo_mesh *mesh;
    struct gw_demo_parcels *out;
    struct gw_demo_cutter cutter;
    uint32_t *cells;                           // the city's cells, village by village in the end
    uint32_t order[GW_CITY_VILLAGES];          // villages by class, by code within
    uint32_t class_first[GW_DEMO_CLASSES + 1]; // of a class, within order
    struct piece pieces[PIECES_MAX];
    uint32_t piece_count;
};

enum level { LEVEL_CITY, LEVEL_COUNTY, LEVEL_TOWN, LEVEL_CLASS, LEVELS };

// What a class belongs to, one level or another; the last number of each level is the outside.
static uint32_t label_of(const struct gw_demo_plan *plan, uint32_t class, enum level level) {
    static const uint32_t outside[LEVELS] = {1, GW_CITY_COUNTIES, GW_CITY_TOWNS, GW_DEMO_OUTSIDE};
    if (class == GW_DEMO_OUTSIDE) {
        return outside[level];
    }
    const uint32_t labels[LEVELS] = {0, plan->towns[class / 2].county, class / 2, class};
    return labels[level];
}

// Cells whose label was changed take the class of a neighbour that has this label. False: none has.
static bool reclass(const struct gw_demo_plan *plan, const struct gw_demo_graph *graph,
                    enum level level, const uint32_t labels[], uint32_t classes[]) {
    uint32_t open = graph->count + 1, before = open + 1;
    while (open > 0 && open < before) {
        before = open;
        open = 0;
        for (uint32_t i = 0; i < graph->count; i++) {
            bool settled = label_of(plan, classes[i], level) == labels[i];
            for (uint32_t e = graph->first[i]; e < graph->first[i + 1] && !settled; e++) {
                uint32_t near = classes[graph->next[e]];
                settled = label_of(plan, near, level) == labels[i];
                classes[i] = settled ? near : classes[i];
            }
            open += !settled;
        }
    }
    return open == 0;
}

// City, county, town, class: each level's regions are made connected within those above. A lake of
// outside becomes land, an island outside.
static bool connect_classes(const struct gw_demo_plan *plan, const struct gw_demo_graph *graph,
                            uint32_t classes[], struct gw_demo_arena *arena) {
    uint32_t *upper = gw_demo_array(arena, graph->count, sizeof(*upper));
    uint32_t *labels = gw_demo_array(arena, graph->count, sizeof(*labels));
    if (arena->failed) {
        return false;
    }
    for (enum level level = LEVEL_CITY; level < LEVELS; level++) {
        for (uint32_t i = 0; i < graph->count; i++) {
            upper[i] = level == LEVEL_CITY ? 0 : label_of(plan, classes[i], level - 1);
            labels[i] = label_of(plan, classes[i], level);
        }
        uint32_t label_count = label_of(plan, GW_DEMO_OUTSIDE, level) + 1;
        if (!gw_demo_connect(graph, upper, labels, label_count, arena) ||
            !reclass(plan, graph, level, labels, classes)) {
            return false;
        }
    }
    return true;
}

// Villages by class, cells by class: what the cutting starts from.
static void sort_by_class(struct parcel *work, const uint32_t classes[]) {
    uint32_t cell_at[GW_DEMO_CLASSES + 2] = {0}, village_at[GW_DEMO_CLASSES + 2] = {0};
    const struct gw_demo_plan *plan = work->plan;
    for (uint32_t i = 0; i < GW_CITY_VILLAGES; i++) {
        village_at[2 * plan->village_town[i] + plan->village_urban[i] + 1]++;
    }
    for (uint32_t i = 0; i < work->mesh->point_count; i++) {
        cell_at[classes[i] + 1] += classes[i] != GW_DEMO_OUTSIDE;
    }
    for (uint32_t i = 0; i <= GW_DEMO_CLASSES; i++) {
        village_at[i + 1] += village_at[i];
        cell_at[i + 1] += cell_at[i];
        work->class_first[i] = village_at[i];
    }
    for (uint32_t i = 0; i < GW_DEMO_CLASSES; i++) {
        uint32_t first = cell_at[i], count = cell_at[i + 1] - first;
        work->pieces[i] =
            (struct piece){first, count, village_at[i], village_at[i + 1] - village_at[i], 0};
    }
    work->piece_count = GW_DEMO_CLASSES;
    for (uint32_t i = 0; i < GW_CITY_VILLAGES; i++) {
        work->order[village_at[2 * plan->village_town[i] + plan->village_urban[i]]++] = i;
    }
    for (uint32_t i = 0; i < work->mesh->point_count; i++) {
        if (classes[i] != GW_DEMO_OUTSIDE) {
            work->cells[cell_at[classes[i]]++] = i;
        }
    }
}

static gw_err refuse(const struct parcel *work, const struct piece *piece, struct gw_error *error) {
    const char *code = "?";
    if (piece->items > 0) {
        code = work->plan->areas[GW_CITY_VILLAGE_FIRST + work->order[piece->item]].code;
    }
    return gw_error_set(
        error, GW_EINTERNAL,
        "seed %llu gives no city: the land around %s cannot be divided; try another",
        (unsigned long long)work->plan->seed, code);
}

// Cuts a piece for several villages between two of them, about where half of their grids are.
static gw_err cut_villages(struct parcel *work, struct piece piece, struct gw_error *error) {
    uint32_t all = 0, first_grids = 0, first_items = 0;
    for (uint32_t i = 0; i < piece.items; i++) {
        all += work->plan->village_grids[work->order[piece.item + i]];
    }
    for (; first_items + 1 < piece.items && 2 * first_grids < all; first_items++) {
        first_grids += work->plan->village_grids[work->order[piece.item + first_items]];
    }
    uint32_t target = (uint32_t)((uint64_t)piece.count * first_grids / all);
    uint32_t size = gw_demo_cut(&work->cutter, work->cells + piece.first, piece.count, target,
                                first_grids, all - first_grids);
    if (size == 0 || work->piece_count + 2 > PIECES_MAX) {
        return refuse(work, &piece, error);
    }
    work->pieces[work->piece_count++] =
        (struct piece){piece.first + size, piece.count - size, piece.item + first_items,
                       piece.items - first_items, 0};
    work->pieces[work->piece_count++] =
        (struct piece){piece.first, size, piece.item, first_items, 0};
    return GW_OK;
}

// A piece that one village is left for: its cells and grids are known.
static gw_err settle_village(struct parcel *work, struct piece piece, struct gw_error *error) {
    uint32_t village = work->order[piece.item];
    uint32_t grids = work->plan->village_grids[village];
    if (piece.count < grids) {
        return refuse(work, &piece, error);
    }
    for (uint32_t i = 0; i < piece.count; i++) {
        work->out->village_of[work->cells[piece.first + i]] = village;
    }
    work->pieces[work->piece_count++] =
        (struct piece){piece.first, piece.count, work->out->village_first[village], 0, grids};
    return GW_OK;
}

static gw_err cut_grids(struct parcel *work, struct piece piece, struct gw_error *error) {
    if (piece.grids == 1) {
        for (uint32_t i = 0; i < piece.count; i++) {
            work->out->grid_of[work->cells[piece.first + i]] = piece.item;
        }
        return GW_OK;
    }
    uint32_t target = (uint32_t)((uint64_t)piece.count * (piece.grids / 2) / piece.grids);
    uint32_t size =
        gw_demo_cut(&work->cutter, work->cells + piece.first, piece.count, target, 1, 1);
    uint32_t rest = piece.count - size;
    if (size == 0 || work->piece_count + 2 > PIECES_MAX) {
        return refuse(work, &piece, error);
    }
    // The two sides share the grids as they share the cells; each has a cell at least for a grid.
    uint32_t grids = (uint32_t)(((uint64_t)piece.grids * size + piece.count / 2) / piece.count);
    grids = grids > size ? size : grids;
    grids = grids < 1 ? 1 : grids;
    grids = grids > piece.grids - 1 ? piece.grids - 1 : grids;
    grids = piece.grids - grids > rest ? piece.grids - rest : grids;
    work->pieces[work->piece_count++] =
        (struct piece){piece.first + size, rest, piece.item + grids, 0, piece.grids - grids};
    work->pieces[work->piece_count++] = (struct piece){piece.first, size, piece.item, 0, grids};
    return GW_OK;
}

static gw_err cut_all(struct parcel *work, struct gw_error *error) {
    gw_err err = GW_OK;
    while (work->piece_count > 0 && err == GW_OK) {
        struct piece piece = work->pieces[--work->piece_count];
        if (piece.items == 0 && piece.grids == 0) {
            continue; // a town without an urban core, or without villages
        }
        err = piece.items > 1    ? cut_villages(work, piece, error)
              : piece.items == 1 ? settle_village(work, piece, error)
                                 : cut_grids(work, piece, error);
    }
    return err;
}

static bool allocate(struct parcel *work, const struct gw_demo_mesh *mesh,
                     struct gw_demo_arena *arena) {
    size_t count = mesh->point_count;
    work->mesh = mesh;
    work->cells = gw_demo_array(arena, count, sizeof(*work->cells));
    work->out->village_of = gw_demo_array(arena, count, sizeof(*work->out->village_of));
    work->out->grid_of = gw_demo_array(arena, count, sizeof(*work->out->grid_of));
    work->out->special = gw_demo_array(arena, GW_CITY_GRIDS, sizeof(*work->out->special));
    return !arena->failed && gw_demo_cutter_make(&work->cutter, &mesh->graph, mesh->points, arena);
}

gw_err gw_demo_parcel(const struct gw_demo_plan *plan, const struct gw_demo_mesh *mesh,
                      uint32_t classes[], struct gw_demo_arena *arena,
                      struct gw_demo_parcels *parcels, struct gw_error *error) {
    struct parcel *work = gw_demo_array(arena, 1, sizeof(*work));
    *parcels = (struct gw_demo_parcels){0};
    if (arena->failed) {
        return gw_error_set(error, GW_ENOMEM, "no memory for the demo city");
    }
    work->plan = plan;
    work->out = parcels;
    if (!allocate(work, mesh, arena)) {
        return gw_error_set(error, GW_ENOMEM, "no memory for the demo city");
    }
    for (uint32_t i = 0; i < mesh->point_count; i++) {
        parcels->village_of[i] = parcels->grid_of[i] = UINT32_MAX;
    }
    for (uint32_t i = 0; i < GW_CITY_VILLAGES; i++) {
        parcels->village_first[i + 1] = parcels->village_first[i] + plan->village_grids[i];
    }
    if (!connect_classes(plan, &mesh->graph, classes, arena)) {
        return gw_error_set(
            error, GW_EINTERNAL,
            "seed %llu gives no city: its regions do not hang together; try another",
            (unsigned long long)plan->seed);
    }
    sort_by_class(work, classes);
    gw_err err = cut_all(work, error);
    if (err != GW_OK) {
        return err;
    }
    err = gw_demo_parcel_special(plan, mesh, arena, parcels);
    return err == GW_OK ? GW_OK : gw_error_set(error, err, "no memory for the demo city");
}
