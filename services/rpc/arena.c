#include "services/rpc/arena.h"

#include <stdlib.h>

#define BLOCK_BYTES_MIN 512u
#define BLOCK_BYTES_MAX 65536u

struct gw_rpc_arena_block {
    struct gw_rpc_arena_block *next;
    max_align_t bytes[];
};

void gw_rpc_arena_init(struct gw_rpc_arena *arena, size_t cap) {
    *arena = (struct gw_rpc_arena){.cap = cap};
}

void gw_rpc_arena_reset(struct gw_rpc_arena *arena) {
    struct gw_rpc_arena_block *block = arena->blocks;
    while (block != NULL) {
        struct gw_rpc_arena_block *next = block->next;
        free(block);
        block = next;
    }
    gw_rpc_arena_init(arena, arena->cap);
}

static bool add_block(struct gw_rpc_arena *arena, size_t size) {
    size_t capacity = arena->capacity * 2;
    capacity = capacity < BLOCK_BYTES_MIN ? BLOCK_BYTES_MIN : capacity;
    capacity = capacity > BLOCK_BYTES_MAX ? BLOCK_BYTES_MAX : capacity;
    capacity = capacity < size ? size : capacity;
    struct gw_rpc_arena_block *block = malloc(sizeof(*block) + capacity);
    if (block == NULL) {
        return false;
    }
    block->next = arena->blocks;
    arena->blocks = block;
    arena->capacity = capacity;
    arena->used = 0;
    return true;
}

void *gw_rpc_arena_alloc(struct gw_rpc_arena *arena, size_t size) {
    const size_t alignment = _Alignof(max_align_t);
    if (size > arena->cap || arena->cap - size < arena->total) {
        arena->failed = true;
        return NULL;
    }
    size_t rounded = (size + alignment - 1) / alignment * alignment;
    if (arena->blocks == NULL || arena->capacity - arena->used < rounded) {
        if (!add_block(arena, rounded)) {
            arena->failed = true;
            return NULL;
        }
    }
    void *memory = (char *)arena->blocks->bytes + arena->used;
    arena->used += rounded;
    arena->total += rounded;
    return memory;
}

static void *allocate(void *context, size_t size) {
    return gw_rpc_arena_alloc(context, size);
}

static void release(void *context, void *memory) {
    (void)context; // everything goes at once, in gw_rpc_arena_reset
    (void)memory;
}

ProtobufCAllocator gw_rpc_arena_allocator(struct gw_rpc_arena *arena) {
    return (ProtobufCAllocator){.alloc = allocate, .free = release, .allocator_data = arena};
}
