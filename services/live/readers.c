// Readers: cursors on the ring, after a snapshot.
#include "services/live/internal.h"

#include <stdlib.h>
#include <string.h>

void live_signal_snapshot(struct gw_live *live) {
    (void)pthread_mutex_lock(&live->signal_mutex);
    live->snapshot_wanted = true;
    (void)pthread_cond_signal(&live->signal);
    (void)pthread_mutex_unlock(&live->signal_mutex);
}

// ---- under the mutex ----

static void let_parts_go(struct gw_live_reader *reader) {
    for (int i = 0; i < SNAPSHOT_PARTS; i++) {
        block_release(reader->parts[i]);
        reader->parts[i] = NULL;
    }
}

static bool in_snapshot(const struct gw_live_reader *reader) {
    return reader->parts[SNAPSHOT_READY] != NULL; // the last part
}

// Whether a new reader may begin with it: not much has happened since.
static bool is_recent(const struct gw_live *live) {
    const struct snapshot *snapshot = &live->snapshot;
    uint64_t most = snapshot->bytes / 4u;
    most = most < LIVE_EVENT_BYTES_MAX ? LIVE_EVENT_BYTES_MAX : most;
    most = most > live->ring.bytes_max / 4u ? live->ring.bytes_max / 4u : most;
    return snapshot->parts[SNAPSHOT_READY] != NULL && snapshot->n + 1u >= live->ring.first &&
           live->ring.bytes_ever - snapshot->bytes_ever <= most;
}

bool live_attach(struct gw_live *live, struct gw_live_reader *reader) {
    if (!is_recent(live)) {
        return false;
    }
    for (int i = 0; i < SNAPSHOT_PARTS; i++) {
        bool passed_over = i == SNAPSHOT_WORKERS && !reader->with_workers;
        reader->parts[i] = passed_over ? NULL : block_retain(live->snapshot.parts[i]);
    }
    reader->wants_snapshot = false;
    reader->offset = 0;
    reader->next = live->snapshot.n + 1u;
    if (live->snapshot.n < live->oldest_held) {
        live->oldest_held = live->snapshot.n;
    }
    return true;
}

void live_cut_off(struct gw_live *live) {
    uint64_t first = live->ring.first;
    if (live->oldest_held != UINT64_MAX && live->oldest_held + 1u < first) {
        live->oldest_held = UINT64_MAX;
        for (struct gw_live_reader *reader = live->readers; reader != NULL;
             reader = reader->next_reader) {
            if (!in_snapshot(reader)) {
                continue;
            }
            if (reader->next < first) {
                reader->lost = true;
                let_parts_go(reader);
            } else if (reader->next - 1u < live->oldest_held) {
                live->oldest_held = reader->next - 1u;
            }
        }
    }
    if (live->snapshot.n + 1u < first) {
        live_snapshot_release(&live->snapshot);
    }
}

// What the reader reads now; NULL: nothing is there. Sets `lost`.
static struct block *current(struct gw_live_reader *reader) {
    const struct ring *ring = &reader->live->ring;
    if (reader->wants_snapshot) {
        return NULL;
    }
    for (int i = 0; i < SNAPSHOT_PARTS; i++) {
        if (reader->parts[i] != NULL) {
            return reader->parts[i];
        }
    }
    struct block *event = ring_at(ring, reader->next);
    while (event != NULL && event->workers && !reader->with_workers) {
        event = ring_at(ring, ++reader->next);
    }
    reader->lost = reader->lost || reader->next < ring->first;
    return reader->lost ? NULL : event;
}

// `block` was read to its end.
static void advance(struct gw_live_reader *reader, const struct block *block) {
    reader->offset = 0;
    for (int i = 0; i < SNAPSHOT_PARTS; i++) {
        if (reader->parts[i] == block) {
            block_release(reader->parts[i]);
            reader->parts[i] = NULL;
            return;
        }
    }
    reader->next++;
}

void live_wake_readers(struct gw_live *live) {
    (void)pthread_mutex_lock(&live->mutex);
    for (struct gw_live_reader *reader = live->readers; reader != NULL;
         reader = reader->next_reader) {
        if (reader->waiting && (current(reader) != NULL || reader->lost)) {
            reader->waiting = false;
            reader->wake(reader->context);
        }
    }
    (void)pthread_mutex_unlock(&live->mutex);
}

// ---- the interface ----

// "<boot>-<n>" of this boot; n + 1 is what to go on with.
static bool parse_id(const struct gw_live *live, const char *id, uint64_t *next) {
    size_t boot = LIVE_BOOT_SIZE - 1u;
    if (strncmp(id, live->boot, boot) != 0 || id[boot] != '-' || id[boot + 1] == '\0') {
        return false;
    }
    uint64_t n = 0;
    for (const char *at = id + boot + 1; *at != '\0'; at++) {
        if (*at < '0' || *at > '9' || n > UINT64_MAX / 10u - 1u) {
            return false;
        }
        n = 10u * n + (uint64_t)(*at - '0');
    }
    *next = n + 1u;
    return true;
}

static void link_reader(struct gw_live *live, struct gw_live_reader *reader) {
    reader->next_reader = live->readers;
    reader->link = &live->readers;
    if (live->readers != NULL) {
        live->readers->link = &reader->next_reader;
    }
    live->readers = reader;
    live->reader_count++;
    gw_gauge_set(live->meters.readers, live->reader_count);
}

gw_err gw_live_open(struct gw_live *live, const char *last_event_id, bool with_workers,
                    void (*wake)(void *context), void *context, struct gw_live_reader **reader,
                    struct gw_error *error) {
    struct gw_live_reader *made = calloc(1, sizeof(*made));
    if (made == NULL) {
        return gw_error_set(error, GW_ENOMEM, "out of memory; try again later");
    }
    made->live = live;
    made->wake = wake;
    made->context = context;
    made->with_workers = with_workers;
    bool resumes = parse_id(live, last_event_id, &made->next);
    (void)pthread_mutex_lock(&live->mutex);
    if (live->reader_count >= GW_LIVE_READERS_MAX) {
        gw_counter_add(live->meters.refused, 1);
        (void)pthread_mutex_unlock(&live->mutex);
        free(made);
        return gw_error_set(error, GW_ENOSPC,
                            "%u clients follow the live stream already: try again "
                            "in a minute",
                            GW_LIVE_READERS_MAX);
    }
    resumes = resumes && made->next >= live->ring.first && made->next <= live->ring.next;
    made->wants_snapshot = !resumes && !live_attach(live, made);
    bool wants_snapshot = made->wants_snapshot;
    link_reader(live, made);
    (void)pthread_mutex_unlock(&live->mutex);
    if (wants_snapshot) {
        live_signal_snapshot(live);
    }
    *reader = made;
    return GW_OK;
}

gw_err gw_live_read(struct gw_live_reader *reader, char *out, size_t size, size_t *got) {
    struct gw_live *live = reader->live;
    *got = 0;
    (void)pthread_mutex_lock(&live->mutex);
    while (*got < size) {
        struct block *block = current(reader);
        if (block == NULL || reader->lost) {
            break;
        }
        size_t from = reader->offset, piece = block->size - from;
        piece = piece < size - *got ? piece : size - *got;
        // Others need not wait for the copying; and what is read stays meanwhile.
        (void)block_retain(block);
        (void)pthread_mutex_unlock(&live->mutex);
        memcpy(out + *got, block->text + from, piece);
        (void)pthread_mutex_lock(&live->mutex);
        *got += piece;
        if (!reader->lost) {
            reader->offset = from + piece;
            if (reader->offset == block->size) {
                advance(reader, block);
            }
        }
        block_release(block);
    }
    reader->waiting = *got == 0 && !reader->lost;
    gw_err err = *got == 0 && reader->lost ? GW_ERANGE : GW_OK;
    (void)pthread_mutex_unlock(&live->mutex);
    if (err != GW_OK) {
        gw_counter_add(live->meters.fell_behind, 1);
    }
    return err;
}

void gw_live_close(struct gw_live_reader *reader) {
    if (reader == NULL) {
        return;
    }
    struct gw_live *live = reader->live;
    (void)pthread_mutex_lock(&live->mutex);
    *reader->link = reader->next_reader;
    if (reader->next_reader != NULL) {
        reader->next_reader->link = reader->link;
    }
    live->reader_count--;
    gw_gauge_set(live->meters.readers, live->reader_count);
    (void)pthread_mutex_unlock(&live->mutex);
    let_parts_go(reader);
    free(reader);
}
