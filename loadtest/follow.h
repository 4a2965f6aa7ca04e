// Workers who do what they are offered: accept, start, resolve; the centre closes.
//
// A thread watches the assignments of the whole city; each new offer becomes a step that is due
// after a while, and each step that is done the next one. The whiles follow from the seed, the
// incident and the step. Offers that were open before the run are left alone.
#ifndef GW_LOADTEST_FOLLOW_H
#define GW_LOADTEST_FOLLOW_H

#include "loadtest/parts.h"

struct load_follow;

// `offered` is called on the follower's thread. NULL: no thread or no memory; the work's recorder
// has a failure then.
struct load_follow *load_follow_start(struct load_work_run *work,
                                      void (*offered)(void *context, const struct load_ask *ask),
                                      void *context);
void load_follow_stop(struct load_follow *follow); // joins; accepts NULL

// Turns a step that was done into the next one, and says after how long. False: that was the last.
bool load_follow_next(const struct load_work_run *work, struct load_ask *ask, double *seconds);

#endif
