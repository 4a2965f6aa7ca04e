#include "services/shard/entry.h"

#include "services/incidents/message.h"
#include "services/shard/keys.h"

#include <stdlib.h>
#include <string.h>

enum {
    FRAME_BYTES = 16,
    HEAD_BYTES = 64
}; // tags and lengths around a part; the entry's own fields

static struct gw_slice text_slice(const char *text) {
    return (struct gw_slice){text, strlen(text)};
}

static void put_message(struct entry *entry, enum gw_keyspace space, struct gw_slice key,
                        const ProtobufCMessage *message) {
    size_t size = 0;
    unsigned char *bytes = gw_message_pack(message, &size);
    if (bytes == NULL) {
        abort();
    }
    gw_store_batch_put(entry->views, entry->store, space, key, (struct gw_slice){bytes, size});
    free(bytes);
}

void entry_begin(struct entry *entry, struct gw_store *store) {
    *entry = (struct entry){.store = store, .bytes = HEAD_BYTES};
    entry->views = gw_store_batch_create();
    entry->message = malloc(sizeof(*entry->message));
    if (entry->message == NULL) {
        abort();
    }
    gridwarden__store__v1__log_entry__init(entry->message);
}

void entry_end(struct entry *entry) {
    if (entry->message != NULL) {
        gridwarden__store__v1__log_entry__free_unpacked(entry->message, NULL);
    }
    gw_store_batch_destroy(entry->views);
    *entry = (struct entry){0};
}

bool entry_empty(const struct entry *entry) {
    return entry->message->n_events == 0 && entry->message->n_receipts == 0;
}

// Room for one more pointer in an array of `count`.
static void *grown(void *array, size_t count, size_t *capacity) {
    if (count < *capacity) {
        return array;
    }
    *capacity = *capacity > 0 ? *capacity * 2 : 16;
    void *bigger = realloc(array, *capacity * sizeof(void *));
    if (bigger == NULL) {
        abort();
    }
    return bigger;
}

static Gridwarden__Store__V1__Event *add_event(struct entry *entry,
                                               const ProtobufCMessage *content) {
    Gridwarden__Store__V1__LogEntry *message = entry->message;
    Gridwarden__Store__V1__Event *event = malloc(sizeof(*event));
    if (event == NULL) {
        abort();
    }
    gridwarden__store__v1__event__init(event);
    message->events = grown(message->events, message->n_events, &entry->events_capacity);
    message->events[message->n_events++] = event;
    entry->bytes += protobuf_c_message_get_packed_size(content) + FRAME_BYTES;
    return event;
}

void entry_add_incident_event(struct entry *entry, Gridwarden__V1__IncidentEvent *content) {
    Gridwarden__Store__V1__Event *event = add_event(entry, &content->base);
    event->kind_case = GRIDWARDEN__STORE__V1__EVENT__KIND_INCIDENT;
    event->incident = content;
    struct key key = key_event(content->incident_id, content->version);
    put_message(entry, GW_KS_INCIDENT_EVENTS, key_slice(&key), &content->base);
}

void entry_add_worker_event(struct entry *entry, Gridwarden__Store__V1__WorkerEvent *content) {
    Gridwarden__Store__V1__Event *event = add_event(entry, &content->base);
    event->kind_case = GRIDWARDEN__STORE__V1__EVENT__KIND_WORKER;
    event->worker = content;
}

void entry_add_edition_event(struct entry *entry, Gridwarden__Store__V1__EditionEvent *content) {
    Gridwarden__Store__V1__Event *event = add_event(entry, &content->base);
    event->kind_case = GRIDWARDEN__STORE__V1__EVENT__KIND_EDITION;
    event->edition = content;
}

void entry_add_receipt(struct entry *entry, Gridwarden__Store__V1__Receipt *receipt) {
    Gridwarden__Store__V1__LogEntry *message = entry->message;
    message->receipts = grown(message->receipts, message->n_receipts, &entry->receipts_capacity);
    message->receipts[message->n_receipts++] = receipt;
    entry->bytes += protobuf_c_message_get_packed_size(&receipt->base) + FRAME_BYTES;
    put_message(entry, GW_KS_RECEIPTS, text_slice(receipt->request_id), &receipt->base);
    struct key key = key_receipt_time(receipt->time_ms, receipt->request_id);
    gw_store_batch_put(entry->views, entry->store, GW_KS_RECEIPT_TIMES, key_slice(&key),
                       (struct gw_slice){"", 0});
}

static bool is_among(const struct key *key, const struct key keys[], uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        if (key_equal(key, &keys[i])) {
            return true;
        }
    }
    return false;
}

void entry_put_incident(struct entry *entry, const Gridwarden__V1__Incident *before,
                        const Gridwarden__Store__V1__IncidentRecord *after) {
    struct key old_rows[KEY_INDEX_ROWS_MAX], new_rows[KEY_INDEX_ROWS_MAX];
    uint32_t old_count = before != NULL ? key_index_rows(before, old_rows) : 0;
    uint32_t new_count = key_index_rows(after->incident, new_rows);
    for (uint32_t i = 0; i < old_count; i++) {
        if (!is_among(&old_rows[i], new_rows, new_count)) {
            gw_store_batch_delete(entry->views, entry->store, GW_KS_INDEXES,
                                  key_slice(&old_rows[i]));
        }
    }
    for (uint32_t i = 0; i < new_count; i++) {
        if (!is_among(&new_rows[i], old_rows, old_count)) {
            gw_store_batch_put(entry->views, entry->store, GW_KS_INDEXES, key_slice(&new_rows[i]),
                               (struct gw_slice){"", 0});
        }
    }
    put_message(entry, GW_KS_INCIDENTS, text_slice(after->incident->id), &after->base);
}

void entry_put_worker(struct entry *entry, const Gridwarden__Store__V1__WorkerRecord *record) {
    put_message(entry, GW_KS_WORKERS, text_slice(record->worker->id), &record->base);
}

void entry_put_counter(struct entry *entry, uint64_t counter) {
    unsigned char number[8];
    key_put_u64(number, counter);
    gw_store_batch_put(entry->views, entry->store, GW_KS_META, text_slice(KEY_META_COUNTER),
                       (struct gw_slice){number, sizeof(number)});
}

void entry_drop_receipt(struct entry *entry, struct gw_slice time_key) {
    struct gw_slice request_id = {(const char *)time_key.data + 8, time_key.size - 8u};
    gw_store_batch_delete(entry->views, entry->store, GW_KS_RECEIPTS, request_id);
    gw_store_batch_delete(entry->views, entry->store, GW_KS_RECEIPT_TIMES, time_key);
    entry->message->receipts_dropped++;
}
