// A run of a scenario against a node: what main calls.
//
// For each rate of the sweep: connect, begin all works at one instant, warm up, measure, wait for
// what is unanswered. Afterwards, if asked, every acknowledged incident is looked for.
#ifndef GW_LOADTEST_RUN_H
#define GW_LOADTEST_RUN_H

#include "loadtest/result.h"
#include "loadtest/scenario.h"
#include "services/base/error.h"
#include <stdatomic.h>
#include <stdio.h>

struct load_options {
    const char *server, *http;      // "127.0.0.1:7600", "127.0.0.1:7680"
    double factors[LOAD_STEPS_MAX]; // of the scenario's rates, one step each
    uint32_t factor_count;          // 0: one step of 1
    bool closed;                    // calls and tiles in a closed loop
    bool verify;
    double retry_seconds;    // how long a report is tried again, by the same request id
    const char *commit;      // NULL: ""
    FILE *live;              // a table while it runs; NULL: none
    const atomic_bool *stop; // set: ends early; may be NULL
};

// Runs to the end; blocks. `scenario` has the seed, the seconds and the warm-up to be used.
// `result` is zeros; it is filled on errors, too, as far as the run got, and the caller frees it.
// GW_EUNAVAILABLE: nobody answers at the start, or at the end for the verification.
GW_MUST_CHECK gw_err load_run(const struct load_options *options,
                              const struct load_scenario *scenario, struct load_result *result,
                              struct gw_error *error);

// The run's outcome in one word for the exit code: 0 all well; 3 some rate was not offered; 4 the
// verification found something lost or doubled. 4 goes before 3.
int load_outcome(const struct load_result *result);

// This machine: processor, cores, memory, kernel.
void load_machine(char *out, size_t size);

#endif
