// A disk that loses its cache, as an LD_PRELOAD library. See README.md.
//
//   GW_POWER_SHIM_ROOT      the folder to watch (unset: nothing is watched)
//   GW_POWER_SHIM_JOURNAL   a file outside of it, made when missing
//   GW_POWER_SHIM_SYNC      "real": also sync; else the model alone is the disk (faster)
//   GW_POWER_SHIM_KILL_AT   N: SIGKILL at this process' N-th sync (or write) within the folder
//   GW_POWER_SHIM_KILL_ON   "sync" (fsync, fdatasync; the default) or "write"
//   GW_POWER_SHIM_KILL_WHEN "before" (the default), "after", or "during": half of a write done
//   GW_POWER_SHIM_KILL_FILE only files whose names end so; ".log" (RocksDB's write-ahead log) by
//                           default, "" for every file and folder
//
// What can't be modelled (a rename across the folder's border, an exchange of names, a full
// journal) ends the process with words and abort(): a test must not grow weaker unnoticed.
#include "tests/crash/power_shim.h"
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct shim_real shim_real;
struct shim_state shim = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static pthread_once_t resolved_once = PTHREAD_ONCE_INIT, configured_once = PTHREAD_ONCE_INIT,
                      opened_once = PTHREAD_ONCE_INIT;
static _Thread_local bool inside;

void shim_die(const char *words) {
    static const char front[] = "power shim: ", end[] = "\n";
    (void)!shim_real.write(2, front, sizeof front - 1);
    (void)!shim_real.write(2, words, strlen(words));
    (void)!shim_real.write(2, end, 1);
    abort();
}

static void resolve_real(void) {
    const struct {
        const char *name;
        void *slot;
    } rows[] = {
        {"openat", &shim_real.openat},       {"fopen", &shim_real.fopen},
        {"freopen", &shim_real.freopen},     {"mkostemps", &shim_real.mkostemps},
        {"write", &shim_real.write},         {"pwrite", &shim_real.pwrite},
        {"writev", &shim_real.writev},       {"pwritev", &shim_real.pwritev},
        {"fsync", &shim_real.fsync},         {"fdatasync", &shim_real.fdatasync},
        {"ftruncate", &shim_real.ftruncate}, {"truncate", &shim_real.truncate},
        {"renameat2", &shim_real.renameat2}, {"linkat", &shim_real.linkat},
        {"symlinkat", &shim_real.symlinkat}, {"unlinkat", &shim_real.unlinkat},
        {"mkdirat", &shim_real.mkdirat},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        void *symbol = dlsym(RTLD_NEXT, rows[i].name);
        if (symbol == NULL) {
            abort();
        }
        memcpy(rows[i].slot, &symbol, sizeof symbol);
    }
}

static const char *setting(const char *name, const char *otherwise) {
    const char *text = getenv(name);
    return text != NULL ? text : otherwise;
}

static void configure(void) {
    const char *root = setting("GW_POWER_SHIM_ROOT", "");
    char canonical[PATH_MAX];
    if (*root == '\0') {
        return;
    }
    if (realpath(root, canonical) == NULL || strlen(canonical) >= sizeof shim.root) {
        shim_die("GW_POWER_SHIM_ROOT is no folder");
    }
    if (getenv("GW_POWER_SHIM_JOURNAL") == NULL) {
        shim_die("GW_POWER_SHIM_JOURNAL is not set");
    }
    shim.real_sync = strcmp(setting("GW_POWER_SHIM_SYNC", ""), "real") == 0;
    shim.kill_at = strtoull(setting("GW_POWER_SHIM_KILL_AT", "0"), NULL, 10);
    shim.kill_on_write = strcmp(setting("GW_POWER_SHIM_KILL_ON", "sync"), "write") == 0;
    shim.kill_when = setting("GW_POWER_SHIM_KILL_WHEN", "before");
    shim.kill_file = setting("GW_POWER_SHIM_KILL_FILE", ".log");
    power_copy_path(shim.root, canonical);
}

static void open_journal(void) {
    const char *path = getenv("GW_POWER_SHIM_JOURNAL");
    size_t size = strlen(shim.root);
    if (strncmp(path, shim.root, size) == 0 && path[size] == '/') {
        shim_die("the journal lies within the watched folder");
    }
    const char *wrong = power_journal_open(&shim.journal, path, shim.root);
    if (wrong != NULL) {
        shim_die(wrong);
    }
}

bool shim_enter(void) {
    pthread_once(&resolved_once, resolve_real);
    if (inside) {
        return false;
    }
    inside = true;
    pthread_once(&configured_once, configure);
    if (shim.root[0] == '\0') {
        inside = false;
        return false;
    }
    return true;
}

void shim_leave(void) {
    inside = false;
}

void shim_lock_journal(void) {
    pthread_once(&opened_once, open_journal);
    pthread_mutex_lock(&shim.mutex);
}

void shim_unlock_journal(void) {
    pthread_mutex_unlock(&shim.mutex);
}

bool shim_in_root(const char *path) {
    size_t size = strlen(shim.root);
    return strncmp(path, shim.root, size) == 0 && (path[size] == '/' || path[size] == '\0');
}

bool shim_path_of(int fd, char path[POWER_PATH_MAX]) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, path, POWER_PATH_MAX - 1);
    if (size <= 0 || size == POWER_PATH_MAX - 1) {
        return false;
    }
    path[size] = '\0';
    return true;
}

bool shim_watches(int fd, struct stat *status) {
    char path[POWER_PATH_MAX];
    return fstat(fd, status) == 0 && shim_path_of(fd, path) && shim_in_root(path);
}

// --- the moment to die ---

enum kill_point { KILL_SYNC, KILL_WRITE };

// Whether this is the call to die at. Each call asks once.
static bool is_fatal(int fd, enum kill_point point) {
    char path[POWER_PATH_MAX];
    if (shim.kill_at == 0 || shim.kill_on_write != (point == KILL_WRITE) ||
        !shim_path_of(fd, path) || !shim_in_root(path)) {
        return false;
    }
    size_t size = strlen(path), end = strlen(shim.kill_file);
    return size >= end && strcmp(path + size - end, shim.kill_file) == 0 &&
           atomic_fetch_add(&shim.kill_count, 1) + 1 == shim.kill_at;
}

static bool dies(const char *when) {
    return strcmp(shim.kill_when, when) == 0;
}

static void die_if(bool fatal) {
    if (fatal) {
        kill(getpid(), SIGKILL);
        pause();
    }
}

// --- writing ---

// Where a write to a file opened with O_SYNC ended, it is on disk, if all before it is.
static void note_written(int fd, ssize_t size, off_t offset) {
    struct stat status;
    if (size <= 0 || fd < 0 || fd >= SHIM_FDS_MAX || !atomic_load(&shim.writes_through[fd]) ||
        (fcntl(fd, F_GETFL) & O_DSYNC) == 0 || fstat(fd, &status) != 0) {
        return;
    }
    off_t end = offset < 0 ? lseek(fd, 0, SEEK_CUR) : offset + size;
    shim_lock_journal();
    struct power_file *file = power_find_file(&shim.journal, &status);
    if (file != NULL && end - size <= file->synced && end > file->synced) {
        file->synced = end;
    }
    shim_unlock_journal();
}

// Of a scattered write that is to die halfway nothing is done.
static ssize_t write_any(int fd, const struct iovec *parts, int count, off_t offset) {
    bool fatal = is_fatal(fd, KILL_WRITE);
    if (fatal && dies("during") && count == 1) {
        (void)!(offset < 0 ? shim_real.write(fd, parts->iov_base, parts->iov_len / 2)
                           : shim_real.pwrite(fd, parts->iov_base, parts->iov_len / 2, offset));
    }
    die_if(fatal && !dies("after"));
    ssize_t written;
    if (count == 1) {
        written = offset < 0 ? shim_real.write(fd, parts->iov_base, parts->iov_len)
                             : shim_real.pwrite(fd, parts->iov_base, parts->iov_len, offset);
    } else {
        written = offset < 0 ? shim_real.writev(fd, parts, count)
                             : shim_real.pwritev(fd, parts, count, offset);
    }
    int kept = errno;
    die_if(fatal);
    note_written(fd, written, offset);
    errno = kept;
    return written;
}

SHIM_EXPORT ssize_t write(int fd, const void *bytes, size_t size) {
    if (!shim_enter()) {
        return shim_real.write(fd, bytes, size);
    }
    struct iovec part = {(void *)(uintptr_t)bytes, size};
    ssize_t written = write_any(fd, &part, 1, -1);
    shim_leave();
    return written;
}

SHIM_EXPORT ssize_t pwrite(int fd, const void *bytes, size_t size, off_t offset) {
    if (offset < 0 || !shim_enter()) {
        return shim_real.pwrite(fd, bytes, size, offset);
    }
    struct iovec part = {(void *)(uintptr_t)bytes, size};
    ssize_t written = write_any(fd, &part, 1, offset);
    shim_leave();
    return written;
}

SHIM_EXPORT ssize_t writev(int fd, const struct iovec *parts, int count) {
    if (count < 1 || !shim_enter()) {
        return shim_real.writev(fd, parts, count);
    }
    ssize_t written = write_any(fd, parts, count, -1);
    shim_leave();
    return written;
}

SHIM_EXPORT ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset) {
    if (count < 1 || offset < 0 || !shim_enter()) {
        return shim_real.pwritev(fd, parts, count, offset);
    }
    ssize_t written = write_any(fd, parts, count, offset);
    shim_leave();
    return written;
}

// --- syncing ---

static int sync_any(int fd, int (*sync)(int fd)) {
    bool fatal = is_fatal(fd, KILL_SYNC);
    die_if(fatal && !dies("after"));
    struct stat before, after;
    bool watched = shim_watches(fd, &before);
    uint64_t serial = 0;
    if (watched) { // what begins during the sync isn't covered by it
        shim_lock_journal();
        serial = shim.journal.shared->serial_next;
        shim_unlock_journal();
    }
    int result = watched && !shim.real_sync ? 0 : sync(fd);
    int kept = errno;
    if (watched && result == 0 && fstat(fd, &after) == 0) {
        shim_lock_journal();
        struct power_file *file = power_find_file(&shim.journal, &before);
        if (S_ISDIR(before.st_mode)) {
            power_folder_synced(&shim.journal, &before, serial);
        } else if (file != NULL) {
            file->synced = before.st_size < after.st_size ? before.st_size : after.st_size;
        }
        shim_unlock_journal();
    }
    die_if(fatal);
    errno = kept;
    return result;
}

SHIM_EXPORT int fsync(int fd) {
    if (!shim_enter()) {
        return shim_real.fsync(fd);
    }
    int result = sync_any(fd, shim_real.fsync);
    shim_leave();
    return result;
}

SHIM_EXPORT int fdatasync(int fd) {
    if (!shim_enter()) {
        return shim_real.fdatasync(fd);
    }
    int result = sync_any(fd, shim_real.fdatasync);
    shim_leave();
    return result;
}
