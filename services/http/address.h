// "host:port" of a listening socket, loopback only.
#ifndef GW_SERVICES_HTTP_ADDRESS_H
#define GW_SERVICES_HTTP_ADDRESS_H

#include "services/base/error.h"
#include <sys/socket.h>

struct http_address {
    struct sockaddr_storage socket;
    socklen_t size;
};

// GW_EINVAL with words: no host, no port, a port past 65535, a name other than "localhost", or an
// address outside 127.0.0.0/8 and ::1.
GW_MUST_CHECK gw_err http_address_parse(const char *text, struct http_address *address,
                                        struct gw_error *error);

// A listening socket; *port is what was bound. GW_EUNAVAILABLE: taken.
GW_MUST_CHECK gw_err http_address_listen(const char *text, int *fd, int *port,
                                         struct gw_error *error);

#endif
