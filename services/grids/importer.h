// The importer: a city's boundary files become a checked edition file.
//
// GDAL reads the formats; every fault is reported with file, feature, ring and place, and then
// nothing is stored. What is checked is what is stored: validity and duplicates are judged after
// rounding to the lattice. GDAL and GEOS are linked here and in geo/carto alone, never by the
// serving path.
#ifndef GW_SERVICES_GRIDS_IMPORTER_H
#define GW_SERVICES_GRIDS_IMPORTER_H

#include "services/base/error.h"
#include "services/grids/edition.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GW_IMPORT_FEATURES_MAX 5000000u
#define GW_IMPORT_VERTICES_MAX 1000000000u
#define GW_IMPORT_TEXT_MAX 4096u // bytes of any one attribute kept
#define GW_IMPORT_FILES_MAX 10000u
#define GW_IMPORT_FILE_MAX 4294967296u // bytes of one file

struct gw_import_options {
    const char *const *files;
    size_t file_count;
    const char *crs; // "EPSG:4326", "EPSG:4490", "OGC:CRS84"; NULL: only if the file declares it
    const char *code_field, *name_field;                    // "code", "name"
    const char *kind_field, *parent_field, *priority_field; // NULL: none; parent also from the code
    const char *areas_file; // CSV code,name,level,parent of the areas above; NULL: from codes alone
    const char *layer;      // GW_LAYER_RESPONSIBLE
    const char *label;      // shown with the edition; "" for none
    uint64_t number;        // of the new edition
    void (*progress)(void *context, const char *phase, uint64_t done,
                     uint64_t total); // may be NULL
    void *context;
};

// One thing that was wrong (or odd, when `refused` is false).
struct gw_import_finding {
    const char *kind; // "self-intersection", "duplicate-id", ... as a stable word
    const char *file;
    int64_t feature; // counts from 1 (in a CSV file: its row, 1 the header); 0: the file as a whole
    const char *code; // "" when unknown
    int ring;         // counts from 1; 0: none
    double lon, lat;  // NaN: no place
    const char *text; // a sentence that says what to do
    bool refused;
};

struct gw_import_report {
    uint64_t features, grids, vertices, areas;
    uint64_t findings, refusals;
    uint64_t index_bytes, file_bytes;
    char content_hash[33];
};

// Reads all files into one edition file at out_path (written beside, synced, renamed). Every
// finding is handed to `finding` (may be NULL) as it is found, up to 1,000 of them. GW_EINVAL when
// anything was refused: nothing is left on disk then; the error is the first finding in words.
GW_MUST_CHECK gw_err
gw_import_edition(const struct gw_import_options *options, const char *out_path,
                  void (*finding)(void *context, const struct gw_import_finding *finding),
                  void *finding_context, struct gw_import_report *report, struct gw_error *error);

#endif
