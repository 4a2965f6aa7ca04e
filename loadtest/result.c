#include "loadtest/result.h"
#include "loadtest/output.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static double ms_of(int64_t ns) {
    return (double)ns / 1e6;
}

void load_result_free(struct load_result *result) {
    for (uint32_t s = 0; s < result->step_count; s++) {
        struct load_step *step = &result->steps[s];
        for (uint32_t w = 0; w < step->work_count; w++) {
            free(step->works[w].seconds);
            step->works[w].seconds = NULL;
            step->works[w].second_count = 0;
        }
    }
}

// Answers that came inside the window: a server that fell behind answers the rest after its end,
// and what it can do is not to be read off those.
static double achieved_of(const struct load_work_result *work, double seconds) {
    double sum = 0;
    for (uint32_t i = 0; i < work->second_count && (double)i < seconds; i++) {
        sum += work->seconds[i].done;
    }
    return seconds > 0 ? sum / seconds : 0;
}

void load_work_summarize(const struct load_work_result *work, double seconds,
                         struct load_summary *summary) {
    const struct load_histogram *latency = &work->latency;
    *summary = (struct load_summary){
        .achieved = achieved_of(work, seconds),
        .mean_ms = latency->count > 0 ? latency->sum_ns / (double)latency->count / 1e6 : 0,
        .p50_ms = ms_of(load_histogram_quantile(latency, 0.5)),
        .p90_ms = ms_of(load_histogram_quantile(latency, 0.9)),
        .p99_ms = ms_of(load_histogram_quantile(latency, 0.99)),
        .p999_ms = ms_of(load_histogram_quantile(latency, 0.999)),
        .max_ms = ms_of(latency->max_ns),
        .lateness_p99_ms = ms_of(load_histogram_quantile(&work->lateness, 0.99)),
    };
}

// --- merge ---

static gw_err check_same(const struct load_result *into, const struct load_result *from,
                         struct gw_error *error) {
    if (strcmp(into->scenario, from->scenario) != 0) {
        return gw_error_set(error, GW_EINVAL, "one file is of scenario \"%s\", the other of \"%s\"",
                            into->scenario, from->scenario);
    }
    if (into->step_count != from->step_count) {
        return gw_error_set(error, GW_EINVAL,
                            "%" PRIu32 " steps in one file, %" PRIu32 " in the other",
                            into->step_count, from->step_count);
    }
    for (uint32_t s = 0; s < into->step_count; s++) {
        const struct load_step *a = &into->steps[s], *b = &from->steps[s];
        if (fabs(a->rate_factor - b->rate_factor) > 1e-9 * fabs(a->rate_factor) ||
            fabs(a->seconds - b->seconds) > fmax(1, 0.05 * a->seconds) ||
            a->work_count != b->work_count) {
            return gw_error_set(error, GW_EINVAL,
                                "step %" PRIu32 " has another factor, duration or number of works:"
                                " merge runs of one scenario that ran side by side",
                                s + 1u);
        }
        for (uint32_t w = 0; w < a->work_count; w++) {
            if (strcmp(a->works[w].name, b->works[w].name) != 0 ||
                strcmp(a->works[w].call, b->works[w].call) != 0 ||
                strcmp(a->works[w].item, b->works[w].item) != 0 ||
                a->works[w].loop != b->works[w].loop) {
                return gw_error_set(error, GW_EINVAL,
                                    "step %" PRIu32 ", work %" PRIu32
                                    ": \"%s\" in one file, \"%s\" in the other, or other calls",
                                    s + 1u, w + 1u, a->works[w].name, b->works[w].name);
            }
        }
    }
    return GW_OK;
}

static uint32_t add_u32(uint32_t a, uint32_t b) {
    return a > UINT32_MAX - b ? UINT32_MAX : a + b;
}

static void merge_seconds(struct load_work_result *into, const struct load_work_result *from) {
    for (uint32_t i = 0; i < from->second_count; i++) {
        struct load_second *a = &into->seconds[i];
        const struct load_second *b = &from->seconds[i];
        a->intended = add_u32(a->intended, b->intended);
        a->done = add_u32(a->done, b->done);
        a->failed = add_u32(a->failed, b->failed);
        a->p50_ms = fmaxf(a->p50_ms, b->p50_ms);
        a->p99_ms = fmaxf(a->p99_ms, b->p99_ms);
        a->max_ms = fmaxf(a->max_ms, b->max_ms);
    }
}

static gw_err grow_seconds(struct load_work_result *work, uint32_t count) {
    if (work->second_count >= count) {
        return GW_OK;
    }
    struct load_second *grown = realloc(work->seconds, count * sizeof(*grown));
    if (grown == NULL) {
        return GW_ENOMEM;
    }
    memset(grown + work->second_count, 0, (count - work->second_count) * sizeof(*grown));
    work->seconds = grown;
    work->second_count = count;
    return GW_OK;
}

static gw_err merge_work(struct load_work_result *into, const struct load_work_result *from) {
    gw_err err = grow_seconds(into, from->second_count);
    if (err != GW_OK) {
        return err;
    }
    merge_seconds(into, from);
    into->rate += from->rate;
    into->connections = add_u32(into->connections, from->connections);
    into->intended += from->intended;
    into->done += from->done;
    into->failed += from->failed;
    into->unfinished += from->unfinished;
    into->items += from->items;
    load_histogram_add(&into->latency, &from->latency);
    load_histogram_add(&into->service, &from->service);
    load_histogram_add(&into->lateness, &from->lateness);
    if (into->offered && !from->offered) { // a sum of rates was offered if each of them was
        into->offered = false;
        memcpy(into->refusal, from->refusal, sizeof(into->refusal));
    }
    if (into->first_failure[0] == '\0') {
        memcpy(into->first_failure, from->first_failure, sizeof(into->first_failure));
    }
    return GW_OK;
}

static void merge_machine(struct load_result *into, const struct load_result *from) {
    size_t used = strlen(into->machine);
    if (strstr(into->machine, from->machine) == NULL) {
        snprintf(into->machine + used, sizeof(into->machine) - used, " + %s", from->machine);
    }
    if (strcmp(into->commit, from->commit) != 0) {
        into->commit[0] = '\0'; // of none of them alone
    }
}

gw_err load_result_merge(struct load_result *into, const struct load_result *from,
                         struct gw_error *error) {
    gw_err err = check_same(into, from, error);
    for (uint32_t s = 0; err == GW_OK && s < into->step_count; s++) {
        struct load_step *step = &into->steps[s];
        step->seconds = fmax(step->seconds, from->steps[s].seconds);
        for (uint32_t w = 0; err == GW_OK && w < step->work_count; w++) {
            err = merge_work(&step->works[w], &from->steps[s].works[w]);
        }
    }
    if (err != GW_OK) {
        return err == GW_ENOMEM ? gw_error_set(error, err, "out of memory") : err;
    }
    merge_machine(into, from);
    into->began_ms = from->began_ms < into->began_ms ? from->began_ms : into->began_ms;
    into->verify.asked = into->verify.asked || from->verify.asked;
    into->verify.acknowledged += from->verify.acknowledged;
    into->verify.found += from->verify.found;
    into->verify.lost += from->verify.lost;
    into->verify.doubled += from->verify.doubled;
    into->verify.retried += from->verify.retried;
    into->verify.reconnects = add_u32(into->verify.reconnects, from->verify.reconnects);
    return GW_OK;
}
