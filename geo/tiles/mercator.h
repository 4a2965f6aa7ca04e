// Web Mercator (EPSG:3857's sphere) on integers: the plane that tiles are cut from.
//
// Units:  1/2^30 of the world's width, which is one unit of a zoom-18 tile of extent 4096; at zoom
//         z a tile's unit is 2^(18 - z) of them. x runs east from longitude -180, y south from the
//         latitude 85.05112878 N; both 0 .. 2^30, ends included.
//         Each is the nearest integer, or its neighbour where the true value lies within 1e-5 of
//         the middle between two.
// Exact:  the same lattice point gives the same integers on every machine: the latitude's series
//         uses IEEE additions, multiplications, divisions and square roots alone, never libm.
#ifndef GW_GEO_TILES_MERCATOR_H
#define GW_GEO_TILES_MERCATOR_H

#include "geo/lattice.h"

#define GW_WORLD_BITS 30
#define GW_WORLD_SIZE (1 << GW_WORLD_BITS)
#define GW_TILE_ZOOM_MAX 18u
#define GW_TILE_EXTENT 4096
#define GW_TILE_BUFFER 64 // tile units around a tile that its features still reach into

struct gw_world_point {
    int32_t x, y;
};

// Closed on all sides; empty when min > max.
struct gw_world_box {
    struct gw_world_point min, max;
};

struct gw_tile_id {
    uint32_t z, x, y; // XYZ scheme: y counts from the north
};

// Latitudes beyond +-85.05112878 are put on the edge of the world.
struct gw_world_point gw_mercator_project(struct gw_point point);

// How far the projection of the straight edge a-b (straight in degrees) bends away from the
// straight line between its projected ends, in world units: an upper estimate; 0 for meridians.
double gw_mercator_bend(struct gw_point a, struct gw_point b);

// The lattice point whose projection is nearest; for boxes and tests, within 1e-7 degree.
struct gw_point gw_mercator_unproject(struct gw_world_point point);

// Whether z <= GW_TILE_ZOOM_MAX and x, y < 2^z.
bool gw_tile_id_valid(struct gw_tile_id tile);

// The tile's square in world units, grown by `buffer` tile units on each side (not cut at the
// world's edge). `tile` is valid.
struct gw_world_box gw_tile_box(struct gw_tile_id tile, int32_t buffer);

// The tile's box in lattice points, grown by the buffer and rounded outward, within the lattice.
struct gw_box gw_tile_lattice_box(struct gw_tile_id tile, int32_t buffer);

#endif
