#include "services/http/grid_json.h"

#include "gridwarden/v1/grid.pb-c.h"
#include "services/http/values.h"
#include "services/http/words.h"

void http_write_edition(struct gw_buffer *out, const struct gw_edition *edition, bool with_label) {
    gw_buffer_text(out, "{");
    http_write_text(out, "layer", gw_edition_layer(edition));
    http_write_int(out, "number", (int64_t)gw_edition_number(edition));
    if (with_label) {
        http_write_text(out, "label", gw_edition_label(edition));
    }
    gw_buffer_text(out, "}");
}

void http_write_areas(struct gw_buffer *out, const struct gw_edition *edition, uint32_t grid) {
    uint32_t chain[GW_AREA_LEVELS];
    uint32_t count = gw_edition_chain(edition, grid, chain);
    gw_buffer_text(out, "[");
    for (uint32_t i = 0; i < count; i++) {
        struct gw_area area = gw_edition_area(edition, chain[i]);
        gw_buffer_text(out, i > 0 ? ",{" : "{");
        http_write_text(out, "code", area.code);
        http_write_text(out, "name", area.name);
        http_write_int(out, "level", area.level);
        gw_buffer_text(out, "}");
    }
    gw_buffer_text(out, "]");
}

void http_write_grid_members(struct gw_buffer *out, const struct gw_edition *edition,
                             uint32_t grid) {
    struct gw_grid row = gw_edition_grid(edition, grid);
    http_write_text(out, "code", row.code);
    http_write_text(out, "name", row.name);
    http_write_text(out, "kind", http_word(&gridwarden__v1__grid_kind__descriptor, (int)row.kind));
    if (row.parent != GW_AREA_NONE) {
        http_write_text(out, "parent", gw_edition_area(edition, row.parent).code);
    } else {
        http_write_key(out, "parent");
        gw_buffer_text(out, "null");
    }
}

static void write_vertex(struct gw_buffer *out, struct gw_point vertex) {
    gw_buffer_append(out, "[", 1);
    http_write_degrees(out, vertex.lon);
    gw_buffer_append(out, ",", 1);
    http_write_degrees(out, vertex.lat);
    gw_buffer_append(out, "]", 1);
}

// Stored as RFC 7946 has it, but for the first vertex that comes again at the end.
static void write_ring(struct gw_buffer *out, const struct gw_coverage *coverage, uint32_t ring) {
    uint32_t first = coverage->ring_vertices[ring], last = coverage->ring_vertices[ring + 1];
    gw_buffer_append(out, "[", 1);
    for (uint32_t i = first; i < last; i++) {
        write_vertex(out, coverage->vertices[i]);
        gw_buffer_append(out, ",", 1);
    }
    write_vertex(out, coverage->vertices[first]);
    gw_buffer_append(out, "]", 1);
}

static void write_geometry(struct gw_buffer *out, const struct gw_coverage *coverage,
                           uint32_t grid) {
    uint32_t first = coverage->grid_rings[grid], last = coverage->grid_rings[grid + 1];
    uint32_t shells = 0;
    for (uint32_t ring = first; ring < last; ring++) {
        shells += coverage->ring_kinds[ring] == GW_RING_SHELL;
    }
    gw_buffer_text(out, shells == 1 ? "{\"type\":\"Polygon\",\"coordinates\":["
                                    : "{\"type\":\"MultiPolygon\",\"coordinates\":[[");
    for (uint32_t ring = first; ring < last; ring++) {
        if (ring > first) {
            gw_buffer_text(out, coverage->ring_kinds[ring] == GW_RING_SHELL ? "],[" : ",");
        }
        write_ring(out, coverage, ring);
    }
    gw_buffer_text(out, shells == 1 ? "]}" : "]]}");
}

void http_write_feature(struct gw_buffer *out, const struct gw_edition *edition, uint32_t grid) {
    gw_buffer_text(out, "{\"type\":\"Feature\"");
    http_write_text(out, "id", gw_edition_grid(edition, grid).code);
    http_write_key(out, "bbox");
    http_write_bounds(out, &gw_edition_boxes(edition)[grid]);
    http_write_key(out, "properties");
    gw_buffer_text(out, "{");
    http_write_grid_members(out, edition, grid);
    http_write_key(out, "areas");
    http_write_areas(out, edition, grid);
    http_write_int(out, "edition", (int64_t)gw_edition_number(edition));
    gw_buffer_text(out, "}");
    http_write_key(out, "geometry");
    write_geometry(out, gw_edition_coverage(edition), grid);
    gw_buffer_text(out, "}\n");
}

static bool is_under(const struct gw_edition *edition, uint32_t grid, uint32_t area) {
    uint32_t chain[GW_AREA_LEVELS];
    uint32_t count = gw_edition_chain(edition, grid, chain);
    for (uint32_t i = 0; i < count; i++) {
        if (chain[i] == area) {
            return true;
        }
    }
    return false;
}

static void grow(struct gw_box *box, const struct gw_box *by) {
    box->min.lon = by->min.lon < box->min.lon ? by->min.lon : box->min.lon;
    box->min.lat = by->min.lat < box->min.lat ? by->min.lat : box->min.lat;
    box->max.lon = by->max.lon > box->max.lon ? by->max.lon : box->max.lon;
    box->max.lat = by->max.lat > box->max.lat ? by->max.lat : box->max.lat;
}

uint32_t http_grids_under(const struct gw_edition *edition, uint32_t area, struct gw_box *box) {
    const struct gw_box *boxes = gw_edition_boxes(edition);
    uint32_t found = 0, count = gw_edition_grid_count(edition);
    for (uint32_t grid = 0; grid < count; grid++) {
        if (area != GW_AREA_NONE && !is_under(edition, grid, area)) {
            continue;
        }
        if (found++ == 0) {
            *box = boxes[grid];
        } else {
            grow(box, &boxes[grid]);
        }
    }
    return found;
}
