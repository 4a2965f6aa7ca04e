// What can be wrong with a polygon, as a stable word and a sentence that says what to do.
#ifndef GW_GEO_CARTO_FAULT_H
#define GW_GEO_CARTO_FAULT_H

#include <stdint.h>

// X(name, word, sentence)
#define GW_FAULT_LIST(X)                                                                           \
    X(GW_FAULT_NONE, "valid", "nothing is wrong")                                                  \
    X(GW_FAULT_EMPTY, "empty-geometry",                                                            \
      "the geometry is empty: give the grid a polygon or remove the feature")                      \
    X(GW_FAULT_BAD_COORDINATE, "bad-coordinate", "a coordinate is not a finite number")            \
    X(GW_FAULT_OUT_OF_RANGE, "out-of-range",                                                       \
      "a coordinate lies outside longitude -180..180 and latitude -90..90")                        \
    X(GW_FAULT_UNCLOSED, "unclosed-ring",                                                          \
      "the first and last position of the ring differ: repeat the first one at the end")           \
    X(GW_FAULT_TOO_FEW_POINTS, "too-few-points",                                                   \
      "a ring needs at least 4 positions, the last one equal to the first")                        \
    X(GW_FAULT_ZERO_AREA, "zero-area",                                                             \
      "the polygon encloses no area: draw it again or remove the feature")                         \
    X(GW_FAULT_SLIVER, "sliver",                                                                   \
      "the ring is so thin that nothing of it is left on the grid of 1e-7 degree (about 1 cm): "   \
      "remove it or join it to a neighbour")                                                       \
    X(GW_FAULT_SPIKE, "spike",                                                                     \
      "the ring runs out to this place and back on the same line: remove this vertex")             \
    X(GW_FAULT_ANTIMERIDIAN, "antimeridian",                                                       \
      "an edge is longer than 180 degrees of longitude, so the polygon seems to cross the "        \
      "antimeridian: cut it there into two parts (RFC 7946, section 3.1.9)")                       \
    X(GW_FAULT_SELF_INTERSECTION, "self-intersection",                                             \
      "the ring crosses itself: move or remove the vertices around this place")                    \
    X(GW_FAULT_RING_SELF_TOUCH, "ring-self-touch",                                                 \
      "the ring touches itself: draw what it cuts off as a hole or as a part of its own")          \
    X(GW_FAULT_HOLE_OUTSIDE_SHELL, "hole-outside-shell",                                           \
      "a hole lies outside the polygon: remove it or draw it as a part of its own")                \
    X(GW_FAULT_HOLE_CROSSES_SHELL, "hole-crosses-shell",                                           \
      "a hole crosses the polygon's outer ring or runs along it: cut it back into the polygon")    \
    X(GW_FAULT_HOLES_CROSS, "holes-cross", "two holes cross or share a line: join them into one")  \
    X(GW_FAULT_NESTED_HOLES, "nested-holes",                                                       \
      "a hole lies inside another hole: remove it, or draw an island as a part of its own")        \
    X(GW_FAULT_OVERLAPPING_PARTS, "overlapping-parts",                                             \
      "two parts of the grid overlap or share a line: join them into one")                         \
    X(GW_FAULT_DISCONNECTED, "disconnected-interior",                                              \
      "holes that touch cut the polygon in two: draw the pieces as parts of their own")            \
    X(GW_FAULT_INVALID, "invalid-geometry", "the polygon is not valid: draw it again")

#define GW_FAULT_ENUM_ROW(name, word, sentence) name,
enum gw_fault_kind { GW_FAULT_LIST(GW_FAULT_ENUM_ROW) GW_FAULT_COUNT };
#undef GW_FAULT_ENUM_ROW

struct gw_fault {
    enum gw_fault_kind kind;
    uint32_t ring;       // counts from 1 over the rings of the feature; 0: none
    uint32_t other_ring; // the second one where two are at fault, else 0
    double lon, lat;     // degrees; NaN: no place
};

const char *gw_fault_word(enum gw_fault_kind kind);     // "self-intersection"
const char *gw_fault_sentence(enum gw_fault_kind kind); // starts in lower case, no full stop

#endif
