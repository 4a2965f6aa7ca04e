// What became of every acknowledged report.
#include "gridwarden/v1/incident.pb-c.h"
#include "loadtest/parts.h"
#include "services/base/clock.h"
#include <stdlib.h>
#include <string.h>

enum { PARALLEL = 128, PAGE = 1000, CALL_MS = 10000, BEFORE_MS = 60000 };

struct verify {
    struct gw_rpc_channel *channel;
    const struct load_ledger *ledger;
    uint64_t run_id;
    int64_t patience_ns; // until when a node that does not answer is waited for
    struct load_verify_result *result;
    uint32_t open, next;
    uint32_t *again; // rows to be asked for again, [count]
    uint32_t again_count;
    struct gw_error fault;
};

struct question {
    struct verify *verify;
    uint32_t row;
};

// --- each by its id ---

static bool matches(const struct verify *verify, uint32_t row,
                    const Gridwarden__V1__Incident *incident) {
    const struct load_acknowledged *wanted = &verify->ledger->rows[row];
    struct load_token token;
    return incident != NULL && load_token_read(incident->description, &token) &&
           token.run_id == verify->run_id && token.lane == wanted->lane &&
           token.number == wanted->number && strcmp(incident->id, wanted->id) == 0;
}

static void got(void *context, const struct gw_error *error, const ProtobufCMessage *message) {
    struct question *question = context;
    struct verify *verify = question->verify;
    verify->open--;
    if (error == NULL) {
        bool found =
            matches(verify, question->row,
                    ((const Gridwarden__V1__IncidentServiceGetResponse *)message)->incident);
        verify->result->found += found;
        verify->result->lost += !found;
    } else if (error->code == GW_ENOTFOUND) {
        verify->result->lost++;
    } else if (gw_clock_monotonic_ns() < verify->patience_ns) {
        verify->again[verify->again_count++] = question->row;
    } else if (verify->fault.code == GW_OK) {
        verify->fault = *error;
    }
    free(question);
}

static void ask(struct verify *verify, uint32_t row) {
    Gridwarden__V1__IncidentServiceGetRequest request =
        GRIDWARDEN__V1__INCIDENT_SERVICE_GET_REQUEST__INIT;
    struct question *question = malloc(sizeof(*question));
    gw_err err = GW_ENOMEM;
    if (question != NULL) {
        *question = (struct question){verify, row};
        request.id = verify->ledger->rows[row].id;
        err = gw_rpc_unary_start(
            verify->channel, "/gridwarden.v1.IncidentService/Get", &request.base,
            &gridwarden__v1__incident_service_get_response__descriptor, CALL_MS, got, question);
    }
    if (err != GW_OK) {
        free(question);
        verify->fault.code =
            gw_error_set(&verify->fault, err, "an incident could not be asked for");
        return;
    }
    verify->open++;
}

static gw_err ask_for_each(struct verify *verify, struct gw_error *error) {
    uint32_t count = verify->ledger->count;
    while (verify->fault.code == GW_OK &&
           (verify->next < count || verify->open > 0 || verify->again_count > 0)) {
        if (verify->open < PARALLEL && verify->next < count) {
            ask(verify, verify->next++);
        } else if (verify->open == 0 && verify->next == count && verify->again_count > 0) {
            load_sleep_until(gw_clock_monotonic_ns() + LOAD_TICK_NS);
            while (verify->again_count > 0 && verify->open < PARALLEL &&
                   verify->fault.code == GW_OK) { // answers come only below
                ask(verify, verify->again[--verify->again_count]);
            }
        } else {
            (void)gw_rpc_channel_poll(verify->channel, 1000);
        }
    }
    while (verify->open > 0) {
        (void)gw_rpc_channel_poll(verify->channel, 1000);
    }
    return verify->fault.code == GW_OK
               ? GW_OK
               : gw_error_set(error, verify->fault.code, "verifying: %.250s", verify->fault.text);
}

// --- all, from the list ---

struct seen {
    uint64_t lane, number, id_hash;
};

struct seen_list {
    struct seen *rows;
    uint32_t count, capacity;
};

static uint64_t hash_text(const char *text) {
    uint64_t hash = 0xcbf29ce484222325u;
    for (; *text != '\0'; text++) {
        hash = (hash ^ (unsigned char)*text) * 0x100000001b3u;
    }
    return hash;
}

static bool note(struct seen_list *seen, const struct load_token *token, const char *id) {
    if (seen->count == seen->capacity) {
        uint32_t more = seen->capacity == 0 ? 1024 : seen->capacity * 2;
        struct seen *rows =
            more > 2 * LOAD_LEDGER_MAX ? NULL : realloc(seen->rows, more * sizeof(*rows));
        if (rows == NULL) {
            return false;
        }
        seen->rows = rows;
        seen->capacity = more;
    }
    seen->rows[seen->count++] = (struct seen){token->lane, token->number, hash_text(id)};
    return true;
}

static int by_number(const void *a, const void *b) {
    const struct seen *left = a, *right = b;
    if (left->lane != right->lane) {
        return left->lane < right->lane ? -1 : 1;
    }
    if (left->number != right->number) {
        return left->number < right->number ? -1 : 1;
    }
    return (left->id_hash > right->id_hash) - (left->id_hash < right->id_hash);
}

// One page into `seen`. *more: there are further ones that may matter, from since_ms on.
static gw_err read_page(struct verify *verify, int64_t since_ms, char token[LOAD_TOKEN_MAX],
                        struct seen_list *seen, bool *more, struct gw_error *error) {
    Gridwarden__V1__IncidentServiceListRequest request =
        GRIDWARDEN__V1__INCIDENT_SERVICE_LIST_REQUEST__INIT;
    Gridwarden__V1__PageRequest page = GRIDWARDEN__V1__PAGE_REQUEST__INIT;
    ProtobufCMessage *message = NULL;
    page.size = PAGE;
    page.token = token;
    request.page = &page;
    gw_err err = gw_rpc_unary(verify->channel, "/gridwarden.v1.IncidentService/List", &request.base,
                              &gridwarden__v1__incident_service_list_response__descriptor, CALL_MS,
                              &message, error);
    if (err != GW_OK) {
        return err;
    }
    const Gridwarden__V1__IncidentServiceListResponse *response =
        (const Gridwarden__V1__IncidentServiceListResponse *)message;
    *more = response->next_token[0] != '\0';
    if (strlen(response->next_token) >= LOAD_TOKEN_MAX) {
        err = gw_error_set(error, GW_ENOSPC, "the token of a page of incidents is too long");
    }
    for (size_t i = 0; i < response->n_incidents && err == GW_OK; i++) {
        const Gridwarden__V1__Incident *incident = response->incidents[i];
        struct load_token is;
        if (incident->reported_ms < since_ms) {
            *more = false; // newest first
        } else if (load_token_read(incident->description, &is) && is.run_id == verify->run_id &&
                   !note(seen, &is, incident->id)) {
            err = gw_error_set(error, GW_ENOSPC, "too many incidents to verify");
        }
    }
    if (*more && err == GW_OK) {
        memcpy(token, response->next_token, strlen(response->next_token) + 1);
    }
    protobuf_c_message_free_unpacked(message, NULL);
    return err;
}

// Acknowledged reports that the list does not show.
static uint64_t count_unseen(const struct load_ledger *ledger, const struct seen_list *seen) {
    uint64_t unseen = 0;
    for (uint32_t i = 0; i < ledger->count; i++) {
        const struct load_acknowledged *row = &ledger->rows[i];
        const struct seen key = {row->lane, row->number, hash_text(row->id)};
        unseen += seen->count == 0 ||
                  bsearch(&key, seen->rows, seen->count, sizeof(key), by_number) == NULL;
    }
    return unseen;
}

static gw_err look_for_doubles(struct verify *verify, int64_t since_ms, struct gw_error *error) {
    struct seen_list seen = {0};
    char token[LOAD_TOKEN_MAX] = "";
    bool more = true;
    gw_err err = GW_OK;
    while (err == GW_OK && more) {
        err = read_page(verify, since_ms, token, &seen, &more, error);
        if (err == GW_EUNAVAILABLE && gw_clock_monotonic_ns() < verify->patience_ns) {
            load_sleep_until(gw_clock_monotonic_ns() + LOAD_TICK_NS);
            err = GW_OK;
        }
    }
    if (seen.count > 1) {
        qsort(seen.rows, seen.count, sizeof(*seen.rows), by_number);
    }
    for (uint32_t i = 1; i < seen.count; i++) {
        const struct seen *last = &seen.rows[i - 1], *row = &seen.rows[i];
        verify->result->doubled +=
            row->lane == last->lane && row->number == last->number && row->id_hash != last->id_hash;
    }
    uint64_t unseen = err == GW_OK ? count_unseen(verify->ledger, &seen) : 0;
    if (unseen > verify->result->lost) {
        err = gw_error_set(error, GW_ENOTFOUND,
                           "verifying: %llu acknowledged incidents are missing in the list of all; "
                           "whether one is there twice can't be said",
                           (unsigned long long)unseen);
    }
    free(seen.rows);
    return err;
}

// From when on, by the node's clock, the list may hold reports of this run: as long before the
// first acknowledged one as the run took, since others may have been made before it.
static int64_t search_since(const struct load_ledger *ledger, int64_t began_ms) {
    int64_t took_ms = gw_clock_wall_ms() - began_ms;
    int64_t first_ms = ledger->count > 0 ? ledger->reported_first_ms : began_ms;
    return first_ms - (took_ms > 0 ? took_ms : 0) - BEFORE_MS;
}

gw_err load_verify(const char *server, uint64_t run_id, int64_t began_ms, double patience_seconds,
                   const struct load_ledger *ledger, struct load_verify_result *result,
                   struct gw_error *error) {
    struct verify verify = {.ledger = ledger, .run_id = run_id, .result = result};
    verify.patience_ns = gw_clock_monotonic_ns() + (int64_t)(patience_seconds * 1e9);
    result->acknowledged = ledger->count;
    result->retried = atomic_load(&ledger->retried);
    result->reconnects = atomic_load(&ledger->reconnects);
    if (ledger->dropped > 0) {
        return gw_error_set(error, GW_ENOSPC,
                            "%llu acknowledged incidents were too many to remember; verify a "
                            "shorter run",
                            (unsigned long long)ledger->dropped);
    }
    verify.again = calloc((size_t)ledger->count + 1, sizeof(*verify.again));
    gw_err err = verify.again == NULL ? gw_error_set(error, GW_ENOMEM, "no memory to verify")
                                      : gw_rpc_channel_create(server, &verify.channel, error);
    if (err == GW_OK) {
        err = ask_for_each(&verify, error);
    }
    if (err == GW_OK) {
        err = look_for_doubles(&verify, search_since(ledger, began_ms), error);
    }
    // "None lost" is not to be read off a verification that did not come to its end.
    result->asked = err == GW_OK || result->lost > 0 || result->doubled > 0;
    gw_rpc_channel_destroy(verify.channel);
    free(verify.again);
    return err;
}
