#include "services/http/incident_json.h"

#include "services/base/json.h"
#include "services/http/values.h"
#include "services/http/words.h"

// Members lon and lat, null where there is no point.
static void write_point(struct gw_buffer *out, const Gridwarden__V1__Point *at) {
    struct gw_point point;
    bool known = at != NULL && gw_lattice_round(at->longitude, at->latitude, &point) == GW_OK;
    http_write_key(out, "lon");
    if (known) {
        http_write_degrees(out, point.lon);
    } else {
        gw_buffer_text(out, "null");
    }
    http_write_key(out, "lat");
    if (known) {
        http_write_degrees(out, point.lat);
    } else {
        gw_buffer_text(out, "null");
    }
}

static void write_codes(struct gw_buffer *out, const char *name, char **codes, size_t count) {
    http_write_key(out, name);
    gw_buffer_text(out, "[");
    for (size_t i = 0; i < count; i++) {
        gw_buffer_text(out, i > 0 ? "," : "");
        gw_json_text(out, codes[i]);
    }
    gw_buffer_text(out, "]");
}

static void write_nearest(struct gw_buffer *out, const char *code, double distance_m) {
    http_write_key(out, "nearest");
    if (code[0] == '\0') {
        gw_buffer_text(out, "null");
        return;
    }
    gw_buffer_text(out, "{");
    http_write_text(out, "grid", code);
    http_write_metres(out, "distance_m", distance_m);
    gw_buffer_text(out, "}");
}

static const char *channel_word(Gridwarden__V1__Channel channel) {
    return http_word(&gridwarden__v1__channel__descriptor, (int)channel);
}

void http_write_incident(struct gw_buffer *out, const Gridwarden__V1__Incident *incident) {
    gw_buffer_text(out, "{");
    http_write_text(out, "id", incident->id);
    http_write_text(out, "state",
                    http_word(&gridwarden__v1__incident_state__descriptor, (int)incident->state));
    http_write_text(out, "class", incident->class_code);
    http_write_int(out, "severity", incident->severity);
    http_write_text(out, "channel", channel_word(incident->channel));
    write_point(out, incident->point);
    http_write_text(out, "address", incident->address);
    http_write_text(out, "description", incident->description);
    http_write_text(out, "grid", incident->grid_code);
    write_codes(out, "areas", incident->area_codes, incident->n_area_codes);
    http_write_text(out, "handler", incident->handler);
    http_write_int(out, "attempt", incident->attempt);
    http_write_int(out, "answer_by_ms", incident->answer_by_ms);
    http_write_int(out, "reported_ms", incident->reported_ms);
    http_write_int(out, "updated_ms", incident->updated_ms);
    http_write_int(out, "version", incident->version);
    write_nearest(out, incident->nearest_grid_code, incident->nearest_grid_distance_m);
    gw_buffer_text(out, "}");
}

// --- events: a writer for each kind ---

static void write_reported(struct gw_buffer *out, const Gridwarden__V1__Reported *event) {
    http_write_text(out, "class", event->class_code);
    http_write_int(out, "severity", event->severity);
    http_write_text(out, "channel", channel_word(event->channel));
    http_write_text(out, "address", event->address);
    http_write_text(out, "description", event->description);
}

static void write_placed(struct gw_buffer *out, const Gridwarden__V1__Placed *event) {
    write_point(out, event->point);
    http_write_text(out, "grid", event->grid_code);
    write_codes(out, "areas", event->area_codes, event->n_area_codes);
    write_nearest(out, event->nearest_grid_code, event->nearest_grid_distance_m);
}

static void write_offered(struct gw_buffer *out, const Gridwarden__V1__Offered *event) {
    http_write_text(out, "worker", event->worker_id);
    http_write_int(out, "attempt", event->attempt);
    http_write_int(out, "answer_by_ms", event->answer_by_ms);
    http_write_int(out, "eligible", event->eligible_count);
    http_write_key(out, "candidates");
    gw_buffer_text(out, "[");
    for (size_t i = 0; i < event->n_candidates; i++) {
        const Gridwarden__V1__Candidate *candidate = event->candidates[i];
        gw_buffer_text(out, i > 0 ? ",{" : "{");
        http_write_text(out, "worker", candidate->worker_id);
        http_write_int(out, "level", candidate->level);
        if (candidate->has_position) {
            http_write_metres(out, "distance_m", candidate->distance_m);
            http_write_int(out, "position_age_ms", candidate->position_age_ms);
        }
        gw_buffer_text(out, "}");
    }
    gw_buffer_text(out, "]");
}

static void write_declined(struct gw_buffer *out, const Gridwarden__V1__Declined *event) {
    http_write_text(out, "worker", event->worker_id);
    http_write_int(out, "attempt", event->attempt);
    http_write_text(out, "reason", event->reason);
}

static void write_expired(struct gw_buffer *out, const Gridwarden__V1__OfferExpired *event) {
    http_write_text(out, "worker", event->worker_id);
    http_write_int(out, "attempt", event->attempt);
}

static void write_sent_to_desk(struct gw_buffer *out, const Gridwarden__V1__SentToDesk *event) {
    http_write_text(out, "desk", event->desk);
    http_write_text(out, "reason", event->reason);
}

static void write_kind(struct gw_buffer *out, const Gridwarden__V1__IncidentEvent *event) {
    switch (event->kind_case) {
    case GRIDWARDEN__V1__INCIDENT_EVENT__KIND_REPORTED:
        http_write_text(out, "kind", "REPORTED");
        write_reported(out, event->reported);
        return;
    case GRIDWARDEN__V1__INCIDENT_EVENT__KIND_PLACED:
        http_write_text(out, "kind", "PLACED");
        write_placed(out, event->placed);
        return;
    case GRIDWARDEN__V1__INCIDENT_EVENT__KIND_OFFERED:
        http_write_text(out, "kind", "OFFERED");
        write_offered(out, event->offered);
        return;
    case GRIDWARDEN__V1__INCIDENT_EVENT__KIND_ACCEPTED:
        http_write_text(out, "kind", "ACCEPTED");
        http_write_text(out, "handler", event->accepted->handler);
        return;
    case GRIDWARDEN__V1__INCIDENT_EVENT__KIND_DECLINED:
        http_write_text(out, "kind", "DECLINED");
        write_declined(out, event->declined);
        return;
    case GRIDWARDEN__V1__INCIDENT_EVENT__KIND_OFFER_EXPIRED:
        http_write_text(out, "kind", "OFFER_EXPIRED");
        write_expired(out, event->offer_expired);
        return;
    case GRIDWARDEN__V1__INCIDENT_EVENT__KIND_SENT_TO_DESK:
        http_write_text(out, "kind", "SENT_TO_DESK");
        write_sent_to_desk(out, event->sent_to_desk);
        return;
    case GRIDWARDEN__V1__INCIDENT_EVENT__KIND_STARTED:
        http_write_text(out, "kind", "STARTED");
        return;
    case GRIDWARDEN__V1__INCIDENT_EVENT__KIND_RESOLVED:
        http_write_text(out, "kind", "RESOLVED");
        http_write_text(out, "note", event->resolved->note);
        return;
    case GRIDWARDEN__V1__INCIDENT_EVENT__KIND_CLOSED:
        http_write_text(out, "kind", "CLOSED");
        http_write_text(out, "note", event->closed->note);
        return;
    default: // of a later version
        http_write_text(out, "kind", "");
        return;
    }
}

void http_write_event(struct gw_buffer *out, const Gridwarden__V1__IncidentEvent *event) {
    gw_buffer_text(out, "{");
    http_write_int(out, "version", event->version);
    http_write_int(out, "time_ms", event->time_ms);
    http_write_text(out, "actor", event->actor);
    write_kind(out, event);
    gw_buffer_text(out, "}");
}
