// Real and derived polygons, imported whole: two departments of French communes, and the made-up
// village cells and the counties of a Chinese city. Every expected owner, one at a time and in a
// batch, and every vertex against the slow oracle.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "services/grids/testing_import.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POINTS_MAX 40000

static struct testing_import imported;

// Imports files of the shared data into `imported`.
static void import_files(const char *const names[], size_t count, const char *name_field,
                         const char *areas) {
    static char paths[3][400];
    const char *const files[] = {paths[0], paths[1]};
    for (size_t i = 0; i < count; i++) {
        (void)snprintf(paths[i], sizeof(paths[i]), "%s/%s", testing_shared_data(), names[i]);
    }
    struct gw_import_options options = testing_options(files, count);
    options.name_field = name_field;
    if (areas != NULL) {
        (void)snprintf(paths[2], sizeof(paths[2]), "%s/%s", testing_shared_data(), areas);
        options.areas_file = paths[2];
    }
    testing_import_run(&options, &imported);
    print_message(
        "# %llu grids, %llu vertices, index %llu bytes, file %llu bytes, %llu findings, "
        "%.2f s %s\n",
        (unsigned long long)imported.report.grids, (unsigned long long)imported.report.vertices,
        (unsigned long long)imported.report.index_bytes,
        (unsigned long long)imported.report.file_bytes,
        (unsigned long long)imported.report.findings, imported.seconds, imported.error.text);
}

static int import_communes(void **state) {
    (void)state;
    static const char *const names[] = {"fr/communes-59.geojson", "fr/communes-62.geojson"};
    import_files(names, 2, "nom", NULL);
    return imported.err == GW_OK ? 0 : -1;
}

static int import_villages(void **state) {
    (void)state;
    static const char *const names[] = {"cn/tieling-villages.SYNTHETIC.wgs84.geojson"};
    import_files(names, 1, "name", "cn/tieling-divisions.csv");
    return imported.err == GW_OK ? 0 : -1;
}

static int import_counties(void **state) {
    (void)state;
    static const char *const names[] = {"cn/tieling-counties.wgs84.valid.geojson"};
    import_files(names, 1, "name", NULL);
    return imported.err == GW_OK ? 0 : -1;
}

static int close_imported(void **state) {
    (void)state;
    gw_edition_close(imported.edition);
    return 0;
}

static void the_coverage_is_clean(void **state) {
    (void)state;
    assert_int_equal(imported.report.features, 1539);
    assert_int_equal(imported.report.grids, 1539);
    assert_int_equal(imported.finding_count, 0); // no overlaps, and nothing odd
    uint32_t lille = gw_edition_find_grid(imported.edition, "59350");
    assert_int_not_equal(lille, GW_GRID_NONE);
    assert_string_equal(gw_edition_grid(imported.edition, lille).name, "Lille");
}

// The lines of a CSV file without its header, each with its longitude and latitude read off.
struct row {
    struct gw_point point;
    char codes[200];
};

static struct row rows[POINTS_MAX];

static size_t read_rows(const char *name) {
    char path[400];
    (void)snprintf(path, sizeof(path), "%s/%s", testing_shared_data(), name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    char line[300];
    size_t count = 0;
    assert_non_null(fgets(line, sizeof(line), file)); // the header
    while (fgets(line, sizeof(line), file) != NULL) {
        assert_true(count < POINTS_MAX);
        char *end = NULL;
        double lon = strtod(line, &end);
        assert_int_equal(*end, ',');
        double lat = strtod(end + 1, &end);
        assert_int_equal(*end, ',');
        assert_int_equal(gw_lattice_query(lon, lat, &rows[count].point), GW_OK);
        end[1 + strcspn(end + 1, "\r\n")] = '\0';
        (void)snprintf(rows[count++].codes, sizeof(rows[0].codes), "%s", end + 1);
    }
    (void)fclose(file);
    return count;
}

static const char *code_of(uint32_t grid) {
    return grid == GW_GRID_NONE ? "" : gw_edition_grid(imported.edition, grid).code;
}

static uint32_t oracle(struct gw_point point) {
    return gw_coverage_owner_within(gw_edition_coverage(imported.edition),
                                    gw_edition_boxes(imported.edition), point);
}

// Asks for all rows at once and for each alone, and compares the two.
static const uint32_t *ask(size_t count) {
    static struct gw_point points[POINTS_MAX];
    static uint32_t owners[POINTS_MAX];
    const struct gw_grid_index *index = gw_edition_index(imported.edition);
    for (size_t i = 0; i < count; i++) {
        points[i] = rows[i].point;
    }
    gw_grid_index_locate_batch(index, points, count, owners);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(gw_grid_index_locate(index, points[i]), owners[i]);
    }
    return owners;
}

static void expect_owners(const char *points, size_t wanted) {
    size_t count = read_rows(points);
    assert_int_equal(count, wanted);
    const uint32_t *owners = ask(count);
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(code_of(owners[i]), rows[i].codes);
    }
}

static void every_point_has_the_expected_owner(void **state) {
    (void)state;
    expect_owners("fr/points-59-62.csv", 20000);
}

static void every_point_has_the_expected_village(void **state) {
    (void)state;
    expect_owners("cn/points-tieling-villages.SYNTHETIC.wgs84.csv", 10000);
}

static void every_point_has_the_expected_county(void **state) {
    (void)state;
    expect_owners("cn/points-tieling-counties.wgs84.csv", 5000);
}

static void villages_hang_below_their_areas(void **state) {
    (void)state;
    assert_int_equal(imported.report.grids, 1471);
    assert_int_equal(imported.report.areas, 1 + 7 + 106 + 1471);
    uint32_t chain[GW_AREA_LEVELS];
    uint32_t grid = gw_edition_find_grid(imported.edition, "211202001001");
    assert_int_equal(gw_edition_chain(imported.edition, grid, chain), 4);
    static const char *const names[] = {"青年社区", "红旗街道", "银州区", "铁岭市"};
    for (uint32_t i = 0; i < 4; i++) {
        struct gw_area area = gw_edition_area(imported.edition, chain[i]);
        assert_int_equal(area.level, i + 1);
        assert_string_equal(area.name, names[i]);
    }
    assert_non_null(testing_find(&imported, "overlap")); // as the data's description says
}

static void raw_counties_are_refused(void **state) {
    (void)state;
    static const char *const names[] = {"cn/tieling-counties.wgs84.geojson"};
    import_files(names, 1, "name", NULL);
    assert_int_equal(imported.err, GW_EINVAL);
    assert_int_equal(imported.report.refusals, 7); // all of them are invalid
}

static bool is_one_of(const char *codes, const char *code) {
    size_t size = strlen(code);
    while (*codes != '\0') {
        size_t length = strcspn(codes, " ");
        if (length == size && memcmp(codes, code, size) == 0) {
            return true;
        }
        codes += length + (codes[length] == ' ');
    }
    return false;
}

static void every_boundary_point_has_one_admissible_owner(void **state) {
    (void)state;
    size_t count = read_rows("fr/boundary-points-59-62.csv");
    assert_int_equal(count, 5000);
    const uint32_t *owners = ask(count);
    for (size_t i = 0; i < count; i++) {
        assert_true(is_one_of(rows[i].codes, code_of(owners[i])));
        assert_int_equal(owners[i], oracle(rows[i].point));
    }
}

static void every_vertex_agrees_with_the_oracle(void **state) {
    (void)state;
    const struct gw_coverage *coverage = gw_edition_coverage(imported.edition);
    const struct gw_grid_index *index = gw_edition_index(imported.edition);
    for (uint32_t i = 0; i < coverage->vertex_count; i++) {
        uint32_t owner = gw_grid_index_locate(index, coverage->vertices[i]);
        assert_int_not_equal(owner, GW_GRID_NONE); // a vertex lies on a border, so somebody answers
        assert_int_equal(owner, oracle(coverage->vertices[i]));
    }
}

static void the_shared_data_is_not_there(void **state) {
    (void)state;
    print_message("# GW_SHARED_DATA names no folder: skipped\n");
    skip();
}

int main(void) {
    if (testing_shared_data() == NULL) {
        const struct CMUnitTest skipped[] = {cmocka_unit_test(the_shared_data_is_not_there)};
        return cmocka_run_group_tests_name("real data", skipped, NULL, NULL);
    }
    const struct CMUnitTest communes[] = {
        cmocka_unit_test(the_coverage_is_clean),
        cmocka_unit_test(every_point_has_the_expected_owner),
        cmocka_unit_test(every_boundary_point_has_one_admissible_owner),
        cmocka_unit_test(every_vertex_agrees_with_the_oracle),
    };
    const struct CMUnitTest villages[] = {
        cmocka_unit_test(villages_hang_below_their_areas),
        cmocka_unit_test(every_point_has_the_expected_village),
        cmocka_unit_test(every_vertex_agrees_with_the_oracle),
    };
    const struct CMUnitTest counties[] = {
        cmocka_unit_test(every_point_has_the_expected_county),
        cmocka_unit_test(every_vertex_agrees_with_the_oracle),
    };
    const struct CMUnitTest raw[] = {
        cmocka_unit_test(raw_counties_are_refused),
    };
    int failed = cmocka_run_group_tests_name("communes", communes, import_communes, close_imported);
    failed += cmocka_run_group_tests_name("villages", villages, import_villages, close_imported);
    failed += cmocka_run_group_tests_name("counties", counties, import_counties, close_imported);
    failed += cmocka_run_group_tests_name("raw counties", raw, NULL, NULL);
    return failed;
}
