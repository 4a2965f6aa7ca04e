// Private to the tile room: the rings of one feature in tile units, made simple and put in order.
#ifndef GW_GEO_TILES_LOOPS_H
#define GW_GEO_TILES_LOOPS_H

#include "geo/tiles/mvt.h"

struct loop {
    uint32_t start, count; // in loops->points
    int64_t area;          // twice, positive: a shell (clockwise as drawn, y runs south)
    uint32_t hole;         // of a shell: its first hole; of a hole: the next one; or LOOPS_NONE
    struct gw_mvt_point min, max;
};

#define LOOPS_NONE UINT32_MAX

struct loops_slot {
    struct gw_mvt_point point;
    uint32_t position, round;
};

// Zero-initialised is ready.
struct loops {
    struct gw_mvt_point *points; // of finished loops
    struct loop *list;
    struct gw_mvt_point *raw;   // the ring that is being given
    struct gw_mvt_point *stack; // the part of it that has not come back yet
    struct loops_slot *slots;   // where a point lies on the stack
    uint32_t point_count, count, raw_count, slot_count, round;
    uint32_t point_capacity, capacity, raw_capacity, stack_capacity;
    bool failed;
};

// Makes room for `count` elements of `size` bytes; what is there stays. False: no memory.
bool loops_reserve(void **array, uint32_t *capacity, uint32_t count, size_t size);

void loops_begin(struct loops *loops); // a feature
void loops_point(struct loops *loops, struct gw_mvt_point point);
// Room for `count` points more behind those of the ring; NULL: no memory. Of what is written there
// the first `count` points of loops_take belong to the ring; no point equals the one before it.
struct gw_mvt_point *loops_room(struct loops *loops, uint32_t count);
void loops_take(struct loops *loops, uint32_t count);
// Ends a ring: it is taken apart where it comes back to a point, and parts without area are left
// out. (An edge there and back so disappears, which leaves the sum of all borders as it was.)
void loops_close(struct loops *loops);
// Puts the holes to their shells; holes that lie in no shell, which rounding may leave of a sliver,
// are left out, and so are a shell and a hole that have become the same. Whether a shell is left.
bool loops_any(struct loops *loops);
// Afterwards: writes shells, each followed by its holes, to the feature of the writer.
void loops_write(const struct loops *loops, struct gw_mvt_writer *writer);
void loops_deinit(struct loops *loops);

// Between loops.c and holes.c: hangs each hole on the smallest shell that holds it, in order.
void loops_place_holes(struct loops *loops);

#endif
