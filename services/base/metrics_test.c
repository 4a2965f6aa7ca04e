#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "services/base/metrics.h"
#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void check_text(struct gw_metrics *metrics, const char *expected) {
    struct gw_buffer out = {0};
    gw_metrics_write(metrics, &out);
    assert_false(out.failed);
    assert_string_equal(out.size == 0 ? "" : out.data, expected);
    gw_buffer_free(&out);
}

// The number after `line`, which is a whole series with its labels and a blank.
static double value_of(struct gw_metrics *metrics, const char *line) {
    struct gw_buffer out = {0};
    gw_metrics_write(metrics, &out);
    char wanted[128];
    snprintf(wanted, sizeof wanted, "\n%s", line); // the first line is a comment
    const char *found = strstr(out.data, wanted);
    if (found == NULL) {
        fail_msg("no line %s in\n%s", line, out.data);
    }
    double value = strtod(found + strlen(wanted), NULL);
    gw_buffer_free(&out);
    return value;
}

static void an_empty_registry(void **state) {
    (void)state;
    struct gw_metrics *metrics = gw_metrics_create();
    check_text(metrics, "");
    gw_metrics_destroy(metrics);
    gw_metrics_destroy(NULL);
}

static double read_answer(void *context) {
    return *(const double *)context;
}

static void the_text_form(void **state) {
    (void)state;
    struct gw_metrics *metrics = gw_metrics_create();
    double answer = 42.5;
    struct gw_counter *locate =
        gw_metrics_counter(metrics, "calls_total", "method=\"Locate\"", "Calls.");
    struct gw_gauge *depth = gw_metrics_gauge(metrics, "depth", "", "A \\ and\nan end.");
    struct gw_counter *report = // a family stays together however its series were made
        gw_metrics_counter(metrics, "calls_total", "method=\"Report\",code=\"0\"", "Calls.");
    gw_metrics_gauge_read(metrics, "answer", "", "Read each time.", read_answer, &answer);
    gw_counter_add(locate, 3);
    gw_counter_add(locate, 4);
    gw_counter_add(report, UINT64_MAX);
    gw_gauge_set(depth, -0.25);
    check_text(metrics, "# HELP calls_total Calls.\n"
                        "# TYPE calls_total counter\n"
                        "calls_total{method=\"Locate\"} 7\n"
                        "calls_total{method=\"Report\",code=\"0\"} 18446744073709551615\n"
                        "# HELP depth A \\\\ and\\nan end.\n"
                        "# TYPE depth gauge\n"
                        "depth -0.25\n"
                        "# HELP answer Read each time.\n"
                        "# TYPE answer gauge\n"
                        "answer 42.5\n");
    answer = 1e300;
    assert_true(value_of(metrics, "answer ") == 1e300);
    gw_metrics_destroy(metrics);
}

static void special_gauge_values(void **state) {
    (void)state;
    static const struct {
        double value;
        const char *text;
    } rows[] = {
        {0, "0"},           {1760000000123.0, "1760000000123"},
        {INFINITY, "+Inf"}, {-INFINITY, "-Inf"},
        {NAN, "NaN"},       {0.1, "0.1"},
    };
    struct gw_metrics *metrics = gw_metrics_create();
    struct gw_gauge *gauge = gw_metrics_gauge(metrics, "g", "", "h");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char expected[64];
        snprintf(expected, sizeof expected, "# HELP g h\n# TYPE g gauge\ng %s\n", rows[i].text);
        gw_gauge_set(gauge, rows[i].value);
        check_text(metrics, expected);
    }
    gw_metrics_destroy(metrics);
}

static void labels_are_escaped(void **state) {
    (void)state;
    struct gw_buffer labels = {0};
    gw_metrics_label(&labels, "layer", "a \"b\" \\ c\nd");
    gw_metrics_label(&labels, "kind", "网格");
    assert_string_equal(labels.data, "layer=\"a \\\"b\\\" \\\\ c\\nd\",kind=\"网格\"");
    struct gw_metrics *metrics = gw_metrics_create();
    gw_gauge_set(gw_metrics_gauge(metrics, "g", labels.data, ""), 1);
    check_text(metrics, "# HELP g \n# TYPE g gauge\n"
                        "g{layer=\"a \\\"b\\\" \\\\ c\\nd\",kind=\"网格\"} 1\n");
    gw_metrics_destroy(metrics);
    gw_buffer_free(&labels);
}

static void buckets_are_cumulative(void **state) {
    (void)state;
    struct gw_metrics *metrics = gw_metrics_create();
    struct gw_histogram *histogram =
        gw_metrics_histogram(metrics, "t_seconds", "method=\"X\"", "Time.");
    const int64_t observed[] = {-5, 0, 50000, 50001, 1000000, 9999999999, 10000000000, 10000000001};
    for (size_t i = 0; i < sizeof observed / sizeof observed[0]; i++) {
        gw_histogram_observe_ns(histogram, observed[i]);
    }
    check_text(metrics, "# HELP t_seconds Time.\n"
                        "# TYPE t_seconds histogram\n"
                        "t_seconds_bucket{method=\"X\",le=\"0.00005\"} 3\n"
                        "t_seconds_bucket{method=\"X\",le=\"0.0001\"} 4\n"
                        "t_seconds_bucket{method=\"X\",le=\"0.00025\"} 4\n"
                        "t_seconds_bucket{method=\"X\",le=\"0.0005\"} 4\n"
                        "t_seconds_bucket{method=\"X\",le=\"0.001\"} 5\n"
                        "t_seconds_bucket{method=\"X\",le=\"0.0025\"} 5\n"
                        "t_seconds_bucket{method=\"X\",le=\"0.005\"} 5\n"
                        "t_seconds_bucket{method=\"X\",le=\"0.01\"} 5\n"
                        "t_seconds_bucket{method=\"X\",le=\"0.025\"} 5\n"
                        "t_seconds_bucket{method=\"X\",le=\"0.05\"} 5\n"
                        "t_seconds_bucket{method=\"X\",le=\"0.1\"} 5\n"
                        "t_seconds_bucket{method=\"X\",le=\"0.25\"} 5\n"
                        "t_seconds_bucket{method=\"X\",le=\"0.5\"} 5\n"
                        "t_seconds_bucket{method=\"X\",le=\"1\"} 5\n"
                        "t_seconds_bucket{method=\"X\",le=\"2.5\"} 5\n"
                        "t_seconds_bucket{method=\"X\",le=\"5\"} 5\n"
                        "t_seconds_bucket{method=\"X\",le=\"10\"} 7\n"
                        "t_seconds_bucket{method=\"X\",le=\"+Inf\"} 8\n"
                        "t_seconds_sum{method=\"X\"} 30.001100001\n"
                        "t_seconds_count{method=\"X\"} 8\n");
    gw_metrics_destroy(metrics);
}

static void a_histogram_without_labels(void **state) {
    (void)state;
    struct gw_metrics *metrics = gw_metrics_create();
    gw_histogram_observe_ns(gw_metrics_histogram(metrics, "t", "", ""), 1500000000);
    assert_true(value_of(metrics, "t_bucket{le=\"1\"} ") == 0);
    assert_true(value_of(metrics, "t_bucket{le=\"2.5\"} ") == 1);
    assert_true(value_of(metrics, "t_sum ") == 1.5);
    assert_true(value_of(metrics, "t_count ") == 1);
    gw_metrics_destroy(metrics);
}

static void asking_again_gives_the_same(void **state) {
    (void)state;
    struct gw_metrics *metrics = gw_metrics_create();
    struct gw_counter *first = gw_metrics_counter(metrics, "a_total", "x=\"1\"", "h");
    assert_ptr_equal(gw_metrics_counter(metrics, "a_total", "x=\"1\"", "h"), first);
    assert_ptr_not_equal(gw_metrics_counter(metrics, "a_total", "x=\"2\"", "h"), first);
    gw_metrics_destroy(metrics);
}

static void nothing_is_measured_into_null(void **state) {
    (void)state;
    gw_counter_add(NULL, 1);
    gw_gauge_set(NULL, 1);
    gw_histogram_observe_ns(NULL, 1);
}

static void ask_too_many(struct gw_metrics *metrics) {
    for (int i = 0; i <= GW_METRICS_MAX; i++) {
        char labels[32];
        snprintf(labels, sizeof labels, "i=\"%d\"", i);
        gw_metrics_counter(metrics, "many_total", labels, "h");
    }
}

static void ask_bad_name(struct gw_metrics *metrics) {
    gw_metrics_counter(metrics, "9lives-total", "", "h");
}

static void ask_two_kinds(struct gw_metrics *metrics) {
    gw_metrics_counter(metrics, "a_total", "", "h");
    gw_metrics_histogram(metrics, "a_total", "x=\"1\"", "h");
}

static void bugs_of_the_caller_abort(void **state) {
    (void)state;
    void (*const bugs[])(struct gw_metrics * metrics) = {ask_too_many, ask_bad_name, ask_two_kinds};
    for (size_t i = 0; i < sizeof bugs / sizeof bugs[0]; i++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            signal(SIGABRT, SIG_DFL);
            bugs[i](gw_metrics_create());
            _exit(0);
        }
        int status = 0;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    }
}

#define UPDATERS 4
#define UPDATES 20000

struct shared {
    struct gw_metrics *metrics;
    struct gw_counter *counter;
    struct gw_gauge *gauge;
    struct gw_histogram *histogram;
    atomic_int running;
};

static void *update(void *context) {
    struct shared *shared = context;
    for (int i = 0; i < UPDATES; i++) {
        gw_counter_add(shared->counter, 1);
        gw_gauge_set(shared->gauge, i % 2 == 0 ? 1.5 : -1.5);
        gw_histogram_observe_ns(shared->histogram, (int64_t)i * 1000);
    }
    atomic_fetch_sub(&shared->running, 1);
    return NULL;
}

// Expositions meanwhile are whole: a count that never falls and equals its last bucket.
static void updates_from_many_threads(void **state) {
    (void)state;
    struct shared shared = {.metrics = gw_metrics_create()};
    shared.counter = gw_metrics_counter(shared.metrics, "c_total", "", "h");
    shared.gauge = gw_metrics_gauge(shared.metrics, "g", "", "h");
    shared.histogram = gw_metrics_histogram(shared.metrics, "t", "", "h");
    gw_gauge_set(shared.gauge, 1.5);
    atomic_init(&shared.running, UPDATERS);
    pthread_t threads[UPDATERS];
    for (int i = 0; i < UPDATERS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, update, &shared), 0);
    }
    double last = 0;
    while (atomic_load(&shared.running) > 0) {
        struct gw_buffer out = {0};
        gw_metrics_write(shared.metrics, &out);
        double infinite = strtod(strstr(out.data, "t_bucket{le=\"+Inf\"} ") + 20, NULL);
        double count = strtod(strstr(out.data, "\nt_count ") + 9, NULL);
        double gauge = strtod(strstr(out.data, "\ng ") + 3, NULL);
        assert_true(infinite == count && count >= last);
        assert_true(gauge == 1.5 || gauge == -1.5);
        last = count;
        gw_buffer_free(&out);
    }
    for (int i = 0; i < UPDATERS; i++) {
        pthread_join(threads[i], NULL);
    }
    assert_true(value_of(shared.metrics, "c_total ") == (double)UPDATERS * UPDATES);
    assert_true(value_of(shared.metrics, "t_count ") == (double)UPDATERS * UPDATES);
    double expected = UPDATERS * (UPDATES * (UPDATES - 1.0) / 2) * 1e-6;
    assert_true(fabs(value_of(shared.metrics, "t_sum ") - expected) < 1e-6);
    gw_metrics_destroy(shared.metrics);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_registry),
        cmocka_unit_test(the_text_form),
        cmocka_unit_test(special_gauge_values),
        cmocka_unit_test(labels_are_escaped),
        cmocka_unit_test(buckets_are_cumulative),
        cmocka_unit_test(a_histogram_without_labels),
        cmocka_unit_test(asking_again_gives_the_same),
        cmocka_unit_test(nothing_is_measured_into_null),
        cmocka_unit_test(bugs_of_the_caller_abort),
        cmocka_unit_test(updates_from_many_threads),
    };
    return cmocka_run_group_tests_name("metrics", tests, NULL, NULL);
}
