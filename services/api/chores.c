#include "services/api/chores.h"

#include "services/base/clock.h"
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct api_chores {
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct api_chore *first, *last;
    bool stop;
    void (*tick)(void *context);
    void *context;
    int64_t tick_ns;
};

// Waits until there is a chore, the end, or the time `until_ns` has come.
static void wait_locked(struct api_chores *chores, int64_t until_ns) {
    struct timespec until = {.tv_sec = (time_t)(until_ns / 1000000000),
                             .tv_nsec = (long)(until_ns % 1000000000)};
    int waited = 0;
    while (chores->first == NULL && !chores->stop && waited != ETIMEDOUT) {
        waited = pthread_cond_timedwait(&chores->changed, &chores->mutex, &until);
    }
}

static void *work(void *context) {
    struct api_chores *chores = context;
    int64_t tick_ns = gw_clock_monotonic_ns() + chores->tick_ns;
    bool over = false;
    while (!over) {
        (void)pthread_mutex_lock(&chores->mutex);
        wait_locked(chores, tick_ns);
        struct api_chore *chore = chores->first;
        if (chore != NULL) {
            chores->first = chore->next;
            chores->last = chores->first != NULL ? chores->last : NULL;
        }
        over = chores->stop && chore == NULL;
        (void)pthread_mutex_unlock(&chores->mutex);
        if (chore != NULL) {
            chore->run(chore);
        }
        if (gw_clock_monotonic_ns() >= tick_ns) {
            chores->tick(chores->context);
            tick_ns = gw_clock_monotonic_ns() + chores->tick_ns;
        }
    }
    return NULL;
}

gw_err api_chores_create(void (*tick)(void *context), void *context, int64_t tick_ms,
                         struct api_chores **out, struct gw_error *error) {
    struct api_chores *chores = calloc(1, sizeof(*chores));
    if (chores == NULL) {
        return gw_error_set(error, GW_ENOMEM, "not enough memory to start");
    }
    chores->tick = tick;
    chores->context = context;
    chores->tick_ns = tick_ms * 1000000;
    pthread_condattr_t attributes;
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&chores->changed, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    (void)pthread_mutex_init(&chores->mutex, NULL);
    int failed = pthread_create(&chores->thread, NULL, work, chores);
    if (failed != 0) {
        (void)pthread_cond_destroy(&chores->changed);
        (void)pthread_mutex_destroy(&chores->mutex);
        free(chores);
        return gw_error_set(error, GW_EUNAVAILABLE, "a thread for files could not start: %s",
                            strerror(failed));
    }
    *out = chores;
    return GW_OK;
}

void api_chores_destroy(struct api_chores *chores) {
    if (chores == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&chores->mutex);
    chores->stop = true;
    (void)pthread_cond_signal(&chores->changed);
    (void)pthread_mutex_unlock(&chores->mutex);
    (void)pthread_join(chores->thread, NULL);
    (void)pthread_cond_destroy(&chores->changed);
    (void)pthread_mutex_destroy(&chores->mutex);
    free(chores);
}

void api_chores_put(struct api_chores *chores, struct api_chore *chore) {
    chore->next = NULL;
    (void)pthread_mutex_lock(&chores->mutex);
    if (chores->last != NULL) {
        chores->last->next = chore;
    } else {
        chores->first = chore;
    }
    chores->last = chore;
    (void)pthread_cond_signal(&chores->changed);
    (void)pthread_mutex_unlock(&chores->mutex);
}
