#include "geo/tiles/mercator.h"

#include <float.h>
#include <stddef.h>

// x87 and the like would round twice.
_Static_assert(FLT_EVAL_METHOD == 0, "doubles are evaluated as doubles");

#define RADIANS_PER_UNIT (0x1.1df46a2529d39p-6 / 1e7) // pi / 180 / 1e7
#define WORLD_PER_RADIAN 0x1.45f306dc9c883p+27        // 2^30 / (2 pi)
#define LN2 0x1.62e42fefa39efp-1

// The sum of coefficients[0] + coefficients[1] * square + ... by Horner's rule.
static double series(const double coefficients[], size_t count, double square) {
    double sum = 0.0;
    for (size_t i = count; i-- > 0;) {
        sum = sum * square + coefficients[i];
    }
    return sum;
}

// tan(pi/4 + angle) for 0 <= angle <= 43 degrees, as (cos + sin) / (cos - sin) of Taylor's series;
// what they leave out is below 0.751^20 / 20! < 2e-21.
static double tangent_past_45(double angle) {
    static const double sine[] = {1.0,
                                  -1.0 / 6.0,
                                  1.0 / 120.0,
                                  -1.0 / 5040.0,
                                  1.0 / 362880.0,
                                  -1.0 / 39916800.0,
                                  1.0 / 6227020800.0,
                                  -1.0 / 1307674368000.0,
                                  1.0 / 355687428096000.0,
                                  -1.0 / 121645100408832000.0};
    static const double cosine[] = {1.0,
                                    -1.0 / 2.0,
                                    1.0 / 24.0,
                                    -1.0 / 720.0,
                                    1.0 / 40320.0,
                                    -1.0 / 3628800.0,
                                    1.0 / 479001600.0,
                                    -1.0 / 87178291200.0,
                                    1.0 / 20922789888000.0,
                                    -1.0 / 6402373705728000.0};
    double square = angle * angle;
    double s = angle * series(sine, sizeof sine / sizeof *sine, square);
    double c = series(cosine, sizeof cosine / sizeof *cosine, square);
    return (c + s) / (c - s);
}

// ln of 1 <= value < 32: halved into 1/sqrt(2) .. sqrt(2), then 2 atanh((m - 1) / (m + 1)); the
// quotient is at most 0.1716, and what the series leaves out below 0.1716^23 / 11 < 3e-19.
static double logarithm(double value) {
    static const double odd[] = {1.0,        1.0 / 3.0,  1.0 / 5.0,  1.0 / 7.0,
                                 1.0 / 9.0,  1.0 / 11.0, 1.0 / 13.0, 1.0 / 15.0,
                                 1.0 / 17.0, 1.0 / 19.0, 1.0 / 21.0};
    double halvings = 0.0;
    while (value > 0x1.6a09e667f3bcdp+0) {
        value *= 0.5;
        halvings += 1.0;
    }
    double quotient = (value - 1.0) / (value + 1.0);
    return halvings * LN2 +
           2.0 * quotient * series(odd, sizeof odd / sizeof *odd, quotient * quotient);
}

// The latitude from which everything lies on the edge of the world, rounded up: 85.0511288 degrees.
#define EDGE_LATITUDE 850511288

// World units from the equator to a latitude of 0 .. EDGE_LATITUDE:
//   2^30 / (2 pi) * ln tan(pi/4 + phi/2)  =  2^30 / (2 pi) * atanh(sin phi)   (Snyder 1987, 7-2)
// The result is below 2^29 + 1. Rounding: cos - sin is at least 0.06, so that the tangent is right
// to 1e-14 of itself, the logarithm to 1.1e-14, the result to 2e-6 of a unit.
static double world_of_latitude(int32_t latitude) {
    return WORLD_PER_RADIAN * logarithm(tangent_past_45((double)latitude * RADIANS_PER_UNIT * 0.5));
}

struct gw_world_point gw_mercator_project(struct gw_point point) {
    uint64_t east = (uint64_t)((int64_t)point.lon + GW_LON_MAX);
    uint64_t x = ((east << GW_WORLD_BITS) + GW_LON_MAX) / (2u * (uint64_t)GW_LON_MAX);
    int32_t north = point.lat < 0 ? -point.lat : point.lat;
    int32_t half = GW_WORLD_SIZE / 2;
    int32_t away = half;
    if (north < EDGE_LATITUDE) {
        away = (int32_t)(world_of_latitude(north) + 0.5);
        away = away > half ? half : away;
    }
    return (struct gw_world_point){(int32_t)x, point.lat < 0 ? half + away : half - away};
}

// With y the projected latitude, y'' = sec phi tan phi = sinh y cosh y, and the middle of an edge
// that spans d radians of latitude bends by d^2 / 8 of it.
double gw_mercator_bend(struct gw_point a, struct gw_point b) {
    double span = (double)a.lat - (double)b.lat;
    if (a.lon == b.lon || (span < 7000.0 && span > -7000.0)) {
        return 0.0; // 7,000 units bend less than half a world unit at 85 degrees
    }
    int32_t one = a.lat < 0 ? -a.lat : a.lat, two = b.lat < 0 ? -b.lat : b.lat;
    int32_t north = one > two ? one : two;
    north = north < EDGE_LATITUDE ? north : EDGE_LATITUDE;
    double grown = tangent_past_45((double)north * RADIANS_PER_UNIT * 0.5);
    double bend = (grown * grown - 1.0 / (grown * grown)) * 0.25;
    span *= RADIANS_PER_UNIT;
    return bend * span * span * 0.125 * WORLD_PER_RADIAN;
}

static int32_t clamp(int64_t value, int64_t min, int64_t max) {
    return (int32_t)(value < min ? min : value > max ? max : value);
}

// The latitude, 0 .. EDGE_LATITUDE, that lies nearest to `away` world units from the equator.
static int32_t latitude_of_world(int32_t away) {
    int32_t low = 0, high = EDGE_LATITUDE; // world(low) <= away; world(high) > away or the last
    while (high - low > 1) {
        int32_t middle = low + (high - low) / 2;
        if (world_of_latitude(middle) <= (double)away) {
            low = middle;
        } else {
            high = middle;
        }
    }
    double below = (double)away - world_of_latitude(low);
    double above = world_of_latitude(high) - (double)away;
    return above < below ? high : low;
}

struct gw_point gw_mercator_unproject(struct gw_world_point point) {
    int64_t x = clamp(point.x, 0, GW_WORLD_SIZE);
    int32_t y = clamp(point.y, 0, GW_WORLD_SIZE);
    int64_t lon = (x * (2 * (int64_t)GW_LON_MAX) + GW_WORLD_SIZE / 2) >> GW_WORLD_BITS;
    int32_t half = GW_WORLD_SIZE / 2;
    int32_t lat = y <= half ? latitude_of_world(half - y) : -latitude_of_world(y - half);
    return (struct gw_point){(int32_t)(lon - GW_LON_MAX), lat};
}

bool gw_tile_id_valid(struct gw_tile_id tile) {
    return tile.z <= GW_TILE_ZOOM_MAX && tile.x < (1u << tile.z) && tile.y < (1u << tile.z);
}

struct gw_world_box gw_tile_box(struct gw_tile_id tile, int32_t buffer) {
    int64_t size = (int64_t)GW_WORLD_SIZE >> tile.z;
    int64_t margin = buffer * (size / GW_TILE_EXTENT);
    int64_t x = (int64_t)tile.x * size, y = (int64_t)tile.y * size;
    return (struct gw_world_box){
        {clamp(x - margin, INT32_MIN, INT32_MAX), clamp(y - margin, INT32_MIN, INT32_MAX)},
        {clamp(x + size + margin, INT32_MIN, INT32_MAX),
         clamp(y + size + margin, INT32_MIN, INT32_MAX)}};
}

struct gw_box gw_tile_lattice_box(struct gw_tile_id tile, int32_t buffer) {
    struct gw_world_box world = gw_tile_box(tile, buffer);
    // A place rounds to a world unit from up to half a unit away: one unit more holds them all.
    struct gw_world_point outer[2] = {{clamp((int64_t)world.min.x - 1, 0, GW_WORLD_SIZE),
                                       clamp((int64_t)world.max.y + 1, 0, GW_WORLD_SIZE)},
                                      {clamp((int64_t)world.max.x + 1, 0, GW_WORLD_SIZE),
                                       clamp((int64_t)world.min.y - 1, 0, GW_WORLD_SIZE)}};
    struct gw_box box = {gw_mercator_unproject(outer[0]), gw_mercator_unproject(outer[1])};
    // All that lies beyond the edge of the world is put on it.
    if (outer[0].y == GW_WORLD_SIZE) {
        box.min.lat = -GW_LAT_MAX;
    }
    if (outer[1].y == 0) {
        box.max.lat = GW_LAT_MAX;
    }
    return box;
}
