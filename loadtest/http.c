#include "loadtest/http.h"

#include "services/base/clock.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS = 256, GET_MS = 10000 };

void load_http_start(void) {
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
}

// libcurl tells which sockets to wait for.
static int watch_socket(CURL *handle, curl_socket_t socket, int what, void *context, void *known) {
    struct load_http *http = context;
    struct epoll_event event = {.data.fd = socket};
    (void)handle;
    if (what == CURL_POLL_REMOVE) {
        (void)epoll_ctl(http->epoll_fd, EPOLL_CTL_DEL, socket, NULL);
        (void)curl_multi_assign(http->multi, socket, NULL);
        return 0;
    }
    event.events = (what & CURL_POLL_IN ? (uint32_t)EPOLLIN : 0) |
                   (what & CURL_POLL_OUT ? (uint32_t)EPOLLOUT : 0);
    int operation = known == NULL ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
    if (epoll_ctl(http->epoll_fd, operation, socket, &event) != 0 && errno == EEXIST) {
        (void)epoll_ctl(http->epoll_fd, EPOLL_CTL_MOD, socket, &event);
    }
    (void)curl_multi_assign(http->multi, socket, http);
    return 0;
}

static int set_timer(CURLM *multi, long timeout_ms, void *context) {
    struct load_http *http = context;
    (void)multi;
    http->timer_ns =
        timeout_ms < 0 ? INT64_MAX : gw_clock_monotonic_ns() + (int64_t)timeout_ms * 1000000;
    return 0;
}

gw_err load_http_open(struct load_http *http, uint32_t connections, struct gw_error *error) {
    memset(http, 0, sizeof(*http));
    http->timer_ns = INT64_MAX;
    http->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    http->multi = http->epoll_fd >= 0 ? curl_multi_init() : NULL;
    if (http->multi == NULL) {
        return gw_error_set(error, GW_ENOMEM, "HTTP could not be set up: %s", strerror(errno));
    }
    (void)curl_multi_setopt(http->multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
    (void)curl_multi_setopt(http->multi, CURLMOPT_SOCKETDATA, http);
    (void)curl_multi_setopt(http->multi, CURLMOPT_TIMERFUNCTION, set_timer);
    (void)curl_multi_setopt(http->multi, CURLMOPT_TIMERDATA, http);
    (void)curl_multi_setopt(http->multi, CURLMOPT_MAXCONNECTS, (long)connections);
    (void)curl_multi_setopt(http->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
    return GW_OK;
}

void load_http_close(struct load_http *http) {
    if (http->multi != NULL) {
        (void)curl_multi_cleanup(http->multi);
        (void)close(http->epoll_fd);
        http->multi = NULL;
    }
}

CURL *load_http_handle(size_t (*write)(char *data, size_t one, size_t size, void *context),
                       void *context) {
    CURL *handle = curl_easy_init();
    if (handle != NULL) {
        (void)curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
        (void)curl_easy_setopt(handle, CURLOPT_PROXY, "");
        (void)curl_easy_setopt(handle, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
        (void)curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http");
        (void)curl_easy_setopt(handle, CURLOPT_USERAGENT, "gridwarden-load");
        (void)curl_easy_setopt(handle, CURLOPT_TCP_NODELAY, 1L);
        (void)curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, write);
        (void)curl_easy_setopt(handle, CURLOPT_WRITEDATA, context);
    }
    return handle;
}

gw_err load_http_add(struct load_http *http, CURL *handle) {
    return curl_multi_add_handle(http->multi, handle) == CURLM_OK ? GW_OK : GW_ENOMEM;
}

void load_http_remove(struct load_http *http, CURL *handle) {
    (void)curl_multi_remove_handle(http->multi, handle);
}

void load_http_turn(struct load_http *http, int64_t until_ns) {
    struct epoll_event events[EVENTS];
    int running = 0;
    int64_t now_ns = gw_clock_monotonic_ns();
    int64_t wake_ns = http->timer_ns < until_ns ? http->timer_ns : until_ns;
    int64_t wait_ns = wake_ns > now_ns ? wake_ns - now_ns : 0;
    const struct timespec wait = {.tv_sec = wait_ns / 1000000000, .tv_nsec = wait_ns % 1000000000};
    int count = epoll_pwait2(http->epoll_fd, events, EVENTS, &wait, NULL);
    for (int i = 0; i < count; i++) {
        int what = (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLRDHUP) ? CURL_CSELECT_IN : 0) |
                   (events[i].events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
                   (events[i].events & EPOLLERR ? CURL_CSELECT_ERR : 0);
        (void)curl_multi_socket_action(http->multi, events[i].data.fd, what, &running);
    }
    if (gw_clock_monotonic_ns() >= http->timer_ns) {
        http->timer_ns = INT64_MAX;
        (void)curl_multi_socket_action(http->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    }
}

CURL *load_http_ended(struct load_http *http, CURLcode *code) {
    int left = 0;
    const CURLMsg *message;
    while ((message = curl_multi_info_read(http->multi, &left)) != NULL) {
        if (message->msg == CURLMSG_DONE) {
            *code = message->data.result;
            return message->easy_handle;
        }
    }
    return NULL;
}

// --- one text ---

struct text {
    char *out;
    size_t size, used;
};

static size_t take_text(char *data, size_t one, size_t size, void *context) {
    struct text *text = context;
    (void)one;
    if (size >= text->size - text->used) {
        return 0; // too long: libcurl ends the transfer
    }
    memcpy(text->out + text->used, data, size);
    text->used += size;
    text->out[text->used] = '\0';
    return size;
}

gw_err load_http_get(const char *url, char *out, size_t size, struct gw_error *error) {
    struct text text = {out, size, 0};
    long status = 0;
    CURL *handle = load_http_handle(take_text, &text);
    if (handle == NULL) {
        return gw_error_set(error, GW_ENOMEM, "no memory for HTTP");
    }
    out[0] = '\0';
    (void)curl_easy_setopt(handle, CURLOPT_URL, url);
    (void)curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, (long)GET_MS);
    CURLcode code = curl_easy_perform(handle);
    (void)curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_cleanup(handle);
    if (code != CURLE_OK) {
        return gw_error_set(error, GW_EUNAVAILABLE, "%s: %s; is the node there (--http)?", url,
                            curl_easy_strerror(code));
    }
    return status == 200
               ? GW_OK
               : gw_error_set(error, GW_ENOTFOUND, "%s: HTTP %ld: %.120s", url, status, out);
}
