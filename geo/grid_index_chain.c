#include "geo/grid_index_chain.h"

#include <stdlib.h>
#include <string.h>

// A chain may get one vertex more at each end.
#define CHAIN_EDGES_MAX (GW_CHAIN_EDGES_MASK - 2u)

static bool holds(const struct gw_box *box, struct gw_point p) {
    return p.lon >= box->min.lon && p.lon <= box->max.lon && p.lat >= box->min.lat &&
           p.lat <= box->max.lat;
}

static bool same(struct gw_point a, struct gw_point b) {
    return a.lon == b.lon && a.lat == b.lat;
}

void gw_index_chains_deinit(struct gw_index_chains *chains) {
    free(chains->items);
    free(chains->points);
    *chains = (struct gw_index_chains){0};
}

// Which side of a -> b: 1 left, 0 on its line, -1 right.
static int side(struct gw_point a, struct gw_point b, int64_t lon, int64_t lat) {
    int64_t run = ((int64_t)b.lon - a.lon) * (lat - a.lat);
    int64_t rise = ((int64_t)b.lat - a.lat) * (lon - a.lon);
    return (run > rise) - (run < rise);
}

bool gw_index_meets(const struct gw_box *box, struct gw_point a, struct gw_point b) {
    if ((a.lon < box->min.lon && b.lon < box->min.lon) ||
        (a.lon > box->max.lon && b.lon > box->max.lon) ||
        (a.lat < box->min.lat && b.lat < box->min.lat) ||
        (a.lat > box->max.lat && b.lat > box->max.lat)) {
        return false;
    }
    // Their boxes meet; so the segments miss the box only if all of it lies on one side. The two
    // corners farthest from a rising line are north-west and south-east.
    bool rising = (a.lon < b.lon) == (a.lat < b.lat);
    int one = side(a, b, box->min.lon, rising ? box->max.lat : box->min.lat);
    int two = side(a, b, box->max.lon, rising ? box->min.lat : box->max.lat);
    return one * two <= 0;
}

enum end { END_CLOSED, END_BELOW, END_ABOVE, END_LEVEL };

// How a chain ends that ends at `end`, where the edge comes from or goes to `next`.
static enum end judge_end(const struct gw_box *box, struct gw_point end, struct gw_point next) {
    if (holds(box, end)) {
        return END_CLOSED;
    }
    if (end.lat == next.lat) {
        return end.lon > next.lon ? END_LEVEL : END_CLOSED; // nothing west of the cell counts
    }
    return end.lat < next.lat ? END_BELOW : END_ABOVE;
}

static struct gw_point north_of(struct gw_point p) {
    return (struct gw_point){p.lon, p.lat + 1};
}

// Sets the head, and adds the vertex that a level end needs: there is room for one at both ends.
static void finish_chain(const struct gw_box *box, struct gw_point points[],
                         struct gw_index_chain *chain) {
    struct gw_point *first = points + chain->start, *last = first + chain->count - 1;
    enum end begin = judge_end(box, first[0], first[1]);
    enum end stop = judge_end(box, last[0], last[-1]);
    if (begin == END_LEVEL) {
        first[-1] = north_of(first[0]);
        chain->start--;
        chain->count++;
    }
    if (stop == END_LEVEL) {
        last[1] = north_of(last[0]);
        chain->count++;
    }
    chain->head = (chain->count - 1u) | (begin == END_CLOSED ? GW_CHAIN_FIRST_CLOSED : 0) |
                  (begin == END_BELOW ? GW_CHAIN_FIRST_BELOW : 0) |
                  (stop == END_CLOSED ? GW_CHAIN_LAST_CLOSED : 0) |
                  (stop == END_BELOW ? GW_CHAIN_LAST_BELOW : 0);
}

static gw_err reserve(struct gw_index_chains *chains, size_t edges) {
    size_t points = 6 * edges + 2; // two vertices an edge, two more a chain, joining copies once
    if (points > chains->point_capacity) {
        struct gw_point *grown = realloc(chains->points, 2 * points * sizeof(*grown));
        if (grown == NULL) {
            return GW_ENOMEM;
        }
        chains->points = grown;
        chains->point_capacity = 2 * points;
    }
    if (edges > chains->capacity) {
        struct gw_index_chain *grown = realloc(chains->items, 2 * edges * sizeof(*grown));
        if (grown == NULL) {
            return GW_ENOMEM;
        }
        chains->items = grown;
        chains->capacity = 2 * edges;
    }
    return GW_OK;
}

// A ring's first and last edge meet in the cell: its last chain goes on as its first.
static void join_ends(struct gw_index_chains *chains, size_t first_item) {
    struct gw_index_chain *first = &chains->items[first_item];
    struct gw_index_chain *last = &chains->items[chains->count - 1];
    struct gw_point *end = &chains->points[last->start + last->count - 1];
    if (first == last || !same(*end, chains->points[first->start]) ||
        first->count + last->count > CHAIN_EDGES_MAX) {
        return;
    }
    memcpy(end + 1, &chains->points[first->start + 1], (first->count - 1) * sizeof(*end));
    last->count += first->count - 1;
    chains->point_count += first->count - 1;
    *first = *last;
    chains->count--;
}

gw_err gw_index_chains_collect(struct gw_index_chains *chains, const struct gw_box *box,
                               const struct gw_index_edge edges[], const uint32_t list[],
                               size_t count) {
    gw_err err = reserve(chains, count);
    if (err != GW_OK) {
        return err;
    }
    chains->count = 0;
    chains->point_count = 0;
    size_t first_item = 0;
    struct gw_index_chain *chain = NULL;
    for (size_t i = 0; i < count; i++) {
        const struct gw_index_edge *edge = &edges[list[i]];
        bool follows = chain != NULL && chain->grid == edge->grid &&
                       chain->count <= CHAIN_EDGES_MAX &&
                       same(chains->points[chains->point_count - 1], edge->a);
        if (!follows) {
            if (chain != NULL && chain->grid != edge->grid) {
                join_ends(chains, first_item);
                first_item = chains->count;
            }
            chains->point_count += chain != NULL ? 2 : 1; // room behind the last, before this one
            chain = &chains->items[chains->count++];
            *chain = (struct gw_index_chain){edge->grid, 0, (uint32_t)chains->point_count, 1};
            chains->points[chains->point_count++] = edge->a;
        }
        chains->points[chains->point_count++] = edge->b;
        chain->count++;
    }
    if (chain != NULL) {
        join_ends(chains, first_item);
    }
    for (size_t i = 0; i < chains->count; i++) {
        finish_chain(box, chains->points, &chains->items[i]);
    }
    return GW_OK;
}

int32_t gw_index_chain_crossings(const struct gw_index_chains *chains,
                                 const struct gw_index_chain *chain, struct gw_point point) {
    // A point is two int32, which may be read as the words of the format.
    return gw_chain_crossings(chain->head, (const uint32_t *)&chains->points[chain->start].lon,
                              point);
}

int32_t gw_index_edge_crossings(const struct gw_box *box, const struct gw_index_edge *edge,
                                struct gw_point point) {
    struct gw_point points[4] = {{0, 0}, edge->a, edge->b, {0, 0}};
    struct gw_index_chain chain = {edge->grid, 0, 1, 2};
    finish_chain(box, points, &chain);
    return gw_chain_crossings(chain.head, (const uint32_t *)&points[chain.start].lon, point);
}

bool gw_index_chains_reverse(const struct gw_index_chains *chains, const struct gw_index_chain *a,
                             const struct gw_index_chain *b) {
    const struct gw_point *forth = &chains->points[a->start], *back = &chains->points[b->start];
    for (uint32_t i = 0; i < a->count && a->count == b->count; i++) {
        if (!same(forth[i], back[b->count - 1 - i])) {
            return false;
        }
    }
    return a->count == b->count;
}
