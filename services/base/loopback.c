#include "services/base/loopback.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define HOST_MAX 64u

static bool parse_port(const char *text, uint16_t *port) {
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 5 || text[digits] != '\0') {
        return false;
    }
    unsigned long value = strtoul(text, NULL, 10);
    *port = (uint16_t)value;
    return value <= UINT16_MAX;
}

static bool parse_ipv4(const char *host, struct gw_loopback *address) {
    struct sockaddr_in *in = (struct sockaddr_in *)&address->socket;
    const char *digits = strcmp(host, "localhost") == 0 ? "127.0.0.1" : host;
    in->sin_family = AF_INET;
    in->sin_port = htons(address->port);
    address->size = sizeof(*in);
    return inet_pton(AF_INET, digits, &in->sin_addr) == 1 &&
           ntohl(in->sin_addr.s_addr) >> 24 == 127;
}

static bool parse_ipv6(const char *host, struct gw_loopback *address) {
    struct sockaddr_in6 *in = (struct sockaddr_in6 *)&address->socket;
    in->sin6_family = AF_INET6;
    in->sin6_port = htons(address->port);
    address->size = sizeof(*in);
    return inet_pton(AF_INET6, host, &in->sin6_addr) == 1 && IN6_IS_ADDR_LOOPBACK(&in->sin6_addr);
}

gw_err gw_loopback_parse(const char *text, struct gw_loopback *address) {
    struct gw_loopback parsed = {.port = 0};
    const char *colon = strrchr(text, ':');
    if (colon == NULL || !parse_port(colon + 1, &parsed.port)) {
        return GW_EINVAL;
    }
    char host[HOST_MAX] = "";
    size_t size = (size_t)(colon - text);
    if (size >= sizeof(host)) {
        return GW_EPERM;
    }
    bool bracketed = size >= 2 && text[0] == '[' && text[size - 1] == ']';
    memcpy(host, text + bracketed, size - 2u * bracketed);
    if (!(bracketed ? parse_ipv6(host, &parsed) : parse_ipv4(host, &parsed))) {
        return GW_EPERM;
    }
    *address = parsed;
    return GW_OK;
}
