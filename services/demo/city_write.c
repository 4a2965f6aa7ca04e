#include "services/demo/city.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

// A file being written; errors are kept until it is closed.
struct file {
    FILE *stream;
    char path[1024];
};

static gw_err open_file(struct file *file, const char *folder, const char *name,
                        struct gw_error *error) {
    int length = snprintf(file->path, sizeof(file->path), "%s/%s", folder, name);
    if (length < 0 || (size_t)length >= sizeof(file->path)) {
        return gw_error_set(error, GW_EINVAL, "the folder's name is too long: %.100s...", folder);
    }
    file->stream = fopen(file->path, "wb");
    if (file->stream == NULL) {
        return gw_error_set(error, GW_EIO, "cannot write %s: %s", file->path, strerror(errno));
    }
    return GW_OK;
}

static gw_err close_file(struct file *file, struct gw_error *error) {
    bool failed = ferror(file->stream) != 0;
    failed |= fclose(file->stream) != 0;
    if (failed) {
        return gw_error_set(error, GW_EIO, "cannot write %s: %s", file->path, strerror(errno));
    }
    return GW_OK;
}

// A coordinate in degrees with its seven decimals, exactly.
static void put_degrees(FILE *out, int32_t units) {
    char text[16];
    int at = (int)sizeof(text);
    int64_t left = units < 0 ? -(int64_t)units : units;
    for (int digit = 0; digit < 8 || left > 0; digit++) {
        if (digit == 7) {
            text[--at] = '.';
        }
        text[--at] = (char)('0' + left % 10);
        left /= 10;
    }
    if (units < 0) {
        text[--at] = '-';
    }
    fwrite(text + at, 1, sizeof(text) - (size_t)at, out);
}

static void put_ring(FILE *out, const struct gw_coverage *coverage, uint32_t ring) {
    uint32_t first = coverage->ring_vertices[ring], end = coverage->ring_vertices[ring + 1];
    fputc('[', out);
    for (uint32_t i = first; i <= end; i++) {
        const struct gw_point *vertex = &coverage->vertices[i < end ? i : first];
        fputs(i == first ? "[" : ",[", out);
        put_degrees(out, vertex->lon);
        fputc(',', out);
        put_degrees(out, vertex->lat);
        fputc(']', out);
    }
    fputc(']', out);
}

static void put_geometry(FILE *out, const struct gw_coverage *coverage, uint32_t grid) {
    uint32_t first = coverage->grid_rings[grid], end = coverage->grid_rings[grid + 1], shells = 0;
    for (uint32_t ring = first; ring < end; ring++) {
        shells += coverage->ring_kinds[ring] == GW_RING_SHELL;
    }
    fprintf(out, "{\"type\":\"%s\",\"coordinates\":%s", shells == 1 ? "Polygon" : "MultiPolygon",
            shells == 1 ? "" : "[");
    for (uint32_t ring = first; ring < end; ring++) {
        if (coverage->ring_kinds[ring] == GW_RING_SHELL) {
            fputs(ring == first ? "[" : "],[", out);
        } else {
            fputc(',', out);
        }
        put_ring(out, coverage, ring);
    }
    fputs(shells == 1 ? "]}" : "]]}", out);
}

static gw_err write_county(const struct gw_city *city, uint32_t county, const char *folder,
                           struct gw_error *error) {
    const struct gw_city_area *area = &city->areas[county];
    struct file file;
    char name[32];
    snprintf(name, sizeof(name), "%.6s.geojson", area->code);
    gw_err err = open_file(&file, folder, name, error);
    if (err != GW_OK) {
        return err;
    }
    const char *separator = "";
    fprintf(file.stream,
            "{\"type\":\"FeatureCollection\",\"name\":\"SYNTHETIC grids of %s %s\",\n"
            "\"note\":\"SYNTHETIC: borders invented by the demo generator from seed %llu; only the "
            "codes and names of areas are real\",\n\"features\":[",
            area->code, area->name, (unsigned long long)city->seed);
    for (uint32_t i = 0; i < city->grid_count; i++) {
        const struct gw_city_grid *grid = &city->grids[i];
        if (strncmp(grid->code, area->code, 6) != 0) {
            continue;
        }
        // Codes and names hold no quotes or backslashes.
        fprintf(file.stream,
                "%s\n{\"type\":\"Feature\",\"properties\":{\"code\":\"%s\",\"name\":\"%s\","
                "\"kind\":\"%s\",\"parent\":\"%s\",\"special\":%s,\"synthetic\":true},"
                "\"geometry\":",
                separator, grid->code, grid->name, grid->urban ? "urban" : "rural",
                city->areas[grid->village].code, grid->special ? "true" : "false");
        put_geometry(file.stream, &city->coverage, i);
        fputc('}', file.stream);
        separator = ",";
    }
    fputs("\n]}\n", file.stream);
    return close_file(&file, error);
}

static gw_err write_areas(const struct gw_city *city, const char *folder, struct gw_error *error) {
    static const char *const levels[] = {"", "village", "town", "county", "prefecture"};
    struct file file;
    gw_err err = open_file(&file, folder, "areas.csv", error);
    if (err != GW_OK) {
        return err;
    }
    fputs("code,name,level,parent\n", file.stream);
    for (uint32_t i = 0; i < city->area_count; i++) {
        const struct gw_city_area *area = &city->areas[i];
        fprintf(file.stream, "%s,%s,%s,%s\n", area->code, area->name, levels[area->level],
                area->parent == i ? "" : city->areas[area->parent].code);
    }
    return close_file(&file, error);
}

static gw_err write_workers(const struct gw_city *city, const char *folder,
                            struct gw_error *error) {
    struct file file;
    gw_err err = open_file(&file, folder, "workers.csv", error);
    if (err != GW_OK) {
        return err;
    }
    fputs("id,name,kind,home_grids,skills,capacity,shift\n", file.stream);
    for (uint32_t i = 0; i < city->worker_count; i++) {
        const struct gw_city_worker *worker = &city->workers[i];
        fprintf(file.stream, "%s,%s,%s,", worker->id, worker->name,
                worker->full_time ? "full-time" : "part-time");
        for (uint32_t h = 0; h < worker->home_count; h++) {
            fprintf(file.stream, "%s%s", h == 0 ? "" : ";",
                    city->grids[city->homes[worker->home_first + h]].code);
        }
        const char *separator = ",";
        for (uint32_t s = 0; s < GW_CITY_SKILLS; s++) {
            if ((worker->skills >> s & 1u) != 0) {
                fprintf(file.stream, "%s%s", separator, gw_city_skill(s));
                separator = ";";
            }
        }
        fprintf(file.stream, "%s%u,%02d:%02d-%02d:%02d\n", worker->skills == 0 ? ",," : ",",
                worker->capacity, worker->shift.begin_minute / 60, worker->shift.begin_minute % 60,
                worker->shift.end_minute / 60, worker->shift.end_minute % 60);
    }
    return close_file(&file, error);
}

gw_err gw_city_write(const struct gw_city *city, const char *folder, struct gw_error *error) {
    if (mkdir(folder, 0755) != 0 && errno != EEXIST) {
        return gw_error_set(error, GW_EIO, "cannot make the folder %s: %s", folder,
                            strerror(errno));
    }
    gw_err err = GW_OK;
    for (uint32_t i = 0; i < GW_CITY_COUNTIES && err == GW_OK; i++) {
        err = write_county(city, GW_CITY_COUNTY_FIRST + i, folder, error);
    }
    if (err == GW_OK) {
        err = write_areas(city, folder, error);
    }
    return err == GW_OK ? write_workers(city, folder, error) : err;
}

gw_err gw_demo_write(const char *folder, uint64_t seed, struct gw_error *error) {
    struct gw_city *city = NULL;
    gw_err err = gw_city_create(seed, &city, error);
    if (err == GW_OK) {
        err = gw_city_write(city, folder, error);
        gw_city_destroy(city);
    }
    return err;
}
