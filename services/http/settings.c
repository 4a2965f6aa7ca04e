#include "services/http/settings.h"

#include <ctype.h>
#include <string.h>

static uint32_t scheme_size(const char *url) {
    if (strncmp(url, "https://", 8) == 0) {
        return 8;
    }
    return strncmp(url, "http://", 7) == 0 ? 7 : 0;
}

static bool host_character(char c) {
    return isalnum((unsigned char)c) || c == '.' || c == '-' || c == ':' || c == '[' || c == ']';
}

uint32_t gw_map_url_origin_size(const char *url) {
    uint32_t size = scheme_size(url);
    while (size > 0 && host_character(url[size])) {
        size++;
    }
    return size;
}

static bool once(const char *text, const char *word) {
    const char *found = strstr(text, word);
    return found != NULL && strstr(found + 1, word) == NULL;
}

bool gw_map_url_valid(const char *url) {
    uint32_t scheme = scheme_size(url), origin = gw_map_url_origin_size(url);
    bool path = url[0] == '/' && url[1] != '/';
    if (!path && (scheme == 0 || origin == scheme || url[origin] != '/')) {
        return false;
    }
    for (const char *at = url; *at != '\0'; at++) {
        if (*at <= 0x20 || *at >= 0x7f || strchr("\"'<>\\^`|;,", *at) != NULL) {
            return false;
        }
    }
    return once(url, "{z}") && once(url, "{x}") && once(url, "{y}");
}
