// The client's streams: each has a completion queue of its own, plucked by the calling thread.
#include "services/rpc/client_internal.h"

#include "services/rpc/message.h"
#include <assert.h>
#include <grpc/support/alloc.h>
#include <grpc/support/time.h>

#define SEND_BYTES_MAX (64u << 20)

struct gw_rpc_stream {
    struct gw_rpc_channel *channel;
    grpc_completion_queue *queue;
    grpc_call *call;
    const ProtobufCMessageDescriptor *response_type;
    bool client_stream;
    struct gw_rpc_answer answer;
    grpc_byte_buffer *sending;
    char send_tag, read_tag, status_tag;
    bool send_open, read_open, status_open; // batches whose event was not taken yet
    bool write_failed;
};

// Waits for the batch behind `tag`; false: not within the time, and it goes on.
static bool pluck(struct gw_rpc_stream *stream, char *tag, bool *open, int64_t timeout_ms,
                  bool *ok) {
    grpc_event event =
        grpc_completion_queue_pluck(stream->queue, tag, gw_rpc_wait_until(timeout_ms), NULL);
    if (event.type != GRPC_OP_COMPLETE) {
        return false;
    }
    *open = false;
    *ok = event.success != 0;
    return true;
}

static void wait_send(struct gw_rpc_stream *stream) {
    bool ok = true;
    if (stream->send_open) {
        (void)pluck(stream, &stream->send_tag, &stream->send_open, -1, &ok);
    }
    if (stream->sending != NULL) {
        grpc_byte_buffer_destroy(stream->sending);
        stream->sending = NULL;
    }
    stream->write_failed = stream->write_failed || !ok;
}

static void wait_status(struct gw_rpc_stream *stream) {
    bool ok;
    if (stream->status_open) {
        (void)pluck(stream, &stream->status_tag, &stream->status_open, -1, &ok);
    }
}

static void start_send(struct gw_rpc_stream *stream, const grpc_op *ops, size_t count) {
    stream->send_open = true;
    gw_rpc_client_batch(stream->call, ops, count, &stream->send_tag);
}

static grpc_op read_op(struct gw_rpc_stream *stream) {
    return (grpc_op){.op = GRPC_OP_RECV_MESSAGE,
                     .data.recv_message.recv_message = &stream->answer.message};
}

// The initial metadata and the first message come in one batch, the status in another, at the end.
static void start_receive(struct gw_rpc_stream *stream) {
    grpc_op first[2] = {
        {.op = GRPC_OP_RECV_INITIAL_METADATA,
         .data.recv_initial_metadata.recv_initial_metadata = &stream->answer.initial},
        read_op(stream),
    };
    stream->read_open = true;
    gw_rpc_client_batch(stream->call, first, 2, &stream->read_tag);
    grpc_op status = {.op = GRPC_OP_RECV_STATUS_ON_CLIENT,
                      .data.recv_status_on_client = {.trailing_metadata = &stream->answer.trailing,
                                                     .status = &stream->answer.status,
                                                     .status_details = &stream->answer.details}};
    stream->status_open = true;
    gw_rpc_client_batch(stream->call, &status, 1, &stream->status_tag);
}

gw_err gw_rpc_stream_open(struct gw_rpc_channel *channel, const char *path,
                          const ProtobufCMessage *request,
                          const ProtobufCMessageDescriptor *response_type, int64_t timeout_ms,
                          struct gw_rpc_stream **stream, struct gw_error *error) {
    grpc_byte_buffer *packed = NULL;
    if (request != NULL) {
        gw_err err = gw_rpc_message_pack(request, SEND_BYTES_MAX, &packed, error);
        if (err != GW_OK) {
            return err;
        }
    }
    struct gw_rpc_stream *made = gpr_zalloc(sizeof(*made));
    made->channel = channel;
    made->response_type = response_type;
    made->client_stream = request == NULL;
    made->sending = packed;
    made->queue = grpc_completion_queue_create_for_pluck(NULL);
    made->call = gw_rpc_call_open(channel, made->queue, path, timeout_ms);
    gw_rpc_answer_init(&made->answer);
    grpc_op ops[3] = {{.op = GRPC_OP_SEND_INITIAL_METADATA},
                      {.op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = packed},
                      {.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT}};
    start_send(made, ops, packed != NULL ? 3 : 1);
    start_receive(made);
    *stream = made;
    return GW_OK;
}

// The stream's end as an error; GW_OK if it ended well.
static gw_err end_of(struct gw_rpc_stream *stream, struct gw_error *error) {
    wait_status(stream);
    return gw_rpc_answer_error(stream->channel, &stream->answer, error);
}

gw_err gw_rpc_stream_read(struct gw_rpc_stream *stream, int64_t timeout_ms,
                          ProtobufCMessage **message, struct gw_error *error) {
    assert(!stream->client_stream);
    bool ok = true;
    if (stream->read_open &&
        !pluck(stream, &stream->read_tag, &stream->read_open, timeout_ms, &ok)) {
        return gw_error_set(error, GW_EDEADLINE, "nothing came within %lld ms",
                            (long long)timeout_ms);
    }
    grpc_byte_buffer *buffer = stream->answer.message;
    stream->answer.message = NULL;
    if (buffer == NULL) {
        gw_err err = end_of(stream, error);
        return err != GW_OK ? err : gw_error_set(error, GW_ENOTFOUND, "the stream has ended");
    }
    grpc_op op = read_op(stream);
    stream->read_open = true;
    gw_rpc_client_batch(stream->call, &op, 1, &stream->read_tag);
    return gw_rpc_take_response(stream->response_type, buffer, message, error);
}

gw_err gw_rpc_stream_write(struct gw_rpc_stream *stream, const ProtobufCMessage *message,
                           struct gw_error *error) {
    assert(stream->client_stream);
    grpc_byte_buffer *packed;
    wait_send(stream); // of the opening
    if (!stream->write_failed) {
        gw_err err = gw_rpc_message_pack(message, SEND_BYTES_MAX, &packed, error);
        if (err != GW_OK) {
            return err;
        }
        stream->sending = packed;
        grpc_op op = {.op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = packed};
        start_send(stream, &op, 1);
        wait_send(stream);
    }
    if (!stream->write_failed) {
        return GW_OK;
    }
    gw_err err = end_of(stream, error);
    return err != GW_OK ? err
                        : gw_error_set(error, GW_ESTATE,
                                       "the server has answered already and reads no further");
}

gw_err gw_rpc_stream_finish(struct gw_rpc_stream *stream, ProtobufCMessage **response,
                            struct gw_error *error) {
    assert(stream->client_stream);
    wait_send(stream);
    if (!stream->write_failed) {
        grpc_op op = {.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT};
        start_send(stream, &op, 1);
        wait_send(stream);
    }
    gw_err err = end_of(stream, error);
    if (err != GW_OK) {
        return err;
    }
    bool ok;
    if (stream->read_open) {
        (void)pluck(stream, &stream->read_tag, &stream->read_open, -1, &ok);
    }
    grpc_byte_buffer *buffer = stream->answer.message;
    stream->answer.message = NULL;
    return gw_rpc_take_response(stream->response_type, buffer, response, error);
}

void gw_rpc_stream_destroy(struct gw_rpc_stream *stream) {
    if (stream == NULL) {
        return;
    }
    bool ok;
    if (stream->status_open) {
        (void)grpc_call_cancel(stream->call, NULL);
    }
    wait_send(stream);
    if (stream->read_open) {
        (void)pluck(stream, &stream->read_tag, &stream->read_open, -1, &ok);
    }
    wait_status(stream);
    gw_rpc_answer_deinit(&stream->answer);
    grpc_call_unref(stream->call);
    grpc_completion_queue_shutdown(stream->queue);
    grpc_completion_queue_destroy(stream->queue);
    gpr_free(stream);
}
