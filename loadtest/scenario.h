// A scenario: what load a run offers, as a file says it. The format is in loadtest/README.md.
//
// Limits: a file of LOAD_SCENARIO_BYTES_MAX, LOAD_STREAMS_MAX works; each value has a range that
//         the refusal names. Unknown keys, and keys that mean nothing to a work, are refused.
#ifndef GW_LOADTEST_SCENARIO_H
#define GW_LOADTEST_SCENARIO_H

#include "loadtest/arrivals.h"
#include "loadtest/result.h"
#include "services/base/error.h"
#include <stddef.h>

#define LOAD_SCENARIO_BYTES_MAX (1u << 20)
#define LOAD_LAYERS_MAX 8u
#define LOAD_CLASSES_MAX 32u
#define LOAD_GRPC_CONNECTIONS_MAX 256u
#define LOAD_HTTP_CONNECTIONS_MAX 4096u

enum load_call {
    LOAD_LOCATE,
    LOAD_LOCATE_BATCH,
    LOAD_NEAREST,
    LOAD_GET_GRID,
    LOAD_REPORT,
    LOAD_FOLLOW, // workers who answer what they are offered, and do it
    LOAD_POSITIONS,
    LOAD_WATCH_INCIDENTS,
    LOAD_WATCH_ASSIGNMENTS,
    LOAD_TILES,
    LOAD_LIVE,
    LOAD_CALLS
};

// Where points lie: in a grid that is chosen among all alike (so where grids are small, in town,
// points are dense), or anywhere in the box around the city.
enum load_where { LOAD_IN_GRIDS, LOAD_IN_BOUNDS };

enum load_cache {
    LOAD_CACHE_NONE,       // every visible tile is asked for
    LOAD_CACHE_BROWSER,    // a user's last tiles are not asked for again
    LOAD_CACHE_REVALIDATE, // they are, by If-None-Match
};

struct load_work {
    char name[LOAD_NAME_MAX];
    enum load_call call;
    double rate;       // calls a second (tiles: steps of users); 0 where the call has none
    uint32_t arrivals; // enum load_arrival_kind
    uint32_t connections, in_flight_max;
    uint32_t where;  // enum load_where
    uint32_t points; // of a LocateBatch
    uint32_t k;      // of a Nearest
    bool boundary;   // of a GetGrid
    bool by_hour;
    double hours[LOAD_HOURS];
    char classes[LOAD_CLASSES_MAX][LOAD_NAME_MAX]; // of reports
    uint32_t class_count;
    uint32_t workers;      // who report positions; 0: the whole roster
    double period_seconds; // between two positions of a worker
    uint32_t batch;        // positions in a message
    bool on_duty;          // they are put on duty first
    double accept_seconds[2], start_seconds[2], resolve_seconds[2], close_seconds[2]; // least, most
    uint32_t users;                                                                   // who pan
    char layers[LOAD_LAYERS_MAX][LOAD_NAME_MAX];
    uint32_t layer_count;
    uint32_t zooms[2];      // least, most
    uint32_t columns, rows; // of a screen, in tiles
    uint32_t cache;         // enum load_cache
    bool with_workers;      // of /v1/live
};

struct load_scenario {
    char name[LOAD_NAME_MAX], description[256];
    uint64_t seed;
    double seconds, warmup_seconds;
    uint32_t timeout_ms;      // of a call
    double lateness_ms_max;   // see load_rate_offered in recorder.h
    double start_hour, speed; // of the city's day
    struct load_work works[LOAD_STREAMS_MAX];
    uint32_t work_count;
};

// GW_EINVAL: the text begins with `file` and says which work and key, and what to write.
// `scenario` is then not to be used.
GW_MUST_CHECK gw_err load_scenario_parse(const char *text, size_t size, const char *file,
                                         struct load_scenario *scenario, struct gw_error *error);
GW_MUST_CHECK gw_err load_scenario_read(const char *path, struct load_scenario *scenario,
                                        struct gw_error *error);

// As in a file: "locate_batch". As a result shows it: "LocateBatch", "GET /tiles".
const char *load_call_word(enum load_call call);
const char *load_call_label(enum load_call call);
// Calls with a request and an answer of their own over gRPC: what has an open and a closed loop.
bool load_call_is_unary(enum load_call call);
bool load_call_is_http(enum load_call call);

#endif
