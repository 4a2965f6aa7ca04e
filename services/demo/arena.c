#include "services/demo/arena.h"

#include <stdint.h>
#include <stdlib.h>

struct gw_demo_block {
    struct gw_demo_block *next;
    _Alignas(16) unsigned char bytes[];
};

void *gw_demo_array(struct gw_demo_arena *arena, size_t count, size_t size) {
    struct gw_demo_block *block = NULL;
    if (size != 0 && count <= (SIZE_MAX / 2 - sizeof(*block)) / size) {
        block = calloc(1, sizeof(*block) + count * size);
    }
    if (block == NULL) {
        arena->failed = true;
        return NULL;
    }
    block->next = arena->blocks;
    arena->blocks = block;
    return block->bytes;
}

void gw_demo_arena_free(struct gw_demo_arena *arena) {
    while (arena->blocks != NULL) {
        struct gw_demo_block *block = arena->blocks;
        arena->blocks = block->next;
        free(block);
    }
    arena->failed = false;
}
