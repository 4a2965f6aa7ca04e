// The demo city: made up from a seed, of Tieling's size and about its shape and place.
//
// SYNTHETIC: codes and names of counties, towns, villages and communities are real (a public
// statistical list); every border, grid, worker and incident is invented and means nothing.
//
// What holds, for every seed:
//   1. 7 counties, 106 towns, 1,471 villages and communities; 2,529 urban grids (all in
//      communities, most of them small and close around the county seats) and 12,472 rural ones.
//   2. The grids are an exact coverage on the 1e-7 degree lattice: neighbours share their border
//      vertex for vertex, without gaps, overlaps or T-junctions, since every stretch of border is
//      made once and used by both sides. At most three grids meet in a point.
//   3. Grids nest: the grids of a village are the village, and it is connected; so are towns and
//      counties. A few grids lie inside another one (schools, hospitals: the other has a hole), a
//      few have two parts.
//   4. Every ring is simple; a hole never touches its shell.
//   5. The same seed gives the same bytes, on every machine: integers only, no libm.
//
// Codes:  a grid has 15 digits: the village's 12, and a sequence 001.. from north-west to
//         south-east.
// Memory: gw_city_create allocates everything, gw_city_destroy gives it back; const in between.
//
// Example:
//   struct gw_city *city;
//   if (gw_city_create(1, &city, &error) == GW_OK) {
//       printf("%s\n", city->grids[0].code);
//       gw_city_destroy(city);
//   }
#ifndef GW_SERVICES_DEMO_CITY_H
#define GW_SERVICES_DEMO_CITY_H

#include "geo/coverage.h"
#include "services/base/error.h"

#define GW_CITY_COUNTIES 7u
#define GW_CITY_TOWNS 106u
#define GW_CITY_VILLAGES 1471u
#define GW_CITY_AREAS (1u + GW_CITY_COUNTIES + GW_CITY_TOWNS + GW_CITY_VILLAGES)
#define GW_CITY_GRIDS_URBAN 2529u
#define GW_CITY_GRIDS_RURAL 12472u
#define GW_CITY_GRIDS (GW_CITY_GRIDS_URBAN + GW_CITY_GRIDS_RURAL)
#define GW_CITY_FULL_TIME 8017u
#define GW_CITY_PART_TIME 11730u
#define GW_CITY_WORKERS (GW_CITY_FULL_TIME + GW_CITY_PART_TIME)
#define GW_CITY_HOME_GRIDS_MAX 16u
#define GW_CITY_SKILLS 6u
#define GW_CITY_LABEL "SYNTHETIC demo city"

// Areas are indexed 0: the city; then counties, towns, villages, each in the order of their codes.
#define GW_CITY_COUNTY_FIRST 1u
#define GW_CITY_TOWN_FIRST (GW_CITY_COUNTY_FIRST + GW_CITY_COUNTIES)
#define GW_CITY_VILLAGE_FIRST (GW_CITY_TOWN_FIRST + GW_CITY_TOWNS)

struct gw_city_area {
    const char *code, *name;
    uint32_t level;  // 1 village or community, 2 town, 3 county, 4 city
    uint32_t parent; // index of the area above; of the city: its own
};

struct gw_city_grid {
    char code[16];
    char name[96];
    uint32_t village; // index of its area
    bool urban;
    bool special;                        // a school or hospital inside another grid
    uint32_t cell_first, cell_count;     // into `cells`: points that lie inside the grid
    uint32_t worker_first, worker_count; // into `roster`
};

// A shift on the clock of the city, in minutes after midnight; end < begin: past midnight.
struct gw_city_shift {
    uint16_t begin_minute, end_minute;
};

struct gw_city_worker {
    char id[16];   // "TL-F-00001" full-time, "TL-P-00001" part-time
    char name[48]; // invented, ends in " (synthetic)"
    bool full_time;
    uint32_t home_first, home_count; // into `homes`: 1 .. GW_CITY_HOME_GRIDS_MAX grids
    uint32_t skills;                 // bit i: gw_city_skill(i)
    uint32_t capacity;               // incidents at once
    struct gw_city_shift shift;
};

struct gw_city {
    uint64_t seed;
    uint32_t area_count, grid_count, cell_count, worker_count, home_count, roster_count;
    const struct gw_city_area *areas;     // [GW_CITY_AREAS]
    const struct gw_city_grid *grids;     // [GW_CITY_GRIDS] in the order of their codes
    const struct gw_point *cells;         // the small cells that grids were put together from
    const struct gw_city_worker *workers; // [GW_CITY_WORKERS] full-time first, in the order of ids
    const uint32_t *homes;                // grids of workers
    const uint32_t *roster;               // workers of grids
    struct gw_coverage coverage;          // rank = code order; borders of grids
    struct gw_coverage outline;           // one grid: the city as a whole
    void *memory;
};

// Makes the city: about half a second in an optimised build. GW_ENOMEM; GW_EINTERNAL: this seed
// gives no city in which every grid gets its land (none such is known; the text says where).
GW_MUST_CHECK gw_err gw_city_create(uint64_t seed, struct gw_city **city, struct gw_error *error);
void gw_city_destroy(struct gw_city *city); // accepts NULL

// Name of a skill, i < GW_CITY_SKILLS: "electricity", ...
const char *gw_city_skill(uint32_t i);

// Whether `minute` (0 .. 1439) of the day is within the shift.
bool gw_city_on_shift(struct gw_city_shift shift, uint32_t minute);

// A hash of everything in the city, for comparing runs: FNV-1a over its bytes in a fixed order.
uint64_t gw_city_hash(const struct gw_city *city);

// Writes the city of `seed` into `folder` (made if its last part is missing):
//   <county code>.geojson  its grids in WGS84 with code, name, kind (urban or rural), parent, and
//                          synthetic: true; the FeatureCollection's name and note say SYNTHETIC
//   areas.csv              code,name,level,parent of every area above the grids
//   workers.csv            id,name,kind,home_grids,skills,capacity,shift (lists parted by ';')
// Files are replaced one by one. GW_EIO, GW_ENOMEM; the text names the file.
// Example: gw_demo_write("/tmp/city", 1, &error), then
//   gridwarden import /tmp/city/*.geojson --areas /tmp/city/areas.csv --data DIR
//       --crs EPSG:4326 --kind-field kind --parent-field parent --publish
GW_MUST_CHECK gw_err gw_demo_write(const char *folder, uint64_t seed, struct gw_error *error);

// The same for a city that is there already.
GW_MUST_CHECK gw_err gw_city_write(const struct gw_city *city, const char *folder,
                                   struct gw_error *error);

#endif
