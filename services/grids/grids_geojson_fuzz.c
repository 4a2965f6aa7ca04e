// Any bytes through the GeoJSON check, GDAL, the lattice, validity and the overlap check.
#include "services/grids/import_overlaps.h"
#include "services/grids/import_read.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char *const files[] = {"fuzz.geojson"};
    const struct gw_import_options options = {
        .files = files,
        .file_count = 1,
        .crs = "EPSG:4326",
        .code_field = "code",
        .name_field = "name",
        .kind_field = "kind",
        .parent_field = "parent",
        .priority_field = "priority",
    };
    struct gw_import *import = malloc(sizeof(*import));
    if (import == NULL) {
        return 0;
    }
    if (gw_import_begin(import, &options) == GW_OK) {
        gw_err err = gw_import_geojson(import, 0, (const char *)data, size);
        // Refused means reported, and accepted means that every vertex can be stored.
        if ((err == GW_EINVAL) != (import->findings.refusals > 0)) {
            abort();
        }
        for (size_t i = 0; i < import->rows.vertex_count; i++) {
            if (!gw_point_valid(import->rows.vertices[i])) {
                abort();
            }
        }
        if (err == GW_OK && gw_import_report_overlaps(import) == GW_EINVAL) {
            abort();
        }
    }
    gw_import_end(import);
    free(import);
    return 0;
}
