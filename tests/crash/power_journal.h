// What the power-loss shim remembers of a folder, in a shared mapping that outlives a killed
// process: how much of each file is on disk, and which changes of names are not.
//
// It never claims more than is true: a sync is noted after it happened, a change of a name before
// anyone can rely on it.
//
// Threads: callers hold one lock around everything but power_journal_open and _close.
#ifndef GW_TESTS_CRASH_POWER_JOURNAL_H
#define GW_TESTS_CRASH_POWER_JOURNAL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#define POWER_PATH_MAX 512
#define POWER_FILES_MAX 16384u // a power of two
#define POWER_CHANGES_MAX 16384u
#define POWER_MAGIC 0x6777706f77657231u

struct power_inode {
    uint64_t device, number;
};

struct power_file {
    struct power_inode inode;
    int64_t synced; // bytes that a power cut leaves
    uint32_t used;
};

enum power_kind { POWER_CREATE, POWER_LINK, POWER_MKDIR, POWER_RENAME };

// A change of names in one or two folders.
struct power_change {
    enum power_kind kind;
    uint32_t unsynced; // bit i: folders[i] was not synced since; 0: the change is on disk
    uint64_t serial;   // rises with time
    struct power_inode folders[2];
    uint32_t aside;            // the replaced target's name in the aside folder; 0: none
    char from[POWER_PATH_MAX]; // POWER_RENAME only
    char to[POWER_PATH_MAX];   // the name that appeared
};

struct power_shared {
    uint64_t magic;
    char root[POWER_PATH_MAX];
    uint64_t serial_next;
    uint32_t aside_next;
    _Atomic uint32_t change_count;
    struct power_file files[POWER_FILES_MAX];
    struct power_change changes[POWER_CHANGES_MAX];
};

struct power_journal {
    struct power_shared *shared;
    int fd;
    char aside_folder[POWER_PATH_MAX];
};

// Maps the journal, made for `root` (canonical) where there is none; with root NULL only an
// existing one. Returns NULL, or what is wrong. Only one process may hold it.
const char *power_journal_open(struct power_journal *journal, const char *path, const char *root);
void power_journal_close(struct power_journal *journal);

// The record of a file, NULL if there is none; or made (NULL: no room) with `synced`.
struct power_file *power_find_file(struct power_journal *journal, const struct stat *status);
struct power_file *power_make_file(struct power_journal *journal, const struct stat *status,
                                   int64_t synced);

// A change to be filled in; it counts once committed. NULL: no room.
struct power_change *power_new_change(struct power_journal *journal, enum power_kind kind);
void power_commit_change(struct power_journal *journal);

// All changes of this folder with a serial below `before` are on disk.
void power_folder_synced(struct power_journal *journal, const struct stat *folder, uint64_t before);
// The name is gone for good, whatever had made it.
void power_name_removed(struct power_journal *journal, const char *path);
// A folder has another name now.
void power_folder_moved(struct power_journal *journal, const char *from, const char *to);

// Cuts nothing: both are at most POWER_PATH_MAX.
void power_copy_path(char to[POWER_PATH_MAX], const char *from);
void power_aside_path(const struct power_journal *journal, uint32_t aside,
                      char path[POWER_PATH_MAX + 16]);
// The change needs no undoing any more.
void power_settle_change(struct power_journal *journal, struct power_change *change);

#endif
