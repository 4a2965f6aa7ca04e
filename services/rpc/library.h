// gRPC's own start and end, counted: each server and channel holds the library once.
#ifndef GW_SERVICES_RPC_LIBRARY_H
#define GW_SERVICES_RPC_LIBRARY_H

// Starts gRPC if it is not; its threads take no signals, and its own lines go to base/diag.
void gw_rpc_library_ref(void);
void gw_rpc_library_unref(void);

#endif
