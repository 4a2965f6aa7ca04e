// Which shell each hole is hung on, for few loops and for many.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "geo/tiles/loops.h"
#include "geo/tiles/spans.h"
#include "tests/support/random.h"

#include <stdlib.h>

// A square; clockwise as drawn it is a shell, else a hole.
static uint32_t square(struct loops *loops, int32_t x, int32_t y, int32_t side, bool shell) {
    struct gw_mvt_point corners[] = {{x, y}, {x + side, y}, {x + side, y + side}, {x, y + side}};
    for (size_t i = 0; i < 4; i++) {
        loops_point(loops, corners[shell ? i : 3 - i]);
    }
    loops_close(loops);
    return loops->count - 1;
}

// The shell whose list a hole is in, LOOPS_NONE: none. Nothing but holes may be in one.
static uint32_t shell_of(const struct loops *loops, uint32_t hole) {
    uint32_t found = LOOPS_NONE;
    for (uint32_t i = 0; i < loops->count; i++) {
        for (uint32_t at = loops->list[i].hole; loops->list[i].area > 0 && at != LOOPS_NONE;
             at = loops->list[at].hole) {
            assert_true(loops->list[at].area < 0);
            if (at == hole) {
                assert_int_equal(found, LOOPS_NONE);
                found = i;
            }
        }
    }
    return found;
}

static void a_shell_that_its_hole_fills_is_left_out(void **state) {
    (void)state;
    struct loops loops = {0};
    loops_begin(&loops);
    uint32_t outer = square(&loops, 0, 0, 100, true);
    uint32_t lake = square(&loops, 10, 10, 80, false);
    uint32_t island = square(&loops, 30, 30, 20, true);
    uint32_t pond = square(&loops, 30, 30, 20, false); // as large as the island
    assert_true(loops_any(&loops));
    assert_int_equal(shell_of(&loops, lake), outer);
    assert_int_equal(shell_of(&loops, pond), LOOPS_NONE);
    assert_int_equal(shell_of(&loops, island), LOOPS_NONE); // and is no hole of the outer one
    assert_int_equal(loops.list[island].area, 0);
    loops_deinit(&loops);
}

enum { CELLS = 60, CELL = 60, TEETH = 200 };

// A shell round everything, its lower side a comb, so that it has many edges at some heights.
static uint32_t comb(struct loops *loops) {
    int32_t far = CELLS * CELL + 10;
    loops_point(loops, (struct gw_mvt_point){-10, -10});
    loops_point(loops, (struct gw_mvt_point){far, -10});
    for (int32_t i = TEETH; i >= 0; i--) {
        loops_point(loops, (struct gw_mvt_point){-9 + i * 18, far});
        loops_point(loops, (struct gw_mvt_point){-10 + i * 18, CELL * (CELLS - 1)});
    }
    loops_close(loops);
    return loops->count - 1;
}

static void many_holes_find_the_smallest_shell(void **state) {
    (void)state;
    struct test_random random = test_random_seeded("loops_test", 20);
    struct loops loops = {0};
    uint32_t *wanted = calloc(4 * CELLS * CELLS, sizeof *wanted), lone = 0, owned = 0;
    assert_non_null(wanted);
    loops_begin(&loops);
    uint32_t outer = comb(&loops);
    for (int32_t cell = 0; cell < CELLS * (CELLS - 1); cell++) {
        int32_t x = cell % CELLS * CELL, y = cell / CELLS * CELL;
        uint32_t around = outer;
        if (test_random_range(&random, 0, 1) == 0) {
            around = square(&loops, x + 2, y + 2, 50, true);
            owned++;
        }
        if (test_random_range(&random, 0, 1) == 0) {
            around = square(&loops, x + 10, y + 10, 30, true);
        }
        int32_t at = 12 + (int32_t)test_random_range(&random, 0, 9);
        lone += around == outer;
        wanted[square(&loops, x + at, y + at, 5, false)] = around;
    }
    assert_true(lone > 100 && owned > 100);
    assert_true(loops_any(&loops));
    uint32_t *found = malloc(loops.count * sizeof *found);
    for (uint32_t i = 0; i < loops.count; i++) {
        found[i] = LOOPS_NONE;
    }
    for (uint32_t i = 0; i < loops.count; i++) {
        for (uint32_t at = loops.list[i].hole; loops.list[i].area > 0 && at != LOOPS_NONE;
             at = loops.list[at].hole) {
            found[at] = i;
        }
    }
    for (uint32_t i = 0; i < loops.count; i++) {
        assert_int_equal(found[i], loops.list[i].area < 0 ? wanted[i] : LOOPS_NONE);
    }
    free(found);
    free(wanted);
    loops_deinit(&loops);
}

static void spans_are_those_that_hold_a_number(void **state) {
    (void)state;
    struct test_random random = test_random_seeded("loops_test", 20);
    for (uint32_t count = 0; count < 700; count = count * 2 + 1) {
        struct span *list = malloc((count + 1) * sizeof *list);
        struct span *kept = malloc((count + 1) * sizeof *kept);
        for (uint32_t i = 0; i < count; i++) {
            int32_t low = (int32_t)test_random_range(&random, 0, 999);
            int32_t length = (int32_t)test_random_range(&random, 0, i % 50 == 0 ? 899 : 19);
            list[i] = kept[i] = (struct span){low, low + length, i};
        }
        struct spans spans;
        assert_true(spans_make(&spans, list, count));
        for (int32_t at = -1; at < 1100; at++) {
            uint32_t held = 0, given = 0;
            for (uint32_t i = 0; i < count; i++) {
                held += kept[i].low <= at && at <= kept[i].high;
            }
            for (uint32_t i = spans_next(&spans, 0, at); i < count;
                 i = spans_next(&spans, i + 1, at)) {
                assert_true(spans.list[i].low <= at && at <= spans.list[i].high);
                given++;
            }
            assert_int_equal(given, held);
        }
        spans_deinit(&spans);
        free(kept);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_shell_that_its_hole_fills_is_left_out),
        cmocka_unit_test(many_holes_find_the_smallest_shell),
        cmocka_unit_test(spans_are_those_that_hold_a_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
