#include "services/grids/testing_edition.h"
#include "services/grids/edition_format.h"
#include <string.h>
#include <xxhash.h>

#define ASKED_MAX 64u // of each kind: enough, and a fuzzer stays quick

void testing_reseal(unsigned char *bytes, size_t size) {
    if (size < sizeof(struct gw_edition_header)) {
        return;
    }
    XXH128_canonical_t checksum;
    XXH128_canonicalFromHash(
        &checksum, XXH3_128bits(bytes + GW_EDITION_HASH_FROM, size - GW_EDITION_HASH_FROM));
    memcpy(bytes + offsetof(struct gw_edition_header, checksum), checksum.digest,
           sizeof(checksum.digest));
}

static uint64_t exercise_places(const struct gw_edition *edition) {
    const struct gw_coverage *coverage = gw_edition_coverage(edition);
    const struct gw_grid_index *index = gw_edition_index(edition);
    struct gw_point points[ASKED_MAX];
    uint32_t owners[ASKED_MAX];
    uint32_t count = coverage->vertex_count < ASKED_MAX ? coverage->vertex_count : ASKED_MAX;
    uint64_t sum = 0;
    for (uint32_t i = 0; i < count; i++) {
        points[i] = gw_point_normal(coverage->vertices[i]);
        uint32_t owner = gw_grid_index_locate(index, points[i]);
        sum += owner;
        if (owner < gw_edition_grid_count(edition)) {
            sum += strlen(gw_edition_grid(edition, owner).code);
        }
    }
    gw_grid_index_locate_batch(index, points, count, owners);
    for (uint32_t i = 0; i < count; i++) {
        sum += owners[i];
    }
    return sum;
}

uint64_t testing_exercise(const struct gw_edition *edition) {
    uint64_t sum = strlen(gw_edition_layer(edition)) + strlen(gw_edition_label(edition)) +
                   gw_edition_number(edition) + (uint64_t)gw_edition_created_ms(edition);
    uint32_t grids = gw_edition_grid_count(edition);
    for (uint32_t i = 0; i < grids && i < ASKED_MAX; i++) {
        struct gw_grid grid = gw_edition_grid(edition, gw_edition_grid_by_code_order(edition, i));
        uint32_t chain[GW_AREA_LEVELS];
        uint32_t levels = gw_edition_chain(edition, i, chain);
        for (uint32_t k = 0; k < levels; k++) {
            struct gw_area area = gw_edition_area(edition, chain[k]);
            sum += strlen(area.code) + strlen(area.name) + area.level +
                   gw_edition_find_area(edition, area.code);
        }
        sum += strlen(grid.name) + grid.kind + grid.priority +
               gw_edition_find_grid(edition, grid.code) +
               (uint64_t)gw_edition_boxes(edition)[i].min.lon;
    }
    return sum + exercise_places(edition);
}
