#include "services/http/http.h"
#include "services/base/clock.h"
#include "services/http/address.h"
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TYPE_JSON "application/json; charset=utf-8"
#define TYPE_METRICS "text/plain; version=0.0.4; charset=utf-8"

struct reply {
    unsigned status;
    const char *type, *allow; // allow: NULL, or the methods that the path has
    struct gw_buffer body;
};

struct route {
    const char *path;
    void (*answer)(struct gw_http_server *server, struct reply *reply);
};

static void answer_metrics(struct gw_http_server *server, struct reply *reply);
static void answer_health(struct gw_http_server *server, struct reply *reply);
static void answer_ready(struct gw_http_server *server, struct reply *reply);

static const struct route routes[] = {
    {"/metrics", answer_metrics},
    {"/healthz", answer_health},
    {"/readyz", answer_ready},
};
#define ROUTES (sizeof routes / sizeof routes[0])

struct gw_http_server {
    struct gw_http_options options;
    struct MHD_Daemon *daemon;
    int port;
    struct gw_histogram *seconds[ROUTES]; // by route
    struct gw_counter *refused;
};

// As a JSON string. What isn't ASCII is UTF-8 already.
static void write_json_text(struct gw_buffer *out, const char *text) {
    gw_buffer_text(out, "\"");
    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;
        if (byte < 0x20) {
            gw_buffer_format(out, "\\u%04x", byte);
        } else {
            if (byte == '"' || byte == '\\') {
                gw_buffer_text(out, "\\");
            }
            gw_buffer_append(out, text, 1);
        }
    }
    gw_buffer_text(out, "\"");
}

static void refuse(struct reply *reply, unsigned status, const char *message) {
    reply->status = status;
    gw_buffer_format(&reply->body, "{\"error\":{\"code\":%u,\"message\":", status);
    write_json_text(&reply->body, message);
    gw_buffer_text(&reply->body, "}}\n");
}

static void answer_metrics(struct gw_http_server *server, struct reply *reply) {
    reply->type = TYPE_METRICS;
    gw_metrics_write(server->options.metrics, &reply->body);
}

static void answer_health(struct gw_http_server *server, struct reply *reply) {
    (void)server;
    gw_buffer_text(&reply->body, "{\"status\":\"alive\"}\n");
}

static void answer_ready(struct gw_http_server *server, struct reply *reply) {
    struct gw_error error = {.code = GW_OK};
    const struct gw_http_options *options = &server->options;
    if (options->ready == NULL || options->ready(options->context, &error) == GW_OK) {
        gw_buffer_text(&reply->body, "{\"status\":\"ready\"}\n");
        return;
    }
    refuse(reply, MHD_HTTP_SERVICE_UNAVAILABLE, error.text);
}

static const struct route *find_route(const char *path) {
    for (size_t i = 0; i < ROUTES; i++) {
        if (strcmp(routes[i].path, path) == 0) {
            return &routes[i];
        }
    }
    return NULL;
}

static void make_reply(struct gw_http_server *server, const struct route *route, const char *method,
                       struct reply *reply) {
    if (route == NULL) {
        refuse(reply, MHD_HTTP_NOT_FOUND,
               "there is nothing at this path; there is /metrics, /healthz and /readyz");
    } else if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 &&
               strcmp(method, MHD_HTTP_METHOD_HEAD) != 0) {
        reply->allow = "GET, HEAD";
        refuse(reply, MHD_HTTP_METHOD_NOT_ALLOWED, "this path has the methods GET and HEAD");
    } else {
        route->answer(server, reply);
    }
}

static enum MHD_Result send_reply(struct MHD_Connection *connection, const struct reply *reply) {
    if (reply->body.failed) {
        return MHD_NO; // out of memory: the connection is closed
    }
    struct MHD_Response *response =
        MHD_create_response_from_buffer(reply->body.size, reply->body.data, MHD_RESPMEM_MUST_COPY);
    if (response == NULL) {
        return MHD_NO;
    }
    bool whole =
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, reply->type) == MHD_YES &&
        MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store") == MHD_YES &&
        MHD_add_response_header(response, "X-Content-Type-Options", "nosniff") == MHD_YES &&
        (reply->allow == NULL ||
         MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, reply->allow) == MHD_YES);
    enum MHD_Result sent = whole ? MHD_queue_response(connection, reply->status, response) : MHD_NO;
    MHD_destroy_response(response);
    return sent;
}

static bool announces_body(struct MHD_Connection *connection) {
    return MHD_lookup_connection_value(connection, MHD_HEADER_KIND,
                                       MHD_HTTP_HEADER_CONTENT_LENGTH) != NULL ||
           MHD_lookup_connection_value(connection, MHD_HEADER_KIND,
                                       MHD_HTTP_HEADER_TRANSFER_ENCODING) != NULL;
}

// libmicrohttpd calls this when the headers are there, and again when all of the request is. An
// answer to the first call closes the connection after it: what we want when a body would follow,
// which is not read.
static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *body,
                                  size_t *body_size, void **request) {
    (void)version;
    (void)body;
    (void)body_size;
    static char seen;
    if (*request == NULL && !announces_body(connection)) {
        *request = &seen;
        return MHD_YES;
    }
    struct gw_http_server *server = context;
    int64_t began_ns = gw_clock_monotonic_ns();
    const struct route *route = find_route(url);
    struct reply reply = {.status = MHD_HTTP_OK, .type = TYPE_JSON};
    make_reply(server, route, method, &reply);
    enum MHD_Result sent = send_reply(connection, &reply);
    gw_buffer_free(&reply.body);
    if (route == NULL || reply.allow != NULL) {
        gw_counter_add(server->refused, 1);
    } else {
        gw_histogram_observe_ns(server->seconds[route - routes],
                                gw_clock_monotonic_ns() - began_ns);
    }
    return sent;
}

static void add_metrics(struct gw_http_server *server) {
    for (size_t i = 0; i < ROUTES; i++) {
        struct gw_buffer labels = {0};
        gw_metrics_label(&labels, "path", routes[i].path);
        server->seconds[i] =
            gw_metrics_histogram(server->options.metrics, "gridwarden_http_request_seconds",
                                 labels.data, "Time to answer an HTTP request, by path.");
        gw_buffer_free(&labels);
    }
    server->refused =
        gw_metrics_counter(server->options.metrics, "gridwarden_http_refused_total", "",
                           "HTTP requests for a path or method that there is not.");
}

gw_err gw_http_start(const struct gw_http_options *options, struct gw_http_server **server,
                     struct gw_error *error) {
    int fd = -1, port = 0;
    gw_err err = http_address_listen(options->listen, &fd, &port, error);
    if (err != GW_OK) {
        return err;
    }
    struct gw_http_server *made = calloc(1, sizeof *made);
    if (made == NULL) {
        close(fd);
        return gw_error_set(error, GW_ENOMEM, "out of memory starting the HTTP server");
    }
    made->options = *options;
    made->options.listen = NULL; // the caller's; not needed any more
    made->port = port;
    add_metrics(made);
    made->daemon = MHD_start_daemon(
        MHD_USE_AUTO_INTERNAL_THREAD, 0, NULL, NULL, on_request, made, MHD_OPTION_LISTEN_SOCKET, fd,
        MHD_OPTION_CONNECTION_LIMIT, GW_HTTP_CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
        GW_HTTP_IDLE_SECONDS_MAX, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)GW_HTTP_CONNECTION_BYTES_MAX, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
    if (made->daemon == NULL) {
        close(fd);
        free(made);
        return gw_error_set(error, GW_EUNAVAILABLE,
                            "the HTTP server can't start (no thread left?)");
    }
    *server = made;
    return GW_OK;
}

int gw_http_port(const struct gw_http_server *server) {
    return server->port;
}

void gw_http_stop(struct gw_http_server *server) {
    if (server != NULL) {
        MHD_stop_daemon(server->daemon); // closes the listening socket as well
        free(server);
    }
}
