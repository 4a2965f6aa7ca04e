// For this room's tests and fuzz targets: places, candidates and commands without much writing.
#ifndef GW_SERVICES_INCIDENTS_TESTING_H
#define GW_SERVICES_INCIDENTS_TESTING_H

#include "services/incidents/incident.h"

#define TESTING_ID "c000000000000001-0000000001"
#define TESTING_NOW INT64_C(1700000000000)

enum testing_place {
    TESTING_INSIDE,  // grid G1 of village 211282001001, which has four areas above
    TESTING_OTHER,   // grid G2 of an unknown area
    TESTING_OUTSIDE, // nearest is G1
    TESTING_NOWHERE, // no grid at all
    TESTING_PLACE_COUNT
};

// A command with all that it is decided from.
struct testing_case {
    struct gw_policy policy;
    struct gw_incident_place place;
    struct gw_incident_command command;
    struct gw_incident_context context;
    Gridwarden__V1__ReportRequest report;
    Gridwarden__V1__Point point;
    Gridwarden__V1__Candidate candidates[GW_CANDIDATES_MAX];
    char ids[GW_CANDIDATES_MAX][GW_ACTOR_MAX + 1u];
};

// A command by `actor` at TESTING_NOW, of a sound request, at TESTING_INSIDE, with no candidates.
void testing_case(struct testing_case *c, enum gw_incident_command_kind kind, const char *actor);
void testing_case_place(struct testing_case *c, enum testing_place place);
void testing_case_no_point(struct testing_case *c); // an address instead
// Ids parted by blanks.
void testing_case_candidates(struct testing_case *c, const char *ids);

// decide, then evolve each event; false when an event makes an invalid state or changes nothing.
// `error` holds GW_OK or decide's refusal. Appends to *history (may be NULL) up to its room.
struct testing_history {
    Gridwarden__V1__IncidentEvent *events[64];
    uint32_t count;
};
bool testing_apply(Gridwarden__Store__V1__IncidentRecord **state, struct testing_case *c,
                   struct testing_history *history, struct gw_error *error);
void testing_history_free(struct testing_history *history);

// Whether the two states pack to the same bytes.
bool testing_equal(const Gridwarden__Store__V1__IncidentRecord *a,
                   const Gridwarden__Store__V1__IncidentRecord *b);
// The state that the events give.
Gridwarden__Store__V1__IncidentRecord *testing_replay(const struct testing_history *history);

#endif
