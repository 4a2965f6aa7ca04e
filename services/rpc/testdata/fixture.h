// What the tests of services/rpc share: a server with the echo service, and a channel to it.
#ifndef GW_SERVICES_RPC_TESTDATA_FIXTURE_H
#define GW_SERVICES_RPC_TESTDATA_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gridwarden/v1/types.pb-c.h"
#include "services/rpc/client.h"
#include "services/rpc/testdata/echo_service.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CALL_MS 30000 // generous: sanitizers and a busy machine

struct fixture {
    struct echo *echo;
    struct gw_rpc_server *server; // NULL once drained
    struct gw_rpc_channel *channel;
};

static inline struct fixture fixture_start(struct gw_rpc_server_options options) {
    struct fixture fixture = {.echo = echo_create()};
    struct gw_error error = {0};
    options.listen = options.listen != NULL ? options.listen : "127.0.0.1:0";
    options.observer = echo_observer(fixture.echo);
    if (gw_rpc_server_start(&options, echo_methods, 3, fixture.echo, &fixture.server, &error) !=
        GW_OK) {
        fail_msg("server: %s", error.text);
    }
    char target[160];
    int port = gw_rpc_server_port(fixture.server);
    (void)snprintf(target, sizeof(target), "127.0.0.1:%d", port);
    assert_int_equal(
        gw_rpc_channel_create(port == 0 ? options.listen : target, &fixture.channel, &error),
        GW_OK);
    return fixture;
}

static inline void fixture_drain(struct fixture *fixture, int64_t grace_ms) {
    gw_rpc_server_drain(fixture->server, grace_ms);
    fixture->server = NULL;
}

static inline void fixture_stop(struct fixture *fixture) {
    gw_rpc_channel_destroy(fixture->channel);
    if (fixture->server != NULL) {
        fixture_drain(fixture, 0);
    }
    echo_destroy(fixture->echo);
}

static inline Gridwarden__V1__Area area(const char *code, const char *name, uint32_t level) {
    Gridwarden__V1__Area made = GRIDWARDEN__V1__AREA__INIT;
    made.code = (char *)(uintptr_t)code;
    made.name = (char *)(uintptr_t)name;
    made.level = level;
    return made;
}

static inline gw_err call(struct fixture *fixture, const char *path, const void *request,
                          Gridwarden__V1__Area **response, struct gw_error *error) {
    ProtobufCMessage *message = NULL;
    gw_err err = gw_rpc_unary(fixture->channel, path, request, &gridwarden__v1__area__descriptor,
                              CALL_MS, &message, error);
    *response = (Gridwarden__V1__Area *)message;
    return err;
}

static inline gw_err echo(struct fixture *fixture, const char *code, const char *name,
                          uint32_t level, Gridwarden__V1__Area **response, struct gw_error *error) {
    Gridwarden__V1__Area request = area(code, name, level);
    return call(fixture, ECHO_PATH, &request, response, error);
}

static inline void release(Gridwarden__V1__Area *message) {
    gridwarden__v1__area__free_unpacked(message, NULL);
}

static inline struct gw_rpc_stream *open_stream(struct fixture *fixture, const char *path,
                                                const Gridwarden__V1__Area *request,
                                                int64_t timeout_ms) {
    struct gw_rpc_stream *stream;
    struct gw_error error;
    assert_int_equal(
        gw_rpc_stream_open(fixture->channel, path, request != NULL ? &request->base : NULL,
                           &gridwarden__v1__area__descriptor, timeout_ms, &stream, &error),
        GW_OK);
    return stream;
}

static inline gw_err read_area(struct gw_rpc_stream *stream, int64_t timeout_ms,
                               Gridwarden__V1__Area **message, struct gw_error *error) {
    ProtobufCMessage *read = NULL;
    gw_err err = gw_rpc_stream_read(stream, timeout_ms, &read, error);
    *message = (Gridwarden__V1__Area *)read;
    return err;
}

static inline char *letters(size_t count) {
    char *text = malloc(count + 1);
    assert_non_null(text);
    memset(text, 'y', count);
    text[count] = '\0';
    return text;
}

#endif
