// Whether a polygon on the lattice is valid in the sense of the OGC's Simple Features: rings
// neither cross nor touch themselves, holes lie inside, parts don't overlap, the interior hangs
// together.
//
// GEOS judges, on the stored integers: doubles hold them exactly, and GEOS' orientation predicate
// is exact, so what is checked is what is stored.
//
// Threads: a checker belongs to one thread at a time.
#ifndef GW_GEO_CARTO_VALIDITY_H
#define GW_GEO_CARTO_VALIDITY_H

#include "geo/carto/fault.h"
#include "geo/coverage.h"
#include <stddef.h>

// The rings of one grid, each as gw_ring_normalise makes them: a shell and then its holes, again
// for every part. Borrowed.
struct gw_shape {
    uint32_t ring_count;
    const uint32_t *ring_vertices; // [ring_count + 1] index of a ring's first vertex in `vertices`
    const uint8_t *ring_kinds;     // [ring_count] enum gw_ring_kind, the first a shell
    const struct gw_point *vertices;
};

struct gw_validity; // the checker: a GEOS context and scratch memory

struct gw_validity *gw_validity_create(void); // NULL: out of memory
void gw_validity_destroy(struct gw_validity *checker);

// GW_OK: valid. GW_EINVAL: *fault says what, where and in which ring. GW_ENOMEM.
// O(vertices log vertices) for what maps contain.
GW_MUST_CHECK gw_err gw_validity_check(struct gw_validity *checker, const struct gw_shape *shape,
                                       struct gw_fault *fault);

#endif
