// Showing what a run measures: while it runs, and afterwards as a table, a JSON file and a page.
//
// All of them are made from struct load_result alone. Where a work was not offered (`offered` is
// false) none of them states a latency for its rate: they print the refusal. The raw histograms
// stay in the JSON file.
//
// Errors: GW_EIO when the stream refuses bytes (full disk, closed pipe), GW_ENOMEM.
// Threads: call them from one thread.
#ifndef GW_LOADTEST_OUTPUT_H
#define GW_LOADTEST_OUTPUT_H

#include "loadtest/result.h"
#include "services/base/error.h"
#include <stddef.h>
#include <stdio.h>

// --- while it runs ---

// One kind of work now. Counts are since the end of the warm-up (during it: since the start).
struct load_live_work {
    char name[LOAD_NAME_MAX];
    enum load_loop loop;
    double rate;     // intended a second; closed loop: 0
    double achieved; // finished in the last second
    uint64_t done, failed;
    uint64_t open;                 // sent or due, not answered yet
    double p50_ms, p99_ms, max_ms; // of the last second; all 0 when nothing finished
    double lateness_p99_ms;        // how late the harness itself was in the last second
};

struct load_live_status {
    double rate_factor;        // of the step that runs
    uint32_t step, step_count; // from 0
    double elapsed_s, total_s; // of this step, its warm-up included
    bool warming_up;
    struct load_live_work works[LOAD_STREAMS_MAX];
    uint32_t work_count;
};

struct load_live {
    FILE *out;
    bool terminal;
    uint32_t lines;     // drawn, to be drawn over
    int64_t printed_ns; // when the last plain lines were printed; 0: none yet
};

// `out` is usually stderr, so that tables and JSON on stdout can be piped. On a terminal the table
// is drawn in place by ANSI codes; anywhere else plain lines are printed, every 5 seconds.
void load_live_begin(struct load_live *live, FILE *out);
// Call it about once a second; now_ns is any monotonic clock. It drops write errors: a vanished
// terminal must not end a run.
void load_live_show(struct load_live *live, const struct load_live_status *status, int64_t now_ns);
// Wipes what was drawn in place.
void load_live_end(struct load_live *live);

// --- afterwards ---

// The numbers that table, JSON and page agree on. Latencies in milliseconds.
struct load_summary {
    double achieved; // done inside the window / its seconds
    double mean_ms, p50_ms, p90_ms, p99_ms, p999_ms, max_ms;
    double lateness_p99_ms;
};

void load_work_summarize(const struct load_work_result *work, double seconds,
                         struct load_summary *summary);

// A table for people, at most 140 columns wide where names are short.
GW_MUST_CHECK gw_err load_write_table(const struct load_result *result, FILE *out);

// The JSON file; its format is described in loadtest/json.md.
GW_MUST_CHECK gw_err load_write_json(const struct load_result *result, FILE *out);

// One self-contained page: it asks no other host for anything.
GW_MUST_CHECK gw_err load_write_html(const struct load_result *result, FILE *out);

// --- files read again ---

#define LOAD_JSON_BYTES_MAX (512u << 20)

// Reads what load_write_json wrote into *result, which comes zeroed (calloc: it has tens of
// megabytes); the caller frees it by load_result_free, also after a failure. GW_EINVAL, with the
// field in error->text: not such a file, or numbers that contradict one another. GW_ENOSPC: larger
// than LOAD_JSON_BYTES_MAX.
GW_MUST_CHECK gw_err load_read_json(const char *data, size_t size, struct load_result *result,
                                    struct gw_error *error);

// The union of runs of one scenario that ran side by side on several machines: rates, counts and
// histograms add up, second by second; of the seconds' percentiles the larger one is kept, which is
// an upper bound. `from` stays the caller's. GW_EINVAL: not the same scenario, steps and works.
GW_MUST_CHECK gw_err load_result_merge(struct load_result *into, const struct load_result *from,
                                       struct gw_error *error);

#endif
