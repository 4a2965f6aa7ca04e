// A node: one data folder served by one process, from the first lock to the last drained call.
//
// It owns, in this order: the folder's lock, the store, the log, the published edition, the shard,
// the api, the gRPC server, and with HTTP the live picture, the tiles, the HTTP server. Stopping
// goes the other way round.
#ifndef GW_SERVICES_NODE_NODE_H
#define GW_SERVICES_NODE_NODE_H

#include "services/base/error.h"
#include "services/node/config.h"
#include <stdint.h>

#define GW_NODE_GRPC_LISTEN "127.0.0.1:7600" // the default addresses
#define GW_NODE_HTTP_LISTEN "127.0.0.1:7680"

struct gw_node;

struct gw_node_options {
    const char *data;               // the folder
    const char *grpc_listen;        // "127.0.0.1:7600", "unix:/path"
    const char *http_listen;        // NULL: no HTTP
    const char *web_root;           // the page's folder, read at start; NULL: no page
    const struct gw_config *config; // outlives the node
};

// Opens everything and serves. On error nothing is left open; the text says what to do.
GW_MUST_CHECK gw_err gw_node_start(const struct gw_node_options *options, struct gw_node **node,
                                   struct gw_error *error);

// Ends gracefully: refuses new calls, answers those in flight (up to grace_ms), syncs, unlocks.
void gw_node_stop(struct gw_node *node, int64_t grace_ms); // accepts NULL

int gw_node_grpc_port(const struct gw_node *node);
int gw_node_http_port(const struct gw_node *node); // 0 without HTTP

// `gridwarden serve`: starts a node, says where it listens, waits for SIGTERM or SIGINT, stops.
// Threads that
// it starts inherit the blocked signals. Returns the process's exit code.
int gw_node_serve(const struct gw_node_options *options);

#endif
