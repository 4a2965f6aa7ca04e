#include "services/node/call_metrics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STATUS_COUNT 17 // gRPC's status codes

static const char *const status_names[STATUS_COUNT] = {
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
};

struct gw_call_metrics {
    const struct gw_rpc_method *methods;
    size_t method_count;
    struct gw_counter *ends[STATUS_COUNT];
    struct gw_histogram *durations[]; // [method_count]
};

struct gw_call_metrics *gw_call_metrics_create(struct gw_metrics *metrics,
                                               const struct gw_rpc_method methods[],
                                               size_t method_count) {
    struct gw_call_metrics *call_metrics =
        calloc(1, sizeof(*call_metrics) + method_count * sizeof(call_metrics->durations[0]));
    if (call_metrics == NULL) {
        return NULL;
    }
    call_metrics->methods = methods;
    call_metrics->method_count = method_count;
    for (size_t i = 0; i < method_count; i++) {
        char labels[160];
        (void)snprintf(labels, sizeof(labels), "method=\"%s\"", methods[i].path + 1);
        call_metrics->durations[i] = gw_metrics_histogram(
            metrics, "gridwarden_rpc_duration_seconds", labels,
            "How long calls took, by method; of streams, how long they lasted.");
    }
    for (int status = 0; status < STATUS_COUNT; status++) {
        char labels[64];
        (void)snprintf(labels, sizeof(labels), "code=\"%s\"", status_names[status]);
        call_metrics->ends[status] = gw_metrics_counter(metrics, "gridwarden_rpc_calls_total",
                                                        labels, "Calls that ended, by status.");
    }
    return call_metrics;
}

void gw_call_metrics_destroy(struct gw_call_metrics *call_metrics) {
    free(call_metrics);
}

const char *gw_call_status_name(int grpc_status) {
    return status_names[grpc_status >= 0 && grpc_status < STATUS_COUNT ? grpc_status : 2];
}

void gw_call_metrics_finished(struct gw_call_metrics *call_metrics,
                              const struct gw_rpc_finished *finished) {
    const struct gw_rpc_method *method = finished->method;
    int status = finished->grpc_status;
    if (status >= 0 && status < STATUS_COUNT) {
        gw_counter_add(call_metrics->ends[status], 1);
    }
    if (method >= call_metrics->methods &&
        method < call_metrics->methods + call_metrics->method_count) { // not health, not unknown
        gw_histogram_observe_ns(call_metrics->durations[method - call_metrics->methods],
                                finished->duration_ns);
    }
}
