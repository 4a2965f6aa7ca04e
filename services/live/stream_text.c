#include "services/live/stream_text.h"

#include "services/base/json.h"
#include <inttypes.h>
#include <stdlib.h>

void stream_degrees(struct gw_buffer *out, int32_t units) {
    char text[16];
    int64_t size = units < 0 ? -(int64_t)units : units;
    uint32_t whole = (uint32_t)(size / GW_UNITS_PER_DEGREE);
    uint32_t rest = (uint32_t)(size % GW_UNITS_PER_DEGREE);
    char *at = text + sizeof(text);
    bool any = false;
    for (int i = 0; i < 7; i++, rest /= 10u) { // the fraction from its end, without zeros there
        any = any || rest % 10u != 0;
        if (any) {
            *--at = (char)('0' + rest % 10u);
        }
    }
    if (any) {
        *--at = '.';
    }
    do {
        *--at = (char)('0' + whole % 10u);
        whole /= 10u;
    } while (whole > 0);
    if (units < 0) {
        *--at = '-';
    }
    gw_buffer_append(out, at, (size_t)(text + sizeof(text) - at));
}

void stream_incident(struct gw_buffer *out, const struct open_incident *incident) {
    gw_buffer_text(out, "{\"id\":");
    gw_json_text(out, incident->id);
    gw_buffer_format(out, ",\"state\":\"%s\",\"class\":", incident->state);
    gw_json_text(out, incident->class_code);
    gw_buffer_format(out, ",\"severity\":%" PRIu32 ",\"lon\":", incident->severity);
    if (incident->has_point) {
        stream_degrees(out, incident->point.lon);
        gw_buffer_text(out, ",\"lat\":");
        stream_degrees(out, incident->point.lat);
    } else {
        gw_buffer_text(out, "null,\"lat\":null");
    }
    gw_buffer_text(out, ",\"grid\":");
    gw_json_text(out, incident->grid_code);
    gw_buffer_text(out, ",\"handler\":");
    gw_json_text(out, incident->handler);
    gw_buffer_format(out,
                     ",\"attempt\":%" PRIu32 ",\"reported_ms\":%" PRId64 ",\"updated_ms\":%" PRId64
                     ",\"version\":%" PRIu32 "}",
                     incident->attempt, incident->reported_ms, incident->updated_ms,
                     incident->version);
}

void stream_worker(struct gw_buffer *out, const struct crew_row *row) {
    gw_buffer_text(out, "[");
    gw_json_text(out, row->id);
    gw_buffer_text(out, ",");
    stream_degrees(out, row->point.lon);
    gw_buffer_text(out, ",");
    stream_degrees(out, row->point.lat);
    gw_buffer_format(out, ",%d,%d,%" PRIu32 ",%" PRId64 "]", row->on_duty, row->full_time,
                     row->load, row->time_ms);
}
