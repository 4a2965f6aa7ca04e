// Tiles of random coverages against the stored rings: sample points and distances, straight from
// the projected rings, with no mesh and no clipping.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "geo/testing_coverage.h"
#include "geo/tiles/shapes.h"
#include "geo/tiles/testing_tile.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct pair {
    double x, y;
};

static uint64_t id_of(void *context, uint32_t feature) {
    (void)context;
    return 1000 + feature;
}

static void no_words(void *context, uint32_t feature, struct gw_mvt_writer *writer) {
    (void)context, (void)feature, (void)writer;
}

static const struct gw_tile_words words = {id_of, no_words, NULL};

// One mesh, its shapes and a scratch.
struct fixture {
    struct gw_tile_mesh *mesh;
    struct gw_tile_shapes *shapes;
    struct gw_tile_scratch *scratch;
};

static struct fixture fixture_of(const struct gw_coverage *coverage, const uint32_t features[],
                                 uint32_t feature_count) {
    struct fixture fixture;
    assert_int_equal(gw_coverage_check(coverage), GW_OK);
    assert_int_equal(gw_tile_mesh_create(coverage, &fixture.mesh), GW_OK);
    assert_int_equal(gw_tile_shapes_create(fixture.mesh, features, feature_count, &fixture.shapes),
                     GW_OK);
    assert_int_equal(gw_tile_scratch_create(&fixture.scratch), GW_OK);
    return fixture;
}

static void fixture_free(struct fixture *fixture) {
    gw_tile_scratch_destroy(fixture->scratch);
    gw_tile_shapes_destroy(fixture->shapes);
    gw_tile_mesh_destroy(fixture->mesh);
}

// The rings of one grid in units of a tile, edges cut so fine that they hardly bend.
struct outline {
    struct pair *points;
    uint32_t *starts; // [ring_count + 1]
    uint32_t ring_count, count;
};

#define PIECES 200

static struct pair project(double lon, double lat, struct gw_tile_id tile) {
    double limit = 85.05112878 * M_PI / 180.0, phi = lat / 1e7 * M_PI / 180.0;
    phi = phi > limit ? limit : phi < -limit ? -limit : phi;
    double size = 4096.0 * (double)(1u << tile.z);
    return (struct pair){(lon / 3.6e9 + 0.5) * size - tile.x * 4096.0,
                         (0.5 - atanh(sin(phi)) / (2 * M_PI)) * size - tile.y * 4096.0};
}

static struct outline outline_of(const struct gw_coverage *coverage, uint32_t grid,
                                 struct gw_tile_id tile) {
    uint32_t first = coverage->grid_rings[grid], last = coverage->grid_rings[grid + 1];
    uint32_t vertices = coverage->ring_vertices[last] - coverage->ring_vertices[first];
    struct outline outline = {malloc(vertices * PIECES * sizeof *outline.points),
                              malloc((last - first + 1) * sizeof *outline.starts), last - first, 0};
    for (uint32_t ring = first; ring < last; ring++) {
        uint32_t begin = coverage->ring_vertices[ring], end = coverage->ring_vertices[ring + 1];
        outline.starts[ring - first] = outline.count;
        for (uint32_t i = begin; i < end; i++) {
            struct gw_point a = coverage->vertices[i];
            struct gw_point b = coverage->vertices[i + 1 < end ? i + 1 : begin];
            int pieces = abs(a.lat - b.lat) < 20000 ? 1 : PIECES;
            for (int part = 0; part < pieces; part++) {
                double t = (double)part / pieces;
                outline.points[outline.count++] = project(
                    a.lon + ((double)b.lon - a.lon) * t, a.lat + ((double)b.lat - a.lat) * t, tile);
            }
        }
    }
    outline.starts[outline.ring_count] = outline.count;
    return outline;
}

static void outline_free(struct outline *outline) {
    free(outline->points);
    free(outline->starts);
}

static double distance(struct pair a, struct pair b, struct pair p) {
    double dx = b.x - a.x, dy = b.y - a.y, length = dx * dx + dy * dy;
    double t = length > 0 ? ((p.x - a.x) * dx + (p.y - a.y) * dy) / length : 0;
    t = t < 0 ? 0 : t > 1 ? 1 : t;
    return hypot(a.x + t * dx - p.x, a.y + t * dy - p.y);
}

static bool crosses(struct pair a, struct pair b, struct pair p) {
    return (a.y > p.y) != (b.y > p.y) && p.x < a.x + (p.y - a.y) / (b.y - a.y) * (b.x - a.x);
}

static bool outline_holds(const struct outline *outline, struct pair at, double *near) {
    bool inside = false;
    *near = INFINITY;
    for (uint32_t ring = 0; ring < outline->ring_count; ring++) {
        uint32_t begin = outline->starts[ring], end = outline->starts[ring + 1];
        for (uint32_t i = begin; i < end; i++) {
            struct pair a = outline->points[i], b = outline->points[i + 1 < end ? i + 1 : begin];
            inside ^= crosses(a, b, at);
            *near = fmin(*near, distance(a, b, at));
        }
    }
    return inside;
}

static bool tile_holds(const struct test_tile *tile, const struct test_feature *feature,
                       struct pair at) {
    bool inside = false;
    for (uint32_t i = 0; feature != NULL && i < feature->ring_count; i++) {
        const struct test_ring *ring = &tile->rings[feature->first_ring + i];
        for (uint32_t j = 0; j < ring->count; j++) {
            struct gw_mvt_point a = tile->points[ring->start + j];
            struct gw_mvt_point b = tile->points[ring->start + (j + 1) % ring->count];
            inside ^= crosses((struct pair){a.x, a.y}, (struct pair){b.x, b.y}, at);
        }
    }
    return inside;
}

#define LOW (-64)
#define HIGH (4096 + 64)

static bool on_border(struct gw_mvt_point a) {
    return a.x == LOW || a.x == HIGH || a.y == LOW || a.y == HIGH;
}

// What the specification wants of a polygon, and that nothing is outside of the buffer.
static void check_form(const struct test_tile *tile) {
    for (uint32_t i = 0; i < tile->feature_count; i++) {
        const struct test_feature *feature = &tile->features[i];
        assert_true(i == 0 || feature->id > feature[-1].id);
        assert_true(tile->rings[feature->first_ring].area > 0);
        for (uint32_t j = 0; j < feature->ring_count; j++) {
            const struct test_ring *ring = &tile->rings[feature->first_ring + j];
            const struct gw_mvt_point *points = tile->points + ring->start;
            assert_true(ring->count >= 3 && ring->area != 0);
            for (uint32_t k = 0; k < ring->count; k++) {
                assert_true(points[k].x >= LOW && points[k].x <= HIGH);
                assert_true(points[k].y >= LOW && points[k].y <= HIGH);
                for (uint32_t l = k + 1; l < ring->count && l < k + 40; l++) {
                    assert_false(points[k].x == points[l].x && points[k].y == points[l].y);
                }
            }
        }
    }
}

// How far a vertex may lie from the stored border: the tolerance, sqrt(1/2) for rounding to tile
// units, and at the highest zooms the rounding to world units, which are no longer small there.
static double slack_of(uint32_t zoom) {
    static const double slacks[] = {
        [13] = 1.8, [14] = 1.0, [15] = 1.0, [16] = 1.2, [17] = 1.5, [18] = 1.5};
    return zoom < 13 ? 2.8 : slacks[zoom];
}

// A feature against the stored rings of its grid.
static void check_grid(const struct test_tile *tile, const struct gw_coverage *coverage,
                       uint32_t grid, struct gw_tile_id id, struct test_random *random) {
    struct outline outline = outline_of(coverage, grid, id);
    const struct test_feature *feature = test_tile_feature(tile, 1000 + grid);
    double slack = slack_of(id.z), near;
    for (int i = 0; i < 40; i++) {
        struct pair at = {LOW + (HIGH - LOW) * test_random_unit(random),
                          LOW + (HIGH - LOW) * test_random_unit(random)};
        if (i % 2 == 0) { // beside a vertex
            at = outline.points[test_random_range(random, 0, outline.count - 1)];
            at.x += 12 * test_random_unit(random) - 6;
            at.y += 12 * test_random_unit(random) - 6;
            if (at.x < LOW || at.x > HIGH || at.y < LOW || at.y > HIGH) {
                continue;
            }
        }
        bool stored = outline_holds(&outline, at, &near);
        // On the way to a cut that was rounded, an edge may move by half a unit more.
        if (near > slack + 0.5 && tile_holds(tile, feature, at) != stored) {
            fail_msg("tile %u/%u/%u: (%.2f, %.2f), %.2f from the border of grid %u, is %s", id.z,
                     id.x, id.y, at.x, at.y, near, grid, stored ? "left out" : "in");
        }
    }
    for (uint32_t i = 0; feature != NULL && i < feature->ring_count; i++) {
        const struct test_ring *ring = &tile->rings[feature->first_ring + i];
        for (uint32_t j = 0; j < ring->count; j++) {
            struct gw_mvt_point at = tile->points[ring->start + j];
            (void)outline_holds(&outline, (struct pair){at.x, at.y}, &near);
            if (!on_border(at) && near > slack) {
                fail_msg("zoom %u: vertex (%d, %d) is %.3f from grid %u", id.z, at.x, at.y, near,
                         grid);
            }
        }
    }
    outline_free(&outline);
}

// A tile that a vertex of the coverage lies in or near.
static struct gw_tile_id draw_tile(const struct gw_coverage *coverage, uint32_t zoom_max,
                                   struct test_random *random) {
    struct gw_tile_id tile = {.z = (uint32_t)test_random_range(random, 0, zoom_max)};
    uint32_t vertex = (uint32_t)test_random_range(random, 0, coverage->vertex_count - 1);
    struct gw_world_point at = gw_mercator_project(coverage->vertices[vertex]);
    int64_t size = INT64_C(1) << (30 - tile.z), last = (INT64_C(1) << tile.z) - 1;
    int64_t x = at.x / size + test_random_range(random, -1, 1) * (test_random_unit(random) < 0.2);
    int64_t y = at.y / size + test_random_range(random, -1, 1) * (test_random_unit(random) < 0.2);
    tile.x = (uint32_t)(x < 0 ? 0 : x > last ? last : x);
    tile.y = (uint32_t)(y < 0 ? 0 : y > last ? last : y);
    return tile;
}

static void tiles_show_the_stored_grids(void **state) {
    (void)state;
    struct test_random random = test_random_seeded("tiles of random coverages", 30);
    for (int i = 0; i < 70; i++) {
        struct test_coverage coverage;
        enum test_kind kind = (enum test_kind)(i % TEST_KINDS);
        test_coverage_draw(&coverage, kind, &random);
        struct fixture fixture = fixture_of(&coverage.view, NULL, coverage.view.grid_count);
        for (int j = 0; j < 8; j++) {
            struct gw_tile_id id = draw_tile(&coverage.view, GW_TILE_ZOOM_MAX, &random);
            struct gw_bytes bytes = {0};
            assert_int_equal(
                gw_tile_shapes_encode(fixture.shapes, "grids", id, &words, fixture.scratch, &bytes),
                GW_OK);
            struct test_tile tile;
            test_tile_read(&tile, &bytes);
            check_form(&tile);
            for (uint32_t grid = 0; kind != TEST_WORLD && grid < coverage.view.grid_count; grid++) {
                check_grid(&tile, &coverage.view, grid, id, &random);
            }
            test_tile_free(&tile);
            gw_bytes_free(&bytes);
        }
        fixture_free(&fixture);
        test_coverage_deinit(&coverage);
    }
}

// The same grids with the rings turned, and their polygons in another order.
static void scramble(const struct test_coverage *from, struct test_coverage *to,
                     struct test_random *random) {
    test_coverage_init(to);
    const struct gw_coverage *view = &from->view;
    for (uint32_t grid = 0; grid < view->grid_count; grid++) {
        test_coverage_grid(to);
        for (uint32_t ring = view->grid_rings[grid]; ring < view->grid_rings[grid + 1]; ring++) {
            uint32_t begin = view->ring_vertices[ring];
            uint32_t count = view->ring_vertices[ring + 1] - begin;
            uint32_t turn = (uint32_t)test_random_range(random, 0, count - 1);
            struct gw_point *points = malloc(count * sizeof *points);
            for (uint32_t i = 0; i < count; i++) {
                points[i] = view->vertices[begin + (i + turn) % count];
            }
            assert_true(
                test_coverage_ring(to, (enum gw_ring_kind)view->ring_kinds[ring], points, count));
            free(points);
        }
    }
    test_coverage_finish(to, NULL);
}

static void the_start_of_a_ring_does_not_matter(void **state) {
    (void)state;
    struct test_random random = test_random_seeded("turned rings", 31);
    for (int i = 0; i < 70; i++) {
        struct test_coverage one, two;
        test_coverage_draw(&one, (enum test_kind)(i % TEST_KINDS), &random);
        scramble(&one, &two, &random);
        uint32_t count = one.view.grid_count;
        struct fixture a = fixture_of(&one.view, NULL, count);
        struct fixture b = fixture_of(&two.view, NULL, count);
        for (int j = 0; j < 20; j++) {
            struct gw_tile_id id = draw_tile(&one.view, GW_TILE_ZOOM_MAX, &random);
            struct gw_bytes left = {0}, right = {0};
            assert_int_equal(gw_tile_shapes_encode(a.shapes, "grids", id, &words, a.scratch, &left),
                             GW_OK);
            assert_int_equal(
                gw_tile_shapes_encode(b.shapes, "grids", id, &words, b.scratch, &right), GW_OK);
            assert_int_equal(left.size, right.size);
            assert_true(left.size == 0 || memcmp(left.data, right.data, left.size) == 0);
            gw_bytes_free(&left);
            gw_bytes_free(&right);
        }
        fixture_free(&a);
        fixture_free(&b);
        test_coverage_deinit(&one);
        test_coverage_deinit(&two);
    }
}

#define CELLS 12 // along a side of the partition

static struct gw_point mesh_point(struct gw_box box, double x, double y) {
    return (struct gw_point){(int32_t)(box.min.lon + x * ((double)box.max.lon - box.min.lon)),
                             (int32_t)(box.min.lat + y * ((double)box.max.lat - box.min.lat))};
}

// A partition without gaps of a square a little larger than a tile and its buffer, with bent
// borders.
static void draw_cells(struct test_coverage *coverage, struct gw_tile_id tile,
                       struct test_random *random) {
    enum { BENDS = 6, SIDE = CELLS * BENDS };
    static struct gw_point lattice[SIDE + 1][SIDE + 1];
    struct gw_box box = gw_tile_lattice_box(tile, 300);
    for (int y = 0; y <= SIDE; y++) {
        for (int x = 0; x <= SIDE; x++) {
            double dx = test_random_unit(random) * 0.45, dy = test_random_unit(random) * 0.45;
            lattice[y][x] = mesh_point(box, (x + dx) / (SIDE + 1), (y + dy) / (SIDE + 1));
        }
    }
    test_coverage_init(coverage);
    for (int y = 0; y < SIDE; y += BENDS) {
        for (int x = 0; x < SIDE; x += BENDS) {
            struct gw_point ring[4 * BENDS];
            for (int i = 0; i < BENDS; i++) {
                ring[i] = lattice[y][x + i];
                ring[BENDS + i] = lattice[y + i][x + BENDS];
                ring[2 * BENDS + i] = lattice[y + BENDS][x + BENDS - i];
                ring[3 * BENDS + i] = lattice[y + BENDS - i][x];
            }
            test_coverage_grid(coverage);
            assert_true(test_coverage_ring(coverage, GW_RING_SHELL, ring, 4 * BENDS));
        }
    }
    test_coverage_finish(coverage, NULL);
}

struct edge {
    struct gw_mvt_point a, b;
    int turns; // how much more often it is used from a to b than back
};

static int compare_edges(const void *left, const void *right) {
    return memcmp(left, right, 2 * sizeof(struct gw_mvt_point));
}

// The edges that are not used as often one way as the other, but for those on the border.
static uint32_t torn_edges(const struct test_tile *tile) {
    struct edge *edges = malloc((tile->point_count + 1) * sizeof *edges);
    size_t count = 0;
    for (uint32_t i = 0; i < tile->ring_count; i++) {
        const struct test_ring *ring = &tile->rings[i];
        for (uint32_t j = 0; j < ring->count; j++) {
            struct gw_mvt_point a = tile->points[ring->start + j];
            struct gw_mvt_point b = tile->points[ring->start + (j + 1) % ring->count];
            bool up = a.x < b.x || (a.x == b.x && a.y < b.y);
            if (!on_border(a) || !on_border(b)) {
                edges[count++] = up ? (struct edge){a, b, 1} : (struct edge){b, a, -1};
            }
        }
    }
    qsort(edges, count, sizeof *edges, compare_edges);
    uint32_t torn = 0;
    for (size_t i = 0, j; i < count; i = j) {
        int turns = 0;
        for (j = i; j < count && compare_edges(&edges[i], &edges[j]) == 0; j++) {
            turns += edges[j].turns;
        }
        torn += turns != 0 ? 1 : 0;
    }
    free(edges);
    return torn;
}

static int64_t whole_area(const struct test_tile *tile) {
    int64_t area = 0;
    for (uint32_t i = 0; i < tile->ring_count; i++) {
        area += tile->rings[i].area;
    }
    return area;
}

// Every edge inside is used once each way, and the areas add up to the square: no gap, no overlap.
static void neighbours_never_tear(void **state) {
    (void)state;
    struct test_random random = test_random_seeded("partitions", 32);
    for (int i = 0; i < 40; i++) {
        struct gw_tile_id id = {.z = (uint32_t)test_random_range(&random, 3, 16)};
        int64_t last = (1 << id.z) - 1;
        id.x = (uint32_t)test_random_range(&random, 1, last - 1);
        id.y = (uint32_t)test_random_range(&random, 1, last - 1);
        struct test_coverage coverage;
        draw_cells(&coverage, id, &random);
        uint32_t features[CELLS * CELLS];
        for (uint32_t grid = 0; grid < CELLS * CELLS; grid++) {
            features[grid] = i % 2 == 0 ? grid : (uint32_t)test_random_range(&random, 0, 9);
        }
        struct fixture fixture = fixture_of(&coverage.view, features, CELLS * CELLS);
        for (uint32_t child = 0; child < 5; child++) { // the tile and its four parts
            struct gw_tile_id part = id;
            if (child > 0) {
                part = (struct gw_tile_id){id.z + 1, 2 * id.x + (child & 1u), 2 * id.y + child / 3};
            }
            struct gw_bytes bytes = {0};
            assert_int_equal(gw_tile_shapes_encode(fixture.shapes, "areas", part, &words,
                                                   fixture.scratch, &bytes),
                             GW_OK);
            struct test_tile tile;
            test_tile_read(&tile, &bytes);
            check_form(&tile);
            assert_int_equal(torn_edges(&tile), 0);
            assert_int_equal(whole_area(&tile), 2 * (int64_t)(HIGH - LOW) * (HIGH - LOW));
            test_tile_free(&tile);
            gw_bytes_free(&bytes);
        }
        fixture_free(&fixture);
        test_coverage_deinit(&coverage);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tiles_show_the_stored_grids),
        cmocka_unit_test(the_start_of_a_ring_does_not_matter),
        cmocka_unit_test(neighbours_never_tear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
