// Arbitrary bytes as a page token: refused, or exactly what would be written for that position.
#include "services/shard/list_token.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    unsigned char position[KEY_POSITION_BYTES];
    char again[LIST_TOKEN_SIZE];
    bool has_position = false;
    char *token = malloc(size + 1u);
    if (token == NULL) {
        return 0;
    }
    memcpy(token, data, size);
    token[size] = '\0';
    if (list_token_parse(token, position, &has_position) == GW_OK && has_position) {
        list_token_write(position, again);
        if (strcmp(again, token) != 0) {
            abort();
        }
    }
    free(token);
    return 0;
}
