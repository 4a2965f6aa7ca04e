// The page, and the style with this node's own address in it.
#include "services/http/headers.h"
#include "services/http/request.h"
#include <stdio.h>
#include <string.h>

#define PATH_BYTES_MAX 1024u
#define BASE_BYTES_MAX (HTTP_HOST_BYTES_MAX + 8u)

// The names in assets/ carry a hash of their bytes, so they never change.
static bool is_hashed(const char *path) {
    return strncmp(path, "assets/", 7) == 0;
}

static bool is_shared(const char *path) {
    return strncmp(path, "glyphs/", 7) == 0 || strncmp(path, "sprites/", 8) == 0;
}

static void answer_with(struct http_request *request, const struct http_file *file) {
    struct http_reply *reply = &request->reply;
    bool page = strncmp(file->type, "text/html", 9) == 0;
    reply->type = file->type;
    reply->cache = is_hashed(file->path) ? HTTP_CACHE_FOREVER : HTTP_CACHE_ASK;
    reply->policy = page ? request->server->policy : NULL;
    reply->for_anyone = is_shared(file->path);
    reply->vary_encoding = file->gzip != NULL;
    bool packed = file->gzip != NULL &&
                  http_accepts_gzip(http_request_header(request, MHD_HTTP_HEADER_ACCEPT_ENCODING));
    char etag[HTTP_ETAG_SIZE];
    (void)snprintf(etag, sizeof(etag), "%s", file->etag);
    if (packed) { // another representation, another tag
        (void)snprintf(etag, sizeof(etag), "%.17s-gzip\"", file->etag);
    }
    http_request_tag(request, etag);
    reply->encoding = packed ? "gzip" : NULL;
    reply->bytes = packed ? file->gzip : file->bytes;
    reply->bytes_size = packed ? file->gzip_size : file->size;
}

static const struct http_file *find_file(struct http_request *request) {
    const struct http_target *target = &request->target;
    char path[PATH_BYTES_MAX];
    size_t size = 0;
    for (uint32_t i = 0; i < target->segment_count; i++) {
        size_t part = strlen(target->segments[i]);
        if (size + part + 2 > sizeof(path)) {
            return NULL;
        }
        size += i > 0 ? 1 : 0;
        if (i > 0) {
            path[size - 1] = '/';
        }
        memcpy(path + size, target->segments[i], part);
        size += part;
    }
    path[size] = '\0';
    return http_files_find(request->server->files, size > 0 ? path : "index.html");
}

void http_answer_file(struct http_request *request) {
    const struct http_file *file = find_file(request);
    if (file != NULL) {
        answer_with(request, file);
    } else if (request->server->files == NULL) {
        http_request_refuse(request, MHD_HTTP_NOT_FOUND,
                            "there is nothing at this path, and no page: build it with "
                            "`./dev build`, or name its folder with --web; there is /v1/city, "
                            "/tiles.json, /metrics, /healthz and /readyz");
    } else {
        http_request_refuse(request, MHD_HTTP_NOT_FOUND, "there is nothing at this path");
    }
}

// Writes the text with "{base}" and "{lang}" filled in.
static void fill_in(struct gw_buffer *out, const char *text, size_t size, const char *base,
                    const char *lang) {
    const char *end = text + size;
    while (text < end) {
        const char *brace = memchr(text, '{', (size_t)(end - text));
        brace = brace != NULL ? brace : end;
        gw_buffer_append(out, text, (size_t)(brace - text));
        text = brace;
        if ((size_t)(end - text) >= 6 && memcmp(text, "{base}", 6) == 0) {
            gw_buffer_text(out, base);
            text += 6;
        } else if ((size_t)(end - text) >= 6 && memcmp(text, "{lang}", 6) == 0) {
            gw_buffer_text(out, lang);
            text += 6;
        } else if (text < end) {
            gw_buffer_append(out, text++, 1);
        }
    }
}

void http_answer_style(struct http_request *request) {
    const char *lang = http_request_parameter(request, "lang");
    char base[BASE_BYTES_MAX];
    if (lang != NULL && strcmp(lang, "zh") != 0 && strcmp(lang, "en") != 0) {
        http_request_refuse(request, MHD_HTTP_BAD_REQUEST, "lang must be zh or en");
        return;
    }
    if (!http_request_base(request, base, sizeof(base))) {
        return;
    }
    const struct http_file *file = http_files_find(request->server->files, "style.json");
    if (file == NULL) {
        http_request_refuse(request, MHD_HTTP_NOT_FOUND,
                            "there is no style: build the page with `./dev build`");
        return;
    }
    request->reply.type = HTTP_TYPE_JSON;
    request->reply.cache = HTTP_CACHE_ASK;
    fill_in(&request->reply.body, (const char *)file->bytes, file->size, base,
            lang != NULL ? lang : "zh");
}
