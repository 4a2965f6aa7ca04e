// Distances on the WGS84 ellipsoid between lattice points.
//
// gw_geodesic_distance is exact (Karney 2013, to nanometres). The lower bound is cheap and never
// above it: the meridian radius of curvature is at least a(1 - e^2) and the prime vertical's at least
// a, so the ellipsoid is nowhere "smaller" than a sphere of radius a(1 - e^2) that carries the same
// longitudes and geodetic latitudes.
#ifndef GW_GEO_GEODESIC_H
#define GW_GEO_GEODESIC_H

#include "geo/lattice.h"

double gw_geodesic_distance(struct gw_point a, struct gw_point b); // metres

// At most gw_geodesic_distance(a, b), and within 1.1 % of it.
double gw_geodesic_lower_bound(struct gw_point a, struct gw_point b);

// At most the distance from `point` to any point of the closed box.
double gw_geodesic_box_lower_bound(struct gw_point point, const struct gw_box *box);

#endif
