// The HTTP server: what operators and browsers read. A path is a row in a const table (http.c).
//
//   GET /metrics   the registry in Prometheus' text form
//   GET /healthz   200 while the process lives
//   GET /readyz    200 when it can do its work, else 503 with the reason
//
// HEAD as GET, without the body. Anything else is refused as JSON: {"error": {"code", "message"}}.
//
// Threads: one of its own, on which `ready` and the metrics' readers are called.
// Limits:  connections, idle time and header bytes are bounded; bodies of requests are not read.
#ifndef GW_SERVICES_HTTP_HTTP_H
#define GW_SERVICES_HTTP_HTTP_H

#include "services/base/error.h"
#include "services/base/metrics.h"

#define GW_HTTP_CONNECTIONS_MAX 64u
#define GW_HTTP_IDLE_SECONDS_MAX 10u
#define GW_HTTP_CONNECTION_BYTES_MAX 16384u // of a request's line and headers, and our answer's

struct gw_http_server;

struct gw_http_options {
    const char *listen; // "127.0.0.1:7680", "localhost:7680", "[::1]:7680"; port 0: any free
    struct gw_metrics *metrics; // outlives the server, which also adds its own
    // GW_OK: ready. Else why not, in the error's words, which anyone may read. NULL: always ready.
    gw_err (*ready)(void *context, struct gw_error *error);
    void *context;
};

// GW_EINVAL: not an address, or not a loopback one (there is no login yet). GW_EUNAVAILABLE: it is
// taken.
GW_MUST_CHECK gw_err gw_http_start(const struct gw_http_options *options,
                                   struct gw_http_server **server, struct gw_error *error);

// The port that was bound.
int gw_http_port(const struct gw_http_server *server);

// Ends answers under way, closes all connections. Accepts NULL.
void gw_http_stop(struct gw_http_server *server);

#endif
