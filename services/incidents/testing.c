#include "services/incidents/testing.h"

#include "services/incidents/message.h"

#include <stdlib.h>
#include <string.h>

void testing_case(struct testing_case *c, enum gw_incident_command_kind kind, const char *actor) {
    memset(c, 0, sizeof(*c));
    gw_policy_default(&c->policy);
    gridwarden__v1__point__init(&c->point);
    c->point.longitude = 124.0;
    c->point.latitude = 42.5;
    gridwarden__v1__report_request__init(&c->report);
    c->report.request_id = (char *)"r-1";
    c->report.class_code = (char *)"01";
    c->report.point = &c->point;
    c->report.channel = GRIDWARDEN__V1__CHANNEL__CHANNEL_HOTLINE;
    c->report.description = (char *)"井盖缺失";
    c->report.actor = (char *)actor;
    c->command.kind = kind;
    c->command.actor = actor;
    c->command.report = &c->report;
    c->command.has_point = true;
    c->command.point = (struct gw_point){1240000000, 425000000};
    c->command.text = "";
    c->context.now_ms = TESTING_NOW;
    c->context.new_id = TESTING_ID;
    c->context.policy = &c->policy;
    c->context.candidates = c->candidates;
    testing_case_place(c, TESTING_INSIDE);
}

void testing_case_place(struct testing_case *c, enum testing_place place) {
    static const struct gw_incident_place places[TESTING_PLACE_COUNT] = {
        [TESTING_INSIDE] =
            {"grid", 1, "G1", {"211282001001", "211282001", "211282", "2112"}, 4, "", 0.0},
        [TESTING_OTHER] = {"grid", 1, "G2", {NULL}, 0, "", 0.0},
        [TESTING_OUTSIDE] = {"grid", 1, "", {"211282001001", "211282001"}, 2, "G1", 12.5},
        [TESTING_NOWHERE] = {"grid", 1, "", {NULL}, 0, "", 0.0},
    };
    c->place = places[place];
    c->context.place = &c->place;
}

void testing_case_no_point(struct testing_case *c) {
    c->report.point = NULL;
    c->report.address = (char *)"银州区文化街 1 号";
    c->command.has_point = false;
    c->context.place = NULL;
}

void testing_case_candidates(struct testing_case *c, const char *ids) {
    uint32_t count = 0;
    while (*ids != '\0' && count < GW_CANDIDATES_MAX) {
        size_t size = strcspn(ids, " ");
        size_t kept = size < GW_ACTOR_MAX ? size : GW_ACTOR_MAX;
        memcpy(c->ids[count], ids, kept);
        c->ids[count][kept] = '\0';
        gridwarden__v1__candidate__init(&c->candidates[count]);
        c->candidates[count].worker_id = c->ids[count];
        count++;
        ids += size + strspn(ids + size, " ");
    }
    c->context.candidate_count = count;
    c->context.eligible_count = count;
}

bool testing_apply(Gridwarden__Store__V1__IncidentRecord **state, struct testing_case *c,
                   struct testing_history *history, struct gw_error *error) {
    struct gw_incident_events events = {0};
    bool sound = true;
    error->code = gw_incident_decide(*state, &c->command, &c->context, &events, error);
    for (uint32_t i = 0; i < events.count; i++) {
        uint32_t version = *state != NULL ? (*state)->incident->version : 0;
        gw_incident_evolve(state, events.events[i]);
        sound = sound && gw_incident_valid(*state) && (*state)->incident->version == version + 1u;
        if (history != NULL && history->count < 64u) {
            history->events[history->count++] =
                (Gridwarden__V1__IncidentEvent *)gw_message_clone(&events.events[i]->base);
        }
    }
    sound = sound && (error->code == GW_OK || events.count == 0);
    gw_incident_events_free(&events);
    return sound;
}

void testing_history_free(struct testing_history *history) {
    for (uint32_t i = 0; i < history->count; i++) {
        gridwarden__v1__incident_event__free_unpacked(history->events[i], NULL);
    }
    history->count = 0;
}

bool testing_equal(const Gridwarden__Store__V1__IncidentRecord *a,
                   const Gridwarden__Store__V1__IncidentRecord *b) {
    size_t size_a = 0, size_b = 0;
    unsigned char *bytes_a = gw_message_pack(&a->base, &size_a);
    unsigned char *bytes_b = gw_message_pack(&b->base, &size_b);
    bool equal = bytes_a != NULL && bytes_b != NULL && size_a == size_b &&
                 memcmp(bytes_a, bytes_b, size_a) == 0;
    free(bytes_a);
    free(bytes_b);
    return equal;
}

Gridwarden__Store__V1__IncidentRecord *testing_replay(const struct testing_history *history) {
    Gridwarden__Store__V1__IncidentRecord *state = NULL;
    for (uint32_t i = 0; i < history->count; i++) {
        gw_incident_evolve(&state, history->events[i]);
    }
    return state;
}
