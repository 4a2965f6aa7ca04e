#include "services/shard/list_token.h"

#include "services/incidents/incident.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

gw_err list_token_parse(const char *token, unsigned char position[KEY_POSITION_BYTES],
                        bool *has_position) {
    char id[GW_INCIDENT_ID_SIZE] = "", again[LIST_TOKEN_SIZE];
    *has_position = token[0] != '\0';
    if (!*has_position) {
        return GW_OK;
    }
    if (strncmp(token, "i1.", 3) != 0) {
        return GW_EINVAL;
    }
    char *end = NULL;
    uint64_t time_ms = strtoull(token + 3, &end, 10);
    if (*end != '.' || strlen(end + 1) >= sizeof(id)) {
        return GW_EINVAL;
    }
    memcpy(id, end + 1, strlen(end + 1));
    if (gw_incident_id_counter(id) == 0) {
        return GW_EINVAL;
    }
    struct key key = {.size = 0};
    key_add_position(&key, (int64_t)time_ms, id);
    list_token_write(key.bytes, again);
    if (strcmp(again, token) != 0) { // only what we write ourselves
        return GW_EINVAL;
    }
    memcpy(position, key.bytes, KEY_POSITION_BYTES);
    return GW_OK;
}

void list_token_write(const unsigned char position[KEY_POSITION_BYTES],
                      char token[LIST_TOKEN_SIZE]) {
    (void)snprintf(token, LIST_TOKEN_SIZE, "i1.%" PRIu64 ".%.*s",
                   UINT64_MAX - key_get_u64(position), (int)KEY_ID_BYTES,
                   (const char *)position + 8);
}
