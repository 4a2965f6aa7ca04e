#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/crash/power_cut.h"
#include "tests/crash/run.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct crash_run run; // where shim and programs are

// A fresh folder and journal for each row.
static void fresh(void) {
    static int number;
    crash_run_folders(&run, "shim", number++);
}

static int play(const char *script, bool with_shim, const struct crash_kill *kill) {
    char *const arguments[] = {run.root, (char *)(uintptr_t)script, NULL};
    return crash_run_wait(crash_run_start(&run, run.program, arguments, with_shim ? kill : NULL));
}

static void list_into(char *text, size_t capacity, const char *folder, const char *front) {
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, NULL, alphasort);
    assert_true(count >= 0);
    for (int i = 0; i < count; i++) {
        char path[1024];
        struct stat status;
        snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        size_t size = strlen(text);
        if (entries[i]->d_name[0] != '.' && stat(path, &status) == 0) {
            if (S_ISDIR(status.st_mode)) {
                snprintf(text + size, capacity - size, "%s%s/ ", front, entries[i]->d_name);
            } else {
                snprintf(text + size, capacity - size, "%s%s=%ld ", front, entries[i]->d_name,
                         (long)status.st_size);
            }
        }
        free(entries[i]);
    }
    free(entries);
}

// "name=size name=size folder/ ", by name; then what is in a folder "d".
static const char *listing(void) {
    static char text[2048];
    char inner[1100];
    struct stat status;
    text[0] = '\0';
    list_into(text, sizeof text, run.root, "");
    snprintf(inner, sizeof inner, "%s/d", run.root);
    if (stat(inner, &status) == 0) {
        list_into(text, sizeof text, inner, "d/");
    }
    return text;
}

static void cut(uint64_t seed) {
    struct power_cut_result result;
    char words[256];
    if (!power_cut(run.root, run.journal, seed, &result, words)) {
        fail_msg("power_cut: %s", words);
    }
}

static const struct cut_row {
    const char *before, *script, *expected; // before: on disk, without the shim
} cut_rows[] = {
    // data
    {"", "c a; S .; w a 100; k", "a=0 "},
    {"", "c a; S .; w a 100; s a; k", "a=100 "},
    {"", "c a; S .; w a 100; d a; w a 50; k", "a=100 "},
    {"", "c a; w a 100; s a; S .; w a 50; s a; k", "a=150 "},
    {"c a; w a 70", "o a; w a 5; k", "a=70 "},
    {"c a; w a 70", "o a; w a 5; x a; k", "a=70 "},
    {"c a; w a 70", "o a; w a 5; x a; o a; w a 5; k", "a=70 "},
    {"c a; w a 70", "o a; p a 10 20; k", "a=70 "},
    {"c a; w a 70", "u a; k", ""},
    {"c a; w a 70; c b; w b 9", "o a; w a 1; o b; w b 1; s b; k", "a=70 b=10 "},
    {"c a; w a 70", "k", "a=70 "},
    {"c a; w a 70", "o a; w a 5; s a", "a=75 "}, // a process that ends by itself is cut as well
    {"c a; w a 70", "o a; w a 5", "a=70 "},
    // cutting and growing
    {"c a; w a 70", "o a; t a 30; k", "a=30 "},
    {"c a; w a 70", "o a; t a 30; w a 10; k", "a=30 "},
    {"c a; w a 70", "o a; t a 30; w a 10; s a; k", "a=40 "},
    {"c a; w a 70", "o a; t a 500; k", "a=70 "},
    {"c a; w a 70", "c a; w a 5; k", "a=0 "},
    {"c a; w a 70", "c a; w a 5; s a; k", "a=5 "},
    // O_SYNC counts where nothing before it is missing
    {"", "y a; S .; w a 10; w a 10; k", "a=20 "},
    {"", "y a; S .; p a 100 10; k", "a=0 "},
    // streams of the C library
    {"", "f a 100; S .; k", "a=0 "},
    {"", "f a 100; S .; s a; k", "a=100 "},
    {"", "f a 100; s a; k", ""},
    {"c a; w a 70", "a a 30; k", "a=70 "},
    {"c a; w a 70", "f a 30; k", "a=0 "},
    // names
    {"", "c a; w a 100; s a; k", ""},
    {"", "c a; s a; c b; s b; S .; c e; s e; k", "a=0 b=0 "},
    {"", "c a; S .; u a; k", ""},
    {"", "c a; u a; c a; w a 9; s a; k", ""},
    {"", "c a; u a; c a; w a 9; s a; S .; k", "a=9 "},
    {"c a; w a 70", "l a b; k", "a=70 "},
    {"c a; w a 70", "l a b; S .; k", "a=70 b=70 "},
    {"c a; w a 70", "r a b; k", "a=70 "},
    {"c a; w a 70", "r a b; S .; k", "b=70 "},
    {"c a; w a 70", "o a; w a 5; r a b; k", "a=70 "},
    {"c a; w a 70", "r a b; r b e; k", "a=70 "},
    {"c a; w a 70", "r a b; S .; r b e; k", "b=70 "},
    // the usual way to replace a file, and what it takes
    {"c a; w a 70", "c t; w t 9; s t; r t a; k", "a=70 "},
    {"c a; w a 70", "c t; w t 9; r t a; S .; k", "a=0 "},
    {"c a; w a 70", "c t; w t 9; s t; r t a; S .; k", "a=9 "},
    {"c a; w a 70", "c t; w t 9; s t; r t a; S .; c t; w t 8; s t; r t a; k", "a=9 "},
    {"c a; w a 70", "c t; s t; r t a; c t; w t 1; s t; r t a; k", "a=70 "},
    {"c a; w a 70; c t", "r t a; u a; k", ""},
    // folders
    {"", "m d; k", ""},
    {"", "m d; S .; k", "d/ "},
    {"", "m d; S .; c d/a; w d/a 5; s d/a; k", "d/ "},
    {"", "m d; S .; c d/a; w d/a 5; s d/a; S d; k", "d/ d/a=5 "},
    {"", "m d; c d/a; w d/a 5; s d/a; S d; k", ""},
    {"", "m d; u d; k", ""},
    {"m d; c d/a; w d/a 5", "r d/a b; S .; k", "d/ d/a=5 "},
    {"m d; c d/a; w d/a 5", "r d/a b; S .; S d; k", "b=5 d/ "},
    {"m e; c e/a; w e/a 5", "r e d; c d/b; s d/b; k", "e/ "},
    {"m e; c e/a; w e/a 5", "c e/b; r e d; S .; k", "d/ d/a=5 "},
    {"m e; c e/a; w e/a 5", "c e/b; S e; r e d; S .; k", "d/ d/a=5 d/b=0 "},
};

// Plays a row and compares what the cut leaves.
static void check_row(const struct cut_row *row) {
    fresh();
    assert_int_equal(play(row->before, false, NULL), 0);
    int status = play(row->script, true, &(struct crash_kill){0});
    bool kills = strchr(row->script, 'k') != NULL;
    if (kills ? !WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL : status != 0) {
        fail_msg("\"%s\" ended with status %d", row->script, status);
    }
    cut(0);
    if (strcmp(listing(), row->expected) != 0) {
        fail_msg("after \"%s\": \"%s\" left \"%s\", not \"%s\"", row->before, row->script,
                 listing(), row->expected);
    }
    assert_int_not_equal(access(run.journal, F_OK), 0); // and nothing of the journal is left
}

static void what_a_cut_leaves(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof cut_rows / sizeof cut_rows[0]; i++) {
        check_row(&cut_rows[i]);
    }
}

// The journal goes on over several processes that follow each other.
static void several_processes_share_a_journal(void **state) {
    (void)state;
    fresh();
    assert_int_equal(play("c a; w a 10; s a; S .; w a 5", true, &(struct crash_kill){0}), 0);
    assert_int_equal(play("o a; w a 5; c b", true, &(struct crash_kill){0}), 0);
    cut(0);
    assert_string_equal(listing(), "a=10 ");
    cut(0); // nothing more to cut
    assert_string_equal(listing(), "a=10 ");
}

static void it_kills_at_the_nth(void **state) {
    (void)state;
    static const char script[] = "c a.log; c b; S .; w b 1; s b; w a.log 10; s a.log; w a.log 20; "
                                 "d a.log; w a.log 30; s a.log";
    static const struct {
        struct crash_kill kill;
        const char *uncut, *cut;
    } rows[] = {
        {{1, "sync", "before", NULL}, "a.log=10 b=1 ", "a.log=0 b=1 "},
        {{1, "sync", "after", NULL}, "a.log=10 b=1 ", "a.log=10 b=1 "},
        {{2, "sync", "before", NULL}, "a.log=30 b=1 ", "a.log=10 b=1 "},
        {{2, "sync", "after", NULL}, "a.log=30 b=1 ", "a.log=30 b=1 "},
        {{3, "sync", "after", ".log"}, "a.log=60 b=1 ", "a.log=60 b=1 "},
        {{1, "sync", "before", ""}, "a.log=0 b=0 ", ""}, // the folder's
        {{1, "sync", "after", ""}, "a.log=0 b=0 ", "a.log=0 b=0 "},
        {{2, "sync", "before", ""}, "a.log=0 b=1 ", "a.log=0 b=0 "},
        {{1, "sync", "before", "b"}, "a.log=0 b=1 ", "a.log=0 b=0 "},
        {{2, "write", "before", NULL}, "a.log=10 b=1 ", "a.log=10 b=1 "},
        {{2, "write", "during", NULL}, "a.log=20 b=1 ", "a.log=10 b=1 "},
        {{2, "write", "after", NULL}, "a.log=30 b=1 ", "a.log=10 b=1 "},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        fresh();
        int status = play(script, true, &rows[i].kill);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        assert_string_equal(listing(), rows[i].uncut);
        cut(0);
        assert_string_equal(listing(), rows[i].cut);
    }
    fresh(); // never reached
    assert_int_equal(play(script, true, &(struct crash_kill){4, "sync", "after", NULL}), 0);
}

// A seeded cut lies between the harshest and none, and the same seed cuts the same.
static void seeded_cuts_lie_in_between(void **state) {
    (void)state;
    static const char script[] = "c a; w a 100; s a; S .; w a 9000; c b; c e; r b f; k";
    bool some_names = false, all_names = false, no_names = false, some_bytes = false;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        char first[2048] = "";
        for (int again = 0; again < 2; again++) {
            fresh();
            assert_true(WIFSIGNALED(play(script, true, &(struct crash_kill){0})));
            cut(seed);
            if (again == 1) {
                assert_string_equal(listing(), first);
            }
            snprintf(first, sizeof first, "%s", listing());
        }
        assert_memory_equal(first, "a=", 2);
        char *names = NULL;
        long size = strtol(first + 2, &names, 10);
        names++; // the blank
        assert_in_range(size, 100, 9100);
        some_bytes = some_bytes || (size > 100 && size < 9100);
        no_names = no_names || strcmp(names, "") == 0;
        all_names = all_names || strcmp(names, "e=0 f=0 ") == 0;
        some_names = some_names || strcmp(names, "b=0 ") == 0 || strcmp(names, "b=0 e=0 ") == 0;
    }
    assert_true(some_bytes && no_names && all_names && some_names);
}

// What it can't model ends the process loudly, and the cut refuses what it can't judge.
static void refusals(void **state) {
    (void)state;
    fresh();
    char script[1200];
    snprintf(script, sizeof script, "c a; r a %s/../outside-%d", run.root, (int)getpid());
    int status = play(script, true, &(struct crash_kill){0});
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);

    struct power_cut_result result;
    char words[256];
    char other[1100];
    snprintf(other, sizeof other, "%s/..", run.root);
    assert_false(power_cut(other, run.journal, 0, &result, words));
    assert_string_equal(words, "the journal is of another folder");
    assert_false(power_cut("/no/such/folder", run.journal, 0, &result, words));
    assert_true(power_cut(run.root, "/no/such/journal", 0, &result, words)); // nothing was touched
    cut(0);

    fresh(); // while a process runs
    char *const arguments[] = {run.root, (char *)(uintptr_t) "c a; S .", NULL};
    assert_int_equal(
        crash_run_wait(crash_run_start(&run, run.program, arguments, &(struct crash_kill){0})), 0);
    int fd = open(run.journal, O_RDONLY);
    assert_true(fd >= 0);
    assert_int_equal(crash_lock(fd), 0);
    assert_false(power_cut(run.root, run.journal, 0, &result, words));
    assert_string_equal(words, "another process uses the journal");
    close(fd);
    cut(0);
}

static void the_tool_cuts_as_well(void **state) {
    (void)state;
    fresh();
    assert_true(
        WIFSIGNALED(play("c a; S .; w a 10; s a; w a 5; k", true, &(struct crash_kill){0})));
    char *const arguments[] = {run.root, run.journal, NULL};
    assert_int_equal(crash_run_wait(crash_run_start(&run, run.tool, arguments, NULL)), 0);
    assert_string_equal(listing(), "a=10 ");
    char *const none[] = {NULL};
    int status = crash_run_wait(crash_run_start(&run, run.tool, none, NULL));
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 2);
}

int main(int argc, char **argv) {
    if (argc != 4) {
        fprintf(stderr, "usage: power_shim_test SHIM PROGRAM POWER_CUT\n");
        return 2;
    }
    if (crash_sanitized()) {
        return crash_print_skipped("power_shim", "an LD_PRELOAD library and a sanitizer's runtime "
                                                 "don't go together");
    }
    run = (struct crash_run){.shim = argv[1], .program = argv[2], .tool = argv[3]};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_cut_leaves),
        cmocka_unit_test(several_processes_share_a_journal),
        cmocka_unit_test(it_kills_at_the_nth),
        cmocka_unit_test(seeded_cuts_lie_in_between),
        cmocka_unit_test(refusals),
        cmocka_unit_test(the_tool_cuts_as_well),
    };
    return cmocka_run_group_tests_name("power_shim", tests, NULL, NULL);
}
