// What will happen on a day of the demo city: the incidents, who moves where. Pure.
#ifndef GW_SERVICES_DEMO_DAY_H
#define GW_SERVICES_DEMO_DAY_H

#include "services/demo/city.h"

enum gw_demo_place {
    GW_DEMO_PLACE_GRID,    // in a grid
    GW_DEMO_PLACE_OUTSIDE, // near the city, in no grid
    GW_DEMO_PLACE_LATER,   // an address alone; the point is found out later
};

struct gw_demo_incident {
    int64_t time_ms; // after the beginning of the play
    enum gw_demo_place place;
    uint32_t grid; // GW_GRID_NONE outside
    struct gw_point point;
    uint8_t class_index; // gw_demo_class
    uint8_t severity;    // 1 .. 4
    uint8_t channel;     // Channel of incident.proto
};

struct gw_demo_class {
    const char *code, *name;
    uint8_t weight; // of a hundred
};
#define GW_DEMO_CLASS_COUNT 6u
extern const struct gw_demo_class gw_demo_classes[GW_DEMO_CLASS_COUNT];

// How many incidents a play has, and which: most by day, most in urban grids, a few of a hundred
// outside or without a place. plan: room for gw_demo_day_count; in the order of their times.
uint32_t gw_demo_day_count(uint32_t begin_minute, uint32_t minutes, uint32_t incidents_a_day);
void gw_demo_day_plan(const struct gw_city *city, uint32_t begin_minute, uint32_t minutes,
                      uint32_t incidents_a_day, struct gw_demo_incident plan[]);

// A worker's way through his grids: from one of their cells to another, then a pause, and so on.
struct gw_demo_walk {
    uint32_t leg;
    struct gw_point from, to;
    int64_t begin_ms, arrive_ms, end_ms;
};

// Where the worker is at a time that never goes back. Zero-initialise the walk.
struct gw_point gw_demo_walk_at(const struct gw_city *city, uint32_t worker, int64_t time_ms,
                                struct gw_demo_walk *walk);

// Millimetres a second that the worker makes at most: on foot, or by e-bike.
uint32_t gw_demo_walk_speed(const struct gw_city *city, uint32_t worker);

// Metres between two points of the city, within two of a hundred; integers.
int64_t gw_demo_distance_mm(struct gw_point a, struct gw_point b);

#endif
