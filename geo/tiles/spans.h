// Private to the tile room: closed spans of integers, and which of them hold a number.
#ifndef GW_GEO_TILES_SPANS_H
#define GW_GEO_TILES_SPANS_H

#include <stdbool.h>
#include <stdint.h>

#define SPAN_LEVELS_MAX 8u // 16^8 = 2^32

struct span {
    int32_t low, high;
    uint32_t item; // of the caller's
};

struct spans {
    struct span *list; // by low, then by item
    uint32_t count;
    int32_t *highs;                             // the highest end of each group, level by level
    uint32_t level_starts[SPAN_LEVELS_MAX + 1]; // into highs
    uint32_t level_count;
};

// Takes the list over (on failure, too) and sorts it. False: no memory. O(count log count).
bool spans_make(struct spans *spans, struct span *list, uint32_t count);
void spans_deinit(struct spans *spans); // accepts a zeroed one
// The first span at or behind `from` that holds `at`; spans->count when there is none. One after
// another, those that hold `at` take O(log count) each.
uint32_t spans_next(const struct spans *spans, uint32_t from, int32_t at);

#endif
