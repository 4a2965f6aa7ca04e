// One file's bytes become rows and findings. Private to the importer and its fuzz target.
#ifndef GW_SERVICES_GRIDS_IMPORT_READ_H
#define GW_SERVICES_GRIDS_IMPORT_READ_H

#include "services/grids/areas_csv.h"
#include "services/grids/import_feature.h"
#include "services/grids/importer.h"

// An import under way.
struct gw_import {
    const struct gw_import_options *options;
    struct gw_findings findings;
    struct gw_import_rows rows;
    struct gw_feature_reader reader;
    struct gw_area_list areas;
    const char *fields[GW_FIELD_COUNT];
    uint64_t features;
};

// `import` may be released with gw_import_end after errors too.
GW_MUST_CHECK gw_err gw_import_begin(struct gw_import *import,
                                     const struct gw_import_options *options);
void gw_import_end(struct gw_import *import);

// The bytes of the areas file (before any other) and of file number `file`. GW_EINVAL: something
// was refused, and reported. Other errors end the import.
GW_MUST_CHECK gw_err gw_import_areas(struct gw_import *import, const char *text, size_t size);
GW_MUST_CHECK gw_err gw_import_geojson(struct gw_import *import, uint32_t file, const char *text,
                                       size_t size);

#endif
