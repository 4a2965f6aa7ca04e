#include "services/shard/chain.h"

#include "services/incidents/message.h"
#include "services/shard/keys.h"

#include <inttypes.h>
#include <pthread.h>
#include <sodium/crypto_hash_sha256.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(CHAIN_HASH_SIZE == crypto_hash_sha256_BYTES, "SHA-256");

void chain_hash(struct gw_slice entry, unsigned char hash[CHAIN_HASH_SIZE]) {
    (void)crypto_hash_sha256(hash, entry.data, entry.size); // cannot fail
}

gw_err chain_follow(struct chain *chain, uint64_t sequence, struct gw_slice bytes,
                    const Gridwarden__Store__V1__LogEntry *entry, struct gw_error *error) {
    size_t hash_size = chain->sequence > 0 ? CHAIN_HASH_SIZE : 0;
    if (sequence != chain->sequence + 1u) {
        return gw_error_set(error, GW_ECORRUPT,
                            "log entry %" PRIu64 " follows entry %" PRIu64 ": entries are missing",
                            sequence, chain->sequence);
    }
    if (entry == NULL || entry->sequence != sequence) {
        return gw_error_set(error, GW_ECORRUPT, "log entry %" PRIu64 " is damaged", sequence);
    }
    if (entry->time_ms < chain->time_ms) {
        return gw_error_set(error, GW_ECORRUPT,
                            "log entry %" PRIu64 " is dated before the one in front of it",
                            sequence);
    }
    if (entry->previous_hash.len != hash_size ||
        (hash_size > 0 && memcmp(entry->previous_hash.data, chain->hash, hash_size) != 0)) {
        return gw_error_set(error, GW_ECORRUPT,
                            "log entry %" PRIu64 " does not continue entry %" PRIu64
                            ": one of them was changed after it was written",
                            sequence, chain->sequence);
    }
    chain->sequence = sequence;
    chain->time_ms = entry->time_ms;
    chain_hash(bytes, chain->hash);
    return GW_OK;
}

struct last_entry {
    struct chain *chain;
    bool found, sound;
};

static bool take_last(void *context, uint64_t sequence, struct gw_slice bytes) {
    struct last_entry *last = context;
    Gridwarden__Store__V1__LogEntry *entry =
        gridwarden__store__v1__log_entry__unpack(NULL, bytes.size, bytes.data);
    last->found = true;
    last->sound = entry != NULL && entry->sequence == sequence;
    if (last->sound) {
        last->chain->sequence = sequence;
        last->chain->time_ms = entry->time_ms;
        chain_hash(bytes, last->chain->hash);
    }
    if (entry != NULL) {
        gridwarden__store__v1__log_entry__free_unpacked(entry, NULL);
    }
    return false;
}

static gw_err views_sequence(struct gw_store *store, uint64_t *sequence, struct gw_error *error) {
    struct gw_slice key = {KEY_META_SEQUENCE, strlen(KEY_META_SEQUENCE)};
    struct gw_store_value value;
    gw_err err = gw_store_get(store, GW_KS_META, key, &value, error);
    if (err == GW_OK) {
        *sequence = value.bytes.size == 8 ? key_get_u64(value.bytes.data) : 0;
        gw_store_value_release(&value);
    }
    return err;
}

gw_err chain_load(struct chain *chain, struct gw_store *store, struct gw_log *log,
                  struct gw_error *error) {
    uint64_t head = log->ops->head(log), applied = 0;
    struct last_entry last = {chain, false, false};
    *chain = (struct chain){0};
    gw_err err = views_sequence(store, &applied, error);
    if (err == GW_OK && head > 0) {
        err = log->ops->read(log, head, take_last, &last, error);
        if (err == GW_OK && !last.sound) {
            return gw_error_set(error, GW_ECORRUPT,
                                "log entry %" PRIu64 ", the last, %s: restore a backup", head,
                                last.found ? "is damaged" : "can't be found");
        }
    }
    if (err == GW_OK && applied != head) {
        return gw_error_set(error, GW_ECORRUPT,
                            "the views are those of log entry %" PRIu64
                            ", but the log ends at %" PRIu64 ": restore a backup",
                            applied, head);
    }
    return err;
}

// The answer of an append that may come on another thread.
struct waiter {
    pthread_mutex_t mutex;
    pthread_cond_t answered;
    bool done;
    gw_err err;
    struct gw_error error;
};

static void on_durable(void *context, uint64_t sequence, gw_err err, const struct gw_error *error) {
    struct waiter *waiter = context;
    (void)sequence;
    (void)pthread_mutex_lock(&waiter->mutex);
    waiter->done = true;
    waiter->err = err;
    if (error != NULL) {
        waiter->error = *error;
    }
    (void)pthread_cond_signal(&waiter->answered);
    (void)pthread_mutex_unlock(&waiter->mutex);
}

static gw_err append_and_wait(struct gw_log *log, uint64_t sequence, struct gw_slice bytes,
                              struct gw_store_batch *views, struct gw_error *error) {
    struct waiter waiter = {.done = false};
    (void)pthread_mutex_init(&waiter.mutex, NULL);
    (void)pthread_cond_init(&waiter.answered, NULL);
    log->ops->append(log, sequence, bytes, views, on_durable, &waiter);
    (void)pthread_mutex_lock(&waiter.mutex);
    while (!waiter.done) {
        (void)pthread_cond_wait(&waiter.answered, &waiter.mutex);
    }
    (void)pthread_mutex_unlock(&waiter.mutex);
    (void)pthread_cond_destroy(&waiter.answered);
    (void)pthread_mutex_destroy(&waiter.mutex);
    if (waiter.err == GW_OK) {
        return GW_OK;
    }
    return gw_error_set(error, waiter.err, "%s",
                        waiter.error.text[0] != '\0' ? waiter.error.text : gw_err_text(waiter.err));
}

gw_err chain_append(struct chain *chain, struct gw_store *store, struct gw_log *log,
                    Gridwarden__Store__V1__LogEntry *entry, int64_t time_ms,
                    struct gw_store_batch *views, struct gw_error *error) {
    unsigned char number[8];
    size_t size = 0;
    entry->sequence = chain->sequence + 1u;
    entry->time_ms = time_ms > chain->time_ms ? time_ms : chain->time_ms;
    if (chain->sequence > 0) {
        entry->previous_hash.data = malloc(CHAIN_HASH_SIZE);
        if (entry->previous_hash.data == NULL) {
            return gw_error_set(error, GW_ENOMEM, "out of memory: nothing was written");
        }
        memcpy(entry->previous_hash.data, chain->hash, CHAIN_HASH_SIZE);
        entry->previous_hash.len = CHAIN_HASH_SIZE;
    }
    unsigned char *bytes = gw_message_pack(&entry->base, &size);
    if (bytes == NULL) {
        return gw_error_set(error, GW_ENOMEM, "out of memory: nothing was written");
    }
    key_put_u64(number, entry->sequence);
    gw_store_batch_put(views, store, GW_KS_META,
                       (struct gw_slice){KEY_META_SEQUENCE, strlen(KEY_META_SEQUENCE)},
                       (struct gw_slice){number, sizeof(number)});
    struct gw_slice slice = {bytes, size};
    gw_err err = append_and_wait(log, entry->sequence, slice, views, error);
    if (err == GW_OK) {
        chain->sequence = entry->sequence;
        chain->time_ms = entry->time_ms;
        chain_hash(slice, chain->hash);
    }
    free(bytes);
    return err;
}
