// Reading an edition: opening, checking and the accessors. See edition_format.h for the bytes.
#include "services/grids/edition.h"
#include "services/grids/edition_format.h"
#include "services/grids/text.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

struct gw_edition {
    const unsigned char *bytes;
    size_t size;
    bool mapped; // ours to unmap
    const struct gw_edition_header *header;
    const struct gw_edition_meta *meta;
    const char *strings;
    uint64_t strings_size;
    const struct gw_area_record *areas;
    const struct gw_grid_record *grids;
    const uint32_t *code_order;
    const struct gw_box *boxes;
    struct gw_coverage coverage;
    struct gw_grid_index index;
};

static const void *section(const struct gw_edition *edition, enum gw_edition_section which) {
    return edition->bytes + edition->header->sections[which].offset;
}

static gw_err corrupt(struct gw_error *error, const char *what) {
    return gw_error_set(error, GW_ECORRUPT,
                        "the edition file is damaged (%s): restore it or import the edition again",
                        what);
}

static gw_err check_header(struct gw_edition *edition, struct gw_error *error) {
    const struct gw_edition_header *header = edition->header;
    if (edition->size < sizeof(*header) || (uintptr_t)edition->bytes % 8u != 0) {
        return corrupt(error, "it is too short");
    }
    if (memcmp(header->magic, GW_EDITION_MAGIC, sizeof(header->magic)) != 0 ||
        header->byte_order != GW_EDITION_BYTE_ORDER) {
        return corrupt(error, "it does not begin like an edition");
    }
    if (header->version != GW_EDITION_VERSION) {
        return gw_error_set(error, GW_EUNSUPPORTED,
                            "the edition file has format %u and this program reads %u: import the "
                            "edition again with this program",
                            header->version, GW_EDITION_VERSION);
    }
    if (header->file_size != edition->size) {
        return corrupt(error, "its length is wrong");
    }
    XXH128_canonical_t checksum;
    XXH128_canonicalFromHash(&checksum, XXH3_128bits(edition->bytes + GW_EDITION_HASH_FROM,
                                                     edition->size - GW_EDITION_HASH_FROM));
    return memcmp(checksum.digest, header->checksum, sizeof(header->checksum)) == 0
               ? GW_OK
               : corrupt(error, "its checksum is wrong");
}

// Every section lies in the file, behind the one before.
static bool spans_fit(const struct gw_edition *edition) {
    uint64_t end = sizeof(*edition->header);
    for (int i = 0; i < GW_SECTION_COUNT; i++) {
        const struct gw_edition_span *span = &edition->header->sections[i];
        if (span->offset < end || span->offset % 8u != 0 || span->offset > edition->size ||
            span->size > edition->size - span->offset) {
            return false;
        }
        end = span->offset + span->size;
    }
    return true;
}

// Every section is as long as the counts say.
static bool sizes_fit(const struct gw_edition *edition) {
    const struct gw_edition_span *spans = edition->header->sections;
    if (spans[GW_SECTION_META].size != sizeof(struct gw_edition_meta)) {
        return false;
    }
    const struct gw_edition_meta *meta = section(edition, GW_SECTION_META);
    uint64_t grids = meta->grid_count;
    uint64_t rings = meta->ring_count;
    return grids >= 1 && grids <= GW_GRIDS_MAX && meta->vertex_count <= GW_VERTICES_MAX &&
           spans[GW_SECTION_STRINGS].size >= 1 && spans[GW_SECTION_STRINGS].size <= UINT32_MAX &&
           spans[GW_SECTION_AREAS].size ==
               (uint64_t)meta->area_count * sizeof(struct gw_area_record) &&
           spans[GW_SECTION_GRIDS].size == grids * sizeof(struct gw_grid_record) &&
           spans[GW_SECTION_CODE_ORDER].size == grids * sizeof(uint32_t) &&
           spans[GW_SECTION_CODE_RANKS].size == grids * sizeof(uint32_t) &&
           spans[GW_SECTION_GRID_RINGS].size == (grids + 1u) * sizeof(uint32_t) &&
           spans[GW_SECTION_RING_VERTICES].size == (rings + 1u) * sizeof(uint32_t) &&
           spans[GW_SECTION_RING_KINDS].size == rings &&
           spans[GW_SECTION_VERTICES].size ==
               (uint64_t)meta->vertex_count * sizeof(struct gw_point) &&
           spans[GW_SECTION_BOXES].size == grids * sizeof(struct gw_box);
}

static void bind_sections(struct gw_edition *edition) {
    edition->meta = section(edition, GW_SECTION_META);
    edition->strings = section(edition, GW_SECTION_STRINGS);
    edition->strings_size = edition->header->sections[GW_SECTION_STRINGS].size;
    edition->areas = section(edition, GW_SECTION_AREAS);
    edition->grids = section(edition, GW_SECTION_GRIDS);
    edition->code_order = section(edition, GW_SECTION_CODE_ORDER);
    edition->boxes = section(edition, GW_SECTION_BOXES);
    edition->coverage = (struct gw_coverage){
        .grid_count = edition->meta->grid_count,
        .ring_count = edition->meta->ring_count,
        .vertex_count = edition->meta->vertex_count,
        .grid_rings = section(edition, GW_SECTION_GRID_RINGS),
        .ring_vertices = section(edition, GW_SECTION_RING_VERTICES),
        .ring_kinds = section(edition, GW_SECTION_RING_KINDS),
        .vertices = section(edition, GW_SECTION_VERTICES),
        .code_ranks = section(edition, GW_SECTION_CODE_RANKS),
    };
}

// A text of fewer than `max` bytes of UTF-8 starts at the offset. The pool's last byte is NUL
// (checked first).
static bool text_fits(const struct gw_edition *edition, uint32_t offset, size_t max) {
    if (offset >= edition->strings_size) {
        return false;
    }
    size_t size = strnlen(edition->strings + offset, max);
    return size < max && gw_text_ok(edition->strings + offset, size);
}

static bool code_fits(const struct gw_edition *edition, uint32_t offset) {
    return text_fits(edition, offset, GW_CODE_MAX) && edition->strings[offset] != '\0';
}

static const char *text_at(const struct gw_edition *edition, uint32_t offset) {
    return edition->strings + offset;
}

static bool areas_fit(const struct gw_edition *edition) {
    uint32_t count = edition->meta->area_count;
    for (uint32_t i = 0; i < count; i++) {
        const struct gw_area_record *area = &edition->areas[i];
        if (!code_fits(edition, area->code) || !text_fits(edition, area->name, GW_NAME_MAX) ||
            area->level < 1 || area->level > GW_AREA_LEVELS) {
            return false;
        }
        // Levels rise along parents, so every chain ends.
        if (area->parent != GW_AREA_NONE &&
            (area->parent >= count || edition->areas[area->parent].level <= area->level)) {
            return false;
        }
        if (i > 0 && strcmp(text_at(edition, edition->areas[i - 1].code),
                            text_at(edition, area->code)) >= 0) {
            return false;
        }
    }
    return true;
}

static bool box_fits(const struct gw_edition *edition, uint32_t grid) {
    const struct gw_coverage *coverage = &edition->coverage;
    uint32_t from = coverage->ring_vertices[coverage->grid_rings[grid]];
    uint32_t to = coverage->ring_vertices[coverage->grid_rings[grid + 1]];
    struct gw_box box = {coverage->vertices[from], coverage->vertices[from]};
    for (uint32_t i = from; i < to; i++) {
        struct gw_point point = coverage->vertices[i];
        box.min.lon = point.lon < box.min.lon ? point.lon : box.min.lon;
        box.min.lat = point.lat < box.min.lat ? point.lat : box.min.lat;
        box.max.lon = point.lon > box.max.lon ? point.lon : box.max.lon;
        box.max.lat = point.lat > box.max.lat ? point.lat : box.max.lat;
    }
    return memcmp(&box, &edition->boxes[grid], sizeof(box)) == 0;
}

// Rows, rank order, code order and boxes. The coverage itself has been checked.
static bool grids_fit(const struct gw_edition *edition) {
    const uint32_t *ranks = edition->coverage.code_ranks;
    uint32_t count = edition->meta->grid_count;
    for (uint32_t i = 0; i < count; i++) {
        const struct gw_grid_record *grid = &edition->grids[i];
        if (!code_fits(edition, grid->code) || !text_fits(edition, grid->name, GW_NAME_MAX) ||
            grid->kind > GW_GRID_KIND_MAX || !box_fits(edition, i) ||
            (grid->parent != GW_AREA_NONE && grid->parent >= edition->meta->area_count)) {
            return false;
        }
        if (i > 0 && (grid[-1].priority > grid->priority ||
                      (grid[-1].priority == grid->priority && ranks[i - 1] >= ranks[i]))) {
            return false;
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t grid = edition->code_order[i];
        if (grid >= count || ranks[grid] != i) {
            return false;
        }
        if (i > 0 && strcmp(text_at(edition, edition->grids[edition->code_order[i - 1]].code),
                            text_at(edition, edition->grids[grid].code)) >= 0) {
            return false;
        }
    }
    return true;
}

static gw_err check_structure(struct gw_edition *edition, struct gw_error *error) {
    if (!spans_fit(edition) || !sizes_fit(edition)) {
        return corrupt(error, "a section does not fit");
    }
    bind_sections(edition);
    if (edition->strings[edition->strings_size - 1] != '\0' ||
        !text_fits(edition, edition->meta->layer, GW_LAYER_MAX) ||
        !text_fits(edition, edition->meta->label, GW_NAME_MAX)) {
        return corrupt(error, "a text does not fit");
    }
    gw_err err = gw_coverage_check(&edition->coverage);
    if (err != GW_OK) {
        return err == GW_ENOMEM ? gw_error_set(error, err, "out of memory while opening an edition")
                                : corrupt(error, "the geometry is inconsistent");
    }
    if (!areas_fit(edition)) {
        return corrupt(error, "the areas are inconsistent");
    }
    if (!grids_fit(edition)) {
        return corrupt(error, "the grids are inconsistent");
    }
    if (gw_grid_index_open(section(edition, GW_SECTION_INDEX),
                           edition->header->sections[GW_SECTION_INDEX].size,
                           &edition->index) != GW_OK ||
        edition->index.grid_count != edition->meta->grid_count) {
        return corrupt(error, "the index is inconsistent");
    }
    return GW_OK;
}

gw_err gw_edition_open_bytes(const void *bytes, size_t size, struct gw_edition **edition,
                             struct gw_error *error) {
    struct gw_edition *opened = calloc(1, sizeof(*opened));
    if (opened == NULL) {
        return gw_error_set(error, GW_ENOMEM, "out of memory while opening an edition");
    }
    opened->bytes = bytes;
    opened->size = size;
    opened->header = bytes;
    gw_err err = check_header(opened, error);
    if (err == GW_OK) {
        err = check_structure(opened, error);
    }
    if (err != GW_OK) {
        free(opened);
        return err;
    }
    *edition = opened;
    return GW_OK;
}

static gw_err map_file(const char *path, void **bytes, size_t *size, struct gw_error *error) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return gw_error_set(error, errno == ENOENT ? GW_ENOTFOUND : GW_EIO,
                            "cannot open the edition file %s: %s", path, strerror(errno));
    }
    struct stat status;
    gw_err err = GW_OK;
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
        err = gw_error_set(error, GW_EIO, "%s is not a file", path);
    } else if (status.st_size < (off_t)sizeof(struct gw_edition_header)) {
        err = gw_error_set(error, GW_ECORRUPT,
                           "%s is too short for an edition file: import the edition again", path);
    } else {
        *size = (size_t)status.st_size;
        *bytes = mmap(NULL, *size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (*bytes == MAP_FAILED) {
            err = gw_error_set(error, GW_EIO, "cannot map %s: %s", path, strerror(errno));
        }
    }
    (void)close(fd);
    return err;
}

gw_err gw_edition_open(const char *path, struct gw_edition **edition, struct gw_error *error) {
    void *bytes = NULL;
    size_t size = 0;
    gw_err err = map_file(path, &bytes, &size, error);
    if (err != GW_OK) {
        return err;
    }
    struct gw_error why = {GW_OK, ""};
    err = gw_edition_open_bytes(bytes, size, edition, &why);
    if (err != GW_OK) {
        (void)munmap(bytes, size);
        return gw_error_set(error, err, "%s: %s", path, why.text);
    }
    (*edition)->mapped = true;
    return GW_OK;
}

void gw_edition_close(struct gw_edition *edition) {
    if (edition == NULL) {
        return;
    }
    if (edition->mapped) {
        union {
            const unsigned char *read;
            void *unmap;
        } bytes = {edition->bytes}; // munmap takes a pointer to non-const
        (void)munmap(bytes.unmap, edition->size);
    }
    free(edition);
}

const char *gw_edition_layer(const struct gw_edition *edition) {
    return text_at(edition, edition->meta->layer);
}

uint64_t gw_edition_number(const struct gw_edition *edition) {
    return edition->meta->number;
}

const char *gw_edition_label(const struct gw_edition *edition) {
    return text_at(edition, edition->meta->label);
}

int64_t gw_edition_created_ms(const struct gw_edition *edition) {
    return edition->meta->created_ms;
}

void gw_edition_content_hash(const struct gw_edition *edition, char out[33]) {
    static const char digits[] = "0123456789abcdef";
    for (int i = 0; i < 16; i++) {
        out[2 * i] = digits[edition->header->checksum[i] >> 4];
        out[2 * i + 1] = digits[edition->header->checksum[i] & 15];
    }
    out[32] = '\0';
}

const struct gw_coverage *gw_edition_coverage(const struct gw_edition *edition) {
    return &edition->coverage;
}

const struct gw_grid_index *gw_edition_index(const struct gw_edition *edition) {
    return &edition->index;
}

const struct gw_box *gw_edition_boxes(const struct gw_edition *edition) {
    return edition->boxes;
}

uint32_t gw_edition_grid_count(const struct gw_edition *edition) {
    return edition->meta->grid_count;
}

struct gw_grid gw_edition_grid(const struct gw_edition *edition, uint32_t grid) {
    const struct gw_grid_record *record = &edition->grids[grid];
    return (struct gw_grid){
        .code = text_at(edition, record->code),
        .name = text_at(edition, record->name),
        .kind = record->kind,
        .priority = record->priority,
        .parent = record->parent,
    };
}

uint32_t gw_edition_code_lower_bound(const struct gw_edition *edition, const char *code) {
    uint32_t from = 0;
    uint32_t to = edition->meta->grid_count;
    while (from < to) {
        uint32_t middle = from + (to - from) / 2;
        const char *here = text_at(edition, edition->grids[edition->code_order[middle]].code);
        if (strcmp(here, code) < 0) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    return from;
}

uint32_t gw_edition_find_grid(const struct gw_edition *edition, const char *code) {
    uint32_t at = gw_edition_code_lower_bound(edition, code);
    if (at == edition->meta->grid_count) {
        return GW_GRID_NONE;
    }
    uint32_t grid = edition->code_order[at];
    return strcmp(text_at(edition, edition->grids[grid].code), code) == 0 ? grid : GW_GRID_NONE;
}

uint32_t gw_edition_grid_by_code_order(const struct gw_edition *edition, uint32_t i) {
    return edition->code_order[i];
}

uint32_t gw_edition_area_count(const struct gw_edition *edition) {
    return edition->meta->area_count;
}

struct gw_area gw_edition_area(const struct gw_edition *edition, uint32_t area) {
    const struct gw_area_record *record = &edition->areas[area];
    return (struct gw_area){
        .code = text_at(edition, record->code),
        .name = text_at(edition, record->name),
        .level = record->level,
        .parent = record->parent,
    };
}

uint32_t gw_edition_find_area(const struct gw_edition *edition, const char *code) {
    uint32_t from = 0;
    uint32_t to = edition->meta->area_count;
    while (from < to) {
        uint32_t middle = from + (to - from) / 2;
        int order = strcmp(text_at(edition, edition->areas[middle].code), code);
        if (order == 0) {
            return middle;
        }
        if (order < 0) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    return GW_AREA_NONE;
}

uint32_t gw_edition_chain(const struct gw_edition *edition, uint32_t grid,
                          uint32_t out[GW_AREA_LEVELS]) {
    uint32_t count = 0;
    uint32_t area = edition->grids[grid].parent;
    while (area != GW_AREA_NONE && count < GW_AREA_LEVELS) {
        out[count++] = area;
        area = edition->areas[area].parent;
    }
    return count;
}

gw_err gw_edition_nearest(const struct gw_edition *edition, struct gw_point point, uint32_t *grid,
                          double *distance_m) {
    return gw_coverage_nearest(&edition->coverage, edition->boxes, point, grid, distance_m);
}
