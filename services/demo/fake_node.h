// A node for the player's tests: the mutating methods and the watches, in memory, in one loop
// thread.
//
// It keeps the life of incidents strictly (who may do what in which state), refuses another payload
// under a known request id, answers the first try of some calls with UNAVAILABLE, sends some
// incidents to a desk, and counts.
#ifndef GW_SERVICES_DEMO_FAKE_NODE_H
#define GW_SERVICES_DEMO_FAKE_NODE_H

#include "services/rpc/server.h"
#include <stdbool.h>
#include <stdint.h>

struct fake_node;

struct fake_facts {
    uint64_t workers, duty_changes, positions;
    uint64_t incidents, accepted, declined, started, resolved, closed, placed, to_desks;
    uint64_t repeated;    // requests under a known id with the same bytes
    uint64_t turned_away; // first tries answered with UNAVAILABLE
    uint64_t faults;      // what a player must not do; the words are printed
    uint64_t open_offers, at_desk;
};

struct fake_node *fake_node_start(bool refuse_workers);
const char *fake_node_target(const struct fake_node *node);
// Ends the server; the facts can be read from then on, not before.
void fake_node_stop(struct fake_node *node);
struct fake_facts fake_node_facts(const struct fake_node *node);
void fake_node_free(struct fake_node *node);

#endif
