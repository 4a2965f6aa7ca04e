// What a run knows of the city that a node serves, learnt over gRPC: grids, where points lie in
// them, and the roster.
//
// A city of the same edition, with the same seed, is learnt alike.
#ifndef GW_LOADTEST_CITY_H
#define GW_LOADTEST_CITY_H

#include "loadtest/scenario.h"
#include "services/base/random.h"
#include <stdint.h>

#define LOAD_CODE_MAX 65u // a grid's code or a worker's id, with its NUL
#define LOAD_CITY_GRIDS_MAX 1000000u
#define LOAD_CITY_WORKERS_MAX 1000000u
#define LOAD_CITY_PLACES_MAX 1024u // grids whose boundary is known: a sample

struct load_place {
    double box[4];  // west, south, east, north, of its first polygon
    double *points; // lon, lat of the shell
    uint32_t count; // of those pairs
};

struct load_city {
    char (*grids)[LOAD_CODE_MAX];
    uint32_t grid_count;
    struct load_place *places;
    uint32_t place_count;
    double bounds[4]; // around the places
    char (*workers)[LOAD_CODE_MAX];
    uint32_t worker_count;
};

// Grids and places always; the roster when `workers`. GW_EUNAVAILABLE: nobody answers.
// GW_ENOTFOUND: the node has no grids, or no workers.
GW_MUST_CHECK gw_err load_city_learn(const char *server, bool workers, uint64_t seed,
                                     struct load_city *city, struct gw_error *error);
void load_city_free(struct load_city *city); // of zeros, too

// A point in degrees.
void load_city_point(const struct load_city *city, enum load_where where, struct gw_random *random,
                     double *longitude, double *latitude);

#endif
