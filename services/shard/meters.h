// What is measured of a shard.
#ifndef GW_SERVICES_SHARD_METERS_H
#define GW_SERVICES_SHARD_METERS_H

#include "services/shard/command.h"

enum outcome {
    OUTCOME_DONE,
    OUTCOME_REPEATED,
    OUTCOME_REFUSED,
    OUTCOME_UNAVAILABLE,
    OUTCOME_COUNT
};

// All NULL: nothing is measured.
struct meters {
    struct gw_counter *entries, *entry_bytes;
    struct gw_counter *commands[COMMAND_KIND_COUNT][OUTCOME_COUNT];
    struct gw_histogram *commit;
    struct gw_gauge *queued, *open_incidents, *at_desks, *open_offers, *oldest_unassigned;
};

// `metrics` may be NULL.
void meters_register(struct meters *meters, struct gw_metrics *metrics);
void meters_count(struct meters *meters, int kind, enum outcome outcome);
void meters_totals(struct meters *meters, const struct gw_shard_totals *totals, int64_t now_ms);

#endif
