#include "services/demo/land.h"

#include "services/base/random.h"
#include "services/demo/noise.h"
#include "services/demo/power.h"
#include <stdlib.h>
#include <string.h>

enum {
    LON_WEST = 1232500000,
    LAT_SOUTH = 418000000,
    STEP_LON = 54000, // between lattice cells of a row, about 445 m
    STEP_LAT = 34600, // between rows, about 385 m
    COLS = 370,
    ROWS = 525,
    CELLS = COLS * ROWS,
    URBAN_SPLIT = 4,   // an urban cell gets 4 x 4 points
    CELLS_A_GRID = 6,  // points that a grid is made of, on average
    BUFFER_RINGS = 3,  // cells around the city that get points, too
    KILOMETRE = 90000, // in working units
    COUNTY_ROUNDS = 80,
    TOWN_ROUNDS = 120,
    TOWN_ROUNDS_MOVING = 50,
    SITE_TRIES = 12
};
enum { STREAM_WARP = 10, STREAM_SITES = 20, STREAM_JITTER = 21 };
#define CELL_AREA ((int64_t)STEP_LON * 3 / 4 * STEP_LAT)

// Rough corners of the city in hundredths of a degree: drawn by hand, no survey behind them.
static const int16_t outline[][2] = {
    {12345, 4222}, {12350, 4209}, {12368, 4202}, {12388, 4208}, {12408, 4200}, {12432, 4203},
    {12452, 4214}, {12457, 4228}, {12476, 4232}, {12484, 4246}, {12496, 4243}, {12502, 4262},
    {12507, 4284}, {12499, 4301}, {12488, 4313}, {12468, 4302}, {12449, 4301}, {12440, 4317},
    {12422, 4326}, {12403, 4338}, {12385, 4349}, {12366, 4339}, {12354, 4317}, {12364, 4298},
    {12371, 4281}, {12358, 4266}, {12346, 4250}};

// Where the middle of each county lies, about, in the order of the codes.
static const int16_t county_centres[GW_CITY_COUNTIES][2] = {
    {12378, 4224}, {12442, 4244}, {12420, 4212}, {12474, 4276},
    {12398, 4304}, {12357, 4246}, {12414, 4256}};

struct lattice {
    struct gw_demo_xy *warped; // [CELLS] where a cell is, seen through the noise
    uint8_t *used;             // [CELLS] 1: of the city; 2: around it
    uint32_t *classes;         // [CELLS]
    uint32_t *cells;           // the city's cells
    uint32_t cell_count;
    uint32_t *county;  // of cells[i]
    uint32_t *members; // cells of one county
    uint32_t *site_of; // of members[i]
    uint32_t *core;    // of the seat's core, indices into members
    uint32_t *core_site;
    struct gw_demo_xy *places;
    struct near *nearest;
};

struct near {
    int64_t distance;
    uint32_t cell;
};

static struct gw_demo_xy hundredths(const int16_t degrees[2]) {
    return (struct gw_demo_xy){((int64_t)degrees[0] * 100000 - LON_WEST) * 3 / 4,
                               (int64_t)degrees[1] * 100000 - LAT_SOUTH};
}

static struct gw_point lattice_point(uint32_t cell) {
    uint32_t row = cell / COLS, col = cell % COLS;
    return (struct gw_point){LON_WEST + (int32_t)(col * STEP_LON + (row & 1u) * (STEP_LON / 2)),
                             LAT_SOUTH + (int32_t)(row * STEP_LAT)};
}

static struct gw_demo_xy warp(uint64_t seed, struct gw_point point) {
    static const struct {
        int64_t size, amplitude;
    } octaves[] = {{14 * KILOMETRE, 260000}, {5 * KILOMETRE, 100000}, {2 * KILOMETRE, 40000}};
    int64_t x = (int64_t)(point.lon - LON_WEST) * 3 / 4, y = point.lat - LAT_SOUTH;
    struct gw_demo_xy warped = {x, y};
    for (uint64_t i = 0; i < sizeof(octaves) / sizeof(octaves[0]); i++) {
        uint64_t east = gw_random_mix(seed + STREAM_WARP + 2 * i), north = gw_random_mix(east);
        warped.x += gw_demo_noise(east, x, y, octaves[i].size, octaves[i].amplitude);
        warped.y += gw_demo_noise(north, x, y, octaves[i].size, octaves[i].amplitude);
    }
    return warped;
}

// Even-odd over the outline.
static bool in_outline(struct gw_demo_xy at) {
    const size_t count = sizeof(outline) / sizeof(outline[0]);
    bool inside = false;
    for (size_t i = 0; i < count; i++) {
        struct gw_demo_xy a = hundredths(outline[i]), b = hundredths(outline[(i + 1) % count]);
        if ((a.y > at.y) != (b.y > at.y)) {
            int64_t cross = (b.x - a.x) * (at.y - a.y) - (at.x - a.x) * (b.y - a.y);
            inside ^= (cross > 0) == (b.y > a.y);
        }
    }
    return inside;
}

static bool lay_lattice(const struct gw_demo_plan *plan, struct gw_demo_arena *arena,
                        struct lattice *lattice) {
    lattice->warped = gw_demo_array(arena, CELLS, sizeof(*lattice->warped));
    lattice->places = gw_demo_array(arena, CELLS, sizeof(*lattice->places));
    lattice->nearest = gw_demo_array(arena, CELLS, sizeof(*lattice->nearest));
    lattice->used = gw_demo_array(arena, CELLS, sizeof(*lattice->used));
    lattice->classes = gw_demo_array(arena, CELLS, sizeof(*lattice->classes));
    lattice->cells = gw_demo_array(arena, CELLS, sizeof(*lattice->cells));
    lattice->county = gw_demo_array(arena, CELLS, sizeof(*lattice->county));
    lattice->members = gw_demo_array(arena, CELLS, sizeof(*lattice->members));
    lattice->site_of = gw_demo_array(arena, CELLS, sizeof(*lattice->site_of));
    lattice->core = gw_demo_array(arena, CELLS, sizeof(*lattice->core));
    lattice->core_site = gw_demo_array(arena, CELLS, sizeof(*lattice->core_site));
    if (arena->failed) {
        return false;
    }
    for (uint32_t cell = 0; cell < CELLS; cell++) {
        lattice->warped[cell] = warp(plan->seed, lattice_point(cell));
        lattice->classes[cell] = GW_DEMO_OUTSIDE;
        if (in_outline(lattice->warped[cell])) {
            lattice->used[cell] = 1;
            lattice->cells[lattice->cell_count++] = cell;
        }
    }
    return true;
}

// Lattice cells that a town needs, in units of points: an urban point takes less land.
static int64_t town_need(const struct gw_demo_town *town) {
    return (int64_t)town->grids[0] * URBAN_SPLIT * URBAN_SPLIT + town->grids[1];
}

static void make_counties(const struct gw_demo_plan *plan, struct lattice *lattice) {
    struct gw_demo_site sites[GW_CITY_COUNTIES] = {0};
    int64_t need[GW_CITY_COUNTIES] = {0}, need_all = 0;
    for (uint32_t i = 0; i < GW_CITY_TOWNS; i++) {
        need[plan->towns[i].county] += town_need(&plan->towns[i]);
        need_all += town_need(&plan->towns[i]);
    }
    for (uint32_t i = 0; i < GW_CITY_COUNTIES; i++) {
        sites[i].at = hundredths(county_centres[i]);
        sites[i].target = lattice->cell_count * need[i] / need_all;
    }
    for (uint32_t i = 0; i < lattice->cell_count; i++) {
        lattice->places[i] = lattice->warped[lattice->cells[i]];
    }
    gw_demo_power(lattice->places, lattice->cell_count, sites, GW_CITY_COUNTIES, CELL_AREA,
                  COUNTY_ROUNDS, 0, lattice->county);
}

static int64_t distance2(struct gw_demo_xy a, struct gw_demo_xy b) {
    return (a.x - b.x) * (a.x - b.x) + (a.y - b.y) * (a.y - b.y);
}

// A place of the county far from the sites that are there: the best of a few random ones.
static struct gw_demo_xy far_place(const struct gw_demo_xy places[], uint32_t count,
                                   const struct gw_demo_site sites[], uint32_t site_count,
                                   struct gw_random *random) {
    struct gw_demo_xy best = places[0];
    int64_t best_distance = -1;
    for (int try = 0; try < SITE_TRIES; try++) {
        struct gw_demo_xy place = places[gw_random_below(random, count)];
        int64_t nearest = INT64_MAX;
        for (uint32_t s = 0; s < site_count; s++) {
            int64_t distance = distance2(place, sites[s].at);
            nearest = distance < nearest ? distance : nearest;
        }
        if (nearest > best_distance) {
            best_distance = nearest;
            best = place;
        }
    }
    return best;
}

static int by_distance(const void *a, const void *b) {
    const struct near *left = a, *right = b;
    if (left->distance != right->distance) {
        return left->distance < right->distance ? -1 : 1;
    }
    return left->cell < right->cell ? -1 : left->cell > right->cell;
}

// Gives the town's cells their classes: the nearest to `centre` are its core.
static void make_core(const struct gw_demo_plan *plan, struct lattice *lattice, uint32_t town,
                      uint32_t site, uint32_t member_count, struct gw_demo_xy centre) {
    const struct gw_demo_town *of = &plan->towns[town];
    uint32_t count = 0, split = URBAN_SPLIT * URBAN_SPLIT;
    uint32_t core = (of->grids[1] * CELLS_A_GRID + split - 1) / split;
    for (uint32_t i = 0; i < member_count; i++) {
        if (lattice->site_of[i] == site) {
            uint32_t cell = lattice->members[i];
            lattice->nearest[count++] =
                (struct near){distance2(lattice->warped[cell], centre), cell};
        }
    }
    qsort(lattice->nearest, count, sizeof(*lattice->nearest), by_distance);
    for (uint32_t i = 0; i < count; i++) {
        bool urban = of->grids[0] == 0 || i < core;
        lattice->classes[lattice->nearest[i].cell] = 2 * town + (urban ? 1u : 0u);
    }
}

// The towns of a county as sites. Those that have no villages, only an urban core, share one site
// at first: they are small beside the others, and lie together in the middle.
enum { CORE = GW_CITY_TOWNS };
struct county {
    const struct gw_demo_plan *plan;
    uint32_t number, cell_count;
    struct gw_demo_site sites[GW_CITY_TOWNS + 1];
    uint32_t towns[GW_CITY_TOWNS + 1]; // of each site; CORE: those without villages
    uint32_t count;
    struct gw_demo_xy middle;
};

static bool is_pure(const struct gw_demo_town *town) {
    return town->at_seat && town->grids[0] == 0;
}

static struct gw_demo_site *add_site(struct county *county, uint32_t town, struct gw_demo_xy at) {
    struct gw_demo_site *site = &county->sites[county->count];
    *site = (struct gw_demo_site){.at = at};
    county->towns[county->count++] = town;
    return site;
}

// The middle of the seat's core: of the sites there, by their urban grids.
static struct gw_demo_xy seat_of(const struct county *county) {
    struct gw_demo_xy sum = {0, 0};
    int64_t weights = 0;
    for (uint32_t s = 0; s < county->count; s++) {
        uint32_t town = county->towns[s];
        if (town == CORE || county->plan->towns[town].at_seat) {
            int64_t weight = town == CORE ? 1000 : county->plan->towns[town].grids[1];
            sum.x += county->sites[s].at.x * weight;
            sum.y += county->sites[s].at.y * weight;
            weights += weight;
        }
    }
    return (struct gw_demo_xy){sum.x / weights, sum.y / weights};
}

// Where the sites of a county's towns begin: those at the seat around it, the others far apart.
static void place_towns(struct county *county, const struct lattice *lattice) {
    static const int16_t ring[][2] = {{0, 0}, {3, 1}, {-1, -3}, {-3, 1}, {1, 3}};
    const struct gw_demo_plan *plan = county->plan;
    struct gw_random random =
        gw_random_of(plan->seed, STREAM_SITES + (uint64_t)100 * county->number);
    int64_t need = 0, need_core = 0;
    for (uint32_t i = 0; i < GW_CITY_TOWNS; i++) {
        bool own = plan->towns[i].county == county->number;
        need += own ? town_need(&plan->towns[i]) : 0;
        need_core += own && is_pure(&plan->towns[i]) ? town_need(&plan->towns[i]) : 0;
    }
    if (need_core > 0) {
        struct gw_demo_site *core = add_site(county, CORE, county->middle);
        core->target = need_core * county->cell_count / need;
        core->fixed = true;
    }
    for (int pass = 0; pass < 2; pass++) {
        for (uint32_t i = 0; i < GW_CITY_TOWNS; i++) {
            const struct gw_demo_town *town = &plan->towns[i];
            if (town->county != county->number || town->at_seat != (pass == 0) || is_pure(town)) {
                continue;
            }
            const int16_t *offset = ring[county->count % (sizeof(ring) / sizeof(ring[0]))];
            struct gw_demo_xy at = {county->middle.x + offset[0] * 3 * KILOMETRE,
                                    county->middle.y + offset[1] * 3 * KILOMETRE};
            if (pass == 1) {
                at = far_place(lattice->places, county->cell_count, county->sites, county->count,
                               &random);
            }
            struct gw_demo_site *site = add_site(county, i, at);
            site->target = town_need(town) * county->cell_count / need;
            site->fixed = pass == 0;
        }
    }
}

// Shares the common site's cells out to its towns. The towns' sites begin at cells far apart.
static void share_core(struct county *county, struct lattice *lattice) {
    struct county core = {.plan = county->plan, .number = county->number};
    struct gw_random random =
        gw_random_of(county->plan->seed, STREAM_SITES + (uint64_t)100 * county->number + 1);
    int64_t need = 0;
    for (uint32_t i = 0; i < county->cell_count; i++) {
        if (county->towns[lattice->site_of[i]] == CORE) {
            lattice->core[core.cell_count] = i;
            lattice->places[core.cell_count++] = lattice->warped[lattice->members[i]];
        }
    }
    for (uint32_t i = 0; i < GW_CITY_TOWNS && core.cell_count > 0; i++) {
        const struct gw_demo_town *town = &county->plan->towns[i];
        if (town->county == county->number && is_pure(town)) {
            struct gw_demo_xy at =
                far_place(lattice->places, core.cell_count, core.sites, core.count, &random);
            add_site(&core, i, at)->target = town_need(town);
            need += town_need(town);
        }
    }
    if (core.count == 0) {
        return;
    }
    for (uint32_t s = 0; s < core.count; s++) {
        core.sites[s].target = core.sites[s].target * core.cell_count / need;
    }
    gw_demo_power(lattice->places, core.cell_count, core.sites, core.count, CELL_AREA, TOWN_ROUNDS,
                  TOWN_ROUNDS_MOVING, lattice->core_site);
    for (uint32_t i = 0; i < core.cell_count; i++) {
        lattice->site_of[lattice->core[i]] = county->count + lattice->core_site[i];
    }
    for (uint32_t s = 0; s < core.count; s++) {
        (void)add_site(county, core.towns[s], core.sites[s].at);
    }
}

static void make_towns(const struct gw_demo_plan *plan, struct lattice *lattice, uint32_t number) {
    struct county county = {.plan = plan, .number = number};
    for (uint32_t i = 0; i < lattice->cell_count; i++) {
        if (lattice->county[i] == number) {
            struct gw_demo_xy place = lattice->warped[lattice->cells[i]];
            lattice->members[county.cell_count] = lattice->cells[i];
            lattice->places[county.cell_count++] = place;
            county.middle.x += place.x;
            county.middle.y += place.y;
        }
    }
    if (county.cell_count == 0) {
        return; // no land: the division will say so
    }
    county.middle.x /= county.cell_count;
    county.middle.y /= county.cell_count;
    place_towns(&county, lattice);
    gw_demo_power(lattice->places, county.cell_count, county.sites, county.count, CELL_AREA,
                  TOWN_ROUNDS, TOWN_ROUNDS_MOVING, lattice->site_of);
    struct gw_demo_xy seat = seat_of(&county);
    share_core(&county, lattice);
    for (uint32_t s = 0; s < county.count; s++) {
        uint32_t town = county.towns[s];
        if (town != CORE) {
            make_core(plan, lattice, town, s, county.cell_count,
                      plan->towns[town].at_seat ? seat : county.sites[s].at);
        }
    }
}

// Marks the cells around those that are used.
static void add_ring(struct lattice *lattice) {
    static const int near[2][6][2] = {{{0, -1}, {0, 1}, {-1, -1}, {-1, 0}, {1, -1}, {1, 0}},
                                      {{0, -1}, {0, 1}, {-1, 0}, {-1, 1}, {1, 0}, {1, 1}}};
    for (int row = 1; row + 1 < ROWS; row++) {
        for (int col = 1; col + 1 < COLS; col++) {
            for (int i = 0; i < 6 && lattice->used[row * COLS + col] == 0; i++) {
                int at = (row + near[row & 1][i][0]) * COLS + col + near[row & 1][i][1];
                if (lattice->used[at] == 1 || lattice->used[at] == 2) {
                    lattice->used[row * COLS + col] = 3;
                }
            }
        }
    }
    for (uint32_t i = 0; i < CELLS; i++) {
        lattice->used[i] = lattice->used[i] == 3 ? 2 : lattice->used[i];
    }
}

// A point of the cell's tile, in thousandths of the lattice's two steps, shifted at random.
static struct gw_point tile_point(uint32_t cell, int64_t east, int64_t north, int64_t shift,
                                  struct gw_random *random) {
    struct gw_point point = lattice_point(cell);
    east += gw_random_between(random, -shift, shift);
    north += gw_random_between(random, -shift, shift);
    point.lon += (int32_t)((east * STEP_LON + north * (STEP_LON / 2)) / 1000);
    point.lat += (int32_t)(north * STEP_LAT / 1000);
    return point;
}

static void emit_cell(const struct lattice *lattice, uint32_t cell, struct gw_random *random,
                      struct gw_demo_land *land) {
    uint32_t class = lattice->classes[cell];
    if (lattice->used[cell] == 0) {
        return;
    }
    if (class == GW_DEMO_OUTSIDE || class % 2 == 0) {
        land->classes[land->count] = class;
        land->points[land->count++] = tile_point(cell, 0, 0, 230, random);
        return;
    }
    for (int i = 0; i < URBAN_SPLIT * URBAN_SPLIT; i++) {
        int64_t east = 250 * (i % URBAN_SPLIT) - 375, north = 250 * (i / URBAN_SPLIT) - 375;
        land->classes[land->count] = class;
        land->points[land->count++] = tile_point(cell, east, north, 58, random);
    }
}

gw_err gw_demo_land_make(const struct gw_demo_plan *plan, struct gw_demo_arena *arena,
                         struct gw_demo_land *land, struct gw_error *error) {
    struct lattice lattice = {0};
    memset(land, 0, sizeof(*land));
    if (!lay_lattice(plan, arena, &lattice)) {
        return gw_error_set(error, GW_ENOMEM, "no memory for the demo city");
    }
    make_counties(plan, &lattice);
    for (uint32_t i = 0; i < GW_CITY_COUNTIES; i++) {
        make_towns(plan, &lattice, i);
    }
    for (int i = 0; i < BUFFER_RINGS; i++) {
        add_ring(&lattice);
    }
    size_t point_max = 0;
    for (uint32_t i = 0; i < CELLS; i++) {
        bool urban = lattice.classes[i] != GW_DEMO_OUTSIDE && lattice.classes[i] % 2 == 1;
        point_max += urban ? URBAN_SPLIT * URBAN_SPLIT : lattice.used[i] != 0;
    }
    land->points = gw_demo_array(arena, point_max, sizeof(*land->points));
    land->classes = gw_demo_array(arena, point_max, sizeof(*land->classes));
    if (arena->failed) {
        return gw_error_set(error, GW_ENOMEM, "no memory for the demo city");
    }
    struct gw_random random = gw_random_of(plan->seed, STREAM_JITTER);
    for (uint32_t row = 0; row < ROWS; row++) {
        for (uint32_t i = 0; i < COLS; i++) { // there and back, so that the next is near
            uint32_t col = row % 2 == 0 ? i : COLS - 1 - i;
            emit_cell(&lattice, row * COLS + col, &random, land);
        }
    }
    return GW_OK;
}
