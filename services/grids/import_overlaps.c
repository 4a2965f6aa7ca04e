#include "services/grids/import_overlaps.h"
#include "geo/carto/overlaps.h"
#include <math.h>
#include <stdlib.h>

// About ten seconds on a small machine; a city of 15,001 grids takes a hundredth of it.
#define STEPS_MAX 2000000000u

// The rows as a coverage, in the order in which they came.
struct view {
    struct gw_coverage coverage;
    uint32_t *grid_rings, *ring_vertices;
    struct gw_box *boxes;
};

static bool make_view(const struct gw_import_rows *rows, struct view *view) {
    view->grid_rings = calloc(rows->count + 1, sizeof(uint32_t));
    view->ring_vertices = calloc(rows->ring_count + 1, sizeof(uint32_t));
    view->boxes = calloc(rows->count + 1, sizeof(struct gw_box));
    if (view->grid_rings == NULL || view->ring_vertices == NULL || view->boxes == NULL) {
        return false;
    }
    for (size_t i = 0; i < rows->ring_count; i++) {
        view->ring_vertices[i + 1] = view->ring_vertices[i] + rows->vertex_counts[i];
    }
    for (size_t i = 0; i < rows->count; i++) {
        view->grid_rings[i + 1] = (uint32_t)(rows->rows[i].ring_first + rows->rows[i].ring_count);
    }
    view->coverage = (struct gw_coverage){
        .grid_count = (uint32_t)rows->count,
        .ring_count = (uint32_t)rows->ring_count,
        .vertex_count = (uint32_t)rows->vertex_count,
        .grid_rings = view->grid_rings,
        .ring_vertices = view->ring_vertices,
        .ring_kinds = rows->ring_kinds,
        .vertices = rows->vertices,
    };
    gw_coverage_boxes(&view->coverage, view->boxes);
    return true;
}

static bool report_one(void *context, const struct gw_overlap *overlap) {
    struct gw_import *import = context;
    const struct gw_import_row *row = &import->rows.rows[overlap->grid];
    const struct gw_import_row *other = &import->rows.rows[overlap->other];
    const struct gw_import_finding finding = {
        .kind = "overlap",
        .feature = (int64_t)row->feature,
        .code = import->rows.texts.data + row->code,
        .lon = overlap->lon,
        .lat = overlap->lat,
        .refused = false,
    };
    import->findings.file = import->options->files[row->file];
    gw_findings_add(&import->findings, &finding,
                    "the grid overlaps the grid %s (feature %llu): where both hold a point, the "
                    "smaller priority number answers, then the lower code",
                    import->rows.texts.data + other->code, (unsigned long long)other->feature);
    return true;
}

gw_err gw_import_report_overlaps(struct gw_import *import) {
    struct view view = {.boxes = NULL};
    bool complete = true;
    gw_err err = GW_ENOMEM;
    if (make_view(&import->rows, &view)) {
        err =
            gw_overlaps_find(&view.coverage, view.boxes, STEPS_MAX, report_one, import, &complete);
    }
    if (err == GW_OK && !complete) {
        const struct gw_import_finding finding = {
            .kind = "overlap-unchecked", .code = "", .lon = NAN, .lat = NAN, .refused = false};
        import->findings.file = "";
        gw_findings_add(&import->findings, &finding,
                        "the borders are so long that not all grids were compared for overlaps");
    }
    free(view.grid_rings);
    free(view.ring_vertices);
    free(view.boxes);
    return err;
}
