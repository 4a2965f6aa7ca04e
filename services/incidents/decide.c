#include "services/incidents/message.h"
#include "services/incidents/rules.h"

#include <stdio.h>
#include <string.h>

enum { ANSWER_MS_DEFAULT = 60 * 1000 }; // of a class that the configuration no longer has

// What a command is decided from, and the events so far.
struct decision {
    const Gridwarden__Store__V1__IncidentRecord *state; // NULL for a new incident
    const struct gw_incident_command *command;
    const struct gw_incident_context *context;
    struct gw_incident_events *out;
    const char *id;
    uint32_t version;
    int64_t now_ms;
    bool out_of_memory;
};

// What the assignment needs to know of the incident as the events so far leave it.
struct situation {
    const char *class_code;
    bool in_grid;
    char *const *area_codes;
    size_t area_count;
    uint32_t attempt, placed_attempt;
};

enum who { NOBODY, ANYBODY, HANDLER, SYSTEM };

struct transition {
    enum who who; // NOBODY: not possible in this state
    void (*step)(struct decision *decision);
};

// Stores a copy of the event, which the caller has built from borrowed parts.
static void emit(struct decision *d, Gridwarden__V1__IncidentEvent *event, const char *actor) {
    event->incident_id = (char *)d->id;
    event->version = ++d->version;
    event->time_ms = d->now_ms;
    event->actor = (char *)actor;
    ProtobufCMessage *copy = gw_message_clone(&event->base);
    if (copy == NULL) {
        d->out_of_memory = true;
    } else if (d->out->count == GW_INCIDENT_EVENTS_MAX) {
        protobuf_c_message_free_unpacked(copy, NULL); // no step makes so many
    } else {
        d->out->events[d->out->count++] = (Gridwarden__V1__IncidentEvent *)copy;
    }
}

static void emit_to_desk(struct decision *d, const char *desk, const char *reason) {
    Gridwarden__V1__SentToDesk sent = GRIDWARDEN__V1__SENT_TO_DESK__INIT;
    Gridwarden__V1__IncidentEvent event = GRIDWARDEN__V1__INCIDENT_EVENT__INIT;
    sent.desk = (char *)desk;
    sent.reason = (char *)reason;
    event.kind_case = GRIDWARDEN__V1__INCIDENT_EVENT__KIND_SENT_TO_DESK;
    event.sent_to_desk = &sent;
    emit(d, &event, GW_ACTOR_SYSTEM);
}

// The first candidate that may be asked; candidate_count when there is none.
static uint32_t first_candidate(const struct decision *d) {
    for (uint32_t i = 0; i < d->context->candidate_count; i++) {
        const char *id = d->context->candidates[i].worker_id;
        bool leaving =
            d->command->kind == GW_INCIDENT_DECLINE || d->command->kind == GW_INCIDENT_EXPIRE;
        bool known =
            d->state != NULL &&
            (was_tried(d->state, id) || (leaving && strcmp(d->state->incident->handler, id) == 0));
        if (is_worker(id) && !known) {
            return i;
        }
    }
    return d->context->candidate_count;
}

static void emit_offer(struct decision *d, const struct situation *now, uint32_t first) {
    const struct gw_class *class = gw_policy_class(d->context->policy, now->class_code);
    int64_t answer_ms =
        class != NULL && class->answer_ms_max > 0 ? class->answer_ms_max : ANSWER_MS_DEFAULT;
    Gridwarden__V1__Candidate *weighed[GW_CANDIDATES_MAX];
    Gridwarden__V1__Candidate copies[GW_CANDIDATES_MAX];
    Gridwarden__V1__Offered offered = GRIDWARDEN__V1__OFFERED__INIT;
    Gridwarden__V1__IncidentEvent event = GRIDWARDEN__V1__INCIDENT_EVENT__INIT;
    for (uint32_t i = first; i < d->context->candidate_count; i++) {
        if (offered.n_candidates < GW_CANDIDATES_MAX) {
            copies[offered.n_candidates] = d->context->candidates[i];
            weighed[offered.n_candidates] = &copies[offered.n_candidates];
            offered.n_candidates++;
        }
    }
    offered.candidates = weighed;
    offered.worker_id = copies[0].worker_id;
    offered.attempt = now->attempt + 1u;
    offered.answer_by_ms = d->now_ms + answer_ms;
    offered.eligible_count = d->context->eligible_count;
    event.kind_case = GRIDWARDEN__V1__INCIDENT_EVENT__KIND_OFFERED;
    event.offered = &offered;
    emit(d, &event, GW_ACTOR_SYSTEM);
}

// Never silence: the next candidate gets the offer, or else the duty desk has it.
static void assign(struct decision *d, const struct situation *now) {
    char desk[GW_HANDLER_MAX + 1u];
    own_desk(now->area_codes, now->area_count, desk);
    uint32_t first = first_candidate(d);
    if (!now->in_grid) {
        emit_to_desk(d, desk, "outside every grid");
    } else if (now->attempt - now->placed_attempt >= d->context->policy->offers_max) {
        emit_to_desk(d, desk, "nobody took it within the limit of offers");
    } else if (first == d->context->candidate_count) {
        emit_to_desk(d, desk, "no worker to ask");
    } else {
        emit_offer(d, now, first);
    }
}

static void emit_placed(struct decision *d, const char *actor) {
    const struct gw_incident_place *place = d->context->place;
    Gridwarden__V1__Point point = GRIDWARDEN__V1__POINT__INIT;
    Gridwarden__V1__EditionRef edition = GRIDWARDEN__V1__EDITION_REF__INIT;
    Gridwarden__V1__Placed placed = GRIDWARDEN__V1__PLACED__INIT;
    Gridwarden__V1__IncidentEvent event = GRIDWARDEN__V1__INCIDENT_EVENT__INIT;
    point.longitude = gw_degrees(d->command->point.lon);
    point.latitude = gw_degrees(d->command->point.lat);
    edition.layer = (char *)place->layer;
    edition.number = place->edition;
    placed.point = &point;
    placed.grid_code = (char *)place->grid_code;
    placed.n_area_codes = place->area_count;
    placed.area_codes = (char **)place->area_codes;
    placed.edition = &edition;
    placed.nearest_grid_code = (char *)place->nearest_grid_code;
    placed.nearest_grid_distance_m = place->nearest_grid_distance_m;
    event.kind_case = GRIDWARDEN__V1__INCIDENT_EVENT__KIND_PLACED;
    event.placed = &placed;
    emit(d, &event, actor);
}

static void place_and_assign(struct decision *d, const char *actor, const char *class_code,
                             uint32_t attempt) {
    const struct gw_incident_place *place = d->context->place;
    struct situation now = {class_code,
                            place->grid_code[0] != '\0',
                            (char **)place->area_codes,
                            place->area_count,
                            attempt,
                            attempt};
    emit_placed(d, actor);
    assign(d, &now);
}

static void report(struct decision *d) {
    const Gridwarden__V1__ReportRequest *request = d->command->report;
    const char *actor = d->command->actor;
    actor = actor != NULL && actor[0] != '\0' ? actor : GW_ACTOR_ANONYMOUS;
    Gridwarden__V1__Reported reported = GRIDWARDEN__V1__REPORTED__INIT;
    Gridwarden__V1__IncidentEvent event = GRIDWARDEN__V1__INCIDENT_EVENT__INIT;
    reported.class_code = request->class_code;
    reported.severity = request->severity == 0 ? SEVERITY_DEFAULT : request->severity;
    reported.channel = request->channel;
    reported.address = request->address;
    reported.description = request->description;
    event.kind_case = GRIDWARDEN__V1__INCIDENT_EVENT__KIND_REPORTED;
    event.reported = &reported;
    emit(d, &event, actor);
    if (d->command->has_point) {
        place_and_assign(d, actor, request->class_code, 0);
    } else {
        emit_to_desk(d, GW_DESK_PLACE_UNKNOWN, "place unknown");
    }
}

static void set_place(struct decision *d) {
    const Gridwarden__V1__Incident *incident = d->state->incident;
    place_and_assign(d, d->command->actor, incident->class_code, incident->attempt);
}

static void accept_incident(struct decision *d) {
    Gridwarden__V1__Accepted accepted = GRIDWARDEN__V1__ACCEPTED__INIT;
    Gridwarden__V1__IncidentEvent event = GRIDWARDEN__V1__INCIDENT_EVENT__INIT;
    accepted.handler = d->state->incident->handler;
    event.kind_case = GRIDWARDEN__V1__INCIDENT_EVENT__KIND_ACCEPTED;
    event.accepted = &accepted;
    emit(d, &event, d->command->actor);
}

static void assign_again(struct decision *d) {
    const Gridwarden__V1__Incident *incident = d->state->incident;
    struct situation now = {incident->class_code, incident->grid_code[0] != '\0',
                            incident->area_codes, incident->n_area_codes,
                            incident->attempt,    d->state->placed_attempt};
    assign(d, &now);
}

static void decline(struct decision *d) {
    Gridwarden__V1__Declined declined = GRIDWARDEN__V1__DECLINED__INIT;
    Gridwarden__V1__IncidentEvent event = GRIDWARDEN__V1__INCIDENT_EVENT__INIT;
    declined.worker_id = d->state->incident->handler;
    declined.attempt = d->state->incident->attempt;
    declined.reason = (char *)d->command->text;
    event.kind_case = GRIDWARDEN__V1__INCIDENT_EVENT__KIND_DECLINED;
    event.declined = &declined;
    emit(d, &event, d->command->actor);
    assign_again(d);
}

static void expire(struct decision *d) {
    const Gridwarden__V1__Incident *incident = d->state->incident;
    Gridwarden__V1__OfferExpired expired = GRIDWARDEN__V1__OFFER_EXPIRED__INIT;
    Gridwarden__V1__IncidentEvent event = GRIDWARDEN__V1__INCIDENT_EVENT__INIT;
    if (d->command->attempt != incident->attempt || d->now_ms < incident->answer_by_ms) {
        return; // the timer of an offer that is no longer open, or too early
    }
    expired.worker_id = incident->handler;
    expired.attempt = incident->attempt;
    event.kind_case = GRIDWARDEN__V1__INCIDENT_EVENT__KIND_OFFER_EXPIRED;
    event.offer_expired = &expired;
    emit(d, &event, GW_ACTOR_SYSTEM);
    assign_again(d);
}

static void start(struct decision *d) {
    Gridwarden__V1__Started started = GRIDWARDEN__V1__STARTED__INIT;
    Gridwarden__V1__IncidentEvent event = GRIDWARDEN__V1__INCIDENT_EVENT__INIT;
    event.kind_case = GRIDWARDEN__V1__INCIDENT_EVENT__KIND_STARTED;
    event.started = &started;
    emit(d, &event, d->command->actor);
}

static void resolve(struct decision *d) {
    Gridwarden__V1__Resolved resolved = GRIDWARDEN__V1__RESOLVED__INIT;
    Gridwarden__V1__IncidentEvent event = GRIDWARDEN__V1__INCIDENT_EVENT__INIT;
    resolved.note = (char *)d->command->text;
    event.kind_case = GRIDWARDEN__V1__INCIDENT_EVENT__KIND_RESOLVED;
    event.resolved = &resolved;
    emit(d, &event, d->command->actor);
}

static void close_incident(struct decision *d) {
    Gridwarden__V1__Closed closed = GRIDWARDEN__V1__CLOSED__INIT;
    Gridwarden__V1__IncidentEvent event = GRIDWARDEN__V1__INCIDENT_EVENT__INIT;
    closed.note = (char *)d->command->text;
    event.kind_case = GRIDWARDEN__V1__INCIDENT_EVENT__KIND_CLOSED;
    event.closed = &closed;
    emit(d, &event, d->command->actor);
}

// The machine: what may be done in which state, by whom, and the step that does it.
static const struct transition transitions[STATE_COUNT][GW_INCIDENT_COMMAND_COUNT] = {
    [STATE_NEW] = {[GW_INCIDENT_REPORT] = {ANYBODY, report}},
    [STATE_PLACE_UNKNOWN] = {[GW_INCIDENT_SET_PLACE] = {ANYBODY, set_place}},
    [STATE_OFFERED] = {[GW_INCIDENT_SET_PLACE] = {ANYBODY, set_place},
                       [GW_INCIDENT_ACCEPT] = {HANDLER, accept_incident},
                       [GW_INCIDENT_DECLINE] = {HANDLER, decline},
                       [GW_INCIDENT_EXPIRE] = {SYSTEM, expire}},
    [STATE_AT_DESK] = {[GW_INCIDENT_SET_PLACE] = {ANYBODY, set_place},
                       [GW_INCIDENT_ACCEPT] = {HANDLER, accept_incident}},
    [STATE_ACCEPTED] = {[GW_INCIDENT_START] = {HANDLER, start}},
    [STATE_STARTED] = {[GW_INCIDENT_RESOLVE] = {HANDLER, resolve}},
    [STATE_RESOLVED] = {[GW_INCIDENT_CLOSE] = {ANYBODY, close_incident}},
};

static const char *const command_names[GW_INCIDENT_COMMAND_COUNT] = {
    [GW_INCIDENT_REPORT] = "Report", [GW_INCIDENT_SET_PLACE] = "SetPlace",
    [GW_INCIDENT_ACCEPT] = "Accept", [GW_INCIDENT_DECLINE] = "Decline",
    [GW_INCIDENT_START] = "Start",   [GW_INCIDENT_RESOLVE] = "Resolve",
    [GW_INCIDENT_CLOSE] = "Close",   [GW_INCIDENT_EXPIRE] = "the timer"};

static const char *const state_names[STATE_COUNT] = {
    [STATE_NEW] = "not reported yet", [STATE_PLACE_UNKNOWN] = "waiting for its place",
    [STATE_OFFERED] = "offered",      [STATE_AT_DESK] = "at a desk",
    [STATE_ACCEPTED] = "accepted",    [STATE_STARTED] = "started",
    [STATE_RESOLVED] = "resolved",    [STATE_CLOSED] = "closed"};

static gw_err refuse_state(const Gridwarden__V1__Incident *incident, enum state state,
                           enum gw_incident_command_kind kind, struct gw_error *error) {
    char possible[128] = "";
    size_t size = 0;
    for (int other = 0; other < GW_INCIDENT_COMMAND_COUNT; other++) {
        enum who who = transitions[state][other].who;
        if (who == ANYBODY || who == HANDLER) {
            size += (size_t)snprintf(possible + size, sizeof(possible) - size, "%s%s",
                                     size > 0 ? ", " : "", command_names[other]);
        }
    }
    return gw_error_set(error, GW_ESTATE, "incident %s is %s (with %s): %s is not possible now; %s",
                        incident != NULL ? incident->id : "(new)", state_names[state],
                        incident != NULL ? incident->handler : "nobody", command_names[kind],
                        size > 0 ? possible : "nothing is");
}

static gw_err check_command(const struct gw_incident_command *command,
                            const struct gw_policy *policy, struct gw_error *error) {
    static const struct {
        const char *field;
        size_t bytes_max;
    } texts[GW_INCIDENT_COMMAND_COUNT] = {
        [GW_INCIDENT_DECLINE] = {"reason", GW_DECLINE_REASON_MAX},
        [GW_INCIDENT_RESOLVE] = {"note", GW_NOTE_MAX},
        [GW_INCIDENT_CLOSE] = {"note", GW_NOTE_MAX},
    };
    bool placing = command->kind == GW_INCIDENT_SET_PLACE;
    if (command->kind == GW_INCIDENT_REPORT) {
        return gw_incident_check_report(command->report, policy, error);
    }
    if (command->kind == GW_INCIDENT_EXPIRE) {
        return GW_OK;
    }
    if (placing && (!command->has_point || !gw_point_valid(command->point))) {
        return gw_error_set(error, GW_EINVAL, "point is missing: give longitude and latitude");
    }
    gw_err err = gw_incident_check_actor(command->actor, error);
    size_t bytes_max = texts[command->kind].bytes_max;
    if (err == GW_OK && bytes_max > 0 && command->text != NULL) {
        err = check_text(texts[command->kind].field, command->text, bytes_max, error);
    }
    return err;
}

gw_err gw_incident_permit(const Gridwarden__Store__V1__IncidentRecord *state,
                          const struct gw_incident_command *command, const struct gw_policy *policy,
                          struct gw_error *error) {
    const Gridwarden__V1__Incident *incident = state != NULL ? state->incident : NULL;
    enum state from = incident != NULL ? (enum state)incident->state : STATE_NEW;
    gw_err err = check_command(command, policy, error);
    if (err != GW_OK || command->kind == GW_INCIDENT_EXPIRE) {
        return err; // a timer may come late: that is no fault
    }
    enum who who = transitions[from][command->kind].who;
    if (who == NOBODY) {
        return refuse_state(incident, from, command->kind, error);
    }
    if (who == HANDLER && strcmp(command->actor, incident->handler) != 0) {
        return gw_error_set(error, GW_EPERM, "incident %s is with %s: only they may do %s",
                            incident->id, incident->handler, command_names[command->kind]);
    }
    if (incident != NULL && incident->version > UINT32_MAX - GW_INCIDENT_EVENTS_MAX) {
        return gw_error_set(error, GW_ENOSPC, "incident %s has had too many events", incident->id);
    }
    return GW_OK;
}

gw_err gw_incident_decide(const Gridwarden__Store__V1__IncidentRecord *state,
                          const struct gw_incident_command *command,
                          const struct gw_incident_context *context, struct gw_incident_events *out,
                          struct gw_error *error) {
    const Gridwarden__V1__Incident *incident = state != NULL ? state->incident : NULL;
    enum state from = incident != NULL ? (enum state)incident->state : STATE_NEW;
    struct decision decision = {.state = state,
                                .command = command,
                                .context = context,
                                .out = out,
                                .id = incident != NULL ? incident->id : context->new_id,
                                .version = incident != NULL ? incident->version : 0,
                                .now_ms = context->now_ms};
    gw_err err = gw_incident_permit(state, command, context->policy, error);
    if (err != GW_OK || transitions[from][command->kind].step == NULL) {
        return err;
    }
    if (incident != NULL && decision.now_ms < incident->updated_ms) {
        decision.now_ms = incident->updated_ms;
    }
    transitions[from][command->kind].step(&decision);
    if (decision.out_of_memory) {
        gw_incident_events_free(out);
        return gw_error_set(error, GW_ENOMEM, "out of memory: try again later");
    }
    return GW_OK;
}

void gw_incident_events_free(struct gw_incident_events *events) {
    for (uint32_t i = 0; i < events->count; i++) {
        gridwarden__v1__incident_event__free_unpacked(events->events[i], NULL);
    }
    events->count = 0;
}
