// Following the shard: its incidents by the feed, its workers by looking.
#include "services/base/clock.h"
#include "services/base/diag.h"
#include "services/live/internal.h"

#include <string.h>

enum { PAGE_SIZE = 1000 };

// ---- incidents ----

static void set_incident(struct gw_live *live, const struct open_incident *incident, bool closed,
                         gw_err *err) {
    (void)pthread_rwlock_wrlock(&live->state);
    if (closed) {
        open_incidents_remove(&live->incidents, incident->id);
    } else {
        *err = open_incidents_put(&live->incidents, incident);
    }
    (void)pthread_rwlock_unlock(&live->state);
    gw_gauge_set(live->meters.incidents, live->incidents.count);
}

static void tell_tiles(struct gw_live *live, const struct gw_point *before,
                       const struct gw_point *after) {
    (void)pthread_mutex_lock(&live->tiles_mutex);
    if (live->tiles != NULL && (before != NULL || after != NULL)) {
        gw_tiles_incident_changed(live->tiles, before, after);
    }
    (void)pthread_mutex_unlock(&live->tiles_mutex);
}

// First what tiles are made of, then the tiles, then the word to the readers: who asks for a tile
// because of the event gets one that shows it.
static gw_err take_incident(struct gw_live *live, const Gridwarden__V1__Incident *incident) {
    struct open_incident now, before = {0};
    const struct open_incident *known = open_incidents_find(&live->incidents, incident->id);
    bool closed = incident->state == GRIDWARDEN__V1__INCIDENT_STATE__INCIDENT_STATE_CLOSED;
    bool was_known = known != NULL;
    gw_err err = GW_OK;
    if (was_known) {
        before = *known;
    } else if (closed) {
        return GW_OK; // nobody has seen it
    }
    open_incident_of(incident, &now);
    set_incident(live, &now, closed, &err);
    if (err != GW_OK) {
        return err;
    }
    tell_tiles(live, before.has_point ? &before.point : NULL,
               !closed && now.has_point ? &now.point : NULL);
    gw_buffer_clear(&live->data);
    stream_incident(&live->data, &now);
    live_emit(live, "incident", false);
    gw_counter_add(live->meters.incident_events, 1);
    return GW_OK;
}

// The view is never behind the feed, and may be ahead of it: then later events are known already.
static gw_err follow_incident(struct gw_live *live, const Gridwarden__V1__IncidentEvent *event) {
    const struct open_incident *known = open_incidents_find(&live->incidents, event->incident_id);
    if (known != NULL && known->version >= event->version) {
        return GW_OK;
    }
    Gridwarden__V1__Incident *incident = NULL;
    struct gw_error error;
    gw_err err = gw_shard_get_incident(live->shard, event->incident_id, &incident, &error);
    if (err == GW_OK) {
        err = take_incident(live, incident);
        gridwarden__v1__incident__free_unpacked(incident, NULL);
    } else {
        gw_diag(GW_ERROR, NULL, "live stream can't read an incident", "reason='%s'", error.text);
    }
    return err == GW_ENOTFOUND ? GW_OK : err;
}

// ---- the feed ----

static void follow_edition(struct gw_live *live, const Gridwarden__Store__V1__EditionEvent *event) {
    const Gridwarden__V1__Edition *edition = event->edition;
    if (edition == NULL || edition->ref == NULL ||
        edition->state != GRIDWARDEN__V1__EDITION_STATE__EDITION_STATE_PUBLISHED ||
        strcmp(edition->ref->layer, GW_LAYER_RESPONSIBLE) != 0) {
        return;
    }
    (void)pthread_mutex_lock(&live->tiles_mutex);
    if (live->tiles != NULL) {
        gw_tiles_edition_published(live->tiles);
    }
    (void)pthread_mutex_unlock(&live->tiles_mutex);
}

static bool follow_entry(void *context, const Gridwarden__Store__V1__LogEntry *entry) {
    struct gw_live *live = context;
    for (size_t i = 0; i < entry->n_events; i++) {
        const Gridwarden__Store__V1__Event *event = entry->events[i];
        if (event->kind_case == GRIDWARDEN__STORE__V1__EVENT__KIND_INCIDENT) {
            if (follow_incident(live, event->incident) != GW_OK) {
                return false; // the entry comes again
            }
        } else if (event->kind_case == GRIDWARDEN__STORE__V1__EVENT__KIND_EDITION) {
            follow_edition(live, event->edition);
        }
    }
    live->after = entry->sequence;
    return true;
}

void live_follow_feed(struct gw_live *live) {
    struct gw_error error;
    gw_err err = gw_shard_read(live->shard, live->after, follow_entry, live, &error);
    if (err != GW_OK) {
        gw_diag(GW_ERROR, NULL, "live stream can't read the feed", "reason='%s'", error.text);
    }
}

// ---- at the start ----

struct lister {
    struct gw_live *live;
    gw_err err;
};

static bool list_incident(void *context, const Gridwarden__V1__Incident *incident) {
    struct lister *lister = context;
    struct open_incident row;
    open_incident_of(incident, &row);
    lister->err = open_incidents_put(&lister->live->incidents, &row);
    return lister->err == GW_OK;
}

static gw_err list_state(struct gw_live *live, Gridwarden__V1__IncidentState state,
                         struct gw_error *error) {
    Gridwarden__V1__IncidentServiceListRequest request =
        GRIDWARDEN__V1__INCIDENT_SERVICE_LIST_REQUEST__INIT;
    Gridwarden__V1__PageRequest page = GRIDWARDEN__V1__PAGE_REQUEST__INIT;
    struct gw_incident_list list = {&request, ""};
    struct lister lister = {live, GW_OK};
    char token[sizeof(list.next_token)] = "";
    page.size = PAGE_SIZE;
    request.page = &page;
    request.state = state;
    gw_err err = GW_OK;
    do {
        page.token = token;
        err = gw_shard_list_incidents(live->shard, &list, list_incident, &lister, error);
        memcpy(token, list.next_token, sizeof(token));
    } while (err == GW_OK && lister.err == GW_OK && token[0] != '\0');
    if (err == GW_OK && lister.err != GW_OK) {
        err = gw_error_set(error, lister.err, "out of memory for the open incidents");
    }
    return err;
}

// State by state, so that closed ones are not even looked at. What changes its state meanwhile is
// in the feed after `after`, and is taken in from there.
gw_err live_list_open(struct gw_live *live, struct gw_error *error) {
    live->after = gw_shard_head(live->shard);
    gw_err err = GW_OK;
    for (int state = GRIDWARDEN__V1__INCIDENT_STATE__INCIDENT_STATE_PLACE_UNKNOWN;
         state < GRIDWARDEN__V1__INCIDENT_STATE__INCIDENT_STATE_CLOSED && err == GW_OK; state++) {
        err = list_state(live, (Gridwarden__V1__IncidentState)state, error);
    }
    gw_gauge_set(live->meters.incidents, live->incidents.count);
    return err;
}

// ---- workers ----

void live_look_at_workers(struct gw_live *live, bool tells) {
    int64_t start_ns = gw_clock_monotonic_ns();
    (void)pthread_rwlock_wrlock(&live->state);
    gw_err err = crew_look(&live->crew, gw_shard_workers(live->shard));
    (void)pthread_rwlock_unlock(&live->state);
    if (err != GW_OK) {
        gw_diag(GW_ERROR, NULL, "live stream leaves workers out", "reason='out of memory'");
    }
    gw_gauge_set(live->meters.workers, live->crew.count);
    if (live->crew.changed_count > 0) {
        if (tells) {
            live_emit_workers(live);
        }
        (void)pthread_rwlock_wrlock(&live->state);
        crew_settle(&live->crew);
        (void)pthread_rwlock_unlock(&live->state);
    }
    gw_histogram_observe_ns(live->meters.look_seconds, gw_clock_monotonic_ns() - start_ns);
}
