// Parameters as the values that they stand for, and values as the text that answers show.
//
// Errors: GW_EINVAL or GW_ERANGE with words that name the parameter; outs are untouched then.
#ifndef GW_SERVICES_HTTP_VALUES_H
#define GW_SERVICES_HTTP_VALUES_H

#include "geo/lattice.h"
#include "services/base/buffer.h"
#include "services/base/error.h"
#include "services/http/target.h"

// Decimal digits alone, without a zero in front.
GW_MUST_CHECK gw_err http_value_uint(const char *name, const char *text, uint64_t min, uint64_t max,
                                     uint64_t *value, struct gw_error *error);
// The same of a query parameter; `value` keeps what it has when it isn't there.
GW_MUST_CHECK gw_err http_parameter_uint(const struct http_target *target, const char *name,
                                         uint64_t min, uint64_t max, uint64_t *value,
                                         struct gw_error *error);
// 0 or 1; `value` keeps what it has when it isn't there.
GW_MUST_CHECK gw_err http_parameter_flag(const struct http_target *target, const char *name,
                                         bool *value, struct gw_error *error);
// The parameters lon and lat, which must be there: degrees, as decimal numbers.
GW_MUST_CHECK gw_err http_parameter_point(const struct http_target *target, struct gw_point *point,
                                          struct gw_error *error);

// How many code points UTF-8 text has.
uint32_t http_characters(const char *text);

// --- writing ---

// Degrees with as many decimals as are needed, exact: 123.4567, -0.0000001.
void http_write_degrees(struct gw_buffer *out, int32_t units);
// [west, south, east, north] of a box.
void http_write_bounds(struct gw_buffer *out, const struct gw_box *box);
// "name": as a JSON key, after a comma unless it is the first of an object.
void http_write_key(struct gw_buffer *out, const char *name);
// A key with a text, a whole number.
void http_write_text(struct gw_buffer *out, const char *name, const char *text);
void http_write_int(struct gw_buffer *out, const char *name, int64_t value);
// A key with a number of metres, to the millimetre.
void http_write_metres(struct gw_buffer *out, const char *name, double metres);

// A person's name with all but its first character hidden: 张三丰 gives 张**, 李四 gives 李*.
void http_write_masked(struct gw_buffer *out, const char *name, const char *person);

#endif
