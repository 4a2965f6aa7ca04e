// What a run measured: what the runner makes, and what the table, the JSON and the page show.
#ifndef GW_LOADTEST_RESULT_H
#define GW_LOADTEST_RESULT_H

#include "loadtest/histogram.h"
#include <stdbool.h>

#define LOAD_NAME_MAX 64u
#define LOAD_STREAMS_MAX 16u // kinds of work in one scenario
#define LOAD_SECONDS_MAX 86400u
#define LOAD_STEPS_MAX 32u // rates of a sweep

enum load_loop { LOAD_OPEN, LOAD_CLOSED };

// One second of a run, of one kind of work.
struct load_second {
    uint32_t intended, done, failed; // intended: arrivals that fell into this second
    float p50_ms, p99_ms, max_ms;    // of what finished in this second; 0 when nothing did
};

// One kind of work of a scenario: "locate", "tiles", "report" ...
struct load_work_result {
    char name[LOAD_NAME_MAX]; // as the scenario calls it
    char call[LOAD_NAME_MAX]; // "Locate", "GET /tiles/grids", ...
    enum load_loop loop;
    double rate; // intended arrivals a second; closed loop: 0
    uint32_t connections;
    uint64_t intended, done, failed, unfinished;
    uint64_t items;                 // points located, positions sent, bytes of tiles
    char item[LOAD_NAME_MAX];       // "points", "positions", "bytes"; "" when a call is the item
    struct load_histogram latency;  // open loop: from the intended send time; closed: from the send
    struct load_histogram service;  // from the real send time: what a closed loop would show
    struct load_histogram lateness; // how late the harness itself was to send
    bool offered;                   // false: the harness could not offer this rate; see `refusal`
    char refusal[256];
    char first_failure[256];
    struct load_second *seconds; // after the warm-up
    uint32_t second_count;
};

// One rate of a sweep (or the only one).
struct load_step {
    double rate_factor; // of the scenario's rates
    double seconds;     // measured, without the warm-up
    struct load_work_result works[LOAD_STREAMS_MAX];
    uint32_t work_count;
};

struct load_verify_result {
    bool asked;
    uint64_t acknowledged, found, lost, doubled, retried;
    uint32_t reconnects;
};

struct load_result {
    char scenario[LOAD_NAME_MAX], server[LOAD_NAME_MAX], http[LOAD_NAME_MAX];
    char description[256];
    char machine[256], commit[LOAD_NAME_MAX]; // commit: given by --commit, else ""
    uint64_t seed;
    int64_t began_ms;
    double warmup_seconds;
    struct load_step steps[LOAD_STEPS_MAX];
    uint32_t step_count;
    struct load_verify_result verify;
};

void load_result_free(struct load_result *result); // its seconds

#endif
