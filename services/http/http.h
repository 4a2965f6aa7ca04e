// The HTTP server: what browsers, map clients and operators read; the page, tiles, live changes.
//
// A path is a row in a const table (routes.c); README.md lists them. HEAD as GET, without the body.
// What is refused is refused as JSON: {"error": {"code", "message"}}.
//
// Who may ask: tiles of borders, the style and questions about grids are for any website (CORS);
// whatever tells of people or incidents is for this node's own pages alone, and for programs. Host
// must then be a name of loopback (or of the configuration), so that no foreign name that resolves
// to this machine gets in.
//
// Threads: a pool of MHD's own, on which everything of the options is called; one that ends slow
//          requests. Requests that wait for a tile or for the log hold no thread.
// Limits:  connections, header bytes, body bytes, parts of a path, parameters, idle time, the time
//          that a request, its answer and a piece of a live feed may take; live feeds: three
//          quarters of the connections, and the readers of live.h.
#ifndef GW_SERVICES_HTTP_HTTP_H
#define GW_SERVICES_HTTP_HTTP_H

#include "services/base/error.h"
#include "services/base/metrics.h"
#include "services/grids/current.h"
#include "services/http/settings.h"
#include "services/incidents/policy.h"

#define GW_HTTP_IDLE_SECONDS_MAX 30u // without a byte either way
// From one answer to the whole of the next request; until a piece of a live feed is taken.
#define GW_HTTP_REQUEST_SECONDS_MAX 60u
#define GW_HTTP_ANSWER_SECONDS_MAX 300u      // until the client has taken an answer (not a feed)
#define GW_HTTP_CONNECTION_BYTES_MAX 16384u  // of a request's line and headers, and our answer's
#define GW_HTTP_BODY_BYTES_MAX 16384u        // of a POST
#define GW_HTTP_FILES_BYTES_MAX (256u << 20) // of the web folder, all files together
#define GW_HTTP_FILES_MAX 8192u

struct gw_http_server;
struct gw_shard;
struct gw_tiles;
struct gw_live;

// What is NULL is not served: its paths answer 503. What is given outlives the server.
struct gw_http_options {
    const char *listen; // "127.0.0.1:7680", "localhost:7680", "[::1]:7680"; port 0: any free
    struct gw_metrics *metrics; // must be there; the server also adds its own
    // GW_OK: ready. Else why not, in the error's words, which anyone may read. NULL: always ready.
    gw_err (*ready)(void *context, struct gw_error *error);
    void *context;

    struct gw_current *current;
    struct gw_shard *shard; // its writer thread runs, and is closed after this server
    struct gw_tiles *tiles;
    struct gw_live *live;
    const struct gw_policy *policy;      // classes of incidents
    const struct gw_map_config *map;     // copied; NULL: no raster sources
    const struct gw_http_config *config; // copied; NULL: the defaults
    const char *web_root; // the page's folder, read at start; NULL or not there: no page
    uint32_t idle_seconds, request_seconds; // 0: the limits above; for tests
};

// GW_EINVAL: not an address, or not a loopback one (there is no login yet). GW_EUNAVAILABLE: it is
// taken. GW_ENOSPC: the web folder is too large. Raises the process' limit of open files to what
// the connections need, as far as it may.
GW_MUST_CHECK gw_err gw_http_start(const struct gw_http_options *options,
                                   struct gw_http_server **server, struct gw_error *error);

// The port that was bound.
int gw_http_port(const struct gw_http_server *server);

// Ends live feeds, waits for answers that tiles and shard still owe (so both must still run),
// closes all connections. Accepts NULL.
void gw_http_stop(struct gw_http_server *server);

#endif
