#include "services/rpc/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static gw_err parse_unix(const char *path, struct gw_rpc_address *address, struct gw_error *error) {
    size_t length = strlen(path);
    if (length < 2 || path[0] != '/' || path[length - 1] == '/') {
        return gw_error_set(error, GW_EINVAL,
                            "listen address 'unix:%.80s': write the absolute path of a file after "
                            "'unix:', such as unix:/run/gridwarden/grpc.sock",
                            path);
    }
    if (length >= sizeof(address->path)) {
        return gw_error_set(error, GW_EINVAL,
                            "listen address 'unix:%.60s…': the path of a unix socket has at most "
                            "%d bytes, this one has %zu; use a shorter one",
                            path, GW_RPC_UNIX_PATH_MAX - 1, length);
    }
    struct gw_rpc_address parsed = {.is_unix = true};
    memcpy(parsed.path, path, length + 1);
    (void)snprintf(parsed.bind, sizeof(parsed.bind), "unix:%s", parsed.path);
    *address = parsed;
    return GW_OK;
}

// "127.0.0.1:7600", "[::1]:7600".
static void write_bind(const struct gw_loopback *loopback, char *out, size_t size) {
    char host[INET6_ADDRSTRLEN] = "";
    if (loopback->socket.ss_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)&loopback->socket;
        (void)inet_ntop(AF_INET, &in->sin_addr, host, sizeof(host));
    }
    (void)snprintf(out, size, "%s:%u", host[0] != '\0' ? host : "[::1]", (unsigned)loopback->port);
}

gw_err gw_rpc_address_parse(const char *text, struct gw_rpc_address *address,
                            struct gw_error *error) {
    if (text == NULL || *text == '\0') {
        return gw_error_set(error, GW_EINVAL,
                            "no listen address given; use 127.0.0.1:7600 or unix:/path");
    }
    if (strncmp(text, "unix:", 5) == 0) {
        return parse_unix(text + 5, address, error);
    }
    struct gw_loopback loopback;
    gw_err err = gw_loopback_parse(text, &loopback);
    if (err == GW_EINVAL) {
        return gw_error_set(error, GW_EINVAL,
                            "listen address '%.80s': write host:port with a port of 0 to 65535, "
                            "such as 127.0.0.1:7600, or unix:/path",
                            text);
    }
    if (err != GW_OK) {
        return gw_error_set(error, GW_EINVAL,
                            "listen address '%.80s' could be reached from other machines, and this "
                            "version has no TLS yet (it comes with access control); listen on "
                            "127.0.0.1%s, [::1]%s or unix:/path, and let others in through an "
                            "SSH tunnel",
                            text, strrchr(text, ':'), strrchr(text, ':'));
    }
    struct gw_rpc_address parsed = {.loopback = loopback};
    write_bind(&loopback, parsed.bind, sizeof(parsed.bind));
    *address = parsed;
    return GW_OK;
}

static struct sockaddr_un unix_sockaddr(const struct gw_rpc_address *address) {
    struct sockaddr_un sockaddr = {.sun_family = AF_UNIX};
    memcpy(sockaddr.sun_path, address->path, sizeof(sockaddr.sun_path));
    return sockaddr;
}

gw_err gw_rpc_address_prepare(const struct gw_rpc_address *address, struct gw_error *error) {
    struct stat status;
    if (!address->is_unix || lstat(address->path, &status) != 0) {
        return GW_OK; // a folder that is missing shows up at the bind, with its reason
    }
    if (!S_ISSOCK(status.st_mode)) {
        return gw_error_set(error, GW_EINVAL,
                            "cannot listen on %s: a file that is no socket is in the way; move it "
                            "or choose another path",
                            address->bind);
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return gw_error_set(error, GW_EIO, "cannot open a socket: %s", strerror(errno));
    }
    struct sockaddr_un sockaddr = unix_sockaddr(address);
    int result = connect(fd, (const struct sockaddr *)&sockaddr, sizeof(sockaddr));
    int reason = errno;
    (void)close(fd);
    if (result == 0 || reason == EAGAIN || reason == EINPROGRESS) {
        return gw_error_set(error, GW_EUNAVAILABLE,
                            "cannot listen on %s: another server answers there; stop it or choose "
                            "another path",
                            address->bind);
    }
    if (reason != ECONNREFUSED) {
        return gw_error_set(error, GW_EUNAVAILABLE, "cannot listen on %s: %s", address->bind,
                            strerror(reason));
    }
    if (unlink(address->path) != 0 && errno != ENOENT) {
        return gw_error_set(error, GW_EIO, "cannot remove the stale socket %s: %s", address->path,
                            strerror(errno));
    }
    return GW_OK;
}

// Binds as gRPC would; returns 0 or errno.
static int try_bind(const struct gw_rpc_address *address) {
    struct sockaddr_un local = unix_sockaddr(address);
    const struct sockaddr *sockaddr = (const struct sockaddr *)&address->loopback.socket;
    socklen_t size = address->loopback.size;
    if (address->is_unix) {
        sockaddr = (const struct sockaddr *)&local;
        size = sizeof(local);
    }
    int fd = socket(sockaddr->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return errno;
    }
    int on = 1;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    int reason = 0;
    if (bind(fd, sockaddr, size) != 0 || listen(fd, 1) != 0) {
        reason = errno;
    } else if (address->is_unix) {
        (void)unlink(address->path);
    }
    (void)close(fd);
    return reason;
}

gw_err gw_rpc_address_explain(const struct gw_rpc_address *address, struct gw_error *error) {
    int reason = try_bind(address);
    if (reason == EADDRINUSE) {
        return gw_error_set(error, GW_EUNAVAILABLE,
                            "cannot listen on %s: the address is taken by another program; stop "
                            "it or choose another port",
                            address->bind);
    }
    return gw_error_set(error, GW_EUNAVAILABLE, "cannot listen on %s: %s", address->bind,
                        reason == 0 ? "the address was taken a moment ago; try again"
                                    : strerror(reason));
}
