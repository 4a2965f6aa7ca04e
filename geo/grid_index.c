#include "geo/grid_index.h"

#include "geo/grid_index_format.h"

#define BATCH 64u

// gw_point_normal without a call.
static inline struct gw_point normal_point(struct gw_point p) {
    p.lon = p.lon == GW_LON_MAX ? -GW_LON_MAX : p.lon;
    return p;
}

static inline uint32_t entry_tag(uint32_t entry) {
    return entry >> GW_TAG_SHIFT;
}

// Whether `p` lies on an edge of a chain. An open end needs no limit: its line meets no point of
// the cell beyond it.
static bool chain_touches(uint32_t head, const uint32_t *vertices, struct gw_point p) {
    uint32_t edges = gw_chain_edges(head);
    for (uint32_t i = 0; i < edges; i++) {
        const uint32_t *a = vertices + (size_t)2 * i, *b = a + 2;
        int64_t ax = gw_word_lon(a), ay = gw_word_lat(a);
        int64_t bx = gw_word_lon(b), by = gw_word_lat(b);
        int64_t run = (bx - ax) * (p.lat - ay);
        int64_t rise = (by - ay) * (p.lon - ax);
        bool beside = p.lon < (ax < bx ? ax : bx) || p.lon > (ax < bx ? bx : ax) ||
                      p.lat < (ay < by ? ay : by) || p.lat > (ay < by ? by : ay);
        if (run == rise && !beside) {
            return true;
        }
    }
    return false;
}

// Nobody holds the shifted point: the closed polygon with the lowest code answers, if there is one.
// A list leaf with a grid that covers the cell never comes here.
static uint32_t list_border(const struct gw_grid_index *index, const uint32_t *record,
                            struct gw_point p) {
    uint32_t best = GW_GRID_NONE;
    for (;;) {
        uint32_t head = record[0], grid = record[1] & GW_LIST_GRID_MASK;
        if (chain_touches(head, record + GW_LIST_WORDS, p) &&
            (best == GW_GRID_NONE || index->code_ranks[grid] < index->code_ranks[best])) {
            best = grid;
        }
        if ((head & GW_LIST_LAST) != 0) {
            return best;
        }
        record += GW_LIST_WORDS + gw_chain_words(head);
    }
}

static __attribute__((noinline)) uint32_t list_owner(const struct gw_grid_index *index,
                                                     const uint32_t *leaf, struct gw_point p) {
    const uint32_t *record = leaf;
    int32_t winding = 0;
    for (;;) {
        uint32_t head = record[0];
        winding += (int32_t)record[1] >> 24;
        if (gw_chain_edges(head) != 0) {
            winding += gw_chain_crossings(head, record + GW_LIST_WORDS, p);
        }
        if ((head & GW_LIST_MORE) == 0) {
            if (winding > 0) {
                return record[1] & GW_LIST_GRID_MASK;
            }
            if ((head & GW_LIST_LAST) != 0) {
                return list_border(index, leaf, p);
            }
            winding = 0;
        }
        record += GW_LIST_WORDS + gw_chain_words(head);
    }
}

static __attribute__((noinline)) uint32_t pair_border(const uint32_t *leaf, struct gw_point p) {
    if (!chain_touches(leaf[0], leaf + GW_PAIR_WORDS, p)) {
        return GW_GRID_NONE;
    }
    return leaf[1] != GW_GRID_NONE ? leaf[1] : leaf[2];
}

// Which side of a pair leaf's chain holds the point: its first two edges without a branch. A batch
// has asked for the memory before, so that a branch taken wrongly is what costs there.
static inline uint32_t pair_owner(const uint32_t *leaf, struct gw_point p) {
    uint32_t head = leaf[0];
    const uint32_t *vertices = leaf + GW_PAIR_WORDS;
    const uint32_t *third = vertices + 2 + 2 * (size_t)(gw_chain_edges(head) > 1);
    struct gw_chain_place a = gw_chain_place(vertices, p, (head & GW_CHAIN_FIRST_CLOSED) != 0,
                                             (head & GW_CHAIN_FIRST_BELOW) != 0);
    struct gw_chain_place b = gw_chain_place(vertices + 2, p, (head & GW_PAIR_SECOND_CLOSED) != 0,
                                             (head & GW_PAIR_SECOND_BELOW) != 0);
    struct gw_chain_place c = gw_chain_place(third, p, (head & GW_PAIR_THIRD_CLOSED) != 0,
                                             (head & GW_PAIR_THIRD_BELOW) != 0);
    int32_t side = (head & GW_PAIR_BASE) != 0;
    side += gw_chain_step(a, b, p) + gw_chain_step(b, c, p);
    if (__builtin_expect(gw_chain_edges(head) > 2, 0)) {
        side += gw_chain_rest(head, vertices, 2, c, p);
    }
    return leaf[1 + (side <= 0)];
}

// The same for a chain of one edge.
static inline uint32_t edge_owner(const uint32_t *leaf, struct gw_point p) {
    uint32_t head = leaf[0];
    const uint32_t *vertices = leaf + GW_PAIR_WORDS;
    struct gw_chain_place a = gw_chain_place(vertices, p, (head & GW_CHAIN_FIRST_CLOSED) != 0,
                                             (head & GW_CHAIN_FIRST_BELOW) != 0);
    struct gw_chain_place b = gw_chain_place(vertices + 2, p, (head & GW_CHAIN_LAST_CLOSED) != 0,
                                             (head & GW_CHAIN_LAST_BELOW) != 0);
    int32_t side = ((head & GW_PAIR_BASE) != 0) + gw_chain_step(a, b, p);
    return leaf[1 + (side <= 0)];
}

// The answer of an entry that is no sub table. Only rare cases branch.
static inline uint32_t entry_owner(const struct gw_grid_index *index, uint32_t entry,
                                   struct gw_point p) {
    if (__builtin_expect(entry_tag(entry) == GW_TAG_LIST, 0)) {
        return list_owner(index, index->leaves + (entry & GW_LEAF_MASK), p);
    }
    uint32_t pair = 0u - (entry_tag(entry) == GW_TAG_PAIR);
    const uint32_t *leaf = index->leaves + (entry & GW_LEAF_MASK & pair);
    uint32_t owner = (pair_owner(leaf, p) & pair) | ((entry - 1u) & ~pair);
    if (__builtin_expect((owner & pair) == GW_GRID_NONE, 0)) {
        owner = pair_border(leaf, p);
    }
    return owner;
}

// Where a point's entry stands in the table; false outside of it. Unsigned differences wrap to far
// beyond the table for points west or south of it (the opener checks that the table allows this).
static inline bool table_slot(const struct gw_grid_index *index, struct gw_point p, size_t *slot) {
    uint32_t col = ((uint32_t)p.lon - (uint32_t)index->origin.lon) >> index->cell_shift;
    uint32_t row = ((uint32_t)p.lat - (uint32_t)index->origin.lat) >> index->cell_shift;
    *slot = (size_t)row * index->cols + col;
    return (col < index->cols) & (row < index->rows);
}

// The entry of a smaller cell within a sub table whose cells are 2^shift wide.
static inline uint32_t sub_entry(const struct gw_grid_index *index, uint32_t entry, uint32_t shift,
                                 struct gw_point p) {
    uint32_t col = (((uint32_t)p.lon - (uint32_t)index->origin.lon) >> shift) & 3u;
    uint32_t row = (((uint32_t)p.lat - (uint32_t)index->origin.lat) >> shift) & 3u;
    return index->subs[(size_t)(entry & GW_PAYLOAD_MASK) * 16u + row * 4u + col];
}

static inline uint32_t settle_subs(const struct gw_grid_index *index, uint32_t entry,
                                   struct gw_point p) {
    uint32_t shift = index->cell_shift;
    while (entry_tag(entry) == GW_TAG_SUB) {
        if (shift < 2) {
            return 0; // the opener refuses such an index
        }
        shift -= 2;
        entry = sub_entry(index, entry, shift, p);
    }
    return entry;
}

uint32_t gw_grid_index_locate(const struct gw_grid_index *index, struct gw_point point) {
    struct gw_point p = normal_point(point);
    size_t slot;
    if (!table_slot(index, p, &slot)) {
        return GW_GRID_NONE;
    }
    uint32_t entry = index->table[slot];
    if (entry_tag(entry) == GW_TAG_OWNER) {
        return entry - 1u; // 0, nobody, becomes GW_GRID_NONE
    }
    if (entry_tag(entry) != GW_TAG_PAIR) {
        entry = settle_subs(index, entry, p);
        return entry_owner(index, entry, p);
    }
    // Here the memory is what costs: no branch waits for the leaf, and the shorter the work on it,
    // the sooner the processor gets to the next lookup's loads. So a single edge is asked alone.
    const uint32_t *leaf = index->leaves + (entry & GW_LEAF_MASK);
    uint32_t owner = (entry & GW_LEAF_ONE_EDGE) != 0 ? edge_owner(leaf, p) : pair_owner(leaf, p);
    return owner != GW_GRID_NONE ? owner : pair_border(leaf, p);
}

// What of a batch is not answered yet.
struct pending {
    uint32_t count;
    uint32_t at[BATCH], entry[BATCH];
};

static inline void fetch(const struct gw_grid_index *index, uint32_t entry) {
    uint32_t payload = entry & GW_PAYLOAD_MASK;
    const uint32_t *line = entry_tag(entry) == GW_TAG_SUB
                               ? index->subs + (size_t)payload * 16u
                               : index->leaves + (payload & GW_LEAF_MASK);
    __builtin_prefetch(line);
}

// One block: ask for the table's lines, read them and ask for what they point to, go on.
static void locate_block(const struct gw_grid_index *index, const struct gw_point points[],
                         uint32_t count, uint32_t owners[]) {
    struct gw_point normal[BATCH];
    size_t slots[BATCH];
    struct pending pending = {0};
    static const uint32_t outside = 0;
    for (uint32_t i = 0; i < count; i++) {
        normal[i] = normal_point(points[i]);
        bool inside = table_slot(index, normal[i], &slots[i]);
        slots[i] = inside ? slots[i] : SIZE_MAX;
        __builtin_prefetch(inside ? &index->table[slots[i]] : &outside);
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t entry = slots[i] != SIZE_MAX ? index->table[slots[i]] : outside;
        owners[i] = entry - 1u;
        pending.at[pending.count] = i;
        pending.entry[pending.count] = entry;
        pending.count += entry_tag(entry) != GW_TAG_OWNER;
        fetch(index, entry);
    }
    for (uint32_t j = 0; j < pending.count; j++) {
        uint32_t entry = pending.entry[j];
        if (entry_tag(entry) == GW_TAG_SUB) {
            pending.entry[j] = settle_subs(index, entry, normal[pending.at[j]]);
            fetch(index, pending.entry[j]);
        }
    }
    for (uint32_t j = 0; j < pending.count; j++) {
        uint32_t i = pending.at[j], entry = pending.entry[j];
        owners[i] = entry_owner(index, entry, normal[i]);
    }
}

void gw_grid_index_locate_batch(const struct gw_grid_index *index, const struct gw_point points[],
                                size_t count, uint32_t owners[]) {
    for (size_t done = 0; done < count; done += BATCH) {
        size_t rest = count - done;
        locate_block(index, points + done, rest < BATCH ? (uint32_t)rest : BATCH, owners + done);
    }
}
