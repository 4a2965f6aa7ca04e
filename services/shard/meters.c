#include "services/shard/meters.h"

#include <stdio.h>

static const char *const outcome_names[OUTCOME_COUNT] = {
    [OUTCOME_DONE] = "done",
    [OUTCOME_REPEATED] = "repeated",
    [OUTCOME_REFUSED] = "refused",
    [OUTCOME_UNAVAILABLE] = "unavailable",
};

void meters_register(struct meters *meters, struct gw_metrics *metrics) {
    *meters = (struct meters){0};
    if (metrics == NULL) {
        return;
    }
    for (int kind = 0; kind < COMMAND_KIND_COUNT; kind++) {
        for (int outcome = 0; outcome < OUTCOME_COUNT; outcome++) {
            char labels[80];
            (void)snprintf(labels, sizeof(labels), "command=\"%s\",outcome=\"%s\"",
                           command_name(kind), outcome_names[outcome]);
            meters->commands[kind][outcome] =
                gw_metrics_counter(metrics, "gridwarden_commands_total", labels,
                                   "Commands by kind and by what became of them.");
        }
    }
    meters->entries = gw_metrics_counter(metrics, "gridwarden_log_entries_total", "",
                                         "Log entries made durable; each holds many commands.");
    meters->entry_bytes = gw_metrics_counter(metrics, "gridwarden_log_entry_bytes_total", "",
                                             "Bytes of log entries, about.");
    meters->commit = gw_metrics_histogram(metrics, "gridwarden_log_entry_commit_seconds", "",
                                          "Time to make an entry and its views durable.");
    meters->queued = gw_metrics_gauge(metrics, "gridwarden_queued_commands", "",
                                      "Commands that wait for the writer.");
    meters->open_incidents = gw_metrics_gauge(metrics, "gridwarden_open_incidents", "",
                                              "Incidents that are not closed.");
    meters->at_desks = gw_metrics_gauge(metrics, "gridwarden_incidents_at_desks", "",
                                        "Incidents on a duty desk, with or without a place.");
    meters->open_offers = gw_metrics_gauge(metrics, "gridwarden_open_offers", "",
                                           "Offers that no worker has answered yet.");
    meters->oldest_unassigned =
        gw_metrics_gauge(metrics, "gridwarden_oldest_unassigned_seconds", "",
                         "Age of the oldest incident that nobody has accepted; 0: none.");
}

void meters_count(struct meters *meters, int kind, enum outcome outcome) {
    gw_counter_add(meters->commands[kind][outcome], 1);
}

void meters_totals(struct meters *meters, const struct gw_shard_totals *totals, int64_t now_ms) {
    int64_t oldest_ms = totals->oldest_unassigned_ms;
    int64_t age_ms = oldest_ms > 0 && now_ms > oldest_ms ? now_ms - oldest_ms : 0;
    gw_gauge_set(meters->queued, (double)totals->queued_commands);
    gw_gauge_set(meters->open_incidents, (double)totals->open_incidents);
    gw_gauge_set(meters->at_desks, (double)totals->at_desks);
    gw_gauge_set(meters->open_offers, (double)totals->open_offers);
    gw_gauge_set(meters->oldest_unassigned, (double)age_ms / 1000.0);
}
