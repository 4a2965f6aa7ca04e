// What the files of the shim share: the real functions, the settings, the journal and its lock.
//
// A wrapper begins with `shim_enter` (false: call the real function and nothing else) and ends with
// `shim_leave`; in between our own calls of wrapped functions go straight through.
#ifndef GW_TESTS_CRASH_POWER_SHIM_H
#define GW_TESTS_CRASH_POWER_SHIM_H

#include "tests/crash/power_journal.h"
#include <pthread.h>
#include <stdio.h>
#include <sys/uio.h>

#define SHIM_EXPORT __attribute__((visibility("default")))
#define SHIM_FDS_MAX 65536

extern struct shim_real {
    int (*openat)(int dir, const char *path, int flags, ...);
    FILE *(*fopen)(const char *path, const char *mode);
    FILE *(*freopen)(const char *path, const char *mode, FILE *stream);
    int (*mkostemps)(char *template, int suffix, int flags);
    ssize_t (*write)(int fd, const void *bytes, size_t size);
    ssize_t (*pwrite)(int fd, const void *bytes, size_t size, off_t offset);
    ssize_t (*writev)(int fd, const struct iovec *parts, int count);
    ssize_t (*pwritev)(int fd, const struct iovec *parts, int count, off_t offset);
    int (*fsync)(int fd);
    int (*fdatasync)(int fd);
    int (*ftruncate)(int fd, off_t size);
    int (*truncate)(const char *path, off_t size);
    int (*renameat2)(int from_dir, const char *from, int to_dir, const char *to, unsigned flags);
    int (*linkat)(int from_dir, const char *from, int to_dir, const char *to, int flags);
    int (*symlinkat)(const char *target, int dir, const char *path);
    int (*unlinkat)(int dir, const char *path, int flags);
    int (*mkdirat)(int dir, const char *path, mode_t mode);
} shim_real;

extern struct shim_state {
    char root[POWER_PATH_MAX]; // canonical; empty: nothing is watched
    struct power_journal journal;
    pthread_mutex_t mutex; // of the journal
    const char *kill_file, *kill_when;
    bool kill_on_write, real_sync;
    uint64_t kill_at; // 0: never
    _Atomic uint64_t kill_count;
    _Atomic unsigned char writes_through[SHIM_FDS_MAX]; // fds opened with O_SYNC or O_DSYNC
} shim;

// Ends the process: something can't be modelled.
_Noreturn void shim_die(const char *words);

bool shim_enter(void);
void shim_leave(void);

// Only a process that touches the folder opens the journal: a helper that it starts doesn't.
void shim_lock_journal(void);
void shim_unlock_journal(void);

bool shim_in_root(const char *path);
// The canonical path of an open file; false: none, or too long to be ours.
bool shim_path_of(int fd, char path[POWER_PATH_MAX]);
// Both, of an open file that lies in the watched folder.
bool shim_watches(int fd, struct stat *status);

#endif
