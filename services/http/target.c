#include "services/http/target.h"

#include <stddef.h>
#include <string.h>

static int hex_digit(char digit) {
    if (digit >= '0' && digit <= '9') {
        return digit - '0';
    }
    if (digit >= 'a' && digit <= 'f') {
        return digit - 'a' + 10;
    }
    return digit >= 'A' && digit <= 'F' ? digit - 'A' + 10 : -1;
}

// The length of the well-formed UTF-8 sequence at `at`, or 0; a NUL ends every sequence.
static size_t utf8_size(const unsigned char *at) {
    if (at[0] < 0x80) {
        return 1;
    }
    size_t size = at[0] >= 0xc2 && at[0] < 0xe0 ? 2 : at[0] >= 0xe0 && at[0] < 0xf0 ? 3 : 0;
    size = at[0] >= 0xf0 && at[0] < 0xf5 ? 4 : size;
    unsigned char low = at[0] == 0xe0 ? 0xa0 : at[0] == 0xf0 ? 0x90 : 0x80;
    unsigned char high = at[0] == 0xed ? 0x9f : at[0] == 0xf4 ? 0x8f : 0xbf;
    if (size == 0 || at[1] < low || at[1] > high) {
        return 0;
    }
    for (size_t i = 2; i < size; i++) {
        if (at[i] < 0x80 || at[i] > 0xbf) {
            return 0;
        }
    }
    return size;
}

static bool plain_text(const char *text) {
    const unsigned char *at = (const unsigned char *)text;
    while (*at != '\0') {
        size_t size = *at < 0x20 || *at == 0x7f ? 0 : utf8_size(at);
        if (size == 0) {
            return false;
        }
        at += size;
    }
    return true;
}

// Decodes in place. False: an escape that is none, a NUL, or text that isn't plain.
static bool decode(char *text, bool plus_is_blank) {
    char *out = text;
    for (const char *at = text; *at != '\0'; at++) {
        if (*at == '%') {
            int high = hex_digit(at[1]);
            int low = high >= 0 ? hex_digit(at[2]) : -1;
            if (low < 0 || (high == 0 && low == 0)) {
                return false;
            }
            *out++ = (char)(high * 16 + low);
            at += 2;
        } else {
            *out++ = *at == '+' && plus_is_blank ? ' ' : *at;
        }
    }
    *out = '\0';
    return plain_text(text);
}

static gw_err parse_path(char *path, struct http_target *target, struct gw_error *error) {
    if (path[0] != '/') {
        return gw_error_set(error, GW_EINVAL, "the path must begin with a slash");
    }
    for (char *segment = path + 1; segment != NULL;) {
        char *end = strchr(segment, '/');
        if (end != NULL) {
            *end = '\0';
        }
        if (target->segment_count == HTTP_SEGMENTS_MAX) {
            return gw_error_set(error, GW_EINVAL, "the path has more than %u parts",
                                HTTP_SEGMENTS_MAX);
        }
        if (!decode(segment, false)) {
            return gw_error_set(error, GW_EINVAL,
                                "part %u of the path is no percent-encoded UTF-8 text",
                                target->segment_count + 1);
        }
        target->segments[target->segment_count++] = segment;
        segment = end != NULL ? end + 1 : NULL;
    }
    return GW_OK;
}

static gw_err parse_query(char *query, struct http_target *target, struct gw_error *error) {
    while (query != NULL) {
        char *next = strchr(query, '&');
        if (next != NULL) {
            *next++ = '\0';
        }
        char *value = strchr(query, '=');
        if (value == NULL) {
            return gw_error_set(error, GW_EINVAL,
                                "parameter %u of the query has no value: write name=value",
                                target->parameter_count + 1);
        }
        *value++ = '\0';
        if (target->parameter_count == HTTP_PARAMETERS_MAX) {
            return gw_error_set(error, GW_EINVAL, "the query has more than %u parameters",
                                HTTP_PARAMETERS_MAX);
        }
        if (!decode(query, true) || !decode(value, true)) {
            return gw_error_set(error, GW_EINVAL,
                                "parameter %u of the query is no percent-encoded UTF-8 text",
                                target->parameter_count + 1);
        }
        target->parameters[target->parameter_count++] = (struct http_parameter){query, value};
        query = next;
    }
    return GW_OK;
}

gw_err http_target_parse(char *text, struct http_target *target, struct gw_error *error) {
    target->segment_count = target->parameter_count = 0;
    char *query = strchr(text, '?');
    if (query != NULL) {
        *query++ = '\0';
    }
    gw_err err = parse_path(text, target, error);
    if (err == GW_OK && query != NULL && query[0] != '\0') {
        err = parse_query(query, target, error);
    }
    return err;
}

// One segment of a pattern: either a literal, or a name with a literal after it.
struct piece {
    const char *name, *literal;
    size_t name_size, literal_size;
};

// Reads the piece behind the slash at `at`; returns where the next slash or the end is.
static const char *read_piece(const char *at, struct piece *piece) {
    const char *end = at + 1 + strcspn(at + 1, "/");
    *piece = (struct piece){.literal = at + 1};
    if (at[1] == '{') {
        piece->name = at + 2;
        piece->name_size = strcspn(piece->name, "}");
        piece->literal = piece->name + piece->name_size + 1;
    }
    piece->literal_size = (size_t)(end - piece->literal);
    return end;
}

static bool piece_fits(const struct piece *piece, const char *segment) {
    size_t size = strlen(segment);
    if (piece->name == NULL) {
        return size == piece->literal_size && memcmp(segment, piece->literal, size) == 0;
    }
    return size > piece->literal_size &&
           memcmp(segment + size - piece->literal_size, piece->literal, piece->literal_size) == 0;
}

bool http_target_fits(const struct http_target *target, const char *pattern) {
    uint32_t i = 0;
    while (*pattern != '\0') {
        struct piece piece;
        pattern = read_piece(pattern, &piece);
        if (i == target->segment_count || !piece_fits(&piece, target->segments[i])) {
            return false;
        }
        i++;
    }
    return i == target->segment_count;
}

const char *http_target_value(const struct http_target *target, const char *pattern,
                              const char *name) {
    for (uint32_t i = 0; *pattern != '\0' && i < target->segment_count; i++) {
        struct piece piece;
        pattern = read_piece(pattern, &piece);
        if (piece.name != NULL && strlen(name) == piece.name_size &&
            memcmp(name, piece.name, piece.name_size) == 0) {
            char *segment = target->segments[i];
            size_t size = strlen(segment);
            if (piece.literal_size > 0 && size > piece.literal_size) {
                segment[size - piece.literal_size] = '\0';
            }
            return segment;
        }
    }
    return NULL;
}

const char *http_target_parameter(const struct http_target *target, const char *name) {
    for (uint32_t i = 0; i < target->parameter_count; i++) {
        if (strcmp(target->parameters[i].name, name) == 0) {
            return target->parameters[i].value;
        }
    }
    return NULL;
}

static bool known(const char *name, const char *const names[]) {
    for (; names != NULL && *names != NULL; names++) {
        if (strcmp(*names, name) == 0) {
            return true;
        }
    }
    return false;
}

gw_err http_target_check(const struct http_target *target, const char *const names[],
                         struct gw_error *error) {
    for (uint32_t i = 0; i < target->parameter_count; i++) {
        const char *name = target->parameters[i].name;
        if (!known(name, names)) {
            return gw_error_set(error, GW_EINVAL, "this path has no parameter \"%.60s\"", name);
        }
        if (http_target_parameter(target, name) != target->parameters[i].value) {
            return gw_error_set(error, GW_EINVAL, "parameter %.60s is there twice", name);
        }
    }
    return GW_OK;
}
