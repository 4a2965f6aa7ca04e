#include "loadtest/parts.h"
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void load_ledger_init(struct load_ledger *ledger) {
    memset(ledger, 0, sizeof(*ledger));
    (void)pthread_mutex_init(&ledger->lock, NULL);
}

void load_ledger_deinit(struct load_ledger *ledger) {
    (void)pthread_mutex_destroy(&ledger->lock);
    free(ledger->rows);
}

static bool grow(struct load_ledger *ledger) {
    uint32_t more = ledger->capacity == 0 ? 1024 : ledger->capacity * 2;
    struct load_acknowledged *rows =
        more > LOAD_LEDGER_MAX ? NULL : realloc(ledger->rows, more * sizeof(*rows));
    if (rows == NULL) {
        return false;
    }
    ledger->rows = rows;
    ledger->capacity = more;
    return true;
}

void load_ledger_add(struct load_ledger *ledger, const char *id, uint32_t lane, uint64_t number,
                     int64_t reported_ms) {
    (void)pthread_mutex_lock(&ledger->lock);
    if (strlen(id) < LOAD_ID_MAX && (ledger->count < ledger->capacity || grow(ledger))) {
        struct load_acknowledged *row = &ledger->rows[ledger->count++];
        (void)snprintf(row->id, sizeof(row->id), "%s", id);
        row->lane = lane;
        row->number = number;
        if (ledger->count == 1 || reported_ms < ledger->reported_first_ms) {
            ledger->reported_first_ms = reported_ms;
        }
    } else {
        ledger->dropped++;
    }
    (void)pthread_mutex_unlock(&ledger->lock);
}

// --- what a description says ---

void load_token_write(const struct load_token *token, char *out, size_t size) {
    (void)snprintf(out, size, "SYNTHETIC load %" PRIx64 "/%" PRIu32 "/%" PRIu64 " due %" PRId64,
                   token->run_id, token->lane, token->number, token->intended_wall_us);
}

// Reads `before` and then a number; false: they are not there.
static bool read_number(const char **at, const char *before, int base, uint64_t max,
                        uint64_t *out) {
    size_t length = strlen(before);
    char *end = NULL;
    if (strncmp(*at, before, length) != 0 || isxdigit((unsigned char)(*at)[length]) == 0) {
        return false;
    }
    errno = 0;
    *out = strtoull(*at + length, &end, base);
    *at = end;
    return errno == 0 && *out <= max;
}

bool load_token_read(const char *description, struct load_token *token) {
    uint64_t lane = 0, due = 0;
    const char *at = description;
    bool ours = read_number(&at, "SYNTHETIC load ", 16, UINT64_MAX, &token->run_id) &&
                read_number(&at, "/", 10, UINT32_MAX, &lane) &&
                read_number(&at, "/", 10, UINT64_MAX, &token->number) &&
                read_number(&at, " due ", 10, INT64_MAX / 1000, &due) && *at == '\0';
    token->lane = (uint32_t)lane;
    token->intended_wall_us = (int64_t)due;
    return ours;
}
