// The gRPC services: decode, ask the domain, encode.
//
// A method is a row of gw_api_methods (methods.c); its handler lies in the file of its service.
// Writes
// are handed to the shard and answered when they are durable; reads are answered at once.
//
// Threads: handlers run on the loop threads of services/rpc and do not block.
#ifndef GW_SERVICES_API_API_H
#define GW_SERVICES_API_API_H

#include "services/grids/edition.h"
#include "services/incidents/policy.h"
#include "services/rpc/server.h"
#include "services/shard/shard.h"

#define GW_API_BATCH_POINTS_MAX 100000u
#define GW_API_PAGE_DEFAULT 100u
#define GW_API_PAGE_MAX 1000u

struct gw_api;

struct gw_api_options {
    struct gw_shard *shard;
    struct gw_store *store;           // for the list of editions
    const struct gw_edition *edition; // of the responsible layer
    int64_t heartbeat_ms;             // between the heartbeats of a quiet watch; 0: 15,000
};

// Everything in the options outlives the api.
GW_MUST_CHECK gw_err gw_api_create(const struct gw_api_options *options, struct gw_api **api,
                                   struct gw_error *error);
// After the server has been drained: no call is left.
void gw_api_destroy(struct gw_api *api); // accepts NULL

// The table for gw_rpc_server_start; its context is the struct gw_api.
extern const struct gw_rpc_method gw_api_methods[];
extern const size_t gw_api_method_count;

#endif
