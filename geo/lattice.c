#include "geo/lattice.h"

// The IEEE product of the degrees and 1e7, rounded half-even: what Python's round(lon * 1e7) gives.
// By hand, so that neither the rounding mode nor libm has a say. |degrees| <= 180.
static int32_t round_half_even(double degrees) {
    double units = degrees * (double)GW_UNITS_PER_DEGREE;
    int32_t whole = (int32_t)units;
    double rest = units - (double)whole;
    bool odd = whole % 2 != 0;
    if (rest > 0.5 || (rest == 0.5 && odd)) {
        return whole + 1;
    }
    if (rest < -0.5 || (rest == -0.5 && odd)) {
        return whole - 1;
    }
    return whole;
}

gw_err gw_lattice_round(double lon, double lat, struct gw_point *point) {
    // A difference with itself is 0 for finite numbers alone.
    if (lon - lon != 0.0 || lat - lat != 0.0) {
        return GW_EINVAL;
    }
    if (lon < -180.0 || lon > 180.0 || lat < -90.0 || lat > 90.0) {
        return GW_ERANGE;
    }
    *point = (struct gw_point){round_half_even(lon), round_half_even(lat)};
    return GW_OK;
}

gw_err gw_lattice_query(double lon, double lat, struct gw_point *point) {
    struct gw_point rounded;
    gw_err err = gw_lattice_round(lon, lat, &rounded);
    if (err == GW_OK) {
        *point = gw_point_normal(rounded);
    }
    return err;
}

bool gw_point_valid(struct gw_point point) {
    return point.lon >= -GW_LON_MAX && point.lon <= GW_LON_MAX && point.lat >= -GW_LAT_MAX &&
           point.lat <= GW_LAT_MAX;
}

struct gw_point gw_point_normal(struct gw_point point) {
    return point.lon == GW_LON_MAX ? (struct gw_point){-GW_LON_MAX, point.lat} : point;
}

double gw_degrees(int32_t units) {
    return (double)units / (double)GW_UNITS_PER_DEGREE;
}
