// When each connection must be further: who sends or takes bytes one by one is closed.
//
// The idle limit alone does not bound a request, since each byte counts as life. A deadline holds
// for a whole request, and then for the whole of its answer; a live feed has none.
//
// Threads: one inside that closes; the rest from any thread.
#ifndef GW_SERVICES_HTTP_DEADLINES_H
#define GW_SERVICES_HTTP_DEADLINES_H

#include "services/base/error.h"
#include <stdatomic.h>
#include <stdint.h>

#define HTTP_DEADLINE_NONE INT64_MAX

struct http_deadlines;

struct http_connection {
    struct http_connection *next, **previous;
    int fd;
    atomic_llong deadline_ns; // of the monotonic clock
};

// NULL: out of memory or threads.
struct http_deadlines *http_deadlines_create(void);
// Every connection has been removed. Accepts NULL.
void http_deadlines_destroy(struct http_deadlines *deadlines);

// NULL: out of memory.
struct http_connection *http_deadlines_add(struct http_deadlines *deadlines, int fd,
                                           int64_t deadline_ns);
// Before the descriptor is closed. Accepts NULL.
void http_deadlines_remove(struct http_deadlines *deadlines, struct http_connection *connection);
uint32_t http_deadlines_count(struct http_deadlines *deadlines);
// How many were closed for being late.
uint64_t http_deadlines_late(struct http_deadlines *deadlines);

#endif
