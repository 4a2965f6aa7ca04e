// Messages by their ids: a hash table with linear probing, kept at most half full.
#ifndef GW_SERVICES_SHARD_TABLE_H
#define GW_SERVICES_SHARD_TABLE_H

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>

struct table {
    const char *(*id_of)(const void *message); // set before anything else
    void **slots;                              // messages of one type, owned; NULL: free
    size_t capacity;                           // a power of two, or 0
    size_t count;
};

// Ids of the two kinds of records.
const char *table_incident_id(const void *record); // Gridwarden__Store__V1__IncidentRecord
const char *table_worker_id(const void *record);   // Gridwarden__Store__V1__WorkerRecord

// NULL: not there.
void *table_find(const struct table *table, const char *id);
// Puts a message in, or in the place of the one with its id, which is freed. Owns it from now on.
// Aborts when out of memory.
void table_put(struct table *table, void *message);
// Takes a message out and frees it; nothing happens if it is not there.
void table_remove(struct table *table, const char *id);
void table_free(struct table *table); // and empties it

#endif
