#include "services/grids/geojson_feature.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <xxhash.h>

#define POSITION_NUMBERS_MIN 2u
#define POSITION_NUMBERS_MAX 4u
#define WHOLE_DIGITS_MAX 18u // fits int64, so GDAL keeps every digit

const char *gw_geojson_members_add(struct gw_geojson_members *members,
                                   const struct gw_json_scan *scan, char key[GW_GEOJSON_KEY_MAX]) {
    size_t size = 0;
    bool decoded = gw_json_decode(scan, key, GW_GEOJSON_KEY_MAX, &size);
    uint64_t hash = decoded ? XXH3_64bits(key, size) : XXH3_64bits(scan->token, scan->token_size);
    if (!decoded || strlen(key) != size) {
        key[0] = '\0';
    }
    for (uint32_t i = 0; i < members->count; i++) {
        if (members->hashes[i] == hash) {
            members->kind = "duplicate-key";
            return "the same member comes twice in one object, and only one can be meant: remove "
                   "one";
        }
    }
    if (members->count == GW_GEOJSON_MEMBERS_MAX) {
        members->kind = "limit";
        return "an object has more than 256 members: leave out those that are not needed";
    }
    members->hashes[members->count++] = hash;
    return NULL;
}

static void note(struct gw_geojson_feature *feature, const char *kind, uint64_t ring,
                 uint64_t vertex, const char *format, ...) __attribute__((format(printf, 5, 6)));

static void note(struct gw_geojson_feature *feature, const char *kind, uint64_t ring,
                 uint64_t vertex, const char *format, ...) {
    if (feature->problem_count == GW_GEOJSON_PROBLEMS_MAX) {
        return;
    }
    struct gw_geojson_problem *problem = &feature->problems[feature->problem_count++];
    problem->kind = kind;
    problem->ring = ring;
    problem->vertex = vertex;
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(problem->text, sizeof(problem->text), format, arguments);
    va_end(arguments);
}

void gw_geojson_feature_start(struct gw_geojson_feature *feature) {
    *feature = (struct gw_geojson_feature){.is_feature = false};
}

// Where the reading of nested coordinates is. `depth` counts brackets from the outermost one, 1.
struct coordinates {
    unsigned position_depth; // 3 in a Polygon, 4 in a MultiPolygon
    bool any[5];             // by depth: whether the open array holds anything yet
    unsigned numbers;        // in the position being read
    bool wrong;              // something about it has been noted
    uint64_t vertex;         // position in the ring
};

static void wrong_position(struct gw_geojson_feature *feature, struct coordinates *at,
                           const char *text) {
    if (!at->wrong) {
        at->wrong = true;
        note(feature, "bad-coordinate", feature->rings, at->vertex, "%s", text);
    }
}

static void open_array(struct gw_geojson_feature *feature, struct coordinates *at, unsigned depth) {
    at->any[depth] = false;
    if (depth == at->position_depth - 1) {
        feature->rings++;
        at->vertex = 0;
        at->wrong = false;
    } else if (depth == at->position_depth) {
        feature->positions++;
        at->vertex++;
        at->numbers = 0;
        at->wrong = false;
    }
}

static void close_array(struct gw_geojson_feature *feature, struct coordinates *at,
                        unsigned depth) {
    if (depth == at->position_depth) {
        if (at->numbers < POSITION_NUMBERS_MIN) {
            wrong_position(feature, at, "a position has fewer than two numbers");
        }
    } else if (!at->any[depth]) {
        note(feature, "empty-geometry", depth == at->position_depth - 1 ? feature->rings : 0, 0,
             "the geometry is empty, or a part or ring of it is: give the grid a polygon or remove "
             "the feature");
    }
}

static void take_number(const struct gw_json_scan *scan, struct gw_geojson_feature *feature,
                        struct coordinates *at) {
    at->numbers++;
    if (at->numbers > POSITION_NUMBERS_MAX) {
        wrong_position(feature, at, "a position has more than four numbers");
    } else if (gw_json_number_overflows(scan)) {
        wrong_position(feature, at, "a coordinate is too large a number to be a place");
    }
}

// Reads the value of "coordinates" of a polygon or multipolygon. False: an error of the text.
static bool read_coordinates(struct gw_json_scan *scan, struct gw_geojson_feature *feature,
                             unsigned position_depth) {
    struct coordinates at = {.position_depth = position_depth};
    unsigned base = scan->depth;
    enum gw_json_token token = gw_json_next(scan);
    if (token != GW_JSON_ARRAY) {
        note(feature, "bad-coordinate", 0, 0, "\"coordinates\" is not a list of rings");
        return gw_json_skip(scan, token);
    }
    open_array(feature, &at, 1);
    while (scan->depth > base) {
        unsigned depth = scan->depth - base; // at most position_depth: what lies deeper is skipped
        token = gw_json_next(scan);
        if (token == GW_JSON_ARRAY_END) {
            close_array(feature, &at, depth);
            continue;
        }
        at.any[depth] = true;
        if (token == GW_JSON_ARRAY && depth < position_depth) {
            open_array(feature, &at, depth + 1);
        } else if (token == GW_JSON_NUMBER && depth == position_depth) {
            take_number(scan, feature, &at);
        } else {
            wrong_position(feature, &at,
                           depth == position_depth
                               ? "a coordinate is not a number"
                               : "the brackets are not nested as this type of geometry wants them");
            at.numbers += depth == position_depth;
            if (!gw_json_skip(scan, token)) {
                return false;
            }
        }
    }
    return true;
}

// The members of a geometry that matter.
struct geometry {
    char type[32];
    bool has_coordinates, read;
    struct gw_json_scan coordinates; // where they begin, when they came before the type
};

static unsigned position_depth_of(const char *type) {
    return strcmp(type, "Polygon") == 0 ? 3u : strcmp(type, "MultiPolygon") == 0 ? 4u : 0u;
}

static bool read_geometry_member(struct gw_json_scan *scan, struct gw_geojson_feature *feature,
                                 struct geometry *geometry, const char *key) {
    if (strcmp(key, "coordinates") == 0) {
        unsigned depth = position_depth_of(geometry->type);
        geometry->has_coordinates = true;
        geometry->coordinates = *scan;
        if (depth > 0) {
            geometry->read = true;
            return read_coordinates(scan, feature, depth);
        }
        return gw_json_skip(scan, gw_json_next(scan));
    }
    enum gw_json_token token = gw_json_next(scan);
    size_t size = 0;
    if (strcmp(key, "type") == 0 && token == GW_JSON_STRING &&
        !gw_json_decode(scan, geometry->type, sizeof(geometry->type), &size)) {
        (void)snprintf(geometry->type, sizeof(geometry->type), "geometry of a long name");
    }
    return gw_json_skip(scan, token);
}

static bool judge_geometry(struct gw_geojson_feature *feature, struct geometry *geometry) {
    unsigned depth = position_depth_of(geometry->type);
    if (depth == 0) {
        note(feature, "not-a-polygon", 0, 0,
             "a grid is a Polygon or MultiPolygon, and this is a %s: remove it or convert it",
             geometry->type[0] != '\0' ? geometry->type : "geometry without a type");
    } else if (!geometry->has_coordinates) {
        note(feature, "empty-geometry", 0, 0, "the geometry has no coordinates");
    } else if (!geometry->read) {
        return read_coordinates(&geometry->coordinates, feature, depth);
    }
    return true;
}

// Reads the key of the next member of the object that is open into `key`. False: the object has
// ended, or an error of the text came.
static bool next_member(struct gw_json_scan *scan, struct gw_geojson_feature *feature,
                        struct gw_geojson_members *members, char key[GW_GEOJSON_KEY_MAX]) {
    if (gw_json_next(scan) != GW_JSON_KEY) {
        return false;
    }
    const char *problem = gw_geojson_members_add(members, scan, key);
    if (problem != NULL) {
        note(feature, members->kind, 0, 0, "%s%s%s", key, key[0] != '\0' ? ": " : "", problem);
    }
    return true;
}

static bool read_geometry(struct gw_json_scan *scan, struct gw_geojson_feature *feature) {
    enum gw_json_token token = gw_json_next(scan);
    if (token != GW_JSON_OBJECT) {
        if (token != GW_JSON_NULL) {
            feature->has_geometry = true;
            note(feature, "bad-coordinate", 0, 0, "\"geometry\" is not an object");
        }
        return gw_json_skip(scan, token);
    }
    feature->has_geometry = true;
    struct gw_geojson_members members = {.count = 0};
    struct geometry geometry = {.type = ""};
    char key[GW_GEOJSON_KEY_MAX];
    while (next_member(scan, feature, &members, key)) {
        if (!read_geometry_member(scan, feature, &geometry, key)) {
            return false;
        }
    }
    return scan->fault == GW_JSON_FINE && judge_geometry(feature, &geometry);
}

static bool is_whole_number(const struct gw_json_scan *scan) {
    if (scan->token_size > WHOLE_DIGITS_MAX) {
        return false;
    }
    for (size_t i = 0; i < scan->token_size; i++) {
        if (scan->token[i] < '0' || scan->token[i] > '9') {
            return false;
        }
    }
    return true;
}

// The text of a kept field, whose token has been read, into reader->value.
static void take_text(struct gw_geojson_reader *reader, struct gw_geojson_feature *feature,
                      const char *name) {
    size_t size = 0;
    if (!gw_json_decode(&reader->scan, reader->value, sizeof(reader->value), &size)) {
        reader->value[0] = '\0';
        note(feature, "limit", 0, 0, "the field \"%.60s\" is longer than %u bytes", name,
             GW_IMPORT_TEXT_MAX);
    } else if (strlen(reader->value) != size) {
        note(feature, "bad-text", 0, 0,
             "the field \"%.60s\" holds the character NUL (\\u0000): remove it", name);
    }
}

static void take_field(struct gw_geojson_reader *reader, struct gw_geojson_feature *feature,
                       enum gw_import_field field, enum gw_json_token token) {
    const char *name = reader->fields[field];
    reader->value[0] = '\0';
    if (token == GW_JSON_STRING) {
        take_text(reader, feature, name);
    } else if (token == GW_JSON_NUMBER && is_whole_number(&reader->scan)) {
        (void)snprintf(reader->value, sizeof(reader->value), "%.*s", (int)reader->scan.token_size,
                       reader->scan.token);
    } else if (token == GW_JSON_NUMBER) {
        feature->has_code = feature->has_code || field == GW_FIELD_CODE;
        note(feature, field == GW_FIELD_CODE ? "id-type" : "field-type", 0, 0,
             "the field \"%.60s\" is the number %.*s, which cannot be kept digit for digit: write "
             "it as text in quotes",
             name, (int)(reader->scan.token_size < 40 ? reader->scan.token_size : 40),
             reader->scan.token);
    } else if (token != GW_JSON_NULL && token != GW_JSON_ERROR) {
        feature->has_code = feature->has_code || field == GW_FIELD_CODE;
        note(feature, field == GW_FIELD_CODE ? "id-type" : "field-type", 0, 0,
             "the field \"%.60s\" is neither a text nor a whole number", name);
    }
    if (field == GW_FIELD_CODE && reader->value[0] != '\0') {
        feature->has_code = true;
        (void)snprintf(feature->code, sizeof(feature->code), "%.*s", (int)GW_CODE_MAX - 1,
                       reader->value);
    }
}

static bool read_properties(struct gw_geojson_reader *reader, struct gw_geojson_feature *feature) {
    struct gw_json_scan *scan = &reader->scan;
    enum gw_json_token token = gw_json_next(scan);
    if (token != GW_JSON_OBJECT) {
        if (token != GW_JSON_NULL) {
            note(feature, "field-type", 0, 0, "\"properties\" is not an object");
        }
        return gw_json_skip(scan, token);
    }
    struct gw_geojson_members members = {.count = 0};
    char key[GW_GEOJSON_KEY_MAX];
    while (next_member(scan, feature, &members, key)) {
        token = gw_json_next(scan);
        for (int field = 0; field < GW_FIELD_COUNT; field++) {
            if (reader->fields[field] != NULL && strcmp(reader->fields[field], key) == 0) {
                take_field(reader, feature, (enum gw_import_field)field, token);
            }
        }
        if (!gw_json_skip(scan, token)) {
            return false;
        }
    }
    return scan->fault == GW_JSON_FINE;
}

bool gw_geojson_feature_member(struct gw_geojson_reader *reader, struct gw_geojson_feature *feature,
                               const char *key, bool *readable) {
    struct gw_json_scan *scan = &reader->scan;
    if (strcmp(key, "geometry") == 0) {
        *readable = read_geometry(scan, feature);
        return true;
    }
    if (strcmp(key, "properties") == 0) {
        *readable = read_properties(reader, feature);
        return true;
    }
    return false;
}

bool gw_geojson_feature_read(struct gw_geojson_reader *reader, struct gw_geojson_feature *feature,
                             enum gw_json_token token) {
    struct gw_json_scan *scan = &reader->scan;
    if (token != GW_JSON_OBJECT) {
        return gw_json_skip(scan, token); // no feature: noted at the end
    }
    struct gw_geojson_members members = {.count = 0};
    char key[GW_GEOJSON_KEY_MAX];
    while (next_member(scan, feature, &members, key)) {
        bool readable = true;
        if (gw_geojson_feature_member(reader, feature, key, &readable)) {
            if (!readable) {
                return false;
            }
            continue;
        }
        token = gw_json_next(scan);
        if (strcmp(key, "type") == 0 && token == GW_JSON_STRING) {
            feature->is_feature = scan->token_size == strlen("Feature") &&
                                  memcmp(scan->token, "Feature", scan->token_size) == 0;
        }
        if (!gw_json_skip(scan, token)) {
            return false;
        }
    }
    return scan->fault == GW_JSON_FINE;
}

void gw_geojson_feature_finish(struct gw_geojson_feature *feature,
                               const char *const fields[GW_FIELD_COUNT]) {
    if (!feature->is_feature) {
        note(feature, "not-a-feature", 0, 0,
             "a member of \"features\" is no GeoJSON Feature: remove it");
        return;
    }
    if (!feature->has_geometry) {
        note(feature, "empty-geometry", 0, 0,
             "the geometry is missing or null: give the grid a polygon or remove the feature");
    }
    if (!feature->has_code) {
        note(
            feature, "missing-id", 0, 0,
            "the field \"%.60s\" is missing or empty, and a grid needs a code: fill it in, or name "
            "the right field with --code-field",
            fields[GW_FIELD_CODE]);
    }
}
