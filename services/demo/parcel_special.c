#include "services/demo/parcel.h"

#include "services/base/random.h"

enum { STREAM_SPECIAL = 30, GRIDS_LEAST = 5, TRIES_MAX = 20000 };

// One village at a time.
struct special {
    const struct gw_demo_graph *graph;
    uint32_t *grid_of;
    uint32_t *cells; // of all villages, one after the other
    uint32_t first[GW_CITY_VILLAGES + 2];
    uint32_t begin, end; // the village's, within cells
    uint32_t *saved;     // their grids, to go back to
    uint32_t *marks, mark;
    uint32_t *queue;
};

static void save(struct special *work) {
    for (uint32_t i = work->begin; i < work->end; i++) {
        work->saved[i] = work->grid_of[work->cells[i]];
    }
}

static void restore(struct special *work) {
    for (uint32_t i = work->begin; i < work->end; i++) {
        work->grid_of[work->cells[i]] = work->saved[i];
    }
}

// How many cells the grid has, and how many of them hang together with its first one.
static uint32_t size_of(struct special *work, uint32_t grid, uint32_t *together) {
    uint32_t head = 0, tail = 0, size = 0;
    work->mark++;
    for (uint32_t i = work->begin; i < work->end; i++) {
        uint32_t cell = work->cells[i];
        if (work->grid_of[cell] != grid) {
            continue;
        }
        if (size++ == 0) {
            work->marks[cell] = work->mark;
            work->queue[tail++] = cell;
        }
    }
    while (head < tail) {
        uint32_t cell = work->queue[head++];
        for (uint32_t e = work->graph->first[cell]; e < work->graph->first[cell + 1]; e++) {
            uint32_t near = work->graph->next[e];
            if (work->grid_of[near] == grid && work->marks[near] != work->mark) {
                work->marks[near] = work->mark;
                work->queue[tail++] = near;
            }
        }
    }
    *together = tail;
    return size;
}

// How many neighbours of the cell are of the grid; *degree: how many it has.
static uint32_t touching(const struct special *work, uint32_t cell, uint32_t grid,
                         uint32_t *degree) {
    uint32_t count = 0;
    *degree = work->graph->first[cell + 1] - work->graph->first[cell];
    for (uint32_t i = 0; i < *degree; i++) {
        count += work->grid_of[work->graph->next[work->graph->first[cell] + i]] == grid;
    }
    return count;
}

// Joins grid `gone` to its neighbour `keep` and gives the free number to a cell all of whose
// neighbours are of the joined grid.
static bool make_hole(struct special *work, uint32_t keep, uint32_t gone) {
    uint32_t together = 0, degree = 0;
    save(work);
    for (uint32_t i = work->begin; i < work->end; i++) {
        uint32_t *grid = &work->grid_of[work->cells[i]];
        *grid = *grid == gone ? keep : *grid;
    }
    if (size_of(work, keep, &together) == together) {
        for (uint32_t i = work->begin; i < work->end; i++) {
            uint32_t cell = work->cells[i];
            if (work->grid_of[cell] == keep && touching(work, cell, keep, &degree) == degree) {
                work->grid_of[cell] = gone;
                return true;
            }
        }
    }
    restore(work);
    return false;
}

// Gives a cell of `from` to `to`, which it does not touch, so that `to` has two parts.
static bool set_apart(struct special *work, uint32_t from, uint32_t to) {
    uint32_t together = 0, degree = 0;
    save(work);
    if (size_of(work, to, &together) != together || size_of(work, from, &together) != together) {
        return false;
    }
    for (uint32_t i = work->begin; i < work->end; i++) {
        uint32_t cell = work->cells[i];
        if (work->grid_of[cell] != from || touching(work, cell, to, &degree) > 0) {
            continue;
        }
        work->grid_of[cell] = to;
        uint32_t size = size_of(work, from, &together);
        if (size >= 3 && size == together) {
            return true;
        }
        restore(work);
    }
    return false;
}

static bool allocate(struct special *work, const struct gw_demo_mesh *mesh,
                     struct gw_demo_arena *arena) {
    size_t count = mesh->point_count;
    work->cells = gw_demo_array(arena, count, sizeof(*work->cells));
    work->saved = gw_demo_array(arena, count, sizeof(*work->saved));
    work->marks = gw_demo_array(arena, count, sizeof(*work->marks));
    work->queue = gw_demo_array(arena, count, sizeof(*work->queue));
    return !arena->failed;
}

static void sort_by_village(struct special *work, const struct gw_demo_parcels *parcels) {
    for (uint32_t i = 0; i < work->graph->count; i++) {
        if (parcels->village_of[i] != UINT32_MAX) {
            work->first[parcels->village_of[i] + 2]++;
        }
    }
    for (uint32_t i = 0; i < GW_CITY_VILLAGES; i++) {
        work->first[i + 2] += work->first[i + 1];
    }
    for (uint32_t i = 0; i < work->graph->count; i++) {
        if (parcels->village_of[i] != UINT32_MAX) {
            work->cells[work->first[parcels->village_of[i] + 1]++] = i;
        }
    }
}

gw_err gw_demo_parcel_special(const struct gw_demo_plan *plan, const struct gw_demo_mesh *mesh,
                              struct gw_demo_arena *arena, struct gw_demo_parcels *parcels) {
    struct special *work = gw_demo_array(arena, 1, sizeof(*work));
    bool *used = gw_demo_array(arena, GW_CITY_VILLAGES, sizeof(*used));
    if (arena->failed) {
        return GW_ENOMEM;
    }
    work->graph = &mesh->graph;
    work->grid_of = parcels->grid_of;
    if (!allocate(work, mesh, arena)) {
        return GW_ENOMEM;
    }
    sort_by_village(work, parcels);
    struct gw_random random = gw_random_of(plan->seed, STREAM_SPECIAL);
    uint32_t holes = 0, apart = 0;
    for (int try = 0; try < TRIES_MAX && holes + apart < GW_DEMO_HOLES + GW_DEMO_APART; try++) {
        uint32_t village = gw_random_below(&random, GW_CITY_VILLAGES);
        uint32_t count = plan->village_grids[village], first = parcels->village_first[village];
        uint32_t a = gw_random_below(&random, count), b = gw_random_below(&random, count);
        if (used[village] || count < GRIDS_LEAST || a == b) {
            continue;
        }
        work->begin = work->first[village];
        work->end = work->first[village + 1];
        if (holes < GW_DEMO_HOLES) {
            used[village] = make_hole(work, first + a, first + b);
            parcels->special[first + b] = used[village];
            holes += used[village];
        } else {
            used[village] = set_apart(work, first + a, first + b);
            apart += used[village];
        }
    }
    return GW_OK;
}
