// The history that log_crash_child writes and log_crash_test checks: entry n and the views after it
// follow from n alone, so that every prefix is known.
#ifndef GW_TESTS_CRASH_LOG_CRASH_HISTORY_H
#define GW_TESTS_CRASH_LOG_CRASH_HISTORY_H

#include "services/store/store.h"
#include "tests/support/random.h"

#define HISTORY_KEYS 23u
#define HISTORY_ENTRY_MAX 20000u
#define HISTORY_WRITE_BUFFER 65536u // flushes and compactions happen all the time

// The bytes of entry n.
static inline struct gw_slice history_entry(uint64_t sequence,
                                            unsigned char bytes[HISTORY_ENTRY_MAX]) {
    struct test_random random = {sequence * 7919};
    int64_t most = sequence % 9 == 0 ? HISTORY_ENTRY_MAX : 1500;
    size_t size = (size_t)test_random_range(&random, 1, most);
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (unsigned char)test_random_next(&random);
    }
    return (struct gw_slice){bytes, size};
}

// The views: each entry folds its bytes into one key's value, and removes another key.
static inline unsigned history_key(uint64_t sequence) {
    return (unsigned)(sequence * sequence % HISTORY_KEYS);
}
static inline unsigned history_removed_key(uint64_t sequence) {
    return (unsigned)(sequence * 5 % HISTORY_KEYS);
}
static inline uint64_t history_fold(uint64_t value, struct gw_slice entry) {
    const unsigned char *bytes = entry.data;
    for (size_t i = 0; i < entry.size; i++) {
        value = (value ^ bytes[i]) * 0x100000001b3u; // FNV-1a
    }
    return value;
}

#endif
