#include "tests/crash/run.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARGUMENTS_MAX 16

static void give_up(const char *words) {
    perror(words);
    exit(1);
}

void crash_run_folders(struct crash_run *run, const char *name, int number) {
    const char *folder = getenv("TEST_TMPDIR");
    folder = folder != NULL ? folder : ".";
    snprintf(run->root, sizeof run->root, "%s/%s-%d-%d", folder, name, (int)getpid(), number);
    snprintf(run->journal, sizeof run->journal, "%s/%s-%d-%d.journal", folder, name, (int)getpid(),
             number);
    if (mkdir(run->root, 0700) != 0) {
        give_up(run->root);
    }
}

static void set(const char *name, const char *value) {
    if (value == NULL ? unsetenv(name) != 0 : setenv(name, value, 1) != 0) {
        _exit(126);
    }
}

// In the child.
static void set_environment(const struct crash_run *run, const struct crash_kill *kill) {
    char shim[4096], at[32];
    if (realpath(run->shim, shim) == NULL) {
        _exit(126);
    }
    snprintf(at, sizeof at, "%llu", (unsigned long long)kill->at);
    set("LD_PRELOAD", shim);
    set("GW_POWER_SHIM_ROOT", run->root);
    set("GW_POWER_SHIM_JOURNAL", run->journal);
    set("GW_POWER_SHIM_KILL_AT", at);
    set("GW_POWER_SHIM_KILL_ON", kill->on);
    set("GW_POWER_SHIM_KILL_WHEN", kill->when);
    set("GW_POWER_SHIM_KILL_FILE", kill->file);
}

pid_t crash_run_start(const struct crash_run *run, const char *program, char *const arguments[],
                      const struct crash_kill *kill) {
    char *all[ARGUMENTS_MAX + 2] = {(char *)(uintptr_t)program};
    for (int i = 0; arguments[i] != NULL; i++) {
        if (i == ARGUMENTS_MAX) {
            errno = E2BIG;
            give_up(program);
        }
        all[i + 1] = arguments[i];
    }
    fflush(NULL);
    pid_t child = fork();
    if (child < 0) {
        give_up("fork");
    }
    if (child == 0) {
        if (kill != NULL) {
            set_environment(run, kill);
        }
        execv(program, all);
        _exit(127);
    }
    return child;
}

int crash_run_wait(pid_t child) {
    int status = 0;
    while (waitpid(child, &status, 0) != child) {
        if (errno != EINTR) {
            give_up("waitpid");
        }
    }
    return status;
}

int crash_lock(int fd) {
    return flock(fd, LOCK_EX | LOCK_NB);
}

bool crash_sanitized(void) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    return true;
#elif defined(__has_feature)
    return __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
    return false;
#endif
}

int crash_print_skipped(const char *name, const char *why) {
    printf("[==========] Running 1 test(s).\n[ RUN      ] %s\n", name);
    printf("# skipped: %s\n", why);
    printf("[  SKIPPED ] %s\n[==========] 1 test(s) run.\n", name);
    printf("[  PASSED  ] 0 test(s).\n[  SKIPPED ] 1 test(s), listed below:\n[  SKIPPED ] %s\n",
           name);
    return 0;
}
