#include "services/http/headers.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

static bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

static const char *skip_blanks(const char *at) {
    while (is_blank(*at)) {
        at++;
    }
    return at;
}

static bool word_is(const char *word, size_t size, const char *expected) {
    return strlen(expected) == size && strncasecmp(word, expected, size) == 0;
}

// Whether the parameters of one coding, ";q=0.5", leave a weight above 0; a weight that is none
// counts as 0, so that what isn't understood isn't used.
static bool weighs(const char *at, const char *end) {
    while (at < end) {
        at = skip_blanks(at + 1); // behind the semicolon
        const char *next = memchr(at, ';', (size_t)(end - at));
        next = next != NULL ? next : end;
        if (next - at >= 2 && (*at == 'q' || *at == 'Q') && at[1] == '=') {
            bool above = false;
            for (at += 2; at < next && !is_blank(*at); at++) {
                if (*at != '.' && (*at < '0' || *at > '9')) {
                    return false;
                }
                above = above || (*at >= '1' && *at <= '9');
            }
            return above;
        }
        at = next;
    }
    return true;
}

bool http_accepts_gzip(const char *accept_encoding) {
    bool others = false;
    for (const char *at = accept_encoding; at != NULL && *at != '\0';) {
        at = skip_blanks(at);
        const char *end = at + strcspn(at, ",");
        const char *semicolon = memchr(at, ';', (size_t)(end - at));
        const char *word_end = semicolon != NULL ? semicolon : end;
        while (word_end > at && is_blank(word_end[-1])) {
            word_end--;
        }
        bool accepted = semicolon == NULL || weighs(semicolon, end);
        size_t size = (size_t)(word_end - at);
        if (word_is(at, size, "gzip") || word_is(at, size, "x-gzip")) {
            return accepted;
        }
        others = others || (accepted && word_is(at, size, "*"));
        at = *end == ',' ? end + 1 : end;
    }
    return others;
}

bool http_etag_matches(const char *if_none_match, const char *etag) {
    etag += strncmp(etag, "W/", 2) == 0 ? 2 : 0;
    size_t size = strlen(etag);
    const char *at = if_none_match != NULL ? skip_blanks(if_none_match) : "";
    if (*at == '*') {
        return *skip_blanks(at + 1) == '\0';
    }
    while (*at != '\0') {
        at += strncmp(at, "W/", 2) == 0 ? 2 : 0;
        const char *close = *at == '"' ? strchr(at + 1, '"') : NULL;
        if (close == NULL) {
            return false; // not a list of tags
        }
        if ((size_t)(close + 1 - at) == size && memcmp(at, etag, size) == 0) {
            return true;
        }
        at = skip_blanks(close + 1);
        if (*at != ',' && *at != '\0') {
            return false;
        }
        at = skip_blanks(at + (*at == ','));
    }
    return false;
}

// Where the name ends and ":port" or nothing begins; NULL when the form is wrong.
static const char *name_end(const char *host) {
    const char *end = host;
    if (*host == '[') {
        end = host + 1 + strspn(host + 1, "0123456789abcdefABCDEF:.");
        if (*end != ']' || end == host + 1) {
            return NULL;
        }
        end++;
    } else {
        while (isalnum((unsigned char)*end) || *end == '.' || *end == '-' || *end == '_') {
            end++;
        }
    }
    if (end == host || (*end != '\0' && *end != ':')) {
        return NULL;
    }
    size_t digits = *end == ':' ? strspn(end + 1, "0123456789") : 0;
    bool whole = *end == '\0' || (digits >= 1 && digits <= 5 && end[1 + digits] == '\0');
    return whole ? end : NULL;
}

bool http_host_valid(const char *host) {
    return host != NULL && strlen(host) <= HTTP_HOST_BYTES_MAX && name_end(host) != NULL;
}

bool http_host_is(const char *host, const char *name) {
    return http_host_valid(host) && word_is(host, (size_t)(name_end(host) - host), name);
}

// A dotted quad that begins with 127: digits and dots alone, four parts of at most three digits,
// so that "127.0.0.1.example.org" is none.
static bool is_loopback_quad(const char *text, const char *end) {
    int parts = 0;
    for (const char *at = text; at < end; parts++) {
        size_t digits = strspn(at, "0123456789");
        int value = 0;
        for (size_t i = 0; i < digits && digits <= 3; i++) {
            value = value * 10 + (at[i] - '0');
        }
        if (digits == 0 || digits > 3 || value > 255 || (parts == 0 && value != 127)) {
            return false;
        }
        at += digits;
        if (at < end && (*at != '.' || at + 1 == end)) {
            return false;
        }
        at += at < end;
    }
    return parts == 4;
}

bool http_host_loopback(const char *host) {
    if (!http_host_valid(host)) {
        return false;
    }
    return http_host_is(host, "localhost") || http_host_is(host, "[::1]") ||
           is_loopback_quad(host, name_end(host));
}

bool http_origin_is_host(const char *origin, const char *host) {
    if (origin == NULL || host == NULL) {
        return false;
    }
    const char *rest = NULL, *port = NULL;
    if (strncasecmp(origin, "http://", 7) == 0) {
        rest = origin + 7;
        port = ":80";
    } else if (strncasecmp(origin, "https://", 8) == 0) {
        rest = origin + 8;
        port = ":443";
    }
    if (rest == NULL) {
        return false;
    }
    size_t size = strlen(host);
    if (strcasecmp(rest, host) == 0) {
        return true;
    }
    // An origin leaves the scheme's own port out; the host may have it.
    size_t cut = strlen(port);
    return size > cut && strcmp(host + size - cut, port) == 0 && strlen(rest) == size - cut &&
           strncasecmp(rest, host, size - cut) == 0;
}

bool http_type_is_json(const char *content_type) {
    static const char json[] = "application/json";
    size_t size = sizeof(json) - 1;
    if (content_type == NULL || strncasecmp(content_type, json, size) != 0) {
        return false;
    }
    const char *at = skip_blanks(content_type + size);
    if (*at == '\0') {
        return true;
    }
    if (*at != ';') {
        return false;
    }
    at = skip_blanks(at + 1);
    if (strncasecmp(at, "charset=", 8) != 0) {
        return *at == '\0';
    }
    at += 8;
    return strcasecmp(at, "utf-8") == 0 || strcasecmp(at, "\"utf-8\"") == 0;
}
