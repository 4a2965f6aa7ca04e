// The live picture of the city: what the map shows of this moment, and the stream of its changes.
//
// It follows the shard's feed (incidents) and looks at the workers' positions once a second; what
// changed becomes one event each in a bounded ring of Server-Sent Events text. A reader is a cursor
// on that ring: however many there are, an event is written once. A reader that falls out of the
// ring is closed, and comes back with Last-Event-ID or for a new snapshot.
//
//   event: snapshot   parts of what is now: {"incidents": [...]}, {"workers": [...]}; no id
//   event: ready      id; ends the snapshot: {"edition": N, "time_ms": T}; N 0: none yet
//   event: incident   id; one incident as it now is; state CLOSED: it is gone
//   event: workers    id; {"workers": [...]}: those that changed
//   event: edition    id; {"layer": "grid", "number": N}: tiles now show it
//   : heartbeat       every 15 s, with an id and without data, so that the id moves on in silence
//
// A worker is [id, lon, lat, on_duty, full_time, load, position_ms]; an incident {"id", "state",
// "class", "severity", "lon", "lat", "grid", "handler", "attempt", "reported_ms", "updated_ms",
// "version"}, lon and lat null while its place is unknown. An event has at most 256 KiB of text.
//
// An id is "<boot>-<n>"; one of another boot, or one that the ring has lost, starts a new snapshot,
// which replaces all that the client has; any other goes on with the next event, without snapshot
// and ready. One snapshot is made for all who come at about the same time.
// Nothing here names people: workers are ids, texts and addresses of incidents are left out.
//
// Threads: one inside that follows and writes; readers from any thread.
#ifndef GW_SERVICES_LIVE_LIVE_H
#define GW_SERVICES_LIVE_LIVE_H

#include "services/base/metrics.h"
#include "services/shard/shard.h"
#include "services/tiles/tiles.h"

#define GW_LIVE_RING_BYTES (16u << 20) // of events kept for cursors
#define GW_LIVE_READERS_MAX 10000u
#define GW_LIVE_TICK_MS 1000 // between two looks at the positions

struct gw_live;
struct gw_live_reader;

struct gw_live_options {
    struct gw_shard *shard;
    struct gw_metrics *metrics; // may be NULL
    int64_t tick_ms;            // 0: GW_LIVE_TICK_MS
    int64_t heartbeat_ms;       // 0: 15,000
    size_t ring_bytes;          // 0: GW_LIVE_RING_BYTES
};

// Reads the open incidents and starts the thread.
GW_MUST_CHECK gw_err gw_live_create(const struct gw_live_options *options, struct gw_live **live,
                                    struct gw_error *error);
void gw_live_destroy(struct gw_live *live); // accepts NULL; no reader is left

// For the tiles of incidents and workers; valid as long as `live`.
const struct gw_tile_points *gw_live_points(struct gw_live *live);
// Tiles are told of changed incidents and of editions from here on, and say when they show one. Set
// once after both are made, and to NULL before the tiles are destroyed, which use the points until
// then: so live is destroyed last, before the shard.
void gw_live_set_tiles(struct gw_live *live, struct gw_tiles *tiles);

// `last_event_id` "": from a snapshot on. `with_workers` false: incidents and editions alone. A
// first read comes at once; `wake` is called (from a thread inside; quick, not calling back) when
// there is something to read after a read of 0. GW_ENOSPC: too many readers.
GW_MUST_CHECK gw_err gw_live_open(struct gw_live *live, const char *last_event_id,
                                  bool with_workers, void (*wake)(void *context), void *context,
                                  struct gw_live_reader **reader, struct gw_error *error);
// Copies the next bytes of the stream, up to `size`, into out; *got 0: nothing now. GW_ERANGE: fell
// behind, the stream is to be closed. One thread at a time for each reader.
GW_MUST_CHECK gw_err gw_live_read(struct gw_live_reader *reader, char *out, size_t size,
                                  size_t *got);
void gw_live_close(struct gw_live_reader *reader); // accepts NULL; after it `wake` is not called

#endif
