// Events into the ring.
#include "services/base/diag.h"
#include "services/live/internal.h"

#include <inttypes.h>

// Without memory an event is lost. Nobody may go on as if it had never been: whoever is there, or
// comes back with an id, starts anew from a snapshot.
static void lose_event(struct gw_live *live) {
    gw_diag(GW_ERROR, NULL, "live event lost", "reason='out of memory'");
    (void)pthread_mutex_lock(&live->mutex);
    uint64_t next = live->ring.next + 1u;
    ring_deinit(&live->ring);
    live->ring.first = next;
    live->ring.next = next;
    live_snapshot_release(&live->snapshot);
    live_cut_off(live);
    (void)pthread_mutex_unlock(&live->mutex);
}

static void put_text(struct gw_live *live, bool workers) {
    struct block *event = live->text.failed ? NULL : block_create(live->text.data, live->text.size);
    if (event == NULL) {
        gw_buffer_free(&live->text);
        lose_event(live);
        return;
    }
    event->workers = workers;
    (void)pthread_mutex_lock(&live->mutex);
    uint32_t evicted = ring_put(&live->ring, event);
    if (evicted > 0) {
        live_cut_off(live);
    }
    gw_counter_add(live->meters.evicted, evicted);
    gw_gauge_set(live->meters.ring_bytes, (double)live->ring.bytes);
    (void)pthread_mutex_unlock(&live->mutex);
}

void live_emit(struct gw_live *live, const char *kind, bool workers) {
    gw_buffer_clear(&live->text);
    gw_buffer_format(&live->text, "event: %s\nid: %s-%" PRIu64 "\ndata: ", kind, live->boot,
                     live->ring.next);
    gw_buffer_append(&live->text, live->data.data, live->data.size);
    gw_buffer_text(&live->text, "\n\n");
    live->text.failed = live->text.failed || live->data.failed;
    if (live->data.failed) {
        gw_buffer_free(&live->data);
    }
    put_text(live, workers);
}

// An id without data: clients keep it and tell nobody.
void live_emit_heartbeat(struct gw_live *live) {
    gw_buffer_clear(&live->text);
    gw_buffer_format(&live->text, ": heartbeat\nid: %s-%" PRIu64 "\n\n", live->boot,
                     live->ring.next);
    put_text(live, false);
}

void live_emit_edition(struct gw_live *live, uint64_t edition) {
    gw_buffer_clear(&live->data);
    gw_buffer_format(&live->data, "{\"layer\":\"" GW_LAYER_RESPONSIBLE "\",\"number\":%" PRIu64 "}",
                     edition);
    live_emit(live, "edition", false);
    gw_counter_add(live->meters.edition_events, 1);
}

static void end_workers(struct gw_live *live) {
    gw_buffer_text(&live->data, "]}");
    live_emit(live, "workers", true);
    gw_counter_add(live->meters.worker_events, 1);
    gw_buffer_clear(&live->data);
}

void live_emit_workers(struct gw_live *live) {
    gw_buffer_clear(&live->data);
    uint32_t left = live->crew.changed_count;
    for (uint32_t i = 0; i < live->crew.count && left > 0; i++) {
        const struct crew_row *row = &live->crew.rows[i];
        if (!row->changed) {
            continue;
        }
        gw_buffer_text(&live->data, live->data.size == 0 ? "{\"workers\":[" : ",");
        stream_worker(&live->data, row);
        left--;
        if (live->data.size > LIVE_EVENT_BYTES_MAX - 1024u || left == 0) {
            end_workers(live);
        }
    }
}
