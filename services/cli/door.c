#include "services/cli/door.h"

#include "services/base/clock.h"
#include "services/node/config.h"
#include "services/node/node.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define TIMEOUT_S 10
#define GRACE_MS 5000
#define PAGE_MAX 1000 // rows
#define TOKEN_SIZE 128

static void remove_folder(struct cli_door *door) {
    if (door->folder[0] != '\0') {
        (void)unlink(door->socket);
        (void)rmdir(door->folder);
        door->folder[0] = '\0';
    }
}

static int start_own_node(struct cli_door *door, const struct cli_args *args, const char *data) {
    struct gw_error error;
    static struct gw_config config; // large; one command runs at a time
    if (gw_config_read(cli_value(args, "config"), &config, &error) != GW_OK) {
        return cli_refused(&error);
    }
    (void)snprintf(door->folder, sizeof(door->folder), "/tmp/gridwarden-XXXXXX");
    if (mkdtemp(door->folder) == NULL) { // mode 0700: nobody else reaches the socket
        door->folder[0] = '\0';
        (void)fputs("gridwarden: can't make a private folder in /tmp\n", stderr);
        return CLI_REFUSED;
    }
    (void)snprintf(door->socket, sizeof(door->socket), "%s/grpc", door->folder);
    char listen[96];
    (void)snprintf(listen, sizeof(listen), "unix:%s", door->socket);
    struct gw_node_options options = {.data = data, .grpc_listen = listen, .config = &config};
    if (gw_node_start(&options, &door->node, &error) != GW_OK) {
        remove_folder(door);
        return cli_refused(&error);
    }
    return CLI_DONE;
}

int cli_door_open(struct cli_door *door, const struct cli_args *args) {
    *door = (struct cli_door){0};
    const char *server = cli_value(args, "server"), *data = cli_value(args, "data");
    int64_t timeout_s = TIMEOUT_S;
    int code = cli_integer(args, "timeout", 1, 86400, &timeout_s);
    if (code != CLI_DONE) {
        return code;
    }
    door->timeout_ms = timeout_s * 1000;
    if (server != NULL && data != NULL) {
        return cli_usage(args, "--server and --data exclude each other");
    }
    if (data != NULL) {
        code = start_own_node(door, args, data);
        if (code != CLI_DONE) {
            return code;
        }
    }
    char target[96];
    (void)snprintf(target, sizeof(target), "unix:%s", door->socket);
    struct gw_error error;
    if (gw_rpc_channel_create(data != NULL     ? target
                              : server != NULL ? server
                                               : GW_NODE_GRPC_LISTEN,
                              &door->channel, &error) != GW_OK) {
        cli_door_close(door);
        return cli_refused(&error);
    }
    return CLI_DONE;
}

void cli_door_close(struct cli_door *door) {
    gw_rpc_channel_destroy(door->channel);
    gw_node_stop(door->node, GRACE_MS);
    door->channel = NULL;
    door->node = NULL;
    remove_folder(door);
}

int cli_door_call(struct cli_door *door, const char *path, const ProtobufCMessage *request,
                  const ProtobufCMessageDescriptor *response_type, ProtobufCMessage **response) {
    struct gw_error error;
    if (gw_rpc_unary(door->channel, path, request, response_type, door->timeout_ms, response,
                     &error) == GW_OK) {
        return CLI_DONE;
    }
    return cli_refused(&error);
}

int cli_door_pages(struct cli_door *door, const char *path, const ProtobufCMessage *request,
                   Gridwarden__V1__PageRequest *page,
                   const ProtobufCMessageDescriptor *response_type, int64_t limit,
                   size_t (*show)(void *context, const ProtobufCMessage *response,
                                  const char **next_token),
                   void *context) {
    char token[TOKEN_SIZE] = "";
    bool more = true;
    int code = CLI_DONE;
    page->token = token;
    while (code == CLI_DONE && more && limit > 0) {
        page->size = limit < PAGE_MAX ? (uint32_t)limit : PAGE_MAX;
        ProtobufCMessage *response = NULL;
        code = cli_door_call(door, path, request, response_type, &response);
        if (code != CLI_DONE) {
            break;
        }
        const char *next = "";
        limit -= (int64_t)show(context, response, &next);
        more = next[0] != '\0' && strlen(next) < sizeof(token);
        if (more) {
            memcpy(token, next, strlen(next) + 1);
        }
        protobuf_c_message_free_unpacked(response, NULL);
    }
    page->token = (char *)""; // ours goes away
    return code;
}

void cli_request_id(const struct cli_args *args, char out[129]) {
    const char *given = cli_value(args, "request-id");
    uint64_t random[2] = {(uint64_t)gw_clock_wall_ms(), (uint64_t)gw_clock_monotonic_ns()};
    if (given != NULL) {
        (void)snprintf(out, 129, "%s", given);
    } else {
        ssize_t got = getrandom(random, sizeof(random), 0);
        (void)got; // the clocks stand in where there is no randomness
        (void)snprintf(out, 129, "%016" PRIx64 "%016" PRIx64, random[0], random[1]);
    }
}
