#include "services/base/diag.h"
#include "services/shard/internal.h"

#include <string.h>
#include <xxhash.h>

enum { DAY_MS = 24 * 60 * 60 * 1000, DROP_EXTRA = 64 };

static struct gw_slice id_slice(const struct command *command) {
    return (struct gw_slice){command->request_id, strlen(command->request_id)};
}

// The slot of a request id in the entry: that of its receipt, or a free one.
static uint32_t *slot_of(struct gw_shard *shard, const char *request_id) {
    const Gridwarden__Store__V1__LogEntry *entry = shard->entry.message;
    uint32_t slot = (uint32_t)XXH3_64bits(request_id, strlen(request_id));
    for (;; slot++) { // at most half of the slots are used
        uint32_t *receipt = &shard->request_slots[slot & (SHARD_REQUEST_SLOTS - 1u)];
        if (*receipt == 0 || strcmp(entry->receipts[*receipt - 1u]->request_id, request_id) == 0) {
            return receipt;
        }
    }
}

_Static_assert(SHARD_REQUEST_SLOTS >= 2u * GW_SHARD_ENTRY_COMMANDS_MAX, "half of the slots");

static bool same_request(const struct command *command,
                         const Gridwarden__Store__V1__Receipt *receipt) {
    return receipt->request_hash.len == COMMAND_HASH_SIZE &&
           memcmp(receipt->request_hash.data, command->hash, COMMAND_HASH_SIZE) == 0;
}

static gw_err refuse_other_payload(struct answer *answer) {
    answer->outcome = OUTCOME_REFUSED;
    (void)gw_error_set(&answer->error, GW_EEXISTS,
                       "request_id \"%s\" was used for another request: repeat that one's bytes, "
                       "or give this one an id of its own",
                       answer->command->request_id);
    return GW_OK;
}

static gw_err answer_from(struct answer *answer, const Gridwarden__Store__V1__Receipt *receipt) {
    if (!same_request(answer->command, receipt)) {
        return refuse_other_payload(answer);
    }
    answer->outcome = OUTCOME_REPEATED;
    answer->response = protobuf_c_message_unpack(command_response(answer->command->kind), NULL,
                                                 receipt->response.len, receipt->response.data);
    if (answer->response == NULL) {
        (void)gw_error_set(&answer->error, GW_ECORRUPT,
                           "the stored answer of request_id \"%s\" is "
                           "damaged",
                           answer->command->request_id);
    }
    return GW_OK;
}

gw_err shard_find_receipt(struct gw_shard *shard, struct answer *answer) {
    const struct command *command = answer->command;
    struct gw_store_value value;
    uint32_t in_entry = *slot_of(shard, command->request_id);
    if (in_entry != 0) {
        if (!same_request(command, shard->entry.message->receipts[in_entry - 1u])) {
            return refuse_other_payload(answer);
        }
        answer->outcome = OUTCOME_REPEATED;
        answer->receipt = in_entry - 1u;
        return GW_OK;
    }
    answer->outcome = OUTCOME_UNAVAILABLE; // if the store can't be read
    if (gw_store_get(shard->store, GW_KS_RECEIPTS, id_slice(command), &value, &answer->error) !=
        GW_OK) {
        return GW_OK;
    }
    if (value.bytes.data == NULL) {
        gw_store_value_release(&value);
        return GW_ENOTFOUND;
    }
    Gridwarden__Store__V1__Receipt *receipt =
        gridwarden__store__v1__receipt__unpack(NULL, value.bytes.size, value.bytes.data);
    gw_store_value_release(&value);
    if (receipt == NULL) {
        (void)gw_error_set(&answer->error, GW_ECORRUPT,
                           "the receipt of request_id \"%s\" is damaged", command->request_id);
        return GW_OK;
    }
    gw_err err = answer_from(answer, receipt);
    gridwarden__store__v1__receipt__free_unpacked(receipt, NULL);
    return err;
}

void shard_add_receipt(struct gw_shard *shard, Gridwarden__Store__V1__Receipt *receipt) {
    uint32_t *slot = slot_of(shard, receipt->request_id);
    entry_add_receipt(&shard->entry, receipt);
    *slot = (uint32_t)shard->entry.message->n_receipts;
    if (receipt->time_ms < shard->oldest_receipt_ms) {
        shard->oldest_receipt_ms = receipt->time_ms;
    }
}

struct dropping {
    struct entry *entry;
    int64_t until_ms;
    uint32_t count_max;
    int64_t oldest_ms; // of those that stay
};

static bool drop_one(void *context, struct gw_slice key, struct gw_slice value) {
    struct dropping *dropping = context;
    (void)value;
    int64_t time_ms = key.size > 8 ? (int64_t)key_get_u64(key.data) : INT64_MIN;
    if (time_ms > dropping->until_ms || dropping->count_max == 0) {
        dropping->oldest_ms = time_ms;
        return false;
    }
    if (key.size > 8) {
        entry_drop_receipt(dropping->entry, key);
    }
    dropping->count_max--;
    return true;
}

void shard_drop_receipts(struct gw_shard *shard, int64_t now_ms) {
    struct dropping dropping = {&shard->entry, now_ms - shard->policy.receipt_days * DAY_MS,
                                (uint32_t)shard->entry.message->n_receipts * 2u + DROP_EXTRA,
                                INT64_MAX};
    unsigned char from[8];
    struct gw_error error;
    if (shard->oldest_receipt_ms > dropping.until_ms) {
        return;
    }
    key_put_u64(from, (uint64_t)shard->oldest_receipt_ms); // past what was dropped before
    gw_err err =
        gw_store_scan(shard->store, GW_KS_RECEIPT_TIMES, (struct gw_slice){from, sizeof(from)},
                      false, drop_one, &dropping, &error);
    if (err != GW_OK) {
        gw_diag(GW_WARNING, NULL, "old receipts stay", "reason='%s'", error.text);
        return;
    }
    // Those of this entry are not in the store yet.
    shard->oldest_receipt_ms = dropping.oldest_ms < now_ms ? dropping.oldest_ms : now_ms;
}
