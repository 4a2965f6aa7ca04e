// Distances on the WGS84 ellipsoid between lattice points.
//
// gw_geodesic_distance is exact (Karney 2013, to nanometres). gw_geodesic_quick gives the same
// within GW_GEODESIC_QUICK_ERROR_M for a tenth of the time where the points are near. The lower
// bounds are cheap and never above it: the meridian radius of curvature is at least a(1 - e^2) and
// the prime vertical's at least a, so the ellipsoid is nowhere "smaller" than a sphere of radius
// a(1 - e^2) that carries the same longitudes and geodetic latitudes.
//
// Units:   metres. Longitudes 180 and -180 are the same place.
// Threads: no shared state but constants; any number of threads may ask.
#ifndef GW_GEO_GEODESIC_H
#define GW_GEO_GEODESIC_H

#include "geo/lattice.h"

// Radius of the sphere that the bounds are taken on: a(1 - e^2), cut to the metre below.
#define GW_GEODESIC_SPHERE_M 6335439.0
// gw_geodesic_quick is off by less than this (measured: 4e-9); Karney's own error is below 15 nm.
#define GW_GEODESIC_QUICK_ERROR_M 2e-8
#define GW_GEODESIC_QUICK_M 25000.0 // beyond it gw_geodesic_quick asks Karney

double gw_geodesic_distance(struct gw_point a, struct gw_point b);

// A point from which many distances are asked for.
struct gw_geodesic_origin {
    struct gw_point point;
    double sin_lat, cos_lat;
    double axis_m, plane_m; // distance from the Earth's axis, and from the equator's plane (signed)
};
struct gw_geodesic_origin gw_geodesic_from(struct gw_point point);

// gw_geodesic_distance(origin->point, point) but for GW_GEODESIC_QUICK_ERROR_M.
double gw_geodesic_quick(const struct gw_geodesic_origin *origin, struct gw_point point);

// At most gw_geodesic_distance(a, b), and within 1.1 % of it (but for 50 nm).
double gw_geodesic_lower_bound(struct gw_point a, struct gw_point b);

// At most the distance from `point` to any point of the closed box (min <= max in both).
double gw_geodesic_box_lower_bound(struct gw_point point, const struct gw_box *box);

#endif
