#include "services/grids/current.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

// An edition with the number of those who hold it; the one of now is held by gw_current as well.
struct held {
    struct held *next; // among the replaced ones
    struct gw_edition *edition;
    uint64_t holders;
};

struct gw_current {
    pthread_mutex_t mutex;
    struct held *now;
    struct held *replaced; // that some reader still holds: a few at most, newest first
};

static struct held *hold(struct gw_edition *edition) {
    struct held *held = malloc(sizeof(*held));
    if (held == NULL) {
        gw_edition_close(edition);
        return NULL;
    }
    *held = (struct held){NULL, edition, 1};
    return held;
}

static void close_held(struct held *held) {
    gw_edition_close(held->edition);
    free(held);
}

static void lock(struct gw_current *current) {
    int err = pthread_mutex_lock(&current->mutex);
    assert(err == 0);
    (void)err;
}

static void unlock(struct gw_current *current) {
    int err = pthread_mutex_unlock(&current->mutex);
    assert(err == 0);
    (void)err;
}

struct gw_current *gw_current_create(struct gw_edition *edition) {
    struct held *now = hold(edition);
    if (now == NULL) {
        return NULL;
    }
    struct gw_current *current = calloc(1, sizeof(*current));
    if (current == NULL || pthread_mutex_init(&current->mutex, NULL) != 0) {
        free(current);
        close_held(now);
        return NULL;
    }
    current->now = now;
    return current;
}

void gw_current_destroy(struct gw_current *current) {
    if (current == NULL) {
        return;
    }
    assert(current->replaced == NULL && current->now->holders == 1);
    close_held(current->now);
    (void)pthread_mutex_destroy(&current->mutex);
    free(current);
}

const struct gw_edition *gw_current_take(struct gw_current *current) {
    lock(current);
    current->now->holders++;
    const struct gw_edition *edition = current->now->edition;
    unlock(current);
    return edition;
}

void gw_current_release(struct gw_current *current, const struct gw_edition *edition) {
    lock(current);
    struct held **at = &current->now;
    if (current->now->edition != edition) {
        at = &current->replaced;
        while (*at != NULL && (*at)->edition != edition) {
            at = &(*at)->next;
        }
        assert(*at != NULL); // given back more often than taken
    }
    struct held *held = *at;
    bool last = --held->holders == 0;
    if (last) {
        assert(held != current->now);
        *at = held->next;
    }
    unlock(current);
    if (last) {
        close_held(held); // unmapping may take long, so beyond the lock
    }
}

gw_err gw_current_replace(struct gw_current *current, struct gw_edition *edition) {
    struct held *now = hold(edition);
    if (now == NULL) {
        return GW_ENOMEM;
    }
    lock(current);
    struct held *before = current->now;
    current->now = now;
    bool last = --before->holders == 0;
    if (!last) {
        before->next = current->replaced;
        current->replaced = before;
    }
    unlock(current);
    if (last) {
        close_held(before);
    }
    return GW_OK;
}
