// Cutting a connected region of cells in two connected parts, as a city divides its land.
#ifndef GW_SERVICES_DEMO_SPLIT_H
#define GW_SERVICES_DEMO_SPLIT_H

#include "geo/lattice.h"
#include "services/demo/regions.h"

// Working memory for cuts over one graph.
struct gw_demo_cutter {
    const struct gw_demo_graph *graph;
    const struct gw_point *points;
    uint8_t *sides;              // [graph->count] 0: not of the region; 1, 2: its parts
    uint32_t *marks;             // [graph->count]
    uint32_t *queue;             // [graph->count]
    uint32_t *best;              // [graph->count]
    struct gw_demo_keyed *keyed; // [graph->count]
    uint32_t mark;
};

// False: out of memory.
bool gw_demo_cutter_make(struct gw_demo_cutter *cutter, const struct gw_demo_graph *graph,
                         const struct gw_point points[], struct gw_demo_arena *arena);

// Orders the `count` cells of a connected region so that the first part and the rest are connected;
// returns the size of the first, as near to `target` as a few straight cuts get, with at least
// `least_first` cells in it and `least_rest` in the rest. 0: no such cut was found.
uint32_t gw_demo_cut(struct gw_demo_cutter *cutter, uint32_t cells[], uint32_t count,
                     uint32_t target, uint32_t least_first, uint32_t least_rest);

#endif
