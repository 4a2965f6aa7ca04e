#include "geo/carto/rings.h"
#include <math.h>

// Twice an area in square lattice units: 2^31 terms of 2^64 at most.
__extension__ typedef __int128 wide;

static gw_err faulty(struct gw_fault *fault, enum gw_fault_kind kind, double lon, double lat) {
    *fault = (struct gw_fault){.kind = kind, .lon = lon, .lat = lat};
    return GW_EINVAL;
}

static gw_err faulty_at(struct gw_fault *fault, enum gw_fault_kind kind, struct gw_point place) {
    return faulty(fault, kind, gw_degrees(place.lon), gw_degrees(place.lat));
}

static bool same(struct gw_point a, struct gw_point b) {
    return a.lon == b.lon && a.lat == b.lat;
}

static wide twice_area(const struct gw_point vertices[], size_t count) {
    wide sum = 0;
    for (size_t i = 0; i < count; i++) {
        struct gw_point a = vertices[i];
        struct gw_point b = vertices[i + 1 < count ? i + 1 : 0];
        sum += (wide)((int64_t)a.lon * b.lat) - (wide)((int64_t)b.lon * a.lat);
    }
    return sum;
}

double gw_ring_area_deg2(const struct gw_point vertices[], size_t count) {
    double unit = 1.0 / GW_UNITS_PER_DEGREE;
    return (double)twice_area(vertices, count) / 2.0 * unit * unit;
}

static bool on_one_line(const struct gw_point vertices[], size_t count) {
    for (size_t i = 2; i < count; i++) {
        int64_t first_lon = (int64_t)vertices[1].lon - vertices[0].lon;
        int64_t first_lat = (int64_t)vertices[1].lat - vertices[0].lat;
        int64_t lon = (int64_t)vertices[i].lon - vertices[0].lon;
        int64_t lat = (int64_t)vertices[i].lat - vertices[0].lat;
        if (first_lon * lat != first_lat * lon) {
            return false;
        }
    }
    return true;
}

// Whether the line turns straight back at b: the three lie on one line, a and c on the same side.
static bool turns_back(struct gw_point a, struct gw_point b, struct gw_point c) {
    int64_t back_lon = (int64_t)a.lon - b.lon;
    int64_t back_lat = (int64_t)a.lat - b.lat;
    int64_t on_lon = (int64_t)c.lon - b.lon;
    int64_t on_lat = (int64_t)c.lat - b.lat;
    if (back_lon * on_lat != back_lat * on_lon) {
        return false;
    }
    return (wide)back_lon * on_lon + (wide)back_lat * on_lat > 0;
}

// An edge that spans more than half the globe was meant to go the other way round; only the rim of
// a band around the whole globe, from -180 to 180, is meant so.
static bool spans_too_far(struct gw_point a, struct gw_point b) {
    int64_t span = (int64_t)b.lon - a.lon;
    span = span < 0 ? -span : span;
    return span > GW_LON_MAX && span != 2 * (int64_t)GW_LON_MAX;
}

// Rounds, and drops what repeats. `moved` says whether rounding changed a position visibly.
static gw_err round_positions(const double lonlat[], size_t count, struct gw_point vertices[],
                              size_t *vertex_count, bool *moved, struct gw_fault *fault) {
    const double noise = 1e-4; // of a lattice unit: far above what decimal digits lose in a double
    size_t kept = 0;
    *moved = false;
    for (size_t i = 0; i < count; i++) {
        struct gw_point point = {0, 0};
        double lon = lonlat[2 * i];
        double lat = lonlat[2 * i + 1];
        gw_err err = gw_lattice_round(lon, lat, &point);
        if (err != GW_OK) {
            return faulty(fault, err == GW_ERANGE ? GW_FAULT_OUT_OF_RANGE : GW_FAULT_BAD_COORDINATE,
                          lon, lat);
        }
        *moved = *moved || fabs(lon * GW_UNITS_PER_DEGREE - point.lon) > noise ||
                 fabs(lat * GW_UNITS_PER_DEGREE - point.lat) > noise;
        if (kept == 0 || !same(vertices[kept - 1], point)) {
            vertices[kept++] = point;
        }
    }
    while (kept > 1 && same(vertices[kept - 1], vertices[0])) {
        kept--;
    }
    *vertex_count = kept;
    return GW_OK;
}

static void reverse(struct gw_point vertices[], size_t count) {
    for (size_t i = 0; i < count / 2; i++) {
        struct gw_point swapped = vertices[i];
        vertices[i] = vertices[count - 1 - i];
        vertices[count - 1 - i] = swapped;
    }
}

static gw_err check_edges(const struct gw_point vertices[], size_t count, struct gw_fault *fault) {
    for (size_t i = 0; i < count; i++) {
        struct gw_point before = vertices[i > 0 ? i - 1 : count - 1];
        struct gw_point after = vertices[i + 1 < count ? i + 1 : 0];
        if (spans_too_far(vertices[i], after)) {
            return faulty_at(fault, GW_FAULT_ANTIMERIDIAN, vertices[i]);
        }
        if (turns_back(before, vertices[i], after)) {
            return faulty_at(fault, GW_FAULT_SPIKE, vertices[i]);
        }
    }
    return GW_OK;
}

gw_err gw_ring_normalise(const double lonlat[], size_t count, enum gw_ring_kind kind,
                         struct gw_point vertices[], size_t *vertex_count, struct gw_fault *fault) {
    if (count == 0) {
        return faulty(fault, GW_FAULT_EMPTY, NAN, NAN);
    }
    bool moved = false;
    gw_err err = round_positions(lonlat, count, vertices, vertex_count, &moved, fault);
    if (err != GW_OK) {
        return err;
    }
    if (count < 4) {
        return faulty(fault, GW_FAULT_TOO_FEW_POINTS, lonlat[0], lonlat[1]);
    }
    if (lonlat[0] < lonlat[2 * count - 2] || lonlat[0] > lonlat[2 * count - 2] ||
        lonlat[1] < lonlat[2 * count - 1] || lonlat[1] > lonlat[2 * count - 1]) {
        return faulty(fault, GW_FAULT_UNCLOSED, lonlat[0], lonlat[1]);
    }
    if (on_one_line(vertices, *vertex_count)) {
        return faulty_at(fault, moved ? GW_FAULT_SLIVER : GW_FAULT_ZERO_AREA, vertices[0]);
    }
    err = check_edges(vertices, *vertex_count, fault);
    wide area = twice_area(vertices, *vertex_count); // may be 0 in a ring that crosses itself
    if (err == GW_OK && area != 0 && (area > 0) != (kind == GW_RING_SHELL)) {
        reverse(vertices, *vertex_count);
    }
    return err;
}

bool gw_ring_same_line(const struct gw_point shell[], size_t shell_count,
                       const struct gw_point hole[], size_t hole_count) {
    if (shell_count != hole_count) {
        return false;
    }
    size_t start = 0;
    while (start < hole_count && !same(hole[start], shell[0])) {
        start++;
    }
    for (size_t i = 0; i < shell_count; i++) {
        if (start == hole_count || !same(hole[(start + hole_count - i) % hole_count], shell[i])) {
            return false;
        }
    }
    return true;
}
