// Stand-ins for the tiles and the live feed, so that tests decide when a tile comes and what a feed
// says. The test's own functions are taken by the linker before those of the libraries.
#ifndef GW_SERVICES_HTTP_TESTING_DOUBLES_H
#define GW_SERVICES_HTTP_TESTING_DOUBLES_H

#include "services/live/live.h"
#include "services/tiles/tiles.h"

#define DOUBLE_EDITION 3u
#define DOUBLE_ETAG "\"00112233445566778899aabbccddeeff\""
#define DOUBLE_MVT "this stands for a vector tile, a vector tile, a vector tile"

// What the stand-in does is said by z: at once, ...
enum {
    DOUBLE_HIT = 0,
    DOUBLE_LATER = 1,     // when double_tiles_answer is called
    DOUBLE_MEANWHILE = 2, // before gw_tiles_get returns
    DOUBLE_EMPTY = 3,
    DOUBLE_FULL = 4,  // GW_ENOSPC
    DOUBLE_FAILS = 5, // later, with an error
};

struct gw_tiles *double_tiles_create(void);
void double_tiles_destroy(struct gw_tiles *tiles); // asserts that every tile was given back
// Waits until this many requests wait for a tile.
void double_tiles_await(struct gw_tiles *tiles, uint32_t count);
// Answers all that wait, from the calling thread.
void double_tiles_answer(struct gw_tiles *tiles);

struct gw_live *double_live_create(void);
void double_live_destroy(struct gw_live *live); // asserts that every reader was closed
// Adds to what every reader reads.
void double_live_say(struct gw_live *live, const char *text);
// From now on readers are told that they fell behind.
void double_live_lose(struct gw_live *live);
// Waits until this many readers are open.
void double_live_await(struct gw_live *live, uint32_t readers);
// The most that was read by one reader.
size_t double_live_taken(struct gw_live *live);
// Of the last gw_live_open: "id=... workers=0|1".
void double_live_opened(struct gw_live *live, char text[128]);

#endif
