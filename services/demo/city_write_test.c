#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "services/demo/city.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct gw_city *city;
static char folder[512];

static int write_city(void **state) {
    (void)state;
    struct gw_error error = {0};
    const char *base = getenv("TEST_TMPDIR");
    snprintf(folder, sizeof(folder), "%s/city", base != NULL ? base : "/tmp");
    if (gw_city_create(1, &city, &error) != GW_OK || gw_city_write(city, folder, &error) != GW_OK) {
        print_error("%s\n", error.text);
        return -1;
    }
    return 0;
}

static int drop_city(void **state) {
    (void)state;
    gw_city_destroy(city);
    return 0;
}

static char *read_file(const char *name) {
    char path[600];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    long size = ftell(file);
    assert_true(size > 0);
    rewind(file);
    char *text = malloc((size_t)size + 1);
    assert_non_null(text);
    assert_int_equal(fread(text, 1, (size_t)size, file), size);
    text[size] = '\0';
    fclose(file);
    return text;
}

// As strstr, whose checked version measures the whole text each time.
static char *find(char *at, const char *words) {
    while (*at != '\0' && (*at != words[0] || strncmp(at, words, strlen(words)) != 0)) {
        at++;
    }
    return *at == '\0' ? NULL : at;
}

// Reads the next "[lon,lat]" at or after `at`, as every reader would: doubles, rounded.
static char *next_position(char *at, struct gw_point *point) {
    while (*at != '\0' && *at != '-' && (*at < '0' || *at > '9')) {
        at++;
    }
    double lon = strtod(at, &at);
    assert_int_equal(*at, ',');
    double lat = strtod(at + 1, &at);
    assert_int_equal(*at, ']');
    assert_int_equal(gw_lattice_round(lon, lat, point), GW_OK);
    return at;
}

static void compare_feature(char *text, uint32_t grid) {
    const struct gw_coverage *coverage = &city->coverage;
    char head[400];
    uint32_t shells = 0, rings = coverage->grid_rings[grid + 1];
    for (uint32_t r = coverage->grid_rings[grid]; r < rings; r++) {
        shells += coverage->ring_kinds[r] == GW_RING_SHELL;
    }
    snprintf(
        head, sizeof(head),
        "{\"type\":\"Feature\",\"properties\":{\"code\":\"%s\",\"name\":\"%s\",\"kind\":\"%s\","
        "\"parent\":\"%.12s\",\"special\":%s,\"synthetic\":true},\"geometry\":{\"type\":\"%s\"",
        city->grids[grid].code, city->grids[grid].name, city->grids[grid].urban ? "urban" : "rural",
        city->grids[grid].code, city->grids[grid].special ? "true" : "false",
        shells > 1 ? "MultiPolygon" : "Polygon");
    assert_int_equal(strncmp(text, head, strlen(head)), 0);
    char *at = find(text, "\"coordinates\":");
    assert_non_null(at);
    at += strlen("\"coordinates\":");
    for (uint32_t r = coverage->grid_rings[grid]; r < rings; r++) {
        uint32_t first = coverage->ring_vertices[r], end = coverage->ring_vertices[r + 1];
        for (uint32_t i = first; i <= end; i++) { // the first one closes the ring
            struct gw_point point = {0}, expected = coverage->vertices[i < end ? i : first];
            at = next_position(at, &point);
            assert_int_equal(point.lon, expected.lon);
            assert_int_equal(point.lat, expected.lat);
        }
        assert_int_equal(strncmp(at, "]]", 2), 0);
    }
    assert_int_equal(strncmp(at, shells > 1 ? "]]]]}" : "]]]}", shells > 1 ? 5 : 4), 0);
}

static void test_geojson_says_what_the_city_is(void **state) {
    (void)state;
    uint32_t grid = 0;
    for (uint32_t i = 0; i < GW_CITY_COUNTIES; i++) {
        char name[32];
        snprintf(name, sizeof(name), "%s.geojson", city->areas[GW_CITY_COUNTY_FIRST + i].code);
        char *text = read_file(name), *at = text;
        assert_non_null(strstr(text, "\"name\":\"SYNTHETIC"));
        assert_non_null(strstr(text, "\"note\":\"SYNTHETIC"));
        while ((at = find(at, "{\"type\":\"Feature\",")) != NULL) {
            assert_true(grid < city->grid_count);
            compare_feature(at++, grid++);
        }
        assert_string_equal(text + strlen(text) - 4, "\n]}\n");
        free(text);
    }
    assert_int_equal(grid, GW_CITY_GRIDS);
}

static uint32_t count_lines(const char *text) {
    uint32_t count = 0;
    for (; *text != '\0'; text++) {
        count += *text == '\n';
    }
    return count;
}

static void test_tables(void **state) {
    (void)state;
    char *areas = read_file("areas.csv"), *workers = read_file("workers.csv");
    assert_int_equal(count_lines(areas), 1 + GW_CITY_AREAS);
    assert_non_null(strstr(areas, "code,name,level,parent\n2112,铁岭市,prefecture,\n"));
    assert_non_null(strstr(areas, "\n211202,银州区,county,2112\n"));
    assert_int_equal(count_lines(workers), 1 + GW_CITY_WORKERS);
    uint32_t commas = 0;
    for (const char *at = workers; *at != '\0'; at++) {
        commas += *at == ',';
        if (*at == '\n') {
            assert_int_equal(commas, 6);
            commas = 0;
        }
    }
    free(areas);
    free(workers);
}

static void test_faults_name_the_file(void **state) {
    (void)state;
    struct gw_error error = {0};
    assert_int_equal(gw_city_write(city, "/nonexistent/deep/folder", &error), GW_EIO);
    assert_non_null(strstr(error.text, "/nonexistent/deep/folder"));
    char file[600];
    snprintf(file, sizeof(file), "%s/areas.csv", folder);
    assert_int_equal(gw_city_write(city, file, &error), GW_EIO); // a file is no folder
    assert_non_null(strstr(error.text, "areas.csv"));
    assert_int_equal(gw_city_write(city, "/dev/full", NULL), GW_EIO);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_geojson_says_what_the_city_is),
        cmocka_unit_test(test_tables),
        cmocka_unit_test(test_faults_name_the_file),
    };
    return cmocka_run_group_tests(tests, write_city, drop_city);
}
