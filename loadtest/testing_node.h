// A node for the tests of the load generator: four grids, ten workers, incidents in memory, one
// loop thread; and the faults that a load generator must see.
#ifndef GW_LOADTEST_TESTING_NODE_H
#define GW_LOADTEST_TESTING_NODE_H

#include <stdbool.h>
#include <stdint.h>

struct fake_node;

struct fake_faults {
    uint32_t pause_at; // before it answers this Locate, it stands still
    int pause_ms;
    bool silent; // no Locate is ever answered
    uint32_t
        turn_away_every;   // the first try of every such Report is kept, but answered UNAVAILABLE
    uint32_t lose_every;   // such acknowledged incidents are gone afterwards
    uint32_t double_every; // and such are there twice
    uint32_t hide_every;   // and such are missing in the list
    int64_t clock_ms;      // how far its clock is ahead of ours
};

struct fake_facts {
    uint64_t locates, points, nearests, grids, reports, repeated, positions, on_duty;
    uint64_t accepted, started, resolved, closed, faults;
    uint32_t streams;
};

struct fake_node *fake_node_start(const struct fake_faults *faults);
const char *fake_node_target(const struct fake_node *node);
// Ends it; the facts are final.
struct fake_facts fake_node_stop(struct fake_node *node);

#endif
