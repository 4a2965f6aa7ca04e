// The wrappers that open files and change names. See power_shim.c for what it is about.
#include "tests/crash/power_shim.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// A name in its folder.
struct place {
    char path[POWER_PATH_MAX];
    struct power_inode folder;
    bool watched;
};

// Resolves the folder, not the name itself. Not watched where there is no such folder.
static struct place place_of(int dir, const char *path) {
    struct place place = {.watched = false};
    char folder[PATH_MAX], canonical[POWER_PATH_MAX];
    size_t size = strlen(path);
    while (size > 1 && path[size - 1] == '/') {
        size--;
    }
    size_t base = size;
    while (base > 0 && path[base - 1] != '/') {
        base--;
    }
    if (base >= sizeof folder || size == base) {
        return place;
    }
    memcpy(folder, path, base);
    folder[base] = '\0';
    int fd = shim_real.openat(dir, base == 0 ? "." : folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct stat status;
    if (fd >= 0 && fstat(fd, &status) == 0 && shim_path_of(fd, canonical) &&
        shim_in_root(canonical)) {
        int written = snprintf(place.path, sizeof place.path, "%s/%.*s", canonical,
                               (int)(size - base), path + base);
        if (written >= (int)sizeof place.path) {
            shim_die("a path is too long");
        }
        place.folder = (struct power_inode){(uint64_t)status.st_dev, (uint64_t)status.st_ino};
        place.watched = true;
    }
    if (fd >= 0) {
        close(fd);
    }
    return place;
}

static struct power_change *new_change(enum power_kind kind) {
    struct power_change *change = power_new_change(&shim.journal, kind);
    if (change == NULL) {
        shim_die("the journal has no room for more changes of names");
    }
    return change;
}

// A name that appeared in a watched place.
static void note_name(enum power_kind kind, const struct place *place) {
    shim_lock_journal();
    struct power_change *change = new_change(kind);
    change->folders[0] = place->folder;
    power_copy_path(change->to, place->path);
    power_commit_change(&shim.journal);
    shim_unlock_journal();
}

static void make_file(const struct stat *status, int64_t synced) {
    if (power_make_file(&shim.journal, status, synced) == NULL) {
        shim_die("the journal has no room for more files");
    }
}

// --- opening ---

// After a file was opened so that it can change. What it held before is taken to be on disk.
static void note_opened(int fd, bool existed, int flags) {
    struct stat status;
    char path[POWER_PATH_MAX];
    if (fd < SHIM_FDS_MAX) {
        atomic_store(&shim.writes_through[fd], (flags & O_DSYNC) != 0);
    }
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) || !shim_path_of(fd, path) ||
        !shim_in_root(path)) {
        return;
    }
    shim_lock_journal();
    struct power_file *file = power_find_file(&shim.journal, &status);
    if (!existed) {
        make_file(&status, 0);
    } else if (file == NULL) {
        make_file(&status, (flags & O_TRUNC) != 0 ? 0 : status.st_size);
    } else if ((flags & O_TRUNC) != 0) {
        file->synced = 0;
    }
    shim_unlock_journal();
    if (!existed) {
        struct place place = place_of(AT_FDCWD, path);
        note_name(POWER_CREATE, &place);
    }
}

static int open_any(int dir, const char *path, int flags, mode_t mode) {
    bool changes = (flags & O_ACCMODE) != O_RDONLY || (flags & (O_CREAT | O_TRUNC)) != 0;
    if (!shim_enter()) {
        return shim_real.openat(dir, path, flags, mode);
    }
    bool existed = !changes || faccessat(dir, path, F_OK, 0) == 0;
    int fd = shim_real.openat(dir, path, flags, mode);
    if (fd >= 0 && changes) {
        int kept = errno;
        note_opened(fd, existed, flags);
        errno = kept;
    }
    shim_leave();
    return fd;
}

static mode_t mode_argument(int flags, va_list arguments) {
    bool creates = (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
    return creates ? va_arg(arguments, mode_t) : 0;
}

SHIM_EXPORT int open(const char *path, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = mode_argument(flags, arguments);
    va_end(arguments);
    return open_any(AT_FDCWD, path, flags, mode);
}

SHIM_EXPORT int openat(int dir, const char *path, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = mode_argument(flags, arguments);
    va_end(arguments);
    return open_any(dir, path, flags, mode);
}

SHIM_EXPORT int creat(const char *path, mode_t mode) {
    return open_any(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

static int flags_of_mode(const char *mode) {
    return *mode == 'w' ? O_CREAT | O_TRUNC : *mode == 'a' ? O_CREAT : 0;
}

SHIM_EXPORT FILE *fopen(const char *restrict path, const char *restrict mode) {
    if (!shim_enter()) {
        return shim_real.fopen(path, mode);
    }
    bool existed = access(path, F_OK) == 0;
    FILE *stream = shim_real.fopen(path, mode);
    if (stream != NULL && (*mode != 'r' || strchr(mode, '+') != NULL)) {
        note_opened(fileno(stream), existed, flags_of_mode(mode));
    }
    shim_leave();
    return stream;
}

SHIM_EXPORT FILE *freopen(const char *restrict path, const char *restrict mode,
                          FILE *restrict stream) {
    if (path == NULL || !shim_enter()) {
        return shim_real.freopen(path, mode, stream);
    }
    bool existed = access(path, F_OK) == 0;
    FILE *opened = shim_real.freopen(path, mode, stream);
    if (opened != NULL && (*mode != 'r' || strchr(mode, '+') != NULL)) {
        note_opened(fileno(opened), existed, flags_of_mode(mode));
    }
    shim_leave();
    return opened;
}

SHIM_EXPORT int mkostemps(char *template, int suffix, int flags) {
    if (!shim_enter()) {
        return shim_real.mkostemps(template, suffix, flags);
    }
    int fd = shim_real.mkostemps(template, suffix, flags);
    if (fd >= 0) {
        note_opened(fd, false, flags);
    }
    shim_leave();
    return fd;
}

// --- cutting ---

static void note_cut(const struct stat *status, off_t size) {
    shim_lock_journal();
    struct power_file *file = power_find_file(&shim.journal, status);
    if (file != NULL && file->synced > size) {
        file->synced = size;
    }
    shim_unlock_journal();
}

SHIM_EXPORT int ftruncate(int fd, off_t size) {
    if (!shim_enter()) {
        return shim_real.ftruncate(fd, size);
    }
    struct stat status;
    if (shim_watches(fd, &status)) {
        note_cut(&status, size);
    }
    int result = shim_real.ftruncate(fd, size);
    shim_leave();
    return result;
}

// Through an open file, so that it has a record from before.
SHIM_EXPORT int truncate(const char *path, off_t size) {
    int fd = open_any(AT_FDCWD, path, O_WRONLY | O_CLOEXEC, 0);
    if (fd < 0) {
        return -1;
    }
    int result = ftruncate(fd, size), kept = errno;
    close(fd);
    errno = kept;
    return result;
}

// --- names ---

// Keeps what a rename is about to replace. 0: nothing is replaced.
static uint32_t keep_aside(const struct place *to) {
    struct stat status;
    if (fstatat(AT_FDCWD, to->path, &status, AT_SYMLINK_NOFOLLOW) != 0) {
        return 0;
    }
    if (S_ISDIR(status.st_mode)) {
        shim_die("a rename replaces a folder");
    }
    char path[POWER_PATH_MAX + 16];
    uint32_t aside = shim.journal.shared->aside_next++;
    power_aside_path(&shim.journal, aside, path);
    if (shim_real.linkat(AT_FDCWD, to->path, AT_FDCWD, path, 0) != 0) {
        shim_die("can't keep what a rename replaces; the journal must lie on the same file system");
    }
    return aside;
}

static void note_rename(const struct place *from, const struct place *to, uint32_t aside,
                        bool folder) {
    struct power_change *change = new_change(POWER_RENAME);
    change->folders[0] = from->folder;
    change->folders[1] = to->folder;
    change->aside = aside;
    power_copy_path(change->from, from->path);
    power_copy_path(change->to, to->path);
    if (folder) {
        power_folder_moved(&shim.journal, from->path, to->path);
    }
    power_commit_change(&shim.journal);
}

static int rename_watched(const struct place *from, const struct place *to, unsigned flags) {
    struct stat status, target;
    if ((flags & RENAME_EXCHANGE) != 0) {
        shim_die("an exchange of names");
    }
    bool there = fstatat(AT_FDCWD, from->path, &status, AT_SYMLINK_NOFOLLOW) == 0;
    bool same = there && fstatat(AT_FDCWD, to->path, &target, AT_SYMLINK_NOFOLLOW) == 0 &&
                status.st_ino == target.st_ino && status.st_dev == target.st_dev;
    if (!there || same || (flags & RENAME_NOREPLACE) != 0) {
        int result = shim_real.renameat2(AT_FDCWD, from->path, AT_FDCWD, to->path, flags);
        if (result == 0 && !same) {
            note_rename(from, to, 0, S_ISDIR(status.st_mode));
        }
        return result;
    }
    uint32_t aside = keep_aside(to);
    int result = shim_real.renameat2(AT_FDCWD, from->path, AT_FDCWD, to->path, flags);
    if (result == 0) {
        note_rename(from, to, aside, S_ISDIR(status.st_mode));
    } else if (aside != 0) {
        int kept = errno;
        char path[POWER_PATH_MAX + 16];
        power_aside_path(&shim.journal, aside, path);
        shim_real.unlinkat(AT_FDCWD, path, 0);
        errno = kept;
    }
    return result;
}

SHIM_EXPORT int renameat2(int from_dir, const char *from, int to_dir, const char *to,
                          unsigned flags) {
    if (!shim_enter()) {
        return shim_real.renameat2(from_dir, from, to_dir, to, flags);
    }
    struct place old = place_of(from_dir, from), new = place_of(to_dir, to);
    int result;
    if (old.watched && new.watched) {
        shim_lock_journal();
        result = rename_watched(&old, &new, flags);
        shim_unlock_journal();
    } else {
        if (old.watched || new.watched) {
            shim_die("a rename across the border of the watched folder");
        }
        result = shim_real.renameat2(from_dir, from, to_dir, to, flags);
    }
    shim_leave();
    return result;
}

SHIM_EXPORT int renameat(int from_dir, const char *from, int to_dir, const char *to) {
    return renameat2(from_dir, from, to_dir, to, 0);
}

SHIM_EXPORT int rename(const char *from, const char *to) {
    return renameat2(AT_FDCWD, from, AT_FDCWD, to, 0);
}

SHIM_EXPORT int linkat(int from_dir, const char *from, int to_dir, const char *to, int flags) {
    if (!shim_enter()) {
        return shim_real.linkat(from_dir, from, to_dir, to, flags);
    }
    struct place place = place_of(to_dir, to);
    int result = shim_real.linkat(from_dir, from, to_dir, to, flags);
    if (result == 0 && place.watched) {
        note_name(POWER_LINK, &place);
    }
    shim_leave();
    return result;
}

SHIM_EXPORT int link(const char *from, const char *to) {
    return linkat(AT_FDCWD, from, AT_FDCWD, to, 0);
}

SHIM_EXPORT int symlinkat(const char *target, int dir, const char *path) {
    if (!shim_enter()) {
        return shim_real.symlinkat(target, dir, path);
    }
    struct place place = place_of(dir, path);
    int result = shim_real.symlinkat(target, dir, path);
    if (result == 0 && place.watched) {
        note_name(POWER_LINK, &place);
    }
    shim_leave();
    return result;
}

SHIM_EXPORT int symlink(const char *target, const char *path) {
    return symlinkat(target, AT_FDCWD, path);
}

SHIM_EXPORT int mkdirat(int dir, const char *path, mode_t mode) {
    if (!shim_enter()) {
        return shim_real.mkdirat(dir, path, mode);
    }
    struct place place = place_of(dir, path);
    int result = shim_real.mkdirat(dir, path, mode);
    if (result == 0 && place.watched) {
        note_name(POWER_MKDIR, &place);
    }
    shim_leave();
    return result;
}

SHIM_EXPORT int mkdir(const char *path, mode_t mode) {
    return mkdirat(AT_FDCWD, path, mode);
}

SHIM_EXPORT int unlinkat(int dir, const char *path, int flags) {
    if (!shim_enter()) {
        return shim_real.unlinkat(dir, path, flags);
    }
    struct place place = place_of(dir, path);
    int result = shim_real.unlinkat(dir, path, flags);
    if (result == 0 && place.watched) {
        shim_lock_journal();
        power_name_removed(&shim.journal, place.path);
        shim_unlock_journal();
    }
    shim_leave();
    return result;
}

SHIM_EXPORT int unlink(const char *path) {
    return unlinkat(AT_FDCWD, path, 0);
}

SHIM_EXPORT int rmdir(const char *path) {
    return unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
}

SHIM_EXPORT int remove(const char *path) {
    int result = unlinkat(AT_FDCWD, path, 0);
    return result != 0 && (errno == EISDIR || errno == EPERM) ? rmdir(path) : result;
}
