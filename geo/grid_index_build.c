#include "geo/grid_index.h"
#include "geo/grid_index_cell.h"

#include <stdlib.h>
#include <string.h>

#define BYTES_MAX_DEFAULT (128u << 20)
#define LEAF_EDGES_DEFAULT 5u
#define ATTEMPTS_MAX 16u
// What an index may weigh, if the budget allows it. Finer cells name their owner outright more
// often; past this the table's own lines miss the caches as often as the leaves would have. The
// demo city takes 160 bytes an edge: with cells twice as wide it takes 60, and one at a time its
// dense places are answered a third more slowly (tests/bench/locate_bench.c).
#define BYTES_PER_EDGE 192u
#define BYTES_LEAST (64u << 10)
// What an edge weighs in each cell that it meets: measured on communes and on synthetic cities.
#define LEAF_BYTES_PER_MEETING 10u

// A table of cells to fill.
struct plan {
    struct gw_point origin;
    uint32_t shift, cols, rows, leaf_edges_max;
    uint64_t bytes_max;
};

// The edges by row, and one row's edges by column.
struct sweep {
    struct gw_index_edge *edges;
    size_t edge_count;
    struct gw_box box;
    uint32_t *row_starts, *row_edges; // CSR
    uint32_t *col_starts, *col_edges; // CSR of the row at hand
    uint32_t *spans;                  // first and last column of each edge of the row
    size_t row_capacity, col_capacity, span_capacity;
};

static gw_err list_edges(const struct gw_coverage *coverage, struct sweep *sweep) {
    sweep->edge_count = coverage->vertex_count;
    sweep->edges = malloc((sweep->edge_count + 1u) * sizeof(*sweep->edges));
    if (sweep->edges == NULL) {
        return GW_ENOMEM;
    }
    sweep->box = (struct gw_box){coverage->vertices[0], coverage->vertices[0]};
    struct gw_box *box = &sweep->box;
    for (uint32_t grid = 0; grid < coverage->grid_count; grid++) {
        for (uint32_t r = coverage->grid_rings[grid]; r < coverage->grid_rings[grid + 1]; r++) {
            uint32_t begin = coverage->ring_vertices[r], end = coverage->ring_vertices[r + 1];
            for (uint32_t i = begin; i < end; i++) {
                struct gw_point a = coverage->vertices[i];
                struct gw_point b = coverage->vertices[i + 1 < end ? i + 1 : begin];
                sweep->edges[i] = (struct gw_index_edge){a, b, grid};
                box->min.lon = a.lon < box->min.lon ? a.lon : box->min.lon;
                box->min.lat = a.lat < box->min.lat ? a.lat : box->min.lat;
                box->max.lon = a.lon > box->max.lon ? a.lon : box->max.lon;
                box->max.lat = a.lat > box->max.lat ? a.lat : box->max.lat;
            }
        }
    }
    return GW_OK;
}

static uint32_t cells_between(int32_t from, int32_t to, uint32_t shift) {
    return ((uint32_t)to - (uint32_t)from) >> shift;
}

// The table begins one unit west of the coverage, so that nothing winds round its western corners.
static struct plan plan_at(const struct sweep *sweep, uint32_t shift) {
    struct plan plan = {.shift = shift};
    plan.origin = (struct gw_point){sweep->box.min.lon - 1, sweep->box.min.lat};
    plan.cols = cells_between(plan.origin.lon, sweep->box.max.lon, shift) + 1u;
    plan.rows = cells_between(plan.origin.lat, sweep->box.max.lat, shift) + 1u;
    return plan;
}

// How many cells the edges meet, about: each column and row that they enter counts.
static uint64_t count_meetings(const struct sweep *sweep, const struct plan *plan) {
    uint64_t meetings = 0;
    for (size_t i = 0; i < sweep->edge_count; i++) {
        struct gw_point a = sweep->edges[i].a, b = sweep->edges[i].b;
        int64_t cols = (int64_t)cells_between(plan->origin.lon, a.lon, plan->shift) -
                       (int64_t)cells_between(plan->origin.lon, b.lon, plan->shift);
        int64_t rows = (int64_t)cells_between(plan->origin.lat, a.lat, plan->shift) -
                       (int64_t)cells_between(plan->origin.lat, b.lat, plan->shift);
        meetings += 1u + (uint64_t)(cols < 0 ? -cols : cols) + (uint64_t)(rows < 0 ? -rows : rows);
    }
    return meetings;
}

// The finest table whose index is expected to weigh at most what is best for speed.
static struct plan choose_plan(const struct sweep *sweep, uint64_t bytes_max) {
    uint64_t wanted = (uint64_t)sweep->edge_count * BYTES_PER_EDGE;
    wanted = wanted < BYTES_LEAST ? BYTES_LEAST : wanted;
    wanted = wanted > bytes_max / 8 * 7 ? bytes_max / 8 * 7 : wanted; // it is an estimate
    struct plan plan = plan_at(sweep, 0);
    for (uint32_t shift = 0; shift <= GW_INDEX_SHIFT_MAX; shift++) {
        plan = plan_at(sweep, shift);
        uint64_t table = (uint64_t)plan.cols * plan.rows * sizeof(uint32_t);
        if (table <= wanted &&
            table + count_meetings(sweep, &plan) * LEAF_BYTES_PER_MEETING <= wanted) {
            break;
        }
    }
    return plan;
}

static gw_err grow(uint32_t **words, size_t *capacity, size_t need) {
    if (need <= *capacity) {
        return GW_OK;
    }
    uint32_t *grown = realloc(*words, need * sizeof(**words));
    if (grown == NULL) {
        return GW_ENOMEM;
    }
    *words = grown;
    *capacity = need;
    return GW_OK;
}

static uint32_t row_of(const struct plan *plan, int32_t lat) {
    return cells_between(plan->origin.lat, lat, plan->shift);
}

// Lists the edges of each row, ascending. GW_ENOSPC: more of them than the index could hold.
static gw_err list_rows(struct sweep *sweep, const struct plan *plan) {
    free(sweep->row_starts);
    sweep->row_starts = calloc((size_t)plan->rows + 2u, sizeof(*sweep->row_starts));
    if (sweep->row_starts == NULL) {
        return GW_ENOMEM;
    }
    uint32_t *starts = sweep->row_starts;
    uint64_t total = 0;
    for (size_t i = 0; i < sweep->edge_count; i++) {
        uint32_t a = row_of(plan, sweep->edges[i].a.lat), b = row_of(plan, sweep->edges[i].b.lat);
        uint32_t low = a < b ? a : b, high = a < b ? b : a;
        total += (uint64_t)high - low + 1u;
        if (total > UINT32_MAX || total * sizeof(uint32_t) > 64u * plan->bytes_max) {
            return GW_ENOSPC;
        }
        for (uint32_t row = low; row <= high; row++) {
            starts[row + 2]++;
        }
    }
    for (uint32_t row = 2; row < plan->rows + 2u; row++) {
        starts[row] += starts[row - 1];
    }
    gw_err err = grow(&sweep->row_edges, &sweep->row_capacity, (size_t)total + 1u);
    for (size_t i = 0; i < sweep->edge_count && err == GW_OK; i++) {
        uint32_t a = row_of(plan, sweep->edges[i].a.lat), b = row_of(plan, sweep->edges[i].b.lat);
        uint32_t low = a < b ? a : b, high = a < b ? b : a;
        for (uint32_t row = low; row <= high; row++) {
            sweep->row_edges[starts[row + 1]++] = (uint32_t)i;
        }
    }
    return err;
}

// The longitudes where an edge passes the latitudes low .. high, rounded outwards.
static void span_between(const struct gw_index_edge *edge, int32_t low, int32_t high, int64_t *west,
                         int64_t *east) {
    bool upward = edge->a.lat <= edge->b.lat;
    struct gw_point a = upward ? edge->a : edge->b, b = upward ? edge->b : edge->a;
    int64_t dx = (int64_t)b.lon - a.lon, dy = (int64_t)b.lat - a.lat;
    // Truncating division is off by less than one.
    int64_t first = a.lat >= low ? a.lon : a.lon + dx * (low - (int64_t)a.lat) / dy;
    int64_t last = b.lat <= high ? b.lon : a.lon + dx * (high - (int64_t)a.lat) / dy;
    *west = (first < last ? first : last) - 1;
    *east = (first < last ? last : first) + 1;
}

// Lists the row's edges by column, ascending within one: at least those that meet its cell, or the
// gap between the cell's last points and the next cell's first.
static gw_err list_cols(struct sweep *sweep, const struct plan *plan, uint32_t row) {
    uint32_t begin = sweep->row_starts[row], end = sweep->row_starts[row + 1];
    int32_t low = plan->origin.lat + (int32_t)(row << plan->shift);
    int32_t high = low + (int32_t)((1u << plan->shift) - 1u);
    uint64_t total = 0;
    gw_err err = grow(&sweep->spans, &sweep->span_capacity, 2 * ((size_t)end - begin) + 1u);
    if (err != GW_OK) {
        return err;
    }
    memset(sweep->col_starts, 0, ((size_t)plan->cols + 2u) * sizeof(*sweep->col_starts));
    for (uint32_t i = begin; i < end; i++) {
        int64_t west, east;
        span_between(&sweep->edges[sweep->row_edges[i]], low, high, &west, &east);
        int64_t first = (west - 1 - plan->origin.lon) >> plan->shift;
        int64_t last = (east - plan->origin.lon) >> plan->shift;
        uint32_t *span = &sweep->spans[2 * (size_t)(i - begin)];
        span[0] = first < 0 ? 0 : (uint32_t)first;
        span[1] = last >= plan->cols ? plan->cols - 1u : (uint32_t)last;
        total += (uint64_t)span[1] - span[0] + 1u;
        if (total > UINT32_MAX || total * sizeof(uint32_t) > 64u * plan->bytes_max) {
            return GW_ENOSPC;
        }
        for (uint32_t col = span[0]; col <= span[1]; col++) {
            sweep->col_starts[col + 2]++;
        }
    }
    for (uint32_t col = 2; col < plan->cols + 2u; col++) {
        sweep->col_starts[col] += sweep->col_starts[col - 1];
    }
    err = grow(&sweep->col_edges, &sweep->col_capacity, (size_t)total + 1u);
    for (uint32_t i = begin; i < end && err == GW_OK; i++) {
        const uint32_t *span = &sweep->spans[2 * (size_t)(i - begin)];
        for (uint32_t col = span[0]; col <= span[1]; col++) {
            sweep->col_edges[sweep->col_starts[col + 1]++] = sweep->row_edges[i];
        }
    }
    return err;
}

// Moves the current point from (west, lat) to (east, lat) past the edges listed.
static void pass_edges(struct gw_index_builder *builder, const uint32_t edges[], size_t count,
                       int32_t lat, int64_t west, int64_t east) {
    for (size_t i = 0; i < count; i++) {
        const struct gw_index_edge *edge = &builder->edges[edges[i]];
        bool upward = edge->a.lat < edge->b.lat;
        struct gw_point a = upward ? edge->a : edge->b, b = upward ? edge->b : edge->a;
        if (a.lat > lat || lat >= b.lat) {
            continue;
        }
        int64_t run = ((int64_t)b.lon - a.lon) * ((int64_t)lat - a.lat);
        int64_t dy = (int64_t)b.lat - a.lat;
        if (run > dy * (west - a.lon) && run <= dy * (east - a.lon)) {
            gw_index_tally(&builder->tallies, edge->grid, upward ? -1 : 1);
        }
    }
}

static gw_err fill_row(struct gw_index_builder *builder, struct sweep *sweep,
                       const struct plan *plan, uint32_t row, uint32_t *entries) {
    gw_err err = list_cols(sweep, plan, row);
    int32_t lat = plan->origin.lat + (int32_t)(row << plan->shift);
    uint32_t uniform = gw_index_uniform_entry(&builder->tallies);
    for (uint32_t col = 0; col < plan->cols && err == GW_OK; col++) {
        uint32_t begin = sweep->col_starts[col], count = sweep->col_starts[col + 1] - begin;
        if (count == 0) {
            entries[col] = uniform;
            continue;
        }
        const uint32_t *edges = sweep->col_edges + begin;
        int32_t west = (int32_t)((uint32_t)plan->origin.lon + (col << plan->shift));
        err = gw_index_cell(builder, (struct gw_point){west, lat}, plan->shift, edges, count,
                            &entries[col]);
        pass_edges(builder, edges, count, lat, west, (int64_t)west + (1 << plan->shift));
        uniform = gw_index_uniform_entry(&builder->tallies);
    }
    return err;
}

static uint64_t aligned(uint64_t bytes) {
    return (bytes + GW_INDEX_ALIGN - 1u) / GW_INDEX_ALIGN * GW_INDEX_ALIGN;
}

// Lays the parts out in one block.
static gw_err assemble(const struct gw_coverage *coverage, const struct gw_index_builder *builder,
                       const struct plan *plan, const uint32_t *table, unsigned char **bytes,
                       uint64_t *size) {
    size_t table_bytes = (size_t)plan->cols * plan->rows * sizeof(uint32_t);
    size_t sub_bytes = builder->subs.count * sizeof(uint32_t);
    size_t leaf_bytes = builder->leaves.count * sizeof(uint32_t);
    size_t rank_bytes = coverage->grid_count * sizeof(uint32_t);
    struct gw_index_header header = {.magic = GW_INDEX_MAGIC,
                                     .version = GW_GRID_INDEX_VERSION,
                                     .byte_order = GW_INDEX_BYTE_ORDER};
    header.table_offset = aligned(sizeof(header));
    header.sub_offset = aligned(header.table_offset + table_bytes);
    header.leaf_offset = aligned(header.sub_offset + sub_bytes);
    header.rank_offset = aligned(header.leaf_offset + leaf_bytes);
    header.size = aligned(header.rank_offset + rank_bytes);
    header.origin = plan->origin;
    header.cell_shift = plan->shift;
    header.cols = plan->cols;
    header.rows = plan->rows;
    header.sub_count = (uint32_t)(builder->subs.count / 16u);
    header.leaf_words = (uint32_t)builder->leaves.count;
    header.grid_count = coverage->grid_count;
    unsigned char *block = aligned_alloc(GW_INDEX_ALIGN, header.size);
    if (block == NULL) {
        return GW_ENOMEM;
    }
    memset(block, 0, header.size);
    memcpy(block, &header, sizeof(header));
    memcpy(block + header.table_offset, table, table_bytes);
    if (sub_bytes != 0) {
        memcpy(block + header.sub_offset, builder->subs.data, sub_bytes);
    }
    if (leaf_bytes != 0) {
        memcpy(block + header.leaf_offset, builder->leaves.data, leaf_bytes);
    }
    if (rank_bytes != 0) {
        memcpy(block + header.rank_offset, coverage->code_ranks, rank_bytes);
    }
    *bytes = block;
    *size = header.size;
    return GW_OK;
}

// One attempt with one size of cells.
static gw_err attempt(const struct gw_coverage *coverage, struct sweep *sweep,
                      const struct plan *plan, unsigned char **bytes, uint64_t *size) {
    uint64_t cells = (uint64_t)plan->cols * plan->rows;
    uint64_t fixed = cells * sizeof(uint32_t) + coverage->grid_count * sizeof(uint32_t) +
                     aligned(sizeof(struct gw_index_header)) + 4u * GW_INDEX_ALIGN;
    if (fixed > plan->bytes_max) {
        return GW_ENOSPC;
    }
    struct gw_index_builder builder;
    uint32_t *table = malloc((size_t)cells * sizeof(*table));
    free(sweep->col_starts);
    sweep->col_starts = malloc(((size_t)plan->cols + 2u) * sizeof(*sweep->col_starts));
    gw_err err = gw_index_builder_init(&builder, coverage->grid_count);
    if (table == NULL || sweep->col_starts == NULL) {
        err = GW_ENOMEM;
    }
    builder.edges = sweep->edges;
    builder.bytes_max = plan->bytes_max - fixed;
    builder.leaf_edges_max = plan->leaf_edges_max;
    err = err == GW_OK ? list_rows(sweep, plan) : err;
    for (uint32_t row = 0; row < plan->rows && err == GW_OK; row++) {
        err = fill_row(&builder, sweep, plan, row, table + (size_t)row * plan->cols);
    }
    if (err == GW_OK) {
        err = assemble(coverage, &builder, plan, table, bytes, size);
    }
    gw_index_builder_deinit(&builder);
    free(table);
    return err;
}

static void sweep_deinit(struct sweep *sweep) {
    free(sweep->edges);
    free(sweep->row_starts);
    free(sweep->row_edges);
    free(sweep->col_starts);
    free(sweep->col_edges);
    free(sweep->spans);
}

gw_err gw_grid_index_build(const struct gw_coverage *coverage,
                           const struct gw_grid_index_options *options, unsigned char **bytes,
                           uint64_t *size) {
    uint64_t bytes_max =
        options != NULL && options->bytes_max != 0 ? options->bytes_max : BYTES_MAX_DEFAULT;
    uint32_t leaf_edges_max = options != NULL && options->leaf_edges_max != 0
                                  ? options->leaf_edges_max
                                  : LEAF_EDGES_DEFAULT;
    struct sweep sweep = {0};
    struct plan plan = {.cols = 0, .rows = 0};
    gw_err err = GW_OK;
    if (coverage->vertex_count > 0) {
        err = list_edges(coverage, &sweep);
        plan = err == GW_OK ? choose_plan(&sweep, bytes_max) : plan;
    }
    if (err == GW_OK) {
        plan.bytes_max = bytes_max;
        plan.leaf_edges_max = leaf_edges_max;
        err = attempt(coverage, &sweep, &plan, bytes, size);
    }
    for (uint32_t i = 1; i < ATTEMPTS_MAX && err == GW_ENOSPC; i++) {
        uint32_t coarser = plan.shift < GW_INDEX_SHIFT_MAX ? plan.shift + 1u : plan.shift;
        leaf_edges_max = leaf_edges_max < UINT32_MAX / 2u ? leaf_edges_max * 2u : UINT32_MAX;
        plan = plan_at(&sweep, coarser);
        plan.bytes_max = bytes_max;
        plan.leaf_edges_max = leaf_edges_max;
        err = attempt(coverage, &sweep, &plan, bytes, size);
    }
    sweep_deinit(&sweep);
    return err;
}
