// gRPC's own start.
#ifndef GW_SERVICES_RPC_LIBRARY_H
#define GW_SERVICES_RPC_LIBRARY_H

// Starts gRPC if it is not; its threads take no signals, and its own lines go to base/diag. It then
// runs until the process ends: grpc_shutdown can wait ten seconds for a helper thread that watches
// over a connection which was blocked a moment ago, and starting anew costs milliseconds each time.
void gw_rpc_library_start(void);

#endif
