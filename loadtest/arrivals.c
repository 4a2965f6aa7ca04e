#include "loadtest/arrivals.h"

#include <math.h>
#include <string.h>

void load_arrivals_init(struct load_arrivals *arrivals, enum load_arrival_kind kind, double rate,
                        uint64_t seed) {
    memset(arrivals, 0, sizeof(*arrivals));
    arrivals->kind = kind;
    arrivals->rate = rate;
    arrivals->peak_rate = rate;
    arrivals->random = gw_random_of(seed, 1);
}

void load_arrivals_by_hour(struct load_arrivals *arrivals, const double hours[LOAD_HOURS],
                           double start_hour, double speed) {
    double sum = 0, peak = 0;
    for (uint32_t i = 0; i < LOAD_HOURS; i++) {
        sum += hours[i];
        peak = hours[i] > peak ? hours[i] : peak;
    }
    for (uint32_t i = 0; i < LOAD_HOURS; i++) {
        arrivals->hours[i] = hours[i] / peak;
    }
    arrivals->by_hour = true;
    arrivals->peak_rate = arrivals->rate * peak * LOAD_HOURS / sum;
    arrivals->start_hour = start_hour;
    arrivals->speed = speed;
}

// The part of the highest hour's rate at an instant of the run.
static double part_at(const struct load_arrivals *arrivals, int64_t at_ns) {
    double hour = fmod(arrivals->start_hour + (double)at_ns / 3.6e12 * arrivals->speed, LOAD_HOURS);
    return arrivals->hours[(uint32_t)hour % LOAD_HOURS];
}

static int64_t next_poisson(struct load_arrivals *arrivals, int64_t end_ns) {
    double at = (double)arrivals->last_ns;
    for (;;) { // ends: each gap is positive, on average a peak_rate-th of a second
        at += -log1p(-gw_random_unit(&arrivals->random)) * 1e9 / arrivals->peak_rate;
        if (at >= (double)end_ns) {
            return INT64_MAX;
        }
        if (!arrivals->by_hour ||
            gw_random_unit(&arrivals->random) < part_at(arrivals, (int64_t)at)) {
            return (int64_t)at;
        }
    }
}

int64_t load_arrivals_next(struct load_arrivals *arrivals, int64_t end_ns) {
    int64_t at = INT64_MAX;
    if (arrivals->rate > 0 && arrivals->last_ns != INT64_MAX) {
        if (arrivals->kind == LOAD_POISSON) {
            at = next_poisson(arrivals, end_ns);
        } else { // from the count, so that rounding does not add up
            double exact = (double)(arrivals->count + 1) * 1e9 / arrivals->rate;
            at = exact < (double)end_ns ? (int64_t)exact : INT64_MAX;
        }
    }
    arrivals->last_ns = at;
    arrivals->count += at != INT64_MAX;
    return at;
}
