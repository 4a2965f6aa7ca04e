// What is now, made once for all who come at about the same time.
#include "services/base/clock.h"
#include "services/base/diag.h"
#include "services/live/internal.h"

#include <inttypes.h>
#include <string.h>

#define ROW_BYTES_MAX 1024u // more than any row takes

void live_snapshot_release(struct snapshot *snapshot) {
    for (int i = 0; i < SNAPSHOT_PARTS; i++) {
        block_release(snapshot->parts[i]);
    }
    memset(snapshot, 0, sizeof(*snapshot));
}

// Events of at most LIVE_EVENT_BYTES_MAX with rows of one kind.
struct part_writer {
    struct gw_buffer *out;
    const char *key; // "incidents"
    size_t begun;    // where the open event begins
    bool open;
};

// Before a row.
static void next_row(struct part_writer *writer) {
    struct gw_buffer *out = writer->out;
    if (writer->open && out->size - writer->begun > LIVE_EVENT_BYTES_MAX - ROW_BYTES_MAX) {
        gw_buffer_text(out, "]}\n\n");
        writer->open = false;
    }
    if (writer->open) {
        gw_buffer_text(out, ",");
        return;
    }
    writer->begun = out->size;
    writer->open = true;
    gw_buffer_format(out, "event: snapshot\ndata: {\"%s\":[", writer->key);
}

static struct block *take_text(struct gw_buffer *text) {
    struct block *block = text->failed ? NULL : block_create(text->data, text->size);
    gw_buffer_free(text);
    return block;
}

// Also of no incident at all, so that a snapshot has an event by which it begins.
static struct block *write_incidents(const struct open_incidents *incidents) {
    struct gw_buffer text = {0};
    struct part_writer writer = {&text, "incidents", 0, false};
    for (uint32_t i = 0; i < incidents->count; i++) {
        next_row(&writer);
        stream_incident(&text, &incidents->rows[i]);
    }
    gw_buffer_text(&text, writer.open ? "]}\n\n" : "event: snapshot\ndata: {\"incidents\":[]}\n\n");
    return take_text(&text);
}

static struct block *write_workers(const struct crew *crew) {
    struct gw_buffer text = {0};
    struct part_writer writer = {&text, "workers", 0, false};
    for (uint32_t i = 0; i < crew->count; i++) {
        if (crew->rows[i].shown) {
            next_row(&writer);
            stream_worker(&text, &crew->rows[i]);
        }
    }
    gw_buffer_text(&text, writer.open ? "]}\n\n" : "event: snapshot\ndata: {\"workers\":[]}\n\n");
    return take_text(&text);
}

static struct block *write_ready(const struct gw_live *live, uint64_t n) {
    struct gw_buffer text = {0};
    gw_buffer_format(&text,
                     "event: ready\nid: %s-%" PRIu64 "\ndata: {\"edition\":%" PRIu64
                     ",\"time_ms\":%" PRId64 "}\n\n",
                     live->boot, n, live->edition_told, gw_clock_wall_ms());
    return take_text(&text);
}

static bool make(struct gw_live *live, struct snapshot *snapshot) {
    *snapshot = (struct snapshot){.n = live->ring.next - 1u, .bytes_ever = live->ring.bytes_ever};
    snapshot->parts[SNAPSHOT_INCIDENTS] = write_incidents(&live->incidents);
    snapshot->parts[SNAPSHOT_WORKERS] = write_workers(&live->crew);
    snapshot->parts[SNAPSHOT_READY] = write_ready(live, snapshot->n);
    for (int i = 0; i < SNAPSHOT_PARTS; i++) {
        if (snapshot->parts[i] == NULL) {
            live_snapshot_release(snapshot);
            return false;
        }
        snapshot->bytes += snapshot->parts[i]->size;
    }
    return true;
}

void live_make_snapshot(struct gw_live *live) {
    struct snapshot snapshot;
    if (!make(live, &snapshot)) {
        gw_diag(GW_ERROR, NULL, "live snapshot not made", "reason='out of memory'");
        live_signal_snapshot(live); // and again
        return;
    }
    gw_counter_add(live->meters.snapshots, 1);
    (void)pthread_mutex_lock(&live->mutex);
    live_snapshot_release(&live->snapshot);
    live->snapshot = snapshot;
    for (struct gw_live_reader *reader = live->readers; reader != NULL;
         reader = reader->next_reader) {
        if (reader->wants_snapshot) {
            (void)live_attach(live, reader);
        }
    }
    (void)pthread_mutex_unlock(&live->mutex);
}
