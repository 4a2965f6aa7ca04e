// The gRPC services: decode, ask the domain, encode.
//
// A method is a row of gw_api_methods (methods.c); its handler lies in the file of its service.
// Writes
// are handed to the shard and answered when they are durable; reads are answered at once.
//
// Threads: handlers run on the loop threads of services/rpc and do not block.
#ifndef GW_SERVICES_API_API_H
#define GW_SERVICES_API_API_H

#include "services/grids/current.h"
#include "services/incidents/policy.h"
#include "services/rpc/server.h"
#include "services/shard/shard.h"

#define GW_API_BATCH_POINTS_MAX 100000u
#define GW_API_PAGE_DEFAULT 100u
#define GW_API_PAGE_MAX 1000u

struct gw_api;

struct gw_api_options {
    struct gw_shard *shard;
    struct gw_store *store;     // for the list of editions
    struct gw_current *current; // the published edition of the responsible layer
    const char *data;           // the data folder, where uploaded editions go
    int64_t heartbeat_ms;       // between the heartbeats of a quiet watch; 0: 15,000
    int64_t upload_idle_ms;     // an upload that is silent for so long is ended; 0: 60,000
};

// Everything in the options outlives the api.
GW_MUST_CHECK gw_err gw_api_create(const struct gw_api_options *options, struct gw_api **api,
                                   struct gw_error *error);
// After the server has been drained: no call is left. Waits for the shard's answers to uploads.
void gw_api_destroy(struct gw_api *api); // accepts NULL

// The table for gw_rpc_server_start; its context is the struct gw_api.
extern const struct gw_rpc_method gw_api_methods[];
extern const size_t gw_api_method_count;

#endif
