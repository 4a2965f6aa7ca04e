// Fuzz: what is read as text from outside: listen addresses, traceparent headers, UTF-8.
#include "services/rpc/address.h"
#include "services/rpc/strict.h"
#include "services/rpc/trace.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *text = malloc(size + 1);
    if (text == NULL) {
        return 0;
    }
    if (size > 0) {
        memcpy(text, data, size);
    }
    text[size] = '\0';
    struct gw_rpc_address address;
    struct gw_error error = {0};
    if (gw_rpc_address_parse(text, &address, &error) == GW_OK) {
        struct gw_rpc_address again; // what gRPC is given is itself a local address, and the same
        gw_err err = gw_rpc_address_parse(address.bind, &again, NULL);
        assert(err == GW_OK && strcmp(again.bind, address.bind) == 0);
        assert(again.loopback.port == address.loopback.port && again.is_unix == address.is_unix);
    } else {
        assert(error.code == GW_EINVAL && error.text[0] != '\0');
    }
    char id[GW_RPC_TRACE_ID_SIZE];
    if (gw_rpc_trace_parse(text, size, id)) {
        assert(strspn(id, "0123456789abcdef") == 32 && id[32] == '\0');
        assert(memcmp(id, text + 3, 32) == 0);
    }
    if (gw_rpc_utf8_valid(text, size) && size > 0) {
        assert(!gw_rpc_utf8_valid(text, size - 1) || (text[size - 1] & 0x80) == 0);
    }
    free(text);
    return 0;
}
