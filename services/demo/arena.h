// Memory that is given back all at once: what the generator works with lives and dies together.
#ifndef GW_SERVICES_DEMO_ARENA_H
#define GW_SERVICES_DEMO_ARENA_H

#include <stdbool.h>
#include <stddef.h>

struct gw_demo_block;

// Zero-initialised is empty and valid.
struct gw_demo_arena {
    struct gw_demo_block *blocks;
    bool failed; // some request was not met
};

// Room for `count` elements of `size` bytes, zeroed. NULL: out of memory (and `failed` is set).
void *gw_demo_array(struct gw_demo_arena *arena, size_t count, size_t size);

void gw_demo_arena_free(struct gw_demo_arena *arena);

#endif
