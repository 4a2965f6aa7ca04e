#include "services/http/stream.h"

#include "services/base/clock.h"
#include "services/http/deadlines.h"
#include "services/live/live.h"
#include <stdlib.h>
#include <sys/socket.h>

#define BLOCK_BYTES 1024u // of HTTP/1.0 clients; the others read as much as fits a chunk
// That the kernel may hold for a client that doesn't read. Left to itself it takes up to 4 MiB for
// each, and a reader that is far behind looks as if it had read all.
#define UNREAD_BYTES_MAX (128 << 10)

// What the connection does; changed by exchanges alone, see the header.
enum { READING, SUSPENDED, WOKEN };

struct http_stream {
    struct http_streams *streams;
    struct http_stream *next, **previous; // in the list
    struct MHD_Connection *connection;
    struct http_connection *held; // NULL: without a deadline, for lack of memory
    struct gw_live_reader *reader;
    atomic_int state;
};

// From any thread. A suspended connection lives until it is resumed, so it may be touched here.
static void wake(void *context) {
    struct http_stream *stream = context;
    if (atomic_exchange(&stream->state, WOKEN) == SUSPENDED) {
        MHD_resume_connection(stream->connection);
    }
}

// False: there are as many as there may be.
static bool link_stream(struct http_stream *stream) {
    struct http_streams *streams = stream->streams;
    (void)pthread_mutex_lock(&streams->mutex);
    if (atomic_load(&streams->count) >= streams->max) {
        (void)pthread_mutex_unlock(&streams->mutex);
        return false;
    }
    stream->next = streams->first;
    stream->previous = &streams->first;
    if (stream->next != NULL) {
        stream->next->previous = &stream->next;
    }
    streams->first = stream;
    atomic_fetch_add(&streams->count, 1);
    (void)pthread_mutex_unlock(&streams->mutex);
    return true;
}

static void unlink_stream(struct http_stream *stream) {
    struct http_streams *streams = stream->streams;
    (void)pthread_mutex_lock(&streams->mutex);
    *stream->previous = stream->next;
    if (stream->next != NULL) {
        stream->next->previous = stream->previous;
    }
    (void)pthread_mutex_unlock(&streams->mutex);
    atomic_fetch_sub(&streams->count, 1);
}

static void bound_unread(struct MHD_Connection *connection) {
    const int size = UNREAD_BYTES_MAX;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    if (info != NULL) {
        (void)setsockopt(info->connect_fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    }
}

static struct http_connection *held_of(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info != NULL ? info->socket_context : NULL;
}

static void set_deadline(struct http_stream *stream, int64_t deadline_ns) {
    if (stream->held != NULL) {
        atomic_store_explicit(&stream->held->deadline_ns, deadline_ns, memory_order_relaxed);
    }
}

gw_err http_stream_create(struct http_streams *streams, struct gw_live *live,
                          struct MHD_Connection *connection, const char *last_event_id,
                          bool with_workers, struct http_stream **stream, struct gw_error *error) {
    struct http_stream *made = calloc(1, sizeof(*made));
    if (made == NULL) {
        return gw_error_set(error, GW_ENOMEM, "not enough memory for another live feed");
    }
    made->streams = streams;
    made->connection = connection;
    made->held = held_of(connection);
    if (!link_stream(made)) {
        free(made);
        return gw_error_set(error, GW_ENOSPC,
                            "%u live feeds are open already: try again in a minute", streams->max);
    }
    gw_err err = gw_live_open(live, last_event_id, with_workers, wake, made, &made->reader, error);
    if (err != GW_OK) {
        unlink_stream(made);
        free(made);
        return err;
    }
    bound_unread(connection);
    *stream = made;
    return GW_OK;
}

void http_stream_destroy(struct http_stream *stream) {
    if (stream != NULL) {
        unlink_stream(stream);
        gw_live_close(stream->reader);
        free(stream);
    }
}

static void response_ends(void *context) {
    http_stream_destroy(context);
}

static ssize_t read_block(void *context, uint64_t position, char *out, size_t size) {
    (void)position;
    struct http_stream *stream = context;
    if (atomic_load(&stream->streams->ending)) {
        return MHD_CONTENT_READER_END_OF_STREAM;
    }
    atomic_store(&stream->state, READING);
    size_t got = 0;
    if (gw_live_read(stream->reader, out, size, &got) != GW_OK) {
        return MHD_CONTENT_READER_END_WITH_ERROR; // fell behind: the client comes again
    }
    // Whoever takes a byte now and then is not idle, but must take a piece before its time is over.
    set_deadline(stream, got > 0 ? gw_clock_monotonic_ns() + stream->streams->piece_ns
                                 : HTTP_DEADLINE_NONE);
    if (got == 0) {
        MHD_suspend_connection(stream->connection);
        // `ending` may have been set, with its wake, before this block began.
        if (atomic_exchange(&stream->state, SUSPENDED) == WOKEN ||
            atomic_load(&stream->streams->ending)) {
            wake(stream);
        }
    }
    return (ssize_t)got;
}

struct MHD_Response *http_stream_response(struct http_stream *stream) {
    return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK_BYTES, read_block, stream,
                                             response_ends);
}

void http_streams_end(struct http_streams *streams) {
    atomic_store(&streams->ending, true);
    (void)pthread_mutex_lock(&streams->mutex);
    for (struct http_stream *stream = streams->first; stream != NULL; stream = stream->next) {
        wake(stream);
    }
    (void)pthread_mutex_unlock(&streams->mutex);
}
