#include "services/grids/edition_writer.h"
#include "services/base/buffer.h"
#include "services/grids/edition_areas.h"
#include "services/grids/edition_file.h"
#include "services/grids/edition_format.h"
#include "services/grids/text.h"
#include <stdlib.h>
#include <string.h>

// Everything of the file before it is written. All arrays are ours.
struct draft {
    const struct gw_edition_input *input;
    uint32_t *ranked; // rows by rank
    uint32_t *coded;  // rows by code
    uint32_t *rank_of_row;
    struct gw_area_plan plan;
    struct gw_buffer strings;
    struct gw_edition_meta meta;
    struct gw_area_record *areas;
    struct gw_grid_record *grids;
    uint32_t *code_order, *code_ranks;
    uint32_t *grid_rings, *ring_vertices;
    uint8_t *ring_kinds;
    struct gw_point *vertices;
    struct gw_box *boxes;
    unsigned char *index;
    uint64_t index_bytes;
};

static void free_draft(struct draft *draft) {
    free(draft->ranked);
    free(draft->coded);
    free(draft->rank_of_row);
    free(draft->plan.areas);
    gw_buffer_free(&draft->strings);
    free(draft->areas);
    free(draft->grids);
    free(draft->code_order);
    free(draft->code_ranks);
    free(draft->grid_rings);
    free(draft->ring_vertices);
    free(draft->ring_kinds);
    free(draft->vertices);
    free(draft->boxes);
    free(draft->index);
}

static gw_err no_memory(struct gw_error *error) {
    return gw_error_set(error, GW_ENOMEM, "out of memory while writing an edition");
}

static void report(const struct draft *draft, const char *phase, uint64_t done) {
    if (draft->input->progress != NULL) {
        draft->input->progress(draft->input->context, phase, done, 1);
    }
}

static bool text_fits(const char *text, size_t max) {
    size_t size = strlen(text);
    return size < max && gw_text_ok(text, size);
}

static gw_err check_head(const struct gw_edition_input *input, struct gw_error *error) {
    if (input->layer[0] == '\0' || !text_fits(input->layer, GW_LAYER_MAX)) {
        return gw_error_set(error, GW_EINVAL, "a layer's name has 1 to %u bytes of UTF-8",
                            GW_LAYER_MAX - 1);
    }
    if (!text_fits(input->label, GW_NAME_MAX)) {
        return gw_error_set(error, GW_EINVAL, "a label has at most %u bytes of UTF-8",
                            GW_NAME_MAX - 1);
    }
    if (input->grid_count == 0 || input->grid_count > GW_GRIDS_MAX) {
        return gw_error_set(error, GW_EINVAL, "an edition has 1 to %u grids, and this one has %u",
                            GW_GRIDS_MAX, input->grid_count);
    }
    for (uint32_t i = 0; i < input->area_count; i++) {
        const struct gw_edition_area_row *row = &input->areas[i];
        if (row->code[0] == '\0' || !text_fits(row->code, GW_CODE_MAX) ||
            !text_fits(row->name, GW_NAME_MAX) || row->level < 1 || row->level > GW_AREA_LEVELS) {
            return gw_error_set(error, GW_EINVAL,
                                "area %u (%.60s): its code, name or level is not allowed", i + 1,
                                row->code);
        }
    }
    return GW_OK;
}

// Counts rings and vertices on the way.
static gw_err check_grids(struct draft *draft, struct gw_error *error) {
    const struct gw_edition_input *input = draft->input;
    uint64_t rings = 0;
    uint64_t vertices = 0;
    for (uint32_t i = 0; i < input->grid_count; i++) {
        const struct gw_edition_grid_row *row = &input->grids[i];
        if (row->code[0] == '\0' || !text_fits(row->code, GW_CODE_MAX)) {
            return gw_error_set(error, GW_EINVAL, "grid %u: a code has 1 to %u bytes of UTF-8",
                                i + 1, GW_CODE_MAX - 1);
        }
        if (!text_fits(row->name, GW_NAME_MAX)) {
            return gw_error_set(error, GW_EINVAL, "grid %s: a name has at most %u bytes of UTF-8",
                                row->code, GW_NAME_MAX - 1);
        }
        if (row->kind > GW_GRID_KIND_MAX) {
            return gw_error_set(error, GW_EINVAL, "grid %s: there is no kind %u", row->code,
                                row->kind);
        }
        rings += row->ring_count;
        for (uint32_t k = 0; k < row->ring_count; k++) {
            vertices += row->rings[k].vertex_count;
        }
        if (row->ring_count == 0 || rings > GW_VERTICES_MAX || vertices > GW_VERTICES_MAX) {
            return gw_error_set(error, row->ring_count == 0 ? GW_EINVAL : GW_ENOSPC,
                                row->ring_count == 0 ? "grid %s has no ring"
                                                     : "too many vertices at grid %s",
                                row->code);
        }
    }
    draft->meta.ring_count = (uint32_t)rings;
    draft->meta.vertex_count = (uint32_t)vertices;
    return GW_OK;
}

static int compare_codes(const void *a, const void *b, void *context) {
    const struct gw_edition_grid_row *rows = context;
    uint32_t left = *(const uint32_t *)a;
    uint32_t right = *(const uint32_t *)b;
    int order = strcmp(rows[left].code, rows[right].code);
    return order != 0 ? order : (left > right) - (left < right);
}

static gw_err sort_rows(struct draft *draft, struct gw_error *error) {
    const struct gw_edition_grid_row *rows = draft->input->grids;
    uint32_t count = draft->input->grid_count;
    draft->ranked = malloc(count * sizeof(uint32_t));
    draft->coded = malloc(count * sizeof(uint32_t));
    draft->rank_of_row = malloc(count * sizeof(uint32_t));
    if (draft->ranked == NULL || draft->coded == NULL || draft->rank_of_row == NULL) {
        return no_memory(error);
    }
    for (uint32_t i = 0; i < count; i++) {
        draft->coded[i] = i;
    }
    union {
        const struct gw_edition_grid_row *read;
        void *context;
    } pass = {rows}; // qsort_r takes a pointer to non-const
    qsort_r(draft->coded, count, sizeof(uint32_t), compare_codes, pass.context);
    for (uint32_t i = 1; i < count; i++) {
        if (strcmp(rows[draft->coded[i - 1]].code, rows[draft->coded[i]].code) == 0) {
            return gw_error_set(error, GW_EINVAL, "the grid code %s occurs twice",
                                rows[draft->coded[i]].code);
        }
    }
    return GW_OK;
}

struct rank_key {
    uint32_t priority, code_rank, row;
};

static int compare_ranks(const void *a, const void *b) {
    const struct rank_key *left = a;
    const struct rank_key *right = b;
    if (left->priority != right->priority) {
        return left->priority < right->priority ? -1 : 1;
    }
    return (left->code_rank > right->code_rank) - (left->code_rank < right->code_rank);
}

static gw_err rank_rows(struct draft *draft, struct gw_error *error) {
    uint32_t count = draft->input->grid_count;
    struct rank_key *keys = malloc(count * sizeof(*keys));
    if (keys == NULL) {
        return no_memory(error);
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t row = draft->coded[i];
        keys[i] = (struct rank_key){draft->input->grids[row].priority, i, row};
    }
    qsort(keys, count, sizeof(*keys), compare_ranks);
    for (uint32_t i = 0; i < count; i++) {
        draft->ranked[i] = keys[i].row;
        draft->rank_of_row[keys[i].row] = i;
    }
    free(keys);
    return GW_OK;
}

// Adds a text to the pool and returns its offset; every empty text is offset 0.
static uint32_t add_text(struct draft *draft, const char *text, size_t size) {
    if (size == 0) {
        return 0;
    }
    size_t offset = draft->strings.size;
    gw_buffer_append(&draft->strings, text, size);
    gw_buffer_append(&draft->strings, "", 1);
    return (uint32_t)offset;
}

static gw_err fill_rows(struct draft *draft, struct gw_error *error) {
    const struct gw_edition_input *input = draft->input;
    draft->areas = calloc(draft->plan.count + 1u, sizeof(*draft->areas));
    draft->grids = calloc(input->grid_count, sizeof(*draft->grids));
    if (draft->areas == NULL || draft->grids == NULL) {
        return no_memory(error);
    }
    gw_buffer_append(&draft->strings, "", 1);
    draft->meta.number = input->number;
    draft->meta.created_ms = input->created_ms;
    draft->meta.grid_count = input->grid_count;
    draft->meta.area_count = draft->plan.count;
    draft->meta.layer = add_text(draft, input->layer, strlen(input->layer));
    draft->meta.label = add_text(draft, input->label, strlen(input->label));
    for (uint32_t i = 0; i < draft->plan.count; i++) {
        const struct gw_planned_area *area = &draft->plan.areas[i];
        draft->areas[i] = (struct gw_area_record){
            .code = add_text(draft, area->code.text, area->code.size),
            .name = add_text(draft, area->name, strlen(area->name)),
            .level = area->level,
            .parent = area->parent,
        };
    }
    for (uint32_t i = 0; i < input->grid_count; i++) {
        const struct gw_edition_grid_row *row = &input->grids[draft->ranked[i]];
        struct gw_code_slice parent = gw_grid_parent_code(row->code, row->parent_code);
        draft->grids[i] = (struct gw_grid_record){
            .code = add_text(draft, row->code, strlen(row->code)),
            .name = add_text(draft, row->name, strlen(row->name)),
            .kind = row->kind,
            .priority = row->priority,
            .parent = parent.size == 0 ? GW_AREA_NONE : gw_area_plan_find(&draft->plan, parent),
        };
        if (draft->strings.size > UINT32_MAX / 2) {
            return gw_error_set(error, GW_ENOSPC, "codes and names fill more than 2 GiB");
        }
    }
    return draft->strings.failed ? no_memory(error) : GW_OK;
}

static gw_err reserve_geometry(struct draft *draft, struct gw_error *error) {
    size_t grids = draft->meta.grid_count;
    draft->code_order = malloc(grids * sizeof(uint32_t));
    draft->code_ranks = malloc(grids * sizeof(uint32_t));
    draft->grid_rings = malloc((grids + 1) * sizeof(uint32_t));
    draft->ring_vertices = malloc(((size_t)draft->meta.ring_count + 1) * sizeof(uint32_t));
    draft->ring_kinds = malloc((size_t)draft->meta.ring_count);
    draft->vertices = malloc((size_t)draft->meta.vertex_count * sizeof(struct gw_point) + 1u);
    draft->boxes = malloc(grids * sizeof(struct gw_box));
    bool got = draft->code_order != NULL && draft->code_ranks != NULL &&
               draft->grid_rings != NULL && draft->ring_vertices != NULL &&
               draft->ring_kinds != NULL && draft->vertices != NULL && draft->boxes != NULL;
    return got ? GW_OK : no_memory(error);
}

static void fill_geometry(struct draft *draft) {
    uint32_t ring = 0;
    uint32_t vertex = 0;
    for (uint32_t i = 0; i < draft->meta.grid_count; i++) {
        const struct gw_edition_grid_row *row = &draft->input->grids[draft->ranked[i]];
        draft->grid_rings[i] = ring;
        for (uint32_t k = 0; k < row->ring_count; k++, ring++) {
            const struct gw_edition_ring *from = &row->rings[k];
            draft->ring_vertices[ring] = vertex;
            draft->ring_kinds[ring] = from->kind;
            if (from->vertex_count > 0) {
                memcpy(&draft->vertices[vertex], from->vertices,
                       from->vertex_count * sizeof(struct gw_point));
            }
            vertex += from->vertex_count;
        }
    }
    draft->grid_rings[draft->meta.grid_count] = ring;
    draft->ring_vertices[ring] = vertex;
    for (uint32_t i = 0; i < draft->meta.grid_count; i++) {
        uint32_t grid = draft->rank_of_row[draft->coded[i]];
        draft->code_order[i] = grid;
        draft->code_ranks[grid] = i;
    }
}

static gw_err build_index(struct draft *draft, struct gw_error *error) {
    struct gw_coverage coverage = {
        .grid_count = draft->meta.grid_count,
        .ring_count = draft->meta.ring_count,
        .vertex_count = draft->meta.vertex_count,
        .grid_rings = draft->grid_rings,
        .ring_vertices = draft->ring_vertices,
        .ring_kinds = draft->ring_kinds,
        .vertices = draft->vertices,
        .code_ranks = draft->code_ranks,
    };
    gw_err err = gw_coverage_check(&coverage);
    if (err == GW_ENOMEM) {
        return no_memory(error);
    }
    if (err != GW_OK) {
        return gw_error_set(error, GW_EINVAL,
                            "the rings are not as an edition wants them: each of 3 vertices and "
                            "more, none repeated, a shell before its holes, within +-180 and +-90");
    }
    gw_coverage_boxes(&coverage, draft->boxes);
    report(draft, "indexing", 0);
    err = gw_grid_index_build(&coverage, &draft->input->index, &draft->index, &draft->index_bytes);
    if (err != GW_OK) {
        return gw_error_set(error, err, "cannot build the grid index: %s", gw_err_text(err));
    }
    report(draft, "indexing", 1);
    return GW_OK;
}

static gw_err save(struct draft *draft, const char *path, struct gw_edition_written *written,
                   struct gw_error *error) {
    uint64_t grids = draft->meta.grid_count;
    const struct gw_edition_piece pieces[GW_SECTION_COUNT] = {
        [GW_SECTION_META] = {&draft->meta, sizeof(draft->meta)},
        [GW_SECTION_STRINGS] = {draft->strings.data, draft->strings.size},
        [GW_SECTION_AREAS] = {draft->areas, draft->plan.count * sizeof(*draft->areas)},
        [GW_SECTION_GRIDS] = {draft->grids, grids * sizeof(*draft->grids)},
        [GW_SECTION_CODE_ORDER] = {draft->code_order, grids * sizeof(uint32_t)},
        [GW_SECTION_CODE_RANKS] = {draft->code_ranks, grids * sizeof(uint32_t)},
        [GW_SECTION_GRID_RINGS] = {draft->grid_rings, (grids + 1) * sizeof(uint32_t)},
        [GW_SECTION_RING_VERTICES] = {draft->ring_vertices,
                                      ((uint64_t)draft->meta.ring_count + 1) * sizeof(uint32_t)},
        [GW_SECTION_RING_KINDS] = {draft->ring_kinds, draft->meta.ring_count},
        [GW_SECTION_VERTICES] = {draft->vertices,
                                 (uint64_t)draft->meta.vertex_count * sizeof(struct gw_point)},
        [GW_SECTION_BOXES] = {draft->boxes, grids * sizeof(struct gw_box)},
        [GW_SECTION_INDEX] = {draft->index, draft->index_bytes},
    };
    struct gw_edition_written done = {
        .vertices = draft->meta.vertex_count,
        .areas = draft->plan.count,
        .index_bytes = draft->index_bytes,
    };
    report(draft, "writing", 0);
    gw_err err = gw_edition_file_save(path, pieces, &done.file_bytes, done.content_hash, error);
    if (err == GW_OK) {
        report(draft, "writing", 1);
        if (written != NULL) {
            *written = done;
        }
    }
    return err;
}

gw_err gw_edition_write(const struct gw_edition_input *input, const char *path,
                        struct gw_edition_written *written, struct gw_error *error) {
    struct draft draft = {.input = input};
    gw_err err = check_head(input, error);
    if (err == GW_OK) {
        err = check_grids(&draft, error);
    }
    if (err == GW_OK) {
        err = sort_rows(&draft, error);
    }
    if (err == GW_OK) {
        err = rank_rows(&draft, error);
    }
    if (err == GW_OK) {
        err = gw_area_plan_make(input, &draft.plan, error);
    }
    if (err == GW_OK) {
        err = fill_rows(&draft, error);
    }
    if (err == GW_OK) {
        err = reserve_geometry(&draft, error);
    }
    if (err == GW_OK) {
        fill_geometry(&draft);
        err = build_index(&draft, error);
    }
    if (err == GW_OK) {
        err = save(&draft, path, written, error);
    }
    free_draft(&draft);
    return err;
}
