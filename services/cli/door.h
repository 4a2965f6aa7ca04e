// The door to a city: a node's gRPC address (--server), or a data folder (--data).
//
// With --data the command starts a node of its own on that folder, behind a private unix socket,
// and
// asks it; so every command means the same either way, and a folder that a node serves is refused.
#ifndef GW_SERVICES_CLI_DOOR_H
#define GW_SERVICES_CLI_DOOR_H

#include "gridwarden/v1/types.pb-c.h"
#include "services/cli/options.h"
#include "services/incidents/policy.h"
#include "services/rpc/client.h"

struct gw_node;

struct cli_door {
    struct gw_rpc_channel *channel;
    struct gw_node *node; // ours, with --data
    char folder[64];      // of the private socket
    char socket[80];
    int64_t timeout_ms;
};

// Options that every command with a door has.
#define CLI_DOOR_OPTIONS                                                                           \
    {"server", "ADDR", "a node's gRPC address (default 127.0.0.1:7600)"},                          \
        {"data", "DIR", "work straight on a data folder that no node serves"},                     \
        {"config", "FILE", "with --data: the city's classes and rules (JSON)"}, {                  \
        "timeout", "SECONDS", "how long to wait for an answer (default 10)"                        \
    }

// CLI_DONE, or the exit code after words on standard error.
int cli_door_open(struct cli_door *door, const struct cli_args *args);
void cli_door_close(struct cli_door *door);

// One unary call; *response is the caller's. CLI_DONE, or the exit code after words on standard
// error.
int cli_door_call(struct cli_door *door, const char *path, const ProtobufCMessage *request,
                  const ProtobufCMessageDescriptor *response_type, ProtobufCMessage **response);

// Reads a list page by page, up to `limit` rows in all. `request` points to `page`, whose size and
// token
// are set here; `show` prints a response's rows and gives their number and the next page's token.
int cli_door_pages(struct cli_door *door, const char *path, const ProtobufCMessage *request,
                   Gridwarden__V1__PageRequest *page,
                   const ProtobufCMessageDescriptor *response_type, int64_t limit,
                   size_t (*show)(void *context, const ProtobufCMessage *response,
                                  const char **next_token),
                   void *context);

// A fresh request id, when the user gave none: 32 hexadecimal digits in out[33].
void cli_request_id(const struct cli_args *args, char out[129]);

#endif
