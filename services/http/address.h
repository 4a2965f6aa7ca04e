// "host:port" of a listening socket, loopback only.
#ifndef GW_SERVICES_HTTP_ADDRESS_H
#define GW_SERVICES_HTTP_ADDRESS_H

#include "services/base/error.h"

// A listening socket on a loopback "host:port" (see base/loopback.h); *port is what was bound.
// GW_EINVAL with words: not such an address. GW_EUNAVAILABLE: taken.
GW_MUST_CHECK gw_err http_address_listen(const char *text, int *fd, int *port,
                                         struct gw_error *error);

#endif
