// An edition: one immutable, checked state of a layer, as one mapped file.
//
// The file holds codes, names, kinds, parents, priorities, the geometry on the lattice (a
// gw_coverage) and the grid index, position-independent and with a checksum; opening it maps it and
// serves at once, nothing is built again. Areas above the grids are in it too.
//
// Threads: an opened edition is const; any number of threads may read it.
#ifndef GW_SERVICES_GRIDS_EDITION_H
#define GW_SERVICES_GRIDS_EDITION_H

#include "geo/coverage.h"
#include "geo/grid_index.h"
#include "services/base/error.h"

#define GW_LAYER_RESPONSIBLE "grid" // the layer that covers each point at most once

#define GW_AREA_NONE UINT32_MAX
#define GW_CODE_MAX 64u   // bytes of a code with its NUL
#define GW_NAME_MAX 256u  // bytes of a name or label with its NUL
#define GW_LAYER_MAX 32u  // bytes of a layer's name with its NUL
#define GW_AREA_LEVELS 4u // village, township, county, city
#define GW_GRID_KIND_MAX 3u

struct gw_edition;

struct gw_area {
    const char *code, *name; // NUL-terminated, in the mapping
    uint32_t level;          // 1 village, 2 township, 3 county, 4 city
    uint32_t parent;         // index of the area above, or GW_AREA_NONE
};

struct gw_grid {
    const char *code, *name;
    uint32_t kind;     // Gridwarden.V1 GridKind
    uint32_t priority; // smaller answers where polygons overlap
    uint32_t parent;   // index of the area right above, or GW_AREA_NONE
};

// Maps and verifies a file. GW_ECORRUPT: checksum or structure is wrong. GW_ENOTFOUND: no such
// file.
GW_MUST_CHECK gw_err gw_edition_open(const char *path, struct gw_edition **edition,
                                     struct gw_error *error);

// The same from bytes that the caller keeps alive and unchanged until it is closed; 8-byte aligned.
GW_MUST_CHECK gw_err gw_edition_open_bytes(const void *bytes, size_t size,
                                           struct gw_edition **edition, struct gw_error *error);

void gw_edition_close(struct gw_edition *edition); // accepts NULL

const char *gw_edition_layer(const struct gw_edition *edition);
uint64_t gw_edition_number(const struct gw_edition *edition);
const char *gw_edition_label(const struct gw_edition *edition);
int64_t gw_edition_created_ms(const struct gw_edition *edition);
// The checksum in the file (XXH3-128 of what it holds) as 32 hexadecimal digits and a NUL.
void gw_edition_content_hash(const struct gw_edition *edition, char out[33]);

const struct gw_coverage *gw_edition_coverage(const struct gw_edition *edition);
const struct gw_grid_index *gw_edition_index(const struct gw_edition *edition);
const struct gw_box *gw_edition_boxes(const struct gw_edition *edition); // of each grid

uint32_t gw_edition_grid_count(const struct gw_edition *edition);
struct gw_grid gw_edition_grid(const struct gw_edition *edition, uint32_t grid);
// The grid with this code, or GW_GRID_NONE. O(log grids).
uint32_t gw_edition_find_grid(const struct gw_edition *edition, const char *code);
// The i-th grid in byte order of codes, for lists.
uint32_t gw_edition_grid_by_code_order(const struct gw_edition *edition, uint32_t i);
// How many codes come before `code` in byte order: where a list that starts there begins.
uint32_t gw_edition_code_lower_bound(const struct gw_edition *edition, const char *code);

uint32_t gw_edition_area_count(const struct gw_edition *edition);
struct gw_area gw_edition_area(const struct gw_edition *edition, uint32_t area);
uint32_t gw_edition_find_area(const struct gw_edition *edition, const char *code);
// Areas above a grid from the lowest up, into out; returns how many.
uint32_t gw_edition_chain(const struct gw_edition *edition, uint32_t grid,
                          uint32_t out[GW_AREA_LEVELS]);

// Geodesic nearest grid for a point that nobody answers for; see gw_coverage_nearest.
GW_MUST_CHECK gw_err gw_edition_nearest(const struct gw_edition *edition, struct gw_point point,
                                        uint32_t *grid, double *distance_m);

#endif
