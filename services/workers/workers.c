#include "services/workers/workers.h"

#include "services/workers/roster.h"
#include <assert.h>
#include <stdlib.h>

void gw_workers_lock_read(struct gw_workers *workers) {
    int err = pthread_rwlock_rdlock(&workers->lock);
    assert(err == 0);
    (void)err;
}

void gw_workers_lock_write(struct gw_workers *workers) {
    int err = pthread_rwlock_wrlock(&workers->lock);
    assert(err == 0);
    (void)err;
}

void gw_workers_unlock(struct gw_workers *workers) {
    int err = pthread_rwlock_unlock(&workers->lock);
    assert(err == 0);
    (void)err;
}

// Readers come all the time; the default kind of lock would let them keep the writer out.
static bool lock_init(pthread_rwlock_t *lock) {
    pthread_rwlockattr_t kind;
    if (pthread_rwlockattr_init(&kind) != 0) {
        return false;
    }
    bool ok =
        pthread_rwlockattr_setkind_np(&kind, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP) == 0 &&
        pthread_rwlock_init(lock, &kind) == 0;
    (void)pthread_rwlockattr_destroy(&kind);
    return ok;
}

struct gw_workers *gw_workers_create(const struct gw_edition *edition) {
    struct gw_workers *workers = calloc(1, sizeof(*workers));
    if (workers == NULL) {
        return NULL;
    }
    workers->edition = edition;
    workers->grid_count = gw_edition_grid_count(edition);
    workers->area_count = gw_edition_area_count(edition);
    workers->index = gw_worker_index_create();
    workers->rosters = gw_rosters_create(edition);
    if (workers->index == NULL || workers->rosters == NULL || !lock_init(&workers->lock)) {
        gw_worker_index_destroy(workers->index);
        gw_rosters_destroy(edition, workers->rosters);
        free(workers);
        return NULL;
    }
    return workers;
}

static void free_row(struct gw_roster_row *row) {
    gridwarden__v1__worker__free_unpacked(row->message, NULL);
    free(row->homes);
    for (uint32_t i = 0; i < row->reservation_count; i++) {
        free(row->reservations[i].incident_id);
    }
    free(row->reservations);
}

void gw_workers_destroy(struct gw_workers *workers) {
    if (workers == NULL) {
        return;
    }
    for (uint32_t i = 0; i < workers->count; i++) {
        free_row(&workers->rows[i]);
    }
    gw_rosters_destroy(workers->edition, workers->rosters);
    gw_order_deinit(workers);
    gw_worker_index_destroy(workers->index);
    (void)pthread_rwlock_destroy(&workers->lock);
    free(workers->rows);
    free(workers->table);
    free(workers);
}
