// What is counted of requests: times by path, refusals by reason, who is connected.
#ifndef GW_SERVICES_HTTP_METERS_H
#define GW_SERVICES_HTTP_METERS_H

#include "services/http/request.h"

struct http_meters;

// NULL: out of memory.
struct http_meters *http_meters_create(struct gw_http_server *server);
void http_meters_destroy(struct http_meters *meters); // accepts NULL

// An answer is about to be sent.
void http_meters_answered(struct http_meters *meters, const struct http_request *request);

// What is open now, and how many were closed for being late; told when the metrics are read.
void http_meters_look(struct http_meters *meters, uint32_t connections, uint32_t readers,
                      uint64_t late);

#endif
