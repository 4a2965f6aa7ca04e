#include "services/live/open_incidents.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS_MIN = 64, STATE_PREFIX = sizeof("INCIDENT_STATE_") - 1 };

void open_incidents_deinit(struct open_incidents *incidents) {
    free(incidents->rows);
    free(incidents->places);
    free(incidents->table);
    *incidents = (struct open_incidents){0};
}

// The enum's word without its prefix.
static const char *state_word(int state) {
    const ProtobufCEnumValue *value =
        protobuf_c_enum_descriptor_get_value(&gridwarden__v1__incident_state__descriptor, state);
    return value != NULL ? value->name + STATE_PREFIX : "UNSPECIFIED";
}

void open_incident_of(const Gridwarden__V1__Incident *incident, struct open_incident *out) {
    *out = (struct open_incident){.state = state_word((int)incident->state),
                                  .severity = incident->severity,
                                  .attempt = incident->attempt,
                                  .version = incident->version,
                                  .reported_ms = incident->reported_ms,
                                  .updated_ms = incident->updated_ms};
    (void)snprintf(out->id, sizeof(out->id), "%s", incident->id);
    (void)snprintf(out->class_code, sizeof(out->class_code), "%s", incident->class_code);
    (void)snprintf(out->grid_code, sizeof(out->grid_code), "%s", incident->grid_code);
    (void)snprintf(out->handler, sizeof(out->handler), "%s", incident->handler);
    if (incident->point != NULL) {
        out->has_point = gw_lattice_query(incident->point->longitude, incident->point->latitude,
                                          &out->point) == GW_OK;
    }
}

// FNV-1a.
static uint32_t hash_of(const char *id) {
    uint32_t hash = 2166136261u;
    for (; *id != '\0'; id++) {
        hash = (hash ^ (unsigned char)*id) * 16777619u;
    }
    return hash;
}

// The place of an id in the table, or the free one where it would be.
static uint32_t place_of(const struct open_incidents *incidents, const char *id) {
    uint32_t mask = incidents->table_size - 1u;
    uint32_t at = hash_of(id) & mask;
    while (incidents->table[at] != 0 &&
           strcmp(incidents->rows[incidents->table[at] - 1u].id, id) != 0) {
        at = (at + 1u) & mask;
    }
    return at;
}

const struct open_incident *open_incidents_find(const struct open_incidents *incidents,
                                                const char *id) {
    if (incidents->table_size == 0) {
        return NULL;
    }
    uint32_t row = incidents->table[place_of(incidents, id)];
    return row != 0 ? &incidents->rows[row - 1u] : NULL;
}

static gw_err grow(struct open_incidents *incidents) {
    uint32_t capacity = incidents->capacity == 0 ? ROWS_MIN : 2u * incidents->capacity;
    struct open_incident *rows = realloc(incidents->rows, capacity * sizeof(rows[0]));
    if (rows == NULL) {
        return GW_ENOMEM;
    }
    incidents->rows = rows;
    struct gw_point *places = realloc(incidents->places, capacity * sizeof(places[0]));
    if (places == NULL) {
        return GW_ENOMEM;
    }
    incidents->places = places;
    uint32_t *table = calloc(2u * (size_t)capacity, sizeof(table[0]));
    if (table == NULL) {
        return GW_ENOMEM;
    }
    free(incidents->table);
    incidents->table = table;
    incidents->table_size = 2u * capacity;
    incidents->capacity = capacity;
    for (uint32_t i = 0; i < incidents->count; i++) {
        incidents->table[place_of(incidents, rows[i].id)] = i + 1u;
    }
    return GW_OK;
}

gw_err open_incidents_put(struct open_incidents *incidents, const struct open_incident *incident) {
    if (open_incidents_find(incidents, incident->id) == NULL &&
        incidents->count == incidents->capacity) {
        gw_err err = grow(incidents);
        if (err != GW_OK) {
            return err;
        }
    }
    uint32_t *place = &incidents->table[place_of(incidents, incident->id)];
    if (*place == 0) {
        *place = ++incidents->count;
    }
    incidents->rows[*place - 1u] = *incident;
    incidents->places[*place - 1u] =
        incident->has_point ? incident->point : (struct gw_point){INT32_MIN, INT32_MIN};
    return GW_OK;
}

// Takes a place out and moves those up that it kept from where they want to be.
static void free_place(struct open_incidents *incidents, uint32_t hole) {
    uint32_t mask = incidents->table_size - 1u;
    for (uint32_t at = (hole + 1u) & mask; incidents->table[at] != 0; at = (at + 1u) & mask) {
        uint32_t wanted = hash_of(incidents->rows[incidents->table[at] - 1u].id) & mask;
        if (((at - wanted) & mask) >= ((at - hole) & mask)) {
            incidents->table[hole] = incidents->table[at];
            hole = at;
        }
    }
    incidents->table[hole] = 0;
}

void open_incidents_remove(struct open_incidents *incidents, const char *id) {
    if (open_incidents_find(incidents, id) == NULL) {
        return;
    }
    uint32_t place = place_of(incidents, id);
    uint32_t row = incidents->table[place] - 1u, last = incidents->count - 1u;
    free_place(incidents, place);
    if (row != last) { // the last row moves into the gap
        incidents->table[place_of(incidents, incidents->rows[last].id)] = row + 1u;
        incidents->rows[row] = incidents->rows[last];
        incidents->places[row] = incidents->places[last];
    }
    incidents->count--;
}
