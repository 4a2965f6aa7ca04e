// Commands on their way to the writer: many threads put, one takes all. Bounded.
#ifndef GW_SERVICES_SHARD_QUEUE_H
#define GW_SERVICES_SHARD_QUEUE_H

#include "services/shard/command.h"

#include <pthread.h>

struct queue {
    pthread_mutex_t mutex;
    pthread_cond_t arrived;
    struct command *first, *last; // in order of arrival
    uint32_t count;               // those taken and not yet finished included
    uint32_t count_max;
    bool closed;
};

void queue_init(struct queue *queue, uint32_t count_max);
void queue_deinit(struct queue *queue); // must be empty

// GW_ENOSPC: full. GW_EUNAVAILABLE: closed. Takes ownership of the command only when GW_OK.
GW_MUST_CHECK gw_err queue_put(struct queue *queue, struct command *command);
// All that wait, as a list in order; NULL: none. Each is to be counted off by queue_finish.
struct command *queue_take(struct queue *queue);
void queue_finish(struct queue *queue, uint32_t count);
uint32_t queue_count(struct queue *queue);

// From now on queue_put refuses.
void queue_close(struct queue *queue);
bool queue_closed(struct queue *queue);
// Waits until something has arrived, the queue is closed, or so much time has passed.
void queue_wait(struct queue *queue, int64_t wait_ms);

#endif
