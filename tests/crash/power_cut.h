// The power cut: makes a folder that was watched by the shim look as the disk alone remembers it.
#ifndef GW_TESTS_CRASH_POWER_CUT_H
#define GW_TESTS_CRASH_POWER_CUT_H

#include <stdbool.h>
#include <stdint.h>

struct power_cut_result {
    uint32_t names_undone; // creations, links, folders, renames
    uint32_t files_cut;
    uint64_t bytes_cut;
    uint32_t pages_lost; // with a seed: pages before the cut that were never written
};

// To be called after the watched process has died. The folder is then as after the cut, and the
// journal is removed: all that is left is on disk.
//
// seed 0: the harshest cut: nothing that wasn't synced is left. Else a seeded one between that and
// nothing lost: of the names, those changed first stay; of a file's unsynced end some bytes stay,
// and now and then a page among them reads as zeros.
//
// False with words: a process still runs, the journal isn't one, or a step failed.
bool power_cut(const char *root, const char *journal, uint64_t seed,
               struct power_cut_result *result, char words[256]);

#endif
