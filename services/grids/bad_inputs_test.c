// Every GeoJSON file of the shared collection of faulty and odd inputs, one case each: it is
// accepted or refused as the collection's manifest says, and where the manifest leaves a choice, as
// the table below says, which is what the documentation of `gridwarden import` promises.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "geo/carto/rings.h"
#include "services/grids/testing_import.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILES_MAX 128
#define SECONDS_MAX 60.0 // a hang, also under a sanitizer; not a measure of speed

struct policy {
    const char *file;
    bool accepted;
    int ring;          // that a finding must name; 0: any
    const char *kind;  // of a finding that must be there; NULL: none
    const char *words; // that its text must hold; NULL: any
    const char *code;  // that the finding must name; NULL: any
    int64_t feature;   // that it must name; 0: any
    double lon, lat;   // of the place that it must name; 0: none
};

static const struct policy policies[] = {
    {"00-control-valid.geojson", true, 0, NULL, NULL, NULL, 0, 0, 0},
    {"01-bowtie.geojson", false, 1, "self-intersection", "crosses itself", "G001", 1, 123.805,
     42.285},
    {"02-ring-touches-itself.geojson", false, 1, "ring-self-touch", "touches itself", "G001", 1,
     123.805, 42.28},
    {"03-unclosed-ring.geojson", false, 1, "unclosed-ring", "first", "G001", 1, 123.8, 42.28},
    {"04-nan-coordinate.geojson", false, 0, "not-json", "NaN", NULL, 1, 0, 0},
    {"05-null-coordinate.geojson", false, 1, "bad-coordinate", "position 3", "G001", 1, 0, 0},
    {"06-string-coordinate.geojson", false, 1, "bad-coordinate", "position 3", "G001", 1, 0, 0},
    {"07-overflow-coordinate.geojson", false, 1, "bad-coordinate", "too large", "G001", 1, 0, 0},
    {"08-out-of-range.geojson", false, 1, "out-of-range", "outside", "G001", 1, 200, 94.99},
    {"09-swapped-lat-lon.geojson", false, 1, "out-of-range", "swapped", "G001", 1, 42.28, 123.8},
    {"10-swapped-in-range.geojson", true, 0, NULL, NULL, NULL, 0, 0, 0},
    {"11-duplicate-ids.geojson", false, 0, "duplicate-id", "G001", "G001", 0, 0, 0},
    {"12-missing-code.geojson", false, 0, "missing-id", "\"code\"", NULL, 2, 0, 0},
    {"13-numeric-code.geojson", false, 0, "id-type", "59054.0", NULL, 2, 0, 0},
    {"14-leading-zero-code.geojson", true, 0, NULL, NULL, NULL, 0, 0, 0},
    {"15-null-geometry.geojson", false, 0, "empty-geometry", NULL, "G001", 1, 0, 0},
    {"16-empty-polygon.geojson", false, 0, "empty-geometry", NULL, "G001", 1, 0, 0},
    {"17-empty-ring.geojson", false, 1, "empty-geometry", NULL, "G001", 1, 0, 0},
    {"18-empty-multipolygon.geojson", false, 0, "empty-geometry", NULL, "G001", 1, 0, 0},
    {"19-empty-collection.geojson", false, 0, "empty-file", "0 grids", NULL, 0, 0, 0},
    {"20-hole-outside-shell.geojson", false, 2, "hole-outside-shell", NULL, "G001", 1, 0, 0},
    {"21-hole-equals-shell.geojson", false, 2, "zero-area", NULL, "G001", 1, 0, 0},
    {"22-hole-crosses-shell.geojson", false, 1, "hole-crosses-shell", NULL, "G001", 1, 0, 0},
    {"23-nested-holes.geojson", false, 3, "nested-holes", NULL, "G001", 1, 0, 0},
    {"24-overlapping-parts.geojson", false, 1, "overlapping-parts", NULL, "G001", 1, 0, 0},
    {"25-spike.geojson", false, 1, "spike", NULL, "G001", 1, 123.86, 42.34},
    {"26-sliver.geojson", false, 1, "sliver", "thin", "G001", 1, 123.8, 42.28},
    {"27-collinear.geojson", false, 1, "zero-area", NULL, "G001", 1, 123.8, 42.28},
    {"28-single-point-ring.geojson", false, 1, "zero-area", NULL, "G001", 1, 123.8, 42.28},
    {"29-too-few-points.geojson", false, 1, "too-few-points", NULL, "G001", 1, 123.8, 42.28},
    {"30-repeated-vertices.geojson", true, 0, NULL, NULL, NULL, 0, 0, 0},
    {"31-clockwise-shell.geojson", true, 0, NULL, NULL, NULL, 0, 0, 0},
    {"32-three-dimensions.geojson", true, 0, NULL, NULL, NULL, 0, 0, 0},
    {"33-mixed-types.geojson", false, 0, "not-a-polygon", "Point", "G002", 2, 0, 0},
    {"34-geometry-collection.geojson", false, 0, "not-a-polygon", "GeometryCollection", "G001", 1,
     0, 0},
    {"35-one-bad-of-ten.geojson", false, 1, "self-intersection", NULL, "G007", 7, 0, 0},
    {"36-huge-ring-200k.geojson", true, 0, NULL, NULL, NULL, 0, 0, 0},
    {"37-antimeridian-uncut.geojson", false, 1, "antimeridian", "antimeridian", "G001", 1, 179.5,
     -17.5},
    {"38-antimeridian-cut.geojson", true, 0, NULL, NULL, NULL, 0, 0, 0},
    {"39-antimeridian-over-180.geojson", false, 1, "out-of-range", NULL, "G001", 1, 180.5, -17.5},
    {"40-pole.geojson", true, 0, NULL, NULL, NULL, 0, 0, 0},
    {"41-truncated.geojson", false, 0, "not-json", "ends", NULL, 0, 0, 0},
    {"42-trailing-garbage.geojson", false, 0, "not-json", "follows the end", NULL, 0, 0, 0},
    {"43-not-json.geojson", false, 0, "not-json", "HTML", NULL, 0, 0, 0},
    {"44-zero-bytes.geojson", false, 0, "not-json", "empty", NULL, 0, 0, 0},
    {"45-utf8-bom.geojson", true, 0, NULL, NULL, NULL, 0, 0, 0},
    {"46-gbk.geojson", false, 0, "encoding", "GBK", NULL, 0, 0, 0},
    {"47-utf16.geojson", false, 0, "encoding", "UTF-16", NULL, 0, 0, 0},
    {"48-broken-utf8.geojson", false, 0, "encoding", "UTF-8", NULL, 0, 0, 0},
    {"49-deep-nesting.geojson", false, 0, "limit", "nested", NULL, 0, 0, 0},
    {"50-long-text.geojson", true, 0, NULL, NULL, NULL, 0, 0, 0},
    {"51-hostile-text.geojson", false, 0, "bad-text", "NUL", "G004", 4, 0, 0},
    {"52-duplicate-keys.geojson", false, 0, "duplicate-key", "code", NULL, 1, 0, 0},
    {"53-overlapping-grids.geojson", true, 0, "overlap", "G002", "G001", 1, 0, 0},
    {"54-identical-grids.geojson", true, 0, "overlap", "G002", "G001", 1, 0, 0},
    {"55-grid-inside-grid.geojson", true, 0, "overlap", "G002", "G001", 1, 0, 0},
    {"60-projected-4550-unlabelled.geojson", false, 1, "projected", "look projected", NULL, 1, 0,
     0},
    {"61-projected-4550-crs-member.geojson", false, 0, "crs", "EPSG::4550", NULL, 0, 0, 0},
    {"62-projected-4550-axis-swapped.geojson", false, 1, "projected", "look projected", NULL, 1, 0,
     0},
    {"63-projected-4529-zone-prefix.geojson", false, 1, "projected", "look projected", NULL, 1, 0,
     0},
    {"64-projected-3857.geojson", false, 1, "projected", "look projected", NULL, 1, 0, 0},
};

struct inside_row {
    const char *file;
    double lon, lat;
    const char *code; // who answers there
};

static const struct inside_row inside_rows[] = {
    {"00-control-valid.geojson", 123.825, 42.285, "G001"},
    {"00-control-valid.geojson", 123.845, 42.285, "G002"},
    {"10-swapped-in-range.geojson", 48.805, 2.505, "G001"},
    {"14-leading-zero-code.geojson", 123.805, 42.285, "01004"},
    {"30-repeated-vertices.geojson", 123.805, 42.285, "G001"},
    {"31-clockwise-shell.geojson", 123.805, 42.285, "G001"},
    {"32-three-dimensions.geojson", 123.805, 42.285, "G001"},
    {"36-huge-ring-200k.geojson", 123.80, 42.28, "G001"},
    {"36-huge-ring-200k.geojson", 124.10, 42.28, ""},
    {"38-antimeridian-cut.geojson", 179.9, -17, "G001"},
    {"38-antimeridian-cut.geojson", -179.9, -17, "G001"},
    {"38-antimeridian-cut.geojson", 180, -17, "G001"},
    {"38-antimeridian-cut.geojson", -180, -17, "G001"},
    {"38-antimeridian-cut.geojson", 0, -17, ""},
    {"40-pole.geojson", 0, 89, "G001"},
    {"40-pole.geojson", 123.4, 89, "G001"},
    {"40-pole.geojson", -180, 89, "G001"},
    {"40-pole.geojson", 180, 89, "G001"},
    {"40-pole.geojson", 0, 84.9, ""},
    {"45-utf8-bom.geojson", 123.825, 42.285, "G001"},
    {"53-overlapping-grids.geojson", 123.801, 42.285, "G001"},
    {"53-overlapping-grids.geojson", 123.807, 42.285, "G001"},
    {"54-identical-grids.geojson", 123.805, 42.285, "G001"},
    {"55-grid-inside-grid.geojson", 123.805, 42.285, "G001"},
};

// The area of one grid as it is stored, in square degrees.
static double stored_area(const struct gw_edition *edition, uint32_t grid) {
    const struct gw_coverage *coverage = gw_edition_coverage(edition);
    double area = 0;
    for (uint32_t r = coverage->grid_rings[grid]; r < coverage->grid_rings[grid + 1]; r++) {
        area += gw_ring_area_deg2(coverage->vertices + coverage->ring_vertices[r],
                                  coverage->ring_vertices[r + 1] - coverage->ring_vertices[r]);
    }
    return area;
}

struct input {
    char file[80], expect[24];
    const struct policy *policy;
};

static struct input inputs[FILES_MAX];
static size_t input_count;

static void check_finding(const struct policy *policy, const struct testing_import *result) {
    const struct testing_finding *finding = testing_find(result, policy->kind);
    assert_non_null(finding);
    // 19 is odd and then refused: the refusal comes last.
    if (strcmp(policy->kind, "empty-file") == 0) {
        finding = &result->findings[result->finding_count - 1];
    }
    assert_int_equal(finding->refused, !policy->accepted);
    if (policy->words != NULL) {
        assert_non_null(strstr(finding->text, policy->words));
    }
    if (policy->code != NULL) {
        assert_string_equal(finding->code, policy->code);
    }
    if (policy->feature != 0) {
        assert_int_equal(finding->feature, policy->feature);
    }
    if (policy->ring != 0) {
        assert_int_equal(finding->ring, policy->ring);
    }
    if (policy->lon > 0 || policy->lon < 0) {
        assert_true(fabs(finding->lon - policy->lon) < 1e-6);
        assert_true(fabs(finding->lat - policy->lat) < 1e-6);
    }
}

static void check_file(void **state) {
    const struct input *input = *state;
    const struct policy *policy = input->policy;
    assert_non_null(policy);
    if (strcmp(input->expect, "accept") == 0 && strncmp(input->file, "51", 2) != 0) {
        assert_true(policy->accepted); // 51 holds a NUL: "rejecting the NUL one is fine"
    }
    if (strcmp(input->expect, "reject") == 0) {
        assert_false(policy->accepted);
    }
    char path[400];
    (void)snprintf(path, sizeof(path), "%s/bad/%s", testing_shared_data(), input->file);
    const char *const files[] = {path};
    const struct gw_import_options options = testing_options(files, 1);
    struct testing_import result;
    testing_import_run(&options, &result);
    print_message("# %s%s\n", result.err == GW_OK ? "accepted" : "refused: ", result.error.text);
    assert_true(result.seconds < SECONDS_MAX);
    assert_int_equal(result.err, policy->accepted ? GW_OK : GW_EINVAL);
    if (policy->accepted) {
        assert_int_equal(result.finding_count, policy->kind == NULL ? 0 : 1);
    } else {
        assert_non_null(strstr(result.error.text, input->file));
    }
    if (policy->kind != NULL) {
        check_finding(policy, &result);
    }
    for (size_t i = 0; policy->accepted && i < sizeof(inside_rows) / sizeof(inside_rows[0]); i++) {
        if (strcmp(inside_rows[i].file, input->file) == 0) {
            assert_string_equal(
                testing_owner(result.edition, inside_rows[i].lon, inside_rows[i].lat),
                inside_rows[i].code);
        }
    }
    if (strncmp(input->file, "30", 2) == 0 || strncmp(input->file, "31", 2) == 0) {
        assert_true(fabs(stored_area(result.edition, 0) - 1e-4) < 1e-18);
    }
    if (strncmp(input->file, "45", 2) == 0) {
        assert_string_equal(gw_edition_grid(result.edition, 0).name, "测试网格G001");
    }
    gw_edition_close(result.edition);
}

// The next field of a manifest row; *at moves behind it.
static void take_field(const char **at, char *out, size_t out_size) {
    size_t size = strcspn(*at, ",\n");
    assert_true(size < out_size);
    memcpy(out, *at, size);
    out[size] = '\0';
    *at += size + ((*at)[size] == ',');
}

static void read_manifest(const char *folder) {
    char path[400];
    (void)snprintf(path, sizeof(path), "%s/bad/manifest.csv", folder);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    char line[2000];
    while (fgets(line, sizeof(line), file) != NULL && input_count < FILES_MAX) {
        struct input *input = &inputs[input_count];
        const char *at = line;
        take_field(&at, input->file, sizeof(input->file));
        if (strstr(input->file, ".geojson") == NULL) {
            continue;
        }
        take_field(&at, input->expect, sizeof(input->expect));
        for (size_t i = 0; i < sizeof(policies) / sizeof(policies[0]); i++) {
            if (strcmp(policies[i].file, input->file) == 0) {
                input->policy = &policies[i];
            }
        }
        input_count++;
    }
    (void)fclose(file);
}

static void the_shared_data_is_not_there(void **state) {
    (void)state;
    print_message("# GW_SHARED_DATA names no folder: skipped\n");
    skip();
}

int main(void) {
    const char *folder = testing_shared_data();
    if (folder == NULL) {
        const struct CMUnitTest skipped[] = {cmocka_unit_test(the_shared_data_is_not_there)};
        return cmocka_run_group_tests_name("bad inputs", skipped, NULL, NULL);
    }
    read_manifest(folder);
    static struct CMUnitTest tests[FILES_MAX];
    for (size_t i = 0; i < FILES_MAX; i++) {
        tests[i] = (struct CMUnitTest){inputs[i].file, i < input_count ? check_file : NULL, NULL,
                                       NULL, &inputs[i]};
    }
    if (input_count < sizeof(policies) / sizeof(policies[0])) {
        printf("the manifest lists fewer files than this test knows\n");
        return 1;
    }
    return _cmocka_run_group_tests("bad inputs", tests, input_count, NULL, NULL);
}
