// Where a server may listen: loopback or a unix socket, and why a place is taken.
#ifndef GW_SERVICES_RPC_ADDRESS_H
#define GW_SERVICES_RPC_ADDRESS_H

#include "services/base/error.h"
#include "services/base/loopback.h"
#include <stdbool.h>

#define GW_RPC_UNIX_PATH_MAX 108 // sun_path, its NUL included

struct gw_rpc_address {
    bool is_unix;
    char path[GW_RPC_UNIX_PATH_MAX];      // of a unix socket, absolute
    char bind[GW_RPC_UNIX_PATH_MAX + 16]; // as gRPC takes it: "unix:/path", "127.0.0.1:7600"
    struct gw_loopback loopback;          // of a TCP address; port 0: any free one
};

// Reads "127.0.0.1:7600" (any of 127.0.0.0/8), "[::1]:7600", "localhost:7600" (127.0.0.1) or
// "unix:/path". GW_EINVAL: anything else; the text says what to write instead.
GW_MUST_CHECK gw_err gw_rpc_address_parse(const char *text, struct gw_rpc_address *address,
                                          struct gw_error *error);

// Makes way for a unix socket: removes the file that a dead server left. GW_EUNAVAILABLE: a server
// answers there. GW_EINVAL: something that is no socket lies there. TCP addresses: GW_OK.
GW_MUST_CHECK gw_err gw_rpc_address_prepare(const struct gw_rpc_address *address,
                                            struct gw_error *error);

// After a failed bind: tries it once more to learn why. Never GW_OK.
gw_err gw_rpc_address_explain(const struct gw_rpc_address *address, struct gw_error *error);

#endif
