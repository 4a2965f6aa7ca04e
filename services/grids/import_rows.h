// What an import has collected so far: grids with their texts and rings, all in growing arrays.
// Private to the importer.
#ifndef GW_SERVICES_GRIDS_IMPORT_ROWS_H
#define GW_SERVICES_GRIDS_IMPORT_ROWS_H

#include "geo/coverage.h"
#include "services/base/buffer.h"
#include "services/grids/edition_writer.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gw_import_row {
    size_t code, name, parent; // offsets in the texts
    uint32_t kind, priority;
    uint32_t file;    // index of the file that it came from
    uint64_t feature; // number in the file
    size_t ring_first, ring_count;
};

struct gw_import_rows {
    struct gw_import_row *rows;
    size_t count, row_capacity;
    uint32_t *vertex_counts; // of each ring
    uint8_t *ring_kinds;
    size_t ring_count, ring_capacity;
    struct gw_point *vertices;
    size_t vertex_count, vertex_capacity;
    struct gw_buffer texts;
    struct gw_code_slot *slots; // hash table of codes
    size_t slot_count, code_count;
};

// Where a code was seen first.
struct gw_code_slot {
    size_t code; // offset in the texts + 1; 0: free
    uint32_t file;
    uint64_t feature;
};

void gw_import_rows_free(struct gw_import_rows *rows);

// Notes a code. *first is where it was seen before, or NULL when it is new. False: out of memory.
bool gw_import_rows_note_code(struct gw_import_rows *rows, const char *code, uint32_t file,
                              uint64_t feature, const struct gw_code_slot **first);

// Room for `count` more vertices at rows->vertices + rows->vertex_count. False: out of memory.
bool gw_import_rows_reserve(struct gw_import_rows *rows, size_t count);

// Ends a ring of the next `count` vertices. False: out of memory.
bool gw_import_rows_end_ring(struct gw_import_rows *rows, size_t count, enum gw_ring_kind kind);

// Drops the rings and vertices that lie behind these counts.
void gw_import_rows_drop(struct gw_import_rows *rows, size_t ring_count, size_t vertex_count);

// Adds a row, whose texts are copied and whose rings are those from ring_first on. False: no
// memory.
bool gw_import_rows_add(struct gw_import_rows *rows, const struct gw_import_row *row,
                        const char *code, const char *name, const char *parent);

// The rows as the writer takes them, in two arrays that the caller frees, pointing into `rows`.
// False: out of memory.
bool gw_import_rows_export(const struct gw_import_rows *rows, struct gw_edition_grid_row **grids,
                           struct gw_edition_ring **rings);

#endif
