// Fuzz: the bytes of a request become a message within its memory cap, or an error. The first byte
// chooses the type, the second the cap.
#include "gridwarden/v1/grid.pb-c.h"
#include "gridwarden/v1/incident.pb-c.h"
#include "gridwarden/v1/worker.pb-c.h"
#include "grpc/health/v1/health.pb-c.h"
#include "services/rpc/library.h"
#include "services/rpc/message.h"
#include "services/rpc/strict.h"
#include <assert.h>
#include <string.h>

#define PACKED_BYTES_MAX (64u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const ProtobufCMessageDescriptor *const types[] = {
    &gridwarden__v1__locate_request__descriptor,
    &gridwarden__v1__locate_batch_request__descriptor,
    &gridwarden__v1__list_grids_request__descriptor,
    &gridwarden__v1__report_request__descriptor,
    &gridwarden__v1__set_place_request__descriptor,
    &gridwarden__v1__resolve_request__descriptor,
    &gridwarden__v1__upsert_workers_request__descriptor,
    &gridwarden__v1__report_positions_request__descriptor,
    &gridwarden__v1__nearest_request__descriptor,
    &gridwarden__v1__watch_assignments_request__descriptor,
    &grpc__health__v1__health_check_request__descriptor,
};

// What was understood can be sent on and read again.
static void round_trip(const ProtobufCMessage *message) {
    grpc_byte_buffer *buffer;
    gw_err err = gw_rpc_message_pack(message, PACKED_BYTES_MAX, &buffer, NULL);
    assert(err == GW_OK);
    grpc_slice slice;
    err = gw_rpc_message_join(buffer, PACKED_BYTES_MAX, &slice, NULL);
    assert(err == GW_OK);
    ProtobufCMessage *again;
    err = gw_rpc_message_unpack(message->descriptor, &slice, NULL, &again, NULL);
    assert(err == GW_OK);
    protobuf_c_message_free_unpacked(again, NULL);
    grpc_slice_unref(slice);
    grpc_byte_buffer_destroy(buffer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    gw_rpc_library_start();
    if (size < 2) {
        return 0;
    }
    const ProtobufCMessageDescriptor *type = types[data[0] % (sizeof(types) / sizeof(types[0]))];
    struct gw_rpc_arena arena;
    gw_rpc_arena_init(&arena, (size_t)16 << (data[1] % 21));
    grpc_slice slice = grpc_slice_from_static_buffer(data + 2, size - 2);
    ProtobufCMessage *message = NULL;
    struct gw_error error = {0};
    gw_err err = gw_rpc_message_unpack(type, &slice, &arena, &message, &error);
    const char *field;
    assert(arena.total <= arena.cap + _Alignof(max_align_t));
    if (err == GW_OK) {
        assert(message->descriptor == type && gw_rpc_strict_fault(message, &field) == NULL);
        round_trip(message);
    } else {
        assert(message == NULL && error.text[0] != '\0');
        assert(err == GW_EINVAL || (err == GW_ENOSPC && arena.failed));
    }
    gw_rpc_arena_reset(&arena);
    return 0;
}
