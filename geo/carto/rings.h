// Rings as they come in a file become rings as they are stored: on the lattice, without repeated
// vertices, turning the right way. Exact integer arithmetic after rounding; nothing here allocates.
#ifndef GW_GEO_CARTO_RINGS_H
#define GW_GEO_CARTO_RINGS_H

#include "geo/carto/fault.h"
#include "geo/coverage.h"
#include "geo/lattice.h"
#include <stdbool.h>
#include <stddef.h>

// Rounds the `count` positions lonlat[2 * i], lonlat[2 * i + 1] (degrees; the last repeats the
// first) into vertices[count], *vertex_count of them: half-even, not closed, no two neighbours
// equal, a shell counter-clockwise and a hole clockwise, whichever way they came (a ring that
// crosses itself may have no direction: gw_validity_check refuses it).
// GW_EINVAL: the ring cannot be stored; *fault says why and where (its `ring` is left 0), and what
// vertices[] holds is undefined.
GW_MUST_CHECK gw_err gw_ring_normalise(const double lonlat[], size_t count, enum gw_ring_kind kind,
                                       struct gw_point vertices[], size_t *vertex_count,
                                       struct gw_fault *fault);

// Whether hole and shell, both normalised, are the same line.
bool gw_ring_same_line(const struct gw_point shell[], size_t shell_count,
                       const struct gw_point hole[], size_t hole_count);

// The area that a ring encloses in square degrees, positive when it runs counter-clockwise. The sum
// is exact before it is rounded to double.
double gw_ring_area_deg2(const struct gw_point vertices[], size_t count);

#endif
