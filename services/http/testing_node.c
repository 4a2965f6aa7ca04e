#include "services/http/testing_node.h"

#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void write_file(const struct node *node, const char *name, const char *text) {
    char path[1024];
    (void)snprintf(path, sizeof(path), "%s/%s", node->web, name);
    FILE *file = fopen(path, "wbe");
    assert(file != NULL);
    size_t written = fwrite(text, 1, strlen(text), file);
    assert(written == strlen(text));
    (void)fclose(file);
}

static void make_folder(const struct node *node, const char *name) {
    char path[1024];
    (void)snprintf(path, sizeof(path), "%s/%s", node->web, name);
    int err = mkdir(path, 0700);
    assert(err == 0);
    (void)err;
}

static void make_older(const struct node *node, const char *name) {
    char path[1024];
    (void)snprintf(path, sizeof(path), "%s/%s", node->web, name);
    const struct timespec times[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
    int err = utimensat(AT_FDCWD, path, times, 0);
    assert(err == 0);
    (void)err;
}

static void write_page(struct node *node) {
    static char script[4096]; // long enough for gzip to gain
    const char *parent = getenv("TEST_TMPDIR");
    (void)snprintf(node->web, sizeof(node->web), "%s/web_XXXXXX", parent != NULL ? parent : "/tmp");
    char *made = mkdtemp(node->web);
    assert(made != NULL);
    (void)made;
    memset(script, 'a', sizeof(script) - 1);
    make_folder(node, "assets");
    make_folder(node, "glyphs");
    make_folder(node, "glyphs/Sans Regular");
    write_file(node, "index.html", "<!doctype html><title>city</title>\n");
    write_file(node, "assets/app-12ab.js", script);
    write_file(node, "assets/map-12ab.js", "unpacked");
    write_file(node, "assets/map-12ab.js.gz", "packed before");
    write_file(node, "assets/old-12ab.js.gz", "packed before that");
    make_older(node, "assets/old-12ab.js.gz");
    write_file(node, "assets/old-12ab.js", "changed");
    write_file(node, "glyphs/Sans Regular/0-255.pbf", "glyphs");
    write_file(node, ".secret", "hidden");
    write_file(node, "style.json",
               "{\"glyphs\":\"{base}/glyphs/{fontstack}/{range}.pbf\",\"lang\":\"{lang}\"}");
    char link[1024];
    (void)snprintf(link, sizeof(link), "%s/passwd", node->web);
    int err = symlink("/etc/passwd", link);
    assert(err == 0);
    (void)err;
}

void node_open(struct node *node, const struct gw_http_options *options) {
    memset(node, 0, sizeof(*node));
    bench_open(&node->bench);
    bench_staff(&node->bench, 3);
    struct gw_error error = {.code = GW_OK};
    gw_err err = gw_shard_start(node->bench.shard, &error);
    assert(err == GW_OK);
    node->tiles = double_tiles_create();
    node->live = double_live_create();
    node->metrics = gw_metrics_create();
    write_page(node);
    struct gw_http_options filled = {0};
    if (options != NULL) {
        filled = *options;
    }
    filled.listen = "127.0.0.1:0";
    filled.metrics = node->metrics;
    filled.current = node->bench.current;
    filled.shard = node->bench.shard;
    filled.tiles = node->tiles;
    filled.live = node->live;
    filled.policy = &node->bench.policy;
    filled.web_root = node->web;
    err = gw_http_start(&filled, &node->server, &error);
    if (err != GW_OK) {
        (void)fprintf(stderr, "%s\n", error.text);
    }
    assert(err == GW_OK);
    (void)err;
    node->port = gw_http_port(node->server);
}

void node_close(struct node *node) {
    gw_http_stop(node->server);
    double_tiles_destroy(node->tiles);
    double_live_destroy(node->live);
    gw_metrics_destroy(node->metrics);
    bench_close(&node->bench);
}

int node_setup(void **state) {
    struct node *node = malloc(sizeof(*node));
    assert(node != NULL);
    node_open(node, NULL);
    *state = node;
    return 0;
}

int node_setup_with_map(void **state) {
    static struct gw_http_config config = {.hosts = {"map.example.org"}, .host_count = 1};
    static struct gw_map_config map = {
        .rasters = {{.id = "a",
                     .tiles = {"https://t0.example:8443/{z}/{x}/{y}", "/r/{z}/{x}/{y}",
                               "https://t0.example:8443/b/{z}/{x}/{y}"},
                     .tile_count = 3,
                     .tile_size = 256}},
        .raster_count = 1};
    struct gw_http_options options = {.config = &config, .map = &map};
    struct node *node = malloc(sizeof(*node));
    node_open(node, &options);
    *state = node;
    return 0;
}

int node_teardown(void **state) {
    node_close(*state);
    free(*state);
    return 0;
}
