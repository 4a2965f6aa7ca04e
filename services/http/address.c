#include "services/http/address.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HOST_MAX 64u
#define BACKLOG 128

// Decimal digits alone, 0 to 65535.
static bool parse_port(const char *text, uint16_t *port) {
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 5 || text[digits] != '\0') {
        return false;
    }
    unsigned long value = strtoul(text, NULL, 10);
    *port = (uint16_t)value;
    return value <= 65535;
}

static bool parse_ipv4(const char *host, uint16_t port, struct http_address *address) {
    struct sockaddr_in *in = (struct sockaddr_in *)&address->socket;
    if (inet_pton(AF_INET, strcmp(host, "localhost") == 0 ? "127.0.0.1" : host, &in->sin_addr) !=
        1) {
        return false;
    }
    in->sin_family = AF_INET;
    in->sin_port = htons(port);
    address->size = sizeof *in;
    return true;
}

static bool parse_ipv6(const char *host, uint16_t port, struct http_address *address) {
    struct sockaddr_in6 *in = (struct sockaddr_in6 *)&address->socket;
    if (inet_pton(AF_INET6, host, &in->sin6_addr) != 1) {
        return false;
    }
    in->sin6_family = AF_INET6;
    in->sin6_port = htons(port);
    address->size = sizeof *in;
    return true;
}

static bool is_loopback(const struct http_address *address) {
    if (address->socket.ss_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)&address->socket;
        return ntohl(in->sin_addr.s_addr) >> 24 == 127;
    }
    return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)&address->socket)->sin6_addr);
}

gw_err http_address_parse(const char *text, struct http_address *address, struct gw_error *error) {
    const char *colon = strrchr(text, ':');
    char host[HOST_MAX] = "";
    uint16_t port = 0;
    size_t host_size = colon == NULL ? 0 : (size_t)(colon - text);
    if (host_size == 0 || host_size >= sizeof host || !parse_port(colon + 1, &port)) {
        return gw_error_set(error, GW_EINVAL,
                            "\"%.80s\" is no address to listen on; write host:port with a port up "
                            "to 65535, such as 127.0.0.1:7680",
                            text);
    }
    *address = (struct http_address){0};
    bool bracketed = text[0] == '[' && text[host_size - 1] == ']';
    memcpy(host, text + bracketed, host_size - 2u * bracketed);
    bool parsed = bracketed ? parse_ipv6(host, port, address) : parse_ipv4(host, port, address);
    if (!parsed) {
        return gw_error_set(error, GW_EINVAL,
                            "\"%.80s\" is no address to listen on; the host is localhost, an IPv4 "
                            "address or an IPv6 address in brackets",
                            text);
    }
    if (!is_loopback(address)) {
        return gw_error_set(error, GW_EINVAL,
                            "%.80s is not a loopback address; without access control the server "
                            "listens on 127.0.0.0/8, [::1] or localhost only",
                            text);
    }
    return GW_OK;
}

static gw_err bind_and_listen(int fd, const struct http_address *address, int *port) {
    const int yes = 1;
    struct http_address bound = {.size = sizeof bound.socket};
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 ||
        bind(fd, (const struct sockaddr *)&address->socket, address->size) != 0 ||
        listen(fd, BACKLOG) != 0 ||
        getsockname(fd, (struct sockaddr *)&bound.socket, &bound.size) != 0) {
        return GW_EUNAVAILABLE;
    }
    *port = ntohs(bound.socket.ss_family == AF_INET
                      ? ((const struct sockaddr_in *)&bound.socket)->sin_port
                      : ((const struct sockaddr_in6 *)&bound.socket)->sin6_port);
    return GW_OK;
}

gw_err http_address_listen(const char *text, int *fd, int *port, struct gw_error *error) {
    struct http_address address;
    gw_err err = http_address_parse(text, &address, error);
    if (err != GW_OK) {
        return err;
    }
    int made = socket(address.socket.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    err = made < 0 ? GW_EUNAVAILABLE : bind_and_listen(made, &address, port);
    if (err != GW_OK) {
        int why = errno;
        if (made >= 0) {
            close(made);
        }
        return gw_error_set(error, err, "can't listen on %.80s: %s%s", text, strerror(why),
                            why == EADDRINUSE
                                ? "; stop what listens there or choose another port (--http-listen)"
                                : "");
    }
    *fd = made;
    return GW_OK;
}
