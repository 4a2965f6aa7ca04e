// Which shell of a feature each of its holes lies in.
#include "geo/tiles/loops.h"

#include "geo/tiles/spans.h"

#include <stdlib.h>

#define VERTICES_ASKED 16u // of a hole, to find out what it lies in
#define FEW_LOOPS 64u      // up to here every hole is compared with every shell
#define TIMES_ASKED 32u    // of one shell edge by edge, before its edges are sorted

struct shell {
    uint32_t loop, asked;
    bool sorted;
    struct spans edges; // by y; an edge goes by the vertex that it ends at
};

struct shells {
    struct shell *list;
    uint32_t count;
    struct spans across; // by x
};

// Whether a point lies on an edge; flips *side where a ray from the point to the east crosses it.
static bool meet_edge(struct gw_mvt_point a, struct gw_mvt_point b, struct gw_mvt_point at,
                      int *side) {
    int64_t cross =
        ((int64_t)b.x - a.x) * ((int64_t)at.y - a.y) - ((int64_t)b.y - a.y) * ((int64_t)at.x - a.x);
    bool in_x = (a.x <= at.x && at.x <= b.x) || (b.x <= at.x && at.x <= a.x);
    bool in_y = (a.y <= at.y && at.y <= b.y) || (b.y <= at.y && at.y <= a.y);
    if (cross == 0 && in_x && in_y) {
        return true;
    }
    if ((a.y > at.y) != (b.y > at.y) && (cross > 0) == (b.y > a.y)) {
        *side = -*side;
    }
    return false;
}

static struct gw_mvt_point vertex_before(const struct gw_mvt_point points[], uint32_t count,
                                         uint32_t vertex) {
    return points[vertex == 0 ? count - 1 : vertex - 1];
}

// 1: inside the loop, -1: outside, 0: on it.
static int side_of(const struct gw_mvt_point points[], uint32_t count, struct gw_mvt_point at) {
    int side = -1;
    struct gw_mvt_point before = points[count - 1];
    for (uint32_t i = 0; i < count; i++) {
        if (meet_edge(before, points[i], at, &side)) {
            return 0;
        }
        before = points[i];
    }
    return side;
}

// The same, from the edges at the height of the point alone.
static int side_of_sorted(const struct gw_mvt_point points[], uint32_t count,
                          const struct spans *edges, struct gw_mvt_point at) {
    int side = -1;
    for (uint32_t i = spans_next(edges, 0, at.y); i < edges->count;
         i = spans_next(edges, i + 1, at.y)) {
        uint32_t to = edges->list[i].item;
        if (meet_edge(vertex_before(points, count, to), points[to], at, &side)) {
            return 0;
        }
    }
    return side;
}

static void sort_edges(struct shell *shell, const struct gw_mvt_point points[], uint32_t count) {
    struct span *list = malloc(count * sizeof *list);
    if (list == NULL) {
        return; // then edge by edge, as before
    }
    for (uint32_t i = 0; i < count; i++) {
        int32_t a = vertex_before(points, count, i).y, b = points[i].y;
        list[i] = (struct span){a < b ? a : b, a < b ? b : a, i};
    }
    shell->sorted = spans_make(&shell->edges, list, count);
}

// `shell` may be NULL: nothing is kept about it.
static int ask(const struct loops *loops, const struct loop *loop, struct shell *shell,
               struct gw_mvt_point at) {
    const struct gw_mvt_point *points = loops->points + loop->start;
    if (shell != NULL && !shell->sorted && shell->asked++ == TIMES_ASKED) {
        sort_edges(shell, points, loop->count);
    }
    return shell != NULL && shell->sorted ? side_of_sorted(points, loop->count, &shell->edges, at)
                                          : side_of(points, loop->count, at);
}

static bool holds(const struct loops *loops, const struct loop *loop, struct shell *shell,
                  const struct loop *hole) {
    if (hole->min.x < loop->min.x || hole->min.y < loop->min.y || hole->max.x > loop->max.x ||
        hole->max.y > loop->max.y || loop->area < -hole->area) {
        return false;
    }
    for (uint32_t i = 0; i < hole->count && i < VERTICES_ASKED; i++) {
        int side = ask(loops, loop, shell, loops->points[hole->start + i]);
        if (side != 0) {
            return side > 0;
        }
    }
    return true;
}

// The smallest shell that holds the hole, the first of equal ones; LOOPS_NONE: none does.
static uint32_t find_by_all(struct loops *loops, const struct loop *hole) {
    uint32_t best = LOOPS_NONE;
    for (uint32_t i = 0; i < loops->count; i++) {
        const struct loop *loop = &loops->list[i];
        if (loop->area > 0 && (best == LOOPS_NONE || loop->area < loops->list[best].area) &&
            holds(loops, loop, NULL, hole)) {
            best = i;
        }
    }
    return best;
}

// The same, from the shells above and below the hole alone.
static uint32_t find_by_place(struct loops *loops, struct shells *shells, const struct loop *hole) {
    const struct spans *across = &shells->across;
    uint32_t best = LOOPS_NONE;
    for (uint32_t i = spans_next(across, 0, hole->min.x); i < across->count;
         i = spans_next(across, i + 1, hole->min.x)) {
        struct shell *shell = &shells->list[across->list[i].item];
        const struct loop *loop = &loops->list[shell->loop];
        bool better = best == LOOPS_NONE || loop->area < loops->list[best].area ||
                      (loop->area == loops->list[best].area && shell->loop < best);
        if (loop->area > 0 && better && holds(loops, loop, shell, hole)) {
            best = shell->loop;
        }
    }
    return best;
}

static void shells_deinit(struct shells *shells) {
    for (uint32_t i = 0; i < shells->count; i++) {
        spans_deinit(&shells->list[i].edges);
    }
    free(shells->list);
    spans_deinit(&shells->across);
}

// False: there are few loops, or no memory to sort them.
static bool shells_make(const struct loops *loops, struct shells *shells) {
    *shells = (struct shells){0};
    if (loops->count <= FEW_LOOPS) {
        return false;
    }
    shells->list = calloc(loops->count, sizeof *shells->list);
    struct span *spans = malloc(loops->count * sizeof *spans);
    if (shells->list == NULL || spans == NULL) {
        free(spans);
        shells_deinit(shells);
        return false;
    }
    for (uint32_t i = 0; i < loops->count; i++) {
        const struct loop *loop = &loops->list[i];
        if (loop->area > 0) {
            spans[shells->count] = (struct span){loop->min.x, loop->max.x, shells->count};
            shells->list[shells->count++].loop = i;
        }
    }
    if (!spans_make(&shells->across, spans, shells->count)) {
        shells_deinit(shells);
        return false;
    }
    return true;
}

void loops_place_holes(struct loops *loops) {
    struct shells shells;
    bool sorted = shells_make(loops, &shells);
    for (uint32_t i = loops->count; i-- > 0;) {
        struct loop *hole = &loops->list[i];
        if (hole->area >= 0) {
            continue; // a shell, or what was one until its hole filled it
        }
        uint32_t found = sorted ? find_by_place(loops, &shells, hole) : find_by_all(loops, hole);
        struct loop *best = found == LOOPS_NONE ? NULL : &loops->list[found];
        if (best != NULL && best->area == -hole->area && best->hole == LOOPS_NONE) {
            best->area = 0; // rounded to the same ring: nothing is left between them
        } else if (best != NULL) {
            hole->hole = best->hole;
            best->hole = i;
        }
    }
    if (sorted) {
        shells_deinit(&shells);
    }
}
