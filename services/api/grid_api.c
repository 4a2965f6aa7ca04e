// GridService: locate one and many, read grids, list editions.
#include "services/api/copies.h"
#include "services/api/handlers.h"

#include "services/grids/editions.h"
#include "services/workers/workers.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define ROSTER_MAX 256u // ids answered with a grid

// A grid as a message, with room for all that it points to.
struct grid_message {
    Gridwarden__V1__Grid grid;
    Gridwarden__V1__Area areas[4];
    Gridwarden__V1__Area *area_pointers[4];
};

static void fill_grid(const struct gw_edition *edition, uint32_t index, struct grid_message *out) {
    struct gw_grid row = gw_edition_grid(edition, index);
    gridwarden__v1__grid__init(&out->grid);
    out->grid.code = (char *)row.code;
    out->grid.name = (char *)row.name;
    out->grid.kind = (Gridwarden__V1__GridKind)row.kind;
    out->grid.priority = row.priority;
    uint32_t chain[4];
    uint32_t count = gw_edition_chain(edition, index, chain);
    for (uint32_t i = 0; i < count; i++) {
        struct gw_area area = gw_edition_area(edition, chain[i]);
        gridwarden__v1__area__init(&out->areas[i]);
        out->areas[i].code = (char *)area.code;
        out->areas[i].name = (char *)area.name;
        out->areas[i].level = area.level;
        out->area_pointers[i] = &out->areas[i];
    }
    if (count > 0) {
        out->grid.parent_code = out->areas[0].code;
    }
    out->grid.n_areas = count;
    out->grid.areas = out->area_pointers;
}

static void reply_locate(struct gw_rpc_call *call, const struct gw_edition *edition,
                         struct gw_point point) {
    struct gw_error error;
    Gridwarden__V1__LocateResponse response = GRIDWARDEN__V1__LOCATE_RESPONSE__INIT;
    Gridwarden__V1__EditionRef ref = api_edition_ref(edition);
    response.edition = &ref;
    struct grid_message grid;
    Gridwarden__V1__NearestGrid nearest = GRIDWARDEN__V1__NEAREST_GRID__INIT;
    uint32_t owner = gw_grid_index_locate(gw_edition_index(edition), point);
    if (owner != GW_GRID_NONE) {
        fill_grid(edition, owner, &grid);
        response.grid = &grid.grid;
    } else {
        uint32_t near_grid = 0;
        gw_err err = gw_edition_nearest(edition, point, &near_grid, &nearest.distance_m);
        if (err == GW_OK) {
            struct gw_grid row = gw_edition_grid(edition, near_grid);
            nearest.code = (char *)row.code;
            nearest.name = (char *)row.name;
            response.nearest = &nearest;
        } else if (err != GW_ENOTFOUND) {
            (void)gw_error_set(&error, err, "the nearest grid can't be found: %s",
                               gw_err_text(err));
            gw_rpc_fail(call, &error);
            return;
        }
    }
    gw_rpc_reply(call, &response.base);
}

void api_locate(struct gw_rpc_call *call, const ProtobufCMessage *message, void *context) {
    const struct gw_api *api = context;
    const Gridwarden__V1__LocateRequest *request = (const Gridwarden__V1__LocateRequest *)message;
    struct gw_error error;
    struct gw_point point;
    if (api_point(request->point, &point, &error) != GW_OK) {
        gw_rpc_fail(call, &error);
        return;
    }
    const struct gw_edition *edition = gw_current_take(api->current);
    reply_locate(call, edition, point);
    gw_current_release(api->current, edition);
}

// --- batches ---

static gw_err check_batch(const Gridwarden__V1__PackedPoints *points, struct gw_error *error) {
    if (points == NULL) {
        return gw_error_set(error, GW_EINVAL, "points is missing");
    }
    if (points->n_longitudes_e7 != points->n_latitudes_e7) {
        return gw_error_set(error, GW_EINVAL,
                            "points has %zu longitudes and %zu latitudes; give as many of each",
                            points->n_longitudes_e7, points->n_latitudes_e7);
    }
    if (points->n_longitudes_e7 > GW_API_BATCH_POINTS_MAX) {
        return gw_error_set(error, GW_EINVAL,
                            "points has %zu places; at most %u fit a batch, so split it",
                            points->n_longitudes_e7, GW_API_BATCH_POINTS_MAX);
    }
    return GW_OK;
}

// Copies the arrays into points, each normal. GW_ERANGE names the first place that is outside.
static gw_err read_points(const Gridwarden__V1__PackedPoints *packed, struct gw_point points[],
                          struct gw_error *error) {
    for (size_t i = 0; i < packed->n_longitudes_e7; i++) {
        struct gw_point point = {packed->longitudes_e7[i], packed->latitudes_e7[i]};
        if (!gw_point_valid(point)) {
            return gw_error_set(error, GW_ERANGE,
                                "points[%zu] is %" PRId32 ", %" PRId32
                                " (1e-7 degree); outside +-180, +-90 degrees",
                                i, point.lon, point.lat);
        }
        points[i] = gw_point_normal(point);
    }
    return GW_OK;
}

// Distinct owners of a batch: open addressing from grid to 1 + its place among the codes.
struct owner_table {
    uint32_t *grids, *places; // grids[slot] is GW_GRID_NONE when empty
    uint32_t mask, count;
};

static bool owner_table_init(struct owner_table *table, size_t points) {
    uint32_t slots = 16;
    while (slots < points * 2) {
        slots *= 2;
    }
    table->grids = malloc(slots * sizeof(*table->grids));
    table->places = malloc(slots * sizeof(*table->places));
    table->mask = slots - 1;
    table->count = 0;
    if (table->grids == NULL || table->places == NULL) {
        return false;
    }
    memset(table->grids, 0xff, slots * sizeof(*table->grids));
    return true;
}

static uint32_t owner_table_place(struct owner_table *table, uint32_t grid, char **codes,
                                  const struct gw_edition *edition) {
    uint32_t slot = (grid * 2654435761u) & table->mask;
    while (table->grids[slot] != grid) {
        if (table->grids[slot] == GW_GRID_NONE) {
            table->grids[slot] = grid;
            codes[table->count] = (char *)gw_edition_grid(edition, grid).code;
            table->places[slot] = ++table->count;
            break;
        }
        slot = (slot + 1) & table->mask;
    }
    return table->places[slot];
}

// Everything that a batch needs, in one place to free.
struct batch {
    struct gw_point *points;
    uint32_t *owners;
    char **codes;
    struct owner_table table;
};

static bool batch_init(struct batch *batch, size_t count) {
    size_t room = count > 0 ? count : 1;
    *batch = (struct batch){
        .points = malloc(room * sizeof(*batch->points)),
        .owners = malloc(room * sizeof(*batch->owners)),
        .codes = malloc(room * sizeof(*batch->codes)),
    };
    bool table = owner_table_init(&batch->table, count);
    return batch->points != NULL && batch->owners != NULL && batch->codes != NULL && table;
}

static void batch_free(struct batch *batch) {
    free(batch->points);
    free(batch->owners);
    free(batch->codes);
    free(batch->table.grids);
    free(batch->table.places);
}

static void reply_batch(struct gw_rpc_call *call, const struct gw_edition *edition,
                        struct batch *batch, size_t count) {
    gw_grid_index_locate_batch(gw_edition_index(edition), batch->points, count, batch->owners);
    for (size_t i = 0; i < count; i++) {
        batch->owners[i] =
            batch->owners[i] == GW_GRID_NONE
                ? 0
                : owner_table_place(&batch->table, batch->owners[i], batch->codes, edition);
    }
    Gridwarden__V1__LocateBatchResponse response = GRIDWARDEN__V1__LOCATE_BATCH_RESPONSE__INIT;
    Gridwarden__V1__EditionRef ref = api_edition_ref(edition);
    response.edition = &ref;
    response.n_codes = batch->table.count;
    response.codes = batch->codes;
    response.n_owners = count;
    response.owners = batch->owners;
    gw_rpc_reply(call, &response.base);
}

void api_locate_batch(struct gw_rpc_call *call, const ProtobufCMessage *message, void *context) {
    const struct gw_api *api = context;
    const Gridwarden__V1__LocateBatchRequest *request =
        (const Gridwarden__V1__LocateBatchRequest *)message;
    struct gw_error error;
    if (check_batch(request->points, &error) != GW_OK) {
        gw_rpc_fail(call, &error);
        return;
    }
    size_t count = request->points->n_longitudes_e7;
    struct batch batch;
    if (!batch_init(&batch, count)) {
        (void)gw_error_set(&error, GW_ENOMEM, "not enough memory for a batch of %zu", count);
        gw_rpc_fail(call, &error);
    } else if (read_points(request->points, batch.points, &error) != GW_OK) {
        gw_rpc_fail(call, &error);
    } else {
        const struct gw_edition *edition = gw_current_take(api->current);
        reply_batch(call, edition, &batch, count);
        gw_current_release(api->current, edition);
    }
    batch_free(&batch);
}

// --- one grid ---

// A boundary as messages, in one block of memory for each kind of thing.
struct boundary {
    Gridwarden__V1__MultiPolygon polygons;
    Gridwarden__V1__Polygon *polygon;
    Gridwarden__V1__Polygon **polygon_pointers;
    Gridwarden__V1__PackedPoints *ring;
    Gridwarden__V1__PackedPoints **ring_pointers;
    int32_t *coordinates;
};

static void boundary_free(struct boundary *boundary) {
    free(boundary->polygon);
    free(boundary->polygon_pointers);
    free(boundary->ring);
    free(boundary->ring_pointers);
    free(boundary->coordinates);
}

static bool boundary_alloc(struct boundary *out, size_t rings, size_t vertices) {
    *out = (struct boundary){
        .polygon = calloc(rings, sizeof(*out->polygon)),
        .polygon_pointers = calloc(rings, sizeof(*out->polygon_pointers)),
        .ring = calloc(rings, sizeof(*out->ring)),
        .ring_pointers = calloc(rings, sizeof(*out->ring_pointers)),
        .coordinates = calloc((vertices + rings) * 2, sizeof(*out->coordinates)),
    };
    gridwarden__v1__multi_polygon__init(&out->polygons);
    return out->polygon != NULL && out->polygon_pointers != NULL && out->ring != NULL &&
           out->ring_pointers != NULL && out->coordinates != NULL;
}

static bool fill_boundary(const struct gw_coverage *coverage, uint32_t grid, struct boundary *out) {
    uint32_t first = coverage->grid_rings[grid], last = coverage->grid_rings[grid + 1];
    size_t vertices = coverage->ring_vertices[last] - coverage->ring_vertices[first];
    if (!boundary_alloc(out, last - first, vertices)) {
        return false;
    }
    int32_t *next = out->coordinates;
    for (uint32_t r = first; r < last; r++) {
        uint32_t from = coverage->ring_vertices[r];
        size_t count = coverage->ring_vertices[r + 1] - from;
        Gridwarden__V1__PackedPoints *ring = &out->ring[r - first];
        gridwarden__v1__packed_points__init(ring);
        out->ring_pointers[r - first] = ring;
        ring->n_longitudes_e7 = ring->n_latitudes_e7 = count + 1;
        ring->longitudes_e7 = next;
        ring->latitudes_e7 = next + count + 1;
        next += 2 * (count + 1);
        for (size_t i = 0; i <= count; i++) { // the first vertex comes again at the end
            struct gw_point vertex = coverage->vertices[from + (i < count ? i : 0)];
            ring->longitudes_e7[i] = vertex.lon;
            ring->latitudes_e7[i] = vertex.lat;
        }
        if (coverage->ring_kinds[r] == GW_RING_SHELL) {
            Gridwarden__V1__Polygon *polygon = &out->polygon[out->polygons.n_polygons];
            gridwarden__v1__polygon__init(polygon);
            polygon->rings = &out->ring_pointers[r - first];
            out->polygon_pointers[out->polygons.n_polygons++] = polygon;
        }
        out->polygon[out->polygons.n_polygons - 1].n_rings++;
    }
    out->polygons.polygons = out->polygon_pointers;
    return true;
}

static void reply_grid(struct gw_rpc_call *call, const struct gw_api *api,
                       const struct gw_edition *edition, uint32_t index, bool with_boundary) {
    struct grid_message grid;
    fill_grid(edition, index, &grid);
    struct boundary boundary = {0};
    if (with_boundary && !fill_boundary(gw_edition_coverage(edition), index, &boundary)) {
        struct gw_error error;
        (void)gw_error_set(&error, GW_ENOMEM, "not enough memory for the boundary");
        gw_rpc_fail(call, &error);
        boundary_free(&boundary);
        return;
    }
    grid.grid.boundary = with_boundary ? &boundary.polygons : NULL;
    char *roster[ROSTER_MAX];
    Gridwarden__V1__GetGridResponse response = GRIDWARDEN__V1__GET_GRID_RESPONSE__INIT;
    Gridwarden__V1__EditionRef ref = api_edition_ref(edition);
    response.edition = &ref;
    response.grid = &grid.grid;
    response.n_roster =
        gw_workers_roster(gw_shard_workers(api->shard), grid.grid.code, ROSTER_MAX, roster);
    response.roster = roster;
    gw_rpc_reply(call, &response.base);
    for (size_t i = 0; i < response.n_roster; i++) {
        free(roster[i]);
    }
    boundary_free(&boundary);
}

void api_get_grid(struct gw_rpc_call *call, const ProtobufCMessage *message, void *context) {
    const struct gw_api *api = context;
    const Gridwarden__V1__GetGridRequest *request = (const Gridwarden__V1__GetGridRequest *)message;
    struct gw_error error;
    if (request->code[0] == '\0' || strlen(request->code) >= GW_CODE_MAX) {
        (void)gw_error_set(&error, GW_EINVAL, "code must have 1 .. %u bytes", GW_CODE_MAX - 1);
        gw_rpc_fail(call, &error);
        return;
    }
    const struct gw_edition *edition = gw_current_take(api->current);
    uint32_t index = gw_edition_find_grid(edition, request->code);
    if (index == GW_GRID_NONE) {
        (void)gw_error_set(&error, GW_ENOTFOUND, "edition %" PRIu64 " of layer %s has no grid %s",
                           gw_edition_number(edition), gw_edition_layer(edition), request->code);
        gw_rpc_fail(call, &error);
    } else {
        reply_grid(call, api, edition, index, request->with_boundary);
    }
    gw_current_release(api->current, edition);
}

// --- lists ---

static bool grid_under(const struct gw_edition *edition, uint32_t index, const char *prefix) {
    struct gw_grid row = gw_edition_grid(edition, index);
    return api_starts_with(row.code, prefix) ||
           (row.parent != GW_AREA_NONE &&
            api_starts_with(gw_edition_area(edition, row.parent).code, prefix));
}

// The page of grids that is asked for, in `rows` and `pointers`, which have room for `size`.
static void reply_page(struct gw_rpc_call *call, const struct gw_edition *edition,
                       const Gridwarden__V1__ListGridsRequest *request, struct grid_message rows[],
                       Gridwarden__V1__Grid *pointers[], uint32_t size) {
    // The token is the last code of the page before.
    const char *after = api_page_token(request->page);
    uint32_t i = gw_edition_code_lower_bound(edition, after);
    uint32_t total = gw_edition_grid_count(edition), count = 0;
    for (; i < total && count < size; i++) {
        uint32_t index = gw_edition_grid_by_code_order(edition, i);
        if (strcmp(gw_edition_grid(edition, index).code, after) != 0 &&
            grid_under(edition, index, request->code_prefix)) {
            fill_grid(edition, index, &rows[count]);
            pointers[count] = &rows[count].grid;
            count++;
        }
    }
    Gridwarden__V1__ListGridsResponse response = GRIDWARDEN__V1__LIST_GRIDS_RESPONSE__INIT;
    Gridwarden__V1__EditionRef ref = api_edition_ref(edition);
    response.edition = &ref;
    response.n_grids = count;
    response.grids = pointers;
    if (i < total && count > 0) {
        response.next_token = rows[count - 1].grid.code;
    }
    gw_rpc_reply(call, &response.base);
}

void api_list_grids(struct gw_rpc_call *call, const ProtobufCMessage *message, void *context) {
    const struct gw_api *api = context;
    const Gridwarden__V1__ListGridsRequest *request =
        (const Gridwarden__V1__ListGridsRequest *)message;
    struct gw_error error;
    uint32_t size = 0;
    if (api_page_size(request->page, &size, &error) != GW_OK) {
        gw_rpc_fail(call, &error);
        return;
    }
    struct grid_message *rows = calloc(size, sizeof(*rows));
    Gridwarden__V1__Grid **pointers = calloc(size, sizeof(*pointers));
    if (rows == NULL || pointers == NULL) {
        (void)gw_error_set(&error, GW_ENOMEM, "not enough memory for a page");
        gw_rpc_fail(call, &error);
    } else {
        const struct gw_edition *edition = gw_current_take(api->current);
        reply_page(call, edition, request, rows, pointers, size);
        gw_current_release(api->current, edition);
    }
    free(rows);
    free(pointers);
}

static bool add_edition(void *context, const Gridwarden__V1__Edition *edition) {
    return api_copies_add(context, &edition->base);
}

void api_list_editions(struct gw_rpc_call *call, const ProtobufCMessage *message, void *context) {
    (void)message;
    const struct gw_api *api = context;
    struct api_copies editions = {0};
    struct gw_error error;
    gw_err err = gw_editions_list(api->store, add_edition, &editions, &error);
    if (err == GW_OK && editions.failed) {
        err = gw_error_set(&error, GW_ENOMEM, "not enough memory for the list");
    }
    if (err != GW_OK) {
        gw_rpc_fail(call, &error);
    } else {
        Gridwarden__V1__ListEditionsResponse response =
            GRIDWARDEN__V1__LIST_EDITIONS_RESPONSE__INIT;
        response.n_editions = editions.count;
        response.editions = (Gridwarden__V1__Edition **)editions.messages;
        gw_rpc_reply(call, &response.base);
    }
    api_copies_free(&editions);
}
