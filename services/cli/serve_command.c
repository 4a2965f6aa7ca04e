// gridwarden serve
#include "services/cli/commands.h"

#include "services/base/diag.h"
#include "services/node/config.h"
#include "services/node/node.h"
#include <string.h>
#include <unistd.h>

// The folder `web` beside the program's own file; NULL when that can't be told or there is none.
static const char *web_beside_program(char *out, size_t size) {
    ssize_t length = readlink("/proc/self/exe", out, size - 1);
    if (length <= 0) {
        return NULL;
    }
    out[length] = '\0';
    char *slash = strrchr(out, '/');
    if (slash == NULL || (size_t)(slash + 1 - out) + sizeof("web") > size) {
        return NULL;
    }
    memcpy(slash + 1, "web", sizeof("web"));
    return access(out, R_OK | X_OK) == 0 ? out : NULL;
}

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
    static struct gw_config config;
    struct gw_error error;
    if (gw_config_read(cli_value(args, "config"), &config, &error) != GW_OK) {
        return cli_refused(&error);
    }
    const char *grpc = cli_value(args, "grpc-listen"), *http = cli_value(args, "http-listen");
    char beside[4096];
    const char *web = cli_value(args, "web");
    struct gw_node_options options = {
        .data = data,
        .grpc_listen = grpc != NULL ? grpc : GW_NODE_GRPC_LISTEN,
        .http_listen = http != NULL ? http : GW_NODE_HTTP_LISTEN,
        .web_root = web != NULL ? web : web_beside_program(beside, sizeof(beside)),
        .config = &config,
    };
    return gw_node_serve(&options);
}

static const struct cli_option options[] = {
    {"data", "DIR", "the data folder (made by `gridwarden import`)"},
    {"grpc-listen", "ADDR", "default " GW_NODE_GRPC_LISTEN "; or unix:/path"},
    {"http-listen", "ADDR", "map, page, metrics, health; default " GW_NODE_HTTP_LISTEN},
    {"web", "DIR", "the page's folder; default `web` beside the program, if it is there"},
    {"config", "FILE", "the city's classes, rules, map (JSON); built-in ones without it"},
    {"log", "FORM", "human (default) or json, one line each on standard error"},
    {"verbose", NULL, "also what is only of use when something is wrong"},
};

const struct cli_command cli_serve = {
    .name = "serve",
    .words = "",
    .summary = "Serves a data folder: gRPC for dispatch, HTTP for map and metrics.",
    .details =
        "Only loopback addresses and unix sockets are served. SIGTERM ends it gracefully:\n"
        "calls in flight are answered, everything is synced.\n\n"
        "Example:\n  gridwarden serve --data ./data --grpc-listen 127.0.0.1:7600\n\n"
        "Then:\n  open http://127.0.0.1:7680/ in a browser\n  curl http://127.0.0.1:7680/readyz\n"
        "  gridwarden locate --lon 123.84 --lat 42.29",
    .options = options,
    .option_count = sizeof(options) / sizeof(options[0]),
    .run = run,
};
