#include "services/node/config_json.h"

#include <stdio.h>
#include <string.h>

gw_err config_refuse(const struct place *place, const char *key, const char *expected) {
    return gw_error_set(place->error, GW_EINVAL, "%s: %s%s%s must be %s", place->file,
                        place->section, place->section[0] != '\0' && key[0] != '\0' ? "." : "", key,
                        expected);
}

gw_err config_check_keys(const struct place *place, const json_t *object, const char *const known[],
                         size_t count) {
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object, key, value) {
        size_t i = 0;
        while (i < count && strcmp(key, known[i]) != 0) {
            i++;
        }
        if (i == count) {
            return gw_error_set(place->error, GW_EINVAL, "%s: %s%s%s is not a setting", place->file,
                                place->section, place->section[0] != '\0' ? "." : "", key);
        }
    }
    return GW_OK;
}

gw_err config_read_number(const struct place *place, const json_t *object, const char *key,
                          int64_t min, int64_t max, int64_t *out) {
    const json_t *value = json_object_get(object, key);
    if (value == NULL) {
        return GW_OK;
    }
    if (!json_is_integer(value) || json_integer_value(value) < min ||
        json_integer_value(value) > max) {
        char expected[64];
        (void)snprintf(expected, sizeof(expected), "a whole number, %lld .. %lld", (long long)min,
                       (long long)max);
        return config_refuse(place, key, expected);
    }
    *out = json_integer_value(value);
    return GW_OK;
}

gw_err config_read_text(const struct place *place, const json_t *object, const char *key,
                        size_t size, char *out) {
    const json_t *value = json_object_get(object, key);
    if (value == NULL) {
        return GW_OK;
    }
    if (!json_is_string(value) || json_string_length(value) >= size ||
        strlen(json_string_value(value)) != json_string_length(value)) {
        char expected[64];
        (void)snprintf(expected, sizeof(expected), "a text of at most %zu bytes", size - 1);
        return config_refuse(place, key, expected);
    }
    memcpy(out, json_string_value(value), json_string_length(value) + 1);
    return GW_OK;
}
