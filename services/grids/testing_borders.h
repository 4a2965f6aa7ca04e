// Editions of two grids, W and E, whose common border tells the edition: for tests of what happens
// when one takes the place of another.
#ifndef GW_SERVICES_GRIDS_TESTING_BORDERS_H
#define GW_SERVICES_GRIDS_TESTING_BORDERS_H

#include "services/grids/edition_writer.h"

#define TESTING_BORDERS_NOW INT64_C(1700000000000)

// W spans longitudes 0 .. 1000 + number, E from there to 3000 (1e-7 degree), latitudes 0 .. 1000.
// `number` is below 1000.
struct testing_borders {
    const char *layer, *label;
    uint64_t number;
    int64_t created_ms;
};
// A sound one of this number.
struct testing_borders testing_borders(uint64_t number);
// Writes it to `path`; aborts when it can't.
void testing_borders_write(const struct testing_borders *borders, const char *path);
struct gw_edition *testing_borders_open(uint64_t number, const char *path);
// Whether every answer of the edition is of the number that it names.
bool testing_borders_whole(const struct gw_edition *edition);

#endif
