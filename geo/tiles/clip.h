// Private to the tile room: cutting rings with the buffered square of a tile, on integers.
//
// Every point of a ring outside of the square is put on the nearest point of its border; the ring
// then consists of chains through the inside and of walks along the border. Walks in opposite
// directions cancel, and what is left says how often the region just inside each stretch of the
// border is covered; chains and stretches are joined to rings again. A shell and a hole that both
// cross the border so become one ring, and parts that the border separates become rings of their
// own. Where an edge meets the border it is cut the same way from both sides.
#ifndef GW_GEO_TILES_CLIP_H
#define GW_GEO_TILES_CLIP_H

#include "geo/tiles/loops.h"

struct clip_chain {
    uint32_t start, count; // in clip->points
    int32_t from, to;      // places on the border, or CLIP_NO_PLACE
    uint32_t next;         // chain that begins at the same place
    bool done;
};

struct clip_event {
    int32_t place, change; // how much the cover changes here, going clockwise
};

struct clip_node {
    int32_t place;
    int32_t cover;  // of the stretch of the border behind it
    uint32_t chain; // first that begins here
};

// Zero-initialised is ready; clip_begin sets the square.
struct clip {
    int32_t low, high;
    int32_t base; // cover behind place 0, by walks that pass it
    bool failed;
    // The ring that is being read.
    struct gw_mvt_point first, before, last;
    unsigned before_code, last_code;
    uint32_t read; // points, at most 2
    uint32_t first_chain;
    bool open; // the chain that was begun last goes on
    // Of one feature.
    struct gw_mvt_point *points;
    struct clip_chain *chains;
    struct clip_event *events;
    struct clip_node *nodes;
    uint32_t point_count, chain_count, event_count, node_count;
    uint32_t point_capacity, chain_capacity, event_capacity, node_capacity;
};
#define CLIP_NO_PLACE (-1)

void clip_begin(struct clip *clip, int32_t low, int32_t high); // a feature
void clip_ring_begin(struct clip *clip);
void clip_point(struct clip *clip, struct gw_mvt_point point);
void clip_ring_end(struct clip *clip);
// Adds the rings of the feature inside the square. False: no memory.
bool clip_finish(struct clip *clip, struct loops *loops);
void clip_deinit(struct clip *clip);

// The rest is between clip.c and clip_join.c.

// Length of the border, and the place of a point on it: clockwise as drawn from the corner at
// (low, low).
int32_t clip_border(const struct clip *clip);
int32_t clip_place(const struct clip *clip, struct gw_mvt_point point);
struct gw_mvt_point clip_point_at(const struct clip *clip, int32_t place);

#endif
