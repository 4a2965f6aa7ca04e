// Any bytes as a request: the first line is the target, the second a set of headers' values, the
// rest a body. Nothing is read outside, and what is taken keeps the promises of the headers.
#include "services/http/body.h"
#include "services/http/headers.h"
#include "services/http/target.h"
#include "services/http/values.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *text_of(const uint8_t *data, size_t size) {
    char *text = malloc(size + 1);
    assert(text != NULL);
    for (size_t i = 0; i < size; i++) {
        text[i] = (char)(data[i] != 0 ? data[i] : 1);
    }
    text[size] = '\0';
    return text;
}

static void try_target(char *text) {
    static const char *const names[] = {"lon", "lat", "q", "limit", NULL};
    static const char *const patterns[] = {"/tiles/{layer}/{z}/{x}/{y}.mvt", "/v1/grids/{code}",
                                           "/tiles/{layer}.json", "/v1/incidents/{id}/{action}"};
    struct http_target target;
    struct gw_error error = {.code = GW_OK};
    struct gw_point point = {0, 0};
    if (http_target_parse(text, &target, &error) != GW_OK) {
        assert(error.text[0] != '\0');
        return;
    }
    assert(target.segment_count >= 1 && target.segment_count <= HTTP_SEGMENTS_MAX);
    assert(target.parameter_count <= HTTP_PARAMETERS_MAX);
    if (http_target_check(&target, names, &error) == GW_OK) {
        assert(target.parameter_count <= 4);
    }
    if (http_parameter_point(&target, &point, &error) == GW_OK) {
        assert(gw_point_valid(point));
    }
    for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
        if (http_target_fits(&target, patterns[i])) {
            const char *last = i == 0 ? "y" : i == 1 ? "code" : i == 2 ? "layer" : "action";
            const char *value = http_target_value(&target, patterns[i], last);
            assert(value != NULL && value[0] != '\0');
            break;
        }
    }
}

static void try_headers(const char *text) {
    bool loopback = http_host_loopback(text), valid = http_host_valid(text);
    assert(valid || !loopback);
    assert(!valid || strpbrk(text, "\"\\<>/ \r\n") == NULL);
    (void)http_accepts_gzip(text);
    (void)http_etag_matches(text, "\"0123\"");
    (void)http_origin_is_host(text, "localhost:7680");
    (void)http_type_is_json(text);
}

static void try_body(const char *text, size_t size) {
    struct gw_error error = {.code = GW_OK};
    struct http_body *body = NULL;
    if (http_body_report(text, size, NULL, &body, &error) == GW_OK) {
        assert(protobuf_c_message_check(http_body_message(body)));
        http_body_free(body);
    } else {
        assert(error.text[0] != '\0');
    }
    body = NULL;
    if (http_body_action("decline", "id", text, size, &body, &error) == GW_OK) {
        assert(protobuf_c_message_check(http_body_message(body)));
        http_body_free(body);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const uint8_t *line = memchr(data, '\n', size);
    size_t first = line != NULL ? (size_t)(line - data) : size;
    char *target = text_of(data, first);
    try_target(target);
    free(target);
    const uint8_t *rest = line != NULL ? line + 1 : data + size;
    size_t left = size - (size_t)(rest - data);
    line = memchr(rest, '\n', left);
    size_t second = line != NULL ? (size_t)(line - rest) : left;
    char *headers = text_of(rest, second);
    try_headers(headers);
    free(headers);
    if (line != NULL) {
        try_body((const char *)line + 1, left - second - 1);
    }
    return 0;
}
