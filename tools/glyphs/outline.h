// The outline of one character as straight pieces.
//
// Units:  pixels of the size it is drawn in; x east, y north, the baseline at y = 0.
// Inside: where the pieces wind round a point in sum other than zero times (or, for the few fonts
//         that ask for it, an odd number of times).
// Memory: an outline owns its pieces; zero-initialised is empty, and it is reused from character to
//         character. Growth that fails sets `failed`.
#ifndef GW_TOOLS_GLYPHS_OUTLINE_H
#define GW_TOOLS_GLYPHS_OUTLINE_H

#include "services/base/error.h"
#include <stdbool.h>
#include <stdint.h>

#define GW_OUTLINE_PIECES_MAX 65536u // of a character; more fails

struct gw_outline_point {
    double x, y;
};

struct gw_outline_piece {
    struct gw_outline_point from, to;
};

struct gw_outline {
    struct gw_outline_piece *pieces;
    uint32_t count, capacity;
    uint32_t edges;                     // of the pieces: the first so many, see _finish
    struct gw_outline_point start, pen; // of the contour under way
    bool open;                          // a contour is under way
    bool odd_is_inside, failed;
};

struct gw_outline_box {
    double left, bottom, right, top;
};

// Drawing. A contour begins at `to` and closes by itself when the next one begins or at _finish.
void gw_outline_move(struct gw_outline *outline, struct gw_outline_point to);
void gw_outline_line(struct gw_outline *outline, struct gw_outline_point to);
// Curves become pieces that keep within a hundredth of a pixel.
void gw_outline_quadratic(struct gw_outline *outline, struct gw_outline_point control,
                          struct gw_outline_point to);
void gw_outline_cubic(struct gw_outline *outline, struct gw_outline_point first,
                      struct gw_outline_point second, struct gw_outline_point to);

// Closes the last contour and puts the pieces that have the inside on one side alone first: where
// strokes of a character overlap, their borders inside it are no edge. GW_ENOMEM, GW_ENOSPC: too
// many pieces.
GW_MUST_CHECK gw_err gw_outline_finish(struct gw_outline *outline);

// The box round all pieces; all zeros without any.
struct gw_outline_box gw_outline_box(const struct gw_outline *outline);

void gw_outline_clear(struct gw_outline *outline); // keeps the memory
void gw_outline_free(struct gw_outline *outline);

#endif
