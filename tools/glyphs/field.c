#include "tools/glyphs/field.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define REACH 6.0 // pixels from the edge at which the field is 0

gw_err gw_field_box(const struct gw_outline *outline, struct gw_field_box *box) {
    struct gw_outline_box exact = gw_outline_box(outline);
    double left = floor(exact.left), right = ceil(exact.right);
    double bottom = floor(exact.bottom), top = ceil(exact.top);
    if (fabs(left) > GW_FIELD_PIXELS_MAX || fabs(top) > GW_FIELD_PIXELS_MAX ||
        right - left > GW_FIELD_PIXELS_MAX || top - bottom > GW_FIELD_PIXELS_MAX) {
        return GW_ERANGE;
    }
    *box = (struct gw_field_box){(int32_t)left, (int32_t)top, (uint32_t)(right - left),
                                 (uint32_t)(top - bottom)};
    return GW_OK;
}

size_t gw_field_bytes(const struct gw_field_box *box) {
    return (size_t)(box->width + 2 * GW_FIELD_BORDER) * (box->height + 2 * GW_FIELD_BORDER);
}

// The pixels of a bitmap: squares of the distance to the edge, and how often the outline winds
// round each pixel's centre, as steps along its row.
struct canvas {
    uint32_t columns, rows;
    double left, top; // of the bitmap
    double *squares;
    int *steps;
};

// The range of pixels whose centres lie within [from, to], as begin and end.
static void pixel_range(double from, double to, uint32_t count, uint32_t *begin, uint32_t *end) {
    double first = ceil(from - 0.5), last = floor(to - 0.5) + 1.0;
    *begin = first <= 0.0 ? 0 : first >= count ? count : (uint32_t)first;
    *end = last <= 0.0 ? 0 : last >= count ? count : (uint32_t)last;
}

// Brings the distances of the pixels near a piece down.
static void measure(const struct canvas *canvas, struct gw_outline_piece piece) {
    double x0 = piece.from.x - canvas->left, y0 = canvas->top - piece.from.y;
    double x1 = piece.to.x - canvas->left, y1 = canvas->top - piece.to.y;
    double dx = x1 - x0, dy = y1 - y0, length = dx * dx + dy * dy;
    uint32_t left = 0, right = 0, top = 0, bottom = 0;
    pixel_range(fmin(x0, x1) - REACH, fmax(x0, x1) + REACH, canvas->columns, &left, &right);
    pixel_range(fmin(y0, y1) - REACH, fmax(y0, y1) + REACH, canvas->rows, &top, &bottom);
    for (uint32_t row = top; row < bottom; row++) {
        double *squares = &canvas->squares[(size_t)row * canvas->columns];
        double py = row + 0.5 - y0;
        for (uint32_t column = left; column < right; column++) {
            double px = column + 0.5 - x0;
            double along = (px * dx + py * dy) / length;
            along = along < 0.0 ? 0.0 : along > 1.0 ? 1.0 : along;
            double ox = px - along * dx, oy = py - along * dy;
            double square = ox * ox + oy * oy;
            squares[column] = square < squares[column] ? square : squares[column];
        }
    }
}

// Counts the piece where it crosses the line through the centres of a row, to the left of a pixel.
static void wind(const struct canvas *canvas, struct gw_outline_piece piece) {
    double x0 = piece.from.x - canvas->left, y0 = canvas->top - piece.from.y;
    double x1 = piece.to.x - canvas->left, y1 = canvas->top - piece.to.y;
    int turn = y0 < y1 ? 1 : -1;
    double high = fmin(y0, y1), low = fmax(y0, y1);
    for (uint32_t row = high <= 0.5 ? 0 : (uint32_t)ceil(high - 0.5);
         row < canvas->rows && row + 0.5 < low; row++) {
        double x = x0 + (row + 0.5 - y0) * (x1 - x0) / (y1 - y0);
        double column = ceil(x - 0.5);
        if (column < canvas->columns) {
            size_t at = column <= 0.0 ? 0 : (size_t)column;
            canvas->steps[(size_t)row * canvas->columns + at] += turn;
        }
    }
}

static unsigned char shade(double distance) {
    double value = floor(GW_FIELD_EDGE + distance * GW_FIELD_STEPS + 0.5);
    return (unsigned char)(value < 0.0 ? 0.0 : value > 255.0 ? 255.0 : value);
}

static void paint(const struct canvas *canvas, bool odd_is_inside, unsigned char bitmap[]) {
    for (uint32_t row = 0; row < canvas->rows; row++) {
        int turns = 0;
        for (uint32_t column = 0; column < canvas->columns; column++) {
            size_t at = (size_t)row * canvas->columns + column;
            turns += canvas->steps[at];
            bool inside = odd_is_inside ? (turns & 1) != 0 : turns != 0;
            double distance = sqrt(canvas->squares[at]);
            bitmap[at] = shade(inside ? distance : -distance);
        }
    }
}

gw_err gw_field_draw(const struct gw_outline *outline, const struct gw_field_box *box,
                     unsigned char bitmap[]) {
    size_t pixels = gw_field_bytes(box);
    struct canvas canvas = {
        .columns = box->width + 2 * GW_FIELD_BORDER,
        .rows = box->height + 2 * GW_FIELD_BORDER,
        .left = box->left - (double)GW_FIELD_BORDER,
        .top = box->top + (double)GW_FIELD_BORDER,
        .squares = malloc(pixels * sizeof(double)),
        .steps = calloc(pixels, sizeof(int)),
    };
    gw_err err = canvas.squares == NULL || canvas.steps == NULL ? GW_ENOMEM : GW_OK;
    if (err == GW_OK) {
        for (size_t i = 0; i < pixels; i++) {
            canvas.squares[i] = REACH * REACH;
        }
        for (uint32_t i = 0; i < outline->count; i++) {
            if (i < outline->edges) {
                measure(&canvas, outline->pieces[i]);
            }
            wind(&canvas, outline->pieces[i]);
        }
        paint(&canvas, outline->odd_is_inside, bitmap);
    }
    free(canvas.squares);
    free(canvas.steps);
    return err;
}
