// The log of one machine: each entry is a row of the store's log keyspace, written together with
// its views in one synced batch.
#include "services/log/log.h"
#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>

#define KEY_BYTES 8u
// How far back an opening looks for gaps. RocksDB checks the files it wrote; what a crash leaves to
// be replayed is far less than this.
#define CHECKED_AT_OPENING_MAX 65536u

struct local_log {
    struct gw_log log; // first, so that the one is the other
    struct gw_store *store;
    struct gw_store_batch *own; // for appends without views
    _Atomic uint64_t head;
    bool failed; // the writer's alone
};

static struct gw_slice make_key(uint64_t sequence, uint8_t key[KEY_BYTES]) {
    for (unsigned i = 0; i < KEY_BYTES; i++) {
        key[i] = (uint8_t)(sequence >> (8 * (KEY_BYTES - 1 - i)));
    }
    return (struct gw_slice){key, KEY_BYTES};
}

// False: not a key of ours.
static bool parse_key(struct gw_slice key, uint64_t *sequence) {
    if (key.size != KEY_BYTES) {
        return false;
    }
    const uint8_t *bytes = key.data;
    *sequence = 0;
    for (unsigned i = 0; i < KEY_BYTES; i++) {
        *sequence = *sequence << 8 | bytes[i];
    }
    return *sequence != 0;
}

static void local_append(struct gw_log *log, uint64_t sequence, struct gw_slice entry,
                         struct gw_store_batch *views, gw_log_done_fn *done, void *context) {
    struct local_log *local = (struct local_log *)log;
    struct gw_error error = {.code = GW_OK};
    uint64_t head = atomic_load_explicit(&local->head, memory_order_relaxed);
    if (local->failed) {
        gw_error_set(&error, GW_EUNAVAILABLE,
                     "the log takes no more entries since an earlier one failed; restart the node");
    } else if (sequence != head + 1) {
        gw_error_set(&error, GW_EINVAL,
                     "entry %" PRIu64 " can't follow entry %" PRIu64 " of the log", sequence, head);
    } else {
        struct gw_store_batch *batch = views != NULL ? views : local->own;
        uint8_t key[KEY_BYTES];
        gw_store_batch_put(batch, local->store, GW_KS_LOG, make_key(sequence, key), entry);
        gw_err err = gw_store_write(local->store, batch, true, &error);
        error.code = err;
        gw_store_batch_clear(local->own);
    }
    if (error.code == GW_OK) {
        atomic_store_explicit(&local->head, sequence, memory_order_release);
    } else {
        local->failed = true;
    }
    done(context, sequence, error.code, error.code == GW_OK ? NULL : &error);
}

struct reading {
    uint64_t expected, head;
    uint64_t found; // where it is not `expected`; 0: a foreign key
    bool gap;
    bool (*visit)(void *context, uint64_t sequence, struct gw_slice entry);
    void *context;
};

static bool read_row(void *context, struct gw_slice key, struct gw_slice value) {
    struct reading *reading = context;
    uint64_t sequence = 0;
    if (!parse_key(key, &sequence) || sequence != reading->expected) {
        reading->found = sequence;
        reading->gap = true;
        return false;
    }
    reading->expected++;
    return reading->visit(reading->context, sequence, value) && sequence < reading->head;
}

static bool first_row(void *context, struct gw_slice key, struct gw_slice value) {
    (void)value;
    (void)parse_key(key, context);
    return false;
}

// An entry is missing: trimmed with all before it, or lost.
static gw_err read_gap(struct local_log *local, const struct reading *reading, uint64_t from,
                       struct gw_error *error) {
    uint64_t first = 0;
    gw_err err = gw_store_scan(local->store, GW_KS_LOG, (struct gw_slice){0}, false, first_row,
                               &first, error);
    if (err != GW_OK) {
        return err;
    }
    if (reading->expected == from && reading->found == first && first > from) {
        return gw_error_set(error, GW_ERANGE,
                            "the log begins with entry %" PRIu64 "; entry %" PRIu64
                            " has been trimmed",
                            first, from);
    }
    return gw_error_set(error, GW_ECORRUPT,
                        "the log lacks entry %" PRIu64 " of %" PRIu64
                        "; keep a copy of the data folder and restore a backup",
                        reading->expected, reading->head);
}

static gw_err local_read(struct gw_log *log, uint64_t from,
                         bool (*visit)(void *context, uint64_t sequence, struct gw_slice entry),
                         void *context, struct gw_error *error) {
    struct local_log *local = (struct local_log *)log;
    if (from == 0) {
        from = 1;
    }
    struct reading reading = {
        .expected = from,
        .head = atomic_load_explicit(&local->head, memory_order_acquire),
        .visit = visit,
        .context = context,
    };
    if (from > reading.head) {
        return GW_OK;
    }
    uint8_t key[KEY_BYTES];
    gw_err err = gw_store_scan(local->store, GW_KS_LOG, make_key(from, key), false, read_row,
                               &reading, error);
    if (err != GW_OK) {
        return err;
    }
    if (reading.gap || reading.expected == from) { // or the keyspace ended before `from`
        return read_gap(local, &reading, from, error);
    }
    return GW_OK;
}

static uint64_t local_head(struct gw_log *log) {
    return atomic_load_explicit(&((struct local_log *)log)->head, memory_order_acquire);
}

static void local_close(struct gw_log *log) {
    struct local_log *local = (struct local_log *)log;
    gw_store_batch_destroy(local->own);
    free(local);
}

static const struct gw_log_ops local_ops = {
    .append = local_append,
    .read = local_read,
    .head = local_head,
    .close = local_close,
};

struct checking {
    uint64_t head, previous;
    uint32_t rows;
    bool damaged;
};

static bool check_row(void *context, struct gw_slice key, struct gw_slice value) {
    struct checking *checking = context;
    (void)value;
    uint64_t sequence = 0;
    if (!parse_key(key, &sequence) || (checking->rows > 0 && sequence != checking->previous - 1)) {
        checking->damaged = true;
        return false;
    }
    if (checking->rows == 0) {
        checking->head = sequence;
    }
    checking->previous = sequence;
    return ++checking->rows < CHECKED_AT_OPENING_MAX;
}

gw_err gw_log_local_open(struct gw_store *store, struct gw_log **log, struct gw_error *error) {
    struct checking checking = {0};
    gw_err err =
        gw_store_scan(store, GW_KS_LOG, (struct gw_slice){0}, true, check_row, &checking, error);
    if (err != GW_OK) {
        return err;
    }
    if (checking.damaged) {
        return gw_error_set(error, GW_ECORRUPT,
                            "the log is damaged just before entry %" PRIu64
                            "; keep a copy of the data folder and restore a backup",
                            checking.previous);
    }
    struct local_log *local = calloc(1, sizeof *local);
    if (local == NULL) {
        return gw_error_set(error, GW_ENOMEM, "out of memory opening the log");
    }
    local->log.ops = &local_ops;
    local->store = store;
    local->own = gw_store_batch_create();
    atomic_init(&local->head, checking.head);
    *log = &local->log;
    return GW_OK;
}
