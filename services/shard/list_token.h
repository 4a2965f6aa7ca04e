// The token of a list: where a page ended, as time of the report and id, whatever the filter was.
#ifndef GW_SERVICES_SHARD_LIST_TOKEN_H
#define GW_SERVICES_SHARD_LIST_TOKEN_H

#include "services/shard/keys.h"

#define LIST_TOKEN_SIZE 96u

// "" has no position. GW_EINVAL: not a token that list_token_write makes.
GW_MUST_CHECK gw_err list_token_parse(const char *token, unsigned char position[KEY_POSITION_BYTES],
                                      bool *has_position);
void list_token_write(const unsigned char position[KEY_POSITION_BYTES],
                      char token[LIST_TOKEN_SIZE]);

#endif
