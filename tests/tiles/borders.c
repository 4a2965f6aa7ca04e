#include "tests/tiles/borders.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOTHING_NEAR 1e9
#define FINE 0.01       // units: how short a piece is halved to
#define PIECES_MAX 256u // on the stack of halves

struct edge {
    struct gw_point from, to;
    uint32_t feature;
    struct segment world; // the same, projected
};

struct box {
    double left, top, right, bottom; // of the world's width
};

struct borders {
    struct edge *edges; // by feature
    uint32_t *first;    // [count + 1] of a feature
    struct box *boxes;  // [count]
    const char **codes; // [count]
    uint32_t *by_code;  // [count]
    uint32_t count, edge_count;
};

static void *must_have(void *memory) {
    if (memory == NULL) {
        (void)fprintf(stderr, "out of memory\n");
        exit(1);
    }
    return memory;
}

// --- segments ---------------------------------------------------------------------------------

void segments_add(struct segments *segments, struct segment segment) {
    if (segments->count == segments->capacity) {
        segments->capacity = segments->capacity == 0 ? 256 : segments->capacity * 2;
        segments->items =
            must_have(realloc(segments->items, segments->capacity * sizeof(*segments->items)));
    }
    segments->items[segments->count++] = segment;
}

void segments_free(struct segments *segments) {
    free(segments->items);
    *segments = (struct segments){0};
}

double segment_length(struct segment s) {
    return hypot(s.to.x - s.from.x, s.to.y - s.from.y);
}

// Cuts [*low, *high] of the way down to where from + way * along is within [0, 4096].
static bool cut(double from, double way, double *low, double *high) {
    if (way == 0.0) {
        return from >= 0.0 && from <= GW_TILE_EXTENT;
    }
    double a = -from / way, b = (GW_TILE_EXTENT - from) / way;
    *low = fmax(*low, fmin(a, b));
    *high = fmin(*high, fmax(a, b));
    return *low <= *high;
}

static struct place along(struct segment s, double part) {
    return (struct place){s.from.x + (s.to.x - s.from.x) * part,
                          s.from.y + (s.to.y - s.from.y) * part};
}

bool segment_clip(struct segment s, struct segment *inside) {
    double low = 0.0, high = 1.0;
    if (!cut(s.from.x, s.to.x - s.from.x, &low, &high) ||
        !cut(s.from.y, s.to.y - s.from.y, &low, &high)) {
        return false;
    }
    *inside = (struct segment){along(s, low), along(s, high)};
    return true;
}

static double place_distance(struct place p, struct segment s) {
    double dx = s.to.x - s.from.x, dy = s.to.y - s.from.y;
    double square = dx * dx + dy * dy;
    double part = square > 0.0 ? ((p.x - s.from.x) * dx + (p.y - s.from.y) * dy) / square : 0.0;
    struct place nearest = along(s, fmin(fmax(part, 0.0), 1.0));
    return hypot(p.x - nearest.x, p.y - nearest.y);
}

// The least, over the other segments, of the larger of both ends' distances: a bound for the piece.
// The first that is not above `floor` will do.
static double bound(struct segment piece, const struct segments *others, double floor,
                    double *least_end) {
    double best = NOTHING_NEAR, from_best = NOTHING_NEAR, to_best = NOTHING_NEAR;
    for (size_t i = 0; i < others->count && best > floor; i++) {
        double from = place_distance(piece.from, others->items[i]);
        double to = place_distance(piece.to, others->items[i]);
        best = fmin(best, fmax(from, to));
        from_best = fmin(from_best, from);
        to_best = fmin(to_best, to);
    }
    *least_end = fmax(from_best, to_best);
    return best;
}

double segment_distance(struct segment segment, const struct segments *others, double floor) {
    struct segment pieces[PIECES_MAX];
    size_t count = 1;
    double largest = floor;
    pieces[0] = segment;
    while (count > 0) {
        struct segment piece = pieces[--count];
        double ends = 0.0, whole = bound(piece, others, largest, &ends);
        // The bound is good enough when the ends themselves are as far, or it changes nothing.
        bool settled = whole <= largest || whole <= ends + FINE || segment_length(piece) <= FINE;
        if (settled || count + 2 > PIECES_MAX) {
            largest = fmax(largest, whole);
        } else {
            struct place middle = along(piece, 0.5);
            pieces[count++] = (struct segment){piece.from, middle};
            pieces[count++] = (struct segment){middle, piece.to};
        }
    }
    return largest;
}

// --- what is stored ---------------------------------------------------------------------------

static int compare_ends(const struct edge *a, const struct edge *b) {
    const int64_t left[] = {a->from.lon, a->from.lat, a->to.lon, a->to.lat};
    const int64_t right[] = {b->from.lon, b->from.lat, b->to.lon, b->to.lat};
    for (size_t i = 0; i < 4; i++) {
        if (left[i] != right[i]) {
            return left[i] < right[i] ? -1 : 1;
        }
    }
    return 0;
}

static int compare_edges(const void *left, const void *right) {
    const struct edge *a = left, *b = right;
    if (a->feature != b->feature) {
        return a->feature < b->feature ? -1 : 1;
    }
    return compare_ends(a, b);
}

// The feature of each grid at this level; counts them.
static uint32_t *assign(const struct gw_edition *edition, uint32_t level, struct borders *borders) {
    uint32_t grids = gw_edition_grid_count(edition), areas = gw_edition_area_count(edition);
    uint32_t *features = must_have(calloc(grids + 1u, sizeof(*features)));
    uint32_t *of_area = must_have(malloc((areas + 1u) * sizeof(*of_area)));
    memset(of_area, 0xff, (areas + 1u) * sizeof(*of_area));
    borders->codes = must_have(calloc((size_t)grids + areas + 1u, sizeof(*borders->codes)));
    for (uint32_t grid = 0; grid < grids; grid++) {
        uint32_t chain[GW_AREA_LEVELS];
        uint32_t above = level == 0 ? 0 : gw_edition_chain(edition, grid, chain);
        features[grid] = level == 0 ? grid : UINT32_MAX;
        for (uint32_t i = 0; i < above; i++) {
            struct gw_area area = gw_edition_area(edition, chain[i]);
            if (area.level == level) {
                if (of_area[chain[i]] == UINT32_MAX) {
                    borders->codes[borders->count] = area.code;
                    of_area[chain[i]] = borders->count++;
                }
                features[grid] = of_area[chain[i]];
            }
        }
        if (level == 0) {
            borders->codes[borders->count++] = gw_edition_grid(edition, grid).code;
        }
    }
    free(of_area);
    return features;
}

static void collect_edges(const struct gw_coverage *coverage, const uint32_t features[],
                          struct borders *borders) {
    borders->edges = must_have(malloc((coverage->vertex_count + 1u) * sizeof(*borders->edges)));
    for (uint32_t grid = 0; grid < coverage->grid_count; grid++) {
        for (uint32_t ring = coverage->grid_rings[grid];
             features[grid] != UINT32_MAX && ring < coverage->grid_rings[grid + 1]; ring++) {
            uint32_t begin = coverage->ring_vertices[ring];
            uint32_t end = coverage->ring_vertices[ring + 1];
            for (uint32_t i = begin; i < end; i++) {
                borders->edges[borders->edge_count++] =
                    (struct edge){coverage->vertices[i],
                                  coverage->vertices[i + 1 < end ? i + 1 : begin],
                                  features[grid],
                                  {{0.0, 0.0}, {0.0, 0.0}}};
            }
        }
    }
}

// Takes the edges away whose reverse the same feature has.
static void drop_inner_edges(struct borders *borders) {
    qsort(borders->edges, borders->edge_count, sizeof(*borders->edges), compare_edges);
    uint32_t kept = 0;
    bool *inner = must_have(calloc(borders->edge_count + 1u, sizeof(*inner)));
    for (uint32_t i = 0; i < borders->edge_count; i++) {
        struct edge edge = borders->edges[i];
        struct edge back = {edge.to, edge.from, edge.feature, edge.world};
        inner[i] = bsearch(&back, borders->edges, borders->edge_count, sizeof(back),
                           compare_edges) != NULL;
    }
    for (uint32_t i = 0; i < borders->edge_count; i++) {
        if (!inner[i]) {
            borders->edges[kept++] = borders->edges[i];
        }
    }
    borders->edge_count = kept;
    free(inner);
}

static struct place project(struct gw_point point) {
    const double pi = 3.14159265358979323846;
    double sine = sin(point.lat * 1e-7 * pi / 180.0);
    return (struct place){point.lon * 1e-7 / 360.0 + 0.5,
                          0.5 - log((1.0 + sine) / (1.0 - sine)) / (4.0 * pi)};
}

static void index_features(struct borders *borders) {
    borders->first = must_have(calloc(borders->count + 1u, sizeof(*borders->first)));
    borders->boxes = must_have(calloc(borders->count + 1u, sizeof(*borders->boxes)));
    uint32_t edge = 0;
    for (uint32_t feature = 0; feature < borders->count; feature++) {
        struct box box = {2.0, 2.0, -1.0, -1.0};
        borders->first[feature] = edge;
        for (; edge < borders->edge_count && borders->edges[edge].feature == feature; edge++) {
            struct edge *at = &borders->edges[edge];
            at->world = (struct segment){project(at->from), project(at->to)};
            struct place place = at->world.from;
            box = (struct box){fmin(box.left, place.x), fmin(box.top, place.y),
                               fmax(box.right, place.x), fmax(box.bottom, place.y)};
        }
        borders->boxes[feature] = box;
    }
    borders->first[borders->count] = edge;
}

static int compare_codes(const void *left, const void *right, void *codes) {
    const char *const *texts = codes;
    const uint32_t *a = left, *b = right;
    return strcmp(texts[*a], texts[*b]);
}

struct borders *borders_create(const struct gw_edition *edition, uint32_t level) {
    struct borders *borders = must_have(calloc(1, sizeof(*borders)));
    uint32_t *features = assign(edition, level, borders);
    collect_edges(gw_edition_coverage(edition), features, borders);
    free(features);
    drop_inner_edges(borders);
    index_features(borders);
    borders->by_code = must_have(malloc((borders->count + 1u) * sizeof(*borders->by_code)));
    for (uint32_t i = 0; i < borders->count; i++) {
        borders->by_code[i] = i;
    }
    qsort_r(borders->by_code, borders->count, sizeof(*borders->by_code), compare_codes,
            borders->codes);
    return borders;
}

void borders_destroy(struct borders *borders) {
    if (borders != NULL) {
        free(borders->edges);
        free(borders->first);
        free(borders->boxes);
        free(borders->codes);
        free(borders->by_code);
        free(borders);
    }
}

uint32_t borders_count(const struct borders *borders) {
    return borders->count;
}

const char *borders_code(const struct borders *borders, uint32_t feature) {
    return borders->codes[feature];
}

uint32_t borders_find(const struct borders *borders, const char *code) {
    uint32_t low = 0, high = borders->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (strcmp(borders->codes[borders->by_code[middle]], code) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    bool found = low < borders->count && strcmp(borders->codes[borders->by_code[low]], code) == 0;
    return found ? borders->by_code[low] : UINT32_MAX;
}

static struct place in_tile(struct place world, struct gw_tile_id id) {
    double scale = ldexp(GW_TILE_EXTENT, (int)id.z);
    return (struct place){world.x * scale - (double)id.x * GW_TILE_EXTENT,
                          world.y * scale - (double)id.y * GW_TILE_EXTENT};
}

static bool boxes_meet(struct place a, struct place b, double grown) {
    return fmax(a.x, b.x) >= -grown && fmin(a.x, b.x) <= GW_TILE_EXTENT + grown &&
           fmax(a.y, b.y) >= -grown && fmin(a.y, b.y) <= GW_TILE_EXTENT + grown;
}

bool borders_meet(const struct borders *borders, uint32_t feature, struct gw_tile_id id) {
    struct box box = borders->boxes[feature];
    return boxes_meet(in_tile((struct place){box.left, box.top}, id),
                      in_tile((struct place){box.right, box.bottom}, id), 0.0);
}

void borders_in_tile(const struct borders *borders, uint32_t feature, struct gw_tile_id id,
                     struct segments *out) {
    out->count = 0;
    for (uint32_t i = borders->first[feature]; i < borders->first[feature + 1]; i++) {
        struct place from = in_tile(borders->edges[i].world.from, id);
        struct place to = in_tile(borders->edges[i].world.to, id);
        if (boxes_meet(from, to, GW_TILE_BUFFER)) {
            segments_add(out, (struct segment){from, to});
        }
    }
}
