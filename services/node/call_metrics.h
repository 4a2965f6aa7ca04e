// A histogram of durations for each method, and a counter for each way a call can end.
#ifndef GW_SERVICES_NODE_CALL_METRICS_H
#define GW_SERVICES_NODE_CALL_METRICS_H

#include "services/base/metrics.h"
#include "services/rpc/server.h"

struct gw_call_metrics;

// NULL: out of memory. `methods` outlives it.
struct gw_call_metrics *gw_call_metrics_create(struct gw_metrics *metrics,
                                               const struct gw_rpc_method methods[],
                                               size_t method_count);
void gw_call_metrics_destroy(struct gw_call_metrics *call_metrics); // accepts NULL

void gw_call_metrics_finished(struct gw_call_metrics *call_metrics,
                              const struct gw_rpc_finished *finished);

// "OK" .. "UNAUTHENTICATED"; "UNKNOWN" for a number that gRPC does not have.
const char *gw_call_status_name(int grpc_status);

#endif
