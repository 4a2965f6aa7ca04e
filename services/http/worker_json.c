#include "services/http/worker_json.h"

#include "services/base/json.h"
#include "services/http/values.h"
#include "services/http/words.h"

static void write_list(struct gw_buffer *out, const char *name, char **texts, size_t count) {
    http_write_key(out, name);
    gw_buffer_text(out, "[");
    for (size_t i = 0; i < count; i++) {
        gw_buffer_text(out, i > 0 ? "," : "");
        gw_json_text(out, texts[i]);
    }
    gw_buffer_text(out, "]");
}

static void write_position(struct gw_buffer *out, const Gridwarden__V1__Position *position) {
    struct gw_point point;
    http_write_key(out, "position");
    if (position == NULL || position->point == NULL ||
        gw_lattice_round(position->point->longitude, position->point->latitude, &point) != GW_OK) {
        gw_buffer_text(out, "null");
        return;
    }
    gw_buffer_text(out, "{\"lon\":");
    http_write_degrees(out, point.lon);
    gw_buffer_text(out, ",\"lat\":");
    http_write_degrees(out, point.lat);
    http_write_int(out, "time_ms", position->time_ms);
    gw_buffer_text(out, "}");
}

void http_write_worker_members(struct gw_buffer *out, const Gridwarden__V1__Worker *worker) {
    http_write_text(out, "id", worker->id);
    http_write_masked(out, "name", worker->name);
    http_write_text(out, "kind",
                    http_word(&gridwarden__v1__worker_kind__descriptor, (int)worker->kind));
    http_write_text(out, "duty", http_word(&gridwarden__v1__duty__descriptor, (int)worker->duty));
    http_write_int(out, "load", worker->load);
    http_write_int(out, "capacity", worker->capacity);
    write_list(out, "home_grids", worker->home_grids, worker->n_home_grids);
    write_list(out, "skills", worker->skills, worker->n_skills);
    write_position(out, worker->position);
}
