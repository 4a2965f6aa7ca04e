// Keys of the views, and which index rows an incident has.
//
// An index row is: tag, what it is ordered under, the time of the report counted down (8 bytes, so
// that byte order is newest first), the id. Under code prefixes: the length of the prefix comes
// first, and only the lengths of area codes are kept (4, 6, 9, 12); a longer prefix is looked up by
// the longest of them that it has, and the rest is checked on the incident itself.
#ifndef GW_SERVICES_SHARD_KEYS_H
#define GW_SERVICES_SHARD_KEYS_H

#include "services/incidents/incident.h"
#include "services/store/store.h"

#define KEY_BYTES_MAX 160u
#define KEY_INDEX_ROWS_MAX 24u
#define KEY_ID_BYTES (GW_INCIDENT_ID_SIZE - 1u)
#define KEY_POSITION_BYTES (8u + KEY_ID_BYTES) // time and id at the end of an index key

// In GW_KS_META.
#define KEY_META_SEQUENCE "shard-sequence" // u64: the last entry that the views hold
#define KEY_META_COUNTER "shard-counter"   // u64: of the last incident id
// In GW_KS_POSITIONS.
#define KEY_POSITIONS "snapshot"

struct key {
    unsigned char bytes[KEY_BYTES_MAX];
    size_t size;
};

struct gw_slice key_slice(const struct key *key);
bool key_equal(const struct key *a, const struct key *b);

void key_put_u64(unsigned char out[8], uint64_t value); // big-endian
uint64_t key_get_u64(const unsigned char bytes[8]);

struct key key_event(const char *incident_id, uint32_t version);
struct key key_receipt_time(int64_t time_ms, const char *request_id);

// What an index is ordered under.
struct key key_under_all(void);
struct key key_under_state(uint32_t state);
struct key key_under_handler(const char *handler);
// GW_ENOTFOUND: `prefix` is shorter than any that is kept.
GW_MUST_CHECK gw_err key_under_prefix(const char *prefix, struct key *key);
void key_add_position(struct key *key, int64_t reported_ms, const char *id);

// The index rows of a record, each once; returns how many.
uint32_t key_index_rows(const Gridwarden__V1__Incident *incident,
                        struct key rows[KEY_INDEX_ROWS_MAX]);

// Whether the incident lies under this area or grid.
bool key_code_matches(const Gridwarden__V1__Incident *incident, const char *prefix);

#endif
