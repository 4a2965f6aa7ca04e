// What a run of locate_bench found, for people, programs and the documents.
#ifndef GW_TESTS_BENCH_LOCATE_REPORT_H
#define GW_TESTS_BENCH_LOCATE_REPORT_H

#include "geo/grid_index.h"
#include "tests/bench/locate_points.h"

// Medians over the passes: points a second of processor time, and how many times GEOS's.
struct locate_speed {
    double geos, one, batch;
    double one_ratio, batch_ratio;
    size_t on_border; // answers that differ from GEOS's, all of them on a border of two grids
};

struct locate_report {
    const char *city; // what the grids are
    char cpu[96], compiler[96], commit[64], load[64];
    uint64_t seed;
    size_t points, passes;
    uint32_t grids, vertices, cell_shift;
    struct gw_grid_index_shape shape;
    double build_s, geos_build_s;
    uint64_t geos_bytes;
    struct locate_speed speeds[LOCATE_POINTS_KINDS];
};

// Fills in the machine, the compiler, the load average and the commit (from GW_COMMIT).
void locate_report_surroundings(struct locate_report *report);

void locate_report_print(const struct locate_report *report);

// False: the file could not be written; says so on stderr.
bool locate_report_json(const struct locate_report *report, const char *path);
bool locate_report_markdown(const struct locate_report *report, const char *path);

#endif
