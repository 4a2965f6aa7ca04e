// Running programs under the power-loss shim, for crash tests.
#ifndef GW_TESTS_CRASH_RUN_H
#define GW_TESTS_CRASH_RUN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct crash_run {
    const char *shim, *program, *tool; // paths, from where the test runs
    char root[1024], journal[1024];    // of the row or round at hand
};

// When the shim ends the process; see power_shim.c. `at` 0: never. NULL: the shim's default.
struct crash_kill {
    uint64_t at;
    const char *on, *when, *file;
};

// A new, empty folder in run->root and a journal beside it, in the test's own folder.
void crash_run_folders(struct crash_run *run, const char *name, int number);

// Starts a program with these arguments (NULL at the end, without its name), under the shim where
// `kill` is given. Returns its process id; ends the test's process when it can't.
pid_t crash_run_start(const struct crash_run *run, const char *program, char *const arguments[],
                      const struct crash_kill *kill);
// Waits for it; returns its wait status.
int crash_run_wait(pid_t child);

// flock, exclusive, not waiting. 0: taken.
int crash_lock(int fd);

// Whether this program was built with a sanitizer, whose runtime must come first in a process and
// so can't stand an LD_PRELOAD library.
bool crash_sanitized(void);
// Reports a whole test as skipped in cmocka's words. Returns 0.
int crash_print_skipped(const char *name, const char *why);

#endif
