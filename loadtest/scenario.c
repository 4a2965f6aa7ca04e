#include "loadtest/scenario.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    GRPC_UNARY = 1 << LOAD_LOCATE | 1 << LOAD_LOCATE_BATCH | 1 << LOAD_NEAREST |
                 1 << LOAD_GET_GRID | 1 << LOAD_REPORT,
    HTTP = 1 << LOAD_TILES | 1 << LOAD_LIVE,
    ALL = (1 << LOAD_CALLS) - 1,
};

static const struct {
    const char *word, *label;
} calls[LOAD_CALLS] = {
    [LOAD_LOCATE] = {"locate", "Locate"},
    [LOAD_LOCATE_BATCH] = {"locate_batch", "LocateBatch"},
    [LOAD_NEAREST] = {"nearest", "Nearest"},
    [LOAD_GET_GRID] = {"get_grid", "GetGrid"},
    [LOAD_REPORT] = {"report", "Report"},
    [LOAD_FOLLOW] = {"follow", "Accept, Start, Resolve, Close"},
    [LOAD_POSITIONS] = {"positions", "ReportPositions"},
    [LOAD_WATCH_INCIDENTS] = {"watch_incidents", "Watch"},
    [LOAD_WATCH_ASSIGNMENTS] = {"watch_assignments", "WatchAssignments"},
    [LOAD_TILES] = {"tiles", "GET /tiles"},
    [LOAD_LIVE] = {"live", "GET /v1/live"},
};

const char *load_call_word(enum load_call call) {
    return calls[call].word;
}

const char *load_call_label(enum load_call call) {
    return calls[call].label;
}

bool load_call_is_unary(enum load_call call) {
    return (GRPC_UNARY >> call & 1) != 0;
}

bool load_call_is_http(enum load_call call) {
    return (HTTP >> call & 1) != 0;
}

// --- the keys ---

enum kind { TEXT, REAL, WHOLE, FLAG, CHOICE, HOURS, SPAN, ZOOMS, LAYERS, CLASSES };

struct key {
    const char *name;
    enum kind kind;
    uint32_t calls;  // that it means something to
    uint32_t needed; // calls that can't do without
    double min, max;
    size_t offset;
    const char *const *words; // of a CHOICE, NULL last
};

static const char *const arrival_words[] = {"poisson", "constant", NULL};
static const char *const where_words[] = {"grids", "bounds", NULL};
static const char *const cache_words[] = {"none", "browser", "revalidate", NULL};

static const struct key work_keys[] = {
    {"name", TEXT, ALL, 0, 1, LOAD_NAME_MAX - 1, offsetof(struct load_work, name), NULL},
    {"rate", REAL, GRPC_UNARY | 1 << LOAD_TILES, GRPC_UNARY | 1 << LOAD_TILES, 0.001, 1e6,
     offsetof(struct load_work, rate), NULL},
    {"arrivals", CHOICE, GRPC_UNARY | 1 << LOAD_TILES | 1 << LOAD_POSITIONS, 0, 0, 0,
     offsetof(struct load_work, arrivals), arrival_words},
    {"connections", WHOLE, ALL, 0, 1, LOAD_HTTP_CONNECTIONS_MAX,
     offsetof(struct load_work, connections), NULL},
    {"in_flight_max", WHOLE, GRPC_UNARY | 1 << LOAD_FOLLOW | 1 << LOAD_TILES, 0, 1, 65536,
     offsetof(struct load_work, in_flight_max), NULL},
    {"where", CHOICE,
     1 << LOAD_LOCATE | 1 << LOAD_LOCATE_BATCH | 1 << LOAD_NEAREST | 1 << LOAD_REPORT |
         1 << LOAD_TILES,
     0, 0, 0, offsetof(struct load_work, where), where_words},
    {"points", WHOLE, 1 << LOAD_LOCATE_BATCH, 0, 1, 100000, offsetof(struct load_work, points),
     NULL},
    {"k", WHOLE, 1 << LOAD_NEAREST, 0, 1, 1000, offsetof(struct load_work, k), NULL},
    {"boundary", FLAG, 1 << LOAD_GET_GRID, 0, 0, 0, offsetof(struct load_work, boundary), NULL},
    {"hours", HOURS, GRPC_UNARY | 1 << LOAD_TILES, 0, 0, 1e6, offsetof(struct load_work, hours),
     NULL},
    {"classes", CLASSES, 1 << LOAD_REPORT, 0, 1, LOAD_CLASSES_MAX,
     offsetof(struct load_work, classes), NULL},
    {"workers", WHOLE, 1 << LOAD_POSITIONS, 0, 0, 1000000, offsetof(struct load_work, workers),
     NULL},
    {"period_seconds", REAL, 1 << LOAD_POSITIONS, 0, 0.1, 3600,
     offsetof(struct load_work, period_seconds), NULL},
    {"batch", WHOLE, 1 << LOAD_POSITIONS, 0, 1, 10000, offsetof(struct load_work, batch), NULL},
    {"on_duty", FLAG, 1 << LOAD_POSITIONS, 0, 0, 0, offsetof(struct load_work, on_duty), NULL},
    {"accept_seconds", SPAN, 1 << LOAD_FOLLOW, 0, 0, 86400,
     offsetof(struct load_work, accept_seconds), NULL},
    {"start_seconds", SPAN, 1 << LOAD_FOLLOW, 0, 0, 86400,
     offsetof(struct load_work, start_seconds), NULL},
    {"resolve_seconds", SPAN, 1 << LOAD_FOLLOW, 0, 0, 86400,
     offsetof(struct load_work, resolve_seconds), NULL},
    {"close_seconds", SPAN, 1 << LOAD_FOLLOW, 0, 0, 86400,
     offsetof(struct load_work, close_seconds), NULL},
    {"users", WHOLE, 1 << LOAD_TILES, 0, 1, 10000, offsetof(struct load_work, users), NULL},
    {"layers", LAYERS, 1 << LOAD_TILES, 0, 1, LOAD_LAYERS_MAX, offsetof(struct load_work, layers),
     NULL},
    {"zooms", ZOOMS, 1 << LOAD_TILES, 0, 0, 18, offsetof(struct load_work, zooms), NULL},
    {"columns", WHOLE, 1 << LOAD_TILES, 0, 1, 16, offsetof(struct load_work, columns), NULL},
    {"rows", WHOLE, 1 << LOAD_TILES, 0, 1, 16, offsetof(struct load_work, rows), NULL},
    {"cache", CHOICE, 1 << LOAD_TILES, 0, 0, 0, offsetof(struct load_work, cache), cache_words},
    {"workers_too", FLAG, 1 << LOAD_LIVE, 0, 0, 0, offsetof(struct load_work, with_workers), NULL},
};

static const struct key scenario_keys[] = {
    {"name", TEXT, ALL, ALL, 1, LOAD_NAME_MAX - 1, offsetof(struct load_scenario, name), NULL},
    {"description", TEXT, ALL, 0, 0, 255, offsetof(struct load_scenario, description), NULL},
    {"seconds", REAL, ALL, 0, 1, LOAD_SECONDS_MAX, offsetof(struct load_scenario, seconds), NULL},
    {"warmup_seconds", REAL, ALL, 0, 0, 3600, offsetof(struct load_scenario, warmup_seconds), NULL},
    {"timeout_ms", WHOLE, ALL, 0, 100, 60000, offsetof(struct load_scenario, timeout_ms), NULL},
    {"lateness_ms_max", REAL, ALL, 0, 0.1, 1000, offsetof(struct load_scenario, lateness_ms_max),
     NULL},
    {"start_hour", REAL, ALL, 0, 0, 24, offsetof(struct load_scenario, start_hour), NULL},
    {"speed", REAL, ALL, 0, 0.001, 100000, offsetof(struct load_scenario, speed), NULL},
};

// Where a value lies, for messages.
struct place {
    const char *file, *work; // work: "" for the scenario's own keys
    struct gw_error *error;
};

static gw_err refuse(const struct place *place, const char *key, const char *expected) {
    return gw_error_set(place->error, GW_EINVAL, "%s: %s%s%s must be %s", place->file, place->work,
                        place->work[0] != '\0' ? "." : "", key, expected);
}

static bool printable(const char *text) {
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7f) {
            return false;
        }
    }
    return true;
}

static bool copy_text(const json_t *value, double min, double max, char *out) {
    if (!json_is_string(value) || (double)json_string_length(value) < min ||
        (double)json_string_length(value) > max ||
        strlen(json_string_value(value)) != json_string_length(value) ||
        !printable(json_string_value(value))) {
        return false;
    }
    memcpy(out, json_string_value(value), json_string_length(value) + 1);
    return true;
}

static bool real_within(const json_t *value, double min, double max, double *out) {
    double number = json_number_value(value);
    if (!json_is_number(value) || !isfinite(number) || number < min || number > max) {
        return false;
    }
    *out = number;
    return true;
}

static bool whole_within(const json_t *value, double min, double max, uint32_t *out) {
    double number = 0;
    if (!json_is_integer(value) || !real_within(value, min, max, &number)) {
        return false;
    }
    *out = (uint32_t)number;
    return true;
}

static bool read_choice(const json_t *value, const char *const *words, uint32_t *out) {
    for (uint32_t i = 0; json_is_string(value) && words[i] != NULL; i++) {
        if (strcmp(json_string_value(value), words[i]) == 0) {
            *out = i;
            return true;
        }
    }
    return false;
}

// A list of names, as many rows of LOAD_NAME_MAX bytes.
static bool read_names(const json_t *list, double max, char (*out)[LOAD_NAME_MAX],
                       uint32_t *count) {
    size_t size = json_array_size(list);
    if (!json_is_array(list) || size == 0 || (double)size > max) {
        return false;
    }
    for (size_t i = 0; i < size; i++) {
        if (!copy_text(json_array_get(list, i), 1, LOAD_NAME_MAX - 1, out[i])) {
            return false;
        }
    }
    *count = (uint32_t)size;
    return true;
}

static bool read_hours(const json_t *list, double max, struct load_work *work) {
    double sum = 0;
    if (!json_is_array(list) || json_array_size(list) != LOAD_HOURS) {
        return false;
    }
    for (size_t i = 0; i < LOAD_HOURS; i++) {
        if (!real_within(json_array_get(list, i), 0, max, &work->hours[i])) {
            return false;
        }
        sum += work->hours[i];
    }
    work->by_hour = true;
    return sum > 0;
}

// Layers become part of a URL: nothing but plain words.
static bool plain_words(const struct load_work *work) {
    for (uint32_t i = 0; i < work->layer_count; i++) {
        if (strspn(work->layers[i], "abcdefghijklmnopqrstuvwxyz0123456789_-") !=
            strlen(work->layers[i])) {
            return false;
        }
    }
    return true;
}

// Two numbers, the second not below the first.
static bool read_span(const json_t *list, const struct key *key, double out[2]) {
    return json_is_array(list) && json_array_size(list) == 2 &&
           real_within(json_array_get(list, 0), key->min, key->max, &out[0]) &&
           real_within(json_array_get(list, 1), key->min, key->max, &out[1]) && out[0] <= out[1];
}

static bool read_zooms(const json_t *list, const struct key *key, uint32_t out[2]) {
    return json_is_array(list) && json_array_size(list) == 2 &&
           whole_within(json_array_get(list, 0), key->min, key->max, &out[0]) &&
           whole_within(json_array_get(list, 1), key->min, key->max, &out[1]) && out[0] <= out[1];
}

static bool read_value(const struct key *key, const json_t *value, void *object) {
    char *at = (char *)object + key->offset;
    struct load_work *work = object; // of keys that only works have
    switch (key->kind) {
    case TEXT:
        return copy_text(value, key->min, key->max, at);
    case REAL:
        return real_within(value, key->min, key->max, (double *)(void *)at);
    case WHOLE:
        return whole_within(value, key->min, key->max, (uint32_t *)(void *)at);
    case FLAG:
        *(bool *)(void *)at = json_is_true(value);
        return json_is_boolean(value);
    case CHOICE:
        return read_choice(value, key->words, (uint32_t *)(void *)at);
    case HOURS:
        return read_hours(value, key->max, work);
    case SPAN:
        return read_span(value, key, (double *)(void *)at);
    case ZOOMS:
        return read_zooms(value, key, (uint32_t *)(void *)at);
    case LAYERS:
        return read_names(value, key->max, work->layers, &work->layer_count) && plain_words(work);
    case CLASSES:
        return read_names(value, key->max, work->classes, &work->class_count);
    }
    return false;
}

// What a key wants, in words.
static void expected(const struct key *key, char *out, size_t size) {
    switch (key->kind) {
    case TEXT:
        (void)snprintf(out, size, "a text of %.0f to %.0f bytes", key->min, key->max);
        return;
    case REAL:
        (void)snprintf(out, size, "a number, %g .. %g", key->min, key->max);
        return;
    case WHOLE:
        (void)snprintf(out, size, "a whole number, %.0f .. %.0f", key->min, key->max);
        return;
    case FLAG:
        (void)snprintf(out, size, "true or false");
        return;
    case CHOICE:
        (void)snprintf(out, size, "one of: %s, %s%s%s", key->words[0], key->words[1],
                       key->words[2] != NULL ? ", " : "",
                       key->words[2] != NULL ? key->words[2] : "");
        return;
    case HOURS:
        (void)snprintf(out, size, "24 weights from 0, one of them more than 0");
        return;
    case SPAN:
    case ZOOMS:
        (void)snprintf(out, size, "two numbers, the least and the most, %g .. %g", key->min,
                       key->max);
        return;
    case LAYERS:
    case CLASSES:
        (void)snprintf(out, size, "a list of 1 to %.0f names", key->max);
        return;
    }
}

static const struct key *find_key(const struct key keys[], size_t count, const char *name) {
    for (size_t i = 0; i < count; i++) {
        if (strcmp(keys[i].name, name) == 0) {
            return &keys[i];
        }
    }
    return NULL;
}

// Reads every key of `json` but those in `skipped` (NULL last), for a work of `call`.
static gw_err read_keys(const struct place *place, const json_t *json, const char *const skipped[],
                        const struct key keys[], size_t count, enum load_call call, void *object) {
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)json, name, value) {
        size_t skip = 0;
        while (skipped[skip] != NULL && strcmp(skipped[skip], name) != 0) {
            skip++;
        }
        const struct key *key = find_key(keys, count, name);
        if (skipped[skip] != NULL) {
            continue;
        }
        if (key == NULL) {
            return gw_error_set(place->error, GW_EINVAL, "%s: %s%s%.60s is not a setting",
                                place->file, place->work, place->work[0] != '\0' ? "." : "", name);
        }
        if ((key->calls >> call & 1) == 0) {
            return gw_error_set(place->error, GW_EINVAL, "%s: %s.%s means nothing to the call %s",
                                place->file, place->work, name, calls[call].word);
        }
        if (!read_value(key, value, object)) {
            char words[96];
            expected(key, words, sizeof(words));
            return refuse(place, name, words);
        }
    }
    for (size_t i = 0; i < count; i++) {
        if ((keys[i].needed >> call & 1) != 0 && json_object_get(json, keys[i].name) == NULL) {
            return refuse(place, keys[i].name, "given");
        }
    }
    return GW_OK;
}

// --- works ---

static void default_work(struct load_work *work, enum load_call call) {
    static const char *const classes[] = {"01", "02", "03", "04", "05", "06"};
    static const double accept[2] = {3, 25}, start[2] = {60, 300}, done[2] = {300, 1800},
                        close[2] = {60, 600};
    memset(work, 0, sizeof(*work));
    (void)snprintf(work->name, sizeof(work->name), "%s", calls[call].word);
    work->call = call;
    work->arrivals = call == LOAD_POSITIONS ? LOAD_CONSTANT : LOAD_POISSON;
    work->connections = call == LOAD_TILES ? 16 : call == LOAD_POSITIONS ? 8 : 1;
    work->in_flight_max = call == LOAD_FOLLOW ? 65536 : 4096;
    // A map can be panned without asking over gRPC where the grids are.
    work->where = call == LOAD_TILES ? LOAD_IN_BOUNDS : LOAD_IN_GRIDS;
    work->points = 1000;
    work->k = 8;
    work->period_seconds = 5;
    work->batch = 1;
    work->users = 100;
    work->zooms[0] = 9;
    work->zooms[1] = 14;
    work->columns = 4;
    work->rows = 3;
    work->with_workers = true;
    memcpy(work->accept_seconds, accept, sizeof(accept));
    memcpy(work->start_seconds, start, sizeof(start));
    memcpy(work->resolve_seconds, done, sizeof(done));
    memcpy(work->close_seconds, close, sizeof(close));
    (void)snprintf(work->layers[0], LOAD_NAME_MAX, "grids");
    work->layer_count = 1;
    work->class_count = sizeof(classes) / sizeof(classes[0]);
    for (uint32_t i = 0; i < work->class_count; i++) {
        (void)snprintf(work->classes[i], LOAD_NAME_MAX, "%s", classes[i]);
    }
}

static bool find_call(const json_t *value, enum load_call *call) {
    for (uint32_t i = 0; json_is_string(value) && i < LOAD_CALLS; i++) {
        if (strcmp(json_string_value(value), calls[i].word) == 0) {
            *call = (enum load_call)i;
            return true;
        }
    }
    return false;
}

static gw_err check_work(const struct place *place, const struct load_work *work) {
    if (!load_call_is_http(work->call) && work->connections > LOAD_GRPC_CONNECTIONS_MAX) {
        return refuse(place, "connections", "at most 256 over gRPC: each has a thread");
    }
    if (work->by_hour && work->arrivals != LOAD_POISSON) {
        return refuse(place, "arrivals", "poisson where hours are given");
    }
    return GW_OK;
}

static gw_err read_work(const struct place *place, const json_t *json, struct load_work *work) {
    static const char *const skipped[] = {"call", NULL};
    enum load_call call = LOAD_LOCATE;
    if (!find_call(json_object_get(json, "call"), &call)) {
        char words[200] = "one of:";
        size_t used = strlen(words);
        for (uint32_t i = 0; i < LOAD_CALLS; i++) {
            used += (size_t)snprintf(words + used, sizeof(words) - used, " %s", calls[i].word);
        }
        return refuse(place, "call", words);
    }
    default_work(work, call);
    gw_err err = read_keys(place, json, skipped, work_keys,
                           sizeof(work_keys) / sizeof(work_keys[0]), call, work);
    return err == GW_OK ? check_work(place, work) : err;
}

static gw_err read_works(struct place *place, const json_t *list, struct load_scenario *scenario) {
    if (!json_is_array(list) || json_array_size(list) == 0 ||
        json_array_size(list) > LOAD_STREAMS_MAX) {
        return refuse(place, "works", "a list of 1 to 16 works");
    }
    for (size_t i = 0; i < json_array_size(list); i++) {
        char name[32];
        (void)snprintf(name, sizeof(name), "works[%zu]", i);
        struct place at = {place->file, name, place->error};
        gw_err err = read_work(&at, json_array_get(list, i), &scenario->works[i]);
        for (size_t other = 0; err == GW_OK && other < i; other++) {
            if (strcmp(scenario->works[other].name, scenario->works[i].name) == 0) {
                err = refuse(&at, "name", "another than that of the works before");
            }
        }
        if (err != GW_OK) {
            return err;
        }
        scenario->work_count++;
    }
    return GW_OK;
}

static gw_err read_seed(const struct place *place, const json_t *value, uint64_t *seed) {
    if (value != NULL && (!json_is_integer(value) || json_integer_value(value) < 0)) {
        return refuse(place, "seed", "a whole number from 0");
    }
    *seed = value == NULL ? 1 : (uint64_t)json_integer_value(value);
    return GW_OK;
}

gw_err load_scenario_parse(const char *text, size_t size, const char *file,
                           struct load_scenario *scenario, struct gw_error *error) {
    static const char *const skipped[] = {"works", "seed", NULL};
    struct place place = {file, "", error};
    json_error_t why;
    memset(scenario, 0, sizeof(*scenario));
    scenario->seconds = 30;
    scenario->warmup_seconds = 5;
    scenario->timeout_ms = 10000;
    scenario->lateness_ms_max = 1;
    scenario->start_hour = 9;
    scenario->speed = 1;
    json_t *json = json_loadb(text, size, JSON_REJECT_DUPLICATES, &why);
    if (!json_is_object(json)) {
        json_decref(json);
        return gw_error_set(error, GW_EINVAL, "%s: line %d: %s", file, json == NULL ? why.line : 1,
                            json == NULL ? why.text : "a scenario is an object {...}");
    }
    gw_err err = read_seed(&place, json_object_get(json, "seed"), &scenario->seed);
    if (err == GW_OK) {
        err = read_keys(&place, json, skipped, scenario_keys,
                        sizeof(scenario_keys) / sizeof(scenario_keys[0]), LOAD_LOCATE, scenario);
    }
    if (err == GW_OK) {
        err = read_works(&place, json_object_get(json, "works"), scenario);
    }
    json_decref(json);
    return err;
}

gw_err load_scenario_read(const char *path, struct load_scenario *scenario,
                          struct gw_error *error) {
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return gw_error_set(error, GW_ENOTFOUND, "%s: %s", path, strerror(errno));
    }
    char *text = malloc(LOAD_SCENARIO_BYTES_MAX + 1);
    size_t size = text == NULL ? 0 : fread(text, 1, LOAD_SCENARIO_BYTES_MAX + 1, file);
    gw_err err = GW_OK;
    if (text == NULL) {
        err = gw_error_set(error, GW_ENOMEM, "%s: no memory", path);
    } else if (ferror(file) != 0) {
        err = gw_error_set(error, GW_EIO, "%s: %s", path, strerror(errno));
    } else if (size > LOAD_SCENARIO_BYTES_MAX) {
        err = gw_error_set(error, GW_EINVAL, "%s: a scenario has at most %u bytes", path,
                           LOAD_SCENARIO_BYTES_MAX);
    } else {
        err = load_scenario_parse(text, size, path, scenario, error);
    }
    free(text);
    (void)fclose(file);
    return err;
}
