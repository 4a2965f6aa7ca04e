// A line for each call: which method, how it ended, how long it took, whose trace it was. Nothing
// that a client wrote is in it but the trace id, which is hexadecimal.
//
// Every call is shown at debug level. Those that ended because of us (INTERNAL, DATA_LOSS,
// UNAVAILABLE, RESOURCE_EXHAUSTED) are warnings: GW_CALL_LOG_WARNINGS_MAX a second at most, and the
// first one after that says how many were left out.
#ifndef GW_SERVICES_NODE_CALL_LOG_H
#define GW_SERVICES_NODE_CALL_LOG_H

#include "services/rpc/server.h"
#include <pthread.h>

#define GW_CALL_LOG_WARNINGS_MAX 10u

struct gw_call_log {
    pthread_mutex_t mutex; // of what follows
    int64_t second_ns;     // when the second began that is being counted
    uint32_t shown;        // warnings in it
    uint64_t left_out;     // since the last one that was shown
};

void gw_call_log_init(struct gw_call_log *log);
void gw_call_log_deinit(struct gw_call_log *log);

// From any thread. `now_ns` is of the monotonic clock.
void gw_call_log_finished(struct gw_call_log *log, const struct gw_rpc_finished *finished,
                          int64_t now_ns);

#endif
