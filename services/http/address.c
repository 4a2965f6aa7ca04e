#include "services/http/address.h"

#include "services/base/loopback.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#define BACKLOG 1024 // many pages come at once after a restart

static gw_err parse(const char *text, struct gw_loopback *address, struct gw_error *error) {
    gw_err err = gw_loopback_parse(text, address);
    if (err == GW_EINVAL) {
        return gw_error_set(error, GW_EINVAL,
                            "\"%.80s\" is no address to listen on; write host:port with a port up "
                            "to 65535, such as 127.0.0.1:7680",
                            text);
    }
    if (err != GW_OK) {
        return gw_error_set(error, GW_EINVAL,
                            "%.80s is not a loopback address; without access control the server "
                            "listens on 127.0.0.0/8, [::1] or localhost only",
                            text);
    }
    return GW_OK;
}

static gw_err bind_and_listen(int fd, const struct gw_loopback *address, int *port) {
    const int yes = 1;
    struct gw_loopback bound = {.size = sizeof bound.socket};
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
    struct gw_loopback address;
    gw_err err = parse(text, &address, error);
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
