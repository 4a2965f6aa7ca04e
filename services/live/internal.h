// What the files of this room share. Private to services/live.
//
// Invariants:
//   1. The thread alone changes incidents, crew and ring; it reads them without a lock.
//   2. A snapshot shows exactly the events up to its n; its reader goes on with n + 1.
//   3. What a reader holds of a snapshot it loses when event n + 1 leaves the ring. A snapshot is
//      made only when the one before is a quarter of its size behind, so few are in memory.
//
// Locks: no two of `state`, `tiles_mutex`, `mutex` and `signal_mutex` are held together. The lock
// of the workers is taken within `state`, that of the tiles within `tiles_mutex`; readers are woken
// within `mutex`.
#ifndef GW_SERVICES_LIVE_INTERNAL_H
#define GW_SERVICES_LIVE_INTERNAL_H

#include "services/live/live.h"
#include "services/live/ring.h"
#include "services/live/stream_text.h"

#include <pthread.h>

#define LIVE_EVENT_BYTES_MAX (256u << 10)
#define LIVE_BOOT_SIZE 17u // hexadecimal digits and NUL

// Parts of a snapshot in their order; WORKERS is passed over by readers without workers.
enum snapshot_part { SNAPSHOT_INCIDENTS, SNAPSHOT_WORKERS, SNAPSHOT_READY, SNAPSHOT_PARTS };

struct snapshot {
    struct block *parts[SNAPSHOT_PARTS]; // all NULL: there is none
    uint64_t n;                          // of the last event that it shows
    uint64_t bytes_ever;                 // of the ring, then
    size_t bytes;
};

struct gw_live_reader {
    struct gw_live *live;
    struct gw_live_reader *next_reader, **link;
    void (*wake)(void *context);
    void *context;
    bool with_workers;
    bool waiting;                        // the last read gave nothing
    bool wants_snapshot;                 // which the thread is to make
    bool lost;                           // fell out of the ring
    struct block *parts[SNAPSHOT_PARTS]; // that are still to be read
    uint64_t next;                       // event, after the parts
    size_t offset;                       // within the part or event
};

struct live_meters {
    struct gw_gauge *readers, *ring_bytes, *incidents, *workers;
    struct gw_counter *incident_events, *worker_events, *edition_events, *evicted, *fell_behind,
        *snapshots, *refused;
    struct gw_histogram *look_seconds;
};

struct gw_live {
    struct gw_shard *shard;
    int64_t tick_ns, heartbeat_ns;
    struct live_meters meters;
    struct gw_tile_points points;
    struct gw_shard_subscription *subscription;
    pthread_t thread;
    bool started;
    char boot[LIVE_BOOT_SIZE];

    // Of the thread alone.
    uint64_t after; // the entry of the shard that was followed last
    uint64_t edition_told;
    struct gw_buffer data, text;

    pthread_rwlock_t state; // for writing: the thread; for reading: everyone else
    struct open_incidents incidents;
    struct crew crew;

    pthread_mutex_t tiles_mutex;
    struct gw_tiles *tiles;

    pthread_mutex_t mutex; // of the ring, the snapshot and the readers
    struct ring ring;
    struct snapshot snapshot; // the latest
    uint64_t oldest_held;     // the lowest n of a snapshot that a reader holds, or lower
    struct gw_live_reader *readers;
    uint32_t reader_count;

    pthread_mutex_t signal_mutex; // of what the thread is told
    pthread_cond_t signal;
    bool stop, feed_woken, snapshot_wanted;
    uint64_t edition_ready; // that tiles show, 0 before the first
};

// ---- follow.c ----

GW_MUST_CHECK gw_err live_list_open(struct gw_live *live, struct gw_error *error);
// Takes in what the shard's feed has; what fails is tried again with the next call.
void live_follow_feed(struct gw_live *live);
// Looks at the workers and tells what changed.
void live_look_at_workers(struct gw_live *live, bool tells);

// ---- emit.c: by the thread ----

// Puts an event of live->data in the ring.
void live_emit(struct gw_live *live, const char *kind, bool workers);
void live_emit_heartbeat(struct gw_live *live);
void live_emit_edition(struct gw_live *live, uint64_t edition);
void live_emit_workers(struct gw_live *live); // those of the crew that changed

// ---- snapshot.c ----

// Makes one for those who want it. By the thread.
void live_make_snapshot(struct gw_live *live);
void live_snapshot_release(struct snapshot *snapshot);

// ---- readers.c ----

void live_signal_snapshot(struct gw_live *live);
// Under the mutex: gives the latest snapshot to a reader. False: there is none that is recent.
bool live_attach(struct gw_live *live, struct gw_live_reader *reader);
void live_wake_readers(struct gw_live *live);
// Under the mutex, after events have left the ring.
void live_cut_off(struct gw_live *live);

#endif
