// A day of the demo city, played on a running node: its workers go on duty, move, get incidents
// offered, answer them, do them; the desks take what nobody took; the centre closes.
//
// What happens where and when is planned from the seed; what comes of it is the node's doing. At
// speed S a second of the wall clock is S seconds of the city's. Offers lapse by the node's clock.
//
// Request ids. The roster's are "demo-<hash of the city>-workers-<batch>": another play of the same
// city sends the same bytes and gets the first answer. All others are "demo-<run>-<what>-..." with
// the run's number in hexadecimal: the time when the play began, so that plays never collide; given
// one (options.run), a play that was cut off can be played again and nothing is reported twice.
//
// SYNTHETIC: every report says so in its description; reports come from the actor "demo".
//
// Example: a day of 3,000 incidents in 144 seconds
//   struct gw_demo_options options = {.server = "127.0.0.1:7600", .seed = 1, .speed = 600,
//                                     .minutes = 1440, .live = stderr};
//   struct gw_demo_totals totals;
//   gw_err err = gw_demo_play(&options, &totals, &error);
#ifndef GW_SERVICES_DEMO_PLAYER_H
#define GW_SERVICES_DEMO_PLAYER_H

#include "services/base/error.h"
#include "services/demo/city.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define GW_DEMO_SPEED_MAX 100000u
#define GW_DEMO_MINUTES_MAX (31u * 1440u)
#define GW_DEMO_INCIDENTS_MAX 1000000u // of one play

struct gw_demo_totals {
    int64_t simulated_ms;  // since the play began
    uint32_t clock_minute; // of the city's day
    uint64_t planned, reported;
    uint64_t assigned; // reported and offered to a worker at once
    uint64_t accepted, declined, started, resolved, closed;
    uint64_t at_desks;  // times that an incident came to a desk
    uint64_t late;      // offers that lapsed
    uint64_t placed;    // places given afterwards
    uint64_t refused;   // calls that the node refused for their state, and were given up
    uint64_t failed;    // calls given up after several tries
    uint64_t retried;   // tries after the first
    uint64_t positions; // sent
    uint64_t reopened;  // streams opened again
    uint32_t on_duty, open_calls, open_tasks;
    double report_p50_ms, report_p99_ms; // from sending a Report to the reply with its offer
    double reports_per_second;           // of the wall clock, over the last second
};

struct gw_demo_options {
    const char *server;         // "127.0.0.1:7600"
    uint64_t seed;              // of the city that the node serves
    const struct gw_city *city; // that city, where the caller has it; NULL: made from the seed
    uint32_t speed;             // 1 .. GW_DEMO_SPEED_MAX; 0: 600
    uint32_t begin_minute;      // of the city's day, 0 .. 1439
    uint32_t minutes;           // of the city's time, 1 .. GW_DEMO_MINUTES_MAX; 0: 1440
    uint32_t incidents_a_day;   // 0: 3000
    bool skip_workers;          // the roster is there
    uint64_t run;               // see above; 0: the time
    uint32_t drain_ms_max;      // of wall time, for what is open at the end; 0: 10,000
    FILE *live;                 // a line every second; NULL: silent
    const atomic_bool *stop;    // set: ends early and cleanly; may be NULL
    void (*progress)(void *context, const struct gw_demo_totals *totals); // every second; or NULL
    void *context;
};

// Plays to the end. Blocks; three threads. GW_EINVAL: an option, or the node serves another city;
// GW_EUNAVAILABLE: no node answers, at the start or for ten seconds; GW_ENOMEM, GW_EINTERNAL.
// `totals` is filled on errors, too, as far as the play got.
GW_MUST_CHECK gw_err gw_demo_play(const struct gw_demo_options *options,
                                  struct gw_demo_totals *totals, struct gw_error *error);

#endif
