// Running imports in tests: findings are kept as texts, the edition that came of it is opened.
#ifndef GW_SERVICES_GRIDS_TESTING_IMPORT_H
#define GW_SERVICES_GRIDS_TESTING_IMPORT_H

#include "services/grids/edition.h"
#include "services/grids/importer.h"

#define TESTING_FINDINGS_MAX 32

struct testing_finding {
    char kind[40], code[80], text[400], file[200];
    int64_t feature;
    int ring;
    double lon, lat;
    bool refused;
};

struct testing_import {
    gw_err err;
    struct gw_error error;
    struct gw_import_report report;
    struct testing_finding findings[TESTING_FINDINGS_MAX]; // the first ones
    size_t finding_count;                                  // of all
    struct gw_edition *edition;                            // NULL when refused
    char path[300];
    double seconds;
};

// Options for one GeoJSON layer in EPSG:4326 with the fields code and name; files are the caller's.
struct gw_import_options testing_options(const char *const *files, size_t file_count);

// Imports into $TEST_TMPDIR. A refusal must leave nothing behind and an acceptance must open; both
// are asserted. Close result->edition.
void testing_import_run(const struct gw_import_options *options, struct testing_import *result);

// The first finding of this kind, or NULL.
const struct testing_finding *testing_find(const struct testing_import *result, const char *kind);

// The code of who answers at a place, "" for nobody; asked one at a time and in a batch.
const char *testing_owner(const struct gw_edition *edition, double lon, double lat);

// Writes a file into $TEST_TMPDIR; its path into `path`.
void testing_write_file(const char *name, const char *text, char path[300]);

// The folder of shared test data (GW_SHARED_DATA), or NULL when it is not there.
const char *testing_shared_data(void);

#endif
