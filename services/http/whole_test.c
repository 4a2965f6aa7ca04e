// The doors over the real tiles and the real live feed: what a browser does with the city.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "services/http/http.h"
#include "services/http/testing_client.h"
#include "services/live/live.h"
#include "services/shard/testing.h"
#include "services/tiles/tiles.h"
#include <libdeflate.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct whole {
    struct bench bench;
    struct gw_live *live;
    struct gw_tiles *tiles;
    struct gw_metrics *metrics;
    struct gw_http_server *server;
    int port;
};

static int setup(void **state) {
    struct whole *whole = calloc(1, sizeof(*whole));
    struct gw_error error = {.code = GW_OK};
    bench_open(&whole->bench);
    bench_staff(&whole->bench, 3);
    whole->metrics = gw_metrics_create();
    struct gw_live_options live_options = {.shard = whole->bench.shard, .tick_ms = 20};
    struct gw_tiles_options tiles_options = {.current = whole->bench.current};
    struct gw_http_options options = {.listen = "127.0.0.1:0",
                                      .metrics = whole->metrics,
                                      .current = whole->bench.current,
                                      .shard = whole->bench.shard,
                                      .policy = &whole->bench.policy};
    assert_int_equal(gw_shard_start(whole->bench.shard, &error), GW_OK);
    assert_int_equal(gw_live_create(&live_options, &whole->live, &error), GW_OK);
    tiles_options.points = gw_live_points(whole->live);
    assert_int_equal(gw_tiles_create(&tiles_options, &whole->tiles, &error), GW_OK);
    gw_live_set_tiles(whole->live, whole->tiles);
    options.tiles = whole->tiles;
    options.live = whole->live;
    assert_int_equal(gw_http_start(&options, &whole->server, &error), GW_OK);
    whole->port = gw_http_port(whole->server);
    *state = whole;
    return 0;
}

static int teardown(void **state) {
    struct whole *whole = *state;
    gw_http_stop(whole->server);
    gw_live_set_tiles(whole->live, NULL);
    gw_tiles_destroy(whole->tiles);
    gw_live_destroy(whole->live);
    bench_close(&whole->bench);
    gw_metrics_destroy(whole->metrics);
    free(whole);
    return 0;
}

// The tile of a layer that holds the middle of grid A1.
static void tile_path(const char *layer, uint32_t zoom, char *path, size_t size) {
    Gridwarden__V1__Point middle = bench_point(0, 0);
    struct gw_point point;
    assert_int_equal(gw_lattice_round(middle.longitude, middle.latitude, &point), GW_OK);
    struct gw_world_point world = gw_mercator_project(point);
    uint32_t shift = (uint32_t)GW_WORLD_BITS - zoom;
    (void)snprintf(path, size, "/tiles/%s/%u/%u/%u.mvt", layer, zoom, (uint32_t)world.x >> shift,
                   (uint32_t)world.y >> shift);
}

static bool holds(const char *bytes, size_t size, const char *text) {
    return memmem(bytes, size, text, strlen(text)) != NULL;
}

static void a_tile_plain_and_packed(void **state) {
    const struct whole *whole = *state;
    char path[128];
    tile_path("grids", 14, path, sizeof(path));
    struct client_answer plain = client_ask(whole->port, "GET", path, "", "");
    assert_int_equal(plain.status, 200);
    assert_true(holds(plain.body, plain.size, BENCH_A1));
    struct client_answer packed =
        client_ask(whole->port, "GET", path, "Accept-Encoding: gzip\r\n", "");
    assert_int_equal(packed.status, 200);
    assert_string_equal(client_header(&packed, "Content-Encoding"), "gzip");
    char *bytes = malloc(plain.size);
    size_t size = 0;
    struct libdeflate_decompressor *decompressor = libdeflate_alloc_decompressor();
    assert_int_equal(libdeflate_gzip_decompress(decompressor, packed.body, packed.size, bytes,
                                                plain.size, &size),
                     LIBDEFLATE_SUCCESS);
    assert_int_equal(size, plain.size);
    assert_memory_equal(bytes, plain.body, size);
    libdeflate_free_decompressor(decompressor);
    free(bytes);
    char headers[128];
    (void)snprintf(headers, sizeof(headers), "If-None-Match: %s\r\n",
                   client_header(&packed, "ETag"));
    client_free(&plain);
    client_free(&packed);
    plain = client_ask(whole->port, "GET", path, headers, "");
    assert_int_equal(plain.status, 304);
    client_free(&plain);
    plain = client_ask(whole->port, "GET", "/tiles/grids/14/0/0.mvt", "", "");
    assert_int_equal(plain.status, 204); // nothing is there
    client_free(&plain);
    plain = client_ask(whole->port, "GET", "/tiles/grids.json", "", "");
    assert_non_null(strstr(plain.body, "http://localhost/tiles/grids/{z}/{x}/{y}.mvt"));
    client_free(&plain);
}

static void a_report_is_seen_live(void **state) {
    struct whole *whole = *state;
    static char text[1 << 18];
    char path[128], body[256];
    int fd = client_connect(whole->port);
    text[0] = '\0';
    client_send_text(fd, "GET /v1/live HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_true(client_read_until(fd, "event: ready", text, sizeof(text)));
    assert_non_null(strstr(text, "event: snapshot"));
    tile_path("incidents", 14, path, sizeof(path));
    struct client_answer answer = client_ask(whole->port, "GET", path, "", "");
    assert_int_equal(answer.status, 204); // nobody has reported yet
    client_free(&answer);
    Gridwarden__V1__Point middle = bench_point(0, 0);
    (void)snprintf(body, sizeof(body),
                   "{\"request_id\":\"r\",\"lon\":%.7f,\"lat\":%.7f,\"class\":\"%s\"}",
                   middle.longitude, middle.latitude, whole->bench.policy.classes[0].code);
    answer = client_ask(whole->port, "POST", "/v1/incidents", "Content-Type: application/json\r\n",
                        body);
    assert_int_equal(answer.status, 201);
    client_free(&answer);
    assert_true(client_read_until(fd, "event: incident", text, sizeof(text)));
    assert_true(client_read_until(fd, "\"OFFERED\"", text, sizeof(text)));
    answer = client_ask(whole->port, "GET", path, "", "");
    assert_int_equal(answer.status, 200); // and the tile shows it as well
    assert_true(holds(answer.body, answer.size, "OFFERED"));
    client_free(&answer);
    (void)close(fd);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tile_plain_and_packed),
        cmocka_unit_test(a_report_is_seen_live),
    };
    return cmocka_run_group_tests_name("http whole", tests, setup, teardown);
}
