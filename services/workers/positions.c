// Live positions: taken in message by message, and kept over a restart in a snapshot.
#include "services/workers/roster.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define REPORT_MAX 10000u
#define REPORT_BATCH 256u            // positions applied under one hold of the lock
#define AHEAD_MS_MAX 60000           // a clock may be this far ahead of ours
#define SNAPSHOT_MAGIC "GWPOS\0\0\1" // and the version
#define SNAPSHOT_HEAD 12u            // magic, count
#define SNAPSHOT_ROW 17u             // id's length, longitude, latitude, time; and the id's bytes

// ---- reports ----

// A checked position of a message.
struct fix {
    const char *worker_id;
    struct gw_point point;
    int64_t time_ms;
};

static gw_err check_point(const Gridwarden__V1__Point *point, const char *worker_id,
                          struct gw_point *out, struct gw_error *error) {
    gw_err err = gw_lattice_query(point->longitude, point->latitude, out);
    if (err == GW_OK) {
        return GW_OK;
    }
    bool longitude = !isfinite(point->longitude) || fabs(point->longitude) > 180.0;
    if (err == GW_EINVAL) { // not finite: name that one, even when the other is merely too large
        longitude = !isfinite(point->longitude);
    }
    return gw_error_set(error, err,
                        "worker \"%s\", position.point.%s %g: give degrees, -%d to %d; nothing of "
                        "the message was taken",
                        worker_id, longitude ? "longitude" : "latitude",
                        longitude ? point->longitude : point->latitude, longitude ? 180 : 90,
                        longitude ? 180 : 90);
}

static gw_err check_fix(const Gridwarden__V1__WorkerPosition *message, size_t i, int64_t now_ms,
                        struct fix *fix, struct gw_error *error) {
    if (!gw_text_printable(message->worker_id, GW_WORKER_ID_MAX)) {
        return gw_error_set(error, GW_EINVAL,
                            "positions[%zu].worker_id: an id has 1 to %u bytes of UTF-8 without "
                            "control characters; nothing of the message was taken",
                            i, GW_WORKER_ID_MAX);
    }
    const Gridwarden__V1__Position *position = message->position;
    if (position == NULL || position->point == NULL) {
        return gw_error_set(error, GW_EINVAL,
                            "worker \"%s\", position%s: missing; nothing of the message was taken",
                            message->worker_id, position == NULL ? "" : ".point");
    }
    if (position->time_ms < 0) {
        return gw_error_set(
            error, GW_EINVAL,
            "worker \"%s\", position.time_ms %lld: give milliseconds since 1970, or "
            "0 for now; nothing of the message was taken",
            message->worker_id, (long long)position->time_ms);
    }
    bool now = position->time_ms == 0 || position->time_ms > now_ms + AHEAD_MS_MAX;
    fix->worker_id = message->worker_id;
    fix->time_ms = now ? now_ms : position->time_ms;
    return check_point(position->point, message->worker_id, &fix->point, error);
}

enum outcome { APPLIED, STALE, UNKNOWN, FAILED };

// The caller holds the lock for writing.
static enum outcome apply(struct gw_workers *workers, const struct fix *fix) {
    uint32_t handle = gw_roster_find(workers, fix->worker_id);
    if (handle == GW_ROSTER_NONE) {
        return UNKNOWN;
    }
    struct gw_point known;
    struct gw_worker_bits bits;
    if (gw_worker_index_get(workers->index, handle, &known, &bits) && bits.time_ms > fix->time_ms) {
        return STALE;
    }
    const struct gw_roster_row *row = &workers->rows[handle];
    bits = (struct gw_worker_bits){row->skills, gw_roster_flags(row), fix->time_ms};
    return gw_worker_index_put(workers->index, handle, fix->point, bits) == GW_OK ? APPLIED
                                                                                  : FAILED;
}

// In batches, so that readers never wait for a whole message.
static gw_err apply_all(struct gw_workers *workers, const struct fix fixes[], size_t count,
                        uint64_t outcomes[]) {
    for (size_t i = 0; i < count;) {
        size_t end = count - i > REPORT_BATCH ? i + REPORT_BATCH : count;
        gw_workers_lock_write(workers);
        for (; i < end; i++) {
            outcomes[apply(workers, &fixes[i])]++;
        }
        gw_workers_unlock(workers);
    }
    return outcomes[FAILED] == 0 ? GW_OK : GW_ENOMEM;
}

gw_err gw_workers_report(struct gw_workers *workers,
                         const Gridwarden__V1__ReportPositionsRequest *request, int64_t now_ms,
                         Gridwarden__V1__ReportPositionsResponse *response,
                         struct gw_error *error) {
    if (request->n_positions > REPORT_MAX) {
        return gw_error_set(error, GW_EINVAL, "positions: give up to %u a message, not %zu",
                            REPORT_MAX, request->n_positions);
    }
    struct fix *fixes = malloc((request->n_positions + 1) * sizeof(*fixes));
    if (fixes == NULL) {
        return gw_error_set(error, GW_ENOMEM, "out of memory; try again later");
    }
    gw_err err = GW_OK;
    for (size_t i = 0; i < request->n_positions && err == GW_OK; i++) {
        err = check_fix(request->positions[i], i, now_ms, &fixes[i], error);
    }
    if (err == GW_OK) {
        uint64_t outcomes[FAILED + 1] = {0};
        err = apply_all(workers, fixes, request->n_positions, outcomes);
        if (err != GW_OK) {
            (void)gw_error_set(error, err,
                               "out of memory: not all positions were taken; report "
                               "them again later");
        }
        response->applied += outcomes[APPLIED];
        response->stale += outcomes[STALE];
        response->unknown += outcomes[UNKNOWN];
    }
    free(fixes);
    return err;
}

// ---- the snapshot ----

static unsigned char *write_number(unsigned char *at, uint64_t value, unsigned bytes) {
    for (unsigned i = 0; i < bytes; i++) {
        *at++ = (unsigned char)(value >> (8 * i));
    }
    return at;
}

static uint64_t read_number(const unsigned char *at, unsigned bytes) {
    uint64_t value = 0;
    for (unsigned i = 0; i < bytes; i++) {
        value |= (uint64_t)at[i] << (8 * i);
    }
    return value;
}

// Two's complement by arithmetic: the conversion of a large unsigned value is the compiler's
// choice.
static int64_t signed_number(uint64_t value, unsigned bytes) {
    uint64_t sign = UINT64_C(1) << (8 * bytes - 1);
    return (value & sign) != 0 ? (int64_t)(value - sign) - (int64_t)(sign - 1) - 1 : (int64_t)value;
}

gw_err gw_workers_snapshot(struct gw_workers *workers, unsigned char **bytes, size_t *size) {
    gw_workers_lock_read(workers);
    size_t rows = gw_worker_index_count(workers->index);
    unsigned char *out = malloc(SNAPSHOT_HEAD + rows * (SNAPSHOT_ROW + GW_WORKER_ID_MAX));
    unsigned char *at = out;
    if (out != NULL) {
        memcpy(at, SNAPSHOT_MAGIC, 8);
        at = write_number(at + 8, rows, 4);
        struct gw_order_place place = gw_order_seek(workers, "");
        for (uint32_t handle = gw_order_next(workers, &place); handle != GW_ROSTER_NONE;
             handle = gw_order_next(workers, &place)) {
            struct gw_point point;
            struct gw_worker_bits bits;
            if (!gw_worker_index_get(workers->index, handle, &point, &bits)) {
                continue;
            }
            const char *id = gw_roster_id(workers, handle);
            size_t length = strnlen(id, GW_WORKER_ID_MAX);
            at = write_number(at, length, 1);
            at = write_number(at, (uint64_t)(int64_t)point.lon, 4);
            at = write_number(at, (uint64_t)(int64_t)point.lat, 4);
            at = write_number(at, (uint64_t)bits.time_ms, 8);
            memcpy(at, id, length);
            at += length;
        }
        *bytes = out;
        *size = (size_t)(at - out);
    }
    gw_workers_unlock(workers);
    return out != NULL ? GW_OK : GW_ENOMEM;
}

// Reads one row; returns what follows it, or NULL when the bytes are not a row. `id` has room for
// GW_WORKER_ID_MAX + 1.
static const unsigned char *read_row(const unsigned char *at, const unsigned char *end,
                                     struct fix *fix, char *id) {
    if ((size_t)(end - at) < SNAPSHOT_ROW) {
        return NULL;
    }
    size_t length = at[0];
    fix->point.lon = (int32_t)signed_number(read_number(at + 1, 4), 4);
    fix->point.lat = (int32_t)signed_number(read_number(at + 5, 4), 4);
    fix->time_ms = signed_number(read_number(at + 9, 8), 8);
    at += SNAPSHOT_ROW;
    if (length == 0 || length > GW_WORKER_ID_MAX || (size_t)(end - at) < length ||
        memchr(at, 0, length) != NULL || !gw_point_valid(fix->point) || fix->time_ms < 0) {
        return NULL;
    }
    memcpy(id, at, length);
    id[length] = '\0';
    fix->worker_id = id;
    return at + length;
}

// Goes through all rows; applies them, or only looks whether they are whole.
static gw_err read_rows(struct gw_workers *workers, const unsigned char *at,
                        const unsigned char *end, uint64_t rows, bool applies) {
    char id[GW_WORKER_ID_MAX + 1];
    struct fix fix;
    bool failed = false;
    for (uint64_t i = 0; i < rows; i++) {
        at = read_row(at, end, &fix, id);
        if (at == NULL) {
            return GW_ECORRUPT;
        }
        failed = failed || (applies && apply(workers, &fix) == FAILED);
    }
    return at != end ? GW_ECORRUPT : failed ? GW_ENOMEM : GW_OK;
}

gw_err gw_workers_snapshot_load(struct gw_workers *workers, const void *bytes, size_t size) {
    const unsigned char *at = bytes;
    if (size < SNAPSHOT_HEAD || memcmp(at, SNAPSHOT_MAGIC, 8) != 0) {
        return GW_ECORRUPT;
    }
    const unsigned char *end = at + size;
    uint64_t rows = read_number(at + 8, 4);
    gw_err err = read_rows(workers, at + SNAPSHOT_HEAD, end, rows, false);
    if (err == GW_OK) {
        gw_workers_lock_write(workers);
        err = read_rows(workers, at + SNAPSHOT_HEAD, end, rows, true);
        gw_workers_unlock(workers);
    }
    return err;
}
