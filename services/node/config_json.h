// Inside this room: reading members of the configuration file, and refusing them by name.
#ifndef GW_SERVICES_NODE_CONFIG_JSON_H
#define GW_SERVICES_NODE_CONFIG_JSON_H

#include "services/base/error.h"
#include "services/http/settings.h"
#include <jansson.h>
#include <stddef.h>

// Where a value lies, for messages.
struct place {
    const char *file, *section; // "assignment"
    struct gw_error *error;
};

// GW_EINVAL, with words: the key of this place must be what is expected.
gw_err config_refuse(const struct place *place, const char *key, const char *expected);

// GW_EINVAL names a key that is none of the known ones.
GW_MUST_CHECK gw_err config_check_keys(const struct place *place, const json_t *object,
                                       const char *const known[], size_t count);

// Reads a whole number if the key is there.
GW_MUST_CHECK gw_err config_read_number(const struct place *place, const json_t *object,
                                        const char *key, int64_t min, int64_t max, int64_t *out);

// Reads a text if the key is there. `size` is that of the buffer.
GW_MUST_CHECK gw_err config_read_text(const struct place *place, const json_t *object,
                                      const char *key, size_t size, char *out);

// The sections "map" and "http"; `object` may be NULL.
GW_MUST_CHECK gw_err config_read_map(const struct place *place, const json_t *object,
                                     struct gw_map_config *map);
GW_MUST_CHECK gw_err config_read_http(const struct place *place, const json_t *object,
                                      struct gw_http_config *http);

#endif
