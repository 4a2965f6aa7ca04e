#include "services/incidents/rules.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { ID_COUNTER_AT = 17, ID_SIZE = GW_INCIDENT_ID_SIZE - 1 };
static const uint64_t id_counter_max = (UINT64_C(1) << 40) - 1u;

// Bytes of the well-formed UTF-8 sequence at `text` (RFC 3629, table 3-7 of Unicode), 0 if it is
// none.
static size_t sequence_size(const unsigned char *text) {
    unsigned char lead = text[0], low = 0x80, high = 0xbf;
    size_t size = 0;
    if (lead < 0x80) {
        return 1;
    }
    if (lead >= 0xc2 && lead <= 0xdf) {
        size = 2;
    } else if (lead >= 0xe0 && lead <= 0xef) {
        size = 3;
        low = lead == 0xe0 ? 0xa0 : 0x80;  // shortest form only
        high = lead == 0xed ? 0x9f : 0xbf; // no surrogates
    } else if (lead >= 0xf0 && lead <= 0xf4) {
        size = 4;
        low = lead == 0xf0 ? 0x90 : 0x80;
        high = lead == 0xf4 ? 0x8f : 0xbf; // up to U+10FFFF
    }
    for (size_t i = 1; i < size; i++) {
        if (text[i] < low || text[i] > high) {
            return 0;
        }
        low = 0x80;
        high = 0xbf;
    }
    return size;
}

bool text_ok(const char *text, size_t bytes_min, size_t bytes_max, bool one_line) {
    const unsigned char *bytes = (const unsigned char *)text;
    size_t at = 0;
    while (bytes != NULL && bytes[at] != '\0') {
        size_t size = sequence_size(bytes + at);
        if (size == 0 || at + size > bytes_max) {
            return false;
        }
        bool c0 = bytes[at] < 0x20 || bytes[at] == 0x7f;
        bool c1 = bytes[at] == 0xc2 && bytes[at + 1] < 0xa0;
        if (one_line && (c0 || c1)) {
            return false;
        }
        at += size;
    }
    return at >= bytes_min;
}

bool is_desk(const char *handler) {
    return strncmp(handler, GW_DESK_PREFIX, strlen(GW_DESK_PREFIX)) == 0 &&
           text_ok(handler, strlen(GW_DESK_PREFIX) + 1u, GW_HANDLER_MAX, true);
}

bool is_worker(const char *handler) {
    return strncmp(handler, GW_DESK_PREFIX, strlen(GW_DESK_PREFIX)) != 0 &&
           text_ok(handler, 1, GW_ACTOR_MAX, true);
}

bool was_tried(const Gridwarden__Store__V1__IncidentRecord *state, const char *worker_id) {
    for (size_t i = 0; i < state->n_tried; i++) {
        if (strcmp(state->tried[i], worker_id) == 0) {
            return true;
        }
    }
    return false;
}

void own_desk(char *const area_codes[], size_t area_count, char desk[GW_HANDLER_MAX + 1u]) {
    if (area_count == 0) {
        memcpy(desk, GW_DESK_CITY, sizeof(GW_DESK_CITY));
    } else {
        (void)snprintf(desk, GW_HANDLER_MAX + 1u, "%s%s", GW_DESK_PREFIX, area_codes[0]);
    }
}

bool place_ok(const Gridwarden__V1__Point *point, const char *grid_code, char *const area_codes[],
              size_t area_count, const Gridwarden__V1__EditionRef *edition,
              const char *nearest_grid_code, double nearest_grid_distance_m) {
    struct gw_point ignored;
    if (point == NULL || edition == NULL || area_count > AREAS_MAX ||
        gw_lattice_query(point->longitude, point->latitude, &ignored) != GW_OK ||
        !text_ok(edition->layer, 0, CODE_BYTES_MAX, true) ||
        !text_ok(grid_code, 0, CODE_BYTES_MAX, true) ||
        !text_ok(nearest_grid_code, 0, CODE_BYTES_MAX, true)) {
        return false;
    }
    for (size_t i = 0; i < area_count; i++) {
        if (!text_ok(area_codes[i], 1, CODE_BYTES_MAX, true)) {
            return false;
        }
    }
    bool inside = grid_code[0] != '\0', near = nearest_grid_code[0] != '\0';
    bool distance_ok = near ? isfinite(nearest_grid_distance_m) && nearest_grid_distance_m >= 0.0
                            : nearest_grid_distance_m == 0.0;
    return !(inside && near) && distance_ok;
}

const char *gw_incident_reserved_worker(const Gridwarden__Store__V1__IncidentRecord *state) {
    if (state == NULL || state->incident == NULL) {
        return "";
    }
    switch ((enum state)state->incident->state) {
    case STATE_OFFERED:
    case STATE_ACCEPTED:
    case STATE_STARTED:
        return is_worker(state->incident->handler) ? state->incident->handler : "";
    default:
        return "";
    }
}

void gw_incident_id(uint64_t hilbert_key, uint64_t counter, char id[GW_INCIDENT_ID_SIZE]) {
    (void)snprintf(id, GW_INCIDENT_ID_SIZE, "%016llx-%010llx", (unsigned long long)hilbert_key,
                   (unsigned long long)(counter & id_counter_max));
}

uint64_t gw_incident_id_counter(const char *id) {
    uint64_t counter = 0;
    for (size_t i = 0; i < ID_SIZE; i++) {
        bool digit = (id[i] >= '0' && id[i] <= '9') || (id[i] >= 'a' && id[i] <= 'f');
        if (i == ID_COUNTER_AT - 1 ? id[i] != '-' : !digit) {
            return 0;
        }
        if (i >= ID_COUNTER_AT) {
            unsigned value = (unsigned)(id[i] <= '9' ? id[i] - '0' : id[i] - 'a' + 10);
            counter = counter << 4u | value;
        }
    }
    return id[ID_SIZE] == '\0' ? counter : 0;
}
