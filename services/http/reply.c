#include "services/http/reply.h"

#include "services/base/json.h"
#include "services/http/stream.h"
#include <stddef.h>
#include <string.h>

#define RETRY_SECONDS "1"
#define PREFLIGHT_SECONDS "86400"

void http_reply_free(struct http_reply *reply) {
    gw_buffer_free(&reply->body);
    gw_tile_release(reply->tile);
    http_stream_destroy(reply->stream);
    *reply = (struct http_reply){0};
}

void http_refuse(struct http_reply *reply, unsigned status, const char *message) {
    bool for_anyone = reply->for_anyone;
    const char *allow = reply->allow;
    http_reply_free(reply);
    reply->status = status;
    reply->for_anyone = for_anyone;
    reply->allow = allow;
    reply->type = HTTP_TYPE_JSON;
    reply->cache = HTTP_CACHE_NEVER;
    reply->later = status == MHD_HTTP_SERVICE_UNAVAILABLE;
    gw_buffer_format(&reply->body, "{\"error\":{\"code\":%u,\"message\":", status);
    gw_json_text(&reply->body, message);
    gw_buffer_text(&reply->body, "}}\n");
}

unsigned http_status_of(gw_err err) {
    static const struct {
        gw_err err;
        unsigned status;
    } rows[] = {
        {GW_OK, MHD_HTTP_OK},
        {GW_EINVAL, MHD_HTTP_BAD_REQUEST},
        {GW_ERANGE, MHD_HTTP_BAD_REQUEST},
        {GW_ENOTFOUND, MHD_HTTP_NOT_FOUND},
        {GW_EPERM, MHD_HTTP_FORBIDDEN},
        {GW_EEXISTS, MHD_HTTP_CONFLICT},
        {GW_ESTATE, MHD_HTTP_CONFLICT},
        {GW_EABORTED, MHD_HTTP_CONFLICT},
        {GW_EDEADLINE, MHD_HTTP_GATEWAY_TIMEOUT},
        {GW_EUNSUPPORTED, MHD_HTTP_NOT_IMPLEMENTED},
        {GW_EINTERNAL, MHD_HTTP_INTERNAL_SERVER_ERROR},
        {GW_ECORRUPT, MHD_HTTP_INTERNAL_SERVER_ERROR},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].err == err) {
            return rows[i].status;
        }
    }
    return MHD_HTTP_SERVICE_UNAVAILABLE; // limits, memory, the log: another time it may go
}

void http_refuse_error(struct http_reply *reply, const struct gw_error *error) {
    http_refuse(reply, http_status_of(error->code), error->text);
}

static void tile_sent(void *context) {
    gw_tile_release(context);
}

static struct MHD_Response *take_body(struct http_reply *reply) {
    struct MHD_Response *response = NULL;
    if (reply->tile != NULL) {
        const struct gw_tile *tile = reply->tile;
        response = MHD_create_response_from_buffer_with_free_callback_cls(
            tile->gzip_size, (void *)tile->gzip, tile_sent, (void *)tile);
        reply->tile = response != NULL ? NULL : tile;
    } else if (reply->stream != NULL) {
        response = http_stream_response(reply->stream);
        reply->stream = response != NULL ? NULL : reply->stream;
    } else if (reply->bytes != NULL) {
        response = MHD_create_response_from_buffer(reply->bytes_size, (void *)reply->bytes,
                                                   MHD_RESPMEM_PERSISTENT);
    } else if (reply->body.size == 0) {
        response = MHD_create_response_from_buffer(0, (void *)"", MHD_RESPMEM_PERSISTENT);
    } else {
        response = MHD_create_response_from_buffer(reply->body.size, reply->body.data,
                                                   MHD_RESPMEM_MUST_FREE);
        reply->body.data = response != NULL ? NULL : reply->body.data;
    }
    return response;
}

static bool add(struct MHD_Response *response, const char *name, const char *value) {
    return value == NULL || value[0] == '\0' ||
           MHD_add_response_header(response, name, value) == MHD_YES;
}

static bool add_sharing(struct MHD_Response *response, const struct http_reply *reply) {
    bool whole = true;
    if (reply->for_anyone || reply->preflight) {
        whole = add(response, MHD_HTTP_HEADER_ACCESS_CONTROL_ALLOW_ORIGIN, "*");
    }
    if (reply->for_anyone && !reply->preflight && reply->etag[0] != '\0') {
        whole = whole && add(response, MHD_HTTP_HEADER_ACCESS_CONTROL_EXPOSE_HEADERS, "ETag");
    }
    if (reply->preflight) {
        whole = whole &&
                add(response, MHD_HTTP_HEADER_ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD, OPTIONS") &&
                add(response, MHD_HTTP_HEADER_ACCESS_CONTROL_ALLOW_HEADERS,
                    "If-None-Match, Cache-Control, Range") &&
                add(response, MHD_HTTP_HEADER_ACCESS_CONTROL_MAX_AGE, PREFLIGHT_SECONDS);
    }
    return whole;
}

static bool add_headers(struct MHD_Response *response, const struct http_reply *reply) {
    bool whole = add(response, MHD_HTTP_HEADER_CONTENT_TYPE, reply->type) &&
                 add(response, MHD_HTTP_HEADER_CONTENT_ENCODING, reply->encoding) &&
                 add(response, MHD_HTTP_HEADER_CACHE_CONTROL, reply->cache) &&
                 add(response, MHD_HTTP_HEADER_ETAG, reply->etag) &&
                 add(response, MHD_HTTP_HEADER_ALLOW, reply->allow) &&
                 add(response, MHD_HTTP_HEADER_LOCATION, reply->location) &&
                 add(response, "X-Content-Type-Options", "nosniff");
    if (reply->vary_encoding) {
        whole = whole && add(response, MHD_HTTP_HEADER_VARY, MHD_HTTP_HEADER_ACCEPT_ENCODING);
    }
    if (reply->later) {
        whole = whole && add(response, MHD_HTTP_HEADER_RETRY_AFTER, RETRY_SECONDS);
    }
    if (reply->policy != NULL) {
        // Tile hosts ask for the origin of who uses them, and get no more than that.
        whole = whole && add(response, MHD_HTTP_HEADER_CONTENT_SECURITY_POLICY, reply->policy) &&
                add(response, "Referrer-Policy", "strict-origin-when-cross-origin") &&
                add(response, MHD_HTTP_HEADER_CROSS_ORIGIN_OPENER_POLICY, "same-origin");
    }
    return whole && add_sharing(response, reply);
}

enum MHD_Result http_reply_send(struct http_reply *reply, struct MHD_Connection *connection) {
    if (reply->body.failed) {
        http_reply_free(reply);
        return MHD_NO;
    }
    struct MHD_Response *response = take_body(reply);
    enum MHD_Result sent = MHD_NO;
    if (response != NULL) {
        sent = add_headers(response, reply)
                   ? MHD_queue_response(connection, reply->status, response)
                   : MHD_NO;
        MHD_destroy_response(response);
    }
    http_reply_free(reply);
    return sent;
}
