// Reading one GeoJSON feature strictly. Private to geojson_check.
#ifndef GW_SERVICES_GRIDS_GEOJSON_FEATURE_H
#define GW_SERVICES_GRIDS_GEOJSON_FEATURE_H

#include "services/grids/edition.h"
#include "services/grids/geojson_check.h"
#include "services/grids/json_scan.h"
#include <stdbool.h>
#include <stdint.h>

#define GW_GEOJSON_KEY_MAX 256u    // bytes of a member's name that is looked at, with its NUL
#define GW_GEOJSON_PROBLEMS_MAX 4u // reported of one feature

struct gw_geojson_reader {
    struct gw_json_scan scan;
    const char *const *fields;
    char value[GW_IMPORT_TEXT_MAX + 1]; // of the field being read
};

// The names seen in one object, by hash, to find one that comes twice.
struct gw_geojson_members {
    uint32_t count;
    uint64_t hashes[GW_GEOJSON_MEMBERS_MAX];
    const char *kind; // of the problem that was found
};

// Takes the key that the scanner just read and decodes it into `key` ("" when it is too long to be
// one that matters). Returns a sentence when it is a duplicate or one too many, else NULL.
const char *gw_geojson_members_add(struct gw_geojson_members *members,
                                   const struct gw_json_scan *scan, char key[GW_GEOJSON_KEY_MAX]);

struct gw_geojson_problem {
    const char *kind;
    uint64_t ring, vertex; // from 1; 0: none
    char text[200];
};

struct gw_geojson_feature {
    bool is_feature; // its type says so
    bool has_geometry, has_code;
    char code[GW_CODE_MAX];
    uint64_t positions, rings;
    unsigned problem_count;
    struct gw_geojson_problem problems[GW_GEOJSON_PROBLEMS_MAX];
};

void gw_geojson_feature_start(struct gw_geojson_feature *feature);

// Reads the feature whose first token is `token`. False: the text cannot be read further; what is
// wrong with the feature alone is noted in it.
bool gw_geojson_feature_read(struct gw_geojson_reader *reader, struct gw_geojson_feature *feature,
                             enum gw_json_token token);

// Reads the value of one member of a feature; *readable is false after an error of the text. False:
// it is none that matters, and nothing was read.
bool gw_geojson_feature_member(struct gw_geojson_reader *reader, struct gw_geojson_feature *feature,
                               const char *key, bool *readable);

// Draws the conclusions that need all members.
void gw_geojson_feature_finish(struct gw_geojson_feature *feature,
                               const char *const fields[GW_FIELD_COUNT]);

#endif
