#include "tests/crash/power_journal.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>

static struct power_inode inode_of(const struct stat *status) {
    return (struct power_inode){(uint64_t)status->st_dev, (uint64_t)status->st_ino};
}

static bool same_inode(struct power_inode a, struct power_inode b) {
    return a.device == b.device && a.number == b.number;
}

static const char *map_journal(struct power_journal *journal, const char *root) {
    struct stat status;
    if (flock(journal->fd, LOCK_EX | LOCK_NB) != 0) {
        return "another process uses the journal";
    }
    if (fstat(journal->fd, &status) != 0) {
        return "can't look at the journal";
    }
    bool fresh = status.st_size == 0;
    if (!fresh && (size_t)status.st_size != sizeof *journal->shared) {
        return "the journal is of another size";
    }
    if (fresh && (root == NULL || strlen(root) >= POWER_PATH_MAX ||
                  posix_fallocate(journal->fd, 0, (off_t)sizeof *journal->shared) != 0)) {
        return "can't make the journal";
    }
    journal->shared =
        mmap(NULL, sizeof *journal->shared, PROT_READ | PROT_WRITE, MAP_SHARED, journal->fd, 0);
    if (journal->shared == MAP_FAILED) {
        journal->shared = NULL;
        return "can't map the journal";
    }
    if (fresh) {
        power_copy_path(journal->shared->root, root);
        journal->shared->serial_next = 1;
        journal->shared->aside_next = 1;
        journal->shared->magic = POWER_MAGIC;
    }
    if (journal->shared->magic != POWER_MAGIC) {
        return "the journal is not one";
    }
    if (root != NULL && strcmp(journal->shared->root, root) != 0) {
        return "the journal is of another folder";
    }
    return NULL;
}

const char *power_journal_open(struct power_journal *journal, const char *path, const char *root) {
    *journal = (struct power_journal){.fd = -1};
    int size = snprintf(journal->aside_folder, sizeof journal->aside_folder, "%s.aside", path);
    if (size < 0 || size >= (int)sizeof journal->aside_folder) {
        return "the journal's path is too long";
    }
    journal->fd = open(path, O_RDWR | O_CLOEXEC | (root != NULL ? O_CREAT : 0), 0600);
    if (journal->fd < 0) {
        return "can't open the journal";
    }
    if (root != NULL && mkdir(journal->aside_folder, 0700) != 0 && errno != EEXIST) {
        power_journal_close(journal);
        return "can't make the journal's aside folder";
    }
    const char *wrong = map_journal(journal, root);
    if (wrong != NULL) {
        power_journal_close(journal);
    }
    return wrong;
}

void power_journal_close(struct power_journal *journal) {
    if (journal->shared != NULL) {
        munmap(journal->shared, sizeof *journal->shared);
    }
    if (journal->fd >= 0) {
        close(journal->fd);
    }
    journal->shared = NULL;
    journal->fd = -1;
}

void power_copy_path(char to[POWER_PATH_MAX], const char *from) {
    snprintf(to, POWER_PATH_MAX, "%s", from);
}

static uint32_t first_slot(struct power_inode inode) {
    return (uint32_t)((inode.number * 0x9e3779b97f4a7c15u) >> 40) & (POWER_FILES_MAX - 1);
}

struct power_file *power_find_file(struct power_journal *journal, const struct stat *status) {
    struct power_inode inode = inode_of(status);
    for (uint32_t i = 0; i < POWER_FILES_MAX; i++) {
        uint32_t slot = (first_slot(inode) + i) & (POWER_FILES_MAX - 1);
        struct power_file *file = &journal->shared->files[slot];
        if (file->used == 0) {
            return NULL;
        }
        if (same_inode(file->inode, inode)) {
            return file;
        }
    }
    return NULL;
}

struct power_file *power_make_file(struct power_journal *journal, const struct stat *status,
                                   int64_t synced) {
    struct power_file *file = power_find_file(journal, status);
    if (file != NULL) { // the number of a file that was removed before
        file->synced = synced;
        return file;
    }
    struct power_inode inode = inode_of(status);
    for (uint32_t i = 0; i < POWER_FILES_MAX; i++) {
        uint32_t slot = (first_slot(inode) + i) & (POWER_FILES_MAX - 1);
        file = &journal->shared->files[slot];
        if (file->used == 0) {
            file->inode = inode;
            file->synced = synced;
            file->used = 1;
            return file;
        }
    }
    return NULL;
}

struct power_change *power_new_change(struct power_journal *journal, enum power_kind kind) {
    uint32_t count = atomic_load(&journal->shared->change_count);
    if (count == POWER_CHANGES_MAX) {
        uint32_t open = 0; // all on disk: the list begins anew
        for (uint32_t i = 0; i < count; i++) {
            open += journal->shared->changes[i].unsynced != 0;
        }
        if (open > 0) {
            return NULL;
        }
        atomic_store(&journal->shared->change_count, 0);
        count = 0;
    }
    struct power_change *change = &journal->shared->changes[count];
    memset(change, 0, sizeof *change);
    change->kind = kind;
    change->unsynced = kind == POWER_RENAME ? 3 : 1;
    return change;
}

void power_commit_change(struct power_journal *journal) {
    uint32_t count = atomic_load(&journal->shared->change_count);
    journal->shared->changes[count].serial = journal->shared->serial_next++;
    atomic_store(&journal->shared->change_count, count + 1);
}

void power_aside_path(const struct power_journal *journal, uint32_t aside,
                      char path[POWER_PATH_MAX + 16]) {
    snprintf(path, POWER_PATH_MAX + 16, "%s/%u", journal->aside_folder, aside);
}

void power_settle_change(struct power_journal *journal, struct power_change *change) {
    change->unsynced = 0;
    if (change->aside != 0) {
        char path[POWER_PATH_MAX + 16];
        power_aside_path(journal, change->aside, path);
        unlink(path);
        change->aside = 0;
    }
}

void power_folder_synced(struct power_journal *journal, const struct stat *folder,
                         uint64_t before) {
    uint32_t count = atomic_load(&journal->shared->change_count);
    for (uint32_t i = 0; i < count; i++) {
        struct power_change *change = &journal->shared->changes[i];
        if (change->unsynced == 0 || change->serial >= before) {
            continue;
        }
        for (unsigned side = 0; side < 2; side++) {
            if (same_inode(change->folders[side], inode_of(folder))) {
                change->unsynced &= ~(1u << side);
            }
        }
        if (change->unsynced == 0) {
            power_settle_change(journal, change);
        }
    }
}

void power_name_removed(struct power_journal *journal, const char *path) {
    uint32_t count = atomic_load(&journal->shared->change_count);
    for (uint32_t i = 0; i < count; i++) {
        struct power_change *change = &journal->shared->changes[i];
        if (change->unsynced != 0 && strcmp(change->to, path) == 0) {
            power_settle_change(journal, change);
        }
    }
}

static void replace_front(char path[POWER_PATH_MAX], const char *from, const char *to) {
    size_t size = strlen(from);
    char moved[2 * POWER_PATH_MAX];
    if (strncmp(path, from, size) == 0 && path[size] == '/') {
        snprintf(moved, sizeof moved, "%s%s", to, path + size);
        if (strlen(moved) < POWER_PATH_MAX) {
            power_copy_path(path, moved);
        }
    }
}

void power_folder_moved(struct power_journal *journal, const char *from, const char *to) {
    uint32_t count = atomic_load(&journal->shared->change_count);
    for (uint32_t i = 0; i < count; i++) {
        replace_front(journal->shared->changes[i].from, from, to);
        replace_front(journal->shared->changes[i].to, from, to);
    }
}
