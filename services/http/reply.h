// An answer while it is made: status, headers, and one of several kinds of body.
#ifndef GW_SERVICES_HTTP_REPLY_H
#define GW_SERVICES_HTTP_REPLY_H

#include "services/base/buffer.h"
#include "services/base/error.h"
#include "services/tiles/tiles.h"
#include <microhttpd.h>
#include <stdbool.h>
#include <stdint.h>

#define HTTP_TYPE_JSON "application/json; charset=utf-8"
#define HTTP_TYPE_GEOJSON "application/geo+json"

#define HTTP_CACHE_NEVER "no-store"
#define HTTP_CACHE_ASK "no-cache"
#define HTTP_CACHE_ASK_PUBLIC "public, max-age=0, must-revalidate"
#define HTTP_CACHE_FOREVER "public, max-age=31536000, immutable"

#define HTTP_ETAG_SIZE 72u

struct http_stream;

// Zeroed, a reply is 0 bytes without a type. Texts are constants or live as long as the server.
struct http_reply {
    unsigned status;
    const char *type, *encoding, *cache;
    const char *allow;  // methods that the path has
    const char *policy; // Content-Security-Policy
    char location[64];  // "" for none
    char etag[HTTP_ETAG_SIZE];
    bool for_anyone; // any website's scripts may read it (CORS)
    bool preflight;  // the answer to a question about that
    bool vary_encoding;
    bool later; // Retry-After
    // The body is the first of these that is there.
    const struct gw_tile *tile; // released when sent, or by http_reply_free
    struct http_stream *stream; // the live feed, from a reader
    const void *bytes;          // that live as long as the server
    size_t bytes_size;
    struct gw_buffer body;
};

// Makes the reply a refusal: {"error": {"code", "message"}}. What it had is dropped.
void http_refuse(struct http_reply *reply, unsigned status, const char *message);
// The same for an error of the rooms below, with the status that fits its code.
void http_refuse_error(struct http_reply *reply, const struct gw_error *error);
unsigned http_status_of(gw_err err);

// Queues the reply; its body is taken over. MHD_NO: out of memory, the connection is to be closed.
enum MHD_Result http_reply_send(struct http_reply *reply, struct MHD_Connection *connection);
void http_reply_free(struct http_reply *reply);

#endif
