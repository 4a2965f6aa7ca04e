#include "tests/bench/synthetic_city.h"

#include "tests/support/random.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define BENDS 8 // on each side of a grid
#define SIDE_POINTS (BENDS + 1)
#define RING_POINTS (4 * SIDE_POINTS)

static const struct gw_point south_west = {1234000000, 419000000};
#define EXTENT 16000000.0

// A mesh of (cols + 1) x (rows + 1) nodes; `bends` of the sides east and north of each node.
struct mesh {
    uint32_t cols, rows;
    double *xs, *ys; // of the straight lines before jitter
    struct gw_point *nodes;
    struct gw_point *bends; // [node][2][BENDS]
};

static void *allocate(size_t count, size_t size) {
    void *block = calloc(count > 0 ? count : 1, size);
    assert(block != NULL);
    return block;
}

// Lines that are close in the middle and up to ten times as far apart outside.
static double *draw_lines(uint32_t cells, struct test_random *random) {
    double *lines = allocate((size_t)cells + 1, sizeof(*lines));
    for (uint32_t i = 0; i < cells; i++) {
        double off = 2.0 * ((double)i + 0.5) / cells - 1.0;
        lines[i + 1] = lines[i] + 0.1 + 0.9 * off * off + 0.05 * test_random_unit(random);
    }
    for (uint32_t i = 0; i <= cells; i++) {
        lines[i] *= i < cells ? EXTENT / lines[cells] : 1.0;
    }
    lines[cells] = EXTENT;
    return lines;
}

static struct gw_point at(double x, double y) {
    return (struct gw_point){south_west.lon + (int32_t)x, south_west.lat + (int32_t)y};
}

static double jitter(struct test_random *random, double reach) {
    return (2.0 * test_random_unit(random) - 1.0) * reach;
}

// The narrower of the cells beside a line, so that no border meets another.
static double room_beside(const double *lines, uint32_t cells, uint32_t i) {
    double before = i > 0 ? lines[i] - lines[i - 1] : EXTENT;
    double after = i < cells ? lines[i + 1] - lines[i] : EXTENT;
    return before < after ? before : after;
}

static void draw_bends(const struct mesh *mesh, uint32_t x, uint32_t y,
                       struct test_random *random) {
    struct gw_point *bends = mesh->bends + ((size_t)y * (mesh->cols + 1) + x) * 2 * BENDS;
    double across_x = room_beside(mesh->xs, mesh->cols, x) * 0.1;
    double across_y = room_beside(mesh->ys, mesh->rows, y) * 0.1;
    for (int i = 0; i < BENDS; i++) {
        double share = 0.2 + 0.6 * (i + 0.5 + jitter(random, 0.3)) / BENDS;
        if (x < mesh->cols) {
            bends[i] = at(mesh->xs[x] + share * (mesh->xs[x + 1] - mesh->xs[x]),
                          mesh->ys[y] + jitter(random, across_y));
        }
        if (y < mesh->rows) {
            bends[BENDS + i] = at(mesh->xs[x] + jitter(random, across_x),
                                  mesh->ys[y] + share * (mesh->ys[y + 1] - mesh->ys[y]));
        }
    }
}

static void draw_mesh(struct mesh *mesh, uint32_t grids, struct test_random *random) {
    mesh->cols = 1;
    while (mesh->cols * mesh->cols < grids) {
        mesh->cols++;
    }
    mesh->rows = (grids + mesh->cols - 1) / mesh->cols;
    mesh->xs = draw_lines(mesh->cols, random);
    mesh->ys = draw_lines(mesh->rows, random);
    size_t nodes = (size_t)(mesh->cols + 1) * (mesh->rows + 1);
    mesh->nodes = allocate(nodes, sizeof(*mesh->nodes));
    mesh->bends = allocate(nodes * 2 * BENDS, sizeof(*mesh->bends));
    for (uint32_t y = 0; y <= mesh->rows; y++) {
        for (uint32_t x = 0; x <= mesh->cols; x++) {
            double dx = jitter(random, 0.1 * room_beside(mesh->xs, mesh->cols, x));
            double dy = jitter(random, 0.1 * room_beside(mesh->ys, mesh->rows, y));
            mesh->nodes[(size_t)y * (mesh->cols + 1) + x] = at(mesh->xs[x] + dx, mesh->ys[y] + dy);
            draw_bends(mesh, x, y, random);
        }
    }
}

// One side: its first node and its bends, forth or back.
static struct gw_point *put_side(const struct mesh *mesh, size_t from, size_t low, int way,
                                 struct gw_point *out) {
    const struct gw_point *bends = mesh->bends + (low * 2 + (size_t)way) * BENDS;
    *out++ = mesh->nodes[from];
    for (int i = 0; i < BENDS; i++) {
        *out++ = bends[from == low ? i : BENDS - 1 - i];
    }
    return out;
}

void synthetic_city_draw(struct synthetic_city *city, uint32_t grids, uint64_t seed) {
    struct test_random random = {seed};
    struct mesh mesh;
    draw_mesh(&mesh, grids, &random);
    uint32_t *starts = allocate((size_t)grids + 1, sizeof(*starts));
    uint32_t *vertices = allocate((size_t)grids + 1, sizeof(*vertices));
    uint32_t *ranks = allocate(grids, sizeof(*ranks));
    struct gw_point *points = allocate((size_t)grids * RING_POINTS, sizeof(*points)), *out = points;
    for (uint32_t i = 0; i < grids; i++) {
        uint32_t col = i % mesh.cols, row = i / mesh.cols;
        size_t low = (size_t)row * (mesh.cols + 1) + col, high = low + mesh.cols + 1;
        out = put_side(&mesh, low, low, 0, out);
        out = put_side(&mesh, low + 1, low + 1, 1, out);
        out = put_side(&mesh, high + 1, high, 0, out);
        out = put_side(&mesh, high, low, 1, out);
        starts[i + 1] = i + 1;
        vertices[i + 1] = (i + 1) * RING_POINTS;
        ranks[i] = i;
    }
    city->coverage = (struct gw_coverage){.grid_count = grids,
                                          .ring_count = grids,
                                          .vertex_count = grids * RING_POINTS,
                                          .grid_rings = starts,
                                          .ring_vertices = vertices,
                                          .ring_kinds = allocate(grids, 1),
                                          .vertices = points,
                                          .code_ranks = ranks};
    city->box = (struct gw_box){south_west, at(EXTENT, EXTENT)};
    free(mesh.xs);
    free(mesh.ys);
    free(mesh.nodes);
    free(mesh.bends);
}

void synthetic_city_deinit(struct synthetic_city *city) {
    free((void *)(uintptr_t)city->coverage.grid_rings);
    free((void *)(uintptr_t)city->coverage.ring_vertices);
    free((void *)(uintptr_t)city->coverage.ring_kinds);
    free((void *)(uintptr_t)city->coverage.vertices);
    free((void *)(uintptr_t)city->coverage.code_ranks);
    memset(city, 0, sizeof(*city));
}
