// tile_distance EDITION DECODED: how far the decoded features of tiles lie from the stored ones.
//
// DECODED is what check_tiles.mjs writes: the polygons of some tiles as another reader gave them.
// For each feature in each tile, every stored border that lies in the tile's square has to lie near
// the feature's decoded border, and the other way round. Borders between grids of one feature are
// no border of it. Prints one line of JSON: how many features, those missing on either side, and
// the largest distance both ways in tile units.
//
// The distance of a whole segment to a border is bounded from above: an end's distance to one
// segment of the border bounds all between (distance to a segment is convex); where the ends are
// near to different segments, the piece is halved, down to a hundredth of a unit.
//
// Stored points are projected here by the textbook formula, not by geo/tiles.
#include "services/grids/edition.h"
#include "tests/tiles/borders.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ACCEPTED 1.0 // tile units
#define FAULTS_SHOWN 8

struct counts {
    uint64_t features, segments, missing, unexpected;
    uint64_t shown; // faults told in words
    double stored_to_decoded, decoded_to_stored;
};

struct input {
    const unsigned char *at, *end;
};

static int32_t next_number(struct input *input) {
    int32_t number = 0;
    if (input->end - input->at < 4) {
        (void)fprintf(stderr, "the decoded tiles are cut short\n");
        exit(1);
    }
    memcpy(&number, input->at, 4);
    input->at += 4;
    return number;
}

static struct input read_file(const char *path) {
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0) {
        perror(path);
        exit(1);
    }
    long size = ftell(file);
    unsigned char *bytes = malloc((size_t)size + 1u);
    rewind(file);
    if (size < 0 || bytes == NULL || fread(bytes, 1, (size_t)size, file) != (size_t)size) {
        perror(path);
        exit(1);
    }
    (void)fclose(file);
    return (struct input){bytes, bytes + size};
}

// --- one tile ---------------------------------------------------------------------------------

static struct borders *borders;
static struct segments stored, decoded;
static bool *seen; // [features of the layer]
static struct counts counts;

static void read_feature(struct input *input, char code[GW_CODE_MAX]) {
    int32_t length = next_number(input);
    if (length < 0 || length >= (int32_t)GW_CODE_MAX || input->end - input->at < length) {
        (void)fprintf(stderr, "the decoded tiles are damaged\n");
        exit(1);
    }
    memcpy(code, input->at, (size_t)length);
    code[length] = '\0';
    input->at += length;
    decoded.count = 0;
    int32_t rings = next_number(input);
    for (int32_t ring = 0; ring < rings; ring++) {
        int32_t points = next_number(input);
        struct segment segment = {{0, 0}, {0, 0}};
        struct place first = {0, 0};
        for (int32_t i = 0; i < points; i++) {
            double x = next_number(input), y = next_number(input);
            segment = (struct segment){segment.to, {x, y}};
            if (i == 0) {
                first = segment.to;
            } else {
                segments_add(&decoded, segment);
            }
        }
        segments_add(&decoded, (struct segment){segment.to, first});
    }
}

static void note(double distance, double *largest, const char *code, struct gw_tile_id id) {
    bool farther = distance > *largest;
    *largest = farther ? distance : *largest;
    if (farther && distance > ACCEPTED && counts.shown++ < FAULTS_SHOWN) {
        (void)fprintf(stderr, "%u/%u/%u: %s is %.2f units off\n", id.z, id.x, id.y, code, distance);
    }
}

static void compare_feature(const char *code, struct gw_tile_id id) {
    uint32_t feature = borders_find(borders, code);
    if (feature == UINT32_MAX) {
        counts.unexpected++;
        return;
    }
    seen[feature] = true;
    counts.features++;
    borders_in_tile(borders, feature, id, &stored);
    counts.segments += stored.count;
    for (size_t i = 0; i < stored.count; i++) {
        struct segment inside;
        if (segment_clip(stored.items[i], &inside)) {
            note(segment_distance(inside, &decoded, counts.stored_to_decoded),
                 &counts.stored_to_decoded, code, id);
        }
    }
    for (size_t i = 0; i < decoded.count; i++) {
        struct segment inside;
        if (segment_clip(decoded.items[i], &inside)) {
            note(segment_distance(inside, &stored, counts.decoded_to_stored),
                 &counts.decoded_to_stored, code, id);
        }
    }
}

// Features whose stored border passes through the tile's square and that the tile has not: allowed
// when all of it is within the accepted distance of nothing, a feature too small to be drawn.
static void count_missing(struct gw_tile_id id) {
    for (uint32_t feature = 0; feature < borders_count(borders); feature++) {
        if (seen[feature] || !borders_meet(borders, feature, id)) {
            continue;
        }
        borders_in_tile(borders, feature, id, &stored);
        bool shown = false;
        for (size_t i = 0; i < stored.count && !shown; i++) {
            struct segment inside;
            shown = segment_clip(stored.items[i], &inside) && segment_length(inside) > ACCEPTED;
        }
        if (shown && counts.missing++ < FAULTS_SHOWN) {
            (void)fprintf(stderr, "%u/%u/%u: a feature is missing: %s\n", id.z, id.x, id.y,
                          borders_code(borders, feature));
        }
    }
}

int main(int argc, char *argv[]) {
    if (argc != 3) {
        (void)fprintf(stderr, "usage: tile_distance EDITION DECODED\n");
        return 2;
    }
    struct gw_error error = {0};
    struct gw_edition *edition = NULL;
    if (gw_edition_open(argv[1], &edition, &error) != GW_OK) {
        (void)fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    struct input input = read_file(argv[2]);
    const unsigned char *bytes = input.at;
    uint32_t level = UINT32_MAX;
    while (input.at < input.end) {
        uint32_t layer = (uint32_t)next_number(&input), z = (uint32_t)next_number(&input);
        uint32_t x = (uint32_t)next_number(&input), y = (uint32_t)next_number(&input);
        int32_t features = next_number(&input);
        if (layer != level) {
            borders_destroy(borders);
            free(seen);
            borders = borders_create(edition, layer);
            seen = calloc(borders_count(borders) + 1u, sizeof(*seen));
            level = layer;
        }
        memset(seen, 0, borders_count(borders) * sizeof(*seen));
        for (int32_t i = 0; i < features; i++) {
            char code[GW_CODE_MAX];
            read_feature(&input, code);
            compare_feature(code, (struct gw_tile_id){z, x, y});
        }
        count_missing((struct gw_tile_id){z, x, y});
    }
    (void)printf(
        "{\"features\": %llu, \"segments\": %llu, \"missing\": %llu, \"unexpected\": %llu, "
        "\"stored_to_decoded\": %.4f, \"decoded_to_stored\": %.4f}\n",
        (unsigned long long)counts.features, (unsigned long long)counts.segments,
        (unsigned long long)counts.missing, (unsigned long long)counts.unexpected,
        counts.stored_to_decoded, counts.decoded_to_stored);
    borders_destroy(borders);
    free(seen);
    segments_free(&stored);
    segments_free(&decoded);
    free((void *)(uintptr_t)bytes);
    gw_edition_close(edition);
    return 0;
}
