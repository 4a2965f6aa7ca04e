#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "services/incidents/testing.h"

#include <math.h>
#include <string.h>

static char long_text[8192];

// `size` bytes of 'a'.
static char *text_of(size_t size) {
    memset(long_text, 'a', size);
    long_text[size] = '\0';
    return long_text;
}

static gw_err check(const struct testing_case *c, struct gw_error *error) {
    error->text[0] = '\0';
    return gw_incident_check_report(&c->report, &c->policy, error);
}

static void refused(const struct testing_case *c, gw_err err, const char *word) {
    struct gw_error error;
    assert_int_equal(check(c, &error), err);
    assert_int_equal(error.code, err);
    assert_non_null(strstr(error.text, word));
}

static void accepted(const struct testing_case *c) {
    struct gw_error error;
    assert_int_equal(check(c, &error), GW_OK);
}

static void test_request_ids(void **state) {
    (void)state;
    static const struct {
        const char *id;
        gw_err err;
    } rows[] = {{"r", GW_OK},
                {"a b~!", GW_OK},
                {"", GW_EINVAL},
                {NULL, GW_EINVAL},
                {"a\x7f", GW_EINVAL},
                {"a\n", GW_EINVAL},
                {"\xe4\xba\x95", GW_EINVAL}};
    struct gw_error error;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(gw_incident_check_request_id(rows[i].id, &error), rows[i].err);
    }
    assert_int_equal(gw_incident_check_request_id(text_of(128), &error), GW_OK);
    assert_int_equal(gw_incident_check_request_id(text_of(129), &error), GW_EINVAL);
    assert_int_equal(gw_incident_check_request_id("", NULL), GW_EINVAL);
}

static void test_actors(void **state) {
    (void)state;
    static const struct {
        const char *actor;
        gw_err err;
    } rows[] = {
        {"w1", GW_OK},
        {"网格员 7", GW_OK},
        {"desk:city", GW_OK},
        {"system", GW_EINVAL}, // timers alone
        {"systems", GW_OK},
        {"desk:", GW_EINVAL},
        {"", GW_EINVAL},
        {NULL, GW_EINVAL},
        {"a\tb", GW_EINVAL},
        {"\xc2\x85", GW_EINVAL},         // a C1 control character
        {"\xc0\x80", GW_EINVAL},         // overlong
        {"\xed\xa0\x80", GW_EINVAL},     // a surrogate
        {"\xf4\x90\x80\x80", GW_EINVAL}, // past U+10FFFF
        {"\xe4\xba", GW_EINVAL},         // cut off
        {"\xf0\x9f\x98\x80", GW_OK},     // outside the basic plane
        {"\xf0\x80\x80\x80", GW_EINVAL}, // overlong
        {"\x80", GW_EINVAL},
    };
    struct gw_error error;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(gw_incident_check_actor(rows[i].actor, &error), rows[i].err);
    }
    assert_int_equal(gw_incident_check_actor(text_of(64), &error), GW_OK);
    assert_int_equal(gw_incident_check_actor(text_of(65), &error), GW_EINVAL);
    char desk[80] = "desk:";
    memset(desk + 5, 'x', 64); // the desk of an area with the longest code
    assert_int_equal(gw_incident_check_actor(desk, &error), GW_OK);
    desk[69] = 'x';
    assert_int_equal(gw_incident_check_actor(desk, &error), GW_EINVAL);
}

static void test_report_limits(void **state) {
    (void)state;
    struct testing_case c;
    testing_case(&c, GW_INCIDENT_REPORT, "cli");
    accepted(&c);
    c.report.actor = (char *)"";
    accepted(&c);
    c.report.actor = text_of(65);
    refused(&c, GW_EINVAL, "actor");
    c.report.actor = (char *)"cli";
    c.report.severity = 4;
    accepted(&c);
    c.report.severity = 5;
    refused(&c, GW_EINVAL, "severity");
    c.report.severity = 0;
    c.report.class_code = (char *)"99";
    refused(&c, GW_EINVAL, "class_code");
    c.report.class_code = (char *)"";
    refused(&c, GW_EINVAL, "class_code");
    c.report.class_code = (char *)"\n";
    refused(&c, GW_EINVAL, "class_code");
    c.report.class_code = (char *)"04";
    c.report.channel = (Gridwarden__V1__Channel)7;
    refused(&c, GW_EINVAL, "channel");
    c.report.channel = GRIDWARDEN__V1__CHANNEL__CHANNEL_UNSPECIFIED;
    c.report.request_id = (char *)"";
    refused(&c, GW_EINVAL, "request_id");
}

static void test_report_texts(void **state) {
    (void)state;
    struct testing_case c;
    testing_case(&c, GW_INCIDENT_REPORT, "cli");
    c.report.address = text_of(512);
    accepted(&c);
    c.report.address = text_of(513);
    refused(&c, GW_EINVAL, "address has 513 bytes");
    c.report.address = (char *)"\xff";
    refused(&c, GW_EINVAL, "address is not UTF-8");
    c.report.address = (char *)"a\nb"; // several lines are fine
    accepted(&c);
    c.report.description = text_of(4096);
    accepted(&c);
    c.report.description = text_of(4097);
    refused(&c, GW_EINVAL, "description has 4097 bytes");
}

static void test_report_points(void **state) {
    (void)state;
    static const struct {
        double longitude, latitude;
        gw_err err;
    } rows[] = {
        {180.0, 90.0, GW_OK},         {-180.0, -90.0, GW_OK},     {180.0000001, 0.0, GW_ERANGE},
        {0.0, 90.0000001, GW_ERANGE}, {-180.1, 0.0, GW_ERANGE},   {0.0, -91.0, GW_ERANGE},
        {NAN, 0.0, GW_EINVAL},        {0.0, INFINITY, GW_EINVAL}, {1e300, 0.0, GW_ERANGE}};
    struct testing_case c;
    testing_case(&c, GW_INCIDENT_REPORT, "cli");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        c.point.longitude = rows[i].longitude;
        c.point.latitude = rows[i].latitude;
        if (rows[i].err == GW_OK) {
            accepted(&c);
        } else {
            refused(&c, rows[i].err, "point");
        }
    }
    c.report.point = NULL;
    refused(&c, GW_EINVAL, "address");
    c.report.address = (char *)"文化街 1 号";
    accepted(&c);
}

static void test_ids(void **state) {
    (void)state;
    char id[GW_INCIDENT_ID_SIZE];
    struct gw_error error;
    gw_incident_id(0, 1, id);
    assert_string_equal(id, "0000000000000000-0000000001");
    gw_incident_id(UINT64_MAX, (UINT64_C(1) << 40) - 1u, id);
    assert_string_equal(id, "ffffffffffffffff-ffffffffff");
    assert_int_equal(gw_incident_id_counter(id), (UINT64_C(1) << 40) - 1u);
    gw_incident_id(0x1234, 0xabc, id);
    assert_int_equal(gw_incident_id_counter(id), 0xabc);
    assert_int_equal(gw_incident_check_id("incident_id", id, &error), GW_OK);
    static const char *const bad[] = {"",
                                      "x",
                                      "0000000000000000-0000000000", // counters begin at 1
                                      "0000000000000000-00000000011",
                                      "0000000000000000-000000001",
                                      "000000000000000000000000001",
                                      "000000000000000G-0000000001",
                                      "FFFFFFFFFFFFFFFF-0000000001"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(gw_incident_check_id("incident_id", bad[i], &error), GW_EINVAL);
        assert_non_null(strstr(error.text, "incident_id"));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_request_ids),   cmocka_unit_test(test_actors),
        cmocka_unit_test(test_report_limits), cmocka_unit_test(test_report_texts),
        cmocka_unit_test(test_report_points), cmocka_unit_test(test_ids),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
