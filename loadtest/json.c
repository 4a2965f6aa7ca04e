// The JSON file, written as it goes: loadtest/json.md describes it.
#include "loadtest/json.h"
#include "loadtest/output.h"
#include "services/base/json.h"
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

static void put_text(FILE *out, const char *key, const char *text) {
    struct gw_buffer buffer = {0};
    gw_json_text(&buffer, text);
    if (buffer.failed || buffer.data == NULL) {
        fprintf(out, "\"%s\":\"\"", key);
    } else {
        fprintf(out, "\"%s\":%s", key, buffer.data);
    }
    gw_buffer_free(&buffer);
}

// JSON has no infinities; a measurement has none either.
static double finite_or_0(double number) {
    return isfinite(number) ? number : 0;
}

// The shortest of two forms that gives the same number back.
static void put_number(FILE *out, const char *key, double number) {
    char text[32];
    snprintf(text, sizeof(text), "%.15g", finite_or_0(number));
    if (strtod(text, NULL) != finite_or_0(number)) {
        snprintf(text, sizeof(text), "%.17g", finite_or_0(number));
    }
    fprintf(out, "\"%s\":%s", key, text);
}

static void put_count(FILE *out, const char *key, uint64_t count) {
    fprintf(out, ",\"%s\":%" PRIu64, key, count);
}

// Only buckets that counted something: [smallest value of the bucket, count].
static void put_histogram(FILE *out, const char *key, const struct load_histogram *histogram) {
    fprintf(out,
            ",\n\"%s\":{\"count\":%" PRIu64 ",\"min_ns\":%" PRId64 ",\"max_ns\":%" PRId64
            ",\"sum_ns\":%.17g,\"buckets\":[",
            key, histogram->count, histogram->min_ns, histogram->max_ns,
            finite_or_0(histogram->sum_ns));
    const char *separator = "";
    for (uint32_t i = 0; i < LOAD_HISTOGRAM_BUCKETS; i++) {
        if (histogram->buckets[i] > 0) {
            int64_t low, high;
            load_histogram_bucket(i, &low, &high);
            fprintf(out, "%s[%" PRId64 ",%" PRIu64 "]", separator, low, histogram->buckets[i]);
            separator = ",";
        }
    }
    fputs("]}", out);
}

static void put_summary(FILE *out, const struct load_work_result *work, double seconds) {
    if (!work->offered) {
        fputs(",\n\"summary\":null", out); // no claim about a rate that was not offered
        return;
    }
    struct load_summary summary;
    load_work_summarize(work, seconds, &summary);
    const struct {
        const char *key;
        double number;
    } rows[] = {
        {"achieved", summary.achieved}, {"mean_ms", summary.mean_ms},
        {"p50_ms", summary.p50_ms},     {"p90_ms", summary.p90_ms},
        {"p99_ms", summary.p99_ms},     {"p999_ms", summary.p999_ms},
        {"max_ms", summary.max_ms},     {"lateness_p99_ms", summary.lateness_p99_ms},
    };
    fputs(",\n\"summary\":{", out);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        fputs(i == 0 ? "" : ",", out);
        put_number(out, rows[i].key, rows[i].number);
    }
    fputc('}', out);
}

enum column { INTENDED, DONE, FAILED, P50, P99, MAX, COLUMNS };

static double cell(const struct load_second *second, enum column column) {
    switch (column) {
    case INTENDED:
        return second->intended;
    case DONE:
        return second->done;
    case FAILED:
        return second->failed;
    case P50:
        return (double)second->p50_ms;
    case P99:
        return (double)second->p99_ms;
    default:
        return (double)second->max_ms;
    }
}

// A column each: an array of numbers is shorter than an array of objects.
static void put_seconds(FILE *out, const struct load_work_result *work) {
    static const char *const keys[COLUMNS] = {"intended", "done",   "failed",
                                              "p50_ms",   "p99_ms", "max_ms"};
    fputs(",\n\"seconds\":{", out);
    for (uint32_t column = 0; column < COLUMNS; column++) {
        fprintf(out, "%s\"%s\":[", column == 0 ? "" : ",\n", keys[column]);
        for (uint32_t i = 0; i < work->second_count; i++) {
            fprintf(out, "%s%.9g", i == 0 ? "" : ",",
                    finite_or_0(cell(&work->seconds[i], (enum column)column)));
        }
        fputc(']', out);
    }
    fputc('}', out);
}

static void put_work(FILE *out, const struct load_work_result *work, double seconds) {
    fputc('{', out);
    put_text(out, "name", work->name);
    fputc(',', out);
    put_text(out, "call", work->call);
    fprintf(out, ",\"loop\":\"%s\",", work->loop == LOAD_OPEN ? "open" : "closed");
    put_number(out, "rate", work->rate);
    put_count(out, "connections", work->connections);
    put_count(out, "intended", work->intended);
    put_count(out, "done", work->done);
    put_count(out, "failed", work->failed);
    put_count(out, "unfinished", work->unfinished);
    put_count(out, "items", work->items);
    fputc(',', out);
    put_text(out, "item", work->item);
    fprintf(out, ",\"offered\":%s,", work->offered ? "true" : "false");
    put_text(out, "refusal", work->refusal);
    fputc(',', out);
    put_text(out, "first_failure", work->first_failure);
    put_summary(out, work, seconds);
    put_histogram(out, "latency", &work->latency);
    put_histogram(out, "service", &work->service);
    put_histogram(out, "lateness", &work->lateness);
    put_seconds(out, work);
    fputc('}', out);
}

static void put_head(FILE *out, const struct load_result *result) {
    fputs("{\"format\":\"" LOAD_JSON_FORMAT "\",\n", out);
    const struct {
        const char *key, *text;
    } texts[] = {
        {"scenario", result->scenario}, {"description", result->description},
        {"server", result->server},     {"http", result->http},
        {"machine", result->machine},   {"commit", result->commit},
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        put_text(out, texts[i].key, texts[i].text);
        fputs(",\n", out);
    }
    // As text: readers that have doubles alone would change it.
    fprintf(out, "\"seed\":\"%" PRIu64 "\",\"began_ms\":%" PRId64 ",", result->seed,
            result->began_ms);
    put_number(out, "warmup_seconds", result->warmup_seconds);
}

static void put_verify(FILE *out, const struct load_verify_result *verify) {
    if (!verify->asked) {
        fputs("null", out);
        return;
    }
    fprintf(out, "{\"acknowledged\":%" PRIu64, verify->acknowledged);
    put_count(out, "found", verify->found);
    put_count(out, "lost", verify->lost);
    put_count(out, "doubled", verify->doubled);
    put_count(out, "retried", verify->retried);
    put_count(out, "reconnects", verify->reconnects);
    fputc('}', out);
}

gw_err load_write_json(const struct load_result *result, FILE *out) {
    put_head(out, result);
    fputs(",\n\"steps\":[", out);
    for (uint32_t s = 0; s < result->step_count; s++) {
        const struct load_step *step = &result->steps[s];
        fputs(s == 0 ? "{" : ",\n{", out);
        put_number(out, "rate_factor", step->rate_factor);
        fputc(',', out);
        put_number(out, "seconds", step->seconds);
        fputs(",\"works\":[", out);
        for (uint32_t w = 0; w < step->work_count; w++) {
            fputs(w == 0 ? "\n" : ",\n", out);
            put_work(out, &step->works[w], step->seconds);
        }
        fputs("]}", out);
    }
    fputs("],\n\"verify\":", out);
    put_verify(out, &result->verify);
    fputs("}\n", out);
    return fflush(out) != 0 || ferror(out) ? GW_EIO : GW_OK;
}
