// Where a grid's name is written: one point well inside its largest polygon.
//
// How:    on horizontal lines through the polygon the middle of the widest inside stretch is taken;
//         the one farthest from the border is moved a little as long as that takes it farther.
//         Near the pole of inaccessibility for shapes as grids have them, not the pole itself.
// Exact:  whether a point is inside is decided on integers. Distances are IEEE additions,
//         multiplications and divisions alone: the same point on every machine.
#ifndef GW_GEO_LABEL_POINT_H
#define GW_GEO_LABEL_POINT_H

#include "geo/coverage.h"

// One point for each grid into points[grid_count]: inside a polygon of the grid and on no border of
// that polygon. Where it is so thin that no line tried holds such a lattice point (none is missed
// where it is up to 500 units high, 5 m), the first vertex of the polygon. Depends on the grid's
// own rings alone. `coverage` is checked (gw_coverage_check). GW_ENOMEM. Some passes over the
// vertices.
GW_MUST_CHECK gw_err gw_label_points(const struct gw_coverage *coverage, struct gw_point points[]);

#endif
