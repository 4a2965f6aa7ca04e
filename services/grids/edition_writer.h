// Writing an edition: plain rows in memory become one checked, indexed file.
//
// The rows come in any order; the writer ranks them (priority, then code in byte order), places the
// areas, builds the index and puts the file at its path with everything in it or not at all.
#ifndef GW_SERVICES_GRIDS_EDITION_WRITER_H
#define GW_SERVICES_GRIDS_EDITION_WRITER_H

#include "geo/coverage.h"
#include "geo/grid_index.h"
#include "services/base/error.h"
#include "services/grids/edition.h"
#include <stdint.h>

// A ring as gw_coverage wants it: not closed, shells counter-clockwise, holes clockwise.
struct gw_edition_ring {
    const struct gw_point *vertices;
    uint32_t vertex_count;
    uint8_t kind; // enum gw_ring_kind; a polygon is a shell and then its holes
};

struct gw_edition_grid_row {
    const char *code, *name; // UTF-8, fewer than GW_CODE_MAX and GW_NAME_MAX bytes; code not empty
    const char *parent_code; // "": from a code of 12 and more digits alone, else none
    uint32_t kind, priority;
    const struct gw_edition_ring *rings;
    uint32_t ring_count;
};

struct gw_edition_area_row {
    const char *code, *name;
    const char *parent_code; // "": the longest of 9, 6, 4 digits that the code begins with
    uint32_t level;          // 1 village, 2 township, 3 county, 4 city
};

struct gw_edition_input {
    const char *layer, *label;
    uint64_t number;
    int64_t created_ms;
    const struct gw_edition_grid_row *grids;
    uint32_t grid_count; // 1 .. GW_GRIDS_MAX
    const struct gw_edition_area_row *areas;
    uint32_t area_count;
    struct gw_grid_index_options index; // zero: the defaults
    void (*progress)(void *context, const char *phase, uint64_t done,
                     uint64_t total); // may be NULL
    void *context;
};

struct gw_edition_written {
    uint64_t vertices, areas, index_bytes, file_bytes;
    char content_hash[33];
};

// Writes the edition to `path` (beside it, synced, renamed, the folder synced; the folder is made
// if only its last part is missing). `written` may be NULL. On any error nothing is at `path` that
// was not there before. GW_EINVAL: a row is not as described (the text names it); GW_ENOSPC: too
// many vertices or a larger index than allowed; GW_EIO: the disk's words.
GW_MUST_CHECK gw_err gw_edition_write(const struct gw_edition_input *input, const char *path,
                                      struct gw_edition_written *written, struct gw_error *error);

#endif
