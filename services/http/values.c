#include "services/http/values.h"

#include "services/base/json.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NUMBER_BYTES_MAX 32u // of a decimal number in a parameter

gw_err http_value_uint(const char *name, const char *text, uint64_t min, uint64_t max,
                       uint64_t *value, struct gw_error *error) {
    uint64_t read = 0;
    const char *at = text;
    bool fits = *at != '\0' && (*at != '0' || at[1] == '\0');
    for (; fits && *at != '\0'; at++) {
        fits = *at >= '0' && *at <= '9' && read <= (UINT64_MAX - 9) / 10;
        read = fits ? read * 10 + (uint64_t)(*at - '0') : read;
    }
    if (!fits || read < min || read > max) {
        return gw_error_set(error, GW_EINVAL, "%s must be a whole number, %" PRIu64 " .. %" PRIu64,
                            name, min, max);
    }
    *value = read;
    return GW_OK;
}

gw_err http_parameter_uint(const struct http_target *target, const char *name, uint64_t min,
                           uint64_t max, uint64_t *value, struct gw_error *error) {
    const char *text = http_target_parameter(target, name);
    return text == NULL ? GW_OK : http_value_uint(name, text, min, max, value, error);
}

gw_err http_parameter_flag(const struct http_target *target, const char *name, bool *value,
                           struct gw_error *error) {
    uint64_t read = *value;
    const char *text = http_target_parameter(target, name);
    if (text != NULL && strcmp(text, "0") != 0 && strcmp(text, "1") != 0) {
        return gw_error_set(error, GW_EINVAL, "%s must be 0 or 1", name);
    }
    read = text != NULL ? (uint64_t)(text[0] - '0') : read;
    *value = read != 0;
    return GW_OK;
}

// A decimal number: -12.5, 1e-7; no blanks, no hexadecimal, no "inf".
static bool read_decimal(const char *text, double *value) {
    const char *at = text + (*text == '-');
    size_t whole = strspn(at, "0123456789");
    at += whole;
    size_t fraction = *at == '.' ? strspn(at + 1, "0123456789") : 0;
    bool good = whole > 0 && (*at != '.' || fraction > 0);
    at += *at == '.' ? 1 + fraction : 0;
    if (*at == 'e' || *at == 'E') {
        at += 1 + (at[1] == '-' || at[1] == '+');
        size_t digits = strspn(at, "0123456789");
        good = good && digits > 0;
        at += digits;
    }
    if (!good || *at != '\0' || (size_t)(at - text) > NUMBER_BYTES_MAX) {
        return false;
    }
    *value = strtod(text, NULL);
    return isfinite(*value);
}

gw_err http_parameter_point(const struct http_target *target, struct gw_point *point,
                            struct gw_error *error) {
    static const char *const names[] = {"lon", "lat"};
    static const int limits[] = {180, 90};
    double values[2] = {0, 0};
    for (int i = 0; i < 2; i++) {
        const char *text = http_target_parameter(target, names[i]);
        if (text == NULL) {
            return gw_error_set(error, GW_EINVAL, "parameter %s is missing: give degrees",
                                names[i]);
        }
        if (!read_decimal(text, &values[i]) || values[i] < -limits[i] || values[i] > limits[i]) {
            return gw_error_set(error, GW_EINVAL, "%s must be degrees as a number, -%d .. %d",
                                names[i], limits[i], limits[i]);
        }
    }
    return gw_lattice_query(values[0], values[1], point);
}

uint32_t http_characters(const char *text) {
    uint32_t count = 0;
    for (; *text != '\0'; text++) {
        count += ((unsigned char)*text & 0xc0) != 0x80;
    }
    return count;
}

void http_write_degrees(struct gw_buffer *out, int32_t units) {
    int64_t size = units < 0 ? -(int64_t)units : units;
    int64_t whole = size / GW_UNITS_PER_DEGREE, fraction = size % GW_UNITS_PER_DEGREE;
    char text[24];
    int at = 0;
    if (units < 0) {
        text[at++] = '-';
    }
    for (int64_t scale = 100; scale > 0; scale /= 10) {
        if (whole >= scale || scale == 1) {
            text[at++] = (char)('0' + whole / scale % 10);
        }
    }
    if (fraction > 0) {
        text[at++] = '.';
        for (int64_t scale = GW_UNITS_PER_DEGREE / 10; fraction > 0; scale /= 10) {
            text[at++] = (char)('0' + fraction / scale);
            fraction %= scale;
        }
    }
    gw_buffer_append(out, text, (size_t)at);
}

void http_write_bounds(struct gw_buffer *out, const struct gw_box *box) {
    const int32_t sides[4] = {box->min.lon, box->min.lat, box->max.lon, box->max.lat};
    for (int i = 0; i < 4; i++) {
        gw_buffer_append(out, i == 0 ? "[" : ",", 1);
        http_write_degrees(out, sides[i]);
    }
    gw_buffer_append(out, "]", 1);
}

void http_write_key(struct gw_buffer *out, const char *name) {
    if (out->size > 0 && out->data[out->size - 1] != '{') {
        gw_buffer_append(out, ",", 1);
    }
    gw_json_text(out, name);
    gw_buffer_append(out, ":", 1);
}

void http_write_text(struct gw_buffer *out, const char *name, const char *text) {
    http_write_key(out, name);
    gw_json_text(out, text);
}

void http_write_int(struct gw_buffer *out, const char *name, int64_t value) {
    http_write_key(out, name);
    gw_buffer_format(out, "%" PRId64, value);
}

void http_write_metres(struct gw_buffer *out, const char *name, double metres) {
    http_write_key(out, name);
    if (isfinite(metres)) {
        gw_buffer_format(out, "%.3f", metres);
    } else {
        gw_buffer_text(out, "null");
    }
}

void http_write_masked(struct gw_buffer *out, const char *name, const char *person) {
    char masked[8];
    int size = person[0] != '\0' ? 1 : 0;
    while (size > 0 && size < 4 && ((unsigned char)person[size] & 0xc0) == 0x80) {
        size++;
    }
    const char *rest = size == 0 ? "" : http_characters(person) > 2 ? "**" : "*";
    (void)snprintf(masked, sizeof(masked), "%.*s%s", size, person, rest);
    http_write_text(out, name, masked);
}
