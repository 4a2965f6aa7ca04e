#include "services/shard/place.h"

gw_err place_find(const struct gw_edition *edition, struct gw_point point, struct place *place,
                  struct gw_error *error) {
    *place = (struct place){gw_edition_number(edition), GW_GRID_NONE, GW_GRID_NONE, 0.0};
    if (gw_edition_grid_count(edition) == 0) {
        return GW_OK;
    }
    place->grid = gw_grid_index_locate(gw_edition_index(edition), point);
    if (place->grid != GW_GRID_NONE) {
        return GW_OK;
    }
    gw_err err = gw_edition_nearest(edition, point, &place->nearest, &place->nearest_distance_m);
    if (err != GW_OK) {
        return gw_error_set(error, err, "point: the nearest grid could not be found (%s)",
                            gw_err_text(err));
    }
    return GW_OK;
}

void place_describe(const struct gw_edition *edition, const struct place *place,
                    struct gw_incident_place *out) {
    uint32_t chain[4];
    bool inside = place->grid != GW_GRID_NONE;
    uint32_t grid = inside ? place->grid : place->nearest;
    *out = (struct gw_incident_place){.layer = gw_edition_layer(edition),
                                      .edition = gw_edition_number(edition),
                                      .grid_code = "",
                                      .nearest_grid_code = ""};
    if (grid == GW_GRID_NONE) {
        return;
    }
    const char *code = gw_edition_grid(edition, grid).code;
    out->grid_code = inside ? code : "";
    out->nearest_grid_code = inside ? "" : code;
    out->nearest_grid_distance_m = inside ? 0.0 : place->nearest_distance_m;
    out->area_count = gw_edition_chain(edition, grid, chain);
    for (uint32_t i = 0; i < out->area_count; i++) {
        out->area_codes[i] = gw_edition_area(edition, chain[i]).code;
    }
}
