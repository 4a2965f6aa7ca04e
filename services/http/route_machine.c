// For other programs: metrics, whether it lives, whether it is ready.
#include "services/http/deadlines.h"
#include "services/http/meters.h"
#include "services/http/request.h"

#define TYPE_METRICS "text/plain; version=0.0.4; charset=utf-8"

void http_answer_metrics(struct http_request *request) {
    struct gw_http_server *server = request->server;
    http_meters_look(server->meters, http_deadlines_count(server->deadlines),
                     atomic_load(&server->streams.count), http_deadlines_late(server->deadlines));
    request->reply.type = TYPE_METRICS;
    request->reply.cache = HTTP_CACHE_NEVER;
    gw_metrics_write(server->options.metrics, &request->reply.body);
}

void http_answer_health(struct http_request *request) {
    request->reply.type = HTTP_TYPE_JSON;
    request->reply.cache = HTTP_CACHE_NEVER;
    gw_buffer_text(&request->reply.body, "{\"status\":\"alive\"}\n");
}

void http_answer_ready(struct http_request *request) {
    const struct gw_http_options *options = &request->server->options;
    struct gw_error error = {.code = GW_OK};
    if (options->ready != NULL && options->ready(options->context, &error) != GW_OK) {
        http_request_refuse(request, MHD_HTTP_SERVICE_UNAVAILABLE, error.text);
        return;
    }
    request->reply.type = HTTP_TYPE_JSON;
    request->reply.cache = HTTP_CACHE_NEVER;
    gw_buffer_text(&request->reply.body, "{\"status\":\"ready\"}\n");
}
