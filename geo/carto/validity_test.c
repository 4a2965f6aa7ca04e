// Rings from files to rings on the lattice, and what GEOS finds wrong with them.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "geo/carto/rings.h"
#include "geo/carto/validity.h"
#include "tests/support/random.h"
#include <math.h>
#include <string.h>

#define POSITIONS_MAX 16

// One ring of a table: positions in units of 0.01 degree, closed as in a file.
struct ring_row {
    enum gw_ring_kind kind;
    int count;
    double xy[2 * POSITIONS_MAX];
};

struct shape_row {
    const char *name;
    enum gw_fault_kind kind;
    uint32_t ring, other_ring;
    int ring_count;
    double lon, lat; // of the fault, in the same units
    struct ring_row rings[4];
};

#define SQUARE(x, y, side)                                                                         \
    {                                                                                              \
        GW_RING_SHELL, 5, {                                                                        \
            x, y, (x) + (side), y, (x) + (side), (y) + (side), x, (y) + (side), x, y               \
        }                                                                                          \
    }
#define HOLE(x, y, side)                                                                           \
    {                                                                                              \
        GW_RING_HOLE, 5, {                                                                         \
            x, y, (x) + (side), y, (x) + (side), (y) + (side), x, (y) + (side), x, y               \
        }                                                                                          \
    }

static const struct shape_row shape_rows[] = {
    {"square", GW_FAULT_NONE, 0, 0, 1, 0, 0, {SQUARE(0, 0, 8)}},
    {"square with a hole", GW_FAULT_NONE, 0, 0, 2, 0, 0, {SQUARE(0, 0, 8), HOLE(2, 2, 2)}},
    {"hole touching the shell at a vertex",
     GW_FAULT_NONE,
     0,
     0,
     2,
     0,
     0,
     {SQUARE(0, 0, 8), {GW_RING_HOLE, 4, {0, 4, 2, 3, 2, 5, 0, 4}}}},
    {"two parts that meet in a corner",
     GW_FAULT_NONE,
     0,
     0,
     2,
     0,
     0,
     {SQUARE(0, 0, 4), SQUARE(4, 4, 4)}},
    {"bow-tie",
     GW_FAULT_SELF_INTERSECTION,
     1,
     0,
     1,
     2,
     2,
     {{GW_RING_SHELL, 5, {0, 0, 4, 4, 4, 0, 0, 4, 0, 0}}}},
    {"lopsided bow-tie",
     GW_FAULT_SELF_INTERSECTION,
     1,
     0,
     1,
     2,
     0,
     {{GW_RING_SHELL, 6, {0, 0, 8, 0, 8, 4, 4, -4, 0, 4, 0, 0}}}},
    {"ring touching itself",
     GW_FAULT_RING_SELF_TOUCH,
     1,
     0,
     1,
     4,
     0,
     {{GW_RING_SHELL, 9, {0, 0, 4, 0, 3, 3, 5, 3, 4, 0, 8, 0, 8, 8, 0, 8, 0, 0}}}},
    {"ring touching its own edge",
     GW_FAULT_RING_SELF_TOUCH,
     1,
     0,
     1,
     4,
     0,
     {{GW_RING_SHELL, 8, {0, 0, 8, 0, 8, 8, 5, 8, 4, 0, 3, 8, 0, 8, 0, 0}}}},
    {"hole outside",
     GW_FAULT_HOLE_OUTSIDE_SHELL,
     2,
     0,
     2,
     20,
     2,
     {SQUARE(0, 0, 4), HOLE(20, 0, 2)}},
    {"hole crossing the shell",
     GW_FAULT_HOLE_CROSSES_SHELL,
     1,
     2,
     2,
     8,
     2,
     {SQUARE(0, 0, 8), HOLE(6, 2, 4)}},
    {"hole along the shell",
     GW_FAULT_HOLE_CROSSES_SHELL,
     1,
     2,
     2,
     8,
     2,
     {SQUARE(0, 0, 8), HOLE(6, 2, 2)}},
    {"hole equal to the shell",
     GW_FAULT_ZERO_AREA,
     2,
     1,
     2,
     0,
     8,
     {SQUARE(0, 0, 8), HOLE(0, 0, 8)}},
    {"crossing holes",
     GW_FAULT_HOLES_CROSS,
     2,
     3,
     3,
     3,
     4,
     {SQUARE(0, 0, 8), HOLE(2, 2, 2), HOLE(3, 3, 2)}},
    {"nested holes",
     GW_FAULT_NESTED_HOLES,
     3,
     0,
     3,
     3,
     4,
     {SQUARE(0, 0, 8), HOLE(2, 2, 4), HOLE(3, 3, 1)}},
    {"overlapping parts",
     GW_FAULT_OVERLAPPING_PARTS,
     1,
     2,
     2,
     4,
     2,
     {SQUARE(0, 0, 4), SQUARE(2, 2, 4)}},
    {"parts side by side",
     GW_FAULT_OVERLAPPING_PARTS,
     1,
     2,
     2,
     4,
     4,
     {SQUARE(0, 0, 4), SQUARE(4, 0, 4)}},
    {"part inside a part",
     GW_FAULT_OVERLAPPING_PARTS,
     2,
     0,
     2,
     2,
     2,
     {SQUARE(0, 0, 8), SQUARE(2, 2, 2)}},
    {"part inside the other's hole",
     GW_FAULT_NONE,
     0,
     0,
     3,
     0,
     0,
     {SQUARE(0, 0, 8), HOLE(2, 2, 4), SQUARE(3, 3, 1)}},
    {"holes that cut the interior",
     GW_FAULT_DISCONNECTED,
     2,
     3,
     3,
     4,
     4,
     {SQUARE(0, 0, 8),
      {GW_RING_HOLE, 5, {4, 0, 6, 2, 4, 4, 2, 2, 4, 0}},
      {GW_RING_HOLE, 5, {4, 4, 6, 6, 4, 8, 2, 6, 4, 4}}}},
};

// Normalises the rows of a table into a shape; returns the fault of a ring that cannot be.
static enum gw_fault_kind make_shape(const struct shape_row *row, uint32_t starts[],
                                     uint8_t kinds[], struct gw_point vertices[],
                                     struct gw_shape *shape) {
    size_t used = 0;
    for (int r = 0; r < row->ring_count; r++) {
        const struct ring_row *ring = &row->rings[r];
        double lonlat[2 * POSITIONS_MAX];
        for (int i = 0; i < 2 * ring->count; i++) {
            lonlat[i] = ring->xy[i] / 100.0;
        }
        size_t count = 0;
        struct gw_fault fault = {GW_FAULT_NONE, 0, 0, 0, 0};
        starts[r] = (uint32_t)used;
        kinds[r] = (uint8_t)ring->kind;
        if (gw_ring_normalise(lonlat, (size_t)ring->count, ring->kind, vertices + used, &count,
                              &fault) != GW_OK) {
            return fault.kind;
        }
        used += count;
    }
    starts[row->ring_count] = (uint32_t)used;
    *shape = (struct gw_shape){(uint32_t)row->ring_count, starts, kinds, vertices};
    return GW_FAULT_NONE;
}

static void check_shape(void **state) {
    const struct shape_row *row = *state;
    uint32_t starts[5];
    uint8_t kinds[4];
    struct gw_point vertices[4 * POSITIONS_MAX];
    struct gw_shape shape;
    assert_int_equal(make_shape(row, starts, kinds, vertices, &shape), GW_FAULT_NONE);
    struct gw_validity *checker = gw_validity_create();
    assert_non_null(checker);
    struct gw_fault fault = {GW_FAULT_NONE, 0, 0, NAN, NAN};
    gw_err err = gw_validity_check(checker, &shape, &fault);
    gw_validity_destroy(checker);
    assert_int_equal(err, row->kind == GW_FAULT_NONE ? GW_OK : GW_EINVAL);
    assert_string_equal(gw_fault_word(fault.kind), gw_fault_word(row->kind));
    assert_int_equal(fault.ring, row->ring);
    assert_int_equal(fault.other_ring, row->other_ring);
    if (row->kind != GW_FAULT_NONE) {
        assert_true(fabs(fault.lon * 100 - row->lon) < 1e-4);
        assert_true(fabs(fault.lat * 100 - row->lat) < 1e-4);
    }
}

struct ring_case {
    const char *name;
    enum gw_fault_kind kind;
    enum gw_ring_kind as;
    int count, kept; // positions in, vertices out
    double lonlat[2 * POSITIONS_MAX];
    double lon, lat; // the fault's place
};

static const struct ring_case ring_cases[] = {
    {"clockwise shell is turned",
     GW_FAULT_NONE,
     GW_RING_SHELL,
     4,
     3,
     {0, 0, 0, 1, 1, 0, 0, 0},
     0,
     0},
    {"counter-clockwise hole is turned",
     GW_FAULT_NONE,
     GW_RING_HOLE,
     4,
     3,
     {0, 0, 1, 0, 0, 1, 0, 0},
     0,
     0},
    {"repeated vertices",
     GW_FAULT_NONE,
     GW_RING_SHELL,
     8,
     3,
     {0, 0, 0, 0, 1, 0, 1, 0, 1, 1e-9, 0, 1, 1e-9, 0, 0, 0},
     0,
     0},
    {"no position", GW_FAULT_EMPTY, GW_RING_SHELL, 0, 0, {0}, NAN, NAN},
    {"three positions", GW_FAULT_TOO_FEW_POINTS, GW_RING_SHELL, 3, 0, {5, 6, 1, 0, 5, 6}, 5, 6},
    {"unclosed", GW_FAULT_UNCLOSED, GW_RING_SHELL, 4, 0, {5, 6, 6, 6, 6, 7, 5, 7}, 5, 6},
    {"one point four times",
     GW_FAULT_ZERO_AREA,
     GW_RING_SHELL,
     4,
     0,
     {5, 6, 5, 6, 5, 6, 5, 6},
     5,
     6},
    {"on one line", GW_FAULT_ZERO_AREA, GW_RING_SHELL, 4, 0, {0, 0, 1, 1, 2, 2, 0, 0}, 0, 0},
    {"0.1 mm wide",
     GW_FAULT_SLIVER,
     GW_RING_SHELL,
     5,
     0,
     {123.8, 42.28, 123.81, 42.28, 123.81, 42.280000001, 123.8, 42.280000001, 123.8, 42.28},
     123.8,
     42.28},
    {"not a number",
     GW_FAULT_BAD_COORDINATE,
     GW_RING_SHELL,
     4,
     0,
     {0, 0, 1, NAN, 1, 1, 0, 0},
     1,
     NAN},
    {"infinite",
     GW_FAULT_BAD_COORDINATE,
     GW_RING_SHELL,
     4,
     0,
     {0, 0, INFINITY, 0, 1, 1, 0, 0},
     INFINITY,
     0},
    {"latitude above 90",
     GW_FAULT_OUT_OF_RANGE,
     GW_RING_SHELL,
     4,
     0,
     {0, 0, 1, 90.5, 1, 1, 0, 0},
     1,
     90.5},
    {"spike",
     GW_FAULT_SPIKE,
     GW_RING_SHELL,
     7,
     0,
     {0, 0, 1, 0, 1, 1, 6, 6, 1, 1, 0, 1, 0, 0},
     6,
     6},
    {"spike over the whole lattice",
     GW_FAULT_SPIKE,
     GW_RING_SHELL,
     6,
     0,
     {-180, -90, 0, 0, -180, -90, -180, 90, -170, 90, -180, -90},
     0,
     0},
    {"collinear vertex on an edge stays",
     GW_FAULT_NONE,
     GW_RING_SHELL,
     5,
     4,
     {0, 0, 1, 0, 2, 0, 0, 2, 0, 0},
     0,
     0},
    {"across the antimeridian, uncut",
     GW_FAULT_ANTIMERIDIAN,
     GW_RING_SHELL,
     5,
     0,
     {179.5, -17.5, -179.5, -17.5, -179.5, -16.5, 179.5, -16.5, 179.5, -17.5},
     179.5,
     -17.5},
    {"band around the pole",
     GW_FAULT_NONE,
     GW_RING_SHELL,
     5,
     4,
     {-180, 85, 180, 85, 180, 90, -180, 90, -180, 85},
     0,
     0},
};

static void check_ring(void **state) {
    const struct ring_case *row = *state;
    struct gw_point vertices[POSITIONS_MAX];
    struct gw_fault fault = {GW_FAULT_NONE, 9, 9, 0, 0};
    size_t kept = 0;
    gw_err err =
        gw_ring_normalise(row->lonlat, (size_t)row->count, row->as, vertices, &kept, &fault);
    assert_int_equal(err, row->kind == GW_FAULT_NONE ? GW_OK : GW_EINVAL);
    assert_string_equal(gw_fault_word(fault.kind), gw_fault_word(row->kind));
    if (row->kind != GW_FAULT_NONE) {
        assert_int_equal(fault.ring, 0);
        assert_true(isnan(row->lon) ? isnan(fault.lon)
                                    : fault.lon >= row->lon && fault.lon <= row->lon);
        assert_true(isnan(row->lat) ? isnan(fault.lat)
                                    : fault.lat >= row->lat && fault.lat <= row->lat);
        return;
    }
    assert_int_equal(kept, row->kept);
    assert_true((gw_ring_area_deg2(vertices, kept) > 0) == (row->as == GW_RING_SHELL));
}

static void area_is_exact_for_a_rectangle(void **state) {
    (void)state;
    const struct gw_point world[] = {{-GW_LON_MAX, -GW_LAT_MAX},
                                     {GW_LON_MAX, -GW_LAT_MAX},
                                     {GW_LON_MAX, GW_LAT_MAX},
                                     {-GW_LON_MAX, GW_LAT_MAX}};
    assert_true(fabs(gw_ring_area_deg2(world, 4) - 360.0 * 180.0) < 1e-9);
    const struct gw_point square[] = {{1238000000, 422800000},
                                      {1238100000, 422800000},
                                      {1238100000, 422900000},
                                      {1238000000, 422900000}};
    assert_true(fabs(gw_ring_area_deg2(square, 4) - 1e-4) < 1e-18);
}

// Two triangles on a small lattice, whose overlap an integer test settles: GEOS must agree with it.
static int64_t turn(struct gw_point a, struct gw_point b, struct gw_point c) {
    return ((int64_t)b.lon - a.lon) * ((int64_t)c.lat - a.lat) -
           ((int64_t)b.lat - a.lat) * ((int64_t)c.lon - a.lon);
}

// Counter-clockwise triangles are apart, or touch at most along their borders, exactly when an edge
// of one has the whole of the other on its right or on its line (separating axis theorem).
static bool triangles_apart(const struct gw_point a[3], const struct gw_point b[3]) {
    for (int side = 0; side < 2; side++) {
        const struct gw_point *from = side == 0 ? a : b;
        const struct gw_point *to = side == 0 ? b : a;
        for (int i = 0; i < 3; i++) {
            bool apart = true;
            for (int k = 0; k < 3; k++) {
                apart = apart && turn(from[i], from[(i + 1) % 3], to[k]) <= 0;
            }
            if (apart) {
                return true;
            }
        }
    }
    return false;
}

static struct gw_point random_point(struct test_random *random, int64_t size) {
    return (struct gw_point){(int32_t)test_random_range(random, -size, size),
                             (int32_t)test_random_range(random, -size / 2, size / 2)};
}

static void geos_agrees_with_integers(void **state) {
    (void)state;
    struct test_random random = test_random_seeded("overlapping triangles", 20240601);
    struct gw_validity *checker = gw_validity_create();
    assert_non_null(checker);
    static const int64_t sizes[] = {4, 40, 1000, GW_LON_MAX};
    const uint32_t starts[] = {0, 3, 6};
    const uint8_t kinds[] = {GW_RING_SHELL, GW_RING_SHELL};
    int overlaps = 0;
    for (int round = 0; round < 20000; round++) {
        int64_t size = sizes[round % 4];
        struct gw_point v[6];
        for (int i = 0; i < 6; i++) {
            v[i] = random_point(&random, size);
        }
        bool proper = true;
        for (int t = 0; t < 6; t += 3) {
            double area = gw_ring_area_deg2(v + t, 3);
            struct gw_point last = v[t + 2];
            if (area < 0) {
                v[t + 2] = v[t + 1];
                v[t + 1] = last;
            }
            proper = proper && (area < 0 || area > 0);
        }
        if (!proper || size == GW_LON_MAX) { // turn() above would overflow on the whole lattice
            continue;
        }
        struct gw_shape shape = {2, starts, kinds, v};
        struct gw_fault fault;
        gw_err err = gw_validity_check(checker, &shape, &fault);
        bool apart = triangles_apart(v, v + 3);
        if (!apart) {
            assert_int_equal(err, GW_EINVAL);
            assert_string_equal(gw_fault_word(fault.kind), "overlapping-parts");
            overlaps++;
        } else if (err != GW_OK) {
            // Apart, yet refused: only because they share a piece of a line.
            assert_string_equal(gw_fault_word(fault.kind), "overlapping-parts");
            bool shared = false;
            for (int i = 0; i < 3; i++) {
                for (int k = 0; k < 3; k++) {
                    shared = shared || (turn(v[i], v[(i + 1) % 3], v[3 + k]) == 0 &&
                                        turn(v[i], v[(i + 1) % 3], v[3 + (k + 1) % 3]) == 0);
                }
            }
            assert_true(shared);
        }
    }
    gw_validity_destroy(checker);
    assert_true(overlaps > 1000);
}

static void a_long_ring_is_checked_quickly(void **state) {
    (void)state;
    enum { COUNT = 200000 };
    static struct gw_point ring[COUNT];
    const double turn_once = 6.283185307179586;
    for (int i = 0; i < COUNT; i++) {
        double angle = turn_once * i / COUNT;
        double radius = 5e8 * (1 + 0.2 * sin(64 * angle));
        ring[i] = (struct gw_point){(int32_t)lrint(radius * cos(angle)),
                                    (int32_t)lrint(radius * sin(angle))};
    }
    const uint32_t starts[] = {0, COUNT};
    const uint8_t kinds[] = {GW_RING_SHELL};
    struct gw_shape shape = {1, starts, kinds, ring};
    struct gw_validity *checker = gw_validity_create();
    assert_non_null(checker);
    struct gw_fault fault;
    assert_int_equal(gw_validity_check(checker, &shape, &fault), GW_OK);
    // Two neighbours changed over: one small crossing among 200,000 edges.
    struct gw_point swapped = ring[70000];
    ring[70000] = ring[70001];
    ring[70001] = swapped;
    assert_int_equal(gw_validity_check(checker, &shape, &fault), GW_EINVAL);
    assert_int_equal(fault.kind, GW_FAULT_SELF_INTERSECTION);
    assert_int_equal(fault.ring, 1);
    assert_true(fabs(fault.lon - gw_degrees(ring[70000].lon)) < 0.01);
    gw_validity_destroy(checker);
}

static void words_are_known(void **state) {
    (void)state;
    for (int kind = 0; kind < GW_FAULT_COUNT; kind++) {
        assert_true(strlen(gw_fault_word((enum gw_fault_kind)kind)) > 0);
        assert_true(strlen(gw_fault_sentence((enum gw_fault_kind)kind)) > 0);
    }
    assert_string_equal(gw_fault_word((enum gw_fault_kind)99), "unknown");
}

static void an_empty_shape_is_refused(void **state) {
    (void)state;
    struct gw_validity *checker = gw_validity_create();
    assert_non_null(checker);
    const uint32_t starts[] = {0};
    struct gw_shape shape = {0, starts, NULL, NULL};
    struct gw_fault fault;
    assert_int_equal(gw_validity_check(checker, &shape, &fault), GW_EINVAL);
    assert_int_equal(fault.kind, GW_FAULT_EMPTY);
    gw_validity_destroy(checker);
    gw_validity_destroy(NULL);
}

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

int main(void) {
    static struct CMUnitTest tests[COUNT_OF(ring_cases) + COUNT_OF(shape_rows)];
    size_t count = 0;
    for (size_t i = 0; i < COUNT_OF(ring_cases); i++) {
        tests[count++] = (struct CMUnitTest){ring_cases[i].name, check_ring, NULL, NULL,
                                             (void *)(uintptr_t)&ring_cases[i]};
    }
    for (size_t i = 0; i < COUNT_OF(shape_rows); i++) {
        tests[count++] = (struct CMUnitTest){shape_rows[i].name, check_shape, NULL, NULL,
                                             (void *)(uintptr_t)&shape_rows[i]};
    }
    const struct CMUnitTest others[] = {
        cmocka_unit_test(area_is_exact_for_a_rectangle),
        cmocka_unit_test(geos_agrees_with_integers),
        cmocka_unit_test(a_long_ring_is_checked_quickly),
        cmocka_unit_test(words_are_known),
        cmocka_unit_test(an_empty_shape_is_refused),
    };
    int failed = cmocka_run_group_tests_name("carto table", tests, NULL, NULL);
    failed += cmocka_run_group_tests_name("carto", others, NULL, NULL);
    return failed;
}
