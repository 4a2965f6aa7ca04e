#include "geo/grid_index_cell.h"

#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX (GW_INDEX_SHIFT_MAX / 2u + 1u)
#define SUB_WORDS 16u
// Splitting can't part edges that meet in one vertex; up to this many it isn't tried.
#define STAR_EDGES_MAX 16u
// So many of a cell's 16 parts holding three quarters of its edges: a bundle passes through.
#define CROWDED_MAX 4u

// A cell that is being split, and the edges that meet it: lists.data[list .. list + count).
struct frame {
    struct gw_box box;
    uint32_t shift, sub, child;
    size_t list, count;
};

static gw_err extend(struct gw_index_words *words, size_t more) {
    if (words->count + more > words->capacity) {
        size_t capacity = 2 * (words->count + more) + 256;
        uint32_t *grown = realloc(words->data, capacity * sizeof(*grown));
        if (grown == NULL) {
            return GW_ENOMEM;
        }
        words->data = grown;
        words->capacity = capacity;
    }
    memset(words->data + words->count, 0, more * sizeof(*words->data));
    words->count += more;
    return GW_OK;
}

gw_err gw_index_builder_init(struct gw_index_builder *builder, uint32_t grid_count) {
    *builder = (struct gw_index_builder){0};
    struct gw_index_tallies *tallies = &builder->tallies;
    size_t count = (size_t)grid_count + 1u;
    tallies->windings = calloc(count, sizeof(*tallies->windings));
    tallies->places = calloc(count, sizeof(*tallies->places));
    tallies->stamps = calloc(count, sizeof(*tallies->stamps));
    tallies->wound = calloc(count, sizeof(*tallies->wound));
    bool enough = tallies->windings != NULL && tallies->places != NULL && tallies->stamps != NULL &&
                  tallies->wound != NULL;
    gw_err err = enough ? extend(&builder->leaves, GW_INDEX_LINE_WORDS) : GW_ENOMEM;
    if (err == GW_OK) { // the leaf of nobody
        builder->leaves.data[0] = 1u;
        builder->leaves.data[1] = GW_GRID_NONE;
        builder->leaves.data[2] = GW_GRID_NONE;
    }
    return err;
}

void gw_index_builder_deinit(struct gw_index_builder *builder) {
    free(builder->tallies.windings);
    free(builder->tallies.places);
    free(builder->tallies.stamps);
    free(builder->tallies.wound);
    free(builder->subs.data);
    free(builder->leaves.data);
    free(builder->lists.data);
    gw_index_chains_deinit(&builder->chains);
    *builder = (struct gw_index_builder){0};
}

void gw_index_tally(struct gw_index_tallies *tallies, uint32_t grid, int32_t change) {
    int32_t before = tallies->windings[grid];
    tallies->windings[grid] = before + change;
    if (before == 0 && change != 0) {
        tallies->places[grid] = tallies->wound_count;
        tallies->wound[tallies->wound_count++] = grid;
    } else if (before != 0 && before + change == 0) {
        uint32_t moved = tallies->wound[--tallies->wound_count];
        tallies->wound[tallies->places[grid]] = moved;
        tallies->places[moved] = tallies->places[grid];
    }
}

// The best rank that winds round the point and has no edge in the cell: it covers all of the cell.
static uint32_t best_cover(const struct gw_index_tallies *tallies, uint32_t serial) {
    uint32_t best = GW_GRID_NONE;
    for (uint32_t i = 0; i < tallies->wound_count; i++) {
        uint32_t grid = tallies->wound[i];
        if (grid < best && tallies->windings[grid] > 0 && tallies->stamps[grid] != serial) {
            best = grid;
        }
    }
    return best;
}

static uint32_t owner_entry(uint32_t owner) {
    return owner == GW_GRID_NONE ? 0 : owner + 1u;
}

uint32_t gw_index_uniform_entry(const struct gw_index_tallies *tallies) {
    return owner_entry(best_cover(tallies, tallies->serial + 1u));
}

// Moves the current point within a cell: what its edges' crossings change, the windings change.
static void move(struct gw_index_builder *builder, const struct frame *frame, struct gw_point from,
                 struct gw_point to) {
    if (from.lon == to.lon && from.lat == to.lat) {
        return;
    }
    for (size_t i = 0; i < frame->count; i++) {
        const struct gw_index_edge *edge = &builder->edges[builder->lists.data[frame->list + i]];
        int32_t change = gw_index_edge_crossings(&frame->box, edge, to) -
                         gw_index_edge_crossings(&frame->box, edge, from);
        if (change != 0) {
            gw_index_tally(&builder->tallies, edge->grid, change);
        }
    }
}

// Opens a frame on top of the list stack for the listed edges that meet its box.
static gw_err filter(struct gw_index_builder *builder, struct frame *frame, const uint32_t *edges,
                     size_t from, size_t count) {
    frame->list = builder->lists.count;
    gw_err err = extend(&builder->lists, count);
    if (err != GW_OK) {
        return err;
    }
    const uint32_t *source = edges != NULL ? edges : builder->lists.data + from;
    uint32_t *kept = builder->lists.data + frame->list;
    frame->count = 0;
    for (size_t i = 0; i < count; i++) {
        const struct gw_index_edge *edge = &builder->edges[source[i]];
        kept[frame->count] = source[i];
        frame->count += gw_index_meets(&frame->box, edge->a, edge->b);
    }
    builder->lists.count = frame->list + frame->count;
    return GW_OK;
}

static struct frame frame_at(struct gw_point corner, uint32_t shift) {
    int32_t last = (int32_t)((1u << shift) - 1u);
    struct frame frame = {.shift = shift};
    frame.box.min = corner;
    frame.box.max = (struct gw_point){corner.lon + last, corner.lat + last};
    return frame;
}

// Drops the edges that can't matter, since a better rank covers the cell, and returns that rank.
static uint32_t prune(struct gw_index_builder *builder, struct frame *frame) {
    struct gw_index_tallies *tallies = &builder->tallies;
    uint32_t *list = builder->lists.data + frame->list;
    tallies->serial++;
    for (size_t i = 0; i < frame->count; i++) {
        tallies->stamps[builder->edges[list[i]].grid] = tallies->serial;
    }
    uint32_t cover = best_cover(tallies, tallies->serial);
    size_t kept = 0;
    while (kept < frame->count && builder->edges[list[kept]].grid < cover) {
        kept++;
    }
    frame->count = kept;
    builder->lists.count = frame->list + kept;
    return cover;
}

// Whether all edges meet in one vertex within the cell.
static bool is_star(const struct gw_index_builder *builder, const struct frame *frame) {
    const uint32_t *list = builder->lists.data + frame->list;
    struct gw_point hubs[2] = {builder->edges[list[0]].a, builder->edges[list[0]].b};
    for (int i = 0; i < 2; i++) {
        struct gw_point hub = hubs[i];
        bool all = hub.lon >= frame->box.min.lon && hub.lon <= frame->box.max.lon &&
                   hub.lat >= frame->box.min.lat && hub.lat <= frame->box.max.lat;
        for (size_t j = 1; j < frame->count && all; j++) {
            const struct gw_index_edge *edge = &builder->edges[list[j]];
            all = (edge->a.lon == hub.lon && edge->a.lat == hub.lat) ||
                  (edge->b.lon == hub.lon && edge->b.lat == hub.lat);
        }
        if (all) {
            return true;
        }
    }
    return false;
}

// Room for a leaf, so that it spans as few lines as it can: in the fullest open line that has room,
// else at the beginning of a new one.
static gw_err place_leaf(struct gw_index_builder *builder, uint32_t words, uint32_t *offset) {
    struct gw_index_bin *best = NULL, *poorest = &builder->bins[0];
    for (uint32_t i = 0; i < GW_INDEX_BINS; i++) {
        struct gw_index_bin *bin = &builder->bins[i];
        if (bin->room >= words && (best == NULL || bin->room < best->room)) {
            best = bin;
        }
        poorest = bin->room < poorest->room ? bin : poorest;
    }
    if (best != NULL) {
        *offset = best->offset;
        best->offset += words;
        best->room -= words;
        return GW_OK;
    }
    size_t begin = builder->leaves.count; // always whole lines
    size_t lines = (words + GW_INDEX_LINE_WORDS - 1u) / GW_INDEX_LINE_WORDS;
    if (begin + lines * GW_INDEX_LINE_WORDS > GW_LEAF_MASK) {
        return GW_ENOSPC;
    }
    gw_err err = extend(&builder->leaves, lines * GW_INDEX_LINE_WORDS);
    if (err != GW_OK) {
        return err;
    }
    *offset = (uint32_t)begin;
    uint32_t room = (uint32_t)(lines * GW_INDEX_LINE_WORDS) - words;
    if (room > poorest->room) {
        *poorest = (struct gw_index_bin){(uint32_t)begin + words, room};
    }
    return GW_OK;
}

static void put_points(const struct gw_index_chains *chains, const struct gw_index_chain *chain,
                       uint32_t *words) {
    memcpy(words, &chains->points[chain->start], chain->count * sizeof(chains->points[0]));
}

// The constant part of a chain's grid: the winding at the corner without the chains' crossings.
static int32_t base_winding(const struct gw_index_builder *builder, size_t first, size_t end,
                            struct gw_point corner) {
    const struct gw_index_chains *chains = &builder->chains;
    int32_t base = builder->tallies.windings[chains->items[first].grid];
    for (size_t i = first; i < end; i++) {
        base -= gw_index_chain_crossings(chains, &chains->items[i], corner);
    }
    return base;
}

// Whether one chain parts two plain answers: a grid from another, or from what covers the rest.
static bool is_pair(const struct gw_index_builder *builder, struct gw_point corner) {
    const struct gw_index_chains *chains = &builder->chains;
    const int32_t *windings = builder->tallies.windings;
    if (chains->count == 0 || chains->count > 2) {
        return false;
    }
    const struct gw_index_chain *left = &chains->items[0], *right = &chains->items[1];
    int32_t base = base_winding(builder, 0, 1, corner);
    bool plain =
        (base == 0 || base == 1) && (windings[left->grid] == 0 || windings[left->grid] == 1);
    if (chains->count == 1) {
        return plain;
    }
    return plain && left->grid != right->grid &&
           windings[left->grid] + windings[right->grid] == 1 &&
           gw_index_chains_reverse(chains, left, right);
}

static gw_err put_pair(struct gw_index_builder *builder, struct gw_point corner, uint32_t cover,
                       uint32_t *entry) {
    const struct gw_index_chains *chains = &builder->chains;
    const struct gw_index_chain *chain = &chains->items[0];
    uint32_t offset = 0;
    gw_err err = place_leaf(builder, GW_PAIR_WORDS + gw_chain_words(chain->head), &offset);
    if (err != GW_OK) {
        return err;
    }
    uint32_t *leaf = builder->leaves.data + offset;
    leaf[0] = gw_pair_head(chain->head, base_winding(builder, 0, 1, corner) == 1);
    leaf[1] = chain->grid;
    leaf[2] = chains->count == 2 ? chains->items[1].grid : cover;
    put_points(chains, chain, leaf + GW_PAIR_WORDS);
    *entry = (uint32_t)GW_TAG_PAIR << GW_TAG_SHIFT | offset;
    *entry |= gw_chain_edges(chain->head) == 1 ? GW_LEAF_ONE_EDGE : 0;
    return GW_OK;
}

// One record; takes from *base what a record can carry.
static uint32_t *put_record(const struct gw_index_chains *chains,
                            const struct gw_index_chain *chain, uint32_t head, int32_t *base,
                            uint32_t *words) {
    int32_t part = *base > 127 ? 127 : *base < -128 ? -128 : *base;
    *base -= part;
    words[0] = head;
    words[1] = chain->grid | (uint32_t)part << 24;
    if (gw_chain_edges(head) != 0) {
        put_points(chains, chain, words + GW_LIST_WORDS);
    }
    return words + GW_LIST_WORDS + gw_chain_words(head);
}

// Records without edges that a base needs beyond what `chains` records carry.
static size_t spare_records(int32_t base, size_t chains) {
    uint32_t need = base < 0 ? (uint32_t)-base / 128u : (uint32_t)base / 127u;
    return need >= chains ? need + 1u - chains : 0;
}

// The chains [first, end) of one grid.
static uint32_t *put_grid(const struct gw_index_builder *builder, size_t first, size_t end,
                          struct gw_point corner, uint32_t *words) {
    const struct gw_index_chains *chains = &builder->chains;
    int32_t base = base_winding(builder, first, end, corner);
    size_t spare = spare_records(base, end - first);
    for (size_t i = 0; i < spare; i++) {
        words = put_record(chains, &chains->items[first], GW_LIST_MORE, &base, words);
    }
    for (size_t i = first; i < end; i++) {
        const struct gw_index_chain *chain = &chains->items[i];
        uint32_t more = i + 1 < end ? GW_LIST_MORE : 0;
        words = put_record(chains, chain, chain->head | more, &base, words);
    }
    return words;
}

static size_t grid_end(const struct gw_index_chains *chains, size_t first) {
    size_t end = first + 1;
    while (end < chains->count && chains->items[end].grid == chains->items[first].grid) {
        end++;
    }
    return end;
}

static uint64_t list_words(const struct gw_index_builder *builder, struct gw_point corner,
                           uint32_t cover) {
    const struct gw_index_chains *chains = &builder->chains;
    uint64_t words = cover != GW_GRID_NONE ? GW_LIST_WORDS : 0;
    for (size_t first = 0, end; first < chains->count; first = end) {
        end = grid_end(chains, first);
        int32_t base = base_winding(builder, first, end, corner);
        words += (uint64_t)GW_LIST_WORDS * spare_records(base, end - first);
        for (size_t i = first; i < end; i++) {
            words += GW_LIST_WORDS + gw_chain_words(chains->items[i].head);
        }
    }
    return words;
}

static gw_err put_list(struct gw_index_builder *builder, struct gw_point corner, uint32_t cover,
                       uint32_t *entry) {
    const struct gw_index_chains *chains = &builder->chains;
    uint64_t words = list_words(builder, corner, cover);
    uint32_t offset = 0;
    gw_err err = words > GW_LEAF_MASK ? GW_ENOSPC : GW_OK;
    err = err == GW_OK ? place_leaf(builder, (uint32_t)words, &offset) : err;
    if (err != GW_OK) {
        return err;
    }
    uint32_t *record = builder->leaves.data + offset, *last = record;
    for (size_t first = 0, end; first < chains->count; first = end) {
        end = grid_end(chains, first);
        last = record;
        record = put_grid(builder, first, end, corner, record);
        // Only the grid's last record may end the leaf.
        while (last + GW_LIST_WORDS + gw_chain_words(last[0]) != record) {
            last += GW_LIST_WORDS + gw_chain_words(last[0]);
        }
    }
    if (cover != GW_GRID_NONE) {
        last = record;
        record[1] = cover | 1u << 24;
    }
    last[0] |= GW_LIST_LAST;
    *entry = (uint32_t)GW_TAG_LIST << GW_TAG_SHIFT | offset;
    return GW_OK;
}

static bool within_budget(const struct gw_index_builder *builder) {
    return (builder->subs.count + builder->leaves.count) * sizeof(uint32_t) <= builder->bytes_max;
}

static struct frame child_frame(const struct frame *parent) {
    uint32_t shift = parent->shift - 2u;
    struct gw_point corner = {parent->box.min.lon + (int32_t)((parent->child & 3u) << shift),
                              parent->box.min.lat + (int32_t)((parent->child >> 2u) << shift)};
    return frame_at(corner, shift);
}

// Whether smaller cells would hold fewer edges. They don't around a vertex that all edges meet in,
// nor along a bundle of edges that run side by side: there each level would only multiply them.
static bool worth_splitting(const struct gw_index_builder *builder, const struct frame *frame) {
    if (frame->shift < 2 || (frame->count <= STAR_EDGES_MAX && is_star(builder, frame))) {
        return false;
    }
    const uint32_t *list = builder->lists.data + frame->list;
    struct frame parent = *frame;
    uint32_t crowded = 0;
    for (parent.child = 0; parent.child < SUB_WORDS; parent.child++) {
        struct frame child = child_frame(&parent);
        size_t count = 0;
        for (size_t i = 0; i < frame->count; i++) {
            const struct gw_index_edge *edge = &builder->edges[list[i]];
            count += gw_index_meets(&child.box, edge->a, edge->b);
        }
        crowded += 4 * count >= 3 * frame->count;
    }
    return crowded < CROWDED_MAX;
}

// Gives a cell its entry, or says that it has to be split.
static gw_err settle(struct gw_index_builder *builder, struct frame *frame, uint32_t *entry,
                     bool *split) {
    *split = false;
    uint32_t cover = prune(builder, frame);
    if (frame->count == 0) {
        *entry = owner_entry(cover);
        return GW_OK;
    }
    gw_err err = gw_index_chains_collect(&builder->chains, &frame->box, builder->edges,
                                         builder->lists.data + frame->list, frame->count);
    if (err != GW_OK) {
        return err;
    }
    struct gw_point corner = frame->box.min;
    bool pair = is_pair(builder, corner);
    size_t edges = pair && builder->chains.count == 1 ? frame->count : (frame->count + 1) / 2;
    if (edges > builder->leaf_edges_max && worth_splitting(builder, frame)) {
        *split = true;
        return GW_OK;
    }
    err = pair ? put_pair(builder, corner, cover, entry) : put_list(builder, corner, cover, entry);
    return err == GW_OK && !within_budget(builder) ? GW_ENOSPC : err;
}

static gw_err open_sub(struct gw_index_builder *builder, struct frame *frame, uint32_t *entry) {
    size_t sub = builder->subs.count / SUB_WORDS;
    if (sub > GW_PAYLOAD_MASK || !within_budget(builder)) {
        return GW_ENOSPC;
    }
    frame->sub = (uint32_t)sub;
    frame->child = 0;
    *entry = (uint32_t)GW_TAG_SUB << GW_TAG_SHIFT | frame->sub;
    return extend(&builder->subs, SUB_WORDS);
}

gw_err gw_index_cell(struct gw_index_builder *builder, struct gw_point corner, uint32_t shift,
                     const uint32_t edges[], size_t count, uint32_t *entry) {
    struct frame frames[DEPTH_MAX];
    uint32_t depth = 0;
    bool split = false;
    builder->lists.count = 0;
    frames[0] = frame_at(corner, shift);
    gw_err err = filter(builder, &frames[0], edges, 0, count);
    err = err == GW_OK ? settle(builder, &frames[0], entry, &split) : err;
    if (err == GW_OK && split) {
        err = open_sub(builder, &frames[0], entry);
        depth = 1;
    }
    struct gw_point at = corner;
    while (err == GW_OK && depth > 0) {
        struct frame *frame = &frames[depth - 1];
        builder->lists.count = frame->list + frame->count;
        if (frame->child == SUB_WORDS) {
            move(builder, frame, at, frame->box.min);
            at = frame->box.min;
            depth--;
            continue;
        }
        struct frame *child = &frames[depth];
        *child = child_frame(frame);
        move(builder, frame, at, child->box.min);
        at = child->box.min;
        size_t slot = (size_t)frame->sub * SUB_WORDS + frame->child++;
        uint32_t value = 0;
        err = filter(builder, child, NULL, frame->list, frame->count);
        err = err == GW_OK ? settle(builder, child, &value, &split) : err;
        if (err == GW_OK && split) {
            err = open_sub(builder, child, &value);
            depth++;
        }
        if (err == GW_OK) {
            builder->subs.data[slot] = value;
        }
    }
    return err;
}
