// Imports of files made here: fields, areas, several files at once, what is told and what is left.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "services/base/buffer.h"
#include "services/grids/testing_import.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

// One square feature of 0.01 degree at (column, row), with the given members of its properties.
static void add_square(struct gw_buffer *text, const char *properties, int column, int row) {
    double lon = 123.0 + column * 0.01;
    double lat = 42.0 + row * 0.01;
    gw_buffer_format(text,
                     "%s{\"type\":\"Feature\",\"properties\":{%s},\"geometry\":{\"type\":"
                     "\"Polygon\",\"coordinates\":[[[%.2f,%.2f],[%.2f,%.2f],[%.2f,%.2f],"
                     "[%.2f,%.2f],[%.2f,%.2f]]]}}",
                     text->data[text->size - 1] == '[' ? "" : ",\n", properties, lon, lat,
                     lon + 0.01, lat, lon + 0.01, lat + 0.01, lon, lat + 0.01, lon, lat);
}

// A collection of one square a row of `properties`, as a file.
static void write_squares(const char *name, const char *const properties[], size_t count, int row,
                          char path[300]) {
    struct gw_buffer text = {NULL, 0, 0, false};
    gw_buffer_text(&text, "{\"type\":\"FeatureCollection\",\"features\":[");
    for (size_t i = 0; i < count; i++) {
        add_square(&text, properties[i], (int)i, row);
    }
    gw_buffer_text(&text, "]}\n");
    assert_false(text.failed);
    testing_write_file(name, text.data, path);
    gw_buffer_free(&text);
}

static struct gw_grid grid_of(const struct gw_edition *edition, const char *code) {
    uint32_t grid = gw_edition_find_grid(edition, code);
    assert_int_not_equal(grid, GW_GRID_NONE);
    return gw_edition_grid(edition, grid);
}

static void fields_are_read(void **state) {
    (void)state;
    static const char *const properties[] = {
        "\"id\":\"001\",\"label\":\"一\",\"type\":\"URBAN\",\"rank\":3,\"above\":\"211282001\"",
        "\"id\":\"2024-01-05\",\"label\":\"二\",\"type\":\"农村\",\"rank\":\"7\"",
        "\"id\":\"2024-01-06\",\"label\":null,\"type\":\"special\",\"rank\":null",
        "\"id\":211282001002003,\"type\":\"mixed\",\"rank\":4294967295",
        "\"id\":\"e\\\"'<&>;--=\\u7f51\\n\",\"label\":\"x\"",
    };
    char path[300];
    write_squares("fields.geojson", properties, 4, 0, path);
    const char *const files[] = {path};
    struct gw_import_options options = testing_options(files, 1);
    options.code_field = "id";
    options.name_field = "label";
    options.kind_field = "type";
    options.priority_field = "rank";
    options.parent_field = "above";
    struct testing_import result;
    testing_import_run(&options, &result);
    assert_int_equal(result.err, GW_OK);
    assert_int_equal(result.report.features, 4);
    assert_string_equal(gw_edition_label(result.edition), "a test");
    assert_int_equal(gw_edition_number(result.edition), 7);
    struct gw_grid grid = grid_of(result.edition, "001");
    assert_string_equal(grid.name, "一");
    assert_int_equal(grid.kind, 1);
    assert_int_equal(grid.priority, 3);
    assert_string_equal(gw_edition_area(result.edition, grid.parent).code, "211282001");
    grid = grid_of(result.edition, "2024-01-05"); // looks like a date, and is a code
    assert_int_equal(grid.kind, 2);
    assert_int_equal(grid.priority, 7);
    assert_int_equal(grid.parent, GW_AREA_NONE);
    grid = grid_of(result.edition, "2024-01-06");
    assert_string_equal(grid.name, "");
    assert_int_equal(grid.kind, 3);
    assert_int_equal(grid.priority, 0);
    grid = grid_of(result.edition, "211282001002003"); // a number, kept digit for digit
    assert_int_equal(grid.kind, 0);
    assert_int_equal(grid.priority, 4294967295u);
    assert_string_equal(gw_edition_area(result.edition, grid.parent).code, "211282001002");
    gw_edition_close(result.edition);
    // The fifth one's code holds a line end.
    write_squares("fields.geojson", properties, 5, 0, path);
    testing_import_run(&options, &result);
    assert_int_equal(result.err, GW_EINVAL);
    assert_non_null(testing_find(&result, "bad-text"));
}

static void areas_are_read(void **state) {
    (void)state;
    static const char *const properties[] = {
        "\"code\":\"211282001002003\"", "\"code\":\"x\",\"parent\":\"north\"",
        "\"code\":\"y\",\"parent\":\"211202\"", "\"code\":\"z\",\"parent\":\"south\""};
    char path[300];
    char areas[300];
    write_squares("areas.geojson", properties, 3, 0, path);
    testing_write_file("areas.csv",
                       "\xef\xbb\xbfparent,level,code,note,name\r\n"
                       ",province,21,,辽宁省\r\n"
                       "21,prefecture,2112,,铁岭市\r\n"
                       "2112,county,211282,\"a, \"\"quoted\"\"\nnote\",开原市\r\n"
                       "211282,2,north,,北片\r\n"
                       "\r\n"
                       "211282001,village,211282001002,,\"村, 二\"",
                       areas);
    const char *const files[] = {path};
    struct gw_import_options options = testing_options(files, 1);
    options.parent_field = "parent";
    options.areas_file = areas;
    struct testing_import result;
    testing_import_run(&options, &result);
    assert_int_equal(result.err, GW_OK);
    assert_int_equal(result.report.areas, 6); // 211282001 and 211202 have no row
    uint32_t chain[GW_AREA_LEVELS];
    uint32_t grid = gw_edition_find_grid(result.edition, "211282001002003");
    assert_int_equal(gw_edition_chain(result.edition, grid, chain), 4);
    assert_string_equal(gw_edition_area(result.edition, chain[0]).name, "村, 二");
    assert_string_equal(gw_edition_area(result.edition, chain[1]).name, "");
    assert_string_equal(gw_edition_area(result.edition, chain[3]).name, "铁岭市");
    grid = gw_edition_find_grid(result.edition, "x");
    assert_int_equal(gw_edition_chain(result.edition, grid, chain), 3);
    assert_string_equal(gw_edition_area(result.edition, chain[0]).name, "北片");
    gw_edition_close(result.edition);
    // A parent that is neither listed nor a number of the usual length.
    write_squares("areas.geojson", properties, 4, 0, path);
    testing_import_run(&options, &result);
    assert_int_equal(result.err, GW_EINVAL);
    const struct testing_finding *finding = testing_find(&result, "bad-parent");
    assert_non_null(finding);
    assert_int_equal(finding->feature, 4);
    assert_non_null(strstr(finding->text, "south"));
}

static void bad_areas_are_refused(void **state) {
    (void)state;
    static const struct {
        const char *text, *kind, *words;
        int64_t row;
    } rows[] = {
        {"", "bad-row", "header", 1},
        {"name,level\n", "bad-row", "column", 1},
        {"code,name,level\n2112,x,planet\n", "bad-level", "level", 2},
        {"code,name\n2112,x\n21128,y\n", "bad-level", "level", 3},
        {"code,name,level\n,x,city\n", "missing-id", "code", 2},
        {"code,name\n\"2112,x\n", "bad-row", "quote", 2},
        {"code,name\n\"2112\"x,y\n", "bad-row", "quote", 2},
        {"code,name\n2112,\xb2\xe2\n", "encoding", "UTF-8", 0},
    };
    static const char *const properties[] = {"\"code\":\"a\""};
    char path[300];
    char areas[300];
    write_squares("one.geojson", properties, 1, 0, path);
    const char *const files[] = {path};
    struct gw_import_options options = testing_options(files, 1);
    options.areas_file = areas;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        testing_write_file("bad-areas.csv", rows[i].text, areas);
        struct testing_import result;
        testing_import_run(&options, &result);
        assert_int_equal(result.err, GW_EINVAL);
        const struct testing_finding *finding = testing_find(&result, rows[i].kind);
        assert_non_null(finding);
        assert_int_equal(finding->feature, rows[i].row);
        assert_non_null(strstr(finding->text, rows[i].words));
        assert_string_equal(finding->file, areas);
    }
    // A fault that only shows when all rows are together.
    testing_write_file("bad-areas.csv", "code,name\n2112,x\n2112,y\n", areas);
    struct testing_import result;
    testing_import_run(&options, &result);
    assert_int_equal(result.err, GW_EINVAL);
    assert_non_null(strstr(result.error.text, "2112 occurs twice"));
    assert_string_equal(result.findings[0].kind, "rows");
    assert_int_equal(result.report.refusals, 1);
}

static void several_files_are_one_edition(void **state) {
    (void)state;
    static const char *const first[] = {"\"code\":\"a\"", "\"code\":\"b\""};
    static const char *const second[] = {"\"code\":\"c\"", "\"code\":\"a\"", "\"code\":\"b\""};
    char paths[2][300];
    write_squares("first.geojson", first, 2, 0, paths[0]);
    write_squares("second.geojson", second, 1, 1, paths[1]);
    const char *const files[] = {paths[0], paths[1]};
    const struct gw_import_options options = testing_options(files, 2);
    struct testing_import result;
    testing_import_run(&options, &result);
    assert_int_equal(result.err, GW_OK);
    assert_int_equal(result.report.grids, 3);
    assert_string_equal(testing_owner(result.edition, 123.005, 42.015), "c");
    gw_edition_close(result.edition);
    // A code of one file must not come again in the other; both cases are told, and name the file.
    write_squares("second.geojson", second, 3, 1, paths[1]);
    testing_import_run(&options, &result);
    assert_int_equal(result.err, GW_EINVAL);
    assert_int_equal(result.report.refusals, 2);
    assert_string_equal(result.findings[0].kind, "duplicate-id");
    assert_int_equal(result.findings[0].feature, 2);
    assert_string_equal(result.findings[0].file, paths[1]);
    assert_non_null(strstr(result.findings[0].text, paths[0]));
    assert_non_null(strstr(result.error.text, "1 more"));
}

static void all_faults_of_all_files_are_told(void **state) {
    (void)state;
    static const char *const first[] = {"\"code\":\"a\"", "\"name\":\"b\"",
                                        "\"code\":\"c\",\"rank\":-1", "\"code\":\"d\"",
                                        "\"code\":\"a\",\"rank\":\"x\""};
    char paths[3][300];
    write_squares("first.geojson", first, 5, 0, paths[0]);
    testing_write_file("second.geojson", "{]", paths[1]);
    testing_write_file("gone.geojson", "", paths[2]);
    assert_int_equal(unlink(paths[2]), 0);
    const char *const files[] = {paths[0], paths[1], paths[2]};
    struct gw_import_options options = testing_options(files, 3);
    options.priority_field = "rank";
    struct testing_import result;
    testing_import_run(&options, &result);
    assert_int_equal(result.err, GW_EINVAL);
    static const struct {
        const char *kind;
        int64_t feature;
    } rows[] = {{"missing-id", 2},   {"field-type", 3}, {"bad-priority", 5},
                {"duplicate-id", 5}, {"not-json", 0},   {"file", 0}};
    assert_int_equal(result.finding_count, COUNT_OF(rows));
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_string_equal(result.findings[i].kind, rows[i].kind);
        assert_int_equal(result.findings[i].feature, rows[i].feature);
    }
}

static void count_finding(void *context, const struct gw_import_finding *finding) {
    size_t *count = context;
    assert_string_equal(finding->kind, "missing-id");
    (*count)++;
}

static void findings_are_limited(void **state) {
    (void)state;
    struct gw_buffer text = {NULL, 0, 0, false};
    gw_buffer_text(&text, "{\"type\":\"FeatureCollection\",\"features\":[");
    for (int i = 0; i < 1500; i++) {
        add_square(&text, "\"name\":\"no code\"", i % 50, i / 50);
    }
    gw_buffer_text(&text, "]}\n");
    char path[300];
    testing_write_file("many.geojson", text.data, path);
    gw_buffer_free(&text);
    const char *const files[] = {path};
    const struct gw_import_options options = testing_options(files, 1);
    struct gw_import_report report;
    struct gw_error error;
    size_t count = 0;
    assert_int_equal(
        gw_import_edition(&options, "/nowhere/x.gwe", count_finding, &count, &report, &error),
        GW_EINVAL);
    assert_int_equal(count, 1000);
    assert_int_equal(report.refusals, 1500);
    assert_int_equal(report.features, 1500);
    assert_non_null(strstr(error.text, "1499 more"));
}

static void names_survive_byte_for_byte(void **state) {
    (void)state;
    // As JSON writes them, and as they must come back.
    static const char *const names[][2] = {
        {"O'Brien\\\"; DROP TABLE grids;--", "O'Brien\"; DROP TABLE grids;--"},
        {"<img src=x onerror=alert(1)>", "<img src=x onerror=alert(1)>"},
        {"=HYPERLINK(\\\"x\\\",\\\"y\\\")", "=HYPERLINK(\"x\",\"y\")"},
        {"line1\\nline2,\\\"q\\\"", "line1\nline2,\"q\""},
        {"\\ud83d\\ude42\\u202eabc", "\xf0\x9f\x99\x82\xe2\x80\xae"
                                     "abc"},
        {"\xf0\x9f\x99\x82\\/\\t\\b", "\xf0\x9f\x99\x82/\t\b"},
        {"铁岭市银州区", "铁岭市银州区"},
        {"  blanks  ", "  blanks  "},
        {"2024/01/05", "2024/01/05"},
        {"1e5", "1e5"},
    };
    static char properties[COUNT_OF(names)][200];
    const char *rows[COUNT_OF(names)];
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        (void)snprintf(properties[i], sizeof(properties[i]), "\"code\":\"g%zu\",\"name\":\"%s\"", i,
                       names[i][0]);
        rows[i] = properties[i];
    }
    char path[300];
    write_squares("names.geojson", rows, COUNT_OF(names), 0, path);
    const char *const files[] = {path};
    const struct gw_import_options options = testing_options(files, 1);
    struct testing_import result;
    testing_import_run(&options, &result);
    assert_int_equal(result.err, GW_OK);
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        char code[8];
        (void)snprintf(code, sizeof(code), "g%zu", i);
        assert_string_equal(grid_of(result.edition, code).name, names[i][1]);
    }
    gw_edition_close(result.edition);
}

static void coordinate_systems_are_told_apart(void **state) {
    (void)state;
    static const struct {
        const char *option, *member;
        gw_err err;
        const char *words;
    } rows[] = {
        {"EPSG:4326", NULL, GW_OK, NULL},
        {"epsg:4490", NULL, GW_OK, NULL},
        {"OGC:CRS84", "EPSG:4326", GW_OK, NULL},
        {NULL, "urn:ogc:def:crs:OGC:1.3:CRS84", GW_OK, NULL},
        {NULL, "urn:ogc:def:crs:EPSG::4490", GW_OK, NULL},
        {NULL, NULL, GW_EINVAL, "--crs"},
        {"EPSG:3857", NULL, GW_EINVAL, "EPSG:3857"},
        {"GCJ-02", NULL, GW_EINVAL, "GCJ-02"},
        {"EPSG:4326", "EPSG:3857", GW_EINVAL, "EPSG:3857"},
        {NULL, "EPSG:4550", GW_EINVAL, "EPSG:4550"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct gw_buffer text = {NULL, 0, 0, false};
        gw_buffer_text(&text, "{\"type\":\"FeatureCollection\",");
        if (rows[i].member != NULL) {
            gw_buffer_format(&text, "\"crs\":{\"type\":\"name\",\"properties\":{\"name\":\"%s\"}},",
                             rows[i].member);
        }
        gw_buffer_text(&text, "\"features\":[");
        add_square(&text, "\"code\":\"a\"", 0, 0);
        gw_buffer_text(&text, "]}");
        char path[300];
        testing_write_file("crs.geojson", text.data, path);
        gw_buffer_free(&text);
        const char *const files[] = {path};
        struct gw_import_options options = testing_options(files, 1);
        options.crs = rows[i].option;
        struct testing_import result;
        testing_import_run(&options, &result);
        assert_int_equal(result.err, rows[i].err);
        if (rows[i].words != NULL) {
            assert_non_null(strstr(result.error.text, rows[i].words));
        } else {
            // Longitude first, whatever the system's own axis order.
            assert_string_equal(testing_owner(result.edition, 123.005, 42.005), "a");
        }
        gw_edition_close(result.edition);
    }
}

struct phases {
    char order[200];
    uint64_t last_done, last_total;
};

static void note_phase(void *context, const char *phase, uint64_t done, uint64_t total) {
    struct phases *phases = context;
    size_t size = strlen(phases->order);
    assert_true(done <= total);
    phases->last_done = done;
    phases->last_total = total;
    if (strstr(phases->order, phase) == NULL) {
        (void)snprintf(phases->order + size, sizeof(phases->order) - size, "%s ", phase);
    }
}

static void progress_is_told(void **state) {
    (void)state;
    static const char *const properties[] = {"\"code\":\"a\"", "\"code\":\"b\""};
    char path[300];
    write_squares("progress.geojson", properties, 2, 0, path);
    const char *const files[] = {path};
    struct gw_import_options options = testing_options(files, 1);
    struct phases phases = {.order = ""};
    options.progress = note_phase;
    options.context = &phases;
    struct testing_import result;
    testing_import_run(&options, &result);
    assert_int_equal(result.err, GW_OK);
    assert_string_equal(phases.order, "reading checking indexing writing ");
    assert_int_equal(phases.last_done, phases.last_total);
    gw_edition_close(result.edition);
}

static void odd_options_are_refused(void **state) {
    (void)state;
    struct testing_import result;
    struct gw_import_options options = testing_options(NULL, 0);
    testing_import_run(&options, &result);
    assert_int_equal(result.err, GW_EINVAL);
    const char *const folder[] = {"/"};
    options = testing_options(folder, 1);
    testing_import_run(&options, &result);
    assert_int_equal(result.err, GW_EINVAL);
    assert_string_equal(result.findings[0].kind, "file");
}

// The same rings from both sides of a border, given with more digits than are kept, still fit.
static void rounding_keeps_neighbours_together(void **state) {
    (void)state;
    char path[300];
    testing_write_file(
        "rounding.geojson",
        "{\"type\":\"FeatureCollection\",\"features\":["
        "{\"type\":\"Feature\",\"properties\":{\"code\":\"a\"},\"geometry\":{\"type\":\"Polygon\","
        "\"coordinates\":[[[0,0],[1.00000004999,0.1],[1.23456789123,1.98765432149],[0,2],[0,0]]]}},"
        "{\"type\":\"Feature\",\"properties\":{\"code\":\"b\"},\"geometry\":{\"type\":\"Polygon\","
        "\"coordinates\":[[[1.00000004999,0.1],[3,0],[3,2],[1.23456789123,1.98765432149],"
        "[1.00000004999,0.1]]]}}]}",
        path);
    const char *const files[] = {path};
    const struct gw_import_options options = testing_options(files, 1);
    struct testing_import result;
    testing_import_run(&options, &result);
    assert_int_equal(result.err, GW_OK);
    assert_int_equal(result.finding_count, 0);
    const struct gw_point *vertices = gw_edition_coverage(result.edition)->vertices;
    assert_true(vertices[1].lon == 10000000 && vertices[1].lat == 1000000);
    assert_true(vertices[2].lon == 12345679 && vertices[2].lat == 19876543);
    gw_edition_close(result.edition);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_read),
        cmocka_unit_test(areas_are_read),
        cmocka_unit_test(bad_areas_are_refused),
        cmocka_unit_test(several_files_are_one_edition),
        cmocka_unit_test(all_faults_of_all_files_are_told),
        cmocka_unit_test(findings_are_limited),
        cmocka_unit_test(names_survive_byte_for_byte),
        cmocka_unit_test(coordinate_systems_are_told_apart),
        cmocka_unit_test(progress_is_told),
        cmocka_unit_test(odd_options_are_refused),
        cmocka_unit_test(rounding_keeps_neighbours_together),
    };
    return cmocka_run_group_tests_name("importer", tests, NULL, NULL);
}
