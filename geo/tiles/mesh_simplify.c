// Douglas and Peucker 1973, without recursion, and kept from taking n^2 on long arcs.
#include "geo/tiles/mesh_arcs.h"

#define DEPTH_MAX 48 // halves, not farthest vertices, split a run beyond this depth
#define STACK_MAX 40 // the shorter half is done first: log2 of the vertices

// What is left of an arc at a zoom lies within this many tile units of it. At zooms 14 and 15,
// where rounding to tile units costs up to sqrt(1/2), the whole stays below one unit; beyond, the
// rounding to world units (4 cm on the equator) adds up to another half.
static double tolerance(uint32_t zoom) {
    return zoom <= 12 ? 2.0 : zoom == 13 ? 1.0 : 0.125;
}

// A loop, or what lies between two arcs with the same ends, is kept open from this area on.
#define VISIBLE_AREA 4.0 // square tile units

static double unit_of(uint32_t zoom) {
    return (double)(1u << (GW_TILE_ZOOM_MAX - zoom));
}

static uint8_t zoom_of_distance(double square) {
    uint32_t zoom = 0;
    for (; zoom <= GW_TILE_ZOOM_MAX; zoom++) {
        double limit = tolerance(zoom) * unit_of(zoom);
        if (square > limit * limit) {
            break;
        }
    }
    return (uint8_t)zoom;
}

static uint8_t zoom_of_area(double area) {
    uint32_t zoom = 0;
    while (zoom <= GW_TILE_ZOOM_MAX && area < VISIBLE_AREA * unit_of(zoom) * unit_of(zoom)) {
        zoom++;
    }
    return (uint8_t)zoom;
}

// The square of the distance of `p` from the segment a-b. Differences are below 2^31 and products
// of two below 2^62, so that only the last steps round.
static double distance_square(struct gw_world_point a, struct gw_world_point b,
                              struct gw_world_point p) {
    int64_t dx = (int64_t)b.x - a.x, dy = (int64_t)b.y - a.y;
    int64_t px = (int64_t)p.x - a.x, py = (int64_t)p.y - a.y;
    int64_t along = dx * px + dy * py, length = dx * dx + dy * dy;
    if (along <= 0) {
        return (double)(px * px + py * py);
    }
    if (along >= length) {
        px = (int64_t)p.x - b.x;
        py = (int64_t)p.y - b.y;
        return (double)(px * px + py * py);
    }
    double cross = (double)(dx * py - dy * px);
    return cross * cross / (double)length;
}

// The vertex between two others that lies farthest from the line between them; the first of them.
static uint32_t farthest(const struct gw_world_point run[], uint32_t from, uint32_t to,
                         double *square) {
    uint32_t best = from + 1;
    double most = -1.0;
    for (uint32_t i = from + 1; i < to; i++) {
        double at = distance_square(run[from], run[to], run[i]);
        if (at > most) {
            most = at;
            best = i;
        }
    }
    *square = most;
    return best;
}

struct span {
    uint32_t from, to, depth;
    double parent; // what the ends of the span got at most
};

// distances[i]: the square of the tolerance up to which vertex i is needed.
static void weigh(const struct gw_world_point run[], uint32_t count, double distances[]) {
    struct span stack[STACK_MAX];
    uint32_t depth = 0;
    stack[depth++] = (struct span){0, count - 1, 0, 0x1p+126};
    while (depth > 0) {
        struct span span = stack[--depth];
        if (span.to - span.from < 2) {
            continue;
        }
        double square;
        uint32_t split = farthest(run, span.from, span.to, &square);
        if (span.depth > DEPTH_MAX) {
            split = span.from + (span.to - span.from) / 2;
        }
        square = square < span.parent ? square : span.parent;
        distances[split] = square;
        struct span left = {span.from, split, span.depth + 1, square};
        struct span right = {split, span.to, span.depth + 1, square};
        bool left_longer = split - span.from > span.to - split;
        stack[depth++] = left_longer ? left : right;
        stack[depth++] = left_longer ? right : left;
    }
}

// Between the run and the line that joins its ends.
static double area_of(const struct gw_world_point run[], uint32_t count) {
    double sum = 0.0;
    for (uint32_t i = 1; i + 1 < count; i++) {
        int64_t ax = (int64_t)run[i].x - run[0].x, ay = (int64_t)run[i].y - run[0].y;
        int64_t bx = (int64_t)run[i + 1].x - run[0].x, by = (int64_t)run[i + 1].y - run[0].y;
        sum += (double)(ax * by - ay * bx);
    }
    return (sum < 0.0 ? -sum : sum) * 0.5;
}

static void show_from(uint8_t zooms[], uint32_t vertex, uint8_t zoom) {
    zooms[vertex] = zooms[vertex] < zoom ? zooms[vertex] : zoom;
}

void mesh_simplify(const struct gw_world_point run[], uint32_t count, bool twin, double distances[],
                   uint8_t zooms[]) {
    weigh(run, count, distances);
    for (uint32_t i = 1; i + 1 < count; i++) {
        zooms[i] = zoom_of_distance(distances[i]);
    }
    zooms[0] = zooms[count - 1] = 0;
    bool closed = mesh_compare(run[0], run[count - 1]) == 0;
    if (count < 3 || (!closed && !twin)) {
        return;
    }
    // A closed arc needs three corners, one of two arcs with the same ends one between them.
    uint8_t zoom = zoom_of_area(area_of(run, count) * (closed ? 1.0 : 2.0));
    double square;
    uint32_t apex = farthest(run, 0, count - 1, &square);
    show_from(zooms, apex, zoom);
    if (closed && count > 4) {
        double before = -1.0, behind = -1.0;
        uint32_t left = apex > 1 ? farthest(run, 0, apex, &before) : 0;
        uint32_t right = apex + 2 < count ? farthest(run, apex, count - 1, &behind) : 0;
        show_from(zooms, before >= behind ? left : right, zoom);
    } else if (closed && count == 4) {
        show_from(zooms, apex == 1 ? 2 : 1, zoom);
    }
}
