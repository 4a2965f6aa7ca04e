// Kills a process that appends to the log, again and again, with and without a power cut, and
// checks each time that all that was acknowledged is there, in one unbroken run, with the views
// that follow from it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/crash/power_cut.h"
#include "tests/crash/run.h"
#include "tests/support/random.h"
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define APPENDS_MAX 60

static struct crash_run run;
static int rounds; // of each kind

// Starts the child and reads the sequences that it writes; kills it after `kill_after` of them (0:
// nobody, or the shim does). Returns the last one, or 0 for none, and its wait status.
static uint64_t run_child(const char *part, uint64_t number, const struct crash_kill *kill_at,
                          uint64_t kill_after, int *status) {
    int pipes[2];
    char folder[1100], text[32], fd[16];
    assert_int_equal(pipe(pipes), 0);
    snprintf(folder, sizeof folder, "%s/db", run.root);
    snprintf(text, sizeof text, "%llu", (unsigned long long)number);
    snprintf(fd, sizeof fd, "%d", pipes[1]);
    char *const arguments[] = {(char *)(uintptr_t)part, folder, text, fd, NULL};
    pid_t child = crash_run_start(&run, run.program, arguments, kill_at);
    close(pipes[1]);
    uint64_t last = 0, sequence = 0, seen = 0;
    while (read(pipes[0], &sequence, sizeof sequence) == (ssize_t)sizeof sequence) {
        last = sequence;
        if (++seen == kill_after) {
            kill(child, SIGKILL);
        }
    }
    close(pipes[0]);
    *status = crash_run_wait(child);
    return last;
}

// Appends until the end or the kill. Returns the last acknowledged sequence, or 0.
static uint64_t append_some(const struct crash_kill *kill_at, uint64_t kill_after) {
    int status = 0;
    uint64_t last = run_child("append", APPENDS_MAX, kill_at, kill_after, &status);
    if (!(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) && status != 0) {
        fail_msg("the appending child ended with status %d", status);
    }
    return last;
}

// Recovers and checks in a process of its own, under the shim as well where there is one: what a
// recovery leaves unsynced is lost to the next cut. Returns the head.
static uint64_t check(uint64_t acknowledged, bool with_shim) {
    const struct crash_kill never = {0};
    int status = 0;
    uint64_t head = run_child("check", acknowledged, with_shim ? &never : NULL, 0, &status);
    if (status != 0) {
        fail_msg("the check ended with status %d; its words are above", status);
    }
    return head;
}

// kill -9 alone: what was written stays, synced or not.
static void kills(void **state) {
    (void)state;
    struct test_random random = test_random_seeded("log_crash kills", 20240601);
    uint64_t acknowledged = 0;
    for (int round = 0; round < rounds; round++) {
        if (round % 10 == 0) {
            crash_run_folders(&run, "kills", round);
            acknowledged = 0;
        }
        uint64_t last = append_some(NULL, (uint64_t)test_random_range(&random, 1, APPENDS_MAX));
        acknowledged = last > acknowledged ? last : acknowledged;
        acknowledged = check(acknowledged, false);
    }
}

static struct crash_kill random_kill(struct test_random *random) {
    static const char *const whens[] = {"before", "after", "during"};
    bool on_write = test_random_range(random, 0, 1) == 1;
    bool any_file = test_random_range(random, 0, 2) == 0; // MANIFEST, CURRENT, tables, folders
    return (struct crash_kill){
        .at = (uint64_t)test_random_range(random, 1, any_file ? 2 * APPENDS_MAX : APPENDS_MAX),
        .on = on_write ? "write" : "sync",
        .when = whens[test_random_range(random, 0, on_write ? 2 : 1)],
        .file = any_file ? "" : ".log",
    };
}

static void cut_power(uint64_t seed, struct power_cut_result *sum) {
    struct power_cut_result result;
    char words[256];
    if (!power_cut(run.root, run.journal, seed, &result, words)) {
        fail_msg("power_cut: %s", words);
    }
    sum->names_undone += result.names_undone;
    sum->files_cut += result.files_cut;
    sum->bytes_cut += result.bytes_cut;
    sum->pages_lost += result.pages_lost;
}

// Every second cut is the harshest, the others leave some of what wasn't synced.
static void power_cuts(void **state) {
    (void)state;
    struct test_random random = test_random_seeded("log_crash power cuts", 20240602);
    struct power_cut_result sum = {0};
    uint64_t acknowledged = 0, total = 0;
    for (int round = 0; round < rounds; round++) {
        if (round % 5 == 0) { // so that the making of a store is cut as well
            crash_run_folders(&run, "cuts", round);
            acknowledged = 0;
        }
        struct crash_kill kill_at = random_kill(&random);
        uint64_t seed = round % 2 == 0 ? 0 : test_random_next(&random) | 1;
        printf("# round %d: at %s %d of \"%s\" files, %s, cut %llu\n", round, kill_at.on,
               (int)kill_at.at, kill_at.file, kill_at.when, (unsigned long long)seed);
        uint64_t last = append_some(&kill_at, 0);
        cut_power(seed, &sum);
        acknowledged = last > acknowledged ? last : acknowledged;
        total += acknowledged;
        acknowledged = check(acknowledged, true);
    }
    printf("# names undone %u, files cut %u, bytes %llu, pages lost %u\n", sum.names_undone,
           sum.files_cut, (unsigned long long)sum.bytes_cut, sum.pages_lost);
    assert_true(total > 0);
    assert_true(sum.files_cut > 0 && sum.bytes_cut > 0);
}

// The making of a store, cut before every sync of any file or folder in turn until it is made.
static void cuts_while_a_store_is_made(void **state) {
    (void)state;
    struct power_cut_result sum = {0};
    uint64_t last = 0;
    for (uint64_t at = 1; last == 0 && at < 200; at++) {
        crash_run_folders(&run, "made", (int)at);
        last = append_some(&(struct crash_kill){at, "sync", "before", ""}, 0);
        cut_power(0, &sum);
        check(last, true);
    }
    assert_true(last > 0);
    assert_true(sum.names_undone > 0);
    printf("# names undone %u, files cut %u\n", sum.names_undone, sum.files_cut);
}

// The append under way was in the file already, and a cut takes it; those before it stay.
static void the_append_under_way_is_lost(void **state) {
    (void)state;
    struct power_cut_result sum = {0};
    crash_run_folders(&run, "under-way", 0);
    uint64_t last = append_some(&(struct crash_kill){.at = 12, .on = "sync", .when = "before"}, 0);
    assert_true(last > 0);
    cut_power(0, &sum);
    assert_true(sum.bytes_cut > 0);
    assert_true(check(last, true) == last);
}

// This test can fail: who acknowledges without a sync is found out.
static void a_cheat_is_found_out(void **state) {
    (void)state;
    const struct crash_kill kill_at = {.at = 20, .on = "write", .when = "after"}, never = {0};
    struct power_cut_result sum = {0};
    int status = 0;
    crash_run_folders(&run, "cheat", 0);
    uint64_t last = run_child("cheat", APPENDS_MAX, &kill_at, 0, &status);
    assert_true(last > 0 && WIFSIGNALED(status));
    cut_power(0, &sum);
    run_child("check", last, &never, 0, &status);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 6);
}

int main(int argc, char **argv) {
    if (argc != 3) {
        fprintf(stderr, "usage: log_crash_test SHIM CHILD\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    run = (struct crash_run){.shim = argv[1], .program = argv[2]};
    const char *nightly = getenv("GW_CRASH_ROUNDS");
    rounds = nightly != NULL ? (int)strtol(nightly, NULL, 10) : 20;
    const struct CMUnitTest plain[] = {cmocka_unit_test(kills)};
    if (crash_sanitized()) {
        rounds = 4; // RocksDB is slow there
        return cmocka_run_group_tests_name("log_crash", plain, NULL, NULL) +
               crash_print_skipped("log_crash power_cuts",
                                   "an LD_PRELOAD library and a sanitizer's runtime don't go "
                                   "together");
    }
    const struct CMUnitTest cut[] = {
        cmocka_unit_test(power_cuts),
        cmocka_unit_test(cuts_while_a_store_is_made),
        cmocka_unit_test(the_append_under_way_is_lost),
        cmocka_unit_test(a_cheat_is_found_out),
    };
    return cmocka_run_group_tests_name("log_crash", plain, NULL, NULL) +
           cmocka_run_group_tests_name("log_crash power cuts", cut, NULL, NULL);
}
