#include "geo/label_point.h"

#include <stdlib.h>

enum {
    LINES = 9,        // evenly over the polygon's height; of a ragged one as many more
    THIN_LINES = 501, // the same for a polygon in which those found nothing
    CLIMB_STEPS = 20,
    HALVINGS = 3
};

__extension__ typedef __int128 wide;

// A shell with its holes.
struct polygon {
    const struct gw_coverage *coverage;
    uint32_t ring, ring_end;
    struct gw_box box;
    double across; // a unit of longitude in units of latitude, roughly
};

// Where a polygon's edges meet a line of one latitude, each as one number, west to east.
struct line {
    int64_t *meetings; // room for one an edge
    uint32_t count;
};

struct search {
    struct polygon polygon;
    struct line line;
    struct gw_point best;
    double clearance; // of the best point, squared, in units of latitude; 0: there is none yet
};

// ---- the largest polygon ----

static wide doubled_area(const struct gw_coverage *coverage, uint32_t ring) {
    uint32_t begin = coverage->ring_vertices[ring], end = coverage->ring_vertices[ring + 1];
    wide area = 0;
    struct gw_point a = coverage->vertices[end - 1];
    for (uint32_t i = begin; i < end; i++) {
        struct gw_point b = coverage->vertices[i];
        area += (wide)a.lon * b.lat - (wide)b.lon * a.lat;
        a = b;
    }
    return area; // of a hole: below 0
}

// The cosine of a latitude within 0.002 (Bhaskara's formula: no libm), for distances that are only
// compared.
static double cosine(int32_t lat) {
    double degrees = gw_degrees(lat), square = degrees * degrees;
    double value = (32400.0 - 4.0 * square) / (32400.0 + square);
    return value > 0.01 ? value : 0.01;
}

static struct polygon largest_polygon(const struct gw_coverage *coverage, uint32_t grid) {
    struct polygon largest = {.coverage = coverage};
    uint32_t ring = coverage->grid_rings[grid], end = coverage->grid_rings[grid + 1];
    wide largest_area = -1;
    while (ring < end) {
        uint32_t shell = ring;
        wide area = doubled_area(coverage, ring++);
        while (ring < end && coverage->ring_kinds[ring] == GW_RING_HOLE) {
            area += doubled_area(coverage, ring++);
        }
        if (area > largest_area) {
            largest_area = area;
            largest.ring = shell;
            largest.ring_end = ring;
        }
    }
    largest.box = gw_coverage_rings_box(coverage, largest.ring, largest.ring + 1);
    largest.across = cosine((int32_t)(((int64_t)largest.box.min.lat + largest.box.max.lat) / 2));
    return largest;
}

// ---- one line ----

// A meeting is floor(longitude) * 2 + (between two lattice points), then a bit each for whether the
// inside changes there right above and right below the line. Two that lie between the same lattice
// points may come in either order: no lattice point tells.
static void meet(struct line *line, struct gw_point from, struct gw_point to, int32_t lat) {
    struct gw_point a = from.lat <= to.lat ? from : to; // the lower end
    struct gw_point b = from.lat <= to.lat ? to : from;
    bool above = a.lat <= lat && lat < b.lat, below = a.lat < lat && lat <= b.lat;
    if (!above && !below) {
        return;
    }
    int64_t height = (int64_t)b.lat - a.lat;
    int64_t way = ((int64_t)b.lon - a.lon) * ((int64_t)lat - a.lat); // fits 64 bits
    int64_t whole = way / height, rest = way % height;
    int64_t floor = a.lon + (rest < 0 ? whole - 1 : whole);
    line->meetings[line->count++] = (floor * 2 + (rest != 0)) * 4 + above * 2 + below;
}

static int by_value(const void *left, const void *right) {
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

// The middle of the longest row of lattice points that are inside and on no border: the line is
// inside there right above and right below. False: there is none.
static bool middle_of_widest(struct line *line, int32_t *lon) {
    bool above = false, below = false;
    int64_t widest = 0;
    qsort(line->meetings, line->count, sizeof(line->meetings[0]), by_value);
    for (uint32_t i = 0; i + 1 < line->count; i++) {
        int64_t here = line->meetings[i], there = line->meetings[i + 1];
        above = above != ((here & 2) != 0);
        below = below != ((here & 1) != 0);
        int64_t first = (here >> 3) + 1;
        int64_t last = (there >> 3) - ((there & 4) != 0 ? 0 : 1);
        if (above && below && last - first + 1 > widest) {
            widest = last - first + 1;
            *lon = (int32_t)(first + (last - first) / 2);
        }
    }
    return widest > 0;
}

static bool middle_of_line(struct search *search, int32_t lat, int32_t *lon) {
    const struct gw_coverage *coverage = search->polygon.coverage;
    search->line.count = 0;
    for (uint32_t ring = search->polygon.ring; ring < search->polygon.ring_end; ring++) {
        uint32_t begin = coverage->ring_vertices[ring], end = coverage->ring_vertices[ring + 1];
        struct gw_point from = coverage->vertices[end - 1];
        for (uint32_t i = begin; i < end; i++) {
            meet(&search->line, from, coverage->vertices[i], lat);
            from = coverage->vertices[i];
        }
    }
    return middle_of_widest(&search->line, lon);
}

// ---- how far from the border ----

// The square of the distance to an edge that the point does not lie on: never 0, as it may be when
// it is rounded.
#define SQUARE_MIN 1e-12
static double distance(struct gw_point a, struct gw_point b, struct gw_point p, double across) {
    double x = ((double)b.lon - a.lon) * across, y = (double)b.lat - a.lat;
    double px = ((double)p.lon - a.lon) * across, py = (double)p.lat - a.lat;
    double along = px * x + py * y, length = x * x + y * y;
    double part = along <= 0.0 ? 0.0 : along >= length ? 1.0 : along / length;
    double dx = px - part * x, dy = py - part * y, square = dx * dx + dy * dy;
    return square > SQUARE_MIN ? square : SQUARE_MIN;
}

struct edge_answer {
    bool crossed; // an eastward ray from a little above the point crosses it
    bool touched; // the point lies on it
};

static struct edge_answer ask_edge(struct gw_point from, struct gw_point to, struct gw_point p) {
    struct gw_point a = from.lat <= to.lat ? from : to;
    struct gw_point b = from.lat <= to.lat ? to : from;
    if (p.lat < a.lat || p.lat > b.lat) {
        return (struct edge_answer){false, false};
    }
    int64_t rise = ((int64_t)b.lat - a.lat) * ((int64_t)p.lon - a.lon);
    int64_t run = ((int64_t)b.lon - a.lon) * ((int64_t)p.lat - a.lat);
    bool between =
        a.lon < b.lon ? a.lon <= p.lon && p.lon <= b.lon : b.lon <= p.lon && p.lon <= a.lon;
    return (struct edge_answer){p.lat < b.lat && rise < run, rise == run && between};
}

// Takes the point when it is inside and farther from the border than the best so far. Most are
// given up at the first edge that is nearer.
static bool try_point(struct search *search, struct gw_point p) {
    const struct polygon *polygon = &search->polygon;
    const struct gw_coverage *coverage = polygon->coverage;
    double nearest = -1.0;
    bool inside = false;
    for (uint32_t ring = polygon->ring; ring < polygon->ring_end; ring++) {
        uint32_t begin = coverage->ring_vertices[ring], end = coverage->ring_vertices[ring + 1];
        struct gw_point from = coverage->vertices[end - 1];
        for (uint32_t i = begin; i < end; i++) {
            struct gw_point to = coverage->vertices[i];
            struct edge_answer answer = ask_edge(from, to, p);
            double away = answer.touched ? 0.0 : distance(from, to, p, polygon->across);
            if (away <= search->clearance) {
                return false;
            }
            inside = inside != answer.crossed;
            nearest = nearest < 0.0 || away < nearest ? away : nearest;
            from = to;
        }
    }
    if (inside) {
        search->best = p;
        search->clearance = nearest;
    }
    return inside;
}

static void try_line(struct search *search, int64_t lat) {
    int32_t lon = 0;
    if (middle_of_line(search, (int32_t)lat, &lon)) {
        (void)try_point(search, (struct gw_point){lon, (int32_t)lat});
    }
}

// Lines evenly over the height: `count`, or all where it has no more.
static void try_even_lines(struct search *search, uint32_t count) {
    const struct gw_box *box = &search->polygon.box;
    int64_t bottom = box->min.lat, height = (int64_t)box->max.lat - bottom;
    for (int64_t i = 0; i < count && i < height - 1; i++) {
        try_line(search, height - 1 <= count
                             ? bottom + 1 + i
                             : bottom + (2 * i + 1) * height / (2 * (int64_t)count));
    }
}

// Lines through the middle of edges of the shell: most of its detail may lie in a small part of its
// height.
static void try_lines_of_edges(struct search *search, uint32_t count) {
    const struct polygon *polygon = &search->polygon;
    const struct gw_point *vertices = polygon->coverage->vertices;
    uint32_t begin = polygon->coverage->ring_vertices[polygon->ring];
    uint32_t edges = polygon->coverage->ring_vertices[polygon->ring + 1] - begin;
    count = edges < count ? edges : count;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t edge = begin + (uint32_t)((uint64_t)i * edges / count);
        uint32_t next = edge + 1 < begin + edges ? edge + 1 : begin;
        try_line(search, ((int64_t)vertices[edge].lat + vertices[next].lat) / 2);
    }
}

// Whether the best so far is less than an eighth of the box away from the border.
static bool is_ragged(const struct search *search) {
    const struct gw_box *box = &search->polygon.box;
    double width = ((double)box->max.lon - box->min.lon) * search->polygon.across;
    double height = (double)box->max.lat - box->min.lat;
    double smaller = width < height ? width : height;
    return search->clearance * 64.0 < smaller * smaller;
}

// ---- a little farther ----

static bool try_around(struct search *search, double step) {
    static const double ways[8][2] = {{1, 0},     {-1, 0},     {0, 1},      {0, -1},
                                      {0.7, 0.7}, {0.7, -0.7}, {-0.7, 0.7}, {-0.7, -0.7}};
    const struct gw_box *box = &search->polygon.box;
    struct gw_point from = search->best;
    bool better = false;
    for (int i = 0; i < 8; i++) {
        double lon = from.lon + ways[i][0] * step / search->polygon.across;
        double lat = from.lat + ways[i][1] * step;
        if (lon > box->min.lon && lon < box->max.lon && lat > box->min.lat && lat < box->max.lat) {
            better = try_point(search, (struct gw_point){(int32_t)lon, (int32_t)lat}) || better;
        }
    }
    return better;
}

// Steps are about the clearance at first: Newton's square root, as libm has no say here.
static double root(double square) {
    double value = square > 1.0 ? square : 1.0;
    for (int i = 0; i < 64; i++) {
        value = 0.5 * (value + square / value);
    }
    return value;
}

static void climb(struct search *search) {
    double step = root(search->clearance);
    int halvings = 0;
    for (int i = 0; i < CLIMB_STEPS && halvings <= HALVINGS && step >= 1.0; i++) {
        if (!try_around(search, step)) {
            step /= 2.0;
            halvings++;
        }
    }
}

static struct gw_point find(const struct gw_coverage *coverage, uint32_t grid, int64_t *meetings) {
    struct search search = {.polygon = largest_polygon(coverage, grid), .line = {meetings, 0}};
    try_even_lines(&search, LINES);
    if (is_ragged(&search)) {
        try_lines_of_edges(&search, LINES);
    }
    if (search.clearance <= 0.0) {
        try_even_lines(&search, THIN_LINES);
        try_lines_of_edges(&search, THIN_LINES);
    }
    if (search.clearance <= 0.0) {
        return coverage->vertices[coverage->ring_vertices[search.polygon.ring]];
    }
    climb(&search);
    return search.best;
}

gw_err gw_label_points(const struct gw_coverage *coverage, struct gw_point points[]) {
    uint32_t largest = 0;
    for (uint32_t grid = 0; grid < coverage->grid_count; grid++) {
        uint32_t count = coverage->ring_vertices[coverage->grid_rings[grid + 1]] -
                         coverage->ring_vertices[coverage->grid_rings[grid]];
        largest = count > largest ? count : largest;
    }
    int64_t *meetings = malloc(((size_t)largest + 1u) * sizeof(meetings[0]));
    if (meetings == NULL) {
        return GW_ENOMEM;
    }
    for (uint32_t grid = 0; grid < coverage->grid_count; grid++) {
        points[grid] = find(coverage, grid, meetings);
    }
    free(meetings);
    return GW_OK;
}
