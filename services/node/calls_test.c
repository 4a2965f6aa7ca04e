// What is told of finished calls: one counter, one duration, one line each, and warnings in limits.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "services/base/buffer.h"
#include "services/base/diag.h"
#include "services/node/call_log.h"
#include "services/node/call_metrics.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TRACE "0123456789abcdef0123456789abcdef"
#define SECOND INT64_C(1000000000)

static const struct gw_rpc_method methods[] = {{.path = "/gridwarden.v1.GridService/Locate"},
                                               {.path = "/gridwarden.v1.GridService/GetGrid"}};

static struct gw_rpc_finished ended(const struct gw_rpc_method *method, int status) {
    return (struct gw_rpc_finished){method, TRACE, status, 2345678};
}

// --- standard error, caught in a file ---

static FILE *caught;
static int standard_error;

static void catch_lines(void) {
    caught = tmpfile();
    assert_non_null(caught);
    standard_error = dup(STDERR_FILENO);
    assert_true(dup2(fileno(caught), STDERR_FILENO) >= 0);
}

// The lines so far, for the caller to free.
static char *caught_lines(void) {
    (void)dup2(standard_error, STDERR_FILENO);
    (void)close(standard_error);
    char *text = calloc(1, 65536);
    assert_non_null(text);
    rewind(caught);
    size_t size = fread(text, 1, 65535, caught);
    assert_true(size < 65535);
    (void)fclose(caught);
    return text;
}

static uint32_t count_of(const char *text, const char *part) {
    uint32_t count = 0;
    for (const char *at = strstr(text, part); at != NULL; at = strstr(at + 1, part)) {
        count++;
    }
    return count;
}

static void test_a_call_is_a_debug_line(void **state) {
    (void)state;
    struct gw_call_log log;
    gw_call_log_init(&log);
    struct gw_rpc_finished ok = ended(&methods[0], 0), unknown = ended(NULL, 12);
    gw_diag_setup(true, GW_DEBUG);
    catch_lines();
    gw_call_log_finished(&log, &ok, 0);
    gw_call_log_finished(&log, &unknown, 0);
    char *text = caught_lines();
    gw_diag_setup(true, GW_INFO);
    catch_lines();
    gw_call_log_finished(&log, &ok, 0);
    char *quiet = caught_lines();
    assert_non_null(strstr(text, "\"level\":\"debug\",\"event\":\"call\",\"trace_id\":\"" TRACE
                                 "\",\"method\":\"gridwarden.v1.GridService/Locate\","
                                 "\"code\":\"OK\",\"ms\":\"2.345\"}\n"));
    assert_non_null(strstr(text, "\"method\":\"unregistered\",\"code\":\"UNIMPLEMENTED\""));
    assert_int_equal(count_of(text, "\n"), 2);
    assert_string_equal(quiet, "");
    free(text);
    free(quiet);
    gw_call_log_deinit(&log);
}

static void test_our_failures_are_warnings_and_no_others(void **state) {
    (void)state;
    gw_diag_setup(false, GW_WARNING);
    for (int status = 0; status <= 16; status++) {
        struct gw_call_log log;
        gw_call_log_init(&log);
        struct gw_rpc_finished finished = ended(&methods[1], status);
        catch_lines();
        gw_call_log_finished(&log, &finished, 7);
        char *text = caught_lines();
        bool ours = status == 8 || status == 13 || status == 14 || status == 15;
        assert_int_equal(count_of(text, "\n"), ours ? 1 : 0);
        assert_int_equal(count_of(text, "trace_id=" TRACE), ours ? 1 : 0);
        assert_int_equal(count_of(text, gw_call_status_name(status)), ours ? 1 : 0);
        free(text);
        gw_call_log_deinit(&log);
    }
}

static void test_warnings_are_limited_and_counted(void **state) {
    (void)state;
    struct gw_call_log log;
    gw_call_log_init(&log);
    struct gw_rpc_finished finished = ended(&methods[0], 14);
    gw_diag_setup(false, GW_WARNING);
    catch_lines();
    for (int64_t i = 0; i < 1000; i++) {
        gw_call_log_finished(&log, &finished, 5 + i * (SECOND / 1000));
    }
    gw_call_log_finished(&log, &finished, 5 + SECOND);
    gw_call_log_finished(&log, &finished, 5 + SECOND);
    char *text = caught_lines();
    assert_int_equal(count_of(text, "\n"), GW_CALL_LOG_WARNINGS_MAX + 2);
    assert_int_equal(count_of(text, "left_out=990"), 1);
    assert_int_equal(count_of(text, "left_out=0"), GW_CALL_LOG_WARNINGS_MAX + 1);
    free(text);
    gw_call_log_deinit(&log);
}

static void test_metrics_count_by_method_and_status(void **state) {
    (void)state;
    struct gw_metrics *metrics = gw_metrics_create();
    struct gw_call_metrics *calls = gw_call_metrics_create(metrics, methods, 2);
    struct gw_rpc_method other = {.path = "/grpc.health.v1.Health/Check"};
    struct gw_rpc_finished finished[] = {ended(&methods[0], 0), ended(&methods[0], 0),
                                         ended(&methods[1], 5), ended(&other, 0),
                                         ended(NULL, 12),       ended(&methods[1], 17)};
    struct gw_buffer text = {0};
    for (size_t i = 0; i < sizeof(finished) / sizeof(finished[0]); i++) {
        gw_call_metrics_finished(calls, &finished[i]);
    }
    gw_metrics_write(metrics, &text);
    gw_buffer_append(&text, "", 1);
    assert_non_null(strstr(text.data, "gridwarden_rpc_calls_total{code=\"OK\"} 3\n"));
    assert_non_null(strstr(text.data, "gridwarden_rpc_calls_total{code=\"NOT_FOUND\"} 1\n"));
    assert_non_null(strstr(text.data, "gridwarden_rpc_calls_total{code=\"UNIMPLEMENTED\"} 1\n"));
    assert_non_null(strstr(text.data, "gridwarden_rpc_duration_seconds_count{method="
                                      "\"gridwarden.v1.GridService/Locate\"} 2\n"));
    assert_non_null(strstr(text.data, "gridwarden_rpc_duration_seconds_count{method="
                                      "\"gridwarden.v1.GridService/GetGrid\"} 2\n"));
    assert_string_equal(gw_call_status_name(17), "UNKNOWN");
    gw_buffer_free(&text);
    gw_call_metrics_destroy(calls);
    gw_metrics_destroy(metrics);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_call_is_a_debug_line),
        cmocka_unit_test(test_our_failures_are_warnings_and_no_others),
        cmocka_unit_test(test_warnings_are_limited_and_counted),
        cmocka_unit_test(test_metrics_count_by_method_and_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
