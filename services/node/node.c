#include "services/node/node.h"

#include "services/api/api.h"
#include "services/base/clock.h"
#include "services/base/datadir.h"
#include "services/base/diag.h"
#include "services/base/metrics.h"
#include "services/grids/editions.h"
#include "services/grids/intake.h"
#include "services/http/http.h"
#include "services/live/live.h"
#include "services/log/log.h"
#include "services/node/call_log.h"
#include "services/node/call_metrics.h"
#include "services/rpc/server.h"
#include "services/shard/shard.h"
#include "services/tiles/tiles.h"
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DRAIN_MS 10000
#define RPC_LOOPS 2 // so that a long list does not hold up every other call

struct gw_node {
    struct gw_datadir dir;
    const struct gw_config *config;
    struct gw_metrics *metrics;
    struct gw_call_metrics *call_metrics;
    struct gw_call_log call_log;
    struct gw_store *store;
    struct gw_log *log;
    struct gw_current *current;
    struct gw_shard *shard;
    struct gw_api *api;
    struct gw_rpc_server *rpc;
    pthread_mutex_t rpc_mutex;           // of `counted`
    const struct gw_rpc_server *counted; // whose calls are shown; NULL once it is being drained
    struct gw_live *live;
    struct gw_tiles *tiles;
    struct gw_http_server *http;
    atomic_bool draining;
};

// --- metrics that somebody else keeps ---

// What is told of the published edition.
struct edition_facts {
    uint64_t number, index_bytes;
    uint32_t grids;
};

static struct edition_facts read_facts(struct gw_node *node) {
    const struct gw_edition *edition = gw_current_take(node->current);
    struct edition_facts facts = {gw_edition_number(edition), gw_edition_index(edition)->size,
                                  gw_edition_grid_count(edition)};
    gw_current_release(node->current, edition);
    return facts;
}

static double read_grids(void *context) {
    return read_facts(context).grids;
}

static double read_edition(void *context) {
    return (double)read_facts(context).number;
}

static double read_index_bytes(void *context) {
    return (double)read_facts(context).index_bytes;
}

static double read_workers(void *context) {
    struct gw_workers_totals totals;
    gw_workers_totals(gw_shard_workers(((struct gw_node *)context)->shard), &totals);
    return totals.workers;
}

static double read_workers_on_duty(void *context) {
    struct gw_workers_totals totals;
    gw_workers_totals(gw_shard_workers(((struct gw_node *)context)->shard), &totals);
    return totals.on_duty;
}

static double read_positions(void *context) {
    struct gw_workers_totals totals;
    gw_workers_totals(gw_shard_workers(((struct gw_node *)context)->shard), &totals);
    return totals.with_position;
}

static double read_calls(void *context) {
    struct gw_node *node = context;
    (void)pthread_mutex_lock(&node->rpc_mutex);
    double calls = node->counted != NULL ? gw_rpc_server_calls(node->counted) : 0;
    (void)pthread_mutex_unlock(&node->rpc_mutex);
    return calls;
}

static void count_calls_of(struct gw_node *node, const struct gw_rpc_server *rpc) {
    (void)pthread_mutex_lock(&node->rpc_mutex);
    node->counted = rpc;
    (void)pthread_mutex_unlock(&node->rpc_mutex);
}

static void register_metrics(struct gw_node *node) {
    struct gw_metrics *metrics = node->metrics;
    gw_metrics_gauge_read(metrics, "gridwarden_grids", "", "Grids of the published edition.",
                          read_grids, node);
    gw_metrics_gauge_read(metrics, "gridwarden_edition_number", "layer=\"grid\"",
                          "Number of the published edition.", read_edition, node);
    gw_metrics_gauge_read(metrics, "gridwarden_grid_index_bytes", "", "Size of the grid index.",
                          read_index_bytes, node);
    gw_metrics_gauge_read(metrics, "gridwarden_workers", "", "Workers in the roster.", read_workers,
                          node);
    gw_metrics_gauge_read(metrics, "gridwarden_workers_on_duty", "", "Workers on duty.",
                          read_workers_on_duty, node);
    gw_metrics_gauge_read(metrics, "gridwarden_workers_with_position", "",
                          "Workers whose position is known.", read_positions, node);
    gw_metrics_gauge_read(metrics, "gridwarden_rpc_calls_in_flight", "", "gRPC calls in flight.",
                          read_calls, node);
}

// --- start ---

static gw_err ready(void *context, struct gw_error *error) {
    const struct gw_node *node = context;
    if (atomic_load(&node->draining)) {
        return gw_error_set(error, GW_EUNAVAILABLE, "the node is stopping");
    }
    if (!gw_shard_writable(node->shard)) {
        return gw_error_set(error, GW_EUNAVAILABLE,
                            "the log has failed; reads go on, writes need a restart");
    }
    return GW_OK;
}

static gw_err open_folder(struct gw_node *node, const struct gw_node_options *options,
                          struct gw_error *error) {
    char holder[160], path[1100];
    (void)snprintf(holder, sizeof(holder), "gridwarden serve on %s", options->grpc_listen);
    gw_err err = gw_datadir_open(&node->dir, options->data, GW_DATADIR_WRITE, holder, error);
    if (err == GW_OK) {
        err = gw_datadir_file(&node->dir, "db", path, sizeof(path), error);
    }
    if (err == GW_OK) {
        struct gw_store_options store_options = {.create = false};
        err = gw_store_open(path, &store_options, &node->store, error);
    }
    if (err == GW_OK) {
        err = gw_log_local_open(node->store, &node->log, error);
    }
    return err == GW_OK ? gw_intake_clean(node->dir.path, error) : err;
}

static gw_err open_edition(struct gw_node *node, struct gw_error *error) {
    struct gw_edition *edition = NULL;
    gw_err err = gw_editions_open_current(node->dir.path, node->store, GW_LAYER_RESPONSIBLE,
                                          &edition, error);
    if (err != GW_OK) {
        return err;
    }
    node->current = gw_current_create(edition);
    return node->current != NULL ? GW_OK
                                 : gw_error_set(error, GW_ENOMEM, "not enough memory to start");
}

static gw_err open_shard(struct gw_node *node, struct gw_error *error) {
    struct gw_shard_options shard_options = {
        .store = node->store,
        .log = node->log,
        .current = node->current,
        .policy = &node->config->policy,
        .metrics = node->metrics,
    };
    gw_err err = gw_shard_open(&shard_options, &node->shard, error);
    if (err == GW_OK) {
        err = gw_shard_start(node->shard, error);
    }
    if (err == GW_OK) {
        struct gw_api_options api_options = {.shard = node->shard,
                                             .store = node->store,
                                             .current = node->current,
                                             .data = node->dir.path};
        err = gw_api_create(&api_options, &node->api, error);
    }
    return err;
}

static void call_finished(void *context, const struct gw_rpc_finished *finished) {
    struct gw_node *node = context;
    gw_call_metrics_finished(node->call_metrics, finished);
    gw_call_log_finished(&node->call_log, finished, gw_clock_monotonic_ns());
}

static gw_err open_rpc(struct gw_node *node, const struct gw_node_options *options,
                       struct gw_error *error) {
    node->call_metrics = gw_call_metrics_create(node->metrics, gw_api_methods, gw_api_method_count);
    if (node->call_metrics == NULL) {
        return gw_error_set(error, GW_ENOMEM, "not enough memory to start");
    }
    struct gw_rpc_server_options rpc_options = {
        .listen = options->grpc_listen,
        .loops = RPC_LOOPS,
        .observer = {call_finished, node},
    };
    return gw_rpc_server_start(&rpc_options, gw_api_methods, gw_api_method_count, node->api,
                               &node->rpc, error);
}

static gw_err open_map(struct gw_node *node, struct gw_error *error) {
    struct gw_live_options live_options = {.shard = node->shard, .metrics = node->metrics};
    gw_err err = gw_live_create(&live_options, &node->live, error);
    if (err == GW_OK) {
        struct gw_tiles_options tiles_options = {
            .current = node->current,
            .points = gw_live_points(node->live),
            .metrics = node->metrics,
        };
        err = gw_tiles_create(&tiles_options, &node->tiles, error);
    }
    if (err == GW_OK) {
        gw_live_set_tiles(node->live, node->tiles);
    }
    return err;
}

static gw_err open_http(struct gw_node *node, const struct gw_node_options *options,
                        struct gw_error *error) {
    count_calls_of(node, node->rpc);
    register_metrics(node);
    struct gw_http_options http_options = {
        .listen = options->http_listen,
        .metrics = node->metrics,
        .ready = ready,
        .context = node,
        .current = node->current,
        .shard = node->shard,
        .tiles = node->tiles,
        .live = node->live,
        .policy = &node->config->policy,
        .map = &node->config->map,
        .config = &node->config->http,
        .web_root = options->web_root,
    };
    return gw_http_start(&http_options, &node->http, error);
}

static gw_err open_all(struct gw_node *node, const struct gw_node_options *options,
                       struct gw_error *error) {
    gw_err err = open_folder(node, options, error);
    if (err == GW_OK) {
        err = open_edition(node, error);
    }
    if (err == GW_OK) {
        err = open_shard(node, error);
    }
    if (err == GW_OK) {
        err = open_rpc(node, options, error);
    }
    if (err == GW_OK && options->http_listen != NULL) {
        err = open_map(node, error);
        if (err == GW_OK) {
            err = open_http(node, options, error);
        }
    }
    return err;
}

gw_err gw_node_start(const struct gw_node_options *options, struct gw_node **out,
                     struct gw_error *error) {
    struct gw_node *node = calloc(1, sizeof(*node));
    if (node == NULL) {
        return gw_error_set(error, GW_ENOMEM, "not enough memory to start");
    }
    node->dir.lock_fd = -1;
    node->config = options->config;
    gw_call_log_init(&node->call_log);
    (void)pthread_mutex_init(&node->rpc_mutex, NULL);
    node->metrics = gw_metrics_create();
    gw_err err = open_all(node, options, error);
    if (err != GW_OK) {
        gw_node_stop(node, 0);
        return err;
    }
    gw_rpc_server_set_serving(node->rpc, true);
    *out = node;
    return GW_OK;
}

void gw_node_stop(struct gw_node *node, int64_t grace_ms) {
    if (node == NULL) {
        return;
    }
    atomic_store(&node->draining, true); // /readyz says so while calls drain
    count_calls_of(node, NULL);          // draining frees it, and /metrics is still read
    if (node->rpc != NULL) {
        gw_rpc_server_drain(node->rpc, grace_ms);
    }
    gw_http_stop(node->http);
    if (node->live != NULL) {
        gw_live_set_tiles(node->live, NULL); // each of the two calls the other
    }
    gw_tiles_destroy(node->tiles);
    gw_live_destroy(node->live);
    gw_api_destroy(node->api);
    gw_shard_close(node->shard);
    gw_current_destroy(node->current);
    if (node->log != NULL) {
        node->log->ops->close(node->log);
    }
    gw_store_close(node->store);
    gw_call_metrics_destroy(node->call_metrics);
    gw_call_log_deinit(&node->call_log);
    (void)pthread_mutex_destroy(&node->rpc_mutex);
    gw_metrics_destroy(node->metrics);
    gw_datadir_close(&node->dir);
    free(node);
}

int gw_node_grpc_port(const struct gw_node *node) {
    return gw_rpc_server_port(node->rpc);
}

int gw_node_http_port(const struct gw_node *node) {
    return node->http != NULL ? gw_http_port(node->http) : 0;
}

// --- serve ---

int gw_node_serve(const struct gw_node_options *options) {
    sigset_t signals;
    (void)sigemptyset(&signals);
    (void)sigaddset(&signals, SIGTERM);
    (void)sigaddset(&signals, SIGINT);
    (void)pthread_sigmask(SIG_BLOCK, &signals, NULL); // for every thread that starts from here on
    (void)signal(SIGPIPE, SIG_IGN);
    struct gw_node *node = NULL;
    struct gw_error error;
    int64_t start_ns = gw_clock_monotonic_ns();
    if (gw_node_start(options, &node, &error) != GW_OK) {
        gw_diag(GW_ERROR, NULL, "can't serve", "reason='%s'", error.text);
        return 1;
    }
    gw_diag(GW_INFO, NULL, "serving",
            "data=%s grpc=%s grpc_port=%d http=%s http_port=%d edition=%" PRIu64
            " grids=%u start_ms=%" PRId64,
            options->data, options->grpc_listen, gw_node_grpc_port(node),
            options->http_listen != NULL ? options->http_listen : "none", gw_node_http_port(node),
            read_facts(node).number, read_facts(node).grids,
            (gw_clock_monotonic_ns() - start_ns) / 1000000);
    int signal_number = 0;
    (void)sigwait(&signals, &signal_number);
    gw_diag(GW_INFO, NULL, "stopping", "signal=%d calls=%u", signal_number,
            gw_rpc_server_calls(node->rpc));
    gw_node_stop(node, DRAIN_MS);
    gw_diag(GW_INFO, NULL, "stopped", "%s", "");
    return 0;
}
