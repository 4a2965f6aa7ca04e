#include "geo/grid_index.h"
#include "geo/grid_index_format.h"

#include <string.h>

#define DEPTH_MAX (GW_INDEX_SHIFT_MAX / 2u + 1u)
#define SUB_CELLS 16u

// A walk over every entry. Each sub table and each leaf belongs to one entry alone, so what a walk
// has seen never exceeds what there is; damage that shares or loops is noticed by that.
struct walk {
    const struct gw_grid_index *index;
    struct gw_grid_index_shape shape;
    uint64_t subs, leaf_words; // seen
};

static bool grid_known(const struct gw_grid_index *index, uint32_t grid) {
    return grid < index->grid_count;
}

static bool vertices_valid(const uint32_t *words, uint32_t count) {
    bool valid = true;
    for (uint32_t i = 0; i < count; i += 2) {
        struct gw_point p = {gw_word_lon(words + i), gw_word_lat(words + i)};
        // A level end's further vertex may lie one unit beyond the pole.
        valid &= p.lon >= -GW_LON_MAX && p.lon <= GW_LON_MAX && p.lat >= -GW_LAT_MAX &&
                 p.lat <= GW_LAT_MAX + 1;
    }
    return valid;
}

static bool walk_pair(struct walk *walk, uint32_t payload) {
    const struct gw_grid_index *index = walk->index;
    uint32_t offset = payload & GW_LEAF_MASK;
    uint64_t room = index->leaf_words - (uint64_t)offset;
    if (offset >= index->leaf_words || room < GW_PAIR_WORDS) {
        return false;
    }
    const uint32_t *leaf = index->leaves + offset;
    uint32_t words = gw_chain_words(leaf[0]);
    walk->leaf_words += GW_PAIR_WORDS + words;
    walk->shape.pair_leaves++;
    walk->shape.leaf_edges += gw_chain_edges(leaf[0]);
    bool base = (leaf[0] & GW_PAIR_BASE) != 0;
    bool single = (payload & GW_LEAF_ONE_EDGE) != 0;
    return words != 0 && single == (gw_chain_edges(leaf[0]) == 1) &&
           leaf[0] == gw_pair_head(leaf[0] & GW_CHAIN_MASK, base) &&
           room >= GW_PAIR_WORDS + (uint64_t)words && grid_known(index, leaf[1]) &&
           (leaf[2] == GW_GRID_NONE || grid_known(index, leaf[2])) &&
           vertices_valid(leaf + GW_PAIR_WORDS, words);
}

static bool walk_list(struct walk *walk, uint32_t offset) {
    const struct gw_grid_index *index = walk->index;
    uint64_t at = offset;
    walk->shape.list_leaves++;
    for (;;) {
        if (at + GW_LIST_WORDS > index->leaf_words) {
            return false;
        }
        const uint32_t *record = index->leaves + at;
        uint32_t words = gw_chain_words(record[0]);
        at += GW_LIST_WORDS + (uint64_t)words;
        walk->leaf_words += GW_LIST_WORDS + (uint64_t)words;
        walk->shape.leaf_edges += gw_chain_edges(record[0]);
        if (at > index->leaf_words || walk->leaf_words > index->leaf_words ||
            !grid_known(index, record[1] & GW_LIST_GRID_MASK) ||
            !vertices_valid(record + GW_LIST_WORDS, words)) {
            return false;
        }
        if ((record[0] & GW_LIST_LAST) != 0) {
            return (record[0] & GW_LIST_MORE) == 0;
        }
    }
}

// An entry that is no sub table.
static bool walk_end(struct walk *walk, uint32_t entry) {
    uint32_t payload = entry & GW_PAYLOAD_MASK;
    bool fine = true;
    switch ((enum gw_index_tag)(entry >> GW_TAG_SHIFT)) {
    case GW_TAG_OWNER:
        walk->shape.empty_cells += payload == 0;
        walk->shape.true_hit_cells += payload != 0;
        fine = payload <= walk->index->grid_count;
        break;
    case GW_TAG_PAIR:
        fine = walk_pair(walk, payload);
        break;
    case GW_TAG_LIST:
        fine = payload <= GW_LEAF_MASK && walk_list(walk, payload);
        break;
    case GW_TAG_SUB:
        fine = false;
        break;
    }
    return fine && walk->leaf_words <= walk->index->leaf_words;
}

static bool walk_entry(struct walk *walk, uint32_t entry) {
    struct {
        uint32_t sub, child;
    } stack[DEPTH_MAX];
    uint32_t depth = 0;
    const struct gw_grid_index *index = walk->index;
    for (;;) {
        if (entry >> GW_TAG_SHIFT == GW_TAG_SUB) {
            uint32_t sub = entry & GW_PAYLOAD_MASK;
            if (sub >= index->sub_count || ++walk->subs > index->sub_count ||
                index->cell_shift < 2u * (depth + 1u)) {
                return false;
            }
            stack[depth].sub = sub;
            stack[depth].child = 0;
            depth++;
        } else if (!walk_end(walk, entry)) {
            return false;
        }
        while (depth > 0 && stack[depth - 1].child == SUB_CELLS) {
            depth--;
        }
        if (depth == 0) {
            return true;
        }
        entry = index->subs[(size_t)stack[depth - 1].sub * SUB_CELLS + stack[depth - 1].child++];
    }
}

static bool walk_all(struct walk *walk) {
    const struct gw_grid_index *index = walk->index;
    size_t cells = (size_t)index->cols * index->rows;
    for (size_t i = 0; i < cells; i++) {
        if (!walk_entry(walk, index->table[i])) {
            return false;
        }
    }
    return true;
}

// Whether a section of `count` items lies within [from, limit].
static bool section_fits(uint64_t offset, uint64_t count, uint64_t item, uint64_t from,
                         uint64_t limit) {
    return offset % GW_INDEX_ALIGN == 0 && offset >= from && offset <= limit &&
           count <= (limit - offset) / item;
}

static bool header_fits(const struct gw_index_header *header, uint64_t size) {
    if (memcmp(header->magic, GW_INDEX_MAGIC, sizeof(header->magic)) != 0 ||
        header->version != GW_GRID_INDEX_VERSION || header->byte_order != GW_INDEX_BYTE_ORDER ||
        header->size != size || header->cell_shift > GW_INDEX_SHIFT_MAX ||
        header->grid_count > GW_GRIDS_MAX || header->leaf_words < GW_INDEX_LINE_WORDS ||
        (header->cols == 0) != (header->rows == 0)) {
        return false;
    }
    // Unsigned differences of coordinates must not wrap back into the table.
    int64_t width = (int64_t)header->cols << header->cell_shift;
    int64_t height = (int64_t)header->rows << header->cell_shift;
    int64_t margin = INT64_C(1) << GW_INDEX_SHIFT_MAX;
    return header->origin.lon >= -GW_LON_MAX - 1 && header->origin.lon <= GW_LON_MAX &&
           header->origin.lat >= -GW_LAT_MAX && header->origin.lat <= GW_LAT_MAX &&
           header->origin.lon + width <= GW_LON_MAX + margin &&
           header->origin.lat + height <= GW_LAT_MAX + margin &&
           section_fits(header->table_offset, (uint64_t)header->cols * header->rows, 4,
                        sizeof(*header), header->sub_offset) &&
           section_fits(header->sub_offset, header->sub_count, SUB_CELLS * 4u, header->table_offset,
                        header->leaf_offset) &&
           section_fits(header->leaf_offset, header->leaf_words, 4, header->sub_offset,
                        header->rank_offset) &&
           section_fits(header->rank_offset, header->grid_count, 4, header->leaf_offset, size);
}

// The leaf of nobody, which every lookup may read.
static bool first_line_fits(const struct gw_grid_index *index) {
    static const uint32_t nobody[GW_INDEX_LINE_WORDS] = {1u, GW_GRID_NONE, GW_GRID_NONE};
    return memcmp(index->leaves, nobody, sizeof(nobody)) == 0;
}

gw_err gw_grid_index_open(const void *bytes, uint64_t size, struct gw_grid_index *index) {
    if ((uintptr_t)bytes % 8u != 0) {
        return GW_EINVAL;
    }
    struct gw_index_header header;
    if (bytes == NULL || size < sizeof(header)) {
        return GW_ECORRUPT;
    }
    memcpy(&header, bytes, sizeof(header));
    if (!header_fits(&header, size)) {
        return GW_ECORRUPT;
    }
    const unsigned char *base = bytes;
    struct gw_grid_index opened = {.bytes = base,
                                   .size = size,
                                   .table = (const void *)(base + header.table_offset),
                                   .subs = (const void *)(base + header.sub_offset),
                                   .leaves = (const void *)(base + header.leaf_offset),
                                   .code_ranks = (const void *)(base + header.rank_offset),
                                   .origin = header.origin,
                                   .cell_shift = header.cell_shift,
                                   .cols = header.cols,
                                   .rows = header.rows,
                                   .sub_count = header.sub_count,
                                   .leaf_words = header.leaf_words,
                                   .grid_count = header.grid_count};
    struct walk walk = {.index = &opened};
    if (!first_line_fits(&opened) || !walk_all(&walk)) {
        return GW_ECORRUPT;
    }
    *index = opened;
    return GW_OK;
}

void gw_grid_index_shape(const struct gw_grid_index *index, struct gw_grid_index_shape *shape) {
    struct walk walk = {.index = index};
    (void)walk_all(&walk);
    *shape = walk.shape;
    shape->bytes = index->size;
    shape->table_bytes = (uint64_t)index->cols * index->rows * sizeof(uint32_t);
    shape->sub_bytes = (uint64_t)index->sub_count * SUB_CELLS * sizeof(uint32_t);
    shape->leaf_bytes = (uint64_t)index->leaf_words * sizeof(uint32_t);
}
