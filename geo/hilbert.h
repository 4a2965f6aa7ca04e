// Hilbert order of the lattice: near places get near keys (Hilbert 1891; state-table form).
#ifndef GW_GEO_HILBERT_H
#define GW_GEO_HILBERT_H

#include "geo/lattice.h"

// The 64-bit key of a point: 32 levels over longitude and latitude shifted to unsigned.
uint64_t gw_hilbert_key(struct gw_point point);

// The inverse. Keys of no lattice point give a point that gw_point_valid refuses.
struct gw_point gw_hilbert_point(uint64_t key);

#endif
