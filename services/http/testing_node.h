// A server for this room's tests, over the shard's bench (six grids, five workers) and the doubles.
#ifndef GW_SERVICES_HTTP_TESTING_NODE_H
#define GW_SERVICES_HTTP_TESTING_NODE_H

#include "services/http/http.h"
#include "services/http/testing_client.h"
#include "services/http/testing_doubles.h"
#include "services/shard/testing.h"

struct node {
    struct bench bench; // its shard's writer runs
    struct gw_tiles *tiles;
    struct gw_live *live;
    struct gw_metrics *metrics;
    struct gw_http_server *server;
    int port;
    char web[512]; // a folder with a small page
};

// `options`: what differs from the usual (config, map, seconds); may be NULL.
void node_open(struct node *node, const struct gw_http_options *options);
void node_close(struct node *node);

// Group fixtures: *state is a node.
int node_setup(void **state);
int node_setup_with_map(void **state); // with the host map.example.org and one raster source
int node_teardown(void **state);

#endif
