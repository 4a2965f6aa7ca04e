// Outlines and their distance fields, against shapes whose distances are known by hand.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tools/glyphs/field.h"
#include <math.h>
#include <stdlib.h>

static struct gw_outline outline;
static struct gw_field_box box;
static unsigned char bitmap[128 * 128];

static void begin(void) {
    gw_outline_clear(&outline);
}

// `turn` 1: counter-clockwise, -1: clockwise.
static void square(double left, double bottom, double size, int turn) {
    double right = left + size, top = bottom + size;
    gw_outline_move(&outline, (struct gw_outline_point){left, bottom});
    gw_outline_line(&outline, turn > 0 ? (struct gw_outline_point){right, bottom}
                                       : (struct gw_outline_point){left, top});
    gw_outline_line(&outline, (struct gw_outline_point){right, top});
    gw_outline_line(&outline, turn > 0 ? (struct gw_outline_point){left, top}
                                       : (struct gw_outline_point){right, bottom});
}

static void draw(void) {
    assert_int_equal(gw_outline_finish(&outline), GW_OK);
    assert_int_equal(gw_field_box(&outline, &box), GW_OK);
    assert_true(gw_field_bytes(&box) <= sizeof(bitmap));
    assert_int_equal(gw_field_draw(&outline, &box, bitmap), GW_OK);
}

// The byte of the pixel whose centre is (x, y) in the outline's own coordinates.
static int at(double x, double y) {
    int column = (int)floor(x) - box.left + (int)GW_FIELD_BORDER;
    int row = box.top - 1 - (int)floor(y) + (int)GW_FIELD_BORDER;
    return bitmap[row * (int)(box.width + 2 * GW_FIELD_BORDER) + column];
}

static int expected(double distance) {
    double value = floor(191.0 + 32.0 * distance + 0.5);
    return (int)fmin(fmax(value, 0.0), 255.0);
}

// Distance to the edge of the square [0, 10] x [0, 10], positive inside.
static double square_distance(double x, double y) {
    double dx = fmax(fmax(-x, x - 10.0), 0.0), dy = fmax(fmax(-y, y - 10.0), 0.0);
    double within = fmin(fmin(x, 10.0 - x), fmin(y, 10.0 - y));
    return within > 0.0 ? within : -hypot(dx, dy);
}

static void check_square(void) {
    for (int y = -3; y < 13; y++) {
        for (int x = -3; x < 13; x++) {
            assert_int_equal(at(x + 0.5, y + 0.5), expected(square_distance(x + 0.5, y + 0.5)));
        }
    }
}

static void a_square_has_its_distances(void **state) {
    (void)state;
    for (int turn = -1; turn <= 1; turn += 2) {
        begin();
        square(0.0, 0.0, 10.0, turn);
        draw();
        assert_int_equal(box.left, 0);
        assert_int_equal(box.top, 10);
        assert_int_equal(box.width, 10);
        assert_int_equal(box.height, 10);
        check_square();
        // Half a pixel on either side: the edge itself is between them, at 191.
        assert_int_equal(at(0.5, 5.5), 191 + 16);
        assert_int_equal(at(-0.5, 5.5), 191 - 16);
    }
}

static void strokes_that_overlap_leave_no_edge_inside(void **state) {
    (void)state;
    begin();
    for (int i = 0; i < 3; i++) { // together the square of 10
        gw_outline_move(&outline, (struct gw_outline_point){0.0, i * 3.0});
        gw_outline_line(&outline, (struct gw_outline_point){10.0, i * 3.0});
        gw_outline_line(&outline, (struct gw_outline_point){10.0, i * 3.0 + 4.0});
        gw_outline_line(&outline, (struct gw_outline_point){0.0, i * 3.0 + 4.0});
    }
    draw();
    check_square();
    begin(); // one inside the other, the same way round
    square(0.0, 0.0, 10.0, 1);
    square(3.0, 3.0, 4.0, 1);
    draw();
    check_square();
}

// A cross: the bars' sides end where the other bar begins.
static void bars_that_cross(void **state) {
    (void)state;
    begin();
    for (int i = 0; i < 2; i++) {
        double x = i == 0 ? 0.0 : 6.0, y = i == 0 ? 6.0 : 0.0;
        double right = i == 0 ? 20.0 : 14.0, top = i == 0 ? 14.0 : 20.0;
        gw_outline_move(&outline, (struct gw_outline_point){x, y});
        gw_outline_line(&outline, (struct gw_outline_point){right, y});
        gw_outline_line(&outline, (struct gw_outline_point){right, top});
        gw_outline_line(&outline, (struct gw_outline_point){x, top});
    }
    draw();
    assert_int_equal(at(10.5, 10.5), 255);
    assert_int_equal(at(6.5, 10.5), 255); // on a bar's hidden side
    assert_int_equal(at(5.5, 6.5), expected(0.5));
    assert_int_equal(at(5.5, 5.5), expected(-0.5));
    assert_int_equal(at(3.5, 3.5), expected(-2.5));
}

static void a_hole_is_outside(void **state) {
    (void)state;
    for (int turn = -1; turn <= 1; turn += 2) {
        begin();
        square(0.0, 0.0, 20.0, 1);
        square(5.0, 5.0, 10.0, turn);
        outline.odd_is_inside = turn > 0; // a hole by direction, or by the other rule
        draw();
        assert_int_equal(at(10.5, 10.5), expected(-4.5));
        assert_int_equal(at(4.5, 10.5), expected(0.5));
        assert_int_equal(at(5.5, 10.5), expected(-0.5));
        assert_int_equal(at(2.5, 10.5), 255);
    }
}

static void curves_keep_near_their_circle(void **state) {
    (void)state;
    const double r = 12.0, k = 0.5522847498 * r; // four cubics are a circle to a few 1e-4 of r
    begin();
    gw_outline_move(&outline, (struct gw_outline_point){r, 0});
    for (int i = 0; i < 4; i++) {
        double c = i == 0 ? 1 : i == 2 ? -1 : 0, s = i == 1 ? 1 : i == 3 ? -1 : 0;
        gw_outline_cubic(&outline, (struct gw_outline_point){c * r - s * k, s * r + c * k},
                         (struct gw_outline_point){c * k - s * r, s * k + c * r},
                         (struct gw_outline_point){-s * r, c * r});
    }
    draw();
    for (int y = -15; y < 15; y++) {
        for (int x = -15; x < 15; x++) {
            int want = expected(r - hypot(x + 0.5, y + 0.5));
            assert_in_range(at(x + 0.5, y + 0.5) + 1, want, want + 2);
        }
    }
    begin(); // a parabola's arch: its top is half as high as the control point
    gw_outline_move(&outline, (struct gw_outline_point){0.0, 0.0});
    gw_outline_quadratic(&outline, (struct gw_outline_point){10.0, 20.0},
                         (struct gw_outline_point){20.0, 0.0});
    draw();
    assert_int_equal(box.top, 10);
    assert_in_range(at(10.5, 9.5), expected(0.47), expected(0.5));
}

static void empty_and_degenerate(void **state) {
    (void)state;
    begin();
    draw();
    assert_int_equal(box.width, 0);
    gw_outline_move(&outline, (struct gw_outline_point){3.0, 3.0});
    gw_outline_line(&outline, (struct gw_outline_point){3.0, 3.0});
    gw_outline_line(&outline, (struct gw_outline_point){9.0, 3.0}); // there and back
    draw();
    assert_int_equal(outline.edges, 0);
    for (size_t i = 0; i < gw_field_bytes(&box); i++) {
        assert_int_equal(bitmap[i], 0);
    }
}

static void what_is_too_large_is_refused(void **state) {
    (void)state;
    begin();
    square(0.0, 0.0, 600.0, 1);
    assert_int_equal(gw_outline_finish(&outline), GW_OK);
    assert_int_equal(gw_field_box(&outline, &box), GW_ERANGE);
    begin();
    for (uint32_t i = 0; i < GW_OUTLINE_PIECES_MAX + 9; i++) {
        gw_outline_line(&outline, (struct gw_outline_point){i % 7, i % 11});
    }
    assert_int_equal(gw_outline_finish(&outline), GW_ENOSPC);
}

static int free_outline(void **state) {
    (void)state;
    gw_outline_free(&outline);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_square_has_its_distances),
        cmocka_unit_test(strokes_that_overlap_leave_no_edge_inside),
        cmocka_unit_test(bars_that_cross),
        cmocka_unit_test(a_hole_is_outside),
        cmocka_unit_test(curves_keep_near_their_circle),
        cmocka_unit_test(empty_and_degenerate),
        cmocka_unit_test(what_is_too_large_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, free_outline);
}
