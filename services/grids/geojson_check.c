#include "services/grids/geojson_check.h"
#include "services/grids/geojson_feature.h"
#include "services/grids/text.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct checker {
    struct gw_geojson_reader reader;
    struct gw_findings *findings;
    struct gw_geojson_summary *summary;
    struct gw_geojson_feature feature; // the one being read
    bool is_collection, is_feature;    // by the root's type
    bool has_features, crs_is_null;
    bool out_of_memory;
};

bool gw_geojson_refused(const struct gw_geojson_summary *summary, uint64_t number) {
    uint64_t bit = number - 1;
    return bit / 8 < summary->refused_bytes &&
           ((unsigned)summary->refused[bit / 8] >> bit % 8 & 1u) != 0;
}

static void mark_refused(struct checker *checker, uint64_t number) {
    struct gw_geojson_summary *summary = checker->summary;
    uint64_t byte = (number - 1) / 8;
    if (byte >= summary->refused_bytes) {
        uint64_t bytes = (byte + 1) * 2;
        uint8_t *grown = realloc(summary->refused, bytes);
        if (grown == NULL) {
            checker->out_of_memory = true;
            return;
        }
        memset(grown + summary->refused_bytes, 0, bytes - summary->refused_bytes);
        summary->refused = grown;
        summary->refused_bytes = bytes;
    }
    summary->refused[byte] = (uint8_t)(summary->refused[byte] | 1u << (number - 1) % 8);
}

// A feature has been read: what was wrong with it is reported, now that its code is known.
static bool feature_done(struct checker *checker) {
    struct gw_geojson_feature *feature = &checker->feature;
    uint64_t number = ++checker->summary->features;
    checker->summary->positions += feature->positions;
    gw_geojson_feature_finish(feature, checker->reader.fields);
    for (unsigned i = 0; i < feature->problem_count; i++) {
        const struct gw_geojson_problem *problem = &feature->problems[i];
        struct gw_import_finding finding = {.kind = problem->kind,
                                            .feature = (int64_t)number,
                                            .code = feature->code,
                                            .ring = (int)problem->ring,
                                            .lon = NAN,
                                            .lat = NAN,
                                            .refused = true};
        if (problem->vertex > 0) {
            gw_findings_add(checker->findings, &finding, "%s (position %llu of the ring)",
                            problem->text, (unsigned long long)problem->vertex);
        } else {
            gw_findings_add(checker->findings, &finding, "%s", problem->text);
        }
    }
    if (feature->problem_count > 0) {
        mark_refused(checker, number);
    }
    if (number >= GW_IMPORT_FEATURES_MAX || checker->summary->positions > GW_IMPORT_VERTICES_MAX) {
        gw_findings_refuse_file(checker->findings, "limit",
                                "the file has more than %u features or %u positions: split it",
                                GW_IMPORT_FEATURES_MAX, GW_IMPORT_VERTICES_MAX);
        return false;
    }
    return !checker->out_of_memory;
}

// The features of a collection. False: the file cannot be read further.
static bool read_features(struct checker *checker) {
    struct gw_json_scan *scan = &checker->reader.scan;
    if (gw_json_next(scan) != GW_JSON_ARRAY) {
        gw_findings_refuse_file(checker->findings, "not-geojson",
                                "\"features\" is not a list of features");
        return false;
    }
    for (;;) {
        enum gw_json_token token = gw_json_next(scan);
        if (token == GW_JSON_ARRAY_END) {
            return true;
        }
        gw_geojson_feature_start(&checker->feature);
        if (!gw_geojson_feature_read(&checker->reader, &checker->feature, token) ||
            !feature_done(checker)) {
            return false;
        }
    }
}

static void crs_unreadable(struct checker *checker) {
    (void)snprintf(checker->summary->crs, GW_GEOJSON_CRS_MAX, "(unreadable)");
}

// The name in {"type": "name", "properties": {"name": "..."}}: the first text called "name" within.
static bool read_crs(struct checker *checker) {
    struct gw_json_scan *scan = &checker->reader.scan;
    enum gw_json_token token = gw_json_next(scan);
    if (token == GW_JSON_NULL) {
        return true; // as good as no member at all
    }
    crs_unreadable(checker);
    if (token != GW_JSON_OBJECT) {
        return gw_json_skip(scan, token);
    }
    unsigned outside = scan->depth - 1;
    bool named = false;
    bool found = false;
    while (scan->depth > outside) {
        size_t size = 0;
        char key[8];
        token = gw_json_next(scan);
        if (token == GW_JSON_ERROR) {
            return false;
        }
        if (token == GW_JSON_STRING && named && !found) {
            found = true;
            if (!gw_json_decode(scan, checker->summary->crs, GW_GEOJSON_CRS_MAX, &size)) {
                crs_unreadable(checker);
            }
        }
        named = token == GW_JSON_KEY && gw_json_decode(scan, key, sizeof(key), &size) &&
                strcmp(key, "name") == 0;
    }
    return true;
}

static bool read_type(struct checker *checker) {
    char type[32] = "";
    size_t size = 0;
    struct gw_json_scan *scan = &checker->reader.scan;
    enum gw_json_token token = gw_json_next(scan);
    if (token == GW_JSON_STRING && gw_json_decode(scan, type, sizeof(type), &size)) {
        checker->is_collection = strcmp(type, "FeatureCollection") == 0;
        checker->is_feature = strcmp(type, "Feature") == 0;
        checker->feature.is_feature = checker->is_feature;
    }
    return gw_json_skip(scan, token);
}

static bool read_root_member(struct checker *checker, const char *key) {
    struct gw_json_scan *scan = &checker->reader.scan;
    if (strcmp(key, "type") == 0) {
        return read_type(checker);
    }
    if (strcmp(key, "crs") == 0) {
        return read_crs(checker);
    }
    if (strcmp(key, "features") == 0 && !checker->has_features) {
        checker->has_features = true;
        return read_features(checker);
    }
    // One feature may be the whole document; in a collection these members mean nothing.
    bool readable = true;
    if (!checker->has_features &&
        gw_geojson_feature_member(&checker->reader, &checker->feature, key, &readable)) {
        return readable;
    }
    return gw_json_skip(scan, gw_json_next(scan));
}

// The outermost object.
static bool read_root(struct checker *checker) {
    struct gw_json_scan *scan = &checker->reader.scan;
    struct gw_geojson_members members = {.count = 0};
    if (gw_json_next(scan) != GW_JSON_OBJECT) {
        return false;
    }
    gw_geojson_feature_start(&checker->feature);
    for (;;) {
        char key[GW_GEOJSON_KEY_MAX];
        enum gw_json_token token = gw_json_next(scan);
        if (token == GW_JSON_OBJECT_END) {
            break;
        }
        if (token != GW_JSON_KEY) {
            return false;
        }
        const char *problem = gw_geojson_members_add(&members, scan, key);
        if (problem != NULL) {
            gw_findings_refuse_file(checker->findings, members.kind, "%s", problem);
            return false;
        }
        if (!read_root_member(checker, key)) {
            return false;
        }
    }
    return gw_json_next(scan) == GW_JSON_END;
}

// Says in what way the bytes are not UTF-8. False: nothing is wrong with them.
static bool refuse_encoding(const char *text, size_t size, struct gw_findings *findings) {
    if (size >= 2 && (memcmp(text, "\xff\xfe", 2) == 0 || memcmp(text, "\xfe\xff", 2) == 0)) {
        gw_findings_refuse_file(findings, "encoding",
                                "the file is in UTF-16: save it as UTF-8 (RFC 8259)");
        return true;
    }
    size_t valid = gw_utf8_valid_prefix(text, size);
    if (valid == size) {
        return false;
    }
    gw_findings_refuse_file(
        findings, "encoding",
        "byte %zu is not UTF-8, which GeoJSON must be (RFC 8259): save the file "
        "as UTF-8; if it is in GBK, iconv -f GB18030 -t UTF-8 converts it",
        valid + 1);
    return true;
}

static void refuse_unread(struct checker *checker) {
    struct gw_json_scan *scan = &checker->reader.scan;
    size_t line = 0;
    size_t column = 0;
    gw_json_place(scan, &line, &column);
    if (scan->fault == GW_JSON_FINE) {
        gw_findings_refuse_file(checker->findings, "not-geojson",
                                "the file is JSON, but no GeoJSON FeatureCollection");
    } else if (scan->text[0] == '<') {
        gw_findings_refuse_file(checker->findings, "not-json",
                                "the file is no JSON, it looks like an HTML or XML page: download "
                                "or export it again");
    } else {
        const char *kind = scan->fault == GW_JSON_SYNTAX  ? "not-json"
                           : scan->fault == GW_JSON_LIMIT ? "limit"
                                                          : "encoding";
        struct gw_import_finding finding = {.kind = kind,
                                            .feature = checker->has_features && scan->depth > 1
                                                           ? (int64_t)checker->summary->features + 1
                                                           : 0,
                                            .code = checker->feature.code,
                                            .lon = NAN,
                                            .lat = NAN,
                                            .refused = true};
        gw_findings_add(checker->findings, &finding, "%s (line %zu, column %zu)", scan->problem,
                        line, column);
    }
}

static void check_root_type(struct checker *checker) {
    if (checker->is_feature && !checker->has_features) {
        (void)feature_done(checker);
    } else if (!checker->is_collection || !checker->has_features) {
        gw_findings_refuse_file(checker->findings, "not-geojson",
                                "the file is JSON, but neither a FeatureCollection with features "
                                "nor a Feature of GeoJSON (RFC 7946)");
    }
}

gw_err gw_geojson_check(const char *text, size_t size, const char *const fields[GW_FIELD_COUNT],
                        struct gw_findings *findings, struct gw_geojson_summary *summary) {
    *summary = (struct gw_geojson_summary){.features = 0};
    if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        summary->start = 3;
    }
    if (size == summary->start) {
        gw_findings_refuse_file(findings, "not-json", "the file is empty: export it again");
        return GW_EINVAL;
    }
    if (refuse_encoding(text, size, findings)) {
        return GW_EINVAL;
    }
    struct checker *checker = calloc(1, sizeof(*checker));
    if (checker == NULL) {
        return GW_ENOMEM;
    }
    checker->findings = findings;
    checker->summary = summary;
    checker->reader.fields = fields;
    gw_json_start(&checker->reader.scan, text + summary->start, size - summary->start);
    uint64_t refused_before = findings->refusals;
    if (!read_root(checker)) {
        // What stopped the reading has been reported, unless it was the text itself.
        if (checker->reader.scan.fault != GW_JSON_FINE || findings->refusals == refused_before) {
            refuse_unread(checker);
        }
        gw_err err = checker->out_of_memory ? GW_ENOMEM : GW_EINVAL;
        free(checker);
        return err;
    }
    uint64_t refused_features = findings->refusals;
    uint64_t features = summary->features;
    check_root_type(checker);
    bool unusable = findings->refusals > refused_features && summary->features == features;
    gw_err err = checker->out_of_memory ? GW_ENOMEM : unusable ? GW_EINVAL : GW_OK;
    free(checker);
    return err;
}
