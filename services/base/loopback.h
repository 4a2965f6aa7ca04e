// Where a server may listen while there is no access control: loopback addresses, "host:port".
//
// The one place of this rule; gRPC and HTTP both ask here.
#ifndef GW_SERVICES_BASE_LOOPBACK_H
#define GW_SERVICES_BASE_LOOPBACK_H

#include "geo/err.h"
#include <stdint.h>
#include <sys/socket.h>

struct gw_loopback {
    struct sockaddr_storage socket;
    socklen_t size;
    uint16_t port; // 0: any free one
};

// Reads "127.0.0.1:7600" (any of 127.0.0.0/8), "[::1]:7600" or "localhost:7600" (127.0.0.1).
// GW_EINVAL: not of the form host:port with a port of 0 .. 65535 in at most
// five digits. GW_EPERM: any other host. `address` is untouched on error.
GW_MUST_CHECK gw_err gw_loopback_parse(const char *text, struct gw_loopback *address);

#endif
