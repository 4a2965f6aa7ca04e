#include "services/http/deadlines.h"

#include "services/base/clock.h"
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#define LOOK_MS 250 // between two looks: how much later than its deadline a connection may end

struct http_deadlines {
    pthread_mutex_t mutex;
    pthread_cond_t ends;
    pthread_t thread;
    struct http_connection *first;
    atomic_uint count;
    atomic_ullong late;
    bool ending;
};

static void close_late(struct http_deadlines *deadlines, int64_t now_ns) {
    for (struct http_connection *at = deadlines->first; at != NULL; at = at->next) {
        if (atomic_load_explicit(&at->deadline_ns, memory_order_relaxed) < now_ns) {
            // The server's own thread then finds the connection closed and frees it.
            (void)shutdown(at->fd, SHUT_RDWR);
            atomic_store_explicit(&at->deadline_ns, HTTP_DEADLINE_NONE, memory_order_relaxed);
            atomic_fetch_add_explicit(&deadlines->late, 1, memory_order_relaxed);
        }
    }
}

static void *look(void *context) {
    struct http_deadlines *deadlines = context;
    (void)pthread_mutex_lock(&deadlines->mutex);
    while (!deadlines->ending) {
        struct timespec until;
        (void)clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += LOOK_MS * 1000000L;
        until.tv_sec += until.tv_nsec / 1000000000L;
        until.tv_nsec %= 1000000000L;
        (void)pthread_cond_timedwait(&deadlines->ends, &deadlines->mutex, &until);
        close_late(deadlines, gw_clock_monotonic_ns());
    }
    (void)pthread_mutex_unlock(&deadlines->mutex);
    return NULL;
}

struct http_deadlines *http_deadlines_create(void) {
    struct http_deadlines *deadlines = calloc(1, sizeof(*deadlines));
    if (deadlines == NULL) {
        return NULL;
    }
    pthread_condattr_t monotonic;
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_mutex_init(&deadlines->mutex, NULL);
    (void)pthread_cond_init(&deadlines->ends, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    if (pthread_create(&deadlines->thread, NULL, look, deadlines) != 0) {
        (void)pthread_cond_destroy(&deadlines->ends);
        (void)pthread_mutex_destroy(&deadlines->mutex);
        free(deadlines);
        return NULL;
    }
    return deadlines;
}

void http_deadlines_destroy(struct http_deadlines *deadlines) {
    if (deadlines == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&deadlines->mutex);
    deadlines->ending = true;
    (void)pthread_cond_broadcast(&deadlines->ends);
    (void)pthread_mutex_unlock(&deadlines->mutex);
    (void)pthread_join(deadlines->thread, NULL);
    (void)pthread_cond_destroy(&deadlines->ends);
    (void)pthread_mutex_destroy(&deadlines->mutex);
    free(deadlines);
}

struct http_connection *http_deadlines_add(struct http_deadlines *deadlines, int fd,
                                           int64_t deadline_ns) {
    struct http_connection *made = calloc(1, sizeof(*made));
    if (made == NULL) {
        return NULL;
    }
    made->fd = fd;
    atomic_init(&made->deadline_ns, deadline_ns);
    (void)pthread_mutex_lock(&deadlines->mutex);
    made->next = deadlines->first;
    made->previous = &deadlines->first;
    if (made->next != NULL) {
        made->next->previous = &made->next;
    }
    deadlines->first = made;
    (void)pthread_mutex_unlock(&deadlines->mutex);
    atomic_fetch_add(&deadlines->count, 1);
    return made;
}

void http_deadlines_remove(struct http_deadlines *deadlines, struct http_connection *connection) {
    if (connection == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&deadlines->mutex);
    *connection->previous = connection->next;
    if (connection->next != NULL) {
        connection->next->previous = connection->previous;
    }
    (void)pthread_mutex_unlock(&deadlines->mutex);
    atomic_fetch_sub(&deadlines->count, 1);
    free(connection);
}

uint32_t http_deadlines_count(struct http_deadlines *deadlines) {
    return atomic_load(&deadlines->count);
}

uint64_t http_deadlines_late(struct http_deadlines *deadlines) {
    return atomic_load(&deadlines->late);
}
