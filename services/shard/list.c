// Lists of incidents: pages of an index, newest first.
#include "services/shard/internal.h"

#include <string.h>

enum { PAGE_SIZE_DEFAULT = 100, PAGE_SIZE_MAX = 1000, ROWS_LOOKED_AT_MAX = 20000 };

struct lister {
    struct gw_shard *shard;
    struct gw_incident_list *list;
    bool (*visit)(void *context, const Gridwarden__V1__Incident *incident);
    void *context;
    struct key under; // what the chosen index is ordered under
    unsigned char position[KEY_POSITION_BYTES];
    bool has_position; // of the row that was looked at last (at first: the token's)
    uint32_t size, visited, looked_at;
    bool more; // rows are left after the position
    gw_err err;
    struct gw_error *error;
};

static gw_err check_list(const Gridwarden__V1__IncidentServiceListRequest *request,
                         struct gw_error *error) {
    if (request->page != NULL && request->page->size > PAGE_SIZE_MAX) {
        return gw_error_set(error, GW_EINVAL, "page.size is %u: give 1 to %d, or 0 for %d",
                            request->page->size, PAGE_SIZE_MAX, PAGE_SIZE_DEFAULT);
    }
    if (protobuf_c_enum_descriptor_get_value(&gridwarden__v1__incident_state__descriptor,
                                             (int)request->state) == NULL) {
        return gw_error_set(error, GW_EINVAL,
                            "state %d is not known: use one of IncidentState's values",
                            (int)request->state);
    }
    if (strlen(request->code_prefix) > GW_CODE_MAX) {
        return gw_error_set(error, GW_EINVAL, "code_prefix has %zu bytes: a code has up to %u",
                            strlen(request->code_prefix), GW_CODE_MAX);
    }
    if (strlen(request->handler) > GW_HANDLER_MAX) {
        return gw_error_set(error, GW_EINVAL,
                            "handler has %zu bytes: a worker's id or a desk has "
                            "up to %u",
                            strlen(request->handler), GW_HANDLER_MAX);
    }
    return GW_OK;
}

// The index that leaves the fewest rows to look at; what it does not cover is checked row by row.
static struct key choose_index(const Gridwarden__V1__IncidentServiceListRequest *request) {
    struct key key;
    bool any_state = request->state == GRIDWARDEN__V1__INCIDENT_STATE__INCIDENT_STATE_UNSPECIFIED;
    bool closed = request->state == GRIDWARDEN__V1__INCIDENT_STATE__INCIDENT_STATE_CLOSED;
    if (request->handler[0] != '\0') {
        return key_under_handler(request->handler);
    }
    if (!any_state && !closed) { // few incidents are open at a time
        return key_under_state((uint32_t)request->state);
    }
    if (key_under_prefix(request->code_prefix, &key) == GW_OK) {
        return key;
    }
    return closed ? key_under_state((uint32_t)request->state) : key_under_all();
}

static bool passes(const Gridwarden__V1__IncidentServiceListRequest *request,
                   const Gridwarden__V1__Incident *incident) {
    return (request->state == GRIDWARDEN__V1__INCIDENT_STATE__INCIDENT_STATE_UNSPECIFIED ||
            request->state == incident->state) &&
           (request->handler[0] == '\0' || strcmp(request->handler, incident->handler) == 0) &&
           key_code_matches(incident, request->code_prefix);
}

// True when the row's incident was taken or passed over; false ends the page before the row.
static bool list_row(struct lister *lister, const unsigned char *position) {
    struct gw_slice id = {position + 8, KEY_ID_BYTES};
    Gridwarden__Store__V1__IncidentRecord *record = NULL;
    gw_err err = shard_get_record(lister->shard, id, &record, lister->error);
    if (err != GW_OK) {
        lister->err = err;
        return false;
    }
    bool go_on = true;
    if (passes(lister->list->request, record->incident)) {
        go_on = lister->visited < lister->size && lister->visit(lister->context, record->incident);
        lister->visited += go_on;
        lister->more = !go_on;
    }
    gridwarden__store__v1__incident_record__free_unpacked(record, NULL);
    return go_on;
}

static bool visit_row(void *context, struct gw_slice key, struct gw_slice value) {
    struct lister *lister = context;
    (void)value;
    if (key.size != lister->under.size + KEY_POSITION_BYTES ||
        memcmp(key.data, lister->under.bytes, lister->under.size) != 0) {
        return false;
    }
    const unsigned char *position = (const unsigned char *)key.data + lister->under.size;
    if (lister->has_position && memcmp(position, lister->position, KEY_POSITION_BYTES) == 0) {
        return true; // the page before ended here
    }
    if (lister->looked_at == ROWS_LOOKED_AT_MAX) {
        lister->more = true; // a short page, so that one request stays bounded
        return false;
    }
    lister->looked_at++;
    if (!list_row(lister, position)) {
        return false;
    }
    memcpy(lister->position, position, KEY_POSITION_BYTES);
    lister->has_position = true;
    return true;
}

gw_err gw_shard_list_incidents(struct gw_shard *shard, struct gw_incident_list *list,
                               bool (*visit)(void *context,
                                             const Gridwarden__V1__Incident *incident),
                               void *context, struct gw_error *error) {
    const Gridwarden__V1__IncidentServiceListRequest *request = list->request;
    struct lister lister = {.shard = shard,
                            .list = list,
                            .visit = visit,
                            .context = context,
                            .size = PAGE_SIZE_DEFAULT,
                            .error = error};
    gw_err err = check_list(request, error);
    if (err == GW_OK && request->page != NULL) {
        lister.size = request->page->size > 0 ? request->page->size : PAGE_SIZE_DEFAULT;
        err = list_token_parse(request->page->token, lister.position, &lister.has_position);
        if (err != GW_OK) {
            err = gw_error_set(error, err,
                               "page.token is none of ours: give next_token of the page before, or "
                               "nothing for the first page");
        }
    }
    if (err != GW_OK) {
        return err;
    }
    lister.under = choose_index(request);
    struct key from = lister.under;
    if (lister.has_position) {
        memcpy(from.bytes + from.size, lister.position, KEY_POSITION_BYTES);
        from.size += KEY_POSITION_BYTES;
    }
    err = gw_store_scan(shard->store, GW_KS_INDEXES, key_slice(&from), false, visit_row, &lister,
                        error);
    if (err == GW_OK) {
        err = lister.err;
    }
    if (err == GW_OK) {
        list->next_token[0] = '\0';
        if (lister.more && lister.has_position) {
            list_token_write(lister.position, list->next_token);
        }
    }
    return err;
}
