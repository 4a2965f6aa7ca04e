// A vector file through GDAL, feature by feature. Private to the importer; the only place that
// knows GDAL besides import_feature.
//
// Threads: one source belongs to one thread; GDAL's drivers are registered once a process.
#ifndef GW_SERVICES_GRIDS_IMPORT_GDAL_H
#define GW_SERVICES_GRIDS_IMPORT_GDAL_H

#include "geo/err.h"
#include <gdal.h>
#include <stdbool.h>
#include <stddef.h>

#define GW_GDAL_WORDS_MAX 256

struct gw_gdal_source {
    GDALDatasetH dataset;
    OGRLayerH layer;
    char path[64];                 // of the bytes in GDAL's memory file system
    char words[GW_GDAL_WORDS_MAX]; // GDAL's first complaint, "" for none
    bool failed;                   // GDAL called it a failure
};

// Opens GeoJSON bytes, which stay the caller's and unchanged until the source is closed. While it
// is open, what GDAL has to say on this thread goes to `words` and nowhere else.
// GW_EINVAL: GDAL cannot read them (see words). Close the source on errors too.
GW_MUST_CHECK gw_err gw_gdal_open_geojson(struct gw_gdal_source *source, const char *bytes,
                                          size_t size);
void gw_gdal_close(struct gw_gdal_source *source);

#endif
