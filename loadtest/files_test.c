// gridwarden-load merge, html and show on files, and what they say of wrong ones.
#include "loadtest/files.h"
#include "loadtest/output.h"
#include "loadtest/testing_sample.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[512];

static char *path_of(const char *name, char path[600]) {
    snprintf(path, 600, "%s/%s", folder, name);
    return path;
}

static void write_sample(const char *name, uint64_t seed) {
    char path[600];
    struct load_result *result = load_sample(seed);
    FILE *out = fopen(path_of(name, path), "wb");
    assert_non_null(out);
    assert_int_equal(load_write_json(result, out), GW_OK);
    assert_int_equal(fclose(out), 0);
    load_result_free(result);
    free(result);
}

// The whole file, NUL-terminated, on the heap.
static char *read_file(const char *name, size_t *size) {
    char path[600];
    FILE *in = fopen(path_of(name, path), "rb");
    assert_non_null(in);
    char *text = calloc(1, 4 << 20);
    assert_non_null(text);
    *size = fread(text, 1, (4 << 20) - 1, in);
    fclose(in);
    return text;
}

// Runs a command whose words are files of the folder, but for options.
static int run(const char *first, const char *second, const char *third, const char *fourth,
               const char *fifth) {
    const char *words[] = {first, second, third, fourth, fifth};
    char paths[5][600], *argv[6] = {NULL};
    int argc = 0;
    for (; argc < 5 && words[argc] != NULL; argc++) {
        argv[argc] = argc == 0 || words[argc][0] == '-'
                         ? memcpy(paths[argc], words[argc], strlen(words[argc]) + 1)
                         : path_of(words[argc], paths[argc]);
    }
    return load_files_command(argc, argv);
}

static int begin(void **state) {
    (void)state;
    const char *base = getenv("TEST_TMPDIR");
    snprintf(folder, sizeof(folder), "%s/files-XXXXXX", base == NULL ? "/tmp" : base);
    if (mkdtemp(folder) == NULL) {
        return -1;
    }
    write_sample("a.json", 1);
    write_sample("b.json", 2);
    return 0;
}

static void merged_files_hold_both(void **state) {
    (void)state;
    assert_int_equal(run("merge", "a.json", "b.json", "-o", "c.json"), 0);
    size_t size;
    char *json = read_file("c.json", &size);
    struct load_result *sum = calloc(1, sizeof(*sum)), *a = load_sample(1), *b = load_sample(2);
    struct gw_error error;
    assert_non_null(sum);
    assert_int_equal(load_read_json(json, size, sum, &error), GW_OK);
    assert_int_equal(sum->steps[1].works[0].latency.count,
                     a->steps[1].works[0].latency.count + b->steps[1].works[0].latency.count);
    struct load_result *results[] = {sum, a, b};
    for (size_t i = 0; i < 3; i++) {
        load_result_free(results[i]);
        free(results[i]);
    }
    free(json);
}

static void a_page_lies_beside_its_file(void **state) {
    (void)state;
    assert_int_equal(run("html", "a.json", NULL, NULL, NULL), 0);
    assert_int_equal(run("html", "a.json", "-o", "named.html", NULL), 0);
    size_t size, named_size;
    char *page = read_file("a.html", &size), *named = read_file("named.html", &named_size);
    assert_memory_equal(page, "<!doctype html>", 15);
    assert_int_equal(size, named_size);
    assert_memory_equal(page, named, size);
    free(named);
    free(page);
}

static void what_cannot_be_done_is_refused(void **state) {
    (void)state;
    char path[600];
    FILE *out = fopen(path_of("bad.json", path), "wb");
    assert_non_null(out);
    fputs("{}", out);
    assert_int_equal(fclose(out), 0);
    static const struct {
        const char *words[5];
        int code;
    } rows[] = {
        {{"merge", "a.json", "bad.json", "-o", "d.json"}, 1},
        {{"merge", "a.json", "none.json", "-o", "d.json"}, 1},
        {{"merge", "a.json", "b.json", "-o", "none/d.json"}, 1},
        {{"merge", "a.json", "b.json"}, 2},
        {{"merge", "a.json", "-o", "d.json"}, 2},
        {{"merge", "a.json", "b.json", "-o"}, 2},
        {{"html", "bad.json"}, 1},
        {{"html"}, 2},
        {{"html", "a.json", "b.json"}, 2},
        {{"html", "a.json", "-o", "none/a.html"}, 1},
        {{"show", "bad.json"}, 1},
        {{"show", "a.json", "-x"}, 2},
        {{"show", "a.json"}, 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *const *w = rows[i].words;
        int code = run(w[0], w[1], w[2], w[3], w[4]);
        if (code != rows[i].code) {
            fail_msg("row %zu: %d", i, code);
        }
    }
    assert_int_not_equal(access(path_of("d.json", path), F_OK), 0); // nothing half-done
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(merged_files_hold_both),
        cmocka_unit_test(a_page_lies_beside_its_file),
        cmocka_unit_test(what_cannot_be_done_is_refused),
    };
    return cmocka_run_group_tests(tests, begin, NULL);
}
