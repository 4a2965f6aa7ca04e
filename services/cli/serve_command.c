// gridwarden serve
#include "services/cli/commands.h"

#include "services/base/diag.h"
#include "services/node/config.h"
#include "services/node/node.h"
#include <string.h>

static int run(const struct cli_args *args) {
    const char *data = cli_value(args, "data");
    if (data == NULL) {
        return cli_usage(args, "--data DIR is needed: the folder to serve");
    }
    const char *form = cli_value(args, "log");
    if (form != NULL && strcmp(form, "json") != 0 && strcmp(form, "human") != 0) {
        return cli_usage(args, "--log is %s; it must be human or json", form);
    }
    gw_diag_setup(form != NULL && strcmp(form, "json") == 0,
                  cli_flag(args, "verbose") ? GW_DEBUG : GW_INFO);
    static struct gw_policy policy;
    struct gw_error error;
    if (gw_config_load(cli_value(args, "config"), &policy, &error) != GW_OK) {
        return cli_refused(&error);
    }
    const char *grpc = cli_value(args, "grpc-listen"), *http = cli_value(args, "http-listen");
    struct gw_node_options options = {
        .data = data,
        .grpc_listen = grpc != NULL ? grpc : GW_NODE_GRPC_LISTEN,
        .http_listen = http != NULL ? http : GW_NODE_HTTP_LISTEN,
        .policy = &policy,
    };
    return gw_node_serve(&options);
}

static const struct cli_option options[] = {
    {"data", "DIR", "the data folder (made by `gridwarden import`)"},
    {"grpc-listen", "ADDR", "default " GW_NODE_GRPC_LISTEN "; or unix:/path"},
    {"http-listen", "ADDR", "metrics and health; default " GW_NODE_HTTP_LISTEN},
    {"config", "FILE", "the city's classes and rules (JSON); built-in ones without it"},
    {"log", "FORM", "human (default) or json, one line each on standard error"},
    {"verbose", NULL, "also what is only of use when something is wrong"},
};

const struct cli_command cli_serve = {
    .name = "serve",
    .words = "",
    .summary = "Serves a data folder: gRPC for dispatch, HTTP for metrics and health.",
    .details = "Only loopback addresses and unix sockets are served. SIGTERM ends it gracefully:\n"
               "calls in flight are answered, everything is synced.\n\n"
               "Example:\n  gridwarden serve --data ./data --grpc-listen 127.0.0.1:7600\n\n"
               "Then:\n  curl http://127.0.0.1:7680/readyz\n"
               "  gridwarden locate --lon 123.84 --lat 42.29",
    .options = options,
    .option_count = sizeof(options) / sizeof(options[0]),
    .run = run,
};
