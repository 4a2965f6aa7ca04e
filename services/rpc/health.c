// grpc.health.v1: Check and Watch, written against server.h like any other service.
#include "services/rpc/internal.h"

#include "grpc/health/v1/health.pb-c.h"
#include <assert.h>
#include <grpc/support/alloc.h>
#include <string.h>

#define WATCHERS_MAX 1024u

#define STATUS_SERVING GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING
#define STATUS_NOT_SERVING GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__NOT_SERVING
#define STATUS_UNKNOWN GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVICE_UNKNOWN

struct watcher {
    struct gw_rpc_health *health;
    struct gw_rpc_call *call;
    struct watcher *previous, *next;
    bool known;
    int told; // the status last sent; -1: none yet
};

struct gw_rpc_health {
    pthread_mutex_t mutex;
    bool serving;             // under mutex, like the watchers
    struct watcher *watchers; // those whose `done` has not run
    uint32_t watcher_count;
    const struct gw_rpc_method *methods;
    size_t method_count;
};

// "" stands for the server as a whole.
static bool knows(const struct gw_rpc_health *health, const char *service) {
    size_t length = strlen(service);
    bool found = length == 0 || strcmp(service, "grpc.health.v1.Health") == 0;
    for (size_t i = 0; i < health->method_count && !found; i++) {
        const char *name = health->methods[i].path + 1;
        found = strncmp(name, service, length) == 0 && name[length] == '/';
    }
    return found;
}

static int status_of(struct gw_rpc_health *health, bool known) {
    (void)pthread_mutex_lock(&health->mutex);
    bool serving = health->serving;
    (void)pthread_mutex_unlock(&health->mutex);
    return !known ? STATUS_UNKNOWN : serving ? STATUS_SERVING : STATUS_NOT_SERVING;
}

static Grpc__Health__V1__HealthCheckResponse response_of(int status) {
    Grpc__Health__V1__HealthCheckResponse response = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__INIT;
    response.status = (Grpc__Health__V1__HealthCheckResponse__ServingStatus)status;
    return response;
}

static void check(struct gw_rpc_call *call, const ProtobufCMessage *message, void *context) {
    struct gw_rpc_health *health = context;
    const char *service = ((const Grpc__Health__V1__HealthCheckRequest *)message)->service;
    if (!knows(health, service)) {
        struct gw_error error;
        (void)gw_error_set(&error, GW_ENOTFOUND, "this server has no service '%.100s'", service);
        gw_rpc_fail(call, &error);
        return;
    }
    Grpc__Health__V1__HealthCheckResponse response = response_of(status_of(health, true));
    gw_rpc_reply(call, &response.base);
}

// Tells what the watcher does not know yet; a status that changed back meanwhile is not news.
static void tell(struct gw_rpc_call *call, void *state) {
    struct watcher *watcher = state;
    int status = status_of(watcher->health, watcher->known);
    if (status != watcher->told) {
        Grpc__Health__V1__HealthCheckResponse response = response_of(status);
        if (gw_rpc_send(call, &response.base) == GW_OK) {
            watcher->told = status; // else on_writable comes again, or done
        }
    }
}

static void forget(struct gw_rpc_call *call, void *state) {
    (void)call;
    struct watcher *watcher = state;
    struct gw_rpc_health *health = watcher->health;
    (void)pthread_mutex_lock(&health->mutex);
    if (watcher->previous != NULL) {
        watcher->previous->next = watcher->next;
    } else {
        health->watchers = watcher->next;
    }
    if (watcher->next != NULL) {
        watcher->next->previous = watcher->previous;
    }
    health->watcher_count--;
    (void)pthread_mutex_unlock(&health->mutex);
    gpr_free(watcher);
}

static void watch(struct gw_rpc_call *call, const ProtobufCMessage *message, void *context) {
    struct gw_rpc_health *health = context;
    const char *service = ((const Grpc__Health__V1__HealthCheckRequest *)message)->service;
    struct watcher *watcher = gpr_zalloc(sizeof(*watcher));
    watcher->health = health;
    watcher->call = call;
    watcher->known = knows(health, service);
    watcher->told = -1;
    (void)pthread_mutex_lock(&health->mutex);
    bool room = health->watcher_count < WATCHERS_MAX;
    if (room) {
        gw_rpc_call_set_stream(call, watcher, tell, forget);
        health->watcher_count++;
        watcher->next = health->watchers;
        if (health->watchers != NULL) {
            health->watchers->previous = watcher;
        }
        health->watchers = watcher;
    }
    (void)pthread_mutex_unlock(&health->mutex);
    if (!room) {
        struct gw_error error;
        (void)gw_error_set(&error, GW_ENOSPC,
                           "%u callers watch this server's health already; use Check",
                           (unsigned)WATCHERS_MAX);
        gpr_free(watcher);
        gw_rpc_finish(call, &error);
        return;
    }
    tell(call, watcher);
}

const struct gw_rpc_method gw_rpc_health_methods[2] = {
    {.path = "/grpc.health.v1.Health/Check",
     .kind = GW_RPC_UNARY,
     .request = &grpc__health__v1__health_check_request__descriptor,
     .response = &grpc__health__v1__health_check_response__descriptor,
     .start = check},
    {.path = "/grpc.health.v1.Health/Watch",
     .kind = GW_RPC_SERVER_STREAM,
     .request = &grpc__health__v1__health_check_request__descriptor,
     .response = &grpc__health__v1__health_check_response__descriptor,
     .start = watch},
};

struct gw_rpc_health *gw_rpc_health_create(const struct gw_rpc_method methods[], size_t count) {
    struct gw_rpc_health *health = gpr_zalloc(sizeof(*health));
    (void)pthread_mutex_init(&health->mutex, NULL);
    health->methods = methods;
    health->method_count = count;
    return health;
}

void gw_rpc_health_destroy(struct gw_rpc_health *health) {
    if (health != NULL) {
        assert(health->watchers == NULL);
        (void)pthread_mutex_destroy(&health->mutex);
        gpr_free(health);
    }
}

void gw_rpc_health_set(struct gw_rpc_health *health, bool serving) {
    (void)pthread_mutex_lock(&health->mutex);
    health->serving = serving;
    for (struct watcher *watcher = health->watchers; watcher != NULL; watcher = watcher->next) {
        gw_rpc_wake(watcher->call); // alive: its `forget` waits for this mutex
    }
    (void)pthread_mutex_unlock(&health->mutex);
}
