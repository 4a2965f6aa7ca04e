#include "services/shard/queue.h"

#include "services/base/clock.h"

#include <time.h>

void queue_init(struct queue *queue, uint32_t count_max) {
    pthread_condattr_t attributes;
    *queue = (struct queue){.count_max = count_max};
    (void)pthread_mutex_init(&queue->mutex, NULL);
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&queue->arrived, &attributes);
    (void)pthread_condattr_destroy(&attributes);
}

void queue_deinit(struct queue *queue) {
    (void)pthread_cond_destroy(&queue->arrived);
    (void)pthread_mutex_destroy(&queue->mutex);
}

gw_err queue_put(struct queue *queue, struct command *command) {
    gw_err err = GW_OK;
    (void)pthread_mutex_lock(&queue->mutex);
    if (queue->closed) {
        err = GW_EUNAVAILABLE;
    } else if (queue->count == queue->count_max) {
        err = GW_ENOSPC;
    } else {
        command->next = NULL;
        if (queue->first == NULL) {
            queue->first = command;
            (void)pthread_cond_signal(&queue->arrived);
        } else {
            queue->last->next = command;
        }
        queue->last = command;
        queue->count++;
    }
    (void)pthread_mutex_unlock(&queue->mutex);
    return err;
}

struct command *queue_take(struct queue *queue) {
    (void)pthread_mutex_lock(&queue->mutex);
    struct command *first = queue->first;
    queue->first = queue->last = NULL;
    (void)pthread_mutex_unlock(&queue->mutex);
    return first;
}

void queue_finish(struct queue *queue, uint32_t count) {
    (void)pthread_mutex_lock(&queue->mutex);
    queue->count -= count;
    (void)pthread_mutex_unlock(&queue->mutex);
}

uint32_t queue_count(struct queue *queue) {
    (void)pthread_mutex_lock(&queue->mutex);
    uint32_t count = queue->count;
    (void)pthread_mutex_unlock(&queue->mutex);
    return count;
}

void queue_close(struct queue *queue) {
    (void)pthread_mutex_lock(&queue->mutex);
    queue->closed = true;
    (void)pthread_cond_broadcast(&queue->arrived);
    (void)pthread_mutex_unlock(&queue->mutex);
}

bool queue_closed(struct queue *queue) {
    (void)pthread_mutex_lock(&queue->mutex);
    bool closed = queue->closed;
    (void)pthread_mutex_unlock(&queue->mutex);
    return closed;
}

void queue_wait(struct queue *queue, int64_t wait_ms) {
    int64_t until_ns = gw_clock_monotonic_ns() + wait_ms * 1000000;
    struct timespec until = {(time_t)(until_ns / 1000000000), (long)(until_ns % 1000000000)};
    int timed_out = 0;
    (void)pthread_mutex_lock(&queue->mutex);
    while (queue->first == NULL && !queue->closed && timed_out == 0) {
        timed_out = pthread_cond_timedwait(&queue->arrived, &queue->mutex, &until);
    }
    (void)pthread_mutex_unlock(&queue->mutex);
}
