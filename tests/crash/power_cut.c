#include "tests/crash/power_cut.h"
#include "tests/crash/power_journal.h"
#include "tests/support/random.h"
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PAGE_BYTES 4096

struct cut {
    struct power_journal journal;
    struct test_random random;
    bool seeded;
    struct power_cut_result *result;
    char *words;
};

static bool fail(struct cut *cut, const char *doing, const char *path) {
    snprintf(cut->words, 256, "%s %s: %s", doing, path, strerror(errno));
    return false;
}

// A folder whose own name is lost takes everything in it along.
static bool remove_tree(struct cut *cut, const char *path) {
    char *const paths[] = {(char *)(uintptr_t)path, NULL};
    FTS *tree = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    if (tree == NULL) {
        return fail(cut, "can't walk", path);
    }
    bool done = true;
    FTSENT *entry;
    while (done && (entry = fts_read(tree)) != NULL) {
        if (entry->fts_info == FTS_D || entry->fts_info == FTS_NS) {
            continue; // a folder goes after what it holds; or it isn't there
        }
        done = remove(entry->fts_accpath) == 0 || errno == ENOENT;
    }
    if (!done) {
        fail(cut, "can't remove", path);
    }
    fts_close(tree);
    return done;
}

static bool undo_rename(struct cut *cut, struct power_change *change) {
    // Where the old name is in use again (and on disk), this rename must be as well.
    if (renameat2(AT_FDCWD, change->to, AT_FDCWD, change->from, RENAME_NOREPLACE) != 0) {
        return errno == EEXIST || errno == ENOENT || fail(cut, "can't rename back", change->to);
    }
    power_folder_moved(&cut->journal, change->to, change->from);
    if (change->aside != 0) {
        char aside[POWER_PATH_MAX + 16];
        power_aside_path(&cut->journal, change->aside, aside);
        if (rename(aside, change->to) != 0) {
            return fail(cut, "can't bring back", change->to);
        }
        change->aside = 0;
    }
    return true;
}

static bool undo(struct cut *cut, struct power_change *change) {
    cut->result->names_undone++;
    switch (change->kind) {
    case POWER_CREATE:
    case POWER_LINK:
        return unlink(change->to) == 0 || errno == ENOENT || fail(cut, "can't remove", change->to);
    case POWER_MKDIR:
        return remove_tree(cut, change->to);
    case POWER_RENAME:
        return undo_rename(cut, change);
    }
    return false;
}

// From the last change back to the first that stays lost.
static bool undo_names(struct cut *cut) {
    struct power_shared *shared = cut->journal.shared;
    uint32_t count = atomic_load(&shared->change_count), open = 0, kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        open += shared->changes[i].unsynced != 0;
    }
    if (cut->seeded) {
        kept = (uint32_t)test_random_range(&cut->random, 0, open);
    }
    for (uint32_t i = count; i > 0; i--) {
        struct power_change *change = &shared->changes[i - 1];
        if (change->unsynced == 0) {
            continue;
        }
        open--;
        if (open >= kept && !undo(cut, change)) {
            return false;
        }
        power_settle_change(&cut->journal, change);
    }
    return true;
}

// One page of what stayed beyond the synced end was never written.
static bool lose_page(struct cut *cut, const char *path, int64_t synced, int64_t size) {
    int64_t page = test_random_range(&cut->random, synced / PAGE_BYTES, (size - 1) / PAGE_BYTES);
    int64_t begin = page * PAGE_BYTES, end = begin + PAGE_BYTES;
    begin = begin < synced ? synced : begin;
    end = end > size ? size : end;
    static const char zeros[PAGE_BYTES];
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool done = fd >= 0 && pwrite(fd, zeros, (size_t)(end - begin), begin) == end - begin;
    if (fd >= 0) {
        close(fd);
    }
    cut->result->pages_lost++;
    return done || fail(cut, "can't write", path);
}

static bool cut_file(struct cut *cut, const char *path, const struct stat *status) {
    const struct power_file *file = power_find_file(&cut->journal, status);
    if (file == NULL || file->synced >= status->st_size) {
        return true;
    }
    int64_t size =
        cut->seeded ? test_random_range(&cut->random, file->synced, status->st_size) : file->synced;
    if (size < status->st_size) {
        cut->result->files_cut++;
        cut->result->bytes_cut += (uint64_t)(status->st_size - size);
        if (truncate(path, size) != 0) {
            return fail(cut, "can't cut", path);
        }
    }
    if (cut->seeded && size > file->synced && test_random_range(&cut->random, 0, 2) == 0) {
        return lose_page(cut, path, file->synced, size);
    }
    return true;
}

static int by_name(const FTSENT **a, const FTSENT **b) {
    return strcmp((*a)->fts_name, (*b)->fts_name); // so that a seed gives the same cut
}

static bool cut_files(struct cut *cut) {
    char *const paths[] = {cut->journal.shared->root, NULL};
    FTS *tree = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, by_name);
    if (tree == NULL) {
        return fail(cut, "can't walk", paths[0]);
    }
    bool done = true;
    FTSENT *entry;
    while (done && (entry = fts_read(tree)) != NULL) {
        done = entry->fts_info != FTS_F || cut_file(cut, entry->fts_accpath, entry->fts_statp);
    }
    fts_close(tree);
    return done;
}

bool power_cut(const char *root, const char *journal, uint64_t seed,
               struct power_cut_result *result, char words[256]) {
    struct cut cut = {.random = {seed}, .seeded = seed != 0, .result = result, .words = words};
    char canonical[4096];
    *result = (struct power_cut_result){0};
    words[0] = '\0';
    if (realpath(root, canonical) == NULL) {
        return fail(&cut, "can't find", root);
    }
    if (access(journal, F_OK) != 0 && errno == ENOENT) {
        return true; // nothing in the folder was touched
    }
    const char *wrong = power_journal_open(&cut.journal, journal, NULL);
    if (wrong != NULL) {
        snprintf(words, 256, "%s", wrong);
        return false;
    }
    bool done = strcmp(cut.journal.shared->root, canonical) == 0;
    if (!done) {
        snprintf(words, 256, "the journal is of another folder");
    }
    done = done && undo_names(&cut) && cut_files(&cut);
    if (done) {
        done = remove_tree(&cut, cut.journal.aside_folder) && unlink(journal) == 0;
    }
    power_journal_close(&cut.journal);
    return done;
}
