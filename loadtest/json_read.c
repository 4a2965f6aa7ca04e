// The JSON file, read strictly: every field must be there, of its type, and none may be unknown.
#include "loadtest/json.h"
#include "loadtest/output.h"
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

// Where the reader is, for the words of an error.
struct reader {
    struct gw_error *error;
    char where[LOAD_NAME_MAX];
};

static gw_err refuse(const struct reader *reader, const char *what) {
    return gw_error_set(reader->error, GW_EINVAL, "%s: %s", reader->where, what);
}

// The words of jansson name the field.
static gw_err refuse_unpack(const struct reader *reader, const json_error_t *problem) {
    return refuse(reader, problem->text);
}

struct text_field {
    const char *key, *text;
    char *into;
    size_t capacity;
};

static gw_err copy_texts(const struct reader *reader, const struct text_field *fields,
                         size_t count) {
    for (size_t i = 0; i < count; i++) {
        size_t length = strlen(fields[i].text);
        if (length >= fields[i].capacity) {
            return gw_error_set(reader->error, GW_EINVAL, "%s: \"%s\" is longer than %zu bytes",
                                reader->where, fields[i].key, fields[i].capacity - 1);
        }
        memcpy(fields[i].into, fields[i].text, length + 1);
    }
    return GW_OK;
}

// --- histograms ---

// The bucket that begins at `low`; LOAD_HISTOGRAM_BUCKETS when none does. Buckets come in rising
// order, so that the search goes on from the last one.
static uint32_t bucket_at(int64_t low, uint32_t from) {
    for (uint32_t i = from; i < LOAD_HISTOGRAM_BUCKETS; i++) {
        int64_t begin, end;
        load_histogram_bucket(i, &begin, &end);
        if (begin >= low) {
            return begin == low ? i : LOAD_HISTOGRAM_BUCKETS;
        }
    }
    return LOAD_HISTOGRAM_BUCKETS;
}

// No count of a run comes near; sums of such counts stay far from overflow.
static const json_int_t COUNT_MAX = INT64_C(1) << 53;

static gw_err read_buckets(const struct reader *reader, const json_t *array,
                           struct load_histogram *into) {
    uint32_t next = 0;
    json_int_t total = 0;
    for (size_t i = 0; i < json_array_size(array); i++) {
        const json_t *pair = json_array_get(array, i);
        const json_t *low = json_array_get(pair, 0), *count = json_array_get(pair, 1);
        if (json_array_size(pair) != 2 || !json_is_integer(low) || !json_is_integer(count)) {
            return refuse(reader, "a bucket is [smallest value, count], both integers");
        }
        uint32_t bucket = bucket_at(json_integer_value(low), next);
        if (bucket == LOAD_HISTOGRAM_BUCKETS) {
            return refuse(reader, "buckets must begin where those of the format do, in order");
        }
        json_int_t value = json_integer_value(count);
        if (value < 1 || value > COUNT_MAX - total) {
            return refuse(reader, "the count of a bucket is out of range");
        }
        into->buckets[bucket] = (uint64_t)value;
        total += value;
        next = bucket + 1;
    }
    return (uint64_t)total == into->count ? GW_OK
                                          : refuse(reader, "its buckets don't add up to its count");
}

// Whether a value belongs into a bucket; the last bucket has no upper end.
static bool bucket_holds(uint32_t bucket, int64_t value) {
    int64_t low, high;
    load_histogram_bucket(bucket, &low, &high);
    return value >= low && (value <= high || bucket == LOAD_HISTOGRAM_BUCKETS - 1);
}

// Whether the extremes lie in the outermost buckets: quantiles rely on it.
static bool extremes_fit(const struct load_histogram *histogram) {
    if (histogram->count == 0) {
        return histogram->min_ns == 0 && histogram->max_ns == 0;
    }
    uint32_t first = 0, last = LOAD_HISTOGRAM_BUCKETS - 1;
    while (histogram->buckets[first] == 0) {
        first++;
    }
    while (histogram->buckets[last] == 0) {
        last--;
    }
    return bucket_holds(first, histogram->min_ns) && bucket_holds(last, histogram->max_ns) &&
           histogram->min_ns <= histogram->max_ns;
}

static gw_err read_histogram(const struct reader *reader, json_t *object, const char *name,
                             struct load_histogram *into) {
    struct reader inner = {.error = reader->error};
    snprintf(inner.where, sizeof(inner.where), "%.40s, %s", reader->where, name);
    json_int_t count, min, max;
    json_t *buckets;
    json_error_t problem;
    if (json_unpack_ex(object, &problem, 0, "{s:I, s:I, s:I, s:F, s:o !}", "count", &count,
                       "min_ns", &min, "max_ns", &max, "sum_ns", &into->sum_ns, "buckets",
                       &buckets) != 0) {
        return refuse_unpack(&inner, &problem);
    }
    if (!json_is_array(buckets) || json_array_size(buckets) > LOAD_HISTOGRAM_BUCKETS) {
        return refuse(&inner, "buckets must be a list of at most 4736 pairs");
    }
    if (count < 0 || count > COUNT_MAX || !(into->sum_ns >= 0)) {
        return refuse(&inner, "count or sum_ns is out of range");
    }
    into->count = (uint64_t)count;
    into->min_ns = min;
    into->max_ns = max;
    gw_err err = read_buckets(&inner, buckets, into);
    if (err == GW_OK && !extremes_fit(into)) {
        err = refuse(&inner, "min_ns and max_ns must lie in the first and last bucket");
    }
    return err;
}

// --- works ---

static gw_err read_column(const struct reader *reader, const json_t *columns, const char *key,
                          size_t count, double into[]) {
    const json_t *column = json_object_get(columns, key);
    if (!json_is_array(column) || json_array_size(column) != count) {
        return refuse(reader, "the columns of \"seconds\" must be lists of one length");
    }
    for (size_t i = 0; i < count; i++) {
        const json_t *number = json_array_get(column, i);
        into[i] = json_number_value(number);
        if (!json_is_number(number) || into[i] < 0 || into[i] > 1e15) {
            return refuse(reader, "\"seconds\" has what is no number, or one out of range");
        }
    }
    return GW_OK;
}

static bool is_count(double number) {
    return number <= (double)UINT32_MAX && number == floor(number);
}

static gw_err read_rows(const struct reader *reader, const json_t *columns, double *cells,
                        struct load_work_result *work) {
    static const char *const keys[] = {"intended", "done", "failed", "p50_ms", "p99_ms", "max_ms"};
    size_t count = work->second_count;
    for (size_t i = 0; i < 6; i++) {
        gw_err err = read_column(reader, columns, keys[i], count, cells + i * count);
        if (err != GW_OK) {
            return err;
        }
    }
    for (size_t i = 0; i < count; i++) {
        const double intended = cells[i], done = cells[count + i], failed = cells[2 * count + i];
        if (!is_count(intended) || !is_count(done) || !is_count(failed)) {
            return refuse(reader, "\"seconds\" must count in whole numbers below 2^32");
        }
        work->seconds[i] = (struct load_second){
            .intended = (uint32_t)intended,
            .done = (uint32_t)done,
            .failed = (uint32_t)failed,
            .p50_ms = (float)cells[3 * count + i],
            .p99_ms = (float)cells[4 * count + i],
            .max_ms = (float)cells[5 * count + i],
        };
    }
    return GW_OK;
}

static gw_err read_seconds(const struct reader *reader, const json_t *columns,
                           struct load_work_result *work) {
    size_t count = json_array_size(json_object_get(columns, "intended"));
    if (json_object_size(columns) != 6 || count > LOAD_SECONDS_MAX) {
        return refuse(reader, "\"seconds\" must have its six columns, of a day at most");
    }
    work->second_count = (uint32_t)count;
    work->seconds = calloc(count + 1, sizeof(*work->seconds));
    double *cells = calloc(6 * count + 1, sizeof(*cells));
    gw_err err = work->seconds == NULL || cells == NULL
                     ? gw_error_set(reader->error, GW_ENOMEM, "out of memory")
                     : read_rows(reader, columns, cells, work);
    free(cells);
    return err;
}

// The fields of a work as they come out of JSON.
struct work_fields {
    const char *name, *call, *loop, *item, *refusal, *first_failure;
    json_int_t connections, intended, done, failed, unfinished, items;
    int offered;
    json_t *summary, *latency, *service, *lateness, *seconds;
};

static int unpack_work(json_t *object, struct load_work_result *into, struct work_fields *f,
                       json_error_t *problem) {
    return json_unpack_ex(object, problem, 0,
                          "{s:s, s:s, s:s, s:F, s:I, s:I, s:I, s:I, s:I, s:I, s:s, s:b, s:s,"
                          " s:s, s:o, s:o, s:o, s:o, s:o !}",
                          "name", &f->name, "call", &f->call, "loop", &f->loop, "rate", &into->rate,
                          "connections", &f->connections, "intended", &f->intended, "done",
                          &f->done, "failed", &f->failed, "unfinished", &f->unfinished, "items",
                          &f->items, "item", &f->item, "offered", &f->offered, "refusal",
                          &f->refusal, "first_failure", &f->first_failure, "summary", &f->summary,
                          "latency", &f->latency, "service", &f->service, "lateness", &f->lateness,
                          "seconds", &f->seconds);
}

static gw_err take_counts(const struct reader *reader, const struct work_fields *f,
                          struct load_work_result *into) {
    const json_int_t counts[] = {f->intended, f->done, f->failed, f->unfinished};
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        if (counts[i] < 0 || counts[i] > COUNT_MAX) {
            return refuse(reader, "a count is out of range");
        }
    }
    if (f->items < 0 || f->connections < 0 || f->connections > UINT32_MAX || !(into->rate >= 0)) {
        return refuse(reader, "items, connections or rate is out of range");
    }
    if (strcmp(f->loop, "open") != 0 && strcmp(f->loop, "closed") != 0) {
        return refuse(reader, "loop must be \"open\" or \"closed\"");
    }
    into->loop = strcmp(f->loop, "open") == 0 ? LOAD_OPEN : LOAD_CLOSED;
    into->connections = (uint32_t)f->connections;
    into->intended = (uint64_t)f->intended;
    into->done = (uint64_t)f->done;
    into->failed = (uint64_t)f->failed;
    into->unfinished = (uint64_t)f->unfinished;
    into->items = (uint64_t)f->items;
    into->offered = f->offered != 0;
    return GW_OK;
}

static gw_err read_work(const struct reader *reader, json_t *object,
                        struct load_work_result *into) {
    struct work_fields f;
    json_error_t problem;
    if (unpack_work(object, into, &f, &problem) != 0) {
        return refuse_unpack(reader, &problem);
    }
    const struct text_field texts[] = {
        {"name", f.name, into->name, sizeof(into->name)},
        {"call", f.call, into->call, sizeof(into->call)},
        {"item", f.item, into->item, sizeof(into->item)},
        {"refusal", f.refusal, into->refusal, sizeof(into->refusal)},
        {"first_failure", f.first_failure, into->first_failure, sizeof(into->first_failure)},
    };
    gw_err err = copy_texts(reader, texts, sizeof(texts) / sizeof(texts[0]));
    err = err == GW_OK ? take_counts(reader, &f, into) : err;
    // The summary follows from the rest: it is there for other readers.
    if (err == GW_OK && !json_is_object(f.summary) && !json_is_null(f.summary)) {
        err = refuse(reader, "\"summary\" must be an object or null");
    }
    err = err == GW_OK ? read_histogram(reader, f.latency, "latency", &into->latency) : err;
    err = err == GW_OK ? read_histogram(reader, f.service, "service", &into->service) : err;
    err = err == GW_OK ? read_histogram(reader, f.lateness, "lateness", &into->lateness) : err;
    return err == GW_OK ? read_seconds(reader, f.seconds, into) : err;
}

// --- the file ---

static gw_err read_step(const struct reader *reader, json_t *object, struct load_step *into) {
    json_t *works;
    json_error_t problem;
    if (json_unpack_ex(object, &problem, 0, "{s:F, s:F, s:o !}", "rate_factor", &into->rate_factor,
                       "seconds", &into->seconds, "works", &works) != 0) {
        return refuse_unpack(reader, &problem);
    }
    if (!(into->rate_factor >= 0) || !(into->seconds >= 0) || !json_is_array(works) ||
        json_array_size(works) > LOAD_STREAMS_MAX) {
        return refuse(reader, "factor or seconds is negative, or works is no list of at most 16");
    }
    for (size_t i = 0; i < json_array_size(works); i++) {
        struct reader inner = {.error = reader->error};
        snprintf(inner.where, sizeof(inner.where), "%.30s, work %zu", reader->where, i + 1);
        into->work_count++;
        gw_err err = read_work(&inner, json_array_get(works, i), &into->works[i]);
        if (err != GW_OK) {
            return err;
        }
    }
    return GW_OK;
}

static gw_err read_verify(const struct reader *reader, json_t *object,
                          struct load_verify_result *into) {
    if (json_is_null(object)) {
        return GW_OK;
    }
    json_int_t counts[6];
    json_error_t problem;
    if (json_unpack_ex(object, &problem, 0, "{s:I, s:I, s:I, s:I, s:I, s:I !}", "acknowledged",
                       &counts[0], "found", &counts[1], "lost", &counts[2], "doubled", &counts[3],
                       "retried", &counts[4], "reconnects", &counts[5]) != 0) {
        return refuse_unpack(reader, &problem);
    }
    for (size_t i = 0; i < 6; i++) {
        if (counts[i] < 0 || counts[i] > (i == 5 ? UINT32_MAX : COUNT_MAX)) {
            return refuse(reader, "a count of \"verify\" is out of range");
        }
    }
    *into = (struct load_verify_result){
        .asked = true,
        .acknowledged = (uint64_t)counts[0],
        .found = (uint64_t)counts[1],
        .lost = (uint64_t)counts[2],
        .doubled = (uint64_t)counts[3],
        .retried = (uint64_t)counts[4],
        .reconnects = (uint32_t)counts[5],
    };
    return GW_OK;
}

static gw_err read_seed(const struct reader *reader, const char *text, uint64_t *seed) {
    errno = 0;
    char *end;
    unsigned long long value = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0) {
        return refuse(reader, "\"seed\" must be a decimal number in quotes, below 2^64");
    }
    *seed = value;
    return GW_OK;
}

// The head of the file: words, seed, times.
static gw_err read_head(const struct reader *reader, json_t *root, struct load_result *into,
                        json_t **steps, json_t **verify) {
    const char *format, *seed;
    const char *words[6];
    json_int_t began;
    json_error_t problem;
    if (json_unpack_ex(root, &problem, 0,
                       "{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:F, s:o, s:o !}", "format",
                       &format, "scenario", &words[0], "description", &words[1], "server",
                       &words[2], "http", &words[3], "machine", &words[4], "commit", &words[5],
                       "seed", &seed, "began_ms", &began, "warmup_seconds", &into->warmup_seconds,
                       "steps", steps, "verify", verify) != 0) {
        return refuse_unpack(reader, &problem);
    }
    if (strcmp(format, LOAD_JSON_FORMAT) != 0) {
        return refuse(reader, "\"format\" is not " LOAD_JSON_FORMAT ": made by another version");
    }
    into->began_ms = began;
    const struct text_field texts[] = {
        {"scenario", words[0], into->scenario, sizeof(into->scenario)},
        {"description", words[1], into->description, sizeof(into->description)},
        {"server", words[2], into->server, sizeof(into->server)},
        {"http", words[3], into->http, sizeof(into->http)},
        {"machine", words[4], into->machine, sizeof(into->machine)},
        {"commit", words[5], into->commit, sizeof(into->commit)},
    };
    gw_err err = copy_texts(reader, texts, sizeof(texts) / sizeof(texts[0]));
    return err == GW_OK ? read_seed(reader, seed, &into->seed) : err;
}

static gw_err read_result(const struct reader *reader, json_t *root, struct load_result *into) {
    json_t *steps, *verify;
    gw_err err = read_head(reader, root, into, &steps, &verify);
    if (err != GW_OK) {
        return err;
    }
    if (!(into->warmup_seconds >= 0) || !json_is_array(steps) ||
        json_array_size(steps) > LOAD_STEPS_MAX) {
        return refuse(reader, "warmup_seconds is negative, or steps is no list of at most 32");
    }
    for (size_t i = 0; i < json_array_size(steps); i++) {
        struct reader inner = {.error = reader->error};
        snprintf(inner.where, sizeof(inner.where), "step %zu", i + 1);
        into->step_count++;
        err = read_step(&inner, json_array_get(steps, i), &into->steps[i]);
        if (err != GW_OK) {
            return err;
        }
    }
    return read_verify(reader, verify, &into->verify);
}

gw_err load_read_json(const char *data, size_t size, struct load_result *result,
                      struct gw_error *error) {
    const struct reader reader = {.error = error, .where = "result file"};
    if (size > LOAD_JSON_BYTES_MAX) {
        return gw_error_set(error, GW_ENOSPC, "result file: larger than %u bytes",
                            LOAD_JSON_BYTES_MAX);
    }
    json_error_t problem;
    json_t *root = json_loadb(data, size, JSON_REJECT_DUPLICATES, &problem);
    if (root == NULL) {
        return gw_error_set(error, GW_EINVAL, "result file: line %d: %s", problem.line,
                            problem.text);
    }
    gw_err err = read_result(&reader, root, result);
    json_decref(root);
    return err;
}
