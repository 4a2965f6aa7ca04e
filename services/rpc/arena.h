// Memory for one unpacked message: grows in blocks up to a cap, and is given back at once.
//
// A few bytes on the wire can ask for much memory (a repeated empty message costs two), so what a
// peer sends must not decide how much is allocated.
#ifndef GW_SERVICES_RPC_ARENA_H
#define GW_SERVICES_RPC_ARENA_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>

struct gw_rpc_arena_block;

struct gw_rpc_arena {
    struct gw_rpc_arena_block *blocks; // newest first
    size_t used, capacity;             // of the newest block
    size_t total, cap;                 // bytes handed out; their limit
    bool failed;                       // something was refused
};

// Empty, with a limit of `cap` bytes.
void gw_rpc_arena_init(struct gw_rpc_arena *arena, size_t cap);
// Gives everything back; the arena is empty again, with the same cap.
void gw_rpc_arena_reset(struct gw_rpc_arena *arena);
// Aligned for anything; NULL past the cap, and then `failed` is set. O(1).
void *gw_rpc_arena_alloc(struct gw_rpc_arena *arena, size_t size);
// The arena as protobuf-c wants it; valid as long as the arena.
ProtobufCAllocator gw_rpc_arena_allocator(struct gw_rpc_arena *arena);

#endif
