#include "services/shard/internal.h"

#include <string.h>

enum { STALE_ITEMS_MIN = 1024 }; // of a heap, before it is cleaned up

static bool is_on_desk(Gridwarden__V1__IncidentState state) {
    return state == GRIDWARDEN__V1__INCIDENT_STATE__INCIDENT_STATE_PLACE_UNKNOWN ||
           state == GRIDWARDEN__V1__INCIDENT_STATE__INCIDENT_STATE_AT_DESK;
}

static bool is_offered(Gridwarden__V1__IncidentState state) {
    return state == GRIDWARDEN__V1__INCIDENT_STATE__INCIDENT_STATE_OFFERED;
}

bool shard_state_is_unassigned(Gridwarden__V1__IncidentState state) {
    return is_on_desk(state) || is_offered(state);
}

void shard_count(struct gw_shard *shard, const Gridwarden__V1__Incident *before,
                 const Gridwarden__V1__Incident *after) {
    struct gw_shard_totals *totals = &shard->running;
    if (before != NULL) {
        totals->open_incidents--;
        totals->open_offers -= is_offered(before->state);
        totals->at_desks -= is_on_desk(before->state);
    }
    if (after != NULL) {
        totals->open_incidents++;
        totals->open_offers += is_offered(after->state);
        totals->at_desks += is_on_desk(after->state);
    }
}

static const Gridwarden__V1__Incident *incident_of(const struct gw_shard *shard,
                                                   const struct heap_item *item) {
    const Gridwarden__Store__V1__IncidentRecord *record = table_find(&shard->open, item->id);
    return record != NULL ? record->incident : NULL;
}

static bool timer_is_live(void *context, const struct heap_item *item) {
    const Gridwarden__V1__Incident *incident = incident_of(context, item);
    return incident != NULL && is_offered(incident->state) && incident->attempt == item->attempt;
}

static bool is_waiting(void *context, const struct heap_item *item) {
    const Gridwarden__V1__Incident *incident = incident_of(context, item);
    return incident != NULL && shard_state_is_unassigned(incident->state);
}

void shard_watch_times(struct gw_shard *shard, const Gridwarden__V1__Incident *incident) {
    struct heap_item item = {incident->answer_by_ms, incident->attempt, ""};
    memcpy(item.id, incident->id, sizeof(item.id));
    if (is_offered(incident->state)) {
        if (shard->timers.count > 2u * shard->running.open_offers + STALE_ITEMS_MIN) {
            heap_keep(&shard->timers, timer_is_live, shard);
        }
        heap_push(&shard->timers, &item);
    }
}

const struct heap_item *shard_next_timer(struct gw_shard *shard) {
    const struct heap_item *first = heap_first(&shard->timers);
    while (first != NULL && !timer_is_live(shard, first)) {
        heap_pop(&shard->timers);
        first = heap_first(&shard->timers);
    }
    return first;
}

void shard_watch_age(struct gw_shard *shard, const Gridwarden__V1__Incident *incident) {
    const struct gw_shard_totals *totals = &shard->running;
    struct heap_item item = {incident->reported_ms, 0, ""};
    memcpy(item.id, incident->id, sizeof(item.id));
    if (shard->unassigned.count >
        2u * ((size_t)totals->open_offers + totals->at_desks) + STALE_ITEMS_MIN) {
        heap_keep(&shard->unassigned, is_waiting, shard);
    }
    heap_push(&shard->unassigned, &item);
}

void shard_publish_totals(struct gw_shard *shard, int64_t now_ms) {
    const struct heap_item *oldest = heap_first(&shard->unassigned);
    while (oldest != NULL && !is_waiting(shard, oldest)) {
        heap_pop(&shard->unassigned); // once accepted, an incident never waits again
        oldest = heap_first(&shard->unassigned);
    }
    shard->running.oldest_unassigned_ms = oldest != NULL ? oldest->time_ms : 0;
    shard->running.sequence = shard->chain.sequence;
    shard->running.queued_commands = queue_count(&shard->queue);
    (void)pthread_mutex_lock(&shard->totals_mutex);
    shard->totals = shard->running;
    (void)pthread_mutex_unlock(&shard->totals_mutex);
    meters_totals(&shard->meters, &shard->running, now_ms);
}
