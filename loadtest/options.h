// The command line of gridwarden-load. Pure but for the words on a stream.
#ifndef GW_LOADTEST_OPTIONS_H
#define GW_LOADTEST_OPTIONS_H

#include "loadtest/run.h"
#include <stdio.h>

#define LOAD_EXIT_REFUSED 1 // the node does not answer, a file is wrong: nothing was measured
#define LOAD_EXIT_USAGE 2
#define LOAD_EXIT_NOT_OFFERED 3
#define LOAD_EXIT_LOST 4
#define LOAD_EXIT_CUT_SHORT 130 // by SIGINT or SIGTERM; what was measured is shown

struct load_arguments {
    struct load_options run;
    const char *scenario; // a file, or a name in the folder of scenarios
    const char *json, *html;
    bool quiet, closed;
    double seconds, warmup_seconds; // < 0: the scenario's
    bool seed_given;
    uint64_t seed;
};

// What follows `run` on the command line. Texts point into argv. GW_EINVAL: the words say which
// option and what it takes.
GW_MUST_CHECK gw_err load_arguments_read(int argc, char **argv, struct load_arguments *arguments,
                                         struct gw_error *error);
void load_print_help(FILE *out);

#endif
