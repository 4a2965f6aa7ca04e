// HTTP/1.1 by libcurl: many transfers on one thread, driven by epoll.
//
// Threads: a load_http belongs to one thread at a time.
#ifndef GW_LOADTEST_HTTP_H
#define GW_LOADTEST_HTTP_H

#include "services/base/error.h"
#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOAD_URL_MAX 512u

struct load_http {
    CURLM *multi;
    int epoll_fd;
    int64_t timer_ns; // when libcurl wants to be called again; INT64_MAX: not by time
};

// Once in a process, before threads.
void load_http_start(void);

GW_MUST_CHECK gw_err load_http_open(struct load_http *http, uint32_t connections,
                                    struct gw_error *error);
void load_http_close(struct load_http *http); // no transfer is in it

// A handle with what every transfer has: no proxy, no signals, HTTP/1.1, no progress. NULL: no
// memory. `write` takes the body.
CURL *load_http_handle(size_t (*write)(char *data, size_t one, size_t size, void *context),
                       void *context);

GW_MUST_CHECK gw_err load_http_add(struct load_http *http, CURL *handle);
void load_http_remove(struct load_http *http, CURL *handle);
// Waits for what sockets and timers bring, until an instant at most, and lets libcurl act.
void load_http_turn(struct load_http *http, int64_t until_ns);
// The next transfer that has ended; NULL: none. It is still to be removed.
CURL *load_http_ended(struct load_http *http, CURLcode *code);

// One GET of a text of at most `size` - 1 bytes; blocks. GW_EUNAVAILABLE: nobody answers there;
// GW_ENOTFOUND: another status than 200.
GW_MUST_CHECK gw_err load_http_get(const char *url, char *out, size_t size, struct gw_error *error);

#endif
