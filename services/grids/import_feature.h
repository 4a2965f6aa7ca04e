// One feature from GDAL becomes a row, or a finding that says why not. Private to the importer.
#ifndef GW_SERVICES_GRIDS_IMPORT_FEATURE_H
#define GW_SERVICES_GRIDS_IMPORT_FEATURE_H

#include "geo/carto/validity.h"
#include "services/grids/geojson_check.h"
#include "services/grids/import_findings.h"
#include "services/grids/import_rows.h"
#include <ogr_api.h>

struct gw_feature_reader {
    struct gw_import_rows *rows;
    struct gw_findings *findings;
    struct gw_validity *validity;
    const char *const *files;                            // paths, for duplicates across files
    uint32_t file;                                       // index of the file that is read
    int field_indexes[GW_FIELD_COUNT];                   // in the layer; -1: not there
    const char *const *fields;                           // names, NULL: not asked for
    bool (*area_known)(void *context, const char *code); // of a parent
    void *area_context;
    char texts[GW_FIELD_COUNT][GW_IMPORT_TEXT_MAX + 1]; // scratch: the fields of one feature
    double *lonlat;                                     // scratch: one ring as it came
    size_t lonlat_capacity;
    uint32_t *starts; // scratch: rings of one feature
    size_t starts_capacity;
};

// Finds the fields in the layer.
void gw_feature_reader_bind(struct gw_feature_reader *reader, OGRLayerH layer);

// Reads feature `number`. GW_EINVAL: it was refused, and reported; GW_ENOSPC: a limit of the whole
// import is reached, and reported; GW_ENOMEM.
GW_MUST_CHECK gw_err gw_feature_read(struct gw_feature_reader *reader, OGRFeatureH feature,
                                     uint64_t number);

void gw_feature_reader_free(struct gw_feature_reader *reader);

#endif
