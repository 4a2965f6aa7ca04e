#include "services/demo/city.h"

#include "services/base/random.h"
#include "services/demo/city_parts.h"
#include "services/demo/land.h"
#include "services/demo/trace.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STREAM_BORDER = 40, ATTEMPTS = 8 };

struct made {
    struct gw_city city;
    struct gw_demo_arena arena; // what the city keeps
};

// A grid's middle, for the order of the codes within a village.
struct middle {
    int64_t lon, lat, count;
    int64_t band; // of latitude, from the north
    uint32_t grid;
};

static int by_band(const void *a, const void *b) {
    const struct middle *left = a, *right = b;
    if (left->band != right->band) {
        return left->band < right->band ? -1 : 1;
    }
    if (left->lon != right->lon) {
        return left->lon < right->lon ? -1 : 1;
    }
    return left->grid < right->grid ? -1 : left->grid > right->grid;
}

// Numbers of one village's grids from north-west to south-east: bands from the north, each from the
// west, about as many bands as grids in a band.
static void order_village(struct middle middles[], uint32_t count) {
    int64_t south = INT64_MAX, north = INT64_MIN;
    uint32_t bands = 1;
    while ((bands + 1) * (bands + 1) <= count) {
        bands++;
    }
    for (uint32_t i = 0; i < count; i++) {
        south = middles[i].lat < south ? middles[i].lat : south;
        north = middles[i].lat > north ? middles[i].lat : north;
    }
    for (uint32_t i = 0; i < count; i++) {
        middles[i].band = (north - middles[i].lat) * bands / (north - south + 1);
    }
    qsort(middles, count, sizeof(*middles), by_band);
}

// Gives every grid its place in code order; rewrites parcels->grid_of and ->special.
static bool number_grids(const struct gw_demo_mesh *mesh, struct gw_demo_parcels *parcels,
                         struct gw_demo_arena *arena) {
    struct middle *middles = gw_demo_array(arena, GW_CITY_GRIDS, sizeof(*middles));
    uint32_t *numbers = gw_demo_array(arena, GW_CITY_GRIDS, sizeof(*numbers));
    bool *special = gw_demo_array(arena, GW_CITY_GRIDS, sizeof(*special));
    if (arena->failed) {
        return false;
    }
    for (uint32_t i = 0; i < mesh->point_count; i++) {
        if (parcels->grid_of[i] != UINT32_MAX) {
            struct middle *middle = &middles[parcels->grid_of[i]];
            middle->lon += mesh->points[i].lon;
            middle->lat += mesh->points[i].lat;
            middle->count++;
        }
    }
    for (uint32_t i = 0; i < GW_CITY_GRIDS; i++) {
        middles[i].grid = i;
        middles[i].lon /= middles[i].count > 0 ? middles[i].count : 1;
        middles[i].lat /= middles[i].count > 0 ? middles[i].count : 1;
    }
    for (uint32_t i = 0; i < GW_CITY_VILLAGES; i++) {
        uint32_t first = parcels->village_first[i];
        order_village(middles + first, parcels->village_first[i + 1] - first);
    }
    for (uint32_t i = 0; i < GW_CITY_GRIDS; i++) {
        numbers[middles[i].grid] = i;
        special[i] = parcels->special[middles[i].grid];
    }
    for (uint32_t i = 0; i < mesh->point_count; i++) {
        if (parcels->grid_of[i] != UINT32_MAX) {
            parcels->grid_of[i] = numbers[parcels->grid_of[i]];
        }
    }
    parcels->special = special;
    return true;
}

static void name_grid(const struct gw_city_area *village, uint32_t sequence,
                      struct gw_city_grid *grid) {
    snprintf(grid->code, sizeof(grid->code), "%.12s%03u", village->code, sequence % 1000);
    // Names of divisions have 39 bytes at most: nothing is cut.
    snprintf(grid->name, sizeof(grid->name), "%.60s第%03u网格%s", village->name, sequence % 1000,
             grid->special ? "（专属）" : "");
}

static bool fill_grids(const struct gw_demo_plan *plan, const struct gw_demo_mesh *mesh,
                       const struct gw_demo_parcels *parcels, struct made *made) {
    struct gw_city_grid *grids = gw_demo_array(&made->arena, GW_CITY_GRIDS, sizeof(*grids));
    struct gw_point *cells = gw_demo_array(&made->arena, mesh->point_count, sizeof(*cells));
    if (made->arena.failed) {
        return false;
    }
    for (uint32_t v = 0; v < GW_CITY_VILLAGES; v++) {
        for (uint32_t i = parcels->village_first[v]; i < parcels->village_first[v + 1]; i++) {
            grids[i].village = GW_CITY_VILLAGE_FIRST + v;
            grids[i].urban = plan->village_urban[v];
            grids[i].special = parcels->special[i];
            name_grid(&plan->areas[grids[i].village], i - parcels->village_first[v] + 1, &grids[i]);
        }
    }
    for (uint32_t i = 0; i < mesh->point_count; i++) {
        if (parcels->grid_of[i] != UINT32_MAX) {
            grids[parcels->grid_of[i]].cell_count++;
        }
    }
    for (uint32_t i = 0, at = 0; i < GW_CITY_GRIDS; i++) {
        grids[i].cell_first = at;
        at += grids[i].cell_count;
        grids[i].cell_count = 0;
        made->city.cell_count = at;
    }
    for (uint32_t i = 0; i < mesh->point_count; i++) {
        if (parcels->grid_of[i] != UINT32_MAX) {
            struct gw_city_grid *grid = &grids[parcels->grid_of[i]];
            cells[grid->cell_first + grid->cell_count++] = mesh->points[i];
        }
    }
    made->city.grids = grids;
    made->city.cells = cells;
    made->city.grid_count = GW_CITY_GRIDS;
    return gw_demo_make_workers(&made->city, &made->arena, grids);
}

static gw_err trace_all(const struct gw_demo_mesh *mesh, const struct gw_demo_parcels *parcels,
                        struct gw_demo_arena *arena, struct made *made) {
    uint64_t seed = made->city.seed + STREAM_BORDER;
    gw_err err = gw_demo_trace(mesh, seed, parcels->grid_of, GW_CITY_GRIDS, arena, &made->arena,
                               &made->city.coverage);
    uint32_t *whole = gw_demo_array(arena, mesh->point_count, sizeof(*whole));
    if (err != GW_OK || whole == NULL) {
        return err != GW_OK ? err : GW_ENOMEM;
    }
    for (uint32_t i = 0; i < mesh->point_count; i++) {
        whole[i] = parcels->grid_of[i] == UINT32_MAX ? UINT32_MAX : 0;
    }
    return gw_demo_trace(mesh, seed, whole, 1, arena, &made->arena, &made->city.outline);
}

static gw_err make(struct made *made, uint64_t seed, struct gw_demo_arena *arena,
                   struct gw_error *error) {
    struct gw_demo_plan *plan = gw_demo_array(arena, 1, sizeof(*plan));
    struct gw_demo_parcels *parcels = gw_demo_array(arena, 1, sizeof(*parcels));
    struct gw_demo_land land;
    struct gw_demo_mesh mesh;
    if (arena->failed) {
        return gw_error_set(error, GW_ENOMEM, "no memory for the demo city");
    }
    gw_err err = gw_demo_plan_make(seed, &made->arena, plan, error);
    if (err == GW_OK) {
        err = gw_demo_land_make(plan, arena, &land, error);
    }
    if (err != GW_OK) {
        return err;
    }
    err = gw_demo_mesh_make(land.points, land.count, arena, &mesh);
    if (err == GW_OK) {
        err = gw_demo_parcel(plan, &mesh, land.classes, arena, parcels, error);
        if (err != GW_OK) {
            return err;
        }
        err = number_grids(&mesh, parcels, arena) ? trace_all(&mesh, parcels, arena, made)
                                                  : GW_ENOMEM;
    }
    if (err == GW_OK && !fill_grids(plan, &mesh, parcels, made)) {
        err = GW_ENOMEM;
    }
    if (err != GW_OK) {
        return gw_error_set(error, err, "seed %llu gives no city (%s); try another",
                            (unsigned long long)made->city.seed, gw_err_text(err));
    }
    made->city.areas = plan->areas;
    made->city.area_count = GW_CITY_AREAS;
    return GW_OK;
}

gw_err gw_city_create(uint64_t seed, struct gw_city **city, struct gw_error *error) {
    struct made *made = calloc(1, sizeof(*made));
    struct gw_error why = {0};
    gw_err err = GW_EINTERNAL;
    if (made == NULL) {
        return gw_error_set(error, GW_ENOMEM, "no memory for the demo city");
    }
    // Fewer than one land in a hundred leaves some town without enough of it: then the next one.
    for (uint64_t attempt = 0; attempt < ATTEMPTS && err == GW_EINTERNAL; attempt++) {
        struct gw_demo_arena arena = {0};
        gw_demo_arena_free(&made->arena);
        made->city = (struct gw_city){.seed = seed, .memory = made};
        err = make(made, attempt == 0 ? seed : gw_random_mix(seed + attempt), &arena, &why);
        gw_demo_arena_free(&arena);
    }
    if (err != GW_OK) {
        gw_city_destroy(&made->city);
        return gw_error_set(error, err, "%s", why.text);
    }
    *city = &made->city;
    return GW_OK;
}

void gw_city_destroy(struct gw_city *city) {
    if (city != NULL) {
        struct made *made = city->memory;
        gw_demo_arena_free(&made->arena);
        free(made);
    }
}

static uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t size) {
    const unsigned char *at = bytes;
    for (size_t i = 0; i < size; i++) {
        hash = (hash ^ at[i]) * 0x100000001b3u;
    }
    return hash;
}

static uint64_t hash_coverage(uint64_t hash, const struct gw_coverage *coverage) {
    hash = hash_bytes(hash, coverage->grid_rings,
                      ((size_t)coverage->grid_count + 1) * sizeof(*coverage->grid_rings));
    hash = hash_bytes(hash, coverage->ring_vertices,
                      ((size_t)coverage->ring_count + 1) * sizeof(*coverage->ring_vertices));
    hash = hash_bytes(hash, coverage->ring_kinds, coverage->ring_count);
    return hash_bytes(hash, coverage->vertices,
                      coverage->vertex_count * sizeof(*coverage->vertices));
}

uint64_t gw_city_hash(const struct gw_city *city) {
    uint64_t hash = 0xcbf29ce484222325u;
    hash = hash_coverage(hash, &city->coverage);
    hash = hash_coverage(hash, &city->outline);
    for (uint32_t i = 0; i < city->grid_count; i++) {
        const struct gw_city_grid *grid = &city->grids[i];
        hash = hash_bytes(hash, grid->code, sizeof(grid->code));
        hash = hash_bytes(hash, grid->name, strlen(grid->name));
        hash = hash_bytes(hash, &grid->special, sizeof(grid->special));
    }
    for (uint32_t i = 0; i < city->worker_count; i++) {
        const struct gw_city_worker *worker = &city->workers[i];
        hash = hash_bytes(hash, worker->id, sizeof(worker->id));
        hash = hash_bytes(hash, worker->name, strlen(worker->name));
        hash = hash_bytes(hash, &worker->skills, sizeof(worker->skills));
        hash = hash_bytes(hash, &worker->capacity, sizeof(worker->capacity));
        hash = hash_bytes(hash, &worker->shift, sizeof(worker->shift));
    }
    hash = hash_bytes(hash, city->homes, city->home_count * sizeof(*city->homes));
    return hash_bytes(hash, city->cells, city->cell_count * sizeof(*city->cells));
}
