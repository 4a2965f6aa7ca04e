#include "tests/bench/locate_report.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MIB (1024.0 * 1024.0)
#define COMMAND "./dev bench //tests/bench:locate_bench"

// Copies the rest of the first line of `path` that begins with `key`, after its colon if any.
static void first_line(const char *path, const char *key, char *text, size_t size) {
    char line[256];
    FILE *file = fopen(path, "r");
    (void)snprintf(text, size, "unknown");
    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        if (strncmp(line, key, strlen(key)) == 0) {
            const char *colon = *key != '\0' ? strchr(line, ':') : NULL;
            line[strcspn(line, "\n")] = '\0';
            (void)snprintf(text, size, "%.60s", colon != NULL ? colon + 2 : line);
            break;
        }
    }
    if (file != NULL) {
        (void)fclose(file);
    }
}

void locate_report_surroundings(struct locate_report *report) {
    first_line("/proc/cpuinfo", "model name", report->cpu, sizeof(report->cpu));
    first_line("/proc/loadavg", "", report->load, sizeof(report->load));
    report->load[strspn(report->load, "0123456789. ")] = '\0';
    char *tasks = strrchr(report->load, ' '); // "running/all" tasks are of no interest
    if (tasks != NULL) {
        *tasks = '\0';
    }
#ifdef __clang__
    const char *compiler = "clang";
#else
    const char *compiler = "gcc";
#endif
#ifdef __OPTIMIZE__
    const char *how = "optimised";
#else
    const char *how = "NOT optimised: these figures mean nothing";
#endif
    (void)snprintf(report->compiler, sizeof(report->compiler), "%s %.20s, mode %s, %s", compiler,
                   __VERSION__, GW_COMPILATION_MODE, how);
    const char *commit = getenv("GW_COMMIT");
    (void)snprintf(report->commit, sizeof(report->commit), "%.60s",
                   commit != NULL && *commit != '\0' ? commit : "unknown");
}

void locate_report_print(const struct locate_report *report) {
    const struct gw_grid_index_shape *shape = &report->shape;
    printf("%s, seed %" PRIu64 ": %" PRIu32 " grids, %" PRIu32 " vertices\n", report->city,
           report->seed, report->grids, report->vertices);
    printf("%s; %s; load %s; commit %s\n", report->cpu, report->compiler, report->load,
           report->commit);
    printf("index %.1f MiB (table %.1f, sub tables %.1f, leaves %.1f), cells of 2^%" PRIu32
           " units, built in %.2f s; GEOS %.1f MiB, %.2f s\n",
           (double)shape->bytes / MIB, (double)shape->table_bytes / MIB,
           (double)shape->sub_bytes / MIB, (double)shape->leaf_bytes / MIB, report->cell_shift,
           report->build_s, (double)report->geos_bytes / MIB, report->geos_build_s);
    uint64_t leaves = shape->pair_leaves + shape->list_leaves;
    printf("cells: %" PRIu64 " with one answer, %" PRIu64 " empty, %" PRIu64 " pair and %" PRIu64
           " list leaves of %.2f edges\n\n",
           shape->true_hit_cells, shape->empty_cells, shape->pair_leaves, shape->list_leaves,
           leaves > 0 ? (double)shape->leaf_edges / (double)leaves : 0.0);
    printf("%-9s %12s %12s %12s %8s %8s %10s\n", "points", "GEOS/s", "one/s", "batch/s", "one x",
           "batch x", "on border");
    for (int kind = 0; kind < LOCATE_POINTS_KINDS; kind++) {
        const struct locate_speed *speed = &report->speeds[kind];
        printf("%-9s %12.0f %12.0f %12.0f %8.1f %8.1f %10zu  %s\n",
               locate_points_name((enum locate_points)kind), speed->geos, speed->one, speed->batch,
               speed->one_ratio, speed->batch_ratio, speed->on_border,
               locate_points_what((enum locate_points)kind));
    }
}

static bool finish(FILE *file, const char *path) {
    bool fine = !ferror(file);
    fine = fclose(file) == 0 && fine;
    if (!fine) {
        perror(path);
    }
    return fine;
}

static FILE *begin(const char *path) {
    FILE *file = fopen(path, "w");
    if (file == NULL) {
        perror(path);
    }
    return file;
}

// Text from outside goes into a JSON string without what would end it.
static void put_text(FILE *file, const char *name, const char *text) {
    fprintf(file, " \"%s\": \"", name);
    for (; *text != '\0'; text++) {
        bool plain = (unsigned char)*text >= ' ' && *text != '"' && *text != '\\';
        (void)fputc(plain ? *text : '?', file);
    }
    fprintf(file, "\",\n");
}

bool locate_report_json(const struct locate_report *report, const char *path) {
    FILE *file = begin(path);
    if (file == NULL) {
        return false;
    }
    fprintf(file, "{\n");
    put_text(file, "city", report->city);
    put_text(file, "cpu", report->cpu);
    put_text(file, "compiler", report->compiler);
    put_text(file, "load_average", report->load);
    put_text(file, "commit", report->commit);
    fprintf(file, " \"seed\": %" PRIu64 ", \"grids\": %" PRIu32 ", \"vertices\": %" PRIu32 ",\n",
            report->seed, report->grids, report->vertices);
    fprintf(file, " \"points\": %zu, \"passes\": %zu,\n", report->points, report->passes);
    fprintf(file, " \"index_bytes\": %" PRIu64 ", \"index_build_s\": %.4f,\n", report->shape.bytes,
            report->build_s);
    fprintf(file, " \"geos_bytes\": %" PRIu64 ", \"geos_build_s\": %.4f,\n \"workloads\": [",
            report->geos_bytes, report->geos_build_s);
    for (int kind = 0; kind < LOCATE_POINTS_KINDS; kind++) {
        const struct locate_speed *speed = &report->speeds[kind];
        fprintf(file,
                "%s\n  {\"name\": \"%s\", \"geos_per_s\": %.0f, \"one_per_s\": %.0f, "
                "\"batch_per_s\": %.0f, \"one_ratio\": %.2f, \"batch_ratio\": %.2f}",
                kind > 0 ? "," : "", locate_points_name((enum locate_points)kind), speed->geos,
                speed->one, speed->batch, speed->one_ratio, speed->batch_ratio);
    }
    fprintf(file, "\n ]\n}\n");
    return finish(file, path);
}

static void put_explanation(FILE *file, const struct locate_report *report) {
    fputs("# Locate, side by side with GEOS\n\n"
          "Who answers for a point, asked in one run and one thread of GEOS (an STRtree over\n"
          "prepared polygons, the parts of multipolygons apart, everything built and touched\n"
          "before), of the grid index one point at a time, and of the grid index in batches.\n",
          file);
    fprintf(file,
            "Figures are points a second of processor time and how many times GEOS's that is:\n"
            "medians of %zu passes. The engines take turns pass by pass, so that a busy machine\n"
            "slows all of them alike. All see the same lattice coordinates; a run fails where the\n"
            "index's answer is not one of those that GEOS admits.\n\n",
            report->passes);
}

bool locate_report_markdown(const struct locate_report *report, const char *path) {
    FILE *file = begin(path);
    if (file == NULL) {
        return false;
    }
    put_explanation(file, report);
    fprintf(file, "| points | GEOS /s | one at a time /s | | in batches /s | |\n"
                  "|---|---:|---:|---:|---:|---:|\n");
    for (int kind = 0; kind < LOCATE_POINTS_KINDS; kind++) {
        const struct locate_speed *speed = &report->speeds[kind];
        fprintf(file, "| %s: %s | %.0f | %.0f | %.1fx | %.0f | %.1fx |\n",
                locate_points_name((enum locate_points)kind),
                locate_points_what((enum locate_points)kind), speed->geos, speed->one,
                speed->one_ratio, speed->batch, speed->batch_ratio);
    }
    fprintf(file,
            "\n- Grids: %s, seed %" PRIu64 ": %" PRIu32 " grids, %" PRIu32 " vertices; %zu random "
            "points of each kind.\n",
            report->city, report->seed, report->grids, report->vertices, report->points);
    fprintf(file, "- Grid index: %.1f MiB, built in %.2f s. GEOS: %.1f MiB of heap, %.2f s.\n",
            (double)report->shape.bytes / MIB, report->build_s, (double)report->geos_bytes / MIB,
            report->geos_build_s);
    fprintf(file, "- Machine: %s; load average %s before the run.\n", report->cpu, report->load);
    fprintf(file, "- Compiler: %s (flags: `build:opt` in .bazelrc). Commit: %s.\n",
            report->compiler, report->commit);
    fprintf(file, "- Repeat it: `" COMMAND "`\n");
    return finish(file, path);
}
