// Private to the tile writer: distinct runs of bytes, numbered in the order of their first use.
#ifndef GW_GEO_TILES_INTERN_H
#define GW_GEO_TILES_INTERN_H

#include "geo/tiles/bytes.h"

struct intern_entry {
    uint64_t hash;
    size_t start, size; // of the run in `bytes`
};

// Zero-initialised is empty.
struct intern {
    struct gw_bytes bytes; // each run after the head that the caller asks for
    struct intern_entry *entries;
    uint32_t *slots; // number of the entry + 1; 0: free. A power of two of them, at most half used
    uint32_t count, entry_capacity, slot_count;
    bool failed;
};

// The number of a run of bytes, which is stored after `head` when it is new. 0 when failed.
uint32_t intern_put(struct intern *intern, const void *run, size_t size, const unsigned char head[],
                    size_t head_size);
// Forgets all but the first `count` runs.
void intern_cut(struct intern *intern, uint32_t count);
void intern_deinit(struct intern *intern);

// A fixed hash of a run of bytes for tables in memory.
uint64_t intern_hash(const void *run, size_t size);

#endif
