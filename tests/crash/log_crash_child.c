// log_crash_child append STORE COUNT FD: appends COUNT entries of the history to the log in STORE
// and writes the sequence of each acknowledged one to FD, until it is done or killed.
//
// log_crash_child cheat STORE COUNT FD: the same, but acknowledges what isn't synced.
//
// log_crash_child check STORE ACKNOWLEDGED FD: checks that the entries up to ACKNOWLEDGED at least
// are there, unbroken, with the views that follow from them, and writes the last one's sequence to
// FD.
#include "services/log/log.h"
#include "tests/crash/log_crash_history.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static uint64_t views[HISTORY_KEYS]; // 0: not there
static bool cheats;

static bool read_back(void *context, uint64_t sequence, struct gw_slice entry) {
    (void)context;
    unsigned key = history_key(sequence);
    views[history_removed_key(sequence)] = 0;
    views[key] = history_fold(views[key], entry);
    return true;
}

static void acknowledge(void *context, uint64_t sequence, gw_err err,
                        const struct gw_error *error) {
    int fd = *(const int *)context;
    if (err != GW_OK) {
        fprintf(stderr, "append: %s\n", error->text);
        exit(4);
    }
    if (write(fd, &sequence, sizeof sequence) != (ssize_t)sizeof sequence) {
        exit(5);
    }
}

static void put(struct gw_store_batch *batch, struct gw_store *store, enum gw_keyspace space,
                unsigned key, uint64_t value) {
    gw_store_batch_put(batch, store, space, (struct gw_slice){&key, sizeof key},
                       (struct gw_slice){&value, sizeof value});
}

// What the log does, without the sync.
static void append_unsynced(struct gw_store *store, uint64_t sequence, struct gw_slice entry,
                            struct gw_store_batch *batch, int fd) {
    uint8_t key[8];
    struct gw_error error;
    for (unsigned i = 0; i < 8; i++) {
        key[i] = (uint8_t)(sequence >> (56 - 8 * i));
    }
    gw_store_batch_put(batch, store, GW_KS_LOG, (struct gw_slice){key, sizeof key}, entry);
    acknowledge(&fd, sequence, gw_store_write(store, batch, false, &error), &error);
}

static void append_next(struct gw_store *store, struct gw_log *log, struct gw_store_batch *batch,
                        uint64_t sequence, int fd) {
    static unsigned char bytes[HISTORY_ENTRY_MAX];
    struct gw_slice entry = history_entry(sequence, bytes);
    unsigned removed = history_removed_key(sequence);
    read_back(NULL, sequence, entry);
    gw_store_batch_clear(batch);
    gw_store_batch_delete(batch, store, GW_KS_INCIDENTS,
                          (struct gw_slice){&removed, sizeof removed});
    put(batch, store, GW_KS_INCIDENTS, history_key(sequence), views[history_key(sequence)]);
    put(batch, store, GW_KS_WORKERS, 0, sequence); // "applied"
    if (cheats) {
        append_unsynced(store, sequence, entry, batch, fd);
    } else {
        log->ops->append(log, sequence, entry, batch, acknowledge, &fd);
    }
    if (sequence % 5 == 0) { // what may be lost, between what may not
        struct gw_error error;
        gw_store_batch_clear(batch);
        put(batch, store, GW_KS_POSITIONS, 0, sequence);
        if (gw_store_write(store, batch, false, &error) != GW_OK) {
            fprintf(stderr, "positions: %s\n", error.text);
            exit(4);
        }
    }
}

static int append_all(struct gw_store *store, struct gw_log *log, uint64_t count, int fd) {
    struct gw_store_batch *batch = gw_store_batch_create();
    uint64_t head = log->ops->head(log);
    for (uint64_t i = 1; i <= count; i++) {
        append_next(store, log, batch, head + i, fd);
    }
    gw_store_batch_destroy(batch);
    return 0;
}

static int complain(const char *words, uint64_t number) {
    fprintf(stderr, "check: %s %llu\n", words, (unsigned long long)number);
    return 6;
}

static bool compare_entry(void *context, uint64_t sequence, struct gw_slice entry) {
    static unsigned char bytes[HISTORY_ENTRY_MAX];
    struct gw_slice expected = history_entry(sequence, bytes);
    uint64_t *next = context;
    if (sequence != *next || entry.size != expected.size ||
        memcmp(entry.data, expected.data, entry.size) != 0) {
        return false;
    }
    (*next)++;
    return true;
}

// The u64 under a key; 0: not there.
static uint64_t value_at(struct gw_store *store, enum gw_keyspace space, unsigned key) {
    struct gw_store_value value;
    struct gw_error error;
    uint64_t number = 0;
    if (gw_store_get(store, space, (struct gw_slice){&key, sizeof key}, &value, &error) != GW_OK) {
        fprintf(stderr, "check: %s\n", error.text);
        exit(6);
    }
    if (value.bytes.size == sizeof number) {
        memcpy(&number, value.bytes.data, sizeof number);
    }
    gw_store_value_release(&value);
    return number;
}

// `views` are those of the log by now.
static int check_all(struct gw_store *store, struct gw_log *log, uint64_t acknowledged, int fd) {
    uint64_t head = log->ops->head(log), next = 1;
    struct gw_error error = {0};
    if (log->ops->read(log, 1, compare_entry, &next, &error) != GW_OK) {
        fprintf(stderr, "check: %s\n", error.text);
        return 6;
    }
    if (next != head + 1) {
        return complain("not the entry that was appended:", next);
    }
    if (head < acknowledged) {
        return complain("acknowledged entries are lost after", head);
    }
    for (unsigned key = 0; key < HISTORY_KEYS; key++) {
        if (value_at(store, GW_KS_INCIDENTS, key) != views[key]) {
            return complain("not the view of the log at key", key);
        }
    }
    if (value_at(store, GW_KS_WORKERS, 0) != head || value_at(store, GW_KS_POSITIONS, 0) > head) {
        return complain("the applied sequence is not", head);
    }
    return write(fd, &head, sizeof head) == (ssize_t)sizeof head ? 0 : 5;
}

int main(int argc, char **argv) {
    struct gw_store *store = NULL;
    struct gw_log *log = NULL;
    struct gw_error error = {0};
    if (argc != 5) {
        return 2;
    }
    const struct gw_store_options options = {.create = true,
                                             .write_buffer_bytes = HISTORY_WRITE_BUFFER};
    if (gw_store_open(argv[2], &options, &store, &error) != GW_OK ||
        gw_log_local_open(store, &log, &error) != GW_OK ||
        log->ops->read(log, 1, read_back, NULL, &error) != GW_OK) {
        fprintf(stderr, "open: %s\n", error.text);
        return 3;
    }
    cheats = strcmp(argv[1], "cheat") == 0;
    uint64_t number = strtoull(argv[3], NULL, 10);
    int fd = (int)strtol(argv[4], NULL, 10);
    int result = strcmp(argv[1], "check") == 0 ? check_all(store, log, number, fd)
                                               : append_all(store, log, number, fd);
    log->ops->close(log);
    gw_store_close(store);
    return result;
}
