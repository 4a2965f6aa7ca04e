#include "services/rpc/message.h"

#include "services/rpc/strict.h"
#include <grpc/byte_buffer_reader.h>

gw_err gw_rpc_message_pack(const ProtobufCMessage *message, size_t bytes_max,
                           grpc_byte_buffer **buffer, struct gw_error *error) {
    size_t size = protobuf_c_message_get_packed_size(message);
    if (size > bytes_max) {
        return gw_error_set(
            error, GW_EINTERNAL,
            "the %s has %zu bytes, more than the limit of %zu; ask for less at once",
            message->descriptor->name, size, bytes_max);
    }
    grpc_slice slice = grpc_slice_malloc(size);
    (void)protobuf_c_message_pack(message, GRPC_SLICE_START_PTR(slice));
    *buffer = grpc_raw_byte_buffer_create(&slice, 1);
    grpc_slice_unref(slice);
    return GW_OK;
}

gw_err gw_rpc_message_join(grpc_byte_buffer *buffer, size_t bytes_max, grpc_slice *slice,
                           struct gw_error *error) {
    if (buffer->type != GRPC_BB_RAW || buffer->data.raw.compression != GRPC_COMPRESS_NONE) {
        return gw_error_set(error, GW_EUNSUPPORTED,
                            "compressed messages are not accepted; send them uncompressed");
    }
    size_t size = grpc_byte_buffer_length(buffer);
    if (size > bytes_max) {
        return gw_error_set(error, GW_ENOSPC,
                            "the message has %zu bytes, more than the limit of %zu; send less at "
                            "once",
                            size, bytes_max);
    }
    grpc_byte_buffer_reader reader;
    if (grpc_byte_buffer_reader_init(&reader, buffer) == 0) {
        return gw_error_set(error, GW_EINTERNAL, "the message could not be read");
    }
    *slice = grpc_byte_buffer_reader_readall(&reader);
    grpc_byte_buffer_reader_destroy(&reader);
    return GW_OK;
}

gw_err gw_rpc_message_unpack(const ProtobufCMessageDescriptor *type, const grpc_slice *slice,
                             struct gw_rpc_arena *arena, ProtobufCMessage **message,
                             struct gw_error *error) {
    ProtobufCAllocator allocator;
    if (arena != NULL) {
        allocator = gw_rpc_arena_allocator(arena);
    }
    ProtobufCMessage *unpacked =
        protobuf_c_message_unpack(type, arena != NULL ? &allocator : NULL,
                                  GRPC_SLICE_LENGTH(*slice), GRPC_SLICE_START_PTR(*slice));
    if (unpacked == NULL && arena != NULL && arena->failed) {
        return gw_error_set(error, GW_ENOSPC,
                            "the %s needs more than %zu bytes of memory once unpacked; send less "
                            "at once",
                            type->name, arena->cap);
    }
    if (unpacked == NULL) {
        return gw_error_set(error, GW_EINVAL, "the bytes are not a valid %s", type->name);
    }
    const char *field;
    const char *fault = gw_rpc_strict_fault(unpacked, &field);
    if (fault != NULL) {
        gw_err err = gw_error_set(error, GW_EINVAL, "%s: field %s %s", type->name, field, fault);
        protobuf_c_message_free_unpacked(unpacked, arena != NULL ? &allocator : NULL);
        return err;
    }
    *message = unpacked;
    return GW_OK;
}
