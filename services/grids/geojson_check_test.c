// The strict scanner and the GeoJSON check, on texts.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "services/grids/geojson_check.h"
#include "services/grids/json_scan.h"
#include "services/grids/text.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

struct json_row {
    const char *text;
    enum gw_json_fault fault;
    const char *problem; // part of it
};

static const struct json_row json_rows[] = {
    {"{}", GW_JSON_FINE, NULL},
    {" [ ] ", GW_JSON_FINE, NULL},
    {"0", GW_JSON_FINE, NULL},
    {"-0.5e+10", GW_JSON_FINE, NULL},
    {"\"a\\n\\u00e9\\ud83d\\ude00\"", GW_JSON_FINE, NULL},
    {"[true,false,null]", GW_JSON_FINE, NULL},
    {"{\"a\":{\"b\":[1,{\"c\":2}]}}", GW_JSON_FINE, NULL},
    {"", GW_JSON_SYNTAX, "ends"},
    {"[1", GW_JSON_SYNTAX, "ends"},
    {"[1,", GW_JSON_SYNTAX, "ends"},
    {"[1,]", GW_JSON_SYNTAX, "value"},
    {"[,1]", GW_JSON_SYNTAX, "value"},
    {"[1 2]", GW_JSON_SYNTAX, "comma"},
    {"{\"a\":1,}", GW_JSON_SYNTAX, "name"},
    {"{a:1}", GW_JSON_SYNTAX, "name"},
    {"{\"a\" 1}", GW_JSON_SYNTAX, "colon"},
    {"{\"a\":}", GW_JSON_SYNTAX, "value"},
    {"{\"a\"", GW_JSON_SYNTAX, "colon"},
    {"[1}", GW_JSON_SYNTAX, "comma"},
    {"{]", GW_JSON_SYNTAX, "name"},
    {"]", GW_JSON_SYNTAX, "value"},
    {"NaN", GW_JSON_SYNTAX, "NaN"},
    {"-Infinity", GW_JSON_SYNTAX, "number"},
    {"truely", GW_JSON_SYNTAX, "follows"},
    {"01", GW_JSON_SYNTAX, "number"},
    {"1.", GW_JSON_SYNTAX, "number"},
    {".5", GW_JSON_SYNTAX, "value"},
    {"+1", GW_JSON_SYNTAX, "value"},
    {"1e", GW_JSON_SYNTAX, "number"},
    {"-", GW_JSON_SYNTAX, "number"},
    {"\"a", GW_JSON_SYNTAX, "inside a text"},
    {"\"a\\", GW_JSON_SYNTAX, "backslash"},
    {"\"\\x\"", GW_JSON_SYNTAX, "backslash"},
    {"\"\\u12g4\"", GW_JSON_SYNTAX, "hexadecimal"},
    {"\"\\u123", GW_JSON_SYNTAX, "hexadecimal"},
    {"\"a\nb\"", GW_JSON_SYNTAX, "control"},
    {"\"\\ud83d\"", GW_JSON_ENCODING, "surrogate"},
    {"\"\\ude00\"", GW_JSON_ENCODING, "surrogate"},
    {"\"\\ud83d\\u0041\"", GW_JSON_ENCODING, "surrogate"},
    {"{} x", GW_JSON_SYNTAX, "follows"},
    {"// c\n{}", GW_JSON_SYNTAX, "value"},
    {"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[0]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]", GW_JSON_FINE, NULL},
    {"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[0]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]", GW_JSON_LIMIT, "nested"},
};

static void json_is_strict(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(json_rows); i++) {
        struct gw_json_scan scan;
        // A copy without a NUL behind it: a step too far is seen by the sanitizer.
        size_t size = strlen(json_rows[i].text);
        char *text = malloc(size + (size == 0));
        assert_non_null(text);
        memcpy(text, json_rows[i].text, size);
        gw_json_start(&scan, text, size);
        enum gw_json_token token = GW_JSON_NULL;
        while (token != GW_JSON_END && token != GW_JSON_ERROR) {
            token = gw_json_next(&scan);
        }
        if (scan.fault != json_rows[i].fault) {
            print_message("# %s: %s\n", json_rows[i].text, scan.problem);
        }
        assert_int_equal(scan.fault, json_rows[i].fault);
        assert_int_equal(token == GW_JSON_ERROR, json_rows[i].fault != GW_JSON_FINE);
        if (json_rows[i].problem != NULL) {
            assert_non_null(strstr(scan.problem, json_rows[i].problem));
            assert_int_equal(gw_json_next(&scan), GW_JSON_ERROR); // and stays
        }
        free(text);
    }
}

static void texts_are_decoded(void **state) {
    (void)state;
    static const char text[] =
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t \\u0041\\u00e9\\u7f51\\ud83d\\ude42 \\u0000.\"";
    static const char wanted[] = "\"\\/\b\f\n\r\t A\xc3\xa9\xe7\xbd\x91\xf0\x9f\x99\x82 \0.";
    struct gw_json_scan scan;
    char out[64];
    size_t size = 0;
    gw_json_start(&scan, text, strlen(text));
    assert_int_equal(gw_json_next(&scan), GW_JSON_STRING);
    assert_true(gw_json_decode(&scan, out, sizeof(out), &size));
    assert_int_equal(size, sizeof(wanted) - 1);
    assert_memory_equal(out, wanted, size);
    assert_true(gw_json_decode(&scan, out, size + 1, &size));
    assert_false(gw_json_decode(&scan, out, size, &size));
}

static void large_numbers_are_known(void **state) {
    (void)state;
    static const struct {
        const char *text;
        bool overflows;
    } rows[] = {
        {"1e999", true},
        {"-1e999", true},
        {"1e300", true},
        {"1e299", false},
        {"0e999", false},
        {"0.0e999", false},
        {"123.456", false},
        {"1e-999", false},
        {"0.001e302", false},
        {"0.001e304", true},
        {"1000e298", true},
        {"1e99999999999999999999", true},
        {"1e-99999999999999999999", false},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct gw_json_scan scan;
        gw_json_start(&scan, rows[i].text, strlen(rows[i].text));
        assert_int_equal(gw_json_next(&scan), GW_JSON_NUMBER);
        assert_int_equal(gw_json_number_overflows(&scan), rows[i].overflows);
    }
}

static void utf8_is_strict(void **state) {
    (void)state;
    static const struct {
        const char *text;
        size_t valid;
    } rows[] = {
        {"", 0},
        {"plain ascii of some length", 26},
        {"网格 \xf0\x9f\x99\x82", 11},
        {"\xc0\x80", 0},         // overlong
        {"\xe0\x80\x80", 0},     // overlong
        {"\xf0\x80\x80\x80", 0}, // overlong
        {"\xed\xa0\x80", 0},     // a surrogate
        {"\xf4\x90\x80\x80", 0}, // past the last character
        {"\xf5\x80\x80\x80", 0},
        {"ab\x80", 2},
        {"ab\xe7\xbd", 2}, // cut
        {"12345678\xff", 8},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_int_equal(gw_utf8_valid_prefix(rows[i].text, strlen(rows[i].text)), rows[i].valid);
    }
    assert_true(gw_text_ok("网", 3));
    assert_false(gw_text_ok("a\0b", 3));
}

// The first finding, as the tests below want it.
struct seen {
    size_t count;
    int64_t feature;
    int ring;
    char kind[40], code[80], text[400];
};

static void keep_first(void *context, const struct gw_import_finding *finding) {
    struct seen *seen = context;
    if (seen->count++ == 0) {
        seen->feature = finding->feature;
        seen->ring = finding->ring;
        (void)snprintf(seen->kind, sizeof(seen->kind), "%s", finding->kind);
        (void)snprintf(seen->code, sizeof(seen->code), "%s", finding->code);
        (void)snprintf(seen->text, sizeof(seen->text), "%s", finding->text);
    }
}

static gw_err check(const char *text, size_t size, struct seen *seen,
                    struct gw_geojson_summary *summary) {
    static const char *const fields[GW_FIELD_COUNT] = {"code", "name", "kind", NULL, NULL};
    memset(seen, 0, sizeof(*seen));
    struct gw_findings findings = {.visit = keep_first, .context = seen, .file = "test.geojson"};
    return gw_geojson_check(text, size, fields, &findings, summary);
}

#define RING "[[0,0],[1,0],[1,1],[0,0]]"
#define POLYGON "\"geometry\":{\"type\":\"Polygon\",\"coordinates\":[" RING "]}"
#define FEATURE(properties, geometry)                                                              \
    "{\"type\":\"Feature\",\"properties\":{" properties "}," geometry "}"
#define COLLECTION(features) "{\"type\":\"FeatureCollection\",\"features\":[" features "]}"
#define CODE "\"code\":\"g\""
#define SHAPED(coordinates)                                                                        \
    COLLECTION(FEATURE(CODE, "\"geometry\":{\"type\":\"Polygon\",\"coordinates\":" coordinates "}"))

struct check_row {
    const char *text;
    gw_err err;
    int ring;         // of the first finding; 0: none
    const char *kind; // NULL: there is none
    int64_t feature;
};

static const struct check_row check_rows[] = {
    {COLLECTION(FEATURE(CODE, POLYGON)), GW_OK, 0, NULL, 0},
    {FEATURE(CODE, POLYGON), GW_OK, 0, NULL, 0},
    {COLLECTION(""), GW_OK, 0, NULL, 0},
    // The order of members is free, also where the type comes last.
    {"{\"features\":[{\"geometry\":{\"coordinates\":[" RING "],\"type\":\"Polygon\"},"
     "\"properties\":{" CODE "},\"type\":\"Feature\"}],\"type\":\"FeatureCollection\"}",
     GW_OK, 0, NULL, 0},
    {"{\"features\":[{\"geometry\":{\"coordinates\":[[[0,null],[1,0],[1,1],[0,0]]],\"type\":"
     "\"Polygon\"},\"properties\":{" CODE
     "},\"type\":\"Feature\"}],\"type\":\"FeatureCollection\"}",
     GW_OK, 1, "bad-coordinate", 1},
    {COLLECTION(FEATURE(CODE ",\"other\":[{\"x\":[1,2]}]", POLYGON)), GW_OK, 0, NULL, 0},
    {COLLECTION(FEATURE("\"\\u0063ode\":\"g\"", POLYGON)), GW_OK, 0, NULL, 0}, // "code", escaped
    {COLLECTION(FEATURE("\"code\":123456789012345678", POLYGON)), GW_OK, 0, NULL, 0},
    {COLLECTION(FEATURE("\"code\":1234567890123456789", POLYGON)), GW_OK, 0, "id-type", 1},
    {COLLECTION(FEATURE("\"code\":1e3", POLYGON)), GW_OK, 0, "id-type", 1},
    {COLLECTION(FEATURE("\"code\":-1", POLYGON)), GW_OK, 0, "id-type", 1},
    {COLLECTION(FEATURE("\"code\":true", POLYGON)), GW_OK, 0, "id-type", 1},
    {COLLECTION(FEATURE("\"code\":[\"g\"]", POLYGON)), GW_OK, 0, "id-type", 1},
    {COLLECTION(FEATURE("\"code\":null", POLYGON)), GW_OK, 0, "missing-id", 1},
    {COLLECTION(FEATURE("\"code\":\"\"", POLYGON)), GW_OK, 0, "missing-id", 1},
    {COLLECTION(FEATURE("\"Code\":\"g\"", POLYGON)), GW_OK, 0, "missing-id", 1},
    {COLLECTION(FEATURE(CODE ",\"name\":1.5", POLYGON)), GW_OK, 0, "field-type", 1},
    {COLLECTION(FEATURE(CODE ",\"name\":null", POLYGON)), GW_OK, 0, NULL, 0},
    {COLLECTION(FEATURE(CODE ",\"kind\":{}", POLYGON)), GW_OK, 0, "field-type", 1},
    {COLLECTION(FEATURE(CODE ",\"name\":\"\\u0000\"", POLYGON)), GW_OK, 0, "bad-text", 1},
    {COLLECTION(FEATURE(CODE "," CODE, POLYGON)), GW_OK, 0, "duplicate-key", 1},
    {COLLECTION(FEATURE(CODE ",\"x\":1,\"\\u0078\":2", POLYGON)), GW_OK, 0, "duplicate-key", 1},
    {COLLECTION(FEATURE(CODE, POLYGON "," POLYGON)), GW_OK, 0, "duplicate-key", 1},
    {"{\"type\":\"FeatureCollection\",\"features\":[],\"features\":[]}", GW_EINVAL, 0,
     "duplicate-key", 0},
    {COLLECTION(FEATURE(CODE, "\"geometry\":null")), GW_OK, 0, "empty-geometry", 1},
    {COLLECTION(FEATURE(CODE, "\"x\":0")), GW_OK, 0, "empty-geometry", 1},
    {COLLECTION(FEATURE(CODE, "\"geometry\":7")), GW_OK, 0, "bad-coordinate", 1},
    {COLLECTION(FEATURE(CODE, "\"geometry\":{\"type\":\"Polygon\"}")), GW_OK, 0, "empty-geometry",
     1},
    {COLLECTION(FEATURE(CODE, "\"geometry\":{\"type\":\"MultiLineString\",\"coordinates\":[]}")),
     GW_OK, 0, "not-a-polygon", 1},
    {COLLECTION(FEATURE(CODE, "\"geometry\":{\"coordinates\":[]}")), GW_OK, 0, "not-a-polygon", 1},
    {COLLECTION(
         FEATURE(CODE, "\"geometry\":{\"type\":\"MultiPolygon\",\"coordinates\":[[" RING "],[]]}")),
     GW_OK, 0, "empty-geometry", 1},
    {COLLECTION(FEATURE(CODE, "\"geometry\":{\"type\":\"MultiPolygon\",\"coordinates\":[[" RING
                              "],[" RING ",[[1,2],[3]]]]}")),
     GW_OK, 3, "bad-coordinate", 1},
    {SHAPED("[]"), GW_OK, 0, "empty-geometry", 1},
    {SHAPED("[" RING ",[]]"), GW_OK, 2, "empty-geometry", 1},
    {SHAPED("[[[]]]"), GW_OK, 1, "bad-coordinate", 1},
    {SHAPED("[[[1]]]"), GW_OK, 1, "bad-coordinate", 1},
    {SHAPED("[[[1,2,3,4,5]]]"), GW_OK, 1, "bad-coordinate", 1},
    {SHAPED("[[[1,2,3,4]]]"), GW_OK, 0, NULL, 0},
    {SHAPED("[[1,2],[3,4]]"), GW_OK, 1, "bad-coordinate", 1},
    {SHAPED("[[[[1,2],[3,4]]]]"), GW_OK, 1, "bad-coordinate", 1},
    {SHAPED("{}"), GW_OK, 0, "bad-coordinate", 1},
    {SHAPED("null"), GW_OK, 0, "bad-coordinate", 1},
    {SHAPED("[[[1,true]]]"), GW_OK, 1, "bad-coordinate", 1},
    {SHAPED("[[[1,{\"a\":[]}]]]"), GW_OK, 1, "bad-coordinate", 1},
    {COLLECTION("7"), GW_OK, 0, "not-a-feature", 1},
    {COLLECTION("{\"type\":\"Polygon\",\"coordinates\":[" RING "]}"), GW_OK, 0, "not-a-feature", 1},
    {COLLECTION(FEATURE(CODE, POLYGON) ",[]," FEATURE("", POLYGON)), GW_OK, 0, "not-a-feature", 2},
    {"{\"type\":\"Polygon\",\"coordinates\":[" RING "]}", GW_EINVAL, 0, "not-geojson", 0},
    {"{\"type\":\"Topology\",\"objects\":{}}", GW_EINVAL, 0, "not-geojson", 0},
    {"{\"type\":\"FeatureCollection\"}", GW_EINVAL, 0, "not-geojson", 0},
    {"{\"type\":\"FeatureCollection\",\"features\":{}}", GW_EINVAL, 0, "not-geojson", 0},
    {"[]", GW_EINVAL, 0, "not-geojson", 0},
    {"7", GW_EINVAL, 0, "not-geojson", 0},
    {"{}", GW_EINVAL, 0, "not-geojson", 0},
    {COLLECTION(FEATURE(CODE, POLYGON)) COLLECTION(""), GW_EINVAL, 0, "not-json", 0},
    {"\xef\xbb\xbf", GW_EINVAL, 0, "not-json", 0},
    {COLLECTION("\xff"), GW_EINVAL, 0, "encoding", 0},
};

static void check_one(void **state) {
    const struct check_row *row = *state;
    struct seen seen;
    struct gw_geojson_summary summary;
    gw_err err = check(row->text, strlen(row->text), &seen, &summary);
    if (seen.count > 0) {
        print_message("# %s\n", seen.text);
    }
    assert_int_equal(err, row->err);
    assert_int_equal(seen.count > 0, row->kind != NULL);
    if (row->kind != NULL) {
        assert_string_equal(seen.kind, row->kind);
        assert_int_equal(seen.feature, row->feature);
        assert_int_equal(seen.ring, row->ring);
    }
    for (uint64_t i = 1; err == GW_OK && i <= summary.features; i++) {
        bool refused = row->kind != NULL && (int64_t)i == row->feature;
        assert_true(gw_geojson_refused(&summary, i) || !refused);
    }
    free(summary.refused);
}

static void the_crs_member_is_read(void **state) {
    (void)state;
    static const struct {
        const char *member, *name;
    } rows[] = {
        {"{\"type\":\"name\",\"properties\":{\"name\":\"EPSG:4490\"}}", "EPSG:4490"},
        {"{\"properties\":{\"x\":[\"name\"],\"name\":\"a\"},\"type\":\"name\"}", "a"},
        {"null", ""},
        {"7", "(unreadable)"},
        {"{\"type\":\"link\",\"properties\":{\"href\":\"x\"}}", "(unreadable)"},
        {"{\"properties\":{\"name\":7}}", "(unreadable)"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char text[300];
        struct seen seen;
        struct gw_geojson_summary summary;
        (void)snprintf(text, sizeof(text),
                       "{\"type\":\"FeatureCollection\",\"crs\":%s,\"features\":[]}",
                       rows[i].member);
        assert_int_equal(check(text, strlen(text), &seen, &summary), GW_OK);
        assert_string_equal(summary.crs, rows[i].name);
        free(summary.refused);
    }
}

static void every_cut_is_refused(void **state) {
    (void)state;
    static const char text[] =
        COLLECTION(FEATURE(CODE ",\"name\":\"网\\u7f51\"", POLYGON) "," FEATURE(CODE, POLYGON));
    for (size_t size = 0; size < sizeof(text) - 1; size++) {
        struct seen seen;
        struct gw_geojson_summary summary;
        char *cut = malloc(size + 1);
        assert_non_null(cut);
        memcpy(cut, text, size);
        assert_int_equal(check(cut, size, &seen, &summary), GW_EINVAL);
        assert_true(seen.count > 0);
        free(summary.refused);
        free(cut);
    }
}

static void too_many_members_are_refused(void **state) {
    (void)state;
    char text[8192];
    int size =
        snprintf(text, sizeof(text),
                 "{\"type\":\"FeatureCollection\",\"features\":[{\"properties\":{\"code\":1");
    for (int i = 0; i < 256; i++) {
        size += snprintf(text + size, sizeof(text) - (size_t)size, ",\"m%d\":0", i);
    }
    (void)snprintf(text + size, sizeof(text) - (size_t)size,
                   "}," POLYGON ",\"type\":\"Feature\"}]}");
    struct seen seen;
    struct gw_geojson_summary summary;
    assert_int_equal(check(text, strlen(text), &seen, &summary), GW_OK);
    assert_string_equal(seen.kind, "limit");
    free(summary.refused);
}

int main(void) {
    static struct CMUnitTest table[COUNT_OF(check_rows)];
    for (size_t i = 0; i < COUNT_OF(check_rows); i++) {
        table[i] = (struct CMUnitTest){check_rows[i].text, check_one, NULL, NULL,
                                       (void *)(uintptr_t)&check_rows[i]};
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_is_strict),
        cmocka_unit_test(texts_are_decoded),
        cmocka_unit_test(large_numbers_are_known),
        cmocka_unit_test(utf8_is_strict),
        cmocka_unit_test(the_crs_member_is_read),
        cmocka_unit_test(every_cut_is_refused),
        cmocka_unit_test(too_many_members_are_refused),
    };
    int failed = cmocka_run_group_tests_name("GeoJSON table", table, NULL, NULL);
    return failed + cmocka_run_group_tests_name("GeoJSON check", tests, NULL, NULL);
}
