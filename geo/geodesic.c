#include "geo/geodesic.h"

#include <geodesic.h>
#include <math.h>
#include <stdatomic.h>
#include <stddef.h>

#define WGS84_A_M 6378137.0
#define WGS84_F (1.0 / 298.257223563)
#define WGS84_E2 (WGS84_F * (2.0 - WGS84_F))
#define RADIANS_PER_UNIT (3.14159265358979323846 / 180.0 / GW_UNITS_PER_DEGREE)
static const int64_t turn = INT64_C(2) * GW_LON_MAX; // 360 degrees in units

// Bounds are rounded down by more than sine, cosine and arc sine can be off by: relative near the
// antipode, where the haversine's arc sine is flat, and absolute where Karney's own nanometres
// show.
#define BOUND_SCALE (1.0 - 1e-7)
#define BOUND_SLACK_M 5e-8

// The ellipsoid's series coefficients take 0.2 us to compute: done once, by whoever comes first.
static struct geod_geodesic shared_ellipsoid;
static atomic_int shared_state; // 0 empty, 1 being filled, 2 ready

static double karney(struct gw_point a, struct gw_point b, const struct geod_geodesic *ellipsoid) {
    double metres = 0.0;
    geod_inverse(ellipsoid, (double)a.lat / GW_UNITS_PER_DEGREE,
                 (double)a.lon / GW_UNITS_PER_DEGREE, (double)b.lat / GW_UNITS_PER_DEGREE,
                 (double)b.lon / GW_UNITS_PER_DEGREE, &metres, NULL, NULL);
    return metres;
}

double gw_geodesic_distance(struct gw_point a, struct gw_point b) {
    if (atomic_load_explicit(&shared_state, memory_order_acquire) == 2) {
        return karney(a, b, &shared_ellipsoid);
    }
    struct geod_geodesic own;
    geod_init(&own, WGS84_A_M, WGS84_F);
    int empty = 0;
    if (atomic_compare_exchange_strong(&shared_state, &empty, 1)) {
        shared_ellipsoid = own;
        atomic_store_explicit(&shared_state, 2, memory_order_release);
    }
    return karney(a, b, &own);
}

// |a - b| the short way around the Earth, in units.
static int64_t longitude_gap(int32_t a, int32_t b) {
    int64_t gap = (int64_t)a - b;
    gap = gap < 0 ? -gap : gap;
    return gap > turn / 2 ? turn - gap : gap;
}

static double radians(int64_t units) {
    return (double)units * RADIANS_PER_UNIT;
}

struct gw_geodesic_origin gw_geodesic_from(struct gw_point point) {
    double latitude = radians(point.lat);
    double sin_lat = sin(latitude), cos_lat = cos(latitude);
    double normal_m = WGS84_A_M / sqrt(1.0 - WGS84_E2 * sin_lat * sin_lat);
    return (struct gw_geodesic_origin){
        .point = point,
        .sin_lat = sin_lat,
        .cos_lat = cos_lat,
        .axis_m = normal_m * cos_lat,
        .plane_m = normal_m * (1.0 - WGS84_E2) * sin_lat,
    };
}

// The straight chord through the ellipsoid, bent to the arc of a circle that has the ellipsoid's
// normal curvature above the chord's middle, in the chord's direction. For a quadric x'Ax = 1 with
// A = diag(1/a^2, 1/a^2, 1/b^2) that curvature is d'Ad / |Am|, where d is the unit direction and m
// the middle, scaled out to the surface: m'Am = 1 - chord'A chord / 4. It works at the poles as
// anywhere.
double gw_geodesic_quick(const struct gw_geodesic_origin *origin, struct gw_point point) {
    struct gw_geodesic_origin other = gw_geodesic_from(point);
    double half = sin(radians(longitude_gap(origin->point.lon, point.lon)) / 2.0);
    double r1 = origin->axis_m, r2 = other.axis_m;
    double dr = r1 - r2, dz = origin->plane_m - other.plane_m;
    double across2 = dr * dr + 4.0 * r1 * r2 * half * half;
    double chord2 = across2 + dz * dz;
    if (chord2 >= GW_GEODESIC_QUICK_M * GW_GEODESIC_QUICK_M) {
        return gw_geodesic_distance(origin->point, point);
    }
    if (chord2 <= 0.0) {
        return 0.0;
    }
    const double a2 = WGS84_A_M * WGS84_A_M, b2 = a2 * (1.0 - WGS84_E2);
    double form = across2 / a2 + dz * dz / b2;
    double middle_r2 = (r1 * r1 + r2 * r2 + 2.0 * r1 * r2 * (1.0 - 2.0 * half * half)) / 4.0;
    double middle_z = (origin->plane_m + other.plane_m) / 2.0;
    double gradient2 =
        (middle_r2 / (a2 * a2) + middle_z * middle_z / (b2 * b2)) / (1.0 - form / 4.0);
    double bend = form * form / (gradient2 * chord2); // (curvature x chord)^2
    return sqrt(chord2) * (1.0 + bend * (1.0 / 24.0 + bend * (3.0 / 640.0)));
}

static double bounded(double angle) {
    double metres = GW_GEODESIC_SPHERE_M * BOUND_SCALE * angle - BOUND_SLACK_M;
    return metres > 0.0 ? metres : 0.0;
}

static double haversine(double lat1, double lat2, double lon_gap) {
    double y = sin((lat1 - lat2) / 2.0), x = sin(lon_gap / 2.0);
    double h = y * y + cos(lat1) * cos(lat2) * x * x;
    return 2.0 * asin(h < 1.0 ? sqrt(h) : 1.0);
}

double gw_geodesic_lower_bound(struct gw_point a, struct gw_point b) {
    return bounded(haversine(radians(a.lat), radians(b.lat), radians(longitude_gap(a.lon, b.lon))));
}

double gw_geodesic_box_lower_bound(struct gw_point point, const struct gw_box *box) {
    bool inside_lon = box->min.lon <= point.lon && point.lon <= box->max.lon;
    int64_t west = longitude_gap(point.lon, box->min.lon);
    int64_t east = longitude_gap(point.lon, box->max.lon);
    int64_t gap = inside_lon ? 0 : west < east ? west : east;
    if (gap == 0) {
        // On the box's own meridians nothing is nearer than the difference of latitudes.
        int64_t south = (int64_t)box->min.lat - point.lat,
                north = (int64_t)point.lat - box->max.lat;
        int64_t apart = south > north ? south : north;
        return bounded(apart > 0 ? radians(apart) : 0.0);
    }
    // At any latitude the nearest place of the box is on the nearer meridian; along that meridian
    // the distance falls towards `foot` and grows behind it.
    double lat = radians(point.lat), lon_gap = radians(gap);
    double south = radians(box->min.lat), north = radians(box->max.lat);
    double foot = atan2(sin(lat), cos(lat) * cos(lon_gap));
    if (south < foot && foot < north) {
        return bounded(haversine(lat, foot, lon_gap));
    }
    double a = haversine(lat, south, lon_gap), b = haversine(lat, north, lon_gap);
    return bounded(a < b ? a : b);
}
