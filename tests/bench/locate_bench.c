// Locate side by side, in one run and one thread: GEOS (STRtree and prepared polygons) against the
// grid index, one at a time and in batches, on the same points; answers are compared as well.
//
//   locate_bench [--seed S] [--points N] [--grids N] [--index-bytes N] [--leaf-edges N]
//                [--json FILE] [--markdown FILE]
//
// The grids are the demo city's; with --grids N, a plainer synthetic partition of that many. The
// index is as the builder likes it, or as --index-bytes and --leaf-edges say (struct
// gw_grid_index_options). Exit codes: 0 done, 1 an answer
// is wrong or a file was not written, 2 usage.
#include "geo/grid_index.h"
#include "services/demo/city.h"
#include "tests/bench/geos_locator.h"
#include "tests/bench/locate_report.h"
#include "tests/bench/synthetic_city.h"

#include <assert.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PASSES 15
#define GEOS_SHARE 20 // GEOS answers every twentieth point: it takes longer

struct options {
    uint32_t grids; // 0: the demo city
    struct gw_grid_index_options index;
    size_t points;
    uint64_t seed;
    const char *json, *markdown;
};

struct engines {
    struct gw_grid_index index;
    struct geos_locator *geos;
};

struct answers {
    uint32_t *one, *batch, *geos;
};

// Of this thread's own processor time: waiting for a turn on a busy machine doesn't count.
static double now_s(void) {
    struct timespec ts;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

static void *allocate(size_t count, size_t size) {
    void *block = malloc(count * size + 1);
    assert(block != NULL);
    memset(block, 1, count * size + 1); // the pages are there before the clock runs
    return block;
}

static int by_value(const void *a, const void *b) {
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static double median(double values[PASSES]) {
    qsort(values, PASSES, sizeof(*values), by_value);
    return values[PASSES / 2];
}

// The engines take turns, so that whatever else the machine does meets all of them; how many times
// as fast one is as another is asked within each turn.
static void measure(const struct engines *engines, const struct gw_point points[], size_t count,
                    struct answers *answers, struct locate_speed *speed) {
    double geos[PASSES], one[PASSES], batch[PASSES];
    size_t share = count / GEOS_SHARE;
    for (int pass = 0; pass < PASSES; pass++) {
        double begin = now_s();
        for (size_t i = 0; i < share; i++) {
            answers->geos[i] = geos_locator_locate(engines->geos, points[i]);
        }
        geos[pass] = (double)share / (now_s() - begin);
        begin = now_s();
        for (size_t i = 0; i < count; i++) {
            answers->one[i] = gw_grid_index_locate(&engines->index, points[i]);
        }
        one[pass] = (double)count / (now_s() - begin);
        begin = now_s();
        gw_grid_index_locate_batch(&engines->index, points, count, answers->batch);
        batch[pass] = (double)count / (now_s() - begin);
    }
    double one_ratio[PASSES], batch_ratio[PASSES];
    for (int pass = 0; pass < PASSES; pass++) {
        one_ratio[pass] = one[pass] / geos[pass];
        batch_ratio[pass] = batch[pass] / geos[pass];
    }
    *speed = (struct locate_speed){.geos = median(geos),
                                   .one = median(one),
                                   .batch = median(batch),
                                   .one_ratio = median(one_ratio),
                                   .batch_ratio = median(batch_ratio)};
}

// False: an answer is wrong. On a border GEOS may name any grid there, and the index one of them.
static bool compare(const struct engines *engines, const struct gw_point points[], size_t count,
                    const struct answers *answers, struct locate_speed *speed) {
    if (memcmp(answers->one, answers->batch, count * sizeof(*answers->one)) != 0) {
        fprintf(stderr, "one at a time and in batches the answers differ\n");
        return false;
    }
    for (size_t i = 0; i < count / GEOS_SHARE; i++) {
        uint32_t owner = answers->one[i];
        if (owner == answers->geos[i]) {
            continue;
        }
        if (owner == GW_GRID_NONE || !geos_locator_holds(engines->geos, owner, points[i])) {
            fprintf(stderr, "point %d %d: the index says %u, GEOS %u\n", points[i].lon,
                    points[i].lat, owner, answers->geos[i]);
            return false;
        }
        speed->on_border++;
    }
    return true;
}

static bool run_kinds(const struct engines *engines, const struct gw_coverage *coverage,
                      struct locate_report *report) {
    size_t count = report->points;
    struct gw_point *points = allocate(count, sizeof(*points));
    struct answers answers = {allocate(count, sizeof(uint32_t)), allocate(count, sizeof(uint32_t)),
                              allocate(count, sizeof(uint32_t))};
    bool right = true;
    for (int kind = 0; kind < LOCATE_POINTS_KINDS && right; kind++) {
        struct locate_speed *speed = &report->speeds[kind];
        locate_points_draw((enum locate_points)kind, coverage, report->seed, points, count);
        measure(engines, points, count, &answers, speed);
        right = compare(engines, points, count, &answers, speed);
    }
    free(points);
    free(answers.one);
    free(answers.batch);
    free(answers.geos);
    return right;
}

static uint64_t heap_bytes(void) {
    struct mallinfo2 info = mallinfo2();
    return (uint64_t)info.uordblks + (uint64_t)info.hblkhd;
}

static int run(const struct options *options, const char *city,
               const struct gw_coverage *coverage) {
    struct locate_report report = {.city = city, .seed = options->seed, .passes = PASSES};
    struct engines engines;
    locate_report_surroundings(&report);
    report.points = options->points;
    report.grids = coverage->grid_count;
    report.vertices = coverage->vertex_count;
    unsigned char *bytes = NULL;
    uint64_t size = 0;
    double begin = now_s();
    gw_err err = gw_grid_index_build(coverage, &options->index, &bytes, &size);
    report.build_s = now_s() - begin;
    if (err != GW_OK || gw_grid_index_open(bytes, size, &engines.index) != GW_OK) {
        fprintf(stderr, "no index of at most %llu bytes\n",
                (unsigned long long)options->index.bytes_max);
        free(bytes);
        return 1;
    }
    gw_grid_index_shape(&engines.index, &report.shape);
    report.cell_shift = engines.index.cell_shift;
    uint64_t heap = heap_bytes();
    begin = now_s();
    engines.geos = geos_locator_create(coverage);
    report.geos_build_s = now_s() - begin;
    report.geos_bytes = heap_bytes() - heap;
    bool fine = run_kinds(&engines, coverage, &report);
    locate_report_print(&report);
    fine = fine && (options->json == NULL || locate_report_json(&report, options->json));
    fine =
        fine && (options->markdown == NULL || locate_report_markdown(&report, options->markdown));
    geos_locator_destroy(engines.geos);
    free(bytes);
    return fine ? 0 : 1;
}

static int run_synthetic(const struct options *options) {
    struct synthetic_city city;
    synthetic_city_draw(&city, options->grids, options->seed);
    int status = run(options, "synthetic partition", &city.coverage);
    synthetic_city_deinit(&city);
    return status;
}

static int run_demo(const struct options *options) {
    struct gw_city *city = NULL;
    struct gw_error error = {0};
    if (gw_city_create(options->seed, &city, &error) != GW_OK) {
        fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    int status = run(options, GW_CITY_LABEL, &city->coverage);
    gw_city_destroy(city);
    return status;
}

static bool read_number(const char *text, uint64_t min, uint64_t max, uint64_t *number) {
    char *end = NULL;
    *number = strtoull(text, &end, 10);
    return *text >= '0' && *text <= '9' && *end == '\0' && *number >= min && *number <= max;
}

static bool read_options(int argc, char **argv, struct options *options) {
    for (int i = 1; i < argc; i += 2) {
        const char *name = argv[i], *value = argv[i + 1];
        uint64_t number = 0;
        bool fine = value != NULL;
        if (fine && strcmp(name, "--grids") == 0) {
            fine = read_number(value, 1, 1000000, &number);
            options->grids = (uint32_t)number;
        } else if (fine && strcmp(name, "--points") == 0) {
            fine = read_number(value, 1000, 100000000, &number);
            options->points = number;
        } else if (fine && strcmp(name, "--seed") == 0) {
            fine = read_number(value, 0, UINT64_MAX, &options->seed);
        } else if (fine && strcmp(name, "--index-bytes") == 0) {
            fine = read_number(value, 1, UINT64_MAX, &options->index.bytes_max);
        } else if (fine && strcmp(name, "--leaf-edges") == 0) {
            fine = read_number(value, 1, 1000000, &number);
            options->index.leaf_edges_max = (uint32_t)number;
        } else if (fine && strcmp(name, "--json") == 0) {
            options->json = value;
        } else if (fine && strcmp(name, "--markdown") == 0) {
            options->markdown = value;
        } else {
            fine = false;
        }
        if (!fine) {
            return false;
        }
    }
    return true;
}

int main(int argc, char **argv) {
    struct options options = {.points = 1000000, .seed = 1};
    if (!read_options(argc, argv, &options)) {
        fprintf(stderr, "usage: locate_bench [--seed S] [--points N] [--grids N] "
                        "[--index-bytes N] [--leaf-edges N] [--json FILE] [--markdown FILE]\n");
        return 2;
    }
    return options.grids > 0 ? run_synthetic(&options) : run_demo(&options);
}
