#include "loadtest/testing_sample.h"
#include "tests/support/random.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { SECONDS = 30, PAUSE_EVERY = 10 };

static int64_t some_ns(struct test_random *random, double middle_ms) {
    double spread = test_random_unit(random) + test_random_unit(random) - 1;
    return (int64_t)(middle_ms * 1e6 * exp(1.5 * spread));
}

// One second of calls; in every tenth the server stops for that second.
static void fill_second(struct load_work_result *work, uint32_t at, uint32_t calls,
                        struct test_random *random) {
    static struct load_histogram second;
    load_histogram_clear(&second);
    bool paused = at % PAUSE_EVERY == PAUSE_EVERY - 1;
    for (uint32_t i = 0; i < calls; i++) {
        int64_t service = some_ns(random, 0.8), latency = service;
        if (paused && work->loop == LOAD_OPEN) {
            latency += 1000000000 / calls * (calls - i); // it waited for the rest of the second
        } else if (paused && i == 0) {
            latency = 1000000000; // the one call that a closed loop has in flight
        }
        load_histogram_record(&second, latency);
        load_histogram_record(&work->service, service);
        if (work->loop == LOAD_OPEN) {
            load_histogram_record(&work->lateness, some_ns(random, 0.03));
        }
    }
    load_histogram_add(&work->latency, &second);
    work->seconds[at] = (struct load_second){
        .intended = work->loop == LOAD_OPEN ? calls : 0,
        .done = calls,
        .p50_ms = (float)load_histogram_quantile(&second, 0.5) / 1e6f,
        .p99_ms = (float)load_histogram_quantile(&second, 0.99) / 1e6f,
        .max_ms = (float)second.max_ns / 1e6f,
    };
    work->done += calls;
    work->intended += work->seconds[at].intended;
}

static void fill_work(struct load_work_result *work, double rate, struct test_random *random) {
    work->seconds = calloc(SECONDS, sizeof(*work->seconds));
    if (work->seconds == NULL) {
        fputs("out of memory\n", stderr);
        exit(1);
    }
    work->second_count = SECONDS;
    work->connections = 8;
    work->offered = true;
    for (uint32_t i = 0; i < SECONDS; i++) {
        fill_second(work, i, (uint32_t)rate + (uint32_t)test_random_range(random, 0, 9), random);
    }
}

static void fill_step(struct load_step *step, double factor, struct test_random *random) {
    step->rate_factor = factor;
    step->seconds = SECONDS;
    step->work_count = 2;
    struct load_work_result *open = &step->works[0], *closed = &step->works[1];
    snprintf(open->name, sizeof(open->name), "locate 定位");
    snprintf(open->call, sizeof(open->call), "Locate");
    snprintf(open->item, sizeof(open->item), "points");
    open->loop = LOAD_OPEN;
    open->rate = 200 * factor;
    snprintf(closed->name, sizeof(closed->name), "beside it");
    snprintf(closed->call, sizeof(closed->call), "GET /tiles/<grids>");
    closed->loop = LOAD_CLOSED;
    fill_work(open, open->rate, random);
    fill_work(closed, 150, random);
    open->items = open->done;
}

struct load_result *load_sample(uint64_t seed) {
    struct load_result *result = calloc(1, sizeof(*result));
    if (result == NULL) {
        fputs("out of memory\n", stderr);
        exit(1);
    }
    struct test_random random = {seed};
    snprintf(result->scenario, sizeof(result->scenario), "sample");
    snprintf(result->description, sizeof(result->description),
             "</script><script>document.title='broken out'</script> & \"quoted\" \\ %s", "网格");
    snprintf(result->server, sizeof(result->server), "127.0.0.1:7600");
    snprintf(result->machine, sizeof(result->machine), "a machine, 2 cores");
    snprintf(result->commit, sizeof(result->commit), "0123abc");
    result->seed = UINT64_MAX; // what a double could not hold
    result->began_ms = 1795464000000;
    result->warmup_seconds = 2.5;
    result->step_count = 3;
    for (uint32_t i = 0; i < 3; i++) {
        fill_step(&result->steps[i], (double)(1u << i) / 2, &random);
    }
    struct load_work_result *refused = &result->steps[2].works[0];
    refused->offered = false;
    snprintf(refused->refusal, sizeof(refused->refusal), "351 of 400 calls a second left");
    refused->failed = refused->unfinished = 3;
    snprintf(refused->first_failure, sizeof(refused->first_failure), "UNAVAILABLE: \033[31mred\n");
    result->verify = (struct load_verify_result){
        .asked = true, .acknowledged = 12, .found = 11, .lost = 1, .retried = 2, .reconnects = 1};
    return result;
}
