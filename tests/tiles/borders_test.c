// Distances of segments, against values known by hand: the measure of the tests of tiles.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/tiles/borders.h"
#include <math.h>

static struct segments others;

static void add(double x0, double y0, double x1, double y1) {
    segments_add(&others, (struct segment){{x0, y0}, {x1, y1}});
}

static double distance(double x0, double y0, double x1, double y1) {
    return segment_distance((struct segment){{x0, y0}, {x1, y1}}, &others, 0.0);
}

static void about(double got, double wanted) {
    assert_true(got >= wanted - 1e-9 && got <= wanted + 0.02);
}

static void distances_are_those_of_the_farthest_place(void **state) {
    (void)state;
    others.count = 0;
    assert_true(distance(0, 0, 1, 0) > 1e8); // from nothing at all
    add(0, 0, 10, 0);
    about(distance(0, 0, 10, 0), 0.0);
    about(distance(2, 0, 3, 0.5), 0.5);
    about(distance(-3, 4, 5, 0), 5.0);
    about(distance(12, 0, 12, 0), 2.0);
    add(20, 0, 30, 0); // the gap's middle is 5 from either side
    about(distance(0, 0, 30, 0), 5.0);
    struct segment gap = {{0, 0}, {30, 0}};
    assert_true(segment_distance(gap, &others, 6.0) == 6.0);
    about(segment_distance(gap, &others, 4.0), 5.0);
    others.count = 0; // a zigzag under a straight line: farthest at its tips
    for (int i = 0; i < 8; i++) {
        add(i, i % 2, i + 1, (i + 1) % 2);
    }
    about(distance(0, 0, 8, 0), 1.0 / sqrt(2.0));
}

static void clipping_keeps_what_lies_in_the_square(void **state) {
    (void)state;
    struct segment inside;
    assert_true(segment_clip((struct segment){{-100, 50}, {100, 50}}, &inside));
    assert_true(inside.from.x == 0.0 && inside.to.x == 100.0 && inside.from.y == 50.0);
    assert_true(segment_clip((struct segment){{-100, -100}, {5000, 5000}}, &inside));
    assert_true(fabs(inside.from.x) < 1e-9 && fabs(inside.to.y - 4096.0) < 1e-9);
    assert_true(segment_clip((struct segment){{7, 9}, {8, 9}}, &inside));
    assert_true(segment_length(inside) == 1.0);
    assert_false(segment_clip((struct segment){{-64, 0}, {-64, 4096}}, &inside));
    assert_false(segment_clip((struct segment){{-100, 100}, {100, -100.5}}, &inside));
}

static int free_others(void **state) {
    (void)state;
    segments_free(&others);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(distances_are_those_of_the_farthest_place),
        cmocka_unit_test(clipping_keeps_what_lies_in_the_square),
    };
    return cmocka_run_group_tests(tests, NULL, free_others);
}
