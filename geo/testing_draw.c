// Random coverages of the kinds that break geometry code: see enum test_kind.
#include "geo/testing_coverage.h"

#include <assert.h>
#include <string.h>

#define SIDE_MAX 9 // cells of a partition along a side
#define BENDS_MAX 3

const char *test_kind_name(enum test_kind kind) {
    static const char *const names[TEST_KINDS] = {"partition", "loose",    "random", "nested",
                                                  "fan",       "repeated", "world"};
    return names[kind];
}

static int64_t draw(struct test_random *random, int64_t min, int64_t max) {
    return test_random_range(random, min, max);
}

static bool chance(struct test_random *random, int64_t percent) {
    return draw(random, 1, 100) <= percent;
}

// Where the small lattice of a coverage lies.
struct frame {
    struct gw_point origin;
    int32_t scale;
};

static struct frame draw_frame(struct test_random *random) {
    static const int32_t scales[] = {1, 1, 2, 7, 64, 1000, 32768, 100003};
    int32_t scale = scales[draw(random, 0, 7)];
    int32_t reach = 200 * scale;
    struct frame frame = {.scale = scale};
    frame.origin.lon = (int32_t)draw(random, -GW_LON_MAX, GW_LON_MAX - reach);
    frame.origin.lat = (int32_t)draw(random, -GW_LAT_MAX, GW_LAT_MAX - reach);
    if (chance(random, 20)) {
        frame.origin.lon = chance(random, 50) ? -GW_LON_MAX : GW_LON_MAX - reach;
    }
    if (chance(random, 20)) {
        frame.origin.lat = chance(random, 50) ? -GW_LAT_MAX : GW_LAT_MAX - reach;
    }
    return frame;
}

static struct gw_point place(const struct frame *frame, int64_t x, int64_t y) {
    return (struct gw_point){(int32_t)(frame->origin.lon + x * frame->scale),
                             (int32_t)(frame->origin.lat + y * frame->scale)};
}

// The borders of a jittered partition: nodes, and the bends of the edge east and north of each.
struct mesh {
    int cols, rows;
    struct gw_point nodes[SIDE_MAX + 1][SIDE_MAX + 1];
    struct gw_point bends[2][SIDE_MAX + 1][SIDE_MAX + 1][BENDS_MAX];
    int counts[2][SIDE_MAX + 1][SIDE_MAX + 1];
};

static void draw_mesh(struct mesh *mesh, struct test_random *random) {
    struct frame frame = draw_frame(random);
    int64_t jitter = draw(random, 0, 4);
    mesh->cols = (int)draw(random, 1, SIDE_MAX);
    mesh->rows = (int)draw(random, 1, SIDE_MAX);
    for (int y = 0; y <= mesh->rows; y++) {
        for (int x = 0; x <= mesh->cols; x++) {
            int64_t dx = draw(random, -jitter, jitter), dy = draw(random, -jitter, jitter);
            mesh->nodes[y][x] = place(&frame, 10 + 20 * x + dx, 10 + 20 * y + dy);
            for (int way = 0; way < 2; way++) {
                int count = (int)draw(random, 0, BENDS_MAX);
                mesh->counts[way][y][x] = count;
                for (int i = 0; i < count; i++) {
                    int64_t along = 4 + 4 * (i + 1), across = draw(random, -2, 2);
                    mesh->bends[way][y][x][i] =
                        place(&frame, 10 + 20 * x + (way == 0 ? along : across),
                              10 + 20 * y + (way == 0 ? across : along));
                }
            }
        }
    }
}

struct outline {
    struct gw_point points[4 * (BENDS_MAX + 1)];
    size_t count;
    struct test_random *random;
    int64_t drop_percent;
};

static void outline_add(struct outline *outline, struct gw_point point, bool node) {
    if (!node && chance(outline->random, outline->drop_percent)) {
        return;
    }
    outline->points[outline->count++] = point;
}

// One side of a cell: the node it starts from and its bends, forth or back.
static void outline_side(struct outline *outline, const struct mesh *mesh, int way, int y, int x,
                         struct gw_point start, bool forth) {
    outline_add(outline, start, true);
    int count = mesh->counts[way][y][x];
    for (int i = 0; i < count; i++) {
        outline_add(outline, mesh->bends[way][y][x][forth ? i : count - 1 - i], false);
    }
}

static void outline_cell(struct outline *outline, const struct mesh *mesh, int x, int y) {
    outline->count = 0;
    outline_side(outline, mesh, 0, y, x, mesh->nodes[y][x], true);
    outline_side(outline, mesh, 1, y, x + 1, mesh->nodes[y][x + 1], true);
    outline_side(outline, mesh, 0, y + 1, x, mesh->nodes[y + 1][x + 1], false);
    outline_side(outline, mesh, 1, y, x, mesh->nodes[y + 1][x], false);
}

// Cells of the mesh as grids; some are left out, some join the grid before.
static void draw_partition(struct test_coverage *coverage, struct test_random *random,
                           int64_t drop_percent) {
    struct mesh mesh;
    struct outline outline = {.random = random, .drop_percent = drop_percent};
    draw_mesh(&mesh, random);
    int64_t empty_percent = draw(random, 0, 1) * 20;
    for (int y = 0; y < mesh.rows; y++) {
        for (int x = 0; x < mesh.cols; x++) {
            if (chance(random, empty_percent)) {
                continue;
            }
            outline_cell(&outline, &mesh, x, y);
            if (!test_ring_simple(outline.points, outline.count)) {
                continue;
            }
            if (drop_percent > 0 || coverage->grids == 0 || !chance(random, 15)) {
                test_coverage_grid(coverage);
            }
            (void)test_coverage_ring(coverage, GW_RING_SHELL, outline.points, outline.count);
        }
    }
}

static void draw_polygon(struct test_coverage *coverage, struct test_random *random,
                         const struct frame *frame, int64_t side) {
    struct gw_point points[9];
    for (int tries = 0; tries < 200; tries++) {
        size_t count = (size_t)draw(random, 3, tries < 100 ? 9 : 4);
        for (size_t i = 0; i < count; i++) {
            points[i] = place(frame, draw(random, 0, side), draw(random, 0, side));
        }
        if (test_ring_simple(points, count)) {
            test_coverage_grid(coverage);
            (void)test_coverage_ring(coverage, GW_RING_SHELL, points, count);
            return;
        }
    }
}

static void draw_random(struct test_coverage *coverage, struct test_random *random) {
    struct frame frame = draw_frame(random);
    int64_t side = draw(random, 2, 40), count = draw(random, 1, 20);
    for (int64_t i = 0; i < count; i++) {
        draw_polygon(coverage, random, &frame, side);
    }
}

static void draw_square(const struct frame *frame, int64_t low, int64_t high, bool diamond,
                        struct gw_point points[4]) {
    int64_t middle = (low + high) / 2;
    points[0] = diamond ? place(frame, middle, low) : place(frame, low, low);
    points[1] = diamond ? place(frame, high, middle) : place(frame, high, low);
    points[2] = diamond ? place(frame, middle, high) : place(frame, high, high);
    points[3] = diamond ? place(frame, low, middle) : place(frame, low, high);
}

// Rings within rings; each second one a hole of the grid before, filled or empty.
static void draw_nested(struct test_coverage *coverage, struct test_random *random) {
    struct frame frame = draw_frame(random);
    bool diamond = chance(random, 50);
    int64_t low = 0, high = draw(random, 40, 190);
    bool fill = true;
    while (high - low >= 4) {
        struct gw_point points[4];
        draw_square(&frame, low, high, diamond, points);
        if (fill) {
            test_coverage_grid(coverage);
            (void)test_coverage_ring(coverage, GW_RING_SHELL, points, 4);
        }
        int64_t step = draw(random, 1, 12);
        low += step;
        high -= step;
        if (high - low < 2) {
            break;
        }
        draw_square(&frame, low, high, diamond, points);
        (void)test_coverage_ring(coverage, GW_RING_HOLE, points, 4);
        fill = chance(random, 70);
        if (!fill) { // an island of the same grid in its own hole
            low += 2;
            high -= 2;
            if (high - low < 2) {
                break;
            }
            draw_square(&frame, low, high, diamond, points);
            (void)test_coverage_ring(coverage, GW_RING_SHELL, points, 4);
            step = draw(random, 1, 6);
            low += step;
            high -= step;
            fill = true;
        }
    }
}

// Triangles that meet in one vertex, going round, some missing.
static void draw_fan(struct test_coverage *coverage, struct test_random *random) {
    struct frame frame = draw_frame(random);
    int64_t side = 2 * draw(random, 2, 40), middle = side / 2;
    struct gw_point hub = place(&frame, middle, middle), rim[400];
    size_t count = 0;
    for (int64_t i = 0; i < 4 * side; i++) {
        int64_t leg = i / side, at = i % side;
        int64_t x = leg == 0 ? at : leg == 1 ? side : leg == 2 ? side - at : 0;
        int64_t y = leg == 0 ? 0 : leg == 1 ? at : leg == 2 ? side : side - at;
        if (chance(random, 30)) {
            rim[count++] = place(&frame, x, y);
        }
    }
    for (size_t i = 0; i < count; i++) {
        struct gw_point points[3] = {hub, rim[i], rim[(i + 1) % count]};
        if (chance(random, 85) && test_ring_simple(points, 3)) {
            test_coverage_grid(coverage);
            (void)test_coverage_ring(coverage, GW_RING_SHELL, points, 3);
        }
    }
}

static void draw_repeated(struct test_coverage *coverage, struct test_random *random) {
    draw_random(coverage, random);
    size_t grids = coverage->grids;
    for (size_t i = 0; i < grids; i++) {
        for (int64_t copies = draw(random, 0, 2); copies > 0; copies--) {
            size_t begin = coverage->ring_vertices[i];
            size_t end = i + 1 < grids ? coverage->ring_vertices[i + 1] : 0;
            struct gw_point points[9];
            if (end <= begin || end - begin > 9) {
                continue;
            }
            memcpy(points, coverage->vertices + begin, (end - begin) * sizeof(points[0]));
            test_coverage_grid(coverage);
            (void)test_coverage_ring(coverage, GW_RING_SHELL, points, end - begin);
        }
    }
}

static int32_t draw_extreme(struct test_random *random, int32_t max) {
    static const int32_t parts[] = {-2, -1, 0, 1, 2};
    int32_t near = (int32_t)draw(random, 0, 4) - 2;
    if (chance(random, 40)) {
        int64_t value = (int64_t)parts[draw(random, 0, 4)] * (max / 2) + near;
        return value > max ? max : value < -max ? -max : (int32_t)value;
    }
    return (int32_t)draw(random, -max, max);
}

static void draw_world(struct test_coverage *coverage, struct test_random *random) {
    int64_t count = draw(random, 1, 12);
    for (int64_t i = 0; i < count; i++) {
        struct gw_point points[8];
        bool simple = false;
        size_t corners = 0;
        for (int tries = 0; tries < 100 && !simple; tries++) {
            corners = (size_t)draw(random, 3, 8);
            for (size_t j = 0; j < corners; j++) {
                points[j].lon = draw_extreme(random, GW_LON_MAX);
                points[j].lat = draw_extreme(random, GW_LAT_MAX);
            }
            simple = test_ring_simple(points, corners);
        }
        if (simple) {
            test_coverage_grid(coverage);
            (void)test_coverage_ring(coverage, GW_RING_SHELL, points, corners);
        }
    }
}

void test_coverage_draw(struct test_coverage *coverage, enum test_kind kind,
                        struct test_random *random) {
    test_coverage_init(coverage);
    while (coverage->grids == 0) {
        switch (kind) {
        case TEST_PARTITION:
            draw_partition(coverage, random, 0);
            break;
        case TEST_LOOSE:
            draw_partition(coverage, random, 30);
            break;
        case TEST_RANDOM:
            draw_random(coverage, random);
            break;
        case TEST_NESTED:
            draw_nested(coverage, random);
            break;
        case TEST_FAN:
            draw_fan(coverage, random);
            break;
        case TEST_REPEATED:
            draw_repeated(coverage, random);
            break;
        case TEST_WORLD:
            draw_world(coverage, random);
            break;
        case TEST_KINDS:
            assert(false);
        }
    }
    test_coverage_finish(coverage, random);
}
