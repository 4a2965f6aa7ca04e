// The workers as the map showed them last: what a look at the positions is compared with. Private
// to services/live. No locks.
#ifndef GW_SERVICES_LIVE_CREW_H
#define GW_SERVICES_LIVE_CREW_H

#include "services/workers/workers.h"

struct crew_row {
    char id[GW_WORKER_ID_MAX + 1];
    bool shown;   // has a position
    bool changed; // since crew_settle
    bool on_duty, full_time;
    uint32_t load;
    struct gw_point point;
    int64_t time_ms;
};

struct crew {
    struct crew_row *rows; // by handle
    uint32_t count, capacity;
    uint32_t changed_count;
};

void crew_deinit(struct crew *crew);

// Looks at the workers and marks the rows that are not as they were. GW_ENOMEM: some new ones were
// not taken; the next look takes them.
GW_MUST_CHECK gw_err crew_look(struct crew *crew, struct gw_workers *workers);
// What was marked has been told.
void crew_settle(struct crew *crew);

#endif
