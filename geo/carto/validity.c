#include "geo/carto/validity.h"
#include "geo/carto/geos_shape.h"
#include "geo/carto/rings.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define UNIT (1.0 / GW_UNITS_PER_DEGREE)

struct gw_validity {
    struct gw_geos geos;
};

struct gw_validity *gw_validity_create(void) {
    struct gw_validity *checker = calloc(1, sizeof(*checker));
    if (checker != NULL && !gw_geos_init(&checker->geos)) {
        free(checker);
        return NULL;
    }
    return checker;
}

void gw_validity_destroy(struct gw_validity *checker) {
    if (checker != NULL) {
        gw_geos_deinit(&checker->geos);
        free(checker);
    }
}

// The distance from (x, y) to the edge a-b in lattice units; good to far less than one.
static double edge_distance(struct gw_point a, struct gw_point b, double x, double y) {
    double along_x = (double)b.lon - a.lon;
    double along_y = (double)b.lat - a.lat;
    double at =
        ((x - a.lon) * along_x + (y - a.lat) * along_y) / (along_x * along_x + along_y * along_y);
    at = at < 0 ? 0 : at > 1 ? 1 : at;
    return hypot(a.lon + at * along_x - x, a.lat + at * along_y - y);
}

static bool ring_near(const struct gw_shape *shape, uint32_t ring, double x, double y) {
    uint32_t from = shape->ring_vertices[ring];
    uint32_t to = shape->ring_vertices[ring + 1];
    for (uint32_t i = from; i < to; i++) {
        struct gw_point next = shape->vertices[i + 1 < to ? i + 1 : from];
        if (edge_distance(shape->vertices[i], next, x, y) <= 1.5) {
            return true;
        }
    }
    return false;
}

// Names the one or two rings that meet at the place of a fault.
static void find_rings(const struct gw_shape *shape, struct gw_fault *fault, double x, double y) {
    for (uint32_t ring = 0; ring < shape->ring_count && fault->other_ring == 0; ring++) {
        if (!ring_near(shape, ring, x, y)) {
            continue;
        }
        if (fault->ring == 0) {
            fault->ring = ring + 1;
        } else {
            fault->other_ring = ring + 1;
        }
    }
}

static uint32_t part_of(const struct gw_shape *shape, uint32_t ring) {
    uint32_t part = 0;
    for (uint32_t i = 0; i <= ring; i++) {
        part += shape->ring_kinds[i] == GW_RING_SHELL;
    }
    return part;
}

// GEOS calls every crossing a self-intersection; say which lines they are.
static enum gw_fault_kind crossing_kind(const struct gw_shape *shape,
                                        const struct gw_fault *fault) {
    if (fault->other_ring == 0) {
        return GW_FAULT_SELF_INTERSECTION;
    }
    uint32_t first = fault->ring - 1;
    uint32_t second = fault->other_ring - 1;
    if (part_of(shape, first) != part_of(shape, second)) {
        return GW_FAULT_OVERLAPPING_PARTS;
    }
    return shape->ring_kinds[first] == GW_RING_SHELL || shape->ring_kinds[second] == GW_RING_SHELL
               ? GW_FAULT_HOLE_CROSSES_SHELL
               : GW_FAULT_HOLES_CROSS;
}

static enum gw_fault_kind kind_of_reason(const char *reason) {
    static const struct {
        const char *reason;
        enum gw_fault_kind kind;
    } rows[] = {
        {"Self-intersection", GW_FAULT_SELF_INTERSECTION},
        {"Ring Self-intersection", GW_FAULT_RING_SELF_TOUCH},
        {"Hole lies outside shell", GW_FAULT_HOLE_OUTSIDE_SHELL},
        {"Holes are nested", GW_FAULT_NESTED_HOLES},
        {"Nested shells", GW_FAULT_OVERLAPPING_PARTS},
        {"Interior is disconnected", GW_FAULT_DISCONNECTED},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (strcmp(reason, rows[i].reason) == 0) {
            return rows[i].kind;
        }
    }
    return GW_FAULT_INVALID;
}

static void describe(struct gw_validity *checker, const struct gw_shape *shape, const char *reason,
                     const GEOSGeometry *place, struct gw_fault *fault) {
    GEOSContextHandle_t context = checker->geos.context;
    *fault = (struct gw_fault){.kind = kind_of_reason(reason), .lon = NAN, .lat = NAN};
    double x = 0;
    double y = 0;
    if (place == NULL || GEOSGeomGetX_r(context, place, &x) != 1 ||
        GEOSGeomGetY_r(context, place, &y) != 1) {
        return;
    }
    fault->lon = x * UNIT;
    fault->lat = y * UNIT;
    find_rings(shape, fault, x, y);
    if (fault->kind == GW_FAULT_SELF_INTERSECTION) {
        fault->kind = crossing_kind(shape, fault);
    }
}

// A hole that is its whole shell leaves nothing; GEOS would speak of crossing lines.
static bool hole_is_shell(const struct gw_shape *shape, struct gw_fault *fault) {
    uint32_t shell = 0;
    for (uint32_t ring = 0; ring < shape->ring_count; ring++) {
        if (shape->ring_kinds[ring] == GW_RING_SHELL) {
            shell = ring;
            continue;
        }
        const struct gw_point *first = &shape->vertices[shape->ring_vertices[ring]];
        if (gw_ring_same_line(&shape->vertices[shape->ring_vertices[shell]],
                              shape->ring_vertices[shell + 1] - shape->ring_vertices[shell], first,
                              shape->ring_vertices[ring + 1] - shape->ring_vertices[ring])) {
            *fault = (struct gw_fault){.kind = GW_FAULT_ZERO_AREA,
                                       .ring = ring + 1,
                                       .other_ring = shell + 1,
                                       .lon = gw_degrees(first->lon),
                                       .lat = gw_degrees(first->lat)};
            return true;
        }
    }
    return false;
}

gw_err gw_validity_check(struct gw_validity *checker, const struct gw_shape *shape,
                         struct gw_fault *fault) {
    if (shape->ring_count == 0) {
        *fault = (struct gw_fault){.kind = GW_FAULT_EMPTY, .lon = NAN, .lat = NAN};
        return GW_EINVAL;
    }
    if (hole_is_shell(shape, fault)) {
        return GW_EINVAL;
    }
    GEOSContextHandle_t context = checker->geos.context;
    GEOSGeometry *geometry = gw_geos_multipolygon(&checker->geos, shape);
    if (geometry == NULL) {
        return GW_ENOMEM;
    }
    char *reason = NULL;
    GEOSGeometry *place = NULL;
    char valid = GEOSisValidDetail_r(context, geometry, 0, &reason, &place);
    gw_err err = valid == 1 ? GW_OK : GW_EINVAL;
    if (err == GW_EINVAL) {
        describe(checker, shape, reason != NULL ? reason : "", place, fault);
    }
    if (place != NULL) {
        GEOSGeom_destroy_r(context, place);
    }
    if (reason != NULL) {
        GEOSFree_r(context, reason);
    }
    GEOSGeom_destroy_r(context, geometry);
    return err;
}
