#include "services/shard/writer.h"

#include "services/base/clock.h"
#include "services/base/diag.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

static int64_t clock_now(struct gw_shard *shard) {
    return shard->now_ms(shard->clock_context);
}

// From here on nothing is written any more; what is durable can still be read.
static void stop_writing(struct gw_shard *shard, const char *reason) {
    atomic_store(&shard->writable, false);
    gw_diag(GW_ERROR, NULL, "writing stopped", "sequence=%llu reason='%s'",
            (unsigned long long)shard->chain.sequence, reason);
}

static void finish(struct gw_shard *shard, struct answer *answer) {
    struct command *command = answer->command;
    bool answered = answer->error.code == GW_OK;
    meters_count(&shard->meters, command->kind, answer->outcome);
    command->caller.done(command->caller.context, answered ? NULL : &answer->error,
                         answered ? answer->response : NULL);
    if (answer->response != NULL) {
        protobuf_c_message_free_unpacked(answer->response, NULL);
    }
    command_free(command);
}

static void refuse_unwritten(struct gw_shard *shard, struct answer *answer, const char *reason) {
    answer->outcome = OUTCOME_UNAVAILABLE;
    (void)gw_error_set(&answer->error, GW_EUNAVAILABLE,
                       "outcome unknown: the log could not be written (%s); when the node runs "
                       "again, repeat the request with the same request_id",
                       reason);
    finish(shard, answer);
}

// Refuses what waits, once nothing can be written.
static uint32_t refuse_all(struct gw_shard *shard) {
    uint32_t count = 0;
    struct command *command = shard->taken != NULL ? shard->taken : queue_take(&shard->queue);
    shard->taken = NULL;
    while (command != NULL) {
        struct answer answer = {.command = command, .outcome = OUTCOME_UNAVAILABLE};
        command = command->next;
        (void)gw_error_set(&answer.error, GW_EUNAVAILABLE,
                           "this node can't write its log any more: restart it, then repeat the "
                           "request with the same request_id");
        finish(shard, &answer);
        count++;
    }
    queue_finish(&shard->queue, count);
    return count;
}

// GW_EINTERNAL: the state in memory is no longer sound.
static gw_err run_timers(struct gw_shard *shard, int64_t now_ms, uint32_t *count,
                         struct gw_error *error) {
    const struct heap_item *timer = shard_next_timer(shard);
    while (timer != NULL && timer->time_ms <= now_ms && *count < SHARD_ENTRY_TIMERS_MAX) {
        struct heap_item due = *timer;
        struct gw_incident_command command = {
            .kind = GW_INCIDENT_EXPIRE, .actor = GW_ACTOR_SYSTEM, .attempt = due.attempt};
        gw_err err = shard_incident_step(shard, &command, due.id, NULL, now_ms, NULL, error);
        meters_count(&shard->meters, COMMAND_EXPIRE, err == GW_OK ? OUTCOME_DONE : OUTCOME_REFUSED);
        if (err != GW_OK) {
            return gw_error_set(error, GW_EINTERNAL, "a timer failed: %s", error->text);
        }
        ++*count;
        timer = shard_next_timer(shard); // the step has ended that offer
        if (timer != NULL && timer->attempt == due.attempt && strcmp(timer->id, due.id) == 0) {
            return gw_error_set(error, GW_EINTERNAL, "a timer did not end its offer");
        }
    }
    return GW_OK;
}

// The room that a command may need in the entry, from above.
static size_t room_for(const struct command *command) {
    enum { INCIDENT_BYTES = 32 * 1024 }; // texts, candidates and the response, with room to spare
    return command->kind < GW_INCIDENT_COMMAND_COUNT ? INCIDENT_BYTES
                                                     : GW_SHARD_ENTRY_BYTES_MAX / 2u;
}

static Gridwarden__Store__V1__Receipt *new_receipt(const struct command *command, int64_t now_ms) {
    size_t id_size = strlen(command->request_id) + 1u;
    Gridwarden__Store__V1__Receipt *receipt = malloc(sizeof(*receipt));
    char *id = malloc(id_size);
    unsigned char *hash = malloc(COMMAND_HASH_SIZE);
    if (receipt == NULL || id == NULL || hash == NULL) {
        abort();
    }
    gridwarden__store__v1__receipt__init(receipt);
    memcpy(id, command->request_id, id_size);
    memcpy(hash, command->hash, COMMAND_HASH_SIZE);
    receipt->request_id = id;
    receipt->request_hash.data = hash;
    receipt->request_hash.len = COMMAND_HASH_SIZE;
    receipt->time_ms = now_ms;
    return receipt;
}

static gw_err decide(struct gw_shard *shard, struct command *command, int64_t now_ms,
                     Gridwarden__Store__V1__Receipt *receipt, struct gw_error *error) {
    switch (command->kind) {
    case COMMAND_UPSERT_WORKERS:
    case COMMAND_SET_DUTY:
        return shard_worker_step(shard, command, now_ms, receipt, error);
    case COMMAND_STAGE_EDITION:
    case COMMAND_PUBLISH_EDITION:
        return shard_edition_step(shard, command, now_ms, receipt, error);
    default:
        return shard_incident_step(shard, &command->incident, command->incident_id, &command->place,
                                   now_ms, receipt, error);
    }
}

static gw_err run_command(struct gw_shard *shard, struct answer *answer, int64_t now_ms) {
    struct command *command = answer->command;
    gw_err err = shard_find_receipt(shard, answer);
    if (err != GW_ENOTFOUND) {
        return GW_OK; // answered already, or refused
    }
    Gridwarden__Store__V1__Receipt *receipt = new_receipt(command, now_ms);
    err = decide(shard, command, now_ms, receipt, &answer->error);
    if (err == GW_OK) {
        answer->outcome = OUTCOME_DONE;
        shard_add_receipt(shard, receipt);
        answer->receipt = (uint32_t)shard->entry.message->n_receipts - 1u;
        return GW_OK;
    }
    answer->outcome = OUTCOME_REFUSED;
    gridwarden__store__v1__receipt__free_unpacked(receipt, NULL);
    return err == GW_EINTERNAL ? err : GW_OK;
}

// Decides waiting commands until the entry is full.
static gw_err run_commands(struct gw_shard *shard, int64_t now_ms, uint32_t timers,
                           struct gw_error *error) {
    if (shard->taken == NULL) {
        shard->taken = queue_take(&shard->queue);
    }
    while (shard->taken != NULL && !shard->entry_sealed &&
           shard->answer_count + timers < GW_SHARD_ENTRY_COMMANDS_MAX &&
           shard->entry.bytes + room_for(shard->taken) <= GW_SHARD_ENTRY_BYTES_MAX) {
        struct answer *answer = &shard->answers[shard->answer_count++];
        *answer = (struct answer){.command = shard->taken, .receipt = ENTRY_NO_RECEIPT};
        shard->taken = shard->taken->next;
        if (run_command(shard, answer, now_ms) != GW_OK) {
            return gw_error_set(error, GW_EINTERNAL, "a command failed: %s", answer->error.text);
        }
        if (shard->taken == NULL) { // what arrived meanwhile
            shard->taken = queue_take(&shard->queue);
        }
    }
    return GW_OK;
}

static void unpack_responses(struct gw_shard *shard) {
    for (uint32_t i = 0; i < shard->answer_count; i++) {
        struct answer *answer = &shard->answers[i];
        if (answer->receipt != ENTRY_NO_RECEIPT) {
            const ProtobufCBinaryData *bytes =
                &shard->entry.message->receipts[answer->receipt]->response;
            answer->response = protobuf_c_message_unpack(command_response(answer->command->kind),
                                                         NULL, bytes->len, bytes->data);
            if (answer->response == NULL) {
                abort(); // out of memory: these bytes were packed here
            }
        }
    }
}

static gw_err append(struct gw_shard *shard, int64_t now_ms, struct gw_error *error) {
    int64_t begun_ns = gw_clock_monotonic_ns();
    shard_drop_receipts(shard, now_ms);
    if (shard->counter != shard->stored_counter) {
        entry_put_counter(&shard->entry, shard->counter);
    }
    gw_err err = chain_append(&shard->chain, shard->store, shard->log, shard->entry.message, now_ms,
                              shard->entry.views, error);
    if (err != GW_OK) {
        return err;
    }
    gw_histogram_observe_ns(shard->meters.commit, gw_clock_monotonic_ns() - begun_ns);
    gw_counter_add(shard->meters.entries, 1);
    gw_counter_add(shard->meters.entry_bytes, shard->entry.bytes);
    shard->stored_counter = shard->counter;
    return GW_OK;
}

// Everything is durable: let it be seen, then answered.
static void publish(struct gw_shard *shard, int64_t now_ms) {
    unpack_responses(shard);
    for (uint32_t i = 0; i < shard->closed_count; i++) {
        table_remove(&shard->open, shard->closed[i]);
    }
    shard_take_over(shard);
    feed_publish(&shard->feed, shard->entry.message, shard->entry.bytes);
    shard->entry.message = NULL; // the feed's
    shard_publish_totals(shard, now_ms);
    feed_wake(&shard->feed);
}

static void answer_all(struct gw_shard *shard) {
    for (uint32_t i = 0; i < shard->answer_count; i++) {
        finish(shard, &shard->answers[i]);
    }
    queue_finish(&shard->queue, shard->answer_count);
}

static void refuse_entry(struct gw_shard *shard, const struct gw_error *error) {
    stop_writing(shard, error->text);
    gw_edition_close(shard->incoming);
    shard->incoming = NULL;
    for (uint32_t i = 0; i < shard->answer_count; i++) {
        refuse_unwritten(shard, &shard->answers[i], error->text);
    }
    queue_finish(&shard->queue, shard->answer_count);
}

uint32_t writer_step(struct gw_shard *shard) {
    struct gw_error error = {GW_OK, ""};
    uint32_t timers = 0;
    if (!atomic_load(&shard->writable)) {
        return refuse_all(shard);
    }
    int64_t now_ms = clock_now(shard);
    now_ms = now_ms > shard->chain.time_ms ? now_ms : shard->chain.time_ms;
    shard->answer_count = 0;
    shard->closed_count = 0;
    shard->entry_sealed = false;
    memset(shard->request_slots, 0, sizeof(shard->request_slots));
    entry_begin(&shard->entry, shard->store);
    gw_err err = run_timers(shard, now_ms, &timers, &error);
    if (err == GW_OK) {
        err = run_commands(shard, now_ms, timers, &error);
    }
    bool empty = entry_empty(&shard->entry);
    if (err == GW_OK && !empty) {
        err = append(shard, now_ms, &error);
    }
    if (err != GW_OK) {
        refuse_entry(shard, &error);
    } else {
        if (!empty) {
            publish(shard, now_ms);
        }
        answer_all(shard);
    }
    entry_end(&shard->entry);
    if (now_ms >= shard->snapshot_due_ms) {
        writer_snapshot(shard);
        shard->snapshot_due_ms = now_ms + SHARD_SNAPSHOT_MS;
        shard_publish_totals(shard, now_ms);
    }
    return timers + shard->answer_count;
}

void writer_snapshot(struct gw_shard *shard) {
    unsigned char *bytes = NULL;
    size_t size = 0;
    struct gw_error error = {GW_OK, ""};
    if (gw_workers_snapshot(shard->workers, &bytes, &size) != GW_OK) {
        return;
    }
    uint64_t hash = XXH3_64bits(bytes, size);
    if (hash != shard->snapshot_hash && atomic_load(&shard->writable)) {
        struct gw_store_batch *batch = gw_store_batch_create();
        gw_store_batch_put(batch, shard->store, GW_KS_POSITIONS,
                           (struct gw_slice){KEY_POSITIONS, strlen(KEY_POSITIONS)},
                           (struct gw_slice){bytes, size});
        if (gw_store_write(shard->store, batch, false, &error) == GW_OK) {
            shard->snapshot_hash = hash;
        } else {
            gw_diag(GW_WARNING, NULL, "positions not stored", "reason='%s'", error.text);
        }
        gw_store_batch_destroy(batch);
    }
    free(bytes);
}

void writer_run(struct gw_shard *shard) {
    bool closed = false;
    while (!closed || shard->taken != NULL || queue_count(&shard->queue) > 0) {
        if (writer_step(shard) == 0 && !closed) {
            bool writable = atomic_load(&shard->writable); // else no timer is run any more
            const struct heap_item *timer = writable ? shard_next_timer(shard) : NULL;
            int64_t now_ms = clock_now(shard);
            int64_t wait_ms = SHARD_IDLE_MS_MAX;
            if (timer != NULL && timer->time_ms - now_ms < wait_ms) {
                wait_ms = timer->time_ms > now_ms ? timer->time_ms - now_ms : 1;
            }
            queue_wait(&shard->queue, wait_ms);
            meters_totals(&shard->meters, &shard->running, now_ms);
        }
        closed = queue_closed(&shard->queue);
    }
}
