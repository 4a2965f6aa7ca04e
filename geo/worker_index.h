// Worker index: where workers are now, and the k nearest of them that pass a filter. Exact.
//
// A 16-way tree of cells whose leaves hold positions and filter bits inline; nearest search visits
// cells by a lower bound of the geodesic distance and settles the order with Karney's algorithm
// (GeographicLib's geodesic.h, WGS84), ties by the caller's order of ids.
//
// Memory:  one heap object that grows with the workers in it; updates of known workers allocate
//          only when a cell splits.
// Threads: none of its own; the caller lets one writer in at a time and no reader beside it.
#ifndef GW_GEO_WORKER_INDEX_H
#define GW_GEO_WORKER_INDEX_H

#include "geo/lattice.h"

#define GW_WORKERS_MAX 8388608u // handles are 0 .. GW_WORKERS_MAX - 1
#define GW_NEAREST_K_MAX 1000u

struct gw_worker_index;

// What the filter sees of a worker.
struct gw_worker_bits {
    uint64_t skills; // one bit a skill
    uint32_t flags;  // the caller's bits: duty, kind, free capacity
    int64_t time_ms; // when the position was measured
};

// Passes when all required skills and flags are there, the position is at least as recent as
// time_ms_min, and `accept` (may be NULL) agrees.
struct gw_worker_filter {
    uint64_t skills;
    uint32_t flags;
    int64_t time_ms_min; // INT64_MIN: of any age
    bool (*accept)(uint32_t worker, const void *context);
    const void *context;
};

struct gw_near_worker {
    uint32_t worker;
    double distance_m; // geodesic, WGS84
};

// NULL: out of memory.
struct gw_worker_index *gw_worker_index_create(void);
void gw_worker_index_destroy(struct gw_worker_index *index);

// Puts a worker at a position or moves him there. GW_EINVAL: handle or position out of range.
// GW_ENOMEM leaves the index as it was.
GW_MUST_CHECK gw_err gw_worker_index_put(struct gw_worker_index *index, uint32_t worker,
                                         struct gw_point position, struct gw_worker_bits bits);

// Changes skills and flags of a worker that may be in the index; position and time stay.
void gw_worker_index_set_bits(struct gw_worker_index *index, uint32_t worker, uint64_t skills,
                              uint32_t flags);

// Takes a worker out; nothing happens if he is not in.
void gw_worker_index_remove(struct gw_worker_index *index, uint32_t worker);

// False when the worker has no position.
bool gw_worker_index_get(const struct gw_worker_index *index, uint32_t worker,
                         struct gw_point *position, struct gw_worker_bits *bits);

uint32_t gw_worker_index_count(const struct gw_worker_index *index);

// The k nearest that pass, nearest first, into out[k]; *count of them. `before(a, b, context)` says
// whether worker a's id comes before b's; NULL: by handle. GW_EINVAL: k is 0 or above the limit.
GW_MUST_CHECK gw_err gw_worker_index_nearest(const struct gw_worker_index *index,
                                             struct gw_point point, uint32_t k,
                                             const struct gw_worker_filter *filter,
                                             bool (*before)(uint32_t, uint32_t, const void *),
                                             const void *context, struct gw_near_worker out[],
                                             uint32_t *count);

// Walks the whole structure and says whether every invariant holds. For tests and fuzzing.
GW_MUST_CHECK gw_err gw_worker_index_check(const struct gw_worker_index *index);

#endif
