#include "services/shard/keys.h"

#include <string.h>

enum { TAG_ALL = 'T', TAG_STATE = 'S', TAG_HANDLER = 'H', TAG_PREFIX = 'P' };

// Lengths of the codes of cities, counties, townships and villages.
static const size_t prefix_sizes[] = {4, 6, 9, 12};
enum { PREFIX_SIZES = sizeof(prefix_sizes) / sizeof(prefix_sizes[0]) };

struct gw_slice key_slice(const struct key *key) {
    return (struct gw_slice){key->bytes, key->size};
}

bool key_equal(const struct key *a, const struct key *b) {
    return a->size == b->size && memcmp(a->bytes, b->bytes, a->size) == 0;
}

void key_put_u64(unsigned char out[8], uint64_t value) {
    for (int i = 7; i >= 0; i--) {
        out[i] = (unsigned char)(value & 0xffu);
        value >>= 8u;
    }
}

uint64_t key_get_u64(const unsigned char bytes[8]) {
    uint64_t value = 0;
    for (int i = 0; i < 8; i++) {
        value = value << 8u | bytes[i];
    }
    return value;
}

// Bytes that would not fit are dropped; every caller's parts are limited below KEY_BYTES_MAX.
static void add(struct key *key, const void *bytes, size_t size) {
    size_t room = KEY_BYTES_MAX - key->size;
    size = size < room ? size : room;
    memcpy(key->bytes + key->size, bytes, size);
    key->size += size;
}

static struct key tagged(int tag) {
    struct key key = {.size = 1};
    key.bytes[0] = (unsigned char)tag;
    return key;
}

struct key key_event(const char *incident_id, uint32_t version) {
    struct key key = {.size = 0};
    unsigned char number[8];
    key_put_u64(number, version);
    add(&key, incident_id, strlen(incident_id));
    add(&key, number + 4, 4);
    return key;
}

struct key key_receipt_time(int64_t time_ms, const char *request_id) {
    struct key key = {.size = 8};
    key_put_u64(key.bytes, (uint64_t)time_ms);
    add(&key, request_id, strlen(request_id));
    return key;
}

struct key key_under_all(void) {
    return tagged(TAG_ALL);
}

struct key key_under_state(uint32_t state) {
    struct key key = tagged(TAG_STATE);
    key.bytes[key.size++] = (unsigned char)state;
    return key;
}

struct key key_under_handler(const char *handler) {
    struct key key = tagged(TAG_HANDLER);
    add(&key, handler, strlen(handler) + 1u);
    return key;
}

static struct key under_prefix_of_size(const char *code, size_t size) {
    struct key key = tagged(TAG_PREFIX);
    key.bytes[key.size++] = (unsigned char)size;
    add(&key, code, size);
    return key;
}

gw_err key_under_prefix(const char *prefix, struct key *key) {
    size_t size = strlen(prefix);
    for (size_t i = PREFIX_SIZES; i > 0; i--) {
        if (size >= prefix_sizes[i - 1]) {
            *key = under_prefix_of_size(prefix, prefix_sizes[i - 1]);
            return GW_OK;
        }
    }
    return GW_ENOTFOUND;
}

void key_add_position(struct key *key, int64_t reported_ms, const char *id) {
    unsigned char number[8];
    key_put_u64(number, UINT64_MAX - (uint64_t)reported_ms);
    add(key, number, sizeof(number));
    add(key, id, strlen(id));
}

static void add_row(const Gridwarden__V1__Incident *incident, struct key key,
                    struct key rows[KEY_INDEX_ROWS_MAX], uint32_t *count) {
    key_add_position(&key, incident->reported_ms, incident->id);
    for (uint32_t i = 0; i < *count; i++) {
        if (key_equal(&rows[i], &key)) {
            return; // codes that nest share their prefixes
        }
    }
    if (*count < KEY_INDEX_ROWS_MAX) {
        rows[(*count)++] = key;
    }
}

static void add_code_rows(const Gridwarden__V1__Incident *incident, const char *code,
                          struct key rows[KEY_INDEX_ROWS_MAX], uint32_t *count) {
    size_t size = strlen(code);
    for (size_t i = 0; i < PREFIX_SIZES && prefix_sizes[i] <= size; i++) {
        add_row(incident, under_prefix_of_size(code, prefix_sizes[i]), rows, count);
    }
}

uint32_t key_index_rows(const Gridwarden__V1__Incident *incident,
                        struct key rows[KEY_INDEX_ROWS_MAX]) {
    uint32_t count = 0;
    add_row(incident, key_under_all(), rows, &count);
    add_row(incident, key_under_state((uint32_t)incident->state), rows, &count);
    add_row(incident, key_under_handler(incident->handler), rows, &count);
    add_code_rows(incident, incident->grid_code, rows, &count);
    for (size_t i = 0; i < incident->n_area_codes; i++) {
        add_code_rows(incident, incident->area_codes[i], rows, &count);
    }
    return count;
}

bool key_code_matches(const Gridwarden__V1__Incident *incident, const char *prefix) {
    size_t size = strlen(prefix);
    if (strncmp(incident->grid_code, prefix, size) == 0) {
        return true; // also when the prefix is empty
    }
    for (size_t i = 0; i < incident->n_area_codes; i++) {
        if (strncmp(incident->area_codes[i], prefix, size) == 0) {
            return true;
        }
    }
    return false;
}
