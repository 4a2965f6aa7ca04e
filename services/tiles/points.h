// Where the points of the live layers come from: an interface, so that tiles know nothing of live.
#ifndef GW_SERVICES_TILES_POINTS_H
#define GW_SERVICES_TILES_POINTS_H

#include "geo/lattice.h"
#include <stdint.h>

// An incident that is not closed. Strings are valid during the visit alone.
struct gw_tile_incident {
    const char *id, *state, *class_code, *grid_code, *handler;
    uint32_t severity;
    int64_t reported_ms;
    struct gw_point point;
};

struct gw_tile_worker {
    const char *id;
    bool on_duty, full_time;
    uint32_t load;
    int64_t position_ms;
    struct gw_point point;
};

struct gw_tile_points {
    // Visits those within the closed box.
    void (*incidents)(void *context, struct gw_box box,
                      void (*visit)(void *visitor, const struct gw_tile_incident *incident),
                      void *visitor);
    void (*workers)(void *context, struct gw_box box,
                    void (*visit)(void *visitor, const struct gw_tile_worker *worker),
                    void *visitor);
    void *context;
};

#endif
