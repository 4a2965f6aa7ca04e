// Files, style and tiles: what is sent, how it may be cached, in which encoding.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "services/http/testing_node.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void expect(const struct node *node, const char *method, const char *path,
                   const char *headers, int status) {
    struct client_answer answer = client_ask(node->port, method, path, headers, "");
    if (answer.status != status) {
        fail_msg("%s %s with %s: %d, not %d: %s", method, path, headers, answer.status, status,
                 answer.body);
    }
    client_free(&answer);
}

// --- files ---

static void the_page(void **state) {
    const struct node *node = *state;
    struct client_answer answer = client_ask(node->port, "GET", "/", "", "");
    assert_int_equal(answer.status, 200);
    client_expect_header(&answer, "Content-Type", "text/html; charset=utf-8");
    client_expect_header(&answer, "Cache-Control", "no-cache");
    client_expect_header(&answer, "X-Content-Type-Options", "nosniff");
    const char *policy = client_header(&answer, "Content-Security-Policy");
    assert_non_null(policy);
    assert_non_null(strstr(policy, "script-src 'self';"));
    assert_non_null(strstr(policy, "connect-src 'self' data: blob: https://t0.example:8443;"));
    assert_non_null(strstr(policy, "worker-src 'self' blob:;"));
    client_free(&answer);
    answer =
        client_ask(node->port, "GET", "/assets/app-12ab.js", "Accept-Encoding: br, gzip\r\n", "");
    client_expect_header(&answer, "Content-Encoding", "gzip");
    client_expect_header(&answer, "Vary", "Accept-Encoding");
    client_expect_header(&answer, "Cache-Control", "public, max-age=31536000, immutable");
    assert_true(answer.size < 200);
    size_t packed_size = answer.size;
    char etag[64], headers[128];
    (void)snprintf(etag, sizeof(etag), "%s", client_header(&answer, "ETag"));
    client_free(&answer);
    answer =
        client_ask(node->port, "GET", "/assets/app-12ab.js", "Accept-Encoding: gzip;q=0\r\n", "");
    client_expect_header(&answer, "Content-Encoding", NULL);
    assert_int_equal(answer.size, 4095);
    assert_string_not_equal(client_header(&answer, "ETag"), etag);
    client_free(&answer);
    (void)snprintf(headers, sizeof(headers), "Accept-Encoding: gzip\r\nIf-None-Match: W/%s\r\n",
                   etag);
    answer = client_ask(node->port, "GET", "/assets/app-12ab.js", headers, "");
    assert_int_equal(answer.status, 304);
    client_expect_header(&answer, "ETag", etag);
    char length[32];
    (void)snprintf(length, sizeof(length), "%zu", packed_size);
    client_expect_header(&answer, "Content-Length", length); // that of the answer it stands for
    client_free(&answer);
    answer = client_ask(node->port, "GET", "/glyphs/Sans%20Regular/0-255.pbf", "", "");
    assert_string_equal(answer.body, "glyphs");
    client_expect_header(&answer, "Access-Control-Allow-Origin", "*");
    client_free(&answer);
}

static void packed_twins(void **state) {
    const struct node *node = *state;
    struct client_answer answer =
        client_ask(node->port, "GET", "/assets/map-12ab.js", "Accept-Encoding: gzip\r\n", "");
    assert_string_equal(answer.body, "packed before");
    client_expect_header(&answer, "Content-Encoding", "gzip");
    client_free(&answer);
    answer = client_ask(node->port, "GET", "/assets/map-12ab.js", "", "");
    assert_string_equal(answer.body, "unpacked");
    client_free(&answer);
    expect(node, "GET", "/assets/map-12ab.js.gz", "", 404);
    answer = client_ask(node->port, "GET", "/assets/old-12ab.js", "Accept-Encoding: gzip\r\n", "");
    assert_string_equal(answer.body, "changed"); // the packed form is of an older file
    client_expect_header(&answer, "Content-Encoding", NULL);
    client_free(&answer);
    expect(node, "GET", "/assets/old-12ab.js.gz", "", 404);
}

static void the_style(void **state) {
    const struct node *node = *state;
    struct client_answer answer =
        client_ask(node->port, "GET", "/style.json?lang=en", "Host: localhost:99\r\n", "");
    assert_string_equal(answer.body, "{\"glyphs\":\"http://localhost:99/glyphs/{fontstack}/"
                                     "{range}.pbf\",\"lang\":\"en\"}");
    client_expect_header(&answer, "Access-Control-Allow-Origin", "*");
    client_free(&answer);
    expect(node, "GET", "/style.json", "", 200);
    expect(node, "GET", "/style.json?lang=de", "", 400);
    expect(node, "GET", "/style.json?lang=zh&lang=zh", "", 400);
    expect(node, "GET", "/style.json", "Host: x\"y\r\n", 400);
}

// --- tiles ---

static void tiles_and_their_caching(void **state) {
    const struct node *node = *state;
    static const struct {
        const char *path, *headers;
        int status;
        const char *cache, *encoding;
    } rows[] = {
        {"/tiles/grids/0/0/0.mvt", "Accept-Encoding: gzip\r\n", 200,
         "public, max-age=0, must-revalidate", "gzip"},
        {"/tiles/grids/0/0/0.mvt?edition=3", "Accept-Encoding: gzip\r\n", 200,
         "public, max-age=31536000, immutable", "gzip"},
        {"/tiles/grids/0/0/0.mvt?edition=2", "Accept-Encoding: gzip\r\n", 200,
         "public, max-age=0, must-revalidate", "gzip"},
        {"/tiles/grids/0/0/0.mvt", "", 200, "public, max-age=0, must-revalidate", NULL},
        {"/tiles/grids/0/0/0.mvt", "Accept-Encoding: gzip;q=0\r\n", 200,
         "public, max-age=0, must-revalidate", NULL},
        {"/tiles/incidents/0/0/0.mvt?edition=3", "", 200, "no-cache", NULL},
        {"/tiles/grids/0/0/0.mvt", "If-None-Match: " DOUBLE_ETAG "\r\n", 304,
         "public, max-age=0, must-revalidate", NULL},
        {"/tiles/grids/0/0/0.mvt", "If-None-Match: *\r\n", 304,
         "public, max-age=0, must-revalidate", NULL},
        {"/tiles/grids/0/0/0.mvt", "If-None-Match: \"x\", W/" DOUBLE_ETAG "\r\n", 304,
         "public, max-age=0, must-revalidate", NULL},
        {"/tiles/grids/0/0/0.mvt", "If-None-Match: \"x\"\r\n", 200,
         "public, max-age=0, must-revalidate", NULL},
        {"/tiles/grids/2/3/3.mvt", "", 200, "public, max-age=0, must-revalidate", NULL},
        {"/tiles/grids/3/0/0.mvt", "", 204, "public, max-age=0, must-revalidate", NULL},
        {"/tiles/grids/4/0/0.mvt", "", 503, "no-store", NULL},
        {"/tiles/grids/0/1/0.mvt", "", 400, "no-store", NULL},
        {"/tiles/grids/18/262144/0.mvt", "", 400, "no-store", NULL},
        {"/tiles/grids/19/0/0.mvt", "", 400, "no-store", NULL},
        {"/tiles/grids/-1/0/0.mvt", "", 400, "no-store", NULL},
        {"/tiles/grids/00/0/0.mvt", "", 400, "no-store", NULL},
        {"/tiles/grids/0/0/0.mvt?edition=x", "", 400, "no-store", NULL},
        {"/tiles/grids/0/0/0.mvt?v=1", "", 400, "no-store", NULL},
        {"/tiles/nothing/0/0/0.mvt", "", 404, "no-store", NULL},
        {"/tiles/grids/0/0/0.pbf", "", 404, "no-store", NULL},
        {"/tiles/grids.json", "", 200, "no-cache", NULL},
        {"/tiles/nothing.json", "", 404, "no-store", NULL},
        {"/tiles.json", "", 200, "no-cache", NULL},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct client_answer answer =
            client_ask(node->port, "GET", rows[i].path, rows[i].headers, "");
        if (answer.status != rows[i].status) {
            fail_msg("row %zu: %s: %d %s", i, rows[i].path, answer.status, answer.body);
        }
        client_expect_header(&answer, "Cache-Control", rows[i].cache);
        client_expect_header(&answer, "Content-Encoding", rows[i].encoding);
        if (answer.status == 200 && rows[i].encoding == NULL && strstr(rows[i].path, ".mvt")) {
            assert_string_equal(answer.body, DOUBLE_MVT);
            client_expect_header(&answer, "Content-Type", "application/vnd.mapbox-vector-tile");
        }
        client_free(&answer);
    }
    struct client_answer answer = client_ask(node->port, "HEAD", "/tiles/grids/0/0/0.mvt", "", "");
    assert_int_equal(answer.status, 200);
    client_free(&answer);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_page),
        cmocka_unit_test(packed_twins),
        cmocka_unit_test(the_style),
        cmocka_unit_test(tiles_and_their_caching),
    };
    return cmocka_run_group_tests_name("http content", tests, node_setup_with_map, node_teardown);
}
