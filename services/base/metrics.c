#include "services/base/metrics.h"
#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define CACHE_LINE 64
#define BUCKETS 17 // and one for what is above them all

static const struct {
    int64_t max_ns;
    const char *text;
} buckets[BUCKETS] = {
    {50000, "0.00005"},  {100000, "0.0001"},  {250000, "0.00025"}, {500000, "0.0005"},
    {1000000, "0.001"},  {2500000, "0.0025"}, {5000000, "0.005"},  {10000000, "0.01"},
    {25000000, "0.025"}, {50000000, "0.05"},  {100000000, "0.1"},  {250000000, "0.25"},
    {500000000, "0.5"},  {1000000000, "1"},   {2500000000, "2.5"}, {5000000000, "5"},
    {10000000000, "10"},
};

enum kind { KIND_COUNTER, KIND_GAUGE, KIND_GAUGE_READ, KIND_HISTOGRAM };

struct gw_counter {
    _Atomic uint64_t value;
};

struct gw_gauge {
    _Atomic uint64_t bits; // of the double
};

struct gw_histogram {
    _Atomic uint64_t counts[BUCKETS + 1]; // each observation in one of them; summed up when written
    _Atomic uint64_t sum_ns;
};

// Each series has cache lines of its own, so that two busy ones don't slow each other.
struct series {
    alignas(CACHE_LINE) union {
        struct gw_counter counter;
        struct gw_gauge gauge;
        struct gw_histogram histogram;
    } as;
    enum kind kind;
    char *name, *labels, *help;
    double (*read)(void *context);
    void *read_context;
    struct series *next_of_family; // in the order of registration
    bool heads_family;
};

struct gw_metrics {
    pthread_mutex_t mutex; // registration and exposition; never an update
    struct series *series[GW_METRICS_MAX];
    uint32_t count;
};

// For what is allocated at start, where there is no way on without it.
static void *or_abort(void *memory) {
    if (memory == NULL) {
        abort();
    }
    return memory;
}

struct gw_metrics *gw_metrics_create(void) {
    struct gw_metrics *metrics = or_abort(calloc(1, sizeof *metrics));
    if (pthread_mutex_init(&metrics->mutex, NULL) != 0) {
        abort();
    }
    return metrics;
}

void gw_metrics_destroy(struct gw_metrics *metrics) {
    if (metrics == NULL) {
        return;
    }
    for (uint32_t i = 0; i < metrics->count; i++) {
        free(metrics->series[i]->name);
        free(metrics->series[i]->labels);
        free(metrics->series[i]->help);
        free(metrics->series[i]);
    }
    pthread_mutex_destroy(&metrics->mutex);
    free(metrics);
}

static bool valid_name(const char *name) {
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_:";
    static const char all[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_:0123456789";
    return *name != '\0' && strspn(name, letters) > 0 && name[strspn(name, all)] == '\0';
}

static bool same_type(enum kind a, enum kind b) {
    bool both_gauges =
        (a == KIND_GAUGE || a == KIND_GAUGE_READ) && (b == KIND_GAUGE || b == KIND_GAUGE_READ);
    return a == b || both_gauges;
}

static struct series *make_series(enum kind kind, const char *name, const char *labels,
                                  const char *help) {
    struct series *series = or_abort(aligned_alloc(CACHE_LINE, sizeof *series));
    memset(series, 0, sizeof *series);
    series->kind = kind;
    series->name = or_abort(strdup(name));
    series->labels = or_abort(strdup(labels));
    series->help = or_abort(strdup(help));
    return series;
}

// Finds or makes; called with the mutex held.
static struct series *find_or_make(struct gw_metrics *metrics, enum kind kind, const char *name,
                                   const char *labels, const char *help) {
    struct series *last_of_family = NULL;
    for (uint32_t i = 0; i < metrics->count; i++) {
        struct series *series = metrics->series[i];
        if (strcmp(series->name, name) != 0) {
            continue;
        }
        if (!same_type(series->kind, kind)) {
            abort();
        }
        if (strcmp(series->labels, labels) == 0) {
            if (series->kind != kind) {
                abort();
            }
            return series;
        }
        last_of_family = series;
    }
    if (metrics->count == GW_METRICS_MAX) {
        abort();
    }
    struct series *series = make_series(kind, name, labels, help);
    if (last_of_family == NULL) {
        series->heads_family = true;
    } else {
        last_of_family->next_of_family = series;
    }
    metrics->series[metrics->count++] = series;
    return series;
}

static struct series *add(struct gw_metrics *metrics, enum kind kind, const char *name,
                          const char *labels, const char *help) {
    if (!valid_name(name)) {
        abort();
    }
    pthread_mutex_lock(&metrics->mutex);
    struct series *series = find_or_make(metrics, kind, name, labels, help);
    pthread_mutex_unlock(&metrics->mutex);
    return series;
}

struct gw_counter *gw_metrics_counter(struct gw_metrics *metrics, const char *name,
                                      const char *labels, const char *help) {
    return &add(metrics, KIND_COUNTER, name, labels, help)->as.counter;
}

struct gw_gauge *gw_metrics_gauge(struct gw_metrics *metrics, const char *name, const char *labels,
                                  const char *help) {
    return &add(metrics, KIND_GAUGE, name, labels, help)->as.gauge;
}

struct gw_histogram *gw_metrics_histogram(struct gw_metrics *metrics, const char *name,
                                          const char *labels, const char *help) {
    return &add(metrics, KIND_HISTOGRAM, name, labels, help)->as.histogram;
}

void gw_metrics_gauge_read(struct gw_metrics *metrics, const char *name, const char *labels,
                           const char *help, double (*read)(void *context), void *context) {
    struct series *series = add(metrics, KIND_GAUGE_READ, name, labels, help);
    pthread_mutex_lock(&metrics->mutex); // an exposition may be under way
    series->read = read;
    series->read_context = context;
    pthread_mutex_unlock(&metrics->mutex);
}

void gw_counter_add(struct gw_counter *counter, uint64_t amount) {
    if (counter != NULL) {
        atomic_fetch_add_explicit(&counter->value, amount, memory_order_relaxed);
    }
}

void gw_gauge_set(struct gw_gauge *gauge, double value) {
    if (gauge != NULL) {
        uint64_t bits;
        memcpy(&bits, &value, sizeof bits);
        atomic_store_explicit(&gauge->bits, bits, memory_order_relaxed);
    }
}

void gw_histogram_observe_ns(struct gw_histogram *histogram, int64_t nanoseconds) {
    if (histogram == NULL) {
        return;
    }
    if (nanoseconds < 0) {
        nanoseconds = 0;
    }
    unsigned bucket = 0;
    while (bucket < BUCKETS && nanoseconds > buckets[bucket].max_ns) {
        bucket++;
    }
    atomic_fetch_add_explicit(&histogram->counts[bucket], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&histogram->sum_ns, (uint64_t)nanoseconds, memory_order_relaxed);
}

// With a backslash before each backslash, each quote where `quotes`, and "\n" for a line's end.
static void write_escaped(struct gw_buffer *out, const char *text, bool quotes) {
    for (; *text != '\0'; text++) {
        if (*text == '\n') {
            gw_buffer_text(out, "\\n");
        } else {
            if (*text == '\\' || (quotes && *text == '"')) {
                gw_buffer_text(out, "\\");
            }
            gw_buffer_append(out, text, 1);
        }
    }
}

void gw_metrics_label(struct gw_buffer *labels, const char *name, const char *value) {
    gw_buffer_format(labels, "%s%s=\"", labels->size > 0 ? "," : "", name);
    write_escaped(labels, value, true);
    gw_buffer_text(labels, "\"");
}

static void write_double(struct gw_buffer *out, double value) {
    if (isnan(value)) {
        gw_buffer_text(out, "NaN");
    } else if (isinf(value)) {
        gw_buffer_text(out, value > 0 ? "+Inf" : "-Inf");
    } else {
        gw_buffer_format(out, "%.15g", value);
    }
}

static void write_series_name(struct gw_buffer *out, const struct series *series,
                              const char *suffix) {
    gw_buffer_format(out, "%s%s", series->name, suffix);
    if (*series->labels != '\0') {
        gw_buffer_format(out, "{%s}", series->labels);
    }
    gw_buffer_text(out, " ");
}

// The count is the sum of the buckets as they were read, so that the two agree in each exposition.
static void write_histogram(struct gw_buffer *out, const struct series *series) {
    const struct gw_histogram *histogram = &series->as.histogram;
    const char *comma = *series->labels != '\0' ? "," : "";
    uint64_t count = 0;
    for (unsigned i = 0; i <= BUCKETS; i++) {
        count += atomic_load_explicit(&histogram->counts[i], memory_order_relaxed);
        gw_buffer_format(out, "%s_bucket{%s%sle=\"%s\"} %" PRIu64 "\n", series->name,
                         series->labels, comma, i < BUCKETS ? buckets[i].text : "+Inf", count);
    }
    uint64_t sum_ns = atomic_load_explicit(&histogram->sum_ns, memory_order_relaxed);
    write_series_name(out, series, "_sum");
    gw_buffer_format(out, "%" PRIu64 ".%09" PRIu64 "\n", sum_ns / 1000000000u,
                     sum_ns % 1000000000u);
    write_series_name(out, series, "_count");
    gw_buffer_format(out, "%" PRIu64 "\n", count);
}

static void write_gauge(struct gw_buffer *out, const struct series *series) {
    double value;
    if (series->kind == KIND_GAUGE_READ) {
        value = series->read != NULL ? series->read(series->read_context) : NAN;
    } else {
        uint64_t bits = atomic_load_explicit(&series->as.gauge.bits, memory_order_relaxed);
        memcpy(&value, &bits, sizeof value);
    }
    write_series_name(out, series, "");
    write_double(out, value);
    gw_buffer_text(out, "\n");
}

static void write_series(struct gw_buffer *out, const struct series *series) {
    switch (series->kind) {
    case KIND_COUNTER:
        write_series_name(out, series, "");
        gw_buffer_format(out, "%" PRIu64 "\n",
                         atomic_load_explicit(&series->as.counter.value, memory_order_relaxed));
        break;
    case KIND_GAUGE:
    case KIND_GAUGE_READ:
        write_gauge(out, series);
        break;
    case KIND_HISTOGRAM:
        write_histogram(out, series);
        break;
    }
}

void gw_metrics_write(struct gw_metrics *metrics, struct gw_buffer *out) {
    static const char *const types[] = {
        [KIND_COUNTER] = "counter",
        [KIND_GAUGE] = "gauge",
        [KIND_GAUGE_READ] = "gauge",
        [KIND_HISTOGRAM] = "histogram",
    };
    pthread_mutex_lock(&metrics->mutex);
    for (uint32_t i = 0; i < metrics->count; i++) {
        const struct series *head = metrics->series[i];
        if (!head->heads_family) {
            continue;
        }
        gw_buffer_format(out, "# HELP %s ", head->name);
        write_escaped(out, head->help, false);
        gw_buffer_format(out, "\n# TYPE %s %s\n", head->name, types[head->kind]);
        for (const struct series *series = head; series != NULL; series = series->next_of_family) {
            write_series(out, series);
        }
    }
    pthread_mutex_unlock(&metrics->mutex);
}
