#include "services/grids/import_gdal.h"
#include <cpl_conv.h>
#include <cpl_error.h>
#include <cpl_vsi.h>
#include <ogr_api.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

static pthread_once_t registered = PTHREAD_ONCE_INIT;

static void collect(CPLErr level, CPLErrorNum number, const char *text) {
    (void)number;
    struct gw_gdal_source *source = CPLGetErrorHandlerUserData();
    source->failed = source->failed || level >= CE_Failure;
    if (source->words[0] == '\0' && level >= CE_Warning) {
        (void)snprintf(source->words, sizeof(source->words), "%s", text);
        for (char *c = source->words; *c != '\0'; c++) {
            *c = *c == '\n' || *c == '\r' ? ' ' : *c;
        }
    }
}

gw_err gw_gdal_open_geojson(struct gw_gdal_source *source, const char *bytes, size_t size) {
    *source = (struct gw_gdal_source){.dataset = NULL};
    (void)pthread_once(&registered, GDALAllRegister);
    CPLPushErrorHandlerEx(collect, source);
    // No limit on one feature's size: the file's own has been checked.
    CPLSetThreadLocalConfigOption("OGR_GEOJSON_MAX_OBJ_SIZE", "0");
    (void)snprintf(source->path, sizeof(source->path), "/vsimem/gridwarden-%p.geojson",
                   (void *)source);
    union {
        const char *read;
        void *bytes;
    } pass = {bytes}; // GDAL wants a pointer to non-const, and opens it for reading alone
    VSILFILE *file = VSIFileFromMemBuffer(source->path, pass.bytes, size, FALSE);
    if (file == NULL) {
        source->path[0] = '\0';
        return GW_ENOMEM;
    }
    (void)VSIFCloseL(file);
    const char *const drivers[] = {"GeoJSON", NULL};
    // Attributes stay the texts that they are: "2024/01/05" may well be a code.
    const char *const options[] = {"DATE_AS_STRING=YES", "ARRAY_AS_STRING=YES", NULL};
    source->dataset =
        GDALOpenEx(source->path, GDAL_OF_VECTOR | GDAL_OF_READONLY, drivers, options, NULL);
    if (source->dataset == NULL || GDALDatasetGetLayerCount(source->dataset) != 1) {
        return GW_EINVAL;
    }
    source->layer = GDALDatasetGetLayer(source->dataset, 0);
    return source->layer != NULL ? GW_OK : GW_EINVAL;
}

void gw_gdal_close(struct gw_gdal_source *source) {
    if (source->dataset != NULL) {
        GDALClose(source->dataset);
    }
    if (source->path[0] != '\0') {
        (void)VSIUnlink(source->path);
    }
    CPLSetThreadLocalConfigOption("OGR_GEOJSON_MAX_OBJ_SIZE", NULL);
    CPLPopErrorHandler();
    source->dataset = NULL;
    source->layer = NULL;
}
