// tiles_cold EDITION LAYER: our side of the benchmark of tiles, driven by tiles_bench.py. Reads
// commands, a line each, from standard input and answers each with one line of JSON:
//
//   info                    what is there
//   points SEED COUNT       random points of the lattice that a grid answers for
//   run Z X Y X Y …         encodes these tiles of zoom Z, one after another, in this thread;
//                           nothing is kept from one to the next but working memory
//   save PATH Z X Y …       appends them to PATH as tile_dump does
//   copy PATH               writes the grids' polygons for PostgreSQL's COPY
#include "services/tiles/tile.h"
#include "tests/support/random.h"
#include "tests/tiles/edition_tiles.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TRIES_MAX 10000000u // random points

static struct edition_tiles tiles;
static enum gw_tile_layer layer;
static struct tile_packer packer;
static double make_s;

// Processor time, so that a busy machine does not count.
static double now_s(void) {
    struct timespec time;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static void die(const char *what) {
    (void)fprintf(stderr, "tiles_cold: %s\n", what);
    exit(1);
}

static void answer_info(void) {
    const struct gw_coverage *coverage = gw_edition_coverage(tiles.edition);
    printf("{\"label\": \"%s\", \"grids\": %u, \"vertices\": %u, \"make_s\": %.3f, "
           "\"compiler\": \"gcc %.20s, mode %s\", \"optimised\": %s}\n",
           gw_edition_label(tiles.edition), coverage->grid_count, coverage->vertex_count, make_s,
           __VERSION__, GW_COMPILATION_MODE,
           strcmp(GW_COMPILATION_MODE, "opt") == 0 ? "true" : "false");
}

static void answer_points(const char *arguments) {
    char *end = NULL;
    struct test_random random = {strtoull(arguments, &end, 10)};
    unsigned long count = strtoul(end, NULL, 10);
    struct gw_box box = tiles.picture->box;
    const struct gw_grid_index *index = gw_edition_index(tiles.edition);
    printf("{\"points\": [");
    unsigned long found = 0;
    for (uint32_t i = 0; i < TRIES_MAX && found < count; i++) {
        struct gw_point point = {
            (int32_t)test_random_range(&random, box.min.lon, box.max.lon),
            (int32_t)test_random_range(&random, box.min.lat, box.max.lat),
        };
        if (gw_grid_index_locate(index, point) != GW_GRID_NONE) {
            printf("%s[%d, %d]", found++ > 0 ? ", " : "", point.lon, point.lat);
        }
    }
    printf("]}\n");
}

// The next tile of a list "X Y X Y …" of zoom `zoom`.
static bool next_tile(char **list, uint32_t zoom, struct gw_tile_id *id) {
    char *at = *list, *middle = NULL, *end = NULL;
    unsigned long x = strtoul(at, &middle, 10), y = strtoul(middle, &end, 10);
    *id = (struct gw_tile_id){zoom, (uint32_t)x, (uint32_t)y};
    if (middle == at || end == middle) {
        return false;
    }
    if (!gw_tile_id_valid(*id)) {
        die("no such tile");
    }
    *list = end;
    return true;
}

// Encoding is timed as a whole, by itself; packing in a second pass.
static void answer_run(char *list) {
    uint32_t zoom = (uint32_t)strtoul(list, &list, 10);
    struct gw_tile_id id;
    char *again = list;
    double pack_s = 0.0, begin = now_s();
    size_t count = 0, bytes = 0, packed = 0, largest = 0;
    while (next_tile(&list, zoom, &id)) {
        edition_tiles_encode(&tiles, layer, id);
        bytes += tiles.bytes.size;
        largest = tiles.bytes.size > largest ? tiles.bytes.size : largest;
        count++;
    }
    double encode_s = now_s() - begin;
    while (next_tile(&again, zoom, &id)) {
        edition_tiles_encode(&tiles, layer, id);
        begin = now_s();
        const struct gw_tile *tile =
            tile_make(&packer, tiles.bytes.data, tiles.bytes.size, 1, false);
        pack_s += now_s() - begin;
        if (tile == NULL) {
            die("out of memory");
        }
        packed += tile->gzip_size;
        gw_tile_release(tile);
    }
    printf("{\"tiles\": %zu, \"encode_s\": %.9f, \"pack_s\": %.9f, \"bytes\": %zu, "
           "\"packed\": %zu, \"largest\": %zu}\n",
           count, encode_s, pack_s, bytes, packed, largest);
}

static FILE *open_file(const char *path, const char *mode) {
    FILE *file = fopen(path, mode);
    if (file == NULL) {
        die(path);
    }
    return file;
}

static void answer_save(char *arguments) {
    char *path = arguments, *list = strchr(arguments, ' ');
    if (list == NULL) {
        die("save what?");
    }
    *list++ = '\0';
    FILE *file = open_file(path, "ab");
    uint32_t zoom = (uint32_t)strtoul(list, &list, 10);
    struct gw_tile_id id;
    while (next_tile(&list, zoom, &id)) {
        edition_tiles_encode(&tiles, layer, id);
        uint32_t head[] = {(uint32_t)layer, id.z, id.x, id.y, (uint32_t)tiles.bytes.size};
        if (tiles.bytes.size > 0 &&
            (fwrite(head, sizeof(head), 1, file) != 1 ||
             fwrite(tiles.bytes.data, 1, tiles.bytes.size, file) != tiles.bytes.size)) {
            die("save: cannot write");
        }
    }
    if (fclose(file) != 0) {
        die("save: cannot write");
    }
    printf("{}\n");
}

// --- polygons for PostGIS ---------------------------------------------------------------------

static void hex(FILE *file, const void *data, size_t size) {
    const unsigned char *bytes = data;
    for (size_t i = 0; i < size; i++) {
        (void)fprintf(file, "%02X", bytes[i]);
    }
}

static void hex_number(FILE *file, uint32_t number) {
    hex(file, &number, sizeof(number)); // this machine is little-endian, as the 01 below says
}

static void write_ring(FILE *file, const struct gw_coverage *coverage, uint32_t ring) {
    uint32_t begin = coverage->ring_vertices[ring], end = coverage->ring_vertices[ring + 1];
    hex_number(file, end - begin + 1);
    for (uint32_t i = begin; i <= end; i++) {
        struct gw_point point = coverage->vertices[i < end ? i : begin];
        double pair[] = {point.lon / 1e7, point.lat / 1e7};
        hex(file, pair, sizeof(pair));
    }
}

// A grid as hexadecimal EWKB: a multipolygon in EPSG:4326.
static void write_shape(FILE *file, const struct gw_coverage *coverage, uint32_t grid) {
    uint32_t begin = coverage->grid_rings[grid], end = coverage->grid_rings[grid + 1];
    uint32_t polygons = 0;
    for (uint32_t ring = begin; ring < end; ring++) {
        polygons += coverage->ring_kinds[ring] == GW_RING_SHELL;
    }
    (void)fputs("01", file);
    hex_number(file, 0x20000006u);
    hex_number(file, 4326);
    hex_number(file, polygons);
    for (uint32_t ring = begin; ring < end;) {
        uint32_t next = ring + 1;
        while (next < end && coverage->ring_kinds[next] != GW_RING_SHELL) {
            next++;
        }
        (void)fputs("01", file);
        hex_number(file, 3);
        hex_number(file, next - ring);
        for (; ring < next; ring++) {
            write_ring(file, coverage, ring);
        }
    }
}

// Texts of the demo and of real names; COPY's own signs are escaped.
static void write_text(FILE *file, const char *text) {
    for (; *text != '\0'; text++) {
        if (*text == '\\' || *text == '\t' || *text == '\n' || *text == '\r') {
            (void)fputc('\\', file);
        }
        (void)fputc(*text, file);
    }
    (void)fputc('\t', file);
}

static void answer_copy(const char *path) {
    static const char *const kinds[] = {"UNSPECIFIED", "URBAN", "RURAL", "SPECIAL"};
    FILE *file = open_file(path, "wb");
    for (uint32_t i = 0; i < gw_edition_grid_count(tiles.edition); i++) {
        struct gw_grid grid = gw_edition_grid(tiles.edition, i);
        (void)fprintf(file, "%llu\t", (unsigned long long)gw_mvt_id_of_code(grid.code));
        write_text(file, grid.code);
        write_text(file, grid.name);
        write_text(file, kinds[grid.kind < 4 ? grid.kind : 0]);
        write_text(file, picture_parent_code(tiles.edition, grid.parent));
        write_shape(file, gw_edition_coverage(tiles.edition), i);
        (void)fputc('\n', file);
    }
    if (fclose(file) != 0) {
        die("copy: cannot write");
    }
    printf("{}\n");
}

static void answer(char *line) {
    static const struct {
        const char *name;
        void (*plain)(const char *arguments);
        void (*changing)(char *arguments);
    } commands[] = {
        {"points ", answer_points, NULL},
        {"copy ", answer_copy, NULL},
        {"run ", NULL, answer_run},
        {"save ", NULL, answer_save},
    };
    line[strcspn(line, "\n")] = '\0';
    if (strcmp(line, "info") == 0) {
        answer_info();
        return;
    }
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        size_t length = strlen(commands[i].name);
        if (strncmp(line, commands[i].name, length) == 0) {
            if (commands[i].plain != NULL) {
                commands[i].plain(line + length);
            } else {
                commands[i].changing(line + length);
            }
            return;
        }
    }
    die("no such command");
}

int main(int argc, char *argv[]) {
    layer = argc == 3 ? gw_tile_layer_find(argv[2]) : GW_TILE_LAYERS;
    if (layer >= (enum gw_tile_layer)PICTURE_LAYERS) {
        (void)fprintf(stderr, "usage: tiles_cold EDITION LAYER\n");
        return 2;
    }
    double begin = now_s();
    edition_tiles_open(argv[1], &tiles);
    make_s = now_s() - begin;
    if (tile_packer_init(&packer) != GW_OK) {
        die("out of memory");
    }
    char *line = NULL;
    size_t size = 0;
    while (getline(&line, &size, stdin) > 0) {
        answer(line);
        (void)fflush(stdout);
    }
    free(line);
    tile_packer_deinit(&packer);
    edition_tiles_close(&tiles);
    return 0;
}
