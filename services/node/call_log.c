#include "services/node/call_log.h"

#include "services/base/diag.h"
#include "services/node/call_metrics.h"
#include <inttypes.h>

#define SECOND_NS INT64_C(1000000000)

// gRPC's numbers.
enum { RESOURCE_EXHAUSTED = 8, INTERNAL = 13, UNAVAILABLE = 14, DATA_LOSS = 15 };

void gw_call_log_init(struct gw_call_log *log) {
    *log = (struct gw_call_log){.shown = 0};
    (void)pthread_mutex_init(&log->mutex, NULL);
}

void gw_call_log_deinit(struct gw_call_log *log) {
    (void)pthread_mutex_destroy(&log->mutex);
}

static bool is_ours(int status) {
    return status == RESOURCE_EXHAUSTED || status == INTERNAL || status == UNAVAILABLE ||
           status == DATA_LOSS;
}

// Whether one more warning may be shown now; *left_out: how many were not, since the last one.
static bool may_warn(struct gw_call_log *log, int64_t now_ns, uint64_t *left_out) {
    (void)pthread_mutex_lock(&log->mutex);
    if (log->shown == 0 || now_ns - log->second_ns >= SECOND_NS) {
        log->second_ns = now_ns;
        log->shown = 0;
    }
    bool may = log->shown < GW_CALL_LOG_WARNINGS_MAX;
    *left_out = log->left_out;
    log->shown += may ? 1 : 0;
    log->left_out = may ? 0 : log->left_out + 1;
    (void)pthread_mutex_unlock(&log->mutex);
    return may;
}

void gw_call_log_finished(struct gw_call_log *log, const struct gw_rpc_finished *finished,
                          int64_t now_ns) {
    uint64_t left_out = 0;
    bool warns = is_ours(finished->grpc_status) && may_warn(log, now_ns, &left_out);
    // The path of a method that nobody serves is the client's text, so it stays out.
    const char *method = finished->method != NULL ? finished->method->path + 1 : "unregistered";
    const char *code = gw_call_status_name(finished->grpc_status);
    int64_t us = finished->duration_ns / 1000;
    if (warns) {
        gw_diag(GW_WARNING, finished->trace_id, "call failed",
                "method=%s code=%s ms=%" PRId64 ".%03d left_out=%" PRIu64, method, code, us / 1000,
                (int)(us % 1000), left_out);
    } else {
        gw_diag(GW_DEBUG, finished->trace_id, "call", "method=%s code=%s ms=%" PRId64 ".%03d",
                method, code, us / 1000, (int)(us % 1000));
    }
}
