// The workers of a shard: roster, duty, reservations, live positions, and who is nearest and able.
//
// Durable facts (roster, duty, reservations) come from WorkerEvents: decide makes them, evolve
// folds them; both are pure but for memory. Positions are live data, in memory, with a snapshot.
//
// Threads: evolve is called by the shard's writer, positions by any thread, reads by any thread; a
//          read-write lock inside keeps them apart, so calls may wait for microseconds, never for
//          I/O.
#ifndef GW_SERVICES_WORKERS_WORKERS_H
#define GW_SERVICES_WORKERS_WORKERS_H

#include "geo/worker_index.h"
#include "gridwarden/store/v1/store.pb-c.h"
#include "gridwarden/v1/worker.pb-c.h"
#include "services/base/error.h"
#include "services/grids/edition.h"
#include "services/incidents/policy.h"

#define GW_WORKER_ID_MAX 64u
#define GW_WORKER_UPSERT_MAX 1000u
#define GW_WORKER_HOME_GRIDS_MAX 16u
#define GW_WORKER_SKILLS_MAX 32u
#define GW_SKILLS_MAX 64u // distinct names in a city

struct gw_workers;

// `edition` gives the areas above home grids; it outlives the workers or their next edition. NULL:
// out of memory.
struct gw_workers *gw_workers_create(const struct gw_edition *edition);
void gw_workers_destroy(struct gw_workers *workers); // accepts NULL
// From now on home grids and the areas above them are those of `edition`; the one before is not
// touched any more once this returns. A home that `edition` does not have counts for nothing until
// one comes that has it again; the worker stays in the roster with all else. Called by the thread
// that calls evolve; readers see the one or the other. Aborts when out of memory.
void gw_workers_set_edition(struct gw_workers *workers, const struct gw_edition *edition);

// --- durable facts ---

// Zero-initialise; free with gw_worker_events_free.
struct gw_worker_events {
    Gridwarden__Store__V1__WorkerEvent **events;
    uint32_t count, capacity;
};
void gw_worker_events_free(struct gw_worker_events *events);

// Checks every field of every worker (the text names worker and field); GW_EINVAL, GW_ENOSPC. A
// home grid that the edition does not have is refused by name.
GW_MUST_CHECK gw_err gw_workers_decide_upsert(struct gw_workers *workers,
                                              const Gridwarden__V1__UpsertWorkersRequest *request,
                                              int64_t now_ms, struct gw_worker_events *out,
                                              Gridwarden__V1__UpsertWorkersResponse *response,
                                              struct gw_error *error);
// GW_ENOTFOUND names the unknown worker. Workers that are so already give no event.
GW_MUST_CHECK gw_err gw_workers_decide_duty(struct gw_workers *workers,
                                            const Gridwarden__V1__SetDutyRequest *request,
                                            int64_t now_ms, struct gw_worker_events *out,
                                            Gridwarden__V1__SetDutyResponse *response,
                                            struct gw_error *error);
// One place of a worker for one attempt of an incident; again for the same is GW_OK without an
// event, and another attempt of it takes over the place. GW_ESTATE: no place left, or off duty.
// GW_ENOTFOUND.
GW_MUST_CHECK gw_err gw_workers_decide_reserve(struct gw_workers *workers, const char *worker_id,
                                               const char *incident_id, uint32_t attempt,
                                               int64_t now_ms, struct gw_worker_events *out);
// Gives the place back, whatever the attempt; none held is GW_OK without an event.
GW_MUST_CHECK gw_err gw_workers_decide_release(struct gw_workers *workers, const char *worker_id,
                                               const char *incident_id, int64_t now_ms,
                                               struct gw_worker_events *out);
// Folds an event. Cannot fail but for memory (then it aborts: nothing can go on).
void gw_workers_evolve(struct gw_workers *workers, const Gridwarden__Store__V1__WorkerEvent *event);

// A stored record, at start, before any evolve.
void gw_workers_load(struct gw_workers *workers, const Gridwarden__Store__V1__WorkerRecord *record);
// The record of a worker as it is to be stored, for the caller to pack and free with
// gridwarden__store__v1__worker_record__free_unpacked(record, NULL). NULL: no such worker.
Gridwarden__Store__V1__WorkerRecord *gw_workers_record(struct gw_workers *workers,
                                                       const char *worker_id);

// --- live positions ---

// Applies positions that are no older than what is known; counts into `response`. `now_ms` stands
// in for a time of 0; a time more than 60 s ahead of now is cut to now. A faulty point gives
// GW_EINVAL or GW_ERANGE, names the worker, and nothing of the message is applied.
GW_MUST_CHECK gw_err gw_workers_report(struct gw_workers *workers,
                                       const Gridwarden__V1__ReportPositionsRequest *request,
                                       int64_t now_ms,
                                       Gridwarden__V1__ReportPositionsResponse *response,
                                       struct gw_error *error);

// Packs all positions for a snapshot into malloc'ed bytes; load them back after the roster. Loading
// skips workers that no roster has and positions older than known. GW_ECORRUPT: nothing was loaded.
GW_MUST_CHECK gw_err gw_workers_snapshot(struct gw_workers *workers, unsigned char **bytes,
                                         size_t *size);
GW_MUST_CHECK gw_err gw_workers_snapshot_load(struct gw_workers *workers, const void *bytes,
                                              size_t size);

// --- questions ---

struct gw_workers_totals {
    uint32_t workers, on_duty, with_position, reserved_places;
};
void gw_workers_totals(struct gw_workers *workers, struct gw_workers_totals *totals);

// A copy of one worker with duty, load and position, for the caller to free with
// gridwarden__v1__worker__free_unpacked. NULL: no such worker.
Gridwarden__V1__Worker *gw_workers_get(struct gw_workers *workers, const char *worker_id);

// Up to `count_max` workers in id order with id > after ("" for the first), under a code prefix
// ("": any), as copies in out[]; returns how many.
uint32_t gw_workers_list(struct gw_workers *workers, const char *after, const char *code_prefix,
                         uint32_t count_max, Gridwarden__V1__Worker *out[]);

// Ids of the workers whose home is this grid, in id order, as malloc'ed strings; returns how many.
uint32_t gw_workers_roster(struct gw_workers *workers, const char *grid_code, uint32_t count_max,
                           char *out[]);

// Checks the request, then answers it into `response` (zeroed NearestResponse; its arrays are
// malloc'ed, to be freed with gw_workers_nearest_free). GW_EINVAL, GW_ERANGE name the field.
GW_MUST_CHECK gw_err gw_workers_nearest(struct gw_workers *workers,
                                        const Gridwarden__V1__NearestRequest *request,
                                        int64_t now_ms, Gridwarden__V1__NearestResponse *response,
                                        struct gw_error *error);
void gw_workers_nearest_free(Gridwarden__V1__NearestResponse *response);

// Who is to be asked for an incident at `point` in `grid`: on duty, with the skill, with room, not
// yet tried. The lowest level that has anyone decides (grid roster, then village's and so on up to
// level_max), or with GW_ORDER_NEAREST all of these levels together; of those the nearest by a
// fresh position, ties by id; then, if the policy says so, those without one, by id.
struct gw_candidate_query {
    uint32_t grid; // of the edition
    struct gw_point point;
    const char *skill; // "" for none
    char *const *tried;
    size_t tried_count;
    int64_t now_ms;
    const struct gw_policy *policy;
};
// Up to GW_CANDIDATES_MAX into out[]; worker_id strings are malloc'ed, freed by
// gw_candidates_free(out, count). Returns how many; *eligible_count: how many passed at that level
// (or at all of them). A candidate's level is the lowest whose roster he is in.
uint32_t gw_workers_candidates(struct gw_workers *workers, const struct gw_candidate_query *query,
                               Gridwarden__V1__Candidate out[GW_CANDIDATES_MAX],
                               uint32_t *eligible_count);
void gw_candidates_free(Gridwarden__V1__Candidate candidates[], uint32_t count);

// --- where everybody is ---

// A worker with a position. The handle is a small number that stays his while the process runs.
struct gw_worker_place {
    uint32_t handle; // below what gw_workers_visit_positions returns
    const char *id;  // valid during the visit alone
    struct gw_point point;
    int64_t time_ms; // when the position was measured
    bool on_duty, full_time;
    uint32_t load;
};

// Visits every worker with a position, in no order, allocating nothing; what changes meanwhile may
// or may not be seen. `visit` is called under the lock: it must be quick and not call back. Returns
// how many workers there are.
uint32_t gw_workers_visit_positions(struct gw_workers *workers,
                                    void (*visit)(void *context,
                                                  const struct gw_worker_place *place),
                                    void *context);

#endif
