#include "loadtest/city.h"

#include "gridwarden/v1/grid.pb-c.h"
#include "gridwarden/v1/worker.pb-c.h"
#include "services/rpc/client.h"
#include <stdlib.h>
#include <string.h>

enum { PAGE = 1000, CALL_MS = 30000, TRIES_MAX = 32, PARALLEL = 64 };

static char *borrow(const char *text) {
    return (char *)(uintptr_t)text;
}

// Appends a code to a list that grows by doubling. GW_ENOSPC: `max` there are already.
static gw_err append(char (**list)[LOAD_CODE_MAX], uint32_t *count, uint32_t max,
                     const char *code) {
    size_t length = strlen(code);
    if (length >= LOAD_CODE_MAX) {
        return GW_OK; // none of ours; it is left out
    }
    if (*count >= max) {
        return GW_ENOSPC;
    }
    if ((*count & (*count - 1)) == 0) { // a power of two, or 0: full
        size_t room = *count == 0 ? 1 : (size_t)*count * 2;
        char(*more)[LOAD_CODE_MAX] = realloc(*list, room * sizeof(**list));
        if (more == NULL) {
            return GW_ENOMEM;
        }
        *list = more;
    }
    memcpy((*list)[(*count)++], code, length + 1);
    return GW_OK;
}

static gw_err explain(gw_err err, const char *what, struct gw_error *error) {
    return gw_error_set(error, err, "%s: %s", what, gw_err_text(err));
}

// A list that comes page by page: what is asked, and what is taken of a page.
struct list {
    const char *path, *what, *none;  // none: what to say when it is empty
    const ProtobufCMessage *request; // whose page is `page`
    const ProtobufCMessageDescriptor *response_type;
    // Appends the page's codes; sets the next page's token.
    gw_err (*take)(struct load_city *city, const ProtobufCMessage *response, const char **token);
    const uint32_t *count; // of what has been taken
    char token[512];       // of the next page
};

static gw_err learn(struct gw_rpc_channel *channel, struct load_city *city, struct list *list,
                    Gridwarden__V1__PageRequest *page, struct gw_error *error) {
    gw_err err = GW_OK;
    do {
        ProtobufCMessage *message = NULL;
        const char *next = "";
        page->size = PAGE;
        page->token = list->token;
        err = gw_rpc_unary(channel, list->path, list->request, list->response_type, CALL_MS,
                           &message, error);
        if (err != GW_OK) {
            return err;
        }
        err = list->take(city, message, &next);
        if (strlen(next) >= sizeof(list->token)) {
            err = GW_EINTERNAL;
        } else {
            memcpy(list->token, next, strlen(next) + 1);
        }
        protobuf_c_message_free_unpacked(message, NULL);
    } while (err == GW_OK && list->token[0] != '\0');
    if (err == GW_OK && *list->count == 0) {
        return gw_error_set(error, GW_ENOTFOUND, "%s", list->none);
    }
    return err == GW_OK ? GW_OK : explain(err, list->what, error);
}

static gw_err take_grids(struct load_city *city, const ProtobufCMessage *message,
                         const char **token) {
    const Gridwarden__V1__ListGridsResponse *response =
        (const Gridwarden__V1__ListGridsResponse *)message;
    gw_err err = GW_OK;
    for (size_t i = 0; i < response->n_grids && err == GW_OK; i++) {
        err =
            append(&city->grids, &city->grid_count, LOAD_CITY_GRIDS_MAX, response->grids[i]->code);
    }
    *token = response->next_token;
    return err;
}

static gw_err learn_grids(struct gw_rpc_channel *channel, struct load_city *city,
                          struct gw_error *error) {
    Gridwarden__V1__ListGridsRequest request = GRIDWARDEN__V1__LIST_GRIDS_REQUEST__INIT;
    Gridwarden__V1__PageRequest page = GRIDWARDEN__V1__PAGE_REQUEST__INIT;
    request.page = &page;
    struct list list = {
        .path = "/gridwarden.v1.GridService/ListGrids",
        .what = "the list of grids",
        .none = "the node has no grids: import some by `gridwarden import`",
        .request = &request.base,
        .response_type = &gridwarden__v1__list_grids_response__descriptor,
        .take = take_grids,
        .count = &city->grid_count,
    };
    return learn(channel, city, &list, &page, error);
}

static gw_err take_workers(struct load_city *city, const ProtobufCMessage *message,
                           const char **token) {
    const Gridwarden__V1__ListWorkersResponse *response =
        (const Gridwarden__V1__ListWorkersResponse *)message;
    gw_err err = GW_OK;
    for (size_t i = 0; i < response->n_workers && err == GW_OK; i++) {
        err = append(&city->workers, &city->worker_count, LOAD_CITY_WORKERS_MAX,
                     response->workers[i]->id);
    }
    *token = response->next_token;
    return err;
}

static gw_err learn_workers(struct gw_rpc_channel *channel, struct load_city *city,
                            struct gw_error *error) {
    Gridwarden__V1__ListWorkersRequest request = GRIDWARDEN__V1__LIST_WORKERS_REQUEST__INIT;
    Gridwarden__V1__PageRequest page = GRIDWARDEN__V1__PAGE_REQUEST__INIT;
    request.page = &page;
    struct list list = {
        .path = "/gridwarden.v1.WorkerService/ListWorkers",
        .what = "the list of workers",
        .none = "the node has no workers: import some by `gridwarden worker import`, or "
                "`./dev up` for the demo's",
        .request = &request.base,
        .response_type = &gridwarden__v1__list_workers_response__descriptor,
        .take = take_workers,
        .count = &city->worker_count,
    };
    return learn(channel, city, &list, &page, error);
}

// --- places ---

struct fetch {
    struct load_city *city;
    struct gw_error error; // of the first that failed
    uint32_t open;
};

static void take_shell(struct load_city *city, const Gridwarden__V1__PackedPoints *shell) {
    size_t count = shell->n_longitudes_e7;
    if (count < 4 || count != shell->n_latitudes_e7 || count > UINT32_MAX / 4) {
        return;
    }
    struct load_place *place = &city->places[city->place_count];
    place->points = malloc(count * 2 * sizeof(*place->points));
    if (place->points == NULL) {
        return;
    }
    place->count = (uint32_t)count;
    for (size_t i = 0; i < count; i++) {
        double lon = shell->longitudes_e7[i] / 1e7, lat = shell->latitudes_e7[i] / 1e7;
        place->points[2 * i] = lon;
        place->points[2 * i + 1] = lat;
        place->box[0] = i == 0 || lon < place->box[0] ? lon : place->box[0];
        place->box[1] = i == 0 || lat < place->box[1] ? lat : place->box[1];
        place->box[2] = i == 0 || lon > place->box[2] ? lon : place->box[2];
        place->box[3] = i == 0 || lat > place->box[3] ? lat : place->box[3];
    }
    bool first = city->place_count++ == 0;
    for (int i = 0; i < 2; i++) {
        city->bounds[i] =
            first || place->box[i] < city->bounds[i] ? place->box[i] : city->bounds[i];
        city->bounds[i + 2] = first || place->box[i + 2] > city->bounds[i + 2]
                                  ? place->box[i + 2]
                                  : city->bounds[i + 2];
    }
}

static void took_grid(void *context, const struct gw_error *error,
                      const ProtobufCMessage *message) {
    struct fetch *fetch = context;
    fetch->open--;
    if (error != NULL) {
        fetch->error = fetch->error.code == GW_OK ? *error : fetch->error;
        return;
    }
    const Gridwarden__V1__GetGridResponse *response =
        (const Gridwarden__V1__GetGridResponse *)message;
    const Gridwarden__V1__MultiPolygon *shape =
        response->grid != NULL ? response->grid->boundary : NULL;
    if (shape != NULL && shape->n_polygons > 0 && shape->polygons[0]->n_rings > 0) {
        take_shell(fetch->city, shape->polygons[0]->rings[0]);
    }
}

// By longitude and latitude of the box, so that the order of the answers does not matter.
static int by_place(const void *a, const void *b) {
    const struct load_place *left = a, *right = b;
    for (int i = 0; i < 4; i++) {
        if (left->box[i] < right->box[i] || left->box[i] > right->box[i]) {
            return left->box[i] < right->box[i] ? -1 : 1;
        }
    }
    return (left->count > right->count) - (left->count < right->count);
}

// Puts a random sample of `wanted` first.
static void shuffle(struct load_city *city, uint32_t wanted, uint64_t seed) {
    struct gw_random random = gw_random_of(seed, 2);
    for (uint32_t i = 0; i < wanted; i++) {
        uint32_t other = i + gw_random_below(&random, city->grid_count - i);
        char code[LOAD_CODE_MAX];
        memcpy(code, city->grids[i], sizeof(code));
        memmove(city->grids[i], city->grids[other], sizeof(code));
        memcpy(city->grids[other], code, sizeof(code));
    }
}

static gw_err learn_places(struct gw_rpc_channel *channel, uint64_t seed, struct load_city *city,
                           struct gw_error *error) {
    uint32_t wanted =
        city->grid_count < LOAD_CITY_PLACES_MAX ? city->grid_count : LOAD_CITY_PLACES_MAX;
    struct fetch fetch = {.city = city};
    city->places = calloc(wanted, sizeof(*city->places));
    if (city->places == NULL) {
        return gw_error_set(error, GW_ENOMEM, "no memory for the city");
    }
    shuffle(city, wanted, seed);
    for (uint32_t i = 0; i < wanted || fetch.open > 0;) {
        while (i < wanted && fetch.open < PARALLEL && fetch.error.code == GW_OK) {
            Gridwarden__V1__GetGridRequest request = GRIDWARDEN__V1__GET_GRID_REQUEST__INIT;
            request.code = borrow(city->grids[i++]);
            request.with_boundary = 1;
            gw_err err = gw_rpc_unary_start(
                channel, "/gridwarden.v1.GridService/GetGrid", &request.base,
                &gridwarden__v1__get_grid_response__descriptor, CALL_MS, took_grid, &fetch);
            fetch.open += err == GW_OK;
            fetch.error.code = err;
        }
        if (fetch.error.code != GW_OK && fetch.open == 0) {
            break;
        }
        (void)gw_rpc_channel_poll(channel, 1000);
    }
    if (fetch.error.code != GW_OK || city->place_count == 0) {
        return gw_error_set(error, fetch.error.code != GW_OK ? fetch.error.code : GW_ENOTFOUND,
                            "the boundaries of grids: %.200s",
                            fetch.error.text[0] != '\0' ? fetch.error.text : "none came");
    }
    qsort(city->places, city->place_count, sizeof(*city->places), by_place);
    return GW_OK;
}

gw_err load_city_learn(const char *server, bool workers, uint64_t seed, struct load_city *city,
                       struct gw_error *error) {
    struct gw_rpc_channel *channel = NULL;
    gw_err err = gw_rpc_channel_create(server, &channel, error);
    if (err == GW_OK) {
        err = learn_grids(channel, city, error);
    }
    if (err == GW_OK) {
        err = learn_places(channel, seed, city, error);
    }
    if (err == GW_OK && workers) {
        err = learn_workers(channel, city, error);
    }
    gw_rpc_channel_destroy(channel);
    return err;
}

void load_city_free(struct load_city *city) {
    for (uint32_t i = 0; i < city->place_count; i++) {
        free(city->places[i].points);
    }
    free(city->places);
    free(city->grids);
    free(city->workers);
    memset(city, 0, sizeof(*city));
}

// --- points ---

// By crossings; on an edge either answer will do, as it is only a place to ask about.
static bool inside(const struct load_place *place, double lon, double lat) {
    bool in = false;
    for (uint32_t i = 0, j = place->count - 1; i < place->count; j = i++) {
        const double *a = &place->points[2 * (size_t)i], *b = &place->points[2 * (size_t)j];
        if ((a[1] > lat) != (b[1] > lat) &&
            lon < (b[0] - a[0]) * (lat - a[1]) / (b[1] - a[1]) + a[0]) {
            in = !in;
        }
    }
    return in;
}

void load_city_point(const struct load_city *city, enum load_where where, struct gw_random *random,
                     double *longitude, double *latitude) {
    const double *box = city->bounds;
    const struct load_place *place = NULL;
    if (where == LOAD_IN_GRIDS) {
        place = &city->places[gw_random_below(random, city->place_count)];
        box = place->box;
    }
    for (int tries = 0; tries < TRIES_MAX; tries++) {
        *longitude = gw_random_within(random, box[0], box[2]);
        *latitude = gw_random_within(random, box[1], box[3]);
        if (place == NULL || inside(place, *longitude, *latitude)) {
            return;
        }
    }
}
