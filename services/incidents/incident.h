// The life of an incident: commands become events (decide), events become state (evolve). Pure.
//
// State and events are the plain structs that protobuf-c makes of store.proto and incident.proto.
// decide sees only its arguments: time, ids, the place that was found and the candidates that were
// weighed come in through the context. evolve cannot fail, and replaying the events of an incident
// gives its state byte for byte.
//
// Legal transitions are one const table (transitions in decide.c). Every prefix of an incident's
// events gives a valid state, so a command's events may be folded one by one.
//
// Threads: no shared state.
// Memory:  decide gives GW_ENOMEM; evolve aborts when out of memory, since nothing can go on then.
#ifndef GW_SERVICES_INCIDENTS_INCIDENT_H
#define GW_SERVICES_INCIDENTS_INCIDENT_H

#include "geo/lattice.h"
#include "gridwarden/store/v1/store.pb-c.h"
#include "gridwarden/v1/incident.pb-c.h"
#include "services/base/error.h"
#include "services/incidents/policy.h"

#define GW_INCIDENT_ID_SIZE 28    // 16 hex digits of the Hilbert key, '-', 10 of a counter, NUL
#define GW_INCIDENT_EVENTS_MAX 4u // of one command
#define GW_DESK_PREFIX "desk:"    // no worker's id begins so
#define GW_DESK_PLACE_UNKNOWN "desk:place-unknown"
#define GW_DESK_CITY "desk:city"       // when no area is known
#define GW_ACTOR_SYSTEM "system"       // timers and the assignment
#define GW_ACTOR_ANONYMOUS "anonymous" // a report that names nobody

#define GW_REQUEST_ID_MAX 128u // bytes, as are the next ones
#define GW_ACTOR_MAX 64u       // also of a worker's id
#define GW_HANDLER_MAX 69u     // a desk is GW_DESK_PREFIX and an area's code
#define GW_ADDRESS_MAX 512u
#define GW_DESCRIPTION_MAX 4096u
#define GW_DECLINE_REASON_MAX 512u
#define GW_NOTE_MAX 4096u
#define GW_TRIED_MAX 1024u // workers remembered as not to be asked again

enum gw_incident_command_kind {
    GW_INCIDENT_REPORT,
    GW_INCIDENT_SET_PLACE,
    GW_INCIDENT_ACCEPT,
    GW_INCIDENT_DECLINE,
    GW_INCIDENT_START,
    GW_INCIDENT_RESOLVE,
    GW_INCIDENT_CLOSE,
    GW_INCIDENT_EXPIRE, // the timer of an offer
    GW_INCIDENT_COMMAND_COUNT
};

struct gw_incident_command {
    enum gw_incident_command_kind kind;
    const char *actor;                           // "" in a REPORT: GW_ACTOR_ANONYMOUS
    const Gridwarden__V1__ReportRequest *report; // REPORT
    bool has_point;                              // REPORT, SET_PLACE
    struct gw_point point;
    const char *text; // reason of DECLINE, note of RESOLVE and CLOSE
    uint32_t attempt; // EXPIRE: the offer that lapsed
};

// What was found at a place. Strings are borrowed for the duration of the call.
struct gw_incident_place {
    const char *layer;
    uint64_t edition;
    const char *grid_code;     // "" outside every grid
    const char *area_codes[4]; // from village to city, of the grid or else of the nearest grid
    uint32_t area_count;
    const char *nearest_grid_code; // "" inside a grid
    double nearest_grid_distance_m;
};

struct gw_incident_context {
    int64_t now_ms;
    const char *new_id;                    // REPORT
    const struct gw_incident_place *place; // whenever the command has a point
    // Best first; weighed for REPORT and SET_PLACE with a point inside a grid, DECLINE and EXPIRE.
    const Gridwarden__V1__Candidate *candidates;
    uint32_t candidate_count, eligible_count;
    const struct gw_policy *policy;
};

// The events of one command, in order. Zero-initialise; free with gw_incident_events_free.
struct gw_incident_events {
    Gridwarden__V1__IncidentEvent *events[GW_INCIDENT_EVENTS_MAX];
    uint32_t count;
};

// Whether the command's fields are sound, the state allows it and the actor may do it: what decide
// asks first, for callers that spare themselves the search for candidates. GW_EINVAL, GW_ERANGE
// name the field; GW_ESTATE says the state and what is possible; GW_EPERM says who has the
// incident.
GW_MUST_CHECK gw_err gw_incident_permit(const Gridwarden__Store__V1__IncidentRecord *state,
                                        const struct gw_incident_command *command,
                                        const struct gw_policy *policy, struct gw_error *error);

// `state` is NULL for REPORT. On error there are no events, and the text names the field or the
// state and says what would be possible. Commands that change nothing (the timer of an old offer)
// give GW_OK and no events.
GW_MUST_CHECK gw_err gw_incident_decide(const Gridwarden__Store__V1__IncidentRecord *state,
                                        const struct gw_incident_command *command,
                                        const struct gw_incident_context *context,
                                        struct gw_incident_events *out, struct gw_error *error);
void gw_incident_events_free(struct gw_incident_events *events);

// Folds an event into the state. *state NULL before the first event; owned by the caller, freed
// with gridwarden__store__v1__incident_record__free_unpacked(state, NULL). An event that no decide
// makes in this state (of another incident, out of order, with a field past its limit) changes
// nothing.
void gw_incident_evolve(Gridwarden__Store__V1__IncidentRecord **state,
                        const Gridwarden__V1__IncidentEvent *event);

// Whether the state obeys its invariants (an offer has a worker and a time to answer by, a closed
// incident has no handler's place reserved, versions count up, ...). Checked after each evolve.
bool gw_incident_valid(const Gridwarden__Store__V1__IncidentRecord *state);

// The checks of a request's own fields (lengths, ranges, presence), before anything is looked up.
GW_MUST_CHECK gw_err gw_incident_check_report(const Gridwarden__V1__ReportRequest *request,
                                              const struct gw_policy *policy,
                                              struct gw_error *error);
// 1 .. 128 bytes of printable ASCII.
GW_MUST_CHECK gw_err gw_incident_check_request_id(const char *request_id, struct gw_error *error);
// What gw_incident_id writes. GW_EINVAL names `field`.
GW_MUST_CHECK gw_err gw_incident_check_id(const char *field, const char *id,
                                          struct gw_error *error);
// 1 .. 64 bytes of UTF-8 without control characters, and not GW_ACTOR_SYSTEM.
GW_MUST_CHECK gw_err gw_incident_check_actor(const char *actor, struct gw_error *error);
// The point of a request, rounded to the lattice. GW_EINVAL: not finite. GW_ERANGE.
GW_MUST_CHECK gw_err gw_incident_check_point(const Gridwarden__V1__Point *point,
                                             struct gw_point *out, struct gw_error *error);

// The worker whose place an incident in this state holds ("" if none, or if `state` is NULL).
const char *gw_incident_reserved_worker(const Gridwarden__Store__V1__IncidentRecord *state);

// Writes an id from the Hilbert key of the creation point (0 without a point) and a counter.
void gw_incident_id(uint64_t hilbert_key, uint64_t counter, char id[GW_INCIDENT_ID_SIZE]);
// The counter in an id; 0 for text that is none.
uint64_t gw_incident_id_counter(const char *id);

#endif
