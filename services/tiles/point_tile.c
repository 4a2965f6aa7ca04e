#include "services/tiles/point_tile.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

// One point with its words, which lie one after the other in `text`.
struct gathered {
    uint64_t order; // a hash of the id
    struct gw_point point;
    uint32_t id, state, class_code, grid_code, handler; // where in `text`
    uint32_t severity, load;
    bool on_duty, full_time;
    int64_t time_ms;
};

struct point_tile {
    struct gathered *rows;
    uint32_t count, capacity;
    struct gw_point *points;
    uint32_t point_capacity;
    char *text;
    size_t text_size, text_capacity;
    uint32_t thinning; // only ids whose hash has this many low bits of 0
    bool failed;
};

struct point_tile *point_tile_create(void) {
    return calloc(1, sizeof(struct point_tile));
}

void point_tile_destroy(struct point_tile *point_tile) {
    if (point_tile != NULL) {
        free(point_tile->rows);
        free(point_tile->points);
        free(point_tile->text);
        free(point_tile);
    }
}

static bool survives(const struct point_tile *gather, uint64_t order) {
    return (order & ((UINT64_C(1) << gather->thinning) - 1u)) == 0;
}

// Takes every second of the points out, by their ids: the rest is the same whatever the order in
// which they were visited. Their words stay in `text`, which is bounded all the same (add_text).
static void thin_out(struct point_tile *gather) {
    while (gather->count >= GW_TILE_POINTS_MAX) {
        uint32_t kept = 0;
        gather->thinning++;
        for (uint32_t i = 0; i < gather->count; i++) {
            if (survives(gather, gather->rows[i].order)) {
                gather->rows[kept++] = gather->rows[i];
            }
        }
        gather->count = kept;
    }
}

// The row for a new point, or NULL when it is one of those that are left out.
static struct gathered *add_row(struct point_tile *gather, const char *id, struct gw_point point) {
    uint64_t order = XXH3_64bits(id, strlen(id));
    if (gather->failed || !survives(gather, order)) {
        return NULL;
    }
    if (gather->count == GW_TILE_POINTS_MAX) {
        thin_out(gather);
        if (!survives(gather, order)) {
            return NULL;
        }
    }
    if (gather->count == gather->capacity) {
        uint32_t capacity = gather->capacity == 0 ? 256 : 2 * gather->capacity;
        struct gathered *rows = realloc(gather->rows, capacity * sizeof(rows[0]));
        if (rows == NULL) {
            gather->failed = true;
            return NULL;
        }
        gather->rows = rows;
        gather->capacity = capacity;
    }
    struct gathered *row = &gather->rows[gather->count++];
    *row = (struct gathered){.order = order, .point = point};
    return row;
}

static uint32_t add_text(struct point_tile *gather, const char *text) {
    size_t size = strlen(text) + 1u;
    if (gather->text_capacity - gather->text_size < size) {
        size_t capacity = gather->text_capacity == 0 ? 16384 : 2 * gather->text_capacity;
        capacity = capacity < gather->text_size + size ? gather->text_size + size : capacity;
        char *grown = capacity <= UINT32_MAX ? realloc(gather->text, capacity) : NULL;
        if (grown == NULL) {
            gather->failed = true;
            return 0;
        }
        gather->text = grown;
        gather->text_capacity = capacity;
    }
    memcpy(gather->text + gather->text_size, text, size);
    gather->text_size += size;
    return (uint32_t)(gather->text_size - size);
}

static void visit_incident(void *visitor, const struct gw_tile_incident *incident) {
    struct point_tile *gather = visitor;
    struct gathered *row = add_row(gather, incident->id, incident->point);
    if (row != NULL) {
        row->id = add_text(gather, incident->id);
        row->state = add_text(gather, incident->state);
        row->class_code = add_text(gather, incident->class_code);
        row->grid_code = add_text(gather, incident->grid_code);
        row->handler = add_text(gather, incident->handler);
        row->severity = incident->severity;
        row->time_ms = incident->reported_ms;
    }
}

static void visit_worker(void *visitor, const struct gw_tile_worker *worker) {
    struct point_tile *gather = visitor;
    struct gathered *row = add_row(gather, worker->id, worker->point);
    if (row != NULL) {
        row->id = add_text(gather, worker->id);
        row->on_duty = worker->on_duty;
        row->full_time = worker->full_time;
        row->load = worker->load;
        row->time_ms = worker->position_ms;
    }
}

// ---- words of the features ----

static uint64_t feature_id(void *context, uint32_t feature) {
    const struct point_tile *gather = context;
    return gw_mvt_id_of_code(gather->text + gather->rows[feature].id);
}

static void incident_properties(void *context, uint32_t feature, struct gw_mvt_writer *writer) {
    const struct point_tile *gather = context;
    const struct gathered *row = &gather->rows[feature];
    gw_mvt_text(writer, "id", gather->text + row->id);
    gw_mvt_text(writer, "state", gather->text + row->state);
    gw_mvt_text(writer, "class", gather->text + row->class_code);
    gw_mvt_integer(writer, "severity", (int64_t)row->severity);
    gw_mvt_text(writer, "grid", gather->text + row->grid_code);
    gw_mvt_text(writer, "handler", gather->text + row->handler);
    gw_mvt_integer(writer, "reported_ms", row->time_ms);
}

static void worker_properties(void *context, uint32_t feature, struct gw_mvt_writer *writer) {
    const struct point_tile *gather = context;
    const struct gathered *row = &gather->rows[feature];
    gw_mvt_text(writer, "id", gather->text + row->id);
    gw_mvt_integer(writer, "on_duty", row->on_duty);
    gw_mvt_integer(writer, "full_time", row->full_time);
    gw_mvt_integer(writer, "load", (int64_t)row->load);
    gw_mvt_integer(writer, "position_ms", row->time_ms);
}

static int by_order(const void *left, const void *right, void *context) {
    const struct gathered *a = left, *b = right;
    const struct point_tile *gather = context;
    if (a->order != b->order) {
        return a->order < b->order ? -1 : 1;
    }
    return strcmp(gather->text + a->id, gather->text + b->id);
}

static gw_err gather_points(struct point_tile *gather) {
    if (gather->count > gather->point_capacity) {
        struct gw_point *points = realloc(gather->points, gather->capacity * sizeof(points[0]));
        if (points == NULL) {
            return GW_ENOMEM;
        }
        gather->points = points;
        gather->point_capacity = gather->capacity;
    }
    qsort_r(gather->rows, gather->count, sizeof(gather->rows[0]), by_order, gather);
    for (uint32_t i = 0; i < gather->count; i++) {
        gather->points[i] = gather->rows[i].point;
    }
    return GW_OK;
}

gw_err point_tile_encode(struct point_tile *point_tile, const struct gw_tile_points *source,
                         enum gw_tile_layer layer, struct gw_tile_id id,
                         struct gw_tile_scratch *scratch, struct gw_bytes *out) {
    struct gw_box box = gw_tile_lattice_box(id, GW_TILE_BUFFER);
    struct gw_tile_words words = {feature_id, incident_properties, point_tile};
    point_tile->count = 0;
    point_tile->text_size = 0;
    point_tile->thinning = 0;
    point_tile->failed = false;
    if (source == NULL) {
        return GW_OK;
    }
    if (layer == GW_TILE_INCIDENTS) {
        source->incidents(source->context, box, visit_incident, point_tile);
    } else {
        words.properties = worker_properties;
        source->workers(source->context, box, visit_worker, point_tile);
    }
    if (point_tile->failed || point_tile->count == 0) {
        return point_tile->failed ? GW_ENOMEM : GW_OK;
    }
    gw_err err = gather_points(point_tile);
    if (err != GW_OK) {
        return err;
    }
    return gw_tile_points_encode(point_tile->points, point_tile->count, gw_tile_layer_name(layer),
                                 id, &words, scratch, out);
}
