// A server for clients that are not ours: says its port, then does what standard input asks.
//
//   echo_server LISTEN [CALLS_MAX]
//   > serving | not-serving | release | tell N | facts | drain MS      (end of input: drain 0)
#include "services/rpc/testdata/echo_service.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REQUEST_BYTES_MAX (1u << 20)
#define RESPONSE_BYTES_MAX (2u << 20)

static void print_facts(struct echo *echo) {
    struct echo_facts facts = echo_facts(echo);
    printf("facts %u %u %u %u %u %u %u %u %u %u\n", facts.unary_started, facts.held,
           facts.held_cancelled, facts.stream_started, facts.stream_done, facts.full,
           facts.writable, facts.finished[0], facts.finished[12], facts.finished_unknown);
}

int main(int argc, char **argv) {
    if (argc < 2 || argc > 3) {
        (void)fprintf(stderr, "usage: echo_server LISTEN [CALLS_MAX]\n");
        return 2;
    }
    struct echo *echo = echo_create();
    struct gw_rpc_server *server;
    struct gw_error error;
    struct gw_rpc_server_options options = {
        .listen = argv[1],
        .calls_max = argc == 3 ? (uint32_t)strtoul(argv[2], NULL, 10) : 0,
        .request_bytes_max = REQUEST_BYTES_MAX,
        .response_bytes_max = RESPONSE_BYTES_MAX,
        .observer = echo_observer(echo),
    };
    if (gw_rpc_server_start(&options, echo_methods, 3, echo, &server, &error) != GW_OK) {
        (void)fprintf(stderr, "echo_server: %s\n", error.text);
        echo_destroy(echo);
        return 1;
    }
    printf("port %d\n", gw_rpc_server_port(server));
    (void)fflush(stdout);
    char line[64];
    int64_t grace_ms = 0;
    while (fgets(line, sizeof(line), stdin) != NULL) {
        if (strncmp(line, "drain ", 6) == 0) {
            grace_ms = strtol(line + 6, NULL, 10);
            break;
        }
        if (strcmp(line, "serving\n") == 0 || strcmp(line, "not-serving\n") == 0) {
            gw_rpc_server_set_serving(server, line[0] == 's');
        } else if (strcmp(line, "release\n") == 0) {
            echo_release(echo);
        } else if (strncmp(line, "tell ", 5) == 0) {
            echo_tell(echo, (uint32_t)strtoul(line + 5, NULL, 10));
        } else if (strcmp(line, "facts\n") == 0) {
            print_facts(echo);
        }
        printf("done\n");
        (void)fflush(stdout);
    }
    gw_rpc_server_drain(server, grace_ms);
    echo_destroy(echo);
    printf("drained\n");
    return 0;
}
