#include "services/grids/testing_import.h"
#include "services/base/clock.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *temporary_folder(void) {
    const char *folder = getenv("TEST_TMPDIR");
    assert_non_null(folder);
    return folder;
}

struct gw_import_options testing_options(const char *const *files, size_t file_count) {
    return (struct gw_import_options){
        .files = files,
        .file_count = file_count,
        .crs = "EPSG:4326",
        .code_field = "code",
        .name_field = "name",
        .layer = GW_LAYER_RESPONSIBLE,
        .label = "a test",
        .number = 7,
    };
}

static void keep(void *context, const struct gw_import_finding *finding) {
    struct testing_import *result = context;
    if (result->finding_count < TESTING_FINDINGS_MAX) {
        struct testing_finding *kept = &result->findings[result->finding_count];
        (void)snprintf(kept->kind, sizeof(kept->kind), "%s", finding->kind);
        (void)snprintf(kept->code, sizeof(kept->code), "%s", finding->code);
        (void)snprintf(kept->text, sizeof(kept->text), "%s", finding->text);
        (void)snprintf(kept->file, sizeof(kept->file), "%s", finding->file);
        kept->feature = finding->feature;
        kept->ring = finding->ring;
        kept->lon = finding->lon;
        kept->lat = finding->lat;
        kept->refused = finding->refused;
    }
    result->finding_count++;
}

void testing_import_run(const struct gw_import_options *options, struct testing_import *result) {
    static unsigned runs;
    memset(result, 0, sizeof(*result));
    (void)snprintf(result->path, sizeof(result->path), "%s/editions/%s-%d-%u.gwe",
                   temporary_folder(), options->layer, (int)getpid(), ++runs);
    int64_t start = gw_clock_monotonic_ns();
    result->err =
        gw_import_edition(options, result->path, keep, result, &result->report, &result->error);
    result->seconds = (double)(gw_clock_monotonic_ns() - start) * 1e-9;
    assert_int_equal(result->report.findings, result->finding_count);
    char beside[320];
    (void)snprintf(beside, sizeof(beside), "%s.tmp", result->path);
    assert_int_not_equal(access(beside, F_OK), 0);
    if (result->err != GW_OK) {
        assert_int_equal(result->error.code, result->err);
        assert_true(strlen(result->error.text) > 20);
        assert_int_not_equal(access(result->path, F_OK), 0);
        return;
    }
    assert_int_equal(result->report.refusals, 0);
    struct stat status;
    assert_int_equal(stat(result->path, &status), 0);
    assert_int_equal((uint64_t)status.st_size, result->report.file_bytes);
    assert_int_equal(gw_edition_open(result->path, &result->edition, &result->error), GW_OK);
    char hash[33];
    gw_edition_content_hash(result->edition, hash);
    assert_string_equal(hash, result->report.content_hash);
    assert_int_equal(gw_edition_grid_count(result->edition), result->report.grids);
    (void)unlink(result->path); // the mapping stays
}

const struct testing_finding *testing_find(const struct testing_import *result, const char *kind) {
    for (size_t i = 0; i < result->finding_count && i < TESTING_FINDINGS_MAX; i++) {
        if (strcmp(result->findings[i].kind, kind) == 0) {
            return &result->findings[i];
        }
    }
    return NULL;
}

const char *testing_owner(const struct gw_edition *edition, double lon, double lat) {
    struct gw_point point;
    assert_int_equal(gw_lattice_query(lon, lat, &point), GW_OK);
    const struct gw_grid_index *index = gw_edition_index(edition);
    uint32_t owner = gw_grid_index_locate(index, point);
    uint32_t batch = 0;
    gw_grid_index_locate_batch(index, &point, 1, &batch);
    assert_int_equal(owner, batch);
    assert_int_equal(owner, gw_coverage_owner(gw_edition_coverage(edition), point));
    return owner == GW_GRID_NONE ? "" : gw_edition_grid(edition, owner).code;
}

void testing_write_file(const char *name, const char *text, char path[300]) {
    (void)snprintf(path, 300, "%s/%s", temporary_folder(), name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    assert_int_equal(fclose(file), 0);
}

const char *testing_shared_data(void) {
    const char *folder = getenv("GW_SHARED_DATA");
    return folder != NULL && folder[0] != '\0' && access(folder, R_OK) == 0 ? folder : NULL;
}
