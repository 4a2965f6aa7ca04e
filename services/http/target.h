// What a client asks for: the target of a request line taken apart, "/tiles/grids/9/1/2.mvt?a=b".
//
// Pure. Percent escapes are decoded once, after the parts are told apart, so an escaped slash is a
// byte of its segment and no separator. What isn't well-formed UTF-8 without control characters is
// refused.
#ifndef GW_SERVICES_HTTP_TARGET_H
#define GW_SERVICES_HTTP_TARGET_H

#include "services/base/error.h"
#include <stdbool.h>
#include <stdint.h>

#define HTTP_TARGET_BYTES_MAX 2048u
#define HTTP_SEGMENTS_MAX 12u
#define HTTP_PARAMETERS_MAX 16u

struct http_parameter {
    const char *name, *value;
};

// Pointers into the text that was parsed.
struct http_target {
    char *segments[HTTP_SEGMENTS_MAX]; // "/" has one, which is empty
    uint32_t segment_count;
    struct http_parameter parameters[HTTP_PARAMETERS_MAX]; // of the query, in order
    uint32_t parameter_count;
};

// Takes `text` apart in place; it must live as long as the target. GW_EINVAL says what is wrong.
GW_MUST_CHECK gw_err http_target_parse(char *text, struct http_target *target,
                                       struct gw_error *error);

// Whether the path fits a pattern such as "/tiles/{layer}/{z}/{x}/{y}.mvt": a segment is a literal,
// or a name in braces, which stands for one byte or more, followed by a literal.
bool http_target_fits(const struct http_target *target, const char *pattern);
// The value that `name` stands for, for a target that fits; cuts the literal after it off, so ask
// for each name in one order only once the pattern is settled. NULL: no such name.
const char *http_target_value(const struct http_target *target, const char *pattern,
                              const char *name);

// The value of a query parameter; NULL when it isn't there.
const char *http_target_parameter(const struct http_target *target, const char *name);

// GW_EINVAL names a parameter that is there twice, or that is not among `names` (NULL-terminated;
// NULL: none is known).
GW_MUST_CHECK gw_err http_target_check(const struct http_target *target, const char *const names[],
                                       struct gw_error *error);

#endif
