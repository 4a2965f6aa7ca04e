#include "geo/carto/geos_shape.h"
#include <stdlib.h>

bool gw_geos_init(struct gw_geos *geos) {
    *geos = (struct gw_geos){.context = GEOS_init_r()};
    return geos->context != NULL;
}

void gw_geos_deinit(struct gw_geos *geos) {
    free(geos->scratch);
    GEOS_finish_r(geos->context);
}

static GEOSGeometry *make_ring(struct gw_geos *geos, const struct gw_shape *shape, uint32_t ring) {
    uint32_t from = shape->ring_vertices[ring];
    size_t count = shape->ring_vertices[ring + 1] - from;
    if (geos->scratch_count < count + 1) {
        double *scratch = realloc(geos->scratch, (count + 1) * 2 * sizeof(double));
        if (scratch == NULL) {
            return NULL;
        }
        geos->scratch = scratch;
        geos->scratch_count = count + 1;
    }
    for (size_t i = 0; i <= count; i++) {
        struct gw_point point = shape->vertices[from + (i < count ? i : 0)];
        geos->scratch[2 * i] = point.lon;
        geos->scratch[2 * i + 1] = point.lat;
    }
    GEOSCoordSequence *sequence =
        GEOSCoordSeq_copyFromBuffer_r(geos->context, geos->scratch, (unsigned)(count + 1), 0, 0);
    return sequence == NULL ? NULL : GEOSGeom_createLinearRing_r(geos->context, sequence);
}

static void destroy_all(struct gw_geos *geos, GEOSGeometry **geometries, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        GEOSGeom_destroy_r(geos->context, geometries[i]);
    }
}

// The polygon of the shell `ring` and the holes behind it; *next is the ring after them.
static GEOSGeometry *make_polygon(struct gw_geos *geos, const struct gw_shape *shape, uint32_t ring,
                                  GEOSGeometry **holes, uint32_t *next) {
    GEOSGeometry *shell = make_ring(geos, shape, ring);
    uint32_t count = 0;
    for (ring++; ring < shape->ring_count && shape->ring_kinds[ring] == GW_RING_HOLE; ring++) {
        holes[count] = shell == NULL ? NULL : make_ring(geos, shape, ring);
        if (holes[count] == NULL) {
            destroy_all(geos, holes, count);
            if (shell != NULL) {
                GEOSGeom_destroy_r(geos->context, shell);
            }
            return NULL;
        }
        count++;
    }
    *next = ring;
    // GEOS takes the rings, and gives them back to nobody when it fails.
    return shell == NULL ? NULL : GEOSGeom_createPolygon_r(geos->context, shell, holes, count);
}

GEOSGeometry *gw_geos_multipolygon(struct gw_geos *geos, const struct gw_shape *shape) {
    // Parts and the holes of one part: never more than there are rings.
    GEOSGeometry **parts = calloc((size_t)shape->ring_count * 2, sizeof(GEOSGeometry *));
    if (parts == NULL) {
        return NULL;
    }
    GEOSGeometry **holes = parts + shape->ring_count;
    GEOSGeometry *whole = NULL;
    uint32_t count = 0;
    uint32_t ring = 0;
    bool made = true;
    while (made && ring < shape->ring_count) {
        parts[count] = make_polygon(geos, shape, ring, holes, &ring);
        made = parts[count] != NULL;
        count += made;
    }
    if (made) {
        whole = GEOSGeom_createCollection_r(geos->context, GEOS_MULTIPOLYGON, parts, count);
    } else {
        destroy_all(geos, parts, count);
    }
    free(parts);
    return whole;
}
