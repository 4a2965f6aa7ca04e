#include "services/grids/import_feature.h"
#include "geo/carto/rings.h"
#include "gridwarden/v1/grid.pb-c.h"
#include "services/grids/edition_areas.h"
#include "services/grids/text.h"
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LOOKS_PROJECTED 400.0 // no longitude or latitude is written with such a number

// The feature being read.
struct reading {
    struct gw_feature_reader *reader;
    OGRFeatureH feature;
    const char *code; // "" until known
    uint64_t number;
    bool refused;
};

static struct gw_import_finding about(const struct reading *reading, const char *kind) {
    return (struct gw_import_finding){.kind = kind,
                                      .feature = (int64_t)reading->number,
                                      .code = reading->code,
                                      .lon = NAN,
                                      .lat = NAN,
                                      .refused = true};
}

static void refuse(struct reading *reading, const char *kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void refuse(struct reading *reading, const char *kind, const char *format, ...) {
    struct gw_import_finding finding = about(reading, kind);
    char text[400];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    reading->refused = true;
    gw_findings_add(reading->reader->findings, &finding, "%s", text);
}

void gw_feature_reader_bind(struct gw_feature_reader *reader, OGRLayerH layer) {
    OGRFeatureDefnH definition = OGR_L_GetLayerDefn(layer);
    for (int field = 0; field < GW_FIELD_COUNT; field++) {
        const char *name = reader->fields[field];
        int index = name == NULL ? -1 : OGR_FD_GetFieldIndex(definition, name);
        // GDAL would also take a name that differs in case.
        if (index >= 0 &&
            strcmp(OGR_Fld_GetNameRef(OGR_FD_GetFieldDefn(definition, index)), name) != 0) {
            index = -1;
        }
        reader->field_indexes[field] = index;
    }
}

// The field's text, "" where it is unset or null; it lives until the next feature. (GDAL's own text
// of a number lives until the next field only.)
static const char *field_text(struct reading *reading, enum gw_import_field field) {
    int index = reading->reader->field_indexes[field];
    char *kept = reading->reader->texts[field];
    kept[0] = '\0';
    if (index < 0 || !OGR_F_IsFieldSetAndNotNull(reading->feature, index)) {
        return kept;
    }
    const char *text = OGR_F_GetFieldAsString(reading->feature, index);
    size_t size = strlen(text);
    if (size > GW_IMPORT_TEXT_MAX) {
        refuse(reading, "limit", "the field \"%.60s\" is longer than %u bytes",
               reading->reader->fields[field], GW_IMPORT_TEXT_MAX);
        return kept;
    }
    memcpy(kept, text, size + 1);
    return kept;
}

static bool has_control_character(const char *text) {
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7f) {
            return true;
        }
    }
    return false;
}

static void check_code(struct reading *reading) {
    const char *code = reading->code;
    size_t size = strlen(code);
    if (size == 0) {
        refuse(reading, "missing-id",
               "the field \"%.60s\" is missing or empty, and a grid needs a code: fill it in, or "
               "name the right field with --code-field",
               reading->reader->fields[GW_FIELD_CODE]);
    } else if (size >= GW_CODE_MAX) {
        refuse(reading, "limit", "the code has %zu bytes, and at most %u are kept", size,
               GW_CODE_MAX - 1);
    } else if (!gw_text_ok(code, size) || has_control_character(code)) {
        refuse(reading, "bad-text", "the code holds control characters or is not UTF-8");
    }
}

static gw_err check_duplicate(struct reading *reading) {
    struct gw_feature_reader *reader = reading->reader;
    const struct gw_code_slot *first = NULL;
    if (reading->code[0] == '\0' || strlen(reading->code) >= GW_CODE_MAX) {
        return GW_OK; // refused already
    }
    if (!gw_import_rows_note_code(reader->rows, reading->code, reader->file, reading->number,
                                  &first)) {
        return GW_ENOMEM;
    }
    if (first != NULL && first->file == reader->file) {
        refuse(reading, "duplicate-id",
               "the code %s was given to feature %llu already: every grid needs a code of its own",
               reading->code, (unsigned long long)first->feature);
    } else if (first != NULL) {
        refuse(reading, "duplicate-id",
               "the code %s was given to feature %llu of %.150s already: every grid needs a code "
               "of its own",
               reading->code, (unsigned long long)first->feature, reader->files[first->file]);
    }
    return GW_OK;
}

static void check_name(struct reading *reading, const char *name) {
    size_t size = strlen(name);
    if (size >= GW_NAME_MAX) {
        refuse(reading, "limit", "the name has %zu bytes, and at most %u are kept: shorten it",
               size, GW_NAME_MAX - 1);
    } else if (!gw_text_ok(name, size)) {
        refuse(reading, "encoding", "the name is not UTF-8");
    }
}

static void check_parent(struct reading *reading, const char *parent) {
    struct gw_feature_reader *reader = reading->reader;
    size_t size = strlen(parent);
    if (size == 0) {
        return; // from the code, or none
    }
    if (size >= GW_CODE_MAX || !gw_text_ok(parent, size)) {
        refuse(reading, "bad-parent", "the code of the area above is too long or not UTF-8");
    } else if (gw_area_code_level(parent, size) == 0 &&
               !reader->area_known(reader->area_context, parent)) {
        refuse(reading, "bad-parent",
               "the area above, %s, is neither in the list of areas nor a code of 4, 6, 9 or 12 "
               "digits: add it to the list",
               parent);
    }
}

static uint32_t read_kind(const char *text) {
    static const struct {
        const char *word;
        uint32_t kind;
    } words[] = {
        {"urban", GRIDWARDEN__V1__GRID_KIND__GRID_KIND_URBAN},
        {"城市", GRIDWARDEN__V1__GRID_KIND__GRID_KIND_URBAN},
        {"rural", GRIDWARDEN__V1__GRID_KIND__GRID_KIND_RURAL},
        {"农村", GRIDWARDEN__V1__GRID_KIND__GRID_KIND_RURAL},
        {"special", GRIDWARDEN__V1__GRID_KIND__GRID_KIND_SPECIAL},
        {"专属", GRIDWARDEN__V1__GRID_KIND__GRID_KIND_SPECIAL},
    };
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcasecmp(text, words[i].word) == 0) {
            return words[i].kind;
        }
    }
    return GRIDWARDEN__V1__GRID_KIND__GRID_KIND_UNSPECIFIED;
}

static uint32_t read_priority(struct reading *reading, const char *text) {
    if (text[0] == '\0') {
        return 0;
    }
    char *end = NULL;
    errno = 0;
    unsigned long value = strtoul(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || value > UINT32_MAX) {
        refuse(reading, "bad-priority", "the priority \"%.40s\" is not a whole number from 0 to %u",
               text, UINT32_MAX);
        return 0;
    }
    return (uint32_t)value;
}

// Says what numbers that are no degrees most likely are.
static void refuse_range(struct reading *reading, OGRGeometryH geometry,
                         const struct gw_fault *fault) {
    OGREnvelope box = {0, 0, 0, 0};
    OGR_G_GetEnvelope(geometry, &box);
    double x = fmax(fabs(box.MinX), fabs(box.MaxX));
    double y = fmax(fabs(box.MinY), fabs(box.MaxY));
    bool projected = fmax(x, y) > LOOKS_PROJECTED;
    struct gw_import_finding finding = about(reading, projected ? "projected" : "out-of-range");
    finding.ring = (int)fault->ring;
    finding.lon = fault->lon;
    finding.lat = fault->lat;
    reading->refused = true;
    if (projected) {
        gw_findings_add(
            reading->reader->findings, &finding,
            "the coordinates look projected (metres, such as Gauss-Kruger), not like longitude "
            "and latitude: convert the file to EPSG:4326 or EPSG:4490 first");
    } else if (y > 90 && y <= 180 && x <= 90) {
        gw_findings_add(reading->reader->findings, &finding,
                        "the latitude exceeds 90 while the longitude does not: the axes look "
                        "swapped; GeoJSON wants longitude first, then latitude");
    } else {
        gw_findings_add(reading->reader->findings, &finding, "%s", gw_fault_sentence(fault->kind));
    }
}

static void refuse_fault(struct reading *reading, OGRGeometryH geometry,
                         const struct gw_fault *fault) {
    if (fault->kind == GW_FAULT_OUT_OF_RANGE) {
        refuse_range(reading, geometry, fault);
        return;
    }
    struct gw_import_finding finding = about(reading, gw_fault_word(fault->kind));
    finding.ring = (int)fault->ring;
    finding.lon = fault->lon;
    finding.lat = fault->lat;
    reading->refused = true;
    if (fault->other_ring != 0) {
        gw_findings_add(reading->reader->findings, &finding, "%s (with ring %u)",
                        gw_fault_sentence(fault->kind), fault->other_ring);
    } else {
        gw_findings_add(reading->reader->findings, &finding, "%s", gw_fault_sentence(fault->kind));
    }
}

// Reads one ring to the end of the rows. GW_EINVAL: *fault says why not.
static gw_err read_ring(struct gw_feature_reader *reader, OGRGeometryH ring, enum gw_ring_kind kind,
                        struct gw_fault *fault) {
    int points = OGR_G_GetPointCount(ring);
    size_t count = points > 0 ? (size_t)points : 0;
    if (reader->rows->vertex_count + count > GW_IMPORT_VERTICES_MAX) {
        return GW_ENOSPC;
    }
    if (reader->lonlat_capacity < count) {
        double *lonlat = realloc(reader->lonlat, count * 2 * sizeof(double));
        if (lonlat == NULL) {
            return GW_ENOMEM;
        }
        reader->lonlat = lonlat;
        reader->lonlat_capacity = count;
    }
    if (!gw_import_rows_reserve(reader->rows, count + 1)) {
        return GW_ENOMEM;
    }
    const int stride = 2 * (int)sizeof(double);
    if (count > 0) {
        (void)OGR_G_GetPoints(ring, reader->lonlat, stride, reader->lonlat + 1, stride, NULL, 0);
    }
    size_t kept = 0;
    gw_err err =
        gw_ring_normalise(reader->lonlat, count, kind,
                          reader->rows->vertices + reader->rows->vertex_count, &kept, fault);
    if (err != GW_OK) {
        return err;
    }
    return gw_import_rows_end_ring(reader->rows, kept, kind) ? GW_OK : GW_ENOMEM;
}

static gw_err read_polygon(struct gw_feature_reader *reader, OGRGeometryH polygon, uint32_t *rings,
                           struct gw_fault *fault) {
    int count = OGR_G_GetGeometryCount(polygon);
    gw_err err = GW_OK;
    if (count <= 0) {
        *fault = (struct gw_fault){.kind = GW_FAULT_EMPTY, .lon = NAN, .lat = NAN};
        return GW_EINVAL;
    }
    for (int i = 0; i < count && err == GW_OK; i++) {
        (*rings)++;
        err = read_ring(reader, OGR_G_GetGeometryRef(polygon, i),
                        i == 0 ? GW_RING_SHELL : GW_RING_HOLE, fault);
        if (err == GW_EINVAL) {
            fault->ring = *rings;
        }
    }
    return err;
}

static gw_err read_parts(struct gw_feature_reader *reader, OGRGeometryH geometry, bool multi,
                         struct gw_fault *fault) {
    uint32_t rings = 0;
    if (!multi) {
        return read_polygon(reader, geometry, &rings, fault);
    }
    int parts = OGR_G_GetGeometryCount(geometry);
    gw_err err = GW_OK;
    if (parts <= 0) {
        *fault = (struct gw_fault){.kind = GW_FAULT_EMPTY, .lon = NAN, .lat = NAN};
        return GW_EINVAL;
    }
    for (int i = 0; i < parts && err == GW_OK; i++) {
        err = read_polygon(reader, OGR_G_GetGeometryRef(geometry, i), &rings, fault);
    }
    return err;
}

// Judges the rings from `ring_first` on.
static gw_err check_validity(struct gw_feature_reader *reader, size_t ring_first,
                             size_t vertex_first, struct gw_fault *fault) {
    size_t count = reader->rows->ring_count - ring_first;
    if (reader->starts_capacity < count + 1) {
        uint32_t *starts = realloc(reader->starts, (count + 1) * sizeof(uint32_t));
        if (starts == NULL) {
            return GW_ENOMEM;
        }
        reader->starts = starts;
        reader->starts_capacity = count + 1;
    }
    reader->starts[0] = 0;
    for (size_t i = 0; i < count; i++) {
        reader->starts[i + 1] = reader->starts[i] + reader->rows->vertex_counts[ring_first + i];
    }
    struct gw_shape shape = {(uint32_t)count, reader->starts, reader->rows->ring_kinds + ring_first,
                             reader->rows->vertices + vertex_first};
    return gw_validity_check(reader->validity, &shape, fault);
}

static gw_err read_geometry(struct reading *reading) {
    struct gw_feature_reader *reader = reading->reader;
    OGRGeometryH geometry = OGR_F_GetGeometryRef(reading->feature);
    OGRwkbGeometryType type =
        geometry == NULL ? wkbUnknown : OGR_GT_Flatten(OGR_G_GetGeometryType(geometry));
    struct gw_fault fault = {.kind = GW_FAULT_EMPTY, .lon = NAN, .lat = NAN};
    if (geometry == NULL) {
        refuse_fault(reading, geometry, &fault);
        return GW_OK;
    }
    if (type != wkbPolygon && type != wkbMultiPolygon) {
        refuse(reading, "not-a-polygon",
               "a grid is a Polygon or MultiPolygon, and this is a %s: remove it or convert it",
               OGR_G_GetGeometryName(geometry));
        return GW_OK;
    }
    size_t ring_first = reader->rows->ring_count;
    size_t vertex_first = reader->rows->vertex_count;
    gw_err err = read_parts(reader, geometry, type == wkbMultiPolygon, &fault);
    if (err == GW_OK) {
        err = check_validity(reader, ring_first, vertex_first, &fault);
    }
    if (err == GW_EINVAL) {
        refuse_fault(reading, geometry, &fault);
        gw_import_rows_drop(reader->rows, ring_first, vertex_first);
        return GW_OK;
    }
    if (err == GW_ENOSPC) {
        refuse(reading, "limit", "the import has more than %u vertices: split it",
               GW_IMPORT_VERTICES_MAX);
    }
    return err;
}

gw_err gw_feature_read(struct gw_feature_reader *reader, OGRFeatureH feature, uint64_t number) {
    struct reading reading = {.reader = reader, .feature = feature, .number = number, .code = ""};
    reading.code = field_text(&reading, GW_FIELD_CODE);
    const char *name = field_text(&reading, GW_FIELD_NAME);
    const char *parent = field_text(&reading, GW_FIELD_PARENT);
    struct gw_import_row row = {
        .file = reader->file,
        .feature = number,
        .ring_first = reader->rows->ring_count,
        .kind = read_kind(field_text(&reading, GW_FIELD_KIND)),
        .priority = read_priority(&reading, field_text(&reading, GW_FIELD_PRIORITY)),
    };
    size_t vertex_first = reader->rows->vertex_count;
    check_code(&reading);
    check_name(&reading, name);
    check_parent(&reading, parent);
    gw_err err = check_duplicate(&reading);
    if (err == GW_OK) {
        err = read_geometry(&reading);
    }
    if (err != GW_OK) {
        return err;
    }
    if (reading.refused) {
        gw_import_rows_drop(reader->rows, row.ring_first, vertex_first);
        return GW_EINVAL;
    }
    return gw_import_rows_add(reader->rows, &row, reading.code, name, parent) ? GW_OK : GW_ENOMEM;
}

void gw_feature_reader_free(struct gw_feature_reader *reader) {
    free(reader->lonlat);
    free(reader->starts);
    reader->lonlat = NULL;
    reader->starts = NULL;
    reader->lonlat_capacity = 0;
    reader->starts_capacity = 0;
}
