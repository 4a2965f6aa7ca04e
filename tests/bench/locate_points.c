#include "tests/bench/locate_points.h"

#include "tests/support/random.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define CITY_SHARE 6    // the demo city's urban grids are a sixth of all
#define EDGE_REACH 2000 // units: 2e-4 degree, some 20 m

static const struct {
    const char *name, *what;
} kinds[LOCATE_POINTS_KINDS] = {
    [LOCATE_POINTS_UNIFORM] = {"uniform", "anywhere in the box of all grids"},
    [LOCATE_POINTS_INSIDE] = {"inside", "in the box of a random grid"},
    [LOCATE_POINTS_CITY] = {"city", "in the box of one of the smallest sixth of the grids"},
    [LOCATE_POINTS_EDGES] = {"edges", "within 2e-4 degree of a random vertex: the hardest"},
};

const char *locate_points_name(enum locate_points kind) {
    return kinds[kind].name;
}

const char *locate_points_what(enum locate_points kind) {
    return kinds[kind].what;
}

static int64_t area(const struct gw_box *box) {
    return ((int64_t)box->max.lon - box->min.lon) * ((int64_t)box->max.lat - box->min.lat);
}

static int by_area(const void *a, const void *b) {
    int64_t left = area(a), right = area(b);
    return (left > right) - (left < right);
}

static struct gw_box box_of_all(const struct gw_box boxes[], uint32_t count) {
    struct gw_box all = boxes[0];
    for (uint32_t i = 1; i < count; i++) {
        all.min.lon = boxes[i].min.lon < all.min.lon ? boxes[i].min.lon : all.min.lon;
        all.min.lat = boxes[i].min.lat < all.min.lat ? boxes[i].min.lat : all.min.lat;
        all.max.lon = boxes[i].max.lon > all.max.lon ? boxes[i].max.lon : all.max.lon;
        all.max.lat = boxes[i].max.lat > all.max.lat ? boxes[i].max.lat : all.max.lat;
    }
    return all;
}

static struct gw_point point_in(const struct gw_box *box, struct test_random *random) {
    return (struct gw_point){(int32_t)test_random_range(random, box->min.lon, box->max.lon),
                             (int32_t)test_random_range(random, box->min.lat, box->max.lat)};
}

void locate_points_draw(enum locate_points kind, const struct gw_coverage *coverage, uint64_t seed,
                        struct gw_point points[], size_t count) {
    struct test_random random = {seed * LOCATE_POINTS_KINDS + (uint64_t)kind};
    uint32_t grids = coverage->grid_count;
    assert(grids > 0);
    struct gw_box *boxes = malloc(grids * sizeof(*boxes));
    assert(boxes != NULL);
    gw_coverage_boxes(coverage, boxes);
    struct gw_box all = box_of_all(boxes, grids);
    uint32_t choice = grids;
    if (kind == LOCATE_POINTS_CITY) {
        qsort(boxes, grids, sizeof(*boxes), by_area);
        choice = grids / CITY_SHARE + 1;
    }
    for (size_t i = 0; i < count; i++) {
        struct gw_box box = all;
        if (kind == LOCATE_POINTS_INSIDE || kind == LOCATE_POINTS_CITY) {
            box = boxes[test_random_range(&random, 0, (int64_t)choice - 1)];
        } else if (kind == LOCATE_POINTS_EDGES) {
            int64_t last = (int64_t)coverage->vertex_count - 1;
            struct gw_point v = coverage->vertices[test_random_range(&random, 0, last)];
            box.min = (struct gw_point){v.lon - EDGE_REACH, v.lat - EDGE_REACH};
            box.max = (struct gw_point){v.lon + EDGE_REACH, v.lat + EDGE_REACH};
        }
        points[i] = point_in(&box, &random);
    }
    free(boxes);
}
