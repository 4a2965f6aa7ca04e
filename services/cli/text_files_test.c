// CSV in, and tables, JSON and CSV out.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "services/cli/csv.h"
#include "services/cli/output.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void write_file(char path[512], const char *text, size_t size) {
    const char *folder = getenv("TEST_TMPDIR");
    (void)snprintf(path, 512, "%s/t-%ld.csv", folder != NULL ? folder : "/tmp", (long)getpid());
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static void csv_reads_what_spreadsheets_write(void **state) {
    (void)state;
    static const char text[] = "\xef\xbb\xbfID,Lon,lat,note\r\n"
                               "a,1.5,2,\"x, \"\"y\"\"\r\nz\"\r\n"
                               "\r\n"
                               "b,3,4\n"
                               "\"c\",5,6,last";
    char path[512];
    struct cli_csv csv;
    struct gw_error error;
    write_file(path, text, sizeof(text) - 1);
    assert_int_equal(cli_csv_open(&csv, path, &error), GW_OK);
    assert_int_equal(cli_csv_column(&csv, "id"), 0);
    assert_int_equal(cli_csv_column(&csv, "lon"), 1);
    assert_int_equal(cli_csv_column(&csv, "nothing"), -1);
    assert_true(cli_csv_next(&csv));
    assert_string_equal(cli_csv_field(&csv, 0), "a");
    assert_string_equal(cli_csv_field(&csv, 3), "x, \"y\"\r\nz");
    double lon = 0, lat = 0;
    assert_int_equal(cli_csv_place(&csv, 1, 2, &lon, &lat, &error), GW_OK);
    assert_true(lon == 1.5 && lat == 2);
    assert_true(cli_csv_next(&csv));
    assert_string_equal(cli_csv_field(&csv, 0), "b");
    assert_string_equal(cli_csv_field(&csv, 3), "");
    assert_true(cli_csv_next(&csv));
    assert_string_equal(cli_csv_field(&csv, 0), "c");
    assert_string_equal(cli_csv_field(&csv, 3), "last");
    assert_false(cli_csv_next(&csv));
    cli_csv_close(&csv);
}

static void csv_names_the_bad_row(void **state) {
    (void)state;
    static const struct {
        const char *row, *named;
    } rows[] = {
        {",2", "lon"},     {"x,2", "lon"}, {"NaN,2", "lon"},   {"inf,2", "lon"}, {"1,91", "lat"},
        {"-181,2", "lon"}, {"1", "lat"},   {"1e999,2", "lon"}, {"1,2 m", "lat"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[64], path[512];
        struct cli_csv csv;
        struct gw_error error;
        (void)snprintf(text, sizeof(text), "lon,lat\n1,2\n%s\n", rows[i].row);
        write_file(path, text, strlen(text));
        assert_int_equal(cli_csv_open(&csv, path, &error), GW_OK);
        double lon, lat;
        assert_true(cli_csv_next(&csv));
        assert_int_equal(cli_csv_place(&csv, 0, 1, &lon, &lat, &error), GW_OK);
        assert_true(cli_csv_next(&csv));
        assert_int_equal(cli_csv_place(&csv, 0, 1, &lon, &lat, &error), GW_EINVAL);
        assert_non_null(strstr(error.text, "row 3"));
        assert_non_null(strstr(error.text, rows[i].named));
        cli_csv_close(&csv);
    }
}

static void csv_refuses_what_is_no_text(void **state) {
    (void)state;
    char path[512];
    struct cli_csv csv;
    struct gw_error error;
    write_file(path, "", 0);
    assert_int_equal(cli_csv_open(&csv, path, &error), GW_EINVAL);
    write_file(path, "lon\0,lat\n", 9);
    assert_int_equal(cli_csv_open(&csv, path, &error), GW_EINVAL);
    assert_int_equal(cli_csv_open(&csv, "/nowhere/x.csv", &error), GW_ENOTFOUND);
}

// What a table with one text and one number looks like in a format.
static void check_output(const char *flag, const char *text, const char *expected) {
    static const struct cli_column columns[] = {{"name", false}, {"n", true}};
    static const struct cli_option options[] = {CLI_OUTPUT_OPTIONS};
    static const struct cli_command command = {
        .name = "x", .words = "", .options = options, .option_count = 2};
    static struct cli_args args;
    char *words[] = {(char *)flag};
    bool helped = false;
    assert_int_equal(cli_parse(&command, flag != NULL ? 1 : 0, words, &args, &helped), CLI_DONE);
    char *printed = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&printed, &size);
    assert_non_null(stream);
    FILE *kept = stdout;
    stdout = stream; // the output takes stdout when it begins
    struct cli_output output;
    assert_int_equal(cli_output_begin(&output, &args, columns, 2), CLI_DONE);
    stdout = kept;
    cli_output_text(&output, text);
    cli_output_number(&output, "%d", -5);
    assert_int_equal(cli_output_end(&output), CLI_DONE);
    (void)fclose(stream);
    assert_string_equal(printed, expected);
    free(printed);
}

static void output_is_harmless_in_every_form(void **state) {
    (void)state;
    check_output("--csv", "a", "name,n\na,-5\n");
    check_output("--csv", "a,\"b\"", "name,n\n\"a,\"\"b\"\"\",-5\n");
    check_output("--csv", "=1+2", "name,n\n\"'=1+2\",-5\n");
    check_output("--json", "a\"\\\n\x01",
                 "[\n  {\"name\": \"a\\\"\\\\\\n\\u0001\", \"n\": -5}\n]\n");
    check_output(NULL, "网格", "name   n\n网格  -5\n");
    check_output(NULL, "a\x1b[2J", "name    n\na?[2J  -5\n");
}

static void a_record_that_stands_alone_is_upright(void **state) {
    (void)state;
    static const struct cli_column columns[] = {{"a", false}, {"empty", false}, {"n", true}};
    char *printed = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&printed, &size);
    assert_non_null(stream);
    struct cli_output output = {
        .stream = stream, .columns = columns, .column_count = 3, .upright = true};
    cli_output_text(&output, "网格");
    cli_output_text(&output, "");
    cli_output_number(&output, "%d", 7);
    assert_int_equal(cli_output_end(&output), CLI_DONE);
    (void)fclose(stream);
    assert_string_equal(printed, "a      网格\nn      7\n");
    free(printed);
}

static void widths_count_wide_characters_twice(void **state) {
    (void)state;
    assert_int_equal(cli_text_width("abc"), 3);
    assert_int_equal(cli_text_width("网格a"), 5);
    assert_int_equal(cli_text_width("é"), 1);
    assert_int_equal(cli_text_width("\xff\xe7"), 2); // not UTF-8: no read past the end
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(csv_reads_what_spreadsheets_write),
        cmocka_unit_test(csv_names_the_bad_row),
        cmocka_unit_test(csv_refuses_what_is_no_text),
        cmocka_unit_test(output_is_harmless_in_every_form),
        cmocka_unit_test(a_record_that_stands_alone_is_upright),
        cmocka_unit_test(widths_count_wide_characters_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
