// The lattice that every stored coordinate lies on: int32 in units of 1e-7 degree (at most 1.2 cm).
//
// Order:  longitude first, then latitude (x, y).
// Memory: plain values; nothing here allocates.
#ifndef GW_GEO_LATTICE_H
#define GW_GEO_LATTICE_H

#include "geo/err.h"
#include <stdbool.h>
#include <stdint.h>

#define GW_LON_MAX 1800000000 // 180 degrees
#define GW_LAT_MAX 900000000  // 90 degrees
#define GW_UNITS_PER_DEGREE 10000000

struct gw_point {
    int32_t lon, lat; // 1e-7 degree
};

// Closed on all sides; empty when min > max.
struct gw_box {
    struct gw_point min, max;
};

// Rounds degrees half-even to the lattice. GW_EINVAL: not finite. GW_ERANGE: outside +-180, +-90.
// `point` is untouched on error. 180 stays 180 (a polygon's vertex may lie there).
GW_MUST_CHECK gw_err gw_lattice_round(double lon, double lat, struct gw_point *point);

// The same for a point that is asked about: longitude 180 is read as -180.
GW_MUST_CHECK gw_err gw_lattice_query(double lon, double lat, struct gw_point *point);

// Whether lon is in -GW_LON_MAX .. GW_LON_MAX and lat in -GW_LAT_MAX .. GW_LAT_MAX.
bool gw_point_valid(struct gw_point point);

// Longitude 180 becomes -180; others are unchanged.
struct gw_point gw_point_normal(struct gw_point point);

double gw_degrees(int32_t units);

#endif
