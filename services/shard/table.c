#include "services/shard/table.h"

#include "gridwarden/store/v1/store.pb-c.h"
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum { CAPACITY_MIN = 1024 };

const char *table_incident_id(const void *record) {
    return ((const Gridwarden__Store__V1__IncidentRecord *)record)->incident->id;
}

const char *table_worker_id(const void *record) {
    return ((const Gridwarden__Store__V1__WorkerRecord *)record)->worker->id;
}

static size_t slot_of(const struct table *table, const char *id) {
    size_t slot = (size_t)XXH3_64bits(id, strlen(id)) & (table->capacity - 1);
    while (table->slots[slot] != NULL && strcmp(table->id_of(table->slots[slot]), id) != 0) {
        slot = (slot + 1) & (table->capacity - 1);
    }
    return slot;
}

void *table_find(const struct table *table, const char *id) {
    return table->capacity > 0 ? table->slots[slot_of(table, id)] : NULL;
}

static void grow(struct table *table) {
    struct table grown = *table;
    grown.capacity = table->capacity > 0 ? table->capacity * 2 : CAPACITY_MIN;
    grown.slots = calloc(grown.capacity, sizeof(grown.slots[0]));
    if (grown.slots == NULL) {
        abort();
    }
    for (size_t i = 0; i < table->capacity; i++) {
        if (table->slots[i] != NULL) {
            grown.slots[slot_of(&grown, table->id_of(table->slots[i]))] = table->slots[i];
        }
    }
    free(table->slots);
    *table = grown;
}

void table_put(struct table *table, void *message) {
    if (table->count * 2 >= table->capacity) {
        grow(table);
    }
    size_t slot = slot_of(table, table->id_of(message));
    if (table->slots[slot] != NULL) {
        protobuf_c_message_free_unpacked(table->slots[slot], NULL);
    } else {
        table->count++;
    }
    table->slots[slot] = message;
}

void table_remove(struct table *table, const char *id) {
    size_t slot = table->capacity > 0 ? slot_of(table, id) : 0;
    if (table->capacity == 0 || table->slots[slot] == NULL) {
        return;
    }
    void *removed = table->slots[slot];
    table->slots[slot] = NULL;
    table->count--;
    size_t mask = table->capacity - 1; // close the gap: put what follows where it is looked for now
    for (size_t i = (slot + 1) & mask; table->slots[i] != NULL; i = (i + 1) & mask) {
        void *message = table->slots[i];
        table->slots[i] = NULL;
        table->slots[slot_of(table, table->id_of(message))] = message;
    }
    protobuf_c_message_free_unpacked(removed, NULL); // last: `id` may be its own
}

void table_free(struct table *table) {
    for (size_t i = 0; i < table->capacity; i++) {
        if (table->slots[i] != NULL) {
            protobuf_c_message_free_unpacked(table->slots[i], NULL);
        }
    }
    free(table->slots);
    table->slots = NULL;
    table->capacity = table->count = 0;
}
