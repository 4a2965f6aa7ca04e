// A thread for what takes too long for a loop: files are synced, read through and removed here.
//
// Chores are done one after the other, in the order in which they came.
#ifndef GW_SERVICES_API_CHORES_H
#define GW_SERVICES_API_CHORES_H

#include "services/base/error.h"
#include <stdint.h>

// Lies in what it belongs to; in one list at a time.
struct api_chore {
    struct api_chore *next;
    void (*run)(struct api_chore *chore); // may free it
};

struct api_chores;

// `tick`, about every tick_ms, runs on the thread as well.
GW_MUST_CHECK gw_err api_chores_create(void (*tick)(void *context), void *context, int64_t tick_ms,
                                       struct api_chores **chores, struct gw_error *error);
// Does what waits, then ends the thread. Accepts NULL.
void api_chores_destroy(struct api_chores *chores);

// From any thread. How many wait is bounded by those who put them in.
void api_chores_put(struct api_chores *chores, struct api_chore *chore);

#endif
