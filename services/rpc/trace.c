#include "services/rpc/trace.h"

#include <string.h>

#define TRACEPARENT_SIZE 55

static bool is_hex(const char *text, size_t size) {
    for (size_t i = 0; i < size; i++) {
        bool digit = text[i] >= '0' && text[i] <= '9';
        bool letter = text[i] >= 'a' && text[i] <= 'f';
        if (!digit && !letter) {
            return false;
        }
    }
    return true;
}

static bool all_zero(const char *text, size_t size) {
    for (size_t i = 0; i < size; i++) {
        if (text[i] != '0') {
            return false;
        }
    }
    return true;
}

bool gw_rpc_trace_parse(const char *text, size_t size, char trace_id[GW_RPC_TRACE_ID_SIZE]) {
    if (size < TRACEPARENT_SIZE || !is_hex(text, 2) || memcmp(text, "ff", 2) == 0) {
        return false;
    }
    bool first_version = all_zero(text, 2);
    if (size > TRACEPARENT_SIZE && (first_version || text[TRACEPARENT_SIZE] != '-')) {
        return false;
    }
    if (text[2] != '-' || text[35] != '-' || text[52] != '-') {
        return false;
    }
    if (!is_hex(text + 3, 32) || !is_hex(text + 36, 16) || !is_hex(text + 53, 2)) {
        return false;
    }
    if (all_zero(text + 3, 32) || all_zero(text + 36, 16)) {
        return false;
    }
    memcpy(trace_id, text + 3, 32);
    trace_id[32] = '\0';
    return true;
}

void gw_rpc_trace_format(const uint8_t bytes[16], char trace_id[GW_RPC_TRACE_ID_SIZE]) {
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < 16; i++) {
        trace_id[2 * i] = digits[bytes[i] >> 4];
        trace_id[2 * i + 1] = digits[bytes[i] & 15];
    }
    trace_id[32] = '\0';
    if (all_zero(trace_id, 32)) {
        trace_id[31] = '1';
    }
}
