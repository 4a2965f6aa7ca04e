// tile_dump EDITION ZOOM_MAX TILES OUTER: writes every tile of every polygon layer that is not
// empty, zooms 0 to ZOOM_MAX, to the file TILES, one frame each: layer, z, x, y and size as 32 bits
// each, least significant byte first, and the tile's bytes.
//
// OUTER gets the stored edges that one grid alone has, the outer border, as four 32-bit integers
// each: longitude and latitude of both ends in units of 1e-7 degree. Prints what it wrote.
#include "tests/tiles/edition_tiles.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct edge {
    struct gw_point from, to;
};

static FILE *open_file(const char *path) {
    FILE *file = fopen(path, "wb");
    if (file == NULL) {
        perror(path);
        exit(1);
    }
    return file;
}

static void write_bytes(FILE *file, const void *bytes, size_t size) {
    if (fwrite(bytes, 1, size, file) != size) {
        perror("write");
        exit(1);
    }
}

static void close_file(FILE *file) {
    if (fclose(file) != 0) {
        perror("close");
        exit(1);
    }
}

static void write_numbers(FILE *file, const uint32_t numbers[], size_t count) {
    for (size_t i = 0; i < count; i++) {
        const unsigned char bytes[] = {(unsigned char)numbers[i], (unsigned char)(numbers[i] >> 8),
                                       (unsigned char)(numbers[i] >> 16),
                                       (unsigned char)(numbers[i] >> 24)};
        write_bytes(file, bytes, sizeof(bytes));
    }
}

static void write_tiles(struct edition_tiles *tiles, uint32_t zoom_max, FILE *file) {
    for (uint32_t layer = 0; layer < PICTURE_LAYERS; layer++) {
        size_t count = 0, bytes = 0;
        for (uint32_t zoom = 0; zoom <= zoom_max; zoom++) {
            struct gw_tile_id min, max;
            edition_tiles_range(tiles, zoom, &min, &max);
            for (uint32_t y = min.y; y <= max.y; y++) {
                for (uint32_t x = min.x; x <= max.x; x++) {
                    struct gw_tile_id id = {zoom, x, y};
                    edition_tiles_encode(tiles, (enum gw_tile_layer)layer, id);
                    if (tiles->bytes.size > 0) {
                        uint32_t head[] = {layer, zoom, x, y, (uint32_t)tiles->bytes.size};
                        write_numbers(file, head, 5);
                        write_bytes(file, tiles->bytes.data, tiles->bytes.size);
                        count++;
                        bytes += tiles->bytes.size;
                    }
                }
            }
        }
        (void)printf("%s: %zu tiles, %zu bytes\n", gw_tile_layer_name((enum gw_tile_layer)layer),
                     count, bytes);
    }
}

// --- the outer border: edges that have no reverse ---------------------------------------------

static int compare_points(struct gw_point a, struct gw_point b) {
    if (a.lon != b.lon) {
        return a.lon < b.lon ? -1 : 1;
    }
    return a.lat == b.lat ? 0 : a.lat < b.lat ? -1 : 1;
}

// By the two ends, whichever way the edge runs: so that both sides of an edge lie together.
static int compare_edges(const void *left, const void *right) {
    const struct edge *a = left, *b = right;
    bool a_turned = compare_points(a->from, a->to) > 0;
    bool b_turned = compare_points(b->from, b->to) > 0;
    int low = compare_points(a_turned ? a->to : a->from, b_turned ? b->to : b->from);
    return low != 0 ? low : compare_points(a_turned ? a->from : a->to, b_turned ? b->from : b->to);
}

static void write_outer(const struct gw_coverage *coverage, FILE *file) {
    struct edge *edges = malloc((coverage->vertex_count + 1u) * sizeof(*edges));
    if (edges == NULL) {
        exit(1);
    }
    for (uint32_t ring = 0; ring < coverage->ring_count; ring++) {
        uint32_t begin = coverage->ring_vertices[ring], end = coverage->ring_vertices[ring + 1];
        for (uint32_t i = begin; i < end; i++) {
            edges[i] = (struct edge){coverage->vertices[i],
                                     coverage->vertices[i + 1 < end ? i + 1 : begin]};
        }
    }
    qsort(edges, coverage->vertex_count, sizeof(*edges), compare_edges);
    uint32_t count = 0;
    for (uint32_t i = 0; i < coverage->vertex_count;) {
        if (i + 1 < coverage->vertex_count && compare_edges(&edges[i], &edges[i + 1]) == 0) {
            i += 2;
            continue;
        }
        uint32_t numbers[] = {(uint32_t)edges[i].from.lon, (uint32_t)edges[i].from.lat,
                              (uint32_t)edges[i].to.lon, (uint32_t)edges[i].to.lat};
        write_numbers(file, numbers, 4);
        count++;
        i++;
    }
    (void)printf("outer border: %u of %u edges\n", count, coverage->vertex_count);
    free(edges);
}

int main(int argc, char *argv[]) {
    char *end = NULL;
    unsigned long zoom_max = argc == 5 ? strtoul(argv[2], &end, 10) : 0;
    if (argc != 5 || *argv[2] == '\0' || *end != '\0' || zoom_max > GW_TILE_ZOOM_MAX) {
        (void)fprintf(stderr, "usage: tile_dump EDITION ZOOM_MAX TILES OUTER\n");
        return 2;
    }
    struct edition_tiles tiles;
    edition_tiles_open(argv[1], &tiles);
    FILE *file = open_file(argv[3]);
    write_tiles(&tiles, (uint32_t)zoom_max, file);
    close_file(file);
    file = open_file(argv[4]);
    write_outer(gw_edition_coverage(tiles.edition), file);
    close_file(file);
    edition_tiles_close(&tiles);
    return 0;
}
