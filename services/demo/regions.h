// A graph of neighbouring cells, and regions of it that are connected.
#ifndef GW_SERVICES_DEMO_REGIONS_H
#define GW_SERVICES_DEMO_REGIONS_H

#include "services/demo/arena.h"
#include <stdint.h>

// Neighbours of cell i: next[first[i]] .. next[first[i + 1] - 1].
struct gw_demo_graph {
    uint32_t count;
    uint32_t *first; // [count + 1]
    uint32_t *next;
};

// Makes every region (cells with one label, below label_count) connected: but for its largest part,
// each part of a region goes over to the region of the same group that it has most neighbours in.
// groups[] says which cells may share a region; NULL: all. False: out of memory, or a part has no
// neighbours of its group.
bool gw_demo_connect(const struct gw_demo_graph *graph, const uint32_t groups[], uint32_t labels[],
                     uint32_t label_count, struct gw_demo_arena *arena);

// Numbers the connected parts of regions into parts[], from 0 in the order of their first cells;
// sizes[part] (room for graph->count) their cells. `queue` is scratch of graph->count.
uint32_t gw_demo_parts(const struct gw_demo_graph *graph, const uint32_t labels[], uint32_t parts[],
                       uint32_t sizes[], uint32_t queue[]);

#endif
