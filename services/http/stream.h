// The live feed of one connection: a reader's text, sent as it comes.
//
// The connection is suspended while there is nothing to read, and resumed by the reader's wake. A
// wake that comes between the empty read and the suspension is not lost: whichever comes second of
// the two sees the other and resumes the connection.
#ifndef GW_SERVICES_HTTP_STREAM_H
#define GW_SERVICES_HTTP_STREAM_H

#include "services/base/error.h"
#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct gw_live;
struct http_stream;

// All streams of a server, so that they can be ended. Zero-initialised but for the mutex and the
// limits.
struct http_streams {
    pthread_mutex_t mutex;
    uint32_t max;     // open at once, fewer than connections: some are left for tiles and the rest
    int64_t piece_ns; // for the client to take a piece of the feed, before it is closed
    struct http_stream *first;
    atomic_uint count;
    atomic_bool ending;
};

// GW_ENOSPC: too many readers.
GW_MUST_CHECK gw_err http_stream_create(struct http_streams *streams, struct gw_live *live,
                                        struct MHD_Connection *connection,
                                        const char *last_event_id, bool with_workers,
                                        struct http_stream **stream, struct gw_error *error);
// Accepts NULL. Not once there is a response: then that destroys it.
void http_stream_destroy(struct http_stream *stream);
// NULL: out of memory, and the stream is still the caller's.
struct MHD_Response *http_stream_response(struct http_stream *stream);

// Ends every stream, and those that are still made.
void http_streams_end(struct http_streams *streams);

#endif
