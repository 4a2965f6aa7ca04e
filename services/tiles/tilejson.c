// TileJSON 3.0.0: what a map client has to know of a layer.
#include "services/base/json.h"
#include "services/tiles/internal.h"

#include <inttypes.h>
#include <string.h>

enum { SCREEN_TILES_BITS = 1 }; // the middle of a city is shown on about two tiles an axis

struct field {
    const char *name, *about;
};

static const struct field grid_fields[] = {{"code", "String"},
                                           {"name", "String"},
                                           {"kind", "String: URBAN, RURAL, SPECIAL"},
                                           {"parent", "String: code of the area above"},
                                           {NULL, NULL}};
static const struct field area_fields[] = {
    {"code", "String"},
    {"name", "String"},
    {"level", "Number: 1 village, 2 township, 3 county, 4 city"},
    {"parent", "String: code of the area above"},
    {NULL, NULL}};
static const struct field label_fields[] = {
    {"code", "String"},
    {"name", "String"},
    {"level", "Number: 0 grid, 1 village, 2 township, 3 county, 4 city"},
    {"kind", "String: URBAN, RURAL, SPECIAL; of grids"},
    {NULL, NULL}};
static const struct field incident_fields[] = {{"id", "String"},
                                               {"state", "String"},
                                               {"class", "String"},
                                               {"severity", "Number: 1 minor to 4 grave"},
                                               {"grid", "String"},
                                               {"handler", "String: a worker's id or a desk"},
                                               {"reported_ms", "Number: milliseconds since 1970"},
                                               {NULL, NULL}};
static const struct field worker_fields[] = {{"id", "String"},
                                             {"on_duty", "Number: 0 or 1"},
                                             {"full_time", "Number: 0 or 1"},
                                             {"load", "Number: incidents in hand"},
                                             {"position_ms", "Number: milliseconds since 1970"},
                                             {NULL, NULL}};

static const struct field *fields_of(enum gw_tile_layer layer) {
    switch (layer) {
    case GW_TILE_GRIDS:
        return grid_fields;
    case GW_TILE_LABELS:
        return label_fields;
    case GW_TILE_INCIDENTS:
        return incident_fields;
    case GW_TILE_WORKERS:
        return worker_fields;
    default:
        return area_fields;
    }
}

// The largest zoom of the layer at which the box still fits on a screen.
static uint32_t zoom_of(struct gw_box box, uint32_t min, uint32_t max) {
    struct gw_world_box world = picture_world_box(box);
    int64_t width = (int64_t)world.max.x - world.min.x, height = (int64_t)world.max.y - world.min.y;
    int64_t span = width > height ? width : height;
    uint32_t zoom = max;
    while (zoom > min && span > (INT64_C(1) << (GW_WORLD_BITS - zoom + SCREEN_TILES_BITS))) {
        zoom--;
    }
    return zoom;
}

// The label of an edition, for a place where clients take HTML.
static void write_attribution(struct gw_tiles *tiles, struct gw_buffer *out) {
    struct gw_buffer text = {0};
    const struct gw_edition *edition = gw_current_take(tiles->current);
    for (const char *at = gw_edition_label(edition); *at != '\0'; at++) {
        switch (*at) {
        case '<':
            gw_buffer_text(&text, "&lt;");
            break;
        case '>':
            gw_buffer_text(&text, "&gt;");
            break;
        case '&':
            gw_buffer_text(&text, "&amp;");
            break;
        default:
            gw_buffer_append(&text, at, 1);
            break;
        }
    }
    gw_current_release(tiles->current, edition);
    gw_json_text(out, text.data != NULL ? text.data : "");
    out->failed = out->failed || text.failed;
    gw_buffer_free(&text);
}

static void write_place(struct gw_box box, uint32_t zoom, struct gw_buffer *out) {
    double west = gw_degrees(box.min.lon), south = gw_degrees(box.min.lat);
    double east = gw_degrees(box.max.lon), north = gw_degrees(box.max.lat);
    gw_buffer_format(out, ",\"bounds\":[%.7f,%.7f,%.7f,%.7f],\"center\":[%.7f,%.7f,%u]", west,
                     south, east, north, (west + east) / 2, (south + north) / 2, zoom);
}

void gw_tiles_write_tilejson(struct gw_tiles *tiles, enum gw_tile_layer layer, const char *base,
                             struct gw_buffer *out) {
    const char *name = gw_tile_layer_name(layer);
    struct gw_box box = {{-GW_LON_MAX, -850511288}, {GW_LON_MAX, 850511288}};
    uint64_t edition = gw_tiles_edition(tiles, &box);
    uint32_t min = 0, max = 0;
    gw_tile_layer_zooms(layer, &min, &max);
    struct gw_buffer address = {0};
    gw_buffer_format(&address, "%s/tiles/%s/{z}/{x}/{y}.mvt", base, name);
    if (edition != 0 && !tiles_layer_is_live(layer)) {
        gw_buffer_format(&address, "?edition=%" PRIu64, edition);
    }
    gw_buffer_format(out, "{\"tilejson\":\"3.0.0\",\"name\":\"%s\",\"scheme\":\"xyz\",\"tiles\":[",
                     name);
    gw_json_text(out, address.data != NULL ? address.data : "");
    gw_buffer_format(out, "],\"minzoom\":%u,\"maxzoom\":%u", min, max);
    write_place(box, zoom_of(box, min, max), out);
    gw_buffer_text(out, ",\"attribution\":");
    write_attribution(tiles, out);
    gw_buffer_format(out,
                     ",\"vector_layers\":[{\"id\":\"%s\",\"minzoom\":%u,\"maxzoom\":%u,"
                     "\"fields\":{",
                     name, min, max);
    const struct field *fields = fields_of(layer);
    for (const struct field *field = fields; field->name != NULL; field++) {
        gw_buffer_format(out, "%s\"%s\":\"%s\"", field == fields ? "" : ",", field->name,
                         field->about);
    }
    gw_buffer_text(out, "}}]}");
    out->failed = out->failed || address.failed;
    gw_buffer_free(&address);
}
