// Table, JSON, page and live lines of a made-up result; the JSON read again, strictly; merging.
#include "loadtest/output.h"
#include "loadtest/testing_sample.h"
#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

typedef gw_err (*writer)(const struct load_result *result, FILE *out);

// What a writer writes, NUL-terminated, on the heap.
static char *text_of(writer write_result, const struct load_result *result) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    assert_int_equal(write_result(result, out), GW_OK);
    assert_int_equal(fclose(out), 0);
    assert_int_equal(strlen(text), size);
    return text;
}

static struct load_result *empty_result(void) {
    struct load_result *result = calloc(1, sizeof(*result));
    assert_non_null(result);
    return result;
}

static void drop(struct load_result *result) {
    load_result_free(result);
    free(result);
}

static int times(const char *text, const char *word) {
    int count = 0;
    for (const char *at = strstr(text, word); at != NULL; at = strstr(at + 1, word)) {
        count++;
    }
    return count;
}

static void json_is_read_as_it_was_written(void **state) {
    (void)state;
    struct load_result *result = load_sample(1), *again = empty_result();
    char *json = text_of(load_write_json, result);
    struct gw_error error = {.code = GW_OK};
    gw_err err = load_read_json(json, strlen(json), again, &error);
    assert_string_equal(error.text, "");
    assert_int_equal(err, GW_OK);
    assert_true(again->seed == UINT64_MAX);
    assert_int_equal(again->verify.lost, 1);
    for (uint32_t s = 0; s < result->step_count; s++) {
        for (uint32_t w = 0; w < result->steps[s].work_count; w++) {
            struct load_work_result *a = &result->steps[s].works[w], *b = &again->steps[s].works[w];
            assert_memory_equal(a->seconds, b->seconds, a->second_count * sizeof(*a->seconds));
            assert_memory_equal(&a->latency, &b->latency, sizeof(a->latency));
            assert_memory_equal(&a->service, &b->service, sizeof(a->service));
            assert_memory_equal(&a->lateness, &b->lateness, sizeof(a->lateness));
            free(b->seconds);
            b->seconds = a->seconds;
        }
    }
    // The JSON says everything else that there is.
    char *json_again = text_of(load_write_json, again);
    assert_string_equal(json, json_again);
    free(json_again);
    free(json);
    free(again); // its seconds are those of `result`
    drop(result);
}

// Reads the sample with one text put for another; returns the code and the words.
static gw_err read_edited(const char *json, const char *from, const char *to, char words[320]) {
    const char *at = strstr(json, from);
    assert_non_null(at);
    char *edited = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&edited, &size);
    assert_non_null(out);
    fwrite(json, 1, (size_t)(at - json), out);
    fputs(to, out);
    fputs(at + strlen(from), out);
    assert_int_equal(fclose(out), 0);
    struct load_result *result = empty_result();
    struct gw_error error = {.code = GW_OK};
    gw_err err = load_read_json(edited, size, result, &error);
    snprintf(words, 320, "%s", error.text);
    drop(result);
    free(edited);
    return err;
}

static void what_is_wrong_in_a_file_is_named(void **state) {
    (void)state;
    static const struct {
        const char *from, *to, *words;
    } rows[] = {
        {"gridwarden-load/1", "gridwarden-load/9", "format"},
        {"\"format\"", "\"former\"", "format"},
        {"\"machine\":", "\"machin\":", "machine"},
        {"{\"format\"", "{\"extra\":1,\"format\"", "extra"},
        {"\"scenario\":\"sample\"", "\"scenario\":\"sample\",\"scenario\":\"b\"", "duplicate"},
        {"\"scenario\":\"sample\"",
         "\"scenario\":\"0123456789012345678901234567890123456789012345678901234567890123\"",
         "\"scenario\" is longer than 63 bytes"},
        {"\"scenario\":\"sample\"", "\"scenario\":\"a\\u0000b\"", "\\u0000"},
        {"\"seed\":\"1", "\"seed\":\"9", "seed"}, // past 2^64
        {"\"seed\":\"1", "\"seed\":\"-1", "seed"},
        {"\"seed\":\"", "\"seed\":\"x", "seed"},
        {"\"warmup_seconds\":2.5", "\"warmup_seconds\":-2.5", "warmup_seconds"},
        {"\"steps\":[", "\"steps\":[7,", "step 1"},
        {"\"loop\":\"open\"", "\"loop\":\"ajar\"", "step 1, work 1: loop"},
        {"\"connections\":8", "\"connections\":-8", "connections"},
        {"\"connections\":8", "\"connections\":4294967296", "connections"},
        {"\"connections\":8", "\"connections\":8.5", "integer"},
        {"\"failed\":0", "\"failed\":-1", "a count"},
        {"\"offered\":true", "\"offered\":1", "true or false"},
        {"\"summary\":{", "\"summary\":7,\"summery\":{", "summery"},
        {"\"count\":", "\"count\":1", "latency: its buckets don't add up"},
        {"\"buckets\":[", "\"buckets\":[[-1,1],", "begin where"},
        {"\"buckets\":[", "\"buckets\":[[257,1],", "begin where"},
        {"\"buckets\":[", "\"buckets\":[[3000000000,1],", "in order"},
        {"\"buckets\":[", "\"buckets\":[[0,9007199254740993],", "the count of a bucket"},
        {"\"buckets\":[", "\"buckets\":[[0,-1],", "the count of a bucket"},
        {"\"buckets\":[", "\"buckets\":[[0],", "a bucket is"},
        {"\"buckets\":[", "\"buckets\":[7,", "a bucket is"},
        {"\"min_ns\":", "\"min_ns\":1", "min_ns and max_ns"},
        {"\"max_ns\":", "\"max_ns\":-", "min_ns and max_ns"},
        {"\"sum_ns\":", "\"sum_ns\":-", "sum_ns"},
        {"\"intended\":[", "\"intended\":[1,", "one length"},
        {"\"done\":[", "\"done\":[[],", "one length"},
        {"\"done\":[1", "\"done\":[0.1", "whole numbers"},
        {"\"done\":[1", "\"done\":[99999999991", "whole numbers"},
        {"\"done\":[1", "\"done\":[-1", "out of range"},
        {"\"acknowledged\":12", "\"acknowledged\":-12", "verify"},
        {"\"reconnects\":1", "\"reconnects\":4294967296", "verify"},
        {"\"verify\":{", "\"verify\":[],\"x\":{", "x"},
        {"}\n", "", "line"},
    };
    struct load_result *result = load_sample(1);
    char *json = text_of(load_write_json, result), words[320];
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        gw_err err = read_edited(json, rows[i].from, rows[i].to, words);
        if (err != GW_EINVAL || strstr(words, rows[i].words) == NULL) {
            fail_msg("%s -> %s: %d %s", rows[i].from, rows[i].to, (int)err, words);
        }
    }
    // The summary follows from the rest; that of another reader's edit is not looked into.
    assert_int_equal(read_edited(json, "\"achieved\"", "\"attained\"", words), GW_OK);
    free(json);
    drop(result);
}

static void text_that_is_no_utf8_makes_valid_json(void **state) {
    (void)state;
    struct load_result *result = empty_result(), *again = empty_result();
    snprintf(result->scenario, sizeof(result->scenario), "a\xff\xc3(\x01");
    char *json = text_of(load_write_json, result);
    struct gw_error error;
    assert_int_equal(load_read_json(json, strlen(json), again, &error), GW_OK);
    assert_string_equal(again->scenario, "a\xef\xbf\xbd\xef\xbf\xbd(\x01");
    free(json);
    drop(again);
    drop(result);
}

// The line of the table's refused work.
static void check_refused_row(const char *table) {
    const char *row = strstr(table, "NOT OFFERED");
    assert_non_null(row);
    while (row[-1] != '\n') {
        row--;
    }
    char line[256];
    snprintf(line, sizeof(line), "%.*s", (int)strcspn(row, "\n"), row);
    assert_int_equal(times(line, " -"), 5); // five latencies that are not stated
    assert_non_null(strstr(line, "400"));
}

static void table_labels_loops_and_states_no_latency_of_a_refused_rate(void **state) {
    (void)state;
    struct load_result *result = load_sample(1);
    char *table = text_of(load_write_table, result);
    assert_int_equal(times(table, " OPEN "), 3);
    assert_int_equal(times(table, " CLOSED "), 3);
    check_refused_row(table);
    assert_non_null(strstr(table, "351 of 400 calls a second left"));
    assert_non_null(strstr(table, "first failure: UNAVAILABLE: ?[31mred?"));
    assert_non_null(strstr(table, "12 acknowledged, 11 found, 1 LOST, 0 DOUBLED"));
    assert_int_equal(times(table, "\033"), 0);
    free(table);
    drop(result);
}

static void page_keeps_texts_as_texts_and_asks_nobody(void **state) {
    (void)state;
    struct load_result *result = load_sample(1);
    char *page = text_of(load_write_html, result), *json = text_of(load_write_json, result);
    assert_int_equal(times(page, "</script>"), 2); // of the data and of the page's own
    assert_null(strstr(page, "broken out'</script"));
    const char *data = strstr(page, "\\u003c/script>\\u003cscript>document.title");
    assert_non_null(data);
    assert_int_equal(times(page, "https://"), 0);
    assert_int_equal(times(page, "http://"), times(page, "\"http://www.w3.org/2000/svg\""));
    assert_null(strstr(page, " src="));
    assert_null(strstr(page, "@import"));
    assert_non_null(strstr(page, "default-src 'none'"));
    // What lies in the page is the file.
    const char *begin = strstr(page, "{\"format\"");
    assert_non_null(begin);
    struct load_result *again = empty_result();
    struct gw_error error = {.code = GW_OK};
    const char *end = strstr(begin, "</script>");
    assert_int_equal(load_read_json(begin, (size_t)(end - begin), again, &error), GW_OK);
    char *json_again = text_of(load_write_json, again);
    assert_string_equal(json, json_again);
    free(json_again);
    drop(again);
    free(json);
    free(page);
    drop(result);
}

static void a_full_disk_is_an_error(void **state) {
    (void)state;
    static const writer writers[] = {load_write_table, load_write_json, load_write_html};
    struct load_result *result = load_sample(1);
    for (size_t i = 0; i < sizeof(writers) / sizeof(writers[0]); i++) {
        FILE *full = fopen("/dev/full", "w");
        assert_non_null(full);
        assert_int_equal(writers[i](result, full), GW_EIO);
        fclose(full);
    }
    drop(result);
}

static void merging_adds_everything_up(void **state) {
    (void)state;
    struct load_result *a = load_sample(1), *b = load_sample(2), *sum = load_sample(1);
    snprintf(b->machine, sizeof(b->machine), "another machine");
    sum->steps[0].works[0].second_count = 20; // the other run was seen for longer
    struct gw_error error;
    assert_int_equal(load_result_merge(sum, b, &error), GW_OK);
    for (uint32_t s = 0; s < 3; s++) {
        for (uint32_t w = 0; w < 2; w++) {
            struct load_work_result *x = &a->steps[s].works[w], *y = &b->steps[s].works[w];
            const struct load_work_result *z = &sum->steps[s].works[w];
            assert_true(z->rate == x->rate + y->rate);
            assert_int_equal(z->done, x->done + y->done);
            assert_int_equal(z->connections, 16);
            assert_int_equal(z->second_count, 30);
            assert_int_equal(z->seconds[3].done, x->seconds[3].done + y->seconds[3].done);
            assert_true(z->seconds[3].p99_ms >= x->seconds[3].p99_ms);
            assert_true(z->seconds[3].p99_ms >= y->seconds[3].p99_ms);
            load_histogram_add(&x->latency, &y->latency);
            assert_memory_equal(&z->latency, &x->latency, sizeof(z->latency));
        }
    }
    assert_int_equal(sum->steps[0].works[0].seconds[25].done,
                     b->steps[0].works[0].seconds[25].done);
    assert_false(sum->steps[2].works[0].offered);
    assert_int_equal(sum->verify.acknowledged, 24);
    assert_string_equal(sum->machine, "a machine, 2 cores + another machine");
    drop(sum);
    drop(b);
    drop(a);
}

static void other_scenarios_are_not_merged(void **state) {
    (void)state;
    struct load_result *a = load_sample(1), *b = load_sample(2);
    struct gw_error error;
    char *before = text_of(load_write_json, a);
    snprintf(b->scenario, sizeof(b->scenario), "other");
    assert_int_equal(load_result_merge(a, b, &error), GW_EINVAL);
    assert_non_null(strstr(error.text, "\"other\""));
    snprintf(b->scenario, sizeof(b->scenario), "sample");
    b->steps[1].works[1].loop = LOAD_OPEN;
    assert_int_equal(load_result_merge(a, b, &error), GW_EINVAL);
    assert_non_null(strstr(error.text, "step 2, work 2"));
    b->steps[1].works[1].loop = LOAD_CLOSED;
    b->steps[2].seconds = 60;
    assert_int_equal(load_result_merge(a, b, &error), GW_EINVAL);
    assert_non_null(strstr(error.text, "step 3"));
    b->step_count = 2;
    assert_int_equal(load_result_merge(a, b, &error), GW_EINVAL);
    b->step_count = 3;
    char *after = text_of(load_write_json, a);
    assert_string_equal(before, after);
    free(after);
    free(before);
    drop(b);
    drop(a);
}

static const struct load_live_status *some_status(void) {
    static const struct load_live_status status = {
        .rate_factor = 2,
        .step = 1,
        .step_count = 3,
        .elapsed_s = 7,
        .total_s = 30,
        .warming_up = true,
        .works = {{.name = "locate\033[2J",
                   .rate = 500,
                   .achieved = 499,
                   .done = 1234,
                   .open = 3,
                   .p50_ms = 0.5,
                   .p99_ms = 2.25,
                   .max_ms = 40},
                  {.name = "瓦片", .loop = LOAD_CLOSED, .achieved = 80}},
        .work_count = 2,
    };
    return &status;
}

static void live_lines_come_every_five_seconds_where_no_terminal_is(void **state) {
    (void)state;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    struct load_live live;
    load_live_begin(&live, out);
    for (int64_t second = 1; second <= 11; second++) {
        load_live_show(&live, some_status(), second * 1000000000);
    }
    load_live_end(&live);
    assert_int_equal(fclose(out), 0);
    assert_int_equal(times(text, "\n"), 6); // at 1, 6 and 11 s, a line a work
    assert_int_equal(times(text, "\033"), 0);
    assert_int_equal(times(text, " OPEN rate=500"), 3);
    assert_int_equal(times(text, "warming up"), 6);
    assert_non_null(strstr(text, "p99=2.25ms max=40.0ms"));
    free(text);
}

// On a pseudo-terminal: drawn in place, and a name can't send codes of its own.
static void live_table_is_drawn_over_on_a_terminal(void **state) {
    (void)state;
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    if (master < 0) {
        print_message("skipped: this machine has no pseudo-terminals (devpts is not mounted)\n");
        skip();
    }
    assert_int_equal(grantpt(master), 0);
    assert_int_equal(unlockpt(master), 0);
    int slave = open(ptsname(master), O_RDWR | O_NOCTTY);
    assert_true(slave >= 0);
    FILE *out = fdopen(slave, "w");
    struct load_live live;
    load_live_begin(&live, out);
    assert_true(live.terminal);
    load_live_show(&live, some_status(), 1);
    load_live_show(&live, some_status(), 2);
    load_live_end(&live);
    char text[8192];
    size_t size = 0;
    while (size < sizeof(text) - 1) { // until the code that the end writes
        ssize_t more = read(master, text + size, sizeof(text) - 1 - size);
        assert_true(more > 0);
        size += (size_t)more;
        text[size] = '\0';
        if (times(text, "\033[4A\033[J") == 1) {
            break;
        }
    }
    assert_int_equal(times(text, "\033[4A"), 2); // drawn over once, wiped once
    assert_null(strstr(text, "\033[2J"));
    assert_non_null(strstr(text, "locate?[2J"));
    assert_non_null(strstr(text, "step 2/3 (rates x 2)"));
    fclose(out);
    close(master);
}

static void an_empty_result_can_be_shown(void **state) {
    (void)state;
    struct load_result *result = empty_result();
    result->step_count = 1;
    result->steps[0].work_count = 1;
    static const writer writers[] = {load_write_table, load_write_json, load_write_html};
    for (size_t i = 0; i < sizeof(writers) / sizeof(writers[0]); i++) {
        char *text = text_of(writers[i], result);
        assert_null(strstr(text, ":nan"));
        assert_null(strstr(text, " nan"));
        free(text);
    }
    drop(result);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_is_read_as_it_was_written),
        cmocka_unit_test(what_is_wrong_in_a_file_is_named),
        cmocka_unit_test(text_that_is_no_utf8_makes_valid_json),
        cmocka_unit_test(table_labels_loops_and_states_no_latency_of_a_refused_rate),
        cmocka_unit_test(page_keeps_texts_as_texts_and_asks_nobody),
        cmocka_unit_test(a_full_disk_is_an_error),
        cmocka_unit_test(merging_adds_everything_up),
        cmocka_unit_test(other_scenarios_are_not_merged),
        cmocka_unit_test(live_lines_come_every_five_seconds_where_no_terminal_is),
        cmocka_unit_test(live_table_is_drawn_over_on_a_terminal),
        cmocka_unit_test(an_empty_result_can_be_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
