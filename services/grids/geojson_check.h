// What a GeoJSON file must be before GDAL sees it, checked byte by byte.
//
// GDAL is lenient: it reads a null coordinate as no geometry, a number that is too large as
// infinity, and takes the last of two members with the same name. Here such a file is refused, with
// feature, ring and vertex. What the check lets pass has this shape:
// - one JSON document (RFC 8259) in UTF-8, with or without a byte-order mark;
// - a FeatureCollection, or one Feature; each feature a Polygon or MultiPolygon with rings of
//   positions of 2 to 4 numbers, none of them empty;
// - no member twice in the collection, a feature, its geometry or its properties;
// - in the fields that are kept: a text without NUL, null, or a whole number without sign of up to
// 18
//   digits, which is kept as its digits.
// Limits: GW_JSON_* in json_scan.h, 256 members in one of those objects, GW_IMPORT_* in importer.h.
#ifndef GW_SERVICES_GRIDS_GEOJSON_CHECK_H
#define GW_SERVICES_GRIDS_GEOJSON_CHECK_H

#include "services/base/error.h"
#include "services/grids/import_findings.h"
#include <stddef.h>
#include <stdint.h>

#define GW_GEOJSON_MEMBERS_MAX 256u
#define GW_GEOJSON_CRS_MAX 128u // bytes of the name in a `crs` member, with its NUL

enum gw_import_field {
    GW_FIELD_CODE,
    GW_FIELD_NAME,
    GW_FIELD_KIND,
    GW_FIELD_PARENT,
    GW_FIELD_PRIORITY,
    GW_FIELD_COUNT
};

struct gw_geojson_summary {
    uint64_t features, positions;
    size_t start;                 // where the document begins, behind a byte-order mark
    char crs[GW_GEOJSON_CRS_MAX]; // of the `crs` member; "" where there is none
    uint8_t *refused;             // one bit a feature, feature 1 first; NULL when there is none
    uint64_t refused_bytes;
};

// Checks the whole text and reports everything that is wrong with it. `fields` are the names of the
// fields that are kept, NULL for none. GW_EINVAL: the file cannot be read at all (reported); GW_OK:
// it can be, apart from the features whose bit is set in summary->refused. GW_ENOMEM.
// The caller frees summary->refused, on errors too.
GW_MUST_CHECK gw_err gw_geojson_check(const char *text, size_t size,
                                      const char *const fields[GW_FIELD_COUNT],
                                      struct gw_findings *findings,
                                      struct gw_geojson_summary *summary);

// Whether feature `number` (from 1) was refused.
bool gw_geojson_refused(const struct gw_geojson_summary *summary, uint64_t number);

#endif
