#include "services/http/http.h"

#include "services/base/clock.h"
#include "services/base/diag.h"
#include "services/http/address.h"
#include "services/http/deadlines.h"
#include "services/http/headers.h"
#include "services/http/meters.h"
#include "services/http/request.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define FILES_OF_OTHERS 1024u       // descriptors that the rest of the process may need
#define BODY_DROPPED_MAX (1u << 20) // bytes past the limit that are read, to tell the client
#define NS_PER_SECOND 1000000000LL
#define THREADS_DEFAULT_MAX 8

// --- one request ---

static struct http_connection *connection_of(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info != NULL ? info->socket_context : NULL;
}

static void set_deadline(struct MHD_Connection *connection, int64_t deadline_ns) {
    struct http_connection *held = connection_of(connection);
    if (held != NULL) {
        atomic_store_explicit(&held->deadline_ns, deadline_ns, memory_order_relaxed);
    }
}

// The first that is known of a request: its target, before it is taken apart.
static void *on_target(void *context, const char *text, struct MHD_Connection *connection) {
    size_t size = strlen(text);
    bool too_long = size > HTTP_TARGET_BYTES_MAX;
    size = too_long ? 0 : size;
    struct http_request *request = calloc(1, sizeof(*request) + size + 1);
    if (request != NULL) {
        request->server = context;
        request->connection = connection;
        request->too_long = too_long;
        request->began_ns = gw_clock_monotonic_ns();
        if (!too_long) {
            memcpy(request->text, text, size + 1);
        }
    }
    return request;
}

static void on_completed(void *context, struct MHD_Connection *connection, void **held,
                         enum MHD_RequestTerminationCode why) {
    (void)why;
    struct gw_http_server *server = context;
    struct http_request *request = *held;
    *held = NULL;
    if (request != NULL) {
        if (request->work_free != NULL) {
            request->work_free(request->work);
        }
        gw_tile_release(request->tile);
        http_reply_free(&request->reply);
        gw_buffer_free(&request->body);
        free(request);
    }
    set_deadline(connection,
                 gw_clock_monotonic_ns() + server->options.request_seconds * NS_PER_SECOND);
}

static void on_connection(void *context, struct MHD_Connection *connection, void **held,
                          enum MHD_ConnectionNotificationCode what) {
    struct gw_http_server *server = context;
    if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
        http_deadlines_remove(server->deadlines, *held);
        *held = NULL;
        return;
    }
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    *held = info == NULL ? NULL
                         : http_deadlines_add(server->deadlines, info->connect_fd,
                                              gw_clock_monotonic_ns() +
                                                  server->options.request_seconds * NS_PER_SECOND);
}

static bool announces_body(struct http_request *request) {
    const char *length = http_request_header(request, MHD_HTTP_HEADER_CONTENT_LENGTH);
    return (length != NULL && strcmp(length, "0") != 0) ||
           http_request_header(request, MHD_HTTP_HEADER_TRANSFER_ENCODING) != NULL;
}

// Answers OPTIONS: what the path has, and to browsers what other websites may do with it.
static void answer_options(struct http_request *request) {
    const char *allow = NULL;
    const struct http_route *reading = http_route_find(&request->target, "GET", &allow);
    if (reading == NULL && http_route_find(&request->target, "POST", &allow) == NULL) {
        allow = "GET, HEAD, OPTIONS"; // perhaps a file
    } else {
        (void)http_route_find(&request->target, "OPTIONS", &allow);
    }
    request->reply.status = MHD_HTTP_NO_CONTENT;
    request->reply.allow = allow;
    request->reply.preflight = reading != NULL ? reading->access == HTTP_OPEN : false;
}

// What the headers of a POST say about its body.
static bool body_is_welcome(struct http_request *request) {
    const char *length = http_request_header(request, MHD_HTTP_HEADER_CONTENT_LENGTH);
    if (!http_type_is_json(http_request_header(request, MHD_HTTP_HEADER_CONTENT_TYPE))) {
        http_request_refuse(request, MHD_HTTP_UNSUPPORTED_MEDIA_TYPE,
                            "send JSON: Content-Type must be application/json");
        return false;
    }
    if (http_request_header(request, MHD_HTTP_HEADER_CONTENT_ENCODING) != NULL) {
        http_request_refuse(request, MHD_HTTP_UNSUPPORTED_MEDIA_TYPE,
                            "send the body as it is, without Content-Encoding");
        return false;
    }
    if (length != NULL && strtoull(length, NULL, 10) > GW_HTTP_BODY_BYTES_MAX) {
        http_request_refuse(request, MHD_HTTP_CONTENT_TOO_LARGE, "the body may have 16 KiB");
        return false;
    }
    return true;
}

static bool method_is(const struct http_request *request, const char *method) {
    return strcmp(request->method, method) == 0;
}

// No route has this path or this method: a file of the page, perhaps.
static bool settle_without_route(struct http_request *request, const char *allow) {
    bool reads = method_is(request, "GET") || method_is(request, "HEAD");
    if (allow == NULL && reads) {
        return true;
    }
    request->reply.allow = allow != NULL ? allow : "GET, HEAD, OPTIONS";
    http_request_refuse(request, MHD_HTTP_METHOD_NOT_ALLOWED,
                        "this path does not have this method; Allow names those that it has");
    return false;
}

// Finds out what is asked for and whether it may be, from the headers alone. False: the reply is
// there.
static bool settle(struct http_request *request) {
    if (request->too_long) {
        http_request_refuse(request, MHD_HTTP_URI_TOO_LONG, "the address is too long");
        return false;
    }
    if (http_target_parse(request->text, &request->target, &request->error) != GW_OK) {
        http_request_fail(request);
        return false;
    }
    if (method_is(request, "OPTIONS")) {
        answer_options(request);
        return false;
    }
    const char *allow = NULL;
    const struct http_route *route = http_route_find(&request->target, request->method, &allow);
    request->route = route;
    if (route == NULL) {
        return settle_without_route(request, allow);
    }
    request->reply.for_anyone = route->access == HTTP_OPEN;
    if (route->access == HTTP_OWN && !http_request_is_own(request)) {
        return false;
    }
    if (route->access != HTTP_MACHINE &&
        http_target_check(&request->target, route->parameters, &request->error) != GW_OK) {
        http_request_fail(request);
        return false;
    }
    return !route->post || body_is_welcome(request);
}

static void set_answer_deadline(struct http_request *request) {
    set_deadline(request->connection,
                 request->reply.stream != NULL
                     ? HTTP_DEADLINE_NONE
                     : gw_clock_monotonic_ns() + GW_HTTP_ANSWER_SECONDS_MAX * NS_PER_SECOND);
}

static enum MHD_Result send_answer(struct http_request *request) {
    http_meters_answered(request->server->meters, request);
    set_answer_deadline(request);
    return http_reply_send(&request->reply, request->connection);
}

static enum MHD_Result first_call(struct http_request *request) {
    request->seen = true;
    request->reply.status = MHD_HTTP_OK;
    request->refused = !settle(request);
    bool reads_body = request->route != NULL && request->route->post && !request->refused;
    if (!announces_body(request) || reads_body) {
        return MHD_YES;
    }
    // An answer now closes the connection after it: what we want when a body would follow that
    // nobody reads.
    if (!request->refused) {
        http_request_refuse(request, MHD_HTTP_BAD_REQUEST, "send no body with this method");
    }
    return send_answer(request);
}

static enum MHD_Result take_body(struct http_request *request, const char *body, size_t *size) {
    size_t room = GW_HTTP_BODY_BYTES_MAX - request->body.size;
    size_t taken = *size < room ? *size : room;
    gw_buffer_append(&request->body, body, taken);
    request->body_dropped += *size - taken;
    *size = 0;
    return request->body.failed || request->body_dropped > BODY_DROPPED_MAX ? MHD_NO : MHD_YES;
}

static enum MHD_Result last_call(struct http_request *request) {
    if (!request->refused && !request->waits) {
        if (request->body_dropped > 0) {
            http_request_refuse(request, MHD_HTTP_CONTENT_TOO_LARGE, "the body may have 16 KiB");
        } else {
            (request->route != NULL ? request->route->answer : http_answer_file)(request);
        }
    }
    if (request->waits) {
        set_answer_deadline(request);
        if (http_request_suspend(request)) {
            return MHD_YES;
        }
        request->route->outcome(request);
    }
    return send_answer(request);
}

// libmicrohttpd calls this when the headers are there, for each piece of a body, when all of the
// request is there, and again when a suspended connection was resumed.
static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *body,
                                  size_t *body_size, void **held) {
    (void)context;
    (void)connection;
    (void)url;
    (void)version;
    struct http_request *request = *held;
    if (request == NULL) {
        return MHD_NO; // out of memory
    }
    if (!request->seen) {
        request->method = method;
        return first_call(request);
    }
    return *body_size > 0 ? take_body(request, body, body_size) : last_call(request);
}

// MHD is not to decode anything: target.c does.
static size_t leave_escaped(void *context, struct MHD_Connection *connection, char *text) {
    (void)context;
    (void)connection;
    return strlen(text);
}

// --- the server ---

// Raises the soft limit of open files to what the connections need; lowers their number to what the
// hard limit has room for.
static void fit_connections(struct gw_http_config *config) {
    struct rlimit limit;
    rlim_t need = config->connections_max + FILES_OF_OTHERS;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= need) {
        return;
    }
    limit.rlim_cur = need < limit.rlim_max ? need : limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur < need) {
        rlim_t room = limit.rlim_cur > FILES_OF_OTHERS + GW_HTTP_CONNECTIONS_MIN
                          ? limit.rlim_cur - FILES_OF_OTHERS
                          : GW_HTTP_CONNECTIONS_MIN;
        gw_diag(GW_WARNING, NULL, "fewer HTTP connections than configured",
                "configured=%u possible=%u reason='limit of open files'", config->connections_max,
                (unsigned)room);
        config->connections_max = (uint32_t)room;
    }
}

static void settle_config(struct gw_http_server *server) {
    const struct gw_http_options *options = &server->options;
    struct gw_http_config *config = &server->config;
    if (options->config != NULL) {
        *config = *options->config;
    }
    if (options->map != NULL) {
        server->map = *options->map;
    }
    if (config->connections_max == 0) {
        config->connections_max = GW_HTTP_CONNECTIONS_DEFAULT;
    }
    if (config->threads == 0) {
        long processors = sysconf(_SC_NPROCESSORS_ONLN);
        config->threads = processors < 2                     ? 2
                          : processors > THREADS_DEFAULT_MAX ? THREADS_DEFAULT_MAX
                                                             : (uint32_t)processors;
    }
    fit_connections(config);
    server->streams.max = config->connections_max - config->connections_max / 4;
    server->options.listen = NULL; // the caller's; not needed any more
    server->options.config = NULL;
    server->options.map = NULL;
    server->options.web_root = NULL;
    if (options->idle_seconds == 0) {
        server->options.idle_seconds = GW_HTTP_IDLE_SECONDS_MAX;
    }
    if (options->request_seconds == 0) {
        server->options.request_seconds = GW_HTTP_REQUEST_SECONDS_MAX;
    }
    server->streams.piece_ns = server->options.request_seconds * NS_PER_SECOND;
}

// The origins of the raster sources, each once, into text.
static void list_origins(const struct gw_map_config *map, struct gw_buffer *out) {
    for (uint32_t i = 0; i < map->raster_count; i++) {
        for (uint32_t t = 0; t < map->rasters[i].tile_count; t++) {
            const char *url = map->rasters[i].tiles[t];
            char origin[GW_MAP_URL_SIZE + 1];
            (void)snprintf(origin, sizeof(origin), " %.*s", (int)gw_map_url_origin_size(url), url);
            if (origin[1] != '\0' && (out->size == 0 || strstr(out->data, origin) == NULL)) {
                gw_buffer_text(out, origin);
            }
        }
    }
}

// What pages may load and talk to: this node, and the hosts of the raster sources.
static bool write_policy(struct gw_http_server *server) {
    struct gw_buffer origins = {0};
    list_origins(&server->map, &origins);
    const char *others = origins.data != NULL ? origins.data : "";
    int size = snprintf(server->policy, sizeof(server->policy),
                        "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; "
                        "manifest-src 'self'; img-src 'self' data: blob:%s; "
                        "connect-src 'self' data: blob:%s; worker-src 'self' blob:; "
                        "child-src blob:; base-uri 'none'; form-action 'none'; "
                        "frame-ancestors 'none'",
                        others, others);
    bool whole = !origins.failed && size > 0 && (size_t)size < sizeof(server->policy);
    gw_buffer_free(&origins);
    return whole;
}

static gw_err load_page(struct gw_http_server *server, const char *folder, struct gw_error *error) {
    struct gw_error why = {.code = GW_OK};
    gw_err err = folder == NULL ? GW_OK
                                : http_files_load(folder, GW_HTTP_FILES_BYTES_MAX,
                                                  GW_HTTP_FILES_MAX, &server->files, &why);
    if (err == GW_ENOTFOUND) { // not built: everything else is served
        gw_diag(GW_WARNING, NULL, "no page", "reason='%s'", why.text);
        return GW_OK;
    }
    return err == GW_OK ? GW_OK : gw_error_set(error, err, "%s", why.text);
}

static struct MHD_Daemon *start_daemon(struct gw_http_server *server, int fd) {
    const struct gw_http_config *config = &server->config;
    return MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_request, server,
        MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_THREAD_POOL_SIZE, config->threads,
        MHD_OPTION_CONNECTION_LIMIT, config->connections_max, MHD_OPTION_CONNECTION_TIMEOUT,
        server->options.idle_seconds, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)GW_HTTP_CONNECTION_BYTES_MAX, MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_URI_LOG_CALLBACK, on_target, server, MHD_OPTION_UNESCAPE_CALLBACK, leave_escaped,
        NULL, MHD_OPTION_NOTIFY_COMPLETED, on_completed, server, MHD_OPTION_NOTIFY_CONNECTION,
        on_connection, server, MHD_OPTION_END);
}

static void free_server(struct gw_http_server *server) {
    http_deadlines_destroy(server->deadlines);
    http_meters_destroy(server->meters);
    http_files_destroy(server->files);
    (void)pthread_mutex_destroy(&server->streams.mutex);
    (void)pthread_mutex_destroy(&server->mutex);
    (void)pthread_cond_destroy(&server->idle);
    free(server);
}

static gw_err prepare(struct gw_http_server *server, const char *web_root, struct gw_error *error) {
    (void)pthread_mutex_init(&server->mutex, NULL);
    (void)pthread_cond_init(&server->idle, NULL);
    (void)pthread_mutex_init(&server->streams.mutex, NULL);
    settle_config(server);
    if (!write_policy(server)) {
        return gw_error_set(error, GW_ENOSPC, "the raster sources of the map have too many hosts");
    }
    server->deadlines = http_deadlines_create();
    server->meters = http_meters_create(server);
    if (server->deadlines == NULL || server->meters == NULL) {
        return gw_error_set(error, GW_ENOMEM, "not enough memory to start the HTTP server");
    }
    return load_page(server, web_root, error);
}

gw_err gw_http_start(const struct gw_http_options *options, struct gw_http_server **server,
                     struct gw_error *error) {
    int fd = -1, port = 0;
    gw_err err = http_address_listen(options->listen, &fd, &port, error);
    if (err != GW_OK) {
        return err;
    }
    struct gw_http_server *made = calloc(1, sizeof(*made));
    if (made == NULL) {
        close(fd);
        return gw_error_set(error, GW_ENOMEM, "out of memory starting the HTTP server");
    }
    made->options = *options;
    made->port = port;
    err = prepare(made, options->web_root, error);
    if (err == GW_OK) {
        made->daemon = start_daemon(made, fd);
        err = made->daemon != NULL ? GW_OK
                                   : gw_error_set(error, GW_EUNAVAILABLE,
                                                  "the HTTP server can't start (no thread left?)");
    }
    if (err != GW_OK) {
        close(fd);
        free_server(made);
        return err;
    }
    *server = made;
    return GW_OK;
}

int gw_http_port(const struct gw_http_server *server) {
    return server->port;
}

void gw_http_stop(struct gw_http_server *server) {
    if (server == NULL) {
        return;
    }
    // No connection may be suspended when the daemon stops: feeds are woken to their end, and what
    // tiles and shard still owe comes.
    http_streams_end(&server->streams);
    atomic_store(&server->ending, true);
    (void)pthread_mutex_lock(&server->mutex);
    while (atomic_load(&server->waiting) > 0) {
        (void)pthread_cond_wait(&server->idle, &server->mutex);
    }
    (void)pthread_mutex_unlock(&server->mutex);
    MHD_stop_daemon(server->daemon); // closes the listening socket as well
    free_server(server);
}
