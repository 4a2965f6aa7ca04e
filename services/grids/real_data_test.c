// Two departments of French communes, imported whole: every expected owner, one at a time and in a
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

static int import_communes(void **state) {
    (void)state;
    char first[400];
    char second[400];
    (void)snprintf(first, sizeof(first), "%s/fr/communes-59.geojson", testing_shared_data());
    (void)snprintf(second, sizeof(second), "%s/fr/communes-62.geojson", testing_shared_data());
    const char *const files[] = {first, second};
    struct gw_import_options options = testing_options(files, 2);
    options.name_field = "nom";
    testing_import_run(&options, &imported);
    print_message(
        "# %llu grids, %llu vertices, index %llu bytes, file %llu bytes, %.2f s %s\n",
        (unsigned long long)imported.report.grids, (unsigned long long)imported.report.vertices,
        (unsigned long long)imported.report.index_bytes,
        (unsigned long long)imported.report.file_bytes, imported.seconds, imported.error.text);
    return imported.err == GW_OK ? 0 : -1;
}

static int close_communes(void **state) {
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
    (void)snprintf(path, sizeof(path), "%s/fr/%s", testing_shared_data(), name);
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

static void every_point_has_the_expected_owner(void **state) {
    (void)state;
    size_t count = read_rows("points-59-62.csv");
    assert_int_equal(count, 20000);
    const uint32_t *owners = ask(count);
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(code_of(owners[i]), rows[i].codes);
    }
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
    size_t count = read_rows("boundary-points-59-62.csv");
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

int main(void) {
    if (testing_shared_data() == NULL) {
        printf("[==========] Running 0 test(s).\n[  SKIPPED ] real data: GW_SHARED_DATA names no "
               "folder\n");
        return 0;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_coverage_is_clean),
        cmocka_unit_test(every_point_has_the_expected_owner),
        cmocka_unit_test(every_boundary_point_has_one_admissible_owner),
        cmocka_unit_test(every_vertex_agrees_with_the_oracle),
    };
    return cmocka_run_group_tests_name("real data", tests, import_communes, close_communes);
}
