// Users who pan over the map: each step is an arrival, and asks for the tiles that come into sight,
// all at once. Requests wait for a free connection here, as they do in a browser; the wait counts.
#include "loadtest/http.h"
#include "loadtest/pan.h"
#include "loadtest/parts.h"
#include "services/base/clock.h"
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { TILEJSON_MAX = 65536, CLOSED_STEPS_MAX = 64 };

struct request {
    struct load_tile tile;
    uint32_t user;
    int64_t intended_ns;
};

struct tiles;

struct transfer {
    struct tiles *tiles;
    CURL *handle;
    struct curl_slist *headers; // with If-None-Match; NULL: none of its own
    struct request request;
    int64_t sent_ns;
    uint64_t bytes;
    char etag[LOAD_ETAG_MAX];
    bool busy;
    // Closed loop: what its user still has to fetch.
    struct load_tile *todo; // [LOAD_VISIBLE_MAX]
    uint32_t todo_count;
    struct gw_random random;
};

struct tiles {
    struct load_work_run *work;
    struct load_http http;
    struct load_pan pan;
    char urls[LOAD_LAYERS_MAX][LOAD_URL_MAX]; // templates
    struct curl_slist *headers;
    struct transfer *transfers;
    uint32_t transfer_count, busy;
    struct request *queue; // [queue_capacity], a ring
    uint32_t queue_capacity, queue_first, queue_count;
    struct gw_random random;
};

// --- a transfer ---

static size_t take_body(char *data, size_t one, size_t size, void *context) {
    struct transfer *transfer = context;
    (void)data;
    (void)one;
    transfer->bytes += size;
    return size;
}

static size_t take_header(char *data, size_t one, size_t size, void *context) {
    struct transfer *transfer = context;
    size_t bytes = one * size;
    if (bytes > 5 && strncasecmp(data, "etag:", 5) == 0) {
        size_t begin = 5 + strspn(data + 5, " "), length = 0;
        while (begin + length < bytes && data[begin + length] != '\r' &&
               data[begin + length] != '\n') {
            length++;
        }
        if (length < sizeof(transfer->etag)) {
            memcpy(transfer->etag, data + begin, length);
            transfer->etag[length] = '\0';
        }
    }
    return bytes;
}

// The template with {z}, {x} and {y} filled in.
static void make_url(const char *template, struct load_tile tile, char *out, size_t size) {
    size_t used = 0;
    while (*template != '\0' && used + 12 < size) {
        const char *rest = template[0] == '{' && template[1] != '\0' ? template + 2 : "";
        if (rest[0] == '}' && strchr("zxy", template[1]) != NULL) {
            uint32_t value = template[1] == 'z' ? tile.z : template[1] == 'x' ? tile.x : tile.y;
            used += (size_t)snprintf(out + used, size - used, "%u", value);
            template += 3;
        } else {
            out[used++] = *template ++;
        }
    }
    out[used] = '\0';
}

// A conditional request, where the user's browser has the tile.
static void add_condition(struct tiles *tiles, struct transfer *transfer) {
    const struct load_user *user = &tiles->pan.users[transfer->request.user];
    const struct load_seen *seen = tiles->work->work->cache == LOAD_CACHE_REVALIDATE
                                       ? load_pan_find(user, transfer->request.tile)
                                       : NULL;
    char line[LOAD_ETAG_MAX + 32];
    curl_slist_free_all(transfer->headers);
    transfer->headers = NULL;
    if (seen != NULL && seen->etag[0] != '\0') {
        (void)snprintf(line, sizeof(line), "If-None-Match: %s", seen->etag);
        struct curl_slist *list = curl_slist_append(NULL, "Accept-Encoding: gzip");
        transfer->headers = list == NULL ? NULL : curl_slist_append(list, line);
    }
    (void)curl_easy_setopt(transfer->handle, CURLOPT_HTTPHEADER,
                           transfer->headers != NULL ? transfer->headers : tiles->headers);
}

static void begin(struct tiles *tiles, struct transfer *transfer, const struct request *request) {
    char url[LOAD_URL_MAX];
    transfer->request = *request;
    transfer->bytes = 0;
    transfer->etag[0] = '\0';
    make_url(tiles->urls[request->tile.layer], request->tile, url, sizeof(url));
    (void)curl_easy_setopt(transfer->handle, CURLOPT_URL, url);
    add_condition(tiles, transfer);
    transfer->sent_ns = gw_clock_monotonic_ns();
    if (load_http_add(&tiles->http, transfer->handle) != GW_OK) {
        load_recorder_failed(&tiles->work->recorder, request->intended_ns, transfer->sent_ns,
                             "the request could not be started: no memory");
        return;
    }
    transfer->busy = true;
    tiles->busy++;
}

static void end(struct tiles *tiles, struct transfer *transfer, CURLcode code) {
    struct load_recorder *recorder = &tiles->work->recorder;
    const struct request *request = &transfer->request;
    int64_t now_ns = gw_clock_monotonic_ns();
    long status = 0;
    char why[160];
    (void)curl_easy_getinfo(transfer->handle, CURLINFO_RESPONSE_CODE, &status);
    load_http_remove(&tiles->http, transfer->handle);
    transfer->busy = false;
    tiles->busy--;
    if (code == CURLE_OK && (status == 200 || status == 204 || status == 304)) {
        load_recorder_done(recorder, request->intended_ns, transfer->sent_ns, now_ns,
                           transfer->bytes);
        load_pan_keep(&tiles->pan.users[request->user], request->tile, transfer->etag);
        return;
    }
    if (code == CURLE_OK) {
        (void)snprintf(why, sizeof(why), "HTTP %ld for a tile of %s", status,
                       tiles->work->work->layers[request->tile.layer]);
    } else {
        (void)snprintf(why, sizeof(why), "%s", curl_easy_strerror(code));
    }
    load_recorder_failed(recorder, request->intended_ns, now_ns, why);
}

static void end_all(struct tiles *tiles) {
    CURLcode code = CURLE_OK;
    CURL *handle;
    while ((handle = load_http_ended(&tiles->http, &code)) != NULL) {
        char *transfer = NULL;
        (void)curl_easy_getinfo(handle, CURLINFO_PRIVATE, &transfer);
        end(tiles, (struct transfer *)(void *)transfer, code);
    }
}

// --- steps ---

static void start_place(void *context, struct gw_random *random, double *lon, double *lat) {
    struct tiles *tiles = context;
    if (tiles->work->work->where == LOAD_IN_GRIDS && tiles->work->run->city.place_count > 0) {
        load_city_point(&tiles->work->run->city, LOAD_IN_GRIDS, random, lon, lat);
        return;
    }
    *lon = gw_random_within(random, tiles->pan.bounds[0], tiles->pan.bounds[2]);
    *lat = gw_random_within(random, tiles->pan.bounds[1], tiles->pan.bounds[3]);
}

// Open loop: a user makes a step; his tiles join the queue.
static void arrive(struct tiles *tiles, int64_t intended_ns) {
    struct load_recorder *recorder = &tiles->work->recorder;
    struct load_tile seen[LOAD_VISIBLE_MAX];
    uint32_t user = gw_random_below(&tiles->random, tiles->pan.user_count);
    uint32_t count = load_pan_step(&tiles->pan, &tiles->pan.users[user], &tiles->random,
                                   start_place, tiles, seen);
    int64_t now_ns = gw_clock_monotonic_ns();
    for (uint32_t i = 0; i < count; i++) {
        load_recorder_intended(recorder, intended_ns);
        if (tiles->queue_count + tiles->busy >= tiles->queue_capacity) {
            load_recorder_unsent(recorder, intended_ns, tiles->queue_capacity);
            continue;
        }
        load_recorder_sent(recorder, intended_ns, intended_ns, now_ns);
        tiles->queue[(tiles->queue_first + tiles->queue_count++) % tiles->queue_capacity] =
            (struct request){seen[i], user, intended_ns};
    }
}

// Free connections take what waits.
static void feed(struct tiles *tiles) {
    for (uint32_t i = 0; i < tiles->transfer_count && tiles->queue_count > 0; i++) {
        if (!tiles->transfers[i].busy) {
            const struct request request = tiles->queue[tiles->queue_first];
            tiles->queue_first = (tiles->queue_first + 1) % tiles->queue_capacity;
            tiles->queue_count--;
            begin(tiles, &tiles->transfers[i], &request);
        }
    }
}

// Closed loop: each connection is a user, who asks for the next tile when he has the last.
static void feed_in_turn(struct tiles *tiles) {
    for (uint32_t i = 0; i < tiles->transfer_count; i++) {
        struct transfer *transfer = &tiles->transfers[i];
        if (transfer->busy) {
            continue;
        }
        for (int steps = 0; transfer->todo_count == 0 && steps < CLOSED_STEPS_MAX; steps++) {
            transfer->todo_count =
                load_pan_step(&tiles->pan, &tiles->pan.users[i], &transfer->random, start_place,
                              tiles, transfer->todo);
        }
        if (transfer->todo_count > 0) {
            struct request request = {transfer->todo[--transfer->todo_count], i,
                                      gw_clock_monotonic_ns()};
            load_recorder_intended(&tiles->work->recorder, request.intended_ns);
            begin(tiles, transfer, &request);
        }
    }
}

static void drive_closed(struct tiles *tiles) {
    const struct load_run *run = tiles->work->run;
    while (gw_clock_monotonic_ns() < run->begin_ns) {
        load_sleep_until(run->begin_ns);
    }
    for (;;) {
        int64_t now_ns = gw_clock_monotonic_ns();
        if (!load_over(run, now_ns)) {
            feed_in_turn(tiles);
        } else if (tiles->busy == 0) {
            return; // transfers have deadlines: what is open ends by itself
        }
        load_http_turn(&tiles->http, now_ns + LOAD_TICK_NS);
        end_all(tiles);
    }
}

static void drive_open(struct tiles *tiles) {
    const struct load_run *run = tiles->work->run;
    const struct load_work *work = tiles->work->work;
    int64_t length_ns = run->end_ns - run->begin_ns;
    int64_t drain_ns = run->end_ns + (int64_t)run->scenario->timeout_ms * 1000000;
    struct load_arrivals arrivals;
    load_arrivals_init(&arrivals, (enum load_arrival_kind)work->arrivals, tiles->work->rate,
                       tiles->work->seed);
    if (work->by_hour) {
        load_arrivals_by_hour(&arrivals, work->hours, run->scenario->start_hour,
                              run->scenario->speed);
    }
    int64_t next_ns = load_arrivals_next(&arrivals, length_ns);
    for (;;) {
        int64_t now_ns = gw_clock_monotonic_ns(), wake_ns = now_ns + LOAD_TICK_NS;
        bool over = load_stopped(run) || (next_ns == INT64_MAX && now_ns >= run->end_ns);
        if (!over && next_ns != INT64_MAX && run->begin_ns + next_ns <= now_ns) {
            arrive(tiles, run->begin_ns + next_ns);
            next_ns = load_arrivals_next(&arrivals, length_ns);
            wake_ns = 0; // another may be due
        } else if (!over && next_ns != INT64_MAX && run->begin_ns + next_ns < wake_ns) {
            wake_ns = run->begin_ns + next_ns;
        }
        if (over && (now_ns >= drain_ns || load_stopped(run))) {
            tiles->queue_count = 0; // never sent: unfinished
        }
        feed(tiles);
        if (over && tiles->busy == 0 && tiles->queue_count == 0) {
            return;
        }
        load_http_turn(&tiles->http, wake_ns);
        end_all(tiles);
    }
}

// --- the driver ---

// What the server says of a layer: where its tiles are, of which zooms, and around what.
static gw_err learn_layer(struct tiles *tiles, uint32_t index, struct load_layer *layer,
                          double bounds[4], struct gw_error *error) {
    const struct load_work_run *work = tiles->work;
    const char *base = work->run->options->http;
    char url[LOAD_URL_MAX], *text = malloc(TILEJSON_MAX);
    (void)snprintf(url, sizeof(url), "http://%s/tiles/%s.json", base, work->work->layers[index]);
    gw_err err = text == NULL ? GW_ENOMEM : load_http_get(url, text, TILEJSON_MAX, error);
    json_t *json = err == GW_OK ? json_loads(text, 0, NULL) : NULL;
    free(text);
    if (err != GW_OK) {
        return err;
    }
    const char *template = json_string_value(json_array_get(json_object_get(json, "tiles"), 0));
    const json_t *box = json_object_get(json, "bounds");
    const json_t *least = json_object_get(json, "minzoom"),
                 *most = json_object_get(json, "maxzoom");
    if (template == NULL || strlen(template) + strlen(base) + 8 >= LOAD_URL_MAX) {
        json_decref(json);
        return gw_error_set(error, GW_EINVAL, "%s: no TileJSON with \"tiles\"", url);
    }
    bool whole = strncmp(template, "http://", 7) == 0;
    (void)snprintf(tiles->urls[index], LOAD_URL_MAX, "%s%s%s", whole ? "" : "http://",
                   whole ? "" : base, template);
    layer->zoom_min = json_is_integer(least) ? (uint32_t)json_integer_value(least) : 0;
    layer->zoom_max = json_is_integer(most) ? (uint32_t)json_integer_value(most) : 18;
    layer->zoom_min = layer->zoom_min > 22 ? 22 : layer->zoom_min;
    layer->zoom_max = layer->zoom_max > 22 ? 22 : layer->zoom_max;
    for (size_t i = 0; index == 0 && json_array_size(box) == 4 && i < 4; i++) {
        bounds[i] = json_number_value(json_array_get(box, i));
    }
    json_decref(json);
    return GW_OK;
}

static gw_err prepare_transfer(struct tiles *tiles, uint32_t index, struct gw_error *error) {
    struct transfer *transfer = &tiles->transfers[index];
    const struct load_work_run *work = tiles->work;
    transfer->tiles = tiles;
    transfer->random = gw_random_of(work->seed, index + 16);
    transfer->handle = load_http_handle(take_body, transfer);
    transfer->todo = work->closed ? calloc(LOAD_VISIBLE_MAX, sizeof(*transfer->todo)) : NULL;
    tiles->transfer_count++;
    if (transfer->handle == NULL || (work->closed && transfer->todo == NULL)) {
        return gw_error_set(error, GW_ENOMEM, "no memory for %s", work->work->name);
    }
    (void)curl_easy_setopt(transfer->handle, CURLOPT_PRIVATE, transfer);
    (void)curl_easy_setopt(transfer->handle, CURLOPT_HEADERFUNCTION, take_header);
    (void)curl_easy_setopt(transfer->handle, CURLOPT_HEADERDATA, transfer);
    (void)curl_easy_setopt(transfer->handle, CURLOPT_TIMEOUT_MS,
                           (long)work->run->scenario->timeout_ms);
    return GW_OK;
}

static gw_err prepare(struct load_work_run *work, struct gw_error *error) {
    struct tiles *tiles = calloc(1, sizeof(*tiles));
    struct load_layer layers[LOAD_LAYERS_MAX] = {{0}};
    double bounds[4] = {-180, -85, 180, 85};
    if (tiles == NULL) {
        return gw_error_set(error, GW_ENOMEM, "no memory for %s", work->work->name);
    }
    work->state = tiles;
    tiles->work = work;
    tiles->random = gw_random_of(work->seed, 4);
    gw_err err = load_http_open(&tiles->http, work->work->connections, error);
    for (uint32_t i = 0; i < work->work->layer_count && err == GW_OK; i++) {
        err = learn_layer(tiles, i, &layers[i], bounds, error);
    }
    if (err != GW_OK) {
        return err;
    }
    tiles->queue_capacity = work->work->in_flight_max;
    tiles->queue = calloc(tiles->queue_capacity, sizeof(*tiles->queue));
    tiles->transfers = calloc(work->work->connections, sizeof(*tiles->transfers));
    tiles->headers = curl_slist_append(NULL, "Accept-Encoding: gzip");
    if (tiles->queue == NULL || tiles->transfers == NULL || tiles->headers == NULL ||
        load_pan_init(&tiles->pan, work->work,
                      work->closed ? work->work->connections : work->work->users, layers,
                      bounds) != GW_OK) {
        return gw_error_set(error, GW_ENOMEM, "no memory for %s", work->work->name);
    }
    for (uint32_t i = 0; i < work->work->connections && err == GW_OK; i++) {
        err = prepare_transfer(tiles, i, error);
    }
    return err;
}

static void drive(struct load_work_run *work) {
    load_precise_timers();
    if (work->closed) {
        drive_closed(work->state);
    } else {
        load_go_first();
        drive_open(work->state);
    }
}

static void release(struct load_work_run *work) {
    struct tiles *tiles = work->state;
    if (tiles == NULL) {
        return;
    }
    for (uint32_t i = 0; i < tiles->transfer_count; i++) {
        curl_easy_cleanup(tiles->transfers[i].handle);
        curl_slist_free_all(tiles->transfers[i].headers);
        free(tiles->transfers[i].todo);
    }
    curl_slist_free_all(tiles->headers);
    load_http_close(&tiles->http);
    load_pan_deinit(&tiles->pan);
    free(tiles->transfers);
    free(tiles->queue);
    free(tiles);
    work->state = NULL;
}

const struct load_driver load_tiles_driver = {prepare, drive, release};
