#include "services/http/meters.h"

#include "services/base/clock.h"
#include <stdlib.h>
#include <string.h>

#define REASONS 7

static const struct {
    unsigned status;
    const char *reason;
} reasons[REASONS] = {
    {MHD_HTTP_BAD_REQUEST, "bad_request"},         {MHD_HTTP_FORBIDDEN, "other_website"},
    {MHD_HTTP_MISDIRECTED_REQUEST, "other_host"},  {MHD_HTTP_NOT_FOUND, "not_found"},
    {MHD_HTTP_METHOD_NOT_ALLOWED, "method"},       {MHD_HTTP_CONTENT_TOO_LARGE, "too_large"},
    {MHD_HTTP_SERVICE_UNAVAILABLE, "unavailable"},
};

struct http_meters {
    struct gw_histogram **seconds; // by route; the last is of files
    struct gw_counter *refused[REASONS], *refused_else;
    struct gw_gauge *connections, *readers, *late;
};

static struct gw_histogram *histogram(struct gw_metrics *metrics, const char *path,
                                      const char *method) {
    struct gw_buffer labels = {0};
    gw_metrics_label(&labels, "path", path);
    gw_metrics_label(&labels, "method", method);
    struct gw_histogram *made =
        gw_metrics_histogram(metrics, "gridwarden_http_request_seconds", labels.data,
                             "Time until an HTTP request was answered, by path.");
    gw_buffer_free(&labels);
    return made;
}

static struct gw_counter *counter(struct gw_metrics *metrics, const char *reason) {
    struct gw_buffer labels = {0};
    gw_metrics_label(&labels, "reason", reason);
    struct gw_counter *made = gw_metrics_counter(metrics, "gridwarden_http_refused_total",
                                                 labels.data, "HTTP requests that were refused.");
    gw_buffer_free(&labels);
    return made;
}

struct http_meters *http_meters_create(struct gw_http_server *server) {
    struct gw_metrics *metrics = server->options.metrics;
    struct http_meters *meters = calloc(1, sizeof(*meters));
    uint32_t routes = http_route_count();
    if (meters == NULL ||
        (meters->seconds = calloc(routes + 1, sizeof(struct gw_histogram *))) == NULL) {
        free(meters);
        return NULL;
    }
    for (uint32_t i = 0; i < routes; i++) {
        const struct http_route *route = http_route_at(i);
        meters->seconds[i] = histogram(metrics, route->pattern, route->post ? "POST" : "GET");
    }
    meters->seconds[routes] = histogram(metrics, "/*", "GET");
    for (int i = 0; i < REASONS; i++) {
        meters->refused[i] = counter(metrics, reasons[i].reason);
    }
    meters->refused_else = counter(metrics, "other");
    meters->connections = gw_metrics_gauge(metrics, "gridwarden_http_connections", "",
                                           "Open HTTP connections, when this was read.");
    meters->readers = gw_metrics_gauge(metrics, "gridwarden_http_live_readers", "",
                                       "Open live feeds, when this was read.");
    meters->late = gw_metrics_gauge(metrics, "gridwarden_http_late_connections", "",
                                    "Connections closed for being too slow, since the start.");
    return meters;
}

void http_meters_destroy(struct http_meters *meters) {
    if (meters != NULL) {
        free(meters->seconds);
        free(meters);
    }
}

void http_meters_look(struct http_meters *meters, uint32_t connections, uint32_t readers,
                      uint64_t late) {
    gw_gauge_set(meters->connections, connections);
    gw_gauge_set(meters->readers, readers);
    gw_gauge_set(meters->late, (double)late);
}

void http_meters_answered(struct http_meters *meters, const struct http_request *request) {
    unsigned status = request->reply.status;
    if (status < 400) {
        uint32_t row = request->route != NULL ? (uint32_t)(request->route - http_route_at(0))
                                              : http_route_count();
        gw_histogram_observe_ns(meters->seconds[row], gw_clock_monotonic_ns() - request->began_ns);
        return;
    }
    for (int i = 0; i < REASONS; i++) {
        if (reasons[i].status == status) {
            gw_counter_add(meters->refused[i], 1);
            return;
        }
    }
    gw_counter_add(meters->refused_else, 1);
}
