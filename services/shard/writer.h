// The writer's work: one entry at a time from due timers and waiting commands.
#ifndef GW_SERVICES_SHARD_WRITER_H
#define GW_SERVICES_SHARD_WRITER_H

#include "services/shard/internal.h"

// As gw_shard_step.
uint32_t writer_step(struct gw_shard *shard);
// Steps until the queue is closed and empty.
void writer_run(struct gw_shard *shard);
// Stores the positions of workers, if they are others than those stored last.
void writer_snapshot(struct gw_shard *shard);

#endif
