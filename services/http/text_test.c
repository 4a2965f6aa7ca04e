// What requests say and how values are written: tables, at and past each limit.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gridwarden/v1/grid.pb-c.h"
#include "gridwarden/v1/incident.pb-c.h"
#include "services/http/headers.h"
#include "services/http/target.h"
#include "services/http/values.h"
#include "services/http/words.h"
#include <stdio.h>
#include <string.h>

static gw_err parse(const char *text, char buffer[4096], struct http_target *target) {
    struct gw_error error = {0};
    (void)snprintf(buffer, 4096, "%s", text);
    gw_err err = http_target_parse(buffer, target, &error);
    if (err != GW_OK && error.text[0] == '\0') {
        fail_msg("no words for %s", text);
    }
    return err;
}

static void targets_that_are_none(void **state) {
    (void)state;
    static const char *const rows[] = {
        "",
        "*",
        "http://h/",
        "a",
        "/a%",
        "/a%2",
        "/a%0",
        "/a%zz",
        "/a%00b",
        "/a%0ab",
        "/%ff",
        "/%c0%af",
        "/%ed%a0%80",
        "/a\x7f",
        "/a?b",
        "/a?b=%00",
        "/a?b=1&",
        "/a?&b=1",
        "/a?b=%e7%bd",
        "/1/2/3/4/5/6/7/8/9/10/11/12/13",
        "/?1=&2=&3=&4=&5=&6=&7=&8=&9=&10=&11=&12=&13=&14=&15=&16=&17=",
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char buffer[4096];
        struct http_target target;
        if (parse(rows[i], buffer, &target) != GW_EINVAL) {
            fail_msg("%s was taken", rows[i]);
        }
    }
}

static void targets_are_taken_apart(void **state) {
    (void)state;
    char buffer[4096];
    struct http_target target;
    assert_int_equal(parse("/", buffer, &target), GW_OK);
    assert_int_equal(target.segment_count, 1);
    assert_string_equal(target.segments[0], "");
    assert_int_equal(parse("/?", buffer, &target), GW_OK);
    assert_int_equal(target.parameter_count, 0);
    assert_int_equal(parse("//a/", buffer, &target), GW_OK);
    assert_int_equal(target.segment_count, 3);
    assert_int_equal(parse("/a%2Fb/%E7%BD%91+?q=%e7%bd%91+a%2Bb&x=&y=1=2", buffer, &target), GW_OK);
    assert_int_equal(target.segment_count, 2);
    assert_string_equal(target.segments[0], "a/b");
    assert_string_equal(target.segments[1], "网+");
    assert_string_equal(http_target_parameter(&target, "q"), "网 a+b");
    assert_string_equal(http_target_parameter(&target, "x"), "");
    assert_string_equal(http_target_parameter(&target, "y"), "1=2");
    assert_null(http_target_parameter(&target, "z"));
    assert_int_equal(parse("/1/2/3/4/5/6/7/8/9/10/11/12", buffer, &target), GW_OK);
}

static void patterns(void **state) {
    (void)state;
    static const struct {
        const char *target, *pattern;
        bool fits;
    } rows[] = {
        {"/a/b", "/a/b", true},
        {"/a/b/", "/a/b", false},
        {"/a", "/a/b", false},
        {"/a/c", "/a/b", false},
        {"/a/bc", "/a/b", false},
        {"/", "/", true},
        {"/a/x", "/a/{id}", true},
        {"/a/", "/a/{id}", false}, // a value has a byte at least
        {"/a/9.mvt", "/a/{y}.mvt", true},
        {"/a/.mvt", "/a/{y}.mvt", false},
        {"/a/9.mv", "/a/{y}.mvt", false},
        {"/a/9.mvt.mvt", "/a/{y}.mvt", true},
        {"/tiles/g/1/2/3.mvt", "/tiles/{layer}/{z}/{x}/{y}.mvt", true},
        {"/tiles/g/1/2/3", "/tiles/{layer}/{z}/{x}/{y}.mvt", false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char buffer[4096];
        struct http_target target;
        assert_int_equal(parse(rows[i].target, buffer, &target), GW_OK);
        if (http_target_fits(&target, rows[i].pattern) != rows[i].fits) {
            fail_msg("%s and %s", rows[i].target, rows[i].pattern);
        }
    }
    char buffer[4096];
    struct http_target target;
    assert_int_equal(parse("/tiles/g/1/2/3.mvt", buffer, &target), GW_OK);
    const char *pattern = "/tiles/{layer}/{z}/{x}/{y}.mvt";
    assert_string_equal(http_target_value(&target, pattern, "layer"), "g");
    assert_string_equal(http_target_value(&target, pattern, "y"), "3");
    assert_null(http_target_value(&target, pattern, "w"));
}

static void parameters_are_known_and_single(void **state) {
    (void)state;
    static const char *const names[] = {"lon", "lat", NULL};
    static const struct {
        const char *target, *named;
    } rows[] = {
        {"/a?lon=1&lat=2", NULL},  {"/a", NULL},
        {"/a?lon=1&Lat=2", "Lat"}, {"/a?lon=1&lon=1", "lon is there twice"},
        {"/a?=1", "no parameter"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char buffer[4096];
        struct http_target target;
        struct gw_error error = {0};
        assert_int_equal(parse(rows[i].target, buffer, &target), GW_OK);
        gw_err err = http_target_check(&target, names, &error);
        assert_int_equal(err, rows[i].named == NULL ? GW_OK : GW_EINVAL);
        if (rows[i].named != NULL && strstr(error.text, rows[i].named) == NULL) {
            fail_msg("%s doesn't name %s", error.text, rows[i].named);
        }
    }
}

static void gzip_is_accepted_or_not(void **state) {
    (void)state;
    static const struct {
        const char *header;
        bool gzip;
    } rows[] = {
        {NULL, false},
        {"", false},
        {"gzip", true},
        {"GZIP", true},
        {"x-gzip", true},
        {"gzip, deflate, br", true},
        {"br , gzip;q=0.5", true},
        {"deflate, br", false},
        {"gzip;q=0", false},
        {"gzip; q=0.000", false},
        {"gzip;q=0.001", true},
        {"gzip;Q=1.0", true},
        {"*", true},
        {"*;q=0", false},
        {"gzip;q=0, *", false},
        {"*, gzip;q=0", false},
        {"gzipped", false},
        {"identity", false},
        {"gzip;q=x", false},
        {"gzip;", true},
        {",,gzip", true},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (http_accepts_gzip(rows[i].header) != rows[i].gzip) {
            fail_msg("row %zu: %s", i, rows[i].header);
        }
    }
}

static void entity_tags(void **state) {
    (void)state;
    static const struct {
        const char *header, *etag;
        bool matches;
    } rows[] = {
        {NULL, "\"a\"", false},
        {"", "\"a\"", false},
        {"\"a\"", "\"a\"", true},
        {"W/\"a\"", "\"a\"", true},
        {"\"a\"", "W/\"a\"", true},
        {"\"b\", \"a\"", "\"a\"", true},
        {"\"b\",W/\"a\" ,\"c\"", "\"a\"", true},
        {"\"b\"", "\"a\"", false},
        {"*", "\"a\"", true},
        {" * ", "\"a\"", true},
        {"a", "\"a\"", false},
        {"\"a", "\"a\"", false},
        {"\"ab\"", "\"a\"", false},
        {"\"b\" \"a\"", "\"a\"", false},
        {"\"b\",", "\"a\"", false},
        {"\"a, b\"", "\"a\"", false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (http_etag_matches(rows[i].header, rows[i].etag) != rows[i].matches) {
            fail_msg("row %zu: %s", i, rows[i].header);
        }
    }
}

static void hosts_and_origins(void **state) {
    (void)state;
    static const struct {
        const char *host;
        bool valid, loopback;
    } hosts[] = {
        {NULL, false, false},
        {"", false, false},
        {"localhost", true, true},
        {"LOCALHOST:7680", true, true},
        {"127.0.0.1:7680", true, true},
        {"127.1.2.3", true, true},
        {"[::1]:7680", true, true},
        {"[::1]", true, true},
        {"127.0.0.1.example.org", true, false},
        {"127.0.0.1.", true, false},
        {"127.0.0", true, false},
        {"127.0.0.256", true, false},
        {"127.0.0.1000", true, false},
        {"128.0.0.1", true, false},
        {"0127.0.0.1", true, false},
        {"localhost.example.org", true, false},
        {"map.example.org:80", true, false},
        {"[::2]", true, false},
        {"localhost:", false, false},
        {"localhost:123456", false, false},
        {"localhost:80x", false, false},
        {"local host", false, false},
        {"local\"host", false, false},
        {"user@localhost", false, false},
        {"[::1", false, false},
        {"[]", false, false},
        {":80", false, false},
    };
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
        if (http_host_valid(hosts[i].host) != hosts[i].valid ||
            http_host_loopback(hosts[i].host) != hosts[i].loopback) {
            fail_msg("row %zu: %s", i, hosts[i].host);
        }
    }
    assert_true(http_host_is("Map.example.org:80", "map.example.org"));
    assert_false(http_host_is("amap.example.org:80", "map.example.org"));
    static const struct {
        const char *origin, *host;
        bool same;
    } origins[] = {
        {"http://localhost:7680", "localhost:7680", true},
        {"HTTP://LocalHost:7680", "localhost:7680", true},
        {"https://map.example.org", "map.example.org", true},
        {"http://a", "a:80", true},
        {"https://a", "a:443", true},
        {"https://a", "a:80", false},
        {"http://localhost:7681", "localhost:7680", false},
        {"http://127.0.0.1:7680", "localhost:7680", false},
        {"http://localhost:7680/", "localhost:7680", false},
        {"null", "localhost:7680", false},
        {"", "localhost:7680", false},
        {"ftp://localhost:7680", "localhost:7680", false},
        {"http://", "", true}, // a host that is never valid
    };
    for (size_t i = 0; i < sizeof(origins) / sizeof(origins[0]); i++) {
        if (http_origin_is_host(origins[i].origin, origins[i].host) != origins[i].same) {
            fail_msg("row %zu: %s", i, origins[i].origin);
        }
    }
}

static void content_types(void **state) {
    (void)state;
    assert_true(http_type_is_json("application/json"));
    assert_true(http_type_is_json("Application/JSON; charset=UTF-8"));
    assert_true(http_type_is_json("application/json;charset=\"utf-8\""));
    assert_true(http_type_is_json("application/json ;"));
    assert_false(http_type_is_json(NULL));
    assert_false(http_type_is_json("text/plain"));
    assert_false(http_type_is_json("application/jsonx"));
    assert_false(http_type_is_json("application/json; charset=gbk"));
    assert_false(http_type_is_json("application/json, text/plain"));
}

static void whole_numbers(void **state) {
    (void)state;
    static const struct {
        const char *text;
        bool good;
        uint64_t value;
    } rows[] = {
        {"0", true, 0},    {"7", true, 7},    {"100", true, 100},
        {"101", false, 0}, {"", false, 0},    {"00", false, 0},
        {"07", false, 0},  {"-1", false, 0},  {"+1", false, 0},
        {" 1", false, 0},  {"1 ", false, 0},  {"1.0", false, 0},
        {"0x1", false, 0}, {"1e1", false, 0}, {"18446744073709551617", false, 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint64_t value = 77;
        struct gw_error error = {0};
        gw_err err = http_value_uint("limit", rows[i].text, 0, 100, &value, &error);
        if ((err == GW_OK) != rows[i].good || value != (rows[i].good ? rows[i].value : 77)) {
            fail_msg("%s", rows[i].text);
        }
        assert_true(rows[i].good || strstr(error.text, "limit") != NULL);
    }
}

static void points(void **state) {
    (void)state;
    static const struct {
        const char *target, *named; // NULL: good
        int32_t lon, lat;
    } rows[] = {
        {"/?lon=123.4567891&lat=42.5", NULL, 1234567891, 425000000},
        {"/?lon=-180&lat=-90", NULL, -1800000000, -900000000},
        {"/?lon=180&lat=90", NULL, -1800000000, 900000000}, // 180 is read as -180
        {"/?lon=1e-7&lat=-1E-7", NULL, 1, -1},
        {"/?lon=-0&lat=1.5e%2B1", NULL, 0, 150000000},
        {"/?lon=1", "lat is missing", 0, 0},
        {"/?lat=1", "lon is missing", 0, 0},
        {"/?lon=&lat=1", "lon must", 0, 0},
        {"/?lon=180.0000001&lat=1", "lon must", 0, 0},
        {"/?lon=1&lat=90.0000001", "lat must", 0, 0},
        {"/?lon=1&lat=nan", "lat must", 0, 0},
        {"/?lon=inf&lat=1", "lon must", 0, 0},
        {"/?lon=0x10&lat=1", "lon must", 0, 0},
        {"/?lon=1.&lat=1", "lon must", 0, 0},
        {"/?lon=.5&lat=1", "lon must", 0, 0},
        {"/?lon=1,5&lat=1", "lon must", 0, 0},
        {"/?lon=1e&lat=1", "lon must", 0, 0},
        {"/?lon=1e999&lat=1", "lon must", 0, 0},
        {"/?lon=%2B1&lat=1", "lon must", 0, 0},
        {"/?lon=0.0000000000000000000000000000001&lat=1", "lon must", 0, 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char buffer[4096];
        struct http_target target;
        struct gw_point point = {77, 77};
        struct gw_error error = {0};
        assert_int_equal(parse(rows[i].target, buffer, &target), GW_OK);
        gw_err err = http_parameter_point(&target, &point, &error);
        if ((err == GW_OK) != (rows[i].named == NULL) ||
            (rows[i].named != NULL && strstr(error.text, rows[i].named) == NULL)) {
            fail_msg("%s: %s", rows[i].target, error.text);
        }
        if (err == GW_OK) {
            assert_int_equal(point.lon, rows[i].lon);
            assert_int_equal(point.lat, rows[i].lat);
        } else {
            assert_int_equal(point.lon, 77);
        }
    }
}

static void flags(void **state) {
    (void)state;
    char buffer[4096];
    struct http_target target;
    struct gw_error error = {0};
    bool value = true;
    assert_int_equal(parse("/?a=0&b=1&c=true&d=", buffer, &target), GW_OK);
    assert_int_equal(http_parameter_flag(&target, "x", &value, &error), GW_OK);
    assert_true(value);
    assert_int_equal(http_parameter_flag(&target, "a", &value, &error), GW_OK);
    assert_false(value);
    assert_int_equal(http_parameter_flag(&target, "b", &value, &error), GW_OK);
    assert_true(value);
    assert_int_equal(http_parameter_flag(&target, "c", &value, &error), GW_EINVAL);
    assert_int_equal(http_parameter_flag(&target, "d", &value, &error), GW_EINVAL);
}

static void degrees_are_exact(void **state) {
    (void)state;
    static const struct {
        int32_t units;
        const char *text;
    } rows[] = {
        {0, "0"},
        {1, "0.0000001"},
        {-1, "-0.0000001"},
        {10000000, "1"},
        {-123456789, "-12.3456789"},
        {1234500000, "123.45"},
        {1800000000, "180"},
        {-1800000000, "-180"},
        {INT32_MIN, "-214.7483648"},
        {10000001, "1.0000001"},
        {1001000000, "100.1"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct gw_buffer out = {0};
        http_write_degrees(&out, rows[i].units);
        assert_string_equal(out.data, rows[i].text);
        gw_buffer_free(&out);
    }
}

static void names_are_masked(void **state) {
    (void)state;
    static const char *const rows[][2] = {
        {"张三丰", "{\"name\":\"张**\""},
        {"李四", "{\"name\":\"李*\""},
        {"欧阳修文", "{\"name\":\"欧**\""},
        {"王", "{\"name\":\"王*\""},
        {"", "{\"name\":\"\""},
        {"Ann Lee", "{\"name\":\"A**\""},
        {"😀😀", "{\"name\":\"😀*\""},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct gw_buffer out = {0};
        gw_buffer_text(&out, "{");
        http_write_masked(&out, "name", rows[i][0]);
        assert_string_equal(out.data, rows[i][1]);
        gw_buffer_free(&out);
    }
}

static void enum_words(void **state) {
    (void)state;
    int value = 0;
    assert_string_equal(http_word(&gridwarden__v1__incident_state__descriptor, 2), "OFFERED");
    assert_string_equal(http_word(&gridwarden__v1__incident_state__descriptor, 1), "PLACE_UNKNOWN");
    assert_string_equal(http_word(&gridwarden__v1__grid_kind__descriptor,
                                  GRIDWARDEN__V1__GRID_KIND__GRID_KIND_URBAN),
                        "URBAN");
    assert_string_equal(http_word(&gridwarden__v1__channel__descriptor, 99), "");
    assert_true(http_word_value(&gridwarden__v1__channel__descriptor, "APP", &value));
    assert_int_equal(value, GRIDWARDEN__V1__CHANNEL__CHANNEL_APP);
    assert_false(http_word_value(&gridwarden__v1__channel__descriptor, "UNSPECIFIED", &value));
    assert_false(http_word_value(&gridwarden__v1__channel__descriptor, "app", &value));
    assert_false(http_word_value(&gridwarden__v1__channel__descriptor, "", &value));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(targets_that_are_none),
        cmocka_unit_test(targets_are_taken_apart),
        cmocka_unit_test(patterns),
        cmocka_unit_test(parameters_are_known_and_single),
        cmocka_unit_test(gzip_is_accepted_or_not),
        cmocka_unit_test(entity_tags),
        cmocka_unit_test(hosts_and_origins),
        cmocka_unit_test(content_types),
        cmocka_unit_test(whole_numbers),
        cmocka_unit_test(points),
        cmocka_unit_test(flags),
        cmocka_unit_test(degrees_are_exact),
        cmocka_unit_test(names_are_masked),
        cmocka_unit_test(enum_words),
    };
    return cmocka_run_group_tests_name("http text", tests, NULL, NULL);
}
