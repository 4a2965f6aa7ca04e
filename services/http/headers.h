// What request headers mean. Pure; NULL stands for a header that isn't there.
#ifndef GW_SERVICES_HTTP_HEADERS_H
#define GW_SERVICES_HTTP_HEADERS_H

#include <stdbool.h>

#define HTTP_HOST_BYTES_MAX 255u

// Whether Accept-Encoding admits gzip: named, or by "*", with a weight above 0.
bool http_accepts_gzip(const char *accept_encoding);

// Whether If-None-Match holds the entity tag (with its quotes) by weak comparison, or is "*".
bool http_etag_matches(const char *if_none_match, const char *etag);

// Whether Host has the form name[:port] of letters, digits, '.', '-' and '_', or [address][:port]:
// what may be written into an answer.
bool http_host_valid(const char *host);
// Whether it names this machine itself: localhost, 127.0.0.0/8, [::1].
bool http_host_loopback(const char *host);
// Whether its name, without the port, is this one.
bool http_host_is(const char *host, const char *name);

// Whether Origin is that of pages that Host itself served: "http://" or "https://" and the host.
bool http_origin_is_host(const char *origin, const char *host);

// Whether Content-Type is application/json (in UTF-8, if it names a charset).
bool http_type_is_json(const char *content_type);

#endif
