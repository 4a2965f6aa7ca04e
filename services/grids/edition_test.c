// Editions: what is written is what is read, faults in rows are named, damage is seen.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "services/grids/edition_areas.h"
#include "services/grids/edition_format.h"
#include "services/grids/edition_writer.h"
#include "services/grids/testing_edition.h"
#include "tests/support/random.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static const char *path_of(const char *name) {
    static char path[400];
    const char *folder = getenv("TEST_TMPDIR");
    assert_non_null(folder);
    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    return path;
}

// Four squares in a row, the last with a hole.
static const struct gw_point corners[][4] = {
    {{0, 0}, {100, 0}, {100, 100}, {0, 100}},     {{100, 0}, {200, 0}, {200, 100}, {100, 100}},
    {{200, 0}, {300, 0}, {300, 100}, {200, 100}}, {{300, 0}, {400, 0}, {400, 100}, {300, 100}},
    {{340, 40}, {340, 60}, {360, 60}, {360, 40}},
};
static const struct gw_edition_ring rings[] = {
    {corners[0], 4, GW_RING_SHELL}, {corners[1], 4, GW_RING_SHELL}, {corners[2], 4, GW_RING_SHELL},
    {corners[3], 4, GW_RING_SHELL}, {corners[4], 4, GW_RING_HOLE},
};
static const struct gw_edition_grid_row grids[] = {
    {"211282001002003", "开原三格", "", 1, 5, &rings[0], 1},
    {"211282001002001", "", "", 2, 5, &rings[1], 1},
    {"B", "named parent", "211202", 3, 0, &rings[2], 1},
    {"A", "no parent", "", 0, 5, &rings[3], 2},
};
static const struct gw_edition_area_row areas[] = {
    {"2112", "铁岭市", "21", 4},
    {"211282", "开原市", "2112", 3},
};

static struct gw_edition_input base_input(void) {
    return (struct gw_edition_input){
        .layer = "grid",
        .label = "SYNTHETIC",
        .number = 42,
        .created_ms = 1700000000123,
        .grids = grids,
        .grid_count = COUNT_OF(grids),
        .areas = areas,
        .area_count = COUNT_OF(areas),
        .index = {.bytes_max = 4096},
    };
}

static struct gw_edition *write_and_open(const struct gw_edition_input *input, const char *name) {
    struct gw_error error = {GW_OK, ""};
    struct gw_edition_written written;
    struct gw_edition *edition = NULL;
    gw_err err = gw_edition_write(input, path_of(name), &written, &error);
    if (err == GW_OK) {
        err = gw_edition_open(path_of(name), &edition, &error);
    }
    if (err != GW_OK) {
        print_message("# %s\n", error.text);
    }
    assert_int_equal(err, GW_OK);
    struct stat status;
    assert_int_equal(stat(path_of(name), &status), 0);
    assert_int_equal(written.file_bytes, status.st_size);
    char hash[33];
    gw_edition_content_hash(edition, hash);
    assert_string_equal(hash, written.content_hash);
    return edition;
}

static void what_is_written_is_read(void **state) {
    (void)state;
    const struct gw_edition_input input = base_input();
    struct gw_edition *edition = write_and_open(&input, "round-trip.gwe");
    assert_string_equal(gw_edition_layer(edition), "grid");
    assert_string_equal(gw_edition_label(edition), "SYNTHETIC");
    assert_int_equal(gw_edition_number(edition), 42);
    assert_int_equal(gw_edition_created_ms(edition), 1700000000123);
    assert_int_equal(gw_edition_grid_count(edition), 4);
    // By priority, then by code: B, then 2112...001, 2112...003, A.
    static const char *const ranked[] = {"B", "211282001002001", "211282001002003", "A"};
    static const char *const by_code[] = {"211282001002001", "211282001002003", "A", "B"};
    for (uint32_t i = 0; i < 4; i++) {
        assert_string_equal(gw_edition_grid(edition, i).code, ranked[i]);
        uint32_t grid = gw_edition_grid_by_code_order(edition, i);
        assert_string_equal(gw_edition_grid(edition, grid).code, by_code[i]);
        assert_int_equal(gw_edition_find_grid(edition, ranked[i]), i);
    }
    assert_int_equal(gw_edition_grid(edition, 0).kind, 3);
    assert_int_equal(gw_edition_grid(edition, 0).priority, 0);
    assert_string_equal(gw_edition_grid(edition, 2).name, "开原三格");
    assert_string_equal(gw_edition_grid(edition, 1).name, "");
    assert_int_equal(gw_edition_find_grid(edition, "nobody"), GW_GRID_NONE);
    assert_int_equal(gw_edition_find_grid(edition, ""), GW_GRID_NONE);
    assert_int_equal(gw_edition_code_lower_bound(edition, ""), 0);
    assert_int_equal(gw_edition_code_lower_bound(edition, "211282001002002"), 1);
    assert_int_equal(gw_edition_code_lower_bound(edition, "Z"), 4);
    struct gw_box box = gw_edition_boxes(edition)[3];
    assert_true(box.min.lon == 300 && box.max.lon == 400 && box.min.lat == 0 && box.max.lat == 100);
    gw_edition_close(edition);
}

static void points_find_their_grids(void **state) {
    (void)state;
    const struct gw_edition_input input = base_input();
    struct gw_edition *edition = write_and_open(&input, "points.gwe");
    const struct gw_coverage *coverage = gw_edition_coverage(edition);
    for (int32_t lon = -3; lon < 405; lon++) {
        for (int32_t lat = -3; lat < 104; lat += 3) {
            struct gw_point point = {lon, lat};
            assert_int_equal(gw_grid_index_locate(gw_edition_index(edition), point),
                             gw_coverage_owner(coverage, point));
        }
    }
    uint32_t grid = 0;
    double distance = 0;
    struct gw_point in_hole = {350, 50};
    assert_int_equal(gw_edition_nearest(edition, in_hole, &grid, &distance), GW_OK);
    assert_string_equal(gw_edition_grid(edition, grid).code, "A");
    assert_true(distance > 0.1 && distance < 0.12); // 10 units of 1.1 cm
    gw_edition_close(edition);
}

static void areas_come_from_rows_and_codes(void **state) {
    (void)state;
    const struct gw_edition_input input = base_input();
    struct gw_edition *edition = write_and_open(&input, "areas.gwe");
    static const struct {
        const char *code, *name, *parent;
        uint32_t level;
    } rows[] = {
        {"2112", "铁岭市", NULL, 4},          {"211202", "", "2112", 3},
        {"211282", "开原市", "2112", 3},      {"211282001", "", "211282", 2},
        {"211282001002", "", "211282001", 1},
    };
    assert_int_equal(gw_edition_area_count(edition), COUNT_OF(rows));
    for (uint32_t i = 0; i < COUNT_OF(rows); i++) {
        struct gw_area area = gw_edition_area(edition, i);
        assert_string_equal(area.code, rows[i].code);
        assert_string_equal(area.name, rows[i].name);
        assert_int_equal(area.level, rows[i].level);
        assert_int_equal(gw_edition_find_area(edition, rows[i].code), i);
        assert_int_equal(area.parent, rows[i].parent == NULL
                                          ? GW_AREA_NONE
                                          : gw_edition_find_area(edition, rows[i].parent));
    }
    assert_int_equal(gw_edition_find_area(edition, "21"), GW_AREA_NONE);
    uint32_t chain[GW_AREA_LEVELS];
    assert_int_equal(
        gw_edition_chain(edition, gw_edition_find_grid(edition, "211282001002003"), chain), 4);
    assert_string_equal(gw_edition_area(edition, chain[0]).code, "211282001002");
    assert_string_equal(gw_edition_area(edition, chain[3]).code, "2112");
    assert_int_equal(gw_edition_chain(edition, gw_edition_find_grid(edition, "B"), chain), 2);
    assert_string_equal(gw_edition_area(edition, chain[0]).code, "211202");
    assert_int_equal(gw_edition_chain(edition, gw_edition_find_grid(edition, "A"), chain), 0);
    gw_edition_close(edition);
}

static void parents_need_not_be_prefixes(void **state) {
    (void)state;
    const struct gw_edition_area_row rows[] = {
        {"211200", "市", "", 4}, {"211282", "县", "211200", 3}, {"north", "片区", "211282", 2}};
    const struct gw_edition_grid_row row = {"g", "", "north", 0, 0, &rings[0], 1};
    struct gw_edition_input input = base_input();
    input.areas = rows;
    input.area_count = COUNT_OF(rows);
    input.grids = &row;
    input.grid_count = 1;
    struct gw_edition *edition = write_and_open(&input, "parents.gwe");
    uint32_t chain[GW_AREA_LEVELS];
    assert_int_equal(gw_edition_area_count(edition), 3); // no 2112 was invented
    assert_int_equal(gw_edition_chain(edition, 0, chain), 3);
    assert_string_equal(gw_edition_area(edition, chain[0]).name, "片区");
    assert_string_equal(gw_edition_area(edition, chain[2]).code, "211200");
    gw_edition_close(edition);
}

static const struct gw_point clockwise[] = {{0, 0}, {0, 100}, {100, 100}};
static const struct gw_edition_ring bad_rings[] = {
    {clockwise, 3, GW_RING_SHELL}, {corners[0], 2, GW_RING_SHELL}, {corners[4], 4, GW_RING_HOLE}};

static const struct refusal_row {
    const char *name, *words;
    struct gw_edition_grid_row grid;
    struct gw_edition_area_row area;
} refusal_rows[] = {
    {"no code", "code", {"", "", "", 0, 0, rings, 1}, {"2112", "", "", 4}},
    {"code of 64 bytes",
     "63 bytes",
     {"0123456789012345678901234567890123456789012345678901234567890123", "", "", 0, 0, rings, 1},
     {"2112", "", "", 4}},
    {"code twice", "A occurs twice", {"A", "", "", 0, 0, rings, 1}, {"2112", "", "", 4}},
    {"name not UTF-8", "name", {"x", "\xff", "", 0, 0, rings, 1}, {"2112", "", "", 4}},
    {"no ring", "no ring", {"x", "", "", 0, 0, NULL, 0}, {"2112", "", "", 4}},
    {"clockwise shell", "rings", {"x", "", "", 0, 0, &bad_rings[0], 1}, {"2112", "", "", 4}},
    {"two vertices", "rings", {"x", "", "", 0, 0, &bad_rings[1], 1}, {"2112", "", "", 4}},
    {"hole first", "rings", {"x", "", "", 0, 0, &bad_rings[2], 1}, {"2112", "", "", 4}},
    {"unknown parent", "nowhere", {"x", "", "nowhere", 0, 0, rings, 1}, {"2112", "", "", 4}},
    {"area twice", "211282 occurs twice", {"x", "", "", 0, 0, rings, 1}, {"211282", "", "", 3}},
    {"area without a parent",
     "elsewhere",
     {"x", "", "", 0, 0, rings, 1},
     {"q", "", "elsewhere", 2}},
    {"area above itself", "higher level", {"x", "", "", 0, 0, rings, 1}, {"q", "", "q", 2}},
    {"area above its like", "higher level", {"x", "", "", 0, 0, rings, 1}, {"q", "", "211282", 3}},
    {"level 5", "level", {"x", "", "", 0, 0, rings, 1}, {"q", "", "", 5}},
};

static void bad_rows_are_refused(void **state) {
    const struct refusal_row *row = *state;
    struct gw_edition_grid_row some_grids[] = {grids[0], grids[3], row->grid};
    struct gw_edition_area_row some_areas[] = {areas[1], row->area};
    struct gw_edition_input input = base_input();
    input.grids = some_grids;
    input.grid_count = 3;
    input.areas = some_areas;
    input.area_count = 2;
    struct gw_error error = {GW_OK, ""};
    assert_int_equal(gw_edition_write(&input, path_of("refused.gwe"), NULL, &error), GW_EINVAL);
    print_message("# %s\n", error.text);
    assert_non_null(strstr(error.text, row->words));
    assert_int_not_equal(access(path_of("refused.gwe"), F_OK), 0);
    assert_int_not_equal(access(path_of("refused.gwe.tmp"), F_OK), 0);
}

static void a_failed_write_leaves_what_was_there(void **state) {
    (void)state;
    struct gw_edition_input input = base_input();
    gw_edition_close(write_and_open(&input, "kept.gwe"));
    struct gw_error error = {GW_OK, ""};
    input.layer = "";
    assert_int_equal(gw_edition_write(&input, path_of("kept.gwe"), NULL, &error), GW_EINVAL);
    input = base_input();
    input.grid_count = 0;
    assert_int_equal(gw_edition_write(&input, path_of("kept.gwe"), NULL, &error), GW_EINVAL);
    struct gw_edition *edition = NULL;
    assert_int_equal(gw_edition_open(path_of("kept.gwe"), &edition, &error), GW_OK);
    gw_edition_close(edition);
    input = base_input();
    assert_int_equal(gw_edition_write(&input, path_of("no/such/folder.gwe"), NULL, &error), GW_EIO);
    assert_int_equal(gw_edition_open(path_of("missing.gwe"), &edition, &error), GW_ENOTFOUND);
    assert_int_not_equal(gw_edition_open(path_of("."), &edition, &error), GW_OK);
    gw_edition_close(NULL);
}

static void the_same_rows_give_the_same_bytes(void **state) {
    (void)state;
    struct gw_edition_input input = base_input();
    struct gw_edition *first = write_and_open(&input, "same-1.gwe");
    struct gw_edition_grid_row turned[] = {grids[3], grids[2], grids[1], grids[0]};
    struct gw_edition_area_row turned_areas[] = {areas[1], areas[0]};
    input.grids = turned;
    input.areas = turned_areas;
    struct gw_edition *second = write_and_open(&input, "same-2.gwe");
    char hashes[2][33];
    gw_edition_content_hash(first, hashes[0]);
    gw_edition_content_hash(second, hashes[1]);
    assert_string_equal(hashes[0], hashes[1]);
    gw_edition_close(first);
    gw_edition_close(second);
}

// The bytes of a small edition, 8-byte aligned, which the caller frees.
static unsigned char *small_edition(size_t *size) {
    const struct gw_edition_input input = base_input();
    gw_edition_close(write_and_open(&input, "small.gwe"));
    FILE *file = fopen(path_of("small.gwe"), "rb");
    assert_non_null(file);
    struct stat status;
    assert_int_equal(fstat(fileno(file), &status), 0);
    *size = (size_t)status.st_size;
    unsigned char *bytes = malloc(*size);
    assert_non_null(bytes);
    assert_int_equal(fread(bytes, 1, *size, file), *size);
    (void)fclose(file);
    return bytes;
}

static void every_changed_byte_is_seen(void **state) {
    (void)state;
    size_t size = 0;
    unsigned char *bytes = small_edition(&size);
    struct gw_edition *edition = NULL;
    struct gw_error error;
    size_t step = size / 4000 + 1; // every byte of the header, and a spread of the others
    for (size_t i = 0; i < size; i += i < sizeof(struct gw_edition_header) ? 1 : step) {
        bytes[i] ^= 0x10;
        gw_err err = gw_edition_open_bytes(bytes, size, &edition, &error);
        assert_true(err == GW_ECORRUPT || err == GW_EUNSUPPORTED);
        bytes[i] ^= 0x10;
    }
    for (size_t shorter = 0; shorter < size; shorter += step) {
        assert_int_equal(gw_edition_open_bytes(bytes, shorter, &edition, &error), GW_ECORRUPT);
    }
    assert_int_equal(gw_edition_open_bytes(bytes, size, &edition, &error), GW_OK);
    gw_edition_close(edition);
    free(bytes);
}

// With a checksum that fits, wrong contents are refused or at least lead nowhere outside.
static void sealed_damage_is_harmless(void **state) {
    (void)state;
    struct test_random random = test_random_seeded("damaged editions", 11);
    size_t size = 0;
    unsigned char *bytes = small_edition(&size);
    unsigned char *damaged = malloc(size);
    assert_non_null(damaged);
    struct gw_error error;
    struct gw_edition *edition = NULL;
    struct gw_edition_header header;
    memcpy(&header, bytes, sizeof(header));
    size_t opened = 0;
    size_t refused = 0;
    for (int round = 0; round < 4000; round++) {
        memcpy(damaged, bytes, size);
        // In one of the sections or the header, one word takes a small, large or random value.
        size_t which = (size_t)test_random_range(&random, 0, GW_SECTION_COUNT);
        struct gw_edition_span span = which == GW_SECTION_COUNT
                                          ? (struct gw_edition_span){0, sizeof(header)}
                                          : header.sections[which];
        if (span.size < 4) {
            continue;
        }
        size_t at =
            (size_t)(span.offset +
                     (uint64_t)test_random_range(&random, 0, (int64_t)span.size / 4 - 1) * 4);
        static const uint32_t values[] = {0, 1, 2, 5, 0x7fffffff, 0x80000000, 0xffffffff};
        uint32_t value = test_random_range(&random, 0, 1) == 0
                             ? values[test_random_range(&random, 0, COUNT_OF(values) - 1)]
                             : (uint32_t)test_random_next(&random);
        memcpy(damaged + at, &value, sizeof(value));
        testing_reseal(damaged, size);
        if (gw_edition_open_bytes(damaged, size, &edition, &error) == GW_OK) {
            opened++;
            (void)testing_exercise(edition);
            gw_edition_close(edition);
        } else {
            refused++;
        }
    }
    print_message("# %zu opened, %zu refused\n", opened, refused);
    assert_true(refused > 500);
    free(damaged);
    free(bytes);
}

// What answers would carry: texts that are not UTF-8, grids and areas without a code, kinds that
// there are not.
static void faulty_rows_under_a_seal_are_refused(void **state) {
    (void)state;
    size_t size = 0;
    unsigned char *bytes = small_edition(&size);
    struct gw_edition *edition = NULL;
    struct gw_error error;
    struct gw_edition_header header;
    memcpy(&header, bytes, sizeof(header));
    unsigned char *texts = bytes + header.sections[GW_SECTION_STRINGS].offset;
    size_t texts_size = (size_t)header.sections[GW_SECTION_STRINGS].size;
    const struct {
        unsigned char *at;
        unsigned char value;
        const char *words;
    } rows[] = {
        {memmem(texts, texts_size, "B", 2), '\0', "grids"},
        {memmem(texts, texts_size, "\xe4\xb8\x89", 3), 0xff, "grids"},
        {memmem(texts, texts_size, "\xe9\x93\x81", 3), 0xff, "areas"},
        {memmem(texts, texts_size, "SYNTHETIC", 9), 0xff, "text"},
        {bytes + header.sections[GW_SECTION_GRIDS].offset + offsetof(struct gw_grid_record, kind),
         GW_GRID_KIND_MAX + 1, "grids"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_non_null(rows[i].at);
        unsigned char before = *rows[i].at;
        *rows[i].at = rows[i].value;
        testing_reseal(bytes, size);
        assert_int_equal(gw_edition_open_bytes(bytes, size, &edition, &error), GW_ECORRUPT);
        assert_non_null(strstr(error.text, rows[i].words));
        *rows[i].at = before;
    }
    testing_reseal(bytes, size);
    assert_int_equal(gw_edition_open_bytes(bytes, size, &edition, &error), GW_OK);
    gw_edition_close(edition);
    free(bytes);
}

static void level_of_codes(void **state) {
    (void)state;
    assert_int_equal(gw_area_code_level("211282001002", 12), 1);
    assert_int_equal(gw_area_code_level("211282001", 9), 2);
    assert_int_equal(gw_area_code_level("211282", 6), 3);
    assert_int_equal(gw_area_code_level("2112", 4), 4);
    assert_int_equal(gw_area_code_level("21", 2), 0);
    assert_int_equal(gw_area_code_level("21128x", 6), 0);
    assert_int_equal(gw_grid_parent_code("2112820010020", "").size, 12);
    assert_int_equal(gw_grid_parent_code("21128200100", "").size, 0);
    assert_int_equal(gw_grid_parent_code("211282001002W", "").size, 0);
    assert_string_equal(gw_grid_parent_code("211282001002003", "211202").text, "211202");
}

int main(void) {
    static struct CMUnitTest table[COUNT_OF(refusal_rows)];
    for (size_t i = 0; i < COUNT_OF(refusal_rows); i++) {
        table[i] = (struct CMUnitTest){refusal_rows[i].name, bad_rows_are_refused, NULL, NULL,
                                       (void *)(uintptr_t)&refusal_rows[i]};
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(points_find_their_grids),
        cmocka_unit_test(areas_come_from_rows_and_codes),
        cmocka_unit_test(parents_need_not_be_prefixes),
        cmocka_unit_test(a_failed_write_leaves_what_was_there),
        cmocka_unit_test(the_same_rows_give_the_same_bytes),
        cmocka_unit_test(every_changed_byte_is_seen),
        cmocka_unit_test(sealed_damage_is_harmless),
        cmocka_unit_test(faulty_rows_under_a_seal_are_refused),
        cmocka_unit_test(level_of_codes),
    };
    int failed = cmocka_run_group_tests_name("refused rows", table, NULL, NULL);
    return failed + cmocka_run_group_tests_name("editions", tests, NULL, NULL);
}
