// Users who pan over a map: each has a screen that wanders, and sees the tiles that lie on it.
//
// A step is a pan by up to half a screen (3 in 4), a zoom by one level (1 in 5), or a jump to
// another place. The same seed makes the same walks. Pure but for memory.
#ifndef GW_LOADTEST_PAN_H
#define GW_LOADTEST_PAN_H

#include "loadtest/scenario.h"
#include "services/base/random.h"

#define LOAD_SEEN_MAX 256u // tiles that a user's browser keeps
#define LOAD_ETAG_MAX 48u
#define LOAD_VISIBLE_MAX 2400u // tiles of a step: 17 x 17 in 8 layers

struct load_layer {
    uint32_t zoom_min, zoom_max; // that the server has; beyond the most, its tile is stretched
};

struct load_tile {
    uint32_t layer, z, x, y;
};

struct load_seen {
    uint64_t key; // 0: empty
    char etag[LOAD_ETAG_MAX];
};

struct load_user {
    double x, y; // the middle of the screen, 0 .. 1 of the Mercator square, from the north-west
    uint32_t zoom;
    bool somewhere;         // has a place yet
    struct load_seen *seen; // [LOAD_SEEN_MAX], a ring; NULL: keeps nothing
    uint32_t seen_next;
};

struct load_pan {
    const struct load_work *work;
    struct load_layer layers[LOAD_LAYERS_MAX];
    double bounds[4]; // degrees
    struct load_user *users;
    uint32_t user_count;
};

// `layers` and `bounds` as the server's TileJSON has them. GW_ENOMEM.
GW_MUST_CHECK gw_err load_pan_init(struct load_pan *pan, const struct load_work *work,
                                   uint32_t users, const struct load_layer layers[],
                                   const double bounds[4]);
void load_pan_deinit(struct load_pan *pan); // of zeros, too

// Moves the user; the tiles that he then sees and that his browser does not keep
// (LOAD_CACHE_BROWSER) come into tiles[LOAD_VISIBLE_MAX]. `start` is called for a place to be at
// (degrees).
uint32_t load_pan_step(struct load_pan *pan, struct load_user *user, struct gw_random *random,
                       void (*start)(void *context, struct gw_random *random, double *lon,
                                     double *lat),
                       void *context, struct load_tile tiles[]);

// What his browser keeps of a tile; NULL: nothing.
const struct load_seen *load_pan_find(const struct load_user *user, struct load_tile tile);
void load_pan_keep(struct load_user *user, struct load_tile tile, const char *etag);

#endif
