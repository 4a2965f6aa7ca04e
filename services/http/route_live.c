// The live feed: Server-Sent Events for as long as the client listens.
#include "services/http/request.h"
#include "services/http/values.h"
#include "services/live/live.h"
#include <string.h>

#define EVENT_ID_BYTES_MAX 64u

void http_answer_live(struct http_request *request) {
    struct gw_http_server *server = request->server;
    const char *last = http_request_header(request, "Last-Event-ID");
    bool with_workers = true;
    last = last != NULL ? last : http_request_parameter(request, "last_event_id");
    last = last != NULL ? last : "";
    if (server->options.live == NULL) {
        http_request_refuse(request, MHD_HTTP_SERVICE_UNAVAILABLE, "this node has no live feed");
        return;
    }
    if (http_parameter_flag(&request->target, "workers", &with_workers, &request->error) != GW_OK) {
        http_request_fail(request);
        return;
    }
    last = strlen(last) <= EVENT_ID_BYTES_MAX ? last : ""; // none of ours: from a snapshot on
    request->reply.type = "text/event-stream";
    request->reply.cache = HTTP_CACHE_NEVER;
    if (strcmp(request->method, "HEAD") == 0) {
        return;
    }
    if (http_stream_create(&server->streams, server->options.live, request->connection, last,
                           with_workers, &request->reply.stream, &request->error) != GW_OK) {
        http_request_fail(request);
    }
}
