#include "services/grids/import_rows.h"
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#define SLOTS_MIN 1024u

void gw_import_rows_free(struct gw_import_rows *rows) {
    free(rows->rows);
    free(rows->vertex_counts);
    free(rows->ring_kinds);
    free(rows->vertices);
    free(rows->slots);
    gw_buffer_free(&rows->texts);
    *rows = (struct gw_import_rows){.count = 0};
}

// At least `need` elements of `size` bytes; doubles, so that growing costs little in all.
static bool grow(void **array, size_t *capacity, size_t need, size_t size) {
    if (need <= *capacity) {
        return true;
    }
    size_t wanted = *capacity < 64 ? 64 : *capacity;
    while (wanted < need) {
        wanted *= 2;
    }
    void *grown = realloc(*array, wanted * size);
    if (grown == NULL) {
        return false;
    }
    *array = grown;
    *capacity = wanted;
    return true;
}

static size_t slot_of(const struct gw_import_rows *rows, const char *code) {
    size_t at = (size_t)XXH3_64bits(code, strlen(code)) & (rows->slot_count - 1);
    while (rows->slots[at].code != 0 &&
           strcmp(rows->texts.data + rows->slots[at].code - 1, code) != 0) {
        at = (at + 1) & (rows->slot_count - 1);
    }
    return at;
}

static bool grow_slots(struct gw_import_rows *rows) {
    if (rows->slots != NULL && rows->code_count * 2 < rows->slot_count) {
        return true;
    }
    struct gw_code_slot *old = rows->slots;
    size_t old_count = rows->slot_count;
    size_t count = old_count == 0 ? SLOTS_MIN : old_count * 2;
    struct gw_code_slot *slots = calloc(count, sizeof(*slots));
    if (slots == NULL) {
        return false;
    }
    rows->slots = slots;
    rows->slot_count = count;
    for (size_t i = 0; i < old_count; i++) {
        if (old[i].code != 0) {
            rows->slots[slot_of(rows, rows->texts.data + old[i].code - 1)] = old[i];
        }
    }
    free(old);
    return true;
}

static size_t keep_text(struct gw_import_rows *rows, const char *text) {
    size_t at = rows->texts.size;
    gw_buffer_append(&rows->texts, text, strlen(text) + 1);
    return at;
}

bool gw_import_rows_note_code(struct gw_import_rows *rows, const char *code, uint32_t file,
                              uint64_t feature, const struct gw_code_slot **first) {
    if (!grow_slots(rows)) {
        return false;
    }
    size_t at = slot_of(rows, code);
    *first = NULL;
    if (rows->slots[at].code != 0) {
        *first = &rows->slots[at];
        return true;
    }
    rows->slots[at] = (struct gw_code_slot){keep_text(rows, code) + 1, file, feature};
    rows->code_count++;
    return !rows->texts.failed;
}

bool gw_import_rows_reserve(struct gw_import_rows *rows, size_t count) {
    void *array = rows->vertices;
    bool grown =
        grow(&array, &rows->vertex_capacity, rows->vertex_count + count, sizeof(*rows->vertices));
    rows->vertices = array;
    return grown;
}

bool gw_import_rows_end_ring(struct gw_import_rows *rows, size_t count, enum gw_ring_kind kind) {
    void *counts = rows->vertex_counts;
    void *kinds = rows->ring_kinds;
    size_t counts_capacity = rows->ring_capacity;
    size_t kinds_capacity = rows->ring_capacity;
    bool grown = grow(&counts, &counts_capacity, rows->ring_count + 1, sizeof(uint32_t));
    rows->vertex_counts = counts;
    grown = grown && grow(&kinds, &kinds_capacity, rows->ring_count + 1, sizeof(uint8_t));
    rows->ring_kinds = kinds;
    if (!grown) {
        return false;
    }
    rows->ring_capacity = counts_capacity;
    rows->vertex_counts[rows->ring_count] = (uint32_t)count;
    rows->ring_kinds[rows->ring_count++] = (uint8_t)kind;
    rows->vertex_count += count;
    return true;
}

void gw_import_rows_drop(struct gw_import_rows *rows, size_t ring_count, size_t vertex_count) {
    rows->ring_count = ring_count;
    rows->vertex_count = vertex_count;
}

bool gw_import_rows_add(struct gw_import_rows *rows, const struct gw_import_row *row,
                        const char *code, const char *name, const char *parent) {
    void *array = rows->rows;
    bool grown = grow(&array, &rows->row_capacity, rows->count + 1, sizeof(*rows->rows));
    rows->rows = array;
    if (!grown) {
        return false;
    }
    struct gw_import_row *added = &rows->rows[rows->count++];
    *added = *row;
    added->code = keep_text(rows, code);
    added->name = keep_text(rows, name);
    added->parent = keep_text(rows, parent);
    added->ring_count = rows->ring_count - row->ring_first;
    return !rows->texts.failed;
}

bool gw_import_rows_export(const struct gw_import_rows *rows, struct gw_edition_grid_row **grids,
                           struct gw_edition_ring **rings) {
    *grids = calloc(rows->count + 1, sizeof(**grids));
    *rings = calloc(rows->ring_count + 1, sizeof(**rings));
    if (*grids == NULL || *rings == NULL) {
        return false;
    }
    size_t vertex = 0;
    for (size_t i = 0; i < rows->ring_count; i++) {
        (*rings)[i] = (struct gw_edition_ring){rows->vertices + vertex, rows->vertex_counts[i],
                                               rows->ring_kinds[i]};
        vertex += rows->vertex_counts[i];
    }
    for (size_t i = 0; i < rows->count; i++) {
        const struct gw_import_row *row = &rows->rows[i];
        (*grids)[i] = (struct gw_edition_grid_row){
            .code = rows->texts.data + row->code,
            .name = rows->texts.data + row->name,
            .parent_code = rows->texts.data + row->parent,
            .kind = row->kind,
            .priority = row->priority,
            .rings = *rings + row->ring_first,
            .ring_count = (uint32_t)row->ring_count,
        };
    }
    return true;
}
