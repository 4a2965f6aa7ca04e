// A log entry while it is made: its events and receipts, and the views that go with it.
#ifndef GW_SERVICES_SHARD_ENTRY_H
#define GW_SERVICES_SHARD_ENTRY_H

#include "gridwarden/store/v1/store.pb-c.h"
#include "services/store/store.h"

#define ENTRY_NO_RECEIPT UINT32_MAX

struct entry {
    struct gw_store *store;
    struct gw_store_batch *views;
    Gridwarden__Store__V1__LogEntry *message;
    size_t events_capacity, receipts_capacity;
    size_t bytes; // of the message as it will be packed, within a few
};

// Aborts when out of memory, as do the others.
void entry_begin(struct entry *entry, struct gw_store *store);
void entry_end(struct entry *entry); // frees what is still there
bool entry_empty(const struct entry *entry);

// These take ownership of what they are given, and write the view of an event or a receipt. The
// records of what the events change are the caller's to write.
void entry_add_incident_event(struct entry *entry, Gridwarden__V1__IncidentEvent *event);
void entry_add_worker_event(struct entry *entry, Gridwarden__Store__V1__WorkerEvent *event);
void entry_add_edition_event(struct entry *entry, Gridwarden__Store__V1__EditionEvent *event);
void entry_add_receipt(struct entry *entry, Gridwarden__Store__V1__Receipt *receipt);

// Records. `before` NULL: a new incident.
void entry_put_incident(struct entry *entry, const Gridwarden__V1__Incident *before,
                        const Gridwarden__Store__V1__IncidentRecord *after);
void entry_put_worker(struct entry *entry, const Gridwarden__Store__V1__WorkerRecord *record);
void entry_put_counter(struct entry *entry, uint64_t counter);
// Forgets a receipt whose row of times has this key.
void entry_drop_receipt(struct entry *entry, struct gw_slice time_key);

#endif
