#include "services/grids/import_read.h"
#include "services/grids/import_crs.h"
#include "services/grids/import_gdal.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PROGRESS_EVERY 256u // features

static int compare_area_rows(const void *a, const void *b) {
    const struct gw_edition_area_row *left = a;
    const struct gw_edition_area_row *right = b;
    return strcmp(left->code, right->code);
}

static bool area_known(void *context, const char *code) {
    const struct gw_import *import = context;
    const struct gw_edition_area_row key = {.code = code};
    return import->areas.count > 0 && bsearch(&key, import->areas.rows, import->areas.count,
                                              sizeof(key), compare_area_rows) != NULL;
}

gw_err gw_import_begin(struct gw_import *import, const struct gw_import_options *options) {
    *import = (struct gw_import){.options = options};
    import->fields[GW_FIELD_CODE] = options->code_field != NULL ? options->code_field : "code";
    import->fields[GW_FIELD_NAME] = options->name_field != NULL ? options->name_field : "name";
    import->fields[GW_FIELD_KIND] = options->kind_field;
    import->fields[GW_FIELD_PARENT] = options->parent_field;
    import->fields[GW_FIELD_PRIORITY] = options->priority_field;
    import->reader.rows = &import->rows;
    import->reader.findings = &import->findings;
    import->reader.fields = import->fields;
    import->reader.files = options->files;
    import->reader.area_known = area_known;
    import->reader.area_context = import;
    import->reader.validity = gw_validity_create();
    return import->reader.validity != NULL ? GW_OK : GW_ENOMEM;
}

void gw_import_end(struct gw_import *import) {
    gw_validity_destroy(import->reader.validity);
    gw_feature_reader_free(&import->reader);
    gw_import_rows_free(&import->rows);
    gw_area_list_free(&import->areas);
}

gw_err gw_import_areas(struct gw_import *import, const char *text, size_t size) {
    gw_err err = gw_areas_read(text, size, &import->findings, &import->areas);
    if (err == GW_OK && import->areas.count > 0) {
        qsort(import->areas.rows, import->areas.count, sizeof(*import->areas.rows),
              compare_area_rows);
    }
    return err;
}

// Whether the file's coordinates are longitude and latitude by what it or the caller says.
static bool crs_fits(struct gw_import *import, const struct gw_geojson_summary *summary) {
    if (summary->crs[0] != '\0' && !gw_import_crs_is_lonlat(summary->crs)) {
        gw_findings_refuse_file(&import->findings, "crs",
                                "the file says that its coordinates are in %s: convert it to one "
                                "of %s first; other systems come with a later version",
                                summary->crs, GW_IMPORT_CRS_NAMES);
        return false;
    }
    if (summary->crs[0] == '\0' && import->options->crs == NULL) {
        gw_findings_refuse_file(&import->findings, "crs",
                                "neither the file nor --crs says which coordinates these are: say "
                                "--crs with one of %s if they are such",
                                GW_IMPORT_CRS_NAMES);
        return false;
    }
    return true;
}

static void progress(const struct gw_import *import, uint64_t done, uint64_t total) {
    if (import->options->progress != NULL) {
        import->options->progress(import->options->context, "checking", done, total);
    }
}

// Reads every feature of the layer that the check let pass. *read counts all.
static gw_err read_layer(struct gw_import *import, struct gw_gdal_source *source,
                         const struct gw_geojson_summary *summary, uint64_t *read) {
    gw_err result = GW_OK;
    gw_feature_reader_bind(&import->reader, source->layer);
    OGR_L_ResetReading(source->layer);
    for (;;) {
        OGRFeatureH feature = OGR_L_GetNextFeature(source->layer);
        if (feature == NULL) {
            return result;
        }
        uint64_t number = ++*read;
        gw_err err = gw_geojson_refused(summary, number)
                         ? GW_EINVAL
                         : gw_feature_read(&import->reader, feature, number);
        OGR_F_Destroy(feature);
        if (err != GW_OK && err != GW_EINVAL) {
            return err;
        }
        result = err != GW_OK ? err : result;
        if (number % PROGRESS_EVERY == 0 || number == summary->features) {
            progress(import, number, summary->features);
        }
    }
}

// GDAL must have seen what the check saw.
static gw_err compare_views(struct gw_import *import, const struct gw_gdal_source *source,
                            const struct gw_geojson_summary *summary, uint64_t read) {
    if (read == summary->features && (!source->failed || summary->refused != NULL)) {
        if (source->words[0] != '\0' && summary->refused == NULL) {
            const struct gw_import_finding finding = {
                .kind = "gdal", .code = "", .lon = NAN, .lat = NAN, .refused = false};
            gw_findings_add(&import->findings, &finding, "GDAL remarks: %s", source->words);
        }
        return GW_OK;
    }
    gw_findings_refuse_file(&import->findings, "gdal",
                            "GDAL read %llu of %llu features%s%s: the file is unusual; export it "
                            "again",
                            (unsigned long long)read, (unsigned long long)summary->features,
                            source->words[0] != '\0' ? " and says: " : "", source->words);
    return GW_EINVAL;
}

static gw_err read_features(struct gw_import *import, const char *text, size_t size,
                            const struct gw_geojson_summary *summary) {
    struct gw_gdal_source source;
    uint64_t read = 0;
    gw_err err = gw_gdal_open_geojson(&source, text, size);
    if (err == GW_EINVAL) {
        gw_findings_refuse_file(&import->findings, "gdal", "GDAL cannot read the file: %s",
                                source.words[0] != '\0' ? source.words : "it gives no reason");
    }
    if (err == GW_OK) {
        err = read_layer(import, &source, summary, &read);
    }
    if (err == GW_OK || err == GW_EINVAL) {
        gw_err seen = source.layer != NULL ? compare_views(import, &source, summary, read) : err;
        err = err == GW_OK ? seen : err;
    }
    gw_gdal_close(&source);
    return err;
}

gw_err gw_import_geojson(struct gw_import *import, uint32_t file, const char *text, size_t size) {
    struct gw_geojson_summary summary;
    import->reader.file = file;
    gw_err err = gw_geojson_check(text, size, import->fields, &import->findings, &summary);
    import->features += summary.features;
    if (err == GW_OK && !crs_fits(import, &summary)) {
        err = GW_EINVAL;
    }
    if (err == GW_OK && summary.features > 0) {
        err = read_features(import, text + summary.start, size - summary.start, &summary);
    }
    if (err == GW_OK && summary.features == 0) {
        const struct gw_import_finding finding = {
            .kind = "empty-file", .code = "", .lon = NAN, .lat = NAN, .refused = false};
        gw_findings_add(&import->findings, &finding, "the file has no features");
    }
    free(summary.refused);
    return err;
}
