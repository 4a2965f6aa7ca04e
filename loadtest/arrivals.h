// When the calls of an open loop are to be sent: a schedule that knows nothing of the answers.
//
// Units: nanoseconds since the run began. The same seed gives the same schedule. Pure.
#ifndef GW_LOADTEST_ARRIVALS_H
#define GW_LOADTEST_ARRIVALS_H

#include "services/base/random.h"
#include <stdbool.h>

#define LOAD_HOURS 24u

enum load_arrival_kind {
    LOAD_POISSON,  // gaps are exponential: many people who know nothing of each other
    LOAD_CONSTANT, // equal gaps: one device with a timer
};

struct load_arrivals {
    enum load_arrival_kind kind;
    double rate; // a second
    struct gw_random random;
    uint64_t count; // given out
    int64_t last_ns;
    bool by_hour;             // the rate follows `hours`
    double hours[LOAD_HOURS]; // as parts of the highest hour, 0 .. 1
    double peak_rate;         // in the highest hour
    double start_hour, speed;
};

// `rate` > 0. A rate of 0: nothing ever arrives.
void load_arrivals_init(struct load_arrivals *arrivals, enum load_arrival_kind kind, double rate,
                        uint64_t seed);
// Makes the rate (then the mean of a day) follow the weights of the hours of the day; the run
// begins at start_hour (0 .. 24) and a second of it is `speed` seconds of the city's. Poisson only:
// arrivals of the highest hour's rate are thinned (Lewis and Shedler 1979). Some weight is > 0.
void load_arrivals_by_hour(struct load_arrivals *arrivals, const double hours[LOAD_HOURS],
                           double start_hour, double speed);
// The next arrival, never before the last; INT64_MAX: none before end_ns.
int64_t load_arrivals_next(struct load_arrivals *arrivals, int64_t end_ns);

#endif
