// Grids and areas of an edition as JSON.
#ifndef GW_SERVICES_HTTP_GRID_JSON_H
#define GW_SERVICES_HTTP_GRID_JSON_H

#include "services/base/buffer.h"
#include "services/grids/edition.h"

// {"layer","number"} or, with the label, {"layer","number","label"}.
void http_write_edition(struct gw_buffer *out, const struct gw_edition *edition, bool with_label);
// [{"code","name","level"}...]: the areas above a grid from the lowest up.
void http_write_areas(struct gw_buffer *out, const struct gw_edition *edition, uint32_t grid);
// code, name, kind, parent as members of an object that is open; parent null where there is none.
void http_write_grid_members(struct gw_buffer *out, const struct gw_edition *edition,
                             uint32_t grid);
// The whole grid as a GeoJSON feature.
void http_write_feature(struct gw_buffer *out, const struct gw_edition *edition, uint32_t grid);

// The box of all grids, or of those under an area; returns how many there are. 0: `box` is
// untouched.
uint32_t http_grids_under(const struct gw_edition *edition, uint32_t area, struct gw_box *box);

#endif
