#include "services/http/request.h"

#include "services/http/headers.h"
#include <stdio.h>
#include <string.h>

// Of a request that waits: whichever of the two comes second, the suspension or the outcome, sees
// the other and resumes the connection.
enum { RUNNING, SUSPENDED, DONE };

const char *http_request_header(struct http_request *request, const char *name) {
    return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

const char *http_request_part(struct http_request *request, const char *name) {
    return http_target_value(&request->target, request->route->pattern, name);
}

const char *http_request_parameter(struct http_request *request, const char *name) {
    return http_target_parameter(&request->target, name);
}

void http_request_refuse(struct http_request *request, unsigned status, const char *message) {
    http_refuse(&request->reply, status, message);
}

void http_request_fail(struct http_request *request) {
    http_refuse_error(&request->reply, &request->error);
}

static bool host_is_ours(const struct gw_http_server *server, const char *host) {
    bool ours = http_host_loopback(host);
    for (uint32_t i = 0; i < server->config.host_count && !ours; i++) {
        ours = http_host_is(host, server->config.hosts[i]);
    }
    return ours;
}

bool http_request_is_own(struct http_request *request) {
    const char *host = http_request_header(request, MHD_HTTP_HEADER_HOST);
    const char *origin = http_request_header(request, MHD_HTTP_HEADER_ORIGIN);
    const char *site = http_request_header(request, "Sec-Fetch-Site");
    request->reply.for_anyone = false;
    if (!host_is_ours(request->server, host)) {
        http_request_refuse(request, MHD_HTTP_MISDIRECTED_REQUEST,
                            "this is answered under a name of this machine alone, such as "
                            "localhost, or one of http.hosts of the configuration");
        return false;
    }
    bool own = origin == NULL || http_origin_is_host(origin, host);
    own = own && (site == NULL || strcmp(site, "none") == 0 || strcmp(site, "same-origin") == 0);
    if (!own) {
        http_request_refuse(request, MHD_HTTP_FORBIDDEN,
                            "this is for pages of this node alone, not for other websites");
    }
    return own;
}

bool http_request_base(struct http_request *request, char *base, size_t size) {
    const char *host = http_request_header(request, MHD_HTTP_HEADER_HOST);
    if (!http_host_valid(host)) {
        http_request_refuse(request, MHD_HTTP_BAD_REQUEST,
                            "Host must be a name or an address, with a port or without");
        return false;
    }
    (void)snprintf(base, size, "http://%s", host);
    return true;
}

void http_request_tag(struct http_request *request, const char *etag) {
    (void)snprintf(request->reply.etag, sizeof(request->reply.etag), "%s", etag);
    const char *known = http_request_header(request, MHD_HTTP_HEADER_IF_NONE_MATCH);
    if (known != NULL && http_etag_matches(known, etag)) {
        request->reply.status = MHD_HTTP_NOT_MODIFIED;
    }
}

// --- waiting ---

// The last one out tells gw_http_stop. In a thread of MHD's own, which stop joins: so the server
// lives on while this looks at it.
static void leave(struct gw_http_server *server) {
    if (atomic_fetch_sub(&server->waiting, 1) == 1 && atomic_load(&server->ending)) {
        (void)pthread_mutex_lock(&server->mutex);
        (void)pthread_cond_broadcast(&server->idle);
        (void)pthread_mutex_unlock(&server->mutex);
    }
}

bool http_request_wait(struct http_request *request) {
    struct gw_http_server *server = request->server;
    atomic_fetch_add(&server->waiting, 1);
    if (atomic_load(&server->ending)) { // gw_http_stop sees the count, or this sees the end
        leave(server);
        http_request_refuse(request, MHD_HTTP_SERVICE_UNAVAILABLE, "the node is stopping");
        return false;
    }
    request->waits = true;
    atomic_store(&request->state, RUNNING);
    return true;
}

void http_request_wait_not(struct http_request *request) {
    request->waits = false;
    leave(request->server);
}

void http_request_done(struct http_request *request) {
    struct gw_http_server *server = request->server;
    if (atomic_exchange(&request->state, DONE) == SUSPENDED) {
        MHD_resume_connection(request->connection);
    }
    // Counted down under the mutex: gw_http_stop can't go on and free it before this lets go.
    (void)pthread_mutex_lock(&server->mutex);
    atomic_fetch_sub(&server->waiting, 1);
    (void)pthread_cond_broadcast(&server->idle);
    (void)pthread_mutex_unlock(&server->mutex);
}

bool http_request_suspend(struct http_request *request) {
    if (atomic_load(&request->state) == DONE) {
        return false;
    }
    MHD_suspend_connection(request->connection);
    if (atomic_exchange(&request->state, SUSPENDED) == DONE) {
        atomic_store(&request->state, DONE);
        MHD_resume_connection(request->connection);
    }
    return true;
}
